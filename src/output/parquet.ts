// Rows as a Parquet file (https://parquet.apache.org), piece by piece: a group of rows is encoded once it is full, so a file of any size takes a few MiB.

import { type BasicType, ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { CsvValue } from './csv.ts';

/** Rows of a group: what a reader loads at a time, and what waits in memory. */
const GROUP_ROWS = 50_000;

/** `time` is in epoch ms; it and `count` are 64 bits wide. */
export type ColumnType = 'text' | 'time' | 'count';
const TYPES = { text: 'STRING', time: 'TIMESTAMP', count: 'INT64' } as const satisfies Record<ColumnType, BasicType>;

/** A column, and where its values come from. */
export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly of: (row: Row) => CsvValue;
}

/** Encodes rows. Whatever its methods return is the file's next piece, and may be empty. */
export class ParquetRows<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  /** Values of the group, by column. */
  readonly #values: unknown[][];

  /** @param createdBy program and version, for the file's metadata */
  constructor(columns: readonly Column<Row>[], createdBy: string) {
    this.#columns = columns;
    this.#values = columns.map(() => []);
    const columnData = columns.map(({ name, type }) => ({ name, type: TYPES[type], data: [] }));
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema: schemaFromColumnData({ columnData }), createdBy });
  }

  add(rows: readonly Row[]): Uint8Array {
    for (const [at, { type, of }] of this.#columns.entries()) {
      const values = this.#values[at] as unknown[];
      for (const row of rows) values.push(encoded(type, of(row)));
    }
    if ((this.#values[0]?.length ?? 0) >= GROUP_ROWS) this.#encode();
    return this.#taken();
  }

  end(): Uint8Array {
    this.#encode();
    void this.#writer.finish(); // only a writer that flushes makes it wait
    return this.#taken();
  }

  #encode(): void {
    const rows = this.#values[0]?.length ?? 0;
    if (rows === 0) return;
    const columnData = this.#columns.map(({ name, type }, at) => ({
      name,
      type: TYPES[type],
      data: this.#values[at] as unknown[],
    }));
    void this.#writer.write({ columnData, rowGroupSize: rows });
    for (const at of this.#values.keys()) this.#values[at] = [];
  }

  #taken(): Uint8Array {
    const taken = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return taken;
  }
}

function encoded(type: ColumnType, value: CsvValue): unknown {
  if (value === null) return null;
  if (type === 'text') return value;
  const number = Math.round(Number(value));
  if (!Number.isFinite(number)) return null;
  return type === 'time' ? new Date(number) : BigInt(number);
}
