// IPFIX messages (RFC 7011) of closed connections: biflows (RFC 5103), with elements of our own for what no other exporter knows. Type information
// records (RFC 5610) tell a collector what those are called.

import type { LoggedFlow } from '../model/history-batch.ts';
import { ADDRESS_WORDS, isV4, parseAddress } from '../net/address.ts';
import { PROTOCOL, protocolNumber } from '../net/numbers.ts';

const VERSION = 10;
const HEADER_BYTES = 16;
const SET_HEADER_BYTES = 4;
const TEMPLATE_SET = 2;
const OPTIONS_TEMPLATE_SET = 3;
/** Private enterprise number of reversed elements (RFC 5103). */
const REVERSE = 29_305;
/** Ours: the number for documentation (RFC 5612), because none is registered. */
const OURS = 32_473;
const ENTERPRISE_BIT = 0x8000;
const VARIABLE = 0xffff;
/** Longer texts are cut: up to here a length takes one byte. */
const TEXT_BYTES = 254;
const LONGEST_MESSAGE = 65_535;
const ENCODER = new TextEncoder();
/** More than any record takes. */
const RECORD_BYTES = 4096;

/** One element of a template: its number, its length, and whose it is (0 for IANA). */
type Element = readonly [id: number, length: number, enterprise?: number];

const ELEMENTS = {
  flowStartMilliseconds: [152, 8],
  flowEndMilliseconds: [153, 8],
  sourceTransportPort: [7, 2],
  destinationTransportPort: [11, 2],
  protocolIdentifier: [4, 1],
  biflowDirection: [239, 1],
  octetDeltaCount: [1, 8],
  packetDeltaCount: [2, 8],
  reverseOctetDeltaCount: [1, 8, REVERSE],
  reversePacketDeltaCount: [2, 8, REVERSE],
  interfaceName: [82, VARIABLE],
  applicationName: [96, VARIABLE],
} as const satisfies Record<string, Element>;

const STRING = 13;
const UNSIGNED32 = 3;
/** Semantics: no quantity, and a number that only names something. */
const DEFAULT = 0;
const IDENTIFIER = 4;

/** Elements of our own, numbered from 1; collectors know them by these numbers, so their order must not change. */
const OWN_ELEMENTS = [
  { name: 'netmonApp', type: STRING, what: 'program that a person would name' },
  { name: 'netmonExecutable', type: STRING, what: 'path of the process' },
  { name: 'netmonProcessId', type: UNSIGNED32, what: 'process that opened the connection; 0 if unknown' },
  { name: 'netmonHostName', type: STRING, what: 'name of the remote end' },
  { name: 'netmonDomain', type: STRING, what: 'domain of the remote end' },
  { name: 'netmonCategory', type: STRING, what: 'what the connection is for' },
  { name: 'netmonAttribution', type: STRING, what: 'how the process is known' },
  { name: 'netmonUser', type: STRING, what: 'user of the process' },
] as const;

const COMMON: readonly Element[] = [
  ...Object.values(ELEMENTS),
  ...OWN_ELEMENTS.map(({ type }, i): Element => [i + 1, type === STRING ? VARIABLE : 4, OURS]),
];
/** Templates by what is known of the addresses: a plan may leave them out. */
const TEMPLATES = {
  v4: { id: 256, elements: [[8, 4], [12, 4], ...COMMON] },
  v6: { id: 257, elements: [[27, 16], [28, 16], ...COMMON] },
  none: { id: 258, elements: COMMON },
} as const satisfies Record<string, { id: number; elements: readonly Element[] }>;
type Family = keyof typeof TEMPLATES;
const TYPES_TEMPLATE = 259;
/** Two scope fields, then what they are about. */
const TYPE_FIELDS: readonly Element[] = [
  [346, 4], // privateEnterpriseNumber
  [303, 2], // informationElementId
  [339, 1], // informationElementDataType
  [344, 1], // informationElementSemantics
  [345, 2], // informationElementUnits
  [342, 8], // informationElementRangeBegin
  [343, 8], // informationElementRangeEnd
  [341, VARIABLE], // informationElementName
  [340, VARIABLE], // informationElementDescription
];
const SCOPE_FIELDS = 2;

