// Reads the clear text of a ServerHello of TLS (RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3) or DTLS. What TLS 1.3 encrypts behind it, the
// chosen application protocol and the certificate among that, stays unknown.

import { i32, u8, u16 } from '../../net/bytes.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';

const EXTENSION = { ALPN: 16, PRE_SHARED_KEY: 41, VERSIONS: 43 } as const;
const RANDOM_BYTES = 32;
const LONGEST_SESSION = 32;
const MAX_EXTENSIONS = LONGEST_HELLO / 4;
/** In place of a random number, in a hello that only asks for another ClientHello (RFC 8446 section 4.1.3): its first and last words. */
const RETRY = { first: 0xcf21ad74 | 0, last: 0xc8a8339c | 0 } as const;

/** A parsed hello. Offsets are into the bytes that it was read from, -1 if absent. The next read overwrites it. */
export class ServerHello {
  /** The version chosen. */
  version = 0;
  cipher = 0;
  /** The session that is resumed, before TLS 1.3; TLS 1.3 repeats the client's in any case. */
  sessionFrom = -1;
  sessionTo = -1;
  /** The application protocol chosen, without its length. */
  protocolFrom = -1;
  protocolTo = -1;
  /** A pre-shared key was taken (RFC 8446 section 4.2.11): the session is resumed. */
  isKeyed = false;
  /** It asks for another ClientHello, and another ServerHello follows. */
  isRetry = false;
  /** Types of all extensions in the order of the wire. */
  readonly extensions = new Uint16Array(MAX_EXTENSIONS);
  extensionCount = 0;

  clear(): void {
    this.version = 0;
    this.cipher = 0;
    this.sessionFrom = -1;
    this.sessionTo = -1;
    this.protocolFrom = -1;
    this.protocolTo = -1;
    this.isKeyed = false;
    this.isRetry = false;
    this.extensionCount = 0;
  }
}

/**
 * Reads the body of a whole hello, after the handshake header.
 *
 * @param end end of the hello
 * @returns false if it contradicts itself
 */
export function readServerHello(bytes: Uint8Array, at: number, end: number, hello: ServerHello): boolean {
  hello.clear();
  const isRead = readBody(bytes, at, end, hello);
  if (!isRead) hello.clear();
  return isRead;
}

function readBody(bytes: Uint8Array, at: number, end: number, hello: ServerHello): boolean {
  const sessionAt = at + 2 + RANDOM_BYTES;
  if (sessionAt + 1 > end) return false;
  hello.version = u16(bytes, at);
  if (hello.version >>> 8 !== 3 && hello.version >>> 8 !== 0xfe) return false;
  hello.isRetry = i32(bytes, at + 2) === RETRY.first && i32(bytes, sessionAt - 4) === RETRY.last;
  const session = u8(bytes, sessionAt);
  hello.sessionFrom = sessionAt + 1;
  hello.sessionTo = sessionAt + 1 + session;
  let i = hello.sessionTo;
  if (session > LONGEST_SESSION || i + 3 > end) return false;
  hello.cipher = u16(bytes, i);
  i += 3;
  if (i === end) return true; // before TLS 1.3 extensions are optional
  if (i + 2 > end || i + 2 + u16(bytes, i) !== end) return false;
  i += 2;
  while (i < end) {
    if (i + 4 > end) return false;
    const type = u16(bytes, i);
    const from = i + 4;
    const to = from + u16(bytes, i + 2);
    if (to > end) return false;
    if (hello.extensionCount < MAX_EXTENSIONS) hello.extensions[hello.extensionCount++] = type;
    if (type === EXTENSION.VERSIONS && to - from === 2) hello.version = u16(bytes, from);
    else if (type === EXTENSION.PRE_SHARED_KEY) hello.isKeyed = true;
    else if (type === EXTENSION.ALPN && to - from >= 4 && from + 3 + u8(bytes, from + 2) === to) {
      hello.protocolFrom = from + 3;
      hello.protocolTo = to;
    }
    i = to;
  }
  return true;
}
