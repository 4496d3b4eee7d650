// Hints for the footer: the keys of this view or of the popup over it. When they don't all fit, those with the highest rank go first.

import type { Command } from '../action.ts';
import { type KeyTable, keyLabel } from '../input/keymap.ts';
import { lineWidth } from '../pane.ts';
import { type Popup, VIEWS, type ViewName, type ViewState } from '../state.ts';
import { type Line, span } from '../text/span.ts';

/** A word after the keys of its commands; lower ranks are taken first. */
interface Hint {
  readonly commands: readonly Command[];
  readonly text: string;
  readonly rank: number;
  /** Views that show it; all but history by default. */
  readonly views?: readonly ViewName[];
}

/** A hint as it is drawn. */
export interface HintPart {
  readonly rank: number;
  readonly line: Line;
}

/** Cells between two hints. */
export const HINT_GAP = 2;
/** The way to the other views stands before all hints, and goes after help and the way out. */
const VIEWS_RANK = 3;

const USUAL: readonly Hint[] = [
  { commands: ['next-pane'], text: 'pane', rank: 7, views: ['overview'] },
  { commands: ['expand'], text: 'open', rank: 7, views: ['apps', 'hosts'] },
  { commands: ['details'], text: 'details', rank: 5 },
  { commands: ['interface'], text: 'pick', rank: 8, views: ['interfaces'] },
  { commands: ['closed'], text: 'closed', rank: 9, views: ['overview', 'connections'] },
  { commands: ['mark'], text: 'peak', rank: 10 },
  { commands: ['names'], text: 'names', rank: 11 },
  { commands: ['units'], text: 'units', rank: 12 },
  { commands: ['capture'], text: 'capture', rank: 13 },
  { commands: ['filter'], text: 'filter', rank: 4 },
  {
    commands: ['sort-next'],
    text: 'sort',
    rank: 6,
    views: ['overview', 'apps', 'connections', 'hosts', 'categories', 'interfaces'],
  },
  { commands: ['pause'], text: 'pause', rank: 8 },
  { commands: ['help'], text: 'help', rank: 1 },
  { commands: ['quit'], text: 'quit', rank: 2 },
];

/** Stands first while a filter narrows what is shown. */
const CLEARS: Hint = { commands: ['back'], text: 'clears filter', rank: 4 };

const HISTORY: readonly Hint[] = [
  { commands: ['collapse', 'expand'], text: 'step', rank: 4 },
  { commands: ['shorter', 'longer'], text: 'zoom', rank: 5 },
  { commands: ['mark'], text: 'mark', rank: 6 },
  { commands: ['now'], text: 'now', rank: 9 },
  { commands: ['details'], text: 'open', rank: 7 },
  { commands: ['next-pane'], text: 'pane', rank: 8 },
  { commands: ['filter'], text: 'filter', rank: 10 },
  { commands: ['sort-next'], text: 'sort', rank: 11 },
  { commands: ['units'], text: 'units', rank: 12 },
  { commands: ['save-history'], text: 'write', rank: 13 },
  { commands: ['help'], text: 'help', rank: 1 },
  { commands: ['quit'], text: 'quit', rank: 2 },
];

/** Its frame says what closes it. */
const SCROLLED: readonly Hint[] = [
  { commands: ['up', 'down'], text: 'scroll', rank: 2 },
  { commands: ['page-up', 'page-down'], text: 'page', rank: 3 },
  { commands: ['first', 'last'], text: 'begin, end', rank: 4 },
];

function picked(what: string): readonly Hint[] {
  return [
    { commands: ['up', 'down'], text: 'choose', rank: 3 },
    { commands: ['details'], text: what, rank: 2 },
  ];
}

const POPUPS: Readonly<Record<Popup['kind'], readonly Hint[]>> = {
  help: SCROLLED,
  capture: SCROLLED,
  details: SCROLLED,
  themes: picked('takes it'),
  interfaces: picked('captures on it'),
  export: picked('writes it'),
};

/** The hints that fit into `width` cells, each with its keys as they are bound; one whose keys are taken says nothing. */
export function hintParts({ view, popup, filter }: ViewState, keys: KeyTable, width: number): readonly HintPart[] {
  const bound = ({ commands, text, rank }: Hint): readonly HintPart[] => {
    const labels = commands.flatMap((command) => keysOf(keys, command));
    return labels.length < commands.length
      ? []
      : [{ rank, line: [span(labels.map(keyLabel).join(' '), 'key'), span(` ${text}`, 'dim')] }];
  };
  if (popup !== null) return POPUPS[popup.kind].flatMap(bound);
  const hints = view === 'history' ? HISTORY : USUAL.filter(({ views }) => views?.includes(view) ?? true);
  const parts = (filter.applied === '' ? hints : [CLEARS, ...hints]).flatMap(bound);
  const named = viewNames(keys, view);
  const views = lineWidth(named) <= width / 2 ? named : viewRange(keys);
  return views.length === 0 ? parts : [{ rank: VIEWS_RANK, line: views }, ...parts];
}

function keysOf(keys: KeyTable, command: Command): readonly string[] {
  return keys.find((binding) => binding.command === command)?.keys.slice(0, 1) ?? [];
}

/** `1 overview 2 apps ...`, the present one marked. */
function viewNames(keys: KeyTable, view: ViewName): Line {
  return VIEWS.flatMap((name) => keysOf(keys, name).map((key) => ({ name, key }))).flatMap(({ name, key }, index) => [
    span(`${index > 0 ? ' ' : ''}${keyLabel(key)}`, 'key'),
    span(` ${name}`, name === view ? 'title' : 'dim'),
  ]);
}

/** `1-8 views`; nothing where their keys are no row of neighbours. */
function viewRange(keys: KeyTable): Line {
  const bound = VIEWS.flatMap((name) => keysOf(keys, name));
  const first = bound[0];
  const isRow = first !== undefined && bound.every((key, i) => key.length === 1 && key.charCodeAt(0) === first.charCodeAt(0) + i);
  return isRow && bound.length === VIEWS.length ? [span(`${first}-${bound.at(-1)}`, 'key'), span(' views', 'dim')] : [];
}
