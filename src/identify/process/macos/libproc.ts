// Paths of executables as the kernel of macOS knows them (libproc). ps tells only what a process was started as: a path, a bare name, or
// whatever it wrote over that since. Tells of every user's processes without root (xnu bsd/kern/proc_info.c, PROC_PIDPATHINFO).

import koffi from 'koffi';
import { sanitize } from '../../../net/text.ts';

/** Path of the executable that a process runs; null where the process is gone, or the kernel does not tell. */
export type PathOf = (pid: number) => string | null;

/** proc_pidpath(3), sys/proc_info.h: bytes that were written, 0 or less where it failed. */
export type ProcPidPath = (pid: number, buffer: Buffer, bytes: number) => number;

const LIBRARY = '/usr/lib/libSystem.B.dylib';
/** PROC_PIDPATHINFO_MAXSIZE: a larger buffer is refused. */
const PATH_BYTES = 4096;

/** Loads it. Throws with the loader's words where there is none. */
export function openLibproc(): PathOf {
  return pathsBy(koffi.load(LIBRARY).func('int proc_pidpath(int, void*, uint32_t)') as ProcPidPath);
}

/** Paths by way of that call. */
export function pathsBy(call: ProcPidPath): PathOf {
  const buffer = Buffer.alloc(PATH_BYTES);
  return (pid) => {
    const length = call(pid, buffer, PATH_BYTES);
    if (length <= 0 || length > PATH_BYTES || buffer[0] !== 0x2f) return null;
    const end = buffer.subarray(0, length).indexOf(0);
    return sanitize(buffer.toString('utf8', 0, end < 0 ? length : end));
  };
}
