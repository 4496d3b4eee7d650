import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Decoder, decode } from '../../src/decode/decode.ts';
import { LAYER, Packet, STATUS } from '../../src/decode/packet.ts';
import { LINK } from '../../src/net/numbers.ts';
import { ipv4, nullLink, udp } from '../support/frames.ts';
import { FRAMES } from '../support/fuzz/seeds.ts';

const LINKS = [...Object.values(LINK), 999];
const MARGIN = 64;

const corpus = [
  ...FRAMES.flatMap(({ link, frames }) => frames.map((frame) => ({ link, frame }))),
  { link: LINK.NULL, frame: nullLink(99, ipv4({}, udp({}, 'hello'))) },
];

/** Decodes a frame that lies between `MARGIN` bytes of poison. */
function within(poison: number, frame: Uint8Array, wire: number, link: number): Packet {
  const bytes = new Uint8Array(frame.length + 2 * MARGIN).fill(poison);
  bytes.set(frame, MARGIN);
  const packet = new Packet();
  decode(bytes, MARGIN, frame.length, wire, link, packet);
  return packet;
}

/** `toEqual`, but quick where they are. */
function expectSame(actual: Packet, expected: Packet): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

/** What does not lie in the captured bytes must not matter. */
function expectBlind(frame: Uint8Array, wire: number, link: number): Packet {
  const packet = within(0x00, frame, wire, link);
  for (const poison of [0xff, 0x45, 0x01]) expectSame(within(poison, frame, wire, link), packet);
  return packet;
}

const shared = new Decoder();
const reused = new Packet();

function check(frame: Uint8Array, wire: number, link: number): void {
  const packet = expectBlind(frame, wire, link);
  const end = MARGIN + frame.length;
  expect(Object.values(STATUS)).toContain(packet.status);
  expect(Object.values(LAYER)).toContain(packet.stoppedAt);
  expect(packet.status === STATUS.COMPLETE && (packet.stoppedAt !== LAYER.TRANSPORT || !packet.hasAddresses)).toBe(false);
  expect(packet.networkBytes).toBeGreaterThanOrEqual(0);
  expect(packet.networkBytes).toBeLessThanOrEqual(Math.max(wire, frame.length));
  expect(packet.payloadBytes).toBeGreaterThanOrEqual(0);
  expect(packet.payloadBytes).toBeLessThanOrEqual(packet.networkBytes);
  expect(packet.payloadCaptured).toBeGreaterThanOrEqual(0);
  expect(packet.payloadCaptured).toBeLessThanOrEqual(packet.payloadBytes);
  if (packet.payloadCaptured > 0) expect(packet.payloadOffset + packet.payloadCaptured).toBeLessThanOrEqual(end);
  for (const offset of [packet.networkOffset, packet.transportOffset])
    expect(offset === -1 || (offset >= MARGIN && offset <= end)).toBe(true);
  for (const value of Object.values(packet)) if (typeof value === 'number') expect(Number.isSafeInteger(value)).toBe(true);

  // The same record and decoder over all frames of the run: what came before changes nothing but the ports of later fragments.
  shared.decode(frame, 0, frame.length, wire, link, reused);
  const own = new Packet();
  decode(frame, 0, frame.length, wire, link, own);
  if (!own.laterFragment) expectSame(reused, own);
}

it('reads random bytes of every link type and nothing around them', () => {
  const wires = fc.oneof(fc.nat(3000), fc.nat(0xffffffff));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), wires, fc.constantFrom(...LINKS), check), { numRuns: 3000 });
});

it('reads mutated frames and nothing around them', () => {
  const edit = fc.record({ at: fc.nat(200), value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 4, 5, 6, 0x40, 0x60, 0xff)) });
  const mutated = fc.record({
    seed: fc.constantFrom(...corpus),
    edits: fc.array(edit, { maxLength: 4 }),
    keep: fc.oneof(fc.constant(1000), fc.nat(200)),
    wire: fc.oneof(fc.constant(0), fc.nat(2000)),
  });
  fc.assert(
    fc.property(mutated, ({ seed, edits, keep, wire }) => {
      const frame = Uint8Array.from(seed.frame.subarray(0, keep));
      for (const { at, value } of edits) if (at < frame.length) frame[at] = value;
      check(frame, wire === 0 ? seed.frame.length : wire, seed.link);
    }),
    { numRuns: 4000 },
  );
});

it('reads frames cut at every byte and nothing behind the cut', () => {
  for (const { link, frame } of corpus) {
    for (let captured = 0; captured < frame.length; captured++) expectBlind(frame.subarray(0, captured), frame.length, link);
  }
});

it('finds every frame of the corpus whole as it stands', () => {
  for (const { link, frame } of corpus) {
    check(frame, frame.length, link);
    const packet = within(0, frame, frame.length, link);
    const odd = link === LINK.RAW || link === LINK.PPP || link === LINK.NULL || packet.protocol === 0; // ARP has no place there
    if (!odd) expect(packet.hasAddresses).toBe(true);
  }
});
