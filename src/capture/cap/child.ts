// The process in which the package `cap` runs: it aborts when its interface goes down, and starves timers while packets come. Arguments: device,
// filter, ring bytes, `whole` for whole packets, and the user that it becomes, if any. It writes pcap records to standard output, and speaks as tcpdump does on
// standard error. It ends only by SIGKILL, because closing the handle can abort, too.

import { writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { reasonOf } from '../../model/errors.ts';
import { type CapModule, CapRelay } from './relay.ts';

const FLUSH_MS = 20;
const ORPHAN_CHECK_MS = 1000;
/** Sleep and a clock that is set move the wall clock against the monotonic one. */
const CLOCK_SLACK_MS = 5;

function end(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable'); // the signal has arrived by now
}

function say(text: string): void {
  try {
    writeSync(2, `cap: ${text.replace(/\s+/g, ' ').slice(0, 512)}\n`);
  } catch {
    end();
  }
}

function write(bytes: Uint8Array, from: number, to: number): number {
  try {
    return writeSync(1, bytes, from, to - from);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    end(); // the reader is gone
  }
}

let origin = performance.timeOrigin;
function now(): number {
  const ticks = performance.now();
  const wall = Date.now();
  if (Math.abs(wall - origin - ticks) > CLOCK_SLACK_MS) origin = wall - ticks;
  return origin + ticks;
}

/** Captures until it is killed. @param prepare loads what dropping privileges needs, and returns what drops them */
export async function runCapChild(prepare: (rights: string) => Promise<() => void>): Promise<void> {
  process.on('SIGUSR1', () => undefined); // would start the debugger
  // A Socket makes standard output non-blocking: a slow reader must cost frames that are counted here, not an overflow of the kernel's ring.
  const output = new Socket({ fd: 1, readable: false, writable: true });
  output.on('error', end);
  try {
    writeFileSync('/proc/self/coredump_filter', '0'); // the addon's abort() must not write frames to a core file
  } catch {
    // a kernel without core dumps
  }
  const [device = '', filter = '', ring = '0', snap = '', rights = ''] = process.argv.slice(2);
  const parent = process.ppid;
  const relay = new CapRelay({ write, say, now });
  try {
    // All modules are loaded first: from open to drop the process runs no other code.
    const drop = rights === '' ? null : await prepare(rights);
    const link = relay.open(load(), device, filter, Number(ring), snap === 'whole');
    drop?.();
    say(`listening on ${device}, link-type ${link}`);
  } catch (thrown) {
    say(reasonOf(thrown));
    end();
  }
  setInterval(() => relay.flush(), FLUSH_MS);
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, ORPHAN_CHECK_MS);
}

function load(): CapModule {
  try {
    return createRequire(import.meta.url)('cap') as CapModule;
  } catch (thrown) {
    say(`not loaded: ${reasonOf(thrown)}`);
    end();
  }
}
