// Tuples that another process took over while packets of both still wait to be read: the moment parts them, on the packets' own clock.

import { LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } from '../../flow/layout.ts';
import { sameAddress } from '../../net/address.ts';

/** One take-over: from `time` on, packets between these ends are another process's. */
export interface Takeover {
  /** Epoch ms. */
  readonly time: number;
  /** Source and destination as the new owner's report has them. */
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  /** Holder of the socket that was there before. */
  readonly told: number;
}

const MOST = 1024;

/** Take-overs that no packet has reached yet, in the order of their time; bounded, the oldest are given up. */
export class Takeovers {
  #list: Takeover[] = [];

  /** Time of the first; Infinity where there is none. */
  get next(): number {
    return this.#list[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  add(takeover: Takeover): void {
    if (this.#list.length >= MOST) this.#list.shift();
    this.#list.push(takeover);
  }

  /** Holder of a flow's local end when it began, if that was before a take-over of its ends that is still to come; else 0. */
  toldAt(ints: Int32Array, base: number, began: number): number {
    const ports = ints[base + PORTS] as number;
    const protocol = (ints[base + PROTOCOL_INTERFACE] as number) & 0xffff;
    for (const each of this.#list) {
      if (each.time <= began || each.protocol !== protocol || ((each.sourcePort << 16) | each.destinationPort) !== ports)
        continue;
      if (sameAddress(ints, base + LOCAL, each.words, 0) && sameAddress(ints, base + REMOTE, each.words, 4)) return each.told;
    }
    return 0;
  }

  /** Takes out those that happened by `time`. */
  take(time: number): Takeover[] {
    const later = this.#list.findIndex((each) => each.time > time);
    return this.#list.splice(0, later < 0 ? this.#list.length : later);
  }
}
