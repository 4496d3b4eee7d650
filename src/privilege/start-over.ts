// Starts this process over without capabilities. A file with capabilities, or a service manager, gives them to every thread of Node, and only a
// thread itself can drop its own. Executed again under no_new_privs and without ambient capabilities, no thread has any.

import { readdirSync, readFileSync } from 'node:fs';
import type { ChildCommand } from '../system/own-files.ts';

/** linux/prctl.h */
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const CAP_AMBIENT_CLEAR_ALL = 4;
/** fcntl.h */
const F_SETFD = 2;
/** Set in the second start. */
const MARK = 'NETMON_STARTED_OVER';

/** Whether a thread of this process has a capability; false on other systems. */
export function holdsCapabilities(tasks = '/proc/self/task'): boolean {
  if (process.platform !== 'linux') return false;
  return readdirSync(tasks).some((thread) => {
    try {
      return !/^CapPrm:\s*0+$/m.test(readFileSync(`${tasks}/${thread}/status`, 'latin1'));
    } catch {
      return false; // it ended meanwhile
    }
  });
}

/**
 * Executes the program again, with the same open files, if a thread has capabilities. Root is left as it is: it drops them with the user. Call it
 * before anything is read.
 *
 * @param command how this process was started @throws an error if that fails; on success it doesn't return
 */
export async function startOverWithoutCapabilities({ path, args, env }: ChildCommand): Promise<void> {
  const isSecond = process.env[MARK] !== undefined;
  delete process.env[MARK];
  if (process.geteuid?.() === 0 || !holdsCapabilities()) return;
  if (isSecond) throw new Error('capabilities came back when it was started over');
  const [{ default: koffi }, { loadLibcCalls }] = await Promise.all([import('koffi'), import('./libc-calls.ts')]);
  const calls = loadLibcCalls('linux');
  calls.prctl(PR_CAP_AMBIENT, CAP_AMBIENT_CLEAR_ALL);
  // With no_new_privs a file's capabilities are cut down to what the executing thread has.
  if (!calls.setCapabilities(0n, 0n) || calls.prctl(PR_SET_NO_NEW_PRIVS, 1) !== 0)
    throw new Error('capabilities could not be dropped');
  const variables = Object.entries({ ...process.env, ...env, [MARK]: '1' }).map(([name, value]) => `${name}=${value}`);
  const libc = koffi.load(null);
  // Node marks its standard streams to be closed on exec.
  const fcntl = libc.func('int fcntl(int, int, ...)');
  for (const stream of [0, 1, 2]) fcntl(stream, F_SETFD, 'int', 0);
  const execve = libc.func('int execve(const char*, const char**, const char**)');
  execve(path, [path, ...args, null], [...variables, null]);
  throw new Error(`it could not be started over (error ${koffi.errno()})`);
}
