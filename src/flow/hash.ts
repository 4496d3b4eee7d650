// Hashes a flow's two ends. The hash is the same for both directions, so one lookup serves RX and TX.

import { V4_MAPPED } from '../net/address.ts';

const MIX_A = 0x85ebca6b | 0;
const MIX_B = 0xc2b2ae35 | 0;
const MIX_KEY = 0x9e3779b1 | 0;

/**
 * Mixes one word into the state. Every input bit affects every bit of the result, so the next word can't undo this one. One of the two factors is
 * secret: if both were known, words that cancel each other could be computed without the seed.
 */
function mix(state: number, word: number, key: number): number {
  let h = state ^ word;
  h = Math.imul(h ^ (h >>> 16), MIX_A);
  h = Math.imul(h ^ (h >>> 15), key);
  return h ^ (h >>> 15);
}

/** Hash of one end. @param seed random per process, so nobody on the network can choose colliding flows */
function hashEnd(words: Int32Array, at: number, port: number, seed: number, key: number): number {
  let h = mix(seed, words[at + 3] as number, key);
  // Use all words of anything that isn't IPv4, because anybody can choose addresses that begin with zeros.
  if (words[at + 2] !== V4_MAPPED || words[at] !== 0 || words[at + 1] !== 0) {
    h = mix(h, words[at] as number, key);
    h = mix(h, words[at + 1] as number, key);
    h = mix(h, words[at + 2] as number, key);
  }
  return mix(h, port, key);
}

/** The secret factor. It is odd, so multiplication loses no bit. */
function keyOf(seed: number): number {
  return (Math.imul(seed, MIX_KEY) ^ MIX_B) | 1;
}

/** Symmetric hash of `words` (two addresses, 8 words), two ports, protocol and interface. */
export function hashFlow(words: Int32Array, portA: number, portB: number, protocolInterface: number, seed: number): number {
  const key = keyOf(seed);
  const h = (hashEnd(words, 0, portA, seed, key) + hashEnd(words, 4, portB, seed, key)) | 0;
  return mix(h, protocolInterface, key);
}

/** Hash of one four-word address and an optional port. */
export function hashAddress(words: Int32Array, at: number, seed: number, port = 0): number {
  return hashEnd(words, at, port, seed, keyOf(seed));
}
