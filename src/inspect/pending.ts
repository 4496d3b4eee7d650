// Room for flows in the middle of something that spans packets: a fixed number of buffers, made when first needed, reused for ever.

import { Reassembly } from './reassembly.ts';

/** What a flow is waiting for. */
export const WAIT = { HELLO: 0, REQUEST: 1, HTTP2: 2, DNS: 3, QUIC: 4, DTLS: 5, ORPHAN: 6 } as const;
export type Wait = (typeof WAIT)[keyof typeof WAIT];

/** Keys of a QUIC connection's first packets. */
export interface InitialKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly headerKey: Uint8Array;
}

/** The room of one flow. */
export class Pending {
  readonly index: number;
  readonly reassembly: Reassembly;
  flow = -1;
  wait: Wait = WAIT.HELLO;
  fromOpener = true;
  /** TCP sequence number of the first byte. */
  base = 0;
  /** Where the whole message is known to end; 0 while it is not. */
  needed = 0;
  since = 0;
  packets = 0;
  /** Port of the server, for what the port says. */
  port = 0;
  keys: InitialKeys | null = null;

  constructor(index: number, capacity: number) {
    this.index = index;
    this.reassembly = new Reassembly(capacity);
  }
}

/** The rooms. The caller ends what it takes back from a flow that waits too long. */
export class PendingPool {
  readonly #most: number;
  readonly #capacity: number;
  readonly #rooms: Pending[] = [];
  readonly #free: Pending[] = [];

  /** @param most rooms; @param capacity bytes of each */
  constructor(most: number, capacity: number) {
    this.#most = most;
    this.#capacity = capacity;
  }

  /** A room that is free, or null when none is. */
  take(): Pending | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#rooms.length === this.#most) return null;
    const made = new Pending(this.#rooms.length, this.#capacity);
    this.#rooms.push(made);
    return made;
  }

  /** The room to be taken from its flow when none is free: one held on a mere guess, else the one that waits longest. */
  oldest(): Pending {
    let oldest = this.#rooms[0] as Pending;
    for (const room of this.#rooms) {
      const guess = room.wait === WAIT.ORPHAN;
      const isGuess = oldest.wait === WAIT.ORPHAN;
      if (guess === isGuess ? room.since < oldest.since : guess) oldest = room;
    }
    return oldest;
  }

  room(index: number): Pending {
    return this.#rooms[index] as Pending;
  }

  release(room: Pending): void {
    room.flow = -1;
    room.keys = null;
    room.reassembly.clear();
    this.#free.push(room);
  }

  /** Rooms in use. */
  get used(): number {
    return this.#rooms.length - this.#free.length;
  }
}
