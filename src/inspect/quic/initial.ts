// Decrypts an Initial packet of either end (RFC 9001 section 5): removes header protection, then AES-128-GCM. It checks the tag, so bytes that only look
// like an Initial are refused.

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { u8 } from '../../net/bytes.ts';
import type { InitialKeys } from '../pending.ts';

const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
/** The sample's position assumes a four-byte packet number. */
const NUMBER_BYTES = 4;
const RESERVED = 0x0c;

const nonce = Buffer.alloc(12);
const head = Buffer.alloc(2048);

/**
 * Decrypts the packet at `at` without changing it.
 *
 * @param numberAt offset of the packet number
 * @param end offset after the packet's last byte
 * @returns the frames; null if the keys don't fit
 */
export function openInitial(bytes: Uint8Array, at: number, numberAt: number, end: number, keys: InitialKeys): Uint8Array | null {
  const sample = numberAt + NUMBER_BYTES;
  if (sample + SAMPLE_BYTES > end || numberAt + NUMBER_BYTES - at > head.length) return null;
  const mask = createCipheriv('aes-128-ecb', keys.headerKey, null).update(bytes.subarray(sample, sample + SAMPLE_BYTES));
  const first = u8(bytes, at) ^ (u8(mask, 0) & 0x0f);
  if ((first & RESERVED) !== 0) return null;
  const numberBytes = (first & 3) + 1;
  const headBytes = numberAt + numberBytes - at;
  if (numberAt + numberBytes + TAG_BYTES >= end) return null;
  head.set(bytes.subarray(at, at + headBytes));
  head[0] = first;
  nonce.set(keys.iv);
  for (let i = 0; i < numberBytes; i++) {
    const byte = u8(bytes, numberAt + i) ^ u8(mask, 1 + i);
    head[headBytes - numberBytes + i] = byte;
    nonce[12 - numberBytes + i] = u8(nonce, 12 - numberBytes + i) ^ byte;
  }
  const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce);
  decipher.setAAD(head.subarray(0, headBytes));
  decipher.setAuthTag(bytes.subarray(end - TAG_BYTES, end));
  const frames = decipher.update(bytes.subarray(numberAt + numberBytes, end - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return frames;
}

// Keys of Initial packets (RFC 9001 section 5.2). Anyone who sees the first packet can derive them.

const HASH_BYTES = 32;
const KEY_BYTES = 16;
const IV_BYTES = 12;
const CLIENT = info('client in', HASH_BYTES);
const SERVER = info('server in', HASH_BYTES);
const LABELS = new Map(
  ['quic', 'quicv2'].map((label) => [
    label,
    { key: info(`${label} key`, KEY_BYTES), iv: info(`${label} iv`, IV_BYTES), headerKey: info(`${label} hp`, KEY_BYTES) },
  ]),
);

/** Derives the client's keys from the destination connection ID of its first packet. */
export function initialKeys(version: QuicVersion, connection: Uint8Array): InitialKeys {
  return keysOf(hmac(version.salt, connection), CLIENT, version.label);
}

/** The server's keys of the same connection. */
export function serverKeys({ secret, label }: InitialKeys): InitialKeys {
  return keysOf(secret, SERVER, label);
}

function keysOf(secret: Uint8Array, end: Buffer, label: string): InitialKeys {
  const own = hmac(secret, end);
  const labels = LABELS.get(label);
  if (labels === undefined) throw new Error(`no labels for ${label}`);
  return {
    key: hmac(own, labels.key).subarray(0, KEY_BYTES),
    iv: hmac(own, labels.iv).subarray(0, IV_BYTES),
    headerKey: hmac(own, labels.headerKey).subarray(0, KEY_BYTES),
    secret,
    label,
  };
}

function hmac(key: Uint8Array, message: Uint8Array): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

/** What HKDF-Expand-Label hashes (RFC 8446 section 7.1); nothing here is longer than a hash, so there is one round, numbered 1. */
function info(label: string, length: number): Buffer {
  const text = `tls13 ${label}`;
  return Buffer.from([0, length, text.length, ...Buffer.from(text), 0, 1]);
}

// QUIC versions whose first packets can be decrypted: their salts, labels and packet types.

/** What differs between versions in the Initial packet. */
export interface QuicVersion {
  readonly salt: Buffer;
  /** In front of the names of keys: `quic` or `quicv2`. */
  readonly label: string;
  /** Packet types in bits 4 and 5 of the first byte. */
  readonly initial: number;
  readonly zeroRtt: number;
  readonly retry: number;
}

function version(salt: string, label = 'quic', rotated = 0): QuicVersion {
  return { salt: Buffer.from(salt, 'hex'), label, initial: rotated, zeroRtt: 1 + rotated, retry: (3 + rotated) & 3 };
}

const DRAFT_22 = version('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a');
const DRAFT_23 = version('c3eef712c72ebb5a11a7d2432bb46365bef9f502');
const DRAFT_29 = version('afbfec289993d24c9e9786f19c6111e04390a899');
/** RFC 9001 section 5.2; drafts 33 and 34 already used this salt. */
const V1 = version('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
/** RFC 9369 section 3. */
const V2 = version('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'quicv2', 1);

const VERSIONS = new Map<number, QuicVersion>([
  [0x00000001, V1],
  [0x6b3343cf, V2],
  [0xff00001b, DRAFT_23],
  [0xff00001c, DRAFT_23],
  [0xff00001d, DRAFT_29],
  [0xff00001e, DRAFT_29],
  [0xff00001f, DRAFT_29],
  [0xff000020, DRAFT_29],
  [0xff000021, V1],
  [0xff000022, V1],
  // Facebook's mvfst, based on drafts 22 and 27.
  [0xfaceb001, DRAFT_22],
  [0xfaceb002, DRAFT_23],
  [0xfaceb00e, DRAFT_23],
]);

/** The version with this number; undefined if we can't decrypt its packets. @param number unsigned */
export function quicVersion(number: number): QuicVersion | undefined {
  return VERSIONS.get(number);
}
