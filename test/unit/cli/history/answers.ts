// Answers of history as a reader gives them, for tests of what is made of them.

import type { HistoryQuery, HistoryResult, HistoryRow } from '../../../../src/model/history.ts';

/** Local time of all tests here: the range ends at it. */
export const NOW = new Date(2026, 10, 18, 14, 6).getTime();
const DAY_MS = 86_400_000;

export function historyQuery(change: Partial<HistoryQuery> = {}): HistoryQuery {
  const nothing = { app: null, domain: null, category: null, interface: null, filter: null };
  return { from: NOW - DAY_MS, to: NOW, by: 'app', ...nothing, top: 20, steps: 0, ...change };
}

export function historyRow(change: Partial<HistoryRow> = {}): HistoryRow {
  const totals = { rxBytes: 3_000_000, txBytes: 200_000, rxPackets: 3000, txPackets: 1000, flows: 12 };
  const times = { firstSeen: NOW - DAY_MS, lastSeen: NOW - 60_000 };
  return { key: 'curl', reason: null, start: null, detail: '/usr/bin/curl', ...totals, ...times, ...change };
}

/** With the total of its rows. */
export function historyResult(rows: readonly HistoryRow[], change: Partial<HistoryResult> = {}): HistoryResult {
  const sum = (name: 'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets' | 'flows') =>
    rows.reduce((all, row) => all + row[name], 0);
  return {
    query: historyQuery(),
    rows,
    total: {
      rxBytes: sum('rxBytes'),
      txBytes: sum('txBytes'),
      rxPackets: sum('rxPackets'),
      txPackets: sum('txPackets'),
      flows: sum('flows'),
    },
    series: null,
    oldest: NOW - 30 * DAY_MS,
    newest: NOW - 60_000,
    resolutionMs: 60_000,
    identity: null,
    ...change,
  };
}
