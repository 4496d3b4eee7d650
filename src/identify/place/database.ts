// One MMDB file (MaxMind, DB-IP, IPinfo and what follows their forms), held in memory, read through mmdb-lib with bounds of our own.

import { type CountryResponse, Reader } from 'mmdb-lib';
import { sanitize } from '../../net/text.ts';
import { isBounded } from './record-bounds.ts';

/** What a file says of an address. */
export interface PlaceRecord {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  readonly asn: number | null;
  /** Who runs the autonomous system. */
  readonly network: string | null;
}

const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** The metadata begins within the last 128 KiB (spec, "Database Metadata"). */
const METADATA_REACH = 131_072;
/** Zero bytes between the search tree and the data. */
const SEPARATOR = 16;
const RECORDS_KEPT = 4096;
const LONGEST_NETWORK = 128;

/** An open file. */
export class Database {
  /** As the file calls itself: `GeoLite2-Country`. */
  readonly type: string;
  /** Day on which it was made, `2026-01-31`; null where the file does not tell. */
  readonly built: string | null;
  readonly #reader: Reader<CountryResponse>;

  /** @throws Error for what is no MMDB file, or a broken one */
  constructor(bytes: Buffer) {
    const marker = bytes.lastIndexOf(MARKER);
    if (marker < 0 || bytes.length - marker > METADATA_REACH) throw new Error('not an MMDB file');
    const start = marker + MARKER.length;
    // the walk looks five bytes ahead; a short value at the very end of the file is no reason to refuse it
    const padded = Buffer.concat([bytes.subarray(start), Buffer.alloc(8)]);
    if (!isBounded(padded, 0, 0)) throw new Error('its metadata is broken');
    const records = new Map<number, unknown>();
    let data = 0;
    this.#reader = new Reader<CountryResponse>(bytes, {
      cache: {
        // asked with the place of each record before it is decoded, and of each value pointed to
        get(place: number) {
          const known = records.get(place);
          if (known !== undefined) return known;
          if (!isBounded(bytes, data, place)) throw new Error('a record is broken, or holds too much');
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
    if ((ipVersion !== 4 && ipVersion !== 6) || !(nodeCount > 0) || !(data <= start)) throw new Error('its metadata is broken');
    this.type = sanitize(String(databaseType)).slice(0, 64);
    const time = buildEpoch.getTime();
    this.built = time > 0 && time < 253_402_300_800_000 ? buildEpoch.toISOString().slice(0, 10) : null;
  }

  /** What the file says of an address, given as text; null where it says nothing. @throws Error for a broken record */
  record(address: string): PlaceRecord | null {
    const { ipVersion } = this.#reader.metadata;
    if (ipVersion === 4 && address.includes(':')) return null;
    const found: unknown = this.#reader.get(address);
    return isTable(found) ? placeOf(found) : null;
  }
}

/** The fields that are read; anything may stand in them. */
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
