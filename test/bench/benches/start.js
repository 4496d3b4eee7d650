// Command to first frame: from the start of the process to the first full screen, the first row of traffic, the first JSON line, the version and
// the help.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeHeavy } from '../support/heavy-history.js';
import { makeNamespace, needNamespaces, removeNamespace } from '../support/namespace.js';
import { inTurn, median, ratio } from '../support/pairs.js';
import { start, timed } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const SIZE = { columns: 120, rows: 40 };
/** The last thing drawn on a screen: the footer's last hint. */
const LAST_WORD = 'quit';
const PATIENCE_MS = 20_000;
const NODE = 'node -e 0';
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
  needNamespaces();
  const namespace = makeNamespace();
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'netmon-bench-'));
  try {
    const live = [...program, '-i', 'lo'];
    const executable = `${root}/build/netmon-tui`;
    const history = join(folder, 'history.sqlite');
    await writeHeavy(root, history, small);
    const frame = (command) => () => until(root, command, namespace, LAST_WORD);
    const times = await inTurn(repeat * 3, {
      [NODE]: () => timed([process.execPath, '-e', '0'])?.ms ?? null,
      frame: frame(live),
      ...(existsSync(executable) ? { alone: frame([executable, '-i', 'lo']) } : {}),
      recorded: frame([...live, `--history=${history}`]),
      version: () => timed([...program, '-V'])?.ms ?? null,
      help: () => timed([...program, '-h'])?.ms ?? null,
      line: () => firstLine([...live, '--json', '--interval', `${INTERVAL_MS}ms`], namespace),
    });
    const bare = times[NODE];
    const row = (what, values, more = {}, goal = undefined) => {
      const ratios = [ratio(values, bare, NODE, goal)];
      return { what, value: median(values), unit: 'ms', ratios, peers: [{ name: NODE, value: median(bare) }], ...more };
    };
    return [
      row('first frame, 120x40', times.frame, { goal: { most: 350 } }, { most: 2.5 }),
      ...(times.alone === undefined ? [] : [row('  of build/netmon-tui', times.alone, { goal: { most: 350 } })]),
      row('  with 90 days of history', times.recorded, { goal: { most: 600 } }),
      row('first JSON line', times.line, { note: `after an interval of ${INTERVAL_MS} ms, which is in it` }),
      row('netmon-tui -V', times.version),
      row('netmon-tui -h', times.help),
      await firstRow(root, live, namespace, repeat),
    ];
  } finally {
    removeNamespace(namespace);
    rmSync(folder, { recursive: true });
  }
}

/** The first row with traffic of a program that sent before, beside the peers that are installed. */
async function firstRow(root, command, namespace, repeat) {
  const sender = start([process.execPath, '-e', SENDER], { namespace });
  try {
    const isHere = ({ command: [program] }) => spawnSync('which', [program], { stdio: 'ignore' }).status === 0;
    const ways = PEERS.filter(isHere).map(({ name, command: peer, word }) => [name, () => until(root, peer, namespace, word)]);
    const { ours, ...peers } = await inTurn(repeat, {
      ours: () => until(root, command, namespace, 'node'),
      ...Object.fromEntries(ways),
    });
    return {
      what: 'first app row',
      value: median(ours),
      unit: 'ms',
      goal: { most: 1200 },
      ratios: Object.entries(peers).map(([name, theirs]) => ratio(ours, theirs, name)),
      peers: Object.entries(peers).map(([name, theirs]) => ({ name, value: median(theirs) })),
    };
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
