// Finds the country and network of an address in the user's own data files. It uses no network and bundles no data: without files every answer
// is null. It never looks up private and other non-global addresses.

import { LRUCache } from 'lru-cache';
import { reasonOf } from '../../model/errors.ts';
import { formatAddress, isV4, scopeOf, V4_MAPPED } from '../../net/address.ts';
import { sanitize } from '../../net/text.ts';
import { Database, type PlaceRecord } from './database.ts';
import { type PlaceFiles, type PlaceRole, systemPlaceFiles, usualPath } from './place-files.ts';

/** Paths that the user gave; null searches the usual folders. */
export interface PlacePaths {
  readonly country: string | null;
  readonly asn: string | null;
}

/** A file in use. */
export interface PlaceData {
  readonly path: string;
  /** The file's own name for itself. */
  readonly type: string;
  /** Build date, `2026-01-31`; null if the file has none. */
  readonly built: string | null;
}

const ADDRESSES_KEPT = 16_384;
/** A file is dropped after this many broken records. */
const MAX_BROKEN = 8;
const NOWHERE: PlaceRecord = { country: null, asn: null, network: null };
/** 64:ff9b::/96 holds IPv4 addresses (RFC 6052 section 2.1). */
const NAT64 = 0x0064ff9b;

interface Source {
  readonly database: Database;
  readonly path: string;
  broken: number;
}

/** The open files. Looked up once per flow, not per packet. */
export class Places {
  /** Files in use, the country file first. */
  readonly dates: readonly PlaceData[];
  readonly #sources: Source[];
  readonly #notes: string[];
  readonly #known = new LRUCache<number | string, PlaceRecord>({ max: ADDRESSES_KEPT });
  readonly #embedded = new Int32Array([0, 0, V4_MAPPED, 0]);

  private constructor(sources: Source[], notes: string[]) {
    this.#sources = sources;
    this.#notes = notes;
    this.dates = sources.map(({ path, database: { type, built } }) => ({ path: sanitize(path), type, built }));
  }

  /**
   * Opens the available files. Never throws: missing and broken files appear in `note`.
   *
   * @param home home folder of the user whose files to use; null if unknown
   */
  static open(asked: PlacePaths, home: string | null, files: PlaceFiles = systemPlaceFiles): Places {
    const sources: Source[] = [];
    const notes: string[] = [];
    for (const role of ['country', 'asn'] satisfies PlaceRole[]) {
      const path = asked[role] ?? usualPath(role, home, files);
      if (path === null || sources.some((source) => source.path === path)) continue;
      try {
        const bytes = files.read(path);
        if (bytes !== null) sources.push({ database: new Database(bytes), path, broken: 0 });
        else if (asked[role] !== null) notes.push(`${role} data: ${sanitize(path)} does not exist`);
      } catch (thrown) {
        notes.push(`${role} data: ${sanitize(path)}: ${sanitize(reasonOf(thrown))}`);
      }
    }
    return new Places(sources, notes);
  }

  /** What is wrong with the files, in one line; empty if nothing is or there are none. */
  get note(): string {
    return this.#notes.join('; ');
  }

  /** Country and network of the address at `at`; all fields null if unknown. The result is shared, so don't change it. */
  lookup(words: Int32Array, at: number): PlaceRecord {
    if (this.#sources.length === 0) return NOWHERE;
    if (words[at] === NAT64 && words[at + 1] === 0 && words[at + 2] === 0) {
      this.#embedded[3] = words[at + 3] as number;
      return this.#lookup(this.#embedded, 0);
    }
    return this.#lookup(words, at);
  }

  #lookup(words: Int32Array, at: number): PlaceRecord {
    if (scopeOf(words, at) !== 'global') return NOWHERE;
    const key = isV4(words, at) ? (words[at + 3] as number) : `${words[at]}.${words[at + 1]}.${words[at + 2]}.${words[at + 3]}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const address = formatAddress(words, at);
    let place = NOWHERE;
    for (const source of [...this.#sources]) place = merged(place, this.#ask(source, address));
    this.#known.set(key, place);
    return place;
  }

  #ask(source: Source, address: string): PlaceRecord | null {
    try {
      return source.database.record(address);
    } catch (thrown) {
      if (source.broken++ === 0) this.#notes.push(`${sanitize(source.path)}: ${sanitize(reasonOf(thrown))}`);
      if (source.broken >= MAX_BROKEN) this.#sources.splice(this.#sources.indexOf(source), 1);
      return null;
    }
  }
}

/** Merges two records field by field. The first one wins. */
function merged(first: PlaceRecord, second: PlaceRecord | null): PlaceRecord {
  if (second === null) return first;
  if (first === NOWHERE) return second;
  return {
    country: first.country ?? second.country,
    asn: first.asn ?? second.asn,
    network: first.network ?? second.network,
  };
}
