// Asks the kernel for one socket of this network namespace by its ends (sock_diag(7)). A query takes microseconds however many sockets
// exist, and needs no rights; reading /proc/net takes time in proportion to the kernel's tables.

import { isV4 } from '../../../../net/address.ts';
import { PROTOCOL } from '../../../../net/numbers.ts';
import type { Match } from '../../socket-table.ts';
import { AF_INET, AF_INET6, DiagSocket, NLMSG_DONE, REQUEST_DUMP, SOCK_DIAG_BY_FAMILY } from './diag-socket.ts';

const REQUEST = 1;
/** Longest wait for the kernel, microseconds: it answers within the call. */
const WAIT_US = 50_000;
/** Most late answers to earlier queries to skip. */
const MAX_STALE = 8;
const TCP_LISTEN = 10;
/** struct nlmsghdr and struct inet_diag_req_v2. The ends start at 24: two ports, two addresses of 16 bytes, interface, cookie. */
const QUESTION_BYTES = 72;
const QUESTION = { FLAGS: 6, SEQUENCE: 8, FAMILY: 16, PROTOCOL: 17, STATES: 20, PORTS: 24, ADDRESSES: 28, COOKIE: 64 } as const;
/** struct nlmsghdr and struct inet_diag_msg, as far as we read them. */
const ANSWER = { TYPE: 4, SEQUENCE: 8, STATE: 17, OTHER_PORT: 22, INODE: 84, BYTES: 88 } as const;

/** Queries the sockets of one namespace. Keep one instance. */
export class SocketQuery {
  readonly #socket = new DiagSocket(WAIT_US);
  readonly #question = Buffer.alloc(QUESTION_BYTES);
  readonly #answer = Buffer.alloc(4096);
  readonly #answered: ReadonlySet<number>;
  #sequence = 0;
  /** How the last `find` matched. */
  match: Match = 'none';

  /** Throws with the reason if this kernel lacks sock_diag. */
  constructor() {
    this.#question.writeUInt32LE(QUESTION_BYTES, 0);
    this.#question.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
    this.#question.fill(0xff, QUESTION.COOKIE); // any
    // The kernel answers "no such socket" and "no such protocol" alike. Listing sockets in no state tells them apart.
    this.#answered = new Set([PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.UDPLITE].filter((protocol) => this.#canList(protocol)));
  }

  /** Whether the kernel answers queries for this protocol. */
  answers(protocol: number): boolean {
    return this.#answered.has(protocol);
  }

  /** Inode of the socket whose own address is in `ends` at `near` and the other end's at `far`, as in `SocketTable.find`; 0 if none. */
  find(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const question = this.#question;
    // The kernel looks TCP up from the socket's side, UDP from the sender's side (net/ipv4/udp_diag.c).
    const isReversed = protocol !== PROTOCOL.TCP;
    const family = isV4(ends, near) ? AF_INET : AF_INET6;
    question.writeUInt8(family, QUESTION.FAMILY);
    question.writeUInt8(protocol, QUESTION.PROTOCOL);
    question.writeUInt32LE(0xffff_ffff, QUESTION.STATES);
    question.writeUInt16BE(isReversed ? farPort : nearPort, QUESTION.PORTS);
    question.writeUInt16BE(isReversed ? nearPort : farPort, QUESTION.PORTS + 2);
    this.#writeAddress(family, ends, isReversed ? far : near, QUESTION.ADDRESSES);
    this.#writeAddress(family, ends, isReversed ? near : far, QUESTION.ADDRESSES + 16);
    this.match = 'none';
    if (this.#ask(REQUEST) !== SOCK_DIAG_BY_FAMILY) return 0;
    const inode = this.#answer.readUInt32LE(ANSWER.INODE);
    if (inode === 0) return 0;
    if (this.#answer[ANSWER.STATE] === TCP_LISTEN) this.match = 'listener';
    else this.match = this.#answer.readUInt16BE(ANSWER.OTHER_PORT) === 0 ? 'wildcard' : 'exact';
    return inode;
  }

  close(): void {
    this.#socket.close();
  }

  #canList(protocol: number): boolean {
    this.#question.writeUInt8(AF_INET, QUESTION.FAMILY);
    this.#question.writeUInt8(protocol, QUESTION.PROTOCOL);
    this.#question.writeUInt32LE(0, QUESTION.STATES);
    return this.#ask(REQUEST_DUMP) === NLMSG_DONE;
  }

  /** @returns the answer's message type; 0 if none came */
  #ask(flags: number): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    this.#question.writeUInt16LE(flags, QUESTION.FLAGS);
    this.#question.writeUInt32LE(this.#sequence, QUESTION.SEQUENCE);
    if (!this.#socket.send(this.#question)) return 0;
    for (let left = MAX_STALE; left > 0; left--) {
      const length = this.#socket.receive(this.#answer);
      if (length < 16) return 0;
      if (this.#answer.readUInt32LE(ANSWER.SEQUENCE) !== this.#sequence) continue;
      const type = this.#answer.readUInt16LE(ANSWER.TYPE);
      return type === SOCK_DIAG_BY_FAMILY && length < ANSWER.BYTES ? 0 : type;
    }
    return 0;
  }

  #writeAddress(family: number, words: Int32Array, at: number, to: number): void {
    for (let i = 0; i < 4; i++) {
      const from = family === AF_INET ? (i === 0 ? (words[at + 3] as number) : 0) : (words[at + i] as number);
      this.#question.writeInt32BE(from, to + 4 * i);
    }
  }
}
