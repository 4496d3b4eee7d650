// The lists of the pickers: interfaces with what is known of each, and the forms of an export.

import { EXPORT_FORMATS } from '../action.ts';
import type { Popup, ViewState } from '../state.ts';
import { drawable } from '../text/cells.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, span } from '../text/span.ts';

/** Interfaces: those that are captured now, and those chosen so far, marked. */
export function interfaceLines(
  { items, index, chosen }: Extract<Popup, { kind: 'interfaces' }>,
  glyphs: Glyphs,
): readonly Line[] {
  if (items === null) return [[span(' looking for interfaces', 'dim')]];
  const lines: Line[] = items.map(({ name, about, isCaptured }, at) => {
    const isChosen = name !== null && chosen.includes(name);
    return [
      span(at === index ? ` ${glyphs.cursor}` : '  ', 'accent'),
      // "any" stands alone, so it has nothing to mark.
      span(name === null ? '    ' : isChosen ? '[x] ' : '[ ] ', isChosen ? 'accent' : 'dim'),
      span(drawable(name ?? 'any', glyphs).padEnd(12), at === index ? 'selected' : 'text'),
      span(isCaptured ? ' captured now ' : ''.padEnd(14), 'accent'),
      span(drawable(about, glyphs), 'dim'),
    ];
  });
  return [...lines, [], [span(' Space', 'key'), span(' marks several', 'dim')]];
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
