import { describe, expect, test } from 'vitest';
import { MAX_BLOCK_BYTES, PcapngReader } from '../../../../src/capture/file/pcapng.ts';
import { InterfaceTable } from '../../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../../src/capture/process-names.ts';
import { feed } from '../../../support/capture-reader.ts';
import { type Block, joined, pcapngFile } from '../../../support/capture-writer.ts';

const data = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 5 + length) & 255);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const SECTION: Block = { block: 'section' };
const EN0: Block = { block: 'interface', name: 'en0' };
const packet = (fields: Partial<Extract<Block, { block: 'packet' }>> = {}): Block => ({
  block: 'packet',
  data: data(21),
  ...fields,
});

function read(file: Uint8Array, options: { cuts?: readonly number[]; pktap?: boolean; frames?: number } = {}) {
  const interfaces = new InterfaceTable();
  const processes = new ProcessTable();
  const reader = new PcapngReader(interfaces, processes, options.pktap);
  const edges = [0, ...(options.cuts ?? []), file.length];
  const chunks = edges.slice(1).map((to, i) => file.subarray(edges[i], to));
  const frames = feed(reader, chunks, interfaces.interfaces, processes.processes, options.frames);
  return { frames, reader, interfaces: interfaces.interfaces, processes: processes.processes };
}

const MIXED: readonly Block[] = [
  { block: 'section', options: [{ code: 4, value: 'tcpdump (libpcap version 1.10.1)' }] },
  { block: 'interface', name: 'en0\0', snapLength: 2204 },
  { block: 'process', pid: 501, name: 'Safari\0' },
  packet({ ticks: 1_700_000_000_000_250n, direction: 'out', process: 0, wire: 1514, options: [{ code: 0x8002, value: 0 }] }),
  { block: 'other', type: 0x80000002, body: data(40) },
  { block: 'interface', name: 'utun4', link: 0 },
  { block: 'process', pid: -1 },
  { block: 'process', pid: 794, name: 'Spotify Helper' },
  packet({ interface: 1, direction: 'in', process: 2, effective: 0, ticks: 5n, options: [{ code: 1, value: 'a comment' }] }),
  packet({ interface: 1, process: 1 }),
  packet({ direction: 'in', process: 99 }),
  packet({ obsolete: true, interface: 1, data: data(3), direction: 'out' }),
  { block: 'simple', data: data(6), wire: 6 },
  { block: 'section', endian: 'big' },
  { block: 'interface', name: 'en0', link: 1 },
  { block: 'process', pid: 9, name: 'later' },
  packet({ process: 0, direction: 'out', ticks: 7_000n }),
];

const EXPECTED = [
  {
    interface: 'en0',
    link: 1,
    direction: 2,
    process: 'Safari:501',
    effective: null,
    wire: 1514,
    time: 1_700_000_000_000.25,
    bytes: hex(data(21)),
  },
  { interface: 'utun4', link: 0, direction: 1, process: 'Spotify Helper:794', effective: 'Safari:501', wire: 21, time: 0.005 },
  { interface: 'utun4', link: 0, direction: 0, process: null, effective: null },
  { interface: 'en0', direction: 1, process: null },
  { interface: 'utun4', direction: 2, bytes: hex(data(3)), wire: 3 },
  { interface: 'en0', direction: 0, bytes: hex(data(6)), wire: 6, time: 0 },
  { interface: 'en0', direction: 2, process: 'later:9', time: 7 },
];

const statistics = (number: number, counts: { system?: bigint; iface?: bigint }, endian: 'little' | 'big' = 'little'): Block => {
  const options = [
    ...(counts.iface === undefined ? [] : [[5, counts.iface] as const]),
    ...(counts.system === undefined ? [] : [[7, counts.system] as const]),
  ];
  const body = new DataView(new ArrayBuffer(12 + options.length * 12 + 4));
  const little = endian === 'little';
  body.setUint32(0, number, little);
  for (const [i, [code, value]] of options.entries()) {
    body.setUint16(12 + i * 12, code, little);
    body.setUint16(14 + i * 12, 8, little);
    body.setBigUint64(16 + i * 12, value, little);
  }
  return { block: 'other', type: 5, body: new Uint8Array(body.buffer) };
};

