// Lists the resource records of a message as columns of offsets, without interpreting them. Bounded, because a message may claim 65,535 records.

import { scopeOf, V4_MAPPED } from '../../net/address.ts';
import { i32, u8, u16, u32 } from '../../net/bytes.ts';
import { skipName } from './name.ts';

/** Most records read in one message. */
const MAX_WALKED = 512;
/** Most records kept of one message. */
const MAX_KEPT = 96;
const FIXED_BYTES = 10;

/** Types to keep (IANA DNS parameters; NB and NBSTAT: RFC 1002 section 4.2.1.3). */
export const RECORD = {
  A: 1,
  CNAME: 5,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  NB: 0x20,
  NBSTAT: 0x21,
  SVCB: 64,
  HTTPS: 65,
} as const;

const KEPT = new Uint8Array(66);
for (const type of Object.values(RECORD)) KEPT[type] = 1;

/**
 * The records kept. Entry i of each column describes record i.
 *
 *     owner   offset of its name          type   of RECORD
 *     data    offset of its data          size   bytes of data           ttl   seconds, 31 bits
 */
export class Records {
  count = 0;
  /** How many are from the answer section. They come first. */
  answers = 0;
  readonly owner = new Int32Array(MAX_KEPT);
  readonly type = new Int32Array(MAX_KEPT);
  readonly data = new Int32Array(MAX_KEPT);
  readonly size = new Int32Array(MAX_KEPT);
  readonly ttl = new Int32Array(MAX_KEPT);

  /**
   * Walks the records from `at` and keeps those of class IN and a known type, until it reaches the counts, the end or a bound.
   *
   * @param answers number of records in the answer section, as the header claims
   * @param total number of records in all sections
   * @returns offset after the last record read; -1 if a record is broken (those before it are kept)
   */
  walk(message: Uint8Array, at: number, end: number, answers: number, total: number): number {
    this.count = 0;
    this.answers = 0;
    let i = at;
    const limit = Math.min(total, MAX_WALKED);
    for (let record = 0; record < limit; record++) {
      const fixed = skipName(message, i, end);
      if (fixed < 0 || fixed + FIXED_BYTES > end) return -1;
      const type = u16(message, fixed);
      const size = u16(message, fixed + 8);
      const data = fixed + FIXED_BYTES;
      if (data + size > end) return -1;
      if (type < KEPT.length && KEPT[type] === 1 && (u16(message, fixed + 2) & 0x7fff) === 1 && this.count < MAX_KEPT) {
        const ttl = u32(message, fixed + 4);
        const kept = this.count++;
        this.owner[kept] = i;
        this.type[kept] = type;
        this.data[kept] = data;
        this.size[kept] = size;
        this.ttl[kept] = ttl > 0x7fffffff ? 0 : ttl; // RFC 2181 section 8
        if (record < answers) this.answers = this.count;
      }
      i = data + size;
    }
    return i;
  }
}

const HEADER_BYTES = 12;
/** Highest opcode in use: DSO (RFC 8490). */
const LAST_OPCODE = 6;
const RECORD_BYTES = 11;

/**
 * Whether the bytes have the form of a DNS message: a known opcode, counts that fit the length, a question that parses. Readers take only
 * messages that pass.
 *
 * @param length bytes of the whole message, of which those up to `end` were captured
 * @param strict requires exactly one question of a known class and no contradictions; for ports that aren't DNS's
 */
export function looksLikeDns(message: Uint8Array, start: number, end: number, length: number, strict: boolean): boolean {
  if (end - start < HEADER_BYTES) return false;
  const flags = u16(message, start + 2);
  const questions = u16(message, start + 4);
  const records = u16(message, start + 6) + u16(message, start + 8) + u16(message, start + 10);
  if (((flags >>> 11) & 15) > LAST_OPCODE) return false;
  if (HEADER_BYTES + questions * 5 + records * RECORD_BYTES > length) return false;
  if (questions === 0) return !strict && records > 0;
  const after = skipName(message, start + HEADER_BYTES, end);
  if (!strict) return after >= 0 || end - start < length;
  if (questions !== 1 || (flags & 0x7840) !== 0 || u8(message, start + HEADER_BYTES) === 0) return false;
  if (after < 0 || after + 4 > end || u16(message, after) > 260 || u16(message, after + 2) !== 1) return false;
  const isQuery = (flags & 0x8000) === 0;
  if (isQuery) return u16(message, start + 6) === 0 && (records > 0 || after + 4 === start + length) && records <= 2;
  return records > 0 || after + 4 === start + length;
}

/**
 * Reads 4 or 16 bytes as an address that may get a name.
 *
 * @returns false for any other length, and for loopback, unspecified and group addresses: resolvers answer blocked names with 0.0.0.0 or
 * 127.0.0.1, and all local traffic would get such a name
 */
export function readNameable(bytes: Uint8Array, at: number, size: number, words: Int32Array): boolean {
  if (size === 4) {
    words[0] = 0;
    words[1] = 0;
    words[2] = V4_MAPPED;
    words[3] = i32(bytes, at);
  } else if (size === 16) {
    for (let word = 0; word < 4; word++) words[word] = i32(bytes, at + 4 * word);
  } else return false;
  const scope = scopeOf(words);
  return scope === 'global' || scope === 'private' || scope === 'link-local' || scope === 'shared';
}
