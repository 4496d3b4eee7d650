// What is shown, and what the others sum up to, against a plain sort and plain sums.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Accumulators } from '../../../../src/aggregate/accumulators.ts';
import { Selection } from '../../../../src/aggregate/rows/selection.ts';
import { movedNow } from '../../../support/movement.ts';

const bytes = fc.array(fc.tuple(fc.nat(30), fc.nat(50), fc.nat(50)), { maxLength: 60 });

describe('Selection', () => {
  it.each([-1, 0])('shows the largest and sums up the rest; never by itself: %i', (never) => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(12), (before, now, limit) => {
        const accumulators = new Accumulators();
        const selection = new Selection(accumulators, never);
        const totals = new Map<number, { bytes: number; tick: number; first: number; last: number }>();
        for (const [tick, moves] of [before, now].entries()) {
          accumulators.beginTick();
          for (const total of totals.values()) total.tick = 0;
          for (const [i, [entity, rx, tx]] of moves.entries()) {
            if (rx + tx === 0) continue;
            const at = tick * 100 + i + 1;
            accumulators.add(entity, movedNow({ rx, tx, rxp: 1, txp: 1, first: at, last: at }));
            const total = totals.get(entity) ?? { bytes: 0, tick: 0, first: at, last: at };
            totals.set(entity, { ...total, bytes: total.bytes + rx + tx, tick: total.tick + rx + tx, last: at });
          }
          selection.choose(limit);
        }
        const present = [...totals.keys()].filter((entity) => entity !== never).sort((a, b) => a - b);
        const of = (entity: number) => totals.get(entity) as { bytes: number; tick: number; first: number; last: number };
        const byBytes = [...present].sort((a, b) => of(b).bytes - of(a).bytes || a - b).slice(0, limit);
        const shown = selection.choose(limit);
        expect(shown).toEqual(present.length <= limit ? present : byBytes);
        const others = [...totals].filter(([entity]) => !shown.includes(entity)).map(([, total]) => total);
        const rest = selection.rest(1000);
        if (others.length === 0) expect(rest).toBeNull();
        else {
          expect(rest).toMatchObject({
            count: others.length,
            firstSeen: Math.min(...others.map(({ first }) => first)),
            lastSeen: Math.max(...others.map(({ last }) => last)),
          });
          const sum = (key: 'bytes' | 'tick') => others.reduce((all, each) => all + each[key], 0);
          expect((rest?.rxBytes ?? 0) + (rest?.txBytes ?? 0)).toBe(sum('bytes'));
          expect((rest?.rxRate ?? 0) + (rest?.txRate ?? 0)).toBe(sum('tick'));
        }
      }),
    );
  });
});