describe('frames that the capture lacks', () => {
  test('nothing said is unknown', () => {
    expect(read(pcapngFile([SECTION, EN0, packet()])).reader.drops).toMatchObject({ bySystem: null, byInterface: null });
  });

  test('running totals of two interfaces and two sections add up', () => {
    const { reader } = read(
      pcapngFile([
        SECTION,
        EN0,
        { block: 'interface', name: 'en1' },
        statistics(0, { system: 5n, iface: 1n }),
        packet(),
        statistics(0, { system: 9n }),
        statistics(1, { system: 100n }),
        { block: 'section', endian: 'big' },
        EN0,
        statistics(0, { system: 2n, iface: 3n }, 'big'),
      ]),
    );
    expect(reader.drops).toMatchObject({ bySystem: 111, byInterface: 4 });
    expect(reader.malformed).toBe(0);
  });

  test('a total that shrinks, one of all ones, an interface that nobody declared', () => {
    const lies = [statistics(0, { system: 9n }), statistics(0, { system: 4n, iface: 0xffff_ffff_ffff_ffffn }), statistics(7, {})];
    const { reader } = read(pcapngFile([SECTION, EN0, ...lies, packet()]));
    expect(reader.drops).toMatchObject({ bySystem: 9, byInterface: null });
    expect(reader.malformed).toBe(1);
  });
});

describe('blocks', () => {
  test('all kinds, two sections, both byte orders', () => {
    const { frames, reader, interfaces, processes } = read(pcapngFile(MIXED));
    expect(frames).toMatchObject(EXPECTED);
    expect(reader).toMatchObject({ malformed: 0, broken: null, midway: false });
    // The second section names en0 again, which is the same interface.
    expect(interfaces.map((iface) => `${iface.name} ${iface.link} ${iface.kind}`)).toEqual(['en0 1 physical', 'utun4 0 tunnel']);
    expect(processes.map((process) => process.name)).toEqual(['', 'Safari', 'Spotify Helper', 'later']);
  });

  test('cut at every byte, the frames are the same, and come as soon as they are complete', () => {
    const file = pcapngFile(MIXED);
    const whole = read(file).frames;
    for (let cut = 0; cut < file.length; cut++) expect(read(file, { cuts: [cut] }).frames).toEqual(whole);
    const bytes = Array.from({ length: file.length }, (_, i) => i);
    expect(read(file, { cuts: bytes, frames: 1 }).frames).toEqual(whole);
    expect(read(pcapngFile(MIXED.slice(0, 4))).frames).toHaveLength(1);
  });

  test.each([
    [undefined, 1_700_000_000_123_456n, 1_700_000_000_123.456],
    [6, 1_700_000_000_123_456n, 1_700_000_000_123.456],
    [9, 1_700_000_000_123_456_789n, 1_700_000_000_123.456_8],
    [3, 1_700_000_000_123n, 1_700_000_000_123],
    [0, 1_700_000_000n, 1_700_000_000_000],
    [0x80 | 10, 1_700_000_000n * 1024n + 512n, 1_700_000_000_500],
    [0x80 | 20, 1_700_000_000n << 20n, 1_700_000_000_000],
  ])('resolution %s: %s ticks are %s ms', (resolution, ticks, time) => {
    const iface: Block = { block: 'interface', ...(resolution === undefined ? {} : { resolution }) };
    const { frames } = read(pcapngFile([SECTION, iface, packet({ ticks })]));
    expect(frames[0]?.time).toBeCloseTo(time, 3);
  });

  test('an offset is added, and may be negative', () => {
    const at = (offset: number) =>
      read(pcapngFile([SECTION, { block: 'interface', offset }, packet({ ticks: 10_000_000n })])).frames[0]?.time;
    expect(at(100)).toBe(110_000);
    expect(at(-4)).toBe(6_000);
  });

  test.each([
    ['before the epoch', { offset: -100 }, 0n],
    ['after the year 9999', { resolution: 0 }, 0xffff_ffff_ffff_ffffn],
    ['at the end of time', { offset: Number.MAX_SAFE_INTEGER }, 0n],
    ['of a clock with more ticks than a number holds', { resolution: 127, offset: -1 }, 0xffff_ffff_ffff_ffffn],
    ['of a clock with hardly a tick', { resolution: 0x80, offset: -(2 ** 40) }, 0n],
  ])('a frame with a time %s counts, at the time of the frame before it', (_, clock, ticks) => {
    const { frames, reader } = read(
      pcapngFile([
        SECTION,
        EN0,
        { block: 'interface', ...clock },
        packet({ ticks, interface: 1 }),
        packet({ ticks: 7_000n }),
        packet({ ticks, interface: 1 }),
        { block: 'simple', data: data(6), wire: 6 },
      ]),
    );
    expect(frames.map(({ time }) => time)).toEqual([0, 7, 7, 7]);
    expect(reader).toMatchObject({ malformed: 0, mistimed: 2, untimed: 1, broken: null });
  });

  test('a simple packet is as long as the snap length lets it', () => {
    const file = pcapngFile([SECTION, { block: 'interface', snapLength: 10 }, { block: 'simple', data: data(10), wire: 900 }]);
    expect(read(file).frames).toMatchObject([{ bytes: hex(data(10)), wire: 900, interface: 'if0' }]);
  });

  test('an interface without a name is called by its number', () => {
    expect(read(pcapngFile([SECTION, EN0, { block: 'interface' }, packet({ interface: 1 })])).frames[0]?.interface).toBe('if1');
  });
});

