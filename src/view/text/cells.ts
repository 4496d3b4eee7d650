// Text in terminal cells: made safe, measured, cut, wrapped, and small charts as text. Characters whose width terminals disagree about (emoji,
// joiners, combining runs, newly assigned wide ones) are replaced: a hostile name never shifts a column.

import stringWidth from 'string-width';
import { sanitize } from '../../net/text.ts';
import { type Glyphs, UNICODE_GLYPHS } from './glyphs.ts';
import { METER, type Span, span } from './span.ts';

/** Printable ASCII: one cell a character, everywhere. */
const ASCII = /^[\x20-\x7e]*$/;
/** Letters and signs that take one cell, unless string-width, blessed's table of 2015 or a terminal says otherwise. */
const NARROW = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]$/u;
const COMBINING = /^\p{M}$/u;
/** Emoji, also where Unicode calls them narrow: terminals draw half of them two cells wide. */
const PICTURE = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}]$/u;
/** Wide since Unicode 5, so that string-width, blessed and every terminal agree on two cells: kana, CJK, Hangul, full-width forms. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x3000, 0x3029],
  [0x3041, 0x3096],
  [0x309b, 0x30ff],
  [0x3105, 0x312c],
  [0x3131, 0x318e],
  [0x3190, 0x31b7],
  [0x31f0, 0x321e],
  [0x3220, 0x3243],
  [0x3251, 0x32fe],
  [0x3300, 0x4db5],
  [0x4e00, 0x9fc3],
  [0xac00, 0xd7a3],
  [0xf900, 0xfa6d],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
];
/** Where blessed's table says two cells, whatever the character is (unicode.js, charWidth). */
const WIDE_IN_BLESSED: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
];

const CLASS = { unknown: 0, narrow: 1, wide: 2, combining: 3, refused: 4 } as const;
const classes = new Uint8Array(0x10000);
// Our own signs are known: the first call of string-width and of Unicode properties takes 30 ms, which the first frame would pay.
for (const sign of Object.values(UNICODE_GLYPHS).flat()) if (typeof sign === 'string') classes[sign.charCodeAt(0)] = CLASS.narrow;
classes.fill(CLASS.narrow, 0x2800, 0x2900); // braille, which charts are drawn in

function within(ranges: readonly (readonly [number, number])[], point: number): boolean {
  return ranges.some(([from, to]) => point >= from && point <= to);
}

/** One cell, and beside a letter or a syllable still one: Thai and Lao vowels and Hangul's final letters join what stands before them. */
function standsAlone(char: string): boolean {
  return stringWidth(char) === 1 && stringWidth(`a${char}a`) === 3 && stringWidth(`각${char}`) === 3;
}

function classOf(point: number): number {
  if (point > 0xffff) return CLASS.refused;
  const known = classes[point] as number;
  if (known !== CLASS.unknown) return known;
  const char = String.fromCodePoint(point);
  let found: number = CLASS.refused;
  if (COMBINING.test(char)) found = CLASS.combining;
  else if (PICTURE.test(char) && point > 0xff) found = CLASS.refused;
  else if (within(WIDE, point) && stringWidth(char) === 2) found = CLASS.wide;
  else if (NARROW.test(char) && standsAlone(char) && !within(WIDE_IN_BLESSED, point)) found = CLASS.narrow;
  classes[point] = found;
  return found;
}

/** Cells in which nothing is cut. */
export const WHOLE = 512;

/**
 * Makes outside text safe to draw: sanitised, composed (NFC), combining runs as one `·`, everything of doubtful width as `?`.
 *
 * With ASCII glyphs nothing above 0x7e is left.
 */
export function drawable(text: string, glyphs: Glyphs): string {
  if (ASCII.test(text) && text.length <= 512) return text;
  const safe = sanitize(text).normalize('NFC');
  if (ASCII.test(safe)) return safe;
  let out = '';
  let inRun = false;
  for (const char of safe) {
    const point = char.codePointAt(0) as number;
    const kind = point < 0x7f ? CLASS.narrow : classOf(point);
    if (kind === CLASS.combining) {
      if (!inRun) out += glyphs.combined;
      inRun = true;
      continue;
    }
    inRun = false;
    out += (kind === CLASS.narrow || kind === CLASS.wide) && (point < 0x7f || !glyphs.ascii) ? char : '?';
  }
  return out;
}

/** Cells that drawable text takes. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text)
    width += (char.codePointAt(0) as number) > 0xff && classOf(char.codePointAt(0) as number) === CLASS.wide ? 2 : 1;
  return width;
}

/** Which end is kept when text is too long: a host keeps its end, where the registered domain is. */
export type Cut = 'end' | 'start';

