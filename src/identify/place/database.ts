// Reads an MMDB file (MaxMind, DB-IP, IPinfo and compatible ones) from memory, through mmdb-lib but within our own bounds.

import { type CountryResponse, Reader } from 'mmdb-lib';
import { u8, u16, u32 } from '../../net/bytes.ts';
import { sanitize } from '../../net/text.ts';

/** What a file says about an address. */
export interface PlaceRecord {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  readonly asn: number | null;
  /** Operator of the autonomous system. */
  readonly network: string | null;
}

const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** The metadata starts within the last 128 KiB (spec, "Database Metadata"). */
const METADATA_REACH = 131_072;
/** Zero bytes between the search tree and the data. */
const SEPARATOR = 16;
const RECORDS_KEPT = 4096;
const LONGEST_NETWORK = 128;

/** An open file. */
export class Database {
  /** The file's own name for itself: `GeoLite2-Country`. */
  readonly type: string;
  /** Build date, `2026-01-31`; null if the file has none. */
  readonly built: string | null;
  readonly #reader: Reader<CountryResponse>;

  /** @throws Error if the bytes aren't an MMDB file or the file is broken */
  constructor(bytes: Buffer) {
    const marker = bytes.lastIndexOf(MARKER);
    if (marker < 0 || bytes.length - marker > METADATA_REACH) throw new Error('not an MMDB file');
    const start = marker + MARKER.length;
    // The walk reads five bytes ahead; without padding it would refuse a short value at the end of the file.
    const padded = Buffer.concat([bytes.subarray(start), Buffer.alloc(8)]);
    if (!isBounded(padded, 0, 0)) throw new Error('the metadata is broken');
    const records = new Map<number, unknown>();
    let data = 0;
    this.#reader = new Reader<CountryResponse>(bytes, {
      cache: {
        // mmdb-lib calls this with the offset of each record and each pointer target, before it decodes them.
        get(place: number) {
          const known = records.get(place);
          if (known !== undefined) return known;
          if (!isBounded(bytes, data, place)) throw new Error('a record is broken or too large');
          return undefined;
        },
        set(place: number, value: unknown) {
          if (records.size >= RECORDS_KEPT) records.clear();
          records.set(place, value);
        },
      },
    });
    const { ipVersion, nodeCount, searchTreeSize, databaseType, buildEpoch } = this.#reader.metadata;
    data = searchTreeSize + SEPARATOR;
    if ((ipVersion !== 4 && ipVersion !== 6) || !(nodeCount > 0) || !(data <= start)) throw new Error('the metadata is broken');
    this.type = sanitize(String(databaseType)).slice(0, 64);
    const time = buildEpoch.getTime();
    this.built = time > 0 && time < 253_402_300_800_000 ? buildEpoch.toISOString().slice(0, 10) : null;
  }

  /** The record of an address, given as text; null if there is none. @throws Error for a broken record */
  record(address: string): PlaceRecord | null {
    const { ipVersion } = this.#reader.metadata;
    if (ipVersion === 4 && address.includes(':')) return null;
    const found: unknown = this.#reader.get(address);
    return isTable(found) ? placeOf(found) : null;
  }
}

/** The fields that we read. Their values may be anything. */
interface Table {
  readonly country?: unknown;
  readonly registered_country?: unknown;
  readonly iso_code?: unknown;
  readonly country_code?: unknown;
  readonly autonomous_system_number?: unknown;
  readonly autonomous_system_organization?: unknown;
  readonly asn?: unknown;
  readonly as_name?: unknown;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * MaxMind and DB-IP write `country.iso_code`, `autonomous_system_number` and `autonomous_system_organization`; IPinfo `country_code` or
 * `country`, `asn` ("AS64496") and `as_name`; ip-location-db `country_code`.
 */
function placeOf(record: Table): PlaceRecord {
  const [code, registered] = [record.country, record.registered_country].map((value) =>
    isTable(value) ? value.iso_code : undefined,
  );
  const network = record.autonomous_system_organization ?? record.as_name;
  return {
    country: countryOf(code ?? record.country_code ?? record.country) ?? countryOf(registered),
    asn: asnOf(record.autonomous_system_number ?? record.asn),
    network: typeof network === 'string' ? sanitize(network).slice(0, LONGEST_NETWORK) || null : null,
  };
}

function countryOf(code: unknown): string | null {
  return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : null;
}

function asnOf(value: unknown): number | null {
  const asn = typeof value === 'string' ? Number(/^(?:AS)?(\d{1,10})$/.exec(value)?.[1] ?? 0) : value;
  return typeof asn === 'number' && Number.isInteger(asn) && asn > 0 && asn <= 0xffffffff ? asn : null;
}

// Measures a value in an MMDB file without building it, because a hostile file could contain a value that fills memory.
// Format: https://maxmind.github.io/MaxMind-DB/, version 2.0, "Data Field Format".

/** Real records hold about 200 values, including names in eight languages. */
const MAX_VALUES = 4096;
const MAX_BYTES = 65_536;
const MAX_DEPTH = 16;

const POINTER = 1;
const MAP = 7;
const ARRAY = 11;
const BOOLEAN = 14;
const LAST_TYPE = 15;
/** Offset added to a pointer, by its size (spec, "pointer"). */
const POINTER_BASE = [0, 2048, 526_336, 0] as const;

/**
 * Whether the value at `at`, with everything it points to, is well formed, inside `bytes`, and within the limits of a record.
 *
 * @param base offset to which pointers are relative
 */
export function isBounded(bytes: Uint8Array, base: number, at: number): boolean {
  let values = 0;
  let size = 0;

  /** @returns the end of the value; -1 if it must not be read */
  const walk = (from: number, depth: number, pointed: boolean): number => {
    if (++values > MAX_VALUES || depth > MAX_DEPTH || from + 5 > bytes.length) return -1; // 5: the longest control sequence
    const control = u8(bytes, from);
    let type = control >>> 5;
    let next = from + 1;
    if (type === POINTER) {
      const length = (control >>> 3) & 3;
      const high = length === 3 ? 0 : (control & 7) << (8 * (length + 1));
      let low = 0;
      for (let i = 0; i <= length; i++) low = low * 256 + u8(bytes, next + i);
      const target = base + (POINTER_BASE[length] as number) + high + low;
      return pointed || walk(target, depth + 1, true) < 0 ? -1 : next + length + 1;
    }
    if (type === 0) type = 7 + u8(bytes, next++);
    if (type <= POINTER || type > LAST_TYPE || type === 12 || type === 13) return -1;
    let length = control & 31;
    if (length === 29) length = 29 + u8(bytes, next++);
    else if (length === 30) {
      length = 285 + u16(bytes, next);
      next += 2;
    } else if (length === 31) {
      if (next + 4 > bytes.length) return -1;
      length = 65_821 + (u32(bytes, next) >>> 8);
      next += 3;
    }
    if (type === BOOLEAN) return next;
    if (type !== MAP && type !== ARRAY) {
      size += length;
      return size > MAX_BYTES || next + length > bytes.length ? -1 : next + length;
    }
    for (let i = type === MAP ? 2 * length : length; i > 0; i--) {
      next = walk(next, depth + 1, false);
      if (next < 0) return -1;
    }
    return next;
  };

  return at >= 0 && walk(at, 0, false) >= 0;
}
