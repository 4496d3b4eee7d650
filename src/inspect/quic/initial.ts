// Opens a client's Initial packet (RFC 9001 section 5): header protection, then AES-128-GCM with its tag checked, so that bytes which
// only look like one are refused.

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { u8 } from '../../net/bytes.ts';
import type { InitialKeys } from '../pending.ts';

const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
/** A packet number of four bytes is assumed for where the sample lies. */
const NUMBER_BYTES = 4;
const RESERVED = 0x0c;

const nonce = Buffer.alloc(12);
const head = Buffer.alloc(2048);

/**
 * Opens the packet at `at` without changing it.
 *
 * @param numberAt where the packet number begins
 * @param end behind the packet's last byte, as its length field says and the capture has
 * @returns the frames; null when the keys do not fit
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