/** Cuts drawable text to at most `width` cells, with an ellipsis where something is missing. */
export function cut(text: string, width: number, glyphs: Glyphs, side: Cut = 'end'): string {
  if (width <= 0) return '';
  if (displayWidth(text) <= width) return text;
  const room = width - 1;
  if (ASCII.test(text))
    return side === 'end' ? text.slice(0, room) + glyphs.ellipsis : glyphs.ellipsis + text.slice(text.length - room);
  const chars = [...text];
  let used = 0;
  let kept = '';
  if (side === 'start') chars.reverse();
  for (const char of chars) {
    const cells = displayWidth(char);
    if (used + cells > room) break;
    used += cells;
    kept = side === 'end' ? kept + char : char + kept;
  }
  return side === 'end' ? kept + glyphs.ellipsis : glyphs.ellipsis + kept;
}

/** Cuts or pads drawable text to exactly `width` cells. */
export function fitText(
  text: string,
  width: number,
  glyphs: Glyphs,
  align: 'left' | 'right' = 'left',
  side: Cut = 'end',
): string {
  if (width <= 0) return '';
  const short = cut(text, width, glyphs, side);
  const missing = width - displayWidth(short);
  if (missing <= 0) return short;
  return align === 'left' ? short + ' '.repeat(missing) : ' '.repeat(missing) + short;
}

/** Wraps text at exactly `width` cells, for paths. */
export function wrapCells(text: string, width: number): string[] {
  const out: string[] = [];
  let line = '';
  let cells = 0;
  for (const char of text) {
    const more = displayWidth(char);
    if (cells + more > width) {
      out.push(line);
      line = '';
      cells = 0;
    }
    line += char;
    cells += more;
  }
  if (line !== '') out.push(line);
  return out;
}

/** Wraps text between words; a word wider than a line is cut by cells. What leads the first line in stays. */
export function wrapWords(text: string, width: number): string[] {
  const out: string[] = [];
  let line: string | null = null;
  for (const word of text.split(' ')) {
    const longer: string = line === null ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== null) out.push(line.trimEnd());
    const pieces = wrapCells(word, width);
    line = pieces.pop() ?? null;
    out.push(...pieces);
  }
  if (line !== null && line !== '') out.push(line);
  return out;
}

/** Seconds that a sparkline shows, whatever its width. */
const SPAN_SECONDS = 60;

/**
 * The last minute as levels, oldest first, scaled from 0 to the highest cell. Each cell is the mean of an equal range.
 *
 * Ranges are aligned to the clock: from one second to the next only the last cell changes, and all move on when its range is full. Shorter series are padded on the left; anything above zero is at least one level above the floor.
 *
 * @param values one a second, the newest last
 * @param now time of the newest, epoch ms
 * @param full what the highest level stands for where that is known; 0 scales to the highest cell
 */
export function sparkText(values: readonly number[], width: number, now: number, glyphs: Glyphs, full = 0): string {
  if (width <= 0) return '';
  const range = Math.max(1, Math.ceil(SPAN_SECONDS / width));
  const second = Math.floor(now / 1000);
  const cells: number[] = [];
  let end = values.length;
  let size = (((second % range) + range) % range) + 1;
  while (end > 0 && cells.length < width) {
    const from = Math.max(0, end - size);
    let sum = 0;
    for (let i = from; i < end; i++) sum += values[i] as number;
    cells.push(sum / (end - from));
    end = from;
    size = range;
  }
  let max = full;
  for (const value of cells) if (value > max) max = value;
  let out = ' '.repeat(width - cells.length);
  const top = glyphs.levels.length - 1;
  for (const value of cells.reverse()) {
    const level = max > 0 && value > 0 ? Math.max(1, Math.round((value / max) * top)) : 0;
    out += glyphs.levels[level] as string;
  }
  return out;
}

/** A bar of `width` cells, `share` of it full. Anything above zero shows at least one cell. */
export function barText(share: number, width: number, glyphs: Glyphs): { full: string; empty: string } {
  const bounded = Math.min(1, Math.max(0, share));
  const cells = bounded > 0 ? Math.max(1, Math.round(bounded * width)) : 0;
  return { full: glyphs.bar.repeat(cells), empty: glyphs.barEmpty.repeat(width - cells) };
}

/** The same bar in the colours of a meter: each cell has that of its place, whatever the share. */
export function meterOf(share: number, width: number, glyphs: Glyphs): readonly Span[] {
  const { full, empty } = barText(share, width, glyphs);
  const out: Span[] = [];
  for (const [step, role] of METER.entries()) {
    const from = Math.ceil((step * width) / METER.length);
    const to = Math.ceil(((step + 1) * width) / METER.length);
    const text = full.slice(from, to);
    if (text !== '') out.push(span(text, role));
  }
  if (empty !== '') out.push(span(empty, 'border'));
  return out;
}
