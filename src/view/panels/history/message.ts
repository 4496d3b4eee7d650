// The message in place of an empty history chart: why it is empty, and what to type.

import { RECORD_FIELDS, RECORD_HINT } from '../../../model/history.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import { resultOf } from '../../history/state.ts';
import type { ViewState } from '../../state.ts';
import { dateText } from '../../text/calendar.ts';
import { drawable, wrapWords } from '../../text/cells.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import { type Line, type Role, span } from '../../text/span.ts';

/** The lines, none wider than `width`. */
export function historyMessage(state: ViewState, live: Snapshot, glyphs: Glyphs, width: number): readonly Line[] {
  const slot = state.history.slots.chart;
  const result = resultOf(state.history, 'chart');
  const recording = (state.paused ?? live).capture.history;
  const how: readonly Line[] = [
    [span('  To record:', 'dim'), span('  netmon-tui --history', 'key'), span('  with this run,', 'dim')],
    [
      span('             [history]', 'key'),
      span('  ', 'dim'),
      span('enabled = true', 'key'),
      span('  in the config file for all runs.', 'dim'),
    ],
  ];
  const begun: readonly Line[] = [[span('  Recording has just begun: the first minute is not complete yet.')]];
  if (slot?.failure != null) {
    // Before the first save there may be nothing to read.
    if (recording?.state === 'recording' && recording.savedAt === null && result === null) return begun;
    const { message, hint } = slot.failure;
    const wrapped = (text: string, role: Role): Line[] =>
      wrapWords(drawable(text, glyphs), Math.max(8, width - 3)).map((line) => [span(`  ${line}`, role)]);
    const lines = wrapped(message, 'warn');
    if (hint !== null && !hint.startsWith(RECORD_HINT)) return [...lines, ...wrapped(hint, 'dim')];
    return recording === null && result === null ? [...lines, ...how] : lines;
  }
  if (slot === undefined || (slot.pending && result === null)) return [[span(`  reading the history${glyphs.more}`, 'dim')]];
  if (result === null || result.oldest === null) {
    if (recording?.state === 'recording') return begun;
    return [[span('  Nothing is recorded yet.', 'warn')], ...(recording === null ? how : [])];
  }
  const isFiltered = state.filter.applied !== '';
  const lines: Line[] = [
    [span(isFiltered ? '  Nothing recorded here matches the filter.' : '  Nothing was recorded in this range.')],
    [span(`  There are records from ${dateText(result.oldest)} to ${dateText(result.newest ?? result.oldest)}.`, 'dim')],
  ];
  // A filter on a field that records lack matches nothing.
  if (isFiltered) lines.push([span(`  A record keeps ${RECORD_FIELDS}.`, 'dim')]);
  return lines;
}
