// Rows as they were made last, so that one that did not change is the same object again. Rows that are not shown any more are let go.

/** Rows that are kept beside those that are shown before any is let go. */
const SPARE = 64;

/** Rows by dense number. */
export class RowCache<Row> {
  readonly #rows = new Map<number, Row>();

  /** Rows kept: after `retain` no more than twice those shown and `SPARE`. */
  get size(): number {
    return this.#rows.size;
  }

  get(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  set(id: number, row: Row): void {
    this.#rows.set(id, row);
  }

  delete(id: number): void {
    this.#rows.delete(id);
  }

  /** Lets go of all rows but those shown, once there are so many others that it costs little for each. */
  retain(shown: readonly number[]): void {
    if (this.#rows.size <= 2 * shown.length + SPARE) return;
    const kept = new Set(shown);
    for (const id of this.#rows.keys()) if (!kept.has(id)) this.#rows.delete(id);
  }
}
