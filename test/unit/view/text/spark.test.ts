import { describe, expect, test } from 'vitest';
import { barText, meterOf, sparkText } from '../../../../src/view/text/cells.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { METER } from '../../../../src/view/text/span.ts';

const NOW = 1_800_000_000_000; // a multiple of all ranges
const flat = (count: number, value = 5) => Array.from({ length: count }, () => value);
const spark = (values: readonly number[], width: number, now = NOW) => sparkText(values, width, now, UNICODE_GLYPHS);

describe('a sparkline', () => {
  test('shows the last minute in whatever width', () => {
    const minute = [...flat(30, 0), ...flat(30, 9)];
    expect(spark(minute, 10, NOW + 5000)).toBe('▁▁▁▁▁█████');
    expect(spark(minute, 20, NOW + 2000)).toBe('▁▁▁▁▁▁▁▁▁▁██████████');
    expect(spark(minute, 60)).toBe(`${'▁'.repeat(30)}${'█'.repeat(30)}`);
    expect([spark(minute, 1, NOW + 59_000), spark(minute, 0)]).toEqual(['█', '']);
  });

  test('is padded on the left while it fills', () => {
    expect(spark(flat(12), 10, NOW + 5000)).toBe('        ██');
    expect(spark([], 4)).toBe('    ');
  });

  test('holds a floor for nothing, and a level above it for anything', () => {
    const values = [...flat(6, 0), ...flat(6, 1), ...flat(6, 1e9)];
    expect(spark(values, 10, NOW + 5000)).toBe('       ▁▂█');
    expect(spark(flat(60, 0), 10, NOW + 5000)).toBe('▁'.repeat(10));
  });

  test('means, and does not pick', () => {
    const alternating = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 0 : 8));
    expect(spark(alternating, 10, NOW + 5000)).toBe('█'.repeat(10));
  });

  test('changes in its last cell alone from one second to the next, until a range is full', () => {
    const wave = (second: number) => (second >= 560 && second < 580 ? 4000 : 500 + Math.round(400 * Math.sin(second * 0.7)));
    const at = (second: number) =>
      spark(
        Array.from({ length: 60 }, (_, i) => wave(second - 59 + i)),
        10,
        NOW + second * 1000,
      );
    for (let second = 600; second < 605; second++) {
      const [before, after] = [at(second), at(second + 1)];
      expect(after.slice(1, -1)).toBe(before.slice(1, -1));
    }
    expect(at(606).slice(1, -2)).toBe(at(605).slice(2, -1));
  });
});

describe('a bar', () => {
  test('shows at least a cell for anything', () => {
    expect(barText(0, 5, UNICODE_GLYPHS)).toEqual({ full: '', empty: '·····' });
    expect(barText(0.001, 5, UNICODE_GLYPHS).full).toBe('■');
    expect(barText(7, 5, UNICODE_GLYPHS)).toEqual({ full: '■■■■■', empty: '' });
  });

  test('has the colour of its place in every cell, whatever the share', () => {
    const cells = (share: number, width: number) =>
      meterOf(share, width, UNICODE_GLYPHS).flatMap(({ text, role }) => [...text].map((sign) => (sign === '■' ? role : sign)));
    for (const width of [1, 5, 6, 8, 14]) {
      const full = cells(1, width);
      expect(full).toHaveLength(width);
      expect([...full].sort()).toEqual(full);
      expect(full[0]).toBe('meter1');
      for (const share of [0, 0.01, 0.3, 0.5, 0.99]) {
        const some = cells(share, width);
        expect(some.map((role, i) => (role === '·' ? full[i] : role))).toEqual(full);
      }
    }
    expect(cells(1, 6)).toEqual(METER);
  });
});
