// What a packet's payload begins with, in words: records of TLS, headers of QUIC, questions of DNS, requests of HTTP. It reads one packet alone and
// knows nothing of those before it.

import { readName, WireName } from '../inspect/dns/name.ts';
import { looksLikeDns } from '../inspect/dns/records.ts';
import { responseStatus, startsRequest } from '../inspect/http/request.ts';
import { LongHeader, readLongHeader } from '../inspect/quic/header.ts';
import { quicVersion } from '../inspect/quic/initial.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength, RECORD, RECORD_HEADER_BYTES } from '../inspect/tls/records.ts';
import { u8, u16 } from '../net/bytes.ts';
import { recordTypeName, responseName } from '../net/dns.ts';
import { PROTOCOL } from '../net/numbers.ts';
import { sanitizeBytes } from '../net/text.ts';
import { alertName } from '../net/tls.ts';

/** What a payload begins with. */
export interface PacketContents {
  /** Our own words; empty if nothing was recognised. */
  readonly contents: string;
  /** A name in it; null without one. Sanitised. */
  readonly name: string | null;
}

const NOTHING: PacketContents = { contents: '', name: null };
const DNS_PORTS = new Map([
  [53, 'DNS'],
  [5353, 'mDNS'],
  [5355, 'LLMNR'],
]);
const QUIC_PORT = 443;
const DNS_HEADER_BYTES = 12;
/** Records named of one segment. */
const MAX_RECORDS = 4;
const HANDSHAKE = new Map([
  [0, 'hello request'],
  [1, 'client hello'],
  [2, 'server hello'],
  [4, 'new ticket'],
  [11, 'certificate'],
  [12, 'key exchange'],
  [13, 'certificate request'],
  [14, 'server done'],
  [15, 'certificate verify'],
  [16, 'key exchange'],
  [22, 'certificate status'],
]);
const QUIC_TYPES = ['Initial', '0-RTT', 'Handshake', 'Retry'];
/** Types of ICMP (RFC 792) and ICMPv6 (RFC 4443, RFC 4861). */
const ICMP = new Map([
  [0, 'echo reply'],
  [3, 'unreachable'],
  [5, 'redirect'],
  [8, 'echo request'],
  [11, 'time exceeded'],
]);
const ICMPV6 = new Map([
  [1, 'unreachable'],
  [2, 'packet too big'],
  [3, 'time exceeded'],
  [128, 'echo request'],
  [129, 'echo reply'],
  [133, 'router solicitation'],
  [134, 'router advertisement'],
  [135, 'neighbour solicitation'],
  [136, 'neighbour advertisement'],
]);
const LONGEST_METHOD = 16;

/**
 * Reads the beginning of a payload.
 *
 * @param head as much of it as is kept
 * @param payloadBytes of all of it on the wire
 * @param sourcePort type << 8 | code for ICMP
 */
export function contentsOf(
  head: Uint8Array,
  payloadBytes: number,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
): PacketContents {
  const messages = protocol === PROTOCOL.ICMP ? ICMP : protocol === PROTOCOL.ICMPV6 ? ICMPV6 : null;
  if (messages !== null) return { contents: messages.get(sourcePort >>> 8) ?? `type ${sourcePort >>> 8}`, name: null };
  if (head.length === 0) return NOTHING;
  const dns = DNS_PORTS.get(sourcePort) ?? DNS_PORTS.get(destinationPort);
  if (protocol === PROTOCOL.UDP) {
    if (dns !== undefined) return dnsContents(head, 0, payloadBytes, dns);
    return quicContents(head, sourcePort === QUIC_PORT || destinationPort === QUIC_PORT);
  }
  if (protocol !== PROTOCOL.TCP) return NOTHING;
  if (dns !== undefined && head.length > 2) return dnsContents(head, 2, payloadBytes - 2, dns);
  const records = tlsContents(head, payloadBytes);
  return records === '' ? httpContents(head) : { contents: `TLS ${records}`, name: null };
}

const question = new WireName();

