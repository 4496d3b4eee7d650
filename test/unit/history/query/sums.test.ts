import { describe, expect, test } from 'vitest';
import { Groups, noSums } from '../../../../src/history/query/groups.ts';
import { SubjectSums } from '../../../../src/history/query/sums.ts';

describe('sums by subject', () => {
  test('are those of all records, also of many subjects with high numbers', () => {
    const met = new SubjectSums();
    for (let round = 1; round <= 3; round++)
      for (let subject = 4_000_000; subject > 3_980_000; subject -= 2) met.add(subject, round * 1000, subject, round, 1, 2, 0);
    const sums = noSums();
    met.addTo(sums, 3_990_000);
    expect(sums).toEqual({
      rxBytes: 3 * 3_990_000,
      txBytes: 6,
      rxPackets: 3,
      txPackets: 6,
      flows: 0,
      first: 1000,
      last: 3000,
    });
    expect([met.size, met.range, met.subjects.length]).toEqual([10_000, [3_980_002, 4_000_000], 10_000]);
    expect([met.has(3_980_002), met.has(3_980_001), met.has(5_000_000)]).toEqual([true, false, false]);
  });

  test('of a subject that was not met are none', () => {
    const sums = noSums();
    new SubjectSums().addTo(sums, 7);
    expect(sums).toEqual(noSums());
  });
});

test('groups are told apart by every value in its place', () => {
  const groups = new Groups();
  const values = [0, 1, 2, 2 ** 31 - 1].flatMap((a) => [0, 1, 2 ** 31 - 1].flatMap((b) => [0, 7].map((c) => [a, b, c])));
  for (const one of [...values, ...values]) groups.of(one).flows++;
  expect(groups.list.map((group) => group.values)).toEqual(values);
  expect(groups.list.every((group) => group.flows === 2)).toBe(true);
});
