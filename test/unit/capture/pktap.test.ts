import { describe, expect, test } from 'vitest';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { dumpedLayout, PCAP_HEADER_BYTES, RecordWalk } from '../../../src/capture/file/pcap.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { PktapUnwrapper } from '../../../src/capture/pktap.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import { framesOf } from '../../support/capture-reader.ts';
import { type FrameRecord, joined, type PktapFields, pcapFile, pktapHeader } from '../../support/capture-writer.ts';

const PAYLOAD = Uint8Array.from({ length: 40 }, (_, i) => i);
const wrapped = (fields: PktapFields = {}, rest: Partial<FrameRecord> = {}): FrameRecord => ({
  data: joined(pktapHeader(fields), PAYLOAD),
  ...rest,
});

function unwrap(records: readonly FrameRecord[], link = 149) {
  const file = pcapFile({ records });
  const batch = new PacketBatch(64, file);
  new RecordWalk(dumpedLayout(link, 0)).fill(batch, PCAP_HEADER_BYTES, file.length);
  const interfaces = new InterfaceTable();
  const processes = new ProcessTable();
  const unwrapper = new PktapUnwrapper(interfaces, processes);
  unwrapper.unwrap(batch);
  return { frames: framesOf(batch, interfaces.interfaces, processes.processes), unwrapper, interfaces, processes, batch };
}

describe('unwrapping', () => {
  test.each([
    [149, 156],
    [258, 156],
    [149, 108],
    [258, 200],
  ])('link type %i, header of %i bytes', (link, length) => {
    const fields: PktapFields = {
      length,
      name: 'en0',
      direction: 'out',
      flags: 0x21000,
      pid: 2227,
      comm: 'Google Chrome He',
      effectivePid: 300,
      effectiveComm: 'Google Chrome',
    };
    const { frames, unwrapper } = unwrap([wrapped(fields, { wire: 1500 + length, time: 5_000 })], link);
    expect(frames).toEqual([
      {
        time: 5_000,
        bytes: Buffer.from(PAYLOAD).toString('hex'),
        wire: 1500,
        link: 1,
        interface: 'en0',
        direction: 2,
        process: 'Google Chrome He:2227',
        effective: 'Google Chrome:300',
      },
    ]);
    expect(unwrapper.malformed).toBe(0);
  });

  test('processes that are not known, or the same', () => {
    const { frames, processes } = unwrap([
      wrapped({ pid: -1 }),
      wrapped({ pid: 0, comm: 'kernel_task', effectivePid: 1505, effectiveComm: 'network_test' }),
      wrapped({ pid: 794, comm: 'Spotify Helper', effectivePid: 794, effectiveComm: '' }),
      wrapped({ pid: 794, comm: 'Spotify Helper', effectivePid: -1, direction: 'in' }),
    ]);
    expect(frames.map((frame) => [frame.process, frame.effective, frame.direction])).toEqual([
      [null, null, 0],
      ['kernel_task:0', 'network_test:1505', 0],
      ['Spotify Helper:794', null, 0],
      ['Spotify Helper:794', null, 1],
    ]);
    expect(processes.processes).toHaveLength(4);
  });

  test('interfaces are entered as they come, each with its own link type', () => {
    const { interfaces, frames } = unwrap([
      wrapped({ name: 'en0' }),
      wrapped({ name: 'utun4', link: 0 }),
      wrapped({ name: 'lo0', link: 0 }),
      wrapped({ name: 'pdp_ip0', link: 12 }),
      wrapped({ name: 'en0' }),
      wrapped({ name: 'n'.repeat(24) }),
    ]);
    expect(interfaces.interfaces.map((iface) => [iface.name, iface.kind, iface.link, iface.deliversTwice])).toEqual([
      ['en0', 'physical', 1, false],
      ['utun4', 'tunnel', 0, false],
      ['lo0', 'loopback', 0, true],
      ['pdp_ip0', 'physical', 12, false],
      ['n'.repeat(24), 'physical', 1, false],
    ]);
    expect(frames.map((frame) => frame.link)).toEqual([1, 0, 0, 12, 1, 1]);
  });

  test('frames of other link types stay as they are', () => {
    const { frames } = unwrap([wrapped()], 1);
    expect(frames).toMatchObject([{ link: 1, wire: 196, process: null }]);
  });

  test('broken headers are taken out and counted; their neighbours stay in order', () => {
    const { frames, unwrapper } = unwrap([
      wrapped({ pid: 1, comm: 'a' }, { time: 1_000 }),
      { data: new Uint8Array(107) },
      { data: pktapHeader().subarray(0, 150) },
      wrapped({ length: 40 }),
      wrapped({ length: 0xffff_ffff }),
      wrapped({ pid: 2, comm: 'b' }, { time: 2_000 }),
      wrapped({ flags: 0x80000 }),
      wrapped({ link: 0x10001 }),
      wrapped({ next: 0 }),
      wrapped({ next: 2 }),
      wrapped({ pid: 3, comm: 'c' }, { time: 3_000, wire: 1 }),
    ]);
    expect(frames.map((frame) => [frame.process, frame.time, frame.wire])).toEqual([
      ['a:1', 1_000, 40],
      ['b:2', 2_000, 40],
      // It claims less on the wire than was captured.
      ['c:3', 3_000, 40],
    ]);
    expect(unwrapper.malformed).toBe(8);
  });

  test('a header without a frame behind it is an empty frame', () => {
    const { frames } = unwrap([{ data: pktapHeader() }]);
    expect(frames).toMatchObject([{ bytes: '', wire: 0 }]);
  });

  test('begins where it is told to', () => {
    const { batch, unwrapper } = unwrap([wrapped(), wrapped()]);
    batch.link[0] = 149;
    unwrapper.unwrap(batch, 1);
    expect(batch.count).toBe(2);
    expect(batch.link[0]).toBe(149);
  });

  test('a name that fills its field without a NUL ends there', () => {
    const { frames } = unwrap([wrapped({ pid: 5, comm: 'x'.repeat(17) })]);
    expect(frames[0]?.process).toBe(`${'x'.repeat(17)}:5`);
  });
});
