// Reads transport headers: dispatches by IP protocol, then TCP, UDP, UDP-Lite, SCTP and ICMP. It doesn't verify checksums, because offload leaves
// them to the card. It only recognises tunnels; inspect/tunnels.ts reads what is inside. In every reader `end` is the end of the packet's captured
// bytes, and `networkEnd` the end of its bytes on the wire.

import { isV4 } from '../net/address.ts';
import { i32, u8, u16 } from '../net/bytes.ts';
import { ECHO, ECHO_PORT, ETHERTYPE, echoOf, hasPorts, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { QUIC_LONG, TUNNEL_PORT } from '../net/reading.ts';
import { complete, LAYER, type Packet, STATUS, type Status, stop, TUNNEL, type Tunnel } from './packet.ts';

/** Copies, as in ipv4.ts. */
const { TRANSPORT } = LAYER;
const { MALFORMED, TRUNCATED } = STATUS;

/** Reads the header that `packet.protocol` names. Other protocols than these have no header to read. */
export function readTransport(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  packet.transportOffset = at;
  switch (packet.protocol) {
    case PROTOCOL.TCP:
      return readTcp(bytes, at, end, networkEnd, packet);
    case PROTOCOL.UDP:
      return readUdp(bytes, at, end, networkEnd, packet);
    case PROTOCOL.ICMP:
    case PROTOCOL.ICMPV6:
      return readIcmp(bytes, at, end, networkEnd, packet);
    case PROTOCOL.UDPLITE:
      return readUdpLite(bytes, at, end, networkEnd, packet);
    case PROTOCOL.SCTP:
      return readSctp(bytes, at, end, networkEnd, packet);
    default:
      packet.tunnel = tunnelOf(packet);
      if (packet.tunnel !== TUNNEL.NONE && end > at) packet.insideCaptured = end - at;
      return complete(packet);
  }
}

/**
 * Finishes a later fragment. All of it is payload, but from the middle of a message, so it has no payload offset.
 *
 * `Decoder` fills in the ports.
 */
export function readLaterFragment(at: number, networkEnd: number, packet: Packet): Status {
  packet.laterFragment = true;
  if (hasPorts(packet.protocol) && networkEnd > at) packet.payloadBytes = networkEnd - at;
  packet.tunnel = tunnelOf(packet);
  return complete(packet);
}

/** TUNNEL of a tunnel protocol directly over IP. */
function tunnelOf(packet: Packet): Tunnel {
  const outerV4 = isV4(packet.words, 0);
  switch (packet.protocol) {
    case PROTOCOL.GRE:
      return TUNNEL.GRE;
    case PROTOCOL.IPIP:
      return outerV4 ? TUNNEL.IP_IN_IP : TUNNEL.FOUR_IN_SIX;
    case PROTOCOL.IPV6:
      return outerV4 ? TUNNEL.SIX_IN_FOUR : TUNNEL.IP_IN_IP;
    default:
      return TUNNEL.NONE;
  }
}

const TCP_BYTES = 20;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_TIMESTAMPS = 8;
const TIMESTAMPS_BYTES = 10;
/** NOP NOP timestamps, the layout that all senders use (RFC 7323 appendix A). */
const ALIGNED_TIMESTAMPS = 0x0101080a;

/** Reads a TCP segment (RFC 9293 section 3.1). Of the options only timestamps are read. */
export function readTcp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + TCP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, TCP_BYTES, packet);
  setPorts(bytes, at, packet);
  packet.sequence = i32(bytes, at + 4);
  packet.acknowledgement = i32(bytes, at + 8);
  const headerBytes = (u8(bytes, at + 12) >>> 4) << 2;
  packet.tcpFlags = u8(bytes, at + 13);
  const payload = at + headerBytes;
  if (headerBytes < TCP_BYTES || payload > networkEnd) return stop(packet, TRANSPORT, MALFORMED);
  if (headerBytes > TCP_BYTES) {
    if (headerBytes >= TCP_BYTES + 12 && payload <= end && i32(bytes, at + TCP_BYTES) === ALIGNED_TIMESTAMPS) {
      setTimestamps(bytes, at + TCP_BYTES + 4, packet);
    } else readOptions(bytes, at + TCP_BYTES, Math.min(payload, end), packet);
    if (payload > end) return stop(packet, TRANSPORT, TRUNCATED);
  }
  packet.payloadOffset = payload;
  packet.payloadBytes = networkEnd - payload;
  packet.payloadCaptured = end - payload;
  return complete(packet);
}

