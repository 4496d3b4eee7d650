// What the sources of listening sockets tell, and what follows from an address alone.

import type { Reach } from '../../../model/listeners.ts';
import { formatAddress, scopeOf } from '../../../net/address.ts';

/** One listening socket, before its process is known. */
export interface ListeningSocket {
  /** PROTOCOL number: TCP, or UDP without a peer. */
  readonly protocol: number;
  /** Four words (net/address); zero or v4-mapped zero is any. */
  readonly words: Int32Array;
  readonly port: number;
  /** 0 where the system doesn't number sockets so. */
  readonly inode: number;
  /** Number of the user that made it; null if unknown. */
  readonly uid: number | null;
  /** True in another network namespace. */
  readonly elsewhere: boolean;
}

/** Most listeners that are kept; a machine has some dozens. */
export const MAX_LISTENERS = 4096;

/** From where an address can be reached. */
export function reachOf(words: Int32Array): Reach {
  switch (scopeOf(words)) {
    case 'loopback':
      return 'loopback';
    case 'private':
    case 'shared':
    case 'link-local':
      return 'network';
    default:
      return 'everywhere';
  }
}

/** Text of a bound address; `*` for any. */
export function boundAddress(words: Int32Array): string {
  return scopeOf(words) === 'unspecified' ? '*' : formatAddress(words);
}
