// The picture: which of the rows of a snapshot are shown.

import { expect, test } from 'vitest';
import { pictureOf } from '../../../src/view/derive.ts';
import { initialState } from '../../../src/view/state.ts';
import { flowRow, snapshot } from '../../support/snapshot-builder.ts';

test('a connection that ended is shown while it has a part in the mean rates, then only on demand', () => {
  const shown = snapshot({
    flows: [
      flowRow({ id: 'open', rxRate: 0, means: [0, 0, 0, 0, 0, 0] }),
      flowRow({ id: 'ended', closed: true, rxRate: 0, means: [0, 0, 900, 0, 300, 0] }),
      flowRow({ id: 'long ago', closed: true, rxRate: 0, means: [0, 0, 0, 0, 300, 0] }),
    ],
  });
  const ids = (parts: object) => {
    const picture = pictureOf({ ...initialState({ columns: 80, rows: 24 }), ...parts }, shown);
    return [picture.connections.map(({ id }) => id), picture.closedHidden];
  };
  expect(ids({})).toEqual([['open', 'ended'], 1]);
  expect(ids({ average: 2 })).toEqual([['open'], 2]);
  expect(ids({ average: 40 })).toEqual([['open', 'ended', 'long ago'], 0]);
  expect(ids({ closed: true })).toEqual([['open', 'ended', 'long ago'], 0]);
});