/** Looks for timestamps. An option with an impossible length just ends the search, because systems accept such segments. */
function readOptions(bytes: Uint8Array, from: number, to: number, packet: Packet): void {
  let at = from;
  while (at + 1 < to) {
    const kind = u8(bytes, at);
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    const length = u8(bytes, at + 1);
    if (length < 2 || at + length > to) return;
    if (kind === OPTION_TIMESTAMPS && length === TIMESTAMPS_BYTES) {
      setTimestamps(bytes, at + 2, packet);
      return;
    }
    at += length;
  }
}

function setTimestamps(bytes: Uint8Array, at: number, packet: Packet): void {
  packet.timestampValue = i32(bytes, at);
  packet.timestampEcho = i32(bytes, at + 4);
  packet.hasTimestamps = true;
}

const UDP_BYTES = 8;
/** A copy, as in ipv4.ts: the two highest bits. */
const LONG = QUIC_LONG;
const { VXLAN, GENEVE, GTP_U, TEREDO } = TUNNEL_PORT;

/** Reads a UDP datagram (RFC 768). Length 0 means too long for the field (RFC 2675 section 4), or not yet segmented. */
export function readUdp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + UDP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, UDP_BYTES, packet);
  setPorts(bytes, at, packet);
  const length = u16(bytes, at + 4);
  let payloadEnd = networkEnd;
  if (length !== 0) {
    if (length < UDP_BYTES) return stop(packet, LAYER.TRANSPORT, STATUS.MALFORMED);
    // A first fragment has the whole datagram's length. Otherwise a length beyond the packet is false.
    if (at + length > networkEnd) {
      if (!packet.firstFragment) return stop(packet, LAYER.TRANSPORT, STATUS.MALFORMED);
    } else payloadEnd = at + length;
  }
  const payload = at + UDP_BYTES;
  setPayload(packet, payload, end, payloadEnd);
  if (packet.payloadCaptured >= UDP_BYTES) {
    const first = u8(bytes, payload);
    const to = packet.destinationPort;
    if (first <= 4 && first !== 0 && isWireguard(bytes, payload, packet.payloadBytes, packet.payloadCaptured))
      packet.tunnel = TUNNEL.WIREGUARD;
    else if (to === VXLAN || to === GENEVE || to === GTP_U || to === TEREDO || packet.sourcePort === TEREDO)
      packet.tunnel = tunnelOver(bytes, payload, packet);
    else packet.longHeader = first >= LONG;
  }
  return complete(packet);
}

/** Reads a UDP-Lite datagram (RFC 3828 section 3.1): its length is the packet's. */
function readUdpLite(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + UDP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, UDP_BYTES, packet);
  setPorts(bytes, at, packet);
  setPayload(packet, at + UDP_BYTES, end, networkEnd);
  return complete(packet);
}

const SCTP_BYTES = 12;
/** INIT, the chunk that opens an association and is alone in its packet; bytes up to its tag (RFC 9260 section 3.3.2). */
const INIT = 1;
const INIT_BYTES = 8;

/** Reads an SCTP packet (RFC 9260 section 3.1). It reads only INIT chunks; all chunks count as payload. */
function readSctp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + SCTP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, SCTP_BYTES, packet);
  setPorts(bytes, at, packet);
  setPayload(packet, at + SCTP_BYTES, end, networkEnd);
  if (packet.payloadCaptured >= INIT_BYTES && u8(bytes, at + SCTP_BYTES) === INIT) {
    packet.tcpFlags = TCP_FLAG.SYN;
    packet.sequence = i32(bytes, at + SCTP_BYTES + 4);
  }
  return complete(packet);
}

/** Type, code and checksum (RFC 792, RFC 4443 section 2.1). */
const ICMP_BYTES = 4;
/** Header with the identifier. */
const ICMP_IDENTIFIED = 6;
/** Header with the four bytes that nearly every message has before its body. The payload follows. */
const ICMP_BODY = 8;

/** Reads an ICMP or ICMPv6 message: type and code, and the identifier of echo requests and replies. */
function readIcmp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + ICMP_BYTES > networkEnd) return stop(packet, LAYER.TRANSPORT, STATUS.MALFORMED);
  if (at + ICMP_BYTES > end) return stop(packet, LAYER.TRANSPORT, STATUS.TRUNCATED);
  packet.icmpType = u16(bytes, at);
  const echo = echoOf(packet.protocol, bytes[at] as number);
  if (echo !== ECHO.NONE && at + ICMP_IDENTIFIED <= end && at + ICMP_IDENTIFIED <= networkEnd) {
    const identifier = u16(bytes, at + ICMP_BYTES);
    packet.sourcePort = echo === ECHO.REQUEST ? identifier : ECHO_PORT;
    packet.destinationPort = echo === ECHO.REQUEST ? ECHO_PORT : identifier;
  }
  if (at + ICMP_BODY <= networkEnd) setPayload(packet, at + ICMP_BODY, end, networkEnd);
  return complete(packet);
}

