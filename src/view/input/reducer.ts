// The reducer: action in, new state and effects out. It reads no clock, does no I/O and changes nothing in place.

import { AVERAGES, UNIT_MODES } from '../../model/options.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { type Action, type Command, type Step, still } from '../action.ts';
import {
  changeRange,
  clearSelection,
  moveCursor,
  selectCells,
  takeTotals,
  toggleCurve,
  toggleMark,
  toggleScales,
} from '../chart/selection.ts';
import type { FrameSettings } from '../frame.ts';
import { markCells, reduceHistory, scrollHistory, selectHistory, takeAnswer, withQuestions } from '../history/reduce.ts';
import { whyNotRecorded } from '../history/state.ts';
import { contextOf } from '../panels/table.ts';
import { OPEN_MAX, VIEWS, type ViewState } from '../state.ts';
import { withWants } from '../tables/placement.ts';
import { allColumns, branchOf, orderedRows } from '../tables/rows.ts';
import { cursorIndex } from '../tables/selection.ts';
import type { Glyphs } from '../text/glyphs.ts';
import type { AppLine } from '../tree/app-tree.ts';
import { isMachineLine } from '../tree/machines.ts';
import { GROUPINGS } from '../tree/questions.ts';
import { editFilter, openFilter, pausedTyping, withoutFilter } from './filter-input.ts';
import {
  afterTick,
  collapse,
  expand,
  move,
  openDetails,
  openThemes,
  resized,
  scroll,
  scrolledPopup,
  selectedRow,
  settled,
  showView,
  sortBy,
  toggleFrozen,
  toggleLite,
  togglePin,
  toggleZoom,
  turnPane,
  turnSort,
  withAlerts,
  withMachines,
} from './navigation.ts';
import { writePackets } from './packets.ts';
import { allow, capturedOn, listedInterfaces, openExport, openInterfaces, openMute } from './pickers.ts';
import { askDigest, filteredAlike, reducePopup, takePage, togglePaths } from './popup-reducer.ts';
import { updateWatches } from './watches.ts';

/** Applies one action. The same state object comes back when nothing changed. */
export function reduce(state: ViewState, action: Action, live: Snapshot, settings: FrameSettings): Step {
  const made = withWatched(state, withQuestions(step(state, action, live, settings), live, settings.glyphs));
  const { since, average } = made.state;
  const { filter } = made.state.filter;
  const isSame = filter?.text.trim() === state.filter.filter?.text.trim() && since === state.since;
  if (isSame && (average === state.average || filter?.isVolatile !== true)) return made;
  return { ...made, effects: [...made.effects, { type: 'match', filter, from: since, average }] };
}

/** Asks for the packets of a connection whose details open. */
function withWatched(before: ViewState, { state, effects }: Step): Step {
  const id = watchedOf(state);
  return id === null || id === watchedOf(before)
    ? { state, effects }
    : { state, effects: [...effects, { type: 'watch-packets', id }] };
}

function watchedOf({ popup }: ViewState): string | null {
  return popup?.kind === 'details' && popup.table === 'connections' ? popup.id : null;
}

