// Where Linux's processes come from: the kernel's events tell it from the moment a process begins, /proc about those that are older. Anybody may
// read what it needs there, unless /proc hides other users' processes (hidepid); then it is unknown.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import type { Lineage } from '../../../model/terms.ts';
import { sanitizeBytes } from '../../../net/text.ts';
import { argumentsOf } from '../arguments.ts';
import { commandLine } from '../command-line.ts';
import type { Lineages } from '../directory.ts';
import { LineageBook, type Seen } from '../lineage.ts';
import type { ProcessFacts } from '../process-facts.ts';
import type { StartClock } from '../start-clock.ts';

/** Most processes read because they ran at the start, and how many at a time: each takes some 30 µs. Those beyond are read when a child of theirs is met. */
const MAX_SEEDED = 4096;
const SEEDED_AT_ONCE = 32;

/** What the kernel's events say of an exec besides the process's facts. */
export interface ExecMore {
  readonly session: number | null;
  readonly terminal: string | null;
  /** NUL-terminated arguments; empty if unread. */
  readonly words: string;
}

/** Hears of processes as they begin. */
export interface Beginnings {
  /** @param start as in ProcessFacts, give or take a tick */
  born(pid: number, parent: number, start: number | null): void;
  became(facts: ProcessFacts, more: ExecMore): void;
  /** Nothing else is to be told for now: there may be time for other work. */
  rest(): void;
}

/** Lineage of this machine's processes. */
export class LinuxLineage implements Lineages, Beginnings {
  readonly #path: string;
  readonly #book: LineageBook;
  readonly #scratch = Buffer.alloc(1024);
  /** Processes that ran at the start and weren't read yet. */
  #unread: number[] = [];

  /** @param path `/proc` */
  constructor(path: string, starts: StartClock) {
    this.#path = path;
    this.#book = new LineageBook(
      (pid) => seenOf(path, pid, this.#scratch),
      (start) => starts.time(start),
    );
  }

  /** Lists the processes that run already, for `rest` to read: a parent may be gone before a child of its is met. */
  seed(): void {
    try {
      this.#unread = readdirSync(this.#path)
        .filter((each) => /^[1-9]\d{0,9}$/.test(each))
        .slice(0, MAX_SEEDED)
        .map(Number);
    } catch {
      // no /proc: nothing is known of them
    }
  }

  rest(): void {
    for (const pid of this.#unread.splice(0, SEEDED_AT_ONCE)) {
      const seen = seenOf(this.#path, pid, this.#scratch);
      if (seen !== null) this.#book.of(seen);
    }
  }

  born(pid: number, parent: number, start: number | null): void {
    this.#book.born(pid, parent, start);
  }

  became({ pid, parentPid, startTime, name, script }: ProcessFacts, more: ExecMore): void {
    this.#book.became({ ...more, pid, parent: parentPid ?? 0, start: startTime, name: script ?? name });
  }

  of({ pid, startTime, parentPid, name, script }: ProcessFacts): Lineage {
    const known = this.#book.of({ pid, start: startTime, parent: parentPid ?? 0, name: script ?? name });
    const seen = seenOf(this.#path, pid, this.#scratch);
    const living = seen !== null && startTime !== null && seen.start === startTime ? seen : null;
    const words = known.words !== '' || living === null ? known.words : argumentsOf(`${this.#path}/${pid}`);
    return {
      ancestors: known.ancestors,
      origin: known.origin,
      session: (living ?? known).session, // a process may begin a session of its own at any time
      terminal: (living ?? known).terminal,
      command: commandLine(words),
    };
  }
}

/** A process as /proc/PID/stat tells it. @param proc `/proc` @param scratch 1 KiB to read into @returns null if it is gone, or hidden */
export function seenOf(proc: string, pid: number, scratch: Buffer): Seen | null {
  const stat = scratch.subarray(0, readInto(scratch, `${proc}/${pid}/stat`));
  const close = stat.lastIndexOf(0x29);
  if (close < 0) return null;
  // pid (comm) state ppid pgrp session tty_nr ... ; comm may contain spaces and parentheses
  const fields = stat.toString('latin1', close + 2).split(' ', 20);
  return {
    pid,
    name: sanitizeBytes(stat, stat.indexOf(0x28) + 1, close),
    parent: Number(fields[1] ?? 0),
    start: Number(fields[19]) || null,
    session: Number(fields[3]) || null,
    terminal: terminalName(Number(fields[4] ?? 0)),
  };
}

/** @returns bytes read; 0 if the file is gone or unreadable */
function readInto(buffer: Buffer, path: string): number {
  try {
    const file = openSync(path, 'r');
    try {
      return readSync(file, buffer, 0, buffer.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return 0;
  }
}

/**
 * Name of a terminal by its device number, as in /proc/PID/stat: minor bits 31 to 20 and 7 to 0, major bits 15 to 8 (proc(5)). The majors are
 * those of Documentation/admin-guide/devices.txt.
 *
 * @returns null for 0, no terminal
 */
export function terminalName(device: number): string | null {
  if (!Number.isInteger(device) || device === 0) return null;
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return `${major}:${minor}`;
}
