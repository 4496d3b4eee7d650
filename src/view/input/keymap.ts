// The one table of keys: what is pressed, what it does, what the help says. Input, help panel, footer and docs/usage.md are made from it.

import { COMMANDS, type Command } from '../action.ts';

/** One row of the table. */
export interface Binding {
  readonly command: Command;
  readonly keys: readonly string[];
  readonly help: string;
  readonly group: 'Views' | 'Move' | 'Look' | 'Table' | 'Program';
}

/** All bindings in the order of the help. */
export type KeyTable = readonly Binding[];

/** What a run has without a `[keys]` table in its config file. */
export const KEYMAP: KeyTable = [
  bind('up', ['up', 'k'], 'move up', 'Move'),
  bind('down', ['down', 'j'], 'move down', 'Move'),
  bind('first', ['g', 'home'], 'first row, and follow whatever is first', 'Move'),
  bind('last', ['G', 'end'], 'last row', 'Move'),
  bind('page-up', ['pageup', 'ctrl+b'], 'a page up', 'Move'),
  bind('page-down', ['pagedown', 'ctrl+f'], 'a page down', 'Move'),
  bind('expand', ['right'], 'open the row; in a chart: step right', 'Move'),
  bind('collapse', ['left'], 'close the row, or go up; in a chart: step left', 'Move'),
  bind('next-pane', ['tab'], 'next pane', 'Move'),
  bind('previous-pane', ['shift+tab'], 'previous pane', 'Move'),
  bind('zoom', ['Z'], 'give the pane the whole screen, and back', 'Move'),
  bind('details', ['enter'], 'everything known about the row', 'Move'),
  bind('back', ['escape'], 'back: leaves the chart, then clears the filter', 'Move'),

  bind('overview', ['1'], 'overview', 'Views'),
  bind('apps', ['2'], 'apps, full screen', 'Views'),
  bind('connections', ['3'], 'connections, full screen', 'Views'),
  bind('hosts', ['4'], 'hosts, full screen', 'Views'),
  bind('categories', ['5'], 'categories, full screen', 'Views'),
  bind('interfaces', ['6'], 'interfaces, full screen', 'Views'),
  bind('events', ['7'], 'events: what happened, and what is new', 'Views'),
  bind('history', ['8'], 'history: who moved how much, when', 'Views'),
  bind('dns', ['9'], 'DNS: who asked for what, what came back, how fast', 'Views'),
  bind('listeners', ['0'], 'listeners: what waits for connections, and who came', 'Views'),
  bind('lite', ['l'], 'lite: apps and rates at one glance, and back', 'Views'),
  bind('shorter', ['[', '+'], 'chart: a shorter range', 'Look'),
  bind('longer', [']', '-'], 'chart: a longer range, up to 24 h; history: up to years', 'Look'),
  bind('mark', ['v'], 'chart: who sent that peak? again: mark a range, or all', 'Look'),
  bind('now', ['.'], 'chart: back to now', 'Look'),
  bind('chart-curve', ['L'], 'chart: linear or logarithmic', 'Look'),
  bind('chart-scales', ['X'], 'chart: one scale for RX and TX, or one each', 'Look'),
  bind('capture', ['c'], 'the capture: its driver and why, its losses', 'Look'),
  bind('names', ['n'], 'names or addresses', 'Look'),
  bind('services', ['N'], 'service names or port numbers', 'Look'),
  bind('units', ['u'], 'units: bytes or bits, binary or decimal', 'Look'),
  bind('privacy', ['x'], 'hide addresses and names, for screenshots', 'Look'),
  bind('paths', ['H'], 'show the paths of HTTP requests in details, or hide them', 'Look'),
  bind('interface', ['i'], 'pick the interfaces to capture on', 'Look'),
  bind('theme', ['T'], 'pick a theme, with live preview', 'Look'),

  bind('filter', ['/'], 'filter, applied as it is typed', 'Table'),
  bind('alike', ['J'], 'connections with the same JA4 fingerprint', 'Table'),
  bind('sort-next', ['s', '>'], 'sort by the next column', 'Table'),
  bind('sort-previous', ['<'], 'sort by the previous column', 'Table'),
  bind('sort-direction', ['S'], 'reverse the sort order', 'Table'),
  bind('average', ['a'], 'rates and order: means over 2, 10 or 40 s', 'Table'),
  bind('freeze', ['o'], 'freeze the order of rows', 'Table'),
  bind('pin', ['f'], 'pin the row on top', 'Table'),
  bind('lineage', ['B', 'f5'], 'apps: below what started them: shell, IDE, agent', 'Table'),
  bind('containers', ['C'], 'apps: below the container that they run in', 'Table'),
  bind('follow', ['F'], 'tree of B: follow the process; again: its receipt', 'Table'),
  bind('machines', ['M'], 'rows below their machine, or side by side (attach)', 'Table'),
  bind('closed', ['t'], 'show closed connections; in events: all connections', 'Table'),
  bind('group', ['b'], 'DNS: group by app, name, domain, or not', 'Table'),
  bind('count-from-now', ['z'], 'count from now; again: since the start', 'Table'),
  bind('mute', ['m'], 'alerts: mute those like it, or end a mute', 'Table'),
  bind('allow', ['A'], 'alerts: this is allowed from now on', 'Table'),
  bind('export', ['e'], 'export what is shown to a file (CSV, JSON)', 'Table'),
  bind('packets', ['P'], 'write kept packets of the row or range; again: go on', 'Table'),
  bind('digest', ['D'], 'SHA-256 of the executable, in details', 'Table'),
  bind('copy', ['y'], 'copy the row to the clipboard', 'Table'),

  bind('pause', ['p', 'space'], 'pause the picture; capture goes on', 'Program'),
  bind('help', ['?', 'f1', 'h'], 'this help', 'Program'),
  bind('save-history', ['w'], 'record history from now on; again: write its file now', 'Program'),
  bind('redraw', ['ctrl+l'], 'redraw the screen', 'Program'),
  bind('suspend', ['ctrl+z'], 'suspend to the shell', 'Program'),
  bind('quit', ['q', 'ctrl+c'], 'quit', 'Program'),
];

