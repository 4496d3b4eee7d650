// The machine's socket tables: those of our own network namespace, and those of other namespaces for sockets that are not in ours.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { scopeOf, V4_MAPPED } from '../../../../net/address.ts';
import { ECHO_PORT, hasPorts, PROTOCOL } from '../../../../net/numbers.ts';
import { type Match, SocketTable } from '../../socket-table.ts';
import { linkOf, type Proc } from './proc.ts';

/** Looks up one socket by its ends. */
export interface SingleSockets {
  /** How the last `find` matched. */
  readonly match: Match;
  answers(protocol: number): boolean;
  find(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number;
}

/** Reads the tables and finds sockets in them. Results are inodes, which are unique across namespaces. */
export class ProcfsTables {
  readonly #query: SingleSockets | null;
  readonly #folder: string;
  /** Protocols for which our own tables were read. */
  #listed = new Set<number>();
  readonly #reader = new ProcNetReader();
  readonly #own = new SocketTable();
  readonly #others = new SocketTable();
  readonly #namespaces: NetNamespaces;
  /** How the last `find` matched. */
  match: Match = 'none';
  /** Our own tables were truncated, so a socket may exist without being listed. */
  isCut = false;

  /**
   * @param query looks up single sockets; null to use tables only
   */
  constructor(proc: Proc, query: SingleSockets | null = null) {
    this.#query = query;
    this.#folder = `${proc.path}/net`;
    this.#namespaces = new NetNamespaces(proc);
  }

  /**
   * Rereads the tables that the lookups need.
   *
   * @param protocols of the flows to look up
   * @param isWide reads the tables of other namespaces too
   * @param isDeep reads our own tables even for protocols that `query` answers: it can't find sockets bound to an interface
   * @returns false if even our own can't be read
   */
  read(protocols: ReadonlySet<number>, isWide: boolean, isDeep: boolean, now: number): boolean {
    this.#own.clear();
    this.#others.clear();
    this.#listed = new Set(isDeep ? protocols : [...protocols].filter((protocol) => this.#query?.answers(protocol) !== true));
    const files = filesOf(this.#listed);
    const isReadable = files.size === 0 || this.#reader.read(this.#folder, this.#own, files) > 0;
    this.isCut = files.size > 0 && !this.#reader.isWhole;
    const until = performance.now() + MAX_MS;
    if (isWide) {
      for (const folder of this.#namespaces.folders(now)) {
        if (performance.now() >= until) break;
        this.#reader.read(folder, this.#others, filesOf(protocols), until);
      }
    }
    return isReadable;
  }

  /**
   * Inode of the socket whose own address is in `ends` at `near` and the other end's at `far`; 0 if none. The address belongs to this
   * namespace, so a socket of another one must match exactly; the port alone isn't enough.
   */
  find(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const inode = this.#findOwn(protocol, ends, near, nearPort, far, farPort);
    if (inode !== 0 || scopeOf(ends, near) === 'loopback') return inode;
    const other = this.#others.find(protocol, ends, near, nearPort, far, farPort);
    if (other === 0 || this.#others.match !== 'exact') return 0;
    this.match = 'exact';
    return other;
  }

  /** Like `find`, for an address that may belong to another namespace. */
  findAnywhere(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const inode = this.#findOwn(protocol, ends, near, nearPort, far, farPort);
    if (inode !== 0 || scopeOf(ends, near) === 'loopback') return inode;
    const other = this.#others.find(protocol, ends, near, nearPort, far, farPort);
    this.match = this.#others.match;
    return other;
  }

  #findOwn(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const query = this.#query?.answers(protocol) === true ? this.#query : null;
    const queried = query?.find(protocol, ends, near, nearPort, far, farPort) ?? 0;
    this.match = query?.match ?? 'none';
    if (queried !== 0) return queried;
    const inode = this.#own.find(protocol, ends, near, nearPort, far, farPort);
    this.match = this.#own.match;
    return inode;
  }

  /** Whether at most one socket of our own namespace uses the port. */
  isSole(protocol: number, localPort: number): boolean {
    if (!this.#listed.has(protocol)) {
      this.#listed.add(protocol);
      this.#reader.read(this.#folder, this.#own, filesOf([protocol]));
      this.isCut ||= !this.#reader.isWhole;
    }
    return !this.isCut && this.#own.isSole(protocol, localPort);
  }
}

// Reads /proc/net/{tcp,udp,udplite,icmp,raw}{,6} (proc(5)) into a SocketTable, byte by byte: ten thousand sockets take a few ms and no strings.

/** Stands for all protocols without ports. In FILES it marks the raw tables, which list the protocol in the port's place. */
const PORTLESS = -1;

const FILES = [
  ['tcp', PROTOCOL.TCP, false],
  ['tcp6', PROTOCOL.TCP, true],
  ['udp', PROTOCOL.UDP, false],
  ['udp6', PROTOCOL.UDP, true],
  ['udplite', PROTOCOL.UDPLITE, false],
  ['udplite6', PROTOCOL.UDPLITE, true],
  ['icmp', PROTOCOL.ICMP, false],
  ['icmp6', PROTOCOL.ICMPV6, true],
  ['raw', PORTLESS, false],
  ['raw6', PORTLESS, true],
] as const;

const SPACE = 0x20;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const MAX_BYTES = 64 << 20;
/** Time limit for the tables of our namespace, and again for all others. For each chunk of UDP's, the kernel walks all sockets before it: 400,000 took ten minutes. */
const MAX_MS = 200;

/** Protocols, or PORTLESS, whose files to read. */
type WantedFiles = ReadonlySet<number>;

/**
 * Kinds of files that may list sockets of these protocols. TCP's two take 5 and 10 ms on a machine with much memory even without sockets,
 * because the kernel walks a hash table sized by memory.
 */
export function filesOf(protocols: Iterable<number>): WantedFiles {
  const files = new Set<number>();
  for (const protocol of protocols) files.add(kindOf(protocol));
  return files;
}

function kindOf(protocol: number): number {
  return hasPorts(protocol) ? protocol : PORTLESS;
}

/** Reads the socket tables of one network namespace at a time. Reuses its buffer. */
export class ProcNetReader {
  #buffer = Buffer.alloc(64 * 1024);
  readonly #ends = new Int32Array(8);
  /** The last read was not truncated. */
  isWhole = true;

