// Asks the kernel over netlink (sock_diag(7)) what each TCP socket of this network namespace sent and received. It needs no rights.

import { V4_MAPPED } from '../../../../net/address.ts';
import { i32 } from '../../../../net/bytes.ts';
import { PROTOCOL } from '../../../../net/numbers.ts';
import { emptyCount, type SocketCount, type SocketCounts, TCP_CLOSE, TCP_LISTEN } from '../../socket-table.ts';
import { AF_INET, AF_INET6, DiagSocket, NLMSG_DONE, REQUEST_DUMP, SOCK_DIAG_BY_FAMILY } from './diag-socket.ts';

const NLMSG_ERROR = 2;
const IPPROTO_TCP = 6;
const INET_DIAG_INFO = 2;
/** Multicast groups for destroyed TCP sockets: SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY (linux/sock_diag.h). */
const ENDED_GROUPS = 0b101;
const ENOBUFS = 105;
/** Longest wait for the kernel, microseconds: it answers within the call. */
const WAIT_US = 200_000;
const NLMSG_HEADER = 16;
/** struct inet_diag_msg (linux/inet_diag.h), and the start of its addresses. */
const MESSAGE_BYTES = 72;
const ID_AT = 4;
/** Offsets in struct tcp_info (linux/tcp.h). Older kernels write less of it. */
const INFO = { ACKED: 120, RECEIVED: 128, SEGMENTS_OUT: 136, SEGMENTS_IN: 140, LEAST: 144, SENT: 200, RESENT: 208 } as const;
/** Most sockets per poll. */
const MAX_SOCKETS = 65_536;

/** Polls the kernel. Keep one instance. */
export class SockDiag implements SocketCounts {
  readonly driver = 'sock_diag';
  readonly lingers = 1;
  readonly #socket = new DiagSocket(WAIT_US);
  /** Receives destroyed sockets with their final counters. */
  readonly #ended = new DiagSocket(WAIT_US);
  readonly #buffer = Buffer.alloc(64 * 1024);
  readonly #count = emptyCount(PROTOCOL.TCP);
  #isWhole = true;

  /** Throws with the reason if this kernel lacks sock_diag or koffi has no build. */
  constructor() {
    this.#ended.join(ENDED_GROUPS);
  }

  get note(): string {
    return this.#isWhole ? '' : 'the kernel did not list all sockets';
  }

  /** Calls `each` for every TCP socket: first those that ended since the last poll, then the existing ones. */
  ask(each: (count: SocketCount) => void): true {
    this.#isWhole = this.#dump(each);
    return true;
  }

  /** @returns false if the kernel left some out */
  #dump(each: (count: SocketCount) => void): boolean {
    let left = MAX_SOCKETS;
    const isWhole = this.#readEnded(each);
    for (const family of [AF_INET, AF_INET6]) {
      const request = Buffer.alloc(72);
      request.writeUInt32LE(request.length, 0);
      request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
      request.writeUInt16LE(REQUEST_DUMP, 6);
      request.writeUInt8(family, 16);
      request.writeUInt8(IPPROTO_TCP, 17);
      request.writeUInt8(1 << (INET_DIAG_INFO - 1), 18);
      request.writeUInt32LE(0xffff_ffff, 20); // every state
      if (!this.#socket.send(request)) return false;
      for (let done = false; !done; ) {
        const length = this.#socket.receive(this.#buffer);
        if (length <= 0) return false;
        const result = readSocketCounts(this.#buffer.subarray(0, length), this.#count, (count) => {
          if (left-- > 0) each(count);
        });
        if (result === 'failed') return false;
        done = result === 'done';
      }
    }
    return isWhole && left >= 0;
  }

  /** @returns false if more sockets ended than the kernel could queue for us */
  #readEnded(each: (count: SocketCount) => void): boolean {
    for (let left = MAX_SOCKETS; left > 0; left--) {
      const length = this.#ended.receive(this.#buffer, false);
      if (length <= 0) return this.#ended.errno !== ENOBUFS;
      readSocketCounts(this.#buffer.subarray(0, length), this.#count, (count) => {
        if (count.state === TCP_CLOSE) each(count);
      });
    }
    return false;
  }

  close(): void {
    this.#ended.close();
    this.#socket.close();
  }
}

/** Reads sockets from netlink messages; a truncated message ends the read as `failed`. @param count scratch, overwritten for each socket */
export function readSocketCounts(
  bytes: Buffer,
  count: SocketCount,
  each: (count: SocketCount) => void,
): 'more' | 'done' | 'failed' {
  for (let at = 0; at + NLMSG_HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const type = bytes.readUInt16LE(at + 4);
    if (type === NLMSG_DONE) return 'done';
    if (type === NLMSG_ERROR || length < NLMSG_HEADER || at + length > bytes.length) return 'failed';
    if (type === SOCK_DIAG_BY_FAMILY && readOne(bytes, at + NLMSG_HEADER, at + length, count)) each(count);
    at += (length + 3) & ~3;
  }
  return 'more';
}

/** @returns whether the message is complete: a listener, or a socket with counters */
function readOne(bytes: Buffer, at: number, end: number, count: SocketCount): boolean {
  if (at + MESSAGE_BYTES > end) return false;
  const family = bytes[at] as number;
  count.state = bytes[at + 1] as number;
  count.ownPort = bytes.readUInt16BE(at + ID_AT);
  count.otherPort = bytes.readUInt16BE(at + ID_AT + 2);
  for (const [to, from] of [
    [0, at + ID_AT + 4],
    [4, at + ID_AT + 20],
  ] as const) {
    for (let i = 0; i < 4; i++) count.words[to + i] = family === AF_INET ? 0 : i32(bytes, from + 4 * i);
    if (family !== AF_INET) continue;
    count.words[to + 2] = V4_MAPPED;
    count.words[to + 3] = i32(bytes, from);
  }
  count.cookie = bytes.readUInt32LE(at + ID_AT + 40) + bytes.readUInt32LE(at + ID_AT + 44) * 2 ** 32;
  if (count.state === TCP_LISTEN) return true;
  for (let next = at + MESSAGE_BYTES; next + 4 <= end; ) {
    const length = bytes.readUInt16LE(next);
    if (length < 4 || next + length > end) return false;
    if (bytes.readUInt16LE(next + 2) === INET_DIAG_INFO) return readInfo(bytes, next + 4, length - 4, count);
    next += (length + 3) & ~3;
  }
  return false;
}

function readInfo(bytes: Buffer, at: number, length: number, count: SocketCount): boolean {
  if (length < INFO.LEAST) return false; // before 4.2
  const u64 = (offset: number) => Number(bytes.readBigUInt64LE(at + offset));
  count.rxBytes = u64(INFO.RECEIVED);
  // Acknowledged bytes include the SYN and exclude bytes in flight. Kernels since 4.19 also give the bytes sent.
  count.txBytes = length >= INFO.RESENT + 8 ? u64(INFO.SENT) - u64(INFO.RESENT) : Math.max(0, u64(INFO.ACKED) - 1);
  count.txSegments = bytes.readUInt32LE(at + INFO.SEGMENTS_OUT);
  count.rxSegments = bytes.readUInt32LE(at + INFO.SEGMENTS_IN);
  return true;
}
