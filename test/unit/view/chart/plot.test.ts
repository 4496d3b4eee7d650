// Columns as cells: braille, two columns each and four levels; blocks and ASCII one column each.

import { describe, expect, test } from 'vitest';
import { columnsIn, plotRows } from '../../../../src/view/chart/plot.ts';
import { halfOf, heightOf, rateLabel, scaleTop } from '../../../../src/view/chart/scale.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';

const eighths = Array.from({ length: 9 }, (_, i) => i / 8);

describe('braille', () => {
  test('rises from the bottom, left and right column of a cell apart', () => {
    expect(plotRows(eighths, 2, UNICODE_GLYPHS, false)).toEqual(['  ⢀⣴⡇', '⢀⣴⣿⣿⡇']);
  });

  test('hangs from the top', () => {
    expect(plotRows(eighths, 2, UNICODE_GLYPHS, true)).toEqual(['⠈⠻⣿⣿⡇', '  ⠈⠻⡇']);
  });

  test('every dot of a level is a dot of the next', () => {
    for (const hanging of [false, true])
      for (let side = 0; side < 2; side++) {
        let before = 0;
        for (let level = 1; level <= 4; level++) {
          const shares = side === 0 ? [level / 4, 0] : [0, level / 4];
          const dots = (plotRows(shares, 1, UNICODE_GLYPHS, hanging)[0] as string).charCodeAt(0) - 0x2800;
          expect(dots & before).toBe(before);
          expect(dots.toString(2).replaceAll('0', '')).toHaveLength(level);
          before = dots;
        }
        expect(before).toBe(side === 0 ? 0x47 : 0xb8);
      }
  });
});

test('ASCII has three levels, and one column a cell', () => {
  const thirds = Array.from({ length: 7 }, (_, i) => i / 6);
  expect(columnsIn(7, ASCII_GLYPHS)).toBe(7);
  expect(columnsIn(7, UNICODE_GLYPHS)).toBe(14);
  expect(plotRows(thirds, 2, ASCII_GLYPHS, false)).toEqual(['    .:|', ' .:||||']);
  expect(plotRows(thirds, 2, ASCII_GLYPHS, true)).toEqual([" ':||||", "    ':|"]);
});

test('whatever is above nothing is seen; unknown and too much do no harm', () => {
  for (const glyphs of [UNICODE_GLYPHS, ASCII_GLYPHS]) {
    expect(plotRows([1e-9], 3, glyphs, false)[2]).not.toBe(' ');
    expect(plotRows([0, 0], 1, glyphs, false)[0]?.trim()).toBe('');
    expect(plotRows([Number.NaN, Number.NaN], 1, glyphs, true)[0]?.trim()).toBe('');
    expect(plotRows([7, 7], 1, glyphs, false)).toEqual(plotRows([1, 1], 1, glyphs, false));
  }
  expect(plotRows([], 2, UNICODE_GLYPHS, false)).toEqual(['', '']);
});

describe('scale', () => {
  test.each([
    [0, 'bytes', '1 B/s'],
    [900, 'bytes', '1 KiB/s'],
    [980, 'bytes', '1 KiB/s'],
    [1100, 'bytes', '1.5 KiB/s'],
    [700 * 1024, 'bytes', '750 KiB/s'],
    [760 * 1024, 'bytes', '1 MiB/s'],
    [7.41 * 1024 * 1024, 'bytes', '7.5 MiB/s'],
    [7.41 * 1024 * 1024, 'bits', '75 Mb/s'],
    [4e9, 'bits', '50 Gb/s'],
    [990, 'bytes-decimal', '1 kB/s'],
  ] as const)('%d in %s ends at %s', (most, mode, label) => {
    const top = scaleTop(most, mode);
    expect(top).toBeGreaterThanOrEqual(most);
    expect(rateLabel(top, mode)).toBe(label);
  });

  test('is never below the highest, and never more than twice it, whatever the unit', () => {
    for (const mode of ['bytes', 'bytes-decimal', 'bits', 'bits-binary'] as const)
      for (let most = 1; most < 1e12; most *= 1.037) {
        const top = scaleTop(most, mode);
        expect(top).toBeGreaterThanOrEqual(most * 0.999999);
        expect(top).toBeLessThan(Math.max(2, most * 2.1));
      }
  });

  test('heights follow rates, linear or by their magnitude', () => {
    expect(heightOf(0, 1e6, 'linear')).toBe(0);
    expect(heightOf(5e5, 1e6, 'linear')).toBe(0.5);
    expect(heightOf(0, 1e6, 'log')).toBe(0);
    expect(heightOf(1e6, 1e6, 'log')).toBe(1);
    expect(heightOf(1e4, 1e6, 'log')).toBeGreaterThan(0.3);
    expect(heightOf(halfOf(1e6, 'log'), 1e6, 'log')).toBeCloseTo(0.5, 9);
    expect(heightOf(Number.NaN, 1e6, 'log')).toBeNaN();
  });
});
