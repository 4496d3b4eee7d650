// History of a heavy user: what a minute costs, how long questions take, how large the file is and what holding it needs. Beside it the sqlite3
// program, asked the same of the same file.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { busyMinute, NOW, writeHeavy } from '../support/heavy-history.js';
import { sleep } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const DAY = 86_400_000;
const SUBJECTS = 4_194_304;
const MIB = 1024 * 1024;
const BY_APP = 'SELECT app_name, SUM(packet_size) AS total FROM connections GROUP BY app_name';
const BUSY = 500;
/** Through the view of history: back twice, forward, an app's page and out, the third app's page and out, wider twice, out. */
const WALK = ['8', 'h', 'h', 'l', '\r', '\x1b', 'j', 'j', '\r', '\x1b', ']', ']', '1'];
const STEP_MS = 1500;
const PATIENCE_MS = 20_000;

export const about = 'apply, questions, size, time to open and memory of 90 days of a heavy user';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  const load = (name) => import(pathToFileURL(`${root}/dist/history/${name}.js`).href);
  const [{ loadSql }, { loadHistory }] = [await load('sqljs/engine'), await load('load')];
  const sql = await loadSql();
  const folder = mkdtempSync(join(tmpdir(), 'netmon-bench-'));
  const file = join(folder, 'history.db');
  await writeHeavy(root, file, small);
  try {
    return [...rows({ load: () => loadHistory(sql, file), file, root, repeat }), ...(await screenMemory(root, file))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rows({ load, file, root, repeat }) {
  const history = load().database;
  const days = {
    from: NOW - 30 * DAY,
    to: NOW,
    app: null,
    domain: null,
    category: null,
    interface: null,
    filter: null,
    top: 50,
    steps: 0,
  };
  const ask = (what, changes, goal, peer) => ({
    what,
    value: best(repeat, () => history.query({ ...days, ...changes })),
    unit: 'ms',
    ...(goal === undefined ? {} : { goal: { most: goal } }),
    ...(peer === undefined ? {} : { peers: sqlite3(repeat, file, peer) }),
  });
  const [first, last] = [Math.floor(days.from / DAY) * SUBJECTS, Math.floor(days.to / DAY) * SUBJECTS];
  const sameByApp = `SELECT label.text, sum(rx), sum(tx), sum(rx_packets), sum(tx_packets), sum(flows) FROM day
    JOIN subject ON subject.id = day.id & ${SUBJECTS - 1} LEFT JOIN label ON label.id = subject.app WHERE day.id >= ${first} AND day.id < ${last} GROUP BY 1`;
  let sequence = history.applied;
  let minute = Math.floor(NOW / 60_000);
  history.apply(++sequence, busyMinute(minute, BUSY));
  const told = [
    { what: 'the file', value: statSync(file).size / MIB, unit: 'MiB', goal: { most: 36 } },
    ask('30 days by app', { by: 'app' }, 100, sameByApp),
    ask('30 days by host', { by: 'host' }),
    ask('30 days by day', { by: 'day' }),
    ask('30 days by app, of one category', { by: 'app', filter: 'category=video' }),
    ask('24 hours by app, with a chart of 288 steps', { by: 'app', from: NOW - DAY, steps: 288 }),
    ask('90 days by app', { by: 'app', from: NOW - 90 * DAY }),
    {
      what: "the old tool's query: all by app",
      value: best(1, () => history.sql(BY_APP, { rows: 1000, timeoutMs: 0 })),
      unit: 'ms',
      peers: sqlite3(1, file, BY_APP),
    },
    {
      what: `a minute of ${BUSY} apps and hosts that are known`,
      value: best(repeat, () => history.apply(++sequence, busyMinute(++minute, BUSY))),
      unit: 'ms',
      goal: { most: 50 },
    },
    {
      what: `a minute of ${BUSY} apps and hosts that are new`,
      value: best(repeat, () => history.apply(++sequence, renamed(busyMinute(++minute, BUSY), sequence))),
      unit: 'ms',
      goal: { most: 50 },
    },
    { what: 'an image', value: best(repeat, () => history.image()), unit: 'ms' },
    { what: 'giving up what is old, once a day', value: best(1, () => pruneAll(history, NOW + DAY)), unit: 'ms' },
    { what: 'open, checked', value: best(repeat, () => load().close()), unit: 'ms' },
  ];
  return [...told, ...memory(root, file)];
}

/** The same on the same file by the sqlite3 program, its start taken off. */
function sqlite3(repeat, file, text) {
  if (spawnSync('sqlite3', ['--version']).status !== 0) return [];
  const ask = (statement) => best(repeat, () => execFileSync('sqlite3', [file, statement], { maxBuffer: 64 * MIB }));
  return [{ name: 'sqlite3', value: Math.max(0.01, ask(text) - ask('SELECT 1')) }];
}

/** Resident memory of a fresh process: that an open history adds, and that it adds after it was asked. */
function memory(root, file) {
  const child = fileURLToPath(new URL('../children/history.js', import.meta.url));
  const added = JSON.parse(execFileSync(process.execPath, ['--expose-gc', child, root, file], { encoding: 'utf8' }));
  return [
    { what: 'resident for reading it', value: added.open / MIB, unit: 'MiB' },
    { what: 'resident after questions', value: added.asked / MIB, unit: 'MiB' },
  ];
}

/** The highest resident memory of the screen that records into the file while one walks through it. */
async function screenMemory(root, file) {
  if (process.getuid?.() !== 0) return [];
  const copy = `${file}.screen`;
  copyFileSync(file, copy);
  const command = [process.execPath, `${root}/bin/netmon-tui.js`, '-i', 'lo', '--stay-root', `--history=${copy}`];
  const terminal = startOnTerminal(root, command, { columns: 120, rows: 40 });
  try {
    if ((await terminal.awaits('quit', PATIENCE_MS)) === null) throw new Error(`no first frame: ${terminal.tail.slice(-500)}`);
    for (const key of WALK) {
      terminal.type(key);
      await sleep(STEP_MS);
    }
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${terminal.pid}/status`, 'utf8'))?.[1]) / 1024;
    return [{ what: 'the screen with it, walked through: peak', value: peak, unit: 'MiB', goal: { most: 160 } }];
  } finally {
    await terminal.close();
  }
}

function renamed(batch, sequence) {
  return { ...batch, entries: batch.entries.map((entry) => ({ ...entry, host: `${sequence}.${entry.host}` })) };
}

function pruneAll(history, now) {
  while (history.prune(now, Number.MAX_SAFE_INTEGER));
}

/** The shortest time of some runs, ms. */
function best(repeat, work) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeat; i++) {
    const begun = performance.now();
    work();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}
