// One thread with SQLite in it at a time: each takes some 40 MiB while it is there. Who is asked to leave ends what it does first, and is not
// waited for longer than a moment: memory is worth less than what is recorded.

/** How long whoever holds the turn is waited for; a question takes a second, a save of a large file three. */
const PATIENCE_MS = 10_000;

/** Gives the turn back; calling it twice does no harm. */
export type GiveBack = () => void;

/** A turn that goes round, in the order in which it was asked for. */
export class ThreadTurn {
  #last: Promise<void> = Promise.resolve();
  #leave: (() => void) | null = null;
  #waiting = 0;

  /**
   * Waits for the turn.
   *
   * @param leave called when another waits for it, once it was taken
   * @returns what gives it back; never rejects
   */
  async take(leave: () => void): Promise<GiveBack> {
    const before = this.#last;
    let free = () => {};
    this.#last = new Promise((resolve) => {
      free = resolve;
    });
    this.#waiting++;
    this.#leave?.();
    await atMost(PATIENCE_MS, before);
    this.#waiting--;
    this.#leave = leave;
    if (this.#waiting > 0) leave();
    return () => {
      if (this.#leave === leave) this.#leave = null;
      free();
    };
  }
}

/** The turn of this process. */
export const threadTurn = new ThreadTurn();

async function atMost(ms: number, wanted: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([wanted, late]);
  clearTimeout(timer);
}
