import { expect, test } from 'vitest';
import { compilePattern } from '../../../src/filter/matcher.ts';

test.each([
  ['abc', 'xxABCxx', true],
  ['^abc', 'xabc', false],
  ['abc$', 'abcx', false],
  ['^$', '', true],
  ['a.c', 'a-c', true],
  ['a\\.c', 'a-c', false],
  ['[a-c]+z', 'xbcaz', true],
  ['[^a-c]', 'abc', false],
  ['[A-C]', 'b', true],
  ['[\\d-]x', '-x', true],
  ['[]a]', 'a', false],
  ['\\d{3}', '12', false],
  ['^\\d{2,3}$', '1234', false],
  ['^(ab){2}$', 'abab', true],
  ['^(?:a|bc)*$', 'abcbca', true],
  ['a{,2}', 'a{,2}', true],
  ['\\bfoo\\b', 'a foo b', true],
  ['\\bfoo\\b', 'afoo', false],
  ['\\Boo', 'foo', true],
  ['^\\w+@\\w+\\.\\w+$', 'me@example.com', true],
  ['\\x41\\u0062', 'ab', true],
  ['(a*)*b', 'aaab', true],
  ['(^a|b$)+', 'xb', true],
  ['ÄÖ', 'äö', true],
  ['^.$', '\u{1f600}', true],
  ['|a', '', true],
])('%s on %s', (pattern, text, expected) => expect(compilePattern(pattern)(text)).toBe(expected));

test.each([
  '(',
  ')',
  '[a',
  '*',
  '^*',
  'a\\',
  '(?<n>a)',
  '(?<=a)',
  '\\1',
  '\\k<a>',
  '\\p{L}',
  '[b-a]',
  '[\\D]',
  'a{2,1}',
  'a{200}',
  '(a{100}){100}',
  `${'('.repeat(30)}`,
])('%s is refused', (pattern) =>
  expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ column: expect.any(Number) })),
);

test('patterns that hang a backtracking engine take a bounded number of steps', () => {
  for (const pattern of ['(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)(.*)(.*)(.*)(.*)(.*)x$'])
    expect(compilePattern(pattern)(`${'a'.repeat(255)}!`)).toBe(false);
});

test('repeats of nothing are refused where they would multiply', () => {
  expect(() => compilePattern(`${'('.repeat(10)}${'){100}'.repeat(10)}`)).toThrow('too large');
});

test('only the first 256 characters of a text are looked at', () => {
  expect(compilePattern('b')(`${'a'.repeat(255)}b`)).toBe(true);
  expect(compilePattern('b')(`${'a'.repeat(256)}b`)).toBe(false);
});
