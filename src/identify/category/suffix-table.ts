// Domain suffixes to values. A suffix covers itself and every name below it, by whole labels; the longest one wins.

/** Longest name that is looked at (RFC 1035 section 2.3.4). */
const LONGEST_NAME = 253;

/** Filled once, then asked. The first value of a suffix stays. */
export class SuffixTable<T> {
  readonly #suffixes = new Map<string, T>();
  readonly #exact = new Map<string, T>();

  /** Covers a name and all below it. */
  add(suffix: string, value: T): void {
    if (!this.#suffixes.has(suffix)) this.#suffixes.set(suffix, value);
  }

  /** Covers one name and nothing below it. */
  addExact(name: string, value: T): void {
    if (!this.#exact.has(name)) this.#exact.set(name, value);
  }

  /** Value of the longest suffix of a host; an exact name comes before all. @param host lower case, without a final dot */
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

  /** Suffixes and exact names. */
  get size(): number {
    return this.#suffixes.size + this.#exact.size;
  }
}
