// A terminal's screen as an SVG picture: runs of cells of one look as one text, so that it stays small and letters stand in their cells.

import type xterm from '@xterm/headless';
import { displayWidth } from '../../src/view/text/cells.ts';
import { tableColour } from '../../src/view/text/colours.ts';

const CELL = { width: 8, height: 17 };
const BASELINE = 13;
const MARGIN = 10;

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

/** Draws the screen. Numbers of the 256-colour table from 16 on are known; a theme in 24 bits uses no others. */
export function screenSvg(terminal: InstanceType<typeof xterm.Terminal>, ground: Ground, title: string): string {
  const width = terminal.cols * CELL.width + 2 * MARGIN;
  const height = terminal.rows * CELL.height + 2 * MARGIN;
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${hex(ground.bg)}"/>`,
    `<g font-family="ui-monospace,Menlo,'DejaVu Sans Mono',Consolas,monospace" font-size="13.29" xml:space="preserve">`,
  ];
  for (let y = 0; y < terminal.rows; y++) for (const run of runsOf(terminal, y, ground)) out.push(...drawn(run, y, ground));
  out.push('</g>', '</svg>', '');
  return out.join('\n');
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

function drawn({ from, cells, text, fg, bg, bold, underline }: Run, y: number, ground: Ground): readonly string[] {
  const out: string[] = [];
  const top = MARGIN + y * CELL.height;
  const box = (x: number, count: number) =>
    `x="${MARGIN + x * CELL.width}" y="${top}" width="${count * CELL.width}" height="${CELL.height}"`;
  if (bg !== ground.bg) out.push(`<rect ${box(from, cells)} fill="${hex(bg)}"/>`);
  const looks = `${bold ? ' font-weight="bold"' : ''}${underline ? ' text-decoration="underline"' : ''}`;
  let shapes = '';
  let at = from;
  // Words by themselves, so that no font's width moves what stands behind them; lines, blocks and braille as shapes, which fonts draw badly.
  for (const part of text.split(/([^ ─│┌┐└┘■▌▁-█▀⠀-⣿]+)/)) {
    if (part === '') continue;
    if (/^[ ─│┌┐└┘■▌▁-█▀⠀-⣿]/.test(part)) {
      for (const sign of part) shapes += shapeOf(sign, MARGIN + at++ * CELL.width, top);
      continue;
    }
    const count = displayWidth(part);
    const place = `x="${MARGIN + at * CELL.width}" y="${top + BASELINE}" textLength="${count * CELL.width}"`;
    out.push(`<text ${place} lengthAdjust="spacingAndGlyphs" fill="${hex(fg)}"${looks}>${escaped(part)}</text>`);
    at += count;
  }
  if (shapes !== '') out.push(`<path d="${shapes}" fill="${hex(fg)}"/>`);
  return out;
}

/** A sign as rectangles in its cell; nothing for a blank. */
function shapeOf(sign: string, x: number, y: number): string {
  const { width, height } = CELL;
  const middle = { x: width / 2, y: Math.floor(height / 2) };
  const box = (left: number, top: number, wide: number, high: number) => `M${x + left} ${y + top}h${wide}v${high}h${-wide}z`;
  const point = sign.codePointAt(0) as number;
  if (point >= 0x2800) {
    const dots = [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80];
    return dots.map((bit, i) => ((point & bit) === 0 ? '' : box(i < 4 ? 0.5 : 4.5, 0.5 + (i % 4) * 4.25, 3, 3.25))).join('');
  }
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

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
