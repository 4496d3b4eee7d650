// Snapshots to frames: the first has every row, the next ones what the reader doesn't know or can't work out. The encoder knows what the reader
// knows, so a frame that was never made costs nothing: the next one has the difference.

import type { NetEvent, Snapshot, Traffic } from '../model/snapshot.ts';
import { ByteWriter } from './bytes.ts';
import { type Column, type Kind, rowsOf, TABLE_NAMES, TABLES, type TableName, type Value } from './tables.ts';

/** Rows of each table that are sent. Apps and hosts are not cut here: the snapshot has folded them, and their sums stay exact. */
export interface StreamLimits {
  readonly flows: number;
  readonly branches: number;
}

/** A row is kept while it is among this many times the limit: those at the edge would come and go all the time. */
const EDGE = 1.5;
/** Newest rows of the lists that grow. */
const NEWEST: Partial<Record<TableName, number>> = { alerts: 200, questions: 300 };
/** Newest events of connections that opened and closed, and of everything else: the former must not drive out the latter. */
const NEWEST_EVENTS = 100;
/** Intervals between two looks at a slow column. */
const SLOW = 10;
/** Times that are this far from what the reader assumes say nothing more, ms. */
const CLOSE_MS = 1500;

/** Tables that travel only while they are asked for. */
export const ON_DEMAND = ['questions', 'resolvers', 'encrypted', 'listeners'] as const satisfies readonly TableName[];

interface SentRow {
  readonly handle: number;
  /** By column, as the reader has them. */
  readonly values: Value[];
  /** Objects behind the JSON columns, to see whether they are still the same. */
  readonly objects: unknown[];
  /** Number of the frame that it was last part of. */
  frame: number;
}

/** Makes the frames of one stream. */
export class StreamEncoder {
  readonly #limits: StreamLimits;
  readonly #writer = new ByteWriter();
  readonly #tables = new Map(TABLE_NAMES.map((name) => [name, new Map<string, SentRow>()]));
  #wanted: ReadonlySet<TableName> = new Set();
  #handle = 0;
  #frame = 0;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /** The first message: tables and columns by name. A reader skips what it doesn't know. */
  schema(): Buffer {
    const tables = TABLE_NAMES.map((name) => ({
      name,
      columns: (TABLES[name].columns as readonly Column<never>[]).map(({ name: column, kind, of }) => [column, kind, of]),
    }));
    return Buffer.from(JSON.stringify({ tables }));
  }

  /** Sends these tables too, from the next frame on. */
  want(tables: readonly TableName[]): void {
    this.#wanted = new Set(tables);
  }

  /** What changed since the last frame. */
  frame(snapshot: Snapshot): Buffer {
    const writer = this.#writer;
    const time = Math.trunc(snapshot.time);
    const intervalMs = Math.max(1, Math.trunc(snapshot.intervalMs));
    this.#frame++;
    writer.count(time);
    writer.count(intervalMs);
    for (const name of TABLE_NAMES) this.#table(name, this.#rows(snapshot, name), time, intervalMs);
    return writer.take();
  }

  #rows(snapshot: Snapshot, name: TableName): readonly { readonly id: string }[] {
    if ((ON_DEMAND as readonly TableName[]).includes(name) && !this.#wanted.has(name)) return [];
    const rows = rowsOf(snapshot, name);
    if (name === 'events') return newestEvents(snapshot.events, NEWEST_EVENTS);
    const newest = NEWEST[name];
    if (newest !== undefined) return rows.slice(-newest);
    if (name === 'flows') return this.#nearEdge(rows, name, this.#limits.flows);
    if (name === 'branches') return this.#nearEdge(busiestFirst(rows), name, this.#limits.branches);
    return rows.slice(0, TABLES[name].most);
  }

