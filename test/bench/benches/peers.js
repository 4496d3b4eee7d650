// Programs with a screen that show who moves what, each on a terminal of its own: what they cost at three rates, in turn. Those that aren't
// installed are left out; docs/benchmarks.md says how to build them.

import { spawnSync } from 'node:child_process';
import { FloodGround } from '../support/flood.js';
import { needNamespaces } from '../support/namespace.js';
import { inTurn, median, ratio } from '../support/pairs.js';
import { cpuSeconds, resident, sleep } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const SIZE = { columns: 120, rows: 40 };
const FLOWS = 200;
/** Datagrams a second. */
const RATES = [1000, 20_000, 200_000];
const SECONDS = 5;
const START_MS = 4000;
/** A screen that has drawn so many bytes is there. */
const FIRST_BYTES = 300;
const PATIENCE_MS = 20_000;
/** Without looking names up: nobody answers here. */
const PEERS = {
  rustnet: (device) => ['rustnet', '--no-resolve-dns', '-i', device],
  netwatch: () => ['netwatch'],
  bandwhich: (device) => ['bandwhich', '-n', '-i', device],
  nethogs: (device) => ['nethogs', device],
  iftop: (device) => ['iftop', '-n', '-i', device],
};

export const about = `${FLOWS} flows of 64-byte UDP on a terminal of 120x40: processor, memory and what is drawn, beside other programs`;

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  needNamespaces();
  const ground = await FloodGround.make(root, 'veth', FLOWS);
  try {
    const here = Object.entries(PEERS).filter(([name]) => spawnSync('which', [name], { stdio: 'ignore' }).status === 0);
    const programs = {
      'netmon-tui': [process.execPath, `${root}/bin/netmon-tui.js`, '-i', ground.device],
      ...Object.fromEntries(here.map(([name, command]) => [name, command(ground.device)])),
    };
    const names = Object.keys(programs);
    const told = Object.fromEntries(names.map((name) => [name, []]));
    const way = (name) => async () => {
      told[name].push(await watched(root, ground, programs[name], small ? 1 : SECONDS));
      return 0;
    };
    await inTurn(repeat, Object.fromEntries(names.map((name) => [name, way(name)])));
    return rowsOf(told, names);
  } finally {
    await ground.close();
  }
}

function rowsOf(told, [ours, ...peers]) {
  const row = ({ value, ...about }) => {
    const all = (name) => told[name].map(value);
    return {
      ...about,
      value: median(all(ours)),
      ratios: peers.map((name) => ratio(all(ours), all(name), name)),
      peers: peers.map((name) => ({ name, value: median(all(name)) })),
    };
  };
  return [
    row({ what: `first ${FIRST_BYTES} bytes drawn`, unit: 'ms', value: ({ firstMs }) => firstMs }),
    ...RATES.flatMap((rate, i) => [
      row({ what: `${rate / 1000} k/s`, unit: '% of a core', value: ({ rates }) => rates[i].core }),
      row({ what: `${rate / 1000} k/s, drawn a second`, unit: 'bytes', value: ({ rates }) => rates[i].bytes }),
    ]),
    row({ what: 'memory at its highest', unit: 'MiB', value: ({ peak }) => peak }),
  ];
}

async function watched(root, ground, command, seconds) {
  const terminal = startOnTerminal(root, command, { ...SIZE, namespace: ground.namespace });
  try {
    const deadline = performance.now() + PATIENCE_MS;
    while (terminal.bytes < FIRST_BYTES && performance.now() < deadline) await terminal.awaits('', 1000);
    if (terminal.bytes < FIRST_BYTES) throw new Error(`${command[0]} drew nothing: ${JSON.stringify(terminal.tail.slice(-300))}`);
    const firstMs = terminal.last - terminal.started;
    await sleep(START_MS);
    const rates = [];
    for (const rate of RATES) {
      const sender = await ground.sender(rate * seconds, rate);
      const before = { cpu: cpuSeconds(terminal.pid), bytes: terminal.bytes };
      const { ms } = await sender.go();
      const core = ((cpuSeconds(terminal.pid) - before.cpu) * 100_000) / ms;
      rates.push({ core, bytes: ((terminal.bytes - before.bytes) * 1000) / ms });
    }
    return { firstMs, rates, peak: resident(terminal.pid).peak };
  } finally {
    await terminal.close();
  }
}
