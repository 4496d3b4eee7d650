// The arguments of processes. The kernel reads them from a process's memory, which that process can keep locked for as long as it likes (by a
// file system of its own that never answers). So a thread of libc's reads them (aio(7)), and the caller waits for it only briefly.

import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import type koffi from 'koffi';

/** Bytes of them that are read. */
const MAX_BYTES = 4096;
const WAIT_NS = 100_000_000n;
/** Reads that did not end in time; after so many, no arguments are read any more. Bounds the time that is waited in all. */
const MAX_STUCK = 16;
/** struct aiocb of glibc and musl on 64-bit machines. */
const AIOCB = { BYTES: 168, BUFFER_AT: 16, LENGTH_AT: 24, NOTIFY_AT: 44 } as const;
const SIGEV_NONE = 1;
const EINPROGRESS = 115;

/** Reads a file in another thread. @returns its bytes, empty where there are none; null where the read did not end in time */
type Read = (descriptor: number) => string | null;

/** Descriptors and memory of reads that did not end: libc's threads go on using them. */
const stuck: unknown[] = [];
let read: Read | null = null;

/** Arguments of a process with a NUL behind each; empty where they can't be had. Call it only after root was given up: that waits for all threads. */
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
  if (text !== null) closeSync(descriptor); // libc's requests for one descriptor wait for one another
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

/** Loaded when it is first needed; null where koffi has no library for this machine, or libc is another. */
function libc() {
  try {
    const lib = createRequire(import.meta.url)('koffi') as typeof koffi;
    for (const name of ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]) {
      try {
        return { koffi: lib, library: lib.load(name) };
      } catch {
        // the next one
      }
    }
  } catch {
    // no koffi for this machine
  }
  return null;
}
