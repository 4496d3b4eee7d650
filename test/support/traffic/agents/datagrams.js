// UDP, ICMP and raw agents: send a known number of datagrams, or count what comes. Bytes are reckoned as on the wire, IP header included.

import * as kernel from './kernel.js';

const UDP_BYTES = 8;
const pause = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms) => Atomics.wait(pause, 0, 0, ms);
const headerBytes = (address) => (address.includes(':') ? 40 : 20);

/**
 * Sends `count` datagrams of `size` bytes to each of `ports`; with `answered` reads one answer to each.
 *
 * @param {{to: string, ports: number[], count: number, size: number, connected?: boolean, from?: string, fromPort?: number, gapMs?: number,
 *   answered?: boolean, batches?: boolean, fd?: number}} how
 */
export async function udpSend(how, go) {
  const { to, ports, count, size, connected = false, gapMs = 0, answered = false } = how;
  const fd = how.fd ?? kernel.socket(kernel.familyOf(to), kernel.SOCK.DGRAM);
  if (how.fd === undefined && how.from !== undefined) kernel.bind(fd, how.from, how.fromPort ?? 0);
  if (connected && how.fd === undefined) kernel.connect(fd, to, ports[0]);
  kernel.setPatience(fd, 2000);
  await go({ port: kernel.localPort(fd) });
  const body = Buffer.alloc(size, 7);
  const answer = Buffer.alloc(65_536);
  const names = ports.map((port) => kernel.socketName(to, port));
  const extra = headerBytes(to) + UDP_BYTES;
  let rx = 0;
  if (how.batches) kernel.sendBatches(fd, count, size);
  else {
    for (let i = 0; i < count; i++) {
      for (const name of names) {
        if (connected) kernel.send(fd, body);
        else kernel.sendTo(fd, body, name);
        if (answered) {
          const got = kernel.receive(fd, answer);
          if (got === null) throw new Error('no answer');
          rx += got.length + extra;
        }
      }
      if (gapMs > 0) sleep(gapMs);
    }
  }
  return { tx: count * ports.length * (size + extra), rx };
}

/**
 * Counts datagrams until `count` came or none came for a while.
 *
 * @param {{on: string, port: number, count: number, echo?: boolean, shared?: boolean, batches?: boolean, patienceMs?: number}} how
 */
export async function udpReceive(how, go) {
  const { on, port, count, echo = false, patienceMs = 1000 } = how;
  const fd = how.fd ?? kernel.socket(kernel.familyOf(on), kernel.SOCK.DGRAM);
  if (how.fd === undefined) {
    if (how.shared) kernel.sharePort(fd);
    kernel.bind(fd, on, port);
  }
  kernel.widen(fd);
  kernel.setPatience(fd, patienceMs);
  await go({ port: kernel.localPort(fd) });
  const extra = headerBytes(on) + UDP_BYTES;
  if (how.batches) {
    const lengths = kernel.receiveBatches(fd, count);
    return { rx: lengths.reduce((sum, length) => sum + length + extra, 0), tx: 0, messages: lengths.length };
  }
  const into = Buffer.alloc(65_536);
  let rx = 0;
  let tx = 0;
  let messages = 0;
  for (; messages < count; messages++) {
    const got = kernel.receive(fd, into);
    if (got === null) break;
    rx += got.length + extra;
    if (echo) {
      kernel.sendTo(fd, into.subarray(0, got.length), got.from);
      tx += got.length + extra;
    }
  }
  return { rx, tx, messages };
}

/** Echo requests through a raw or a ping socket, each answered. @param {{to: string, count: number, size: number, raw: boolean}} how */
export async function echo(how, go) {
  const { to, count, size, raw } = how;
  const six = to.includes(':');
  const fd = kernel.socket(kernel.familyOf(to), raw ? kernel.SOCK.RAW : kernel.SOCK.DGRAM, six ? 58 : 1);
  kernel.setPatience(fd, 2000);
  await go({});
  const name = kernel.socketName(to, 0);
  const into = Buffer.alloc(65_536);
  for (let i = 0; i < count; i++) {
    const message = Buffer.alloc(8 + size, 7);
    message.writeUInt8(six ? 128 : 8, 0);
    message.writeUInt8(0, 1);
    message.writeUInt16BE(0, 2);
    message.writeUInt16BE(process.pid & 0xffff, 4);
    message.writeUInt16BE(i, 6);
    if (!six) message.writeUInt16BE(checksum(message), 2);
    kernel.sendTo(fd, message, name);
    if (kernel.receive(fd, into) === null) throw new Error('no echo');
  }
  const bytes = count * (headerBytes(to) + 8 + size);
  return { tx: bytes, rx: bytes };
}

/** Packets of an IP protocol without ports. @param {{to: string, protocol: number, count: number, size: number, gapMs?: number}} how */
export async function rawSend({ to, protocol, count, size, gapMs = 0 }, go) {
  const fd = kernel.socket(kernel.familyOf(to), kernel.SOCK.RAW, protocol);
  await go({});
  const name = kernel.socketName(to, 0);
  const body = Buffer.alloc(size, 7);
  for (let i = 0; i < count; i++) {
    kernel.sendTo(fd, body, name);
    if (gapMs > 0) sleep(gapMs);
  }
  return { tx: count * (headerBytes(to) + size), rx: 0 };
}

/**
 * Whole frames past the IP layer, through a packet socket: UDP from an address and a port that no socket has.
 *
 * @param {{device: string, from: string, to: string, toCard: string, fromCard: string, port: number, count: number, size: number,
 *   gapMs?: number}} how
 */
export async function frameSend(how, go) {
  const { device, from, to, port, count, size, gapMs = 0 } = how;
  const fd = kernel.socket(kernel.AF.PACKET, kernel.SOCK.RAW, 0x0008);
  const name = Buffer.alloc(20);
  name.writeUInt16LE(kernel.AF.PACKET, 0);
  name.writeUInt16BE(0x0800, 2);
  name.writeInt32LE(kernel.interfaceIndex(device), 4);
  kernel.bindName(fd, name);
  await go({});
  const frame = Buffer.alloc(14 + 28 + size, 7);
  for (const [i, card] of [how.toCard, how.fromCard].entries()) frame.set(Buffer.from(card.replaceAll(':', ''), 'hex'), i * 6);
  frame.writeUInt16BE(0x0800, 12);
  frame.fill(0, 14, 42);
  frame.writeUInt16BE(0x4500, 14);
  frame.writeUInt16BE(28 + size, 16);
  frame.writeUInt16BE(0x4011, 22);
  for (const [i, address] of [from, to].entries()) frame.set(address.split('.').map(Number), 26 + i * 4);
  frame.writeUInt16BE(checksum(frame.subarray(14, 34)), 24);
  frame.writeUInt16BE(port, 34);
  frame.writeUInt16BE(port, 36);
  frame.writeUInt16BE(8 + size, 38);
  for (let i = 0; i < count; i++) {
    kernel.send(fd, frame);
    if (gapMs > 0) sleep(gapMs);
  }
  return { tx: count * (28 + size), rx: 0 };
}

/** RFC 1071. */
function checksum(bytes) {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
