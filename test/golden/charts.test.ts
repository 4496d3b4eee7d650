// The chart in each of its ways, as files and by the colours of named cells: what is chosen, the axis, the peak.

import { afterEach, beforeAll, expect, test } from 'vitest';
import type { RangeTotals } from '../../src/model/range-totals.ts';
import { busy, series } from '../support/snapshot-builder.ts';
import { Stage } from '../support/terminal.ts';

let stage: Stage | null = null;
const shown = busy(20);
const seconds = series(
  shown.time,
  1000,
  300,
  (i) => (i === 239 ? 9_000_000 : 300_000 + 1000 * i),
  (i) => 40_000 + 200 * i,
);
const snapshot = {
  ...shown,
  rates: { ...shown.rates, seconds: { ...seconds, rx: seconds.rx.map((rate, i) => (i > 90 && i < 120 ? Number.NaN : rate)) } },
};

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});
afterEach(() => {
  stage?.close();
  stage = null;
});

async function open(...args: ConstructorParameters<typeof Stage>): Promise<Stage> {
  stage = new Stage(...args);
  await stage.show(snapshot);
  return stage;
}

/** Answers the last question: one app, one connection, and others. */
async function answer(s: Stage): Promise<void> {
  const asked = s.effects.findLast((effect) => effect.type === 'range-totals');
  if (asked?.type !== 'range-totals') throw new Error('nothing was asked');
  const { from, to } = asked;
  const all = { rxBytes: 9_600_000, txBytes: 260_000 };
  const some = { rxBytes: 9_000_000, txBytes: 200_000 };
  const rest = { rxBytes: 600_000, txBytes: 60_000 };
  const none = { rxBytes: 0, txBytes: 0 };
  const row = snapshot.flows[4];
  const totals: RangeTotals = {
    from,
    to,
    measuredMs: to - from,
    total: all,
    apps: [{ id: 'a4', ...some }],
    hosts: [{ id: 'h1', ...all }],
    categories: [{ id: 'c1', ...all }],
    interfaces: [{ id: 'en0', ...all }],
    flows: row === undefined ? [] : [{ row, ...some }],
    others: { apps: rest, hosts: none, categories: none, interfaces: none, flows: rest },
  };
  s.tui.apply({ type: 'range-totals', from, to, answer: totals });
  s.tui.flush();
  await s.settle();
}

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 50],
] as const)
  test(`who sent that peak, at ${columns}x${rows}`, async () => {
    const s = await open(columns, rows);
    await s.press('v');
    await answer(s);
    await expect(s.text()).toMatchFileSnapshot(`__frames__/chart-chosen-${columns}x${rows}.txt`);
  });

test('logarithmic, a scale each, the last day; and with ASCII alone', async () => {
  const s = await open(120, 40);
  await s.press('L', 'X', ']', ']', ']', ']');
  await expect(s.text()).toMatchFileSnapshot('__frames__/chart-day-120x40.txt');
  s.close();
  const plain = await open(120, 40, { drawing: 'ascii', colour: 'none' });
  await plain.press('v');
  await answer(plain);
  await expect(plain.text()).toMatchFileSnapshot('__frames__/chart-ascii-120x40.txt');
  expect(plain.output.log).toMatch(/^[\x1b\x07\x20-\x7e]*$/);
});

test('the chosen cell has the colours of a chosen row, the peak those of what matters, RX and TX their own', async () => {
  const s = await open(120, 40);
  const at = (text: string) => {
    for (let y = 3; y < 13; y++) for (let x = 13; x < 118; x++) if (s.cell(x, y).text === text) return { x, y };
    throw new Error(`no ${text}`);
  };
  const peak = at('◆');
  expect(s.cell(peak.x, peak.y)).toMatchObject({ bold: true, fg: 179 });
  const { x, y } = peak;
  expect(s.cell(x, y + 1)).toMatchObject({ fg: 117, bg: -1 });
  expect(s.cell(x, 9)).toMatchObject({ fg: 149, bg: -1 });
  await s.press('v');
  const line = Array.from({ length: 9 }, (_, i) => i + 3).slice(1, -1);
  for (const row of line) {
    expect(s.cell(x, row), `row ${row}`).toMatchObject({ bg: 24, fg: 231 });
    expect(s.cell(x - 1, row).bg).toBe(-1);
    expect(s.cell(x + 1, row).bg).toBe(-1);
  }
});

test('without colours the chosen cell is reversed', async () => {
  const s = await open(120, 40, { colour: 'none' });
  await s.press('v');
  const turned = Array.from({ length: 120 }, (_, x) => x).filter((x) => s.cell(x, 6).reverse);
  expect(turned).toHaveLength(1);
});
