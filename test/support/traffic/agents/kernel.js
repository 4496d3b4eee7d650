// System calls of the traffic agents, through koffi: what Node's own sockets hide. Linux, 64 bits, little-endian. Blocking, and meant to be.

import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const raw = {
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, const void*, uint32_t)'),
  connect: libc.func('int connect(int, const void*, uint32_t)'),
  listen: libc.func('int listen(int, int)'),
  accept4: libc.func('int accept4(int, void*, void*, int)'),
  send: libc.func('long send(int, const void*, size_t, int)'),
  sendto: libc.func('long sendto(int, const void*, size_t, int, const void*, uint32_t)'),
  recvfrom: libc.func('long recvfrom(int, void*, size_t, int, void*, void*)'),
  sendmmsg: libc.func('int sendmmsg(int, void*, unsigned int, int)'),
  recvmmsg: libc.func('int recvmmsg(int, void*, unsigned int, int, void*)'),
  setsockopt: libc.func('int setsockopt(int, int, int, const void*, uint32_t)'),
  getsockopt: libc.func('int getsockopt(int, int, int, void*, void*)'),
  getsockname: libc.func('int getsockname(int, void*, void*)'),
  sendfile: libc.func('long sendfile(int, int, void*, size_t)'),
  splice: libc.func('long splice(int, void*, int, void*, size_t, unsigned int)'),
  pipe: libc.func('int pipe(void*)'),
  shutdown: libc.func('int shutdown(int, int)'),
  close: libc.func('int close(int)'),
  ifIndex: libc.func('unsigned int if_nametoindex(const char*)'),
  syscall: libc.func('long syscall(long, ...)'),
  mmap: libc.func('void* mmap(size_t, size_t, int, int, int, long)'),
};

export const AF = { INET: 2, INET6: 10, PACKET: 17 };
export const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3 };
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVTIMEO = 20;
const SO_REUSEPORT = 15;
const SO_RCVBUFFORCE = 33;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const EINTR = 4;
/** Of include/net/tcp_states.h. */
const TIME_WAIT = 6;
const CLOSED = 7;

export function must(result, what) {
  const value = Number(result);
  if (value < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  return value;
}

/** struct sockaddr_in or sockaddr_in6. @param {string} address @param {number} port */
export function socketName(address, port) {
  if (!address.includes(':')) {
    const name = Buffer.alloc(16);
    name.writeUInt16LE(AF.INET, 0);
    name.writeUInt16BE(port, 2);
    name.set(address.split('.').map(Number), 4);
    return name;
  }
  const [head = '', tail = ''] = address.split('::');
  const words = (text) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const left = words(head);
  const right = words(tail);
  const groups = [...left, ...new Array(8 - left.length - right.length).fill(0), ...right];
  const name = Buffer.alloc(28);
  name.writeUInt16LE(AF.INET6, 0);
  name.writeUInt16BE(port, 2);
  for (const [i, group] of groups.entries()) name.writeUInt16BE(group, 8 + 2 * i);
  return name;
}

export const familyOf = (address) => (address.includes(':') ? AF.INET6 : AF.INET);
export const socket = (family, type, protocol = 0) => must(raw.socket(family, type, protocol), 'socket');
export const bind = (fd, address, port) => {
  const name = socketName(address, port);
  must(raw.bind(fd, name, name.length), `bind ${address}:${port}`);
};
export const bindName = (fd, name) => must(raw.bind(fd, name, name.length), 'bind');
export const connect = (fd, address, port) => {
  const name = socketName(address, port);
  must(raw.connect(fd, name, name.length), `connect ${address}:${port}`);
};
export const listen = (fd) => must(raw.listen(fd, 256), 'listen');
export const interfaceIndex = (name) => raw.ifIndex(name);

/** @param {boolean} asksWho as most servers do; libuv asks for no address */
export function accept(fd, asksWho = true) {
  const name = Buffer.alloc(28);
  const length = Buffer.from([28, 0, 0, 0]);
  return must(raw.accept4(fd, asksWho ? name : null, asksWho ? length : null, 0), 'accept');
}

export function localPort(fd) {
  const name = Buffer.alloc(28);
  must(raw.getsockname(fd, name, Buffer.from([28, 0, 0, 0])), 'getsockname');
  return name.readUInt16BE(2);
}

function setFlag(fd, option) {
  must(raw.setsockopt(fd, SOL_SOCKET, option, Buffer.from([1, 0, 0, 0]), 4), 'setsockopt');
}
export const shareAddress = (fd) => setFlag(fd, SO_REUSEADDR);
export const sharePort = (fd) => setFlag(fd, SO_REUSEPORT);

/** Room for a burst; root may pass the system's limit. */
export function widen(fd) {
  must(raw.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, Buffer.from([0, 0, 0x40, 0]), 4), 'setsockopt');
}

