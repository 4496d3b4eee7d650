// The widgets of the screen, and which part of a frame each of them shows.

import type { Widgets } from 'blessed';
import type { Frame } from '../view/frame.ts';
import type { Pane } from '../view/pane.ts';
import type { Depth } from '../view/text/colours.ts';
import type { Glyphs } from '../view/text/glyphs.ts';
import type { Styles } from '../view/text/styles.ts';
import { type Attributes, attributesOf, colourNumber } from './cells.ts';
import type { TerminalOutput } from './terminal-output.ts';
import { type LineBox, Skeleton, type Spark } from './widgets.ts';

/** Tables that a frame has at most. */
const TABLES = 4;

/** Parts without rows that a frame has at most. */
const PARTS = 2;

/** All widgets, made once; each frame places and fills them. Only the screen's `draw` writes to the terminal. */
export class Dashboard {
  readonly #backdrop: LineBox;
  readonly #header: LineBox;
  readonly #footer: LineBox;
  readonly #tables: readonly LineBox[];
  readonly #parts: readonly LineBox[];
  readonly #chart: LineBox;
  readonly #sparks: Readonly<Record<'rx' | 'tx', Spark>>;
  readonly #popup: LineBox;
  readonly #screen: Widgets.Screen;
  #attributes: Attributes | null = null;
  #chartColours = { rx: -1, tx: -1 };
  #background = -1;
  #dressed = false;

  /** Makes the widgets; later ones lie above earlier ones. */
  constructor(screen: Widgets.Screen, glyphs: Glyphs) {
    const skeleton = new Skeleton(screen);
    this.#screen = screen;
    this.#backdrop = skeleton.lines(0, 12);
    this.#header = skeleton.lines(0, 1);
    this.#chart = skeleton.lines(1, 2);
    this.#sparks = { rx: skeleton.spark(0, glyphs), tx: skeleton.spark(6, glyphs) };
    this.#tables = Array.from({ length: TABLES }, () => skeleton.lines(3, 8));
    this.#parts = Array.from({ length: PARTS }, () => skeleton.lines(1, 2));
    this.#footer = skeleton.lines(11, 1);
    this.#popup = skeleton.lines(1, 10);
  }

  /** Takes a theme. */
  dress(styles: Styles, depth: Depth, terminal: TerminalOutput): void {
    this.#attributes = attributesOf(styles, depth, terminal);
    const number = (colour: number | null): number => colourNumber(colour, depth, terminal);
    this.#background = number(styles.text.bg);
    this.#dressed = true;
    this.#chartColours = { rx: number(styles.rx.fg), tx: number(styles.tx.fg) };
    this.#sparks.rx.paint({ fg: this.#chartColours.rx, bg: this.#background });
    this.#sparks.tx.paint({ fg: this.#chartColours.tx, bg: this.#background });
  }

  /** Fills the widgets with a frame. @returns whether the terminal has to be drawn */
  show(frame: Frame): boolean {
    const attributes = this.#attributes;
    if (attributes === null) return false;
    let changed = this.#dressed;
    this.#dressed = false;
    const fill = (box: LineBox, pane: Pane | null | undefined): void => {
      if (pane === null || pane === undefined || pane.lines.length === 0) {
        if (box.hide()) changed = true;
        return;
      }
      if (box.place(pane.rect)) changed = true;
      if (box.show(pane.lines, attributes)) changed = true;
    };
    fill(this.#backdrop, frame.message ?? this.#ground());
    fill(this.#header, frame.header);
    fill(this.#footer, frame.footer);
    for (const [index, box] of this.#tables.entries()) fill(box, frame.tables[index] ?? frame.historyTables[index]);
    for (const [index, box] of this.#parts.entries()) fill(box, frame.parts[index]);
    fill(this.#chart, frame.chart);
    for (const direction of ['rx', 'tx'] as const) {
      const model = frame.sparks.find((one) => one.direction === direction);
      const chart = this.#sparks[direction];
      if (model === undefined) {
        if (chart.hide()) changed = true;
        continue;
      }
      if (chart.place(model.rect)) changed = true;
      if (chart.show(model, this.#chartColours[direction])) changed = true;
    }
    fill(this.#popup, frame.popup);
    return changed;
  }

  /** The background under everything, for themes that have one. Other themes are spared comparing each cell twice. */
  #ground(): Pane | null {
    if (this.#background < 0) return null;
    const rect = { left: 0, top: 0, width: this.#screen.width as number, height: this.#screen.height as number };
    return { rect, lines: [[{ text: ' ', role: 'text' }]] };
  }
}
