// Worker thread: blocks on the kernel's fork and exec events and reads what a program is while it still exists. Polling would be too late: of 200
// processes that lived a few milliseconds it saw 4, this sees nearly all. Only this thread keeps rights over other users' processes, and it
// answers what they are needed for: a pid's executable and its file, socket inodes, network namespace, and what engines' files call a
// container. It opens nothing for writing.

import { closeSync, constants, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import koffi from 'koffi';
import { argumentsOf } from '../arguments.ts';
import { StateFiles } from './containers/state-files.ts';
import { TrustedFiles } from './containers/trusted-files.ts';
import {
  ANSWER_AT,
  ANSWER_BYTES,
  ARGUMENTS_BYTES,
  CGROUP_BYTES,
  COMM_BYTES,
  ENTRY,
  EXE_BYTES,
  EXEC_COMMAND,
  EXEC_STATE,
  FIRST_FORK,
  FIRST_SLOT,
  FORK,
  FORK_BYTES,
  FORK_SLOTS,
  NO_ANSWER,
  SLOT_BYTES,
  SLOTS,
  WORD,
  WORDS,
} from './exec-facts.ts';
import { linkOf, socketOf } from './procfs/proc.ts';

const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_CONNECTOR = 11;
const CLONE_NEWNET = 0x4000_0000;
const ECONNREFUSED = 111;
const CN_IDX_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
/** Room for ten thousand events: a build starts hundreds at once, and each exec takes 0.1 ms to read. */
const RECEIVE_BYTES = 8 << 20;
const SO_ATTACH_FILTER = 26;
const PROC_EVENT_FORK = 1;
const PROC_EVENT_EXEC = 2;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const TICK_NS = 10_000_000;
const POLLIN = 1;
const MSG_DONTWAIT = 0x40;
/**
 * nlmsghdr 16, cn_msg 20; then what u32, cpu u32, time u64, and of an exec pid u32, tgid u32, of a fork the parent's pid and tgid, then the
 * child's (linux/cn_proc.h).
 */
const EVENT_AT = 36;
const TIME_AT = EVENT_AT + 8;
const TGID_AT = EVENT_AT + 20;
const CHILD_AT = EVENT_AT + 24;
const CHILD_TGID_AT = EVENT_AT + 28;
const PR_SET_KEEPCAPS = 8;
const AT_FDCWD = -100;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_INO = 0x100;
/** Number of getdents64(2): glibc has no wrapper before 2.30. */
const GETDENTS64: Partial<Record<NodeJS.Architecture, number>> = { x64: 217, arm64: 61 };
/** Size of the shortest directory entry. It bounds how many entries a read returns, so they fit into an answer. */
const MIN_ENTRY_BYTES = 24;
/** Size of the longest directory entry. With a smaller buffer the kernel may return none. */
const LONGEST_ENTRY_BYTES = 280;
/** _LINUX_CAPABILITY_VERSION_3 (linux/capability.h) */
const CAPABILITY_VERSION = 0x2008_0522;

/** `wake` becomes readable when a command waits. Nothing else reaches a thread that blocks in the kernel. */
const { shared, proc, passwd, wake } = workerData as {
  shared: SharedArrayBuffer;
  proc: string;
  passwd: string;
  wake: number;
};
const counters = new Int32Array(shared, 0, WORDS);
const view = new DataView(shared);
const bytes = new Uint8Array(shared);
const scratch = Buffer.alloc(4096);
Error.stackTraceLimit = 0; // of a process that is gone every file throws, and nobody reads where: a stack took a tenth of each exec
const states = new StateFiles(new TrustedFiles(proc), () => readFileSync(passwd, 'utf8'));
const NOTHING = Buffer.alloc(0);
const entries = Buffer.alloc((ANSWER_BYTES / 4) * MIN_ENTRY_BYTES);

const libc = koffi.load('libc.so.6');
const recv = libc.func('long recv(int, void*, size_t, int)');
const setns = libc.func('int setns(int, int)');
const poll = libc.func('int poll(void*, unsigned long, int)');
const lseek = libc.func('long lseek(int, long, int)');
const statx = libc.func('int statx(int, str, int, unsigned int, void*)');
const clockGettime = libc.func('int clock_gettime(int, void*)');
const getdents = libc.func('long syscall(long, int, void*, unsigned long)');
/** Rights were lowered. Before that we read no arguments: that can hang, and would block dropping root. */
let isLowered = false;
const fd = subscribeSomewhere();
// Linux keeps rights per thread. Without this, dropping root would take away our right to read other users' /proc entries.
libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')(PR_SET_KEEPCAPS, 1, 0, 0, 0);
Atomics.store(counters, WORD.STATE, fd >= 0 ? EXEC_STATE.RUNNING : EXEC_STATE.FAILED);
listen(fd, wake); // poll(2) ignores negative descriptors

/**
 * Opens the proc connector. It works only in the initial network namespace. From any other, this thread alone moves to the namespace of pid 1
 * or of the nearest ancestor that lets us. On failure it writes errno to the shared memory and returns -1.
 */
function subscribeSomewhere(): number {
  let opened = subscribe();
  const refused = koffi.errno();
  for (let pid = 1, parent = process.ppid; opened < 0 && refused === ECONNREFUSED; ) {
    if (enter(pid)) opened = subscribe();
    if (parent <= 1) break;
    pid = parent;
    const stat = read(`${proc}/${pid}/stat`);
    parent = Number(stat.toString('latin1', stat.lastIndexOf(0x29) + 2).split(' ')[1] ?? 0);
  }
  if (opened >= 0) return opened;
  Atomics.store(counters, WORD.ERROR, refused);
  return -1;
}

/** Moves this thread into the network namespace of a process. @returns whether that worked */
function enter(pid: number): boolean {
  try {
    const namespace = openSync(`${proc}/${pid}/ns/net`, 'r');
    const moved = (setns(namespace, CLONE_NEWNET) as number) === 0;
    closeSync(namespace);
    return moved;
  } catch {
    return false; // gone, or access denied
  }
}

/** @returns the socket, or -1 with errno set */
function subscribe(): number {
  const socket = libc.func('int socket(int, int, int)');
  const bind = libc.func('int bind(int, void*, uint32_t)');
  const send = libc.func('long send(int, void*, size_t, int)');
  const setsockopt = libc.func('int setsockopt(int, int, int, void*, uint32_t)');
  const opened = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR) as number;
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(CN_IDX_PROC, 8);
  if (opened < 0) return -1;
  if ((bind(opened, address, address.length) as number) < 0) return abandon(opened);
  const size = Buffer.alloc(4);
  size.writeInt32LE(RECEIVE_BYTES, 0);
  if ((setsockopt(opened, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) as number) < 0) setsockopt(opened, SOL_SOCKET, SO_RCVBUF, size, 4); // as much as a user may
  attachFilter(setsockopt, opened);
  const message = Buffer.alloc(40);
  message.writeUInt32LE(40, 0);
  message.writeUInt16LE(3, 4); // NLMSG_DONE
  message.writeUInt32LE(CN_IDX_PROC, 16);
  message.writeUInt32LE(1, 20); // CN_VAL_PROC
  message.writeUInt16LE(4, 32);
  message.writeUInt32LE(PROC_CN_MCAST_LISTEN, 36);
  return (send(opened, message, message.length, 0) as number) < 0 ? abandon(opened) : opened;
}

