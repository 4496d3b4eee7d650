// Lines of the JSON stream: one object each, newline at the end. Pure; what is in them is decided in fields.ts.

import type { FlowRow, Gap, HostRow, Snapshot } from '../aggregate/snapshot.ts';
import { appFields, flowFields, gapFields, hostFields, SCHEMA, type Skipped, snapshotFields, timeField } from './fields.ts';

/** Characters after which a piece of a line ends. */
const PIECE_LENGTH = 64 * 1024;
const NOTHING_SKIPPED: Skipped = { samples: 0, events: 0 };

/** A line of type `sample`. */
export function sampleLine(snapshot: Snapshot, skipped: Skipped = NOTHING_SKIPPED): string {
  return line({ type: 'sample', schema: SCHEMA, ...snapshotFields(snapshot, skipped) });
}

/** The rows of a last line of which there may be very many. */
export interface LastRows {
  readonly hosts: Iterable<HostRow>;
  readonly flows: Iterable<FlowRow>;
}

/**
 * The last line of a run, of type `end`: a sample's fields with the totals of the run. It comes in pieces that are short, however many
 * rows it holds: whole it may be longer than all else in memory.
 *
 * @param rows each asked for once and not kept
 */
export function* endPieces(snapshot: Snapshot, rows: LastRows = snapshot, skipped: Skipped = NOTHING_SKIPPED): Generator<string> {
  const lists: Record<string, Iterable<unknown>> = {
    apps: mapped(snapshot.apps, appFields),
    hosts: mapped(rows.hosts, hostFields),
    flows: mapped(rows.flows, flowFields),
  };
  const fields = snapshotFields({ ...snapshot, apps: [], hosts: [], flows: [] }, skipped);
  let piece = `{"type":"end","schema":${SCHEMA}`;
  for (const [key, value] of Object.entries(fields)) {
    const list = lists[key];
    piece += `,"${key}":`;
    if (list === undefined) {
      piece += text(value);
      continue;
    }
    let mark = '[';
    for (const row of list) {
      piece += mark + text(row);
      mark = ',';
      if (piece.length < PIECE_LENGTH) continue;
      yield piece;
      piece = '';
    }
    piece += mark === '[' ? '[]' : ']';
  }
  yield `${piece}}\n`;
}

function* mapped<T>(rows: Iterable<T>, fieldsOf: (row: T) => Record<string, unknown>): Generator<Record<string, unknown>> {
  for (const row of rows) yield fieldsOf(row);
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

function line(object: Record<string, unknown>): string {
  return `${text(object)}\n`;
}

/** Valid for strict readers (a lone surrogate is none of Unicode's characters) and harmless on a terminal. */
function text(value: unknown): string {
  return JSON.stringify(value).replace(TROUBLE, (found) => {
    if (found === '\\\\') return found;
    return found.startsWith('\\') ? '\\ufffd' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
