// Asks the macOS kernel for the path of a process's executable, and for its parent (libproc). ps shows only how the process was started: a path, a bare name, or
// what the program wrote over it. libproc answers for every user's processes without root (xnu bsd/kern/proc_info.c, PROC_PIDPATHINFO
// and PROC_PIDT_SHORTBSDINFO).

import koffi from 'koffi';
import { sanitize, sanitizeBytes } from '../../../net/text.ts';

/** Path of a process's executable; null if the process is gone or the kernel gives none. */
export type PathOf = (pid: number) => string | null;

/** proc_pidpath (libproc.h): returns bytes written, 0 or less on failure. */
export type ProcPidPath = (pid: number, buffer: Buffer, bytes: number) => number;

/** A process's parent, and its own short name; null if it is gone. */
export type ParentOf = (pid: number) => { readonly parent: number; readonly name: string } | null;

/** proc_pidinfo (libproc.h): returns bytes written, 0 or less on failure. */
export type ProcPidInfo = (pid: number, flavor: number, argument: number, buffer: Buffer, bytes: number) => number;

/** PROC_PIDT_SHORTBSDINFO, struct proc_bsdshortinfo (sys/proc_info.h): 0 pid u32 | 4 parent u32 | 16 comm[16] | 64 bytes in all. */
const SHORT_INFO = { FLAVOR: 13, BYTES: 64, PID: 0, PARENT: 4, COMM: 16, COMM_BYTES: 16 } as const;
const LIBRARY = '/usr/lib/libSystem.B.dylib';
/** PROC_PIDPATHINFO_MAXSIZE: the kernel refuses a larger buffer. */
const PATH_BYTES = 4096;

/** Loads libSystem. Throws the loader's error if it is missing. */
export function openLibproc(): PathOf {
  return pathsBy(koffi.load(LIBRARY).func('int proc_pidpath(int, void*, uint32_t)') as ProcPidPath);
}

/** Wraps the call in a function from pid to path. */
export function pathsBy(call: ProcPidPath): PathOf {
  const buffer = Buffer.alloc(PATH_BYTES);
  return (pid) => {
    const length = call(pid, buffer, PATH_BYTES);
    if (length <= 0 || length > PATH_BYTES || buffer[0] !== 0x2f) return null;
    const end = buffer.subarray(0, length).indexOf(0);
    return sanitize(buffer.toString('utf8', 0, end < 0 ? length : end));
  };
}

/** Loads libSystem. Throws the loader's error if it is missing, or has no such function. */
export function openParents(): ParentOf {
  return parentsBy(koffi.load(LIBRARY).func('int proc_pidinfo(int, int, uint64_t, void*, int)') as ProcPidInfo);
}

/** Wraps the call in a function from pid to parent. */
export function parentsBy(call: ProcPidInfo): ParentOf {
  const { FLAVOR, BYTES, PID, PARENT, COMM, COMM_BYTES } = SHORT_INFO;
  const buffer = Buffer.alloc(BYTES);
  return (pid) => {
    if (call(pid, FLAVOR, 0, buffer, BYTES) !== BYTES || buffer.readUInt32LE(PID) !== pid) return null;
    return { parent: buffer.readUInt32LE(PARENT), name: sanitizeBytes(buffer, COMM, COMM + COMM_BYTES) };
  };
}
