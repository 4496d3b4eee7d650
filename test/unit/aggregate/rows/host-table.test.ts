import { describe, expect, it } from 'vitest';
import { HostTable, OTHER_HOSTS } from '../../../../src/aggregate/rows/host-table.ts';
import { addresses } from '../../../support/packets.ts';

describe('HostTable', () => {
  it('gives each address one number, from 1', () => {
    const table = new HostTable(100, 7);
    const words = addresses('192.0.2.1', '2001:db8::1', '::1', '::', '192.0.2.1');
    expect([0, 4, 8, 12, 16].map((at) => table.intern(words, at))).toEqual([1, 2, 3, 4, 1]);
    expect([...table.words.subarray(8, 12)]).toEqual([...words.subarray(4, 8)]);
  });

  it('grows, and finds all of them again', () => {
    const table = new HostTable(100_000, 7);
    const words = new Int32Array(4 * 20_000);
    for (let i = 0; i < 20_000; i++) words.set([0x20010db8, i & 7, 0, i], i * 4);
    const numbers = Array.from({ length: 20_000 }, (_, i) => table.intern(words, i * 4));
    expect(new Set(numbers).size).toBe(20_000);
    for (let i = 0; i < 20_000; i++) {
      expect(table.intern(words, i * 4)).toBe(numbers[i]);
      expect(table.words[(numbers[i] as number) * 4 + 3]).toBe(i);
    }
  });

  it('folds what comes beyond its bound, and still knows those from before', () => {
    const table = new HostTable(3, 7);
    const words = addresses('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5');
    expect([0, 4, 8, 12, 16, 4].map((at) => table.intern(words, at))).toEqual([1, 2, 3, OTHER_HOSTS, OTHER_HOSTS, 2]);
    expect(table.folded).toBe(2);
  });

  it('tells names from addresses, and gives numbers that came back to others', () => {
    const table = new HostTable(4, 7);
    const words = addresses('10.0.0.1', '10.0.0.2', '10.0.0.3');
    expect([table.intern(words, 0), table.named(70), table.named(5000), table.intern(words, 4)]).toEqual([1, 2, 3, 4]);
    expect([table.named(70), table.nameOf(2), table.nameOf(1), table.hasName(70), table.hasName(71)]).toEqual([
      2,
      70,
      -1,
      true,
      false,
    ]);
    expect(table.named(71)).toBe(OTHER_HOSTS);
    table.release([1, 2]);
    expect([table.isTaken(1), table.isTaken(2), table.isTaken(3), table.hasName(70), table.count]).toEqual([
      false,
      false,
      true,
      false,
      2,
    ]);
    expect(new Set([table.intern(words, 8), table.named(71)])).toEqual(new Set([1, 2]));
    expect([table.intern(words, 4), table.named(5000), table.intern(words, 0)]).toEqual([4, 3, OTHER_HOSTS]);
  });
});
