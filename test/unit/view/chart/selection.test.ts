// Who sent that peak: choosing in the chart by keys and mouse, and what the tables show then.

import { describe, expect, test } from 'vitest';
import type { RangeTotals } from '../../../../src/model/range-totals.ts';
import type { Action, Effect } from '../../../../src/view/action.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { busy, NOON, series, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
/** Quiet, but for one second a minute ago. */
const PEAK = NOON - 60_000;
const shown = snapshot({
  ...busy(20),
  rates: {
    ...busy(1).rates,
    seconds: series(
      NOON,
      1000,
      300,
      (i) => (i === 239 ? 9_000_000 : 1000),
      () => 500,
    ),
  },
});

class Play {
  state: ViewState;
  effects: Effect[] = [];

  constructor(columns = 120, rows = 40) {
    this.state = initialState({ columns, rows });
  }

  do(...actions: (Action | string)[]): this {
    for (const each of actions) {
      const action = typeof each === 'string' ? ({ type: 'command', command: each } as Action) : each;
      const step = reduce(this.state, action, shown, settings);
      this.state = step.state;
      this.effects.push(...step.effects);
    }
    return this;
  }

  /** The last question. */
  get asked(): { from: number; to: number } {
    const effect = this.effects.at(-1);
    if (effect?.type !== 'range-totals') throw new Error('nothing was asked');
    return effect;
  }

  answer(more: Partial<RangeTotals> = {}): this {
    const { from, to } = this.asked;
    return this.do({ type: 'range-totals', from, to, answer: answerOf(from, to, more) });
  }

  text(): string {
    const frame = frameOf(this.state, shown, settings);
    return [frame.header, ...(frame.chart === null ? [] : [frame.chart]), ...frame.tables, frame.footer]
      .flatMap(({ lines }) => lines.map(plain))
      .join('\n');
  }
}

const none = { rxBytes: 0, txBytes: 0 };
function answerOf(from: number, to: number, more: Partial<RangeTotals>): RangeTotals {
  return {
    from,
    to,
    measuredMs: to - from,
    total: { rxBytes: 9_000_000, txBytes: 3000 },
    apps: [
      { id: 'a3', rxBytes: 8_000_000, txBytes: 2000 },
      { id: 'no such row', rxBytes: 500_000, txBytes: 500 },
    ],
    hosts: [{ id: 'h1', rxBytes: 9_000_000, txBytes: 3000 }],
    categories: [{ id: 'c1', rxBytes: 9_000_000, txBytes: 3000 }],
    interfaces: [{ id: 'en0', rxBytes: 9_000_000, txBytes: 3000 }],
    flows: [{ row: busy(20).flows[4] as never, rxBytes: 8_000_000, txBytes: 2000 }],
    others: {
      apps: { rxBytes: 500_000, txBytes: 500 },
      hosts: none,
      categories: none,
      interfaces: none,
      flows: { rxBytes: 1_000_000, txBytes: 1000 },
    },
    ...more,
  };
}

describe('choosing', () => {
  test('begins on the peak, and asks for the slots that its cell shows', () => {
    const play = new Play().do('mark');
    expect(play.asked.from).toBeLessThanOrEqual(PEAK - 1000);
    expect(play.asked.to).toBeGreaterThanOrEqual(PEAK);
    expect(play.asked.to - play.asked.from).toBeLessThanOrEqual(4000);
  });

  test('moves by a cell, marks a range, takes the mark back', () => {
    const play = new Play().do('mark');
    const first = play.asked;
    const right = play.do('expand').asked;
    expect(right.from).toBeGreaterThan(first.from);
    const marked = play.do('mark', 'expand', 'expand', 'expand').asked;
    expect(marked.from).toBe(right.from);
    expect(marked.to).toBeGreaterThan(right.to + 4000);
    play.do('mark');
    expect(play.asked.to - play.asked.from).toBeLessThanOrEqual(4000);
    expect(play.asked.from).toBeGreaterThan(right.to);
  });

  test('a mark that went nowhere becomes all that the chart shows', () => {
    const play = new Play().do('mark', 'mark', 'mark');
    const { from, to } = play.asked;
    expect(to - from).toBeGreaterThan(280_000);
    expect(to).toBe(shown.time);
    play.do('mark');
    expect(play.asked.to - play.asked.from).toBeLessThanOrEqual(4000);
  });

  test('stays within the chart, and what is not measured is told', () => {
    const play = new Play().do('mark', ...new Array(300).fill('expand'));
    expect(play.text()).toContain('nothing was kept');
    expect(pictureOf(play.state, shown).apps).toEqual([]);
    play.do(...new Array(300).fill('collapse'));
    expect(play.asked.from).toBeGreaterThanOrEqual(NOON - 300_000);
  });

  test('back leaves it, and only then the filter', () => {
    const play = new Play().do(
      'filter',
      { type: 'edit', edit: 'insert', text: 'curl' },
      { type: 'edit', edit: 'accept', text: '' },
    );
    play.do('mark').answer();
    play.do('back');
    expect(play.state.chart.selection).toBeNull();
    expect(play.state.filter.applied).toBe('curl');
    play.do('back');
    expect(play.state.filter.applied).toBe('');
  });

  test('with the mouse: a cell, then from where the drag began', () => {
    const play = new Play().do({ type: 'chart', cell: 40, anchor: null });
    const first = play.asked;
    play.do({ type: 'chart', cell: 50, anchor: 40 });
    expect(play.asked.from).toBe(first.from);
    expect(play.asked.to).toBeGreaterThan(first.to);
    play.do({ type: 'chart', cell: 30, anchor: 40 });
    expect(play.asked.from).toBeLessThan(first.from);
  });

  test('says so when there is nothing yet', () => {
    const step = reduce(initialState({ columns: 80, rows: 24 }), { type: 'command', command: 'mark' }, snapshot(), settings);
    expect(step.effects).toEqual([]);
    expect(step.state.chart.selection).toBeNull();
    expect(step.state.notice).toContain('nothing in the chart');
  });
});

