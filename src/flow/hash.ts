// Hash of a flow's two ends, the same for both directions, so that one look-up serves RX and TX.

import { V4_MAPPED } from '../net/address.ts';

const MIX_A = 0x85ebca6b | 0;
const MIX_B = 0xc2b2ae35 | 0;

/**
 * Hash of one end. Words are mixed one after the other: mixing them side by side clusters badly on scans (measured 8 times slower).
 *
 * @param seed differs in each process, so that nobody on the network can choose colliding flows
 */
function hashEnd(words: Int32Array, at: number, port: number, seed: number): number {
  let h = Math.imul((words[at + 3] as number) ^ seed, MIX_A);
  h ^= h >>> 15;
  // All words of anything that is not IPv4: addresses that begin with zeros are anybody's to choose.
  if (words[at + 2] !== V4_MAPPED || words[at] !== 0 || words[at + 1] !== 0) {
    h = Math.imul(h ^ (words[at] as number), MIX_B);
    h ^= h >>> 13;
    h = Math.imul(h ^ (words[at + 1] as number), MIX_A);
    h ^= h >>> 15;
    h = Math.imul(h ^ (words[at + 2] as number), MIX_B);
    h ^= h >>> 13;
  }
  h = Math.imul(h ^ port, MIX_B);
  return h ^ (h >>> 16);
}

/** Symmetric hash of `words` (two addresses, 8 words) and two ports, with what else tells flows apart. */
export function hashFlow(words: Int32Array, portA: number, portB: number, protocolInterface: number, seed: number): number {
  let h = (hashEnd(words, 0, portA, seed) + hashEnd(words, 4, portB, seed)) | 0;
  h = Math.imul(h ^ protocolInterface, MIX_A);
  return h ^ (h >>> 14);
}

/** Hash of one address of four words. */
export function hashAddress(words: Int32Array, at: number, seed: number): number {
  return hashEnd(words, at, 0, seed);
}
