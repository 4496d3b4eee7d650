import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sanitize } from '../../../src/net/text.ts';

test.each([
  ['plain', 'plain'],
  ['Größe 東京 👍🏽', 'Größe 東京 👍🏽'],
  ['a\x1b[31mb', 'a[31mb'],
  ['a\r\n\tb\0', 'ab'],
  ['a\x9b31mb\x7f', 'a31mb'],
  ['\u202egnp.exe', 'gnp.exe'],
  ['a\u2066b\u2069c\u200e', 'abc'],
  ['zero\u200bwidth\ufeff', 'zerowidth'],
  ['a\u2028b\u2029c', 'abc'],
  ['\u{e0041}x', 'x'],
  ['\ud800x\udc00', 'x'],
])('%j becomes %j', (text, clean) => expect(sanitize(text)).toBe(clean));

test('is short, stable and free of controls whatever comes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
      const clean = sanitize(text);
      expect(clean.length).toBeLessThanOrEqual(512);
      expect(sanitize(clean)).toBe(clean);
      expect(clean).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});
