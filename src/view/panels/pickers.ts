// The lists of the pickers: interfaces with what is known of each, and the forms of an export.

import type { Mute } from '../../model/alert.ts';
import { EXPORT_FORMATS } from '../action.ts';
import type { MuteItem, Popup, ViewState } from '../state.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { drawable } from '../text/cells.ts';
import { formatMoment } from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, span } from '../text/span.ts';

/** Interfaces: those that are captured now, and those chosen so far, marked. */
export function interfaceLines(
  { items, index, chosen, note }: Extract<Popup, { kind: 'interfaces' }>,
  glyphs: Glyphs,
): readonly Line[] {
  if (items === null) return [[span(' looking for interfaces', 'dim')]];
  const lines: Line[] = items.map(({ name, isRoute, about, isCaptured }, at) => {
    const isChosen = name !== null && chosen.includes(name);
    return [
      span(at === index ? ` ${glyphs.cursor}` : '  ', 'accent'),
      // "any" and the default route stand alone, so they have nothing to mark.
      span(name === null ? '    ' : isChosen ? '[x] ' : '[ ] ', isChosen ? 'accent' : 'dim'),
      span(drawable(name ?? (isRoute ? 'default route' : 'any'), glyphs).padEnd(13), at === index ? 'selected' : 'text'),
      span(isCaptured ? ' captured now ' : ''.padEnd(14), 'accent'),
      span(drawable(about, glyphs), 'dim'),
    ];
  });
  const told: readonly Line[] = note === null ? [] : [[], [span(` ${drawable(note, glyphs)}`, 'warn')]];
  return [...lines, ...told, [], [span(' Space', 'key'), span(' marks several', 'dim')]];
}

const LASTING: readonly (readonly [lastsMs: number | null, text: string])[] = [
  [3_600_000, 'for an hour'],
  [86_400_000, 'for a day'],
  [null, 'for good'],
];
/** How long a mute may last, ms; null is for good. */
export const MUTE_TIMES = LASTING.map(([lastsMs]) => lastsMs);

/** What a mute silences, in words. */
export function scopeText({ kind, rule, app, domain }: Omit<Mute, 'until'>, context: CellContext): string {
  const what = rule === null ? (kind ?? 'all alerts') : `rule "${shown(rule, context)}"`;
  const who = [app === null ? '' : `by ${shown(app, context)}`, domain === null ? '' : `about ${hidden(domain, context)}`];
  return [what, ...who].filter((part) => part !== '').join(' ');
}

/** Until when a mute lasts. */
export function lastingText({ until }: Mute, { now }: CellContext): string {
  return until === null ? 'for good' : `until ${formatMoment(until, now)}`;
}

function muteText(item: MuteItem, context: CellContext): string {
  if (item.type === 'unmute') return `unmute ${scopeText(item.mute, context)}, muted ${lastingText(item.mute, context)}`;
  const how = LASTING.find(([known]) => known === item.lastsMs)?.[1] ?? '';
  return `${scopeText(item.mute, context)} ${how}`;
}

/** Ways to silence alerts, and mutes to end. */
export function muteLines({ items, index }: Extract<Popup, { kind: 'mute' }>, context: CellContext): readonly Line[] {
  return [
    ...items.map(
      (item, at): Line => [
        span(at === index ? ` ${context.glyphs.cursor} ` : '   ', 'accent'),
        span(muteText(item, context), at === index ? 'selected' : 'text'),
      ],
    ),
    [],
    [span(' muted alerts stay here and in history, and go nowhere else', 'dim')],
  ];
}

const FORMS: Readonly<Record<(typeof EXPORT_FORMATS)[number], string>> = {
  csv: 'CSV, for a spreadsheet',
  json: 'JSON, one object',
};

/** Forms of an export, and what is written. */
export function exportLines(state: ViewState, { index }: Extract<Popup, { kind: 'export' }>, glyphs: Glyphs): readonly Line[] {
  const filtered = state.filter.filter === null ? '' : ', filtered';
  return [
    ...EXPORT_FORMATS.map(
      (format, at): Line => [
        span(at === index ? ` ${glyphs.cursor} ` : '   ', 'accent'),
        span(FORMS[format], at === index ? 'selected' : 'text'),
      ],
    ),
    [],
    [span(` all rows of ${state.pane}${filtered}, into a new file`, 'dim')],
  ];
}
