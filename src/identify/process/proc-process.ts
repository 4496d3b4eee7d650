// Facts about one process from /proc/PID (proc(5)). Read once per process; every one may be gone or hidden.

import { readFileSync } from 'node:fs';
import { sanitize } from '../../net/text.ts';
import { argumentsOf } from './arguments.ts';
import { unitOf } from './cgroup-unit.ts';
import type { Proc } from './proc.ts';
import type { ProcessFacts } from './process-facts.ts';
import { isInterpreter, scriptOf } from './script-name.ts';

/** Facts of a process, or null when it is gone. */
export function readProcess(proc: Proc, pid: number): ProcessFacts | null {
  const folder = `${proc.path}/${pid}`;
  const stat = text(`${folder}/stat`);
  if (stat === null) return null;
  // pid (comm) state ppid ... ; comm may hold blanks and parentheses
  const close = stat.lastIndexOf(')');
  const comm = sanitize(stat.slice(stat.indexOf('(') + 1, close));
  const fields = stat.slice(close + 2).split(' ');
  // An executable that was replaced while it runs (an update) is still the same program.
  const link = proc.exe(pid);
  const exe = link === null ? null : sanitize(link).replace(/ \(deleted\)$/, '');
  const uid = /^Uid:\s+(\d+)\s+(\d+)/m.exec(text(`${folder}/status`) ?? '');
  return {
    pid,
    name: nameOf(exe, comm),
    exe,
    uid: uid === null ? null : Number(uid[2]),
    parentPid: numberOr(fields[1]),
    startTime: numberOr(fields[19]),
    script: isInterpreter(exe ?? comm) ? scriptOf(exe ?? comm, argumentsOf(folder)) : null,
    unit: unitOf(text(`${folder}/cgroup`) ?? ''),
  };
}

/** Last part of the executable's path, where it is the program's and not that of something which runs it; else the kernel's 15 bytes. */
function nameOf(exe: string | null, comm: string): string {
  if (exe === null) return comm;
  const base = exe.slice(exe.lastIndexOf('/') + 1);
  return base === '' ? comm : base;
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
