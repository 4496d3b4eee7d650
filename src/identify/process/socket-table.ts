// A table of the machine's sockets, looked up by a flow's ends. Its users refill it for each reading. Chained hashing, no strings.

import { hashAddress } from '../../flow/hash.ts';
import { ADDRESS_WORDS, isV4, parseAddress, V4_MAPPED } from '../../net/address.ts';
import { PROTOCOL } from '../../net/numbers.ts';

/** How a lookup matched; `none` if no socket fits. */
export type Match = 'exact' | 'wildcard' | 'listener' | 'none';

const WORDS = 12;
/** Random hash seed: remote ends are chosen by others, who must not be able to lengthen a chain of their choice. */
const SEED = (Math.random() * 2 ** 32) | 0;
const ANY: Int32Array = new Int32Array(4);
const ANY_V4: Int32Array = Int32Array.of(0, 0, V4_MAPPED, 0);

/**
 * Sockets by protocol and tuple. Layout of `ints`, 12 words per socket:
 *
 *     0..3 local address | 4..7 remote address | 8 local port << 16 | remote port | 9 protocol | 10 unused | 11 next in its chain
 *
 * An owner is any number that the source uses: an inode, a process. IPv4 addresses are v4-mapped, so a connected dual-stack socket needs no
 * second lookup.
 */
