import { beforeEach, describe, expect, it } from 'vitest';
import { CapRelay } from '../../../../src/capture/cap/relay.ts';
import { countersOf } from '../../../../src/capture/program.ts';
import { type FakeCapture, fakeCap } from '../../../support/fake-cap.ts';

/** Ethernet, IPv4 and a transport header by hand, filled up to `length` bytes. */
function frame(protocol: number, transport: number[], length: number, tags = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 12;
  for (let i = 0; i < tags; i++, at += 4) bytes.set([0x81, 0x00, 0, 7], at);
  bytes.set([0x08, 0x00, 0x45, 0, (length - at - 2) >> 8, (length - at - 2) & 255, 0, 0, 0, 0, 64, protocol], at);
  bytes.set(transport, at + 22);
  return bytes;
}
const tcp = (flags: number, length = 1000, payload = 0, tags = 0) =>
  frame(6, [0xc0, 0, 1, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0, payload], length, tags);
const udp = (from: number, to: number, payload = 0, length = 1000) =>
  frame(17, [from >> 8, from & 255, to >> 8, to & 255, 0, 0, 0, 0, payload], length);

/** The packet of an Ethernet frame in a cooked one. */
function cooked(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([...new Uint8Array(14), 0x08, 0x00, ...bytes.subarray(14)]);
}

describe('CapRelay', () => {
  const written: Buffer[] = [];
  const said: string[] = [];
  let room = Number.POSITIVE_INFINITY;
  const output = {
    write(bytes: Uint8Array, from: number, to: number): number {
      const n = Math.min(room, to - from);
      room -= n;
      if (n > 0) written.push(Buffer.from(bytes.subarray(from, from + n)));
      return n;
    },
    say: (line: string) => void said.push(line),
    now: () => 1_700_000_000_123.25,
  };
  const lengths = (): number[] => {
    const all = Buffer.concat(written);
    const found: number[] = [];
    for (let at = 0; at < all.length; at += 16 + all.readUInt32LE(at + 8)) found.push(all.readUInt32LE(at + 8));
    return found;
  };

  beforeEach(() => {
    written.length = 0;
    said.length = 0;
    room = Number.POSITIVE_INFINITY;
  });

  function opened(link = 'ETHERNET'): { relay: CapRelay; push: (bytes: Uint8Array) => void; capture: FakeCapture } {
    const { module, captures } = fakeCap(link);
    const relay = new CapRelay(output);
    relay.open(module, 'eth0', 'tcp', 99_999, false);
    const [capture] = captures;
    if (capture === undefined) throw new Error('nothing was opened');
    return { relay, push: (bytes) => capture.push(bytes), capture };
  }

  it('writes records when the timer comes', () => {
    const { relay, push, capture } = opened();
    expect(capture.opened).toEqual(['eth0', 'tcp', 99_999]);
    push(tcp(0x10));
    push(tcp(0x02));
    expect(written).toEqual([]);
    relay.flush();
    const all = Buffer.concat(written);
    expect([0, 4, 8, 12].map((at) => all.readUInt32LE(at))).toEqual([1_700_000_000, 123_250, 160, 1000]);
    expect(lengths()).toEqual([160, 1000]);
    expect(all.subarray(16, 176)).toEqual(Buffer.from(tcp(0x10).subarray(0, 160)));
  });

  it.each([
    ['ETHERNET', tcp(0x18, 5000), 2048],
    ['ETHERNET', tcp(0x10, 1000, 0x16, 2), 1000],
    ['ETHERNET', udp(40000, 50000), 160],
    ['ETHERNET', udp(5353, 40000), 1000],
    ['RAW', tcp(0x02).subarray(14), 986],
    ['LINKTYPE_LINUX_SLL', cooked(tcp(0x02)), 1002],
    ['LINKTYPE_LINUX_SLL', cooked(tcp(0x10)), 160],
  ])('keeps of %s what the kernel would for libpcap', (link, bytes, kept) => {
    const { relay, push } = opened(link);
    push(bytes);
    relay.flush();
    expect(lengths()).toEqual([kept]);
  });

  it('keeps all of each frame if whole packets are asked for', () => {
    const { module, captures } = fakeCap('ETHERNET');
    const relay = new CapRelay(output);
    relay.open(module, 'eth0', '', 1, true);
    captures[0]?.push(tcp(0x10, 1500));
    relay.flush();
    expect(lengths()).toEqual([1500]);
  });

  it('returns the link type, and refuses those that are not decoded', () => {
    const links = ['ETHERNET', 'RAW', 'LINKTYPE_LINUX_SLL'].map((name) => {
      return new CapRelay(output).open(fakeCap(name).module, 'eth0', '', 1, false);
    });
    expect(links).toEqual([1, 101, 113]);
    for (const name of ['IEEE802_11_RADIO', 'Unknown linktype 138', '']) {
      expect(() => new CapRelay(output).open(fakeCap(name).module, 'wlan0', '', 1, false)).toThrow(
        `link type ${name} is not decoded`,
      );
    }
  });

  it('gives the addon a buffer that takes the longest frame', () => {
    expect(opened().capture.buffer?.length).toBeGreaterThan(65_535);
  });

  it('writes in a burst without waiting for the timer', () => {
    const { relay, push } = opened();
    for (let i = 0; i < 1000; i++) push(tcp(0x10));
    expect(Buffer.concat(written).length).toBeGreaterThan(65_536);
    relay.flush();
    expect(lengths()).toEqual(Array.from({ length: 1000 }, () => 160));
  });

  it('counts what finds no room, keeps records whole, and goes on when the reader does', () => {
    const { relay, push } = opened();
    room = 1001; // in the middle of a record
    for (let i = 0; i < 60_000; i++) push(tcp(0x10));
    relay.flush();
    expect(said).toEqual([]); // three seconds of 20,000 a second
    for (let i = 0; i < 20_000; i++) push(tcp(0x10));
    relay.flush();
    const shed = countersOf(said.at(-1) ?? '')?.shed ?? 0;
    expect(shed).toBeGreaterThan(0);
    room = Number.POSITIVE_INFINITY;
    relay.flush();
    for (let i = 0; i < 10; i++) push(tcp(0x02));
    relay.flush();
    expect(lengths().length).toBe(80_010 - shed);
    expect(lengths().slice(-10)).toEqual(Array.from({ length: 10 }, () => 1000));
  });

  it('reports the count, and writes again, in a drain in which no timer comes', () => {
    const { push } = opened();
    room = 0;
    for (let i = 0; i < 90_000; i++) push(tcp(0x10));
    expect(said.length).toBeGreaterThan(0);
    room = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 2000; i++) push(tcp(0x10));
    expect(Buffer.concat(written).length).toBeGreaterThan(12_000_000);
  });
});
