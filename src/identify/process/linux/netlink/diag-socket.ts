// A netlink socket for the kernel's socket list (sock_diag(7)). It only carries messages; its users write and read them.

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

/** One netlink socket. Call `close` when done. */
export class DiagSocket {
  readonly #fd: number;
  readonly #bind: (...args: unknown[]) => unknown;
  readonly #recv: (...args: unknown[]) => unknown;
  readonly #send: (...args: unknown[]) => unknown;
  readonly #close: (fd: number) => unknown;

  /** Throws with the reason if this kernel lacks sock_diag or koffi has no build. @param waitUs timeout of `receive`, microseconds, below a second */
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

  /** Joins multicast groups. If the kernel refuses, no messages arrive. @param groups bit mask */
  join(groups: number): void {
    const address = Buffer.alloc(12); // struct sockaddr_nl
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(groups, 8);
    this.#bind(this.#fd, address, address.length);
  }

  /** @returns false if the kernel refused the message */
  send(message: Buffer): boolean {
    return Number(this.#send(this.#fd, message, message.length, 0)) >= 0;
  }

  /** @returns bytes received; -1 on a timeout, an error, or if nothing is waiting and `waits` is false. See `errno`. */
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
