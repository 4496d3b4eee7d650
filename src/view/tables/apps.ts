// The apps table: one row for each program, its helpers folded in; under it the hosts it talks to, then its processes.
// Narrow screens give up, in this order: recent, user, main host, last seen, share, pids, totals (TX, RX), flows. App and the two rates stay.

import { cut, displayWidth, WHOLE } from '../text/cells.ts';
import { type Line, type Span, span } from '../text/span.ts';
import type { AppLine } from '../tree/app-tree.ts';
import { hasMore } from '../tree/branch.ts';
import { BY_RATE, BY_TOTAL, type CellContext, type TableSpec } from './column.ts';
import { flowsColumn, numberColumn, seenColumn, widest, wordColumn } from './columns.ts';
import { hidden, nameCell, shown } from './masking.ts';
import { unvouchedMark } from './publisher.ts';
import { rateColumns, recentColumn, shareColumn, totalColumns } from './traffic.ts';
import { treeCell, treeText } from './tree-cell.ts';

function nameOf(row: AppLine, context: CellContext, cells: number): Span {
  if (row.branch?.kind === 'rest' && row.branch.depth === 0)
    return span(shown(`${row.app ?? row.reason} (${STRAYS})`, context), 'dim');
  if (row.app === null) return span(`(${shown(row.reason ?? 'no owner', context)})`, 'dim');
  if (row.branch?.kind === 'processes') return span(row.app, 'dim');
  if (row.branch?.kind !== 'host') return span(shown(row.app, context), (row.branch?.depth ?? 0) === 0 ? 'name' : 'text');
  return span(
    cut(nameCell(hidden(row.app, context), row.branch.nameSource, cells, context), cells, context.glyphs, 'start'),
    'text',
  );
}

/** What of an app belongs to no row above: processes that are no longer kept apart, or of which nobody knows who started them. */
const STRAYS = 'more processes';
/** Cells of a name before a terminal has room behind it. */
const LEAST_NAME = 6;

function terminalOf({ branch }: AppLine, context: CellContext): string {
  const { terminal = null } = branch ?? {};
  return terminal === null ? '' : ` ${shown(terminal, context)}`;
}

/** That nobody vouches for a program. */
function markOf({ branch, processes }: AppLine): string {
  const mark =
    branch === undefined || branch.kind === 'process' || branch.kind === 'lineage' || branch.kind === 'contained'
      ? unvouchedMark(processes)
      : '';
  return mark === '' ? '' : ` ${mark}`;
}

/** A process with the terminal of the session that it leads, which says which of many shells it is; and a mark if nobody vouches for it. */
function withMarks(row: AppLine, context: CellContext, cells: number): Span | Line {
  const [terminal, mark] = [terminalOf(row, context), markOf(row)];
  const whole = nameOf(row, context, cells);
  const room = cells - displayWidth(terminal);
  if (terminal !== '' && room >= LEAST_NAME) {
    const { text, role } = nameOf(row, context, room);
    return [span(cut(text.trimEnd(), room, context.glyphs), role), span(terminal, 'dim')];
  }
  const name = whole.text.trimEnd();
  if (mark === '' || displayWidth(name) + displayWidth(mark) > cells) return whole;
  return [span(name, whole.role), span(mark, 'warn')];
}

/** The host with which the app exchanges most. */
function hostCell(row: AppLine, context: CellContext, cells: number): Span {
  const { glyphs } = context;
  if (row.branch !== undefined) return span('');
  const main = context.mainHost(row.id);
  if (main === null) return span(glyphs.unknown, 'dim');
  const name = context.names ? main.host : null;
  if (name === null) return span(hidden(main.address, context), 'dim');
  return span(nameCell(hidden(name, context), main.nameSource, cells, context), 'dim');
}

/** Apps, busiest first. */
export const APPS: TableSpec<AppLine> = {
  title: 'Apps',
  sorts: [BY_RATE, BY_TOTAL],
  columns: [
    {
      ...wordColumn<AppLine>('app', { min: 14, max: 44, rank: 1 }, (row) => row.app?.toLowerCase() ?? null),
      weight: 8,
      least: 10,
      comfort: { cells: 24, before: 9 },
      plain: (row, context) => nameOf(row, context, WHOLE).text.trim(),
      wants: (rows, context) =>
        widest(rows, (row) =>
          treeText(
            row,
            nameOf(row, context, WHOLE).text.trimEnd() + (terminalOf(row, context) || markOf(row)),
            context.recentlySeen.apps.has(row.app ?? ''),
          ),
        ),
      cell: (row, context, width) =>
        treeCell(
          {
            row,
            isNew: row.branch === undefined && context.recentlySeen.apps.has(row.app ?? ''),
            expandable: hasMore(row.branch),
          },
          width,
          context,
          (cells) => withMarks(row, context, cells),
        ),
    },
    {
      key: 'host',
      title: () => 'talks to',
      min: 20,
      max: 44,
      rank: 10,
      weight: 6,
      align: 'left',
      cut: 'start',
      plain: (row, context) =>
        row.branch === undefined && context.mainHost(row.id) !== null ? hostCell(row, context, WHOLE).text : '',
      wants: (rows, context) =>
        widest(rows, (row) => (context.mainHost(row.id) === null ? null : hostCell(row, context, WHOLE).text)),
      cell: (row, context, width) => hostCell(row, context, width),
    },
    numberColumn<AppLine>(
      'pid',
      { min: 8, max: 10, rank: 7 },
      (row) => row.pids.at(-1) ?? null,
      (newest, _, { pids }) => span(pids.length > 1 ? `${newest}+${pids.length - 1}` : String(newest), 'dim'),
    ),
    wordColumn<AppLine>('user', { min: 8, max: 12, rank: 11 }, (row) => row.user, { from: 'secret' }),
    flowsColumn(4),
    ...rateColumns<AppLine>({ rx: 2, tx: 3 }),
    ...totalColumns<AppLine>({ rx: 5, tx: 6 }),
    shareColumn<AppLine>(8),
    recentColumn<AppLine>(12),
    seenColumn(9),
  ],
};
