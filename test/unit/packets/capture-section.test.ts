import { describe, expect, test } from 'vitest';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { PcapngReader } from '../../../src/capture/file/pcapng.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import type { CaptureInterface } from '../../../src/capture/source.ts';
import type { KeptFlow } from '../../../src/model/packets.ts';
import type { Process } from '../../../src/model/terms.ts';
import { DIRECTION } from '../../../src/net/numbers.ts';
import { CaptureSection, type SectionFrame, type SectionParts } from '../../../src/packets/capture-section.ts';
import { Framing } from '../../../src/packets/framing.ts';
import { PcapngEncoder } from '../../../src/packets/pcapng-encoder.ts';
import { framesOf } from '../../support/capture-reader.ts';

const { IN, OUT, UNKNOWN } = DIRECTION;
const T0 = 1_700_000_000_000;
const INTERFACES: readonly CaptureInterface[] = [
  { name: 'eth0', kind: 'physical', link: 1, deliversTwice: false },
  { name: 'lo', kind: 'loopback', link: 1, deliversTwice: false },
];
const process = (fields: Partial<Process> = {}): Process => ({
  id: 1,
  pid: 4711,
  name: 'curl',
  exe: '/usr/bin/curl',
  uid: 1000,
  user: 'ann',
  parentPid: 1,
  startedAt: null,
  script: null,
  unit: null,
  container: null,
  publisher: null,
  command: null,
  ancestors: [],
  origin: null,
  session: null,
  terminal: null,
  app: 0,
  ...fields,
});
const flow = (fields: Partial<KeptFlow> = {}): KeptFlow => {
  const owner = fields.owner === undefined ? process() : fields.owner;
  return {
    serial: 1,
    app: owner?.name ?? null,
    owner,
    reason: owner === null ? 'not a local socket' : null,
    onBehalfOf: null,
    pid: owner?.pid ?? null,
    exe: owner?.exe ?? null,
    user: owner?.user ?? null,
    peerApp: null,
    peer: null,
    peerPid: null,
    name: 'example.com',
    nameSource: 'tls',
    host: 'example.com',
    domain: 'example.com',
    category: 'Web',
    application: 'https',
    ...{ process: owner, peerProcess: null, asked: null, ja4: null, ja4s: null, closed: false },
    country: null,
    asn: null,
    local: { address: '10.0.0.1', port: 40_000 },
    remote: { address: '192.0.2.9', port: 443 },
    remoteWords: Int32Array.of(0, 0, 0xffff, 0xc0_00_02_09 | 0),
    protocol: 'tcp',
    direction: 'outbound',
    interface: 'eth0',
    ...fields,
  };
};
const frame = (fields: Partial<SectionFrame> = {}): SectionFrame => ({
  ...{ offset: 3, captured: 5, wire: 1500, time: T0, iface: 0, direction: UNKNOWN, isSent: true, row: 0, serial: 1 },
  ...fields,
});
const BYTES = Uint8Array.from({ length: 300 }, (_, i) => i & 255);

/** What one section, and our own reader of it, make of some frames. */
function written(
  frames: readonly (Partial<SectionFrame> & { readonly dropped?: number })[],
  more: Partial<SectionParts> = {},
  capacity = 1 << 20,
) {
  const encoder = new PcapngEncoder(capacity);
  const parts: SectionParts = {
    ...{
      interfaces: INTERFACES,
      flowOf: () => flow(),
      wants: () => true,
      system: 'Linux',
      application: 'netmon-tui 1',
      comment: '',
    },
    namesProcesses: true,
    framing: new Framing({ interfaces: more.interfaces ?? INTERFACES, driver: 'libpcap', namesProcesses: false }),
    ...more,
  };
  const section = new CaptureSection(encoder, parts);
  const room = frames.map(({ dropped = 0, ...fields }) => section.write(encoder, BYTES, frame(fields), dropped));
  section.end(encoder, { bySystem: 7, byInterface: null });
  const bytes = encoder.bytes.slice(0, encoder.length);
  const interfaces = new InterfaceTable();
  const processes = new ProcessTable();
  const reader = new PcapngReader(interfaces, processes);
  const batch = new PacketBatch(100, bytes);
  reader.fill(batch, 0, bytes.length);
  const { malformed, broken, recorded, drops } = reader;
  return {
    ...{ room, section, bytes, malformed, broken, recorded, drops },
    frames: framesOf(batch, interfaces.interfaces, processes.processes),
    processes: processes.processes,
    interfaces: interfaces.interfaces,
  };
}

