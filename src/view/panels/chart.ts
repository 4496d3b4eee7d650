// The two rate charts as titles and numbers: the newest values of the minutes and of the day. Drawing them is the widget's.

import type { Snapshot } from '../../aggregate/snapshot.ts';
import { pictureOf } from '../derive.ts';
import { formatRate } from '../format.ts';
import type { Glyphs } from '../glyphs.ts';
import type { Rect } from '../layout.ts';
import type { ViewState } from '../state.ts';

/** One line of a chart. */
export interface Series {
  readonly title: string;
  /** Newest last, no more than there are cells; the first one is always 0, so that the scale begins there. */
  readonly values: readonly number[];
}

/** A chart of one direction. */
export interface ChartModel {
  readonly direction: 'rx' | 'tx';
  /** Where the chart itself goes, its frame taken off. */
  readonly rect: Rect;
  readonly series: readonly Series[];
}

/** Builds the chart of one direction; `cells` is how wide the drawn line may be. */
export function chartPanel(
  state: ViewState,
  live: Snapshot,
  glyphs: Glyphs,
  direction: 'rx' | 'tx',
  rect: Rect,
  cells: number,
  day: boolean,
): ChartModel {
  const picture = pictureOf(state, live);
  const { snapshot } = picture;
  const { rates } = snapshot;
  const seconds = direction === 'rx' ? rates.rxSeconds : rates.txSeconds;
  const minutes = direction === 'rx' ? rates.rxMinutes : rates.txMinutes;
  const arrow = direction === 'rx' ? `${glyphs.rx} RX` : `${glyphs.tx} TX`;
  const now = direction === 'rx' ? snapshot.total.rxRate : snapshot.total.txRate; // never filtered: the line is not either
  const known = snapshot.seq >= 0;
  const scope = picture.filtered ? ' (all)' : '';
  const series: Series[] = [
    line(
      `${arrow}${scope} ${known ? rate(now, state) : glyphs.unknown}  peak ${known ? rate(Math.max(now, peak(seconds, cells)), state) : glyphs.unknown}`,
      seconds,
      cells,
    ),
  ];
  if (day) series.push(line(`day, a minute each  peak ${rate(peak(minutes, cells), state)}`, minutes, cells));
  return { direction, rect, series };
}

function rate(value: number, state: ViewState): string {
  return formatRate(value, state.units).trim();
}

function peak(values: readonly number[], cells: number): number {
  let most = 0;
  for (const value of values.slice(1 - cells)) if (value > most) most = value;
  return most;
}

function line(title: string, values: readonly number[], cells: number): Series {
  const tail = cells > 1 ? values.slice(1 - cells).map((value) => (Number.isFinite(value) && value > 0 ? value : 0)) : [];
  const padding = Array.from({ length: Math.max(0, cells - tail.length) }, () => 0);
  return { title, values: [...padding, ...tail] };
}
