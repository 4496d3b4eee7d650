// A range of the past as a snapshot: the rows that moved something then, rates as means over the range, and one row for everything whose owner was
// not kept. Every table still sums to the total, and everything that shows snapshots can show this one.

import type { MovedBytes, RangeTotals } from '../../model/range-totals.ts';
import { type FlowRow, NO_DIAGNOSES, NO_ENDS, NO_MEANS, type Snapshot, type Traffic } from '../../model/snapshot.ts';

/** Reason of the rows for traffic that is not known by row. */
const NOT_KEPT = 'others';

let last: { readonly snapshot: Snapshot; readonly answer: RangeTotals; readonly made: Snapshot } | null = null;

/** The snapshot with everything that moved in the range, and nothing else. The last answer is kept. */
export function rangeSnapshot(snapshot: Snapshot, answer: RangeTotals): Snapshot {
  if (last !== null && last.snapshot === snapshot && last.answer === answer) return last.made;
  const made = make(snapshot, answer);
  last = { snapshot, answer, made };
  return made;
}

function make(snapshot: Snapshot, answer: RangeTotals): Snapshot {
  const traffic = (moved: MovedBytes): Traffic => trafficOf(moved, answer.measuredMs);
  const time = { firstSeen: answer.from, lastSeen: answer.to };
  const uncounted = { recent: [], flows: Number.NaN };
  const nobody = { ...uncounted, ...time };
  const flows: FlowRow[] = answer.flows.map(({ row, rxBytes, txBytes }) => ({ ...row, ...traffic({ rxBytes, txBytes }) }));
  const apps = narrow(snapshot.apps, answer.apps, answer.others.apps, traffic);
  const hosts = narrow(snapshot.hosts, answer.hosts, answer.others.hosts, traffic);
  const categories = narrow(snapshot.categories, answer.categories, answer.others.categories, traffic);
  const interfaces = narrow(snapshot.interfaces, answer.interfaces, answer.others.interfaces, traffic);
  return {
    ...snapshot,
    total: { ...traffic(answer.total), unownedBytes: 0, passingBytes: null },
    apps: [
      ...apps.rows.map((row) => ({ ...row, ...uncounted })),
      ...apps.others.map((moved) => ({
        ...nobody,
        ...moved,
        id: 'app:not-kept',
        app: null,
        reason: NOT_KEPT,
        exe: null,
        pids: [],
        processes: [],
        processCount: 0,
        user: null,
      })),
    ],
    hosts: [
      ...hosts.rows.map((row) => ({ ...row, ...uncounted, quality: null })),
      ...hosts.others.map((moved) => ({
        ...nobody,
        ...moved,
        id: 'host:not-kept',
        host: null,
        reason: NOT_KEPT,
        domain: null,
        nameSource: 'none' as const,
        addresses: [],
        category: null,
        country: null,
        asn: null,
        network: null,
        mac: null,
        vendor: null,
        quality: null,
      })),
    ],
    categories: [
      ...categories.rows.map((row) => ({ ...row, ...uncounted })),
      ...categories.others.map((moved) => ({ ...moved, id: 'category:not-kept', category: NOT_KEPT, ...uncounted })),
    ],
    interfaces: interfaces.rows.map((row) => ({ ...row, ends: NO_ENDS, link: null, recentRx: [], recentTx: [] })),
    flows,
    diagnoses: NO_DIAGNOSES,
    branches: null,
    matching: null,
    flowCount: flows.length,
  };
}

/** Rows that moved something, with what they moved; the traffic of unknown rows joins the `others`, at most one entry. */
function narrow<Row extends Traffic & { readonly id: string }>(
  rows: readonly Row[],
  moved: readonly (MovedBytes & { readonly id: string })[],
  rest: MovedBytes,
  traffic: (moved: MovedBytes) => Traffic,
): { rows: Row[]; others: Traffic[] } {
  const known = new Map(rows.map((row) => [row.id, row]));
  const out: Row[] = [];
  let { rxBytes, txBytes } = rest;
  for (const each of moved) {
    const row = known.get(each.id);
    if (row !== undefined) out.push({ ...row, ...traffic(each) });
    else {
      rxBytes += each.rxBytes;
      txBytes += each.txBytes;
    }
  }
  return { rows: out, others: rxBytes + txBytes > 0 ? [traffic({ rxBytes, txBytes })] : [] };
}

/** Packets of the past are not kept, and rows count the connections of the whole run: NaN is shown as unknown. */
function trafficOf({ rxBytes, txBytes }: MovedBytes, ms: number): Traffic {
  const perSecond = ms > 0 ? 1000 / ms : 0;
  return {
    rxBytes,
    txBytes,
    rxPackets: Number.NaN,
    txPackets: Number.NaN,
    rxRate: Math.round(rxBytes * perSecond),
    txRate: Math.round(txBytes * perSecond),
    means: NO_MEANS,
  };
}
