// What first fragments said about their packets, for the fragments that follow. Bounded: the oldest of a set is overwritten.

import { isV4 } from '../net/address.ts';
import { PROTOCOL } from '../net/numbers.ts';
import type { Packet } from './packet.ts';

/** Entries that share a place; the oldest of them goes when a fifth comes. */
const WAYS = 4;
const WORDS = 12;
const PROTOCOL_WORD = 10;
const PORTS_WORD = 11;

/**
 * First fragments by source, destination, protocol and identification (RFC 791 section 3.2, RFC 8200 section 4.5).
 *
 *     words   [ source: 4 ][ destination: 4 ][ key protocol + 1 ][ identification ][ protocol ][ source port << 16 | destination port ]
 *
 * One entry is 12 x int32; key protocol + 1 is 0 where an entry is empty. Nothing expires: an identification that comes round again
 * is overwritten by its own first fragment.
 */
export class Fragments {
  readonly #words: Int32Array;
  readonly #oldest: Uint8Array;
  readonly #mask: number;
  /** Nobody is to choose which datagrams share a set. */
  readonly #seed = (Math.random() * 2 ** 32) | 0;

  /** @param sets places of four entries, a power of two; 256 hold 1024 packets in 48 KiB */
  constructor(sets = 256) {
    this.#words = new Int32Array(sets * WAYS * WORDS);
    this.#oldest = new Uint8Array(sets);
    this.#mask = sets - 1;
  }

  /** Gives a later fragment its ports, or keeps those of a first one. Call it for fragments only, after decoding. */
  settle(packet: Packet): void {
    const set = hashOf(packet, this.#seed) & this.#mask;
    let entry = this.#find(packet, set);
    if (packet.laterFragment) {
      if (entry >= 0) this.#fill(packet, entry);
      else packet.lacksFirst = true;
      return;
    }
    if (entry < 0) {
      const way = this.#oldest[set] as number;
      this.#oldest[set] = (way + 1) % WAYS;
      entry = (set * WAYS + way) * WORDS;
    }
    this.#words.set(packet.words, entry);
    this.#words[entry + 8] = keyProtocol(packet) + 1;
    this.#words[entry + 9] = packet.identification;
    this.#words[entry + PROTOCOL_WORD] = packet.protocol;
    this.#words[entry + PORTS_WORD] = (packet.sourcePort << 16) | packet.destinationPort;
  }

  #find(packet: Packet, set: number): number {
    const words = this.#words;
    const key = keyProtocol(packet) + 1;
    for (let way = 0; way < WAYS; way++) {
      const entry = (set * WAYS + way) * WORDS;
      if (words[entry + 8] !== key || words[entry + 9] !== packet.identification) continue;
      let i = 0;
      while (i < 8 && words[entry + i] === packet.words[i]) i++;
      if (i === 8) return entry;
    }
    return -1;
  }

  #fill(packet: Packet, entry: number): void {
    const ports = this.#words[entry + PORTS_WORD] as number;
    packet.protocol = this.#words[entry + PROTOCOL_WORD] as number;
    packet.sourcePort = ports >>> 16;
    packet.destinationPort = ports & 0xffff;
  }
}

/** IPv6 fragments share identification alone: behind options, only the first knows the transport (RFC 8200 section 4.5). */
function keyProtocol(packet: Packet): number {
  return isV4(packet.words, 0) ? packet.protocol : PROTOCOL.FRAGMENT;
}

function hashOf(packet: Packet, seed: number): number {
  let hash = packet.identification ^ seed;
  for (let i = 0; i < 8; i++) {
    hash ^= packet.words[i] as number;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