/** Closes the socket but preserves errno. @returns -1 */
function abandon(opened: number): number {
  const refused = koffi.errno();
  closeSync(opened);
  koffi.errno(refused);
  return -1;
}

/** Makes the kernel drop all events but execs and the forks that make a process: threads are many. Classic BPF loads are big-endian. */
function attachFilter(setsockopt: (...args: unknown[]) => unknown, opened: number): void {
  const instructions: readonly (readonly [code: number, ifTrue: number, ifFalse: number, value: number])[] = [
    [0x20, 0, 0, EVENT_AT], // A = what
    [0x15, 5, 0, PROC_EVENT_EXEC << 24], // exec: keep
    [0x15, 0, 5, PROC_EVENT_FORK << 24], // anything else: drop
    [0x20, 0, 0, CHILD_AT],
    [0x07, 0, 0, 0], // X = A
    [0x20, 0, 0, CHILD_TGID_AT],
    [0x1d, 0, 1, 0], // A == X: the child leads its threads
    [0x06, 0, 0, 0xffff],
    [0x06, 0, 0, 0],
  ];
  const program = Buffer.alloc(instructions.length * 8);
  for (const [i, [code, ifTrue, ifFalse, value]] of instructions.entries()) {
    program.writeUInt16LE(code, i * 8);
    program.writeUInt8(ifTrue, i * 8 + 2);
    program.writeUInt8(ifFalse, i * 8 + 3);
    program.writeUInt32LE(value >>> 0, i * 8 + 4);
  }
  const filter = Buffer.alloc(16);
  filter.writeUInt16LE(instructions.length, 0);
  filter.writeBigUInt64LE(BigInt(koffi.address(program)), 8);
  setsockopt(opened, SOL_SOCKET, SO_ATTACH_FILTER, filter, filter.length);
}

