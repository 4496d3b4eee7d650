// Reads /proc/net/{tcp,udp,udplite,icmp,raw}{,6} (proc(5)) into a SocketTable, byte by byte: ten thousand sockets cost a few ms and no text.

import { closeSync, openSync, readSync } from 'node:fs';
import { scopeOf, V4_MAPPED } from '../../net/address.ts';
import { ECHO_PORT, hasPorts, PROTOCOL } from '../../net/numbers.ts';
import type { SocketTable } from './socket-table.ts';

/** Stands for all protocols without ports, and in the list of files for raw sockets, which have the protocol where others have the port. */
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
const MOST_BYTES = 64 << 20;

/** Kinds of socket files. */
type WantedFiles = ReadonlySet<number>;

/**
 * The files that may list sockets of these protocols. TCP's two take the kernel 5 and 10 ms where it has much memory, even when there is no
 * socket: it walks a table that is as large as that.
 */
export function filesOf(protocols: Iterable<number>): WantedFiles {
  const files = new Set<number>();
  for (const protocol of protocols) files.add(kindOf(protocol));
  return files;
}

function kindOf(protocol: number): number {
  return hasPorts(protocol) ? protocol : PORTLESS;
}

/** Reads socket files of one network namespace; keeps its buffer. */
export class ProcNetReader {
  #buffer = Buffer.alloc(64 * 1024);
  readonly #ends = new Int32Array(8);

  /**
   * Adds every socket that has an inode to `table`; the inode is its owner.
   *
   * @param folder `/proc/net` or `/proc/PID/net`
   * @param wanted files that are read, see `filesOf`; null for all
   * @returns how many files could be read; 0 means that there is no procfs or no right to it
   */
  read(folder: string, table: SocketTable, wanted: WantedFiles | null = null): number {
    let files = 0;
    for (const [name, protocol, six] of FILES) {
      if (wanted !== null && !wanted.has(kindOf(protocol))) continue;
      const length = this.#load(`${folder}/${name}`);
      if (length < 0) continue;
      files++;
      parseProcNet(this.#buffer, length, protocol, six, this.#ends, table);
    }
    return files;
  }

  #load(path: string): number {
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
          if (length >= MOST_BYTES) return length;
          const wide = Buffer.alloc(length * 2);
          this.#buffer.copy(wide);
          this.#buffer = wide;
        }
        const read = readSync(fd, this.#buffer, length, this.#buffer.length - length, null);
        if (read === 0) return length;
        length += read;
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
 * Addresses are 32-bit words in the machine's byte order (little-endian machines only, as all that Node runs on here).
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
        // A raw socket hears all ICMP: whether anything of it is its own, the table does not tell.
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
