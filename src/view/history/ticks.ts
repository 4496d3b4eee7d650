// Times under a chart: where they stand and how they read. None touches another.

import { dayText, HOUR_MS, monthName, startOf, stepped, timeText, WEEKDAYS, weekdayOf, type Zoom } from '../text/calendar.ts';
import type { Edges } from './range.ts';

interface Tick {
  readonly time: number;
  readonly text: string;
}

/** One line of `cells` cells with as many times as fit; the steps get wider until all of one kind do. */
export function ticksOf(zoom: Zoom, edges: Edges, cells: number, cellOf: (time: number) => number): string {
  const from = edges[0] as number;
  const to = edges.at(-1) as number;
  for (const ticks of kindsOf(zoom, from, to)) {
    const line = placed(ticks, cells, cellOf);
    if (line !== null) return line;
  }
  return ' '.repeat(cells);
}

/** Sets of times, the densest first. */
function* kindsOf(zoom: Zoom, from: number, to: number): Generator<readonly Tick[]> {
  switch (zoom) {
    case 'hour':
      for (const minutes of [5, 10, 15, 30, 60])
        yield spaced(from, to, (at) => new Date(at).getMinutes() % minutes === 0, HOUR_MS / 60, timeText);
      return;
    case 'day':
      for (const hours of [1, 2, 3, 6, 12])
        yield spaced(from, to, (at) => new Date(at).getHours() % hours === 0 && isFullHour(at), HOUR_MS / 4, timeText);
      return;
    case 'week': {
      const days = daysOf(from, to);
      yield days.map((time) => ({ time, text: `${WEEKDAYS[weekdayOf(time)]} ${dayText(time)}` }));
      yield days.map((time) => ({ time, text: WEEKDAYS[weekdayOf(time)] as string }));
      return;
    }
    case 'month': {
      const days = daysOf(from, to);
      for (const step of [1, 2, 5, 10])
        yield days
          .filter((time) => step === 1 || new Date(time).getDate() === 1 || new Date(time).getDate() % step === 0)
          .map((time) => ({ time, text: String(new Date(time).getDate()) }));
      return;
    }
    case 'year': {
      const months: number[] = [];
      for (let at = from; at < to; at = stepped('month', at, 1)) months.push(at);
      yield months.map((time) => ({ time, text: monthName(time) }));
      yield months.map((time) => ({ time, text: monthName(time).slice(0, 3) }));
      yield months.filter((_, i) => i % 3 === 0).map((time) => ({ time, text: monthName(time).slice(0, 3) }));
    }
  }
}

function spaced(
  from: number,
  to: number,
  fits: (time: number) => boolean,
  step: number,
  text: (time: number) => string,
): readonly Tick[] {
  const ticks: Tick[] = [];
  for (let time = from; time < to; time += step) if (fits(time)) ticks.push({ time, text: text(time) });
  return ticks;
}

function isFullHour(time: number): boolean {
  return time === startOf('hour', time);
}

function daysOf(from: number, to: number): number[] {
  const days: number[] = [];
  for (let at = from; at < to; at = stepped('day', at, 1)) days.push(at);
  return days;
}

/** The texts where they belong; null when two of them would touch. The last may be left out for want of room at the end. */
function placed(ticks: readonly Tick[], cells: number, cellOf: (time: number) => number): string | null {
  let line = '';
  for (const { time, text } of ticks) {
    const cell = cellOf(time);
    if (cell + text.length > cells) continue;
    if (line !== '' && cell < line.length + 1) return null;
    line = line.padEnd(cell) + text;
  }
  return line.padEnd(cells);
}