function listen(opened: number, end: number): void {
  const message = Buffer.alloc(256);
  // struct pollfd { int fd; short events; short revents; } twice
  const polled = Buffer.alloc(16);
  polled.writeInt32LE(opened, 0);
  polled.writeInt16LE(POLLIN, 4);
  polled.writeInt32LE(end, 8);
  polled.writeInt16LE(POLLIN, 12);
  for (;;) {
    if ((poll(polled, 2, -1) as number) <= 0) continue;
    if (polled.readInt16LE(14) !== 0) {
      readSync(end, scratch, 0, 8, null); // before we load the command, so a later one wakes us again
      const command = Atomics.load(counters, WORD.COMMAND);
      if (command === EXEC_COMMAND.END) {
        if (opened >= 0) closeSync(opened);
        return;
      }
      if (command === EXEC_COMMAND.LOWER) lower();
      else if (command !== EXEC_COMMAND.NONE)
        answer(command, Atomics.load(counters, WORD.PID), Atomics.load(counters, WORD.FROM));
      // Compare-and-exchange, because END may have arrived meanwhile.
      Atomics.compareExchange(counters, WORD.COMMAND, command, EXEC_COMMAND.NONE);
      Atomics.notify(counters, WORD.COMMAND);
      continue;
    }
    const length = Number(recv(opened, message, message.length, MSG_DONTWAIT));
    // On ENOBUFS events were lost. Their processes are looked up by pid later, if they still live.
    if (length < CHILD_TGID_AT + 4) continue;
    const what = message.readUInt32LE(EVENT_AT);
    if (what === PROC_EVENT_EXEC) record(message.readUInt32LE(TGID_AT));
    else if (what === PROC_EVENT_FORK)
      recordFork(message.readInt32LE(CHILD_TGID_AT), message.readInt32LE(TGID_AT), message.readBigUInt64LE(TIME_AT));
  }
}

/** @param time CLOCK_MONOTONIC in ns; a process's start in /proc also counts the time that the machine slept */
function recordFork(pid: number, parent: number, time: bigint): void {
  const count = Atomics.load(counters, WORD.FORKS);
  const at = FIRST_FORK + ((count >>> 0) % FORK_SLOTS) * FORK_BYTES;
  view.setInt32(at + FORK.PID, pid, true);
  view.setInt32(at + FORK.PARENT, parent, true);
  view.setFloat64(at + FORK.START, Math.floor((Number(time) + sleptNs()) / TICK_NS), true);
  Atomics.store(counters, WORD.FORKS, count + 1);
}

