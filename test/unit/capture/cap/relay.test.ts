import { beforeEach, describe, expect, it } from 'vitest';
import { capLine, capLink, parseCapLine } from '../../../../src/capture/cap/protocol.ts';
import { CapRelay, forgetRelays } from '../../../../src/capture/cap/relay.ts';
import { fakeCap } from '../../../support/fake-cap.ts';

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

describe('the words', () => {
  it('come back as they went, in one line', () => {
    expect(parseCapLine(capLine('no-open', 'a\nb\tc').trimEnd())).toEqual({ word: 'no-open', text: 'a b c' });
    expect(parseCapLine('Warning: eth0: no IPv4 address assigned - This may not actually work')).toBeNull();
    expect(parseCapLine('netmon-cap other x')).toBeNull();
  });

  it('map link types that can be decoded, and no others', () => {
    const texts = [
      'ETHERNET',
      'NULL',
      'RAW',
      'LINKTYPE_LINUX_SLL',
      'Unknown linktype 276',
      'Unknown linktype 9',
      'IEEE802_11_RADIO',
      'Unknown linktype 138',
      '',
    ];
    expect(texts.map(capLink)).toEqual([1, 0, 101, 113, 276, 9, null, null, null]);
  });
});

describe('CapRelay', () => {
  const written: Buffer[] = [];
  const told: string[] = [];
  let room = Number.POSITIVE_INFINITY;
  let turns: (() => void)[] = [];
  const ends = {
    write(bytes: Uint8Array, from: number, to: number): number {
      const n = Math.min(room, to - from);
      room -= n;
      if (n > 0) written.push(Buffer.from(bytes.subarray(from, from + n)));
      return n;
    },
    tell: (line: string) => void told.push(line),
    now: () => 1_700_000_000_123.25,
    soon: (then: () => void) => void turns.push(then),
  };
  const turn = (): void => {
    const now = turns;
    turns = [];
    for (const then of now) then();
  };
  const lengths = (): number[] => {
    const all = Buffer.concat(written);
    const found: number[] = [];
    for (let at = 0; at < all.length; at += 16 + all.readUInt32LE(at + 8)) found.push(all.readUInt32LE(at + 8));
    return found;
  };

  beforeEach(() => {
    forgetRelays();
    written.length = 0;
    told.length = 0;
    turns = [];
    room = Number.POSITIVE_INFINITY;
  });

  it('writes records when the loop turns', () => {
    const { module, captures } = fakeCap('ETHERNET');
    expect(new CapRelay(ends).open(module, 'eth0', 'tcp', 99_999)).toBe(true);
    expect(captures[0]?.opened).toEqual(['eth0', 'tcp', 99_999]);
    expect(told).toEqual(['netmon-cap ready ETHERNET\n']);
    captures[0]?.push(tcp(0x10));
    captures[0]?.push(tcp(0x02));
    expect(written).toEqual([]);
    turn();
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
    ['Unknown linktype 9', new Uint8Array(3000), 2048],
  ])('keeps of %s what the kernel would for libpcap', (link, bytes, kept) => {
    const { module, captures } = fakeCap(link);
    new CapRelay(ends).open(module, 'eth0', '', 1);
    captures[0]?.push(bytes);
    turn();
    expect(lengths()).toEqual([kept]);
  });

  it('gives the addon a buffer that takes the longest frame', () => {
    const { module, captures } = fakeCap('ETHERNET');
    new CapRelay(ends).open(module, 'eth0', '', 1);
    expect(captures[0]?.buffer?.length).toBeGreaterThan(65_535);
  });

  it('writes in a burst without waiting for the loop', () => {
    const { module, captures } = fakeCap('ETHERNET');
    new CapRelay(ends).open(module, 'eth0', '', 1);
    for (let i = 0; i < 1000; i++) captures[0]?.push(tcp(0x10));
    expect(Buffer.concat(written).length).toBeGreaterThan(65_536);
    turn();
    expect(lengths()).toEqual(Array.from({ length: 1000 }, () => 160));
  });

  it('counts what finds no room, keeps records whole, and goes on when the reader does', () => {
    const { module, captures } = fakeCap('ETHERNET');
    new CapRelay(ends).open(module, 'eth0', '', 1);
    room = 1001; // in the middle of a record
    for (let i = 0; i < 60_000; i++) captures[0]?.push(tcp(0x10));
    turn();
    expect(told.some((line) => line.includes('shed'))).toBe(false); // three seconds of 20,000 a second
    for (let i = 0; i < 20_000; i++) captures[0]?.push(tcp(0x10));
    turn();
    const shed = Number(parseCapLine((told.at(-1) ?? '').trimEnd())?.text);
    expect(shed).toBeGreaterThan(0);
    room = Number.POSITIVE_INFINITY;
    turn();
    for (let i = 0; i < 10; i++) captures[0]?.push(tcp(0x02));
    turn();
    expect(lengths().length).toBe(80_010 - shed);
    expect(lengths().slice(-10)).toEqual(Array.from({ length: 10 }, () => 1000));
  });

  it('tells the count in a drain in which the loop never turns', () => {
    const { module, captures } = fakeCap('ETHERNET');
    new CapRelay(ends).open(module, 'eth0', '', 1);
    room = 0;
    for (let i = 0; i < 90_000; i++) captures[0]?.push(tcp(0x10));
    expect(told.filter((line) => line.includes('shed')).length).toBeGreaterThan(0);
  });

  it('opens once in a process, also after a failure', () => {
    const { module, captures } = fakeCap(new Error('That device is not up'));
    expect(new CapRelay(ends).open(module, 'eth0', '', 1)).toBe(false);
    expect(new CapRelay(ends).open(module, 'eth1', '', 1)).toBe(false);
    expect(told).toEqual([
      'netmon-cap no-open That device is not up\n',
      'netmon-cap no-open cap can open one interface in a process only\n',
    ]);
    expect(captures.length).toBe(1);
  });
});
