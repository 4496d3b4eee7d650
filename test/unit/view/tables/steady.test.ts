// Steady order: what is clearly faster stands above, nothing else changes places, and the cursor stays on its row.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AppRow, Snapshot } from '../../../../src/model/snapshot.ts';
import type { Command } from '../../../../src/view/action.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { cursorIndex } from '../../../../src/view/tables/selection.ts';
import { steady } from '../../../../src/view/tables/steady.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { appRow, flowRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const SETTINGS = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };

const places = (ids: readonly string[]) => new Map(ids.map((id, index) => [id, index]));
const stand = (rates: Readonly<Record<string, number>>, before: readonly string[]): string[] =>
  steady(
    Object.entries(rates)
      .map(([id, rate]) => ({ row: { id }, rate }))
      .sort((a, b) => b.rate - a.rate),
    places(before),
  ).map(({ id }) => id);

describe('an order', () => {
  const rates = fc.dictionary(
    fc.constantFrom(...'abcdefghijklmnop'),
    fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 1e9 })),
  );
  const ids = fc.shuffledSubarray([...'abcdefghijklmnop']);

  it('is by rate where there was none', () => {
    expect(stand({ a: 5, b: 500, c: 100 }, [])).toEqual(['b', 'c', 'a']);
  });

  it('changes where the difference is clear, and only there', () => {
    expect(stand({ a: 1000, b: 1200 }, ['a', 'b'])).toEqual(['a', 'b']);
    expect(stand({ a: 1000, b: 1300 }, ['a', 'b'])).toEqual(['b', 'a']);
    expect(stand({ a: 10, b: 20 }, ['a', 'b'])).toEqual(['a', 'b']);
    expect(stand({ a: 10, b: 21 }, ['a', 'b'])).toEqual(['b', 'a']);
  });

  it('puts a new row where its rate belongs', () => {
    expect(stand({ a: 1000, b: 1100, c: 500, d: 1050 }, ['a', 'b', 'c'])).toEqual(['d', 'a', 'b', 'c']);
    expect(stand({ a: 1000, z: 1, y: 2 }, ['a'])).toEqual(['a', 'y', 'z']);
  });

  it('has each row once, and above all that are clearly slower', () => {
    fc.assert(
      fc.property(rates, ids, (now, before) => {
        const order = stand(now, before);
        expect([...order].sort()).toEqual(Object.keys(now).sort());
        for (const [i, upper] of order.entries())
          for (const lower of order.slice(i + 1)) {
            const [above, below] = [now[upper] ?? 0, now[lower] ?? 0];
            if (below > above * 1.25 + 8) expect([upper, above, lower, below]).toEqual([]);
            if (below >= 10 && below >= 10 * above) expect([upper, above, lower, below]).toEqual([]);
          }
      }),
    );
  });

  it('comes to rest at once: of its own result, it changes nothing', () => {
    fc.assert(
      fc.property(rates, ids, (now, before) => {
        const order = stand(now, before);
        expect(stand(now, order)).toEqual(order);
      }),
    );
  });

  it('holds while rates waver by a twelfth, however long', () => {
    const waver = fc.array(fc.array(fc.double({ min: 0.92, max: 1.08, noNaN: true }), { minLength: 8, maxLength: 8 }), {
      minLength: 2,
      maxLength: 40,
    });
    const ladder = [9000, 9000, 9000, 4000, 4000, 1500, 1500, 500];
    fc.assert(
      fc.property(waver, (ticks) => {
        const at = (tick: readonly number[]) =>
          Object.fromEntries(ladder.map((rate, i) => ['abcdefgh'[i] as string, rate * (tick[i] as number)]));
        const [first = [], ...rest] = ticks;
        const order = stand(at(first), []);
        for (const tick of rest) expect(stand(at(tick), order)).toEqual(order);
      }),
    );
  });

  it('holds as many connections as a table does', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`r${i}`, 100 + (i % 10)]));
    expect(stand(many, Object.keys(many))).toEqual(Object.keys(many));
  });
});

/** Apps with these rates over each window; zero is quiet. */
function apps(rates: Readonly<Record<string, number>>, second = 0): Snapshot {
  const rows: AppRow[] = Object.entries(rates).map(([id, rate]) =>
    appRow({ id, means: [rate, 0, rate, 0, rate, 0], rxRate: rate, rxBytes: 1e6 + rate }),
  );
  return snapshot({ seq: second, time: NOON + second * 1000, apps: rows });
}

