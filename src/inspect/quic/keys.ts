// Keys of Initial packets (RFC 9001 section 5.2): anyone who sees the first packet can make them, which is all that this does.

import { createHmac } from 'node:crypto';
import type { InitialKeys } from '../pending.ts';
import type { QuicVersion } from './versions.ts';

const HASH_BYTES = 32;
const KEY_BYTES = 16;
const IV_BYTES = 12;
const CLIENT = info('client in', HASH_BYTES);
const LABELS = new Map(
  ['quic', 'quicv2'].map((label) => [
    label,
    { key: info(`${label} key`, KEY_BYTES), iv: info(`${label} iv`, IV_BYTES), headerKey: info(`${label} hp`, KEY_BYTES) },
  ]),
);

/** Makes the client's keys from the connection ID that its first packet was sent to. */
export function initialKeys(version: QuicVersion, connection: Uint8Array): InitialKeys {
  const client = hmac(hmac(version.salt, connection), CLIENT);
  const labels = LABELS.get(version.label);
  if (labels === undefined) throw new Error(`no labels for ${version.label}`);
  return {
    key: hmac(client, labels.key).subarray(0, KEY_BYTES),
    iv: hmac(client, labels.iv).subarray(0, IV_BYTES),
    headerKey: hmac(client, labels.headerKey).subarray(0, KEY_BYTES),
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
