// What strangers send to fill tables, each through the real replay: memory stays bounded, and every byte stays in every sum.

import { fileURLToPath } from 'node:url';
import { captureFile } from '../support/capture-files.js';
import { timed } from '../support/program.js';

const REPLAY = fileURLToPath(new URL('../children/replay.js', import.meta.url));
/** Above it a table has no bound. The quiet program takes about 80. */
const MOST_MIB = 320;
const CASES = [
  { what: 'SYN flood, a million strangers', shape: 'syn-flood' },
  { what: 'UDP to a million hosts', shape: 'spray' },
  { what: 'SYNs to a million ports', shape: 'ports' },
  { what: 'DNS answers with a million names', shape: 'answers' },
  { what: '65,535 flows of one app', shape: 'one-app' },
];

export const about = 'floods of a million packets: peak memory, and whether all sums are the same';

/** @param {import('../run.js').Context} context */
export async function run({ root, small }) {
  const packets = small ? 100_000 : 1_000_000;
  return CASES.flatMap(({ what, shape }) => {
    const result = timed([process.execPath, REPLAY, root, captureFile(shape, packets, 1), 'live'], { keep: true });
    if (result === null) throw new Error(`${what}: the replay failed`);
    const { peakKiB, ms, total, sums, created, flowCount, flowsEvicted } = JSON.parse(result.output);
    const bytes = total.rxBytes + total.txBytes;
    for (const [name, sum] of Object.entries(sums))
      if (sum !== bytes) throw new Error(`${what}: ${name} sum up to ${sum}, the total is ${bytes}`);
    return [
      { what, value: (packets * 1000) / ms, unit: 'packets/s' },
      {
        what: '  peak memory',
        value: peakKiB / 1024,
        unit: 'MiB',
        goal: { most: MOST_MIB },
        note: `${created} flows, ${flowCount} at the end, ${flowsEvicted} given up before their time; all sums are ${bytes} bytes`,
      },
    ];
  });
}
