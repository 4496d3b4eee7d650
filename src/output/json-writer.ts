// Writes the JSON stream: whole lines, one write each, in bounded memory even if nobody reads. Never throws, whatever the reader does.

import type { Writable } from 'node:stream';
import { type Alert, alertFields } from '../model/alert.ts';
import type { DnsRow } from '../model/dns.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { FlowRow, Gap, HostRow, Snapshot } from '../model/snapshot.ts';
import {
  appFields,
  dnsFields,
  flowFields,
  gapFields,
  hostFields,
  interfaceFields,
  SCHEMA,
  type Skipped,
  snapshotFields,
  timeField,
} from './fields.ts';
import type { Turn } from './output.ts';

/** Lines are left out while more bytes than this wait to be read. The queue holds at most one line more. */
const QUEUE_LIMIT = 256 * 1024;

/**
 * Writes lines to a stream.
 *
 * While the reader is stuck, whole lines are left out rather than queued: samples hold totals, and the next one makes up for them.
 * The next line's `capture` counts those left out (`skipped_samples`, `skipped_events`). The last line is always queued.
 */
export class JsonWriter {
  readonly #output: Writable;
  readonly #onClosed: (failure: NetmonError | null) => void;
  /** Called if nothing more can be written while the last line is on its way. */
  #onEnd: () => void = () => {};
  readonly #lineage: boolean;
  #isClosed = false;
  #samples = 0;
  #events = 0;

  /**
   * @param onClosed called once, when nothing more can be written: with null if the reader went away (a normal end), else with the
   *   failure (a full disk)
   * @param lineage tells where each process comes from
   */
  constructor(output: Writable, onClosed: (failure: NetmonError | null) => void, lineage = false) {
    this.#lineage = lineage;
    this.#output = output;
    this.#onClosed = onClosed;
    output.on('error', (error: NodeJS.ErrnoException) => this.#close(isHangUp(error) ? null : unwritable(error)));
    output.on('close', () => this.#close(null));
  }

  /** True once nothing more can be written. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes a sample, or counts it as skipped. Its rows may take long to spell: `turn` is awaited after each piece of the line. */
  async sample(snapshot: Snapshot, turn: Turn): Promise<void> {
    if (this.#isStuck) {
      this.#samples++;
      return;
    }
    const pieces: Buffer[] = [];
    for (const piece of linePieces('sample', snapshot, snapshot, this.#skipped(), this.#lineage)) {
      pieces.push(Buffer.from(piece));
      await turn();
      if (this.#isClosed) return;
    }
    this.#write(Buffer.concat(pieces));
  }

  /** Writes a flow that began, or counts it as skipped. */
  open(flow: FlowRow): void {
    this.#event(() => openLine(flow));
  }

  /** Writes a flow that ended, or counts it as skipped. */
  flowClosed(flow: FlowRow): void {
    this.#event(() => closeLine(flow));
  }

  /** Writes an alert, or counts it as skipped. */
  alert(alert: Alert): void {
    this.#event(() => alertLine(alert));
  }

  /** Writes a question of DNS, or counts it as skipped. */
  dns(row: DnsRow): void {
    this.#event(() => dnsLine(row));
  }

  /** Writes a gap, or counts it as skipped. */
  gap(gap: Gap): void {
    this.#event(() => gapLine(gap));
  }

  /**
   * Writes the last line, as fast as it is read.
   *
   * @param rows hosts and flows, taken one by one; the snapshot's own by default
   * @returns when it has been handed to the system, or no longer can be
   */
  async end(snapshot: Snapshot, rows: LastRows = snapshot): Promise<void> {
    for (const piece of linePieces('end', snapshot, rows, this.#skipped(), this.#lineage)) {
      if (this.#isClosed) return;
      await this.#handedOver(piece);
    }
  }

  #handedOver(piece: string): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnd = resolve;
      this.#write(piece, resolve);
    });
  }

  #event(line: () => string): void {
    if (this.#isStuck) this.#events++;
    else this.#write(line());
  }

  #skipped() {
    return { samples: this.#samples, events: this.#events };
  }

  /** A full buffer alone means nothing, for one long line fills it. Bytes still there when the next line comes were not read. */
  get #isStuck(): boolean {
    return this.#output.writableLength > QUEUE_LIMIT;
  }

  #write(line: string | Buffer, done?: () => void): void {
    if (!this.#isClosed) this.#output.write(line, () => done?.());
  }

  #close(failure: NetmonError | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onEnd();
    this.#onClosed(failure);
  }
}

function unwritable(error: NodeJS.ErrnoException): NetmonError {
  return new NetmonError(
    'internal',
    `the output can't be written: ${error.code ?? reasonOf(error)}`,
    'make room, or write elsewhere',
    error,
  );
}

/** The reader went away. EIO and ENXIO: its terminal did. */
function isHangUp(error: NodeJS.ErrnoException): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'EIO', 'ENXIO'].includes(error.code ?? '');
}

