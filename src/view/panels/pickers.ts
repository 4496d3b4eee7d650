// The lists of the pickers: interfaces with what is known of each, and the forms of an export.

import { EXPORT_FORMATS } from '../action.ts';
import type { Popup, ViewState } from '../state.ts';
import { drawable } from '../text/cells.ts';
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
