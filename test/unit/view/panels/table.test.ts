// What a table says of the rows it doesn't have.

import { expect, test } from 'vitest';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { tablePanel } from '../../../../src/view/panels/table.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { appRow, flowRow, snapshot } from '../../../support/snapshot-builder.ts';

const START = initialState({ columns: 80, rows: 24 });
const CLOSED = snapshot({ flows: [flowRow({ id: 'c', app: 'curl', closed: true })], flowCount: 1 });

function drawn(state: ViewState, live = CLOSED): string {
  const rect = { left: 0, top: 0, width: 80, height: 8 };
  return tablePanel(state, live, UNICODE_GLYPHS, 'connections', rect).lines.map(plain).join('\n');
}

test('connections that are hidden because they closed are not said to be missing', () => {
  expect(drawn(START)).toContain('only closed connections ');
  expect(drawn(withFilter(START, 'app:curl'))).toContain('only closed connections match the filter');
  expect(drawn(withFilter(START, 'app:ssh'))).toContain('nothing on en0 matches the filter');
  expect(drawn(START, snapshot())).toContain('no open connection');
});

test('counting from now, the title counts what moved since', () => {
  const idle = snapshot({ flows: [flowRow({ id: 'i', app: 'ssh' })], flowCount: 7 });
  expect(drawn(START, idle)).toContain('Connections 7');
  expect(drawn({ ...START, since: idle }, idle)).toContain('Connections 0');
});

test('shares of apps that talk to each other add up to all', () => {
  const app = (id: string, rxRate: number, txRate: number) => appRow({ id, rxRate, txRate, means: [] });
  const { total } = snapshot();
  // a and b exchange 3000 bytes/s, which count once in the total; self talks to itself.
  const apps = [app('a', 3000, 0), app('b', 0, 3000), app('self', 1000, 1000)];
  const live = snapshot({ apps, total: { ...total, rxRate: 2000, txRate: 2000, means: [] } });
  const rect = { left: 0, top: 0, width: 120, height: 8 };
  const lines = tablePanel(START, live, UNICODE_GLYPHS, 'apps', rect).lines.map(plain);
  const shares = lines.flatMap((line) => [...line.matchAll(/([\d.]+) %/g)].map((match) => Number(match[1])));
  expect(shares).toHaveLength(3);
  expect(Math.abs(shares.reduce((sum, share) => sum + share) - 100)).toBeLessThan(2); // each is rounded
});

test('shares since the count began leave out what moved nothing since', () => {
  const at = (bytes: number) =>
    snapshot({
      apps: [
        appRow({ id: 'a', rxRate: 100, rxBytes: bytes, means: [] }),
        appRow({ id: 'gone', rxRate: 300, rxBytes: 1000, means: [] }),
      ],
    });
  const since = at(1000);
  const rect = { left: 0, top: 0, width: 120, height: 8 };
  const lines = tablePanel({ ...START, since }, at(2000), UNICODE_GLYPHS, 'apps', rect).lines.map(plain);
  expect(lines.filter((line) => line.includes('%')).map((line) => line.match(/[\d.]+ %/)?.[0])).toEqual(['100 %']);
});
