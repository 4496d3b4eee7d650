// Matches answers with the questions that they answer, on the packet clock: a ring of questions in typed columns, and a hash table of those that
// wait. It counts what it can't match. An answer belongs to a question of the same flow with the same id, name and type; where a group is asked
// (mDNS, LLMNR), anyone may answer, and only the name and the type tell.

import type { Packet } from '../../decode/packet.ts';
import {
  DNS_ANSWER_AT,
  DNS_CODE,
  DNS_DATA,
  DNS_TEXT_BYTES,
  DNS_TRANSPORTS,
  DNS_WAIT_MS,
  type DnsExchanges,
} from '../../model/dns.ts';
import { u8, u16, widened } from '../../net/bytes.ts';
import { readName, skipName, WireName } from './name.ts';
import { RECORD } from './records.ts';

/** Questions kept, a power of two. */
const PLACES = 4096;
/** Buckets of the hash table, a power of two. */
const BUCKETS = 8192;
/** Questions that wait in one bucket. */
const MOST_ALIKE = 64;
/** Records of an answer that are read. */
const MAX_READ = 64;
/** Addresses of an answer that are kept. */
const MAX_ADDRESSES = 8;
/** Bytes of an answer that are kept. */
const DATA_BYTES = 255;
const FIXED_BYTES = 10;
const FLAG_CUT = 0x0200;
const CODE_BITS = 0x000f;
const NONE = -1;

/** Where the name in a record's data begins, by type; other types have none. */
const NAME_AT: Readonly<Record<number, number>> = { 2: 0, 5: 0, 6: 0, 12: 0, 15: 2, 33: 6, 39: 0, 64: 2, 65: 2 };

export const UDP = DNS_TRANSPORTS.indexOf('udp');
export const TCP = DNS_TRANSPORTS.indexOf('tcp');
export const MDNS = DNS_TRANSPORTS.indexOf('mdns');
export const LLMNR = DNS_TRANSPORTS.indexOf('llmnr');

/** Makes its columns for the first question, some 2.5 MiB. */
export class Exchanges implements DnsExchanges {
  readonly places = PLACES;
  next = 0;
  unasked = 0;
  flow = new Int32Array(0);
  asked = new Float64Array(0);
  took = new Float64Array(0);
  tries = new Uint16Array(0);
  type = new Uint16Array(0);
  transport = new Uint8Array(0);
  code = new Int16Array(0);
  cut = new Uint8Array(0);
  records = new Uint16Array(0);
  data = new Uint8Array(0);
  behalf = new Int32Array(0);
  server = new Int32Array(0);
  port = new Uint16Array(0);
  nameBytes = new Uint8Array(0);
  dataBytes = new Uint8Array(0);
  text = new Uint8Array(0);
  /** Number of the question at each place, and when it was last sent. */
  #number = new Float64Array(0);
  #sent = new Float64Array(0);
  #id = new Uint16Array(0);
  /** Place of the previous question of the same flow; NONE for none. */
  #older = new Int32Array(0);
  /** Hash table of the waiting ones: bucket to place + 1, place to the next place + 1. */
  #buckets = new Int32Array(0);
  #chain = new Int32Array(0);
  /** By flow: place + 1 of its newest question. */
  #newest = new Int32Array(0);
  /** Number of the oldest question that may still wait. */
  #oldest = 0;
  #packet: Packet | null = null;
  #time = 0;
  readonly #target = new WireName();
  readonly #behalfOf: (() => number) | null;

  /** @param behalfOf process on whose behalf the present packet was sent, or NO_OWNER; null if the capture doesn't tell */
  constructor(behalfOf: (() => number) | null = null) {
    this.#behalfOf = behalfOf;
  }

  /** Says which packet the next calls are about. */
  begin(packet: Packet, time: number): void {
    this.#packet = packet;
    this.#time = time;
  }

