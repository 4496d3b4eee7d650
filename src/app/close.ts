// Closes what a run has opened, on every way out and always in the same order.

/**
 * Kinds of what a run opens, in the order of closing. The terminal is given back first: everything after it may take long, or print. History
 * is saved while a second signal still does nothing, and its complaint is printed once a signal ends the program again, for a blocked
 * standard error must not hold it up. The capture outlives whatever asks about its flows, and the rights outlive the capture, for the child
 * that keeps root removes what libpcap leaves behind.
 */
const ORDER = [
  'screen',
  'effects',
  'writing',
  'history',
  'signals',
  'complaint',
  'command',
  'messenger',
  'lookups',
  'owners',
  'addresses',
  'capture',
  'rights',
] as const;

/** What a run opens, by kind. */
export type Opening = (typeof ORDER)[number];

/** Collects how to close what was opened. Each step of a run adds to it as soon as something is open. */
export class Closing {
  readonly #steps: { readonly kind: Opening; readonly close: () => void | Promise<void> }[] = [];

  /** Notes how something that is open now is closed; of one kind, the latest is closed first. */
  add(kind: Opening, close: () => void | Promise<void>): void {
    this.#steps.unshift({ kind, close });
  }

  /** Closes everything, one thing after the other. A step that fails stops no other. @throws what failed first */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const kind of ORDER)
      for (const step of this.#steps)
        if (step.kind === kind) {
          try {
            await step.close();
          } catch (thrown) {
            failures.push(thrown);
          }
        }
    this.#steps.length = 0;
    if (failures.length > 0) throw failures[0];
  }
}
