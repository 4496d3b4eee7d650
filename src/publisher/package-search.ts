// Says which package executables are from: by the layout of their paths, or by what the databases of package managers list.

import { readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SqlEngine } from '../history/sqljs/engine.ts';
import { reasonOf } from '../model/errors.ts';
import type { Publisher } from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import { apkPackages, dpkgPackages, type Packages, type Patience, pacmanPackages } from './package-files.ts';
import { rpmPackages } from './rpm-database.ts';

/** An executable to look for. */
export interface Executable {
  readonly path: string;
  /** The file that the process executes, as `Proc.file` says it; empty if that is unknown. */
  readonly file: string;
}

/** How long all databases together may be searched. */
const PATIENCE_MS = 20_000;

const NOTHING: Publisher = { kind: 'unknown', name: null, version: null, by: null, source: null, note: null, digest: null };
export const BY_PATH = 'by its path alone';
export const OTHER_FILE = 'its file was replaced or removed since it began, or it sees other files at that path';

/** A publisher of whom nothing is known. @param note why */
export function unknownPublisher(note: string): Publisher {
  return { ...NOTHING, note };
}

/** Package managers that give each package a folder of its own: the pattern of its path, its name, and where it says one, its version. */
const LAYOUTS: readonly (readonly [source: string, pattern: RegExp])[] = [
  ['snap', /^(?:\/var\/lib\/snapd)?\/snap\/(?<name>[^/]+)\/(?<version>[^/]+)\/./],
  ['flatpak', /^(?:\/var\/lib|\/home\/[^/]+\/\.local\/share)\/flatpak\/(?:app|runtime)\/(?<name>[^/]+)\/./],
  ['nix', /^\/nix\/store\/[0-9a-z]{32}-(?<name>[^/]+?)(?:-(?<version>\d[^/]*))?\/./],
  ['guix', /^\/gnu\/store\/[0-9a-z]{32}-(?<name>[^/]+?)(?:-(?<version>\d[^/]*))?\/./],
  ['homebrew', /^(?:\/home\/linuxbrew\/\.linuxbrew|\/opt\/homebrew|\/usr\/local)\/Cellar\/(?<name>[^/]+)\/(?<version>[^/]+)\/./],
];

/** The package that the layout of a path names; null without one. */
export function publisherByLayout(path: string): Publisher | null {
  for (const [source, pattern] of LAYOUTS) {
    const { name, version } = pattern.exec(path)?.groups ?? {};
    if (name === undefined) continue;
    return {
      ...NOTHING,
      kind: 'package',
      name: sanitize(name),
      version: version === undefined ? null : sanitize(version),
      source,
    };
  }
  return null;
}

/** Where the databases are, below the root. rpm and apk moved theirs. */
const DPKG = 'var/lib/dpkg';
const APK = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];
const PACMAN = 'var/lib/pacman/local';
const RPM = ['usr/lib/sysimage/rpm/rpmdb.sqlite', 'var/lib/rpm/rpmdb.sqlite'];
/** Older databases of rpm, and where it begins: Berkeley DB, and NDB of SUSE. */
const RPM_OF_OLD = ['var/lib/rpm/Packages', 'usr/lib/sysimage/rpm/Packages.db', 'var/lib/rpm/Packages.db'];

/** rpm's databases that are there. */
export function rpmDatabases(root: string): readonly string[] {
  return RPM.map((path) => root + path).filter(exists);
}

/** Folders in which the search reads. */
export function databaseFolders(root: string): readonly string[] {
  const files = [...APK, ...RPM].map((path) => dirname(root + path));
  return [root + DPKG, root + PACMAN, ...files].filter(exists);
}

/**
 * Publishers of executables, by their order.
 *
 * @param root folder below which the databases are, with a slash at its end
 * @param engine null if rpm has no database here
 */
export function packagePublishers(root: string, asked: readonly Executable[], engine: SqlEngine | null): readonly Publisher[] {
  const end = performance.now() + PATIENCE_MS;
  const patience: Patience = () => {
    if (performance.now() > end) throw new Error('the search took too long');
  };
  const listings = listingsOf(
    root,
    asked.map(({ path }) => path),
  );
  const failures: string[] = RPM_OF_OLD.some((path) => exists(root + path))
    ? ["rpm's database is older than its SQLite form"]
    : [];
  const results: (readonly [source: string, found: Packages])[] = [];
  const search = (source: string, find: () => Packages | null) => {
    try {
      const found = find();
      if (found !== null) results.push([source, found]);
    } catch (thrown) {
      failures.push(reasonOf(thrown));
    }
  };
  search('dpkg', () => dpkgPackages(root + DPKG, listings, patience));
  for (const path of APK) search('apk', () => apkPackages(root + path, listings, patience));
  search('pacman', () => pacmanPackages(root + PACMAN, listings, patience));
  if (engine !== null) for (const path of rpmDatabases(root)) search('rpm', () => rpmPackages(engine, path, listings, patience));
  return asked.map(({ path, file }) => {
    const placed = publisherByLayout(path);
    if (placed !== null) return compared(placed, path, file);
    for (const [source, found] of results) {
      const known = found.get(path);
      if (known === undefined) continue;
      const { name, version, vendor } = known;
      return compared({ ...NOTHING, kind: 'package', name, version, by: vendor, source }, path, file);
    }
    if (failures[0] !== undefined) return unknownPublisher(failures[0]);
    if (results.length === 0) return unknownPublisher('no database of dpkg, rpm, apk or pacman here');
    return { ...NOTHING, kind: 'unpackaged' };
  });
}

/** Who has a path is who made what a process executes only if that is the file at the path. What lies in a home isn't touched: it may be a user's own file system. */
function compared(publisher: Publisher, path: string, file: string): Publisher {
  if (file === '' || path.startsWith('/home/')) return { ...publisher, note: BY_PATH };
  return fileAt(path) === file ? publisher : unknownPublisher(OTHER_FILE);
}

/** Folders that lead to others where /usr is merged: packages may list a file below either. */
const MERGED = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr/sbin', 'usr/lib64'];

/** Paths as databases may list them. */
function listingsOf(root: string, paths: readonly string[]): ReadonlyMap<string, string> {
  const listings = new Map<string, string>();
  const links = MERGED.flatMap((folder) => {
    const target = linkOf(root + folder);
    return target === null ? [] : [[`/${folder}/`, `${resolved(folder, target)}/`] as const];
  });
  for (const path of paths) {
    listings.set(path, path);
    // A link may lead to a link: /sbin to usr/sbin, and that to usr/bin.
    for (let names = [path], depth = 0; names.length > 0 && depth < 2; depth++) {
      names = names.flatMap((name) => links.flatMap(([from, to]) => (name.startsWith(to) ? [from + name.slice(to.length)] : [])));
      for (const name of names) if (!listings.has(name)) listings.set(name, path);
    }
  }
  return listings;
}

function resolved(folder: string, target: string): string {
  const whole = target.startsWith('/') ? target : `/${folder}/../${target}`;
  return new URL(`file://${encodeURI(whole)}`).pathname.replace(/\/$/, '');
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Device and inode as `Proc.file` writes them; empty if there is no such file. Asked only of files that a package of the system owns. */
function fileAt(path: string): string {
  try {
    return fileText(statSync(path, { bigint: true }));
  } catch {
    return '';
  }
}

/** @param stats device numbers as glibc packs them (gnu_dev_major(3)) */
export function fileText({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}.${minor}:${ino}`;
}
