// Any bytes, cut anywhere: no reader throws, reads behind the end, or depends on where the cuts are.

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketBatch } from '../../src/capture/batch.ts';
import { type FrameReader, MAX_TIME_MS, MAX_WIRE_BYTES } from '../../src/capture/file/frame-reader.ts';
import { PcapReader, readPcapHeader } from '../../src/capture/file/pcap.ts';
import { PcapngReader } from '../../src/capture/file/pcapng.ts';
import { SNOOP_HEADER_BYTES, SnoopReader } from '../../src/capture/file/snoop.ts';
import { isUnpackable, type Packing, unpacked } from '../../src/capture/file/unpack.ts';
import { InterfaceTable } from '../../src/capture/interface-names.ts';
import { PktapUnwrapper } from '../../src/capture/pktap.ts';
import { ProcessTable } from '../../src/capture/process-names.ts';
import { framesOf, type ReadFrame } from '../support/capture-reader.ts';
import { type Block, joined, pcapFile, pcapngFile, pktapHeader, snoopFile, zstdFrame } from '../support/capture-writer.ts';

/** What this Node unpacks. */
const PACKINGS = (
  [
    ['gzip', (plain: Uint8Array): Uint8Array => gzipSync(plain)],
    ['zstd', zstdFrame],
  ] as const
).filter(([packing]) => isUnpackable(packing));

type Make = (interfaces: InterfaceTable, processes: ProcessTable) => FrameReader;

interface Outcome {
  readonly frames: readonly ReadFrame[];
  readonly malformed: number;
  readonly broken: string | null;
}

/** Reads pieces as a driver does, in a buffer with guard bytes behind the data, and proves what every frame promises. */
function read(make: Make, pieces: readonly Uint8Array[], capacity: number): Outcome {
  const interfaces = new InterfaceTable();
  const processes = new ProcessTable();
  const reader = make(interfaces, processes);
  const frames: ReadFrame[] = [];
  let left: Uint8Array = new Uint8Array(0);
  for (const piece of pieces) {
    const bytes = joined(left, piece);
    const batch = new PacketBatch(capacity, joined(bytes, new Uint8Array(64).fill(0xee)));
    let at = 0;
    for (;;) {
      batch.count = 0;
      const next = reader.fill(batch, at, bytes.length);
      expect(next).toBeGreaterThanOrEqual(at);
      expect(next).toBeLessThanOrEqual(bytes.length);
      prove(batch, at, bytes.length, interfaces, processes);
      frames.push(...framesOf(batch, interfaces.interfaces, processes.processes));
      if (next === at && batch.count === 0) break;
      at = next;
    }
    left = bytes.subarray(at);
    if (reader.broken !== null) break;
  }
  return { frames, malformed: reader.malformed, broken: reader.broken };
}

function prove(batch: PacketBatch, from: number, to: number, interfaces: InterfaceTable, processes: ProcessTable): void {
  expect(batch.count).toBeLessThanOrEqual(batch.capacity);
  for (let i = 0; i < batch.count; i++) {
    const offset = batch.offset[i] as number;
    const captured = batch.captured[i] as number;
    const wire = batch.wire[i] as number;
    const time = batch.time[i] as number;
    const sound =
      offset >= from &&
      offset + captured <= to &&
      wire >= captured &&
      wire <= MAX_WIRE_BYTES &&
      time >= 0 &&
      time <= MAX_TIME_MS &&
      (batch.iface[i] as number) < interfaces.interfaces.length &&
      (batch.process[i] as number) < processes.processes.length &&
      (batch.effective[i] as number) < processes.processes.length &&
      (batch.direction[i] as number) <= 2;
    if (!sound)
      throw new Error(`frame ${i}: offset ${offset}, captured ${captured}, wire ${wire}, time ${time} in ${from}..${to}`);
  }
}