function dnsContents(head: Uint8Array, from: number, length: number, protocol: string): PacketContents {
  if (!looksLikeDns(head, from, head.length, length, false)) return NOTHING;
  const flags = u16(head, from + 2);
  const isAnswer = (flags & 0x8000) !== 0;
  const code = flags & 15;
  const answers = u16(head, from + 6);
  const after = u16(head, from + 4) === 0 ? -1 : readName(head, from, from + DNS_HEADER_BYTES, head.length, question);
  const type = after >= 0 && after + 2 <= head.length ? ` ${recordTypeName(u16(head, after))}` : '';
  const outcome = code === 0 ? (answers === 1 ? '1 answer' : `${answers} answers`) : responseName(code);
  return { contents: `${protocol}${type}${isAnswer ? ` ${outcome}` : '?'}`, name: after < 0 ? null : questionText() };
}

function questionText(): string {
  const dotted = new Uint8Array(question.length);
  let length = 0;
  for (let at = 0; at < question.length; at += (question.bytes[at] as number) + 1) {
    if (at > 0) dotted[length++] = 0x2e;
    for (let i = 1; i <= (question.bytes[at] as number); i++) dotted[length++] = (question.bytes[at + i] as number) || 0x3f;
  }
  return length === 0 ? '.' : sanitizeBytes(dotted, 0, length);
}

const header = new LongHeader();

function quicContents(head: Uint8Array, isLikely: boolean): PacketContents {
  if (readLongHeader(head, 0, head.length, header)) {
    if (header.version === 0) return { contents: 'QUIC version negotiation', name: null };
    const version = quicVersion(header.version);
    if (version === undefined) return NOTHING;
    return { contents: `QUIC ${QUIC_TYPES[(header.type - version.initial) & 3]}`, name: null };
  }
  const isShort = (u8(head, 0) & 0xc0) === 0x40;
  return isLikely && isShort ? { contents: 'QUIC 1-RTT', name: null } : NOTHING;
}

/** Records that begin in the segment, if one begins at its start. */
function tlsContents(head: Uint8Array, payloadBytes: number): string {
  const words: string[] = [];
  let data = 0;
  let isSecured = false;
  for (let at = 0, i = 0; i < MAX_RECORDS && at + RECORD_HEADER_BYTES <= head.length; i++) {
    const type = u8(head, at);
    const size = u16(head, at + 3);
    if (
      type < RECORD.CHANGE_CIPHER ||
      type > RECORD.APPLICATION_DATA ||
      u8(head, at + 1) !== 3 ||
      u8(head, at + 2) > 4 ||
      size === 0 ||
      size > 18_432
    )
      break;
    const first = at + RECORD_HEADER_BYTES;
    if (type === RECORD.APPLICATION_DATA) data += Math.min(size, payloadBytes - first);
    else if (type === RECORD.CHANGE_CIPHER) words.push('change of keys');
    else if (type === RECORD.ALERT)
      words.push(size === 2 && first + 1 < head.length ? `alert: ${alertName(u8(head, first + 1))}` : 'alert');
    else words.push((isSecured ? undefined : messageName(head, first, size)) ?? 'handshake');
    if (type === RECORD.CHANGE_CIPHER) isSecured = true; // what follows is encrypted
    at = first + size;
  }
  if (data > 0) words.push(`data ${data}`);
  return words.join(', ');
}

/** The message that a record begins with; undefined if it has no name, or its length shows that it is encrypted. */
function messageName(head: Uint8Array, at: number, size: number): string | undefined {
  if (at + HANDSHAKE_HEADER_BYTES > head.length || HANDSHAKE_HEADER_BYTES + handshakeLength(head, at) > size) return undefined;
  return HANDSHAKE.get(u8(head, at));
}

function httpContents(head: Uint8Array): PacketContents {
  const status = responseStatus(head, 0, head.length);
  if (status >= 0) return { contents: `HTTP ${status}`, name: null };
  if (head.length < 8 || !startsRequest(head, 0)) return NOTHING;
  let end = 0;
  while (end < LONGEST_METHOD && end < head.length && u8(head, end) > 0x20) end++;
  return { contents: `HTTP ${sanitizeBytes(head, 0, end)}`, name: null };
}
