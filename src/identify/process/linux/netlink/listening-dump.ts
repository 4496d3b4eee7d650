// Asks the kernel over netlink (sock_diag(7)) for the listening sockets of this network namespace. It needs no rights.

import { V4_MAPPED } from '../../../../net/address.ts';
import { i32 } from '../../../../net/bytes.ts';
import { PROTOCOL } from '../../../../net/numbers.ts';
import type { KernelListening } from '../../listening/linux.ts';
import { type ListeningSocket, MAX_LISTENERS } from '../../listening/sockets.ts';
import { TCP_CLOSE, TCP_LISTEN } from '../../socket-table.ts';
import { AF_INET, AF_INET6, DiagSocket, NLMSG_DONE, REQUEST_DUMP, SOCK_DIAG_BY_FAMILY } from './diag-socket.ts';

const PROTOCOLS = [PROTOCOL.TCP, PROTOCOL.UDP] as const;
const FAMILIES = [AF_INET, AF_INET6] as const;
/** Longest wait for the kernel, microseconds: it answers within the call. */
const WAIT_US = 200_000;
/** struct nlmsghdr and struct inet_diag_req_v2 (linux/inet_diag.h). */
const QUESTION_BYTES = 72;
const NLMSG_HEADER = 16;
/** Offsets in struct inet_diag_msg, and its length. */
const MESSAGE = { FAMILY: 0, PORT: 4, ADDRESS: 8, UID: 64, INODE: 68, BYTES: 72 } as const;

/** Lists listeners. Keep one instance. */
export class ListeningDump implements KernelListening {
  /** Throws with the reason if this kernel lacks sock_diag or koffi has no build. */
  readonly #socket = new DiagSocket(WAIT_US);
  readonly #buffer = Buffer.alloc(64 * 1024);

  list(): ListeningSocket[] | null {
    const found: ListeningSocket[] = [];
    for (const protocol of PROTOCOLS) {
      for (const family of FAMILIES) {
        if (!this.#socket.send(question(protocol, family))) return null;
        for (let done = false; !done; ) {
          const length = this.#socket.receive(this.#buffer);
          if (length <= 0) return null;
          const result = readListening(this.#buffer.subarray(0, length), protocol, found);
          if (result === 'failed') return null;
          done = result === 'done';
        }
      }
    }
    return found;
  }

  close(): void {
    this.#socket.close();
  }
}

/** null if the kernel lacks sock_diag: the tables in /proc say the same, more slowly. */
export function openListeningDump(): KernelListening | null {
  try {
    return new ListeningDump();
  } catch {
    return null;
  }
}

/** UDP sockets without a peer are in TCP's state "closed". */
function question(protocol: number, family: number): Buffer {
  const request = Buffer.alloc(QUESTION_BYTES);
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(REQUEST_DUMP, 6);
  request.writeUInt8(family, 16);
  request.writeUInt8(protocol, 17);
  request.writeUInt32LE(1 << (protocol === PROTOCOL.TCP ? TCP_LISTEN : TCP_CLOSE), 20);
  return request;
}

/** Adds the sockets in netlink messages to `found`; a truncated message ends the read as `failed`. */
export function readListening(bytes: Buffer, protocol: number, found: ListeningSocket[]): 'more' | 'done' | 'failed' {
  for (let at = 0; at + NLMSG_HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const type = bytes.readUInt16LE(at + 4);
    if (type === NLMSG_DONE) return 'done';
    if (type !== SOCK_DIAG_BY_FAMILY || length < NLMSG_HEADER || at + length > bytes.length) return 'failed';
    const body = at + NLMSG_HEADER;
    if (length - NLMSG_HEADER >= MESSAGE.BYTES && found.length < MAX_LISTENERS) {
      const words = new Int32Array(4);
      if (bytes[body + MESSAGE.FAMILY] === AF_INET) {
        words[2] = V4_MAPPED;
        words[3] = i32(bytes, body + MESSAGE.ADDRESS);
      } else for (let i = 0; i < 4; i++) words[i] = i32(bytes, body + MESSAGE.ADDRESS + 4 * i);
      const port = bytes.readUInt16BE(body + MESSAGE.PORT);
      const uid = bytes.readUInt32LE(body + MESSAGE.UID);
      found.push({ protocol, words, port, inode: bytes.readUInt32LE(body + MESSAGE.INODE), uid, elsewhere: false });
    }
    at += (length + 3) & ~3;
  }
  return 'more';
}
