// Reads the requested host in HTTP/1 requests (RFC 9112). It also recognises RTSP and SIP, which look alike.

import { i32, u8 } from '../../net/bytes.ts';
import { LONGEST_REQUEST, METHODS } from '../../net/reading.ts';

/** What a stream's first bytes are. */
export const REQUEST = {
  /** Not a request. */
  NONE: 0,
  /** A request, but its host may still come. */
  CUT: 1,
  COMPLETE: 2,
} as const;
export type RequestStatus = (typeof REQUEST)[keyof typeof REQUEST];

const LONGEST_LINE = 8192;
const SPACE = 0x20;
const SLASH = 0x2f;
const QUERY = 0x3f;
const FRAGMENT = 0x23;
const LF = 0x0a;
const CR = 0x0d;
const METHOD_WORDS = new Set(METHODS);
const CONNECT = Buffer.from('CONN').readInt32BE(0);
const SCHEMES = ['http://', 'https://', 'ftp://', 'ws://', 'wss://'].map((scheme) => Buffer.from(scheme));
const HOST = Buffer.from('host:');
const RESPONSE = Buffer.from('HTTP/1.');
/** Offset of a response's status, after its version of eight characters. */
const STATUS_AT = 9;
const VERSIONS = [
  ['HTTP/1.1', 'http'],
  ['HTTP/1.0', 'http'],
  ['RTSP/1.0', 'rtsp'],
  ['SIP/2.0', 'sip'],
].map(([version = '', application = '']) => ({ version: Buffer.from(` ${version}`), application }));

/** A parsed request; offsets of its authority, -1 if there is none. The next read overwrites it. */
export class Request {
  hostFrom = -1;
  hostTo = -1;
  /** It is CONNECT to a proxy: another protocol follows. */
  connects = false;
  application = 'http';
  /** Length of the method. */
  methodBytes = 0;
  /** The first segment of the path, without the slash; -1 if there is none. */
  segmentFrom = -1;
  segmentTo = -1;
}

/** Whether the bytes begin with a method. The caller has checked that there are four. */
export function startsRequest(bytes: Uint8Array, at: number): boolean {
  return METHOD_WORDS.has(i32(bytes, at));
}

/** Reads the request at `at`, within the bytes and LONGEST_REQUEST. */
export function readRequest(bytes: Uint8Array, at: number, until: number, request: Request): RequestStatus {
  const end = Math.min(until, at + LONGEST_REQUEST);
  request.hostFrom = -1;
  request.hostTo = -1;
  request.application = 'http';
  request.connects = false;
  request.methodBytes = 0;
  request.segmentFrom = -1;
  request.segmentTo = -1;
  if (at + 4 > end || !startsRequest(bytes, at)) return REQUEST.NONE;
  const lineEnd = endOfLine(bytes, at, Math.min(end, at + LONGEST_LINE));
  if (lineEnd === -2) return REQUEST.NONE;
  if (lineEnd < 0) return end - at < LONGEST_LINE ? REQUEST.CUT : REQUEST.NONE;
  const version = versionAt(bytes, at, lineEnd);
  if (version === undefined) return REQUEST.NONE;
  request.application = version.application;
  if (version.application !== 'http') return REQUEST.COMPLETE;
  if (readTarget(bytes, at, lineEnd - version.version.length, request)) return REQUEST.COMPLETE;
  return readHeaders(bytes, lineEnd, end, request);
}

/** The version that a request line ends with. */
function versionAt(bytes: Uint8Array, at: number, lineEnd: number): (typeof VERSIONS)[number] | undefined {
  for (const each of VERSIONS) {
    const from = lineEnd - each.version.length;
    if (from > at && matches(bytes, from, each.version)) return each;
  }
  return undefined;
}

