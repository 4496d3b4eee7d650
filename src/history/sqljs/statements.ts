// Statements prepared once and kept: the only way in which the store asks its database more than once for the same.

import type { Database, SqlValue, Statement } from 'sql.js';

/** Prepared statements of one database, by their text. They end with the database. */
export class Statements {
  readonly #database: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** @returns rows that were changed */
  run(text: string, values: readonly SqlValue[]): number {
    this.#statement(text).run(values as SqlValue[]);
    return this.#database.getRowsModified();
  }

  /** Hands every row to `take`, one at a time. */
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

  /** First row; null where there is none. */
  first<Row extends readonly SqlValue[]>(text: string, values: readonly SqlValue[]): Row | null {
    const statement = this.#statement(text);
    statement.bind(values as SqlValue[]);
    try {
      return statement.step() ? (statement.get() as readonly SqlValue[] as Row) : null;
    } finally {
      statement.reset();
    }
  }

  /** First number of the first row; null where there is none. */
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
