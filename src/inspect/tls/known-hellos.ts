// What hellos say, with their fingerprints: JA4 of clients and JA4S of servers, after FoxIO's public specification (github.com/FoxIO-LLC/ja4,
// technical_details). A program's hellos differ only in what is left out here. So nearly all are found by their numbers, and only a new one
// costs hashes and text.

import { createHash } from 'node:crypto';
import type { TlsOffer } from '../../model/talk.ts';
import { u8, u16 } from '../../net/bytes.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';
import { sanitizeBytes } from '../../net/text.ts';
import type { ServerChoice } from '../talk.ts';
import { type ClientHello, isGrease } from './client-hello.ts';
import type { ServerHello } from './server-hello.ts';

/** Hellos remembered of clients, and as many of servers. */
const MAX_KNOWN = 2048;
/** Application protocols kept of a hello, and bytes of each. */
const MAX_PROTOCOLS = 8;
const LONGEST_PROTOCOL = 32;
/** What carries a hello, as the specification abbreviates it. */
const CARRIERS = { tcp: 't', quic: 'q', udp: 'd' } as const;
const SERVER_NAME = 0;
const ALPN = 16;
const HASH_DIGITS = 12;
/** Numbers that are sorted by insertion. */
const FEW = 64;
/** In place of the hash of an empty list. */
const NOTHING = '0'.repeat(HASH_DIGITS);
const MOST_COUNTED = 99;
/** Versions as the specification abbreviates them; any other is `00`. */
const VERSIONS = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
  [0xfeff, 'd1'],
  [0xfefd, 'd2'],
  [0xfefc, 'd3'],
]);

/** Remembers the newest hellos by a hash of the numbers that they are made of. */
export class KnownHellos {
  readonly #offers = new Map<number, TlsOffer>();
  readonly #choices = new Map<number, ServerChoice>();
  /** Ciphers or extensions without GREASE: a hello has no more. */
  readonly #numbers = new Uint16Array(LONGEST_HELLO / 2);
  /** Two halves of the key: 53 bits, so that no two hellos share one by chance. */
  #high = 0;
  #low = 0;

  /** What a client's hello says. The same object for hellos that say the same. */
  offer(over: TlsOffer['over'], bytes: Uint8Array, hello: ClientHello): TlsOffer {
    this.#high = hello.isWhole ? 1 : 0;
    this.#low = hello.ech ? 1 : 0;
    this.#add(over.charCodeAt(0));
    this.#add(hello.version);
    this.#add(hello.statedVersion);
    if (hello.isWhole) {
      this.#addList(this.#numbers, this.#ciphers(bytes, hello));
      this.#addList(this.#numbers, this.#extensions(hello));
      this.#addBytes(bytes, hello.signaturesFrom, hello.signaturesTo);
    }
    this.#addBytes(bytes, hello.protocolsFrom, hello.protocolsTo);
    const key = this.#key();
    return this.#offers.get(key) ?? keep(this.#offers, key, this.#makeOffer(over, bytes, hello));
  }

  /** What a server's hello says, likewise. */
  choice(over: TlsOffer['over'], bytes: Uint8Array, hello: ServerHello): ServerChoice {
    this.#high = hello.isRetry ? 1 : 0;
    this.#low = 2;
    this.#add(over.charCodeAt(0));
    this.#add(hello.version);
    this.#add(hello.cipher);
    this.#addList(hello.extensions, hello.extensionCount);
    this.#addBytes(bytes, hello.protocolFrom, hello.protocolTo);
    const key = this.#key();
    return this.#choices.get(key) ?? keep(this.#choices, key, makeChoice(over, bytes, hello));
  }

  #makeOffer(over: TlsOffer['over'], bytes: Uint8Array, hello: ClientHello): TlsOffer {
    const { version, ech, isWhole } = hello;
    return { over, version, ech, protocols: protocolsOf(bytes, hello), ja4: isWhole ? this.#ja4(over, bytes, hello) : null };
  }

