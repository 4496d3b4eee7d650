// Command to first frame: from the start of the process to the first full screen, the first row of traffic, the first JSON line, the version and
// the help.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
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
/** Sends a datagram to itself five times a second. */
const SENDER = `const s = require('node:dgram').createSocket('udp4').bind(9999, '127.0.0.1', () => setInterval(() => s.send('x', 9999, '127.0.0.1'), 200))`;
/** Peers with a screen: the command, and a word of its first row of traffic, or of its first frame where it lists no traffic. */
const PEERS = [
  { name: 'iftop', command: ['iftop', '-n', '-i', 'lo'], word: '<=' },
  { name: 'btop, first frame', command: ['btop', '--utf-force'], word: 'download' },
];
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
    const frame = await least(times, () => until(root, live, namespace, LAST_WORD));
    rows.push({ what: 'first frame, 120x40', value: frame, unit: 'ms', goal: { most: 350 }, peers: [bare] });
    const executable = `${root}/build/netmon-tui`;
    if (existsSync(executable)) {
      const alone = await least(times, () => until(root, [executable, '-i', 'lo'], namespace, LAST_WORD));
      rows.push({ what: '  of build/netmon-tui', value: alone, unit: 'ms', goal: { most: 350 } });
    }
    const history = join(folder, 'history.sqlite');
    await writeHeavy(root, history, small);
    const recorded = await least(times, () => until(root, [...live, `--history=${history}`], namespace, LAST_WORD));
    rows.push({ what: '  with 90 days of history', value: recorded, unit: 'ms', goal: { most: 600 } });
    rows.push(await firstRow(root, live, namespace, repeat));
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

/** The first row with traffic of a program that sent before, beside the peers that are installed. */
async function firstRow(root, command, namespace, repeat) {
  const sender = start([process.execPath, '-e', SENDER], { namespace });
  try {
    const peers = [];
    for (const { name, command: peer, word } of PEERS) {
      if (spawnSync('which', [peer[0]], { stdio: 'ignore' }).status !== 0) continue;
      peers.push({ name, value: await least(repeat, () => until(root, peer, namespace, word)) });
    }
    const value = await least(repeat, () => until(root, command, namespace, 'node'));
    return { what: 'first app row', value, unit: 'ms', goal: { most: 1200 }, peers };
  } finally {
    sender.kill();
    await sender.exited;
  }
}

/** From the start of a program on a terminal to a word that it draws there. */
async function until(root, command, namespace, word) {
  const terminal = startOnTerminal(root, command, { ...SIZE, namespace });
  const came = await terminal.awaits(word, PATIENCE_MS);
  if (came === null) throw new Error(`${command[0]} drew no "${word}": ${JSON.stringify(terminal.tail.slice(-500))}`);
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
