// The process that holds `cap`: arguments device, filter, ring bytes, the module by which it gives its rights up; frames on standard output, words on standard error. It is ended by
// SIGKILL only: an orderly end would close the addon's handle, and that can abort.

import { writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { reasonOf } from '../../model/errors.ts';
import { capLine } from './protocol.ts';
import { type CapModule, CapRelay } from './relay.ts';

process.on('SIGUSR1', () => undefined); // the user's other programs may send it: no debugger

const ORPHAN_CHECK_MS = 1000;
const CLOCK_SLACK_MS = 5;

function end(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable'); // the signal has arrived by now
}

function tell(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    end();
  }
}

function write(bytes: Uint8Array, from: number, to: number): number {
  try {
    return writeSync(1, bytes, from, to - from);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    end(); // nobody reads any more
  }
}

function soon(then: () => void, milliseconds: number): void {
  if (milliseconds === 0) setImmediate(then);
  else setTimeout(then, milliseconds);
}

function load(): CapModule | null {
  try {
    return createRequire(import.meta.url)('cap') as CapModule;
  } catch (thrown) {
    tell(capLine('no-module', reasonOf(thrown)));
    return null;
  }
}

/** Makes standard output non-blocking: a reader that is busy must cost frames that are counted, not a kernel ring that overflows unseen. */
const output = new Socket({ fd: 1, readable: false, writable: true });
output.on('error', end);
try {
  // The addon ends in abort(): without this the frames in memory could end up in a core file.
  if (process.platform === 'linux') writeFileSync('/proc/self/coredump_filter', '0');
} catch {
  // A kernel without core dumps has no such file.
}

const [device = '', filter = '', ring = '0', rights = ''] = process.argv.slice(2);
const giveUp =
  rights === '' ? null : await ((await import(rights)) as { prepare(url: string): Promise<() => void> }).prepare(rights);
const parent = process.ppid;
const module = load();
/** Wall clock with fractions: the monotonic clock, set anew when they part (sleep, a clock that was set). */
let origin = performance.timeOrigin;
const now = (): number => {
  const ticks = performance.now();
  const wall = Date.now();
  if (Math.abs(wall - origin - ticks) > CLOCK_SLACK_MS) origin = wall - ticks;
  return origin + ticks;
};
const opened = module !== null && new CapRelay({ write, tell, now, soon }).open(module, device, filter, Number(ring));
if (!opened) end();
try {
  giveUp?.();
} catch (thrown) {
  tell(`${reasonOf(thrown)}\n`);
  end();
}
setInterval(() => {
  if (process.ppid !== parent) end();
}, ORPHAN_CHECK_MS);