/** Writes the messages of one session with a collector, in which sequence numbers go on. */
export class IpfixEncoder {
  readonly #domain: number;
  readonly #mostBytes: number;
  readonly #address = new Int32Array(ADDRESS_WORDS);
  readonly #bytes: Buffer;
  #at = 0;
  #setAt = 0;
  #sequence = 0;
  #records = 0;

  /**
   * @param domain number of this machine among those that export to the collector, 32 bits
   * @param mostBytes of a message: what a datagram holds unbroken, or 65,535 over TCP
   */
  constructor(domain: number, mostBytes: number) {
    this.#domain = domain >>> 0;
    this.#mostBytes = Math.min(mostBytes, LONGEST_MESSAGE);
    this.#bytes = Buffer.alloc(this.#mostBytes + RECORD_BYTES);
  }

  /**
   * What a collector needs before anything else: once over TCP, again and again over UDP.
   *
   * @param now epoch ms @param isNamed names our own elements; over UDP every few minutes are enough
   */
  templates(now: number, isNamed: boolean): Buffer {
    this.#begin();
    if (isNamed) this.#types(); // first: libfixbuf looks them up when it meets a template
    this.#set(TEMPLATE_SET);
    for (const { id, elements } of Object.values(TEMPLATES)) {
      this.#u16(id);
      this.#u16(elements.length);
      this.#fields(elements);
    }
    this.#endSet();
    return this.#end(now);
  }

