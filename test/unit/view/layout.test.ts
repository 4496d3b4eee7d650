// The screen is shared out without gaps: at every size, with and without what may be open.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAST, layoutOf, panesOf } from '../../../src/view/layout.ts';
import type { Rect } from '../../../src/view/pane.ts';
import { initialState, VIEWS } from '../../../src/view/state.ts';

const area = ({ width, height }: Rect) => width * height;
const overlap = (a: Rect, b: Rect) =>
  Math.max(0, Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top));

describe('layout', () => {
  it('gives every cell to one part, and every pane that Tab reaches its place', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: LEAST.columns, max: 300 }),
        fc.integer({ min: LEAST.rows, max: 120 }),
        fc.constantFrom(...VIEWS.filter((view) => view !== 'history')),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (columns, rows, view, lite, zoomed, note) => {
          const state = { ...initialState({ columns, rows, view, lite }), zoomed };
          const { header, chart, sparks, tables, details, quality, footer } = layoutOf(state, note);
          const parts = [header, footer, ...tables.map(({ rect }) => rect)];
          for (const one of [chart, sparks?.rx, sparks?.tx, details, quality]) if (one != null) parts.push(one);
          expect(parts.reduce((sum, rect) => sum + area(rect), 0)).toBe(columns * rows);
          for (const [i, a] of parts.entries()) for (const b of parts.slice(i + 1)) expect(overlap(a, b)).toBe(0);
          for (const { rect } of tables) expect(rect.height).toBeGreaterThanOrEqual(5);
          if (!zoomed && tables.length > 1) expect(tables.map(({ table }) => table).sort()).toEqual([...panesOf(state)].sort());
        },
      ),
    );
  });

  it('shows hosts, categories and details where there is room', () => {
    const at = (columns: number, rows: number) => {
      const { tables, details } = layoutOf(initialState({ columns, rows }), false);
      return [tables.map(({ table }) => table).join(' '), details !== null];
    };
    expect(at(159, 50)).toEqual(['apps connections', false]);
    expect(at(160, 50)).toEqual(['apps hosts connections categories', true]);
    expect(at(160, 30)).toEqual(['apps hosts connections categories', false]);
  });

  it('shows six apps on the lite screen of 80x24, and more where there is room', () => {
    const rowsAt = (rows: number) =>
      layoutOf(initialState({ columns: 80, rows, lite: true }), false).tables.map(({ table, rect }) => [table, rect.height - 3]);
    expect([24, 60, 12].map(rowsAt)).toEqual([[['apps', 6]], [['apps', 39]], [['apps', 6]]]);
  });
});
