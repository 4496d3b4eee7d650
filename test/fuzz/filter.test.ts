// Properties of the filter language: it never throws, means what a plain evaluator means, and its patterns agree with the engine's own.

import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { completions } from '../../src/filter/completions.ts';
import type { FilterSubject } from '../../src/filter/fields.ts';
import { FIELDS } from '../../src/filter/fields.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { compilePattern, PatternError } from '../../src/filter/pattern.ts';

const PIECES = [
  ...FIELDS.map((field) => field.name),
  ...[
    ':',
    '=',
    '!=',
    '~',
    '<',
    '<=',
    '>',
    '>=',
    '(',
    ')',
    '"',
    '\\',
    '/',
    '-',
    '!',
    ' ',
    ',',
    '||',
    '&&',
    '|',
    '&',
    ' or ',
    ' and ',
    'not ',
  ],
  ...['443', '10s', '1.5Mi', '10.0.0.0/8', 'fe80::1', '[a-z]+', '^a*$', 'curl', '\u{1f600}', '\ud800', '\0', 'é'],
];
const nearlyFilters = fc.array(fc.constantFrom(...PIECES), { maxLength: 20 }).map((pieces) => pieces.join(''));

const app = fc.constantFrom('curl', 'Google Chrome', 'kernel_task', 'a"b', 'not', '(x)', null);
const end = fc.record({
  address: fc.constantFrom('10.1.2.3', '192.168.1.1', 'fe80::1', '::1'),
  port: fc.constantFrom(22, 80, 443, 51_000),
});
const subjects: fc.Arbitrary<FilterSubject> = fc.record({
  app,
  host: fc.constantFrom('example.com', 'www.apple.com', null),
  local: end,
  remote: end,
  rxBytes: fc.constantFrom(0, 999, 1000, 1024, 5_000_000, null),
  firstSeen: fc.constantFrom(0, 50_000, 100_000),
});
const NOW = 100_000;

/** A term as its text and as the plain meaning of that text. */
interface Term {
  readonly text: string;
  readonly means: (subject: FilterSubject) => boolean;
}

const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
const contains = (text: string | null | undefined, part: string) => (text ?? '').toLowerCase().includes(part.toLowerCase());
const appNames = fc.constantFrom('curl', 'CHROME', 'a"b', 'not', '(x)', '\\');

const atoms: fc.Arbitrary<Term> = fc.oneof(
  appNames.map((name) => ({ text: `app:${quote(name)}`, means: (s: FilterSubject) => contains(s.app, name) })),
  appNames.map((name) => ({
    text: `process!=${quote(name)}`,
    means: (s: FilterSubject) => s.app?.toLowerCase() !== name.toLowerCase(),
  })),
  fc.constantFrom(22, 80, 443).map((port) => ({
    text: `port:${port}`,
    means: (s: FilterSubject) => s.local?.port === port || s.remote?.port === port,
  })),
  fc.constant({ text: 'rx>=1K', means: (s: FilterSubject) => typeof s.rxBytes === 'number' && s.rxBytes >= 1000 }),
  fc.constant({ text: 'rx!=1Ki', means: (s: FilterSubject) => s.rxBytes !== 1024 }),
  fc.constant({ text: 'age>10s', means: (s: FilterSubject) => NOW - (s.firstSeen as number) > 10_000 }),
  fc.constant({
    text: 'net:10.0.0.0/8',
    means: (s: FilterSubject) => [s.local, s.remote].some((e) => e?.address.startsWith('10.')),
  }),
  fc.constant({ text: 'host~^www', means: (s: FilterSubject) => (s.host ?? s.remote?.address ?? '').startsWith('www') }),
  fc.constant({ text: 'apple', means: (s: FilterSubject) => contains(s.app, 'apple') || contains(s.host, 'apple') }),
);

const terms = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    atoms,
    fc.tuple(fc.constantFrom('not ', '!', '-', 'NOT '), tie('term')).map(([sign, term]) => ({
      text: `${sign}(${term.text})`,
      means: (s: FilterSubject) => !term.means(s),
    })),
    fc.tuple(tie('term'), fc.constantFrom(' or ', '||', ' OR '), tie('term')).map(([a, join, b]) => ({
      text: `(${a.text}${join}${b.text})`,
      means: (s: FilterSubject) => a.means(s) || b.means(s),
    })),
    fc.tuple(tie('term'), fc.constantFrom(' and ', '&&', ' '), tie('term')).map(([a, join, b]) => ({
      text: `(${a.text}${join}${b.text})`,
      means: (s: FilterSubject) => a.means(s) && b.means(s),
    })),
  ),
})).term;

