// Entry point of the process that becomes the user's command. It starts with the rights of the program, waits until the program watches, becomes
// the user, undoes what Node did to the process, and executes the command in its place: pid, terminal and process group stay.

import { closeSync, existsSync, readdirSync, readSync, writeSync } from 'node:fs';
import koffi from 'koffi';
import { credentialsOf } from '../privilege/drop.ts';
import { type CommandOrders, GATE_DESCRIPTOR, NOT_EXECUTABLE, NOT_FOUND } from './command.ts';

/** fcntl.h; O_NONBLOCK and F_SETFD by system. */
const [F_SETFD, F_GETFL, F_SETFL] = [2, 3, 4];
const FD_CLOEXEC = 1;
const O_NONBLOCK = process.platform === 'darwin' ? 0x4 : 0o4000;
const RLIMIT_NOFILE = process.platform === 'darwin' ? 8 : 7;
/** Signals of POSIX. */
const LAST_SIGNAL = 31;
/** errno.h; the same on both systems. */
const [ENOENT, ENOEXEC, EACCES, ENOTDIR] = [2, 8, 13, 20];
const SHELL = '/bin/sh';

/** Reads the next line of the program's end. @returns null once the program is gone */
function nextLine(waiting: { text: string }): string | null {
  const chunk = Buffer.alloc(65_536);
  for (;;) {
    const end = waiting.text.indexOf('\n');
    if (end >= 0) {
      const line = waiting.text.slice(0, end);
      waiting.text = waiting.text.slice(end + 1);
      return line;
    }
    const got = readSync(GATE_DESCRIPTOR, chunk, 0, chunk.length, null);
    if (got === 0) return null;
    waiting.text += chunk.toString('latin1', 0, got);
  }
}

/** Strings as execve takes them. The buffers must live until the call. */
function vector(texts: readonly string[]): { pointers: Buffer; held: Buffer[] } {
  const held = texts.map((text) => Buffer.from(`${text}\0`, 'latin1'));
  const pointers = Buffer.alloc((held.length + 1) * 8);
  for (const [i, text] of held.entries()) pointers.writeBigUInt64LE(BigInt(koffi.address(text)), i * 8);
  return { pointers, held };
}

/** Keeps from the command what whoever started the program had open. Node does so itself, but only up to the first gap. Call it while `/proc` may be read. */
function closeOthers(): void {
  const fcntl = koffi.load(null).func('int fcntl(int, int, ...)');
  const open = readdirSync(process.platform === 'darwin' ? '/dev/fd' : '/proc/self/fd').map(Number);
  for (const descriptor of open) if (descriptor >= GATE_DESCRIPTOR) fcntl(descriptor, F_SETFD, 'int', FD_CLOEXEC);
}

function becomeUser({ identity }: CommandOrders): void {
  if (identity === null) return;
  const credentials = credentialsOf();
  if (process.platform === 'darwin') credentials.initgroups(identity.name, identity.gid);
  else credentials.setgroups(identity.groups);
  credentials.setgid(identity.gid);
  credentials.setuid(identity.uid);
}

/** Executes the command. @returns errno, for it only returns if that failed */
function execute({ words, env }: CommandOrders): number {
  const libc = koffi.load(null);
  const fcntl = libc.func('int fcntl(int, int, ...)');
  for (const stream of [0, 1, 2]) {
    // Node marks its standard streams to be closed, and has pipes not wait: the command would lose what a slow reader doesn't take.
    fcntl(stream, F_SETFD, 'int', 0);
    const flags = fcntl(stream, F_GETFL, 'int', 0) as number;
    if (flags >= 0) fcntl(stream, F_SETFL, 'int', flags & ~O_NONBLOCK);
  }
  const signal = libc.func('void* signal(int, void*)');
  for (let number = 1; number <= LAST_SIGNAL; number++) signal(number, null); // what Node ignores, a command would, too
  const execve = libc.func('int execve(const void*, const void*, const void*)');
  const variables = vector(env);
  const [name = '', ...args] = words;
  const run = (path: string, argv: readonly string[]): number => {
    const list = vector(argv);
    execve(Buffer.from(`${path}\0`, 'latin1'), list.pointers, variables.pointers);
    return koffi.errno();
  };
  const attempt = (path: string): number => {
    const errno = run(path, words);
    return errno === ENOEXEC ? run(SHELL, [SHELL, path, ...args]) : errno; // a script without a first line that names its shell
  };
  if (name.includes('/')) return attempt(name);
  const search = env.find((each) => each.startsWith('PATH='))?.slice(5) ?? '/usr/local/bin:/usr/bin:/bin';
  let refused = ENOENT;
  for (const folder of search.split(':')) {
    const path = `${folder === '' ? '.' : folder}/${name}`;
    const errno = attempt(path);
    if (errno === EACCES) {
      if (existsSync(path)) refused = errno; // else it is the folder that the user may not enter, as root's in a PATH of root's
    } else if (errno !== ENOENT && errno !== ENOTDIR) return errno;
  }
  return refused;
}

/** Restores the soft limit of open files, which Node raises. */
function limitFiles(files: number | null): void {
  if (files === null) return;
  const libc = koffi.load(null);
  const limit = Buffer.alloc(16);
  if ((libc.func('int getrlimit(int, void*)')(RLIMIT_NOFILE, limit) as number) !== 0) return;
  limit.writeBigUInt64LE(BigInt(files), 0);
  libc.func('int setrlimit(int, const void*)')(RLIMIT_NOFILE, limit);
}

function pass(): number {
  const waiting = { text: '' };
  const first = nextLine(waiting);
  if (first === null || nextLine(waiting) === null) return 1; // the program ended before it watched: the command never runs
  const orders = JSON.parse(first) as CommandOrders;
  try {
    closeOthers();
    limitFiles(orders.files);
    becomeUser(orders);
  } catch (thrown) {
    writeSync(GATE_DESCRIPTOR, `can't be prepared: ${thrown instanceof Error ? thrown.message : ''}\n`);
    return NOT_EXECUTABLE;
  }
  process.umask(orders.umask);
  const errno = execute(orders);
  const reason = errno === ENOENT ? 'not found' : errno === EACCES ? 'permission denied' : `error ${errno}`;
  writeSync(GATE_DESCRIPTOR, `${reason}\n`);
  closeSync(GATE_DESCRIPTOR);
  return errno === ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

process.exit(pass());
