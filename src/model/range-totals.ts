// PastAnswer: what moved in a stretch of the past, and whose it was. Plain data, never changed after it was made. Types only.

import type { FlowRow } from './snapshot.ts';

/** Kinds of rows that are asked for. */
export const RANGE_KINDS = ['apps', 'hosts', 'categories', 'interfaces', 'flows'] as const;
export type RangeKind = (typeof RANGE_KINDS)[number];

/** Network-layer bytes, RX and TX as the local host sees them. */
export interface MovedBytes {
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** What the row of this id moved. */
export interface MovedRow extends MovedBytes {
  readonly id: string;
}

/** What a flow moved; its row is as it was last seen among those that moved most. */
export interface MovedFlow extends MovedBytes {
  readonly row: FlowRow;
}

/** What moved between two moments. For each kind the rows and the `others`, of which it is not known whose they were, are all there was. */
export interface RangeTotals {
  /** The stretch that is answered for, epoch ms: the one asked for, rounded to what was kept. */
  readonly from: number;
  readonly to: number;
  /** Time in it that was measured. */
  readonly measuredMs: number;
  /** Bytes of the headline. */
  readonly total: MovedBytes;
  readonly apps: readonly MovedRow[];
  readonly hosts: readonly MovedRow[];
  readonly categories: readonly MovedRow[];
  readonly interfaces: readonly MovedRow[];
  readonly flows: readonly MovedFlow[];
  readonly others: Readonly<Record<RangeKind, MovedBytes>>;
}
