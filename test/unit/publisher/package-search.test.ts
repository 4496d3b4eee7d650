import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSql } from '../../../src/history/sqljs/engine.ts';
import { databaseFolders, fileText, packagePublishers, publisherByLayout } from '../../../src/publisher/package-search.ts';
import { fakeRoot, removeFakeRoots } from '../../support/fake-edges.ts';

afterAll(removeFakeRoots);

const STATUS = `Package: curl
Status: install ok installed
Maintainer: Jane Doe <jane@example.com>
Architecture: amd64
Version: 7.88.1-10+deb12u5
Description: transfers data
 Package: libc6

Package: libc6
Architecture: i386
Version: 1.0

Package: libc6
Architecture: amd64
Version: 2.36-9
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
`;

/** What is known of executables on a system with these files. */
function publishers(files: Record<string, string>, paths: readonly string[], file = '') {
  const root = `${fakeRoot(files)}/`;
  return packagePublishers(
    root,
    paths.map((path) => ({ path, file })),
    null,
  );
}

/** `kind name version by source note`, without what is missing. */
function lines(files: Record<string, string>, paths: readonly string[], file = ''): string[] {
  return publishers(files, paths, file).map(({ kind, name, version, by, source, note }) =>
    [kind, name, version, by, source, note].filter((part) => part !== null).join(' | '),
  );
}

const PATH_ONLY = 'by its path alone';

describe('dpkg', () => {
  const files = {
    'var/lib/dpkg/status': STATUS,
    'var/lib/dpkg/info/curl.list': '/.\n/usr\n/usr/bin\n/usr/bin/curl\n',
    'var/lib/dpkg/info/libc6:amd64.list': '/lib/x86_64-linux-gnu/ld.so\n/sbin/ldconfig\n',
    'var/lib/dpkg/info/libc6:i386.list': '/lib/ld-linux.so.2\n',
    'var/lib/dpkg/info/curl.md5sums': '/usr/bin/nothing\n',
  };

  it('names the package that lists a file, with version and maintainer', () => {
    expect(lines(files, ['/usr/bin/curl', '/lib/ld-linux.so.2'])).toEqual([
      `package | curl | 7.88.1-10+deb12u5 | Jane Doe | dpkg | ${PATH_ONLY}`,
      `package | libc6 | 1.0 | dpkg | ${PATH_ONLY}`,
    ]);
  });

  it('says of anything else that it is from no package', () => {
    expect(lines(files, ['/usr/bin', '/usr/bin/nothing', '/home/ann/curl', '/usr/bin/cur', '/bin/curl'])).toEqual([
      `package | curl | 7.88.1-10+deb12u5 | Jane Doe | dpkg | ${PATH_ONLY}`,
      ...Array.from({ length: 4 }, () => 'unpackaged'),
    ]);
  });

  it('knows files under the folder that /usr took in', () => {
    const merged = { ...files, bin: '-> usr/bin', sbin: '-> usr/sbin', lib: '-> usr/lib', 'usr/sbin/x': '', 'usr/lib/x': '' };
    expect(lines(merged, ['/usr/sbin/ldconfig', '/usr/lib/x86_64-linux-gnu/ld.so', '/usr/bin/ldconfig'])).toEqual([
      `package | libc6 | 2.36-9 | GNU Libc Maintainers | dpkg | ${PATH_ONLY}`,
      `package | libc6 | 2.36-9 | GNU Libc Maintainers | dpkg | ${PATH_ONLY}`,
      'unpackaged',
    ]);
    // Where /usr/sbin leads to /usr/bin, too.
    const all = { ...merged, 'usr/bin/x': '', 'usr/sbin': '-> bin' };
    delete (all as Record<string, string>)['usr/sbin/x'];
    expect(lines(all, ['/usr/bin/ldconfig'])).toEqual([`package | libc6 | 2.36-9 | GNU Libc Maintainers | dpkg | ${PATH_ONLY}`]);
  });

  it('follows diversions to both ends', () => {
    const diverted = {
      'var/lib/dpkg/status': '',
      'var/lib/dpkg/diversions': '/usr/bin/perf\n/usr/bin/perf.wrapper\nlinux-perf\n/usr/bin/ls\n/usr/bin/ls.real\n:\n',
      'var/lib/dpkg/info/wrapper.list': '/usr/bin/perf\n',
      'var/lib/dpkg/info/linux-perf.list': '/usr/bin/perf\n',
      'var/lib/dpkg/info/coreutils.list': '/usr/bin/ls\n',
    };
    const names = publishers(diverted, ['/usr/bin/perf', '/usr/bin/perf.wrapper', '/usr/bin/ls', '/usr/bin/ls.real']);
    expect(names.map(({ kind, name }) => name ?? kind)).toEqual(['linux-perf', 'wrapper', 'unpackaged', 'coreutils']);
  });

  it('compares the file that runs with the one at its path', () => {
    const root = `${fakeRoot({ ...files, 'usr/bin/curl': 'x' })}/`;
    const path = `${root}usr/bin/curl`;
    writeFileSync(`${root}var/lib/dpkg/info/curl.list`, `${path}\n`);
    const ask = (file: string) => packagePublishers(root, [{ path, file }], null)[0];
    expect(ask(fileText(statSync(path, { bigint: true })))).toMatchObject({ kind: 'package', name: 'curl', note: null });
    expect(ask('8.1:42')).toMatchObject({ kind: 'unknown', name: null, note: expect.stringContaining('replaced or removed') });
    expect(ask('')).toMatchObject({ kind: 'package', note: PATH_ONLY });
  });

  it('strips what a database could do to a terminal', () => {
    const evil = {
      'var/lib/dpkg/status': 'Package: a\u001b[2J\nVersion: \u202e1\nMaintainer: x\u0007 <y>\n',
      'var/lib/dpkg/info/a\u001b[2J.list': '/x\n',
    };
    expect(lines(evil, ['/x'])).toEqual([`package | a[2J | 1 | x | dpkg | ${PATH_ONLY}`]);
  });
});

