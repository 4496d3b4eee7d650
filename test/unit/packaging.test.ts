// What package managers install says of itself what package.json says, and has its files where they are looked for. The executable and the
// npm package are stand-ins here; `npm run package -- --check` installs and runs the real ones.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
/** dpkg and rpm sort 1.2.3~rc.1 before 1.2.3. */
const systemVersion = version.replace('-', '~');
const folder = mkdtempSync(join(tmpdir(), 'netmon-packages-'));
const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8');

function run(program: string, ...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}
const has = (program: string) => spawnSync(program, ['--version']).error === undefined;
const make = (...kinds: string[]) =>
  run(process.execPath, 'packaging/make.mjs', '--into', folder, '--executable', at('executable'), ...kinds);

/** Where a package of the system has its files. */
const INSTALLED = [
  '/usr/bin/netmon-tui',
  '/usr/lib/systemd/system/netmon-tui.service',
  '/usr/share/bash-completion/completions/netmon-tui',
  '/usr/share/doc/netmon-tui/CHANGELOG.md',
  '/usr/share/doc/netmon-tui/README.md',
  '/usr/share/doc/netmon-tui/SECURITY.md',
  '/usr/share/doc/netmon-tui/THIRD-PARTY.md',
  '/usr/share/doc/netmon-tui/copyright',
  '/usr/share/fish/vendor_completions.d/netmon-tui.fish',
  '/usr/share/man/man1/netmon-tui.1.gz',
];

/** Not every Node has its licence beside it. */
const isOurs = (path: string) => !path.endsWith('/LICENSE.node.gz');

beforeAll(() => writeFileSync(at('executable'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 }));
afterAll(() => rmSync(folder, { recursive: true }));

describe('recipes for the npm package', () => {
  beforeAll(() => {
    writeFileSync(at(`netmon-tui-${version}.tgz`), 'a tarball');
    make('formula', 'pkgbuild');
  });
  const hash = createHash('sha256').update('a tarball').digest('hex');
  const url = `https://registry.npmjs.org/netmon-tui/-/netmon-tui-${version}.tgz`;

  test('the formula has its address and its checksum', ({ skip }) => {
    expect(text('netmon-tui.rb')).toContain(`\n  url "${url}"\n  sha256 "${hash}"\n`);
    expect(text('netmon-tui.rb')).not.toContain('{{');
    if (!has('ruby')) skip('ruby is not installed');
    run('ruby', '-c', at('netmon-tui.rb'));
  });

  test('the flake says what the formula says', () => {
    const summary = /^ {2}desc "(.*)"$/m.exec(text('netmon-tui.rb'))?.[1];
    expect(readFileSync(join(ROOT, 'flake.nix'), 'utf8')).toContain(`\n  description = "${summary}";\n`);
  });

  test('the PKGBUILD and its .SRCINFO have them, too', ({ skip }) => {
    const unit = createHash('sha256')
      .update(readFileSync(join(ROOT, 'packaging/netmon-tui.service')))
      .digest('hex');
    for (const words of [url, hash, unit]) {
      expect(text('PKGBUILD')).toContain(words);
      expect(text('.SRCINFO')).toContain(words);
    }
    expect(text('PKGBUILD')).not.toContain('{{');
    if (!has('bash')) skip('bash is not installed');
    run('bash', '-n', at('PKGBUILD'));
    // what bash makes of it is what .SRCINFO says
    const fields = [
      'pkgver',
      'pkgdesc',
      'url',
      'arch',
      'license',
      'depends',
      'makedepends',
      'options',
      'noextract',
      'source',
      'sha256sums',
    ];
    const print = fields.map((field) => `printf '${field} = %s\\n' "\${${field}[@]}"`);
    const said = run('bash', '-c', ['. "$1"', ...print].join('\n'), 'bash', at('PKGBUILD'))
      .trim()
      .split('\n')
      .sort();
    expect(
      text('.SRCINFO')
        .split('\n')
        .flatMap((line) => (line.startsWith('\t') ? [line.trim()] : []))
        .filter((line) => !line.startsWith('pkgrel'))
        .sort(),
    ).toEqual(said);
  });
});

