// The days of one app: weeks side by side, Monday on top, height of a sign by bytes, so that it reads without colour; the day under the
// cursor and the steps in numbers.

import type { HistoryRow } from '../../../model/history.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import { type AppPage, resultOf } from '../../history/state.ts';
import { fitLine, framed, type Rect } from '../../pane.ts';
import type { ViewState } from '../../state.ts';
import { dateText, monthName, startOf, stepped, WEEKDAYS } from '../../text/calendar.ts';
import { cut, drawable } from '../../text/cells.ts';
import { formatAmount } from '../../text/format.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import { type Line, type Role, type Span, span } from '../../text/span.ts';

/** Cells of the names of weekdays. */
const LABELS = 5;
/** Levels above nothing, by quarters of the days on which something moved. */
const LEVELS = 4;
const ROLES: readonly Role[] = ['dim', 'meter1', 'meter3', 'meter4', 'meter6'];

/** A level that some day has: the most bytes of its days, as they are shown, and the height of its sign. */
interface Level {
  readonly most: number;
  readonly text: string;
  readonly height: number;
}

/** Draws the calendar of the opened app. */
export function historyCalendar(state: ViewState, live: Snapshot, page: AppPage, glyphs: Glyphs, rect: Rect): readonly Line[] {
  const { history, units } = state;
  const focused = page.pane === 'calendar' && state.popup === null;
  const today = startOf('day', live.time);
  const chosen = page.day ?? today;
  const result = resultOf(history, 'calendar');
  const own = result?.query.app === page.name ? result : null;
  const days = new Map<number, HistoryRow>();
  for (const row of own?.rows ?? []) if (row.start !== null) days.set(startOf('day', row.start), row);
  const amount = (bytes: number): string => formatAmount(bytes, units).trim();

  const inner = rect.width - 2;
  const weeks = Math.max(1, Math.floor((inner - LABELS - 1) / 2));
  const first = stepped('week', startOf('week', Math.max(chosen, startOf('week', live.time))), 1 - weeks);
  const earliest = chosen < first ? startOf('week', chosen) : first;
  const starts = Array.from({ length: weeks }, (_, week) => stepped('week', earliest, week)).filter((start) => start <= today);
  const levels = levelsOf([...days.values()].map(bytesOf), amount);

  const lines: Line[] = [[span(monthLine(starts).padEnd(inner), 'dim')]];
  for (let weekday = 0; weekday < 7; weekday++) {
    const cells: Span[] = [span(` ${weekday % 2 === 0 ? WEEKDAYS[weekday] : '   '} `, 'dim')];
    for (const start of starts) {
      const day = dayOfWeek(start, weekday);
      const bytes = days.has(day) ? bytesOf(days.get(day) as HistoryRow) : 0;
      const height = heightOf(bytes, levels);
      const sign = day > today ? ' ' : signOf(height, glyphs);
      cells.push(
        span(sign === ' ' && day === chosen ? glyphs.barEmpty : sign, day === chosen ? 'selected' : (ROLES[height] as Role)),
      );
      cells.push(span(' '));
    }
    lines.push(fitLine(cells, inner, glyphs));
  }
  lines.push(legend(levels, own === null, glyphs));

  const row = days.get(chosen);
  const value =
    row === undefined
      ? own === null
        ? `reading${glyphs.more}`
        : 'nothing recorded'
      : `${glyphs.rx} ${amount(row.rxBytes)} ${glyphs.tx} ${amount(row.txBytes)}`;
  const title: Span[] = [
    span(cut(drawable(page.name, glyphs), 24, glyphs), focused ? 'title' : 'header'),
    span(' by day', 'text'),
  ];
  const note: Line = [span(`${dateText(chosen)}  `, 'accent'), span(value, 'text')];
  return framed(rect, title, note, withinRows(lines, rect.height - 2, note), glyphs, focused);
}

/** A calendar that is short of rows gives up the legend, then the months. */
function withinRows(lines: readonly Line[], rows: number, note: Line): readonly Line[] {
  if (lines.length <= rows) return lines;
  const bare = lines.slice(1, -1);
  return bare.length <= rows ? bare : [note, ...bare.slice(0, Math.max(0, rows - 1))];
}

function bytesOf(row: HistoryRow): number {
  return row.rxBytes + row.txBytes;
}

function dayOfWeek(monday: number, weekday: number): number {
  return stepped('day', monday, weekday);
}

/** The levels that days have: quarters of the days with traffic, those that would be named alike as one. The highest is always the last. */
function levelsOf(values: readonly number[], amount: (bytes: number) => string): readonly Level[] {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const ends = new Map<string, number>();
  for (let quarter = 1; quarter <= LEVELS && sorted.length > 0; quarter++) {
    const most = sorted[Math.ceil((quarter * sorted.length) / LEVELS) - 1] as number;
    ends.set(amount(most), most);
  }
  return [...ends].map(([text, most], at) => ({ text, most, height: Math.round(((at + 1) * LEVELS) / ends.size) }));
}

function heightOf(bytes: number, levels: readonly Level[]): number {
  return bytes <= 0 ? 0 : (levels.find(({ most }) => bytes <= most)?.height ?? LEVELS);
}

function signOf(height: number, glyphs: Glyphs): string {
  return height === 0 ? glyphs.barEmpty : (glyphs.levels[2 * height - 1] as string);
}

/** Months above the week in which they begin; one that has no room is left out. */
function monthLine(starts: readonly number[]): string {
  let line = '';
  const room = LABELS + 2 * starts.length;
  for (const [week, start] of starts.entries()) {
    const end = stepped('day', start, 6);
    if (week > 0 && new Date(end).getDate() > 7) continue;
    const at = LABELS + 2 * week;
    if (at + 3 <= room && (line.length < at || line === '')) line = `${line.padEnd(at)}${monthName(end).slice(0, 3)} `;
  }
  return line;
}

function legend(levels: readonly Level[], isLate: boolean, glyphs: Glyphs): Line {
  if (isLate) return [span(` reading${glyphs.more}`, 'dim')];
  if (levels.length === 0) return [span(' nothing recorded in these weeks', 'dim')];
  const out: Span[] = [span(` ${glyphs.barEmpty}`, 'dim'), span(' nothing', 'dim')];
  for (const { height, text } of levels)
    out.push(span(`  ${signOf(height, glyphs)}`, ROLES[height] as Role), span(` to ${text}`, 'dim'));
  return out;
}
