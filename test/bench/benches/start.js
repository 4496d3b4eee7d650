// Command to first frame: from the start of the process to the first full screen, the first JSON line, the version and the help.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeHeavy } from '../support/heavy-history.js';
import { makeNamespace, needNamespaces, removeNamespace } from '../support/namespace.js';
import { start, timed } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const SIZE = { columns: 120, rows: 40 };
/** The last thing drawn on a screen: the footer's last hint. */
const LAST_WORD = 'quit';
const PATIENCE_MS = 20_000;
/** The shortest interval there is: the first line comes after one. */
const INTERVAL_MS = 100;

export const about = 'milliseconds from the start of the process';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  const program = [process.execPath, `${root}/bin/netmon-tui.js`];
  const times = repeat * 3;
  const bare = { name: 'node -e 0', value: await least(times, () => timed([process.execPath, '-e', '0'])?.ms) };
  const rows = [
    { what: 'netmon-tui -V', value: await least(times, () => timed([...program, '-V'])?.ms), unit: 'ms', peers: [bare] },
    { what: 'netmon-tui -h', value: await least(times, () => timed([...program, '-h'])?.ms), unit: 'ms', peers: [bare] },
  ];
  needNamespaces();
  const namespace = makeNamespace();
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'netmon-bench-'));
  try {
    const live = [...program, '-i', 'lo'];
    const frame = await least(times, () => firstFrame(root, live, namespace));
    rows.push({ what: 'first frame, 120x40', value: frame, unit: 'ms', goal: { most: 350 }, peers: [bare] });
    const history = join(folder, 'history.sqlite');
    await writeHeavy(root, history, small);
    const recorded = await least(times, () => firstFrame(root, [...live, `--history=${history}`], namespace));
    rows.push({ what: '  with 90 days of history', value: recorded, unit: 'ms', goal: { most: 600 } });
    const line = await least(times, () => firstLine([...live, '--json', '--interval', `${INTERVAL_MS}ms`], namespace));
    rows.push({
      what: 'first JSON line',
      value: line,
      unit: 'ms',
      peers: [bare],
      note: `after an interval of ${INTERVAL_MS} ms, which is in it`,
    });
  } finally {
    removeNamespace(namespace);
    rmSync(folder, { recursive: true });
  }
  return rows;
}

async function firstFrame(root, command, namespace) {
  const terminal = startOnTerminal(root, command, { ...SIZE, namespace });
  const came = await terminal.awaits(LAST_WORD, PATIENCE_MS);
  if (came === null) throw new Error(`no first frame: ${JSON.stringify(terminal.tail.slice(-500))}`);
  await terminal.close();
  return came - terminal.started;
}

async function firstLine(command, namespace) {
  const begun = performance.now();
  const child = start(command, { namespace });
  if ((await child.line()) === null) throw new Error(`no first line: ${child.errors()}`);
  const ms = performance.now() - begun;
  child.kill();
  await child.exited;
  return ms;
}

async function least(times, work) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) best = Math.min(best, (await work()) ?? Number.NaN);
  return best;
}
