// Hints: the keys that do something, each with a word. A pane's own stand in its lower border, those that work everywhere in the footer.

import type { Command } from '../action.ts';
import { nextMark } from '../chart/range.ts';
import { firstKey, type KeyTable, keyLabel } from '../input/keymap.ts';
import type { FitPart } from '../pane.ts';
import type { Popup, TableName, ViewState } from '../state.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { span } from '../text/span.ts';

/** Words after the keys of their commands. */
type Hint = readonly [text: string, ...commands: readonly Command[]];

/** What has a border with keys in it. */
export type HintedPane = TableName | 'chart' | 'history chart' | 'history list' | 'history list alone' | 'calendar';

const DETAILS: Hint = ['details', 'details'];
const OPEN: Hint = ['open', 'details'];
const SORT: Hint = ['sort', 'sort-next'];
const WRITE: Hint = ['write', 'save-history'];
const RECORD: Hint = ['record', 'save-history'];
const PACKETS: Hint = ['packets', 'packets'];
const PANE: Hint = ['pane', 'next-pane'];
const ZOOM: Hint = ['zoom', 'zoom'];
const LITE: Hint = ['lite', 'lite'];
const WHOLE: Hint = ['whole screen', 'lite'];

/** Keys of each pane, the most useful first. */
const PANES: Readonly<Record<HintedPane, readonly Hint[]>> = {
  apps: [DETAILS, ['hosts', 'expand'], SORT, ['pin', 'pin'], ['freeze', 'freeze'], ['copy', 'copy']],
  connections: [
    DETAILS,
    ['look-ups', 'expand'],
    SORT,
    ['closed', 'closed'],
    ['ports', 'services'],
    ['pin', 'pin'],
    ['freeze', 'freeze'],
    ['copy', 'copy'],
  ],
  hosts: [DETAILS, ['open', 'expand'], SORT, ['pin', 'pin'], ['freeze', 'freeze'], ['copy', 'copy']],
  categories: [DETAILS, SORT, ['pin', 'pin'], ['freeze', 'freeze'], ['copy', 'copy']],
  interfaces: [DETAILS, ['pick', 'interface'], SORT, ['capture', 'capture'], ['copy', 'copy']],
  events: [DETAILS, ['connections', 'closed'], ['newest', 'last'], ['copy', 'copy']],
  alerts: [DETAILS, ['mute', 'mute'], ['allow', 'allow'], ['newest', 'last'], PANE, ['copy', 'copy']],
  questions: [DETAILS, ['group', 'group'], ['open', 'expand'], SORT, PANE, ZOOM, ['pin', 'pin'], ['copy', 'copy']],
  listeners: [DETAILS, SORT, ['pin', 'pin'], ['copy', 'copy']],
  resolvers: [DETAILS, SORT, PANE, ZOOM, ['copy', 'copy']],
  chart: [
    ['peak', 'mark'],
    ['range', 'shorter', 'longer'],
    ['logarithmic', 'chart-curve'],
  ],
  'history chart': [['step', 'collapse', 'expand'], ['range', 'shorter', 'longer'], ['mark', 'mark'], ['now', 'now'], WRITE],
  'history list': [OPEN, SORT, PANE, ZOOM],
  'history list alone': [OPEN, ['step', 'collapse', 'expand'], ['range', 'shorter', 'longer'], SORT, PANE, ['mark', 'mark']],
  calendar: [['day', 'up', 'down'], ['week', 'collapse', 'expand'], OPEN],
};

/** Keys of the chart while a moment in it is chosen. */
const CHOSEN: readonly Hint[] = [
  ['step', 'collapse', 'expand'],
  ['mark', 'mark'],
  ['leave', 'back'],
];

const CLOSES: Hint = ['closes', 'back'];
const SCROLLED: readonly Hint[] = [
  CLOSES,
  ['scroll', 'up', 'down'],
  ['page', 'page-up', 'page-down'],
  ['begin, end', 'first', 'last'],
];

function picked(what: string): readonly Hint[] {
  return [CLOSES, [what, 'details'], ['choose', 'up', 'down']];
}

const FILTERS: Hint = ['filters for it', 'filter'];

const POPUPS: Readonly<Record<Popup['kind'], readonly Hint[]>> = {
  help: SCROLLED,
  capture: SCROLLED,
  details: [CLOSES, FILTERS, ...SCROLLED.slice(1)],
  themes: picked('takes it'),
  interfaces: picked('captures on them'),
  export: picked('writes it'),
  mute: picked('takes it'),
};

