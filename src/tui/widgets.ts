// The widgets: a box of lines, and blessed-contrib's sparkline. Each can be placed and shown; none handles keys.

import blessed, { type Widgets } from 'blessed';
import Grid from 'blessed-contrib/lib/layout/grid.js';
import sparkline from 'blessed-contrib/lib/widget/sparkline.js';
import type { Rect } from '../view/pane.ts';
import type { ChartModel } from '../view/panels/chart.ts';
import { type Glyphs, UNICODE_GLYPHS } from '../view/text/glyphs.ts';
import type { Line } from '../view/text/span.ts';
import { type Attributes, type CellRules, cellsOf } from './cells.ts';

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
    return new LineBox(this.#grid.set(row, 0, rows, 12, make, { hidden: true }));
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

  /** The cells that it was put on. */
  protected get rect(): Rect {
    return this.#rect ?? NOWHERE;
  }

  /** Hides the widget. @returns whether it was shown */
  hide(): boolean {
    if (this.element.hidden) return false;
    this.element.hide();
    return true;
  }
}

const NOWHERE: Rect = { left: 0, top: 0, width: 0, height: 0 };

/** What blessed keeps of the screen's cells: attribute and text. */
type ScreenLine = [attribute: number, text: string][] & { dirty: boolean };

interface ScreenCells {
  readonly lines: readonly ScreenLine[];
  readonly fullUnicode: boolean;
  readonly program: { readonly isiTerm2: boolean };
}

/** A box of lines that already fit it. It fills the cells itself: blessed would parse all text for escape sequences, three times a frame. */
export class LineBox extends Widget {
  readonly #screen: ScreenCells;
  readonly #rules: CellRules;
  #attributes = new Int32Array(0);
  #texts: string[] = [];

  constructor(element: Widgets.BoxElement) {
    super(element);
    this.#screen = element.screen as unknown as ScreenCells;
    const { fullUnicode, program } = this.#screen;
    this.#rules = { hasWide: fullUnicode, hasCombining: fullUnicode && !program.isiTerm2 }; // iTerm2 draws marks in cells of their own
    (element as unknown as { render(): void }).render = () => this.#fill();
  }

  /** Shows lines. @returns whether they differ from those before */
  show(lines: readonly Line[], attributes: Attributes): boolean {
    const { width, height } = this.rect;
    let changed = this.#texts.length !== width * height;
    if (changed) {
      this.#attributes = new Int32Array(width * height);
      this.#texts = new Array<string>(width * height).fill(' ');
    }
    let attribute = attributes.text;
    let at = 0;
    const put = (text: string): void => {
      if (this.#attributes[at] !== attribute || this.#texts[at] !== text) {
        this.#attributes[at] = attribute;
        this.#texts[at] = text;
        changed = true;
      }
      at++;
    };
    for (let y = 0; y < height; y++) {
      const end = at + width;
      for (const { text, role } of lines[y] ?? []) {
        if (text === '') continue;
        attribute = attributes[role];
        const cells = cellsOf(text, this.#rules);
        for (let i = 0; i < cells.length && at < end; i++) put(cells[i] as string);
      }
      while (at < end) put(' ');
    }
    return changed;
  }

  /** Fills the screen's cells, as blessed asks before it draws those that differ. */
  #fill(): void {
    if (this.element.hidden) return;
    const { left, top, width, height } = this.rect;
    for (let y = 0; y < height; y++) {
      const line = this.#screen.lines[top + y];
      if (line === undefined) break;
      for (let x = 0; x < width; x++) {
        const cell = line[left + x];
        if (cell === undefined) break;
        const attribute = this.#attributes[y * width + x] as number;
        const text = this.#texts[y * width + x] as string;
        if (cell[0] === attribute && cell[1] === text) continue;
        cell[0] = attribute;
        cell[1] = text;
        line.dirty = true;
      }
    }
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

  /** Sets the colours of cells without text. */
  paint({ fg, bg }: BaseColours): void {
    Object.assign(this.element.style, { fg, bg });
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