/** A receiver that waits for longer than this is told `null`. */
export function setPatience(fd, ms) {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.floor(ms / 1000)), 0);
  time.writeBigInt64LE(BigInt((ms % 1000) * 1000), 8);
  must(raw.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time, 16), 'setsockopt');
}

export const send = (fd, bytes) => must(raw.send(fd, bytes, bytes.length, MSG_NOSIGNAL), 'send');
export const sendTo = (fd, bytes, name) => must(raw.sendto(fd, bytes, bytes.length, 0, name, name.length), 'sendto');

/** Sends all of a stream's bytes. */
export function sendAll(fd, bytes) {
  for (let at = 0; at < bytes.length; ) at += send(fd, bytes.subarray(at));
}

/** @returns {{length: number, from: Buffer} | null} null when nothing came in time */
export function receive(fd, into) {
  const from = Buffer.alloc(128);
  const size = Buffer.from([128, 0, 0, 0]);
  for (;;) {
    const length = Number(raw.recvfrom(fd, into, into.length, 0, from, size));
    if (length >= 0) return { length, from: from.subarray(0, size.readUInt32LE()) };
    if (koffi.errno() !== EINTR) return null;
  }
}

/** Lets go of a socket; others may hold it still. */
export const close = (fd) => must(raw.close(fd), 'close');
export const endSending = (fd) => must(raw.shutdown(fd, SHUT_WR), 'shutdown');

/** Segments and payload bytes (those sent again too) of a TCP socket so far, as its own kernel counts them; `over` once both sides have closed and all is acknowledged. */
export function segments(fd) {
  const told = Buffer.alloc(232);
  must(raw.getsockopt(fd, 6, 11, told, Buffer.from([232, 0, 0, 0])), 'TCP_INFO');
  const state = told.readUInt8(0);
  return {
    out: told.readUInt32LE(136),
    in: told.readUInt32LE(140),
    sent: Number(told.readBigUInt64LE(200)),
    over: state === TIME_WAIT || state === CLOSED,
  };
}

/** Sends an open file's bytes over a stream without copying them here. */
export function sendFile(fd, file, bytes) {
  for (let sent = 0; sent < bytes; ) sent += must(raw.sendfile(fd, file, null, bytes - sent), 'sendfile');
}

/** The same through a pipe, splice(2). */
export function spliceFile(fd, file, bytes) {
  const ends = Buffer.alloc(8);
  must(raw.pipe(ends), 'pipe');
  for (let sent = 0; sent < bytes; ) {
    let held = must(raw.splice(file, null, ends.readInt32LE(4), null, Math.min(65_536, bytes - sent), 0), 'splice in');
    sent += held;
    while (held > 0) held -= must(raw.splice(ends.readInt32LE(0), null, fd, null, held, 0), 'splice out');
  }
}

/** `count` struct mmsghdr (64 bytes each) that point to `size` bytes each. Keep the result alive while it is used. */
function messages(count, size) {
  const body = Buffer.alloc(count * size, 7);
  const vectors = Buffer.alloc(count * 16);
  const headers = Buffer.alloc(count * 64);
  const at = BigInt(koffi.address(body));
  const vectorsAt = BigInt(koffi.address(vectors));
  for (let i = 0; i < count; i++) {
    vectors.writeBigUInt64LE(at + BigInt(i * size), i * 16);
    vectors.writeBigUInt64LE(BigInt(size), i * 16 + 8);
    headers.writeBigUInt64LE(vectorsAt + BigInt(i * 16), i * 64 + 16);
    headers.writeBigUInt64LE(1n, i * 64 + 24);
  }
  return { headers, keep: [body, vectors] };
}

