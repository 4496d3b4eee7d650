// Records history: takes batches, writes them to the journal, has the image saved now and then, and reports how that goes. It repeats whatever
// fails and never ends the run. Saving is a thread's work and writing Node's pool's: the main thread only waits.

import { stat } from 'node:fs/promises';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { HistoryBatch } from '../model/history-batch.ts';
import type { Clock } from '../system/clock.ts';
import type { FileLock, LockResult } from '../system/file-lock.ts';
import type { FileOwner } from '../system/files.ts';
import { claimFolder, type FileWork, HistoryFileError, journalNumbers, journalPath, lockPath, systemReason } from './files.ts';
import type { RejectedImage, SaveAnswer } from './image-save.ts';
import { Journal } from './journal/journal.ts';
import type { RunSave } from './save-thread.ts';

/** Until the lock is tried again. What moves meanwhile is not recorded. */
const LOCK_RETRY_MS = 10_000;
/** How long the status tells that an image was rejected. */
const REMARK_MS = 10 * 60_000;
/** What happens to traffic that can't be written yet. */
export const TRIED_AGAIN = 'kept in memory, tried again';
/** The same if only the image can't be written. */
export const IN_JOURNAL = 'safe in the journal, tried again';

const LEFT_ALONE = 'it is left alone and nothing is recorded';

/** Takes the lock on a path without waiting. @throws NetmonError `history`, or the failure of a system call */
export type TakeLock = (path: string, owner: FileOwner) => LockResult;

/** What a recorder works with. */
interface RecorderParts {
  readonly path: string;
  readonly owner: FileOwner;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Time of the newest packets, epoch ms, from which retention counts back. */
  readonly newest: () => number;
  readonly takeLock: TakeLock;
  readonly asOwner: FileWork;
  readonly runSave: RunSave;
  /** Called when recording begins, be it late: what moved before was recorded by another instance, or by none. */
  readonly onBegin: () => void;
}

/** A failure, how often it happened in a row, and when to try again (monotonic ms). */
interface Trouble {
  readonly note: string;
  readonly failures: number;
  readonly retryAt: number;
}

