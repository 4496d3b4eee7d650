// A terminal's screen as an SVG picture: runs of cells of one look as one text, so that it stays small and letters stand in their cells.

import type xterm from '@xterm/headless';
import { displayWidth } from '../../src/view/text/cells.ts';
import { tableColour } from '../../src/view/text/colours.ts';

/** A cell of the screen, pixels. */
export const CELL = { width: 8, height: 17 };
/** From the top of a cell to where its letters stand. */
export const BASELINE = 13;
/** Around the screen. */
export const MARGIN = 10;
/** A dot of braille, and from one to the next. */
const DOT = { width: 3, height: 3.25 };
const DOT_STEP = 4;

/** Colours of the terminal itself, 0xRRGGBB. */
export interface Ground {
  readonly fg: number;
  readonly bg: number;
}

interface Look {
  readonly fg: number;
  readonly bg: number;
  readonly bold: boolean;
  readonly underline: boolean;
}

interface Run extends Look {
  readonly from: number;
  cells: number;
  text: string;
}

/** The colours of a picture as classes of CSS: each is written once. */
export class Palette {
  readonly #names = new Map<number, string>();

  /** The class of a colour, 0xRRGGBB. */
  name(colour: number): string {
    const known = this.#names.get(colour);
    if (known !== undefined) return known;
    const name = `c${this.#names.size.toString(36)}`;
    this.#names.set(colour, name);
    return name;
  }

