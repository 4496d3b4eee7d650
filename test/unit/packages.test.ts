// What is installed with the program and what is published: pinned, listed with its licence, no more than what runs, and no script that
// has to run at installation.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, udp } from '../support/frames.ts';

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

  test('ARCHITECTURE.md says of each why it is there, and its licence', () => {
    const section = read('ARCHITECTURE.md').split('\n## What it is made of\n')[1]?.split('\n## ')[0] ?? '';
    const rows = table(section);
    expect(rows.map(([name]) => name)).toEqual(Object.keys(NAMED));
    for (const [name, reason, licence] of rows) {
      expect(reason, name).toMatch(/\w{3}/);
      if (name !== 'cap') expect(licence, name).toBe(LOCK[`node_modules/${name}`]?.license);
    }
  });

  test('have an address in the lock file, so that npm need not ask for it', () => {
    const addressless = Object.entries(LOCK).filter(
      ([path, { link, resolved }]) => path.includes('node_modules/') && !link && resolved === undefined,
    );
    expect(addressless.map(([path]) => path)).toEqual([]);
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
  /** What npm would send of the package that is made of this clone, for this machine alone. */
  let files: readonly string[] = [];
  let described: Record<string, unknown> = {};
  const folder = join(ROOT, 'build/package');

  beforeAll(() => {
    execFileSync(process.execPath, [join(ROOT, 'scripts/npm-package.mjs'), '--here'], { stdio: 'pipe' });
    const words = ['pack', folder, '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
    const [pack] = JSON.parse(execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8' })) as [{ files: { path: string }[] }];
    files = pack.files.map(({ path }) => path);
    described = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as typeof described;
  });

  test('is what runs and what a reader needs', () => {
    const allowed =
      /^(dist\/bundle\/([\w-]+\.cjs|sql-wasm\.wasm|xterm-256color|koffi\/(darwin|linux|musl)_\w+\/koffi\.node)|themes\/[\w-]+\.theme|data\/(README\.md|vendors\.bin|trackers\.txt)|bin\/(netmon-tui\.js|package\.json)|man\/netmon-tui\.1|schema\/(config|json-lines|receipt)\.schema\.json|package\.json|(README|ARCHITECTURE|CHANGELOG|SECURITY|THIRD-PARTY)\.md|LICENSE)$/;
    expect(files.filter((path) => !allowed.test(path))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/netmon-tui.js',
        'dist/bundle/main.cjs',
        'dist/bundle/sql-wasm.wasm',
        'man/netmon-tui.1',
        'schema/config.schema.json',
        'schema/json-lines.schema.json',
        'package.json',
        'LICENSE',
        'THIRD-PARTY.md',
        'themes/netmon.theme',
        'data/vendors.bin',
        'data/trackers.txt',
      ]),
    );
  });

  test('brings a manual page that npm puts where man looks', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'nmt-prefix-'));
    try {
      const words = [
        'install',
        '--global',
        '--prefix',
        prefix,
        '--install-links',
        '--offline',
        '--no-audit',
        '--no-fund',
        folder,
      ];
      execFileSync('npm', words, { stdio: 'pipe' });
      expect(existsSync(join(prefix, 'share/man/man1/netmon-tui.1'))).toBe(true);
    } finally {
      rmSync(prefix, { recursive: true });
    }
  });

  test('needs no other package and runs nothing when it is installed', () => {
    expect(Object.keys(described).filter((field) => /dependencies|scripts/i.test(field))).toEqual([]);
    expect(described).toMatchObject({ name: 'netmon-tui', bin: { 'netmon-tui': 'bin/netmon-tui.js' } });
  });

  test('comes with the licences of all that is in it', () => {
    const script = join(ROOT, 'scripts/licences.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  test('starts and replays a capture where nothing of the clone is', ({ onTestFinished }) => {
    const away = mkdtempSync(join(tmpdir(), 'netmon-package-'));
    onTestFinished(() => rmSync(away, { recursive: true, force: true }));
    const words = ['install', '--global', '--prefix', away, '--offline', '--no-audit', '--no-fund', folder, '--install-links'];
    const installed = spawnSync('npm', words, { cwd: away, encoding: 'utf8' });
    expect([installed.status, installed.stderr]).toEqual([0, '']);
    const capture = join(away, 'capture.pcap');
    const frame = ethernet(
      {},
      ipv4({ src: '198.51.100.7', dst: '10.0.0.1' }, udp({ sport: 443, dport: 5000 }, new Uint8Array(500))),
    );
    writeFileSync(capture, pcapFile({ records: [{ time: 1_700_000_000_000, data: frame }] }));
    const netmon = (...more: string[]) =>
      spawnSync(join(away, 'bin/netmon-tui'), more, { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: away } });
    expect(netmon('--version').stdout).toMatch(/^netmon-tui \d/);
    const history = `--history=${join(away, 'history.sqlite')}`;
    const replayed = netmon('-r', capture, '--json', '--once', history);
    expect([replayed.status, replayed.stderr]).toEqual([0, '']);
    expect((JSON.parse(replayed.stdout) as { flows: unknown[] }).flows).toHaveLength(1);
    const asked = netmon('query', 'SELECT COUNT(*) AS n FROM connections', history, '--json');
    expect([asked.status, asked.stderr, JSON.parse(asked.stdout)]).toEqual([0, '', expect.anything()]);
  });

  test('can be traced to its source', () => {
    expect(PACKAGE.repository.url).toMatch(/^git\+https:\/\//);
    expect(PACKAGE.publishConfig.provenance).toBe(true);
  });
});
