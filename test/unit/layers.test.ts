// Holds the import table of ARCHITECTURE.md: who may import whom, where a third-party package may be named, where Node's own modules
// stay out; and the shape of files: no barrels, no default exports, 800 lines at most.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const EVERYTHING = ['*'];
/** Who may import whom, folder by folder. `model` and `net` are open to all that stand below them here. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  net: ['model'],
  system: ['model', 'net'],
  filter: ['model', 'net'],
  capture: ['model', 'net', 'system'],
  decode: ['net'],
  flow: ['model', 'net', 'decode'],
  inspect: ['model', 'net', 'decode'],
  identify: ['model', 'net', 'system', 'flow', 'inspect'],
  packets: ['model', 'net', 'capture', 'decode', 'flow', 'inspect'],
  aggregate: ['model', 'net', 'filter', 'flow'],
  watch: ['model', 'net', 'filter'],
  history: ['model', 'net', 'system', 'filter', 'privilege'],
  export: ['model', 'net'],
  publisher: ['model', 'net', 'system', 'identify', 'history', 'privilege'],
  view: ['model', 'net', 'filter'],
  output: ['model', 'net', 'system', 'filter', 'capture', 'packets', 'aggregate', 'view'],
  tui: ['model', 'net', 'system', 'view'],
  pipeline: [
    'model',
    'net',
    'system',
    'capture',
    'decode',
    'flow',
    'inspect',
    'identify',
    'packets',
    'aggregate',
    'output',
    'publisher',
    'privilege',
  ],
  privilege: ['model', 'net', 'system', 'capture', 'identify'],
  messenger: ['model', 'net', 'system', 'export', 'privilege'],
  stream: ['model', 'net'],
  attach: ['model', 'net', 'system', 'aggregate', 'stream'],
  command: ['model', 'net', 'system', 'identify', 'privilege'],
  cli: everythingBut('app'),
  app: EVERYTHING,
};
/** Files at the root of src, and what they may import. */
const ROOT_FILES: Readonly<Record<string, readonly string[]>> = { 'main.ts': EVERYTHING };
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  koffi: ['capture/', 'command/', 'identify/process/', 'messenger/', 'privilege/', 'system/'],
  cap: ['capture/cap/'],
  blessed: ['tui/'],
  'blessed-contrib': ['tui/'],
  'lru-cache': ['identify/', 'publisher/'],
  'mmdb-lib': ['identify/place/'],
  'hyparquet-writer': ['output/'],
  re2js: ['filter/'],
  tldts: ['identify/name/'],
  yargs: ['cli/'],
  chalk: ['output/'],
  'smol-toml': ['cli/config/'],
  'string-width': ['view/text/'],
  'sql.js': ['history/'],
};
/** Files that only their own folder may import. */
const INTERNAL: readonly string[] = ['flow/layout.ts', 'flow/ownership.ts'];
/** Folders that touch nothing outside of the program; Node's modules that compute or load code are listed. Types of Node's modules are free. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  model: [],
  net: [],
  filter: ['node:module'],
  decode: [],
  flow: [],
  inspect: ['node:crypto', 'node:zlib'],
  packets: [],
  aggregate: [],
  watch: [],
  export: ['node:crypto', 'node:zlib'],
  view: [],
  stream: ['node:zlib'],
};
/** Small files with one importer that stand alone all the same: where threads and processes begin, and what is loaded late on purpose. */
const ALONE: readonly string[] = [
  'history/query/reader-worker.ts',
  'history/save-worker.ts',
  'publisher/publisher-worker.ts',
  'privilege/cap-child.ts',
  'privilege/root-child-main.ts',
  'messenger/messenger-main.ts',
  'command/gate-main.ts',
];
/** A file below this that one other file imports is part of that file. */
const FEWEST_LINES = 40;
const MAX_LINES = 800;

/** Names of all folders but one. */
function everythingBut(one: string): readonly string[] {
  return [
    'model',
    'net',
    'system',
    'filter',
    'capture',
    'decode',
    'flow',
    'inspect',
    'identify',
    'packets',
    'aggregate',
    'watch',
    'history',
    'export',
    'view',
    'output',
    'tui',
  ]
    .concat('pipeline', 'publisher', 'privilege', 'messenger', 'command', 'stream', 'attach', 'cli', 'app')
    .filter((folder) => folder !== one);
}

