// The README and docs/ are true of the code: their tables are made from the tables of the code, their commands are those that run.
// `node scripts/docs.mjs` writes the tables; here they are compared.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, STATUSES } from '../../src/cli/commands.ts';
import { FLAGS, flagText, SETTING_NAMES, SETTINGS, type Setting } from '../../src/cli/config/settings.ts';
import { sampleName } from '../../src/export/prometheus-text.ts';
import { FIELDS, WORDS } from '../../src/filter/fields.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { EXIT_STATUS, FOUND_STATUS } from '../../src/model/errors.ts';
import { METRICS, type Metric } from '../../src/model/metrics.ts';
import { KEYMAP, keyLabel } from '../../src/view/input/keymap.ts';

const root = new URL('../../', import.meta.url);
const file = (path: string) => readFileSync(new URL(path, root), 'utf8');
const README = file('README.md');
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(new URL('docs', root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const code = (text: string) => `\`${text}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const initialText = ({ type, initial, unset }: Setting<unknown>) => {
  if (unset !== undefined || initial === null) return unset ?? '';
  return code(String(type.write(initial as NonNullable<unknown>)));
};

describe.each([
  [
    'docs/usage.md',
    'keys',
    table(
      ['key', 'does', 'name'],
      KEYMAP.map(({ keys, help, command }) => [keys.map((key) => code(keyLabel(key))).join(' '), help, code(command)]),
    ),
  ],
  [
    'docs/configuration.md',
    'settings',
    table(
      ['setting', 'options', 'variable', 'is', 'default', 'does'],
      Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => [
        code(name),
        setting.flags.map((flag) => code(`--${flag.name ?? name}`)).join(' '),
        setting.variable === null ? '' : code(setting.variable.name),
        setting.type.noun.replaceAll('|', '\\|'),
        initialText(setting),
        setting.help,
      ]),
    ),
  ],
  [
    'docs/configuration.md',
    'options',
    table(
      ['option', 'with', 'does'],
      FLAGS.filter((flag) => flag.help !== null).map((flag) => {
        const short = flag.short === null ? '' : `${code(`-${flag.short}`)} `;
        const commands = flag.commands.length === COMMAND_NAMES.length ? 'all' : flag.commands.join(', ');
        return [`${short}${code(flagText(flag).replaceAll('|', '\\|'))}`, commands, flag.help ?? ''];
      }),
    ),
  ],
  [
    'docs/filter.md',
    'fields',
    table(
      ['field', 'also', 'what'],
      FIELDS.map(({ name, aliases, help }) => [code(name), aliases.map(code).join(' '), help]),
    ),
  ],
  [
    'docs/filter.md',
    'words',
    table(
      ['word', 'what'],
      WORDS.map(({ name, help }) => [code(name), help]),
    ),
  ],
  ['docs/json.md', 'statuses', table(['status', 'means'], STATUSES)],
  [
    'docs/metrics.md',
    'metrics',
    table(
      ['metric', 'labels', 'in OpenTelemetry', 'what'],
      Object.values<Metric>(METRICS).map((metric) => [
        code(metric.type === 'summary' ? `${metric.name}_sum` : sampleName(metric)) +
          (metric.type === 'summary' ? `, ${code('_count')}` : ''),
        metric.labels.map(code).join(' '),
        metric.otel === null ? '' : code(metric.otel.name),
        metric.help,
      ]),
    ),
  ],
])('%s', (path, block, made) => {
  const around = new RegExp(`(<!-- ${block} -->\\n)[\\s\\S]*?(<!-- end -->)`);

  test(`the table of ${block} is the code's: node scripts/docs.mjs`, () => {
    const text = file(path);
    expect(text).toMatch(around);
    if (process.env['NETMON_DOCS'] !== undefined)
      writeFileSync(
        new URL(path, root),
        text.replace(around, (_, head, end) => `${head}${made}\n${end}`),
      );
    else expect(around.exec(text)?.[0].split('\n').slice(1, -1).join('\n')).toBe(made);
  });
});

test('every failure has its exit status in the table', () =>
  expect(STATUSES.map(([status]) => status)).toEqual([
    '0',
    ...Object.values(EXIT_STATUS).map(String),
    String(FOUND_STATUS),
    '128+n',
  ]));

describe('examples', () => {
  test('every filter compiles', () => {
    const filters = [...file('docs/filter.md').matchAll(/^ {4}(\S.*?)(?: {2,}.*)?$/gm)].map((match) => match[1] as string);
    expect(filters.length).toBeGreaterThan(5);
    for (const filter of filters) expect(compileFilter(filter), filter).toMatchObject({ ok: true });
  });

  test('the configuration names settings that exist', () => {
    const toml = /```toml\n([\s\S]*?)```/.exec(file('docs/configuration.md'))?.[1] ?? '';
    const top = toml.split(/^\[/m)[0] as string;
    const named = [...top.matchAll(/^(\w+) =/gm)].map((match) => match[1] as string);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((name) => !(SETTING_NAMES as readonly string[]).includes(name))).toEqual([]);
  });
});

test('the README is short enough to be read', () => expect(README.split('\n').length).toBeLessThan(120));

test.each(PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md'))('docs/README.md leads to %s', (page) =>
  expect(file('docs/README.md')).toContain(`](${page.slice('docs/'.length)})`),
);

describe('commands', () => {
  test('the two of a clone are there, and the second is what .ci/run runs', () => {
    expect(README).toContain('\n    bin/setup && $(command -v sudo) bin/netmon-tui.js\n');
    expect(README).toContain('\n    bin/setup && npm test\n');
    expect(file('.ci/run')).toContain('{ bin/setup && npm test; }');
  });

  test.each(PAGES)('%s: npm scripts, files and headings that it names exist', (page) => {
    const text = file(page);
    const { scripts } = JSON.parse(file('package.json')) as { scripts: Record<string, string> };
    for (const match of text.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(match[1] as string);
    for (const match of text.matchAll(/`((?:src|test|scripts|bin|docs|data|themes)\/[\w./-]+)`/g))
      expect(existsSync(new URL(match[1] as string, root)), `${page}: ${match[1]}`).toBe(true);
    for (const match of text.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]+)?\)/g)) {
      const target = match[1] === '' ? new URL(page, root) : new URL(match[1] as string, new URL(page, root));
      expect(existsSync(target), `${page}: ${match[0]}`).toBe(true);
      if (match[2] === undefined) continue;
      const anchors = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map((heading) => anchor(heading[1] as string));
      expect(anchors, `${page}: ${match[0]}`).toContain(match[2].slice(1));
    }
  });
});

/** How GitHub names a heading in links. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(' ', '-');
}