  /** The first rows of a list, and those a little further down that are sent already. */
  #nearEdge(rows: readonly { readonly id: string }[], name: TableName, limit: number): readonly { readonly id: string }[] {
    if (rows.length <= limit) return rows;
    const known = this.#tables.get(name);
    return rows.slice(0, Math.ceil(limit * EDGE)).filter(({ id }, rank) => rank < limit || known?.has(id));
  }

  #table(name: TableName, rows: readonly { readonly id: string }[], time: number, intervalMs: number): void {
    const writer = this.#writer;
    const sent = this.#tables.get(name) as Map<string, SentRow>;
    const columns = TABLES[name].columns as readonly Column<{ readonly id: string }>[];
    const now = new Map<string, { readonly id: string }>();
    for (const row of rows) {
      now.set(row.id, row);
      const known = sent.get(row.id);
      if (known !== undefined) known.frame = this.#frame;
    }
    const gone = [...sent].filter(([, { frame }]) => frame !== this.#frame);
    for (const [id] of gone) sent.delete(id);
    const changes: { readonly row: SentRow; readonly mask: number; readonly values: readonly Value[] }[] = [];
    for (const [id, row] of sent) {
      const change = changeOf(
        row,
        now.get(id) as { id: string },
        columns,
        time,
        intervalMs,
        (this.#frame + row.handle) % SLOW === 0,
      );
      if (change !== null) changes.push({ row, ...change });
    }
    for (const [id, row] of now) {
      if (sent.has(id)) continue;
      const added: SentRow = { handle: ++this.#handle, values: [], objects: [], frame: this.#frame };
      sent.set(id, added);
      const values = columns.map((column, at) => sentValue(column, row, added, at));
      changes.push({ row: added, mask: 2 ** columns.length - 1, values });
    }
    writer.count(gone.length);
    let last = 0;
    for (const [, { handle }] of gone) {
      writer.count(handle - last);
      last = handle;
    }
    writer.count(changes.length);
    last = 0;
    for (const { row, mask, values } of changes) {
      writer.count(row.handle - last);
      last = row.handle;
      writer.count(mask);
      let bits = mask;
      for (const [at, column] of columns.entries()) {
        if (bits % 2 === 1) {
          write(writer, column, values[at] as Value, row.values[at] ?? 0, time);
          row.values[at] = values[at] as Value;
        }
        bits = Math.floor(bits / 2);
      }
    }
  }
}

/**
 * What of a row the reader doesn't know; null if it knows all. What it works out by itself is noted as known.
 *
 * @param looks at slow columns, too
 */
function changeOf<Row>(
  sent: SentRow,
  row: Row,
  columns: readonly Column<Row>[],
  time: number,
  intervalMs: number,
  looks: boolean,
): { mask: number; values: readonly Value[] } | null {
  const counts = placesOf(columns);
  const values: Value[] = [];
  let mask = 0;
  let bit = 1;
  let hasMoved = false;
  for (const [at, column] of columns.entries()) {
    const old = sent.values[at] as Value;
    const value = column.isSlow && !looks ? old : sentValue(column, row, sent, at);
    values.push(value);
    hasMoved ||= column.kind === 'count' && value !== old;
    const assumed = assumedOf(column.kind, counts[at] ?? -1, old, time, intervalMs, hasMoved, sent.values, values);
    if (differs(column, value, assumed)) mask += bit;
    else sent.values[at] = assumed;
    // The reader works rates out of what it knew before: counts are noted once the row is written.
    if (column.kind === 'count') sent.values[at] = old;
    bit *= 2;
  }
  return mask === 0 ? null : { mask, values };
}

const places = new WeakMap<readonly Pick<Column<never>, 'name' | 'of'>[], readonly number[]>();

/** For each column the place of the count that it is a rate of; -1 for others. */
export function placesOf(columns: readonly Pick<Column<never>, 'name' | 'of'>[]): readonly number[] {
  let known = places.get(columns);
  if (known === undefined) {
    known = columns.map(({ of }) => (of === '' ? -1 : columns.findIndex(({ name }) => name === of)));
    places.set(columns, known);
  }
  return known;
}

/** What a reader takes a column for if it isn't told. @param of place of the count that a rate is of @param before values that it had @param after values that it has, up to this column */
export function assumedOf(
  kind: Kind,
  of: number,
  old: Value,
  time: number,
  intervalMs: number,
  hasMoved: boolean,
  before: readonly Value[],
  after: readonly Value[],
): Value {
  if (kind === 'seen') return hasMoved ? time : old;
  if (kind !== 'rate') return old;
  const gained = Number(after[of] ?? 0) - Number(before[of] ?? 0);
  return gained > 0 ? Math.round((gained * 1000) / intervalMs) : 0;
}

function differs({ kind }: Pick<Column<never>, 'kind'>, value: Value, assumed: Value): boolean {
  if (value === assumed) return false;
  if (typeof value !== 'number' || typeof assumed !== 'number') return true;
  if (kind === 'seen') return Math.abs(value - assumed) > CLOSE_MS;
  return kind !== 'real' || Math.abs(value - assumed) > Math.abs(assumed) / 20;
}

function sentValue<Row>({ kind, get }: Column<Row>, row: Row, sent: SentRow, at: number): Value {
  const raw = get(row);
  switch (kind) {
    case 'count':
      return Math.max(0, whole(raw) ?? 0);
    case 'rate':
      return Math.max(0, whole(Math.round(Number(raw))) ?? 0);
    case 'number':
      return whole(raw);
    case 'flag':
    case 'time':
    case 'seen':
      return whole(raw) ?? 0;
    case 'real':
      return typeof raw === 'number' && Number.isFinite(raw) ? Math.fround(raw) : null;
    case 'text':
      return typeof raw === 'string' ? raw.slice(0, LONGEST_TEXT) : null;
    case 'json': {
      if (sent.values[at] !== undefined && raw === sent.objects[at]) return sent.values[at];
      sent.objects[at] = raw;
      return jsonOf(raw);
    }
  }
}

/** Of a long list the last entries, which are the newest. */
function jsonOf(raw: unknown): string {
  const most = Array.isArray(raw) ? raw.slice(-LONGEST_LIST) : raw;
  const json = JSON.stringify(most ?? null);
  return Buffer.byteLength(json) <= LONGEST_JSON ? json : Array.isArray(raw) ? '[]' : 'null';
}

function whole(raw: unknown): number | null {
  return typeof raw === 'number' && Number.isFinite(raw) ? Math.max(-WIDEST, Math.min(WIDEST, Math.trunc(raw))) : null;
}

const WIDEST = 2 ** 50;
/** Entries of a list: a browser has a hundred processes. */
const LONGEST_LIST = 24;
/** UTF-16 units of a text, bytes of JSON. */
const LONGEST_TEXT = 512;
export const LONGEST_JSON = 64 * 1024;

function write(writer: ByteWriter, { kind }: Pick<Column<never>, 'kind'>, value: Value, before: Value, time: number): void {
  if (kind === 'text' || kind === 'json') writer.text(typeof value === 'string' ? value : null);
  else if (kind === 'number') writer.count(value === null ? 0 : 1 + zigzag(Number(value)));
  else if (kind === 'real') {
    writer.count(value === null ? 0 : 1);
    if (value !== null) writer.real(Number(value));
  } else if (kind === 'count') writer.signed(Number(value) - Number(before));
  else if (kind === 'time' || kind === 'seen') writer.signed(time - Number(value));
  else writer.count(Number(value));
}

function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1;
}

function busiestFirst(rows: readonly { readonly id: string }[]): readonly { readonly id: string }[] {
  const now = ({ means, rxRate, txRate }: Traffic): number => (means[2] ?? rxRate) + (means[3] ?? txRate);
  const all = ({ rxBytes, txBytes }: Traffic): number => rxBytes + txBytes;
  return [...(rows as readonly (Traffic & { readonly id: string })[])].sort((a, b) => now(b) - now(a) || all(b) - all(a));
}

/** The newest events, in their order: `most` of connections that opened and closed, and as many others. */
export function newestEvents(events: readonly NetEvent[], most: number): readonly NetEvent[] {
  let [flows, others] = [most, most];
  if (events.length <= most) return events;
  return [...events]
    .reverse()
    .filter(({ kind }) => (kind === 'opened' || kind === 'closed' ? flows-- : others--) > 0)
    .reverse();
}
