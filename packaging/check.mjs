// Installs, runs and removes what packaging/make.mjs made, each in a folder of its own, and lints what no program here could install.
// A tool that is missing is said, and is no failure.

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const { name: NAME, version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** What package managers keep for themselves, and the kernel's own. */
const NOT_OURS = [
  'dev',
  'proc',
  'sys',
  'run',
  'tmp',
  'var/cache',
  'var/log',
  'var/lib/apt',
  'var/lib/dpkg',
  'var/lib/rpm',
  'root/.rpmdb',
];

const has = (program) => !spawnSync(program, ['--version']).error;
const say = (text) => process.stdout.write(`check: ${text}\n`);

/** @throws Error with the last lines that a command printed */
function run(program, words, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (status === 0) return stdout;
  const said = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-15).join('\n  ');
  throw new Error(`${[program, ...words].join(' ')}: ${error?.message ?? `status ${status}`}\n  ${said}`);
}

/** A small Debian without Node, a compiler or libpcap. Commands run in it with file systems that go away with them. */
class Debian {
  folder = mkdtempSync(join(tmpdir(), 'netmon-debian-'));

  constructor() {
    chmodSync(this.folder, 0o755);
    const codename = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
    run('debootstrap', ['--variant=minbase', codename, this.folder]);
    for (const program of ['node', 'cc', 'tcpdump']) this.sh(`! command -v ${program}`);
    this.sh('! ls /usr/lib/*/libpcap.so*');
  }

  sh(script) {
    const inside = `mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" && exec chroot "$1" /bin/sh -c "$2"`;
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      DEBIAN_FRONTEND: 'noninteractive',
      LC_ALL: 'C',
    };
    return run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', inside, 'sh', this.folder, script], { env });
  }

  /** Every file with its kind, mode and owner. */
  files() {
    const left = NOT_OURS.flatMap((path) => ['-path', `./${path}`, '-o']).slice(0, -1);
    const words = ['.', '(', ...left, ')', '-prune', '-o', '!', '-name', 'ld.so.cache', '-printf', '%y %m %U %p\\n'];
    return new Set(run('find', words, { cwd: this.folder }).split('\n'));
  }

  close() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Installs, runs and removes; nothing may be left. */
function inDebian(debian, { kind, install, remove, words }) {
  const before = debian.files();
  install();
  const version = debian.sh(`${NAME} --version`).split('\n')[0];
  if (version !== `${NAME} ${VERSION}`) throw new Error(`${kind}: it calls itself ${version}`);
  for (const script of words) debian.sh(script);
  for (const file of [`man/man1/${NAME}.1.gz`, `bash-completion/completions/${NAME}`, `doc/${NAME}/LICENSE.node.gz`])
    debian.sh(`test -s /usr/share/${file}`);
  remove();
  const after = debian.files();
  const left = [...after].filter((file) => !before.has(file));
  const lost = [...before].filter((file) => !after.has(file));
  if (left.length + lost.length > 0) throw new Error(`${kind}: left or changed by it:\n  ${[...left, ...lost].join('\n  ')}`);
  say(`${kind}: installs, runs, and is gone after its removal`);
}

function checkInstalled(deb, rpm) {
  if (deb === undefined && rpm === undefined) return;
  if (process.geteuid?.() !== 0 || !has('debootstrap')) {
    say('deb, rpm: not installed here: this takes root and debootstrap');
    return;
  }
  const debian = new Debian();
  try {
    if (deb !== undefined) {
      const at = `/tmp/${basename(deb)}`;
      cpSync(deb, join(debian.folder, at));
      inDebian(debian, {
        kind: 'deb',
        install: () => debian.sh(`apt-get update -q && apt-get install -qy --no-install-recommends ${at}`),
        remove: () => debian.sh(`apt-get purge -qy --autoremove ${NAME}`),
        // the screen's own needs are the terminal's; this takes libpcap, sockets and /proc
        words: [`${NAME} --once --duration 1s -i lo`, `${NAME} interfaces`, `${NAME} doctor >/dev/null; test $? -le 1`],
      });
    }
    if (rpm !== undefined && has('rpm')) {
      // its dependencies have other names in Debian
      const words = ['--root', debian.folder, '--nodeps', '--nosignature'];
      inDebian(debian, {
        kind: 'rpm',
        install: () => run('rpm', [...words, '--install', rpm]),
        remove: () => {
          run('rpm', [...words, '--erase', NAME]);
          for (const path of ['var/lib/rpm', 'root/.rpmdb', 'usr/lib/sysimage'])
            rmSync(join(debian.folder, path), { recursive: true, force: true });
        },
        words: [],
      });
    }
  } finally {
    debian.close();
  }
}

/** An executable that runs from wherever it is unpacked. */
function checkArchive(path) {
  const folder = mkdtempSync(join(tmpdir(), 'netmon-archive-'));
  try {
    run('tar', ['-xzf', path, '-C', folder]);
    const version = run(join(folder, basename(path, '.tar.gz'), 'bin', NAME), ['--version'], { env: {} }).split('\n')[0];
    if (version !== `${NAME} ${VERSION}`) throw new Error(`archive: it calls itself ${version}`);
    say('archive: what is in it runs');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkFormula(path) {
  if (!has('ruby')) return say('formula: ruby is not installed');
  run('ruby', ['-c', path]);
  say(has('brew') ? `formula: ${run('brew', ['style', path]).trim()}` : 'formula: sound Ruby; brew is not installed');
}

/** Builds the package from the tarball that is not published yet: makepkg takes sources from SRCDEST if they are there. */
function checkPkgbuild(path, sources) {
  run('bash', ['-n', path]);
  if (!has('makepkg')) return say('pkgbuild: sound bash; makepkg is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-arch-'));
  try {
    chmodSync(folder, 0o777);
    for (const source of [path, ...sources]) cpSync(source, join(folder, basename(source)));
    const env = { ...process.env, HOME: folder, SRCDEST: folder, PKGDEST: folder, BUILDDIR: folder, PKGEXT: '.pkg.tar' };
    // it asks for the path of pacman even where nothing is installed by it
    if (!has('pacman')) env.PACMAN = 'true';
    // makepkg refuses root
    const account = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const options = { cwd: folder, env, ...account };
    const information = run('makepkg', ['--printsrcinfo'], options);
    if (information !== readFileSync(join(dirname(path), '.SRCINFO'), 'utf8'))
      throw new Error(`.SRCINFO is not what makepkg prints:\n${information}`);
    run('makepkg', ['--nodeps', '--noconfirm'], options);
    const version = run(join(folder, 'pkg', NAME, 'usr/bin', NAME), ['--version']).split('\n')[0];
    if (version !== `${NAME} ${VERSION}`) throw new Error(`pkgbuild: it calls itself ${version}`);
    say('pkgbuild: makepkg builds it, and what it builds runs');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Checks the files of a release.
 *
 * @param made those of them to check
 *
 * @returns exit status
 */
export function checkPackages(folder, made) {
  const find = (end) => made.find((path) => path.endsWith(end));
  try {
    if (find('.tar.gz')) checkArchive(find('.tar.gz'));
    if (find('.rb')) checkFormula(find('.rb'));
    if (find('PKGBUILD'))
      checkPkgbuild(find('PKGBUILD'), [join(folder, `${NAME}-${VERSION}.tgz`), join(ROOT, 'packaging/netmon-tui.service')]);
    checkInstalled(find('.deb'), find('.rpm'));
    return 0;
  } catch (thrown) {
    process.stderr.write(`check: ${thrown.message}\n`);
    return 1;
  }
}
