// Filters on frames already read. Where libpcap is installed, it compiles the filters and checks the results.

import fc from 'fast-check';
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { PacketBatch } from '../../../../src/capture/batch.ts';
import { writeProgram } from '../../../../src/capture/libpcap/bpf-assembler.ts';
import { BpfProgram } from '../../../../src/capture/libpcap/bpf-program.ts';
import { type LibpcapCalls, loadLibpcap } from '../../../../src/capture/libpcap/calls.ts';
import { FrameFilter } from '../../../../src/capture/libpcap/frame-filter.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import { LINK } from '../../../../src/net/numbers.ts';
import { bytesOf, ethernet, ipv4, nullLink, tcp, udp } from '../../../support/frames.ts';

type Oracle = (code: Buffer, frame: Uint8Array, wire: number, captured: number) => number;
/** libpcap.so.0.8 of Debian, or .so.1 of others; null without either, and on a Mac. */
const libpcap = ((): { calls: LibpcapCalls; oracle: Oracle } | null => {
  for (const name of ['libpcap.so.0.8', 'libpcap.so.1']) {
    try {
      const library = koffi.load(name);
      const oracle = library.func('uint32_t bpf_filter(void*, const uint8_t*, uint32_t, uint32_t)') as Oracle;
      return { calls: loadLibpcap('linux'), oracle };
    } catch {
      // the next one
    }
  }
  return null;
})();
const calls = libpcap?.calls as LibpcapCalls;

const web = (port: number) => bytesOf(ethernet({}, ipv4({}, tcp({ sport: 50_000, dport: port }, 'hello'))));
const loop = (port: number) => bytesOf(nullLink(2, ipv4({}, udp({ sport: 50_000, dport: port }, 'hello'))));

function batchOf(frames: readonly { data: Uint8Array; link: number; wire?: number }[]): PacketBatch {
  const batch = new PacketBatch(64, new Uint8Array(65_536));
  let at = 7; // not at the start
  for (const [i, { data, link, wire = data.length }] of frames.entries()) {
    batch.bytes.set(data, at);
    Object.assign(batch.offset, { [i]: at });
    batch.captured[i] = data.length;
    batch.wire[i] = wire;
    batch.link[i] = link;
    batch.process[i] = i + 1;
    at += data.length + 3;
  }
  batch.count = frames.length;
  return batch;
}

function refusal(bpf: string, interfaces: readonly string[] = []): NetmonError {
  try {
    new FrameFilter(calls, bpf, interfaces);
  } catch (thrown) {
    if (thrown instanceof NetmonError) return thrown;
    throw thrown;
  }
  return expect.unreachable(`"${bpf}" was taken`);
}

describe.skipIf(libpcap === null)('a filter on frames of PKTAP (skipped without libpcap)', () => {
  it('keeps frames that match, by the link type of each, with all columns', () => {
    const filter = new FrameFilter(calls, 'port 443 or port 53', []);
    const batch = batchOf([
      { data: web(443), link: LINK.ETHERNET },
      { data: web(80), link: LINK.ETHERNET },
      { data: loop(53), link: LINK.NULL },
      { data: loop(54), link: LINK.NULL },
      { data: loop(53).subarray(4), link: LINK.RAW_DLT },
      { data: web(443), link: LINK.ETHERNET },
    ]);
    filter.keep(batch);
    expect([...batch.process.subarray(0, batch.count)]).toEqual([1, 3, 5, 6]);
    expect([filter.refused, filter.note]).toEqual([2, '']);
  });

  it('sees the length on the wire, but only captured bytes', () => {
    const filter = new FrameFilter(calls, 'greater 1000 and tcp dst port 443', []);
    const frame = web(443);
    const batch = batchOf([
      { data: frame, link: 1, wire: 1500 },
      { data: frame, link: 1 },
      { data: frame.subarray(0, 36), link: 1, wire: 1500 },
    ]);
    filter.keep(batch);
    expect([...batch.process.subarray(0, batch.count)]).toEqual([1]);
  });

  it('drops every frame of a link type on which nothing can match', () => {
    const filter = new FrameFilter(calls, 'arp', []);
    const batch = batchOf([{ data: loop(53), link: LINK.NULL }]);
    filter.keep(batch);
    expect([batch.count, filter.note]).toEqual([0, '']);
  });

  it("is refused in libpcap's words where it is bad on all, and where it is bad on some", () => {
    expect(refusal('garbage in')).toMatchObject({
      code: 'bad-filter',
      message: expect.stringMatching(/garbage in.*syntax error/),
    });
    expect(refusal('ip and not ip').message).toMatch(/rejects all packets/);
    const misfit = refusal('ether host 00:11:22:33:44:55');
    expect(misfit).toMatchObject({ code: 'bad-filter', hint: expect.stringContaining('--interface en0') });
    expect(misfit.message).toMatch(/does not work on utun, ipsec, ppp, lo0: .*ethernet/i);
    expect(refusal('vlan', ['any']).code).toBe('bad-filter');
    expect(refusal('vlan', ['utun4']).message).not.toMatch(/does not work on/);
  });

  it('needs to fit only the named interfaces', () => {
    for (const interfaces of [['en0'], ['en0', 'bridge100']])
      expect(() => new FrameFilter(calls, 'ether host 00:11:22:33:44:55', interfaces)).not.toThrow();
  });

  it('says that it drops frames of a new link type that it can’t filter', () => {
    const filter = new FrameFilter(calls, 'ether host 00:11:22:33:44:55', ['en0']);
    const batch = batchOf([{ data: loop(53), link: LINK.NULL }]);
    filter.keep(batch);
    expect(batch.count).toBe(0);
    expect(filter.note).toMatch(/^dropping frames of link type 0, .*ethernet/i);
  });
});

