import { describe, expect, it } from 'vitest';
import { NameStrings } from '../../../../src/identify/name/name-strings.ts';

describe('names', () => {
  it('have dense, stable numbers', () => {
    const names = new NameStrings();
    expect(['a.example', 'b.example', 'a.example', 'c.example'].map((name) => names.intern(name))).toEqual([0, 1, 0, 2]);
    expect([0, 1, 2].map((number) => names.text(number))).toEqual(['a.example', 'b.example', 'c.example']);
    expect([names.count, names.refused, names.text(3), names.text(-1)]).toEqual([3, 0, '', '']);
  });

  it('beyond the limit are refused and counted, and known ones stay known', () => {
    const names = new NameStrings(2);
    expect(['a', 'b', 'c', 'a', 'd'].map((name) => names.intern(name))).toEqual([0, 1, -1, 0, -1]);
    expect([names.count, names.refused]).toEqual([2, 2]);
  });

  it('have a limit on their total length, too', () => {
    const names = new NameStrings(1000, 1000);
    const long = (i: number) => `${i}`.padStart(76, 'x');
    const numbers = Array.from({ length: 12 }, (_, i) => names.intern(long(i)));
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1]);
  });

  it('that are released free their number and their space', () => {
    const names = new NameStrings(4, 120);
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => names.intern(name))).toEqual([0, 1, 2, 3, -1]);
    expect([names.isNearlyFull, names.release(1), names.release(1), names.release(9), names.text(1)]).toEqual([
      ...[true, true, false, false, ''],
    ]);
    expect([names.isNearlyFull, names.count, names.end]).toEqual([false, 3, 4]);
    expect([names.intern('e'), names.text(1), names.intern('b'), names.intern('a')]).toEqual([1, 'e', -1, 0]);
  });

  it('stay in place while a million others come', () => {
    const names = new NameStrings();
    for (let i = 0; i < 1_000_000; i++) names.intern(`h${i}.example.com`);
    expect(names.count).toBe(65_536);
    expect(names.refused).toBe(1_000_000 - 65_536);
    expect(names.intern('h7.example.com')).toBe(7);
  });
});
