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
const encoder = new TextEncoder();

/** What our own captures tell of a process besides pid and name; see Process in model/terms. Outside text. */
export interface ProcessDescription {
  readonly exe: string | null;
  readonly user: string | null;
  readonly script: string | null;
  readonly unit: string | null;
}

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

  /** Index of a process of which more is known. Not for the packet clock. @param captured the pid, as in `indexOf` */
  described(captured: number, name: string, description: ProcessDescription): number {
    const pid = Math.max(UNKNOWN_PID, captured);
    // It is told apart by a digest that no name can be: names have no NUL.
    const digest = digestOf(name, description);
    const found = this.#index.find(pid, digest, 0, digest.length);
    if (found >= 0) return found + 1;
    const full = encoder.encode(name);
    if (this.#index.count >= this.#whole) return this.indexOf(pid, full, 0, full.length);
    const entry = this.#index.add(pid, digest, 0, digest.length);
    if (entry < 0) return NO_PROCESS;
    this.processes.push({ pid, name, ...description });
    return entry + 1;
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

/** A NUL and two hashes of different kinds. */
function digestOf(name: string, { exe, user, script, unit }: ProcessDescription): Uint8Array {
  let first = 0x811c9dc5;
  let second = 0x9e3779b1;
  for (const byte of encoder.encode(JSON.stringify([name, exe, user, script, unit]))) {
    first = Math.imul(first ^ byte, 0x01000193);
    second = Math.imul(second + byte, 0x85ebca6b) ^ (second >>> 15);
  }
  const digest = new Uint8Array(9);
  new DataView(digest.buffer).setInt32(1, first);
  new DataView(digest.buffer).setInt32(5, second);
  return digest;
}