/** A screen that is shown one snapshot a second. */
class Run {
  state: ViewState = initialState({ columns: 120, rows: 30, view: 'apps' });
  live = apps({});
  #second = 0;

  /** Sets the machine's clock. */
  jump(seconds: number): void {
    this.#second += seconds;
  }

  show(rates: Readonly<Record<string, number>>): string {
    this.live = apps(rates, ++this.#second);
    this.state = reduce(this.state, { type: 'snapshot' }, this.live, SETTINGS).state;
    return this.ids;
  }

  press(...commands: Command[]): void {
    for (const command of commands) this.state = reduce(this.state, { type: 'command', command }, this.live, SETTINGS).state;
  }

  get ids(): string {
    return orderedRows(this.state, this.live, 'apps')
      .map(({ id }) => id)
      .join('');
  }

  get cursor(): string | undefined {
    const rows = orderedRows(this.state, this.live, 'apps');
    return rows[cursorIndex(this.state.tables.apps, rows)]?.id;
  }
}

describe('a table', () => {
  it('holds its order from tick to tick', () => {
    const run = new Run();
    expect(run.show({ a: 1000, b: 950, c: 100 })).toBe('abc');
    expect(run.show({ a: 950, b: 1000, c: 100 })).toBe('abc');
    expect(run.show({ a: 1000, b: 990, c: 2000 })).toBe('cab');
    expect(run.show({ a: 1000, b: 990, c: 1000 })).toBe('cab');
  });

  it('lets a row by that has been a little faster for ten seconds, and then stands as an exact sort does', () => {
    const run = new Run();
    const steps = ['abcd'];
    run.show({ a: 100_000, b: 99_000, c: 98_000, d: 97_000 });
    for (let i = 0; i < 60; i++) {
      const ids = run.show({ a: 97_000, b: 98_000, c: 99_000, d: 100_000 });
      if (ids !== steps.at(-1)) steps.push(ids);
    }
    expect(steps[0]).toBe('abcd');
    expect(steps.at(-1)).toBe('dcba');
    expect(steps.length).toBeLessThanOrEqual(7); // each pair changes places once at most
  });

  it('does not let a row by that is faster only now and then', () => {
    const run = new Run();
    for (let i = 0; i < 60; i++) expect(run.show(i % 5 === 0 ? { a: 100, b: 90 } : { a: 90, b: 100 })).toBe('ab');
  });

  it('waits no longer where the clock was set back', () => {
    const run = new Run();
    run.show({ a: 100, b: 90 });
    run.show({ a: 90, b: 100 });
    run.jump(-86_400);
    const orders = Array.from({ length: 15 }, () => run.show({ a: 90, b: 100 }));
    expect([orders[0], orders.at(-1)]).toEqual(['ab', 'ba']);
  });

  it('does not change places while paused', () => {
    const run = new Run();
    run.show({ a: 1000, b: 950 });
    run.show({ a: 950, b: 1000 });
    run.press('pause');
    for (let i = 0; i < 30; i++) expect(run.show({ a: 1, b: 1000 })).toBe('ab');
    run.press('pause');
    expect(run.show({ a: 1, b: 1000 })).toBe('ba');
  });

  it('sorts exactly when it comes into sight, by another time, in the other direction, and by anything else', () => {
    const run = new Run();
    run.show({ a: 1000, b: 950 });
    expect(run.show({ a: 950, b: 1000 })).toBe('ab');
    run.press('average');
    expect(run.ids).toBe('ba');
    expect(run.show({ a: 1000, b: 950 })).toBe('ab'); // the first tick after the key
    expect(run.show({ a: 950, b: 1000 })).toBe('ab');
    run.press('hosts');
    run.show({ a: 950, b: 1000 });
    run.press('apps');
    expect(run.ids).toBe('ba');
    run.press('sort-direction');
    expect(run.ids).toBe('ab');
    expect(run.show({ a: 1000, b: 950 })).toBe('ba');
  });

  it('keeps the cursor on its row, and on the first only from the start and after g', () => {
    const run = new Run();
    run.show({ a: 1000, b: 500, c: 100 });
    expect(run.cursor).toBe('a');
    run.show({ a: 1000, b: 5000, c: 100 });
    expect(run.cursor).toBe('b');
    run.press('down', 'up');
    run.show({ a: 9000, b: 500, c: 100 });
    expect([run.ids, run.cursor]).toEqual(['abc', 'b']);
    run.show({ a: 9000, b: 500, c: 50_000 });
    expect([run.ids, run.cursor]).toEqual(['cab', 'b']);
    run.press('first');
    run.show({ a: 900_000, b: 500, c: 50_000 });
    expect([run.ids, run.cursor]).toEqual(['acb', 'a']);
  });

  it('holds its order as far down as anybody looks; the tail stands exactly', () => {
    const run = new Run();
    const rates = (faster: readonly number[]) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i} `, 10_000 - 10 * i + (faster.includes(i) ? 15 : 0)]));
    run.show(rates([]));
    run.show(rates([]));
    const now = run
      .show(rates([50, 250]))
      .trim()
      .split(' ')
      .map(Number);
    expect([now.indexOf(50), now.indexOf(250)]).toEqual([50, 249]);
  });

  it('keeps the cursor on a row whose details were opened', () => {
    const run = new Run();
    run.show({ a: 1000, b: 500 });
    run.press('details', 'back');
    run.show({ a: 1000, b: 5000 });
    expect([run.ids, run.cursor]).toEqual(['ba', 'a']);
  });

  it('shows quiet rows below all others, dim as a whole, until they move', () => {
    const run = new Run();
    run.show({ a: 1000, b: 500, c: 30 });
    expect(run.show({ a: 0, b: 500, c: 30 })).toBe('bca');
    expect(run.show({ a: 0, b: 0, c: 30 })).toBe('cab'); // by what they moved in all
    const roles = () => {
      const lines = frameOf(run.state, run.live, SETTINGS).tables[0]?.lines ?? [];
      return Object.fromEntries(
        [...'abc'].map((id) => {
          const line = lines.find((spans) => plain(spans).includes(` ${id} `)) ?? [];
          return [id, new Set(line.slice(2, -1).map(({ role }) => role))];
        }),
      );
    };
    run.press('last', 'first'); // the cursor's row is in its own colour
    expect(roles()['a']).toEqual(new Set(['dim']));
    expect(roles()['b']).toEqual(new Set(['dim']));
    expect(run.show({ a: 1, b: 0, c: 30 })).toBe('cab');
    run.show({ a: 1, b: 0, c: 30 });
    expect(roles()['a']?.size).toBeGreaterThan(1);
    expect(run.show({ a: 0, b: 7000, c: 30 })).toBe('bca');
  });
});

/** Not compiled, so it has no types. */
const ORDINARY = new URL('../../../bench/support/ordinary.js', import.meta.url).href;
it('the first three rows of ordinary traffic change less often than by the rule of iftop', async () => {
  const { changesOfFirst } = (await import(ORDINARY)) as {
    changesOfFirst: (load: (path: string) => Promise<unknown>, seed: number) => Promise<Record<string, number>>;
  };
  const load = (path: string): Promise<unknown> => import(new URL(`../../../../src/${path}.ts`, import.meta.url).href);
  for (let seed = 1; seed <= 8; seed++) {
    const { own = 0, iftop = 0 } = await changesOfFirst(load, seed);
    expect(iftop).toBeGreaterThan(0);
    if (own > iftop) expect([seed, own]).toEqual([seed, iftop]);
  }
});

it('a row that moved in the last 10 s is not quiet, also where rates are means over 2 s', () => {
  const live = snapshot({
    flows: [
      flowRow({ id: 'quiet', means: [0, 0, 0, 0, 9, 0] }),
      flowRow({ id: 'pause', means: [0, 0, 5, 0, 9, 0] }),
      flowRow({ id: 'moves', means: [1, 0, 1, 0, 1, 0] }),
    ],
  });
  const order = (average: 2 | 10 | 40) =>
    orderedRows({ ...initialState({ columns: 80, rows: 24 }), average }, live, 'connections').map(({ id }) => id);
  expect(order(2)).toEqual(['moves', 'pause', 'quiet']);
  expect(order(10)).toEqual(['pause', 'moves', 'quiet']);
  expect(order(40)).toEqual(['quiet', 'pause', 'moves']);
});
