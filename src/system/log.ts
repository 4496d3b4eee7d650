// The log of a run: lines in a file that the user named. It never follows a link, never grows beyond its bound, and never makes a working run fail.

import { closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { NetmonError } from '../model/errors.ts';
import { LOG_LEVELS, type LogLevel, type LogOptions } from '../model/options.ts';
import { quoted } from '../net/quote.ts';
import { sanitize } from '../net/text.ts';
import { fileWork } from './as-owner.ts';
import type { Clock } from './clock.ts';
import type { Edges, RunResult } from './edges.ts';

/**
 * Takes log lines. Users share logs at `info`, so these lines hold only our own words, numbers, and the names of devices and programs. Text
 * from elsewhere may contain an address, a host, a path or a user, and appears only at `debug`.
 */
export interface Log {
  /** The least important level to write. */
  readonly level: LogLevel;
  /** Writes a line if its level is wanted. Never throws. @param text may have several lines */
  write(level: LogLevel, text: string): void;
}

/** Largest log, bytes. */
const MAX_BYTES = 16 << 20;
const FULL = 'the log is full and ends here';
/** Room for the line that says so. */
const FULL_BYTES = 100;

/** A log file. It belongs to the user even if root writes it. */
export class LogFile implements Log {
  readonly level: LogLevel;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  /** null once it is full or closed. */
  #descriptor: number | null;
  #bytes: number;

  private constructor(level: LogLevel, clock: Clock, maxBytes: number, descriptor: number, bytes: number) {
    this.level = level;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#descriptor = descriptor;
    this.#bytes = bytes;
  }

  /**
   * Opens the file for appending, or creates it. A full one starts over.
   *
   * @param maxBytes the bound, for tests
   * @throws NetmonError `usage` for a link, anything that isn't a file, and a file that isn't writable or belongs to another user
   */
  static open({ path, level, owner }: LogOptions, clock: Clock, maxBytes = MAX_BYTES): LogFile {
    let descriptor: number;
    try {
      // O_NONBLOCK: nobody may ever read from a FIFO
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      descriptor = fileWork(owner, dirname(path))(() => openSync(path, flags, 0o600));
    } catch (thrown) {
      if (thrown instanceof NetmonError) throw thrown;
      throw refusal(path, reasonFor((thrown as NodeJS.ErrnoException).code));
    }
    try {
      const stats = fstatSync(descriptor);
      const { size, uid, nlink } = stats;
      if (!stats.isFile()) throw refusal(path, 'it is not a regular file');
      if (nlink > 1) throw refusal(path, 'it has another hard link');
      const self = process.geteuid?.() ?? uid;
      if (uid !== self && uid !== owner?.uid) throw refusal(path, 'it belongs to another user');
      if (owner !== null && self === 0) fchownSync(descriptor, owner.uid, owner.gid); // created by root in a folder of root's
      fchmodSync(descriptor, 0o600);
      const isFull = size >= maxBytes - FULL_BYTES;
      if (isFull) ftruncateSync(descriptor);
      return new LogFile(level, clock, maxBytes, descriptor, isFull ? 0 : size);
    } catch (thrown) {
      closeSync(descriptor);
      throw thrown;
    }
  }

  write(level: LogLevel, text: string): void {
    if (this.#descriptor === null || LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.level)) return;
    const line = this.#lineOf(level, text);
    const isFull = this.#bytes + line.length > this.#maxBytes - FULL_BYTES;
    this.#append(isFull ? this.#lineOf('warn', FULL) : line);
    if (isFull) this.close();
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  /** `2026-01-01T00:00:00.000Z info  text`; further lines of a text are indented. */
  #lineOf(level: LogLevel, text: string): Buffer {
    const time = new Date(this.#clock.now()).toISOString();
    // in pieces, because sanitize truncates long text
    const lines = text.split('\n').map((line) => line.replace(/.{1,256}/gu, (piece) => sanitize(piece)));
    return Buffer.from(`${time} ${level.padEnd(5)} ${lines.join('\n    ')}\n`);
  }

  #append(line: Buffer): void {
    try {
      this.#bytes += writeSync(this.#descriptor as number, line);
    } catch {
      // the disk is full; it may have room for a later line
    }
  }
}

/** Wraps edges to log failures of the programs they run. Their output appears only at `debug`. */
export function loggedEdges(edges: Edges, log: Log): Edges {
  return {
    ...edges,
    async run(path, args, limits) {
      const result = await edges.run(path, args, limits);
      const name = basename(path);
      const failure = failureOf(result);
      if (failure !== null) log.write('warn', `${name}: ${failure}`);
      if (failure !== null || result.stderr !== '') log.write('debug', `${[name, ...args].join(' ')}: ${result.stderr.trim()}`);
      return result;
    },
    spawn(path, args) {
      const child = edges.spawn(path, args);
      const name = `${basename(path)} (pid ${child.pid ?? 'none'})`;
      log.write('info', `${name} started`);
      child.once('error', (error: NodeJS.ErrnoException) => log.write('warn', `${name}: ${error.code ?? error.name}`));
      child.once('exit', (status, signal) => log.write('info', `${name} ended: ${signal ?? `status ${status}`}`));
      return child;
    },
  };
}

function failureOf({ status, cut, failure }: RunResult): string | null {
  if (failure !== null) return `can't be run: ${failure}`;
  if (cut !== null) return cut === 'time' ? 'killed, because it took too long' : 'killed, because it printed too much';
  return status === 0 ? null : `ended with status ${status}`;
}

function reasonFor(code: string | undefined): string {
  return code === 'ELOOP' ? 'it is a symbolic link' : (code ?? 'unknown error');
}

function refusal(path: string, reason: string): NetmonError {
  return new NetmonError('usage', `can't write a log to ${quoted(path)}: ${reason}`, 'name another file: --log FILE');
}
