// The processes that a capture names, as a bounded table of Uint16 indexes. A string is made once per process, never per packet.

import { NO_PROCESS } from './batch.ts';
import { NameIndex } from './interface-names.ts';
import type { CapturedProcess } from './source.ts';

/** Index 0 is no process, so this many are told apart. */
const LIMIT = 65_534;
/** Kept for processes known by name only, once pids no longer fit. */
const RESERVED = 4_096;
const NAME_BYTES = 32;
/** What PKTAP writes where it does not know. */
const UNKNOWN_PID = -1;

const decoder = new TextDecoder('utf-8');

/**
 * Processes by pid and name. The list only grows while a batch is filled, as its frames refer to it by index.
 *
 * When it is nearly full (61,438 processes), a new process is entered by its name alone, with pid -1: its app stays right, its pid is given up.
 * When that is full too, the frame has no process. `folded` counts such lookups. A source with `begun` makes room between two batches.
 */
export class ProcessTable {
  readonly processes: CapturedProcess[] = [{ pid: UNKNOWN_PID, name: '' }];
  /** Look-ups that lost their pid, or their process, because the table was full. */
  folded = 0;
  /** How often the list was restarted. */
  begun = 0;
  #index: NameIndex;
  readonly #whole: number;

  /** @param limit processes at the most; smaller in tests */
  constructor(limit = LIMIT) {
    this.#index = new NameIndex(Math.min(limit, LIMIT), NAME_BYTES);
    this.#whole = this.#index.limit - Math.min(RESERVED, this.#index.limit >>> 2);
  }

  /** Restarts the list when it is nearly full. Between two batches only. */
  makeRoom(): void {
    if (this.#index.count < this.#whole - (this.#whole >>> 3)) return;
    this.#index = new NameIndex(this.#index.limit, NAME_BYTES);
    this.processes.length = 1;
    this.begun++;
  }

  /**
   * Index of a process; 0 where the capture knew neither pid nor name.
   *
   * @param pid as captured; anything below 0 is unknown
   * @param from the name is `bytes[from..to)`, without its NUL; 32 bytes count
   */
  indexOf(pid: number, bytes: Uint8Array, from: number, to: number): number {
    if (pid < 0) return to > from ? this.#named(bytes, from, to) : NO_PROCESS;
    const found = this.#index.find(pid, bytes, from, to);
    if (found >= 0) return found + 1;
    if (this.#index.count < this.#whole) return this.#enter(pid, bytes, from, to);
    this.folded++;
    return to > from ? this.#named(bytes, from, to) : NO_PROCESS;
  }

  #named(bytes: Uint8Array, from: number, to: number): number {
    const found = this.#index.find(UNKNOWN_PID, bytes, from, to);
    return found >= 0 ? found + 1 : this.#enter(UNKNOWN_PID, bytes, from, to);
  }

  #enter(pid: number, bytes: Uint8Array, from: number, to: number): number {
    const entry = this.#index.add(pid, bytes, from, to);
    if (entry < 0) return NO_PROCESS;
    const name = decoder.decode(bytes.subarray(from, Math.min(to, from + NAME_BYTES)));
    this.processes.push({ pid, name });
    return entry + 1;
  }
}