function answer(text: string, subject: FilterSubject): boolean {
  const result = compileFilter(text);
  if (!result.ok) throw new Error(`${text}: ${result.message} at ${result.column}`);
  return result.filter.matches(subject, NOW);
}

describe('the filter language', () => {
  test('never throws; an error lies within the text and has one line', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), nearlyFilters), subjects, (text, subject) => {
        const result = compileFilter(text);
        if (result.ok) expect(typeof result.filter.matches(subject, NOW)).toBe('boolean');
        else {
          expect(result.column).toBeGreaterThanOrEqual(0);
          expect(result.column).toBeLessThanOrEqual(text.length);
          expect(result.message).not.toBe('');
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('means what a plain evaluator means', () => {
    fc.assert(
      fc.property(terms, subjects, (term, subject) => {
        expect(answer(term.text, subject)).toBe(term.means(subject));
      }),
      { numRuns: 1000 },
    );
  });

  test('not not x is x, and x or not x is everything', () => {
    fc.assert(
      fc.property(terms, subjects, ({ text }, subject) => {
        expect(answer(`not not (${text})`, subject)).toBe(answer(text, subject));
        expect(answer(`(${text}) or -(${text})`, subject)).toBe(true);
        expect(answer(`(${text}) !(${text})`, subject)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('completions stay within the text', () => {
    fc.assert(
      fc.property(nearlyFilters, fc.integer({ min: -5, max: 80 }), (text, cursor) => {
        const { from, to } = completions(text, cursor);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeGreaterThanOrEqual(from);
        expect(to).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

const patterns = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(
      'a',
      'b',
      'B',
      '1',
      '.',
      '\\.',
      '^',
      '$',
      '\\d',
      '\\w',
      '\\W',
      '\\s',
      '\\b',
      '\\B',
      '[ab]',
      '[^a]',
      '[a-c1]',
      '[^\\d]',
      '\\x61',
      '',
    ),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,2}', '{2,}', '{0}'))
      .map(([a, sign]) => `(${a})${sign}`),
  ),
})).pattern;

test('patterns find what the engine finds', () => {
  fc.assert(
    fc.property(
      patterns,
      fc.array(fc.constantFrom('a', 'b', 'c', 'A', '1', '.', ' ', '_'), { maxLength: 8 }),
      (pattern, letters) => {
        const text = letters.join('');
        expect(compilePattern(pattern)(text)).toBe(new RegExp(pattern, 'iu').test(text));
      },
    ),
    { numRuns: 3000 },
  );
});

test('any text is a pattern or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 40 }), nearlyFilters),
      fc.string({ unit: 'binary', maxLength: 40 }),
      (pattern, text) => {
        try {
          expect(typeof compilePattern(pattern)(text)).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(PatternError);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

/** What patterns are made of, and what could hide a repeat, a bracket or a range from whoever only skims them. */
const SOUP = [
  ...[
    'a',
    '.',
    'é',
    '(',
    '(?:',
    '(?i)',
    ')',
    '|',
    '[',
    '[^',
    ']',
    '-',
    '[[:^alpha:]]',
    '\\W',
    '\\Q',
    '\\E',
    '\\',
    '\\b',
    '^',
    '$',
  ],
  ...['*', '+?', '?', '{2}', '{3,}', '{0,9}', '{99}', '){3}', '){0,9}', '){99}', '\\x{41}', '-\\x{1e900}', 'A-\u{1e900}'],
];
const soup = fc.array(fc.constantFrom(...SOUP), { minLength: 1, maxLength: 12 }).chain((pieces) =>
  fc.tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom('', ']', ')', '){9}', '{99}')).map(([times, end]) => {
    const unit = pieces.join('');
    return unit.repeat(times).slice(0, 1000) + end;
  }),
);

test('a pattern that is taken compiles to a small program', () => {
  const flags = RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL | RE2JS.DISABLE_UNICODE_GROUPS;
  let taken = 0;
  fc.assert(
    fc.property(soup, (pattern) => {
      try {
        compilePattern(pattern);
      } catch (error) {
        expect(error).toBeInstanceOf(PatternError);
        return;
      }
      taken++;
      expect(RE2JS.compile(pattern, flags).programSize()).toBeLessThanOrEqual(2100);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(30);
});
