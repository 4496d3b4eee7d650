// Recognises a TCP flow's application by the first bytes from one end. Content decides; a port only chooses between protocols that greet alike.

import type { Packet } from '../decode/packet.ts';
import { i32, u8, u16, u32 } from '../net/bytes.ts';
import { ascii, contains, isOpenvpnReset, isText, startsWith, startsWithAny } from './signature.ts';

const SMTP_PORTS = [25, 465, 587, 2525];
const FTP_PORT = 21;
const POP_PORT = 110;
/** How much of a greeting to search for the protocol's name. */
const GREETING_BYTES = 256;

const BITTORRENT = ascii('\x13BitTorrent protocol');
const SSH = ascii('SSH-');
const GREETING = ascii('220');
const SMTP = ascii('SMTP');
const FTP = ascii('FTP');
const IMAP = ['* OK', '* PREAUTH', '* BYE'].map(ascii);
/** With text after it, because Redis also answers `+OK`. */
const POP = ascii('+OK ');
const HELLOS = ['EHLO ', 'HELO ', 'ehlo ', 'helo ', 'LHLO '].map(ascii);
const USER = ascii('USER ');
const XML = ascii('<?xml');
const STREAM = ascii('<stream:stream');
const JABBER = ascii('JABBER');
const RFB = ascii('RFB 003.');
const HTTP = ascii('HTTP/1.');
const RTSP = ascii('RTSP/1.0 ');
const SIP = ascii('SIP/2.0 ');
const AMQP = ascii('AMQP');
const MQTT = [ascii('\x00\x04MQTT'), ascii('\x00\x06MQIsdp')];
const POSTGRES_USER = ascii('user\0');

/** Protocols that may switch to TLS, whose hello then has a name. */
const UPGRADES = new Set(['smtp', 'ftp', 'imap', 'pop3', 'xmpp', 'postgresql', 'mysql', 'rdp', 'socks', 'http']);

/** Whether a flow of this application may still reveal a server name. */
export function mayUpgrade(application: string): boolean {
  return UPGRADES.has(application);
}

/** Application of the payload at `at`; null if unrecognised. The caller has checked that there is one byte. */
export function tcpApplication(bytes: Uint8Array, at: number, end: number, packet: Packet, time: number): string | null {
  return bySignature(bytes, at, end, packet, time) ?? (isMysql(bytes, at, end, packet) ? 'mysql' : null);
}

function bySignature(bytes: Uint8Array, at: number, end: number, packet: Packet, time: number): string | null {
  switch (u8(bytes, at)) {
    case 0x00:
      return zero(bytes, at, end, packet, time);
    case 0x03:
      return isRemoteDesktop(bytes, at, end, packet) ? 'rdp' : null;
    case 0x05:
      return isSocks(bytes, at, end, packet) ? 'socks' : null;
    case 0x10:
      return isMqtt(bytes, at, end) ? 'mqtt' : null;
    case 0x13:
      return startsWith(bytes, at, end, BITTORRENT) ? 'bittorrent' : null;
    case 0xff:
      return isBgp(bytes, at, end) ? 'bgp' : null;
    case 0x2a: // *
      if (at + 8 <= end && isRedis(bytes, at, end)) return 'redis';
      return startsWithAny(bytes, at, end, IMAP) && isText(bytes, at, end) ? 'imap' : null;
    case 0x2b: // +
      return startsWith(bytes, at, end, POP) && isText(bytes, at, end) ? 'pop3' : null;
    case 0x32: // 2
      return greeting(bytes, at, end, packet);
    case 0x3c: // <
      return isXmpp(bytes, at, end) ? 'xmpp' : null;
    case 0x41: // A
      return startsWith(bytes, at, end, AMQP) && packet.payloadBytes === 8 && end - at === 8 && u8(bytes, at + 4) <= 3
        ? 'amqp'
        : null;
    case 0x48: // H
      if (startsWith(bytes, at, end, HTTP)) return 'http';
      break;
    case 0x52: // R
      if (startsWith(bytes, at, end, RFB)) return 'vnc';
      return startsWith(bytes, at, end, RTSP) ? 'rtsp' : null;
    case 0x53: // S
      if (startsWith(bytes, at, end, SSH) && isText(bytes, at, end)) return 'ssh';
      return startsWith(bytes, at, end, SIP) ? 'sip' : null;
    case 0x55: // U
      return startsWith(bytes, at, end, USER) && isText(bytes, at, end)
        ? byPort(packet, FTP_PORT, 'ftp', POP_PORT, 'pop3')
        : null;
    case 0x45: // E
    case 0x4c: // L
    case 0x65: // e
    case 0x68: // h
      break;
    default:
      return null;
  }
  return startsWithAny(bytes, at, end, HELLOS) && isText(bytes, at, end) ? 'smtp' : null;
}

