// Finds the package that a file is from in what dpkg, apk and pacman keep as text. It reads regular files up to a bound, and asks no program.

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { sanitize } from '../net/text.ts';

/** A package as its database tells it. */
export interface Package {
  readonly name: string;
  readonly version: string | null;
  /** Who maintains or sells it. */
  readonly vendor: string | null;
}

/** Files to look for, by the path under which a database may list them: on a system where /bin leads to /usr/bin, older packages say /bin. */
export type Listings = ReadonlyMap<string, string>;

/** Packages found, by the path that was asked for. */
export type Packages = ReadonlyMap<string, Package>;

/** Largest file that is read, most of them, and when to give up. */
const MAX_BYTES = 64 << 20;
const MAX_FILES = 65_536;

/** Ends a search that takes too long. Throws. */
export type Patience = () => void;

/** Files one after the other in one piece of memory: a system's lists have tens of MB. */
class Regular {
  #bytes = Buffer.allocUnsafe(1 << 20);

  /** The bytes of a regular file, valid until the next call; null if it is missing, unreadable, something else or larger than MAX_BYTES. */
  read(path: string): Buffer | null {
    let file: number;
    try {
      file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch {
      return null;
    }
    try {
      const stats = fstatSync(file);
      if (!stats.isFile() || stats.size > MAX_BYTES) return null;
      if (stats.size > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(stats.size);
      let length = 0;
      for (let got = 1; got > 0 && length < stats.size; length += got)
        got = readSync(file, this.#bytes, length, stats.size - length, null);
      return this.#bytes.subarray(0, length);
    } catch {
      return null;
    } finally {
      closeSync(file);
    }
  }

  /** The same as text in Latin-1; empty for null. */
  text(path: string): string {
    return this.read(path)?.toString('latin1') ?? '';
  }
}

/** Lists a folder; null if it can't be read. */
function namesIn(folder: string): readonly string[] | null {
  try {
    return readdirSync(folder).slice(0, MAX_FILES);
  } catch {
    return null;
  }
}

/** Text of a database, where everything is read as Latin-1. */
function textOf(latin: string | null | undefined): string | null {
  const text = sanitize(Buffer.from(latin ?? '', 'latin1').toString('utf8')).trim();
  return text === '' ? null : text;
}

/** `Jane Doe <jane@example.com>` without the address. */
function withoutAddress(maintainer: string | null): string | null {
  return maintainer?.replace(/\s*<[^<>]*>\s*$/, '') || maintainer;
}

/** A path as databases list it, in Latin-1. */
function latinOf(path: string): string {
  return Buffer.from(path).toString('latin1');
}

/** Lines that are looked for, without making a text of each that a file has. */
class Lines<Value> {
  readonly #byLength = new Map<number, { readonly bytes: Buffer; readonly values: readonly Value[] }[]>();

  /** @param lines in Latin-1 */
  constructor(lines: ReadonlyMap<string, readonly Value[]>) {
    for (const [line, values] of lines) {
      const bytes = Buffer.from(line, 'latin1');
      const alike = this.#byLength.get(bytes.length) ?? [];
      this.#byLength.set(bytes.length, [...alike, { bytes, values }]);
    }
  }

  /** The values of those lines that a file has. */
  *in(file: Buffer | null): Generator<Value> {
    if (file === null) return;
    for (let at = 0; at < file.length; ) {
      const found = file.indexOf(0x0a, at);
      const end = found < 0 ? file.length : found;
      for (const { bytes, values } of this.#byLength.get(end - at) ?? NO_LINES)
        if (file.compare(bytes, 0, bytes.length, at, end) === 0) yield* values;
      at = end + 1;
    }
  }
}

const NO_LINES: readonly never[] = [];

/** What a file's listing must say to count. */
interface Wanted {
  readonly path: string;
  /** The only package whose listing counts; null for any. */
  readonly only: string | null;
  /** The one whose listing doesn't count; null for none. */
  readonly never: string | null;
}

/**
 * dpkg (deb(5), dpkg-divert(1)): `info/PACKAGE.list` names a package's files, `diversions` those that another package moved aside, `status` has the
 * packages themselves.
 *
 * @param folder `/var/lib/dpkg`
 * @returns null if there is no such database
 */
export function dpkgPackages(folder: string, listings: Listings, patience: Patience): Packages | null {
  const names = namesIn(`${folder}/info`)?.filter((name) => name.endsWith('.list'));
  if (names === undefined || names.length === 0) return null;
  const regular = new Regular();
  const lines = new Lines(withDiversions(listings, regular.text(`${folder}/diversions`)));
  const found = new Map<string, string>();
  for (const name of names) {
    patience();
    const owner = name.slice(0, -'.list'.length);
    const owned = owner.replace(/:[^:]*$/, '');
    for (const { path, only, never } of lines.in(regular.read(`${folder}/info/${name}`)))
      if ((only === null || only === owned) && never !== owned) found.set(path, owner);
  }
  const status = (found.size === 0 ? null : regular.read(`${folder}/status`)) ?? Buffer.alloc(0);
  return new Map([...found].map(([path, owner]) => [path, inStatus(status, owner)]));
}

/** Three lines for each diversion: the file, where others' copies of it go, and the package that has it instead, `:` for the administrator. */
function withDiversions(listings: Listings, diversions: string): ReadonlyMap<string, readonly Wanted[]> {
  const lines = diversions.split('\n');
  const from = new Map<string, string>();
  const to = new Map<string, readonly [file: string, by: string]>();
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [file, aside, by] = lines.slice(at, at + 3) as [string, string, string];
    from.set(file, by);
    to.set(aside, [file, by]);
  }
  const wanted = new Map<string, Wanted[]>();
  const want = (listed: string, one: Wanted) => wanted.set(listed, [...(wanted.get(listed) ?? []), one]);
  for (const [listing, path] of listings) {
    const listed = latinOf(listing);
    want(listed, { path, only: from.get(listed) ?? null, never: null });
    const moved = to.get(listed);
    if (moved !== undefined) want(moved[0], { path, only: null, never: moved[1] });
  }
  return wanted;
}

/** @param owner `curl`, or `libc6:amd64` where several architectures may be installed */
function inStatus(status: Buffer, owner: string): Package {
  const [name = owner, architecture] = owner.split(':');
  const head = Buffer.from(`Package: ${name}\n`, 'latin1');
  for (let at = status.indexOf(head); at >= 0; at = status.indexOf(head, at + 1)) {
    if (at > 0 && status[at - 1] !== 0x0a) continue;
    const end = status.indexOf('\n\n', at);
    const fields = status.toString('latin1', at, end < 0 ? undefined : end);
    const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(fields)?.[1];
    if (architecture !== undefined && field('Architecture') !== architecture) continue;
    return { name: textOf(name) ?? '', version: textOf(field('Version')), vendor: withoutAddress(textOf(field('Maintainer'))) };
  }
  return { name: textOf(name) ?? '', version: null, vendor: null };
}

/**
 * apk (apk-v2(5)): one file, a paragraph for each package. `P:` name, `V:` version, `m:` maintainer; `F:` a folder, `R:` a file in it.
 *
 * @param path `/lib/apk/db/installed`
 */
export function apkPackages(path: string, listings: Listings, patience: Patience): Packages | null {
  const text = new Regular().read(path)?.toString('latin1');
  if (text === undefined) return null;
  const wanted = new Map([...listings].map(([listing, asked]) => [latinOf(listing), asked]));
  const found = new Map<string, Package>();
  let [name, version, vendor, folder] = ['', '', '', ''];
  for (const line of text.split('\n')) {
    const value = line.slice(2);
    if (line.startsWith('P:')) {
      patience();
      [name, version, vendor, folder] = [value, '', '', ''];
    } else if (line.startsWith('V:')) version = value;
    else if (line.startsWith('m:')) vendor = value;
    else if (line.startsWith('F:')) folder = value;
    else if (line.startsWith('R:')) {
      const asked = wanted.get(`/${folder === '' ? '' : `${folder}/`}${value}`);
      if (asked !== undefined)
        found.set(asked, { name: textOf(name) ?? '', version: textOf(version), vendor: withoutAddress(textOf(vendor)) });
    }
  }
  return found;
}

/**
 * pacman (alpm-db): a folder for each package, with its files in `files` below `%FILES%`, and `desc`.
 *
 * @param folder `/var/lib/pacman/local`
 */
export function pacmanPackages(folder: string, listings: Listings, patience: Patience): Packages | null {
  const names = namesIn(folder);
  if (names === null) return null;
  const lines = new Lines(new Map([...listings].map(([listing, asked]) => [latinOf(listing.slice(1)), [asked]])));
  const regular = new Regular();
  const found = new Map<string, Package>();
  for (const name of names) {
    patience();
    for (const asked of [...lines.in(regular.read(`${folder}/${name}/files`))]) {
      const desc = regular.text(`${folder}/${name}/desc`);
      const field = (key: string) => textOf(new RegExp(`^%${key}%\\n(.*)$`, 'm').exec(desc)?.[1]);
      found.set(asked, {
        name: field('NAME') ?? textOf(name) ?? '',
        version: field('VERSION'),
        vendor: withoutAddress(field('PACKAGER')),
      });
    }
  }
  return found;
}
