import { describe, expect, test } from 'vitest';
import { PacketBatch } from '../../../../src/capture/batch.ts';
import {
  dumpedLayout,
  isPcap,
  PCAP_HEADER_BYTES,
  PcapReader,
  RecordWalk,
  readPcapHeader,
} from '../../../../src/capture/file/pcap.ts';
import { InterfaceTable } from '../../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../../src/capture/process-names.ts';
import { feed, type ReadFrame } from '../../../support/capture-reader.ts';
import { type FrameRecord, joined, type PcapFileOptions, pcapFile } from '../../../support/capture-writer.ts';

const data = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
const RECORDS: FrameRecord[] = [
  { data: data(60), time: 1_700_000_000_123.25 },
  { data: data(0), time: 1_700_000_000_124, wire: 40 },
  { data: data(33), time: 4_294_967_295_999, wire: 1514 },
];

/** Reads a whole classic pcap file in the given pieces. */
function read(file: Uint8Array, cuts: readonly number[] = []): { frames: ReadFrame[]; reader: PcapReader } {
  const header = readPcapHeader(file, 0);
  if (header === null) throw new Error('no header');
  const interfaces = new InterfaceTable();
  const processes = new ProcessTable();
  const reader = new PcapReader(header, interfaces, processes);
  const edges = [PCAP_HEADER_BYTES, ...cuts.filter((cut) => cut > PCAP_HEADER_BYTES), file.length];
  const chunks = edges.slice(1).map((to, i) => file.subarray(edges[i], to));
  return { frames: feed(reader, chunks, interfaces.interfaces, processes.processes, 2), reader };
}

describe('file header', () => {
  const spellings: Partial<PcapFileOptions>[] = [];
  for (const endian of ['little', 'big'] as const) {
    spellings.push({ endian }, { endian, nanos: true }, { endian, modified: true });
    // Before 2.3 the wire length comes first, in DG/UX's 543.0 too; 2.3 was written either way.
    spellings.push({ endian, version: [2, 2] }, { endian, version: [2, 0], modified: true }, { endian, version: [543, 0] });
    spellings.push({ endian, version: [2, 3] }, { endian, version: [2, 3], swapped: true });
  }

  test.each(spellings)('%j gives the same frames', (spelling) => {
    const { frames, reader } = read(pcapFile({ ...spelling, records: RECORDS }));
    expect(frames).toMatchObject([
      {
        wire: 60,
        time: 1_700_000_000_123.25,
        bytes: Buffer.from(data(60)).toString('hex'),
        link: 1,
        interface: 'file',
        process: null,
      },
      { wire: 40, time: 1_700_000_000_124, bytes: '' },
      { wire: 1514, time: 4_294_967_295_999 },
    ]);
    expect(reader).toMatchObject({ malformed: 0, broken: null, midway: false });
  });

  test('the length of a frame check sequence is no part of the link type', () => {
    expect(readPcapHeader(pcapFile({ link: 0x2400_0071, records: [] }), 0)?.link).toBe(113);
  });

  test.each([
    [0, 262_144],
    [0xffff_ffff, 262_144],
    [96, 96],
  ])('a snap length of %i is shown as %i', (snapLength, shown) => {
    expect(read(pcapFile({ snapLength, records: RECORDS })).reader.snapLength).toBe(shown);
  });

  test('other magics are none', () => {
    expect(isPcap(Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a), 0)).toBe(false);
    expect(isPcap(Uint8Array.of(0xd4, 0xc3, 0xb2), 0)).toBe(false);
    expect(readPcapHeader(new Uint8Array(24), 0)).toBeNull();
  });
});

describe('records', () => {
  test('cut at every byte, the frames are the same', () => {
    const file = pcapFile({ records: [...RECORDS, ...RECORDS] });
    const whole = read(file).frames;
    expect(whole).toHaveLength(6);
    for (let cut = PCAP_HEADER_BYTES; cut < file.length; cut++) expect(read(file, [cut]).frames).toEqual(whole);
    const bytes = Array.from({ length: file.length }, (_, i) => i);
    expect(read(file, bytes).frames).toEqual(whole);
  });

  test('a batch takes as many as it can hold, and goes on where it stopped', () => {
    const file = pcapFile({ records: Array.from({ length: 10 }, () => ({ data: data(8) })) });
    const batch = new PacketBatch(4, file);
    const walk = new RecordWalk(dumpedLayout(101, 3));
    let at = walk.fill(batch, PCAP_HEADER_BYTES, file.length);
    expect([batch.count, at]).toEqual([4, PCAP_HEADER_BYTES + 4 * 24]);
    expect(walk.fill(batch, at, file.length)).toBe(at);
    batch.count = 1;
    at = walk.fill(batch, at, file.length);
    expect([batch.count, at]).toEqual([4, PCAP_HEADER_BYTES + 7 * 24]);
    expect([batch.link[2], batch.iface[2]]).toEqual([101, 3]);
  });

  test('writes only what a record says', () => {
    const file = pcapFile({ records: [{ data: data(8) }] });
    const batch = new PacketBatch(1, file);
    batch.direction[0] = 2;
    batch.process[0] = 9;
    new RecordWalk(dumpedLayout(1, 0)).fill(batch, PCAP_HEADER_BYTES, file.length);
    expect([batch.direction[0], batch.process[0]]).toEqual([2, 9]);
  });

  test('a wire length below the captured one is a lie, and above all frames a broken record', () => {
    const { frames, reader } = read(
      pcapFile({ records: [{ data: data(60), wire: 0 }, { data: data(4), wire: 0xffff_ffff }, { data: data(5) }] }),
    );
    expect(frames.map((frame) => frame.wire)).toEqual([60, 5]);
    expect(reader.malformed).toBe(1);
    expect(reader.broken).toBeNull();
  });

  test.each([262_145, 0x7fff_ffff, 0xffff_ffff])('a captured length of %i ends it: what follows cannot be found', (captured) => {
    const file = pcapFile({ records: [{ data: data(9) }, { data: data(5), captured }, { data: data(7) }] });
    const { frames, reader } = read(file, [80, 90]);
    expect(frames).toHaveLength(1);
    expect(reader.malformed).toBe(1);
    expect(reader.broken).toMatch(/longer than any frame/);
  });

  test('the longest frame is taken', () => {
    expect(read(pcapFile({ records: [{ data: new Uint8Array(262_144) }] })).frames).toHaveLength(1);
  });

  test('a view that does not begin where its buffer begins', () => {
    const file = joined(new Uint8Array(5), pcapFile({ records: RECORDS })).subarray(5);
    expect(readPcapHeader(file, 0)?.link).toBe(1);
    const batch = new PacketBatch(9, file);
    expect(new RecordWalk(dumpedLayout(1, 0)).fill(batch, PCAP_HEADER_BYTES, file.length)).toBe(file.length);
    expect(batch.count).toBe(3);
  });
});
