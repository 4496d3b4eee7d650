// Outside text in cells: nothing that terminals disagree about gets through, and what is fitted is exactly as wide as it should be.

import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { cut, displayWidth, drawable, fitText } from '../../../../src/view/text/cells.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';

describe('drawable', () => {
  test.each([
    ['plain name', 'plain name'],
    ['\x1b[31mred\x07', '[31mred'],
    ['日本語', '日本語'],
    ['e\u0301te\u0301', 'été'],
    ['z\u0351\u0352\u0353x', 'z·x'],
    ['👩‍👩‍👧 a', '??? a'],
    ['⌚⚠️☀', '???'],
    ['\u202Eabc', 'abc'],
    ['a\u200Bb', 'ab'],
    ['\ue0b0\ufffd', '?\ufffd'],
    ['𠀀', '?'],
    ['שלום', 'שלום'],
  ])('%j is drawn as %j', (text, drawn) => {
    expect(drawable(text, UNICODE_GLYPHS)).toBe(drawn);
  });

  test('with ASCII glyphs nothing is above 0x7e', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => /^[\x20-\x7e]*$/.test(drawable(text, ASCII_GLYPHS))),
    );
  });

  test('what joins its neighbour is no cell of its own', () => {
    for (const joining of ['\u0e33', '\u0eb3', '\u0d4e', '\u11a8'])
      for (const before of ['a', 'か', '각', 'ก']) {
        const drawn = drawable(`${before}${joining}b`, UNICODE_GLYPHS);
        expect(displayWidth(drawn), JSON.stringify(drawn)).toBe(stringWidth(drawn));
      }
  });

  test('its width is what string-width says, for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 60 })),
        (text) => {
          const drawn = drawable(text, UNICODE_GLYPHS);
          expect(displayWidth(drawn)).toBe(stringWidth(drawn));
          expect(drawn).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
        },
      ),
    );
  });
});

test('our own signs are what is taken for granted of them: one cell, and no picture', () => {
  const signs = Object.values(UNICODE_GLYPHS)
    .flat()
    .filter((sign) => typeof sign === 'string');
  expect(signs.filter((sign) => sign.length !== 1 || stringWidth(sign) !== 1)).toEqual([]);
  expect(signs.filter((sign) => !/^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]$/u.test(sign))).toEqual([]);
  expect(signs.filter((sign) => sign > '\xff' && /\p{Extended_Pictographic}/u.test(sign))).toEqual([]);
});

describe('fitText', () => {
  test('is exactly as wide as asked, on both sides and both ends', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('日本語のアプリ', '한국어', 'mixed 日本 text')),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('left', 'right'),
        fc.constantFrom('end', 'start'),
        (text, width, align, side) => {
          const fitted = fitText(drawable(text, UNICODE_GLYPHS), width, UNICODE_GLYPHS, align, side);
          expect(displayWidth(fitted)).toBe(width);
        },
      ),
    );
  });

  test('cuts where it is told', () => {
    expect(cut('cdn.assets.example.com', 12, UNICODE_GLYPHS, 'start')).toBe('…example.com');
    expect(cut('cdn.assets.example.com', 12, ASCII_GLYPHS)).toBe('cdn.assets.~');
    expect(cut('日本語', 4, UNICODE_GLYPHS)).toBe('日…');
    expect(cut('日本語', 6, UNICODE_GLYPHS)).toBe('日本語');
    expect(cut('abc', 0, UNICODE_GLYPHS)).toBe('');
    expect(fitText('日本語', 4, UNICODE_GLYPHS)).toBe('日… ');
  });
});