/** Reads the authority in the target of CONNECT and of requests to a proxy. @returns whether there is one */
function readTarget(bytes: Uint8Array, at: number, end: number, request: Request): boolean {
  let from = at;
  while (from < end && u8(bytes, from) !== SPACE) from++;
  request.methodBytes = from - at;
  from++;
  if (i32(bytes, at) === CONNECT) {
    request.connects = true;
    request.hostFrom = from;
    request.hostTo = end;
    return true;
  }
  const scheme = schemeBytes(bytes, from, end);
  from += scheme;
  let to = from;
  while (scheme > 0 && to < end && u8(bytes, to) !== SLASH && u8(bytes, to) !== QUERY) to++;
  readSegment(bytes, to, end, request);
  if (scheme === 0) return false;
  request.hostFrom = from;
  request.hostTo = to;
  return true;
}

/** Reads the first segment of the path at `at`. */
function readSegment(bytes: Uint8Array, at: number, end: number, request: Request): void {
  if (at >= end || u8(bytes, at) !== SLASH) return;
  let to = at + 1;
  while (to < end && u8(bytes, to) !== SLASH && u8(bytes, to) !== QUERY && u8(bytes, to) !== FRAGMENT && u8(bytes, to) !== SPACE)
    to++;
  if (to === at + 1) return;
  request.segmentFrom = at + 1;
  request.segmentTo = to;
}

/** Status of the response that the bytes begin with (RFC 9112 section 4); -1 if they begin with none. */
export function responseStatus(bytes: Uint8Array, at: number, end: number): number {
  if (at + STATUS_AT + 3 > end || !matches(bytes, at, RESPONSE) || u8(bytes, at + STATUS_AT - 1) !== SPACE) return -1;
  let status = 0;
  for (let i = at + STATUS_AT; i < at + STATUS_AT + 3; i++) {
    const digit = u8(bytes, i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    status = status * 10 + digit;
  }
  return status;
}

/** Length of an absolute target's scheme; 0 for other targets. */
function schemeBytes(bytes: Uint8Array, from: number, end: number): number {
  if (u8(bytes, from) === SLASH) return 0;
  for (const scheme of SCHEMES) if (from + scheme.length < end && matches(bytes, from, scheme)) return scheme.length;
  return 0;
}

function readHeaders(bytes: Uint8Array, lineEnd: number, end: number, request: Request): RequestStatus {
  let at = nextLine(bytes, lineEnd, end);
  while (at >= 0 && at < end) {
    const to = endOfLine(bytes, at, end);
    if (to === -2) return REQUEST.COMPLETE; // not text any more, so the headers are over
    if (to < 0) return REQUEST.CUT;
    if (to === at) return REQUEST.COMPLETE;
    if (to - at > HOST.length && matches(bytes, at, HOST)) {
      request.hostFrom = at + HOST.length;
      request.hostTo = to;
      while (request.hostFrom < to && isBlank(u8(bytes, request.hostFrom))) request.hostFrom++;
      while (request.hostTo > request.hostFrom && isBlank(u8(bytes, request.hostTo - 1))) request.hostTo--;
      return REQUEST.COMPLETE;
    }
    at = nextLine(bytes, to, end);
  }
  return REQUEST.CUT;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 9;
}

/** Offset of the CR or LF that ends the line; -1 if the bytes end first, -2 at a control character. */
function endOfLine(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const byte = u8(bytes, i);
    if (byte >= SPACE && byte !== 0x7f) continue;
    if (byte === LF || byte === CR) return i;
    if (byte !== 9) return -2;
  }
  return -1;
}

/** Offset after the line end at `at`; -1 if the bytes end first. */
function nextLine(bytes: Uint8Array, at: number, end: number): number {
  const lf = u8(bytes, at) === CR ? at + 1 : at;
  return lf < end && u8(bytes, lf) === LF ? lf + 1 : -1;
}

/** Whether the bytes at `at` match the text. Lower-case letters in the text match either case. */
function matches(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) {
    const wanted = u8(text, i);
    const byte = u8(bytes, at + i);
    if (byte !== wanted && !(wanted >= 0x61 && wanted <= 0x7a && (byte | 0x20) === wanted)) return false;
  }
  return true;
}
