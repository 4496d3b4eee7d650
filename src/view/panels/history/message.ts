// The message in place of an empty history chart: why it is empty, and what to type.

import { RECORD_FIELDS, unrecorded } from '../../../model/history.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import { NO_PLACE, resultOf, whyNotRecorded } from '../../history/state.ts';
import { commandLabel, type KeyTable } from '../../input/keymap.ts';
import type { ViewState } from '../../state.ts';
import { dateText } from '../../text/calendar.ts';
import { drawable, wrapWords } from '../../text/cells.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import { type Line, type Role, span } from '../../text/span.ts';

/** The lines, none wider than `width`. */
export function historyMessage(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable, width: number): readonly Line[] {
  const slot = state.history.slots.chart;
  const result = resultOf(state.history, 'chart');
  const recording = (state.paused ?? live).capture.history;
  const wrapped = (text: string, role: Role): Line[] =>
    wrapWords(drawable(text, glyphs), Math.max(8, width - 3)).map((line) => [span(`  ${line}`, role)]);
  const begun: readonly Line[] = [[span('  Recording has just begun: the first minute is not complete yet.')]];
  if (slot?.failure != null) {
    // Before the first save there may be nothing to read.
    if (recording?.state === 'recording' && recording.savedAt === null && result === null) return begun;
    const { message, hint } = slot.failure;
    return [...wrapped(message, 'warn'), ...(hint === null ? [] : wrapped(hint, 'dim'))];
  }
  if (slot === undefined || (slot.pending && slot.answer === null)) return [[span(`  reading the history${glyphs.more}`, 'dim')]];
  if (result === null || result.oldest === null) {
    if (recording?.state === 'recording') return begun;
    return wrapped(recording === null ? howToRecord(state, live, glyphs, keys) : 'Nothing is recorded yet.', 'text');
  }
  const isFiltered = state.filter.applied !== '';
  const lines: Line[] = [
    [span(isFiltered ? '  Nothing recorded here matches the filter.' : '  Nothing was recorded in this range.')],
    [span(`  There are records from ${dateText(result.oldest)} to ${dateText(result.newest ?? result.oldest)}.`, 'dim')],
  ];
  const missing = unrecorded(state.filter.filter?.fields ?? []);
  if (missing !== '') lines.push([span(`  ${missing.charAt(0).toUpperCase()}${missing.slice(1)}.`, 'warn')]);
  // A filter on a field that records lack matches nothing.
  if (isFiltered) lines.push([span(`  A record keeps ${RECORD_FIELDS}.`, 'dim')]);
  return lines;
}

/** One sentence for a run that records nothing: the key that begins, and where. */
function howToRecord(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable): string {
  const why = whyNotRecorded(state.history, live);
  const key = commandLabel(keys, 'save-history');
  const { history, privacy } = state;
  if (why !== null || key === '') return why ?? NO_PLACE;
  return `Nothing is recorded yet: ${key} records from now on, into ${privacy ? glyphs.masked.repeat(6) : history.file}`;
}
