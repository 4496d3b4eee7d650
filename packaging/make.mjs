// Makes what package managers install, in build/release: of the executable for this platform an archive, a .deb and an .rpm; for every
// platform the npm package, and a Homebrew formula and a PKGBUILD that install it. Publishes nothing.
//
//     npm run binary && npm run package             all that this machine has tools for
//     npm run package -- deb rpm                    only these
//     npm run package -- --check                    also installs, runs and removes what it made, in folders of its own
//     npm run package -- --into FOLDER --executable PATH

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkPackages } from './check.mjs';
import { files, PACKAGE, SERVICES } from './description.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean' },
    executable: { type: 'string', default: join(ROOT, 'build/netmon-tui') },
    into: { type: 'string', default: join(ROOT, 'build/release') },
  },
});
const EXECUTABLE = resolve(options.executable);
const RELEASE = resolve(options.into);
const STAGE = join(RELEASE, '.stage');
const { name: NAME, version: VERSION } = PACKAGE;
const PLATFORM = process.platform;
/** What Debian and Red Hat call this processor. */
const PROCESSOR = { x64: { deb: 'amd64', rpm: 'x86_64' }, arm64: { deb: 'arm64', rpm: 'aarch64' } }[process.arch];

/** What npm publishes. */
const TARBALL = join(RELEASE, `${NAME}-${VERSION}.tgz`);

/** What can be made: of which file and of what makes that, on which platform, and with which program. */
const KINDS = {
  archive: { needs: EXECUTABLE, by: 'npm run binary', make: archive },
  deb: { needs: EXECUTABLE, by: 'npm run binary', on: 'linux', tool: 'dpkg-deb', make: deb },
  rpm: { needs: EXECUTABLE, by: 'npm run binary', on: 'linux', tool: 'rpmbuild', make: rpm },
  npm: { make: tarball },
  formula: { needs: TARBALL, by: 'npm run package -- npm', make: () => [fromTemplate('netmon-tui.rb')] },
  pkgbuild: {
    needs: TARBALL,
    by: 'npm run package -- npm',
    make: () => [fromTemplate('PKGBUILD'), write('.SRCINFO', sourceInformation())],
  },
};

const run = (program, words, options = {}) =>
  execFileSync(program, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], ...options });

/** Writes a file of the release. */
function write(name, contents) {
  const at = join(RELEASE, name);
  writeFileSync(at, contents);
  return at;
}

/** In seconds: what is made must not depend on when. */
function lastCommit() {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' });
  return Number(stdout) || Math.floor(Date.now() / 1000);
}
const EPOCH = lastCommit();

/** Lays the files out below a prefix of a new folder. @returns the folder */
function stage(kind, prefix, zsh) {
  const folder = join(STAGE, kind);
  rmSync(folder, { recursive: true, force: true });
  for (const { from, words, to, mode = 0o644 } of [...files(zsh), SERVICES[PLATFORM]]) {
    const at = join(folder, prefix, to);
    mkdirSync(dirname(at), { recursive: true, mode: 0o755 });
    if (words) writeFileSync(at, run(EXECUTABLE, words));
    // level 9 and no time stamp
    else if (to.endsWith('.gz')) writeFileSync(at, gzipSync(readFileSync(resolve(ROOT, from)), { level: 9 }));
    else cpSync(resolve(ROOT, from ?? EXECUTABLE), at);
    chmodSync(at, mode);
  }
  for (const path of run('find', [folder], { encoding: 'utf8' }).trim().split('\n')) utimesSync(path, EPOCH, EPOCH);
  return folder;
}

/** The version as dpkg and rpm sort it: 1.2.3~rc.1 comes before 1.2.3. */
const systemVersion = VERSION.replace('-', '~');
/** pacman allows no hyphen, and takes letters after a number for something earlier. */
const archVersion = VERSION.replace('-', '');