function greeting(bytes: Uint8Array, at: number, end: number, packet: Packet): string | null {
  if (!startsWith(bytes, at, end, GREETING) || end - at < 6 || !isText(bytes, at, end)) return null;
  if (u8(bytes, at + 3) !== 0x20 && u8(bytes, at + 3) !== 0x2d) return null;
  const to = Math.min(end, at + GREETING_BYTES);
  if (contains(bytes, at, to, SMTP)) return 'smtp';
  if (contains(bytes, at, to, FTP)) return 'ftp';
  if (SMTP_PORTS.includes(packet.sourcePort)) return 'smtp';
  return packet.sourcePort === FTP_PORT ? 'ftp' : null;
}

function byPort(packet: Packet, port: number, name: string, other: number, otherName: string): string | null {
  if (packet.destinationPort === port) return name;
  return packet.destinationPort === other ? otherName : null;
}

/** Protocols that begin with a four-byte length, whose first byte is 0. */
function zero(bytes: Uint8Array, at: number, end: number, packet: Packet, time: number): string | null {
  if (end - at < 8) return null;
  const length = u32(bytes, at);
  const second = i32(bytes, at + 4);
  // PostgreSQL: SSLRequest, GSSENCRequest, StartupMessage of protocol 3.
  if (length === 8 && packet.payloadBytes === 8 && (second === 80877103 || second === 80877104)) return 'postgresql';
  if (length === packet.payloadBytes && second === 196608 && startsWith(bytes, at + 8, end, POSTGRES_USER)) return 'postgresql';
  // SMB over TCP: NetBIOS session message, then fe or ff and "SMB".
  if ((second === 0xfe534d42 - 2 ** 32 || second === 0xff534d42 - 2 ** 32) && length >= 32) return 'smb';
  if (u16(bytes, at) === packet.payloadBytes - 2 && isOpenvpnReset(bytes, at + 2, end, packet.payloadBytes - 2, time))
    return 'openvpn';
  return null;
}

/** TPKT with an X.224 connection request (MS-RDPBCGR section 2.2.1.1). */
function isRemoteDesktop(bytes: Uint8Array, at: number, end: number, packet: Packet): boolean {
  if (end - at < 11 || u16(bytes, at) !== 0x0300 || u16(bytes, at + 2) !== packet.payloadBytes) return false;
  return u8(bytes, at + 4) === packet.payloadBytes - 5 && u8(bytes, at + 5) === 0xe0 && i32(bytes, at + 6) === 0;
}

/** A client's list of methods (RFC 1928 section 3). */
function isSocks(bytes: Uint8Array, at: number, end: number, packet: Packet): boolean {
  if (end - at < 3) return false;
  const methods = u8(bytes, at + 1);
  if (methods < 1 || methods > 4 || packet.payloadBytes !== 2 + methods || end - at !== packet.payloadBytes) return false;
  for (let i = 0; i < methods; i++) if (u8(bytes, at + 2 + i) > 3) return false;
  return true;
}

function isMqtt(bytes: Uint8Array, at: number, end: number): boolean {
  let i = at + 1;
  while (i < end && i < at + 4 && u8(bytes, i) >= 0x80) i++;
  return startsWithAny(bytes, i + 1, end, MQTT);
}

/** An array with a one-digit count, then a bulk string. */
function isRedis(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    isText(bytes, at, end) &&
    isDigit(u8(bytes, at + 1)) &&
    u16(bytes, at + 2) === 0x0d0a &&
    u8(bytes, at + 4) === 0x24 &&
    isDigit(u8(bytes, at + 5))
  );
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isXmpp(bytes: Uint8Array, at: number, end: number): boolean {
  if (startsWith(bytes, at, end, STREAM)) return true;
  return startsWith(bytes, at, end, XML) && contains(bytes, at, Math.min(end, at + GREETING_BYTES), JABBER);
}

/** A marker of 16 ones (RFC 4271 section 4.1). */
function isBgp(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 19) return false;
  for (let i = 0; i < 16; i += 4) if (i32(bytes, at + i) !== -1) return false;
  return u8(bytes, at + 18) >= 1 && u8(bytes, at + 18) <= 5;
}

/** The first packet of either end: length, sequence 0 and a version; or sequence 1 and 19 zeros after capabilities and character set. */
function isMysql(bytes: Uint8Array, at: number, end: number, packet: Packet): boolean {
  if (end - at < 36 || (u8(bytes, at) | (u8(bytes, at + 1) << 8) | (u8(bytes, at + 2) << 16)) !== packet.payloadBytes - 4)
    return false;
  if (u8(bytes, at + 3) === 0) return u8(bytes, at + 4) === 10 && isDigit(u8(bytes, at + 5));
  if (u8(bytes, at + 3) !== 1) return false;
  for (let i = at + 13; i < at + 32; i++) if (u8(bytes, i) !== 0) return false;
  return true;
}
