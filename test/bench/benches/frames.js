// What a frame costs: bytes written to the terminal and time to draw, for synthetic traffic through the real pipeline and screen.

import { fileURLToPath } from 'node:url';
import { timed } from '../support/program.js';

const SCREEN = fileURLToPath(new URL('../children/screen.js', import.meta.url));
const CASES = [
  { columns: 120, rows: 40, apps: 50, flows: 400, goal: 3072 },
  { columns: 200, rows: 50, apps: 50, flows: 2000 },
];

export const about = '60 frames, one a second, 50 busy apps: bytes to the terminal and time to draw';

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat }) {
  return CASES.flatMap(({ columns, rows, apps, flows, goal }) => {
    const runs = Array.from({ length: repeat }, () => play([root, columns, rows, apps, flows]));
    const best = runs.reduce((a, b) => (b.frameMs.median < a.frameMs.median ? b : a));
    const of = `${columns}x${rows}, ${flows} flows`;
    return [
      {
        what: `a frame, ${of}`,
        value: best.bytes.mean,
        unit: 'bytes',
        ...(goal === undefined ? {} : { goal: { most: goal } }),
        note: `${Math.round(best.bytes.most)} B at the most, ${best.bytes.first} B the first`,
      },
      { what: '  nothing changed', value: best.bytes.same, unit: 'bytes', goal: { most: 0 } },
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
