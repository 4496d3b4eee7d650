// The README is true of the code: its tables are those that the code is made from, its commands are those that are run.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { SETTING_NAMES } from '../../src/cli/config/settings.ts';
import { FLAGS, flagText, STATUSES } from '../../src/cli/flags.ts';
import { FIELDS } from '../../src/filter/fields.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { EXIT_STATUS } from '../../src/model/errors.ts';
import { type Binding, KEYMAP, keyLabel } from '../../src/view/input/keymap.ts';

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const README = file('README.md');

/** The text of a section, from its heading to the next of the same depth or above. */
function section(heading: string): string {
  const from = README.indexOf(`\n## ${heading}\n`);
  expect(from, `a section "${heading}"`).toBeGreaterThanOrEqual(0);
  const to = README.indexOf('\n## ', from + 1);
  return README.slice(from, to < 0 ? undefined : to);
}

/** Rows of the first table in a text, cells trimmed, without its head. */
function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

const code = (text: string) => `\`${text}\``;

describe('tables', () => {
  test('keys are those of the key map', () => {
    const row = ({ keys, help, command }: Binding) => [keys.map((key) => code(keyLabel(key))).join(' '), help, code(command)];
    expect(rows(section('Keys'))).toEqual(KEYMAP.map(row));
  });

  test('options are those of the command line', () => {
    const expected = FLAGS.filter((flag) => flag.help !== null).map((flag) => {
      const long = flagText(flag).replaceAll('|', '\\|');
      return [`${flag.short === null ? '' : `${code(`-${flag.short}`)} `}${code(long)}`, flag.help];
    });
    expect(rows(section('Options'))).toEqual(expected);
  });

  test('filter fields are those of the filter language', () => {
    const expected = FIELDS.map(({ name, aliases, help }) => [code(name), aliases.map(code).join(' '), help]);
    expect(rows(section('Filter'))).toEqual(expected);
  });

  test('exit statuses are those of the catalogue of errors', () => {
    const listed = rows(section('Exit status')).map(([status, meaning]) => [status, meaning?.replaceAll('`', '')]);
    expect(listed).toEqual(STATUSES);
    expect(STATUSES.map(([status]) => status)).toEqual(['0', ...Object.values(EXIT_STATUS).map(String), '128+n']);
  });
});

describe('examples', () => {
  test('every filter compiles', () => {
    const filters = [...section('Filter').matchAll(/^ {4}(\S.*?)(?: {2,}.*)?$/gm)].map((match) => match[1] as string);
    expect(filters.length).toBeGreaterThan(5);
    for (const filter of filters) expect(compileFilter(filter), filter).toMatchObject({ ok: true });
  });

  test('the configuration names settings that exist', () => {
    const toml = /```toml\n([\s\S]*?)```/.exec(section('Configuration'))?.[1] ?? '';
    const top = toml.split(/^\[/m)[0] as string;
    const named = [...top.matchAll(/^(\w+) =/gm)].map((match) => match[1] as string);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((name) => !(SETTING_NAMES as readonly string[]).includes(name))).toEqual([]);
  });
});

test('the picture is a screen that a golden test drew', () => {
  const frame = file('test/golden/__frames__/overview-120x40.txt').trimEnd().split('\n');
  const picture = frame.map((line) => `    ${line.trimEnd()}`).join('\n');
  expect(README).toContain(`\n<!-- screen -->\n\n${picture}\n\n`);
});

describe('commands', () => {
  test('the two of a clone are there, and the second is what .ci/run runs', () => {
    expect(README).toContain('\n    bin/setup && $(command -v sudo) bin/netmon-tui.js\n');
    expect(README).toContain('\n    bin/setup && npm test\n');
    expect(file('.ci/run')).toContain('{ bin/setup && npm test; }');
  });

  test('npm scripts and files that it names exist', () => {
    const { scripts } = JSON.parse(file('package.json')) as { scripts: Record<string, string> };
    for (const match of README.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(match[1] as string);
    for (const match of README.matchAll(/\]\((?!http)([^)#]+)\)/g))
      expect(existsSync(new URL(`../../${match[1]}`, import.meta.url)), match[1]).toBe(true);
  });
});