it('apk lists files below their folders', () => {
  const installed =
    'C:Q1\nP:busybox\nV:1.36.1-r2\nm:Sören <soren@example.com>\nF:bin\nR:busybox\nZ:Q1\nR:sh\nF:\nR:init\n\nP:curl\nV:8\nF:usr/bin\nR:curl\n';
  const paths = ['/bin/busybox', '/init', '/usr/bin/curl', '/bin/curl'];
  const found = [
    `package | busybox | 1.36.1-r2 | Sören | apk | ${PATH_ONLY}`,
    `package | busybox | 1.36.1-r2 | Sören | apk | ${PATH_ONLY}`,
    `package | curl | 8 | apk | ${PATH_ONLY}`,
    'unpackaged',
  ];
  expect(lines({ 'lib/apk/db/installed': installed }, paths)).toEqual(found);
  expect(lines({ 'usr/lib/apk/db/installed': installed }, paths)).toEqual(found);
});

it('pacman has a folder for each package', () => {
  const files = {
    'var/lib/pacman/local/curl-8.5.0-1/files': '%FILES%\nusr/\nusr/bin/\nusr/bin/curl\n',
    'var/lib/pacman/local/curl-8.5.0-1/desc': '%NAME%\ncurl\n\n%VERSION%\n8.5.0-1\n\n%PACKAGER%\nJane <jane@example.org>\n',
    'var/lib/pacman/local/ALPM_DB_VERSION': '9\n',
  };
  expect(lines(files, ['/usr/bin/curl', '/opt/curl'])).toEqual([
    `package | curl | 8.5.0-1 | Jane | pacman | ${PATH_ONLY}`,
    'unpackaged',
  ]);
});

