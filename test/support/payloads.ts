// Payloads of flows for tests: messages that name things, built with right lengths unless a test asks for a lie, and a recorder of what
// the inspector tells about them.

import { createCipheriv, createHmac } from 'node:crypto';
import { Packet } from '../../src/decode/packet.ts';
import { Inspector } from '../../src/inspect/inspector.ts';
import type { TalkFindings } from '../../src/inspect/talk.ts';
import { formatAddress, parseAddress } from '../../src/net/address.ts';
import { PROTOCOL } from '../../src/net/numbers.ts';
import { be16, be32, hex, join } from './frames.ts';

type Bytes = Uint8Array | readonly number[];
const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));
const vector8 = (body: Bytes): Uint8Array => join([body.length], body);
const vector16 = (body: Bytes): Uint8Array => join(be16(body.length), body);
const be24 = (value: number): number[] => [(value >>> 16) & 255, ...be16(value)];

// ---- TLS ---------------------------------------------------------------------------------------------------------------------

export interface HelloFields {
  /** Null leaves the extension out. */
  name?: string | null;
  alpn?: readonly string[];
  ech?: boolean;
  srtp?: boolean;
  /** Bytes of the key share: 1216 for a post-quantum one. */
  keyBytes?: number;
  /** Bytes of padding behind everything. */
  padding?: number;
  datagram?: boolean;
  cookie?: Uint8Array;
  versions?: readonly number[];
  /** Instead of all extensions. */
  extensions?: Uint8Array;
}

/** An extension. */
export const helloExtension = (type: number, body: Bytes): Uint8Array => join(be16(type), vector16(body));

/** A ClientHello without its handshake header (RFC 8446 section 4.1.2). */
export function helloBody(fields: HelloFields = {}): Uint8Array {
  const { name = 'www.example.com', alpn = [], datagram = false, keyBytes = 32 } = fields;
  const versions = fields.versions ?? (datagram ? [0xfefc, 0xfefd] : [0x2a2a, 0x0304, 0x0303]);
  const extensions = join(
    helloExtension(0x8a8a, []),
    name === null ? [] : helloExtension(0, vector16(join([0], vector16(text(name))))),
    helloExtension(0x2b, vector8(versions.flatMap(be16))),
    alpn.length === 0 ? [] : helloExtension(16, vector16(join(...alpn.map((each) => vector8(text(each)))))),
    helloExtension(0x33, vector16(join([0x11, 0xec], vector16(new Uint8Array(keyBytes).fill(7))))),
    fields.ech === true
      ? helloExtension(0xfe0d, join([0, 0, 1, 0, 1, 9], vector16(new Uint8Array(32)), vector16(new Uint8Array(144))))
      : [],
    fields.srtp === true ? helloExtension(14, [0, 2, 0, 7, 0]) : [],
    fields.padding === undefined ? [] : helloExtension(21, new Uint8Array(fields.padding)),
  );
  return join(
    datagram ? [0xfe, 0xfd] : [3, 3],
    new Uint8Array(32).fill(0x55),
    vector8(new Uint8Array(datagram ? 0 : 32)),
    datagram ? vector8(fields.cookie ?? []) : [],
    vector16([0x13, 1, 0x13, 2, 0xc0, 0x2b]),
    [1, 0],
    vector16(fields.extensions ?? extensions),
  );
}

/** The handshake message of a hello. */
export function helloMessage(fields: HelloFields = {}): Uint8Array {
  const body = helloBody(fields);
  return join([1], be24(body.length), body);
}

/** A hello in TLS records of at most `recordBytes`. */
export function tlsHello(fields: HelloFields = {}, recordBytes = 16_384): Uint8Array {
  return tlsRecords(helloMessage(fields), recordBytes);
}

/** Handshake bytes in records. */
export function tlsRecords(message: Uint8Array, recordBytes = 16_384): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += recordBytes)
    records.push(join([0x16, 3, 1], vector16(message.subarray(at, at + recordBytes))));
  return join(...records);
}

/** A hello in DTLS records, one for each fragment. */
export function dtlsHello(fields: HelloFields = {}, fragmentBytes = 16_384, sequence = 0): Uint8Array[] {
  const body = helloBody({ ...fields, datagram: true });
  const records: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += fragmentBytes) {
    const piece = body.subarray(at, at + fragmentBytes);
    const message = join([1], be24(body.length), be16(sequence), be24(at), be24(piece.length), piece);
    records.push(join([0x16, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, sequence], vector16(message)));
  }
  return records;
}

