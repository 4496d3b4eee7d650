import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calendar } from '../../../../src/cli/report/calendar.ts';
import { html, Markup } from '../../../../src/cli/report/html.ts';
import { seriesSteps } from '../../../../src/cli/report/report-facts.ts';
import { alertTable } from '../../../../src/cli/report/tables.ts';
import { UNIT_MODES } from '../../../../src/model/options.ts';
import { amountLabel, mirroredGrid } from '../../../../src/view/chart/scale.ts';
import { ticksUpTo } from '../../../../src/view/chart/time-axis.ts';
import { dayStarts } from '../../../../src/view/text/calendar.ts';
import { alert } from '../../../support/history.ts';
import { historyRow } from '../history/answers.ts';

const zone = process.env['TZ'];
const HOUR = 3_600_000;
beforeEach(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

describe('html', () => {
  it('never lets text become markup', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inside = html`<p title="${text}">${text}</p>`.text;
        expect(inside.slice(3, -4)).not.toMatch(/[<']/);
        expect(inside.match(/"/g)).toHaveLength(2);
        expect(inside.match(/>/g)).toHaveLength(2);
        expect(inside.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });

  it('takes markup, numbers, lists and nothing', () => {
    expect(html`${new Markup('<b>')}${3}${[html`<i>`, html`${'<'}`]}${false}${null}`.text).toBe('<b>3<i>&lt;');
  });
});

describe('alertTable', () => {
  it('lists alerts, newest first, with details and what became of them, and lets none become markup', () => {
    const first = {
      ...alert({ id: 'a', text: '<b>first</b>', details: ['one & two'] }),
      deliveries: [{ sink: 'webhook', time: 0, failure: '<down>' }],
    };
    const second = { ...alert({ id: 'b', time: first.time + 1, text: 'second', details: [], held: 'muted' }), deliveries: [] };
    const { text } = alertTable([first, second]);
    const found = [...text.matchAll(/<td class="said">(.*?)<\/td>/g)].map(([, cell]) => cell);
    expect(found).toEqual([
      'second<span class="why">not delivered: muted</span>',
      '&lt;b&gt;first&lt;/b&gt;<span class="why">one &amp; two</span><span class="why">1970-01-01 01:00:00 given up by webhook: &lt;down&gt;</span>',
    ]);
  });
});

describe('mirroredGrid', () => {
  it('holds both sides in few steps that are short to write', () => {
    const bytes = fc.integer({ min: 0, max: 2 ** 50 });
    fc.assert(
      fc.property(bytes, bytes, fc.constantFrom(...UNIT_MODES), (up, down, units) => {
        const scale = mirroredGrid(up, down, units);
        expect(scale.up * scale.step).toBeGreaterThanOrEqual(up);
        expect(scale.down * scale.step).toBeGreaterThanOrEqual(down);
        expect(scale.up).toBeGreaterThanOrEqual(1);
        expect(scale.up + scale.down).toBeLessThanOrEqual(6);
        expect(amountLabel(scale.step, units)).toMatch(/^(\d{1,3}|<1) /);
      }),
    );
  });

  it.each([
    [0, 0, 1, 1, 0],
    [320 * 2 ** 20, 310 * 2 ** 20, 128 * 2 ** 20, 3, 3],
    [2.2 * 2 ** 30, 0.8 * 2 ** 30, 2 ** 30, 3, 1],
  ])('%d above and %d below', (up, down, step, ups, downs) => {
    expect(mirroredGrid(up, down, 'bytes')).toEqual({ step, up: ups, down: downs });
  });
});

describe('ticksUpTo', () => {
  const labels = (from: string, to: string, most: number) =>
    ticksUpTo(Date.parse(from), Date.parse(to), most).map(({ label }) => label);

  it('goes by hours, days or months', () => {
    expect(labels('2026-11-22T09:30+01:00', '2026-11-22T15:30+01:00', 8)).toEqual([
      '10:00',
      '11:00',
      '12:00',
      '13:00',
      '14:00',
      '15:00',
    ]);
    expect(labels('2026-11-22T23:40+01:00', '2026-11-23T00:12+01:00', 5)).toEqual(['23:40', '23:50', 'Mon 23 Nov', '00:10']);
    expect(labels('2026-11-21T16:00+01:00', '2026-11-22T16:00+01:00', 5)).toEqual(['18:00', 'Sun 22 Nov', '06:00', '12:00']);
    expect(labels('2026-11-15T16:00+01:00', '2026-11-18T16:30+01:00', 12)).toEqual(['Mon 16 Nov', 'Tue 17 Nov', 'Wed 18 Nov']);
    expect(labels('2026-01-01T00:00+01:00', '2026-12-31T00:00+01:00', 5)).toEqual([
      'Jan 2026',
      'Apr 2026',
      'Jul 2026',
      'Oct 2026',
    ]);
  });

  it('has no more than asked, in order, also where a clock is set', () => {
    const start = Date.parse('2026-10-24T00:00+02:00');
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500 * HOUR }),
        fc.integer({ min: HOUR, max: 3e10 }),
        fc.constantFrom(5, 12),
        (at, length, most) => {
          const marks = ticksUpTo(start + at, start + at + length, most);
          expect(marks.length).toBeLessThanOrEqual(most + 2);
          for (const [index, { time }] of marks.entries()) {
            expect(time).toBeGreaterThanOrEqual(start + at);
            expect(time).toBeLessThanOrEqual(start + at + length);
            if (index > 0) expect(time).toBeGreaterThan(marks[index - 1]?.time as number);
          }
        },
      ),
    );
  });
});

describe('seriesSteps', () => {
  const from = Date.parse('2026-11-15T16:26+01:00');

  it('takes whole steps on local hours that cover the range', () => {
    const week = seriesSteps({ from, to: from + 168 * HOUR }, 60_000);
    expect(week).toEqual({
      range: { from: Date.parse('2026-11-15T16:00+01:00'), to: Date.parse('2026-11-22T17:00+01:00') },
      count: 169,
    });
    expect(seriesSteps({ from, to: from + 2 * HOUR }, 60_000)?.count).toBe(120);
    expect(seriesSteps({ from, to: from + 2 * HOUR }, HOUR)?.count).toBe(3);
  });

  it('leaves to days what is long or kept by the day', () => {
    expect(seriesSteps({ from, to: from + 40 * 24 * HOUR }, 60_000)).toBeNull();
    expect(seriesSteps({ from, to: from + 24 * HOUR }, 24 * HOUR)).toBeNull();
  });
});

describe('calendar', () => {
  it('has a field for each local day, also where one has 25 hours', () => {
    const from = Date.parse('2026-10-24T12:00+02:00');
    const days = dayStarts(from, Date.parse('2026-10-27T00:00+01:00'));
    expect(days.map((day) => new Date(day).toISOString())).toEqual([
      '2026-10-23T22:00:00.000Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ]);
    const rows = [historyRow({ key: 'x', start: days[1] as number, rxBytes: 1024, txBytes: 0 })];
    const { text } = calendar([{ app: 'a<b', days: rows }], days, 'wide', 'bytes');
    expect(text.match(/<rect/g)).toHaveLength(3);
    expect(text).toContain('a&lt;b, Sun 25 Oct: 1.00 KiB');
    expect(text).toContain('a&lt;b, Mon 26 Oct: nothing recorded');
  });

  it('shows a year in weeks, and no more than fits', () => {
    const days = dayStarts(Date.parse('2024-01-01T00:00+01:00'), Date.parse('2026-11-18T00:00+01:00'));
    const rows = [historyRow({ start: days.at(-1) as number })];
    const wide = calendar([{ app: 'a', days: rows }], days, 'wide', 'bytes').text;
    const count = wide.match(/<rect/g)?.length ?? 0;
    expect(count).toBeGreaterThan(360);
    expect(count).toBeLessThanOrEqual(371);
    expect(wide).toContain('a, Tue 17 Nov: 3.05 MiB');
  });
});
