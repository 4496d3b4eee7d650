// The entry point of decoding, which turns one frame's bytes into a `Packet`, from the link header to the transport. It never throws, allocates or
// keeps a reference to the bytes. It doesn't read payloads; inspect/ does.

import { isV4 } from '../net/address.ts';
import { DIRECTION, LINK, PROTOCOL } from '../net/numbers.ts';
import { readEthernet, readLink } from './link.ts';
import { type Packet, type Status, TUNNEL } from './packet.ts';

/** Copies, as in ipv4.ts. */
const { NONE: NO_TUNNEL } = TUNNEL;
const { UNKNOWN } = DIRECTION;
const { ETHERNET } = LINK;
/** A longer wire length in a file is false; the captured length replaces it. This also keeps fields small integers. */
const LONGEST_FRAME = 0x3fffffff;

/**
 * Decodes one frame into `packet`, overwriting every field.
 *
 * Never throws and never reads outside the captured bytes: a short or broken frame leaves `packet` valid up to `stoppedAt`. A later
 * fragment has no ports; `Decoder` fills them in.
 *
 * @param captured bytes of the frame in `bytes` from `offset`
 * @param wire bytes it had on the wire; at least `captured`
 * @param link LINKTYPE; PKTAP headers are already stripped
 */
export function decode(bytes: Uint8Array, offset: number, captured: number, wire: number, link: number, packet: Packet): Status {
  clear(packet);
  const room = bytes.length - offset;
  const length = captured < room ? captured : Math.max(room, 0);
  const wireLength = wire >= length && wire <= LONGEST_FRAME ? wire : length;
  packet.frameBytes = wireLength;
  const end = offset + length;
  const wireEnd = offset + wireLength;
  // Ethernet first, without the dispatch: one call less for nearly every packet.
  if (link === ETHERNET) readEthernet(bytes, offset, end, wireEnd, packet);
  else readLink(link, bytes, offset, end, wireEnd, packet);
  if (!packet.hasAddresses) packet.words.fill(0);
  return packet.status;
}

/** A decoder that remembers first fragments and gives their ports to the fragments that follow. One per run. */
export class Decoder {
  readonly #fragments = new Fragments();

  /** Like `decode`, and fills in the ports of later fragments if the first was seen. */
  decode(bytes: Uint8Array, offset: number, captured: number, wire: number, link: number, packet: Packet): Status {
    const status = decode(bytes, offset, captured, wire, link, packet);
    if (packet.laterFragment || packet.firstFragment) this.#fragments.settle(packet);
    return status;
  }
}

function clear(packet: Packet): void {
  packet.hasAddresses = false;
  packet.unread = 0;
  packet.protocol = 0;
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  packet.tunnel = NO_TUNNEL;
  packet.vlan = 0;
  packet.networkBytes = 0;
  packet.payloadBytes = 0;
  packet.networkOffset = -1;
  packet.transportOffset = -1;
  packet.payloadOffset = -1;
  packet.payloadCaptured = 0;
  packet.insideCaptured = 0;
  packet.laterFragment = false;
  packet.lacksFirst = false;
  packet.firstFragment = false;
  packet.identification = 0;
  packet.tcpFlags = 0;
  packet.sequence = 0;
  packet.acknowledgement = 0;
  packet.timestampValue = 0;
  packet.timestampEcho = 0;
  packet.hasTimestamps = false;
  packet.longHeader = false;
  packet.icmpType = 0;
  packet.groupAddressed = false;
  packet.linkDirection = UNKNOWN;
  packet.linkInterface = 0;
}

/** Entries per set; a fifth replaces the oldest. */
const WAYS = 4;
/** Words of an entry. */
const WORDS = 12;
const PROTOCOL_WORD = 10;
const PORTS_WORD = 11;

/**
 * First fragments by source, destination, protocol and identification (RFC 791 section 3.2, RFC 8200 section 4.5).
 *
 *     words   [ source: 4 ][ destination: 4 ][ key protocol + 1 ][ identification ][ protocol ][ source port << 16 | destination port ]
 *
 * An entry is 12 x int32; key protocol + 1 is 0 in an empty one. Entries don't expire: when an identification is reused, its first fragment
 * overwrites the entry.
 */
export class Fragments {
  readonly #words: Int32Array;
  readonly #oldest: Uint8Array;
  readonly #mask: number;
  /** Random, so that nobody can construct datagrams that share a set. */
  readonly #seed = (Math.random() * 2 ** 32) | 0;

  /** @param sets sets of four entries, a power of two; 256 sets hold 1024 packets in 48 KiB */
  constructor(sets = 256) {
    this.#words = new Int32Array(sets * WAYS * WORDS);
    this.#oldest = new Uint8Array(sets);
    this.#mask = sets - 1;
  }

  /** Gives a later fragment its ports, or remembers those of a first one. Call it for fragments only, after decoding. */
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

/** The protocol to match by. IPv6 fragments match by identification alone, because after options only the first names the transport (RFC 8200 section 4.5). */
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