// ---- QUIC --------------------------------------------------------------------------------------------------------------------

/** A number of variable length (RFC 9000 section 16). */
export function varint(value: number): number[] {
  if (value < 64) return [value];
  return value < 16_384 ? be16(value | 0x4000) : be32((value | 0x80000000) >>> 0);
}
/** A CRYPTO frame. */
export const cryptoFrame = (offset: number, data: Uint8Array): Uint8Array => join([6], varint(offset), varint(data.length), data);

export interface InitialFields {
  version?: number;
  salt?: string;
  label?: string;
  /** Type bits of the first byte. */
  type?: number;
  destination?: Uint8Array;
  source?: Uint8Array;
  token?: Uint8Array;
  number?: number;
  /** Connection ID that the keys are made from; the destination by default. */
  keyId?: Uint8Array;
  /** Of the whole datagram; 0 leaves it as it is. */
  bytes?: number;
  /** Protected with the server's keys. */
  isServers?: boolean;
}

const hmac = (key: Uint8Array, message: Uint8Array): Buffer => createHmac('sha256', key).update(message).digest();
const expand = (secret: Uint8Array, label: string, length: number): Buffer =>
  hmac(secret, join(be16(length), vector8(text(`tls13 ${label}`)), [0, 1])).subarray(0, length);

