// TCP agents. What went over the wire is reckoned from the payload and the segments that the socket's own kernel counted.

import { openSync, writeSync } from 'node:fs';
import * as kernel from './kernel.js';

const pause = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms) => Atomics.wait(pause, 0, 0, ms);

/** Header bytes of a segment: IP, TCP, time stamps (RFC 7323). */
const segmentBytes = (address) => (address.includes(':') ? 40 : 20) + 32;
/** A SYN's options take 8 bytes more. */
const SYN_MORE = 8;

/** Bytes on the wire of one connection whose both ends have said their last. What the peer had to send again is in the peer's own count. */
function wire(fd, address, received) {
  const each = segmentBytes(address);
  let count = kernel.segments(fd);
  for (let i = 0; i < 1000 && !count.over; i++) {
    sleep(2);
    count = kernel.segments(fd);
  }
  return { tx: count.sent + count.out * each + SYN_MORE, rx: received + count.in * each + SYN_MORE };
}

/**
 * Opens `connections` at once (or one after the other), sends `bytes` over each, reads to the end of what comes back.
 *
 * @param {{to: string, port: number, bytes: number, connections?: number, inTurn?: boolean, method?: 'send' | 'sendfile' | 'splice' | 'uring',
 *   pieces?: number, gapMs?: number, fd?: number}} how
 */
export async function tcpSend(how, go) {
  const { to, port, bytes, connections = 1, inTurn = false } = how;
  const ring = how.method === 'uring' ? kernel.openRing() : null;
  if (how.method === 'uring' && ring === null) {
    await go({ without: 'io_uring' });
    return { tx: 0, rx: 0 };
  }
  const open = () => {
    const fd = how.fd ?? kernel.socket(kernel.familyOf(to), kernel.SOCK.STREAM);
    if (how.fd === undefined) kernel.connect(fd, to, port);
    kernel.setPatience(fd, 3000);
    return fd;
  };
  // A socket that is there before it is told to go can be older than whoever watches.
  const early = how.early ? [open()] : [];
  await go({});
  let tx = 0;
  let rx = 0;
  const finish = (fd) => {
    push(fd, how, bytes, ring);
    kernel.endSending(fd);
    const got = readAll(fd);
    const each = wire(fd, to, got);
    tx += each.tx;
    rx += each.rx;
  };
  if (inTurn) for (let i = 0; i < connections; i++) finish(open());
  else {
    const sockets = early.length > 0 ? early : Array.from({ length: connections }, open);
    for (const fd of sockets) finish(fd);
  }
  return { tx, rx };
}

function push(fd, { method = 'send', pieces = 1, gapMs = 0 }, bytes, ring) {
  if (method === 'sendfile' || method === 'splice') {
    const file = temporaryFile(bytes);
    if (method === 'sendfile') kernel.sendFile(fd, file, bytes);
    else kernel.spliceFile(fd, file, bytes);
    return;
  }
  const part = Buffer.alloc(Math.ceil(bytes / pieces), 7);
  for (let sent = 0; sent < bytes; ) {
    const piece = part.subarray(0, Math.min(part.length, bytes - sent));
    if (ring === null) kernel.sendAll(fd, piece);
    else for (let at = 0; at < piece.length; ) at += ring.send(fd, piece.subarray(at));
    sent += piece.length;
    if (gapMs > 0) sleep(gapMs);
  }
}

function readAll(fd) {
  const into = Buffer.alloc(65_536);
  let bytes = 0;
  for (;;) {
    const got = kernel.receive(fd, into);
    if (got === null || got.length === 0) return bytes;
    bytes += got.length;
  }
}

/** An open file of this many bytes that has no name any more. */
function temporaryFile(bytes) {
  const O_TMPFILE = 0o20200000;
  const file = openSync('/tmp', O_TMPFILE | 2, 0o600);
  writeSync(file, Buffer.alloc(bytes, 7), 0, bytes, 0);
  return file;
}

/** A listening socket. @param {{on: string, port: number, shared?: boolean}} how */
export function listenOn({ on, port, shared = false }) {
  const fd = kernel.socket(kernel.familyOf(on), kernel.SOCK.STREAM);
  kernel.shareAddress(fd);
  if (shared) kernel.sharePort(fd);
  kernel.bind(fd, on, port);
  kernel.listen(fd);
  return fd;
}

/**
 * Accepts `connections` (or fewer, when none comes any more), reads each to its end, answers with `bytes`.
 *
 * @param {{on: string, port: number, connections: number, bytes?: number, fd?: number, asksWho?: boolean, patienceMs?: number}} how
 */
export async function tcpReceive(how, go) {
  const { on, connections, bytes = 0, asksWho = true } = how;
  const listener = how.fd ?? listenOn(how);
  kernel.setPatience(listener, how.patienceMs ?? 3000);
  await go({ port: kernel.localPort(listener) });
  const answer = Buffer.alloc(bytes, 7);
  let tx = 0;
  let rx = 0;
  let accepted = 0;
  for (; accepted < connections; accepted++) {
    let fd;
    try {
      fd = kernel.accept(listener, asksWho);
    } catch {
      break;
    }
    kernel.setPatience(fd, 3000);
    const got = readAll(fd);
    kernel.sendAll(fd, answer);
    kernel.endSending(fd);
    const each = wire(fd, on, got);
    tx += each.tx;
    rx += each.rx;
  }
  return { tx, rx, accepted };
}
