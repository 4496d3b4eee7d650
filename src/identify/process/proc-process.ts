// Facts about one process from /proc/PID (proc(5)). Read once per process; every one may be gone or hidden.

import { readFileSync, readlinkSync } from 'node:fs';
import { sanitize } from '../../net/text.ts';
import { unitOf } from './cgroup-unit.ts';
import type { ProcessFacts } from './process-facts.ts';
import { scriptOf } from './script-name.ts';

/** Facts of a process, or null when it is gone. @param proc `/proc` */
export function readProcess(proc: string, pid: number): ProcessFacts | null {
  const stat = text(`${proc}/${pid}/stat`);
  if (stat === null) return null;
  // pid (comm) state ppid ... ; comm may hold blanks and parentheses
  const close = stat.lastIndexOf(')');
  const comm = sanitize(stat.slice(stat.indexOf('(') + 1, close));
  const fields = stat.slice(close + 2).split(' ');
  const exe = link(`${proc}/${pid}/exe`);
  const uid = /^Uid:\s+(\d+)\s+(\d+)/m.exec(text(`${proc}/${pid}/status`) ?? '');
  return {
    pid,
    name: nameOf(exe, comm),
    exe,
    uid: uid === null ? null : Number(uid[2]),
    parentPid: numberOr(fields[1]),
    startTime: numberOr(fields[19]),
    script: scriptOf(exe ?? comm, text(`${proc}/${pid}/cmdline`) ?? ''),
    unit: unitOf(text(`${proc}/${pid}/cgroup`) ?? ''),
  };
}

/** Last part of the executable's path, where it is the program's and not that of something which runs it; else the kernel's 15 bytes. */
function nameOf(exe: string | null, comm: string): string {
  if (exe === null) return comm;
  const base = exe.slice(exe.lastIndexOf('/') + 1);
  return base === '' ? comm : base;
}

function link(path: string): string | null {
  try {
    // An executable that was replaced while it runs (an update) is still the same program.
    return sanitize(readlinkSync(path)).replace(/ \(deleted\)$/, '');
  } catch {
    return null;
  }
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function numberOr(field: string | undefined): number | null {
  const value = Number(field);
  return field === undefined || !Number.isFinite(value) ? null : value;
}
