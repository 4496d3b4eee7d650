// The recorder: takes batches, keeps them safe in the journal, has the image saved now and then, and says how it goes. All that can fail is
// tried again; nothing of it ends the run. On the main thread it only waits.

import { stat } from 'node:fs/promises';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { HistoryBatch } from '../model/history-batch.ts';
import type { Clock } from '../system/clock.ts';
import type { FileOwner } from '../system/files.ts';
import { claimFolder, type FileWork, HistoryFileError, journalNumbers, journalPath, lockPath, systemReason } from './files.ts';
import type { RejectedImage, SaveAnswer } from './image-save.ts';
import { Journal } from './journal/journal.ts';
import type { HeldLock, TakeLock } from './lock.ts';
import type { RunSave } from './save-thread.ts';

/** While another records, or the folder is none to write into: what moves until then is not recorded. */
const LOCK_RETRY_MS = 10_000;
/** How long what was done about a damaged file stays on the screen. */
const REMARK_MS = 10 * 60_000;
/** What becomes of what can't be written, while the run goes on. */
export const TRIED_AGAIN = 'kept in memory, tried again';
/** And where only the image can't be. */
export const IN_JOURNAL = 'safe in the journal, tried again';

const LEFT_ALONE = 'it is left alone and nothing is recorded';

/** What a recorder works with. */
interface RecorderParts {
  readonly path: string;
  readonly owner: FileOwner;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Time of the newest packets, epoch ms: retention reckons by it. */
  readonly newest: () => number;
  readonly takeLock: TakeLock;
  readonly asOwner: FileWork;
  readonly runSave: RunSave;
  /** Told when recording begins, also late: what moved before was recorded by another, or by nobody. */
  readonly onBegin: () => void;
}

/** What is wrong, since when, and when it is tried again (monotonic ms). */
interface Trouble {
  readonly note: string;
  readonly failures: number;
  readonly retryAt: number;
}

/** Records into one file. `work` moves it on: call it every second or so. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #journal: Journal;
  #lock: HeldLock | null = null;
  #busyPid: number | null | undefined;
  #lockAt = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  /** The file is somebody else's, or of a later version: it is left alone until it is gone. */
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
  /** When the image was planned last, monotonic ms, and what the journal had taken by then. */
  #planned: { readonly at: number; readonly bytes: number } | null = null;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#journal = new Journal(parts.path, parts.owner, parts.asOwner);
    this.#lastAt = parts.clock.monotonic();
  }

  /** True where batches are wanted: no other instance records, and the file is one to record into. */
  get isRecording(): boolean {
    return this.#lock !== null && !this.#isRefused;
  }

  /** Records that are safe, by sequence number. */
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

  /** Takes a batch; what it holds is safe a moment after the next `work`. */
  offer(batch: HistoryBatch): void {
    if (batch.entries.length > 0 || batch.flows.length > 0 || batch.unlogged > 0) this.#journal.offer(batch);
  }

  /** Does what is due. Resolves when what was offered is safe or was put off; never rejects. */
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

  /** Saves and gives up the lock. Nothing may be offered after that. */
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

  /** What was done about a file that recording could not go on with; empty where nothing was. */
  get remark(): string {
    return this.#remark;
  }

  /** True where something that was offered is in no file. */
  get isBehind(): boolean {
    return this.#journal.isBehind;
  }

  /** True where the journals hold what the image has not. */
  get isUnsaved(): boolean {
    return this.#journal.hasUnsaved;
  }

  /** Takes the lock, if it is to be had: from now on batches are wanted. `work` does it too. */
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
    if ((now >= this.#saveAt && this.#journal.hasUnsaved) || (await this.#isElsewhere())) this.#startSave();
  }

  /** True where the path leads to another file than the last save left: the next save puts it aside. */
  async #isElsewhere(): Promise<boolean> {
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

  /** The first save of a run: judges the file, and brings in what an earlier run left. */
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
    // Packets of a clock that was ahead must not make old what is kept.
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
    const isTold = thrown instanceof NetmonError;
    const what = isTold ? reasonOf(thrown) : `history can't be written to ${path}: ${systemReason(thrown)}`;
    return { note: `${what}; ${kept}`, failures, retryAt: clock.monotonic() + retry(failures) };
  }
}

function remarkOn({ why, path }: RejectedImage): string {
  if (why === 'damaged') return `the history file was damaged: kept as ${path}; recording goes on in a new one`;
  if (why === 'removed') return 'the history file was removed while recording: recording goes on in a new one';
  return `another file was put in place of the history file: kept as ${path}; recording goes on in a new one`;
}

// How often the image is written: the less often, the more it costs to write. Numbers only.

/** While the file is small. */
const OFTEN_MS = 5 * 60_000;
/** Bytes that are written in an hour, images and journal together. */
const HOURLY_BYTES = 150e6;
/** Left to images in any case. */
const LEAST_FOR_IMAGES = 50e6;
/** Of the journal, while nothing is known yet. */
const USUAL_JOURNAL = 8e6;
const HOUR_MS = 3_600_000;
/** Largest files are written this often, whatever that costs. */
const SELDOM_MS = 2 * HOUR_MS;
/** The first save of a run tells what the next ones cost. */
const FIRST_MS = 15 * 60_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** Bytes that the journal takes in an hour, by what it had taken at two times (monotonic ms). */
export function hourlyBytes(
  from: { readonly at: number; readonly bytes: number } | null,
  to: { readonly at: number; readonly bytes: number },
): number {
  if (from === null || to.at - from.at < OFTEN_MS) return USUAL_JOURNAL;
  return ((to.bytes - from.bytes) / (to.at - from.at)) * HOUR_MS;
}

/**
 * Time from one save to the next, ms.
 *
 * @param written bytes that the last one wrote: less than the file where only what changed is written, 0 where nothing was written yet
 * @param hourlyJournal bytes that the journal takes in an hour, as it went lately
 */
export function saveInterval(written: number, bytes: number, hourlyJournal: number): number {
  const forImages = Math.max(LEAST_FOR_IMAGES, HOURLY_BYTES - hourlyJournal);
  const share = (written === 0 ? bytes : written) / forImages;
  // Whole saves an hour, so that it is no more in any hour, whenever that begins.
  const wanted = Math.max(OFTEN_MS, HOUR_MS * (share > 1 ? share : 1 / Math.floor(1 / share)));
  return Math.min(wanted, written === 0 ? FIRST_MS : SELDOM_MS);
}

/** Time until a save that failed is tried again, ms: a minute at first, then longer. */
function saveRetry(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, 60_000 * 2 ** Math.max(0, failures - 1));
}

/** The same for the journal, which holds the newest. */
function journalRetry(failures: number): number {
  return Math.min(60_000, 2_000 * 2 ** Math.max(0, failures - 1));
}
