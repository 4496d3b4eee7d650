// Frames of Linux's `any`: each tells its interface by the kernel's number. Numbers grow with every interface that was ever made; they are bounded.

import { u32 } from '../net/bytes.ts';
import { DIRECTION, LINK } from '../net/numbers.ts';
import type { PacketBatch } from './batch.ts';
import type { InterfaceTable } from './interface-names.ts';

/** SLL2 packet types (linux/if_packet.h): to another machine's hardware address; sent by this machine. */
const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;

/** Kernel numbers that are remembered; beyond that the memory begins anew. */
const MOST_KNOWN = 1 << 14;

/** The interfaces behind the numbers of cooked frames (LINKTYPE_LINUX_SLL2). */
export class CookedFrames {
  readonly #nameOf: (index: number) => string | null;
  readonly #interfaces: InterfaceTable;
  /** Kernel interface number -> our index. */
  readonly #known = new Map<number, number>();

  /** @param nameOf asks the kernel for the name of one interface: with hundreds of them a list takes longer than their frames may wait */
  constructor(nameOf: (index: number) => string | null, interfaces: InterfaceTable) {
    this.#nameOf = nameOf;
    this.#interfaces = interfaces;
  }

  /** Gives each frame its interface and its direction. */
  place(batch: PacketBatch): void {
    const { bytes, offset, captured } = batch;
    let last = -1;
    let lastKnown = 0;
    for (let i = 0; i < batch.count; i++) {
      if ((captured[i] as number) < 20) continue;
      const at = offset[i] as number;
      const index = u32(bytes, at + 4);
      if (index !== last) {
        last = index;
        lastKnown = this.#known.get(index) ?? this.#learn(index);
      }
      batch.iface[i] = lastKnown;
      const type = bytes[at + 10];
      batch.direction[i] =
        type === PACKET_OUTGOING ? DIRECTION.OUT : type === PACKET_OTHERHOST ? DIRECTION.PASSING : DIRECTION.IN;
    }
  }

  #learn(index: number): number {
    const known = this.#interfaces.named(LINK.LINUX_SLL2, false, this.#nameOf(index) ?? `#${index}`);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(index, known);
    return known;
  }
}
