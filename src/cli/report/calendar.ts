// Draws a report's calendar: a row for each app and a cell for each day; for long ranges, weeks are columns. Darker means more.

import type { UnitMode } from '../../model/options.ts';
import { dayText, weekdayDate } from '../../view/text/calendar.ts';
import { round, svgFrame } from './chart.ts';
import { html, type Markup } from './html.ts';
import type { AppDays } from './report-facts.ts';
import { amount } from './tables.ts';

type Kind = 'wide' | 'narrow';

const WIDTH: Readonly<Record<Kind, number>> = { wide: 960, narrow: 380 };
const ROW_DAYS = 35;
const LEVELS = 5;
const WEEKS: Readonly<Record<Kind, number>> = { wide: 53, narrow: 26 };

/** The caption of a calendar with this many days. */
export function calendarNote(days: number): string {
  return days <= ROW_DAYS
    ? 'All apps are on one scale.'
    : 'Each app has its own scale. Weeks go from left to right, Monday is on top.';
}

/** Draws the calendar of all apps. */
export function calendar(apps: readonly AppDays[], days: readonly number[], kind: Kind, units: UnitMode): Markup {
  return days.length <= ROW_DAYS ? rows(apps, days, kind, units) : weeks(apps, days, kind, units);
}

/** 0 for nothing, else 1 to 5. @param curve below 1 brings out small values, for apps of all sizes on one scale */
function levelOf(bytes: number, most: number, curve: number): number {
  return bytes <= 0 || most <= 0 ? 0 : Math.max(1, Math.ceil((bytes / most) ** curve * LEVELS));
}

function bytesByDay({ days }: AppDays): Map<number, number> {
  return new Map(days.flatMap((row) => (row.start === null ? [] : [[row.start, row.rxBytes + row.txBytes]])));
}

function field(
  x: number,
  y: number,
  size: { width: number; height: number },
  level: number,
  label: string,
  value: string | null,
): Markup {
  return html`<g class="day"><rect class="l${level}" x="${round(x)}" y="${round(y)}" width="${round(size.width)}" height="${round(size.height)}" rx="3"/>${
    value !== null &&
    html`<text class="t${level}" x="${round(x + size.width / 2)}" y="${round(y + size.height / 2 + 4)}" text-anchor="middle">${value}</text>`
  }<title>${label}</title></g>`;
}

function rows(apps: readonly AppDays[], days: readonly number[], kind: Kind, units: UnitMode): Markup {
  const width = WIDTH[kind];
  const names = kind === 'wide' ? 150 : 0;
  const rowHeight = kind === 'wide' ? 34 : 50;
  const head = 24;
  const step = (width - names) / days.length;
  const most = Math.max(0, ...apps.flatMap((app) => [...bytesByDay(app).values()]));
  const every = Math.max(1, Math.ceil((kind === 'wide' ? 72 : 52) / step));
  const content: Markup[] = [];
  for (const [at, day] of days.entries())
    if (at % every === 0) {
      const label = step * every >= 72 ? weekdayDate(day) : dayText(day);
      content.push(html`<text class="tick" x="${round(names + at * step + 2)}" y="14">${label}</text>`);
    }
  for (const [at, app] of apps.entries()) {
    const y = head + at * rowHeight;
    const top = kind === 'wide' ? y : y + 18;
    const found = bytesByDay(app);
    content.push(
      html`<text class="name" x="0" y="${kind === 'wide' ? y + 20 : y + 13}">${shortened(app.app, kind === 'wide' ? 20 : 40)}</text>`,
    );
    for (const [column, day] of days.entries()) {
      const bytes = found.get(day) ?? 0;
      const value = step >= 66 && bytes > 0 ? amount(bytes, units) : null;
      const size = { width: Math.max(1, step - 3), height: 28 };
      content.push(
        field(names + column * step, top, size, levelOf(bytes, most, 0.5), titleOf(app.app, day, bytes, units), value),
      );
    }
  }
  return svgFrame(named(kind), width, head + apps.length * rowHeight, content);
}

function weeks(apps: readonly AppDays[], all: readonly number[], kind: Kind, units: UnitMode): Markup {
  const width = WIDTH[kind];
  const first = new Date(all.at(-1) as number);
  const mostDays = WEEKS[kind] * 7 - 7 + ((first.getDay() + 6) % 7) + 1;
  const days = all.slice(-mostDays);
  const offset = (new Date(days[0] as number).getDay() + 6) % 7;
  const columns = Math.ceil((days.length + offset) / 7);
  const step = Math.min(18, width / Math.max(columns, 1));
  const size = { width: step - 2, height: step - 2 };
  const perRow = Math.max(1, Math.floor((width + 24) / (columns * step + 24)));
  const blockWidth = columns * step + 24;
  const blockHeight = 24 + 7 * step + 18;
  const content = apps.flatMap((app, at) => {
    const left = (at % perRow) * blockWidth;
    const top = Math.floor(at / perRow) * blockHeight;
    const found = bytesByDay(app);
    const most = Math.max(0, ...found.values());
    const fields = days.map((day, index) => {
      const place = index + offset;
      const bytes = found.get(day) ?? 0;
      return field(
        left + Math.floor(place / 7) * step,
        top + 24 + (place % 7) * step,
        size,
        levelOf(bytes, most, 1),
        titleOf(app.app, day, bytes, units),
        null,
      );
    });
    return [
      html`<text class="name" x="${round(left)}" y="${round(top + 15)}">${shortened(app.app, Math.max(8, Math.floor((blockWidth - 24) / 7)))}</text>`,
      ...fields,
    ];
  });
  return svgFrame(named(kind), width, Math.ceil(apps.length / perRow) * blockHeight, content);
}

function named(kind: Kind) {
  return {
    id: 'calendar',
    kind,
    title: 'Bytes of each app by day',
    description: 'One field for each app and day; darker is more. The tables hold the sums.',
  };
}

function titleOf(app: string, day: number, bytes: number, units: UnitMode): string {
  return `${app}, ${weekdayDate(day)}: ${bytes > 0 ? amount(bytes, units) : 'nothing recorded'}`;
}

function shortened(name: string, most: number): string {
  const signs = [...name];
  return signs.length > most ? `${signs.slice(0, most - 1).join('')}…` : name;
}
