// The order of rows where the sorted column says nothing: what moved most comes first, and nothing is told of one packet as of many.

import { expect, test } from 'vitest';
import { rowFacts } from '../../../../src/view/panels/details.ts';
import { factLines } from '../../../../src/view/panels/fact.ts';
import { contextOf } from '../../../../src/view/panels/table.ts';
import { initialState } from '../../../../src/view/state.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { appRow, flowRow, snapshot } from '../../../support/snapshot-builder.ts';

const STATE = initialState({ columns: 80, rows: 24 });

test('quiet apps stand by what they moved; quiet connections as they came, which is by time', () => {
  const apps = [3, 9, 1].map((rxBytes) => appRow({ id: String(rxBytes), rxBytes }));
  const flows = [3, 9, 1].map((rxBytes) => flowRow({ id: String(rxBytes), rxBytes }));
  const live = snapshot({ apps: [...apps, appRow({ id: 'busy', rxRate: 5 })], flows });
  expect(orderedRows(STATE, live, 'apps').map(({ id }) => id)).toEqual(['busy', '9', '3', '1']);
  expect(orderedRows(STATE, live, 'connections').map(({ id }) => id)).toEqual(['3', '9', '1']);
});

test('one packet is one packet', () => {
  const row = appRow({ id: 'a', rxBytes: 28, rxPackets: 1, txBytes: 56, txPackets: 2 });
  const context = contextOf(STATE, snapshot({ apps: [row] }), UNICODE_GLYPHS);
  const text = factLines(rowFacts('apps', row, context), 78, context)
    .map(plain)
    .join('\n');
  expect(text).toMatch(/28 B in 1 packet$/m);
  expect(text).toMatch(/56 B in 2 packets$/m);
});
