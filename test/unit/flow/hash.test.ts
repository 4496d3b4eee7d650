import { describe, expect, it } from 'vitest';
import { hashAddress, hashFlow } from '../../../src/flow/hash.ts';
import { V4_MAPPED } from '../../../src/net/address.ts';

const FLOWS = 20_000;
const SEEDS = [1, 0x5eed, -77_777, 0x7fffffff];

type Ports = readonly [portA: number, portB: number];

const v4 = (words: Int32Array, a: number, b: number): void => {
  words.set([0, 0, V4_MAPPED, a, 0, 0, V4_MAPPED, b]);
};

/** Mean number of slots read to find each flow, in a table that is 30 % full like ours. */
function probes(fill: (words: Int32Array, i: number) => void, ports: (i: number) => Ports, seed: number): number {
  const slots = new Uint8Array(65_536);
  const mask = slots.length - 1;
  const words = new Int32Array(8);
  let looked = 0;
  for (let i = 0; i < FLOWS; i++) {
    fill(words, i);
    const [portA, portB] = ports(i);
    let slot = hashFlow(words, portA, portB, 6, seed) & mask;
    for (looked++; slots[slot] !== 0; slot = (slot + 1) & mask) looked++;
    slots[slot] = 1;
  }
  return looked / FLOWS;
}

const US = 0x0a000001;
let random = 12_345;
const next = (): number => {
  random = (Math.imul(random, 1_103_515_245) + 12_345) | 0;
  return random ^ (random >>> 15);
};

describe('hashFlow', () => {
  const v6 = (words: Int32Array, ...remote: number[]) => words.set([0x20010db8, 0, 0, 1, ...remote]);
  const fixed = (): Ports => [40_000, 80];

  it.each<[string, (words: Int32Array, i: number) => void, (i: number) => Ports]>([
    ['random ends', (words) => v4(words, US, next()), () => [next() & 0xffff, next() & 0xffff]],
    ['one client, rising ports', (words) => v4(words, US, 0x08080808), (i) => [20_000 + i, 443]],
    ['a scan of addresses', (words, i) => v4(words, US, 0xc0a80000 + i), fixed],
    ['a scan of ports', (words) => v4(words, US, 0xc0a80001), (i) => [40_000, i]],
    ['a scan of both', (words, i) => v4(words, US, 0xc0a80000 + (i >> 7)), (i) => [40_000 + (i & 127), 80 + (i & 1)]],
    ['every 256th address', (words, i) => v4(words, US, i << 8), fixed],
    ['IPv6, last word counts', (words, i) => v6(words, 0x20010db8, 0, 0, i), fixed],
    ['IPv6, second word counts', (words, i) => v6(words, 0x20010db8, i, 0, 1), fixed],
    ['IPv6 that begins with zero, second word counts', (words, i) => v6(words, 0, i, 0, 1), fixed],
    ['IPv6 that begins with zero, third word counts', (words, i) => v6(words, 0, 0, i, 1), fixed],
  ])('spreads %s', (_name, fill, ports) => {
    for (const seed of SEEDS) expect(probes(fill, ports, seed)).toBeLessThan(1.3);
  });

  it('is the same for both directions and differs by protocol, interface and seed', () => {
    const words = Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const turned = Int32Array.of(5, 6, 7, 8, 1, 2, 3, 4);
    const hash = hashFlow(words, 10, 20, 6, 99);
    expect(hashFlow(turned, 20, 10, 6, 99)).toBe(hash);
    const others = [
      hashFlow(turned, 10, 20, 6, 99),
      hashFlow(words, 10, 20, 17, 99),
      hashFlow(words, 10, 20, (1 << 16) | 6, 99),
      hashFlow(words, 10, 20, 6, 98),
    ];
    expect(new Set([hash, ...others]).size).toBe(5);
  });

  /** Addresses of one end: high bits of one word changed, and in the next word what an xor with a shifted state would make of that. */
  const cancelling = (word: number, next: number, shift: number): Int32Array[] => {
    const ends: Int32Array[] = [];
    for (let high = 0; high < 16; high++)
      for (let undone = 0; undone < 16; undone++) {
        const end = Int32Array.of(0x20010db9, 0x11223344, 0x55667788, 0x01020304);
        const difference = undone << 28;
        end[word] = (end[word] as number) ^ (high << 28);
        end[next] = (end[next] as number) ^ difference ^ (difference >>> shift);
        ends.push(end);
      }
    return ends;
  };

  /** How many of these flows have the hash of an earlier one. */
  const shared = (sources: readonly Int32Array[], destinations: readonly Int32Array[], seed: number): number => {
    const seen = new Set<number>();
    const words = new Int32Array(8);
    for (const source of sources)
      for (const destination of destinations) {
        words.set(source);
        words.set(destination, 4);
        seen.add(hashFlow(words, 4444, 5555, 17, seed));
      }
    return sources.length * destinations.length - seen.size;
  };

  it('has no families of addresses that collide', () => {
    const random = () => Array.from({ length: 64 }, () => Int32Array.from({ length: 4 }, next));
    const fixed = [Int32Array.of(0x2a010db9, 0x21223344, 0x65667788, 0x0a0b0c0d)];
    let chosen = 0;
    let byChance = 0;
    for (const [first, second] of [
      [3, 0],
      [0, 1],
      [1, 2],
    ] as const)
      for (const seed of SEEDS.slice(0, 2))
        for (let shift = 1; shift < 32; shift++) {
          const family = cancelling(first, second, shift);
          chosen += shared(family, fixed, seed) + shared(family.slice(0, 64), family.slice(-64), seed);
          byChance += shared(random(), random(), seed);
        }
    // 186 families of 4,096 flows each. Almost no pair shares a hash by chance.
    expect(byChance).toBeLessThan(10);
    expect(chosen).toBeLessThan(10);
  });

  it('distinguishes addresses', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 4; i++) {
      const words = new Int32Array(4);
      words[i] = 1;
      seen.add(hashAddress(words, 0, 7));
    }
    expect(seen.size).toBe(4);
  });
});
