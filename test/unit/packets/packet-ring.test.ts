import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import { RING_BYTES } from '../../../src/model/packets.ts';
import { DIRECTION, LINK } from '../../../src/net/numbers.ts';
import { KeptFrame, PacketRing, type RingFollower } from '../../../src/packets/packet-ring.ts';
import { FakeSource, monitorOver } from '../../support/fake-source.ts';
import { aggregate, arp, ethernet, ipv4, tcp, udp, wireless } from '../../support/frames.ts';

const T0 = 1_700_000_000_000;
const { IN, OUT } = DIRECTION;
const out = (payload = '', sport = 40_000) =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, tcp({ sport, dport: 443 }, payload)));
const back = (payload = '', dport = 40_000) =>
  ethernet({}, ipv4({ src: '192.0.2.9', dst: '10.0.0.1' }, tcp({ sport: 443, dport }, payload)));

/** What a test compares of a frame. */
interface Seen {
  readonly at: number;
  readonly time: number;
  readonly text: string;
  readonly wire: number;
}

function all(ring: PacketRing, from = ring.oldest): KeptFrame[] {
  const frames: KeptFrame[] = [];
  for (let at = from; at < ring.end; ) {
    const frame = new KeptFrame();
    at = ring.read(at, frame);
    frames.push(frame);
  }
  return frames;
}

const bytesOf = (ring: PacketRing, { offset, captured }: KeptFrame) => ring.bytes.slice(offset, offset + captured);
const seenOf = (ring: PacketRing, frame: KeptFrame): Seen => ({
  at: frame.at,
  time: frame.time,
  text: Buffer.from(bytesOf(ring, frame)).toString('latin1'),
  wire: frame.wire,
});

/** A monitor that keeps frames, and its ring. */
function keeping(source: FakeSource, size = RING_BYTES.least, keepMs: number | null = null) {
  const { monitor, flows } = monitorOver(source, { keep: { bytes: size, forMs: keepMs } });
  const ring = monitor.kept?.ring as PacketRing;
  const ingest = () => {
    for (let batch = source.read(); batch !== null; batch = source.read()) monitor.ingest(batch, 0, batch.count);
  };
  return { ring, flows, ingest, monitor };
}

/** A ring without flows, and a way to put frames into it. */
function bare(size: number, keepMs: number | null = null) {
  const ring = new PacketRing(new FlowTable(new Localizer(true), 1024, 1), size, keepMs);
  const batch = new PacketBatch(1, new Uint8Array(0));
  const put = (data: Uint8Array, time = T0, wire = data.length) => {
    batch.bytes = data;
    batch.captured[0] = data.length;
    batch.wire[0] = wire;
    batch.time[0] = time;
    ring.keep(batch, 0, -1, 0, false);
  };
  return { ring, batch, put };
}

