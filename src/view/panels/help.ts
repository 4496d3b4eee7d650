// The help, made from the key table and the filter's fields, which keeps it true. Keys of the present view come first; signs and filter fields
// come last.

import { FIELDS, WORDS } from '../../filter/fields.ts';
import type { Command } from '../action.ts';
import { type Binding, type KeyTable, keyLabel } from '../input/keymap.ts';
import type { ViewName } from '../state.ts';
import { INFERRED } from '../tables/masking.ts';
import { wrapWords } from '../text/cells.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, span } from '../text/span.ts';

const KEYS_WIDTH = 13;
/** Cells before the words: a margin, keys, a blank. */
const BEFORE = KEYS_WIDTH + 4;

/** Groups in the order in which a newcomer needs them. */
const GROUPS: readonly Binding['group'][] = ['Views', 'Table', 'Look', 'Program', 'Move'];

/** Commands that matter most in a view, in the order in which its help tells of them. */
const OWN: Readonly<Record<ViewName, readonly Command[]>> = {
  overview: ['next-pane', 'details', 'mark', 'zoom', 'shorter', 'longer', 'now'],
  apps: ['expand', 'collapse', 'details', 'pin', 'freeze'],
  connections: ['closed', 'names', 'services', 'details', 'pin'],
  hosts: ['expand', 'collapse', 'names', 'details'],
  categories: ['details', 'count-from-now'],
  interfaces: ['interface', 'capture', 'details'],
  events: ['last', 'details', 'filter'],
  history: ['expand', 'collapse', 'shorter', 'longer', 'mark', 'now', 'next-pane', 'details', 'save-history'],
  listeners: ['details', 'filter', 'sort-next'],
  dns: ['group', 'expand', 'collapse', 'next-pane', 'zoom', 'details'],
};

type Entry = readonly [sign: string, meaning: string];

function signs(glyphs: Glyphs): readonly Entry[] {
  return [
    [`${glyphs.rx} ${glyphs.tx}`, 'received and sent, as this machine sees it'],
    [`${glyphs.outbound} ${glyphs.inbound}`, 'a connection opened from here; opened from outside'],
    [glyphs.local, 'within this machine: a=b are the apps at its two ends'],
    [glyphs.transit, 'forwarded: neither end is this machine'],
    [`${INFERRED}name`, 'inferred from the address, not named by the traffic itself'],
    ['by', 'where the name comes from: dns, tls, quic, http, mdns, ptr'],
    ['app (reason)', 'no owner is known, and why'],
    ['123+4', 'the newest process, and how many more'],
    [`${glyphs.closed} ${glyphs.opened}`, 'the row has more below it; it is open'],
    ['new', 'seen for the first time within ten minutes'],
    [glyphs.unknown, 'unknown, which is never shown as zero'],
    [glyphs.pin, 'pinned on top'],
    [glyphs.peak, 'the highest rate in the chart'],
    ['not captured', 'share of the bytes that the interface counted and netmon-tui did not see'],
    ['captured', 'of an interface: the share of what it counted itself'],
    ['dropped by', 'the kernel: it had no room for the packet; netmon-tui: it had no time for it'],
    ['unowned', 'share of the bytes without a known app'],
  ];
}

/** Lines of the help, groups apart; the keys of the view first. Long words of explanation go on in the next line. */
export function helpLines(keys: KeyTable, view: ViewName, glyphs: Glyphs, width: number): readonly Line[] {
  const own = OWN[view].flatMap((command) => keys.filter((binding) => binding.command === command));
  const fields = [...FIELDS, ...WORDS].map(({ name, help }): Entry => [name, help]);
  const groups: readonly (readonly [title: string, entries: readonly Entry[]])[] = [
    [`In this view: ${view}`, own.map(keyEntry)],
    ...GROUPS.map((group) => {
      const rest = keys.filter((binding) => binding.group === group && !own.includes(binding));
      return [group, rest.map(keyEntry)] as const;
    }),
    ['Signs and words', signs(glyphs)],
    ['Filter: a word, or a field with : = != ~ < <= > >= and a value; and, or, not, ( )', fields],
  ];
  const lines: Line[] = [];
  for (const [title, entries] of groups) {
    if (entries.length === 0) continue;
    if (lines.length > 0) lines.push([]);
    lines.push(...wrapWords(title, width - 2).map((text) => [span(` ${text}`, 'title')]));
    for (const entry of entries) lines.push(...entryLines(entry, width));
  }
  return lines;
}

function keyEntry({ keys, help }: Binding): Entry {
  return [keys.length > 0 ? keys.map(keyLabel).join(' ') : 'no key', help];
}

function entryLines([sign, meaning]: Entry, width: number): readonly Line[] {
  return wrapWords(meaning, Math.max(8, width - BEFORE - 1)).map((text, index) => [
    span(`   ${(index === 0 ? sign : '').padEnd(KEYS_WIDTH)} `, 'key'),
    span(text),
  ]);
}