/** A random program whose jumps go forward and stay inside, as libpcap's validator requires. */
const program = fc
  .array(
    fc.record({
      code: fc.constantFrom(
        ...[
          0x00, 0x01, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c,
        ],
        ...[0x84, 0x94, 0x9c, 0xa4, 0xac, 0x07, 0x87, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x61, 0x80, 0x81, 0xb1],
        ...[0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d],
      ),
      jt: fc.nat(3),
      jf: fc.nat(3),
      k: fc.oneof(fc.nat(70), fc.constantFrom(0xffff_ffff, 0x8000_0000, 0xffff_f004, 0x0800)),
    }),
    { maxLength: 24 },
  )
  .map((body) => [
    // A cell that was never stored holds what libpcap's stack held.
    ...Array.from({ length: 16 }, (_, k) => ({ code: 0x02, jt: 0, jf: 0, k })),
    ...body.map((each, i) => {
      const kind = each.code & 7;
      const left = body.length - i; // instructions after this one, including both returns
      if (kind === 5)
        return {
          code: each.code,
          jt: Math.min(each.jt, left),
          jf: Math.min(each.jf, left),
          k: each.code === 5 ? each.k % (left + 1) : each.k,
        };
      const isMemory = each.code === 0x60 || each.code === 0x61 || kind === 2 || kind === 3;
      const isShift = each.code === 0x64 || each.code === 0x74;
      const isDivision = each.code === 0x34 || each.code === 0x94;
      return { ...each, k: isMemory ? each.k % 16 : isShift ? each.k % 32 : isDivision ? Math.max(1, each.k) : each.k };
    }),
    { code: 0x16, jt: 0, jf: 0, k: 0 },
    { code: 0x06, jt: 0, jf: 0, k: 4711 },
  ]);

describe('a program', () => {
  it.skipIf(libpcap === null)("gives what libpcap's own interpreter gives (skipped without libpcap)", () => {
    fc.assert(
      fc.property(program, fc.uint8Array({ maxLength: 64 }), fc.nat(2000), (instructions, frame, more) => {
        const code = writeProgram(instructions);
        const [wire, start] = [frame.length + more, 5];
        const bytes = Buffer.concat([Buffer.alloc(start, 0xaa), frame, Buffer.alloc(9, 0xbb)]);
        const expected = (libpcap as { oracle: Oracle }).oracle(code, Buffer.from(frame), wire, frame.length);
        expect(new BpfProgram(code).run(bytes, start, frame.length, wire)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('that loops, or is malformed, ends', () => {
    const run = (...instructions: Parameters<typeof writeProgram>[0]) =>
      new BpfProgram(writeProgram(instructions)).run(new Uint8Array(4), 0, 4, 4);
    expect(run({ code: 0x05, jt: 0, jf: 0, k: 0xffff_ffff })).toBe(0);
    expect(run({ code: 0x05, jt: 0, jf: 0, k: 0xffff_fff0 })).toBe(0);
    expect(run({ code: 0x05, jt: 0, jf: 0, k: 70_000 })).toBe(0);
    expect(run({ code: 0x77, jt: 0, jf: 0, k: 1 })).toBe(0);
    expect(run()).toBe(0);
  });
});
