// The outbox: alerts that are not delivered yet, in a file of the user's. An alert is appended and synced before anything is delivered, and marked
// afterwards. A program that is killed loses nothing and repeats nothing. After a power cut, or when the messenger itself is killed in the middle of a
// delivery, an alert may come twice.
//
// Each messenger has a file of its own, locked while it lives. The first to start takes over what earlier ones left behind.
//
//     {"add":{alert},"to":["webhook"]}
//     {"done":"id","channel":"webhook"}

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CHANNELS, type Channel } from '../model/delivery.ts';
import { reasonOf } from '../model/errors.ts';
import type { Flock } from '../system/file-lock.ts';
import { type AlertFields, alertIn, isId, lineOf, parsed } from './protocol.ts';

/** Said where there is no file. */
export const IN_MEMORY = 'undelivered alerts are kept in memory';
/** Most messengers of one user at a time. */
const SLOTS = 8;
/** Most alerts in an outbox. */
const MOST_ALERTS = 1000;
/** A file that grows beyond this is written anew, bytes. */
const REWRITE_BYTES = 1 << 20;
/** A larger file is not ours, bytes. */
const LONGEST_FILE = 128 << 20;
const WRITABLE_BY_OTHERS = 0o022;

/** Writes bytes from a place on, as the system does; tests replace it. @returns how many it took @throws the system's error */
export type WriteBytes = (descriptor: number, bytes: Buffer, at: number) => number;

/** An alert and the channels that still have to deliver it. */
export interface Waiting {
  readonly alert: AlertFields;
  readonly to: Set<Channel>;
}

/** The outbox of one messenger. Where no file can be had it lives in memory, and `note` says why. */
export class Outbox {
  readonly #path: string | null;
  readonly #flock: Flock | null;
  readonly #writes: WriteBytes;
  readonly #waiting = new Map<string, Waiting>();
  #descriptor: number | null = null;
  /** Length of the file up to the end of its last whole line. */
  #bytes = 0;
  /** Something could not be written: the file holds less, or more, than waits. */
  #isBehind = false;
  #note = '';

