// Recognises a UDP flow's application by one datagram. Content decides; where that isn't enough, the port must match too.

import { type Packet, TUNNEL } from '../decode/packet.ts';
import { i32, u8, u16 } from '../net/bytes.ts';
import { looksLikeDns } from './dns/records.ts';
import { ascii, isOpenvpnReset, startsWith, startsWithAny } from './signature.ts';

const STUN_COOKIE = 0x2112a442;
const STUN_BYTES = 20;
const NTP_PORT = 123;
const NTP_BYTES = 48;
const DHCP6_PORTS = [546, 547];
const UTP_BYTES = 20;
/** Magic of a tracker's connect request (BEP 15). */
const TRACKER_HIGH = 0x00000417;
const TRACKER_LOW = 0x27101980;
const SSDP = ['M-SEARCH * HTTP/1.1\r\n', 'NOTIFY * HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n'].map(ascii);
const DHT = ['d1:ad2:id20:', 'd1:rd2:id20:', 'd2:ip6:', 'd2:ip18:', 'd1:eli2'].map(ascii);
const LOCAL_DISCOVERY = ascii('BT-SEARCH * HTTP/1.1\r\n');
const SIP = ['SIP/2.0 ', 'INVITE sip:', 'REGISTER sip:', 'OPTIONS sip:', 'SUBSCRIBE sip:', 'NOTIFY sip:'].map(ascii);
const RTCP_FIRST = 200;
const RTCP_LAST = 207;

/** Application of the datagram at `at`; null if unrecognised. The caller has checked that there is one byte. */
export function udpApplication(bytes: Uint8Array, at: number, end: number, packet: Packet, time: number): string | null {
  const length = packet.payloadBytes;
  if (packet.tunnel === TUNNEL.WIREGUARD) return 'wireguard';
  const first = u8(bytes, at);
  if (first < 0x40 && isStun(bytes, at, end, length)) return 'stun';
  const isNtpPort = packet.sourcePort === NTP_PORT || packet.destinationPort === NTP_PORT;
  if (isNtpPort) return isNtp(first, length) ? 'ntp' : null;
  switch (first) {
    case 0x00:
      if (
        length === 16 &&
        end - at >= 12 &&
        i32(bytes, at) === TRACKER_HIGH &&
        i32(bytes, at + 4) === TRACKER_LOW &&
        i32(bytes, at + 8) === 0
      )
        return 'bittorrent';
      break;
    case 0x30:
      if (isSnmp(bytes, at, end, length)) return 'snmp';
      break;
    case 0x38:
    case 0x50:
      if (isOpenvpnReset(bytes, at, end, length, time)) return 'openvpn';
      break;
    case 0x41:
      if (isUtpSyn(bytes, at, end, length)) return 'bittorrent';
      break;
    case 0x42: // B
      if (startsWith(bytes, at, end, LOCAL_DISCOVERY)) return 'bittorrent';
      break;
    case 0x64: // d
      if (startsWithAny(bytes, at, end, DHT)) return 'bittorrent';
      break;
    case 0x48: // H
    case 0x49: // I
    case 0x4d: // M
    case 0x4e: // N
    case 0x4f: // O
    case 0x52: // R
    case 0x53: // S
      if (startsWithAny(bytes, at, end, SIP)) return 'sip';
      // Answers may come from any port (UPnP Device Architecture 1.0 section 1.2.3). Nothing else sends HTTP in datagrams.
      if (startsWithAny(bytes, at, end, SSDP)) return 'ssdp';
      break;
    default:
  }
  if (isDhcp6(packet, first, length)) return 'dhcpv6';
  return looksLikeDns(bytes, at, end, length, true) ? 'dns' : null;
}

/** RFC 8489 section 5. */
function isStun(bytes: Uint8Array, at: number, end: number, length: number): boolean {
  if (end - at < STUN_BYTES || i32(bytes, at + 4) !== STUN_COOKIE) return false;
  const body = u16(bytes, at + 2);
  return (body & 3) === 0 && STUN_BYTES + body === length;
}