function sleptNs(): number {
  const clock = (id: number) => {
    clockGettime(id, scratch);
    return Number(scratch.readBigInt64LE(0)) * 1e9 + Number(scratch.readBigInt64LE(8));
  };
  return Math.max(0, clock(CLOCK_BOOTTIME) - clock(CLOCK_MONOTONIC));
}

/** Keeps only the requested capabilities. The change of user left them permitted but not effective. */
function lower(): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION, 0);
  const rows = Buffer.alloc(24); // effective, permitted, inheritable: low words, then high ones
  libc.func('int capget(void*, void*)')(header, rows);
  for (const [row, word] of [
    [0, WORD.KEEP_LOW],
    [12, WORD.KEEP_HIGH],
  ] as const) {
    const keep = (rows.readUInt32LE(row + 4) & Atomics.load(counters, word)) >>> 0;
    for (const at of [0, 4]) rows.writeUInt32LE(keep, row + at);
    rows.writeUInt32LE(0, row + 8);
  }
  if ((libc.func('int capset(void*, void*)')(header, rows) as number) !== 0) process.exit(1); // never continue with more rights than requested
  isLowered = true;
}

function answer(command: number, asked: number, from: number): void {
  const pid = asked >>> 0;
  counters[WORD.NEXT] = 0;
  try {
    if (command === EXEC_COMMAND.CONTAINER) counters[WORD.LENGTH] = container(pid);
    else if (command === EXEC_COMMAND.SOCKETS) counters[WORD.LENGTH] = sockets(pid, from >>> 0);
    else if (command === EXEC_COMMAND.FILE) counters[WORD.LENGTH] = file(pid);
    else {
      const link = linkOf(`${proc}/${pid}/${command === EXEC_COMMAND.EXE ? 'exe' : 'ns/net'}`);
      counters[WORD.LENGTH] = link === '' ? NO_ANSWER.GONE : put(Buffer.from(link), ANSWER_AT, ANSWER_BYTES);
    }
  } catch (thrown) {
    counters[WORD.LENGTH] = (thrown as NodeJS.ErrnoException).code === 'EACCES' ? NO_ANSWER.HIDDEN : NO_ANSWER.GONE;
  }
}

/** Writes what is known of a container in place of the question. @param length of the question @returns bytes written */
function container(length: number): number {
  const question = Buffer.from(bytes.slice(ANSWER_AT, ANSWER_AT + Math.min(length, ANSWER_BYTES))).toString('latin1');
  const [engine = '', id = '', owner = ''] = question.split(' ');
  const told = states.read({ engine, id, owner: owner === '' ? null : Number(owner) });
  const answer = Buffer.from(JSON.stringify(told));
  return put(answer.length <= ANSWER_BYTES ? answer : Buffer.from('"refused"'), ANSWER_AT, ANSWER_BYTES);
}

/**
 * Writes device and inode of a process's executable to the answer, from what the kernel remembers of it: a file system of a user's own (FUSE) could
 * let a question wait for ever.
 *
 * @returns bytes written
 */
function file(pid: number): number {
  if ((statx(AT_FDCWD, `${proc}/${pid}/exe`, AT_STATX_DONT_SYNC, STATX_INO, scratch) as number) !== 0) return NO_ANSWER.GONE;
  // struct statx: u64 stx_ino at 32, u32 stx_dev_major at 136, u32 stx_dev_minor at 140
  const text = `${scratch.readUInt32LE(136)}.${scratch.readUInt32LE(140)}:${scratch.readBigUInt64LE(32)}`;
  return put(Buffer.from(text), ANSWER_AT, ANSWER_BYTES);
}

/**
 * Writes inodes of a process's sockets to the answer, one part of its descriptors at a time: a process may have half a million, too many for
 * this thread's memory.
 *
 * @param from directory offset to continue at (the kernel's d_off); 0 for the start
 * @returns bytes written
 */
