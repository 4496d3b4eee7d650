// Text in cells: what each cell of the screen gets of a span.

import blessed from 'blessed';
import { describe, expect, test } from 'vitest';
import { cellsOf } from '../../../src/tui/cells.ts';

const ALL = { hasWide: true, hasCombining: true };
const { charWidth } = (blessed as unknown as { unicode: { charWidth(point: number): number } }).unicode;

describe('text in cells', () => {
  test('a character of two cells is followed by the mark of its second', () => {
    expect(Array.from(cellsOf('a한𠮷b', ALL))).toEqual(['a', '한', '\x03', '𠮷', '\x03', 'b']);
  });

  test('a mark shares the cell of its letter, or is left out', () => {
    expect(Array.from(cellsOf('e\u0301x', ALL))).toEqual(['e\u0301', 'x']);
    expect(Array.from(cellsOf('e\u0301x', { hasWide: true, hasCombining: false }))).toEqual(['e', 'x']);
  });

  test('a terminal without Unicode gets a question mark for each cell', () => {
    expect(Array.from(cellsOf('한b', { hasWide: false, hasCombining: false }))).toEqual(['?', '?', 'b']);
  });

  test('no character takes more or fewer cells than blessed draws, and no control character gets through', () => {
    for (let code = 0; code < 0x10000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
      const cells = cellsOf(`.${String.fromCharCode(code)}`, ALL);
      if (cells.length !== (isControl ? 1 : 1 + charWidth(code))) expect.fail(`U+${code.toString(16)}`);
    }
  });
});
