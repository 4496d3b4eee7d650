// What is installed with the program and what is published: pinned, listed with its licence, no more than what runs, and no script that
// has to run at installation.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly os?: readonly string[];
  /** A workspace. */
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');
const PACKAGE = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  repository: { url: string };
  publishConfig: { provenance: boolean };
};
const LOCK = (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages;
const NAMED = { ...PACKAGE.dependencies, ...PACKAGE.optionalDependencies };
const installed = Object.entries(LOCK).filter(
  ([path, entry]) => path.startsWith('node_modules/') && !entry.link && !entry.dev && !entry.devOptional,
);
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Rows of a table, as lists of cells. */
function table(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

describe('production packages', () => {
  test('are pinned exactly', () => {
    for (const [name, version] of Object.entries(NAMED)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(LOCK[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  test('the README says of each why it is there, and its licence', () => {
    const section = read('README.md').split('\n## What it is made of\n')[1]?.split('\n## ')[0] ?? '';
    const rows = table(section);
    expect(rows.map(([name]) => name)).toEqual(Object.keys(NAMED));
    for (const [name, reason, licence] of rows) {
      expect(reason, name).toMatch(/\w{3}/);
      if (name !== 'cap') expect(licence, name).toBe(LOCK[`node_modules/${name}`]?.license);
    }
  });

  test('THIRD-PARTY.md lists all that come along', () => {
    const listed = table(read('THIRD-PARTY.md')).map(([name, version]) => `${name} ${version}`);
    const expected = installed
      .filter(([, { os }]) => os === undefined)
      .map(([path, { version }]) => `${nameOf(path)} ${version}`);
    expect(new Set(listed)).toEqual(new Set(expected));
  });

  test('only koffi and cap have install scripts, and neither has to run', () => {
    const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    expect(scripted.sort()).toEqual(['cap', 'koffi']);
    expect(Object.keys(PACKAGE.optionalDependencies)).toEqual(['cap']);
    for (const platform of ['darwin-arm64', 'darwin-x64', 'linux-x64', 'linux-arm64'])
      expect(LOCK[`node_modules/@koromix/koffi-${platform}`], `koffi prebuilt for ${platform}`).toBeDefined();
  });

  test('the xml2js of blessed-contrib is one without CVE-2023-0842', () => {
    expect(LOCK['node_modules/xml2js']?.version).toBe('0.6.2');
  });
});

describe('what is published', () => {
  test('is what runs and what a reader needs', () => {
    const words = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
    const [pack] = JSON.parse(execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8' })) as [{ files: { path: string }[] }];
    const paths = pack.files.map(({ path }) => path);
    const allowed =
      /^(dist\/[\w/-]+\.js|themes\/[\w-]+\.theme|data\/(README\.md|vendors\.bin|trackers\.txt)|bin\/netmon-tui\.js|man\/netmon-tui\.1|schema\/(config|json-lines)\.schema\.json|package\.json|(README|ARCHITECTURE|CHANGELOG|SECURITY|THIRD-PARTY)\.md|LICENSE)$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        'bin/netmon-tui.js',
        'man/netmon-tui.1',
        'schema/config.schema.json',
        'schema/json-lines.schema.json',
        'package.json',
        'LICENSE',
        'themes/netmon.theme',
        'data/vendors.bin',
        'data/trackers.txt',
      ]),
    );
  });

  test('can be traced to its source', () => {
    expect(PACKAGE.repository.url).toMatch(/^git\+https:\/\//);
    expect(PACKAGE.publishConfig.provenance).toBe(true);
  });
});