/** A piece of a long line ends after so many characters, which take a millisecond or two. */
const PIECE_LENGTH = 64 * 1024;
const NOTHING_SKIPPED: Skipped = { samples: 0, events: 0 };

/** The rows of the last line of which there may be very many. */
interface LastRows {
  readonly hosts: Iterable<HostRow>;
  readonly flows: Iterable<FlowRow>;
}

/**
 * A line of type `sample`, or `end`, the last line of a run: a sample's fields with the totals of the run. It comes in short pieces, however
 * many rows it has: spelled at once, a sample would keep frames waiting, and the last line could be longer than everything else in memory.
 *
 * @param rows each asked for once and not kept
 * @param lineage tells where each process comes from
 */
export function* linePieces(
  type: 'sample' | 'end',
  snapshot: Snapshot,
  rows: LastRows = snapshot,
  skipped: Skipped = NOTHING_SKIPPED,
  lineage = false,
): Generator<string> {
  const lists: Record<string, Iterable<unknown>> = {
    apps: mapped(snapshot.apps, (app) => appFields(app, lineage)),
    hosts: mapped(rows.hosts, hostFields),
    interfaces: mapped(snapshot.interfaces, interfaceFields),
    flows: mapped(rows.flows, flowFields),
  };
  const fields = snapshotFields({ ...snapshot, apps: [], hosts: [], interfaces: [], flows: [] }, skipped);
  let piece = `{"type":"${type}","schema":${SCHEMA}`;
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

/** A line of type `gap`, with the time at which the gap ended. */
export function gapLine(gap: Gap): string {
  return line({ type: 'gap', schema: SCHEMA, time: timeField(gap.to), ...gapFields(gap) });
}

/** A line of type `alert`. */
export function alertLine(alert: Alert): string {
  return line(alertFields(alert));
}

/** A line of type `dns`, with the time of the question. */
export function dnsLine(row: DnsRow): string {
  return line({ type: 'dns', schema: SCHEMA, time: timeField(row.time), ...dnsFields(row) });
}

/** A line of type `open`, with the time of the flow's first packet. */
export function openLine(flow: FlowRow): string {
  return line({ type: 'open', schema: SCHEMA, time: timeField(flow.firstSeen), ...flowFields(flow) });
}

/** A line of type `close`: a flow with its totals, and the time of its last packet. */
export function closeLine(flow: FlowRow): string {
  return line({ type: 'close', schema: SCHEMA, time: timeField(flow.lastSeen), ...flowFields(flow) });
}

/**
 * Escaped backslashes (what follows one is not an escape), lone surrogates as JSON.stringify writes them, DEL, C1 controls, and the two
 * characters that end a line for some readers.
 */
const TROUBLE = /\\\\|\\ud[89a-f][0-9a-f]{2}|[\u007f-\u009f\u2028\u2029]/g;

function line(object: Record<string, unknown>): string {
  return `${text(object)}\n`;
}

/** JSON that strict readers accept (they refuse a lone surrogate) and that is harmless on a terminal. */
function text(value: unknown): string {
  return JSON.stringify(value).replace(TROUBLE, (found) => {
    if (found === '\\\\') return found;
    return found.startsWith('\\') ? '\\ufffd' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
