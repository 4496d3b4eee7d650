// Reads the clear text of a ClientHello of TLS (RFC 8446 section 4.1.2) or DTLS (RFC 9147 section 5.3). It takes nothing from a hello that
// contradicts itself; from a truncated one it takes what precedes the cut.

import { u8, u16 } from '../../net/bytes.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';

/** How far a hello was readable. */
export const HELLO = {
  /** Not a ClientHello, or one whose lengths contradict each other. */
  BROKEN: 0,
  /** The bytes ended before the hello did. */
  CUT: 1,
  COMPLETE: 2,
} as const;
export type HelloStatus = (typeof HELLO)[keyof typeof HELLO];

const EXTENSION = { SERVER_NAME: 0, SIGNATURES: 13, USE_SRTP: 14, ALPN: 16, VERSIONS: 43, ENCRYPTED_HELLO: 0xfe0d } as const;
const HOST_NAME = 0;
const RANDOM_BYTES = 32;
const LONGEST_SESSION = 32;
/** As many as fit into the longest hello, each with its header alone. */
const MAX_EXTENSIONS = LONGEST_HELLO / 4;

/** A parsed hello. Offsets are into the bytes that it was read from, -1 if absent. The next read overwrites it. */
export class ClientHello {
  nameFrom = -1;
  nameTo = -1;
  /** The list of application protocols, each preceded by its length. */
  protocolsFrom = -1;
  protocolsTo = -1;
  /** Highest version offered (0x0304 for TLS 1.3, 0xfefc for DTLS 1.3), ignoring drafts and GREASE. */
  version = 0;
  /** It contains an encrypted hello, or a GREASE imitation of one (RFC 9849 section 6.2), which looks the same. */
  ech = false;
  /** It asks for SRTP keys, so the flow is a call. */
  srtp = false;
  /** It is one of DTLS. */
  isDatagram = false;
  /** All of it was there. */
  isWhole = false;
  /** The session that it offers to resume, before TLS 1.3; empty if there is none. */
  sessionFrom = -1;
  sessionTo = -1;
  /** The list of cipher suites, two bytes each. */
  ciphersFrom = -1;
  ciphersTo = -1;
  /** The list of signature algorithms, two bytes each. */
  signaturesFrom = -1;
  signaturesTo = -1;
  /** The highest of the versions that are listed, unknown ones among them but not GREASE; without a list, the version in front of the hello. */
  statedVersion = 0;
  /** Types of all extensions in the order of the wire. */
  readonly extensions = new Uint16Array(MAX_EXTENSIONS);
  extensionCount = 0;

  clear(): void {
    this.nameFrom = -1;
    this.nameTo = -1;
    this.protocolsFrom = -1;
    this.protocolsTo = -1;
    this.version = 0;
    this.ech = false;
    this.srtp = false;
    this.isDatagram = false;
    this.isWhole = false;
    this.sessionFrom = -1;
    this.sessionTo = -1;
    this.ciphersFrom = -1;
    this.ciphersTo = -1;
    this.signaturesFrom = -1;
    this.signaturesTo = -1;
    this.statedVersion = 0;
    this.extensionCount = 0;
  }
}

/** Whether a cipher suite, extension or version only keeps servers from relying on what they know (RFC 8701 section 2). */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

/**
 * Reads the body of a hello, after the handshake header.
 *
 * @param end end of the available bytes
 * @param bodyEnd end of the hello according to its header; may be beyond `end`
 * @param datagram true for DTLS, which has a cookie
 */
export function readClientHello(
  bytes: Uint8Array,
  at: number,
  end: number,
  bodyEnd: number,
  datagram: boolean,
  hello: ClientHello,
): HelloStatus {
  hello.clear();
  const status = readBody(bytes, at, Math.min(end, bodyEnd), bodyEnd, datagram, hello);
  if (status === HELLO.BROKEN) hello.clear();
  hello.isDatagram = datagram;
  hello.isWhole = status === HELLO.COMPLETE;
  return status;
}

