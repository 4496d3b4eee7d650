// Maps domain suffixes to values. A suffix covers itself and all names below it, by whole labels; the longest suffix wins.

/** Longer names match nothing (RFC 1035 section 2.3.4). */
const LONGEST_NAME = 253;

/** A table that is filled once, then read. The first value of a suffix wins. */
export class SuffixTable<T> {
  readonly #suffixes = new Map<string, T>();
  readonly #exact = new Map<string, T>();

  /** Covers a name and all names below it. */
  add(suffix: string, value: T): void {
    if (!this.#suffixes.has(suffix)) this.#suffixes.set(suffix, value);
  }

  /** Covers only this name. */
  addExact(name: string, value: T): void {
    if (!this.#exact.has(name)) this.#exact.set(name, value);
  }

  /** Value of an exact name, else of the longest suffix; null if neither matches. @param host lower case, without a final dot */
  find(host: string): T | null {
    if (host.length > LONGEST_NAME) return null;
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    for (let at = 0; ; ) {
      const found = this.#suffixes.get(at === 0 ? host : host.slice(at));
      if (found !== undefined) return found;
      const dot = host.indexOf('.', at);
      if (dot < 0) return null;
      at = dot + 1;
    }
  }

  /** Number of suffixes and exact names. */
  get size(): number {
    return this.#suffixes.size + this.#exact.size;
  }
}
