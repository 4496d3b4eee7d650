// A week's traffic of one machine, made up as it is read: days and nights, apps that start and end, names, a scan now and then, a machine that sleeps.

import { tcpFrame, udpFrame } from '../bench/support/frames.js';
import { dnsAnswer, tlsHello } from '../bench/support/hellos.js';
import { Random } from '../bench/support/random.js';

/** Monday, 2026-01-05 00:00 UTC. */
export const START = 1_767_571_200_000;
const STEP_MS = 10_000;
const HOUR_MS = 3_600_000;
const MAX_FRAMES = 2048;
const FRAME_BYTES = 1514;
const APPS = Array.from({ length: 60 }, (_, i) => `app-${i}`);
const HERE = 0x0a000001;
const RESOLVER = 0x0a0000fe;
/** Batch columns hold 16 bits. */
const MAX_PROCESSES = 65_000;

/** A capture that names processes, as PKTAP does. It gives ten seconds of traffic a batch until `days` are over. */
export class WeekSource {
  driver = 'libpcap';
  interfaces = [{ name: 'en0', kind: 'physical', link: 1, deliversTwice: false }];
  processes = [{ pid: -1, name: '' }];
  namesProcesses = true;
  snapLength = { bulk: 160, whole: 16_640 };
  bufferBytes = null;
  state = 'open';
  note = '';
  /** While it is true nothing is given: the recorder is still writing. */
  isHeld = () => false;
  time = START;
  packets = 0;
  #random = new Random(7);
  #end;
  #batch;
  #current = APPS.map(() => 0);

  /** @param {number} days @param {new (capacity: number, bytes: Uint8Array) => object} PacketBatch */
  constructor(days, PacketBatch) {
    this.#end = START + days * 24 * HOUR_MS;
    this.#batch = new PacketBatch(MAX_FRAMES, new Uint8Array(MAX_FRAMES * FRAME_BYTES));
    for (let app = 0; app < APPS.length; app++) this.#launch(app);
  }

  read() {
    if (this.time >= this.#end) this.state = 'ended';
    if (this.state !== 'open' || this.isHeld()) return null;
    const hour = (this.time / HOUR_MS) % 24;
    if (hour >= 3 && hour < 3.003) this.time += 2 * HOUR_MS; // it sleeps
    const random = this.#random;
    const batch = this.#batch;
    batch.count = 0;
    const busy = 20 + Math.round(180 * Math.max(0, Math.sin(((hour - 6) / 18) * Math.PI)));
    if (random.below(20) === 0) this.#launch(random.below(APPS.length));
    if (random.below(2000) === 0) this.#scan(1500);
    for (let left = random.below(busy) + 5; left > 0; left--) this.#talk();
    for (let i = 0; i < batch.count; i++) batch.time[i] = this.time + (i * STEP_MS) / batch.count;
    this.time += STEP_MS;
    this.packets += batch.count;
    return batch;
  }

  stats() {
    return { received: this.packets, droppedByKernel: 0, droppedByInterface: 0, shed: 0, malformed: 0 };
  }

  close() {
    this.state = 'ended';
  }

  #launch(app) {
    if (this.processes.length >= MAX_PROCESSES) return;
    this.#current[app] = this.processes.push({ pid: 500 + this.processes.length, name: APPS[app] }) - 1;
  }

  /** A short talk of one app with one of its hosts: a look-up, a hello, some data both ways. */
  #talk() {
    const random = this.#random;
    const app = random.below(APPS.length);
    // Few hosts are asked often, many rarely, and some only once.
    const host = random.below(10) < 9 ? random.below(40) : random.below(20_000);
    const name = `h${host}.example-${host % 300}.com`;
    const address = 0x17000000 + host * 7 + app;
    const port = 1024 + random.below(60_000);
    const ends = { source: HERE, destination: address, sourcePort: port, destinationPort: 443 };
    const back = { source: address, destination: HERE, sourcePort: 443, destinationPort: port };
    const process = this.#current[app];
    if (random.below(4) === 0) {
      const asked = { source: RESOLVER, destination: HERE, sourcePort: 53, destinationPort: 20_000 + random.below(40_000) };
      this.#add(udpFrame(asked, dnsAnswer(name, address, random.below(65_536))), 1, process);
    }
    this.#add(tcpFrame(ends, Buffer.alloc(0), { syn: true }), 2, process);
    if (random.below(3) === 0) this.#add(tcpFrame(ends, tlsHello(name, random), { push: true }), 2, process);
    for (let i = random.below(8); i > 0; i--) this.#add(tcpFrame(back, Buffer.alloc(200)), 1, process, 1400);
  }

  #scan(ports) {
    for (let i = 1; i <= ports; i++)
      this.#add(
        tcpFrame(
          { source: 0x2d000000 + this.#random.below(1 << 20), destination: HERE, sourcePort: 40_000, destinationPort: i },
          Buffer.alloc(0),
          { syn: true },
        ),
        1,
        0,
      );
  }

  #add(frame, direction, process, wire = frame.length) {
    const batch = this.#batch;
    const i = batch.count;
    if (i >= MAX_FRAMES || frame.length > FRAME_BYTES) return;
    batch.bytes.set(frame, i * FRAME_BYTES);
    batch.offset[i] = i * FRAME_BYTES;
    batch.captured[i] = frame.length;
    batch.wire[i] = wire;
    batch.link[i] = 1;
    batch.iface[i] = 0;
    batch.direction[i] = direction;
    batch.process[i] = process;
    batch.effective[i] = 0;
    batch.count++;
  }
}