  /** Messages with these flows, in order; ARP is none of IP's. @param now epoch ms */
  flows(flows: readonly LoggedFlow[], now: number): Buffer[] {
    const messages: Buffer[] = [];
    let family: Family | null = null;
    this.#begin();
    for (const flow of flows) {
      const protocol = protocolNumber(flow.protocol) ?? PROTOCOL.ARP;
      if (protocol === PROTOCOL.ARP) continue;
      const own = this.#familyOf(flow);
      const [before, setBefore] = [this.#at, this.#setAt];
      this.#record(flow, protocol, own, own !== family);
      family = own;
      if (this.#at <= this.#mostBytes || this.#records === 1) continue;
      this.#at = before; // it begins the next message
      this.#setAt = setBefore;
      this.#records--;
      this.#endSet();
      messages.push(this.#end(now));
      this.#begin();
      this.#record(flow, protocol, own, true);
    }
    if (this.#records > 0) {
      this.#endSet();
      messages.push(this.#end(now));
    }
    return messages;
  }

  #types(): void {
    this.#set(OPTIONS_TEMPLATE_SET);
    this.#u16(TYPES_TEMPLATE);
    this.#u16(TYPE_FIELDS.length);
    this.#u16(SCOPE_FIELDS);
    this.#fields(TYPE_FIELDS);
    this.#endSet();
    this.#set(TYPES_TEMPLATE);
    for (const [i, { name, type, what }] of OWN_ELEMENTS.entries()) {
      this.#u32(OURS);
      this.#u16(i + 1);
      this.#u8(type);
      this.#u8(type === STRING ? DEFAULT : IDENTIFIER);
      this.#u16(0); // no unit
      this.#u64(0); // any value
      this.#u64(0);
      this.#text(name);
      this.#text(what);
      this.#records++;
    }
    this.#endSet();
  }

  /** @param isNew its set begins with it */
  #record(flow: LoggedFlow, protocol: number, family: Family, isNew: boolean): void {
    if (isNew) {
      if (this.#records > 0) this.#endSet();
      this.#set(TEMPLATES[family].id);
    }
    const isInbound = flow.direction === 'inbound';
    const [source, destination] = isInbound ? [flow.remoteAddress, flow.localAddress] : [flow.localAddress, flow.remoteAddress];
    if (family !== 'none') for (const address of [source, destination]) this.#addressOf(address, family);
    this.#u64(flow.start);
    this.#u64(flow.end);
    this.#u16(isInbound ? flow.remotePort : flow.localPort);
    this.#u16(isInbound ? flow.localPort : flow.remotePort);
    this.#u8(protocol);
    this.#u8(flow.direction === 'transit' ? 0 : 1); // arbitrary, or the initiator comes first
    const [bytes, packets] = isInbound ? [flow.rxBytes, flow.rxPackets] : [flow.txBytes, flow.txPackets];
    this.#u64(bytes);
    this.#u64(packets);
    this.#u64(flow.rxBytes + flow.txBytes - bytes);
    this.#u64(flow.rxPackets + flow.txPackets - packets);
    this.#text(flow.interface);
    this.#text(flow.application);
    this.#text(flow.app);
    this.#text(flow.exe);
    this.#u32(flow.pid ?? 0);
    this.#text(flow.host);
    this.#text(flow.domain);
    this.#text(flow.category);
    this.#text(flow.attribution);
    this.#text(flow.user);
    this.#records++;
  }

  #familyOf({ localAddress, remoteAddress }: LoggedFlow): Family {
    const families = [localAddress, remoteAddress].map((address) => {
      if (!parseAddress(address, this.#address)) return 'none';
      return isV4(this.#address, 0) ? 'v4' : 'v6';
    });
    const [local, remote] = families as [Family, Family];
    if (local === remote) return local;
    return local === 'none' || remote === 'none' ? 'none' : 'v6';
  }

  #addressOf(text: string, family: 'v4' | 'v6'): void {
    parseAddress(text, this.#address);
    for (const word of family === 'v4' ? this.#address.subarray(3) : this.#address) this.#u32(word);
  }

  #fields(elements: readonly Element[]): void {
    for (const [id, length, enterprise = 0] of elements) {
      this.#u16(enterprise === 0 ? id : id | ENTERPRISE_BIT);
      this.#u16(length);
      if (enterprise !== 0) this.#u32(enterprise);
    }
  }

  #begin(): void {
    this.#at = HEADER_BYTES;
    this.#records = 0;
  }

  #end(now: number): Buffer {
    const bytes = this.#bytes;
    bytes.writeUInt16BE(VERSION, 0);
    bytes.writeUInt16BE(this.#at, 2);
    bytes.writeUInt32BE(Math.floor(now / 1000) >>> 0, 4);
    bytes.writeUInt32BE(this.#sequence, 8);
    bytes.writeUInt32BE(this.#domain, 12);
    this.#sequence = (this.#sequence + this.#records) >>> 0;
    return Buffer.from(bytes.subarray(0, this.#at));
  }

  #set(id: number): void {
    this.#setAt = this.#at;
    this.#u16(id);
    this.#at += SET_HEADER_BYTES - 2;
  }

  #endSet(): void {
    this.#bytes.writeUInt16BE(this.#at - this.#setAt, this.#setAt + 2);
  }

  /** A text of variable length; null is empty. Cut between characters. */
  #text(text: string | null): void {
    const { written } = ENCODER.encodeInto(text ?? '', this.#bytes.subarray(this.#at + 1, this.#at + 1 + TEXT_BYTES));
    this.#bytes[this.#at] = written;
    this.#at += 1 + written;
  }

  #u8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  #u16(value: number): void {
    this.#bytes.writeUInt16BE(value & 0xffff, this.#at);
    this.#at += 2;
  }

  #u32(value: number): void {
    this.#bytes.writeUInt32BE(value >>> 0, this.#at);
    this.#at += 4;
  }

  /** Below zero counts as nothing. */
  #u64(value: number): void {
    this.#bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.round(value))), this.#at);
    this.#at += 8;
  }
}
