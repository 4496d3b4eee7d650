// Descriptors passed from process to process over a unix socket (unix(7), SCM_RIGHTS). Linux, 64 bits, little-endian. Blocking.

import koffi from 'koffi';
import { must } from './kernel.js';

const libc = koffi.load('libc.so.6');
const raw = {
  socketpair: libc.func('int socketpair(int, int, int, void*)'),
  sendmsg: libc.func('long sendmsg(int, void*, int)'),
  recvmsg: libc.func('long recvmsg(int, void*, int)'),
};
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** Two ends of a unix socket. @returns {[number, number]} */
export function socketPair() {
  const ends = Buffer.alloc(8);
  must(raw.socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 'socketpair');
  return [ends.readInt32LE(0), ends.readInt32LE(4)];
}

/** A struct msghdr of one byte and room for one descriptor (unix(7), SCM_RIGHTS). Keep `keep` alive while it is used. */
function descriptorMessage() {
  const vector = Buffer.alloc(16);
  const control = Buffer.alloc(24);
  const byte = Buffer.alloc(1);
  const header = Buffer.alloc(56);
  vector.writeBigUInt64LE(BigInt(koffi.address(byte)), 0);
  vector.writeBigUInt64LE(1n, 8);
  header.writeBigUInt64LE(BigInt(koffi.address(vector)), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(BigInt(koffi.address(control)), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  control.writeBigUInt64LE(20n, 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  return { header, control, keep: [vector, byte] };
}

/** Passes a descriptor to whoever reads at the other end. */
export function passDescriptor(over, fd) {
  const message = descriptorMessage();
  message.control.writeInt32LE(fd, 16);
  must(raw.sendmsg(over, message.header, 0), 'sendmsg');
}

/** Waits for a descriptor. @returns {number} */
export function receiveDescriptor(over) {
  const message = descriptorMessage();
  must(raw.recvmsg(over, message.header, 0), 'recvmsg');
  return message.control.readInt32LE(16);
}
