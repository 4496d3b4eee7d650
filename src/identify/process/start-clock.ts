// When processes began, from the clock ticks that /proc/PID/stat tells (proc(5)). Reads one file, once.

import { readFileSync } from 'node:fs';

/** Clock ticks of /proc/PID/stat, a second; the same on every Linux (USER_HZ). */
export const TICKS_PER_SECOND = 100;

/** Turns ticks after boot into times of day. */
export class StartClock {
  readonly #path: string;
  /** Epoch seconds; undefined before the first question, null where the system does not tell. */
  #boot: number | null | undefined;

  /** @param proc `/proc` */
  constructor(proc: string) {
    this.#path = `${proc}/stat`;
  }

  /** Epoch ms, whole seconds as `ps` shows them, for the moment of boot is told no closer; null where it is not known. */
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
