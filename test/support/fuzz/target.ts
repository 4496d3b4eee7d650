// What is fuzzed: something that takes bytes, the seeds that its cases are made from, and what must hold. Types only.

/** One reader of hostile bytes. A case that breaks what must hold throws. */
export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** Share of the cases of a job, relative to the others'. */
  readonly weight: number;
  /**
   * One case. State may live on between cases; it is what a long run has too.
   *
   * @param bytes the case lies in `from` to `to`; what surrounds it is not to be read
   */
  run(bytes: Uint8Array, from: number, to: number): void;
  /** What must hold of that state, asked now and then. */
  check?(): void;
}

/** Throws unless it holds. */
export function hold(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
