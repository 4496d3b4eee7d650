import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { readConfig, tomlLines } from '../../../src/cli/config/config-file.ts';
import { FLAGS } from '../../../src/cli/config/settings.ts';
import { NetmonError } from '../../../src/model/errors.ts';

/** Runs it; anything but a NetmonError in plain characters is a bug. */
function expectPlain(run: () => unknown): void {
  try {
    run();
  } catch (thrown) {
    if (!(thrown instanceof NetmonError)) throw thrown;
    expect(`${thrown.message}${thrown.hint}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
}

const WORDS = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...FLAGS.map((flag) => `--${flag.name}`),
      '-i',
      '-r',
      '-f',
      '-n',
      '-nf',
      '-',
      '--',
      '=',
      '--=',
      '-i=',
      '--filter=',
      'interfaces',
      '__proto__',
    ),
    fc.string({ unit: 'binary' }),
  ),
  { maxLength: 6 },
);

const PIECES = [
  ...[
    'interval = "2s"',
    'units = "bits"',
    'interface = ["a", "b"]',
    '[keys]',
    '[history]',
    '[[keys]]',
    'path = "x"',
    'quit = [',
    '"q",',
    ']',
  ],
  ...[
    '"""',
    "'''",
    '"',
    "'",
    '\\',
    '#',
    '{',
    '}',
    '=',
    '.',
    ',',
    ' ',
    '\r\n',
    '\t',
    'a',
    '"b c"',
    '1',
    'true',
    '__proto__',
    'constructor',
    '\ufeff',
    '\u202e',
    '\u001b',
  ],
];
const TOML = fc
  .array(fc.tuple(fc.constantFrom(...PIECES), fc.constantFrom('', '\n')), { maxLength: 14 })
  .map((parts) => parts.flat().join(''));

describe('hostile input', () => {
  it('never makes the command line throw anything but a usage error', () => {
    fc.assert(
      fc.property(WORDS, (words) => expectPlain(() => parseCommandLine(words))),
      { numRuns: 2000 },
    );
  });

  it('never makes the configuration throw anything but a usage error', () => {
    fc.assert(
      fc.property(fc.oneof(TOML, fc.string({ unit: 'binary' })), (text) => expectPlain(() => readConfig('/c', text))),
      { numRuns: 2000 },
    );
  });

  it('finds a line for every key that the parser finds', () => {
    let found = 0;
    fc.assert(
      fc.property(TOML, (text) => {
        let keys: string[];
        try {
          keys = Object.keys(parse(text));
        } catch {
          return;
        }
        const lines = tomlLines(text);
        const rows = text.split('\n');
        for (const key of keys) {
          // written plainly, or behind escapes that the pieces above can't make
          expect(rows[lines.lineOf([key]) - 1]).toContain(key);
          found++;
        }
      }),
      { numRuns: 6000 },
    );
    expect(found).toBeGreaterThan(100);
  });
});

it.each([
  ['a header of 40,000 parts', `[${Array(40_000).fill('keys').join('.')}]\nx = 1\n`],
  ['a key of 40,000 parts', `${Array(40_000).fill('keys').join('.')} = 1\n`],
  ['lists within lists', `interval = ${'['.repeat(40_000)}${']'.repeat(40_000)}\n`],
  ['tables within tables', `keys = ${'{ a = '.repeat(40_000)}1${' }'.repeat(40_000)}\n`],
])('a configuration with %s is refused with a sentence', (_, text) => {
  expect(() => readConfig('/c.toml', text)).toThrow(NetmonError);
  expectPlain(() => readConfig('/c.toml', text));
});
