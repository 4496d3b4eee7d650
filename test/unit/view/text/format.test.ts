// Numbers as text: widths that never change, prefixes that step up early, nothing unknown as zero.

import { beforeAll, describe, expect, test } from 'vitest';
import { UNIT_MODES } from '../../../../src/model/options.ts';
import {
  AMOUNT_WIDTH,
  formatAge,
  formatAmount,
  formatClock,
  formatCount,
  formatDateTime,
  formatDuration,
  formatGrouped,
  formatMoment,
  formatRate,
  formatRtt,
  formatShare,
  RATE_WIDTH,
} from '../../../../src/view/text/format.ts';

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

describe('amounts and rates', () => {
  test.each([
    [0, 'bytes', '   0 B  '],
    [0.4, 'bytes', '  <1 B  '],
    [972, 'bytes', ' 972 B  '],
    [973, 'bytes', '0.95 KiB'],
    [1024, 'bytes', '1.00 KiB'],
    [10_239, 'bytes', '10.0 KiB'],
    [102_400, 'bytes', ' 100 KiB'],
    [972 * 1024, 'bytes', ' 972 KiB'],
    [1024 ** 2 * 0.96, 'bytes', '0.96 MiB'],
    [2 ** 53, 'bytes', '8.00 PiB'],
    [949, 'bytes-decimal', ' 949 B  '],
    [950, 'bytes-decimal', '0.95 kB '],
    [1_000_000, 'bytes-decimal', '1.00 MB '],
    [1_000_000, 'bits', '8.00 Mb '],
    [131_072, 'bits-binary', '1.00 Mib'],
  ] as const)('%d in %s is "%s"', (bytes, mode, text) => {
    expect(formatAmount(bytes, mode)).toBe(text);
  });

  test('columns keep their width for any value', () => {
    for (const mode of UNIT_MODES)
      for (let value = 0; value < 1e16; value = value * 1.07 + 1) {
        expect(formatAmount(value, mode)).toHaveLength(AMOUNT_WIDTH);
        expect(formatRate(value, mode)).toHaveLength(RATE_WIDTH);
      }
  });

  test('a rate has its unit', () => {
    expect(formatRate(1_258_291, 'bytes')).toBe('1.20 MiB/s');
    expect(formatRate(12, 'bits')).toBe('  96 b/s  ');
  });
});

test('counts take five cells at most', () => {
  expect([0, 99_999, 100_000, 949_499, 950_000, 12_345_678, 1e12].map(formatCount)).toEqual([
    '0',
    '99999',
    '100k',
    '949k',
    '0.9M',
    '12M',
    '1T',
  ]);
  for (let count = 1; count < 1e15; count *= 1.3) expect(formatCount(Math.round(count)).length).toBeLessThanOrEqual(5);
  expect(formatGrouped(1_234_567)).toBe('1 234 567');
});

test('shares: 0 % is nothing, 100 % is all', () => {
  expect([0, 0.0001, 0.004, 0.0994, 0.5, 0.9995, 1].map(formatShare)).toEqual([
    '0 %',
    '<0.1 %',
    '0.4 %',
    '9.9 %',
    '50 %',
    '99.9 %',
    '100 %',
  ]);
});

test('times', () => {
  expect([0, 59_999, 60_000, 3_599_999, 3_600_000, 90_000_000, 864e7].map(formatDuration)).toEqual([
    '0s',
    '59s',
    '1m00s',
    '59m59s',
    '1h00m',
    '1d01h',
    '100d',
  ]);
  expect([-5, 9_999, 10_000, 59_999, 60_000, 3_599_999, 7_200_000].map(formatAge)).toEqual([
    'now',
    'now',
    '10s',
    '50s',
    '1m',
    '59m',
    '2h00m',
  ]);
  expect([0.0001, 0.04, 8, 9.96, 320, 12_000].map(formatRtt)).toEqual(['1us', '40us', '8.0ms', '10ms', '320ms', '12s']);
  expect(formatClock(Date.UTC(2026, 0, 31, 4, 3, 2))).toBe('04:03:02');
  expect(formatDateTime(Date.UTC(2026, 0, 31, 4, 3, 2))).toBe('2026-01-31 04:03:02');
  const now = Date.UTC(2026, 0, 31, 23, 59, 59);
  expect(formatMoment(Date.UTC(2026, 0, 31), now)).toBe('00:00:00');
  expect(formatMoment(Date.UTC(2026, 0, 30, 23, 59, 59), now)).toBe('2026-01-30 23:59:59');
  expect(formatMoment(Date.UTC(2025, 0, 31, 9), now)).toBe('2025-01-31 09:00:00');
});