describe('packages of the executable', () => {
  const processor = process.arch === 'arm64' ? ['arm64', 'aarch64'] : ['amd64', 'x86_64'];

  test('a .deb has its files in their places and starts nothing', ({ skip }) => {
    if (!has('dpkg-deb')) skip('dpkg-deb is not installed');
    make('deb');
    const deb = at(`netmon-tui_${systemVersion}_${processor[0]}.deb`);
    expect(run('dpkg-deb', '--field', deb, 'Version').trim()).toBe(systemVersion);
    expect(run('dpkg-deb', '--field', deb, 'Depends')).toMatch(/^libc6 \(>= 2\.\d+\), .*\blibpcap0\.8 \| libpcap0\.8t64$/m);
    const listed = run('dpkg-deb', '--contents', deb).trim().split('\n');
    expect(listed.filter((line) => !/^\S+ root\/root /.test(line))).toEqual([]);
    const paths = listed.flatMap((line) => (line.startsWith('-') ? [line.slice(line.indexOf('./') + 1)] : [])).filter(isOurs);
    expect(paths.sort()).toEqual([...INSTALLED, '/usr/share/zsh/vendor-completions/_netmon-tui'].sort());

    run('dpkg-deb', '--extract', deb, at('root'));
    expect(text('root/usr/share/bash-completion/completions/netmon-tui')).toBe('completions bash\n');
    expect(text('root/usr/lib/systemd/system/netmon-tui.service')).toContain('\nExecStart=/usr/bin/netmon-tui record ');
    run('dpkg-deb', '--control', deb, at('control'));
    for (const script of ['postinst', 'prerm', 'postrm']) {
      run('sh', '-n', at(`control/${script}`));
      expect(text(`control/${script}`)).not.toMatch(/systemctl.*\b(enable|start)\b|setcap|useradd|adduser/);
    }
  });

  test('an .rpm does, too', ({ skip }) => {
    if (!has('rpmbuild')) skip('rpmbuild is not installed');
    make('rpm');
    const rpm = at(`netmon-tui-${systemVersion}-1.${processor[1]}.rpm`);
    const listed = run('rpm', '-qp', '--queryformat', '[%{FILEMODES:perms} %{FILENAMES}\n]', rpm).trim().split('\n');
    const paths = (kind: string) => listed.flatMap((line) => (line.startsWith(kind) ? [line.slice(line.indexOf(' ') + 1)] : []));
    expect(paths('-').filter(isOurs).sort()).toEqual([...INSTALLED, '/usr/share/zsh/site-functions/_netmon-tui'].sort());
    // rpm leaves folders that no package has
    expect(paths('d')).toEqual(
      expect.arrayContaining(['/usr/share/doc/netmon-tui', '/usr/share/zsh/site-functions', '/usr/share/fish']),
    );
    expect(paths('d')).not.toContain('/usr/share/man');
    expect(run('rpm', '-qp', '--requires', rpm)).toContain('libpcap.so.1()(64bit)');
    expect(run('rpm', '-qp', '--scripts', rpm)).not.toMatch(/systemctl.*\b(enable|start)\b|setcap|useradd/);
  });

  test('an archive has one folder, named by version and platform', () => {
    make('archive');
    const name = `netmon-tui-${version}-${process.platform}-${process.arch}`;
    const paths = run('tar', '-tzf', at(`${name}.tar.gz`))
      .trim()
      .split('\n');
    expect(paths.filter((path) => !path.startsWith(`${name}/`))).toEqual([]);
    expect(paths).toContain(`${name}/bin/netmon-tui`);
  });

  test("what was asked for and can't be made is a failure", () => {
    rmSync(at('executable'));
    expect(() => make('archive')).toThrow('executable is missing: npm run binary');
    expect(() => make('msi')).toThrow('unknown: msi; there are archive, deb, ');
    expect(existsSync(at('.stage'))).toBe(false);
  });
});