describe('loopback packets come twice', () => {
  const lo0: Block = { block: 'interface', name: 'lo0', link: 0 };
  const apple = { direction: 'out', options: [{ code: 0x8002, value: 0 }] } as const;

  test('where the stream is PKTAP by name', () => {
    expect(read(pcapngFile([SECTION, lo0, EN0, packet()]), { pktap: true }).interfaces).toMatchObject([
      { name: 'en0', deliversTwice: false },
      { name: 'lo0', deliversTwice: true },
    ]);
  });

  test("where Apple's options show it", () => {
    expect(read(pcapngFile([SECTION, lo0, packet(apple)])).interfaces).toMatchObject([{ name: 'lo0', deliversTwice: true }]);
    const named: Block[] = [SECTION, lo0, { block: 'process', pid: 1, name: 'a' }, packet({ direction: 'in' })];
    expect(read(pcapngFile(named)).interfaces).toMatchObject([{ deliversTwice: true }]);
  });

  test('not in what others wrote', () => {
    expect(read(pcapngFile([SECTION, lo0, packet()])).interfaces).toMatchObject([{ name: 'lo0', deliversTwice: false }]);
    expect(read(pcapngFile([SECTION, lo0, packet({ direction: 'in' })])).interfaces).toMatchObject([{ deliversTwice: false }]);
  });
});

