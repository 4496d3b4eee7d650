// Help while a filter is typed: Up and Down recall recent filters, Tab completes fields and values.

import { type Completions, completions } from '../../filter/completions.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { sanitize } from '../../net/text.ts';
import type { FilterState, Offer } from '../state.ts';

/** Filters that are kept, the newest last. */
export const FILTERS_MAX = 50;
/** Values of one field that are offered. */
const VALUES_MAX = 200;

/** The recent filters with one more at the end, and only there. */
export function withRecent(recent: readonly string[], text: string): readonly string[] {
  return text.trim() === '' ? recent : [...recent.filter((one) => one !== text), text].slice(-FILTERS_MAX);
}

/** The input after going up (-1) or down (1) the recent filters; null at either end. Below the newest is what the user typed. */
export function recalledFilter(
  filter: FilterState,
  by: -1 | 1,
): { readonly text: string; readonly recalled: number | null; readonly typed: string } | null {
  const { recent, recalled, text } = filter;
  const typed = recalled === null ? text : filter.typed;
  const index = (recalled ?? recent.length) + by;
  if (index < 0 || index > recent.length) return null;
  return index === recent.length
    ? { text: typed, recalled: null, typed }
    : { text: recent[index] as string, recalled: index, typed };
}

/** What could stand at the cursor, values of the picture included. */
export function offersAt(text: string, cursor: number, live: Snapshot): Completions {
  return completions(text, cursor, (field) => valuesOf(field, live));
}

/** The next offer at the cursor and the text with it; null where there is none. */
export function nextOffer(
  filter: FilterState,
  live: Snapshot,
): { readonly text: string; readonly cursor: number; readonly offer: Offer } | null {
  const { text, cursor, offer } = filter;
  if (cursor === null) return null;
  if (offer !== null && offer.items.length > 1) {
    const index = (offer.index + 1) % offer.items.length;
    return placed(text, offer.from, cursor, { ...offer, index });
  }
  const { from, items } = offersAt(text, cursor, live);
  return items.length === 0 ? null : placed(text, from, cursor, { from, items: items.map((item) => item.text), index: 0 });
}

function placed(text: string, from: number, to: number, offer: Offer) {
  const item = offer.items[offer.index] as string;
  return { text: text.slice(0, from) + item + text.slice(to), cursor: from + item.length, offer };
}

/** Where the values of a field stand in a snapshot. */
const VALUES: Readonly<Record<string, (live: Snapshot) => readonly (string | null)[]>> = {
  app: ({ apps }) => apps.map(({ app }) => app),
  user: ({ apps }) => apps.map(({ user }) => user),
  host: ({ hosts }) => hosts.map(({ host }) => host),
  domain: ({ hosts }) => hosts.map(({ domain }) => domain),
  country: ({ hosts }) => hosts.map(({ country }) => country),
  category: ({ categories }) => categories.map(({ category }) => category),
  iface: ({ interfaces }) => interfaces.map((row) => row.interface),
};

/** Values that a field has now, as they are typed: quoted where they are more than one word. */
function valuesOf(field: string, live: Snapshot): readonly string[] {
  const found = VALUES[field]?.(live) ?? [];
  const values = new Set<string>();
  for (const value of found) {
    if (value === null || values.size >= VALUES_MAX) continue;
    const clean = sanitize(value);
    if (clean !== value || clean.length > 100 || /["\\]/.test(clean)) continue; // it could not be typed either
    values.add(/^[\w.:-]+$/.test(clean) ? clean : `"${clean}"`);
  }
  return [...values];
}
