// The rows that are followed for charts of their own, as the state holds them. Types and the empty one only.

import type { RateSeries } from '../aggregate/snapshot.ts';
import type { Filter } from '../filter/filter.ts';
import type { TableName } from './state.ts';

/** One row, and its rates in the ticks in which it was listed. */
export interface Watch {
  readonly table: TableName;
  readonly id: string;
  readonly series: RateSeries;
}

/** Rows that are followed, the one looked at last at the end. */
export interface Watches {
  /** Time of the tick that was taken last, epoch ms. */
  readonly time: number;
  /** Rates of rows are those of what matches. */
  readonly filter: Filter | null;
  readonly rows: readonly Watch[];
}

/** No row. */
export const NO_WATCHES: Watches = { time: 0, filter: null, rows: [] };
