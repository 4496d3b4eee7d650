// RangeTotals: the traffic in a range of time, by row. Plain data, never changed once made.

import type { FlowRow } from './snapshot.ts';

/** Kinds of rows that a range is summed by. */
export const RANGE_KINDS = ['apps', 'hosts', 'categories', 'interfaces', 'flows'] as const;
export type RangeKind = (typeof RANGE_KINDS)[number];

/** Network-layer bytes, RX and TX as the local host sees them. */
export interface MovedBytes {
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** Traffic of the row with this id. */
export interface MovedRow extends MovedBytes {
  readonly id: string;
}

/** Traffic of a flow. Its row is from the last tick in which it was among the heaviest. */
export interface MovedFlow extends MovedBytes {
  readonly row: FlowRow;
}

/** Traffic between two times. For each kind, the rows and `others` (bytes without a known row) add up to the total. */
export interface RangeTotals {
  /** The range, epoch ms: the requested one, rounded to the available resolution. */
  readonly from: number;
  readonly to: number;
  /** Time in it that was measured, ms. */
  readonly measuredMs: number;
  /** Bytes of the total. */
  readonly total: MovedBytes;
  readonly apps: readonly MovedRow[];
  readonly hosts: readonly MovedRow[];
  readonly categories: readonly MovedRow[];
  readonly interfaces: readonly MovedRow[];
  readonly flows: readonly MovedFlow[];
  readonly others: Readonly<Record<RangeKind, MovedBytes>>;
}
