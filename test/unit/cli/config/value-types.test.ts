// Durations and sizes as users write them: read exactly, refused where they are ambiguous.

import { describe, expect, it, test } from 'vitest';
import { formatDuration, parseDuration, parseSize } from '../../../../src/cli/config/value-types.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['2s', 2000],
    ['1.5s', 1500],
    ['1m', 60_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    [' 2 s', 2000],
    ['2', null],
    ['s', null],
    ['-1s', null],
    ['1e3s', null],
    ['1S', null],
    ['2 years', null],
    ['', null],
  ])('%j is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    if (ms !== null) expect(parseDuration(formatDuration(ms))).toBe(ms);
  });

  it('writes the shortest form', () => {
    expect([0, 250, 1500, 60_000, 90_000, 86_400_000].map(formatDuration)).toEqual(['0ms', '250ms', '1500ms', '1m', '90s', '1d']);
  });
});

describe('sizes', () => {
  test.each([
    ['500 GB', 500e9, false],
    ['500GB', 500e9, false],
    ['500 G', 500e9, false],
    ['250 g', 250e9, false],
    ['250gb', 250e9, false],
    ['1.5 TB', 1.5e12, false],
    ['1.5 TiB', 1.5 * 1024 ** 4, true],
    ['465.5 GiB', 465.5 * 1024 ** 3, true],
    ['0.1 GiB', 107_374_182, true],
    ['2048 MiB', 2 ** 31, true],
    ['64MiB', 64 << 20, true],
    ['8999999.999999 GB', 8_999_999_999_999_000, false],
    ['1000 kB', 1e6, false],
    ['5242880', 5_242_880, false],
    ['12 B', 12, false],
  ])('%s', (text, bytes, isBinary) => expect(parseSize(text)).toEqual({ bytes, isBinary }));

  test.each(['500 Gb', '500 Gbit', '-1 GB', '1e3 GB', '.5 GB', '1,5 GB', 'GB', '', '5 EB', '5  GB', '1.1234567 GB', '5 b'])(
    '%j is not one',
    (text) => expect(parseSize(text)).toBeNull(),
  );
});