/** Keys that work in every view, with their ranks: help and the way out go last. */
function globalHints({ view, popup, paused, filter }: ViewState): readonly (readonly [rank: number, hint: Hint])[] {
  const out: [number, Hint][] = [];
  if (popup === null) {
    if (filter.applied !== '') out.push([3, ['clears filter', 'back']]);
    out.push([4, ['filter', 'filter']], [5, [paused === null ? 'pause' : 'resume', 'pause']]);
    if (view !== 'history') out.push([7, ['names', 'names']]);
    out.push([6, ['units', 'units']], [8, ['capture', 'capture']]);
  }
  if (popup === null || popup.kind === 'details' || SCROLLED === POPUPS[popup.kind]) out.push([1, ['help', 'help']]);
  return [...out, [2, ['quit', 'quit']]];
}

/** The hints of the footer. */
export function footerHints(state: ViewState, keys: KeyTable, glyphs: Glyphs): readonly FitPart[] {
  return globalHints(state).flatMap(([rank, hint]) => drawn(hint, rank, keys, glyphs));
}

/** What the key that records would do: begin, write the file, or nothing. */
export type Recording = 'begins' | 'writes' | null;

/** What decides which keys of a pane do something now. */
export interface PaneFacts {
  /** Something can hang under the selected row of a table. */
  readonly opens?: boolean;
  /** For panes of history. */
  readonly recording?: Recording;
  /** Packets are kept, which a key writes. */
  readonly keeps?: boolean;
  /** A key allows what the selected alert is about. */
  readonly allows?: boolean;
}

/** The hints of a pane that has the focus. */
export function paneHints(
  pane: HintedPane,
  state: ViewState,
  keys: KeyTable,
  glyphs: Glyphs,
  { opens = true, recording = null, keeps = false, allows = true }: PaneFacts = {},
): readonly FitPart[] {
  const { view, chart, history, lite } = state;
  const marks = view !== 'history' ? nextMark(chart.selection) : history.mark === null ? 'mark' : 'clear the mark';
  const hints = (pane === 'chart' && chart.selection !== null ? CHOSEN : PANES[pane]).map(
    (hint): Hint => (hint[0] === 'mark' ? [marks, 'mark'] : hint),
  );
  if (view === 'overview' && pane !== 'chart') hints.splice(3, 0, ...(lite ? [WHOLE] : [PANE, ZOOM, LITE]));
  if (keeps && view !== 'history') hints.splice(1, 0, PACKETS);
  if (recording === 'begins' && (pane === 'history chart' || pane === 'history list alone')) hints.unshift(RECORD);
  const fitting = hints.filter(
    (hint) => (hint !== WRITE || recording === 'writes') && (opens || hint[1] !== 'expand') && (allows || hint[1] !== 'allow'),
  );
  return ranked(fitting, keys, glyphs);
}

/** What can be done about the row of details. */
export interface DetailsHints {
  /** There is a filter for it. */
  readonly isFilter: boolean;
  /** It has packets, or shows them; null for what has none. */
  readonly packets: 'offered' | 'shown' | null;
  /** Others have its fingerprint. */
  readonly isAlike: boolean;
  /** It has a path. */
  readonly hasPath: boolean;
}

/** The hints of a popup. @param details null for one without */
export function popupHints(
  kind: Popup['kind'],
  keys: KeyTable,
  glyphs: Glyphs,
  details: DetailsHints | null = null,
): readonly FitPart[] {
  if (details === null) return ranked(POPUPS[kind], keys, glyphs);
  const { isFilter, packets, isAlike, hasPath } = details;
  const hints: readonly Hint[] = [
    CLOSES,
    ...(packets === null ? [] : [[packets === 'offered' ? 'packets' : 'facts', 'next-pane'] as const]),
    ...(isFilter ? [FILTERS] : []),
    ...(isAlike ? [['others with its JA4', 'alike'] as const] : []),
    ...(hasPath ? [['path', 'paths'] as const] : []),
    ...SCROLLED.slice(1),
  ];
  return ranked(hints, keys, glyphs);
}

/** The hint of details that are cut. */
export function moreHints(keys: KeyTable, glyphs: Glyphs): readonly FitPart[] {
  return ranked([['all', 'details']], keys, glyphs);
}

function ranked(hints: readonly Hint[], keys: KeyTable, glyphs: Glyphs): readonly FitPart[] {
  return hints.flatMap((hint, rank) => drawn(hint, rank, keys, glyphs));
}

/** A hint with its keys as they are bound; nothing when one of its commands has no key. */
function drawn([text, ...commands]: Hint, rank: number, keys: KeyTable, glyphs: Glyphs): readonly FitPart[] {
  const bound = commands.flatMap((command) => firstKey(keys, command) ?? []);
  if (bound.length < commands.length) return [];
  return [{ rank, line: [span(bound.map((key) => sign(key, glyphs)).join(' '), 'key'), span(` ${text}`, 'dim')] }];
}

const ARROWS: Readonly<Record<string, string>> = { up: '↑', down: '↓', left: '←', right: '→' };

function sign(key: string, { ascii }: Glyphs): string {
  return (ascii ? undefined : ARROWS[key]) ?? keyLabel(key);
}
