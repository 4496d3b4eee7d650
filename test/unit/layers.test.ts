// Holds the import table of ARCHITECTURE.md: who may import whom, where a third-party package may be named, where Node's own modules
// stay out; and the shape of files: no barrels, no default exports, 800 lines at most.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const EVERYTHING = ['*'];
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  net: [],
  filter: ['net'],
  capture: ['net'],
  decode: ['net'],
  flow: ['net', 'decode'],
  inspect: ['net', 'decode'],
  identify: ['net', 'flow', 'inspect'],
  aggregate: ['net', 'filter', 'flow'],
  store: ['net', 'filter', 'aggregate'],
  stream: ['net', 'filter', 'aggregate'],
  view: ['net', 'filter', 'aggregate'],
  tui: ['net', 'view'],
  privilege: ['net'],
  cli: EVERYTHING,
  app: EVERYTHING,
};
/** Files at the root of src, and what they may import. */
const ROOT_FILES: Readonly<Record<string, readonly string[]>> = {
  'main.ts': EVERYTHING,
  'app.ts': EVERYTHING,
  'errors.ts': [],
  'clock.ts': [],
  'log.ts': [],
  'thread.ts': [],
};
/** May be imported by all. */
const FOR_ALL = ['errors', 'clock', 'log', 'thread'];
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  koffi: ['capture/', 'identify/process/', 'privilege/'],
  cap: ['capture/'],
  blessed: ['tui/'],
  'blessed-contrib': ['tui/'],
  'lru-cache': ['identify/'],
  'mmdb-lib': ['identify/place/'],
  re2js: ['filter/'],
  tldts: ['identify/name/'],
  yargs: ['cli/'],
  chalk: ['cli/'],
  'smol-toml': ['cli/'],
  valibot: ['cli/'],
  'string-width': ['view/'],
  'sql.js': ['store/'],
};
/** Folders that touch nothing outside of the program; Node's modules that compute or load code are listed. Types of Node's modules are free. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  net: [],
  filter: ['node:module'],
  decode: [],
  flow: [],
  inspect: ['node:crypto', 'node:zlib'],
  aggregate: [],
  view: [],
};
const MOST_LINES = 800;

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
    if (text.split('\n').length - 1 > MOST_LINES) complain(`more than ${MOST_LINES} lines`);
    const code = withoutComments(text);
    if (/^export\s+default\b/m.test(code)) complain('a default export');
    if (/^export\s+\*/m.test(code)) complain('a re-export of everything');
    for (const { name, typeOnly } of importsOf(code)) {
      if (name.startsWith('.')) {
        const target = normalize(join(dirname(path), name));
        const layer = target.includes('/') ? target.slice(0, target.indexOf('/')) : target.replace(/\.ts$/, '');
        const fine = layer === folder || allowed === EVERYTHING || allowed.includes(layer) || FOR_ALL.includes(layer);
        if (target.startsWith('..')) complain(`imports ${name} from outside of src`);
        else if (!fine) complain(`may not import ${target}`);
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

describe('the sources', () => {
  const sources = sourcesIn(src);

  test('keep to the import table and to the shape of files', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(violations(sources)).toEqual([]);
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
    ['tui/screen.ts', "import {\n  a,\n  b,\n} from '../aggregate/snapshot.ts';", 'may not import model/snapshot.ts'],
    ['tui/screen.ts', "const a = await import('../aggregate/snapshot.ts');", 'may not import model/snapshot.ts'],
    ['flow/flow.ts', "import '../identify/name.ts';", 'may not import identify/name.ts'],
    ['errors.ts', "import { a } from './net/bytes.ts';", 'may not import net/bytes.ts'],
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
    ['net/a.ts', '\n'.repeat(801), 'more than 800 lines'],
    ['utils/a.ts', '', 'a folder that the import table does not know'],
    ['stuff.ts', '', 'a file that the import table does not know'],
  ])('%s: %s', (path, text, what) => expect(violations([{ path, text }])).toEqual([`${path}: ${what}`]));

  test('and lets pass what is allowed', () => {
    const text = [
      "// import { a } from '../tui/a.ts';",
      "import type { ChildProcess } from 'node:child_process';",
      "import type { Snapshot } from '../aggregate/snapshot.ts';",
      "import { NetmonError } from '../errors.ts';",
      "import { own } from './panels/own.ts';",
      "import stringWidth from 'string-width';",
    ].join('\n');
    expect(violations([{ path: 'view/table.ts', text }])).toEqual([]);
    expect(violations([{ path: 'cli/run.ts', text: "import { a } from '../tui/a.ts';" }])).toEqual([]);
    expect(violations([{ path: 'identify/process/macos/libproc.ts', text: "const koffi = require('koffi');" }])).toEqual([]);
  });
});