describe('what is shown then', () => {
  test('is what moved: rows, totals, means; and the others by sum', () => {
    const play = new Play().do('mark').answer();
    const picture = pictureOf(play.state, shown);
    const ms = play.asked.to - play.asked.from;
    expect(picture.total).toMatchObject({ rxBytes: 9_000_000, txBytes: 3000, rxRate: Math.round(9e9 / ms), unownedBytes: null });
    expect(picture.apps.map(({ id, rxBytes, txBytes }) => [id, rxBytes, txBytes])).toEqual([
      ['a3', 8_000_000, 2000],
      ['app:not-kept', 1_000_000, 1000],
    ]);
    expect(picture.connections).toMatchObject([{ rxBytes: 8_000_000, rxRate: Math.round(8e9 / ms) }]);
    expect(picture.hosts).toHaveLength(1);
    // Rows count the connections of the whole run, not those of the range.
    for (const { flows } of [...picture.apps, ...picture.hosts, ...picture.categories]) expect(flows).toBeNaN();
    const text = play.text();
    expect(text).toMatch(/PAST 14:02:2\d-14:02:2\d, means over \ds/);
    expect(text).toContain('connections of 89 %');
    expect(text).toContain('(others)');
    expect(text).not.toContain('NaN');
    const wide = new Play(200, 50).do('mark').answer();
    expect(wide.text()).toContain('– packets');
    expect(wide.text()).not.toMatch(/total .* in \d/);
  });

  test('holds in every view, with the chart above it', () => {
    const play = new Play(80, 24).do('mark').answer();
    for (const view of ['apps', 'connections', 'hosts', 'categories', 'interfaces']) {
      const text = play.do(view).text();
      expect(text).toContain('PAST');
      expect(text).toMatch(/┌─ 14:02:/);
      expect(text).not.toContain('NaN');
    }
  });

  test('stays until another answer comes; late answers are dropped', () => {
    const play = new Play().do('mark').answer();
    const old = play.asked;
    const before = pictureOf(play.state, shown);
    play.do('collapse');
    expect(pictureOf(play.state, shown)).toBe(before);
    play.do({ type: 'range-totals', ...old, answer: answerOf(old.from, old.to, { apps: [] }) });
    expect(pictureOf(play.state, shown)).toBe(before);
    play.answer({ apps: [] });
    expect(pictureOf(play.state, shown).apps).toHaveLength(1);
  });

  test('a filter narrows it further', () => {
    const play = new Play().do('mark').answer();
    play.do('filter', { type: 'edit', edit: 'insert', text: 'app:nobody' }, { type: 'edit', edit: 'accept', text: '' });
    expect(pictureOf(play.state, shown)).toMatchObject({ apps: [], connections: [], total: { rxBytes: 0 } });
  });
});

describe('the chart', () => {
  test('goes from a minute to a day and no further', () => {
    const play = new Play();
    const names = [play.text()];
    for (let i = 0; i < 6; i++) names.push(play.do('longer').text());
    for (const [i, name] of ['5 min', '15 min', '1 h', '6 h', '24 h', '24 h'].entries())
      expect(names[i]).toContain(`Traffic ${name} `);
    for (let i = 0; i < 9; i++) play.do('shorter');
    expect(play.text()).toContain('Traffic 1 min ');
  });

  test('has one scale or two, linear or logarithmic, and says which', () => {
    const play = new Play();
    expect(play.text().match(/10 MiB\/s/g)).toHaveLength(2);
    play.do('chart-scales');
    expect(play.text()).toMatch(/a scale each[\s\S]*10 MiB\/s[\s\S]* 500 B\/s/);
    play.do('chart-curve');
    expect(play.text()).toContain('logarithmic, a scale each');
  });

  test('marks both peaks, with value and time', () => {
    const text = new Play().text();
    expect(text).toContain('▼ peak 8.58 MiB/s 14:02:22');
    expect(text).toContain('▲ peak  500 B/s 14:03:22'.replace('  ', ' '));
    expect(text.match(/◆/g)).toHaveLength(2);
  });
});