function bind(command: Command, keys: readonly string[], help: string, group: Binding['group']): Binding {
  return { command, keys, help, group };
}

const NAMED_KEYS = [
  'up',
  'down',
  'left',
  'right',
  'home',
  'end',
  'pageup',
  'pagedown',
  'insert',
  'delete',
  'tab',
  'enter',
  'escape',
  'space',
  'backspace',
  ...Array.from({ length: 12 }, (_, i) => `f${i + 1}`),
] as const;

/** True for a key that can be bound: a printable ASCII character, a named key, either with `ctrl+`, `alt+` or (named keys only) `shift+`. */
export function isKeyName(key: string): boolean {
  const plainKey = key.replace(/^(?:(?:ctrl|alt)\+)+(?=.)/, '');
  if (plainKey.length === 1) return plainKey >= '!' && plainKey <= '~';
  return (NAMED_KEYS as readonly string[]).includes(plainKey.replace(/^shift\+/, ''));
}

/**
 * The key table with a config file's `[keys]` applied: each names a command and replaces all of its keys. A key taken for one command
 * is lost by the others.
 *
 * @returns the table, or what is wrong with the record and what is allowed, one line for each.
 */
export function rebind(
  record: Readonly<Record<string, readonly string[] | string>>,
): { readonly ok: true; readonly keys: KeyTable } | { readonly ok: false; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const wanted = new Map<string, readonly string[]>();
  const owners = new Map<string, string>();
  for (const [command, value] of Object.entries(record)) {
    const keys = typeof value === 'string' ? [value] : value;
    if (!(COMMANDS as readonly string[]).includes(command))
      problems.push(`keys: no action "${command}"; actions are ${COMMANDS.join(', ')}`);
    for (const key of keys) {
      if (!isKeyName(key))
        problems.push(
          `keys.${command}: no key "${key}"; keys are a character, ${NAMED_KEYS.slice(0, 15).join(', ')}, f1 to f12, with ctrl+, alt+ or shift+`,
        );
      const owner = owners.get(key);
      if (owner !== undefined && owner !== command) problems.push(`keys.${command}: key "${key}" is already bound to "${owner}"`);
      owners.set(key, command);
    }
    wanted.set(command, keys);
  }
  const keys = KEYMAP.map((binding) => ({
    ...binding,
    keys: wanted.get(binding.command) ?? binding.keys.filter((key) => (owners.get(key) ?? binding.command) === binding.command),
  }));
  if (keys.some(({ command, keys: left }) => command === 'quit' && left.length === 0))
    problems.push('keys.quit: needs a key, else there is no way out');
  return problems.length > 0 ? { ok: false, problems } : { ok: true, keys };
}

/** Command that a key stands for; null for none. */
export function commandOf(keys: KeyTable, key: string): Command | null {
  for (const binding of keys) if (binding.keys.includes(key)) return binding.command;
  return null;
}

const firstKeys = new WeakMap<KeyTable, ReadonlyMap<Command, string>>();

/** The first key of a command; undefined where it has none. Every frame asks for some twenty. */
export function firstKey(keys: KeyTable, command: Command): string | undefined {
  let first = firstKeys.get(keys);
  if (first === undefined) {
    first = new Map(keys.flatMap((binding) => binding.keys.slice(0, 1).map((key) => [binding.command, key] as const)));
    firstKeys.set(keys, first);
  }
  return first.get(command);
}

/** The first key of a command, as a person writes it; empty where it has none. */
export function commandLabel(keys: KeyTable, command: Command): string {
  const key = firstKey(keys, command);
  return key === undefined ? '' : keyLabel(key);
}

const LABELS: Readonly<Record<string, string>> = {
  pageup: 'PgUp',
  pagedown: 'PgDn',
  escape: 'Esc',
  'shift+tab': 'Shift+Tab',
};

/** A key as a person writes it: `Ctrl+B`, `PgUp`, `q`. */
export function keyLabel(key: string): string {
  const label = LABELS[key];
  if (label !== undefined) return label;
  if (key.length === 1) return key;
  return key
    .split('+')
    .map((part) => (part.length === 1 ? part.toUpperCase() : `${part.slice(0, 1).toUpperCase()}${part.slice(1)}`))
    .join('+');
}
