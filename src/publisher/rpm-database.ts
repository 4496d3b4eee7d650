// Finds the package that a file is from in rpm's SQLite database. The table `Basenames` leads from a file's name to packages, whose headers list
// their files (lib/rpmtag.h and lib/header.c of rpm 4.18). It reads the database through the project's SQLite, without rpm's locks.

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { OverlayFile } from '../history/sqljs/database-file.ts';
import type { SqlEngine } from '../history/sqljs/engine.ts';
import { Statements } from '../history/sqljs/statements.ts';
import { sanitizeBytes } from '../net/text.ts';
import type { Listings, Package, Packages, Patience } from './package-files.ts';

/** Largest database that is opened, and largest header: the kernel's package lists some thousand files. */
const MAX_BYTES = 4 * 2 ** 30;
const MAX_HEADER_BYTES = 32 << 20;
/** Packages with a file of the same name that are looked at. */
const MAX_NAMESAKES = 256;
/** Bytes of a text that are kept. */
const MAX_TEXT = 256;

const TAG = {
  NAME: 1000,
  VERSION: 1001,
  RELEASE: 1002,
  EPOCH: 1003,
  VENDOR: 1011,
  DIRINDEXES: 1116,
  BASENAMES: 1117,
  DIRNAMES: 1118,
} as const;
const INT32 = 4;
/** In SQLite's file header: the versions for writing and reading; 2 is a database with a write-ahead log, which needs shared memory. */
const FORMAT_AT = 18;
const ROLLBACK = 1;

/** rpm's database says that it is being written: what it lacks may be there all the same. */
export const UNSETTLED = 'rpm is writing its database';

/**
 * @param path `rpmdb.sqlite`
 * @returns null if there is no such database
 * @throws what reading it fails with
 */
export function rpmPackages(engine: SqlEngine, path: string, listings: Listings, patience: Patience): Packages | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return null;
    if (stats.size > Math.min(MAX_BYTES, engine.files.maxBytes)) throw new Error("rpm's database is too large");
    const read = (bytes: Uint8Array, at: number): number => readWithoutLog(descriptor, bytes, at);
    const database = engine.files.open(engine, new OverlayFile({ size: stats.size, read }));
    try {
      const found = search(new Statements(database), listings, patience);
      if (found.size < new Set(listings.values()).size && sizeOf(`${path}-wal`) > 0) throw new Error(UNSETTLED);
      return found;
    } finally {
      database.close();
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reads the file as if it had no write-ahead log. rpm empties the log whenever it closes the database. */
function readWithoutLog(descriptor: number, bytes: Uint8Array, at: number): number {
  const got = readSync(descriptor, bytes, 0, bytes.length, at);
  for (const place of [FORMAT_AT, FORMAT_AT + 1]) if (place >= at && place < at + got) bytes[place - at] = ROLLBACK;
  return got;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function search(statements: Statements, listings: Listings, patience: Patience): Packages {
  const found = new Map<string, Package>();
  for (const [listing, asked] of listings) {
    const base = listing.slice(listing.lastIndexOf('/') + 1);
    const namesakes = statements.rows<[number, number]>(`SELECT hnum, idx FROM Basenames WHERE key = ? LIMIT ${MAX_NAMESAKES}`, [
      base,
    ]);
    for (const [number, index] of namesakes) {
      patience();
      const blob = statements.first<[Uint8Array]>('SELECT blob FROM Packages WHERE hnum = ? AND length(blob) <= ?', [
        number,
        MAX_HEADER_BYTES,
      ])?.[0];
      const header = blob instanceof Uint8Array ? headerOf(blob) : null;
      if (header?.file(index) !== listing) continue;
      found.set(asked, header.package);
      break;
    }
  }
  return found;
}

/** A package's header. */
interface Header {
  readonly package: Package;
  /** Path of one of its files; null if it has no such file. */
  file(index: number): string | null;
}

/**
 * A header as the database keeps it, numbers in network order:
 *
 *     0 entries u32 | 4 bytes of data u32 | 8 entries of 16: tag, type, offset of its data, count | data
 */
function headerOf(blob: Uint8Array): Header | null {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes.length < 8) return null;
  const entries = bytes.readUInt32BE(0);
  const data = 8 + entries * 16;
  if (data > bytes.length) return null;
  const places = new Map<number, { readonly type: number; readonly at: number; readonly count: number }>();
  for (let at = 8; at < data; at += 16)
    places.set(bytes.readUInt32BE(at), {
      type: bytes.readUInt32BE(at + 4),
      at: data + bytes.readUInt32BE(at + 8),
      count: bytes.readUInt32BE(at + 12),
    });
  const text = (tag: number, index = 0): string | null => {
    const place = places.get(tag);
    if (place === undefined || place.type === INT32 || index >= place.count) return null;
    let at = place.at;
    for (let skipped = 0; skipped < index; skipped++) {
      at = bytes.indexOf(0, at) + 1;
      if (at === 0) return null;
    }
    const end = at < bytes.length ? bytes.indexOf(0, at) : -1;
    return end < 0 ? null : bytes.toString('utf8', at, end);
  };
  const number = (tag: number, index = 0): number | null => {
    const place = places.get(tag);
    if (place === undefined || place.type !== INT32 || index >= place.count) return null;
    const at = place.at + index * 4;
    return at + 4 > bytes.length ? null : bytes.readUInt32BE(at);
  };
  const shown = (tag: number): string | null => {
    const value = text(tag);
    if (value === null || value === '') return null;
    const raw = Buffer.from(value).subarray(0, MAX_TEXT);
    return sanitizeBytes(raw, 0, raw.length);
  };
  return {
    get package() {
      const epoch = number(TAG.EPOCH);
      const version = [shown(TAG.VERSION), shown(TAG.RELEASE)].filter((part) => part !== null).join('-');
      return {
        name: shown(TAG.NAME) ?? '',
        version: version === '' ? null : `${epoch === null || epoch === 0 ? '' : `${epoch}:`}${version}`,
        vendor: shown(TAG.VENDOR),
      };
    },
    file(index) {
      const folder = number(TAG.DIRINDEXES, index);
      const [base, path] = [text(TAG.BASENAMES, index), folder === null ? null : text(TAG.DIRNAMES, folder)];
      return base === null || path === null ? null : `${path}${base}`;
    },
  };
}