function archive() {
  const top = `${NAME}-${VERSION}-${PLATFORM}-${process.arch}`;
  const folder = stage('archive', top);
  // Apple's tar has other words for it than GNU's
  const root = PLATFORM === 'darwin' ? ['--uid', '0', '--gid', '0'] : ['--owner=0', '--group=0', '--sort=name'];
  const tar = run('tar', [...root, '-cf', '-', '-C', folder, top], { maxBuffer: 1 << 30 });
  return [write(`${top}.tar.gz`, gzipSync(tar, { level: 9 }))];
}

function deb() {
  const folder = stage('deb', 'usr', 'vendor-completions');
  const size = Number(run('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);
  const control = [
    `Package: ${NAME}`,
    `Version: ${systemVersion}`,
    `Architecture: ${PROCESSOR.deb}`,
    `Maintainer: ${PACKAGE.maintainer}`,
    `Installed-Size: ${size}`,
    `Depends: ${[`libc6 (>= ${glibcNeeded()})`, ...PACKAGE.needs.deb].join(', ')}`,
    'Section: net',
    'Priority: optional',
    `Homepage: ${PACKAGE.homepage}`,
    `Description: ${PACKAGE.summary}`,
    ...PACKAGE.text.split('\n').map((line) => ` ${line}`),
  ];
  mkdirSync(join(folder, 'DEBIAN'), { mode: 0o755 });
  writeFileSync(join(folder, 'DEBIAN/control'), `${control.join('\n')}\n`);
  for (const script of readdirSync(join(ROOT, 'packaging/deb'))) {
    cpSync(join(ROOT, 'packaging/deb', script), join(folder, 'DEBIAN', script));
    chmodSync(join(folder, 'DEBIAN', script), 0o755);
  }
  const at = join(RELEASE, `${NAME}_${systemVersion}_${PROCESSOR.deb}.deb`);
  run('dpkg-deb', ['--root-owner-group', '--build', folder, at], { env: { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH) } });
  return [at];
}

/** The newest glibc that the executable asks for; its library's symbols name it. */
function glibcNeeded() {
  const text = readFileSync(EXECUTABLE, 'latin1');
  const minors = [...text.matchAll(/\bGLIBC_2\.(\d{1,2})\b/g)].map((match) => Number(match[1]));
  return `2.${Math.max(28, ...minors)}`;
}

function rpm() {
  const folder = stage('rpm', 'usr');
  const find = (type) => run('find', ['.', '-type', type], { cwd: folder, encoding: 'utf8' }).trim().split('\n').sort();
  const paths = find('f').map((path) => path.slice(1));
  // folders that nobody else may have made, and that would stay
  const folders = find('d')
    .map((path) => path.slice(1))
    .filter((path) => /^\/usr\/share\/(.*-completion|fish|zsh|doc\/.)/.test(path));
  const spec = `Name: ${NAME}
Version: ${systemVersion}
Release: 1
Summary: ${PACKAGE.summary}
License: ${PACKAGE.licence}
URL: ${PACKAGE.homepage}
${PACKAGE.needs.rpm.map((need) => `Requires: ${need}`).join('\n')}

# Stripping the executable would take the program out of it.
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none

# The same sources make the same file.
%global use_source_date_epoch_as_buildtime 1
%global _buildhost localhost

%description
${PACKAGE.text}

%install
cp -a ${folder}/. %{buildroot}

%post
if [ -d /run/systemd/system ]; then systemctl --system daemon-reload >/dev/null || :; fi

%preun
if [ "$1" = 0 ] && [ -d /run/systemd/system ]; then systemctl --no-reload disable --now netmon-tui.service >/dev/null 2>&1 || :; fi

%postun
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || :
  if [ "$1" != 0 ]; then systemctl try-restart netmon-tui.service >/dev/null || :; fi
fi

%files
%defattr(-,root,root)
${[...folders.map((path) => `%dir ${path}`), ...paths].join('\n')}
`;
  const at = join(STAGE, `${NAME}.spec`);
  writeFileSync(at, spec);
  const out = join(STAGE, 'rpmbuild');
  const words = ['--quiet', '-bb', '--define', `_topdir ${out}`, '--target', PROCESSOR.rpm, at];
  run('rpmbuild', words, { env: { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH) } });
  return run('find', [out, '-name', '*.rpm'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((made) => {
      const to = join(RELEASE, basename(made));
      cpSync(made, to);
      return to;
    });
}

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

function tarball() {
  run(process.execPath, [join(ROOT, 'scripts/npm-package.mjs')]);
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', RELEASE, join(ROOT, 'build/package')]);
  return [TARBALL];
}

function values() {
  return {
    ...PACKAGE,
    archVersion,
    archNeeds: PACKAGE.needs.arch.join(' '),
    sha256: sha256(TARBALL),
    serviceSha256: sha256(join(ROOT, SERVICES.linux.from)),
  };
}

/** Fills a file of packaging/ in: `{{version}}` and the like. */
function fromTemplate(path) {
  const known = values();
  const text = readFileSync(join(ROOT, 'packaging', path), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (known[key] === undefined) throw new Error(`packaging/${path}: unknown ${key}`);
    return known[key];
  });
  return write(path, text);
}

/** What `makepkg --printsrcinfo` prints of the PKGBUILD. */
function sourceInformation() {
  const known = values();
  const one = (key, value) => `\t${key} = ${value}`;
  return `${[
    `pkgbase = ${NAME}`,
    one('pkgdesc', PACKAGE.summary),
    one('pkgver', archVersion),
    one('pkgrel', '1'),
    one('url', PACKAGE.homepage),
    one('arch', 'x86_64'),
    one('arch', 'aarch64'),
    one('license', PACKAGE.licence),
    one('makedepends', 'npm'),
    ...PACKAGE.needs.arch.map((need) => one('depends', need)),
    one('noextract', `${NAME}-${VERSION}.tgz`),
    one('options', '!strip'),
    one('source', `https://registry.npmjs.org/${NAME}/-/${NAME}-${VERSION}.tgz`),
    one('source', `${PACKAGE.homepage}/raw/v${VERSION}/${SERVICES.linux.from}`),
    one('sha256sums', known.sha256),
    one('sha256sums', known.serviceSha256),
    '',
    `pkgname = ${NAME}`,
  ].join('\n')}\n`;
}

/** Why a kind can't be made here; null if it can. */
function obstacle({ needs, by, on, tool }) {
  if (on !== undefined && on !== PLATFORM) return `made on ${on} only`;
  if (needs !== undefined && !existsSync(needs)) return `${needs} is missing: ${by}`;
  if (tool !== undefined && spawnSync(tool, ['--version']).error) return `${tool} is not installed`;
  return null;
}

function main() {
  const unknown = wanted.filter((word) => !Object.hasOwn(KINDS, word));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(KINDS).join(', ')}`);
  process.umask(0o022);
  mkdirSync(RELEASE, { recursive: true });
  const made = [];
  for (const kind of wanted.length > 0 ? wanted : Object.keys(KINDS)) {
    const reason = obstacle(KINDS[kind]);
    if (reason !== null && wanted.length > 0) throw new Error(`${kind}: ${reason}`);
    if (reason === null) made.push(...KINDS[kind].make());
    else process.stderr.write(`package: no ${kind}: ${reason}\n`);
  }
  for (const path of made) process.stdout.write(`${basename(path)}  ${Math.ceil(statSync(path).size / 1024)} KiB\n`);
  return options.check ? checkPackages(RELEASE, made) : 0;
}

try {
  process.exitCode = main();
} catch (thrown) {
  // a program that failed has said why on standard error
  process.stderr.write(`package: ${thrown.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(STAGE, { recursive: true, force: true });
}