interface Source {
  /** Path within src, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Everything in which the sources break the rules, one line each. */
function violations(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) => {
    const found: string[] = [];
    const complain = (what: string) => found.push(`${path}: ${what}`);
    const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
    const allowed = folder === '' ? ROOT_FILES[path] : FOLDERS[folder];
    if (allowed === undefined) return [`${path}: ${folder === '' ? 'a file' : 'a folder'} that the import table does not know`];
    if (/(^|\/)index\.ts$/.test(path)) complain('a barrel file');
    const code = withoutComments(text);
    if (/^export\s+default\b/m.test(code)) complain('a default export');
    if (/^export\s+\*/m.test(code)) complain('a re-export of everything');
    for (const { name, typeOnly } of importsOf(code)) {
      if (name.startsWith('.')) {
        const target = normalize(join(dirname(path), name));
        const layer = target.includes('/') ? target.slice(0, target.indexOf('/')) : target.replace(/\.ts$/, '');
        const fine = layer === folder || allowed === EVERYTHING || allowed.includes(layer);
        if (target.startsWith('..')) complain(`imports ${name} from outside of src`);
        else if (!fine || (layer !== folder && INTERNAL.includes(target))) complain(`may not import ${target}`);
        if (!name.endsWith('.ts') && !name.endsWith('.json')) complain(`imports ${name} without its extension`);
      } else if (name.startsWith('node:')) {
        const computes = PURE[folder];
        if (computes !== undefined && !typeOnly && !computes.includes(name)) complain(`may not import ${name}`);
      } else {
        const home =
          PACKAGES[
            name
              .split('/')
              .slice(0, name.startsWith('@') ? 2 : 1)
              .join('/')
          ];
        if (home === undefined) complain(`imports ${name}, a package that the table does not know`);
        else if (!home.some((prefix) => path.startsWith(prefix))) complain(`may not import ${name}`);
      }
    }
    return found;
  });
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** Static and dynamic imports, re-exports and requires, types among them. */
function importsOf(code: string): { name: string; typeOnly: boolean }[] {
  const found: { name: string; typeOnly: boolean }[] = [];
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm))
    found.push({ name: match[2] as string, typeOnly: match[1] !== undefined });
  for (const match of code.matchAll(/(typeof\s+)?\b(?:import|require(?:\.resolve)?)\(\s*['"`]([^'"`]+)['"`]/g))
    found.push({ name: match[2] as string, typeOnly: match[1] !== undefined });
  return found;
}

const src = fileURLToPath(new URL('../../src/', import.meta.url));

function sourcesIn(folder: string): Source[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.name.endsWith('.ts')
      ? [{ path: relative(src, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }]
      : [];
  });
}

/** What each file takes when it is loaded; what it loads late, and where it starts threads and processes, only where `late`. */
function wires(sources: readonly Source[], late: boolean): Map<string, Set<string>> {
  const known = new Set(sources.map(({ path }) => path));
  return new Map(
    sources.map(({ path, text }) => {
      const code = withoutComments(text);
      const names = [...code.matchAll(/^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'/gm)];
      if (late) names.push(...code.matchAll(/\b(?:import|new URL)\(\s*'(\.[^']+)'/g));
      const targets = names.map((match) => normalize(join(dirname(path), match[1] as string)).replace(/\.js$/, '.ts'));
      return [path, new Set(targets.filter((target) => target !== path && known.has(target)))];
    }),
  );
}

/** Files that reach themselves through what they import, in groups. */
function circles(sources: readonly Source[]): string[][] {
  const imports = wires(sources, false);
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [from];
    for (let path = open.pop(); path !== undefined; path = open.pop())
      for (const next of imports.get(path) ?? []) if (!seen.has(next)) open.push(seen.add(next) && next);
    return seen;
  };
  const reached = new Map(sources.map(({ path }) => [path, reach(path)]));
  const groups = sources
    .filter(({ path }) => reached.get(path)?.has(path))
    .map(({ path }) => [...(reached.get(path) as Set<string>)].filter((other) => reached.get(other)?.has(path)).sort());
  return [...new Map(groups.map((group) => [group.join(), group])).values()];
}

/** Files too small to be found that one other file alone imports. */
function fragments(sources: readonly Source[]): string[] {
  const imports = wires(sources, true);
  return sources
    .filter(({ path, text }) => text.split('\n').length - 1 < FEWEST_LINES && !path.endsWith('.d.ts') && !ALONE.includes(path))
    .filter(({ path }) => [...imports.values()].filter((targets) => targets.has(path)).length === 1)
    .map(({ path }) => path);
}

describe('the sources', () => {
  const sources = sourcesIn(src);

  test('keep to the import table and to the shape of files', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(violations(sources)).toEqual([]);
  });

  test('import one another without circles', () => expect(circles(sources)).toEqual([]));

  test('keep what belongs together in one file', () => expect(fragments(sources)).toEqual([]));

  test('grow no longer than a noun needs', () => {
    const long = sources.filter(({ text }) => text.split('\n').length - 1 > MAX_LINES).map(({ path }) => path);
    if (long.length > 0) console.warn(`more than ${MAX_LINES} lines: ${long.join(', ')}`);
  });

  test('import only files that exist', () => {
    const missing = sources.flatMap(({ path, text }) =>
      importsOf(withoutComments(text))
        .filter(({ name }) => name.startsWith('.') && !existsSync(join(src, dirname(path), name)))
        .map(({ name }) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('open with a comment that says what they are for', () => {
    expect(sources.filter(({ text }) => !/^(#!.*\n)?\/\/ \S/.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('the walk catches', () => {
  test.each([
    ['net/address.ts', "import { a } from '../decode/packet.ts';", 'may not import decode/packet.ts'],
    ['view/table.ts', "import type { a } from '../flow/flow.ts';", 'may not import flow/flow.ts'],
    ['view/table.ts', "export { a } from '../flow/flow.ts';", 'may not import flow/flow.ts'],
    ['tui/screen.ts', "import {\n  a,\n  b,\n} from '../aggregate/aggregator.ts';", 'may not import aggregate/aggregator.ts'],
    ['tui/screen.ts', "const a = await import('../aggregate/aggregator.ts');", 'may not import aggregate/aggregator.ts'],
    ['aggregate/booking.ts', "import { INTS } from '../flow/layout.ts';", 'may not import flow/layout.ts'],
    ['flow/flow.ts', "import '../identify/name.ts';", 'may not import identify/name.ts'],
    ['model/errors.ts', "import { a } from '../net/bytes.ts';", 'may not import net/bytes.ts'],
    ['cli/help.ts', "import { run } from '../app/run.ts';", 'may not import app/run.ts'],
    ['view/table.ts', "import blessed from 'blessed';", 'may not import blessed'],
    ['view/table.ts', "import x from 'blessed/lib/x.js';", 'may not import blessed/lib/x.js'],
    ['view/table.ts', "import { readFileSync } from 'node:fs';", 'may not import node:fs'],
    ['identify/name/ptr.ts', "const koffi = require('koffi');", 'may not import koffi'],
    ['output/sample-table.ts', "import x from 'left-pad';", 'imports left-pad, a package that the table does not know'],
    ['net/a.ts', "import { a } from './bytes.js';", 'imports ./bytes.js without its extension'],
    ['net/a.ts', "import { a } from '../../test/a.ts';", 'imports ../../test/a.ts from outside of src'],
    ['net/index.ts', '', 'a barrel file'],
    ['net/a.ts', 'export default 1;', 'a default export'],
    ['net/a.ts', "export * from './bytes.ts';", 'a re-export of everything'],
    ['utils/a.ts', '', 'a folder that the import table does not know'],
    ['stuff.ts', '', 'a file that the import table does not know'],
  ])('%s: %s', (path, text, what) => expect(violations([{ path, text }])).toEqual([`${path}: ${what}`]));

  test('and lets pass what is allowed', () => {
    const text = [
      "// import { a } from '../tui/a.ts';",
      "import type { ChildProcess } from 'node:child_process';",
      "import type { Snapshot } from '../model/snapshot.ts';",
      "import { NetmonError } from '../model/errors.ts';",
      "import { own } from './panels/own.ts';",
    ].join('\n');
    expect(violations([{ path: 'view/table.ts', text }])).toEqual([]);
    expect(violations([{ path: 'view/text/cells.ts', text: "import stringWidth from 'string-width';" }])).toEqual([]);
    expect(violations([{ path: 'cli/run.ts', text: "import { a } from '../tui/a.ts';" }])).toEqual([]);
    expect(violations([{ path: 'identify/process/macos/libproc.ts', text: "const koffi = require('koffi');" }])).toEqual([]);
  });

  test('a circle of files, which types alone make, too, but not what is loaded late', () => {
    const a = { path: 'net/a.ts', text: "import type { B } from './b.ts';" };
    const b = { path: 'net/b.ts', text: "import { c } from './c.ts';" };
    const late = { path: 'net/c.ts', text: "await import('./a.ts');" };
    expect(circles([a, b, late])).toEqual([]);
    expect(circles([a, b, { path: 'net/c.ts', text: "import { a } from './a.ts';" }])).toEqual([
      ['net/a.ts', 'net/b.ts', 'net/c.ts'],
    ]);
  });

  test('a small file that one other imports, and none that two do, or nobody', () => {
    const small = { path: 'net/small.ts', text: '// Small.\n'.repeat(39) };
    const user = (path: string) => ({ path, text: "import { a } from './small.ts';" });
    expect(fragments([small, user('net/a.ts')])).toEqual(['net/small.ts']);
    expect(fragments([small, user('net/a.ts'), user('net/b.ts')])).toEqual([]);
    expect(fragments([{ ...small, text: '// Small.\n'.repeat(40) }, user('net/a.ts')])).toEqual([]);
    expect(
      fragments([
        { ...small, path: 'history/save-worker.ts' },
        { path: 'history/a.ts', text: "new URL('./save-worker.js', import.meta.url);" },
      ]),
    ).toEqual([]);
  });
});
