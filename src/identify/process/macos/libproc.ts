// Asks the macOS kernel for the path of a process's executable (libproc). ps shows only how the process was started: a path, a bare name, or
// what the program wrote over it. libproc answers for every user's processes without root (xnu bsd/kern/proc_info.c, PROC_PIDPATHINFO).

import koffi from 'koffi';
import { sanitize } from '../../../net/text.ts';

/** Path of a process's executable; null if the process is gone or the kernel gives none. */
export type PathOf = (pid: number) => string | null;

/** proc_pidpath (libproc.h): returns bytes written, 0 or less on failure. */
export type ProcPidPath = (pid: number, buffer: Buffer, bytes: number) => number;

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