function step(state: ViewState, action: Action, live: Snapshot, settings: FrameSettings): Step {
  switch (action.type) {
    case 'command': {
      const before = state.notice === '' && state.begun ? state : { ...state, notice: '', begun: true };
      if (state.popup !== null && !isView(action.command)) return reducePopup(before, action.command, live, settings);
      if (state.popup !== null) {
        // Its tab can be clicked beside the popup, which gives way.
        const closed = reducePopup(before, 'back', live, settings);
        const shown = step(closed.state, action, live, settings);
        return { state: shown.state, effects: [...closed.effects, ...shown.effects] };
      }
      const own = state.view === 'history' ? reduceHistory(before, action.command, live, settings.glyphs) : null;
      return own ?? command(before, action.command, live, settings);
    }
    case 'edit':
      return still(settled(editFilter(state, action.edit, action.text, live), live));
    case 'typing-paused':
      return still(settled(pausedTyping(state, live), live));
    case 'interfaces':
      return still(listedInterfaces(state, action.items));
    case 'captured-on':
      return still(capturedOn(state, action.isTaken, action.text));
    case 'notice':
      return still({ ...state, notice: action.text });
    case 'followed':
      return still(
        action.opened === null ? { ...state, followed: action.sessions } : opened(state, live, action.sessions, action.opened),
      );
    case 'snapshot':
      return still(
        withWants(
          updateWatches(afterTick(withMachines(withAlerts(state, live), live), live), live),
          live,
          contextOf(state, live, settings.glyphs),
        ),
      );
    case 'theme':
      return { state: { ...state, theme: action.theme }, effects: [{ type: 'theme', name: action.theme, keep: false }] };
    case 'resize':
      return still(settled(resized(state, action.columns, action.rows), live));
    case 'select': {
      const index = orderedRows(state, live, action.table).findIndex((row) => row.id === action.id);
      return still(index < 0 ? state : move({ ...state, pane: action.table }, live, () => index));
    }
    case 'history':
      return still(takeAnswer(state, action, live));
    case 'history-select':
      return still(selectHistory(state, action.pane, action.id, live, settings.glyphs));
    case 'history-scroll':
      return still(scrollHistory(state, action.pane, action.by, live, settings.glyphs));
    case 'sort':
      return still(sortBy({ ...state, pane: action.table }, action.column, live));
    case 'chart':
      if (state.view === 'history') return still(markCells(state, action.cell, action.anchor, live, settings.glyphs));
      return selectCells(state, live, settings.glyphs, action.cell, action.anchor);
    case 'packets':
      return still(takePage(state, action.page));
    case 'range-totals':
      return still(takeTotals(state, live, action, action.answer));
    case 'scroll':
      return still(
        state.popup === null
          ? scroll(state, action.table, action.by, live)
          : { ...state, popup: scrolledPopup(state, action.by) },
      );
  }
}

