// Labels of a time axis: round local times, far enough apart to be read.

import { formatClock } from '../format.ts';
import { columnAt, type Extent } from './slots.ts';

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** Distances between labels. */
const STEPS = [
  ...[5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 4, 6, 12, 24].map((n) => n * HOUR),
];
/** Cells between two labels. */
const GAP = 3;

/** A label and the cell at which it begins: its time is in that cell. */
export interface TimeLabel {
  readonly cell: number;
  readonly text: string;
}

/** Labels for a chart of `cells` cells. */
export function timeLabels(extent: Extent, cells: number): readonly TimeLabel[] {
  const length = extent.to - extent.from;
  const step = STEPS.find((each) => (each / length) * cells >= widthAt(each) + GAP);
  if (step === undefined) return [];
  const labels: TimeLabel[] = [];
  // Round in local time: of a day the hours of the place, also where those lie half an hour beside UTC's.
  const offset = new Date(extent.to).getTimezoneOffset() * MINUTE;
  for (let time = Math.ceil((extent.from - offset) / step) * step + offset; time < extent.to; time += step) {
    const cell = columnAt(time, { ...extent, columns: cells });
    const text = formatClock(time).slice(0, widthAt(step));
    if (cell >= 0 && cell + text.length <= cells) labels.push({ cell, text });
  }
  return labels;
}

/** Cells of a label: with seconds only where labels are less than a minute apart. */
function widthAt(step: number): number {
  return step < MINUTE ? 8 : 5;
}
