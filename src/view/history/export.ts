// Rows of the focused table of history for a file: names as the screen shows them, numbers whole, the stretch that they are about.

import type { ExportTable } from '../export-rows.ts';
import type { Glyphs } from '../glyphs.ts';
import type { ViewState } from '../state.ts';
import { firstTimes } from './first-seen.ts';
import { historyRows } from './lists.ts';
import { resultOf } from './state.ts';

const COLUMNS = ['from', 'to', 'name', 'rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets', 'flows', 'first', 'last'] as const;

/** The table; without rows where nothing was answered yet. @param time of the picture, epoch ms */
export function historyExport(state: ViewState, time: number, glyphs: Glyphs): ExportTable {
  const { history } = state;
  const pane = history.page === null ? history.pane : 'domains';
  const query = resultOf(history, pane)?.query ?? null;
  const times = firstTimes(history)?.domains ?? null;
  const moment = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
  const hides = state.privacy && pane === 'domains';
  return {
    name: `history-${pane}`,
    time,
    columns: COLUMNS,
    rows: historyRows(history, pane).map((row) => [
      moment(query?.from),
      moment(query?.to),
      row.key === null ? `(${row.reason ?? 'unknown'})` : hides ? glyphs.masked.repeat(6) : row.key,
      row.rxBytes,
      row.txBytes,
      row.rxPackets,
      row.txPackets,
      row.flows,
      moment(times?.get(row.key ?? '') ?? row.firstSeen),
      moment(row.lastSeen),
    ]),
  };
}
