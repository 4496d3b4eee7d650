import { describe, expect, test } from 'vitest';
import { compilePattern } from '../../../src/filter/pattern.ts';

test.each([
  ['abc', 'xxABCxx', true],
  ['^abc', 'xabc', false],
  ['abc$', 'abcx', false],
  ['^$', '', true],
  ['a.c', 'a-c', true],
  ['^a.c$', 'a\nc', true],
  ['a\\.c', 'a-c', false],
  ['[a-c]+z', 'xbcaz', true],
  ['[^a-c]', 'abc', false],
  ['[A-C]', 'b', true],
  ['[\\d-]x', '-x', true],
  ['\\d{3}', '12', false],
  ['^\\d{2,3}$', '1234', false],
  ['^(ab){2}$', 'abab', true],
  ['^(?:a|bc)*$', 'abcbca', true],
  ['a{,2}', 'a{,2}', true],
  ['\\bfoo\\b', 'a foo b', true],
  ['\\bfoo\\b', 'afoo', false],
  ['\\Boo', 'foo', true],
  ['^\\w+@\\w+\\.\\w+$', 'me@example.com', true],
  ['\\x41\\x{62}', 'ab', true],
  ['\\/', 'a/b', true],
  ['(a*)*b', 'aaab', true],
  ['(^a|b$)+', 'xb', true],
  ['ÄÖ', 'äö', true],
  ['[à-ü]', 'É', true],
  ['^.$', '\u{1f600}', true],
  ['|a', '', true],
  ['^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$', 'fd00:1:2:3:4:5:6:7', true],
  ['[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', true],
])('%s on %s', (pattern, text, expected) => expect(compilePattern(pattern)(text)).toBe(expected));

describe('what is refused, and where', () => {
  test.each([
    ['(', 1, 'missing closing )'],
    ['a(b', 3, 'missing closing )'],
    ['a)b', 3, 'unexpected )'],
    ['x[a', 1, 'missing closing ]'],
    ['*', 0, 'missing argument to repetition operator'],
    ['ab**', 2, 'invalid nested repetition operator'],
    ['a\\', 2, 'trailing backslash at end of expression'],
    ['a(?<=b)', 1, 'looking ahead or behind is not supported'],
    ['a(?=b)', 1, 'looking ahead or behind is not supported'],
    ['(a)\\1', 3, 'backreferences are not supported'],
    ['\\k<a>', 0, 'backreferences are not supported'],
    ['a\\p{L}', 1, 'invalid escape sequence'],
    ['[b-a]', 1, 'invalid character class range'],
    ['a{2,1}', 1, 'invalid repeat count'],
    ['ab{200}', 2, 'a repeat counts to 100 at most'],
    ['((((a{9}){9}){9}){9})', 0, 'this regular expression is too large'],
    ['(a{1000}){1000}', 2, 'a repeat counts to 100 at most'],
    ['(a{100}){100}', 0, 'this regular expression is too large'],
    ['(a{100})\\Q\\E{100}', 0, 'this regular expression is too large'],
    [`${'('.repeat(10)}${'){100}'.repeat(10)}`, 0, 'this regular expression is too large'],
    ['(a|b)'.repeat(300), 0, 'this regular expression is too large'],
    [`[${'A-\u{1e900}'.repeat(20)}]`, 0, 'this regular expression is too large'],
    ['[A-\\x{1e900}]'.repeat(20), 0, 'this regular expression is too large'],
  ])('%s', (pattern, column, message) =>
    expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ column, message })),
  );
});

test('patterns that hang a backtracking engine come to an end', () => {
  for (const pattern of ['(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)(.*)(.*)(.*)(.*)(.*)x$'])
    expect(compilePattern(pattern)(`${'a'.repeat(255)}!`)).toBe(false);
});

test('groups nested as deeply as a pattern can be long are fine', () => {
  expect(compilePattern(`${'('.repeat(450)}a${')'.repeat(450)}`)('a')).toBe(true);
});

test('only the first 256 characters of a text are looked at', () => {
  expect(compilePattern('b')(`${'a'.repeat(255)}b`)).toBe(true);
  expect(compilePattern('b')(`${'a'.repeat(256)}b`)).toBe(false);
});
