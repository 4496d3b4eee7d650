// Text on more than one line: by cells, as paths need it, or between words, as sentences do.

import { displayWidth } from './cells.ts';

/** Cut after as many cells as there are, wherever that is. */
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

/** Cut between words; a word wider than a line is cut by cells. */
export function wrapWords(text: string, width: number): string[] {
  const out: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') out.push(line);
    const pieces = wrapCells(word, width);
    line = pieces.pop() ?? '';
    out.push(...pieces);
  }
  if (line !== '') out.push(line);
  return out;
}
