// What a tick hands to the past: everything that moved in it, by kind, from the books that are about to be cleared.

import type { FlowTable } from '../flow/flow-table.ts';
import { COUNTERS, SERIAL } from '../flow/layout.ts';
import { type Booking, CARRIER } from './booking.ts';
import type { PastTick, RowId } from './past.ts';

/** Ids of rows as the tables of a snapshot have them. */
export function pastRowId(interfaceName: (index: number) => string): RowId {
  return (kind, id) => {
    if (kind === 'interfaces') return `interface:${interfaceName(id)}`;
    return `${kind === 'apps' ? 'app' : kind === 'hosts' ? 'host' : 'category'}:${id}`;
  };
}

/** @param tunnelled bytes that moved inside captured tunnels in this tick: of what carried them, only the rest is the carrier's */
export function pastFill(
  booking: Booking,
  flows: FlowTable,
  tunnelled: { readonly rx: number; readonly tx: number },
): PastTick['fill'] {
  return (kind, into) => {
    if (kind === 'flows') fillFlows(booking, flows, into);
    else
      booking[kind].eachMoved((entity, rx, tx) => {
        const id = booking[kind].serial(entity);
        if (kind !== 'apps' || entity !== CARRIER) into(id, rx, tx, -1);
        else into(id, Math.max(0, rx - tunnelled.rx), Math.max(0, tx - tunnelled.tx), -1);
      });
  };
}

/** Serial number of no flow. */
const GONE = -1;

/** Flows that went away during the tick have no row any more: what they moved is the rest of what all moved. */
function fillFlows(booking: Booking, flows: FlowTable, into: Parameters<PastTick['fill']>[1]): void {
  let restRx = booking.tickRxSum;
  let restTx = booking.tickTxSum;
  const { touched, touchedCount, counters } = flows;
  for (let i = 0; i < touchedCount; i++) {
    const row = touched[i] as number;
    if (!flows.isLive(row)) continue;
    const rx = booking.tickRx(row);
    const tx = booking.tickTx(row);
    restRx -= rx;
    restTx -= tx;
    into(counters[row * COUNTERS + SERIAL] as number, rx, tx, row);
  }
  if (restRx > 0 || restTx > 0) into(GONE, restRx, restTx, -1);
}

/** True where a tick was not all measured. */
export function isUnmeasured(gaps: readonly { readonly reason: string }[]): boolean {
  return gaps.some(({ reason }) => reason !== 'loss');
}
