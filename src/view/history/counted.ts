// What a run has counted so far.

import type { Snapshot } from '../../aggregate/snapshot.ts';

/** RX+TX bytes: all of them, or those of one interface. */
export function countedBytes(live: Snapshot, name: string | null): number {
  const row = name === null ? live.total : live.interfaces.find((one) => one.interface === name);
  return row === undefined ? 0 : row.rxBytes + row.txBytes;
}
