// What a DNS message looks like from outside: whether bytes can be one. Told before anything is learnt from them.

import { u8, u16 } from '../../net/bytes.ts';
import { skipName } from './name.ts';

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