export class SocketTable {
  #ints = new Int32Array(256 * WORDS);
  #owners = new Float64Array(256);
  #heads = new Int32Array(512).fill(-1);
  #count = 0;
  /** How the last `find` was answered. */
  match: Match = 'none';

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
    this.#heads.fill(-1);
  }

  /** Adds a socket. Beyond a million it adds none. @param owner not 0 */
  add(
    protocol: number,
    local: Int32Array,
    localAt: number,
    localPort: number,
    remote: Int32Array,
    remoteAt: number,
    remotePort: number,
    owner: number,
  ): void {
    if (this.#count === this.#owners.length && !this.#grow()) return;
    const index = this.#count++;
    const base = index * WORDS;
    const ints = this.#ints;
    for (let i = 0; i < 4; i++) {
      ints[base + i] = local[localAt + i] as number;
      ints[base + 4 + i] = remote[remoteAt + i] as number;
    }
    ints[base + 8] = (localPort << 16) | remotePort;
    ints[base + 9] = protocol;
    this.#owners[index] = owner;
    this.#chain(index);
  }

  /**
   * Owner of the socket that a flow's end belongs to; 0 if none. `match` says how it was found. It tries the exact tuple first, then an
   * unconnected socket (with the flow's own address, then any); for TCP that is the port's listener.
   */
  find(protocol: number, ends: Int32Array, localAt: number, localPort: number, remoteAt: number, remotePort: number): number {
    let owner = this.findExact(protocol, ends, localAt, localPort, remoteAt, remotePort);
    this.match = 'exact';
    if (owner !== 0) return owner;
    this.match = protocol === PROTOCOL.TCP ? 'listener' : 'wildcard';
    for (const any of [ANY, ANY_V4]) {
      owner = this.#look(protocol, ends, localAt, localPort, any, 0, 0);
      if (owner !== 0) return owner;
    }
    // A dual-stack socket also serves IPv4; an IPv4 socket never serves IPv6.
    for (const any of isV4(ends, localAt) ? [ANY_V4, ANY] : [ANY]) {
      owner = this.#look(protocol, any, 0, localPort, ANY, 0, 0) || this.#look(protocol, any, 0, localPort, ANY_V4, 0, 0);
      if (owner !== 0) return owner;
    }
    this.match = 'none';
    return 0;
  }

  /** Owner of the socket with exactly these ends; 0 if none. Leaves `match` unchanged. */
  findExact(
    protocol: number,
    ends: Int32Array,
    localAt: number,
    localPort: number,
    remoteAt: number,
    remotePort: number,
  ): number {
    return this.#look(protocol, ends, localAt, localPort, ends, remoteAt, remotePort);
  }

  /** Whether at most one socket of the protocol has this local port, on any address. */
  isSole(protocol: number, localPort: number): boolean {
    const ints = this.#ints;
    let found = 0;
    for (let base = 0; base < this.#count * WORDS; base += WORDS)
      if (ints[base + 9] === protocol && (ints[base + 8] as number) >>> 16 === localPort && ++found > 1) return false;
    return true;
  }

  /** Calls `each` for every socket without a remote end. Words are copies. */
  unconnected(each: (protocol: number, words: Int32Array, port: number, owner: number) => void): void {
    const ints = this.#ints;
    for (let index = 0; index < this.#count; index++) {
      const base = index * WORDS;
      const ports = ints[base + 8] as number;
      if ((ports & 0xffff) !== 0) continue;
      each(ints[base + 9] as number, ints.slice(base, base + 4), ports >>> 16, this.#owners[index] as number);
    }
  }

  #look(
    protocol: number,
    local: Int32Array,
    localAt: number,
    localPort: number,
    remote: Int32Array,
    remoteAt: number,
    remotePort: number,
  ): number {
    const ports = (localPort << 16) | remotePort;
    const ints = this.#ints;
    const head = hash(protocol, ports, local, localAt, remote, remoteAt) & (this.#heads.length - 1);
    for (let index = this.#heads[head] as number; index >= 0; index = ints[index * WORDS + 11] as number) {
      const base = index * WORDS;
      if (ints[base + 8] !== ports || ints[base + 9] !== protocol) continue;
      if (same(ints, base, local, localAt) && same(ints, base + 4, remote, remoteAt)) return this.#owners[index] as number;
    }
    return 0;
  }

  #chain(index: number): void {
    const base = index * WORDS;
    const ints = this.#ints;
    const head = hash(ints[base + 9] as number, ints[base + 8] as number, ints, base, ints, base + 4) & (this.#heads.length - 1);
    ints[base + 11] = this.#heads[head] as number;
    this.#heads[head] = index;
  }

  #grow(): boolean {
    const size = this.#owners.length * 2;
    if (size > 1 << 20) return false;
    const ints = new Int32Array(size * WORDS);
    ints.set(this.#ints);
    this.#ints = ints;
    const owners = new Float64Array(size);
    owners.set(this.#owners);
    this.#owners = owners;
    this.#heads = new Int32Array(size * 2).fill(-1);
    for (let index = 0; index < this.#count; index++) this.#chain(index);
    return true;
  }
}

function same(ints: Int32Array, at: number, other: Int32Array, otherAt: number): boolean {
  return (
    ints[at + 3] === other[otherAt + 3] &&
    ints[at + 2] === other[otherAt + 2] &&
    ints[at + 1] === other[otherAt + 1] &&
    ints[at] === other[otherAt]
  );
}

function hash(protocol: number, ports: number, local: Int32Array, localAt: number, remote: Int32Array, remoteAt: number): number {
  const near = hashAddress(local, localAt, SEED, ports >>> 16);
  return (near ^ protocol) + Math.imul(hashAddress(remote, remoteAt, SEED, ports & 0xffff), 3);
}

// One end of a socket as lsof and nettop print it. Text in, words out.

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
 * Parses an end from its two parts.
 *
 * @param host an address, with or without a zone, or `*`
 * @param port a number, or `*`
 * @returns null if either part is invalid
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

// A system's counters of a socket, and the interface for polling them.

/** A socket's counters now. The object is reused for the next socket. */
export interface SocketCount {
  /** Own address, four words, then the other's. */
  readonly words: Int32Array;
  ownPort: number;
  otherPort: number;
  /** PROTOCOL number. */
  protocol: number;
  /** Distinguishes this socket from all others that exist. */
  cookie: number | string;
  /** Linux's TCP states: 1 established, 7 closed (reported once), 10 listening. */
  state: number;
  /** Payload bytes since the socket was created. */
  rxBytes: number;
  txBytes: number;
  /** Segments since then; 0 if unknown. */
  rxSegments: number;
  txSegments: number;
  /** The process that holds it, and whether that is certain; null if another source finds owners. */
  process: { readonly pid: number; readonly name: string; readonly exact: boolean } | null;
  /** Its interface; null if unknown. */
  interface: string | null;
}

export const TCP_CLOSE = 7;
export const TCP_LISTEN = 10;

/** A source of socket counts. */
export interface SocketCounts {
  /** Its name in the header and the JSON. */
  readonly driver: 'sock_diag' | 'nettop';
  /** For how many polls to remember a socket that is no longer listed; 1 if cookies are never reused. */
  readonly lingers: number;
  /** Why some sockets are missing; empty if none are. */
  readonly note: string;
  /**
   * Calls `each` for every socket, listeners first if the source can tell.
   *
   * @returns false if there is nothing new
   */
  ask(each: (count: SocketCount) => void): boolean;
  close(): void;
}

/** A zeroed count, to be filled. */
export function emptyCount(protocol: number): SocketCount {
  return {
    words: new Int32Array(8),
    ownPort: 0,
    otherPort: 0,
    protocol,
    cookie: 0,
    state: 0,
    rxBytes: 0,
    txBytes: 0,
    rxSegments: 0,
    txSegments: 0,
    process: null,
    interface: null,
  };
}