describe('hostile streams', () => {
  test('packets that contradict themselves are counted, and their neighbours read', () => {
    const { frames, reader } = read(
      pcapngFile([
        SECTION,
        packet(),
        { block: 'simple', data: data(4) },
        EN0,
        packet({ interface: 1 }),
        packet({ captured: 22 + 8 }),
        packet({ captured: 0xffff_ffff }),
        packet({ wire: 0xffff_ffff }),
        { block: 'other', type: 6, body: data(16) },
        { block: 'other', type: 3, body: new Uint8Array(0) },
        { block: 'other', type: 0x80000001, body: new Uint8Array(0) },
        { block: 'other', type: 1, body: data(4) },
        packet({ wire: 3 }),
      ]),
    );
    expect(frames).toMatchObject([{ wire: 21, bytes: hex(data(21)), interface: 'en0' }]);
    expect(reader).toMatchObject({ malformed: 10, broken: null });
  });

  test('a short declaration keeps its number', () => {
    const blocks: Block[] = [SECTION, { block: 'other', type: 1, body: data(4) }, EN0, packet({ interface: 1 })];
    expect(read(pcapngFile(blocks)).frames).toMatchObject([{ interface: 'en0' }]);
  });

  test('options that run over their block end where they break', () => {
    const file = pcapngFile([
      SECTION,
      EN0,
      packet({
        direction: 'in',
        options: [
          { code: 0x8001, value: new Uint8Array(3) },
          { code: 5, value: data(2) },
        ],
      }),
    ]);
    const length = file.length;
    // The last option (its length lies 16 bytes before the end) claims more than there is.
    new DataView(file.buffer).setUint16(length - 4 - 4 - 4 - 2, 0xfff0, true);
    expect(read(file).frames).toMatchObject([{ direction: 1, process: null }]);
  });

  const lengths = (change: (view: DataView, at: number) => void) => {
    const head = pcapngFile([SECTION, EN0]);
    const file = joined(head, pcapngFile([packet()]), pcapngFile([packet()]));
    change(new DataView(file.buffer), head.length);
    return read(file);
  };

  test.each([
    ['disagree', (view: DataView, at: number) => view.setUint32(at + 56 - 4, 60, true)],
    ['are 0', (view: DataView, at: number) => view.setUint32(at + 4, 0, true)],
    ['are odd', (view: DataView, at: number) => view.setUint32(at + 4, 57, true)],
    ['are absurd', (view: DataView, at: number) => view.setUint32(at + 4, MAX_BLOCK_BYTES + 4, true)],
    [
      'are absurd in an unknown block',
      (view: DataView, at: number) => [view.setUint32(at, 77, true), view.setUint32(at + 4, 0x7fff_fff0, true)],
    ],
  ])('block lengths that %s end it', (_, change) => {
    const { frames, reader } = lengths(change);
    expect(frames).toEqual([]);
    expect(reader.malformed).toBe(1);
    expect(reader.broken).not.toBeNull();
  });

  test.each([
    ['no section first', pcapngFile([EN0, packet()])],
    ['a section without byte order', joined(pcapngFile([SECTION]).subarray(0, 8), data(20))],
    ['anything else', data(500)],
  ])('%s: nothing is read', (_, file) => {
    const { frames, reader } = read(file);
    expect(frames).toEqual([]);
    expect(reader.broken).not.toBeNull();
  });

  test('a long unknown block is passed over without being held, and an end in it is seen', () => {
    const long: Block = { block: 'other', type: 0xbad, body: new Uint8Array(3_000_000) };
    const file = pcapngFile([SECTION, EN0, long, packet()]);
    const { frames, reader } = read(file, { cuts: [1_000_000, 2_000_000] });
    expect(frames).toHaveLength(1);
    expect(reader.midway).toBe(false);
    expect(read(file.subarray(0, 2_500_000)).reader.midway).toBe(true);
  });

  test('processes and interfaces without end are bounded', () => {
    const many: Block[] = Array.from({ length: 5_000 }, (_, i) => ({ block: 'interface', name: `e${i}` }));
    const { reader, interfaces, frames } = read(
      pcapngFile([SECTION, ...many, packet({ interface: 4_095 }), packet({ interface: 4_096 })]),
    );
    expect(interfaces).toHaveLength(1_024);
    expect(frames).toMatchObject([{ interface: 'other interfaces' }]);
    expect(reader.malformed).toBe(5_000 - 4_096 + 1);
  });
});
