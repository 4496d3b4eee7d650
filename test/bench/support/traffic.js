// A capture that is made up as it is read: so many apps and flows, every second another picture. Feeds the real monitor.

import { tcpFrame } from './frames.js';
import { Random } from './random.js';

const ROOM = 128;
const LONGEST = 1400;

/** A packet source without a capture behind it; `second` makes the packets of one. */
export class Traffic {
  driver = 'file';
  interfaces = [{ name: 'en0', kind: 'physical', link: 1, deliversTwice: false }];
  namesProcesses = true;
  snapLength = { bulk: ROOM, whole: ROOM };
  bufferBytes = null;
  state = 'open';
  note = '';
  #flows;
  #apps;
  #batch;
  #random = new Random(33);
  #packets = 0;

  /** @param {new (capacity: number, bytes: Uint8Array) => any} PacketBatch @param {number} apps @param {number} flows */
  constructor(PacketBatch, apps, flows) {
    this.#apps = apps;
    this.#flows = flows;
    this.processes = Array.from({ length: apps + 1 }, (_, i) => ({
      pid: i === 0 ? 0 : 400 + i * 7,
      name: i === 0 ? '' : `program-${i}`,
    }));
    this.#batch = new PacketBatch(flows, Buffer.alloc(flows * ROOM));
    for (let i = 0; i < flows; i++) {
      const ends = {
        source: 0x0a000005,
        destination: 0x10000000 + (Math.imul(i + 1, 2_654_435_761) >>> 1),
        sourcePort: 20_000 + i,
        destinationPort: 443,
      };
      this.#batch.bytes.set(tcpFrame(ends, Buffer.alloc(0)), i * ROOM);
    }
  }

  read() {
    return null;
  }

  stats() {
    return { received: this.#packets, droppedByKernel: 0, droppedByInterface: null, shed: 0, malformed: 0 };
  }

  close() {}

  /** Packets of the second that ends at `time`: two of three flows move, each by another amount. */
  second(time) {
    const batch = this.#batch;
    const random = this.#random;
    batch.count = 0;
    for (let flow = 0; flow < this.#flows; flow++) {
      if (random.below(3) === 0) continue;
      const at = batch.count++;
      const network = 52 + random.below(LONGEST);
      batch.bytes.writeUInt16BE(network, flow * ROOM + 16);
      batch.offset[at] = flow * ROOM;
      batch.captured[at] = 66;
      batch.wire[at] = network + 14;
      batch.time[at] = time - 500 + at / this.#flows;
      batch.link[at] = 1;
      batch.direction[at] = 2;
      batch.process[at] = 1 + (flow % this.#apps);
    }
    this.#packets += batch.count;
    return batch;
  }
}
