// Panes: rectangles of lines, most with a frame and a title. The frame is text like its content: titles, counts and ASCII are no special cases.

import { cut, displayWidth } from './text/cells.ts';
import type { Glyphs } from './text/glyphs.ts';
import { type Line, type Role, type Span, span } from './text/span.ts';

/** Cells, counted from the top left of the screen. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A rectangle and the lines that fill it exactly. */
export interface Pane {
  readonly rect: Rect;
  readonly lines: readonly Line[];
}

/** Fills a line up to exactly `width` cells, or cuts it there. */
export function fitLine(line: Line, width: number, glyphs: Glyphs, fill: Role = 'text'): Line {
  const out: Span[] = [];
  let left = width;
  for (const part of line) {
    if (left <= 0) break;
    const cells = displayWidth(part.text);
    if (cells <= left) {
      out.push(part);
      left -= cells;
      continue;
    }
    const short = cut(part.text, left, glyphs);
    out.push({ text: short, role: part.role });
    left -= displayWidth(short);
  }
  if (left > 0) out.push(span(' '.repeat(left), fill));
  return out;
}

/** A left part and a right part on one line; the right one is dropped when they don't both fit. */
export function spread(left: Line, right: Line, width: number, glyphs: Glyphs): Line {
  const leftCells = lineWidth(left);
  const rightCells = lineWidth(right);
  if (leftCells + 1 + rightCells > width) return fitLine(left, width, glyphs);
  return [...left, span(' '.repeat(width - leftCells - rightCells)), ...right];
}

/** Cells of a line. */
export function lineWidth(line: Line): number {
  let width = 0;
  for (const part of line) width += displayWidth(part.text);
  return width;
}

/** A part of a line; one with a lower rank is taken first. */
export interface FitPart {
  readonly rank: number;
  readonly line: Line;
}

/** Cells between two hints. */
export const HINT_GAP = 2;

/** The parts that fit, in their order; those with a lower `rank` are taken first. */
export function fitParts(parts: readonly FitPart[], width: number, gap: number): Line {
  const chosen = new Set<number>();
  let left = width;
  for (const index of parts.map((_, i) => i).sort((a, b) => (parts[a]?.rank ?? 0) - (parts[b]?.rank ?? 0))) {
    const cells = lineWidth(parts[index]?.line ?? []) + (chosen.size > 0 ? gap : 0);
    if (cells > left) continue;
    chosen.add(index);
    left -= cells;
  }
  const out: Span[] = [];
  for (const [index, part] of parts.entries()) {
    if (!chosen.has(index)) continue;
    if (out.length > 0) out.push(span(' '.repeat(gap)));
    out.push(...part.line);
  }
  return out;
}

/** Cells of a title with which it begins to say something. */
const LEAST_TITLE = 3;

/** Lines in a frame: exactly `rect.height` lines of exactly `rect.width` cells. The title stands in the upper border, the note at its right end. */
export function framed(
  rect: Rect,
  title: Line,
  note: Line,
  lines: readonly Line[],
  glyphs: Glyphs,
  focused: boolean,
): readonly Line[] {
  const border: Role = focused ? 'focus' : 'border';
  const inner = rect.width - 2;
  if (inner < 0 || rect.height < 2) return [];
  const room = inner - 2;
  const name = room < LEAST_TITLE ? [] : fitWithin([span(' '), ...title, span(' ')], room, glyphs);
  const after = lineWidth(name) + lineWidth(note) + 3 <= room && lineWidth(note) > 0 ? [span(' '), ...note, span(' ')] : [];
  const out: Line[] = [
    name.length === 0
      ? [span(glyphs.topLeft + glyphs.horizontal.repeat(inner) + glyphs.topRight, border)]
      : [
          span(glyphs.topLeft + glyphs.horizontal, border),
          ...name,
          span(glyphs.horizontal.repeat(room - lineWidth(name) - lineWidth(after)), border),
          ...after,
          span(glyphs.horizontal + glyphs.topRight, border),
        ],
  ];
  for (let i = 0; i < rect.height - 2; i++)
    out.push([span(glyphs.vertical, border), ...fitLine(lines[i] ?? [], inner, glyphs), span(glyphs.vertical, border)]);
  out.push([span(glyphs.bottomLeft + glyphs.horizontal.repeat(inner) + glyphs.bottomRight, border)]);
  return out;
}

/** A frame with hints in its lower border: as many as fit, those with a lower rank first. */
export function withHints(lines: readonly Line[], hints: readonly FitPart[], glyphs: Glyphs): readonly Line[] {
  const border = lines.at(-1);
  if (border === undefined) return lines;
  const inner = lineWidth(border) - 2;
  const fitted = fitParts(hints, inner - 4, HINT_GAP);
  if (fitted.length === 0) return lines;
  const role = border[0]?.role ?? 'border';
  const rule = glyphs.horizontal.repeat(inner - 3 - lineWidth(fitted));
  return [
    ...lines.slice(0, -1),
    [span(glyphs.bottomLeft + glyphs.horizontal, role), span(' '), ...fitted, span(' '), span(rule + glyphs.bottomRight, role)],
  ];
}

function fitWithin(line: Line, width: number, glyphs: Glyphs): Line {
  return lineWidth(line) <= width ? line : fitLine(line, Math.max(0, width), glyphs);
}
