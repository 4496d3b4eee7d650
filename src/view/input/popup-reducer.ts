// Keys while a popup is open: scroll, close, preview and pick. Quit, suspend and redraw work as always.

import type { PacketPage } from '../../model/packet-page.ts';
import type { FlowRow, Snapshot } from '../../model/snapshot.ts';
import type { Process } from '../../model/terms.ts';
import { type Command, type Step, still } from '../action.ts';
import type { FrameSettings } from '../frame.ts';
import { FOLLOW, popupContent, popupRows, popupTop, showsPackets } from '../panels/popup.ts';
import { ownerOf } from '../panels/related.ts';
import type { Details, Popup, TableName, ViewState } from '../state.ts';
import { type AnyRow, rowWithId } from '../tables/rows.ts';
import type { AppLine } from '../tree/app-tree.ts';
import { withFilter } from './filter-input.ts';
import { settled } from './navigation.ts';
import { writePackets } from './packets.ts';
import { openMute, pickExport, pickInterface, pickMute } from './pickers.ts';
import { filterOfRow } from './row-filter.ts';

/** Commands that open a popup; pressed again, they close it. */
const OPENERS: Readonly<Record<Popup['kind'], Command>> = {
  help: 'help',
  capture: 'capture',
  details: 'details',
  themes: 'theme',
  interfaces: 'interface',
  export: 'export',
  mute: 'mute',
};

/** Applies a command while a popup is open. */
export function reducePopup(state: ViewState, command: Command, live: Snapshot, settings: FrameSettings): Step {
  const { popup } = state;
  if (popup === null) return { state, effects: [] };
  if (command === 'quit' || command === 'suspend' || command === 'redraw') return { state, effects: [{ type: command }] };
  if (popup.kind === 'themes') return pickTheme(state, popup, command);
  if (popup.kind === 'interfaces')
    return pickInterface(state, popup, command, movedBy(command, popup.index, popupRows(state), popup.items?.length ?? 0));
  if (popup.kind === 'export')
    return pickExport(state, popup, command, movedBy(command, popup.index, 1, 2), live, settings.glyphs);
  if (popup.kind === 'mute') return pickMute(state, popup, command, movedBy(command, popup.index, 1, popup.items.length));
  if (command === 'back' || command === OPENERS[popup.kind]) return { state: { ...state, popup: null }, effects: [] };
  if (command === 'filter' && popup.kind === 'details') return still(filteredFor(state, popup, live));
  if (command === 'alike' && popup.kind === 'details') return still(filteredAlike(state, popup.table, popup.id, live));
  if (command === 'privacy') return still({ ...state, privacy: !state.privacy });
  if (command === 'paths' && popup.kind === 'details') return still(togglePaths(state));
  if (command === 'packets') return writePackets(state, live, settings.glyphs);
  if (command === 'digest' && popup.kind === 'details') return askDigest(state, popup.table, popup.id, live);
  if (command === 'mute' && popup.kind === 'details' && popup.table === 'alerts')
    return still(openMute({ ...state, popup: null }, live));
  if ((command === 'next-pane' || command === 'previous-pane') && popup.kind === 'details') return still(turnPage(state, popup));
  if (command === 'help' || command === 'capture') return { state: { ...state, popup: { kind: command, top: 0 } }, effects: [] };
  if (command === 'pause') return { state: { ...state, paused: state.paused === null ? live : null }, effects: [] };
  const count = popupContent(state, live, settings.glyphs, settings.keys, popup).lines.length;
  const visible = popupRows(state) - (showsPackets(popup) ? 1 : 0);
  const moved = movedBy(command, popupTop(popup.top, count, visible), visible, count);
  if (moved === null) return still(state);
  const top = popupTop(moved, count, visible);
  const follows = showsPackets(popup) && top === popupTop(FOLLOW, count, visible);
  return still({ ...state, popup: { ...popup, top: follows ? FOLLOW : top } });
}

/** Turns between the facts of a connection and its packets. */
function turnPage(state: ViewState, popup: Details): ViewState {
  if (popup.table !== 'connections') return state;
  const shows = !popup.showsPackets;
  return { ...state, popup: { ...popup, showsPackets: shows, top: shows ? FOLLOW : 0 } };
}

/** Takes the packets that a connection had before its details opened. */
export function takePage(state: ViewState, page: PacketPage | null): ViewState {
  const { popup } = state;
  return popup?.kind === 'details' && popup.id === page?.flow ? { ...state, popup: { ...popup, page } } : state;
}

/** The details closed, and the filter for their row in force. */
function filteredFor(state: ViewState, { table, id }: Extract<Popup, { kind: 'details' }>, live: Snapshot): ViewState {
  const text = filterOfRow(state, live, table, id);
  if (text === null) return { ...state, notice: 'this row can not be filtered for' };
  return settled(withFilter({ ...state, popup: null }, text), live);
}

/** The filter for all connections whose client said hello as in the row of this id. */
export function filteredAlike(state: ViewState, table: TableName, id: string, live: Snapshot): ViewState {
  const row = table === 'connections' ? rowWithId(state, live, table, id) : undefined;
  const ja4 = (row as FlowRow | undefined)?.talk?.tls?.offer?.ja4 ?? null;
  if (ja4 === null) return { ...state, notice: 'select a connection whose TLS hello was seen whole' };
  return settled(withFilter({ ...state, popup: null }, `ja4=${ja4}`), live);
}

/** Asks for the SHA-256 of the executable of a row's newest process. */
export function askDigest(state: ViewState, table: TableName, id: string, live: Snapshot): Step {
  const row = table === 'apps' || table === 'connections' ? rowWithId(state, live, table, id) : undefined;
  const process = row === undefined ? null : executableOf(table, row, live);
  if (process === null) return still({ ...state, notice: 'select an app, a process or a connection whose executable is known' });
  return { state: { ...state, notice: 'reading the executable' }, effects: [{ type: 'digest', process: process.id }] };
}

function executableOf(table: TableName, row: AnyRow, live: Snapshot): Process | null {
  const processes = table === 'apps' ? (row as AppLine).processes : [ownerOf(row as FlowRow, live)];
  return processes.findLast((process) => process !== null && process.exe !== null) ?? null;
}

/** Shows paths, or hides them. */
export function togglePaths(state: ViewState): ViewState {
  return { ...state, paths: !state.paths, notice: state.paths ? 'paths hidden' : 'details show the first part of paths' };
}

function movedBy(command: Command, at: number, page: number, count: number): number | null {
  switch (command) {
    case 'up':
      return at - 1;
    case 'down':
      return at + 1;
    case 'page-up':
      return at - page;
    case 'page-down':
      return at + page;
    case 'first':
      return 0;
    case 'last':
      return count;
    default:
      return null;
  }
}

function pickTheme(state: ViewState, popup: Extract<Popup, { kind: 'themes' }>, command: Command): Step {
  const close = (theme: string, keep: boolean): Step => ({
    state: { ...state, theme, popup: null },
    effects: [{ type: 'theme', name: theme, keep }],
  });
  if (command === 'back' || command === 'theme') return close(popup.before, false);
  if (command === 'details') return close(state.themes[popup.index] ?? popup.before, true);
  const moved = movedBy(command, popup.index, popupRows(state), state.themes.length);
  if (moved === null) return { state, effects: [] };
  const index = Math.min(Math.max(0, moved), state.themes.length - 1);
  const name = state.themes[index] ?? popup.before;
  return { state: { ...state, theme: name, popup: { ...popup, index } }, effects: [{ type: 'theme', name, keep: false }] };
}