describe('rpm', () => {
  /** As `rpm -i --justdb` of 4.18 made it of two packages, with its write-ahead log emptied. */
  const database = gunzipSync(readFileSync(new URL('rpmdb.sqlite.gz', import.meta.url)));
  const paths = ['/usr/bin/hello', '/usr/libexec/other/hello', '/usr/libexec/hello/helper', '/opt/hello', "/x/'; DROP TABLE--"];

  async function found(place: string, bytes: Uint8Array, log = '') {
    const root = `${fakeRoot({ [place]: '', [`${place}-wal`]: log })}/`;
    writeFileSync(`${root}${place}`, bytes);
    const asked = paths.map((path) => ({ path, file: '' }));
    return packagePublishers(root, asked, await loadSql());
  }

  it.each(['var/lib/rpm/rpmdb.sqlite', 'usr/lib/sysimage/rpm/rpmdb.sqlite'])('is read from %s', async (place) => {
    const known = { kind: 'package', name: 'hello', version: '1:2.12-3.fc41', by: 'Fedora Project', source: 'rpm' };
    expect(await found(place, database)).toMatchObject([
      known,
      { kind: 'package', name: 'other', version: '2.12-3.fc41', by: null },
      known,
      { kind: 'unpackaged' },
      { kind: 'unpackaged' },
    ]);
  });

  it('claims nothing of files that it lacks while it is being written', async () => {
    const [, , , missing] = await found('var/lib/rpm/rpmdb.sqlite', database, 'log');
    expect(missing).toMatchObject({ kind: 'unknown', note: 'rpm is writing its database' });
  });

  it('survives broken databases and headers', async () => {
    const kinds = async (bytes: Uint8Array) => (await found('var/lib/rpm/rpmdb.sqlite', bytes)).map(({ kind }) => kind);
    expect(await kinds(new Uint8Array(0))).toEqual(paths.map(() => 'unknown'));
    expect(await kinds(database.subarray(0, 9000))).toEqual(paths.map(() => 'unknown'));
    const engine = await loadSql();
    for (const blob of [
      [],
      [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
      [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0x5d, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9],
    ]) {
      const broken = new engine.Database(database);
      broken.run('UPDATE Packages SET blob = ?', [new Uint8Array(blob)]);
      expect(await kinds(broken.export())).toEqual(paths.map(() => 'unpackaged'));
      broken.close();
    }
  });

  it('says so where it is older than SQLite', () => {
    expect(lines({ 'var/lib/rpm/Packages': 'x' }, ['/usr/bin/x'])).toEqual([
      "unknown | rpm's database is older than its SQLite form",
    ]);
  });
});

it('says that there is no database', () => {
  expect(lines({}, ['/usr/bin/x'])).toEqual(['unknown | no database of dpkg, rpm, apk or pacman here']);
});

it('reads only regular files, in the folders that it names', () => {
  const files = {
    'etc/secret': '/usr/bin/x\n',
    'var/lib/dpkg/info/a.list': '-> ../../../../etc/secret',
    'var/lib/dpkg/info/b.list': '',
  };
  expect(lines(files, ['/usr/bin/x'])).toEqual(['unpackaged']);
  const root = `${fakeRoot(files)}/`;
  expect(databaseFolders(root)).toEqual([`${root}var/lib/dpkg`]);
});

describe('the layout of a path', () => {
  it.each([
    ['/snap/firefox/3836/usr/lib/firefox/firefox', 'snap firefox 3836'],
    ['/var/lib/snapd/snap/core/1/bin/x', 'snap core 1'],
    ['/var/lib/flatpak/app/org.mozilla.firefox/x86_64/stable/active/files/bin/firefox', 'flatpak org.mozilla.firefox'],
    ['/home/ann/.local/share/flatpak/app/org.gnome.Maps/current/files/bin/x', 'flatpak org.gnome.Maps'],
    ['/nix/store/0c1zfmnhxyzb3d4qf5wln6ps7r8vjkia-curl-8.5.0/bin/curl', 'nix curl 8.5.0'],
    ['/gnu/store/0c1zfmnhxyzb3d4qf5wln6ps7r8vjkia-gcc-toolchain-13.2/bin/gcc', 'guix gcc-toolchain 13.2'],
    ['/home/linuxbrew/.linuxbrew/Cellar/node/21.6.1/bin/node', 'homebrew node 21.6.1'],
    ['/opt/homebrew/Cellar/wget/1.21.4/bin/wget', 'homebrew wget 1.21.4'],
  ])('of %s is %s', (path, expected) => {
    const { source, name, version } = publisherByLayout(path) ?? {};
    expect([source, name, version].filter((part) => part !== null).join(' ')).toBe(expected);
  });

  it('counts only if its file is the one that runs; a home is not looked into', () => {
    const snap = '/snap/firefox/3836/usr/lib/firefox/firefox';
    const maps = '/home/ann/.local/share/flatpak/app/org.gnome.Maps/current/files/bin/x';
    expect(lines({}, [snap, maps])).toEqual([
      `package | firefox | 3836 | snap | ${PATH_ONLY}`,
      `package | org.gnome.Maps | flatpak | ${PATH_ONLY}`,
    ]);
    expect(publishers({}, [snap, maps], '8.1:42').map(({ kind, note }) => `${kind}: ${note}`)).toEqual([
      expect.stringMatching(/^unknown: its file was replaced/),
      `package: ${PATH_ONLY}`,
    ]);
  });

  it.each(['/snap/firefox', '/tmp/snap/a/1/x', '/nix/store/short-curl/bin/curl', '/opt/homebrew/bin/x', '/nix/x'])(
    'of %s names nothing',
    (path) => expect(publisherByLayout(path)).toBeNull(),
  );
});
