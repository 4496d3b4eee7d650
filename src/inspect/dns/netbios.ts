// Reads NetBIOS names (RFC 1002 section 4.2): answers to name queries, and a node's own table of names.

import { u8, u16 } from '../../net/bytes.ts';
import type { Findings } from '../context.ts';
import { hostName } from '../host-name.ts';
import { RECORD, Records, readNameable } from './records.ts';

const HEADER_BYTES = 12;
const NAME_BYTES = 15;
const ENCODED_BYTES = 32;
/** Bytes of an entry in a node's table: name, suffix, flags. */
const ENTRY_BYTES = 18;
/** Bytes of an address in an answer: flags, address. */
const ADDRESS_BYTES = 6;
/** QR set, opcode query, no error. */
const ANSWER_MASK = 0xf80f;
const ANSWER = 0x8000;
const GROUP = 0x8000;
/** A node's table has no time to live, so assume an hour. */
const TABLE_SECONDS = 3600;
/** Suffixes of a machine's own name: workstation and file server. */
const WORKSTATION = 0x00;
const SERVER = 0x20;

/** Reads answers. Create one and reuse it. */
export class NetbiosReader {
  readonly #findings: Findings;
  readonly #records = new Records();
  readonly #words = new Int32Array(4);
  readonly #name = new Uint8Array(NAME_BYTES + 1);

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /**
   * Reads a message that `looksLikeDns`.
   *
   * @param source words of the sender's address, at 0
   */
  read(flow: number, message: Uint8Array, start: number, end: number, source: Int32Array): void {
    if ((u16(message, start + 2) & ANSWER_MASK) !== ANSWER || u16(message, start + 4) !== 0) return;
    const records = this.#records;
    const answers = u16(message, start + 6);
    records.walk(message, start + HEADER_BYTES, end, answers, answers);
    for (let i = 0; i < records.count; i++) {
      const at = records.data[i] as number;
      const to = at + (records.size[i] as number);
      if (records.type[i] === RECORD.NB) this.#reportAddresses(flow, message, i, at, to);
      else if (records.type[i] === RECORD.NBSTAT) this.#reportTable(flow, message, at, to, source);
    }
  }

  #reportAddresses(flow: number, message: Uint8Array, i: number, at: number, to: number): void {
    if (!this.#decode(message, this.#records.owner[i] as number, to)) return;
    const suffix = this.#name[NAME_BYTES];
    if (suffix !== WORKSTATION && suffix !== SERVER) return;
    const name = trimmed(this.#name, 0);
    if (name === null) return;
    for (let k = at; k + ADDRESS_BYTES <= to; k += ADDRESS_BYTES) {
      if ((u16(message, k) & GROUP) === 0 && readNameable(message, k + 2, 4, this.#words))
        this.#findings.answer(flow, 'netbios', name, this.#words, 0, this.#records.ttl[i] as number);
    }
  }

  #reportTable(flow: number, message: Uint8Array, at: number, to: number, source: Int32Array): void {
    const count = at < to ? u8(message, at) : 0;
    for (let k = 0, entry = at + 1; k < count && entry + ENTRY_BYTES <= to; k++, entry += ENTRY_BYTES) {
      if (u8(message, entry + NAME_BYTES) !== WORKSTATION || (u16(message, entry + NAME_BYTES + 1) & GROUP) !== 0) continue;
      const name = trimmed(message, entry);
      if (name !== null) this.#findings.answer(flow, 'netbios', name, source, 0, TABLE_SECONDS);
      return;
    }
  }

  /** Decodes the first-level encoding (RFC 1001 section 14.1): two letters from A to P per byte. */
  #decode(message: Uint8Array, at: number, end: number): boolean {
    if (at + 1 + ENCODED_BYTES > end || u8(message, at) !== ENCODED_BYTES) return false;
    for (let i = 0; i <= NAME_BYTES; i++) {
      const high = u8(message, at + 1 + 2 * i) - 0x41;
      const low = u8(message, at + 2 + 2 * i) - 0x41;
      if (high < 0 || high > 15 || low < 0 || low > 15) return false;
      this.#name[i] = (high << 4) | low;
    }
    return true;
  }
}

/** Host name in a field of 15 bytes, padded with spaces. */
function trimmed(bytes: Uint8Array, at: number): string | null {
  let end = at + NAME_BYTES;
  while (end > at && bytes[end - 1] === 0x20) end--;
  return hostName(bytes, at, end);
}
