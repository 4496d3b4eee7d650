import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMoment, parseRange } from '../../../../src/cli/history/range.ts';
import { NetmonError } from '../../../../src/model/errors.ts';

const zone = process.env['TZ'];
const NOW = Date.parse('2026-11-18T14:05:30Z'); // a Wednesday

beforeEach(() => {
  process.env['TZ'] = 'UTC';
});
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const preview = (since: string | null, until: string | null, now = NOW) => {
  const { from, to } = parseRange(since, until, now);
  return [new Date(from).toISOString().slice(0, 16), new Date(to).toISOString().slice(0, 16)];
};
const NEXT_MINUTE = '2026-11-18T14:06';

describe('parseStretch', () => {
  it.each([
    [null, null, '2026-11-17T14:05', NEXT_MINUTE],
    ['90m', null, '2026-11-18T12:35', NEXT_MINUTE],
    ['7d', '1d', '2026-11-11T14:05', '2026-11-17T14:06'],
    ['2w', null, '2026-11-04T14:05', NEXT_MINUTE],
    ['today', null, '2026-11-18T00:00', NEXT_MINUTE],
    ['today', 'today', '2026-11-18T00:00', NEXT_MINUTE],
    ['yesterday', 'yesterday', '2026-11-17T00:00', '2026-11-18T00:00'],
    ['Yesterday', 'now', '2026-11-17T00:00', NEXT_MINUTE],
    ['week', null, '2026-11-16T00:00', NEXT_MINUTE],
    ['month', null, '2026-11-01T00:00', NEXT_MINUTE],
    ['last-month', 'last-month', '2026-10-01T00:00', '2026-11-01T00:00'],
    ['year', null, '2026-01-01T00:00', NEXT_MINUTE],
    ['all', null, '1970-01-01T00:00', NEXT_MINUTE],
    ['2026', '2026-02', '2026-01-01T00:00', '2026-03-01T00:00'],
    ['2026-11-03', '2026-11-05', '2026-11-03T00:00', '2026-11-06T00:00'],
    ['2026-11-03T10:00', '2026-11-03 12:30', '2026-11-03T10:00', '2026-11-03T12:30'],
    ['2026-11-03T10:00:30Z', '2026-11-03T10:00:31+00:00', '2026-11-03T10:00', '2026-11-03T10:01'],
    ['2026-11-03T10:00:00+05:30', '2026-11-03t10:00:00z', '2026-11-03T04:30', '2026-11-03T10:00'],
    ['2024-02-29', '2024-02-29', '2024-02-29T00:00', '2024-03-01T00:00'],
  ])('--since %s --until %s', (since, until, from, to) => expect(preview(since, until)).toEqual([from, to]));

  it.each([
    ['tomorrow', null, '--since "tomorrow" is not a time'],
    ['2026-02-30', null, '--since "2026-02-30" is not a time'],
    ['2026-13', null, '--since "2026-13" is not a time'],
    ['2026-11-01T25:00', null, '--since "2026-11-01T25:00" is not a time'],
    ['2026-11-01T10:00:00+99:99', null, '--since "2026-11-01T10:00:00+99:99" is not a time'],
    ['24', null, '--since "24" is not a time'],
    ['', null, '--since "" is not a time'],
    ['7d', 'never', '--until "never" is not a time'],
    ['2027-01-01', null, '--since "2027-01-01" is not in the past'],
    ['1d', '2d', '--until "2d" is not after --since "1d"'],
    ['\u001b[31m', null, '--since "[31m" is not a time'],
  ])('refuses --since %s --until %s', (since, until, message) => {
    try {
      parseRange(since, until, NOW);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(NetmonError);
      expect((thrown as NetmonError).message).toBe(message);
      expect((thrown as NetmonError).exitStatus).toBe(2);
    }
  });

  it('cuts days where the user has midnight, also when a clock is set', () => {
    process.env['TZ'] = 'Europe/Berlin';
    expect(preview('2026-10-25', '2026-10-25')).toEqual(['2026-10-24T22:00', '2026-10-25T23:00']);
    process.env['TZ'] = 'Asia/Kathmandu';
    expect(preview('yesterday', 'yesterday')).toEqual(['2026-11-16T18:15', '2026-11-17T18:15']);
  });
});

it('parseMoment is where it begins', () => {
  expect(new Date(parseMoment('before', '2026-10', NOW)).toISOString()).toBe('2026-10-01T00:00:00.000Z');
  expect(() => parseMoment('before', 'x', NOW)).toThrow('--before "x" is not a time');
});