/** Blocks by type. */
function blocks(bytes: Uint8Array): { type: number; text: string }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: { type: number; text: string }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    found.push({ type: view.getUint32(at, true), text: Buffer.from(bytes.subarray(at, at + length)).toString('latin1') });
    at += length;
  }
  return found;
}

describe('CaptureSection', () => {
  test('reads back as it was written', () => {
    const { frames, malformed, broken, recorded, processes, drops } = written([
      {},
      { isSent: false, time: T0 + 0.25, captured: 4 },
      { row: -1, serial: 0, direction: IN },
    ]);
    expect({ malformed, broken }).toEqual({ malformed: 0, broken: null });
    expect(frames).toEqual([
      {
        time: T0,
        bytes: '0304050607',
        wire: 1500,
        link: 1,
        interface: 'eth0',
        direction: OUT,
        process: 'curl:4711',
        effective: null,
      },
      expect.objectContaining({ time: T0 + 0.25, bytes: '03040506', direction: IN, process: 'curl:4711' }),
      expect.objectContaining({ direction: IN, process: null }),
    ]);
    expect(recorded).toEqual([{ frame: 0, name: 'example.com', source: 'tls', direction: 0, isSent: true, otherEnd: 0 }]);
    expect(processes.at(-1)).toEqual({
      ...{ pid: 4711, name: 'curl', exe: '/usr/bin/curl', user: 'ann', script: null, unit: null },
    });
    expect(drops.bySystem).toBe(7);
  });

  test('says where a flow is placed, and who is at its other end within the machine: once, and when that changes', () => {
    let now = flow({ direction: 'outbound' });
    const { recorded, processes } = written(
      [{}, { isSent: false }, { time: T0 + 1000, isSent: false }, { time: T0 + 1001 }, { time: T0 + 3000 }],
      {
        flowOf: () => now,
        wants: () => {
          const asked = now;
          if (asked.direction === 'outbound') now = flow({ direction: 'local', peer: process({ pid: 80, name: 'nginx' }) });
          return true;
        },
      },
    );
    expect(recorded).toMatchObject([
      { frame: 0, direction: 0, isSent: true, otherEnd: 0 },
      { frame: 2, direction: 2, isSent: false, otherEnd: processes.findIndex(({ name }) => name === 'nginx') },
    ]);
    expect(written([{}], { flowOf: () => flow({ direction: 'local', name: null }) }).recorded).toMatchObject([
      { direction: 2, otherEnd: 0 },
    ]);
    expect(written([{ direction: DIRECTION.PASSING }], { flowOf: () => flow({ direction: 'transit' }) }).frames).toMatchObject([
      { direction: DIRECTION.PASSING },
    ]);
  });

  test('has an interface even without a frame: libpcap refuses it otherwise', () => {
    const types = (bytes: Uint8Array) => blocks(bytes).map(({ type }) => type);
    expect(types(written([]).bytes)).toEqual([0x0a0d0d0a, 1, 0x80000001, 5]);
    expect(written([]).interfaces).toMatchObject([{ name: 'eth0', link: 1 }]);
    expect(types(written([], { interfaces: [] }).bytes)).toEqual([0x0a0d0d0a, 1, 5]);
    expect(written([{}], { wants: () => false }).interfaces).toMatchObject([{ name: 'eth0' }]);
  });

  test('has one link type', () => {
    const tunnel = { name: 'tun0', kind: 'tunnel', link: 101, deliversTwice: false } as const;
    const mixed = [INTERFACES[0] as CaptureInterface, tunnel];
    const data = { offset: 0x45, captured: 40, wire: 1000 };
    const { frames, malformed } = written([data, { ...data, iface: 1 }], { interfaces: mixed });
    expect(malformed).toBe(0);
    expect(frames).toEqual([
      expect.objectContaining({ link: 1, wire: 1000, interface: 'eth0' }),
      expect.objectContaining({ link: 1, wire: 1014, interface: 'tun0' }),
    ]);
    expect(frames[1]?.bytes).toBe(`0000000000000000000000000800${frames[0]?.bytes}`);
  });

  test('comments on the first frame of each flow, and again when more is known', () => {
    let known = flow({ owner: null, name: null });
    const { bytes } = written([{}, { time: T0 + 10 }, { time: T0 + 2000 }, { time: T0 + 2001 }, { serial: 2, time: T0 + 2002 }], {
      flowOf: () => {
        const before = known;
        known = flow();
        return before;
      },
    });
    const comments = blocks(bytes)
      .filter(({ type }) => type === 6)
      .map(({ text }) => /(no app|app)[ -~]*/.exec(text)?.[0]);
    const full = 'app curl, pid 4711, user ann, host example.com (tls), category Web';
    expect(comments).toEqual(['no app: not a local socket, category Web', undefined, full, undefined, full]);
  });

  test('declares what a frame refers to once, and before it', () => {
    const { bytes } = written([{}, { iface: 1, time: T0 + 1 }, { time: T0 + 2 }]);
    expect(blocks(bytes).map(({ type }) => type)).toEqual([0x0a0d0d0a, 1, 0x80000001, 0x80000001, 4, 6, 1, 6, 6, 5, 5]);
  });

  test('names the sender of a loopback packet, and calls it sent', () => {
    const peer = process({ id: 2, pid: 80, name: 'server', exe: null });
    const { frames } = written(
      [
        { iface: 1, direction: IN },
        { iface: 1, direction: IN, isSent: false, time: T0 + 1 },
      ],
      { flowOf: () => flow({ peer, peerApp: 'server', direction: 'local' }) },
    );
    expect(frames.map(({ direction, process: sender }) => [direction, sender])).toEqual([
      [OUT, 'curl:4711'],
      [OUT, 'server:80'],
    ]);
  });

  test('leaves the direction of transit frames as it was captured', () => {
    const { frames } = written([{ direction: IN }, { direction: UNKNOWN }], { flowOf: () => flow({ direction: 'transit' }) });
    expect(frames.map(({ direction }) => direction)).toEqual([IN, UNKNOWN]);
  });

  test('leaves out what is not wanted, frames without a flow among it', () => {
    const { frames, section } = written([{}, { row: 1, serial: 2 }, { row: -1 }], { wants: (_, row) => row === 1 });
    expect(frames).toHaveLength(1);
    expect(section.frames).toBe(1);
  });

  test('asks for room before it begins a frame', () => {
    const { room, section, malformed, bytes } = written(
      Array.from({ length: 99 }, () => ({ captured: 200 })),
      {},
      49_152,
    );
    expect(room.indexOf(false)).toBeGreaterThan(0);
    expect(room.lastIndexOf(true)).toBe(room.indexOf(false) - 1);
    expect(section.frames).toBe(room.indexOf(false));
    expect(malformed).toBe(0);
    expect(bytes.length).toBeLessThan(49_152);
  });

  test('writes times to the nanosecond, and those that do not fit to the microsecond', () => {
    const times = [T0 + 0.000_244_140_625, 0, 1.5, 253_402_300_799_999, 9_223_372_036_853.5, 9_223_372_036_854];
    const { frames } = written(times.map((time) => ({ time })));
    for (const [i, time] of times.entries())
      expect(Math.abs((frames[i]?.time ?? -1) - time)).toBeLessThanOrEqual(time * 2 ** -52);
    const { bytes } = written([{ time: 1_700_000_000_123.5 }]);
    const packet = Buffer.from(blocks(bytes).find(({ type }) => type === 6)?.text ?? '', 'latin1');
    expect((BigInt(packet.readUInt32LE(12)) << 32n) | BigInt(packet.readUInt32LE(16))).toBe(1_700_000_000_123_500_000n);
  });

  test('strips control characters from all texts, and keeps them short', () => {
    const evil = `\u001b[31m\r\n${'x'.repeat(5000)}\0`;
    const { bytes, processes, malformed } = written([{}], {
      flowOf: () =>
        flow({ owner: process({ name: evil, exe: evil, user: evil, script: evil, unit: evil }), app: evil, category: evil }),
      comment: evil,
    });
    expect(malformed).toBe(0);
    expect(Buffer.from(bytes).includes('\u001b')).toBe(false);
    expect(Buffer.from(bytes).includes('x'.repeat(513))).toBe(false);
    expect(processes.at(-1)?.script).toMatch(/^\[31mx+$/);
  });

  test('counts the frames that were lost before one', () => {
    const { bytes } = written([{ dropped: 2 ** 33 + 5 }]);
    const packet = Buffer.from(blocks(bytes).find(({ type }) => type === 6)?.text ?? '', 'latin1');
    const at = packet.indexOf(Buffer.from([4, 0, 8, 0]));
    expect(packet.readBigUInt64LE(at + 4)).toBe(2n ** 33n + 5n);
  });
});