function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((to, i) => bytes.subarray(edges[i], to));
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const payload = fc.uint8Array({ maxLength: 90 });
const word = fc.oneof(fc.nat({ max: 0xffff_ffff }), fc.constantFrom(0, 1, 12, 0x7fff_ffff, 0xffff_ffff, 262_144, 262_145));
/** Changes of single bytes: what a bad disk or a bad mind does to an honest file. */
const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 });

function damaged(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
  return copy;
}

function agree(make: Make, bytes: Uint8Array, where: readonly number[], capacity: number): void {
  const whole = read(make, [bytes], 4_096);
  expect(read(make, pieces(bytes, where), capacity)).toEqual(whole);
}

describe('classic records', () => {
  const record = fc.record(
    { data: payload, wire: word, captured: word, time: fc.nat({ max: 4_000_000_000_000 }) },
    { requiredKeys: ['data', 'time'] },
  );
  const spelling = fc.record({
    endian: fc.constantFrom('little' as const, 'big' as const),
    nanos: fc.boolean(),
    modified: fc.boolean(),
    version: fc.constantFrom<[number, number][]>([2, 4], [2, 3], [2, 2], [543, 0]),
    swapped: fc.boolean(),
    link: fc.constantFrom(0, 1, 113, 149, 258),
  });

  test('any records, cut anywhere', () => {
    fc.assert(
      fc.property(
        spelling,
        fc.array(record, { maxLength: 12 }),
        damage,
        cuts,
        fc.integer({ min: 1, max: 5 }),
        (how, records, changes, at, n) => {
          const file = pcapFile({ ...how, records });
          const header = readPcapHeader(file, 0);
          if (header === null) throw new Error('no header');
          const body = damaged(file.subarray(24), changes);
          agree((interfaces, processes) => new PcapReader(header, interfaces, processes), body, at, n);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('snoop', () => {
  const record = fc.record(
    { data: payload, wire: word, captured: word, drops: word, record: word, time: fc.nat({ max: 4_000_000_000_000 }) },
    { requiredKeys: ['data', 'time'] },
  );

  test('any records, cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 12 }),
        fc.nat(30),
        damage,
        cuts,
        fc.integer({ min: 1, max: 5 }),
        (records, link, changes, at, n) => {
          const file = snoopFile(records, link);
          const body = damaged(file.subarray(SNOOP_HEADER_BYTES), changes);
          agree((interfaces) => new SnoopReader(file, 0, 'snoop', interfaces), body, at, n);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('packed', () => {
  async function unpackAll(bytes: Uint8Array, at: readonly number[], packing: Packing) {
    const { stream, outcome } = unpacked(
      Readable.from(
        pieces(bytes, at).map((piece) => Buffer.from(piece)),
        { objectMode: false },
      ),
      packing,
    );
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return { bytes: Buffer.concat(parts), outcome };
  }

  test.each(PACKINGS)('%s: cut, damaged or followed by anything, it ends, and says what was wrong', async (packing, pack) => {
    const members = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        members,
        fc.uint8Array({ maxLength: 20 }),
        damage,
        fc.nat(40),
        cuts,
        async (plain, tail, changes, cut, at) => {
          const packed = joined(...plain.map(pack));
          const whole = await unpackAll(packed, at, packing);
          expect(whole).toEqual({ bytes: Buffer.concat(plain), outcome: { failure: null, remark: '' } });
          const followed = await unpackAll(joined(packed, Uint8Array.of(7), tail), at, packing);
          expect(followed.bytes).toEqual(whole.bytes);
          expect(followed.outcome.remark).toMatch(/^ignoring what follows/);
          const short = await unpackAll(packed.subarray(0, Math.max(0, packed.length - 1 - cut)), at, packing);
          expect(whole.bytes.subarray(0, short.bytes.length)).toEqual(short.bytes);
          await unpackAll(damaged(packed, changes), at, packing);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('pcapng', () => {
  const option = fc.record({
    code: fc.oneof(fc.constantFrom(0, 1, 2, 9, 14, 0x8001, 0x8002, 0x8003), fc.nat({ max: 0xffff })),
    value: fc.oneof(word, fc.uint8Array({ maxLength: 70 })),
  });
  const options = fc.array(option, { maxLength: 4 });
  const ticks = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const block: fc.Arbitrary<Block> = fc.oneof(
    fc.record({ block: fc.constant('section' as const), endian: fc.constantFrom('little' as const, 'big' as const), options }),
    fc.record({
      block: fc.constant('interface' as const),
      name: fc.string({ maxLength: 80 }),
      link: fc.nat({ max: 0xffff }),
      resolution: fc.nat({ max: 255 }),
      snapLength: word,
      options,
    }),
    fc.record({ block: fc.constant('process' as const), pid: word, name: fc.string({ maxLength: 80 }), options }),
    fc.record({
      block: fc.constant('packet' as const),
      obsolete: fc.boolean(),
      interface: fc.nat({ max: 3 }),
      data: payload,
      ticks,
      process: fc.nat({ max: 3 }),
      effective: fc.nat({ max: 3 }),
      options,
    }),
    fc.record({ block: fc.constant('packet' as const), data: payload, captured: word, wire: word }),
    fc.record({ block: fc.constant('simple' as const), data: payload, wire: word }),
    fc.record({ block: fc.constant('other' as const), type: word, body: fc.uint8Array({ maxLength: 60 }) }),
  );
  const stream = fc
    .array(block, { maxLength: 14 })
    .map((blocks) => pcapngFile([{ block: 'section' }, { block: 'interface' }, ...blocks]));
  const make: Make = (interfaces, processes) => new PcapngReader(interfaces, processes);

  test('any blocks, cut anywhere', () => {
    fc.assert(
      fc.property(stream, damage, cuts, fc.integer({ min: 1, max: 5 }), (bytes, changes, at, n) => {
        agree(make, damaged(bytes, changes), at, n);
      }),
      { numRuns: 500 },
    );
  });

  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), cuts, (bytes, at) => agree(make, bytes, at, 3)),
      { numRuns: 200 },
    );
  });
});

describe('PKTAP', () => {
  const fields = fc.record({
    length: fc.oneof(fc.constantFrom(0, 40, 107, 108, 156, 300), word),
    next: fc.constantFrom(0, 1, 2),
    link: fc.oneof(fc.constantFrom(0, 1, 12, 149, 258), word),
    name: fc.string({ maxLength: 24 }),
    flags: word,
    pid: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    comm: fc.string({ maxLength: 17 }),
    effectivePid: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    effectiveComm: fc.string({ maxLength: 17 }),
  });
  const frame = fc.oneof(
    payload,
    fc.tuple(fields, payload).map(([header, data]) => joined(pktapHeader(header), data)),
    fc.tuple(fields, damage).map(([header, changes]) => damaged(pktapHeader(header), changes)),
  );

  test('any header: what is left lies within what was there', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 10 }),
        fc.array(fc.constantFrom(1, 149, 258), { minLength: 10, maxLength: 10 }),
        (frames, links) => {
          const bytes = joined(...frames);
          const batch = new PacketBatch(16, bytes);
          let at = 0;
          for (const [i, one] of frames.entries()) {
            batch.offset[i] = at;
            batch.captured[i] = one.length;
            batch.wire[i] = one.length;
            batch.time[i] = i;
            batch.link[i] = links[i] as number;
            at += one.length;
          }
          batch.count = frames.length;
          const interfaces = new InterfaceTable();
          const processes = new ProcessTable();
          // A source always has the interface of its own, for what is not PKTAP.
          interfaces.named(1, false, 'file');
          const unwrapper = new PktapUnwrapper(interfaces, processes);
          unwrapper.unwrap(batch);
          expect(batch.count + unwrapper.malformed).toBe(frames.length);
          prove(batch, 0, bytes.length, interfaces, processes);
          for (let i = 1; i < batch.count; i++) expect(batch.time[i]).toBeGreaterThan(batch.time[i - 1] as number);
        },
      ),
      { numRuns: 500 },
    );
  });
});