function command(state: ViewState, name: Command, live: Snapshot, settings: FrameSettings): Step {
  switch (name) {
    case 'quit':
      return { state, effects: [{ type: 'quit' }] };
    case 'suspend':
      return { state, effects: [{ type: 'suspend' }] };
    case 'redraw':
      return { state, effects: [{ type: 'redraw' }] };
    case 'help':
      return still({ ...state, popup: { kind: 'help', top: 0 } });
    case 'capture':
      return still({ ...state, popup: { kind: 'capture', top: 0 } });
    case 'theme':
      return still(openThemes(state));
    case 'details':
      return still(openDetails(state, live));
    case 'back':
      if (state.chart.selection !== null) return still(clearSelection(state, live));
      return still(state.filter.text === '' ? state : settled(withoutFilter(state), live));
    case 'filter':
      return still(openFilter(state));
    case 'up':
      return still(move(state, live, (index) => index - 1));
    case 'down':
      return still(move(state, live, (index) => index + 1));
    case 'first':
      return still(move(state, live, () => 0, !state.tables[state.pane].tail));
    case 'last':
      return still(move(state, live, (_, count) => count - 1, state.tables[state.pane].tail));
    case 'page-up':
      return still(move(state, live, (index, _, page) => index - page));
    case 'page-down':
      return still(move(state, live, (index, _, page) => index + page));
    case 'expand':
      if (state.chart.selection !== null) return moveCursor(state, live, settings.glyphs, 1);
      return still(expand(state, live));
    case 'collapse':
      if (state.chart.selection !== null) return moveCursor(state, live, settings.glyphs, -1);
      return still(collapse(state, live));
    case 'mark':
      return toggleMark(state, live, settings);
    case 'now':
      return still(clearSelection(state, live));
    case 'shorter':
      return still(changeRange(state, -1));
    case 'longer':
      return still(changeRange(state, 1));
    case 'chart-curve':
      return still(toggleCurve(state));
    case 'chart-scales':
      return still(toggleScales(state));
    case 'zoom':
      return still(settled(toggleZoom(state), live));
    case 'lite':
      return still(settled(toggleLite(state), live));
    case 'interface':
      return openInterfaces(state, live);
    case 'mute':
      return still(openMute(state, live));
    case 'allow':
      return allow(state, live);
    case 'export':
      return still(openExport(state));
    case 'packets':
      return writePackets(state, live, settings.glyphs);
    case 'next-pane':
      return still(settled(turnPane(state, 1), live));
    case 'previous-pane':
      return still(settled(turnPane(state, -1), live));
    case 'overview':
    case 'apps':
    case 'connections':
    case 'hosts':
    case 'categories':
    case 'interfaces':
    case 'events':
    case 'history':
    case 'dns':
    case 'listeners':
      return still(settled(withAlerts(showView(state, name), live), live));
    case 'save-history':
      return saveHistory(state, live);
    case 'sort-next':
      return still(turnSort(state, 1, live, contextOf(state, live, settings.glyphs)));
    case 'sort-previous':
      return still(turnSort(state, -1, live, contextOf(state, live, settings.glyphs)));
    case 'sort-direction':
      return still(sortBy(state, state.tables[state.pane].sort.column, live));
    case 'pause':
      return still(settled({ ...state, paused: state.paused === null ? live : null }, live));
    case 'freeze':
      return still(toggleFrozen(state, live));
    case 'pin':
      return still(togglePin(state, live));
    case 'lineage':
      return still(settled(toggleLineage(state), live));
    case 'containers':
      return still(settled(toggleContainers(state), live));
    case 'follow':
      return follow(state, live);
    case 'machines':
      return still(settled(toggleMachines(state), live));
    case 'closed':
      return still(settled(toggleClosed(state), live));
    case 'group': {
      if (state.view !== 'dns') return still({ ...state, notice: 'this groups questions of DNS' });
      const grouping = GROUPINGS[(GROUPINGS.indexOf(state.grouping) + 1) % GROUPINGS.length] ?? 'none';
      const notice = grouping === 'none' ? 'questions one by one' : `questions by ${grouping}`;
      // What the columns of the other rows needed is of no use.
      const wants = { ...state.wants, questions: {} };
      return still(settled({ ...state, grouping, wants, pane: 'questions', notice }, live));
    }
    case 'count-from-now':
      return still(settled({ ...state, since: state.since === null ? (state.paused ?? live) : null }, live));
    case 'names':
      return still({ ...state, names: !state.names, notice: state.names ? 'addresses' : 'names' });
    case 'services':
      return still({ ...state, services: !state.services, notice: state.services ? 'port numbers' : 'service names' });
    case 'units': {
      const units = UNIT_MODES[(UNIT_MODES.indexOf(state.units) + 1) % UNIT_MODES.length] ?? 'bytes';
      return still({ ...state, units, notice: `units: ${units}` });
    }
    case 'average': {
      const average = AVERAGES[(AVERAGES.indexOf(state.average) + 1) % AVERAGES.length] ?? 10;
      return still(settled({ ...state, average, notice: `rates: means over ${average} s` }, live));
    }
    case 'privacy':
      return still({ ...state, privacy: !state.privacy });
    case 'paths':
      return still(togglePaths(state));
    case 'digest': {
      const opened = openDetails(state, live);
      if (opened.popup?.kind !== 'details') return still(state);
      const step = askDigest(opened, opened.popup.table, opened.popup.id, live);
      return step.effects.length > 0 ? step : still({ ...state, notice: step.state.notice });
    }
    case 'alike':
      return still(filteredAlike(state, state.pane, selectedRow(state, live)?.id ?? '', live));
    case 'copy': {
      const text = rowText(state, live, settings.glyphs);
      return text === null ? still(state) : { state, effects: [{ type: 'copy', text }] };
    }
  }
}

