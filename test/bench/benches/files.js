// File to flows: a capture read, decoded and counted by the real replay, beside tcpdump and tshark on the same file.

import { fileURLToPath } from 'node:url';
import { captureFile } from '../support/capture-files.js';
import { timed } from '../support/program.js';

const REPLAY = fileURLToPath(new URL('../children/replay.js', import.meta.url));
/** Peers take a share of the file: packets, and how they are asked. The time of a run over one packet is taken off. */
const PEERS = [
  { name: 'tcpdump -nn -q', packets: 400_000, command: (file, count) => ['tcpdump', '-nn', '-q', '-r', file, '-c', `${count}`] },
  {
    name: 'tshark -z conv',
    packets: 100_000,
    command: (file, count) => ['tshark', '-n', '-q', '-z', 'conv,ip', '-r', file, '-c', `${count}`],
  },
];

/** What tcpdump did with the first file on the machine on which the goals were set: tells how fast this one is. */
const TCPDUMP_THEN = 800_000;

export const about = 'captures read as fast as it goes: packets/s from opening the file to the last snapshot, and peak memory';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  const share = small ? 0.1 : 1;
  const cases = [
    { what: '20,000 flows in random order', shape: 'flows', file: captureFile('flows', 4_000_000 * share, 20_000), goal: 6e6 },
    { what: 'mixed sizes, 3.5 % with names', shape: 'mix', file: captureFile('mix', 1_500_000 * share, 5000), goal: 3e6 },
    { what: 'scan of 1,000,000 flows', shape: 'scan', file: captureFile('scan', 1_000_000, 1_000_000), goal: 2.5e6, most: 200 },
  ];
  const rows = [];
  for (const { what, shape, file, goal, most } of cases) {
    const runs = [];
    for (let i = 0; i < repeat; i++) runs.push(replay(root, file, 'live'));
    const best = runs.reduce((a, b) => (b.ms < a.ms ? b : a));
    const peers = PEERS.flatMap((peer) => peerRate(peer, file));
    const rate = (best.packets * 1000) / best.ms;
    const note = shape !== 'scan' && peers[0] !== undefined ? { note: atThatSpeed(rate, peers[0]) } : {};
    rows.push({ what, value: rate, unit: 'packets/s', goal: { least: goal }, peers, ...note });
    const memory = Math.min(...runs.map(({ peakKiB }) => peakKiB)) / 1024;
    rows.push({ what: '  peak memory', value: memory, unit: 'MiB', ...(most === undefined ? {} : { goal: { most } }) });
  }
  const scan = cases[2].file;
  const ends = Array.from({ length: repeat }, () => replay(root, scan, 'end'));
  rows.push({
    what: 'the scan with every row at the end as JSON, peak memory',
    value: Math.min(...ends.map(({ peakKiB }) => peakKiB)) / 1024,
    unit: 'MiB',
  });
  return rows;
}

function atThatSpeed(rate, tcpdump) {
  const millions = ((rate / tcpdump.value) * TCPDUMP_THEN) / 1e6;
  return `the goal was set where tcpdump did ${TCPDUMP_THEN / 1000} k/s; at that speed this would be ${millions.toFixed(1)} M/s`;
}

function replay(root, file, limits) {
  const result = timed([process.execPath, REPLAY, root, file, limits], { keep: true });
  if (result === null) throw new Error('the replay failed');
  return JSON.parse(result.output);
}

function peerRate({ name, packets, command }, file) {
  const none = timed(command(file, 1));
  const some = none === null ? null : timed(command(file, packets));
  return some === null ? [] : [{ name, value: (packets * 1000) / (some.ms - none.ms) }];
}