  /** @param folder null keeps alerts in memory @param flock locks files; null if this machine can't */
  static open(folder: string | null, flock: Flock | null, writes: WriteBytes = writeSync): Outbox {
    if (folder === null || flock === null)
      return new Outbox(null, null, writes, folder === null ? IN_MEMORY : `files can't be locked here: ${IN_MEMORY}`);
    let failure = 'all are in use';
    for (let slot = 1; slot <= SLOTS; slot++) {
      const path = slotPath(folder, slot);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const descriptor = openLocked(path, flock, true);
        if (descriptor === null) continue;
        const outbox = new Outbox(path, flock, writes, '');
        outbox.#own(descriptor);
        outbox.#adoptOthers(folder, slot);
        return outbox;
      } catch (thrown) {
        failure = (thrown as NodeJS.ErrnoException).code ?? reasonOf(thrown);
        break;
      }
    }
    return new Outbox(null, null, writes, `no outbox could be opened (${failure}): ${IN_MEMORY}`);
  }

  private constructor(path: string | null, flock: Flock | null, writes: WriteBytes, note: string) {
    this.#path = path;
    this.#flock = flock;
    this.#writes = writes;
    this.#note = note;
  }

  /** What can't be kept, and why; empty if all is well. */
  get note(): string {
    return this.#note;
  }

  /** What isn't delivered yet, oldest first. */
  get waiting(): readonly Waiting[] {
    return [...this.#waiting.values()];
  }

  /** Whether a channel still has to deliver an alert. */
  waitsFor(id: string, channel: Channel): boolean {
    return this.#waiting.get(id)?.to.has(channel) === true;
  }

  /** Takes alerts. They are on the disk when it returns, unless `note` says otherwise. @returns those that were taken; the others are known, or don't fit */
  add(alerts: readonly AlertFields[], to: readonly Channel[]): AlertFields[] {
    const taken = alerts.filter((alert) => {
      if (this.#waiting.has(alert.id) || this.#waiting.size >= MOST_ALERTS) return false;
      this.#waiting.set(alert.id, { alert, to: new Set(to) });
      return true;
    });
    if (this.#waiting.size >= MOST_ALERTS && taken.length < alerts.length)
      this.#note = `more than ${MOST_ALERTS} alerts wait: further ones are dropped`;
    if (taken.length > 0) this.#append(linesOf(taken.map((alert) => ({ alert, to }))), true);
    return taken;
  }

  /** A channel is done with an alert. @returns whether all of its channels are */
  done(id: string, channel: Channel): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting?.to.delete(channel) !== true) return false;
    const isLast = waiting.to.size === 0;
    if (isLast) this.#waiting.delete(id);
    this.#append(lineOf({ done: id, channel }), false);
    if (this.#waiting.size === 0 || this.#bytes > REWRITE_BYTES) this.#shrink();
    return isLast;
  }

  /** Gives the file up. It is removed if nothing waits. */
  close(): void {
    if (this.#isBehind && this.#descriptor !== null) this.#catchUp();
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor === null) return;
    if (this.#waiting.size === 0) remove(this.#path as string);
    closeSync(descriptor);
  }

  /** Takes a locked file and reads what is in it. */
  #own(descriptor: number): void {
    this.#descriptor = descriptor;
    for (const [id, waiting] of read(descriptor)) this.#waiting.set(id, waiting);
    this.#bytes = fstatSync(descriptor).size;
    // A line that was cut off by a crash must not swallow the next one.
    if (this.#bytes > 0) this.#append('\n', false);
  }

  /** Moves what is in files that nobody holds into this one: written here first, removed there afterwards. */
  #adoptOthers(folder: string, own: number): void {
    for (let slot = 1; slot <= SLOTS; slot++) {
      if (slot === own) continue;
      const path = slotPath(folder, slot);
      let descriptor: number | null;
      try {
        descriptor = openLocked(path, this.#flock as Flock, false);
      } catch {
        continue; // no file of ours, such as a link
      }
      if (descriptor === null) continue;
      if (this.#adopt(read(descriptor))) remove(path);
      closeSync(descriptor);
    }
  }

  /** @returns false if they don't fit here: they stay where they are, for the next run */
  #adopt(others: ReadonlyMap<string, Waiting>): boolean {
    if (this.#waiting.size + others.size > MOST_ALERTS) return false;
    if (!this.#append(linesOf(others.values()), true)) return false;
    for (const [id, waiting] of others) if (!this.#waiting.has(id)) this.#waiting.set(id, waiting);
    return true;
  }

  /** @returns false if it isn't in the file */
  #append(text: string, isSynced: boolean): boolean {
    if (this.#descriptor === null) return true;
    const bytes = Buffer.from(text);
    if (this.#isBehind) this.#catchUp();
    try {
      this.#write(this.#descriptor, bytes);
      if (isSynced) fsyncSync(this.#descriptor);
      this.#bytes += bytes.length;
      return true;
    } catch (thrown) {
      this.#note = `the outbox can't be written (${(thrown as NodeJS.ErrnoException).code}): ${IN_MEMORY}`;
      this.#isBehind = true;
      this.#cutTail();
      return false;
    }
  }

  /** Half a line would swallow the next one. */
  #cutTail(): void {
    try {
      ftruncateSync(this.#descriptor as number, this.#bytes);
    } catch {
      // the note says already that the file can't be written
    }
  }

  /** Brings the file up to date once there is room. */
  #catchUp(): void {
    try {
      this.#rewrite();
      this.#isBehind = false;
      this.#note = '';
    } catch {
      // not yet
    }
  }

  #write(descriptor: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += this.#writes(descriptor, bytes, at);
  }

  /** Makes the file as short as what it holds. */
  #shrink(): void {
    if (this.#descriptor === null) return;
    try {
      if (this.#waiting.size === 0) {
        ftruncateSync(this.#descriptor);
        this.#bytes = 0;
        if (this.#isBehind) this.#note = '';
        this.#isBehind = false;
        return;
      }
      this.#rewrite();
    } catch (thrown) {
      this.#note = `the outbox can't be shortened (${(thrown as NodeJS.ErrnoException).code})`;
    }
  }

  /** Writes another file, which is locked before anybody can find it, and puts it in place of this one. */
  #rewrite(): void {
    const path = this.#path as string;
    const next = `${path}.new`;
    remove(next);
    const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const descriptor = openSync(next, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    const bytes = Buffer.from(linesOf(this.#waiting.values()));
    try {
      (this.#flock as Flock)(descriptor);
      this.#write(descriptor, bytes);
      fsyncSync(descriptor);
      renameSync(next, path);
    } catch (thrown) {
      closeSync(descriptor);
      remove(next);
      throw thrown;
    }
    closeSync(this.#descriptor as number);
    this.#descriptor = descriptor;
    this.#bytes = bytes.length;
  }
}

/** Lines that add alerts to a file. */
function linesOf(alerts: Iterable<{ readonly alert: AlertFields; readonly to: Iterable<Channel> }>): string {
  return [...alerts].map(({ alert, to }) => lineOf({ add: alert, to: [...to] })).join('');
}

function slotPath(folder: string, slot: number): string {
  return join(folder, `outbox-${slot}.jsonl`);
}

/** Opens and locks a file. @param isMade creates it if it is missing @returns null if it is missing, or somebody else holds it @throws the system's error */
function openLocked(path: string, flock: Flock, isMade: boolean): number | null {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  for (;;) {
    let descriptor: number;
    try {
      descriptor = openSync(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (isMade ? O_CREAT : 0), 0o600);
    } catch (thrown) {
      if (!isMade && (thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw thrown;
    }
    const stats = fstatSync(descriptor);
    const isOurs =
      stats.isFile() && stats.uid === process.geteuid?.() && stats.nlink <= 1 && (stats.mode & WRITABLE_BY_OTHERS) === 0;
    // Its holder may have replaced or removed the file between opening and locking.
    const isHeld = (isOurs || stats.nlink === 0) && flock(descriptor);
    if (isHeld && statSync(path, { throwIfNoEntry: false })?.ino === stats.ino) return descriptor;
    closeSync(descriptor);
    if (!isHeld) return null;
  }
}

/** What waits in a file. Lines that aren't ours are skipped. */
function read(descriptor: number): Map<string, Waiting> {
  const waiting = new Map<string, Waiting>();
  const { size } = fstatSync(descriptor);
  if (size > LONGEST_FILE) return waiting;
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const got = readSync(descriptor, bytes, length, size - length, length);
    if (got === 0) break;
    length += got;
  }
  for (const line of bytes.toString('utf8', 0, length).split('\n')) {
    const { add, to, done, channel } = parsed(line) ?? {};
    if (add !== undefined && Array.isArray(to)) {
      const alert = alertIn(JSON.stringify(add));
      const channels = CHANNELS.filter((one) => to.includes(one));
      if (alert !== null && channels.length > 0 && waiting.size < MOST_ALERTS)
        waiting.set(alert.id, { alert, to: new Set(channels) });
    } else if (isId(done)) {
      const known = waiting.get(done);
      known?.to.delete(channel as Channel);
      if (known?.to.size === 0) waiting.delete(done);
    }
  }
  return waiting;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // there is none
  }
}
