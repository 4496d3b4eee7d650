// File to flows: a capture read, decoded and counted by the real replay, in turn with tcpdump, tshark and the least that a program could do.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { captureFile } from '../support/capture-files.js';
import { inTurn, median, ratio } from '../support/pairs.js';
import { timed } from '../support/program.js';

const REPLAY = fileURLToPath(new URL('../children/replay.js', import.meta.url));
const BARE_SOURCE = fileURLToPath(new URL('../peers/flows.c', import.meta.url));
const BARE = 'bare C loop';
/** Slow peers take a share of the file. The time of a run over one packet is taken off. */
const SLOW_PEERS = [
  {
    name: 'tcpdump -nn -q',
    packets: 400_000,
    command: (file, count) => ['tcpdump', '-nn', '-q', '-r', file, '-c', `${count}`],
  },
  {
    name: 'tshark -z conv,ip',
    packets: 100_000,
    command: (file, count) => ['tshark', '-n', '-q', '-z', 'conv,ip', '-r', file, '-c', `${count}`],
  },
];

export const about =
  'captures read as fast as it goes: time a packet from opening the file to the last snapshot, and peak memory';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  const share = small ? 0.1 : 1;
  const cases = [
    {
      what: '20,000 flows in random order',
      file: captureFile('flows', 4_000_000 * share, 20_000),
      goals: { [BARE]: { most: 3 } },
    },
    {
      what: 'mixed sizes, 3.5 % with names',
      file: captureFile('mix', 1_500_000 * share, 5000),
      goals: { 'tshark -z conv,ip': { most: 1 / 40 } },
    },
    { what: 'scan of 1,000,000 flows', file: captureFile('scan', 1_000_000, 1_000_000), goals: {}, most: 150 },
  ];
  const folder = mkdtempSync(join(tmpdir(), 'netmon-bench-'));
  try {
    const bare = compiled(join(folder, 'flows'));
    const rows = [];
    for (const one of cases) rows.push(...(await compare(one, { root, repeat, bare })));
    const ends = Array.from({ length: repeat }, () => replay(root, cases[2].file, 'end'));
    const peak = median(ends.map(({ peakKiB }) => peakKiB)) / 1024;
    return [...rows, { what: 'the scan with every row at the end as JSON, peak memory', value: peak, unit: 'MiB' }];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compare({ what, file, goals, most }, { root, repeat, bare }) {
  const runs = [];
  const ways = {
    ours: () => {
      const told = replay(root, file, 'live');
      runs.push(told);
      return perPacket(told.ms, told.packets);
    },
    [BARE]: () => (bare === null ? null : perPacket(timed([bare, file])?.ms ?? null, runs[0]?.packets ?? null)),
    ...Object.fromEntries(SLOW_PEERS.map((peer) => [peer.name, () => slowPeer(peer, file)])),
  };
  const { ours, ...peers } = await inTurn(repeat, ways);
  const rate = (times) => 1e9 / median(times);
  const memory = median(runs.map(({ peakKiB }) => peakKiB)) / 1024;
  return [
    {
      what,
      value: rate(ours),
      unit: 'packets/s',
      ratios: Object.entries(peers).map(([name, times]) => ratio(ours, times, name, goals[name])),
      peers: Object.entries(peers).map(([name, times]) => ({ name, value: rate(times) })),
      ...(bare === null ? { note: 'without a C compiler and libpcap there is no bare loop' } : {}),
    },
    { what: '  peak memory', value: memory, unit: 'MiB', ...(most === undefined ? {} : { goal: { most } }) },
  ];
}

/** Nanoseconds. */
const perPacket = (ms, packets) => (ms === null || packets === null ? null : (ms * 1e6) / packets);

function replay(root, file, limits) {
  const result = timed([process.execPath, REPLAY, root, file, limits], { keep: true });
  if (result === null) throw new Error('the replay failed');
  return JSON.parse(result.output);
}

function slowPeer({ packets, command }, file) {
  const none = timed(command(file, 1));
  const some = none === null ? null : timed(command(file, packets));
  return some === null ? null : perPacket(some.ms - none.ms, packets);
}

/** Compiles the bare loop. @returns its path; null without a compiler or libpcap */
function compiled(path) {
  const { status } = spawnSync('cc', ['-O2', '-o', path, BARE_SOURCE, '-l:libpcap.so.0.8'], { stdio: 'ignore' });
  return status === 0 ? path : null;
}
