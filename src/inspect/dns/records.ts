// Resource records of one message as columns of numbers: where they are, not what they mean. A message may claim 65,535 of them.

import { scopeOf, V4_MAPPED } from '../../net/address.ts';
import { i32, u8, u16, u32 } from '../../net/bytes.ts';
import { skipName } from './name.ts';

/** Records looked at in one message. */
const MAX_WALKED = 512;
/** Records kept of one message. */
const MAX_KEPT = 96;
const FIXED_BYTES = 10;

/** Types that are kept (IANA DNS parameters; NB and NBSTAT of RFC 1002 section 4.2.1.3). */
export const RECORD = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, NB: 0x20, NBSTAT: 0x21, SVCB: 64, HTTPS: 65 } as const;

const KEPT = new Uint8Array(66);
for (const type of Object.values(RECORD)) KEPT[type] = 1;

/**
 * The records worth reading; column i describes record i.
 *
 *     owner   offset of its name          type   class with the top bit of mDNS taken off
 *     data    offset of its data          size   bytes of data           ttl   seconds, 31 bits
 */
export class Records {
  count = 0;
  /** How many of them stood in the answer section, in front of the others. */
  answers = 0;
  readonly owner = new Int32Array(MAX_KEPT);
  readonly type = new Int32Array(MAX_KEPT);
  readonly data = new Int32Array(MAX_KEPT);
  readonly size = new Int32Array(MAX_KEPT);
  readonly ttl = new Int32Array(MAX_KEPT);

  /**
   * Walks the records from `at`, keeping those of class IN and a known type, until the counts, the bytes or the bounds end.
   *
   * @param answers records of the answer section, as the header claims
   * @param total records of all sections
   * @returns offset behind the last whole record; -1 when a record is broken (those before it are kept)
   */
  walk(message: Uint8Array, at: number, end: number, answers: number, total: number): number {
    this.count = 0;
    this.answers = 0;
    let i = at;
    const most = Math.min(total, MAX_WALKED);
    for (let record = 0; record < most; record++) {
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

// Whether bytes can be a DNS message. Checked before anything is learnt from them.

const HEADER_BYTES = 12;
/** Highest opcode in use (RFC 8490 DSO). */
const LAST_OPCODE = 6;
const RECORD_BYTES = 11;

/**
 * True when the bytes have the form of a DNS message: a known opcode, counts that fit into the length, questions that parse.
 *
 * @param length bytes of the whole message, of which those up to `end` were captured
 * @param strict asks for exactly one question of a known class and nothing contradictory: for ports where nobody expects DNS
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

// Addresses in records, and which of them a name may be given to.

/**
 * Reads 4 or 16 bytes as an address.
 *
 * @returns false for any other length, and for what is nobody's address or everybody's: blocked names are answered with 0.0.0.0 or
 * 127.0.0.1, and all local traffic would be called by the last of them
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
