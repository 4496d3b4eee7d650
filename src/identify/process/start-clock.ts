// Converts the start times in /proc/PID/stat, clock ticks since boot (proc(5)), to times of day. It reads one file, once.

import { readFileSync } from 'node:fs';

/** Clock ticks per second in /proc/PID/stat (USER_HZ), the same on every Linux we support. */
export const TICKS_PER_SECOND = 100;

/** Converts ticks since boot to times of day. */
export class StartClock {
  readonly #path: string;
  /** Epoch seconds; undefined before the first use, null if unreadable. */
  #boot: number | null | undefined;

  /** @param proc `/proc` */
  constructor(proc: string) {
    this.#path = `${proc}/stat`;
  }

  /** Epoch ms; null if unknown. In whole seconds, like `ps`, because the boot time is no more precise. */
  time(ticks: number | null): number | null {
    if (ticks === null) return null;
    if (this.#boot === undefined) this.#boot = bootTime(this.#path);
    return this.#boot === null ? null : (this.#boot + Math.floor(ticks / TICKS_PER_SECOND)) * 1000;
  }
}

function bootTime(path: string): number | null {
  try {
    const found = /^btime (\d{1,12})$/m.exec(readFileSync(path, 'latin1'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}
