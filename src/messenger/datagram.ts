// Sends datagrams to UNIX sockets, which Node can't: the system's log and the journal take nothing else.

import koffi from 'koffi';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** Linux: close on exec, don't block. macOS has no such flags. */
const LINUX_FLAGS = 0o2004000;
const MSG_DONTWAIT = process.platform === 'linux' ? 0x40 : 0x80;
/** sockaddr_un: sun_path holds so many bytes with its NUL. */
const PATH_BYTES = 104;
const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`],
  darwin: ['/usr/lib/libSystem.B.dylib'],
};

/** Sends one datagram. @returns null; or why it could not be sent, as the system's name of the error */
export type SendDatagram = (path: string, bytes: Buffer) => string | null;

/** This system's sockets. @throws an error if libc can't be called */
export function systemDatagrams(): SendDatagram {
  const libc = load();
  const socket = libc.func('int socket(int, int, int)');
  const sendto = libc.func('long sendto(int, void*, size_t, int, void*, uint32_t)');
  const close = libc.func('int close(int)');
  return (path, bytes) => {
    const name = Buffer.from(path);
    if (name.length >= PATH_BYTES) return 'ENAMETOOLONG';
    const descriptor = socket(AF_UNIX, process.platform === 'linux' ? SOCK_DGRAM | LINUX_FLAGS : SOCK_DGRAM, 0) as number;
    if (descriptor < 0) return lastError();
    try {
      // Linux has a family of two bytes; macOS one byte of length, then one of family.
      const address = Buffer.alloc(2 + PATH_BYTES);
      if (process.platform === 'linux') address.writeUInt16LE(AF_UNIX, 0);
      else address.set([address.length, AF_UNIX]);
      name.copy(address, 2);
      const sent = Number(sendto(descriptor, bytes, bytes.length, MSG_DONTWAIT, address, address.length));
      return sent < 0 ? lastError() : null;
    } finally {
      close(descriptor);
    }
  };
}

function lastError(): string {
  const number = koffi.errno();
  return Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}

function load() {
  let failure: unknown;
  for (const name of LIBRARIES[process.platform] ?? []) {
    try {
      return koffi.load(name);
    } catch (thrown) {
      failure = thrown;
    }
  }
  throw failure ?? new Error('libc is unknown here');
}
