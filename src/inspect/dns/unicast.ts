// Reads questions and answers of DNS and LLMNR: the queried name gets the addresses at the end of its chain of aliases. It trusts only records
// that answer the message's own question, and ignores the others.

import { u16 } from '../../net/bytes.ts';
import type { AnswerKind, Findings } from '../context.ts';
import { hostNameOfLabels } from '../host-name.ts';
import { type Exchanges, LLMNR } from './exchanges.ts';
import { pointerOf, readName, WireName } from './name.ts';
import { RECORD, Records, readNameable } from './records.ts';
import { reverseAddress } from './reverse.ts';

const HEADER_BYTES = 12;
/** Longest chain of aliases to follow. Resolvers give up earlier. */
const MAX_ALIASES = 16;
const FLAG_RESPONSE = 0x8000;
/** Opcode and response code. */
const OUTCOME = 0x780f;
const OPCODE = 0x7800;

/** Reads messages. Create one and reuse it; it holds state for one message. */
export class UnicastReader {
  readonly #findings: Findings;
  readonly #exchanges: Exchanges;
  readonly #transport: number;
  readonly #records = new Records();
  readonly #question = new WireName();
  readonly #owner = new WireName();
  readonly #words = new Int32Array(4);
  /** The question and its aliases, with each name's offset. */
  readonly #accepted = Array.from({ length: MAX_ALIASES + 1 }, () => new WireName());
  readonly #acceptedAt = new Int32Array(MAX_ALIASES + 1);
  #acceptedCount = 0;
  #message: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Context for `#takeHint`, in fields to avoid a closure per call. */
  #flow = 0;
  #name = '';
  #ttl = 0;
  readonly #takeHint = (message: Uint8Array, at: number, size: number) => {
    if (readNameable(message, at, size, this.#words))
      this.#findings.answer(this.#flow, 'dns', this.#name, this.#words, 0, this.#ttl);
  };

  /** @param transport of DNS messages, of DNS_TRANSPORTS */
  constructor(findings: Findings, exchanges: Exchanges, transport: number) {
    this.#findings = findings;
    this.#exchanges = exchanges;
    this.#transport = transport;
  }

  /** Reads a message that `looksLikeDns`. */
  read(flow: number, kind: AnswerKind, message: Uint8Array, start: number, end: number): void {
    const asked = this.#ask(flow, kind, message, start, end);
    const flags = u16(message, start + 2);
    if (asked < 0 || (flags & FLAG_RESPONSE) === 0 || (flags & OUTCOME) !== 0) return;
    const answers = u16(message, start + 6);
    if (answers === 0) return;
    this.#message = message;
    this.#start = start;
    this.#end = end;
    const total = answers + u16(message, start + 8) + u16(message, start + 10);
    this.#records.walk(message, asked + 4, end, answers, total);
    if (this.#records.count === 0) return;
    this.#acceptAliases();
    const type = u16(message, asked);
    if (type === RECORD.PTR) this.#reportPointers(flow);
    else this.#reportAddresses(flow, kind, type);
  }

  /** Reads a message to a resolver, which can answer nothing. */
  query(flow: number, kind: AnswerKind, message: Uint8Array, start: number, end: number): void {
    if ((u16(message, start + 2) & FLAG_RESPONSE) === 0 || kind === 'dns') this.#ask(flow, kind, message, start, end);
  }

  /** Tells what a message asks for; an answer repeats it. @returns where the question's type stands, -1 without a single question */
  #ask(flow: number, kind: AnswerKind, message: Uint8Array, start: number, end: number): number {
    const questions = u16(message, start + 4);
    const { bytes } = this.#question;
    const asked = questions === 1 ? readName(message, start, start + HEADER_BYTES, end, this.#question) : -1;
    const isWhole = asked >= 0 && asked + 4 <= end;
    if (isWhole && kind === 'dns') this.#findings.asked?.(flow, bytes, this.#question.length);
    const flags = u16(message, start + 2);
    if ((flags & OPCODE) !== 0) return isWhole ? asked : -1;
    const transport = kind === 'dns' ? this.#transport : LLMNR;
    if (isWhole) {
      const type = u16(message, asked);
      if ((flags & FLAG_RESPONSE) === 0) this.#exchanges.ask(flow, transport, u16(message, start), type, this.#question);
      else this.#exchanges.answer(flow, transport, type, this.#question, message, start, asked + 4, end);
    } else if (questions === 0 && (flags & FLAG_RESPONSE) !== 0)
      this.#exchanges.answer(flow, transport, 0, null, message, start, start + HEADER_BYTES, end);
    return isWhole ? asked : -1;
  }

  /** Follows the aliases from the question, in any order of records. */
  #acceptAliases(): void {
    const { type, owner, answers } = this.#records;
    (this.#accepted[0] as WireName).bytes.set(this.#question.bytes);
    (this.#accepted[0] as WireName).length = this.#question.length;
    this.#acceptedAt[0] = HEADER_BYTES;
    this.#acceptedCount = 1;
    let grown = true;
    for (let round = 0; grown && round < MAX_ALIASES; round++) {
      grown = false;
      for (let i = 0; i < answers; i++) {
        const isAlias = type[i] === RECORD.CNAME || type[i] === RECORD.HTTPS || type[i] === RECORD.SVCB;
        if (isAlias && this.#isAccepted(owner[i] as number) && this.#accept(i)) grown = true;
      }
    }
  }

  /** Adds the target of alias record i. @returns false if it was known or there is no room */
  #accept(i: number): boolean {
    const { type, data, size } = this.#records;
    const from = (data[i] as number) + (type[i] === RECORD.CNAME ? 0 : 2);
    const to = (data[i] as number) + (size[i] as number);
    if (this.#acceptedCount > MAX_ALIASES || from >= to) return false;
    const target = this.#accepted[this.#acceptedCount] as WireName;
    if (readName(this.#message, this.#start, from, to, target) < 0 || target.length === 0) return false;
    for (let k = 0; k < this.#acceptedCount; k++) if ((this.#accepted[k] as WireName).equals(target)) return false;
    this.#acceptedAt[this.#acceptedCount++] = from - this.#start;
    return true;
  }

  #isAccepted(at: number): boolean {
    const pointer = pointerOf(this.#message, at);
    if (pointer >= 0) for (let k = 0; k < this.#acceptedCount; k++) if (this.#acceptedAt[k] === pointer) return true;
    if (readName(this.#message, this.#start, at, this.#end, this.#owner) < 0) return false;
    for (let k = 0; k < this.#acceptedCount; k++) if ((this.#accepted[k] as WireName).equals(this.#owner)) return true;
    return false;
  }

  #reportAddresses(flow: number, kind: AnswerKind, asked: number): void {
    const { type, owner, data, size, ttl, count, answers } = this.#records;
    if (asked === RECORD.HTTPS || asked === RECORD.SVCB) withoutServiceLabels(this.#question);
    let name: string | null = null;
    for (let i = 0; i < count; i++) {
      const isAddress = type[i] === RECORD.A || type[i] === RECORD.AAAA;
      const hasHints = i < answers && (type[i] === RECORD.HTTPS || type[i] === RECORD.SVCB);
      if ((!isAddress && !hasHints) || !this.#isAccepted(owner[i] as number)) continue;
      name ??= hostNameOfLabels(this.#question.bytes, this.#question.length);
      if (name === null || (kind === 'llmnr' && name.includes('.'))) return; // LLMNR resolves only single-label names
      const at = data[i] as number;
      const bytes = size[i] as number;
      if (isAddress) {
        if (bytes === (type[i] === RECORD.A ? 4 : 16) && readNameable(this.#message, at, bytes, this.#words))
          this.#findings.answer(flow, kind, name, this.#words, 0, ttl[i] as number);
      } else if (kind === 'dns') this.#reportHints(flow, name, at, at + bytes, ttl[i] as number);
    }
  }

  #reportHints(flow: number, name: string, at: number, end: number, ttl: number): void {
    const parameters = at + 2 < end ? readName(this.#message, this.#start, at + 2, end, this.#owner) : -1;
    if (parameters < 0) return;
    this.#flow = flow;
    this.#name = name;
    this.#ttl = ttl;
    eachHint(this.#message, parameters, end, this.#takeHint);
  }

  #reportPointers(flow: number): void {
    const { type, owner, data, size, ttl, answers } = this.#records;
    if (!reverseAddress(this.#question, this.#words, 0)) return;
    for (let i = 0; i < answers; i++) {
      if (type[i] !== RECORD.PTR || !this.#isAccepted(owner[i] as number)) continue;
      const at = data[i] as number;
      const target = this.#owner;
      if (readName(this.#message, this.#start, at, at + (size[i] as number), target) < 0) continue;
      const name = hostNameOfLabels(target.bytes, target.length);
      if (name !== null) this.#findings.pointer(flow, name, this.#words, 0, ttl[i] as number);
    }
  }
}

// Address hints in SVCB and HTTPS records (RFC 9460 sections 2.2 and 7.3), and the query names of such records.

const KEY_IPV4_HINT = 4;
const KEY_IPV6_HINT = 6;
const UNDERSCORE = 0x5f;

/** Called for each hint: the bytes of one address. */
type HintTaker = (message: Uint8Array, at: number, size: number) => void;

/**
 * Walks the parameters after the target name and calls `take` for each address hint.
 *
 * @returns false if a length is wrong; the hints before it were taken
 */
function eachHint(message: Uint8Array, from: number, to: number, take: HintTaker): boolean {
  let at = from;
  while (at + 4 <= to) {
    const key = u16(message, at);
    const size = u16(message, at + 2);
    at += 4;
    if (at + size > to) return false;
    const each = key === KEY_IPV4_HINT ? 4 : key === KEY_IPV6_HINT ? 16 : 0;
    if (each > 0) for (let i = at; i + each <= at + size; i += each) take(message, i, each);
    at += size;
  }
  return at === to;
}

/** Strips leading labels like `_8443._https`, which queries for a service's record have (RFC 9460 section 2.3). */
function withoutServiceLabels(name: WireName): void {
  const { bytes, length } = name;
  let at = 0;
  while (at < length && bytes[at + 1] === UNDERSCORE) at += (bytes[at] as number) + 1;
  if (at === 0 || at >= length) return;
  bytes.copyWithin(0, at, length);
  name.length = length - at;
}
