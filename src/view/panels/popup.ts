// What lies over the view: help, details, capture, themes. Each is a list of lines in a frame that scrolls.

import type { FlowRow, Snapshot } from '../../model/snapshot.ts';
import { pictureOf } from '../derive.ts';
import type { KeyTable } from '../input/keymap.ts';
import { filterOfRow } from '../input/row-filter.ts';
import { watchedSeries } from '../input/watches.ts';
import { centred, popupRoom } from '../layout.ts';
import { framed, type Pane, type Rect, withHints } from '../pane.ts';
import type { Details, Popup, TableName, ViewState } from '../state.ts';
import type { CellContext } from '../tables/column.ts';
import { type AnyRow, branchOf, orderedRows, rowWithId } from '../tables/rows.ts';
import { cursorIndex } from '../tables/selection.ts';
import { drawable } from '../text/cells.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, span } from '../text/span.ts';
import { captureFacts } from './capture-facts.ts';
import { rowFacts } from './details.ts';
import { factLines } from './fact.ts';
import { helpLines } from './help.ts';
import { type DetailsHints, moreHints, popupHints } from './hints.ts';
import { packetLines } from './packets.ts';
import { exportLines, interfaceLines, muteLines } from './pickers.ts';
import { relatedFacts } from './related.ts';
import { rowChart } from './row-chart.ts';
import { contextOf } from './table.ts';

/** Widest popup. */
const WIDTH = 78;
/** The same of a list of packets. */
const WIDE = 112;
/** Width of a list of short names. */
const NARROW = 40;
/** Cells that have to be free beside a popup. With fewer it takes all of its room: they would show nothing but edges of what lies under it. */
const BESIDE = 4;

function widthOf({ size: { columns } }: ViewState, popup: Popup): number {
  const { kind } = popup;
  const width = kind === 'themes' || kind === 'export' ? NARROW : showsPackets(popup) ? Math.min(columns, WIDE) : WIDTH;
  return columns < width + 2 * BESIDE ? columns : width;
}

interface Content {
  readonly title: string;
  /** Stays above lines that scroll. */
  readonly head?: Line;
  readonly lines: readonly Line[];
}

/** What a row at the top of a table is. */
const SUBJECTS: Readonly<Record<TableName, string>> = {
  apps: 'App',
  connections: 'Connection',
  hosts: 'Host',
  categories: 'Category',
  interfaces: 'Interface',
  events: 'Event',
  alerts: 'Alert',
  questions: 'Question',
  resolvers: 'Resolver',
  listeners: 'Listener',
};

/** What a row is about, in a word. */
function subjectOf(table: TableName, row: AnyRow | undefined): string {
  const kind = row === undefined ? undefined : branchOf(row)?.kind;
  if (row !== undefined && 'lookups' in row) return 'Look-up';
  if (kind === 'process') return 'Process';
  if (kind === 'processes') return 'Processes';
  if (kind === 'container') return 'Container';
  if (kind === 'host') return 'Host';
  if (kind === 'app' || kind === 'contained') return 'App';
  if (row !== undefined && 'hosts' in row && row.hosts !== 1) return 'Domain';
  return SUBJECTS[table];
}

/** Lines of a popup, before it is scrolled. */
export function popupContent(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable, popup: Popup): Content {
  const context = contextOf(state, live, glyphs);
  const width = widthOf(state, popup) - 2;
  switch (popup.kind) {
    case 'help':
      return { title: 'Help', lines: helpLines(keys, state.view, glyphs, width) };
    case 'capture':
      return { title: 'Capture', lines: factLines(captureFacts(pictureOf(state, live).snapshot, context), width, context) };
    case 'details': {
      const row = rowWithId(state, live, popup.table, popup.id);
      if (showsPackets(popup)) return packetsOf(state, live, popup, row as FlowRow | undefined, context, width);
      const title = `${subjectOf(popup.table, row)} details`;
      if (row === undefined) return { title, lines: [[span(' this row is no longer listed', 'dim')]] };
      const chart = rowChart(row, watchedSeries(state, popup.table, popup.id), context, width, state.size.rows);
      return { title, lines: [...chart, ...detailLines(state, live, popup.table, row, context, width)] };
    }
    case 'interfaces':
      return { title: 'Interfaces', lines: interfaceLines(popup, glyphs) };
    case 'mute':
      return { title: 'Mute', lines: muteLines(popup, context) };
    case 'export':
      return { title: 'Export', lines: exportLines(state, popup, glyphs) };
    case 'themes':
      return {
        title: 'Themes',
        lines: state.themes.map((name, index) => [
          span(index === popup.index ? ` ${glyphs.cursor} ` : '   ', 'accent'),
          span(drawable(name, glyphs), index === popup.index ? 'selected' : 'text'),
        ]),
      };
  }
}

