// Records of what a flow moved, as the books take them.

import { type Movement, movement } from '../../src/aggregate/accumulators.ts';

/** What a flow moved, all of it now; fields given hold. `past` is what it moved before, of everything. */
export function movedNow(fields: Partial<Movement>, past = 0): Movement {
  const made = { ...movement(), ...fields };
  const { rx, tx, rxp, txp } = made;
  return { ...made, rxTotal: rx + past, txTotal: tx + past, rxpTotal: rxp + past, txpTotal: txp + past };
}