/** A client's Initial packet with these frames, protected as on the wire (RFC 9001 section 5). */
export function quicInitial(frames: Uint8Array, fields: InitialFields = {}): Uint8Array {
  const { version = 1, salt = '38762cf7f55934b34d179ae6a4c80cadccbb7f0a', label = 'quic', type = 0, number = 0 } = fields;
  const { destination = hex('8394c8f03e515708'), source = new Uint8Array(0), token = new Uint8Array(0), bytes = 1200 } = fields;
  const client = expand(hmac(hex(salt), fields.keyId ?? destination), fields.isServers === true ? 'server in' : 'client in', 32);
  const before = join([0xc3 | (type << 4)], be32(version), vector8(destination), vector8(source), varint(token.length), token);
  const plain = join(frames, new Uint8Array(Math.max(0, bytes - before.length - 2 - 4 - 16 - frames.length)));
  const header = join(before, be16((4 + plain.length + 16) | 0x4000), be32(number));
  const nonce = Uint8Array.from(expand(client, `${label} iv`, 12));
  for (const [i, byte] of be32(number).entries()) nonce[8 + i] = (nonce[8 + i] as number) ^ byte;
  const cipher = createCipheriv('aes-128-gcm', expand(client, `${label} key`, 16), nonce);
  cipher.setAAD(header);
  const sealed = join(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  const mask = createCipheriv('aes-128-ecb', expand(client, `${label} hp`, 16), null).update(sealed.subarray(0, 16));
  header[0] = (header[0] as number) ^ ((mask[0] as number) & 15);
  for (let i = 0; i < 4; i++) header[header.length - 4 + i] = (header[header.length - 4 + i] as number) ^ (mask[1 + i] as number);
  return join(header, sealed);
}

// ---- HTTP, DHCP ----------------------------------------------------------------------------------------------------------------

/** A request of HTTP/1.1. */
export const httpRequest = (host: string, path = '/', method = 'GET'): Uint8Array =>
  text(`${method} ${path} HTTP/1.1\r\nUser-Agent: test\r\nAccept: */*\r\nHost: ${host}\r\n\r\n`);

/** A DHCP message (RFC 2131). */
export function dhcp(
  type: number,
  fields: { client?: string; yours?: string; requested?: string; name?: string; fqdn?: Uint8Array; lease?: number },
): Uint8Array {
  const address = (value?: string): Uint8Array => {
    const words = new Int32Array(4);
    return value !== undefined && parseAddress(value, words) ? Uint8Array.from(be32(words[3] as number)) : new Uint8Array(4);
  };
  const option = (code: number, body: Bytes): Uint8Array => join([code], vector8(body));
  return join(
    [type === 2 || type === 5 ? 2 : 1, 1, 6, 0],
    new Uint8Array(8),
    address(fields.client),
    address(fields.yours),
    new Uint8Array(216),
    hex('63825363'),
    option(53, [type]),
    [0],
    fields.requested === undefined ? [] : option(50, address(fields.requested)),
    fields.lease === undefined ? [] : option(51, be32(fields.lease)),
    fields.name === undefined ? [] : option(12, text(fields.name)),
    fields.fqdn === undefined ? [] : option(81, fields.fqdn),
    [255],
  );
}

// ---- the recorder --------------------------------------------------------------------------------------------------------------

export interface SegmentFields {
  flow?: number;
  protocol?: number;
  sport?: number;
  dport?: number;
  /** From the opener unless told otherwise. */
  back?: boolean;
  seq?: number;
  /** TCP_FLAG bits; none by default. */
  flags?: number;
  time?: number;
  /** Bytes on the wire, where the capture kept fewer. */
  wire?: number;
  src?: string;
  tunnel?: Packet['tunnel'];
}

/** Labels in wire form with dots between them. */
function dotted(labels: Uint8Array): string {
  const out: string[] = [];
  for (let at = 0; at < labels.length; at += (labels[at] as number) + 1)
    out.push(Buffer.from(labels.subarray(at + 1, at + 1 + (labels[at] as number))).toString('latin1'));
  return out.join('.');
}

/** An inspector and what it told, one line a fact. */
export class Inspection {
  readonly told: string[] = [];
  /** What was asked of DNS, dotted. */
  readonly asked: string[] = [];
  readonly inspector: Inspector;
  readonly #packet = new Packet();

  constructor(limits: ConstructorParameters<typeof Inspector>[2] = {}, talk: TalkFindings | null = null) {
    this.inspector = new Inspector(
      {
        serverName: (flow, source, name, ech) => this.told.push(`${flow} ${source} ${name}${ech ? ' ech' : ''}`),
        application: (flow, application) => this.told.push(`${flow} is ${application}`),
        answer: (flow, kind, name, words, at, ttl) =>
          this.told.push(`${flow} ${kind} ${name} = ${formatAddress(words, at)} ${ttl}`),
        asked: (flow, labels, length) => this.asked.push(`${flow} ${dotted(labels.subarray(0, length))}`),
        pointer: (flow, name, words, at, ttl) => this.told.push(`${flow} ptr ${formatAddress(words, at)} = ${name} ${ttl}`),
      },
      talk,
      limits,
    );
  }

  /** Gives the inspector a TCP segment. @returns whether it wants more */
  tcp(payload: Uint8Array | string, fields: SegmentFields = {}): boolean {
    return this.#give(typeof payload === 'string' ? text(payload) : payload, { dport: 443, ...fields, protocol: PROTOCOL.TCP });
  }

  /** Gives the inspector a datagram. @returns whether it wants more */
  udp(payload: Uint8Array | string, fields: SegmentFields = {}): boolean {
    return this.#give(typeof payload === 'string' ? text(payload) : payload, { dport: 443, ...fields, protocol: PROTOCOL.UDP });
  }

  /** What was told since the last call. */
  take(): string[] {
    return this.told.splice(0);
  }

  #give(payload: Uint8Array, fields: SegmentFields): boolean {
    const {
      flow = 1,
      sport = 40_000,
      dport = 443,
      back = false,
      seq = 1000,
      time = 1_767_225_600_000,
      wire,
      src = '192.0.2.1',
    } = fields;
    const packet = this.#packet;
    // Poison around the payload: a reader that leaves it is found out by what it reads.
    const bytes = new Uint8Array(payload.length + 16).fill(0xee);
    bytes.set(payload, 8);
    parseAddress(src, packet.words, 0);
    packet.protocol = fields.protocol ?? PROTOCOL.TCP;
    packet.sourcePort = back ? dport : sport;
    packet.destinationPort = back ? sport : dport;
    packet.sequence = seq | 0;
    packet.tcpFlags = fields.flags ?? 0;
    packet.payloadOffset = 8;
    packet.payloadCaptured = payload.length;
    packet.payloadBytes = wire ?? payload.length;
    packet.tunnel = fields.tunnel ?? 0;
    return this.inspector.packet(flow, packet, bytes, !back, time);
  }
}