  /**
   * Adds every socket that has an inode to `table`, with the inode as its owner.
   *
   * @param folder `/proc/net` or `/proc/PID/net`
   * @param wanted files to read, see `filesOf`; null for all
   * @param until when to stop, on `performance.now`'s clock
   * @returns number of files read; 0 means that procfs is missing or access is denied
   */
  read(folder: string, table: SocketTable, wanted: WantedFiles | null = null, until = performance.now() + MAX_MS): number {
    let files = 0;
    this.isWhole = true;
    for (const [name, protocol, six] of FILES) {
      if (wanted !== null && !wanted.has(kindOf(protocol))) continue;
      const length = this.#load(`${folder}/${name}`, until);
      if (length < 0) continue;
      files++;
      parseProcNet(this.#buffer, length, protocol, six, this.#ends, table);
    }
    return files;
  }

  #load(path: string, until: number): number {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      return -1; // no IPv6, no UDP-Lite, no procfs
    }
    try {
      let length = 0;
      for (;;) {
        if (length === this.#buffer.length) {
          if (length >= MAX_BYTES) {
            this.isWhole = false;
            return length;
          }
          const wide = Buffer.alloc(length * 2);
          this.#buffer.copy(wide);
          this.#buffer = wide;
        }
        const read = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
        if (read === 0) return length;
        length += read;
        if (performance.now() < until) continue;
        this.isWhole = false;
        return this.#buffer.lastIndexOf(NEWLINE, length - 1) + 1;
      }
    } catch {
      return -1;
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * Parses one file:
 *
 *     `  sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode ...`
 *     `   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 ...`
 *
 * Addresses are 32-bit words in machine byte order; we support only little-endian machines.
 */
export function parseProcNet(
  bytes: Uint8Array,
  length: number,
  protocol: number,
  six: boolean,
  ends: Int32Array,
  table: SocketTable,
): void {
  const digits = six ? 32 : 8;
  let at = lineEnd(bytes, 0, length) + 1; // header
  while (at < length) {
    const end = lineEnd(bytes, at, length);
    let p = at;
    while (p < end && bytes[p] !== COLON) p++;
    p += 2;
    // local address, colon, 4 digits, space, remote address, colon, 4 digits, space, state
    if (p + 2 * (digits + 6) + 2 <= end) {
      readAddress(bytes, p, six, ends, 0);
      const localPort = hex(bytes, p + digits + 1, 4);
      const q = p + digits + 6;
      readAddress(bytes, q, six, ends, 4);
      const remotePort = hex(bytes, q + digits + 1, 4);
      // state, queues, timer, retransmits, uid, timeout; then the inode
      let field = q + digits + 6;
      for (let i = 0; i < 6; i++) field = nextField(bytes, field, end);
      const inode = decimal(bytes, field, end);
      if (inode > 0) {
        if (hasPorts(protocol)) table.add(protocol, ends, 0, localPort, ends, 4, remotePort, inode);
        else if (protocol !== PORTLESS)
          table.add(protocol, ends, 0, localPort, ends, 4, scopeOf(ends, 4) === 'unspecified' ? 0 : ECHO_PORT, inode);
        // A raw ICMP socket receives all ICMP, so the table can't tell whose flow it is.
        else if (localPort !== PROTOCOL.ICMP && localPort !== PROTOCOL.ICMPV6)
          table.add(localPort, ends, 0, 0, ends, 4, 0, inode);
      }
    }
    at = end + 1;
  }
}

function readAddress(bytes: Uint8Array, at: number, six: boolean, words: Int32Array, to: number): void {
  if (six) {
    for (let i = 0; i < 4; i++) words[to + i] = swap(hex(bytes, at + 8 * i, 8));
    return;
  }
  words[to] = 0;
  words[to + 1] = 0;
  words[to + 2] = V4_MAPPED;
  words[to + 3] = swap(hex(bytes, at, 8));
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function hex(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const c = bytes[at + i] as number;
    value = (value << 4) | (c <= 0x39 ? c - 0x30 : (c & 0xdf) - 0x37);
  }
  return value;
}

function decimal(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let p = at; p < end && (bytes[p] as number) >= 0x30 && (bytes[p] as number) <= 0x39; p++)
    value = value * 10 + (bytes[p] as number) - 0x30;
  return value;
}

function nextField(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && bytes[p] !== SPACE) p++;
  while (p < end && bytes[p] === SPACE) p++;
  return p;
}

function lineEnd(bytes: Uint8Array, at: number, length: number): number {
  let p = at;
  while (p < length && bytes[p] !== NEWLINE) p++;
  return p;
}

// Other network namespaces (containers, ip netns). One process of each gives access to its socket tables.

/** Most namespaces to read. */
const MAX_NAMESPACES = 64;
const REFRESH_MS = 10_000;
/** Most processes whose namespace one refresh reads. */
const MAX_PROCESSES = 32_768;

/** Folders with the socket tables of other namespaces. Lists them at most every ten seconds, and only on request. */
export class NetNamespaces {
  readonly #proc: Proc;
  #folders: readonly string[] = [];
  #nextRefresh = Number.NEGATIVE_INFINITY;

  constructor(proc: Proc) {
    this.#proc = proc;
  }

  /** `/proc/PID/net` of one process of each other namespace. @param now monotonic ms */
  folders(now: number): readonly string[] {
    if (now >= this.#nextRefresh) {
      this.#folders = this.#list();
      this.#nextRefresh = now + REFRESH_MS;
    }
    return this.#folders;
  }

  #list(): string[] {
    const own = linkOf(`${this.#proc.path}/self/ns/net`);
    const seen = new Set([own]);
    const folders: string[] = [];
    let names: string[];
    try {
      names = readdirSync(this.#proc.path);
    } catch {
      return folders;
    }
    for (const pid of names.filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES)) {
      const namespace = this.#proc.namespace(Number(pid));
      if (namespace === '' || seen.has(namespace)) continue;
      seen.add(namespace);
      folders.push(`${this.#proc.path}/${pid}/net`);
      if (folders.length >= MAX_NAMESPACES) break;
    }
    return folders;
  }
}