/** Sends datagrams in batches, sendmmsg(2). */
export function sendBatches(fd, count, size) {
  const batch = messages(32, size);
  for (let sent = 0; sent < count; ) sent += must(raw.sendmmsg(fd, batch.headers, Math.min(32, count - sent), 0), 'sendmmsg');
}

/** Receives until `count` came or nothing comes in time, recvmmsg(2). @returns {number[]} their lengths */
export function receiveBatches(fd, count) {
  const batch = messages(32, 2048);
  const lengths = [];
  while (lengths.length < count) {
    const got = Number(raw.recvmmsg(fd, batch.headers, 32, 0x10000 /* MSG_WAITFORONE */, null));
    if (got <= 0) break;
    for (let i = 0; i < got; i++) lengths.push(batch.headers.readUInt32LE(i * 64 + 56));
  }
  return lengths;
}

const IO_URING_SETUP = 425;
const IO_URING_ENTER = 426;
const OP_SEND = 26;
const SQES_AT = 0x1000_0000;

/** A ring of one entry that sends; null where the kernel has no io_uring or does not allow it. */
export function openRing() {
  const wanted = Buffer.alloc(120);
  const ring = Number(raw.syscall(IO_URING_SETUP, 'unsigned int', 4, 'void*', wanted));
  if (ring < 0) return null;
  const entries = wanted.readUInt32LE(0);
  const doneEntries = wanted.readUInt32LE(4);
  // struct io_sqring_offsets from 40: head, tail, ring_mask, ring_entries, flags, dropped, array; io_cqring_offsets from 80: ... cqes at 20
  const [tailAt, maskAt, arrayAt] = [44, 48, 64].map((at) => wanted.readUInt32LE(at));
  const [doneHeadAt, doneTailAt, doneMaskAt, doneAt] = [80, 84, 88, 100].map((at) => wanted.readUInt32LE(at));
  const bytes = Math.max(arrayAt + entries * 4, doneAt + doneEntries * 16);
  const rings = koffi.view(raw.mmap(0, bytes, 3, 0x8001, ring, 0), bytes);
  const slots = koffi.view(raw.mmap(0, entries * 64, 3, 0x8001, ring, SQES_AT), entries * 64);
  const words = new DataView(rings);
  const slot = new DataView(slots);
  return {
    /** @returns bytes sent */
    send(fd, data) {
      const tail = words.getUint32(tailAt, true);
      const index = tail & words.getUint32(maskAt, true);
      new Uint8Array(slots, index * 64, 64).fill(0);
      slot.setUint8(index * 64, OP_SEND);
      slot.setInt32(index * 64 + 4, fd, true);
      slot.setBigUint64(index * 64 + 16, BigInt(koffi.address(data)), true);
      slot.setUint32(index * 64 + 24, data.length, true);
      slot.setUint32(index * 64 + 28, MSG_NOSIGNAL, true);
      words.setUint32(arrayAt + index * 4, index, true);
      Atomics.store(new Int32Array(rings, tailAt, 1), 0, tail + 1);
      must(
        raw.syscall(
          IO_URING_ENTER,
          'int',
          ring,
          'unsigned int',
          1,
          'unsigned int',
          1,
          'unsigned int',
          1,
          'void*',
          null,
          'size_t',
          0,
        ),
        'enter',
      );
      const head = words.getUint32(doneHeadAt, true);
      if (words.getUint32(doneTailAt, true) === head) throw new Error('io_uring: nothing done');
      const result = words.getInt32(doneAt + (head & words.getUint32(doneMaskAt, true)) * 16 + 8, true);
      Atomics.store(new Int32Array(rings, doneHeadAt, 1), 0, head + 1);
      if (result < 0) throw new Error(`io_uring send: errno ${-result}`);
      return result;
    },
  };
}