/** True for details that show packets. */
export function showsPackets(popup: Popup): boolean {
  return popup.kind === 'details' && popup.showsPackets;
}

/** First line of a list that follows what comes. */
export const FOLLOW = Number.MAX_SAFE_INTEGER;

/** The last packets of a connection: of the picture, or those that there were when its details opened. */
function packetsOf(
  state: ViewState,
  live: Snapshot,
  popup: Details,
  row: FlowRow | undefined,
  context: CellContext,
  width: number,
): Content {
  const { packets: current } = pictureOf(state, live).snapshot;
  const page = current?.flow === popup.id ? current : popup.page;
  const isTcp = row === undefined ? (page?.packets.some(({ tcp }) => tcp !== null) ?? false) : row.protocol === 'tcp';
  return { title: 'Connection packets', ...packetLines(page, isTcp, context, width) };
}

function detailLines(
  state: ViewState,
  live: Snapshot,
  table: TableName,
  row: AnyRow,
  context: CellContext,
  width: number,
): readonly Line[] {
  const related = relatedFacts(table, row, pictureOf(state, live), context, width);
  return factLines(rowFacts(table, row, context, related), width, context);
}

/** Draws what is known about the selected row of the focused table, as far as it fits: the popup shows the rest. */
export function detailsPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable, rect: Rect): Pane {
  const table = state.pane;
  const rows = orderedRows(state, live, table);
  const row = rows[cursorIndex(state.tables[table], rows)];
  const lines = row === undefined ? [] : detailLines(state, live, table, row, contextOf(state, live, glyphs), rect.width - 2);
  const isCut = lines.length > rect.height - 2;
  const title = [span(`${subjectOf(table, row)} details`, 'header')];
  const framedLines = framed(rect, title, [], lines, glyphs, false);
  return { rect, lines: isCut ? withHints(framedLines, moreHints(keys, glyphs), glyphs) : framedLines };
}

/** Lines a popup shows at once at most. */
export function popupRows(state: ViewState): number {
  return Math.max(1, popupRoom(state).height - 2);
}

/** First line such that nothing is wasted at the end. */
export function popupTop(top: number, count: number, visible: number): number {
  return Math.max(0, Math.min(top, count - visible));
}

/** Draws the popup into the middle of its room. */
export function popupPanel(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable, popup: Popup): Pane {
  const { title, head, lines } = popupContent(state, live, glyphs, keys, popup);
  const above = head === undefined ? [] : [head];
  const room = popupRoom(state);
  const width = widthOf(state, popup);
  const rect = centred(room, width, width === room.width ? room.height : above.length + lines.length + 2);
  const visible = rect.height - 2 - above.length;
  const wanted = 'top' in popup ? popup.top : popup.index - visible + 1;
  const top = popupTop(wanted, lines.length, visible);
  const more = lines.length > visible ? `${top + 1}-${top + visible} of ${lines.length}` : '';
  const details = popup.kind === 'details' ? detailsHints(state, live, popup) : null;
  const framedLines = framed(
    rect,
    [span(title, 'title')],
    [span(more, 'dim')],
    [...above, ...lines.slice(top, top + visible)],
    glyphs,
    true,
  );
  return { rect, lines: withHints(framedLines, popupHints(popup.kind, keys, glyphs, details), glyphs) };
}

function detailsHints(state: ViewState, live: Snapshot, popup: Details): DetailsHints {
  const isFilter = filterOfRow(state, live, popup.table, popup.id) !== null;
  const row = popup.table === 'connections' ? rowWithId(state, live, popup.table, popup.id) : undefined;
  const isOne = row !== undefined && !('lookups' in row && row.lookups !== undefined);
  const talk = isOne ? (row as FlowRow).talk : null;
  return {
    isFilter,
    packets: !isOne ? null : popup.showsPackets ? 'shown' : 'offered',
    isAlike: !popup.showsPackets && (talk?.tls?.offer?.ja4 ?? null) !== null,
    hasPath: !popup.showsPackets && (talk?.http?.segment ?? null) !== null,
  };
}
