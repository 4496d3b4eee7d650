// Segments of ranges: each minute once while minutes are kept, each coarse bucket in the one range that holds its middle.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coarsestSegments, finestSegments, type Marks, type Segment } from '../../../../src/history/query/segments.ts';
import { minutesOf } from '../../../../src/history/schema.ts';

const DAY = 1440;
/** Hours from day 10 on, minutes from the sixth hour of day 12 on. */
const MARKS: Marks = { hoursFrom: 240, minutesFrom: 12 * DAY + 360 };
const minute = fc.integer({ min: 8 * DAY, max: 15 * DAY });

/** Every minute that segments sum, as often as they sum it. */
function minutesIn(segments: readonly Segment[]): number[] {
  return segments.flatMap(({ table, from, to }) =>
    Array.from({ length: (to - from) * minutesOf(table) }, (_, i) => from * minutesOf(table) + i),
  );
}

/** Whether a minute belongs to a range: the middle of the minute, hour or day that it is kept in decides. */
function isCovered(at: number, from: number, to: number): boolean {
  if (at >= MARKS.minutesFrom) return at >= from && at < to;
  const span = at >= MARKS.hoursFrom * 60 ? 60 : DAY;
  const middle = at - (at % span) + span / 2;
  return middle >= from && middle < to;
}

describe('segments of a range', () => {
  for (const [name, segments] of [
    ['coarsest', coarsestSegments],
    ['finest', finestSegments],
  ] as const)
    test(`from the ${name} tables have each minute once, in order`, () => {
      fc.assert(
        fc.property(minute, minute, (a, b) => {
          const [from, to] = [Math.min(a, b), Math.max(a, b)];
          const expected = Array.from({ length: 9 * DAY }, (_, i) => 7 * DAY + i).filter((at) => isCovered(at, from, to));
          expect(minutesIn(segments({ from, to }, MARKS))).toEqual(expected);
        }),
        {
          numRuns: 150,
          examples: [
            [12 * DAY + 400, 12 * DAY + 410],
            [12 * DAY + 359, 12 * DAY + 361],
            [10 * DAY - 1, 10 * DAY + 1],
          ],
        },
      );
    });

  test('have whole days from the table of days', () => {
    expect(coarsestSegments({ from: 12 * DAY + 300, to: 15 * DAY + 61 }, { minutesFrom: 0, hoursFrom: 0 })).toEqual([
      { table: 'hour', from: 293, to: 312 },
      { table: 'day', from: 13, to: 15 },
      { table: 'hour', from: 360, to: 361 },
      { table: 'minute', from: 15 * DAY + 60, to: 15 * DAY + 61 },
    ]);
  });

  test('of ranges that meet share nothing and lack nothing', () => {
    fc.assert(
      fc.property(fc.array(minute, { minLength: 3, maxLength: 6 }), (edges) => {
        edges.sort((a, b) => a - b);
        const parts = edges
          .slice(1)
          .flatMap((edge, i) => minutesIn(coarsestSegments({ from: edges[i] as number, to: edge }, MARKS)));
        expect(parts).toEqual(minutesIn(coarsestSegments({ from: edges[0] as number, to: edges.at(-1) as number }, MARKS)));
      }),
      { numRuns: 60 },
    );
  });
});
