import { beforeEach, describe, expect, it } from 'vitest';
import { capLine, capLink, parseCapLine } from '../../../../src/capture/cap/protocol.ts';
import { bytesOnWire, bytesToKeep, CapRelay, forgetRelays } from '../../../../src/capture/cap/relay.ts';
import { LINK } from '../../../../src/net/numbers.ts';
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

describe('bytesToKeep', () => {
  const keep = (bytes: Uint8Array, link: number = LINK.ETHERNET) => bytesToKeep(bytes, bytes.length, link);

  it('keeps 160 bytes of bulk and all of what may be read', () => {
    expect(keep(tcp(0x10))).toBe(160);
    expect(keep(tcp(0x02))).toBe(1000);
    expect(keep(tcp(0x18))).toBe(1000);
    expect(keep(tcp(0x10, 1000, 0x16))).toBe(1000);
    expect(keep(tcp(0x10, 1000, 0x16, 1))).toBe(1000);
    expect(keep(tcp(0x10, 1000, 0x16, 2))).toBe(1000);
    expect(keep(udp(40000, 50000))).toBe(160);
    expect(keep(udp(40000, 53))).toBe(1000);
    expect(keep(udp(5353, 40000))).toBe(1000);
    expect(keep(udp(40000, 443, 0xc3))).toBe(1000);
    expect(keep(tcp(0x18, 60000))).toBe(16_640);
    expect(keep(tcp(0x10, 100))).toBe(100);
  });

  it('looks behind every link header', () => {
    const packet = tcp(0x02).subarray(14);
    const behind = (header: number) => Uint8Array.from([...new Uint8Array(header), ...packet]);
    expect(keep(packet, LINK.RAW)).toBe(986);
    expect(keep(behind(4), LINK.NULL)).toBe(990);
    expect(keep(behind(16), LINK.LINUX_SLL)).toBe(1002);
    expect(keep(behind(4), LINK.PPP)).toBe(160);
  });

  it('reads IPv6, and no ports of later fragments', () => {
    const six = new Uint8Array(1000);
    six.set([0x86, 0xdd, 0x60, 0, 0, 0, 3, 0xb2, 6, 64], 12);
    six[14 + 40 + 13] = 0x02;
    expect(keep(six)).toBe(1000);
    six[14 + 40 + 13] = 0x10;
    expect(keep(six)).toBe(160);
    const fragment = udp(40000, 53);
    fragment[14 + 7] = 5;
    expect(keep(fragment)).toBe(160);
  });

  it('survives any bytes of any length', () => {
    let seed = 1;
    const bytes = new Uint8Array(400);
    for (let round = 0; round < 20_000; round++) {
      for (let i = 0; i < 80; i++) bytes[i] = seed = (seed * 1103515245 + 12345) & 0xff;
      if (round % 3 === 0) bytes.set([0x08, 0x00, 0x40 | (round & 15)], 12);
      const length = round % 400;
      for (const link of Object.values(LINK)) {
        const kept = bytesToKeep(bytes, length, link);
        if (kept > length || (kept < length && kept !== 160)) throw new Error(`kept ${kept} of ${length}`);
      }
    }
  });
});

describe('bytesOnWire', () => {
  it('is what was captured, and the header says where the snap length cut', () => {
    const bytes = new Uint8Array(65_535);
    bytes.set([0x08, 0x00, 0x45, 0, 0xff, 0xff], 12);
    expect(bytesOnWire(bytes, 1000, LINK.ETHERNET)).toBe(1000);
    expect(bytesOnWire(bytes, 65_535, LINK.ETHERNET)).toBe(65_549);
    bytes.set([0, 0], 16);
    expect(bytesOnWire(bytes, 65_535, LINK.ETHERNET)).toBe(65_535);
  });
});

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
