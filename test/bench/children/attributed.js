// Senders for the attribution bench. Linux.
// usage: node attributed.js ROOT flood ADDRESS PORT PACKETS open|connected     as fast as sendmmsg(2) goes
//        node attributed.js ROOT flows ADDRESS PORT RATE SECONDS [MS]          a socket of its own for each datagram, closed MS later
//        node attributed.js ROOT many COUNT PROGRAM [WORD ...]                 runs a program, again and again
//        node attributed.js ROOT http ADDRESS                                  answers, and prints its port
//        node attributed.js ROOT programs                                      loads the eBPF programs and holds them
// Prints "ready", works when a line comes in, and tells {"count", "ms", "cpuMs"}.

import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { loadLibc } from '../support/libc.js';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const BATCH = 128;
const MMSGHDR_BYTES = 64; // of 64-bit systems
const PAYLOAD = Buffer.alloc(22, 7); // 64 bytes with the headers of UDP, IP and Ethernet
const [root, mode, ...words] = process.argv.slice(2);

if (mode === 'programs') await holdPrograms();
else if (mode === 'http') {
  const server = createServer((_, response) => response.end('ok'));
  server.listen(0, words[0], () => console.log(server.address().port));
} else {
  const work = { flood, flows, many }[mode];
  console.log('ready');
  process.stdin.once('data', () => {
    const begun = performance.now();
    const cpu = process.cpuUsage();
    const count = work(...words);
    const { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({ count, ms: performance.now() - begun, cpuMs: (user + system) / 1000 }));
    process.exit();
  });
}

function socketCalls() {
  const { libc } = loadLibc(root);
  return {
    socket: libc.func('int socket(int, int, int)'),
    connect: libc.func('int connect(int, const void*, uint32_t)'),
    sendto: libc.func('long sendto(int, const void*, size_t, int, const void*, uint32_t)'),
    close: libc.func('int close(int)'),
  };
}

function nameOf(address, port) {
  const name = Buffer.alloc(16);
  name.writeUInt16LE(AF_INET, 0);
  name.writeUInt16BE(Number(port), 2);
  name.set(address.split('.').map(Number), 4);
  return name;
}

/** In batches, so that nothing but the kernel's own work on a packet is measured. */
function flood(address, port, packets, kind) {
  const { koffi, libc } = loadLibc(root);
  const { socket, connect } = socketCalls();
  const sendmmsg = libc.func('int sendmmsg(int, void*, unsigned int, int)');
  const name = nameOf(address, port);
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (kind === 'connected') connect(fd, name, name.length);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(BigInt(koffi.address(PAYLOAD)), 0);
  vector.writeBigUInt64LE(BigInt(PAYLOAD.length), 8);
  const messages = Buffer.alloc(BATCH * MMSGHDR_BYTES);
  for (let i = 0; i < BATCH; i++) {
    const at = i * MMSGHDR_BYTES;
    if (kind !== 'connected') {
      messages.writeBigUInt64LE(BigInt(koffi.address(name)), at);
      messages.writeUInt32LE(name.length, at + 8);
    }
    messages.writeBigUInt64LE(BigInt(koffi.address(vector)), at + 16);
    messages.writeBigUInt64LE(1n, at + 24);
  }
  let sent = 0;
  while (sent < Number(packets)) sent += Math.max(0, sendmmsg(fd, messages, BATCH, 0));
  return sent;
}

function flows(address, port, rate, seconds, holdMs = '0') {
  const { socket, sendto, close } = socketCalls();
  const name = nameOf(address, port);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const begun = performance.now();
  const wanted = Number(rate) * Number(seconds);
  const kept = Math.ceil((Number(rate) * Number(holdMs)) / 1000);
  const open = [];
  for (let sent = 0; sent < wanted; sent++) {
    const fd = socket(AF_INET, SOCK_DGRAM, 0);
    sendto(fd, PAYLOAD, PAYLOAD.length, 0, name, name.length);
    if (open.push(fd) > kept) close(open.shift());
    const ahead = (sent * 1000) / Number(rate) - (performance.now() - begun);
    if (ahead > 1) Atomics.wait(idle, 0, 0, ahead);
  }
  return wanted;
}

function many(count, program, ...rest) {
  let done = 0;
  for (let i = 0; i < Number(count); i++) if (spawnSync(program, rest, { stdio: 'ignore' }).status === 0) done++;
  return done;
}

async function holdPrograms() {
  const folder = pathToFileURL(`${root}/dist/identify/process/linux/ebpf/`);
  const { loadBpfCalls } = await import(new URL('calls.js', folder).href);
  const { loadPrograms } = await import(new URL('loader.js', folder).href);
  const programs = loadPrograms(loadBpfCalls(), '/proc', '/sys');
  console.log('ready');
  setInterval(() => programs.ring.drain(() => {}, 1 << 20), 20);
}
