// The widgets: a box of lines, and blessed-contrib's sparkline. Each can be placed and shown; none handles keys.

import blessed, { type Widgets } from 'blessed';
import Grid from 'blessed-contrib/lib/layout/grid.js';
import sparkline from 'blessed-contrib/lib/widget/sparkline.js';
import type { Rect } from '../view/pane.ts';
import type { ChartModel } from '../view/panels/chart.ts';
import { type Glyphs, UNICODE_GLYPHS } from '../view/text/glyphs.ts';
import type { Line } from '../view/text/span.ts';
import { contentOf, type Markup } from './markup.ts';

type SparklineElement = ReturnType<typeof sparkline>;

/** Colours of a widget's empty cells, as blessed's numbers; -1 is the terminal's own. */
export interface BaseColours {
  readonly fg: number;
  readonly bg: number;
}

/**
 * Makes every widget through blessed-contrib's grid, which adds it to the screen. The layout sets the exact cells afterwards: the grid
 * computes in percent and loses a column at some widths.
 */
export class Skeleton {
  readonly #grid: Grid;

  constructor(screen: Widgets.Screen) {
    this.#grid = new Grid({ rows: 12, cols: 12, screen, hideBorder: true });
  }

  lines(row: number, rows: number): LineBox {
    const make = blessed.box as unknown as (options: never) => Widgets.BoxElement;
    return new LineBox(this.#grid.set(row, 0, rows, 12, make, { tags: false, wrap: false, hidden: true }));
  }

  spark(column: number, glyphs: Glyphs): Spark {
    const make = sparkline as unknown as (options: never) => SparklineElement;
    return new Spark(
      this.#grid.set(1, column, 2, 6, make, { tags: true, wrap: false, hidden: true, style: { titleFg: 'default' } }),
      glyphs,
    );
  }
}

abstract class Widget {
  protected readonly element: Widgets.BoxElement;
  #rect: Rect | null = null;

  constructor(element: Widgets.BoxElement) {
    this.element = element;
  }

  /** Puts the widget on these cells and shows it. @returns whether that changed anything */
  place(rect: Rect): boolean {
    const old = this.element.hidden ? null : this.#rect;
    if (this.element.hidden) this.element.show();
    if (old !== null && old.left === rect.left && old.top === rect.top && old.width === rect.width && old.height === rect.height)
      return false;
    this.#rect = rect;
    this.element.left = rect.left;
    this.element.top = rect.top;
    this.element.width = rect.width;
    this.element.height = rect.height;
    return true;
  }

  /** Hides the widget. @returns whether it was shown */
  hide(): boolean {
    if (this.element.hidden) return false;
    this.element.hide();
    return true;
  }

  /** Sets the colours of cells without text. */
  paint({ fg, bg }: BaseColours): void {
    Object.assign(this.element.style, { fg, bg });
  }
}

/** A box of lines that already fit it. */
export class LineBox extends Widget {
  #content = '';

  /** Shows lines. @returns whether they differ from those before */
  show(lines: readonly Line[], markup: Markup): boolean {
    const content = contentOf(lines, markup);
    // setContent parses the whole content again, even if nothing changed.
    if (content === this.#content) return false;
    this.#content = content;
    this.element.setContent(content);
    return true;
  }
}

/** Rates as blessed-contrib's sparkline. */
export class Spark extends Widget {
  readonly #glyphs: Glyphs;
  #content = '';

  constructor(element: SparklineElement, glyphs: Glyphs) {
    super(element);
    this.#glyphs = glyphs;
  }

  /** Shows the line; `colour` is the title's, as blessed numbers it. @returns whether it differs from the one before */
  show(model: ChartModel, colour: number): boolean {
    const element = this.element as SparklineElement & { options: { style: { titleFg: string } } };
    element.options.style.titleFg = colour < 0 ? 'default' : String(colour);
    const { width } = model.rect;
    // setData draws only the first `width - 2` values, whatever room there is: a widget that seems two cells wider draws them all.
    element.width = width + 2;
    element.setData([model.title], [scaled(model.values)]);
    element.width = width;
    const content = this.#tidy(element.content, model.values);
    element.setContent(content);
    const changed = content !== this.#content;
    this.#content = content;
    return changed;
  }

  /** Removes the empty first line, the colon after the title and the levels of unknown values; uses ASCII levels if asked to. */
  #tidy(content: string, values: readonly number[]): string {
    let out = content.replace(/^\r\n/, '').replace(/:(\{\/[^}]*-fg\}\{\/bold\}\r\n)/g, '$1');
    const [title = '', line = ''] = out.split('\r\n');
    const known = [...line].map((level, i) => (Number.isNaN(values[i]) ? ' ' : level)).join('');
    out = `${title}\r\n${known}`;
    if (this.#glyphs.levels !== UNICODE_GLYPHS.levels)
      for (const [index, level] of UNICODE_GLYPHS.levels.entries())
        out = out.replaceAll(level, this.#glyphs.levels[index] as string);
    return out;
  }
}

/**
 * Values as thousandths of the largest, which keeps their shape. The sparkline package shifts values left by 8 bits as 32-bit integers:
 * from 8 MB/s on it draws nothing at the peak (sparkline/lib/sparkline.js).
 */
function scaled(values: readonly number[]): number[] {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return values.map((value) => (most === 0 || Number.isNaN(value) ? 0 : Math.ceil((value / most) * 1000)));
}
