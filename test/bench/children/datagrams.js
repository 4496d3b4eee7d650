// Sends datagrams as fast as sendmmsg(2) takes them, or paced; or only holds the sockets that they go to. Linux.
// usage: node datagrams.js ROOT hold ADDRESS PORT FLOWS
//        node datagrams.js ROOT send ADDRESS PORT FLOWS PACKETS RATE     starts when a line comes in; RATE 0 is no pause
// PORT and the next FLOWS - 1 are used, one flow each. Prints "ready", then how many were sent and in how many milliseconds.

import { loadLibc } from '../support/libc.js';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const BATCH = 128;
const PAYLOAD_BYTES = 22; // 64 bytes with the headers of UDP, IP and Ethernet
const MMSGHDR_BYTES = 64; // of 64-bit systems: struct msghdr (56), the length sent, padding
/** A bench that was given a wrong number must still end. */
const MAX_PACKETS = 20_000_000;

const [root, mode, address, firstPort, flowCount, packets, rate] = process.argv.slice(2);
const { koffi, libc } = loadLibc(root);
const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, const void*, uint32_t)');
const connect = libc.func('int connect(int, const void*, uint32_t)');
const sendmmsg = libc.func('int sendmmsg(int, void*, unsigned int, int)');
const flows = Number(flowCount);

const sockets = Array.from({ length: flows }, (_, i) => {
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  const name = Buffer.alloc(16);
  name.writeUInt16LE(AF_INET, 0);
  name.writeUInt16BE(Number(firstPort) + i, 2);
  name.set(address.split('.').map(Number), 4);
  if ((mode === 'hold' ? bind : connect)(fd, name, name.length) !== 0) throw new Error(`${mode} ${address}: refused`);
  return fd;
});
console.log('ready');

if (mode === 'hold') setInterval(() => {}, 60_000);
else
  process.stdin.once('data', () => {
    console.log(JSON.stringify(send(Math.min(Number(packets), MAX_PACKETS), Number(rate))));
    process.exit();
  });

function send(wanted, perSecond) {
  const { messages, kept } = batch();
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const begun = performance.now();
  let sent = 0;
  for (let turn = 0; sent < wanted; turn++) {
    const count = sendmmsg(sockets[turn % flows], messages, Math.min(BATCH, wanted - sent), 0);
    if (count > 0) sent += count;
    if (perSecond === 0) continue;
    const ahead = (sent * 1000) / perSecond - (performance.now() - begun);
    if (ahead > 0.2) Atomics.wait(idle, 0, 0, ahead);
  }
  return { sent, ms: performance.now() - begun, kept: kept.length };
}

/** One batch of struct mmsghdr whose messages all point to the same bytes. */
function batch() {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 7);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(BigInt(koffi.address(payload)), 0);
  vector.writeBigUInt64LE(BigInt(payload.length), 8);
  const messages = Buffer.alloc(BATCH * MMSGHDR_BYTES);
  for (let i = 0; i < BATCH; i++) {
    messages.writeBigUInt64LE(BigInt(koffi.address(vector)), i * MMSGHDR_BYTES + 16);
    messages.writeBigUInt64LE(1n, i * MMSGHDR_BYTES + 24);
  }
  return { messages, kept: [payload, vector] };
}
