// Reads the names in a server's certificate (RFC 5280): the subject's common name and the alternative names. It checks no signature and no
// date. Of a certificate that the capture cut it takes what precedes the cut.

import { formatAddress, V4_MAPPED } from '../../net/address.ts';
import { i32, u8, u16 } from '../../net/bytes.ts';
import { sanitizeBytes } from '../../net/text.ts';

/** Names kept of a certificate, and bytes of each. */
const MAX_NAMES = 16;
const LONGEST_NAME = 255;
/** Fields, attributes and extensions that are looked at, each. */
const MAX_FIELDS = 64;
const TAG = { INTEGER: 0x02, OCTETS: 0x04, IDENTIFIER: 0x06, BOOLEAN: 0x01, SEQUENCE: 0x30, SET: 0x31 } as const;
/** Explicit tags: the version and the extensions of a certificate; the kinds of names, which are implicit. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const ADDRESS = 0x87;
/** Object identifiers 2.5.4.3 and 2.5.29.17. */
const COMMON_NAME = 0x550403;
const ALTERNATIVE_NAMES = 0x551d11;
/** Fields between the serial number and the subject: algorithm, issuer, validity. */
const FIELDS_BEFORE_SUBJECT = 3;

/** One value in the distinguished encoding (X.690): its tag, and where its contents lie. */
class Value {
  #tag = 0;
  from = 0;
  /** May be beyond the end of the bytes. */
  to = 0;

  /** Reads the head of the value at `at`. @returns false if the bytes end first, or the length has a form that certificates don't use */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    if (at + 2 > end) return false;
    this.#tag = u8(bytes, at);
    const short = u8(bytes, at + 1);
    const more = short < 0x80 ? 0 : short - 0x80;
    if (short === 0x80 || more > 3 || at + 2 + more > end) return false;
    let length = more === 0 ? short : 0;
    for (let i = 0; i < more; i++) length = length * 256 + u8(bytes, at + 2 + i);
    this.from = at + 2 + more;
    this.to = this.from + length;
    return true;
  }

  is(tag: number): boolean {
    return this.#tag === tag;
  }
}

/** Names of a certificate. */
export interface CertificateNames {
  readonly names: readonly string[];
  /** There may be more. */
  readonly isCut: boolean;
}

/** Reads the certificate at `at`. @param end end of the bytes, which may come before the certificate's own */
export function certificateNames(bytes: Uint8Array, at: number, end: number): CertificateNames {
  const names: string[] = [];
  const isWhole = readCertificate(bytes, at, end, names);
  return { names: [...new Set(names)].slice(0, MAX_NAMES), isCut: !isWhole || names.length > MAX_NAMES };
}

/** @returns whether all of it could be read */
function readCertificate(bytes: Uint8Array, at: number, end: number, names: string[]): boolean {
  const value = new Value();
  if (!value.read(bytes, at, end) || !value.is(TAG.SEQUENCE)) return false;
  if (!value.read(bytes, value.from, end) || !value.is(TAG.SEQUENCE)) return false;
  const signedEnd = value.to;
  const until = Math.min(end, signedEnd);
  let next = value.from;
  if (!value.read(bytes, next, until)) return false;
  if (value.is(VERSION)) next = value.to;
  if (!value.read(bytes, next, until) || !value.is(TAG.INTEGER)) return false;
  next = value.to;
  for (let field = 0; field < FIELDS_BEFORE_SUBJECT; field++) {
    if (!value.read(bytes, next, until)) return false;
    next = value.to;
  }
  if (!value.read(bytes, next, until) || !value.is(TAG.SEQUENCE)) return false;
  next = value.to;
  readSubject(bytes, value.from, Math.min(next, until), names);
  for (let field = 0; field < MAX_FIELDS && next < until; field++) {
    if (!value.read(bytes, next, until)) return false;
    if (value.is(EXTENSIONS)) return readExtensions(bytes, value.from, Math.min(value.to, until), names) && value.to <= until;
    next = value.to;
  }
  return next >= signedEnd && signedEnd <= end;
}

/** A sequence of sets of attributes. */
function readSubject(bytes: Uint8Array, from: number, end: number, names: string[]): void {
  const value = new Value();
  for (let at = from, i = 0; i < MAX_FIELDS && value.read(bytes, at, end) && value.is(TAG.SET); i++, at = value.to) {
    const { to } = value;
    const isAttribute = value.read(bytes, value.from, end) && value.is(TAG.SEQUENCE) && value.read(bytes, value.from, end);
    if (isAttribute && isIdentifier(bytes, value, end, COMMON_NAME) && value.read(bytes, value.to, end) && value.to <= end)
      addName(bytes, value.from, value.to, names);
    value.to = to;
  }
}

/** @returns whether the alternative names, if there are any, were all there */
function readExtensions(bytes: Uint8Array, from: number, end: number, names: string[]): boolean {
  const value = new Value();
  if (!value.read(bytes, from, end) || !value.is(TAG.SEQUENCE)) return false;
  const listEnd = value.to;
  let at = value.from;
  for (let i = 0; i < MAX_FIELDS && at < listEnd; i++) {
    if (!value.read(bytes, at, end) || !value.is(TAG.SEQUENCE)) return false;
    at = value.to;
    if (!value.read(bytes, value.from, end)) return false;
    if (!isIdentifier(bytes, value, end, ALTERNATIVE_NAMES)) continue;
    if (!value.read(bytes, value.to, end)) return false;
    if (value.is(TAG.BOOLEAN) && !value.read(bytes, value.to, end)) return false;
    if (!value.is(TAG.OCTETS) || !value.read(bytes, value.from, end) || !value.is(TAG.SEQUENCE)) return false;
    return readNames(bytes, value.from, value.to, end, names);
  }
  return at >= listEnd && listEnd <= end;
}

function readNames(bytes: Uint8Array, from: number, listEnd: number, end: number, names: string[]): boolean {
  const value = new Value();
  for (let at = from; at < listEnd; at = value.to) {
    if (!value.read(bytes, at, end) || value.to > Math.min(end, listEnd)) return false;
    if (names.length > MAX_NAMES) return true;
    if (value.is(DNS_NAME)) addName(bytes, value.from, value.to, names);
    else if (value.is(ADDRESS)) addAddress(bytes, value.from, value.to, names);
  }
  return true;
}

function isIdentifier(bytes: Uint8Array, value: Value, end: number, wanted: number): boolean {
  const { from, to } = value;
  return value.is(TAG.IDENTIFIER) && to - from === 3 && to <= end && ((u8(bytes, from) << 16) | u16(bytes, from + 1)) === wanted;
}

function addName(bytes: Uint8Array, from: number, to: number, names: string[]): void {
  const name = sanitizeBytes(bytes, from, Math.min(to, from + LONGEST_NAME));
  if (name !== '') names.push(name);
}

const words = new Int32Array(4);

function addAddress(bytes: Uint8Array, from: number, to: number, names: string[]): void {
  if (to - from === 4) words.set([0, 0, V4_MAPPED, i32(bytes, from)]);
  else if (to - from === 16) for (let i = 0; i < 4; i++) words[i] = i32(bytes, from + 4 * i);
  else return;
  names.push(formatAddress(words));
}
