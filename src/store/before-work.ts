// What a thread of ours does between loading its code and touching a file of history: whatever the run asks for, by the name of a module.
// The store knows nothing of rights; it only keeps the order.

/** A module that is called so; see privilege/bare-thread.ts. */
interface BeforeWork {
  giveUp(): Promise<void>;
}

/**
 * Calls it. Everything that the thread runs must have been loaded: its own code may lie where only root may read.
 *
 * @param module its URL; null where there is nothing to do. Rejects where it could not be done: the thread must not go on
 */
export async function beforeWork(module: string | null): Promise<void> {
  if (module !== null) await ((await import(module)) as BeforeWork).giveUp();
}
