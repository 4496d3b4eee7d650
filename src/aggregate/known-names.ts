// Names that were met before, in two generations: only one that was not met while thousands of others were is forgotten, and nothing is searched.

/** Most names that are told apart, of apps and of domains. */
export const NAMES = 32_768;

/** A set that never fills up. */
export class KnownNames {
  readonly #generation: number;
  #newer = new Set<string>();
  #former = new Set<string>();

  /** @param generation names of a generation; two are kept */
  constructor(generation = NAMES / 2) {
    this.#generation = generation;
  }

  /** Notes that a name is met. @returns true where it was met before */
  meet(name: string): boolean {
    if (this.#newer.has(name)) return true;
    const wasMet = this.#former.has(name);
    if (this.#newer.size >= this.#generation) {
      this.#former = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(name);
    return wasMet;
  }
}
