// Reads multicast DNS (RFC 6762), in which hosts announce their own addresses. Anyone on the link can claim anything, so it accepts only names
// under `.local`, which mean nothing elsewhere.

import { u16 } from '../../net/bytes.ts';
import type { Findings } from '../context.ts';
import { hostNameOfLabels } from '../host-name.ts';
import { type Exchanges, MDNS } from './exchanges.ts';
import { readName, skipName, WireName, wireLabels } from './name.ts';
import { RECORD, Records, readNameable } from './records.ts';
import { reverseAddress } from './reverse.ts';

const HEADER_BYTES = 12;
const FLAG_RESPONSE = 0x8000;
/** Opcode and response code, which are zero here (section 18). */
const OUTCOME = 0x780f;
const MAX_QUESTIONS = 32;
const ANY = 255;
const LOCAL = wireLabels('local');

/** Bit of a question's class that asks for an answer to the asker alone (section 5.4). */
const CLASS = 0x7fff;

/** Reads questions and announcements. Create one and reuse it. */
export class MulticastReader {
  readonly #findings: Findings;
  readonly #exchanges: Exchanges;
  readonly #records = new Records();
  readonly #owner = new WireName();
  readonly #target = new WireName();
  readonly #words = new Int32Array(4);

  constructor(findings: Findings, exchanges: Exchanges) {
    this.#findings = findings;
    this.#exchanges = exchanges;
  }

  /** Reads what a message asks for; it `looksLikeDns`. Probes ask for every type before a host takes a name (section 8.1): these are no questions. */
  query(flow: number, message: Uint8Array, start: number, end: number): void {
    const questions = u16(message, start + 4);
    if ((u16(message, start + 2) & (FLAG_RESPONSE | OUTCOME)) !== 0 || questions > MAX_QUESTIONS) return;
    let at = start + HEADER_BYTES;
    for (let i = 0; i < questions; i++) {
      at = readName(message, start, at, end, this.#owner);
      if (at < 0 || at + 4 > end) return;
      const type = u16(message, at);
      if (type !== ANY && (u16(message, at + 2) & CLASS) === 1) this.#exchanges.ask(flow, MDNS, 0, type, this.#owner);
      at += 4;
    }
  }

  /** Reads a message that `looksLikeDns`. */
  read(flow: number, message: Uint8Array, start: number, end: number): void {
    const flags = u16(message, start + 2);
    const questions = u16(message, start + 4);
    if ((flags & FLAG_RESPONSE) === 0 || (flags & OUTCOME) !== 0 || questions > MAX_QUESTIONS) return;
    let at = start + HEADER_BYTES;
    for (let i = 0; i < questions; i++) {
      at = skipName(message, at, end);
      if (at < 0 || at + 4 > end) return;
      at += 4;
    }
    const answers = u16(message, start + 6);
    const records = this.#records;
    records.walk(message, at, end, answers, answers + u16(message, start + 8) + u16(message, start + 10));
    for (let i = 0; i < records.count; i++) {
      if (records.ttl[i] === 0) continue;
      if (readName(message, start, records.owner[i] as number, end, this.#owner) < 0) continue;
      const at = records.data[i] as number;
      this.#exchanges.announced(records.type[i] as number, this.#owner, message, start, at, records.size[i] as number);
      this.#report(flow, message, start, i);
    }
  }

  /** Reports record i, whose name is in `#owner`. */
  #report(flow: number, message: Uint8Array, start: number, i: number): void {
    const { type, data, size, ttl } = this.#records;
    const at = data[i] as number;
    const bytes = size[i] as number;
    const owner = this.#owner;
    if (type[i] === RECORD.PTR) {
      const target = this.#target;
      if (!reverseAddress(owner, this.#words, 0) || readName(message, start, at, at + bytes, target) < 0) return;
      const name = localName(target);
      if (name !== null) this.#findings.pointer(flow, name, this.#words, 0, ttl[i] as number);
      return;
    }
    if (bytes !== (type[i] === RECORD.A ? 4 : type[i] === RECORD.AAAA ? 16 : -1)) return;
    if (!readNameable(message, at, bytes, this.#words)) return;
    const name = localName(owner);
    if (name !== null) this.#findings.answer(flow, 'mdns', name, this.#words, 0, ttl[i] as number);
  }
}

function localName(name: WireName): string | null {
  return name.length > LOCAL.length && name.endsWith(LOCAL) ? hostNameOfLabels(name.bytes, name.length) : null;
}
