// Frames of Linux's `any`: each tells its interface by the kernel's number. Numbers grow with every interface that was ever made; they are bounded.

import { u32 } from '../net/bytes.ts';
import type { Edges } from '../net/edges.ts';
import { DIRECTION, LINK } from '../net/numbers.ts';
import type { PacketBatch } from './batch.ts';
import { linuxDevices } from './devices-linux.ts';
import type { InterfaceTable } from './interface-names.ts';

/** SLL2: the packet was sent by this machine (linux/if_packet.h). */
const PACKET_OUTGOING = 4;

/** The interfaces behind the numbers of cooked frames (LINKTYPE_LINUX_SLL2). */
export class CookedFrames {
  readonly #edges: Edges;
  readonly #interfaces: InterfaceTable;
  /** Kernel interface number -> our index; -1 unknown. */
  #byIndex = new Int32Array(0);

  constructor(edges: Edges, interfaces: InterfaceTable) {
    this.#edges = edges;
    this.#interfaces = interfaces;
  }

  /** Gives each frame its interface, and whether this machine sent it. */
  place(batch: PacketBatch): void {
    const { bytes, offset, captured } = batch;
    for (let i = 0; i < batch.count; i++) {
      if ((captured[i] as number) < 20) continue;
      const at = offset[i] as number;
      const index = u32(bytes, at + 4);
      const known = index < this.#byIndex.length ? (this.#byIndex[index] as number) : -1;
      batch.iface[i] = known >= 0 ? known : this.#learn(index);
      batch.direction[i] = bytes[at + 10] === PACKET_OUTGOING ? DIRECTION.OUT : DIRECTION.IN;
    }
  }

  #learn(index: number): number {
    const device = linuxDevices(this.#edges).find((each) => each.index === index);
    const known = this.#interfaces.named(LINK.LINUX_SLL2, false, device?.name ?? `#${index}`);
    if (index < 1 << 16) {
      if (index >= this.#byIndex.length) {
        const wide = new Int32Array(index + 64).fill(-1);
        wide.set(this.#byIndex);
        this.#byIndex = wide;
      }
      this.#byIndex[index] = known;
    }
    return known;
  }
}