describe('PacketRing', () => {
  it('copies any frame from anywhere in a buffer, and makes no view of it', () => {
    const anywhere = fc.record({
      before: fc.nat(9),
      at: fc.nat(9),
      data: fc.uint8Array({ maxLength: 1600, size: 'max' }),
      after: fc.nat(5),
    });
    const { ring, batch } = bare(RING_BYTES.least);
    fc.assert(
      fc.property(anywhere, ({ before, at, data, after }) => {
        const bytes = new Uint8Array(before + at + data.length + after).fill(0xee).subarray(before);
        bytes.set(data, at);
        bytes.subarray = () => {
          throw new Error('an allocation for each frame');
        };
        batch.bytes = bytes;
        batch.offset[0] = at;
        batch.captured[0] = data.length;
        batch.wire[0] = data.length;
        ring.keep(batch, 0, -1, 0, false);
        expect(bytesOf(ring, all(ring).at(-1) as KeptFrame)).toEqual(data);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('keeps frames with everything that the source told of them', () => {
    const source = new FakeSource('libpcap', ['eth0', 'eth1']);
    const frames = [
      { data: out('hello'), time: T0 + 0.25, wire: 1500, iface: 1, direction: OUT, process: 2, effective: 3 },
      { data: back('world!'), time: T0 + 1, direction: IN },
      { data: ethernet({ type: 0x88cc }, 'lldp'), time: T0 + 2 },
      { data: ethernet({}, arp('10.0.0.1', '10.0.0.2')), time: T0 + 3 },
    ];
    source.push(...frames);
    const { ring, ingest, flows } = keeping(source);
    ingest();
    const kept = all(ring);
    expect(kept.map((frame) => Buffer.from(bytesOf(ring, frame)))).toEqual(frames.map(({ data }) => Buffer.from(data)));
    expect(kept[0]).toMatchObject({
      time: T0 + 0.25,
      wire: 1500,
      iface: 1,
      direction: OUT,
      process: 2,
      effective: 3,
      isSent: true,
    });
    expect(kept[0]).toMatchObject({ captured: out('hello').length, link: LINK.ETHERNET });
    expect(kept[1]).toMatchObject({
      time: T0 + 1,
      iface: 0,
      direction: IN,
      process: 0,
      isSent: false,
      wire: back('world!').length,
    });
    expect(kept[2]).toMatchObject({ row: -1, serial: 0, previous: 0 });
    for (const i of [0, 1, 3]) expect(flows.holds(kept[i]?.row ?? -1, kept[i]?.serial ?? 0)).toBe(true);
    expect(new Set(kept.map(({ serial }) => serial)).size).toBe(4);
    expect([ring.kept, ring.count, ring.gone, ring.since]).toEqual([4, 4, 0, T0 + 0.25]);
  });

  it('links each frame to the one that its flow had before, and begins anew with another flow', () => {
    const source = new FakeSource();
    const ports = [1001, 1002, 1001, 1003, 1002, 1001];
    source.push(...ports.map((port, i) => ({ data: out(`${i}`, port), time: T0 + i })));
    const { ring, ingest, flows } = keeping(source);
    ingest();
    const kept = all(ring);
    const positions = kept.map(({ at }) => at);
    const back = kept.map(({ previous }) => positions.indexOf(previous));
    expect(back).toEqual([-1, -1, 0, -1, 1, 2]);
    expect(flows.keptAt(kept[5]?.row ?? -1)).toBe(positions[5]);
    flows.remove(kept[5]?.row ?? -1);
    source.push({ data: out('new', 1001), time: T0 + 9 });
    ingest();
    expect(all(ring).at(-1)).toMatchObject({ row: kept[5]?.row, previous: 0 });
    expect(all(ring).at(-1)?.serial).not.toBe(kept[5]?.serial);
  });

  it('keeps PKTAP’s second copy of a loopback frame out, and a frame that holds several once', () => {
    const source = new FakeSource('libpcap', []);
    source.interfaces.push({ name: 'lo0', kind: 'loopback', link: LINK.ETHERNET, deliversTwice: true });
    source.interfaces.push({ name: 'wlan0', kind: 'physical', link: LINK.IEEE802_11, deliversTwice: false });
    const inner = (text: string) => ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({}, text));
    const several = wireless({ control: 0x88, quality: 0x80 }, aggregate(inner('one'), inner('two'), inner('three')));
    source.push(
      { data: out('a'), direction: OUT },
      { data: out('a'), direction: IN },
      { data: several, iface: 1, link: LINK.IEEE802_11 },
    );
    const { ring, ingest } = keeping(source);
    ingest();
    expect(all(ring).map(({ captured }) => captured)).toEqual([out('a').length, several.length]);
  });

  it('forgets what its source’s process numbers meant when they begin anew', () => {
    const { ring, batch, put } = bare(RING_BYTES.least);
    batch.process[0] = 7;
    batch.effective[0] = 8;
    put(Buffer.from('old'));
    ring.renumberProcesses();
    put(Buffer.from('new'));
    expect(all(ring).map(({ process, effective }) => [process, effective])).toEqual([
      [0, 0],
      [7, 8],
    ]);
  });

  it('holds exactly the newest frames, however long they are', () => {
    const lengths = fc.array(fc.nat(4000), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(lengths, fc.nat(3), (sizes, units) => {
        const size = 16_384 + units * 8;
        const { ring, put } = bare(size);
        const told: { time: number; text: string }[] = [];
        for (const [i, length] of sizes.entries()) {
          const data = Buffer.alloc(length + 2, 32 + (i % 90));
          // Within a longer array, as a driver's frames are.
          put(data.subarray(1, length + 1), T0 + i);
          told.push({ time: T0 + i, text: data.toString('latin1', 1, length + 1) });
          expect(ring.used).toBeLessThanOrEqual(size);
        }
        const kept = all(ring).map((frame) => seenOf(ring, frame));
        expect(ring.kept).toBe(kept.length);
        expect(ring.gone + kept.length).toBe(sizes.length);
        expect(kept.map(({ time, text }) => ({ time, text }))).toEqual(told.slice(told.length - kept.length));
        // Not one fewer than fits: with its record, the next older one would not.
        const older = told[told.length - kept.length - 1];
        if (older !== undefined) expect(ring.used + older.text.length + 48 + 4096 + 8).toBeGreaterThan(size);
      }),
    );
  });

  it('counts a frame too long for it, and keeps none of it', () => {
    const { ring, put } = bare(4096);
    put(Buffer.alloc(1024 - 48));
    put(Buffer.alloc(1024 - 47));
    expect([ring.kept, ring.tooLong]).toEqual([1, 1]);
  });

  it('drops by age what is older than was asked for', () => {
    const { ring, put } = bare(4096, 10_000);
    for (let i = 0; i < 100; i++) put(Buffer.from(`frame ${i}`), T0 + i * 1000);
    ring.expire(T0 + 99_000);
    expect(all(ring).map(({ time }) => time - T0)).toEqual([89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99].map((s) => s * 1000));
    ring.expire(T0 + 200_000, 3);
    expect(ring.kept).toBe(8);
    ring.expire(T0 + 200_000);
    expect([ring.kept, ring.since, ring.used]).toEqual([0, null, 0]);
    put(Buffer.from('again'), T0 + 200_000);
    expect(all(ring).map((frame) => seenOf(ring, frame).text)).toEqual(['again']);
  });

  it('is not confused by a time that is no number', () => {
    const { ring, put } = bare(4096);
    for (let i = 0; i < 200; i++) put(Buffer.alloc(i), Number.NaN);
    expect(all(ring).map(({ captured }) => captured)).toEqual(Array.from({ length: ring.kept }, (_, i) => 200 - ring.kept + i));
  });
});

describe('a follower', () => {
  /** Takes up to `most` frames when it is hurried. */
  class Reader implements RingFollower {
    readonly seen: string[] = [];
    position: number;
    hurried = 0;
    readonly #ring: PacketRing;
    readonly #most: number;
    readonly #frame = new KeptFrame();

    constructor(ring: PacketRing, most: number) {
      this.#ring = ring;
      this.#most = most;
      this.position = ring.oldest;
    }

    hurry(until: number): void {
      this.hurried++;
      for (let left = this.#most; left > 0 && this.#ring.first(this.position) < until; left--) this.take();
    }

    take(): void {
      this.position = this.#ring.read(this.#ring.first(this.position), this.#frame);
      this.seen.push(seenOf(this.#ring, this.#frame).text);
    }
  }

  it('has every frame before it is overwritten, in few calls', () => {
    const { ring, put } = bare(16_384);
    const reader = new Reader(ring, Number.POSITIVE_INFINITY);
    ring.follow(reader);
    const told = Array.from({ length: 3000 }, (_, i) => `frame ${i}`.padEnd(i % 700, '.'));
    for (const text of told) put(Buffer.from(text));
    while (reader.position < ring.end) reader.take();
    expect(reader.seen).toEqual(told);
    expect(reader.hurried).toBeLessThan(3000 / 2);
  });

  it('reads on after it had everything and the ring went round', () => {
    const { ring, put } = bare(4096);
    const reader = new Reader(ring, Number.POSITIVE_INFINITY);
    ring.follow(reader);
    const told = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd((i * 37) % 900, '.'));
    for (const text of told) {
      put(Buffer.from(text));
      while (reader.position < ring.end) reader.take();
    }
    expect(reader.seen).toEqual(told);
    expect(reader.hurried).toBe(0);
  });

  it('can tell how many frames it lost', () => {
    const { ring, put } = bare(4096);
    const reader = new Reader(ring, 0);
    ring.follow(reader);
    for (let i = 0; i < 200; i++) put(Buffer.from(`frame ${i}`));
    expect(ring.has(reader.position)).toBe(false);
    expect(ring.gone).toBeGreaterThan(100);
    expect(reader.hurried).toBeLessThan(50);
    expect(all(ring)).toHaveLength(200 - ring.gone);
  });

  it('is left alone once it left', () => {
    const { ring, put } = bare(4096);
    const reader = new Reader(ring, 1);
    ring.follow(reader);
    ring.leave(reader);
    for (let i = 0; i < 200; i++) put(Buffer.from(`frame ${i}`));
    expect(reader.hurried).toBe(0);
  });
});
