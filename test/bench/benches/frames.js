// What a frame costs: bytes written to the terminal and time to draw, for synthetic traffic through the real pipeline and screen. Beside it
// btop, at the same size and one frame a second, on whatever this machine is doing.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, timed } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const SCREEN = fileURLToPath(new URL('../children/screen.js', import.meta.url));
const CASES = [
  { columns: 120, rows: 40, apps: 50, flows: 400, goal: 3072 },
  { columns: 200, rows: 50, apps: 50, flows: 2000, goalMs: 8 },
];
const BTOP_SETTLE_MS = 3000;
const BTOP_SECONDS = 8;

export const about = '60 frames, one a second, 50 busy apps: bytes to the terminal and time to draw';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat }) {
  const btop = await btopBytes(root, CASES[0]);
  return CASES.flatMap(({ columns, rows, apps, flows, goal, goalMs }) => {
    const runs = Array.from({ length: repeat }, () => play([root, columns, rows, apps, flows]));
    const best = runs.reduce((a, b) => (b.frameCpuMs.median < a.frameCpuMs.median ? b : a));
    const of = `${columns}x${rows}, ${flows} flows`;
    return [
      {
        what: `a frame, ${of}`,
        value: best.bytes.mean,
        unit: 'bytes',
        ...(goal === undefined
          ? {}
          : { goal: { most: goal }, ...(btop === null ? {} : { peers: [{ name: 'btop', value: btop }] }) }),
        note: `${Math.round(best.bytes.most)} B at the most, ${best.bytes.first} B the first`,
      },
      { what: '  nothing changed', value: best.bytes.same, unit: 'bytes', goal: { most: 0 } },
      {
        what: '  processor time to draw',
        value: best.frameCpuMs.median,
        unit: 'ms',
        ...(goalMs === undefined ? {} : { goal: { most: goalMs } }),
      },
      {
        what: '  time to draw',
        value: best.frameMs.median,
        unit: 'ms',
        note: `${best.frameMs.p99.toFixed(1)} ms the slowest of a hundred`,
      },
      {
        what: '  time to close the tick',
        value: best.tickMs.median,
        unit: 'ms',
        note: `${best.tickMs.p99.toFixed(1)} ms the slowest of a hundred`,
      },
    ];
  });
}

function play(words) {
  const result = timed([process.execPath, SCREEN, ...words.map(String)], { keep: true });
  if (result === null) throw new Error('the screen failed');
  return JSON.parse(result.output);
}

/** Bytes that btop writes a second, in the mean; null where it is not installed. */
async function btopBytes(root, { columns, rows }) {
  if (timed(['btop', '--version']) === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'netmon-bench-btop-'));
  mkdirSync(join(folder, 'btop'));
  writeFileSync(join(folder, 'btop', 'btop.conf'), 'update_ms = 1000\n');
  const terminal = startOnTerminal(root, ['env', `XDG_CONFIG_HOME=${folder}`, 'btop', '--utf-force'], { columns, rows });
  try {
    await sleep(BTOP_SETTLE_MS);
    const before = terminal.bytes;
    await sleep(BTOP_SECONDS * 1000);
    return (terminal.bytes - before) / BTOP_SECONDS;
  } finally {
    await terminal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
