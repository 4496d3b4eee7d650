// Lines of the JSON stream: one object each, newline at the end. Pure; what is in them is decided in fields.ts.

import type { FlowRow, Gap, Snapshot } from '../aggregate/snapshot.ts';
import { flowFields, gapFields, SCHEMA, type Skipped, snapshotFields, timeField } from './fields.ts';

const NOTHING_SKIPPED: Skipped = { samples: 0, events: 0 };

/** A line of type `sample`. */
export function sampleLine(snapshot: Snapshot, skipped: Skipped = NOTHING_SKIPPED): string {
  return line({ type: 'sample', schema: SCHEMA, ...snapshotFields(snapshot, skipped) });
}

/** The last line of a run, of type `end`: a sample's fields with the totals of the run. */
export function endLine(snapshot: Snapshot, skipped: Skipped = NOTHING_SKIPPED): string {
  return line({ type: 'end', schema: SCHEMA, ...snapshotFields(snapshot, skipped) });
}

/** A line of type `gap`, of the time at which the gap ended. */
export function gapLine(gap: Gap): string {
  return line({ type: 'gap', schema: SCHEMA, time: timeField(gap.to), ...gapFields(gap) });
}

/** A line of type `open`, of the time of the flow's first packet. */
export function openLine(flow: FlowRow): string {
  return line({ type: 'open', schema: SCHEMA, time: timeField(flow.firstSeen), ...flowFields(flow) });
}

/** A line of type `close`: a flow with its totals, of the time of its last packet. */
export function closeLine(flow: FlowRow): string {
  return line({ type: 'close', schema: SCHEMA, time: timeField(flow.lastSeen), ...flowFields(flow) });
}

/**
 * Escaped backslashes (so that what follows one is not taken for an escape), lone surrogates as JSON.stringify writes them, DEL, C1
 * controls, and the two characters that end a line for some readers.
 */
const TROUBLE = /\\\\|\\ud[89a-f][0-9a-f]{2}|[\u007f-\u009f\u2028\u2029]/g;

/** Valid for strict readers (a lone surrogate is none of Unicode's characters) and harmless on a terminal. */
function line(object: Record<string, unknown>): string {
  const text = JSON.stringify(object).replace(TROUBLE, (found) => {
    if (found === '\\\\') return found;
    return found.startsWith('\\') ? '\\ufffd' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `${text}\n`;
}