function readBody(
  bytes: Uint8Array,
  at: number,
  end: number,
  bodyEnd: number,
  datagram: boolean,
  hello: ClientHello,
): HelloStatus {
  let i = at + 2 + RANDOM_BYTES;
  if (i + 1 > end) return cut(end, bodyEnd);
  const version = u16(bytes, at);
  if (datagram ? version >>> 8 !== 0xfe : version < 0x0300 || version > 0x0304) return HELLO.BROKEN;
  hello.version = version;
  hello.statedVersion = version;
  const session = u8(bytes, i);
  if (session > LONGEST_SESSION) return HELLO.BROKEN;
  hello.sessionFrom = i + 1;
  i += 1 + session;
  hello.sessionTo = i;
  if (datagram) {
    if (i + 1 > end) return cut(end, bodyEnd);
    i += 1 + u8(bytes, i);
  }
  if (i + 2 > end) return cut(end, bodyEnd);
  const ciphers = u16(bytes, i);
  if (ciphers < 2 || (ciphers & 1) !== 0) return HELLO.BROKEN;
  hello.ciphersFrom = i + 2;
  i += 2 + ciphers;
  hello.ciphersTo = i;
  if (i + 1 > end) return cut(end, bodyEnd);
  const compressions = u8(bytes, i);
  if (compressions === 0) return HELLO.BROKEN;
  i += 1 + compressions;
  if (i === bodyEnd) return HELLO.COMPLETE; // before TLS 1.2 extensions are optional
  if (i + 2 > end) return cut(end, bodyEnd);
  const extensionsEnd = i + 2 + u16(bytes, i);
  if (extensionsEnd !== bodyEnd) return HELLO.BROKEN;
  return readExtensions(bytes, i + 2, end, extensionsEnd, hello);
}

/** Status for a field that crosses the end: CUT if only the bytes end, BROKEN if the hello itself does. */
function cut(end: number, bodyEnd: number): HelloStatus {
  return end < bodyEnd ? HELLO.CUT : HELLO.BROKEN;
}

function readExtensions(bytes: Uint8Array, at: number, end: number, extensionsEnd: number, hello: ClientHello): HelloStatus {
  let i = at;
  while (i < extensionsEnd) {
    if (i + 4 > end) return cut(end, extensionsEnd);
    const type = u16(bytes, i);
    const from = i + 4;
    const to = from + u16(bytes, i + 2);
    if (to > extensionsEnd) return HELLO.BROKEN;
    if (to > end) return HELLO.CUT;
    if (!readExtension(bytes, type, from, to, hello)) return HELLO.BROKEN;
    if (hello.extensionCount < MAX_EXTENSIONS) hello.extensions[hello.extensionCount++] = type;
    i = to;
  }
  return HELLO.COMPLETE;
}

function readExtension(bytes: Uint8Array, type: number, from: number, to: number, hello: ClientHello): boolean {
  switch (type) {
    case EXTENSION.SERVER_NAME:
      return readServerName(bytes, from, to, hello);
    case EXTENSION.ALPN:
      if (to - from < 2 || from + 2 + u16(bytes, from) !== to) return false;
      hello.protocolsFrom = from + 2;
      hello.protocolsTo = to;
      return true;
    case EXTENSION.VERSIONS:
      if (to === from || from + 1 + u8(bytes, from) !== to) return false;
      readVersions(bytes, from + 1, to, hello);
      return true;
    case EXTENSION.SIGNATURES:
      if (to - from >= 2 && from + 2 + u16(bytes, from) === to) {
        hello.signaturesFrom = from + 2;
        hello.signaturesTo = to;
      }
      return true;
    case EXTENSION.ENCRYPTED_HELLO:
      hello.ech = to > from && u8(bytes, from) === 0; // 0 is the outer hello
      return true;
    case EXTENSION.USE_SRTP:
      hello.srtp = true;
      return true;
    default:
      return true;
  }
}

/** RFC 6066 section 3: a list with one name. Servers send the extension empty. */
function readServerName(bytes: Uint8Array, from: number, to: number, hello: ClientHello): boolean {
  if (from === to) return true;
  if (to - from < 5 || from + 2 + u16(bytes, from) !== to) return false;
  const nameTo = from + 5 + u16(bytes, from + 3);
  if (nameTo > to) return false;
  if (u8(bytes, from + 2) === HOST_NAME && hello.nameFrom < 0) {
    hello.nameFrom = from + 5;
    hello.nameTo = nameTo;
  }
  return true;
}

/** The higher of two versions of one family. DTLS counts downwards; anything else (GREASE, drafts) loses. */
function higher(a: number, b: number): number {
  if (b >= 0x0300 && b <= 0x0304 && a <= 0x0304) return Math.max(a, b);
  return b >= 0xfefc && b <= 0xfeff && a >= 0xfefc ? Math.min(a, b) : a;
}

/** RFC 8446 section 4.2.1: the list says it all, and the version in front of it nothing. */
function readVersions(bytes: Uint8Array, from: number, to: number, hello: ClientHello): void {
  let stated = 0;
  for (let i = from; i + 2 <= to; i += 2) {
    const version = u16(bytes, i);
    hello.version = higher(hello.version, version);
    if (isGrease(version)) continue;
    const isDatagram = version >>> 8 === 0xfe;
    if (stated === 0 || (isDatagram ? version < stated : version > stated)) stated = version;
  }
  if (stated !== 0) hello.statedVersion = stated;
}