/**
 * Finishes an incomplete header, with its ports if they are there.
 *
 * It is truncated if the capture cut it off, and malformed if the packet itself is too short (as is a tiny first fragment, RFC 1858).
 */
function stopInHeader(bytes: Uint8Array, at: number, end: number, networkEnd: number, need: number, packet: Packet): Status {
  if (at + 4 <= end) setPorts(bytes, at, packet);
  return stop(packet, LAYER.TRANSPORT, at + need > networkEnd ? STATUS.MALFORMED : STATUS.TRUNCATED);
}

/** Reads both ports. The caller has checked that there are 4 bytes. */
function setPorts(bytes: Uint8Array, at: number, packet: Packet): void {
  packet.sourcePort = u16(bytes, at);
  packet.destinationPort = u16(bytes, at + 2);
}

/** Sets the payload's offset and lengths. @param payloadEnd its end on the wire */
function setPayload(packet: Packet, at: number, end: number, payloadEnd: number): void {
  packet.payloadOffset = at;
  packet.payloadBytes = payloadEnd > at ? payloadEnd - at : 0;
  const capturedEnd = Math.min(end, payloadEnd);
  packet.payloadCaptured = capturedEnd > at ? capturedEnd - at : 0;
}

const HEADER_BYTES = 8;
const INNER_ETHERNET_BYTES = 14;
const INNER_IP_BYTES = 20;
const VXLAN_VALID = 0x08;
const ETHERNET_INSIDE = 0x6558;
/** GTP version 1 with protocol type GTP, not GTP'. */
const GTP_VERSION_1 = 0x30;
const GTP_DATA = 0xff;
/** What may precede IPv6 in a Teredo datagram: an origin or an authentication (RFC 4380 section 5.1.1). */
const TEREDO_INDICATORS = [0, 1];

/** TUNNEL of a datagram to one of TUNNEL_PORT if its first bytes fit. The caller has checked that there are 8. */
function tunnelOver(bytes: Uint8Array, at: number, packet: Packet): Tunnel {
  const first = u8(bytes, at);
  const inner = packet.payloadBytes - HEADER_BYTES;
  switch (packet.destinationPort) {
    case TUNNEL_PORT.VXLAN:
      // All other bits must be ignored (RFC 7348 section 5).
      return (first & VXLAN_VALID) !== 0 && inner >= INNER_ETHERNET_BYTES ? TUNNEL.VXLAN : TUNNEL.NONE;
    case TUNNEL_PORT.GENEVE:
      return first >>> 6 === 0 && isInside(u16(bytes, at + 2)) && inner >= INNER_ETHERNET_BYTES ? TUNNEL.GENEVE : TUNNEL.NONE;
    case TUNNEL_PORT.GTP_U:
      return (first & 0xf0) === GTP_VERSION_1 &&
        u8(bytes, at + 1) === GTP_DATA &&
        u16(bytes, at + 2) === inner &&
        inner >= INNER_IP_BYTES
        ? TUNNEL.GTP_U
        : TUNNEL.NONE;
    default:
      return first >>> 4 === 6 || TEREDO_INDICATORS.includes(u16(bytes, at)) ? TUNNEL.TEREDO : TUNNEL.NONE;
  }
}

function isInside(type: number): boolean {
  return type === ETHERNET_INSIDE || type === ETHERTYPE.IPV4 || type === ETHERTYPE.IPV6;
}

/**
 * Whether this is a WireGuard message (whitepaper section 5.4): a type of 1 to 4, three zero bytes, and a length that fits the type.
 *
 * Data messages have a 16-byte header, padding to 16 bytes and a 16-byte tag; the upper two bytes of their counter are always 0.
 * The caller has checked that there are 8 bytes. @param payloadBytes length on the wire
 */
function isWireguard(bytes: Uint8Array, at: number, payloadBytes: number, captured: number): boolean {
  if (u8(bytes, at + 1) !== 0 || u16(bytes, at + 2) !== 0) return false;
  switch (u8(bytes, at)) {
    case 1:
      return payloadBytes === 148;
    case 2:
      return payloadBytes === 92;
    case 3:
      return payloadBytes === 64;
    case 4:
      return payloadBytes >= 32 && (payloadBytes & 15) === 0 && captured >= 16 && u16(bytes, at + 14) === 0;
    default:
      return false;
  }
}
