// Prepared statements, each prepared once: the way to ask a database the same thing again and again.

import type { Database, SqlValue, Statement } from 'sql.js';

/** Prepared statements of one database, by their text; closing the database frees them. */
export class Statements {
  readonly #database: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @returns how many rows it changed */
  run(text: string, values: readonly SqlValue[]): number {
    this.#statement(text).run(values as SqlValue[]);
    return this.#database.getRowsModified();
  }

  /** Passes every row to `take`, one at a time. */
  each<Row extends readonly SqlValue[]>(text: string, values: readonly SqlValue[], take: (row: Row) => void): void {
    const statement = this.#statement(text);
    statement.bind(values as SqlValue[]);
    try {
      while (statement.step()) take(statement.get() as readonly SqlValue[] as Row);
    } finally {
      statement.reset();
    }
  }

  rows<Row extends readonly SqlValue[]>(text: string, values: readonly SqlValue[]): Row[] {
    const rows: Row[] = [];
    this.each<Row>(text, values, (row) => rows.push(row));
    return rows;
  }

  /** The first row; null without one. */
  first<Row extends readonly SqlValue[]>(text: string, values: readonly SqlValue[]): Row | null {
    const statement = this.#statement(text);
    statement.bind(values as SqlValue[]);
    try {
      return statement.step() ? (statement.get() as readonly SqlValue[] as Row) : null;
    } finally {
      statement.reset();
    }
  }

  /** The number in the first cell of the first row; null without one. */
  number(text: string, values: readonly SqlValue[] = []): number | null {
    const value = this.first(text, values)?.[0];
    return typeof value === 'number' ? value : null;
  }

  #statement(text: string): Statement {
    let statement = this.#prepared.get(text);
    if (statement === undefined) {
      statement = this.#database.prepare(text);
      this.#prepared.set(text, statement);
    }
    return statement;
  }
}
