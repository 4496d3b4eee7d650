// One end of a socket as lsof and nettop print it. Text in, words out.

import { ADDRESS_WORDS, isV4, parseAddress, V4_MAPPED } from '../../net/address.ts';

/** One end of a socket. */
export interface SocketEnd {
  /** Four words (net/address); null is any address. */
  readonly words: Int32Array | null;
  /** 0 is any port. */
  readonly port: number;
}

/** What every program that lists sockets tells of one; a socket that several processes share is listed for each. */
export interface SocketRecord {
  readonly pid: number;
  /** As long as the program prints it: 31 characters for lsof, about 15 for nettop. */
  readonly name: string;
  /** null where the program does not tell. */
  readonly uid: number | null;
  /** PROTOCOL number. */
  readonly protocol: number;
  /** 6 too for an IPv6 socket with v4-mapped addresses, which takes part in both. */
  readonly family: 4 | 6;
  readonly local: SocketEnd;
  /** null where the socket is not connected. */
  readonly remote: SocketEnd | null;
}

/** Words of any address of a family, as sockets that are not connected have it. */
export const ANY_ADDRESS = { 4: Int32Array.of(0, 0, V4_MAPPED, 0), 6: new Int32Array(ADDRESS_WORDS) } as const;

/**
 * Reads an end from its two parts.
 *
 * @param host an address, with or without a zone, or `*`
 * @param port a number, or `*`
 * @returns null where either part is neither
 */
export function socketEnd(host: string, port: string): SocketEnd | null {
  const number = port === '*' ? 0 : /^\d{1,5}$/.test(port) ? Number(port) : -1;
  if (number < 0 || number > 65_535) return null;
  if (host === '*') return { words: null, port: number };
  const words = new Int32Array(ADDRESS_WORDS);
  if (!parseAddress(host, words)) return null;
  // BSD kernels keep the interface number of a link-local address in its second group, and Apple's lsof prints it.
  if (!isV4(words, 0) && (words[0] as number) >>> 22 === 0x3fa) words[0] = (words[0] as number) & ~0xffff;
  const unspecified = words.every((word) => word === 0) || (isV4(words, 0) && words[3] === 0);
  return { words: unspecified ? null : words, port: number };
}
