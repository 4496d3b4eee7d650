// Frames to rows. Everything that comes is checked against bounds of this side: the machine that sends may have been taken over.

import { ByteReader, StreamFault } from './bytes.ts';
import { assumedOf, LONGEST_JSON, placesOf } from './encoder.ts';
import { list, type Place, parsed, record, type Shape, text } from './shape.ts';
import { type Column, type Draft, KINDS, type Kind, TABLES, type TableName, type Value } from './tables.ts';

/** A version that comes later may send tables and columns that this one skips, but not without end. */
const MOST_TABLES = 32;
const MOST_COLUMNS = 50;
const MOST_UNKNOWN_ROWS = 2000;
/** Bytes of a text: 512 UTF-16 units of three bytes. */
const LONGEST_TEXT = 1536;
const LONGEST_INTERVAL_MS = 3_600_000;
const LATEST = 8_640_000_000_000_000;

/** A row as it is known. */
export interface ReadRow {
  /** Unique in the table, and never reused. */
  readonly handle: number;
  /** Fields of the snapshot's row, without `means` and the like, which are this side's own. */
  fields: Draft;
  readonly values: Value[];
}

/** What a frame did to a table. */
export interface TableChanges {
  /** New ones among them, and those whose rates fell to nothing. */
  readonly changed: readonly ReadRow[];
  readonly removed: readonly ReadRow[];
}

/** A frame once it was read. */
export interface ReadFrame {
  /** End of the interval by the other machine's clock, epoch ms. */
  readonly time: number;
  readonly intervalMs: number;
  readonly tables: ReadonlyMap<TableName, TableChanges>;
}

interface ReadColumn {
  readonly name: string;
  readonly kind: Kind;
  readonly of: string;
  /** null for one that this version doesn't know. */
  readonly own: Column<never> | null;
}

interface ReadTable {
  /** null for one that this version doesn't know. */
  readonly name: TableName | null;
  readonly most: number;
  readonly columns: readonly ReadColumn[];
  readonly rows: Map<number, ReadRow>;
  /** Rows that moved in the last frame: if nothing more is said of them, their rates are zero. */
  moving: Set<ReadRow>;
}

const columnShape: Shape<readonly string[]> = list(text, 3);
const schemaShape = record<{ tables: readonly { name: string; columns: readonly (readonly string[])[] }[] }>({
  tables: list(record({ name: text, columns: list(columnShape, MOST_COLUMNS + 1) }), MOST_TABLES + 1),
});

/** Reads the frames of one stream. */
export class StreamDecoder {
  readonly #tables: readonly ReadTable[];
  #place: Place;

  /** @param schema the first message @throws StreamFault */
  constructor(schema: Buffer, place: Place) {
    this.#place = place;
    const { tables } = parsed(schema.toString('utf8'), schemaShape, place);
    if (tables.length > MOST_TABLES) throw new StreamFault('it has too many tables');
    this.#tables = tables.map(tableOf);
    const names = this.#tables.flatMap(({ name }) => name ?? []);
    if (new Set(names).size !== names.length) throw new StreamFault('it has a table twice');
  }

  /** Rows of a table. */
  rows(name: TableName): Iterable<ReadRow> {
    return this.#tables.find((table) => table.name === name)?.rows.values() ?? [];
  }

  /** Makes all fields again, because times or ids are to be read in another way. */
  replace(place: Place): void {
    this.#place = place;
    for (const { name, columns, rows } of this.#tables) {
      if (name === null) continue;
      for (const row of rows.values()) {
        row.fields = {};
        for (const [at, { own }] of columns.entries()) own?.put(row.fields, row.values[at] ?? null, place);
      }
    }
  }

  /** @throws StreamFault; nothing that comes after it can be read */
  frame(payload: Buffer): ReadFrame {
    const reader = new ByteReader(payload);
    const time = reader.count(LATEST);
    const intervalMs = Math.max(1, reader.count(LONGEST_INTERVAL_MS));
    const tables = new Map<TableName, TableChanges>();
    for (const table of this.#tables) {
      const changes = this.#table(reader, table, time, intervalMs);
      if (table.name !== null) tables.set(table.name, changes);
    }
    if (!reader.isAtEnd) throw new StreamFault('a frame goes on after its end');
    return { time, intervalMs, tables };
  }

