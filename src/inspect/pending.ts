// Buffers for flows in the middle of a message that spans packets. Their number is fixed; they are allocated on first use and then reused.

import { Reassembly } from './reassembly.ts';

/** What a flow waits for. */
export const WAIT = { HELLO: 0, REQUEST: 1, HTTP2: 2, DNS: 3, QUIC: 4, DTLS: 5, ORPHAN: 6, ANSWER: 7, QUIC_ANSWER: 8 } as const;
export type Wait = (typeof WAIT)[keyof typeof WAIT];

/** Keys of a QUIC connection's first packets. */
export interface InitialKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly headerKey: Uint8Array;
  /** What both ends derive their keys from, and the word in front of the names of keys. */
  readonly secret: Uint8Array;
  readonly label: string;
}

/** The pending message of one flow. */
export class Pending {
  readonly index: number;
  readonly reassembly: Reassembly;
  flow = -1;
  wait: Wait = WAIT.HELLO;
  fromOpener = true;
  /** TCP sequence number of the first byte. */
  base = 0;
  /** Length of the whole message; 0 while unknown. */
  needed = 0;
  since = 0;
  packets = 0;
  /** The server's port. */
  port = 0;
  keys: InitialKeys | null = null;

  constructor(index: number, capacity: number) {
    this.index = index;
    this.reassembly = new Reassembly(capacity);
  }
}

/** The pool. When it is empty, the caller must finish the oldest flow and release its buffer. */
export class PendingPool {
  readonly #size: number;
  readonly #capacity: number;
  readonly #all: Pending[] = [];
  readonly #free: Pending[] = [];

  /** @param size number of buffers @param capacity bytes of each */
  constructor(size: number, capacity: number) {
    this.#size = size;
    this.#capacity = capacity;
  }

  /** A free buffer; null if all are in use. */
  take(): Pending | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#all.length === this.#size) return null;
    const made = new Pending(this.#all.length, this.#capacity);
    this.#all.push(made);
    return made;
  }

  /** The one to take back when none is free: one that will hardly name its flow, else any; of these the one that has waited longest. */
  oldest(): Pending {
    let oldest = this.#all[0] as Pending;
    for (const pending of this.#all) {
      const isLess = isMinor(pending);
      if (isLess === isMinor(oldest) ? pending.since < oldest.since : isLess) oldest = pending;
    }
    return oldest;
  }

  at(index: number): Pending {
    return this.#all[index] as Pending;
  }

  release(pending: Pending): void {
    pending.flow = -1;
    pending.keys = null;
    pending.needed = 0;
    pending.reassembly.clear();
    this.#free.push(pending);
  }

  /** Buffers in use. */
  get used(): number {
    return this.#all.length - this.#free.length;
  }
}

/** An orphan is only a guess, and the flow of an answer has its name already. */
function isMinor({ wait }: Pending): boolean {
  return wait === WAIT.ORPHAN || wait === WAIT.ANSWER || wait === WAIT.QUIC_ANSWER;
}