function sockets(pid: number, from: number): number {
  const folder = `${proc}/${pid}/fd`;
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    if (from > 0) lseek(opened, from, 0);
    let put = 0;
    let next = 0;
    for (let left = ANSWER_BYTES / 4; left * MIN_ENTRY_BYTES >= LONGEST_ENTRY_BYTES; ) {
      const length = Number(getdents(GETDENTS64[process.arch] ?? -1, opened, entries, left * MIN_ENTRY_BYTES));
      if (length <= 0) {
        next = 0;
        break;
      }
      // struct linux_dirent64 { u64 d_ino; s64 d_off; u16 d_reclen; u8 d_type; char d_name[]; }
      for (let at = 0; at < length; at += entries.readUInt16LE(at + 16), left--) {
        next = entries.readUInt32LE(at + 8);
        const inode = socketOf(linkOf(`${folder}/${entries.toString('latin1', at + 19, entries.indexOf(0, at + 19))}`));
        if (inode === 0) continue;
        view.setUint32(ANSWER_AT + put, inode, true);
        put += 4;
      }
    }
    counters[WORD.NEXT] = next;
    return put;
  } finally {
    closeSync(opened);
  }
}

/** Writes one entry. It reads the executable first, because that vanishes first. */
function record(pid: number): void {
  const count = Atomics.load(counters, WORD.WRITTEN);
  const at = FIRST_SLOT + (count % SLOTS) * SLOT_BYTES;
  const folder = `${proc}/${pid}`;
  let exe = '';
  try {
    exe = readlinkSync(`${folder}/exe`);
  } catch {
    // Gone already. /proc may still have its name and parent.
  }
  view.setUint16(at + ENTRY.EXE_LENGTH, put(Buffer.from(exe), at + ENTRY.EXE, EXE_BYTES), true);
  const stat = read(`${folder}/stat`);
  const close = stat.lastIndexOf(0x29);
  const fields = stat.toString('latin1', close + 2).split(' ');
  view.setInt32(at + ENTRY.PID, pid, true);
  view.setInt32(at + ENTRY.PARENT, Number(fields[1] ?? 0), true);
  view.setFloat64(at + ENTRY.START, Number(fields[19] ?? 0), true);
  const comm = stat.subarray(stat.indexOf(0x28) + 1, Math.max(0, close));
  view.setUint32(at + ENTRY.FORKS, Atomics.load(counters, WORD.FORKS), true);
  view.setInt32(at + ENTRY.SESSION, Number(fields[3] ?? 0), true);
  view.setInt32(at + ENTRY.TERMINAL, Number(fields[4] ?? 0), true);
  bytes.fill(0, at + ENTRY.COMM, at + ENTRY.COMM + COMM_BYTES);
  put(comm, at + ENTRY.COMM, COMM_BYTES);
  const isGone = close < 0; // then the rest is, too
  const words = Buffer.from(isLowered && !isGone ? argumentsOf(folder) : '');
  view.setUint16(at + ENTRY.ARGUMENTS_LENGTH, put(words, at + ENTRY.ARGUMENTS, ARGUMENTS_BYTES), true);
  view.setUint16(
    at + ENTRY.CGROUP_LENGTH,
    put(isGone ? NOTHING : read(`${folder}/cgroup`), at + ENTRY.CGROUP, CGROUP_BYTES),
    true,
  );
  const uid = isGone ? null : /^Uid:\s+\d+\s+(\d+)/m.exec(read(`${folder}/status`).toString('latin1'));
  view.setInt32(at + ENTRY.UID, uid === null ? -1 : Number(uid[1]), true);
  Atomics.store(counters, WORD.WRITTEN, count + 1);
}

function put(from: Buffer, at: number, most: number): number {
  const length = Math.min(from.length, most);
  bytes.set(from.subarray(0, length), at);
  return length;
}

/** The file's first 4 KiB; empty if the process is gone. Valid until the next call. */
function read(path: string): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return scratch.subarray(0, 0);
  }
  try {
    return scratch.subarray(0, readSync(file, scratch, 0, scratch.length, 0));
  } catch {
    return scratch.subarray(0, 0);
  } finally {
    closeSync(file);
  }
}
