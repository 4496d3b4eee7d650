// An answer sorted into the bins of the chart. A bin in which nothing is recorded is not one in which nothing moved: it is unknown.

import type { HistoryResult } from '../../net/history.ts';
import { binAt, type Edges } from './stretch.ts';

/** Bytes by bin, NaN where nothing is recorded. */
export interface Charted {
  readonly edges: Edges;
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

/** The fullest bin of a direction. */
export interface Fullest {
  readonly bytes: number;
  readonly bin: number;
}

/** Sorts an answer into bins. What lies outside of them is left out: it answers an older question. */
export function chartedOf(result: HistoryResult | null, edges: Edges): Charted {
  const bins = edges.length - 1;
  const rx = new Array<number>(bins).fill(Number.NaN);
  const tx = new Array<number>(bins).fill(Number.NaN);
  const from = edges[0] as number;
  const to = edges[bins] as number;
  const book = (time: number, received: number, sent: number): void => {
    // Below zero is a correction of what was booked before: a record all the same.
    if (time < from || time >= to || (received === 0 && sent === 0)) return;
    const bin = binAt(edges, time);
    rx[bin] = known(rx[bin]) + received;
    tx[bin] = known(tx[bin]) + sent;
  };
  if (result?.series != null) {
    const { from: start, stepMs, rxBytes, txBytes } = result.series;
    for (const [step, received] of rxBytes.entries()) book(start + step * stepMs, received, txBytes[step] ?? 0);
  } else if (result?.query.by === 'day')
    for (const row of result.rows) if (row.start !== null) book(Math.max(row.start, from), row.rxBytes, row.txBytes);
  return { edges, rx, tx };
}

/** The fullest bin, the latest of equal ones; null where nothing is recorded. */
export function fullestOf(values: readonly number[]): Fullest | null {
  let best: Fullest | null = null;
  for (const [bin, bytes] of values.entries()) if (bytes > 0 && bytes >= (best?.bytes ?? 0)) best = { bytes, bin };
  return best;
}

/** The last bin in which something is recorded; null for none. */
export function lastBin({ rx }: Charted): number | null {
  for (let bin = rx.length - 1; bin >= 0; bin--) if (!Number.isNaN(rx[bin])) return bin;
  return null;
}

function known(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}