/** RFC 5905 section 7.3: versions 1 to 4 and a mode; control messages (6) and private ones (7) may be shorter. */
function isNtp(first: number, length: number): boolean {
  const version = (first >>> 3) & 7;
  const mode = first & 7;
  return version >= 1 && version <= 4 && mode >= 1 && (mode >= 6 ? length >= 8 : length >= NTP_BYTES);
}

/** An ASN.1 sequence as long as the datagram, then a version (RFC 1157, 3416, 3412). */
function isSnmp(bytes: Uint8Array, at: number, end: number, length: number): boolean {
  if (end - at < 12) return false;
  const size = u8(bytes, at + 1);
  const lengthBytes = size < 0x80 ? 0 : size & 0x7f;
  if (lengthBytes > 2) return false;
  const body = lengthBytes === 0 ? size : lengthBytes === 1 ? u8(bytes, at + 2) : u16(bytes, at + 2);
  const from = at + 2 + lengthBytes;
  if (2 + lengthBytes + body !== length || u16(bytes, from) !== 0x0201) return false;
  const version = u8(bytes, from + 2);
  const next = u8(bytes, from + 3);
  return version === 3 ? next === 0x30 : version <= 1 && next === 0x04;
}

/** The packet that opens a uTP connection (BEP 29): version 1, SYN, no time difference yet, sequence 1, no acknowledgement. */
function isUtpSyn(bytes: Uint8Array, at: number, end: number, length: number): boolean {
  if (end - at < UTP_BYTES || u8(bytes, at + 1) > 2 || length > UTP_BYTES + 16) return false;
  return i32(bytes, at + 8) === 0 && u16(bytes, at + 16) === 1 && u16(bytes, at + 18) === 0;
}

/** RFC 8415 section 8: between its ports, message type 1 to 13, then options. */
function isDhcp6(packet: Packet, first: number, length: number): boolean {
  return (
    first >= 1 &&
    first <= 13 &&
    length >= 8 &&
    DHCP6_PORTS.includes(packet.sourcePort) &&
    DHCP6_PORTS.includes(packet.destinationPort)
  );
}

/** Whether a datagram may be RTP (RFC 3550 section 5.1): version 2, and not a type of RTCP's. The caller has checked that there is one byte. */
export function canBeRtp(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 12 || u8(bytes, at) >>> 6 !== 2) return false;
  const type = u8(bytes, at + 1);
  return (type < RTCP_FIRST || type > RTCP_LAST) && end - at >= 12 + 4 * (u8(bytes, at) & 15);
}

// RTP has no signature. A flow counts as RTP if its datagrams' sequence numbers rise and their source stays the same.

const SLOTS = 256;
/** Consecutive datagrams that must match. Each after the first matches by chance once in 2^50. */
const IN_A_ROW = 3;
const LARGEST_STEP = 8;

/**
 * Flows that may be RTP. A new flow replaces the previous one in its slot. Columns by slot:
 *
 *     flow, source (SSRC), sequence and payload type of the last datagram, consecutive matches
 */
export class RtpCandidates {
  readonly #flow = new Int32Array(SLOTS).fill(-1);
  readonly #source = new Int32Array(SLOTS);
  readonly #sequence = new Int32Array(SLOTS);
  readonly #type = new Int32Array(SLOTS);
  readonly #row = new Int32Array(SLOTS);

  /** Counts a datagram that `canBeRtp`. @returns whether the flow counts as RTP now */
  note(flow: number, bytes: Uint8Array, at: number): boolean {
    const slot = flow & (SLOTS - 1);
    const type = u8(bytes, at + 1) & 0x7f;
    const sequence = u16(bytes, at + 2);
    const source = i32(bytes, at + 8);
    const step = (sequence - (this.#sequence[slot] as number)) & 0xffff;
    const continues = this.#flow[slot] === flow && this.#source[slot] === source && this.#type[slot] === type;
    if (continues && (step === 0 || step > LARGEST_STEP)) return false;
    this.#flow[slot] = flow;
    this.#source[slot] = source;
    this.#type[slot] = type;
    this.#sequence[slot] = sequence;
    this.#row[slot] = continues ? (this.#row[slot] as number) + 1 : 1;
    return (this.#row[slot] as number) >= IN_A_ROW;
  }
}
