// The help: made from the key table, so that it can't say anything else than what the keys do. What concerns the view stands first.

import type { Command } from '../action.ts';
import { type Binding, type KeyTable, keyLabel } from '../keymap.ts';
import { type Line, span } from '../span.ts';
import type { ViewName } from '../state.ts';

const KEYS_WIDTH = 13;

/** Commands that matter most in a view, in the order in which its help tells of them. */
const OWN: Readonly<Record<ViewName, readonly Command[]>> = {
  overview: ['next-pane', 'zoom', 'mark', 'shorter', 'longer', 'now', 'chart-curve', 'chart-scales', 'expand', 'collapse'],
  apps: ['expand', 'collapse', 'details', 'pin', 'freeze'],
  connections: ['closed', 'names', 'services', 'details', 'pin'],
  hosts: ['expand', 'collapse', 'names', 'details'],
  categories: ['details', 'count-from-now'],
  interfaces: ['interface', 'capture', 'details'],
  events: ['last', 'details', 'filter'],
  history: ['expand', 'collapse', 'shorter', 'longer', 'mark', 'now', 'next-pane', 'details', 'save-history'],
};

/** Lines of the help, groups apart; the keys of the view first. */
export function helpLines(keys: KeyTable, view: ViewName): readonly Line[] {
  const own = OWN[view].flatMap((command) => keys.filter((binding) => binding.command === command));
  const lines: Line[] = [[span(` In this view: ${view}`, 'title')], ...own.map(helpLine)];
  let group = '';
  for (const binding of keys) {
    if (own.includes(binding)) continue;
    if (binding.group !== group) {
      lines.push([]);
      group = binding.group;
      lines.push([span(` ${group}`, 'title')]);
    }
    lines.push(helpLine(binding));
  }
  return lines;
}

function helpLine({ keys, help }: Binding): Line {
  const names = keys.length > 0 ? keys.map(keyLabel).join(' ') : 'no key';
  return [span(`   ${names.padEnd(KEYS_WIDTH)} `, 'key'), span(help)];
}
