// One scale for what stands above and below an axis: the same bytes are the same height on both sides. Pure.

import { formatAmount, type UnitMode, unitScale } from '../../view/format.ts';

/** Where lines are drawn, and how far the scale reaches on both sides; bytes. */
export interface TwoSides {
  readonly step: number;
  /** Multiples of `step`, at least one. */
  readonly up: number;
  /** Multiples of `step`; 0 where nothing stands below. */
  readonly down: number;
}

/** Steps whose multiples are short to write, for prefixes that go by 1000 and by 1024. */
const DECIMAL = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const BINARY = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const MOST_LINES = 6;

/** The scale for values up to `mostUp` above and `mostDown` below. */
export function twoSides(mostUp: number, mostDown: number, mode: UnitMode): TwoSides {
  const { perByte, base } = unitScale(mode);
  for (let prefix = 1; ; prefix *= base)
    for (const mantissa of base === 1024 ? BINARY : DECIMAL) {
      const step = (mantissa * prefix) / perByte;
      const up = Math.max(1, Math.ceil(mostUp / step));
      const down = Math.ceil(mostDown / step);
      if (up + down <= MOST_LINES || prefix > 1e24) return { step, up, down };
    }
}

/** An amount as a label: no more digits than it has. */
export function amountLabel(bytes: number, mode: UnitMode): string {
  return formatAmount(bytes, mode)
    .trim()
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
}