  #table(reader: ByteReader, table: ReadTable, time: number, intervalMs: number): TableChanges {
    const { rows, most } = table;
    const removed: ReadRow[] = [];
    let handle = 0;
    for (let left = reader.count(most); left > 0; left--) {
      handle += reader.count();
      const row = rows.get(handle);
      if (row === undefined) throw new StreamFault('a row goes that never came');
      rows.delete(handle);
      table.moving.delete(row);
      removed.push(row);
    }
    const moving = new Set<ReadRow>();
    const changed = new Set<ReadRow>();
    handle = 0;
    for (let left = reader.count(most); left > 0; left--) {
      handle += reader.count();
      const row = rows.get(handle) ?? { handle, fields: {}, values: [] };
      const isNew = row.values.length === 0;
      if (isNew && rows.size >= most) throw new StreamFault('it sends too many rows');
      this.#row(reader, table, row, isNew, time, intervalMs);
      rows.set(handle, row);
      changed.add(row);
      if (hasRate(table, row)) moving.add(row);
    }
    for (const row of table.moving) {
      if (changed.has(row)) continue;
      for (const [at, { kind, own }] of table.columns.entries()) {
        if (kind !== 'rate') continue;
        row.values[at] = 0;
        own?.put(row.fields, 0, this.#place);
      }
      changed.add(row);
    }
    table.moving = moving;
    return { changed: [...changed], removed };
  }

  #row(reader: ByteReader, { columns }: ReadTable, row: ReadRow, isNew: boolean, time: number, intervalMs: number): void {
    const full = 2 ** columns.length - 1;
    let bits = reader.count(full);
    if (isNew && bits !== full) throw new StreamFault('a new row lacks columns');
    const before = row.values.slice();
    const counts = placesOf(columns);
    let hasMoved = false;
    for (const [at, column] of columns.entries()) {
      const old = before[at] ?? (column.kind === 'count' ? 0 : null);
      const isTold = bits % 2 === 1;
      bits = Math.floor(bits / 2);
      const value: Value = isTold
        ? read(reader, column.kind, old, time)
        : assumedOf(column.kind, counts[at] ?? -1, old, time, intervalMs, hasMoved, before, row.values);
      hasMoved ||= column.kind === 'count' && value !== old;
      row.values[at] = value;
      if (isNew || value !== old) column.own?.put(row.fields, value, this.#place);
    }
  }
}

function tableOf({ name, columns }: { name: string; columns: readonly (readonly string[])[] }): ReadTable {
  if (columns.length > MOST_COLUMNS || columns.length === 0) throw new StreamFault('a table has too many columns, or none');
  const known = Object.hasOwn(TABLES, name) ? TABLES[name as TableName] : null;
  const read = columns.map(([column = '', typed = '', of = '']): ReadColumn => {
    const kind = KINDS.find((one) => one === typed);
    if (kind === undefined) throw new StreamFault('a column is of no known kind');
    const own = (known?.columns as readonly Column<never>[] | undefined)?.find((one) => one.name === column) ?? null;
    if (own !== null && own.kind !== kind) throw new StreamFault(`column ${column} of ${name} is of another kind`);
    return { name: column, kind, of, own };
  });
  for (const own of known?.columns ?? [])
    if (!read.some((one) => one.name === own.name)) throw new StreamFault(`${name} lack the column ${own.name}`);
  return {
    name: known === null ? null : (name as TableName),
    most: known?.most ?? MOST_UNKNOWN_ROWS,
    columns: read,
    rows: new Map(),
    moving: new Set(),
  };
}

function hasRate({ columns }: ReadTable, { values }: ReadRow): boolean {
  return columns.some(({ kind }, at) => kind === 'rate' && values[at] !== 0);
}

function read(reader: ByteReader, kind: Kind, old: Value, time: number): Value {
  switch (kind) {
    case 'text':
      return reader.text(LONGEST_TEXT);
    case 'json':
      return reader.text(LONGEST_JSON);
    case 'number': {
      const value = reader.count() - 1;
      return value < 0 ? null : value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    case 'real':
      return reader.count(1) === 0 ? null : reader.real();
    case 'count': {
      const value = Number(old) + reader.signed();
      if (value < 0 || value > Number.MAX_SAFE_INTEGER) throw new StreamFault('a count is out of bounds');
      return value;
    }
    case 'time':
    case 'seen': {
      const value = time - reader.signed();
      if (Math.abs(value) > LATEST) throw new StreamFault('a time is out of bounds');
      return value;
    }
    default:
      return reader.count();
  }
}