  #ja4(over: TlsOffer['over'], bytes: Uint8Array, hello: ClientHello): string {
    const { statedVersion, protocolsFrom, protocolsTo, signaturesFrom, signaturesTo } = hello;
    const suites = this.#numbers.slice(0, this.#ciphers(bytes, hello));
    const types = this.#numbers.slice(0, this.#extensions(hello));
    const name = types.includes(SERVER_NAME) ? 'd' : 'i';
    const listed = types.filter((type) => type !== SERVER_NAME && type !== ALPN);
    const signatures: number[] = [];
    for (let at = signaturesFrom; at >= 0 && at + 2 <= signaturesTo; at += 2)
      if (!isGrease(u16(bytes, at))) signatures.push(u16(bytes, at));
    const size = protocolsFrom < 0 ? 0 : u8(bytes, protocolsFrom);
    const protocol = protocolsFrom + 1 + size > protocolsTo ? '00' : ends(bytes, protocolsFrom + 1, protocolsFrom + 1 + size);
    const first = `${CARRIERS[over]}${versionText(statedVersion)}${name}${counted(suites.length)}${counted(types.length)}${protocol}`;
    const rest = signatures.length === 0 ? hexList(listed) : `${hexList(listed)}_${hexList(signatures)}`;
    return `${first}_${hashed(hexList(suites))}_${listed.length === 0 ? NOTHING : hashed(rest)}`;
  }

  /** Puts the hello's ciphers into `#numbers`, sorted. @returns how many */
  #ciphers(bytes: Uint8Array, { ciphersFrom, ciphersTo }: ClientHello): number {
    let count = 0;
    for (let at = ciphersFrom; at < ciphersTo; at += 2) {
      const cipher = u16(bytes, at);
      if (!isGrease(cipher) && count < this.#numbers.length) this.#numbers[count++] = cipher;
    }
    return sorted(this.#numbers, count);
  }

  /** The same of its extensions. */
  #extensions({ extensions, extensionCount }: ClientHello): number {
    let count = 0;
    for (let i = 0; i < extensionCount; i++) {
      const type = extensions[i] as number;
      if (!isGrease(type)) this.#numbers[count++] = type;
    }
    return sorted(this.#numbers, count);
  }

  #add(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x85ebca6b);
    this.#high ^= this.#high >>> 13;
    this.#low = Math.imul(this.#low ^ value, 0xc2b2ae35) + 1;
    this.#low ^= this.#low >>> 16;
  }

  #addList(numbers: Uint16Array, count: number): void {
    this.#add(count);
    for (let i = 0; i < count; i++) this.#add(numbers[i] as number);
  }

  #addBytes(bytes: Uint8Array, from: number, to: number): void {
    this.#add(Math.max(0, to - from));
    for (let at = from; at < to; at++) this.#add(u8(bytes, at));
  }

  #key(): number {
    return (this.#high >>> 11) * 2 ** 32 + (this.#low >>> 0);
  }
}

/** Sorts the first `count` numbers: few ones in place, which takes no memory; many, as nobody honest sends them, in bounded time. @returns count */
function sorted(numbers: Uint16Array, count: number): number {
  if (count > FEW) numbers.subarray(0, count).sort();
  else
    for (let i = 1; i < count; i++) {
      const number = numbers[i] as number;
      let at = i;
      while (at > 0 && (numbers[at - 1] as number) > number) numbers[at] = numbers[--at] as number;
      numbers[at] = number;
    }
  return count;
}

/** Remembers, in place of what was met first if there is no room. */
function keep<Said>(known: Map<number, Said>, key: number, said: Said): Said {
  const oldest = known.keys().next();
  if (known.size >= MAX_KNOWN && oldest.done === false) known.delete(oldest.value);
  known.set(key, said);
  return said;
}

function makeChoice(over: TlsOffer['over'], bytes: Uint8Array, hello: ServerHello): ServerChoice {
  const { version, cipher, isKeyed, isRetry, extensions, extensionCount, protocolFrom, protocolTo } = hello;
  const protocol = protocolFrom < 0 ? null : protocolText(bytes, protocolFrom, protocolTo);
  const first = `${CARRIERS[over]}${versionText(version)}${counted(extensionCount)}${ends(bytes, protocolFrom, protocolTo)}`;
  const ja4s = `${first}_${hex4(cipher)}_${hashed(hexList(extensions.subarray(0, extensionCount)))}`;
  return { version, cipher, protocol, isKeyed, isRetry, ja4s };
}

function protocolsOf(bytes: Uint8Array, { protocolsFrom, protocolsTo }: ClientHello): string[] {
  const protocols: string[] = [];
  for (let at = protocolsFrom; at >= 0 && at < protocolsTo && protocols.length < MAX_PROTOCOLS; ) {
    const from = at + 1;
    at = from + u8(bytes, at);
    if (at > protocolsTo) break;
    const isMadeUp = at - from === 2 && isGrease(u16(bytes, from));
    if (at > from && !isMadeUp) protocols.push(protocolText(bytes, from, at));
  }
  return protocols;
}

function protocolText(bytes: Uint8Array, from: number, to: number): string {
  return sanitizeBytes(bytes, from, Math.min(to, from + LONGEST_PROTOCOL));
}

function versionText(version: number): string {
  return VERSIONS.get(version) ?? '00';
}

function counted(count: number): string {
  return String(Math.min(MOST_COUNTED, count)).padStart(2, '0');
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function hexList(numbers: Iterable<number>): string {
  return Array.from(numbers, hex4).join(',');
}

function hashed(list: string): string {
  return list === '' ? NOTHING : createHash('sha256').update(list).digest('hex').slice(0, HASH_DIGITS);
}

/** First and last character of a protocol's name; of its digits in hexadecimal if either is no letter or digit. */
function ends(bytes: Uint8Array, from: number, to: number): string {
  if (to <= from) return '00';
  const first = u8(bytes, from);
  const last = u8(bytes, to - 1);
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return `${(first >>> 4).toString(16)}${(last & 15).toString(16)}`;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