/** Records into one file. Call `work` every second or so. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #journal: Journal;
  #lock: FileLock | null = null;
  #busyPid: number | null | undefined;
  #lockAt = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  /** The file is another program's, or of a later version: leave it alone until it is gone. */
  #isRefused = false;
  #opening: Trouble | null = null;
  #writing: Trouble | null = null;
  #saving: Trouble | null = null;
  #remark = '';
  #notice: string | null = null;
  #remarkUntil = 0;
  #turn: Promise<void> | null = null;
  #save: Promise<void> | null = null;
  #saveAt = Number.POSITIVE_INFINITY;
  #savedAt: number | null = null;
  #fileBytes: number | null = null;
  /** What the last save left, and when that was, monotonic ms. */
  #last: Pick<SaveAnswer, 'identity' | 'applied' | 'inode'> | null = null;
  #lastAt: number;
  /** When the next save was planned, monotonic ms, and how much the journal had taken by then. */
  #planned: { readonly at: number; readonly bytes: number } | null = null;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#journal = new Journal(parts.path, parts.owner, parts.asOwner);
    this.#lastAt = parts.clock.monotonic();
  }

  /** True if batches are wanted: no other instance records, and the file can be recorded into. */
  get isRecording(): boolean {
    return this.#lock !== null && !this.#isRefused;
  }

  /** Sequence number of the newest record that is safe. */
  get confirmed(): number {
    return this.#journal.confirmed;
  }

  get status(): HistoryStatus {
    const { path, clock } = this.#parts;
    const status = { path, savedAt: this.#savedAt, fileBytes: this.#fileBytes };
    if (this.#busyPid !== undefined) {
      const who = this.#busyPid === null ? '' : ` (pid ${this.#busyPid})`;
      return { ...status, state: 'busy', note: `another netmon-tui records${who}` };
    }
    const trouble = this.#opening ?? this.#writing;
    const lost = this.#journal.lostBytes > 0 ? `; ${Math.round(this.#journal.lostBytes / 1e6)} MB of traffic found no room` : '';
    if (trouble !== null) return { ...status, state: 'failing', note: `${trouble.note}${lost}` };
    if (this.#saving !== null) return { ...status, state: 'recording', note: `${this.#saving.note}${lost}` };
    const remark = clock.monotonic() < this.#remarkUntil ? this.#remark : '';
    return { ...status, state: 'recording', note: [remark, this.#notice ?? ''].filter((text) => text !== '').join('; ') };
  }

  /** Takes a batch; it is safe once the next `work` has resolved. */
  offer(batch: HistoryBatch): void {
    const { entries, flows, unlogged, watch, dns, exports } = batch;
    const rest = [watch, dns, exports].some((part) => part !== undefined);
    if (rest || entries.length + flows.length + unlogged > 0) this.#journal.offer(batch);
  }

  /** Does what is due. Resolves when the offered batches are safe, or will be tried again; never rejects. */
  work(): Promise<void> {
    this.#turn ??= this.#step().finally(() => {
      this.#turn = null;
    });
    return this.#turn;
  }

  /** Saves the image now, and resolves when it is in place or has failed (see `status`). */
  async save(): Promise<void> {
    await this.#save;
    if (this.#writing !== null) this.#writing = { ...this.#writing, retryAt: 0 };
    await this.work();
    if (!this.#isOpen || !this.#journal.hasUnsaved) return;
    this.#startSave();
    await this.#save;
  }

  /** Saves and releases the lock. Offer nothing after it. */
  async close(): Promise<void> {
    await this.#turn;
    if (this.#lock !== null && !this.#isOpen) await this.#open(); // a run so short that it had not begun
    await this.save();
    await this.#journal.close();
    this.#lock?.release();
    this.#lock = null;
  }

  /** Resolves when no save is under way; never rejects. */
  async settled(): Promise<void> {
    await this.#save;
  }

  /** What was done about an image that recording could not go on with; empty for nothing. */
  get remark(): string {
    return this.#remark;
  }

  /** True if something that was offered is in no file yet. */
  get isBehind(): boolean {
    return this.#journal.isBehind;
  }

  /** True if the journals hold records that the image lacks. */
  get isUnsaved(): boolean {
    return this.#journal.hasUnsaved;
  }

  /** Takes the lock if it is free: from then on batches are wanted. `work` does it too. */
  begin(): void {
    const now = this.#parts.clock.monotonic();
    if (this.#lock === null && now >= this.#lockAt) this.#acquire(now);
  }

  async #step(): Promise<void> {
    this.begin();
    const now = this.#parts.clock.monotonic();
    if (this.#lock === null) return;
    if (!this.#isOpen && now >= (this.#opening?.retryAt ?? 0)) await this.#open();
    if (!this.#isOpen) return;
    if (now >= (this.#writing?.retryAt ?? 0)) await this.#write();
    if (this.#save !== null || now < (this.#saving?.retryAt ?? 0)) return;
    if ((now >= this.#saveAt && this.#journal.hasUnsaved) || (await this.#isImageReplaced())) this.#startSave();
  }

  /** True if the path leads to another file than the last save left: the next save moves that away. */
  async #isImageReplaced(): Promise<boolean> {
    if (this.#last === null) return false;
    const found = await stat(this.#parts.path).catch(() => null);
    return (found?.ino ?? null) !== this.#last.inode;
  }

  #acquire(now: number): void {
    const { path, owner, takeLock, asOwner, onBegin } = this.#parts;
    this.#lockAt = now + LOCK_RETRY_MS;
    try {
      const result = asOwner(() => {
        claimFolder(path, owner);
        return takeLock(lockPath(path), owner);
      });
      this.#lock = result.held;
      this.#busyPid = result.held === null ? result.pid : undefined;
      this.#opening = null;
      if (result.held !== null) onBegin();
    } catch (thrown) {
      this.#busyPid = undefined;
      this.#opening = this.#trouble(this.#opening, thrown, () => LOCK_RETRY_MS);
    }
  }

  /** The first save of a run: checks the file, and brings in the journals of an earlier run. */
  async #open(): Promise<void> {
    const { path, asOwner } = this.#parts;
    try {
      const numbers = asOwner(() => journalNumbers(path));
      const journals = numbers.map((number) => journalPath(path, number));
      const answer = await this.#runSave(journals);
      this.#journal.begin(answer.applied, numbers.at(-1) ?? 0);
      this.#journal.drop(journals);
      this.#isOpen = true;
      this.#opening = null;
      if (this.#isRefused) this.#parts.onBegin();
      this.#isRefused = false;
      this.#plan(answer);
    } catch (thrown) {
      this.#isRefused = thrown instanceof HistoryFileError;
      this.#opening = this.#trouble(this.#opening, thrown, saveRetry, this.#isRefused ? LEFT_ALONE : TRIED_AGAIN);
    }
  }

  async #write(): Promise<void> {
    try {
      await this.#journal.write();
      this.#writing = null;
    } catch (thrown) {
      this.#writing = this.#trouble(this.#writing, thrown, journalRetry);
    }
  }

  #startSave(): void {
    this.#save ??= this.#saveNow().finally(() => {
      this.#save = null;
    });
  }

  async #saveNow(): Promise<void> {
    try {
      const journals = await this.#journal.rotate();
      const answer = await this.#runSave(journals);
      this.#journal.drop(journals);
      this.#saving = null;
      this.#plan(answer);
    } catch (thrown) {
      this.#saving = this.#trouble(this.#saving, thrown, saveRetry, IN_JOURNAL);
      this.#saveAt = this.#saving.retryAt;
    }
  }

  #runSave(journals: readonly string[]): Promise<SaveAnswer> {
    const { path, owner, maxBytes, newest, clock, runSave } = this.#parts;
    const wall = clock.now();
    // Packets from a clock that is ahead must not age the records.
    const time = { now: Math.min(newest(), wall), wall, elapsedMs: clock.monotonic() - this.#lastAt };
    const last = this.#last === null ? null : { identity: this.#last.identity, applied: this.#last.applied };
    return runSave({ path, journals, owner, maxBytes, time, last });
  }

  #plan({ bytes, written, identity, applied, inode, rejected, notice }: SaveAnswer): void {
    const { clock } = this.#parts;
    const now = clock.monotonic();
    this.#last = { identity, applied, inode };
    this.#lastAt = now;
    const taken = this.#journal.writtenBytes;
    this.#saveAt = now + saveInterval(written, bytes, hourlyBytes(this.#planned, { at: now, bytes: taken }));
    this.#planned = { at: now, bytes: taken };
    this.#fileBytes = bytes === 0 ? null : bytes;
    if (written > 0) this.#savedAt = clock.now();
    this.#notice = notice;
    if (rejected === null) return;
    this.#remark = remarkOn(rejected);
    this.#remarkUntil = now + REMARK_MS;
  }

  #trouble(before: Trouble | null, thrown: unknown, retry: (failures: number) => number, kept = TRIED_AGAIN): Trouble {
    const { path, clock } = this.#parts;
    const failures = (before?.failures ?? 0) + 1;
    const what =
      thrown instanceof NetmonError ? reasonOf(thrown) : `history can't be written to ${path}: ${systemReason(thrown)}`;
    return { note: `${what}; ${kept}`, failures, retryAt: clock.monotonic() + retry(failures) };
  }
}

/** What the user reads about a rejected image. */
function remarkOn({ why, path }: RejectedImage): string {
  if (why === 'damaged') return `the history file was damaged: kept as ${path}; recording goes on in a new one`;
  if (why === 'removed') return 'the history file was removed while recording: recording goes on in a new one';
  return `another file was put in place of the history file: kept as ${path}; recording goes on in a new one`;
}

/** The shortest time between two saves, while they are small. */
const SHORTEST_INTERVAL_MS = 5 * 60_000;
/** Bytes to write in an hour, images and journal together. */
const HOURLY_BYTES = 150e6;
/** Of these, what images get in any case. */
const LEAST_FOR_IMAGES = 50e6;
/** Bytes of journal in an hour, until they were measured. */
const USUAL_JOURNAL = 8e6;
const HOUR_MS = 3_600_000;
/** The longest time between two saves, whatever they cost. */
const LONGEST_INTERVAL_MS = 2 * HOUR_MS;
/** The longest time to the first save of a run, which shows what the next ones cost. */
const LONGEST_FIRST_MS = 15 * 60_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** Bytes that the journal takes in an hour, measured between two times (monotonic ms). */
export function hourlyBytes(
  from: { readonly at: number; readonly bytes: number } | null,
  to: { readonly at: number; readonly bytes: number },
): number {
  if (from === null || to.at - from.at < SHORTEST_INTERVAL_MS) return USUAL_JOURNAL;
  return ((to.bytes - from.bytes) / (to.at - from.at)) * HOUR_MS;
}

/**
 * Time from one save to the next, ms: the longer, the more a save writes.
 *
 * @param written bytes that the last save wrote: fewer than the file has if only changes are written, 0 before the first
 * @param hourlyJournal bytes that the journal takes in an hour at present
 */
export function saveInterval(written: number, bytes: number, hourlyJournal: number): number {
  const forImages = Math.max(LEAST_FOR_IMAGES, HOURLY_BYTES - hourlyJournal);
  const share = (written === 0 ? bytes : written) / forImages;
  // With a whole number of saves an hour, every hour keeps the limit, whenever it begins.
  const wanted = Math.max(SHORTEST_INTERVAL_MS, HOUR_MS * (share > 1 ? share : 1 / Math.floor(1 / share)));
  return Math.min(wanted, written === 0 ? LONGEST_FIRST_MS : LONGEST_INTERVAL_MS);
}

/** Time until a failed save is tried again, ms: a minute at first, then longer. */
function saveRetry(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, 60_000 * 2 ** Math.max(0, failures - 1));
}

/** The same for the journal; it is shorter, for memory alone holds the newest batches. */
function journalRetry(failures: number): number {
  return Math.min(60_000, 2_000 * 2 ** Math.max(0, failures - 1));
}
