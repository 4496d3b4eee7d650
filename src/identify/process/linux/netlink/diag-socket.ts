// A netlink socket to the kernel's list of sockets (sock_diag(7)). Carries messages; what they say is its user's.

import koffi from 'koffi';

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DIAG_BY_FAMILY = 20;
export const REQUEST_DUMP = 0x301;
export const NLMSG_DONE = 3;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_DONTWAIT = 0x40;

/** One socket. `close` it. */
export class DiagSocket {
  readonly #fd: number;
  readonly #bind: (...args: unknown[]) => unknown;
  readonly #recv: (...args: unknown[]) => unknown;
  readonly #send: (...args: unknown[]) => unknown;
  readonly #close: (fd: number) => unknown;

  /** @param waitUs longest wait of `receive`, microseconds, below a second. Throws with the reason where this kernel has none, or koffi no build. */
  constructor(waitUs: number) {
    const libc = koffi.load('libc.so.6');
    this.#bind = libc.func('int bind(int, void*, uint32_t)');
    this.#recv = libc.func('long recv(int, void*, size_t, int)');
    this.#send = libc.func('long send(int, void*, size_t, int)');
    this.#close = libc.func('int close(int)');
    this.#fd = libc.func('int socket(int, int, int)')(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG) as number;
    if (this.#fd < 0) throw new Error(`sock_diag: errno ${koffi.errno()}`);
    const timeout = Buffer.alloc(16); // struct timeval
    timeout.writeUInt32LE(waitUs, 8);
    libc.func('int setsockopt(int, int, int, void*, uint32_t)')(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
  }

  /** Hears what is told to groups; where the kernel refuses, nothing comes. @param groups bits */
  join(groups: number): void {
    const address = Buffer.alloc(12); // struct sockaddr_nl
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(groups, 8);
    this.#bind(this.#fd, address, address.length);
  }

  /** @returns false where the kernel did not take it */
  send(message: Buffer): boolean {
    return Number(this.#send(this.#fd, message, message.length, 0)) >= 0;
  }

  /** @returns bytes received; -1 where none came in time, or nothing is there and `waits` is false: `errno` says which */
  receive(buffer: Buffer, waits = true): number {
    return Number(this.#recv(this.#fd, buffer, buffer.length, waits ? 0 : MSG_DONTWAIT));
  }

  get errno(): number {
    return koffi.errno();
  }

  close(): void {
    this.#close(this.#fd);
  }
}
