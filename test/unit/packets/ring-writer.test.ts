import { describe, expect, test } from 'vitest';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { PcapngReader } from '../../../src/capture/file/pcapng.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import { Framing } from '../../../src/packets/framing.ts';
import type { Kept } from '../../../src/packets/kept-flows.ts';
import { type CaptureSink, RingWriter, type RingWriterParts } from '../../../src/packets/ring-writer.ts';
import { joined } from '../../support/capture-writer.ts';
import { FakeSource, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, udp } from '../../support/frames.ts';

const T0 = 1_700_000_000_000;
const RING = 1 << 20;
const SPORT_AT = 34;
const made = new Map<number, Uint8Array>();
/** A datagram of so many bytes from a port. */
function datagram(sport: number, bytes = 10): Uint8Array {
  const pattern =
    made.get(bytes) ?? ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({ sport, dport: 9999 }, 'x'.repeat(bytes))));
  made.set(bytes, pattern);
  const frame = pattern.slice();
  new DataView(frame.buffer).setUint16(SPORT_AT, sport);
  return frame;
}

/** Keeps what it is given, and gives buffers back only when it is told to. */
class SlowSink implements CaptureSink {
  readonly files: Uint8Array[] = [new Uint8Array(0)];
  isClosed = false;
  isStuck = false;
  /** How much it says it has written; null for all. */
  taken: number | null = null;
  #held: (() => void)[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.files.push(joined(this.files.pop() as Uint8Array, bytes));
    const taken = this.taken ?? bytes.length;
    if (!this.isStuck) return Promise.resolve(taken);
    return new Promise((resolve) => this.#held.push(() => resolve(taken)));
  }

  endFile(): void {
    this.files.push(new Uint8Array(0));
  }