  css(): string {
    const fills = [...this.#names].map(([colour, name]) => `.${name}{color:${hex(colour)}}`).join('');
    const dots = `.d{fill:none;stroke:currentColor;stroke-width:${DOT.height};stroke-dasharray:${DOT.width} ${DOT_STEP - DOT.width}}`;
    return `text,path,rect[class]{fill:currentColor}${fills}.b{font-weight:bold}.u{text-decoration:underline}${dots}`;
  }
}

/** Draws the screen. Numbers of the 256-colour table from 16 on are known; a theme in 24 bits uses no others. */
export function screenSvg(terminal: InstanceType<typeof xterm.Terminal>, ground: Ground, title: string): string {
  const palette = new Palette();
  const rows = rowsOf(terminal, ground, palette).map((row, y) => placed(y, row));
  return picture(terminal, ground, title, palette.css(), rows, 0);
}

/** A whole picture. @param rows what is drawn; @param below pixels under the last row */
export function picture(
  { cols, rows: count }: { readonly cols: number; readonly rows: number },
  ground: Ground,
  title: string,
  css: string,
  rows: readonly string[],
  below: number,
): string {
  const width = cols * CELL.width + 2 * MARGIN;
  const height = count * CELL.height + 2 * MARGIN + below;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${css}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${hex(ground.bg)}"/>`,
    `<g font-family="ui-monospace,Menlo,'DejaVu Sans Mono',Consolas,monospace" font-size="13.29" xml:space="preserve">`,
    ...rows.filter((row) => row !== ''),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** A row at its place on the screen. */
export function placed(y: number, row: string): string {
  return row === '' ? '' : `<g transform="translate(${MARGIN} ${MARGIN + y * CELL.height})">${row}</g>`;
}

/** What each row of the screen shows, drawn at the top left. */
export function rowsOf(terminal: InstanceType<typeof xterm.Terminal>, ground: Ground, palette: Palette): readonly string[] {
  return Array.from({ length: terminal.rows }, (_, y) =>
    runsOf(terminal, y, ground)
      .flatMap((run) => drawn(run, ground, palette))
      .join(''),
  );
}

function runsOf(terminal: InstanceType<typeof xterm.Terminal>, y: number, ground: Ground): readonly Run[] {
  const { active } = terminal.buffer;
  const line = active.getLine(active.baseY + y);
  const runs: Run[] = [];
  for (let x = 0; x < terminal.cols; x++) {
    const cell = line?.getCell(x);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const fg = cell.isFgDefault() ? ground.fg : cell.isFgPalette() ? tableColour(cell.getFgColor()) : cell.getFgColor();
    const bg = cell.isBgDefault() ? ground.bg : cell.isBgPalette() ? tableColour(cell.getBgColor()) : cell.getBgColor();
    const isReversed = cell.isInverse() !== 0;
    const look: Look = {
      fg: isReversed ? bg : fg,
      bg: isReversed ? fg : bg,
      bold: cell.isBold() !== 0,
      underline: cell.isUnderline() !== 0,
    };
    const last = runs.at(-1);
    const text = cell.getChars() || ' ';
    const same = last !== undefined && last.bg === look.bg && last.underline === look.underline;
    if (same && ((last.fg === look.fg && last.bold === look.bold) || (text === ' ' && !look.underline))) {
      last.cells += cell.getWidth();
      last.text += text;
    } else runs.push({ ...look, from: x, cells: cell.getWidth(), text });
  }
  return runs;
}

function drawn({ from, cells, text, fg, bg, bold, underline }: Run, ground: Ground, palette: Palette): readonly string[] {
  const out: string[] = [];
  if (bg !== ground.bg) {
    const box = `x="${from * CELL.width}" width="${cells * CELL.width}" height="${CELL.height}"`;
    out.push(`<rect ${box} class="${palette.name(bg)}"/>`);
  }
  let shapes = '';
  const dots: number[][] = [[], [], [], []];
  let at = from;
  // Words by themselves, so that no font's width moves what stands behind them; lines, blocks and braille as shapes, which fonts draw badly.
  for (const part of text.split(/([^ ─│┌┐└┘■▌▁-█▀⠀-⣿]+)/)) {
    if (part === '') continue;
    if (/^[ ─│┌┐└┘■▌▁-█▀⠀-⣿]/.test(part)) {
      for (const sign of part) {
        shapes += shapeOf(sign, at * CELL.width);
        for (const [column, row] of dotsOf(sign)) dots[row]?.push(2 * at + column);
        at++;
      }
      continue;
    }
    const count = displayWidth(part);
    const looks = `${palette.name(fg)}${bold ? ' b' : ''}${underline ? ' u' : ''}`;
    out.push(
      `<text x="${at * CELL.width}" y="${BASELINE}" textLength="${count * CELL.width}" class="${looks}">${escaped(part)}</text>`,
    );
    at += count;
  }
  if (shapes !== '') out.push(`<path d="${joinedBoxes(shapes)}" class="${palette.name(fg)}"/>`);
  const lines = dots.map((columns, row) => dotted(columns, row)).join('');
  if (lines !== '') out.push(`<path d="${lines}" class="d ${palette.name(fg)}"/>`);
  return out;
}

/** Where a braille sign has dots; none in any other. */
function dotsOf(sign: string): readonly (readonly [column: number, row: number])[] {
  const point = sign.codePointAt(0) as number;
  if (point < 0x2800 || point > 0x28ff) return [];
  return [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80].flatMap((bit, i) =>
    (point & bit) === 0 ? [] : [[Math.floor(i / 4), i % 4] as const],
  );
}

/** Dots side by side as one line, which is drawn in dashes. @param columns in order */
function dotted(columns: readonly number[], row: number): string {
  let path = '';
  for (const [i, column] of columns.entries()) {
    if (columns[i - 1] === column - 1) continue;
    let last = i;
    while (columns[last + 1] === (columns[last] as number) + 1) last++;
    const y = 0.5 + row * 4.25 + DOT.height / 2;
    path += `M${column * DOT_STEP + 0.5} ${y}H${(columns[last] as number) * DOT_STEP + 0.5 + DOT.width}`;
  }
  return path;
}

/** Boxes of one height that touch become one. */
function joinedBoxes(shapes: string): string {
  let path = shapes;
  for (let before = ''; before !== path; ) {
    before = path;
    path = path.replace(/M(\d+) (\S+?)h(\d+)v(\S+?)h-\d+zM(\d+) \2h(\d+)v\4h-\d+z/g, (all, x, y, width, height, next, more) =>
      Number(x) + Number(width) === Number(next)
        ? `M${x} ${y}h${Number(width) + Number(more)}v${height}h-${Number(width) + Number(more)}z`
        : all,
    );
  }
  return path;
}

/** A sign as rectangles in its cell; nothing for a blank. */
function shapeOf(sign: string, x: number): string {
  const { width, height } = CELL;
  const middle = { x: width / 2, y: Math.floor(height / 2) };
  const box = (left: number, top: number, wide: number, high: number) => `M${x + left} ${top}h${wide}v${high}h${-wide}z`;
  const point = sign.codePointAt(0) as number;
  if (point >= 0x2581 && point <= 0x2588) {
    const high = Math.round(((point - 0x2580) * height) / 8);
    return box(0, height - high, width, high);
  }
  const right = box(middle.x, middle.y, width - middle.x, 1);
  const left = box(0, middle.y, middle.x + 1, 1);
  const down = box(middle.x, middle.y, 1, height - middle.y);
  const up = box(middle.x, 0, 1, middle.y + 1);
  const shapes: Readonly<Record<string, string>> = {
    '─': box(0, middle.y, width, 1),
    '│': box(middle.x, 0, 1, height),
    '┌': right + down,
    '┐': left + down,
    '└': right + up,
    '┘': left + up,
    '■': box(1, 5, width - 1.5, 8),
    '▌': box(0, 0, width / 2, height),
    '▀': box(0, 0, width, height / 2),
  };
  return shapes[sign] ?? '';
}

function hex(colour: number): string {
  return `#${colour.toString(16).padStart(6, '0')}`;
}

/** Text within an element or an attribute. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