function isView(name: Command): boolean {
  return (VIEWS as readonly string[]).includes(name);
}

/** Puts apps below what started them, or back. */
function toggleLineage(state: ViewState): ViewState {
  const notice = state.byLineage ? 'apps by name' : 'apps by what started them';
  return { ...state, byLineage: !state.byLineage, byContainer: false, notice };
}

/** Puts apps below their containers, or back. */
function toggleContainers(state: ViewState): ViewState {
  const notice = state.byContainer ? 'apps by name' : 'apps by container';
  return { ...state, byContainer: !state.byContainer, byLineage: false, notice };
}

/** Follows the process of the selected row, or ends that. */
function follow(state: ViewState, live: Snapshot): Step {
  const row = state.pane === 'apps' ? selectedRow(state, live) : undefined;
  const branch = row === undefined ? undefined : branchOf(row);
  const pid = branch?.kind === 'lineage' || branch?.kind === 'process' ? (row as AppLine).pids[0] : undefined;
  if (pid === undefined)
    return still({ ...state, notice: 'this follows a process: choose one where apps stand by what started them' });
  return { state, effects: [{ type: 'follow', pid }] };
}

/** Shows a session that is followed from the start. */
function opened(state: ViewState, live: Snapshot, followed: ViewState['followed'], ids: readonly string[]): ViewState {
  const shown = { ...showView(state, 'apps'), byLineage: true, byContainer: false, followed };
  return settled({ ...shown, open: { ...shown.open, apps: ids.slice(0, OPEN_MAX) } }, live);
}

/** Puts rows below their machine, or back. */
function toggleMachines(state: ViewState): ViewState {
  if (!state.hasMachines) return { ...state, notice: 'there is one machine: netmon-tui attach shows several' };
  return { ...state, byMachine: !state.byMachine, notice: state.byMachine ? 'machines side by side' : 'rows by machine' };
}

/** Shows closed connections, or in the events view the log of connections; or hides them. */
function toggleClosed(state: ViewState): ViewState {
  if (state.pane === 'events') {
    const notice = state.connectionLog ? 'what matters' : 'all events, connections that open and close among them';
    return { ...state, connectionLog: !state.connectionLog, notice };
  }
  return { ...state, closed: !state.closed, notice: state.closed ? 'closed connections hidden' : 'closed connections shown' };
}

/** Columns that are drawings and no text. */
const DRAWN = new Set(['share', 'recent', 'recentRx', 'recentTx', 'direction']);

/** The selected row as one line for the clipboard, tabs between cells; null when the table is empty. */
function rowText(state: ViewState, live: Snapshot, glyphs: Glyphs): string | null {
  const rows = orderedRows(state, live, state.pane);
  const row = rows[cursorIndex(state.tables[state.pane], rows)];
  if (row === undefined) return null;
  if (isMachineLine(row)) return row.machine;
  const context = contextOf(state, live, glyphs);
  return allColumns(state, state.pane)
    .filter((column) => !DRAWN.has(column.key))
    .map((column) => {
      if (column.plain !== undefined) return column.plain(row, context);
      const made = column.cell(row, context, column.max);
      return ('role' in made ? made.text : made.map((part) => part.text).join('')).trim();
    })
    .join('\t');
}

/** Has the history file written; where nothing is recorded, begins to. */
function saveHistory(state: ViewState, live: Snapshot): Step {
  const { capture } = live;
  const said = (notice: string): Step => still({ ...state, notice });
  if (capture.history?.state === 'busy') return said(capture.history.note);
  const why = capture.history === null ? whyNotRecorded(state.history, live) : null;
  if (why !== null) return said(why);
  const failing = capture.history?.state === 'failing' ? capture.history.note : '';
  const notice = capture.history === null ? 'beginning to record' : failing || 'writing the history file';
  return { state: { ...state, notice }, effects: [{ type: 'save-history' }] };
}
