// Draws a report's bar charts as SVG: received above the axis, sent below, on one scale.

import type { UnitMode } from '../../model/options.ts';
import { amountLabel, mirroredGrid } from '../../view/chart/scale.ts';
import { type Tick, ticksUpTo } from '../../view/chart/time-axis.ts';
import { dayText, weekdayDate } from '../../view/text/calendar.ts';
import { html, type Markup } from './html.ts';

/** Bytes of a range, epoch ms. */
export interface ChartBar {
  readonly from: number;
  readonly to: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** The range, in words, for the tooltip. */
  readonly label: string;
}

/** A chart's range, texts and size class. */
export interface ChartFrame {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in words, for screen readers. */
  readonly description: string;
  /** CSS class for the page widths at which it is shown. */
  readonly kind: 'wide' | 'narrow';
  readonly from: number;
  readonly to: number;
  readonly units: UnitMode;
  /** True if each bar has its own name (a day), centred under it. */
  readonly named: boolean;
}

const SIZES = { wide: { width: 960, height: 300, marks: 12 }, narrow: { width: 380, height: 240, marks: 5 } } as const;
const MARGIN = { left: 62, right: 8, top: 10, bottom: 26 };

/** Bars over time. */
export function timeChart(bars: readonly ChartBar[], frame: ChartFrame): Markup {
  const { width, height, marks } = SIZES[frame.kind];
  const { from, to, units } = frame;
  const scale = mirroredGrid(
    Math.max(0, ...bars.map((bar) => bar.rxBytes)),
    Math.max(0, ...bars.map((bar) => bar.txBytes)),
    units,
  );
  const plot = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const perStep = plot.height / (scale.up + scale.down);
  const zero = MARGIN.top + scale.up * perStep;
  const x = (time: number) => MARGIN.left + ((time - from) / (to - from)) * plot.width;
  const tall = (bytes: number) => (bytes / scale.step) * perStep;

  const lines: Markup[] = [];
  for (let at = scale.up; at >= -scale.down; at--) {
    const y = round(zero - at * perStep);
    lines.push(
      html`<line class="${at === 0 ? 'axis' : 'grid'}" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${y}" y2="${y}"/>`,
    );
    lines.push(
      html`<text class="tick" x="${MARGIN.left - 8}" y="${round(y + 4)}" text-anchor="end">${at === 0 ? '0' : amountLabel(Math.abs(at) * scale.step, units)}</text>`,
    );
  }
  for (const { time, label } of frame.named ? barMarks(bars, marks) : ticksUpTo(from, to, marks)) {
    const at = round(x(time));
    if (!frame.named)
      lines.push(
        html`<line class="mark" x1="${at}" x2="${at}" y1="${height - MARGIN.bottom}" y2="${height - MARGIN.bottom + 5}"/>`,
      );
    const anchor = frame.named ? 'middle' : at > width - 36 ? 'end' : at < MARGIN.left + 20 ? 'start' : 'middle';
    lines.push(
      html`<text class="tick" x="${anchor === 'end' ? width - 2 : at}" y="${height - 6}" text-anchor="${anchor}">${label}</text>`,
    );
  }
  const shapes = bars.map((bar) => {
    const left = Math.max(MARGIN.left, x(bar.from));
    const full = Math.min(width - MARGIN.right, x(bar.to)) - left;
    const wide = Math.max(0.5, Math.min(64, full - (full > 3 ? full * (frame.named ? 0.3 : 0.18) : 0)));
    const middle = round(left + (full - wide) / 2);
    const up = tall(bar.rxBytes);
    const down = tall(bar.txBytes);
    return html`<g class="bar"><rect class="hit" x="${round(left)}" y="${MARGIN.top}" width="${round(full)}" height="${plot.height}"/>${
      bar.rxBytes > 0 &&
      html`<rect class="rx" x="${middle}" y="${round(zero - up)}" width="${round(wide)}" height="${round(Math.max(0.75, up))}"/>`
    }${
      bar.txBytes > 0 &&
      html`<rect class="tx" x="${middle}" y="${round(zero)}" width="${round(wide)}" height="${round(Math.max(0.75, down))}"/>`
    }<title>${bar.label}</title></g>`;
  });
  return svgFrame(frame, width, height, [...lines, ...shapes]);
}

/** Names centred under bars; with many bars, only under every second, third ... one. */
function barMarks(bars: readonly ChartBar[], most: number): Tick[] {
  const every = Math.ceil(bars.length / most);
  const isShort = bars.length > most / 1.4 || most < 8;
  return bars.flatMap((bar, at) =>
    at % every === 0 ? [{ time: (bar.from + bar.to) / 2, label: isShort ? dayText(bar.from) : weekdayDate(bar.from) }] : [],
  );
}

/** The element around a chart, with its name and description. */
export function svgFrame(
  { id, title, description, kind }: Pick<ChartFrame, 'id' | 'title' | 'description' | 'kind'>,
  width: number,
  height: number,
  content: readonly Markup[],
): Markup {
  const name = `${id}-${kind}`;
  return html`<svg class="chart ${kind}" viewBox="0 0 ${round(width)} ${round(height)}" role="img" aria-labelledby="${name}-t ${name}-d">
<title id="${name}-t">${title}</title><desc id="${name}-d">${description}</desc>
${content}
</svg>`;
}

/** Rounds a coordinate to two digits, finer than a pixel. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
