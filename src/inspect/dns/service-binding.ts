// Address hints in SVCB and HTTPS records (RFC 9460 sections 2.2 and 7.3), and the names such records are asked by.

import { u16 } from '../../net/bytes.ts';
import type { WireName } from './name.ts';

const KEY_IPV4_HINT = 4;
const KEY_IPV6_HINT = 6;
const UNDERSCORE = 0x5f;

/** Told of each hint: bytes of one address. */
export type HintTaker = (message: Uint8Array, at: number, size: number) => void;

/**
 * Walks the parameters behind the target name, in the order of their keys as the RFC asks, and tells the address hints.
 *
 * @returns false when a length lies; the hints before it were told
 */
export function eachHint(message: Uint8Array, from: number, to: number, take: HintTaker): boolean {
  let at = from;
  while (at + 4 <= to) {
    const key = u16(message, at);
    const size = u16(message, at + 2);
    at += 4;
    if (at + size > to) return false;
    const each = key === KEY_IPV4_HINT ? 4 : key === KEY_IPV6_HINT ? 16 : 0;
    if (each > 0) for (let i = at; i + each <= at + size; i += each) take(message, i, each);
    at += size;
  }
  return at === to;
}

/** Takes labels like `_8443._https` off the front, by which a service's record is asked (RFC 9460 section 2.3). */
export function withoutServiceLabels(name: WireName): void {
  const { bytes, length } = name;
  let at = 0;
  while (at < length && bytes[at + 1] === UNDERSCORE) at += (bytes[at] as number) + 1;
  if (at === 0 || at >= length) return;
  bytes.copyWithin(0, at, length);
  name.length = length - at;
}
