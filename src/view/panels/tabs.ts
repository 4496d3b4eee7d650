// The tabs: every view with its key, the one that is shown in brackets; in short forms where the screen is narrow.

import { firstKey, type KeyTable, keyLabel } from '../input/keymap.ts';
import { fitLine, lineWidth } from '../pane.ts';
import { VIEWS, type ViewName } from '../state.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, type Span, span } from '../text/span.ts';

/** Names of a view: whole, short, shortest. */
const NAMES: Readonly<Record<ViewName, readonly [whole: string, short: string, shortest: string]>> = {
  overview: ['Overview', 'Overview', 'Over'],
  apps: ['Apps', 'Apps', 'Apps'],
  connections: ['Connections', 'Conns', 'Conns'],
  hosts: ['Hosts', 'Hosts', 'Hosts'],
  categories: ['Categories', 'Categ.', 'Cats'],
  interfaces: ['Interfaces', 'Ifaces', 'Ifs'],
  events: ['Events', 'Events', 'Events'],
  history: ['History', 'History', 'History'],
  dns: ['DNS', 'DNS', 'DNS'],
  listeners: ['Listeners', 'Listen', 'Listen'],
};

/** Cells of the line in which a view's tab lies. */
export interface Tab {
  readonly view: ViewName;
  readonly from: number;
  readonly to: number;
}

/** The line of tabs, and where each of them is for the mouse. */
export interface TabLine {
  readonly line: Line;
  readonly tabs: readonly Tab[];
}

/** The name of a view as its tab has it. */
export function viewName(view: ViewName): string {
  return NAMES[view][0];
}

/** Draws the tabs in the longest forms that fit: at least their keys, else the shown one alone. */
export function tabLine(view: ViewName, keys: KeyTable, glyphs: Glyphs, width: number): TabLine {
  for (const form of FORMS) {
    const { line, tabs } = joined(view, keys, form);
    if (lineWidth(line) <= width) return { line: fitLine(line, width, glyphs), tabs };
  }
  return { line: fitLine([span(`[${viewName(view)}]`, 'selected')], width, glyphs), tabs: [] };
}

/** A way to draw all tabs. */
interface Form {
  /** Which of its names a view has; past them only the shown one has a name, the whole. */
  readonly size: number;
  /** Each tab has cells of its own around it; else neighbours share one. */
  readonly airy: boolean;
}

const FORMS: readonly Form[] = [
  { size: 0, airy: true },
  { size: 1, airy: true },
  { size: 1, airy: false },
  { size: 2, airy: false },
  { size: 3, airy: false },
];

function joined(view: ViewName, keys: KeyTable, { size, airy }: Form): TabLine {
  const line: Span[] = [];
  const tabs: Tab[] = [];
  let at = 0;
  for (const [index, name] of VIEWS.entries()) {
    const isShown = name === view;
    const key = firstKey(keys, name);
    const label = NAMES[name][size] ?? (isShown ? viewName(name) : '');
    const parts: readonly Span[] = [
      span(isShown ? '[' : !airy && VIEWS[index - 1] === view ? '' : ' '),
      span(key === undefined ? '' : keyLabel(key), 'key'),
      span(key === undefined || label === '' ? label : ` ${label}`, 'dim'),
      span(isShown ? ']' : airy ? ' ' : ''),
    ];
    const from = at;
    for (const { text, role } of parts) {
      line.push(span(text, isShown ? 'selected' : role));
      at += text.length;
    }
    tabs.push({ view: name, from, to: at });
  }
  return { line, tabs };
}
