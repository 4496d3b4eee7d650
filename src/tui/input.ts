// Turns keys and mouse events, as blessed reports them, into actions. Keys are named as in the config file: `q`, `G`, `ctrl+b`, `pageup`.

import { sanitize } from '../net/text.ts';
import type { Action, Edit } from '../view/action.ts';
import type { Frame } from '../view/frame.ts';
import { commandOf, type KeyTable } from '../view/input/keymap.ts';
import type { ChartPane } from '../view/panels/chart.ts';
import type { ViewState } from '../view/state.ts';
import type { BlessedKey, BlessedMouse } from './screen.ts';

/** Rows that one step of the wheel moves. */
const WHEEL_ROWS = 3;

/**
 * Name of a key; null for a key that has none here.
 *
 * Enter arrives twice, as `enter` and then as `return` (chjj/blessed#331): the second is dropped. Ctrl+J is taken for Enter, because
 * some terminals send it.
 */
export function keyName(char: string | undefined, key: BlessedKey): string | null {
  const { name } = key;
  if (name === 'return' || name === 'undefined') return null;
  const prefix = `${key.ctrl === true ? 'ctrl+' : ''}${key.meta === true ? 'alt+' : ''}`;
  if (name === 'linefeed' || (name === 'enter' && prefix === '')) return 'enter';
  if (name === undefined) return char === undefined || char.length !== 1 || char < '!' ? null : prefix + char;
  if (name.length === 1) return prefix + (key.shift === true ? name.toUpperCase() : name);
  return `${prefix}${key.shift === true ? 'shift+' : ''}${name}`;
}

const EDITS: Readonly<Record<string, Edit>> = {
  up: 'older',
  down: 'newer',
  tab: 'complete',
  enter: 'accept',
  escape: 'cancel',
  backspace: 'backspace',
  'ctrl+h': 'backspace',
  delete: 'delete',
  left: 'left',
  right: 'right',
  home: 'home',
  'ctrl+a': 'home',
  end: 'end',
  'ctrl+e': 'end',
  'ctrl+u': 'clear',
  'ctrl+w': 'word',
};

/** Keys that keep their command while a filter is typed, as no text contains them. */
const THROUGH = new Set(['ctrl+c', 'ctrl+l', 'ctrl+z', 'pageup', 'pagedown', 'shift+tab', 'f1']);

/** What a key press asks for in this state; null for nothing. */
export function keyAction(state: ViewState, keys: KeyTable, char: string | undefined, key: BlessedKey): Action | null {
  const name = keyName(char, key);
  if (state.filter.cursor !== null && state.popup === null) {
    const edit = name === null ? undefined : EDITS[name];
    if (edit !== undefined) return { type: 'edit', edit, text: '' };
    if (
      char !== undefined &&
      char >= ' ' &&
      char !== '\x7f' &&
      key.ctrl !== true &&
      key.meta !== true &&
      (key.sequence ?? char) === char
    )
      return { type: 'edit', edit: 'insert', text: char };
    if (name === null || !THROUGH.has(name)) return null;
  }
  if (name === null) return null;
  const command = commandOf(keys, name);
  return command === null ? null : { type: 'command', command };
}

/** What a paste asks for: text for the filter that is being typed; otherwise nothing. */
export function pasteAction(state: ViewState, pasted: string): Action | null {
  if (state.filter.cursor === null || state.popup !== null) return null;
  const text = sanitize(pasted.replace(/\s+/g, ' ')).trim();
  return text === '' ? null : { type: 'edit', edit: 'insert', text };
}

/**
 * What a click, a drag or a step of the wheel asks for; null for nothing.
 *
 * @param drag cell of the chart in which the button went down, while it is held; else null
 */
export function mouseAction(frame: Frame, event: BlessedMouse, drag: number | null = null): Action | null {
  const tab = event.action === 'mousedown' && event.y === frame.tabs?.top ? frame.tabs.tabs : [];
  const clicked = tab.find(({ from, to }) => event.x >= from && event.x < to);
  if (clicked !== undefined) return { type: 'command', command: clicked.view };
  const pane = frame.tables.find(({ rect }) => inside(rect, event));
  const rows = frame.historyTables.find(({ rect }) => inside(rect, event));
  if (event.action === 'wheelup' || event.action === 'wheeldown') {
    if (rows !== undefined && frame.popup === null)
      return { type: 'history-scroll', pane: rows.pane, by: event.action === 'wheelup' ? -WHEEL_ROWS : WHEEL_ROWS };
    const table = pane?.table ?? frame.tables[0]?.table;
    return table === undefined ? null : { type: 'scroll', table, by: event.action === 'wheelup' ? -WHEEL_ROWS : WHEEL_ROWS };
  }
  if (event.action === 'mousedown' && rows !== undefined && frame.popup === null) {
    const id = rows.ids[event.y - rows.rect.top - 2];
    return id === undefined ? null : { type: 'history-select', pane: rows.pane, id };
  }
  const chart = frame.chart !== null && frame.popup === null ? cellOfChart(frame.chart, event, drag !== null) : null;
  if (chart !== null && event.action === 'mousedown') return { type: 'chart', cell: chart, anchor: null };
  if (chart !== null && event.action === 'mousemove' && drag !== null) return { type: 'chart', cell: chart, anchor: drag };
  if (event.action !== 'mousedown' || pane === undefined) return null;
  if (frame.popup !== null) return inside(frame.popup.rect, event) ? null : { type: 'command', command: 'back' };
  const row = event.y - pane.rect.top;
  const column = event.x - pane.rect.left;
  if (row === pane.firstRow - 1) {
    const header = pane.headers.find(({ from, to }) => column >= from && column < to);
    return header === undefined ? null : { type: 'sort', table: pane.table, column: header.key };
  }
  const id = pane.ids[row - pane.firstRow];
  return id === undefined ? null : { type: 'select', table: pane.table, id };
}

/** Cell of time under the mouse; null outside the chart, unless a drag began in it. */
function cellOfChart({ rect, left, cells }: ChartPane, event: BlessedMouse, dragged: boolean): number | null {
  const cell = event.x - rect.left - left;
  if (dragged) return Math.min(Math.max(0, cell), cells - 1);
  return inside(rect, event) && cell >= 0 && cell < cells ? cell : null;
}

function inside(rect: { left: number; top: number; width: number; height: number }, event: BlessedMouse): boolean {
  return event.x >= rect.left && event.x < rect.left + rect.width && event.y >= rect.top && event.y < rect.top + rect.height;
}