  /** Takes a question. The same one again is a further try. */
  ask(flow: number, transport: number, id: number, type: number, name: WireName): void {
    const known = this.#find(flow, transport, id, type, name, false);
    if (known !== NONE) {
      const tries = this.tries[known] as number;
      if (tries < 0xffff) this.tries[known] = tries + 1;
      this.#sent[known] = this.#time;
      return;
    }
    if (this.flow.length === 0) this.#reserve();
    const number = this.next++;
    const place = number & (PLACES - 1);
    if (this.code[place] === DNS_CODE.WAITING) this.#close(place);
    this.#number[place] = number;
    this.flow[place] = flow;
    this.asked[place] = this.#time;
    this.#sent[place] = this.#time;
    this.took[place] = Number.NaN;
    this.tries[place] = 1;
    this.type[place] = type;
    this.transport[place] = transport;
    this.code[place] = DNS_CODE.WAITING;
    this.cut[place] = 0;
    this.records[place] = 0;
    this.data[place] = DNS_DATA.NONE;
    this.dataBytes[place] = 0;
    this.#id[place] = id;
    this.behalf[place] = this.#behalfOf?.() ?? NONE;
    this.nameBytes[place] = name.length;
    const at = place * DNS_TEXT_BYTES;
    for (let i = 0; i < name.length; i++) this.text[at + i] = name.bytes[i] as number;
    this.#setServer(place, 4, this.#packet?.destinationPort ?? 0);
    this.#open(place, this.#bucketOf(flow, transport, id, type, name));
    if (flow >= this.#newest.length) this.#newest = widened(this.#newest, Math.max(flow + 1, this.#newest.length * 2));
    this.#older[place] = (this.#newest[flow] as number) - 1;
    this.#newest[flow] = place + 1;
  }

  /**
   * Takes an answer from a resolver.
   *
   * @param name the question that it repeats; null if it repeats none
   * @param from where its records begin
   */
  answer(
    flow: number,
    transport: number,
    type: number,
    name: WireName | null,
    message: Uint8Array,
    start: number,
    from: number,
    end: number,
  ): void {
    const place = this.#find(flow, transport, u16(message, start), type, name, transport >= MDNS);
    if (place === NONE) {
      this.unasked++;
      return;
    }
    const flags = u16(message, start + 2);
    this.took[place] = Math.max(0, this.#time - (this.asked[place] as number));
    this.code[place] = flags & CODE_BITS;
    this.cut[place] = (flags & FLAG_CUT) === 0 ? 0 : 1;
    this.#close(place);
    if (transport >= MDNS) this.#setServer(place, 0, this.#packet?.sourcePort ?? 0);
    this.#readRecords(place, message, start, from, end, u16(message, start + 6));
  }

  /** Takes a record that somebody in a group announces; it may answer a question of this machine. @param at where its data begin */
  announced(type: number, name: WireName, message: Uint8Array, start: number, at: number, size: number): void {
    for (;;) {
      const place = this.#find(0, MDNS, 0, type, name, true);
      if (place === NONE) return;
      this.took[place] = Math.max(0, this.#time - (this.asked[place] as number));
      this.code[place] = 0;
      this.#close(place);
      this.#setServer(place, 0, this.#packet?.sourcePort ?? 0);
      this.records[place] = 1;
      this.#keep(place, type, message, start, at, size);
    }
  }

  giveUp(now: number): void {
    this.#oldest = Math.max(this.#oldest, this.next - PLACES);
    for (let number = this.#oldest; number < this.next; number++) {
      const place = number & (PLACES - 1);
      if (this.code[place] === DNS_CODE.WAITING) {
        // After a clock that was set back, nothing waits for ever.
        if (Math.abs(now - (this.#sent[place] as number)) < DNS_WAIT_MS) continue;
        this.#lose(place);
      }
      if (number === this.#oldest) this.#oldest++;
    }
  }

  eachOf(flow: number, take: (number: number) => boolean): void {
    let before = Number.POSITIVE_INFINITY;
    for (let place = (this.#newest[flow] ?? 0) - 1; place >= 0; place = this.#older[place] as number) {
      const number = this.#number[place] as number;
      // The place went to a later question.
      if (this.flow[place] !== flow || number >= before || !take(number)) return;
      before = number;
    }
  }

  /** Another flow gets this number: nobody answers the former's questions any more. */
  forget(flow: number): void {
    if ((this.#newest[flow] ?? 0) === 0) return;
    this.eachOf(flow, (number) => {
      const place = number & (PLACES - 1);
      if (this.code[place] === DNS_CODE.WAITING) this.#lose(place);
      return true;
    });
    this.#newest[flow] = 0;
  }

  #lose(place: number): void {
    this.#close(place);
    this.code[place] = DNS_CODE.LOST;
  }

  /** Keeps the first answers of the type asked for; without any, where an alias leads. */
  #readRecords(place: number, message: Uint8Array, start: number, from: number, end: number, answers: number): void {
    const wanted = this.type[place] as number;
    let at = from;
    for (let record = 0; record < Math.min(answers, MAX_READ) && at >= 0; record++) {
      const fixed = skipName(message, at, end);
      if (fixed < 0 || fixed + FIXED_BYTES > end) return;
      const type = u16(message, fixed);
      const size = u16(message, fixed + 8);
      const data = fixed + FIXED_BYTES;
      if (data + size > end) return;
      if (type === wanted) {
        // What an alias left gives way.
        if (this.records[place] === 0) this.dataBytes[place] = 0;
        this.records[place] = (this.records[place] as number) + 1;
        this.#keep(place, type, message, start, data, size);
      } else if (type === RECORD.CNAME && this.records[place] === 0) this.#keep(place, type, message, start, data, size);
      at = data + size;
    }
  }

  #keep(place: number, type: number, message: Uint8Array, start: number, at: number, size: number): void {
    const base = place * DNS_TEXT_BYTES + DNS_ANSWER_AT;
    const used = this.dataBytes[place] as number;
    if (type === RECORD.A || type === RECORD.AAAA) {
      const bytes = type === RECORD.A ? 4 : 16;
      if (size !== bytes || used >= bytes * MAX_ADDRESSES || used + bytes > DATA_BYTES) return;
      for (let i = 0; i < bytes; i++) this.text[base + used + i] = u8(message, at + i);
      this.data[place] = bytes === 4 ? DNS_DATA.IPV4 : DNS_DATA.IPV6;
      this.dataBytes[place] = used + bytes;
      return;
    }
    if (type === RECORD.TXT) {
      if (used > 0 || size === 0) return;
      const length = Math.min(u8(message, at), size - 1, DATA_BYTES);
      for (let i = 0; i < length; i++) this.text[base + i] = u8(message, at + 1 + i);
      this.data[place] = DNS_DATA.TEXT;
      this.dataBytes[place] = length;
      return;
    }
    const skip = NAME_AT[type];
    // An alias of an alias: the last one says where it leads.
    if (skip === undefined || size <= skip || (used > 0 && type !== RECORD.CNAME)) return;
    const target = this.#target;
    if (readName(message, start, at + skip, at + size, target) < 0 || target.length === 0) return;
    for (let i = 0; i < target.length; i++) this.text[base + i] = target.bytes[i] as number;
    this.data[place] = DNS_DATA.NAME;
    this.dataBytes[place] = target.length;
  }

  #setServer(place: number, from: number, port: number): void {
    const words = this.#packet?.words;
    for (let i = 0; i < 4; i++) this.server[4 * place + i] = words?.[from + i] ?? 0;
    this.port[place] = port;
  }

  /**
   * Place of a question that waits.
   *
   * @param name null matches any @param fromAnyone whether the answer may come in another flow
   */
  #find(flow: number, transport: number, id: number, type: number, name: WireName | null, fromAnyone: boolean): number {
    if (this.flow.length === 0 || (fromAnyone && name === null)) return NONE;
    const bucket = this.#bucketOf(flow, transport, id, type, name);
    for (let place = (this.#buckets[bucket] as number) - 1; place >= 0; place = (this.#chain[place] as number) - 1) {
      if (this.transport[place] !== transport || (!fromAnyone && this.flow[place] !== flow)) continue;
      if (this.#id[place] !== id && transport !== MDNS) continue;
      if (name === null || (this.type[place] === type && this.#isNamed(place, name))) return place;
    }
    return NONE;
  }

  #isNamed(place: number, name: WireName): boolean {
    if (this.nameBytes[place] !== name.length) return false;
    const at = place * DNS_TEXT_BYTES;
    for (let i = 0; i < name.length; i++) if (this.text[at + i] !== name.bytes[i]) return false;
    return true;
  }

  /** A flow's questions are found by their id, those of a group by their name. */
  #bucketOf(flow: number, transport: number, id: number, type: number, name: WireName | null): number {
    if (transport < MDNS) return mixed(Math.imul(flow, 0x9e3779b1) ^ Math.imul(id, 0x85ebca6b));
    let hash = type;
    if (name !== null) for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ (name.bytes[i] as number), 0x01000193);
    return mixed(hash);
  }

  #bucketAt(place: number): number {
    const transport = this.transport[place] as number;
    if (transport < MDNS) return this.#bucketOf(this.flow[place] as number, transport, this.#id[place] as number, 0, null);
    const target = this.#target;
    const at = place * DNS_TEXT_BYTES;
    target.length = this.nameBytes[place] as number;
    for (let i = 0; i < target.length; i++) target.bytes[i] = this.text[at + i] as number;
    return this.#bucketOf(0, transport, 0, this.type[place] as number, target);
  }

  /** Puts a question into the hash table. Where more share a bucket than chance allows, somebody made them so: then it gets no answer. */
  #open(place: number, bucket: number): void {
    let alike = 0;
    for (let at = this.#buckets[bucket] as number; at > 0; at = this.#chain[at - 1] as number) if (++alike === MOST_ALIKE) return;
    this.#chain[place] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = place + 1;
  }

  /** Takes a question out of the hash table, if it is there. */
  #close(place: number): void {
    const bucket = this.#bucketAt(place);
    let at = (this.#buckets[bucket] as number) - 1;
    if (at === place) {
      this.#buckets[bucket] = this.#chain[place] as number;
      return;
    }
    for (; at >= 0; at = (this.#chain[at] as number) - 1) {
      if (this.#chain[at] !== place + 1) continue;
      this.#chain[at] = this.#chain[place] as number;
      return;
    }
  }

  #reserve(): void {
    this.flow = new Int32Array(PLACES).fill(NONE);
    this.asked = new Float64Array(PLACES);
    this.took = new Float64Array(PLACES);
    this.tries = new Uint16Array(PLACES);
    this.type = new Uint16Array(PLACES);
    this.transport = new Uint8Array(PLACES);
    this.code = new Int16Array(PLACES).fill(DNS_CODE.LOST);
    this.cut = new Uint8Array(PLACES);
    this.records = new Uint16Array(PLACES);
    this.data = new Uint8Array(PLACES);
    this.behalf = new Int32Array(PLACES);
    this.server = new Int32Array(4 * PLACES);
    this.port = new Uint16Array(PLACES);
    this.nameBytes = new Uint8Array(PLACES);
    this.dataBytes = new Uint8Array(PLACES);
    this.text = new Uint8Array(DNS_TEXT_BYTES * PLACES);
    this.#number = new Float64Array(PLACES);
    this.#sent = new Float64Array(PLACES);
    this.#id = new Uint16Array(PLACES);
    this.#older = new Int32Array(PLACES).fill(NONE);
    this.#buckets = new Int32Array(BUCKETS);
    this.#chain = new Int32Array(PLACES);
  }
}

function mixed(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f);
  return (first ^ (first >>> 13)) & (BUCKETS - 1);
}
