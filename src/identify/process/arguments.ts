// Reads the arguments of processes. The kernel takes them from the process's memory, and a process can block that forever (with a FUSE file
// system that never answers). So a libc thread reads them (aio(7)), and the caller waits only briefly.

import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import type koffi from 'koffi';

/** Most bytes of arguments to read. */
const MAX_BYTES = 4096;
const WAIT_NS = 100_000_000n;
/** After this many reads that timed out we stop reading arguments. That bounds the total wait. */
const MAX_STUCK = 16;
/** Size and offsets of struct aiocb, in glibc and musl on 64-bit machines. */
const AIOCB = { BYTES: 168, BUFFER_AT: 16, LENGTH_AT: 24, NOTIFY_AT: 44 } as const;
const SIGEV_NONE = 1;
const EINPROGRESS = 115;

/** Reads a file in another thread. @returns its text; empty if there is none; null if the read timed out */
type Read = (descriptor: number) => string | null;

/** Buffers of reads that timed out. libc's threads may still write to them, so they must stay allocated. */
const stuck: unknown[] = [];
let read: Read | null = null;

/** A process's NUL-terminated arguments; empty if unreadable. Call it only after root was dropped: dropping waits for all threads, and a stuck one would block it. @param folder `/proc/PID` */
export function argumentsOf(folder: string): string {
  if (stuck.length >= MAX_STUCK) return '';
  let descriptor: number;
  try {
    descriptor = openSync(`${folder}/cmdline`, 'r');
  } catch {
    return '';
  }
  read ??= reader();
  const text = read(descriptor);
  if (text !== null) closeSync(descriptor); // not after a timeout: libc still reads from it
  return text ?? '';
}

function reader(): Read {
  const calls = libc();
  if (calls === null) return () => '';
  const { koffi: lib, library } = calls;
  const start: Call = library.func('int aio_read(void*)');
  const errorOf: Call = library.func('int aio_error(void*)');
  const result: Call = library.func('long aio_return(void*)');
  const suspend = library.func('int aio_suspend(void*, int, void*)');
  const requests = Buffer.alloc(8);
  const wait = Buffer.alloc(16); // struct timespec
  wait.writeBigInt64LE(WAIT_NS, 8);
  let request: Buffer;
  let bytes: Buffer;
  const renew = () => {
    request = Buffer.alloc(AIOCB.BYTES);
    bytes = Buffer.alloc(MAX_BYTES);
    request.writeBigUInt64LE(BigInt(lib.address(bytes)), AIOCB.BUFFER_AT);
    request.writeBigUInt64LE(BigInt(MAX_BYTES), AIOCB.LENGTH_AT);
    request.writeInt32LE(SIGEV_NONE, AIOCB.NOTIFY_AT);
    requests.writeBigUInt64LE(BigInt(lib.address(request)));
  };
  renew();
  return (descriptor) => {
    request.writeInt32LE(descriptor);
    if (start(request) !== 0) return '';
    suspend(requests, 1, wait);
    if (errorOf(request) === EINPROGRESS) {
      stuck.push([request, bytes]);
      renew();
      return null;
    }
    return bytes.toString('utf8', 0, Math.max(0, Number(result(request))));
  };
}

type Call = (request: Buffer) => number;

/** Loads libc on first use; null if koffi has no build for this machine or libc is neither glibc nor musl. */
function libc() {
  try {
    const lib = createRequire(import.meta.url)('koffi') as typeof koffi;
    for (const name of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
      try {
        return { koffi: lib, library: lib.load(name) };
      } catch {
        // try the next
      }
    }
  } catch {
    // no koffi for this machine
  }
  return null;
}
