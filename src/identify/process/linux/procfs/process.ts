// Reads facts about one process from /proc/PID (proc(5)). Any file there may be missing or hidden.

import { readFileSync } from 'node:fs';
import { sanitize } from '../../../../net/text.ts';
import { isMessenger, SENDER_APP } from '../../../../system/own-files.ts';
import { argumentsOf } from '../../arguments.ts';
import type { ProcessFacts } from '../../process-facts.ts';
import { containerOf, unitOf } from '../containers/cgroup.ts';
import type { Proc } from './proc.ts';

/** Facts about a process; null if it is gone. */
export function readProcess(proc: Proc, pid: number): ProcessFacts | null {
  const folder = `${proc.path}/${pid}`;
  const stat = text(`${folder}/stat`);
  if (stat === null) return null;
  // pid (comm) state ppid ... ; comm may contain spaces and parentheses
  const close = stat.lastIndexOf(')');
  const comm = sanitize(stat.slice(stat.indexOf('(') + 1, close));
  const fields = stat.slice(close + 2).split(' ');
  // An executable that an update replaced while it runs is still the same program.
  const link = proc.exe(pid);
  const exe = link === null ? null : sanitize(link).replace(/ \(deleted\)$/, '');
  const uid = /^Uid:\s+(\d+)\s+(\d+)/m.exec(text(`${folder}/status`) ?? '');
  const cgroup = text(`${folder}/cgroup`) ?? '';
  return {
    pid,
    name: nameOf(exe, comm),
    exe,
    uid: uid === null ? null : Number(uid[2]),
    parentPid: numberOr(fields[1]),
    startTime: numberOr(fields[19]),
    script: isInterpreter(exe ?? comm) ? scriptOf(exe ?? comm, argumentsOf(folder)) : null,
    unit: unitOf(cgroup),
    container: containerOf(cgroup),
  };
}

/** Last part of the executable's path; without one, the kernel's 15-byte name. */
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

// The rest names what an interpreter runs, from its arguments: a user looks for backup.py, not for python3.
const INTERPRETER =
  /^(python[\d.]*|pypy[\d.]*|node|nodejs|bun|deno|ruby[\d.]*|perl[\d.]*|php[\d.]*|java|bash|sh|dash|zsh|fish|lua[\d.]*|Rscript|tclsh[\d.]*)$/i;
/** Options that take the next word as their value. */
const WITH_VALUE: Readonly<Record<string, readonly string[]>> = {
  python: ['-W', '-X', '--check-hash-based-pycs'],
  node: ['-r', '--require', '--import', '--loader', '-C', '--conditions', '--env-file'],
  java: ['-cp', '-classpath', '--class-path', '-p', '--module-path', '--add-modules', '--add-opens', '--add-exports'],
  ruby: ['-I', '-r', '-C'],
  perl: ['-I', '-M'],
};
/** Options whose value is inline code: then there is no script to name. */
const INLINE: Readonly<Record<string, readonly string[]>> = {
  node: ['-e', '-p', '-pe', '--eval', '--print'],
  perl: ['-e', '-E'],
  php: ['-r'],
};
const INLINE_DEFAULT = ['-c', '-e'];

/** Whether the program is an interpreter whose arguments say what it runs. @param exe path or name of the executable */
export function isInterpreter(exe: string): boolean {
  return INTERPRETER.test(exe.slice(exe.lastIndexOf('/') + 1));
}

/**
 * Name of the script, module, jar or class that an interpreter runs; null for other programs and for inline code. A messenger, of this run or
 * another, is SENDER_APP.
 *
 * @param exe path or name of the executable
 * @param commandLine NUL-terminated arguments, as in /proc/PID/cmdline
 */
export function scriptOf(exe: string, commandLine: string): string | null {
  if (!isInterpreter(exe)) return null;
  if (isMessenger(commandLine)) return SENDER_APP;
  const program = exe.slice(exe.lastIndexOf('/') + 1);
  const family = /^[a-z]+/i.exec(program)?.[0].toLowerCase() ?? '';
  const words = commandLine.split('\0').filter((word, i, all) => word !== '' || i < all.length - 1);
  const kind = family === 'nodejs' ? 'node' : family;
  const withValue = WITH_VALUE[kind] ?? [];
  const inline = INLINE[kind] ?? INLINE_DEFAULT;
  for (let i = 1; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '-m' && family.startsWith('py')) return named(words[i + 1]);
    if (word === '-jar' || (word === '-m' && family === 'java')) return named(words[i + 1]);
    if (withValue.includes(word)) i++;
    else if (inline.includes(word)) return null;
    else if (!word.startsWith('-')) return named(word);
  }
  return null;
}

function named(word: string | undefined): string | null {
  if (word === undefined) return null;
  const name = sanitize(word.slice(word.replace(/\/+$/, '').lastIndexOf('/') + 1)).slice(0, 64);
  return name === '' ? null : name;
}