  async release(): Promise<void> {
    this.isStuck = false;
    for (const resolve of this.#held.splice(0)) resolve();
    await settled();
  }

  /** Source ports of the frames in each file that holds anything, and what is lost by the files themselves. */
  get read() {
    return this.files
      .filter(({ length }) => length > 0)
      .map((bytes) => {
        const reader = new PcapngReader(new InterfaceTable(), new ProcessTable());
        const batch = new PacketBatch(100_000, bytes);
        reader.fill(batch, 0, bytes.length);
        expect(reader).toMatchObject({ malformed: 0, broken: null });
        const view = new DataView(bytes.buffer);
        const ports = [...batch.offset.subarray(0, batch.count)].map((offset) => view.getUint16(offset + SPORT_AT));
        return { ports, lost: reader.drops.bySystem };
      });
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function writing(more: Partial<RingWriterParts> = {}) {
  const source = new FakeSource();
  const { monitor } = monitorOver(source, { keep: { bytes: RING, forMs: null } });
  const { ring, flows } = monitor.kept as Kept;
  const sink = new SlowSink();
  const writer = new RingWriter({
    ring,
    from: ring.end,
    sink,
    section: {
      interfaces: source.interfaces,
      flowOf: (row, serial) => flows.of(row, serial),
      wants: (flow) => flow?.local.port !== 1,
      framing: new Framing(source),
      ...{ system: '', application: 'test', comment: '', namesProcesses: false },
    },
    losses: () => ({ bySystem: null, byInterface: null }),
    ...{ fileBytes: null, fileMs: null },
    ...more,
  });
  const ingest = (...frames: { data: Uint8Array; time: number }[]) => {
    source.push(...frames);
    for (let batch = source.read(); batch !== null; batch = source.read()) monitor.ingest(batch, 0, batch.count);
  };
  return { writer, sink, ingest, ring };
}

describe('RingWriter', () => {
  test('stays a second behind', () => {
    const { writer, sink, ingest } = writing();
    ingest({ data: datagram(2), time: T0 });
    writer.work(0);
    ingest({ data: datagram(3), time: T0 + 500 });
    writer.work(500);
    writer.work(999);
    expect(sink.read[0]?.ports).toEqual([]);
    writer.work(1000);
    expect(sink.read[0]?.ports).toEqual([2]);
    writer.work(1500);
    expect(sink.read[0]?.ports).toEqual([2, 3]);
    expect(writer).toMatchObject({ packets: 2, lost: 0, since: T0, until: T0 + 500 });
  });

  test('has a section in the file before the first frame', () => {
    const { writer, sink } = writing();
    writer.work(0);
    expect(sink.files[0]?.length).toBeGreaterThan(20);
    expect(sink.read).toHaveLength(1);
  });

  test('ends though nothing came after the beginning of the file', async () => {
    const { writer, sink } = writing();
    writer.work(0);
    await settled();
    await writer.finish();
    expect(sink.files).toHaveLength(2);
    expect(sink.read[0]?.ports).toEqual([]);
  });

  test('writes early what is about to be overwritten', async () => {
    const { writer, sink, ingest, ring } = writing();
    const many = Array.from({ length: 3000 }, (_, i) => ({ data: datagram(10 + i, 900), time: T0 + i }));
    for (let at = 0; at < many.length; at += 500) {
      ingest(...many.slice(at, at + 500));
      await settled();
    }
    expect(ring.gone).toBeGreaterThan(1000);
    await writer.finish();
    expect(sink.read[0]?.ports).toEqual(many.map((_, i) => 10 + i));
    expect(writer.lost).toBe(0);
  });

  test('counts what the sink was too slow for, in the file too, and goes on', async () => {
    const { writer, sink, ingest } = writing();
    sink.isStuck = true;
    const many = Array.from({ length: 9000 }, (_, i) => ({ data: datagram(10 + i, 900), time: T0 + i }));
    ingest(...many);
    expect(writer.lost).toBeGreaterThan(1000);
    await sink.release();
    await writer.finish();
    expect(writer.packets + writer.lost).toBe(9000);
    const [file] = sink.read;
    expect(file?.ports).toHaveLength(writer.packets);
    expect(file?.ports.at(-1)).toBe(10 + 8999);
    expect(file?.lost).toBe(writer.lost);
  });

  test('does not miss what is not wanted', () => {
    const { writer, sink, ingest } = writing();
    sink.isStuck = true;
    ingest(...Array.from({ length: 9000 }, (_, i) => ({ data: datagram(1, 900), time: T0 + i })));
    expect(writer).toMatchObject({ packets: 0, lost: 0 });
  });

  test('begins another file by size, and each of them stands alone', async () => {
    const { writer, sink, ingest } = writing({ fileBytes: 5000 });
    ingest(...Array.from({ length: 60 }, (_, i) => ({ data: datagram(10 + i, 300), time: T0 })));
    await writer.finish();
    expect(sink.read.flatMap(({ ports }) => ports)).toEqual(Array.from({ length: 60 }, (_, i) => 10 + i));
    expect(sink.read.length).toBeGreaterThan(3);
    for (const { length } of sink.files) expect(length).toBeLessThanOrEqual(5000);
  });

  test('begins another file by the time of packets', async () => {
    const { writer, sink, ingest } = writing({ fileMs: 1000 });
    ingest(...[0, 999, 1000, 1500, 9000].map((after, i) => ({ data: datagram(10 + i), time: T0 + after })));
    await writer.finish();
    expect(sink.read.map(({ ports }) => ports)).toEqual([[10, 11], [12, 13], [14]]);
  });

  test('goes on after it was finished, in another file', async () => {
    const { writer, sink, ingest } = writing();
    ingest({ data: datagram(2), time: T0 });
    await writer.finish();
    ingest({ data: datagram(3), time: T0 });
    await writer.finish();
    expect(sink.read.map(({ ports }) => ports)).toEqual([[2], [3]]);
  });

  test('says how many were lost before they came, since the section began', async () => {
    let bySystem = 5;
    const { writer, sink, ingest } = writing({ losses: () => ({ bySystem, byInterface: 0 }) });
    ingest({ data: datagram(2), time: T0 });
    bySystem = 7;
    await writer.finish();
    expect(sink.read[0]?.lost).toBe(2);
  });

  test('counts what the sink has written, if that is not all of it', async () => {
    const { writer, sink, ingest } = writing();
    ingest({ data: datagram(2), time: T0 }, { data: datagram(3), time: T0 });
    const [begin] = sink.files;
    expect(begin).toHaveLength(0);
    sink.taken = 0;
    await writer.finish();
    expect(writer.packets).toBe(0);
    ingest({ data: datagram(4), time: T0 }, { data: datagram(5), time: T0 });
    const lengths = (bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer);
      const ends: number[] = [];
      for (let at = 0; at < bytes.length; ends.push(at)) at += view.getUint32(at + 4, true);
      return ends;
    };
    // A section, an interface and a comment's flow are before the first of the two frames.
    const ends = lengths(sink.files[0] as Uint8Array);
    sink.taken = ends[2] as number;
    await writer.finish();
    expect(writer.packets).toBe(1);
  });

  test('gives up what a stuck sink has not taken when it is closed', () => {
    const { writer, sink, ingest } = writing();
    sink.isStuck = true;
    ingest({ data: datagram(2), time: T0 }, { data: datagram(3), time: T0 });
    void writer.finish();
    expect(writer).toMatchObject({ packets: 2, lost: 0 });
    writer.close();
    expect(writer).toMatchObject({ packets: 0, lost: 2 });
  });

  test('holds nothing up once its sink is closed', async () => {
    const { writer, sink, ingest, ring } = writing();
    sink.isClosed = true;
    ingest({ data: datagram(2), time: T0 });
    await writer.finish();
    expect(writer.position).toBe(ring.end);
    expect(writer.packets).toBe(0);
  });
});
