// The journals of a run as one: batches in, safe when confirmed, in order and each once. What fails is kept and tried again; what waits
// meanwhile is summed.

import type { HistoryBatch } from '../aggregate/history-batch.ts';
import { Backlog, partsOf } from './backlog.ts';
import { type FileOwner, type FileWork, journalPath, removeFile } from './history-files.ts';
import { encodeRecord, JOURNAL_HEAD, type JournalRecord } from './journal-record.ts';
import { JournalWriter } from './journal-writer.ts';

/** Batches that wait as they are; more are summed. */
const MOST_WAITING = 16;

/** Writes one journal after the other; `rotate` ends one, so that it can be saved and removed. */
export class Journal {
  /** Sequence number up to which all is safe. */
  confirmed = 0;
  /** Bytes of records that were written since the start. */
  writtenBytes = 0;
  readonly #path: string;
  readonly #owner: FileOwner;
  readonly #asOwner: FileWork;
  #writer: JournalWriter | null = null;
  #number = 0;
  #next = 1;
  /** Numbered, but not safe yet: written again as they are, for a part of them may be in a file already. */
  #unsafe: JournalRecord[] = [];
  #waiting: HistoryBatch[] = [];
  readonly #backlog = new Backlog();
  /** Paths of journals that nothing is added to any more. */
  #ended: string[] = [];

  constructor(path: string, owner: FileOwner, asOwner: FileWork) {
    this.#asOwner = asOwner;
    this.#path = path;
    this.#owner = owner;
  }

  /** @param applied sequence number of the newest record in the image @param number of the newest journal that was there */
  begin(applied: number, number: number): void {
    this.#next = applied + 1;
    this.confirmed = applied;
    this.#number = number;
  }

  /** Bytes that found no room while nothing could be written. */
  get lostBytes(): number {
    return this.#backlog.lostBytes;
  }

  /** True while something was offered that is not safe yet. */
  get isBehind(): boolean {
    return this.#unsafe.length > 0 || this.#waiting.length > 0 || !this.#backlog.isEmpty;
  }

  /** True where the journals hold what no image has. */
  get hasUnsaved(): boolean {
    return this.#ended.length > 0 || (this.#writer?.bytes ?? 0) > JOURNAL_HEAD.length;
  }

  /** Takes a batch; safe only after `write`. */
  offer(batch: HistoryBatch): void {
    if (this.#waiting.length < MOST_WAITING && this.#backlog.isEmpty) this.#waiting.push(...partsOf(batch));
    else this.#backlog.add(batch);
  }

  /** Writes and syncs all that waits. Rejects with what the system says; then it waits still. */
  async write(): Promise<void> {
    while (this.isBehind) {
      if (this.#unsafe.length === 0) this.#assign();
      const records: Buffer[] = [];
      for (const record of this.#unsafe) records.push(await encodeRecord(record)); // one a turn: encoding is the main thread's work
      this.#writer ??= await this.#create();
      try {
        const bytes = Buffer.concat(records);
        await this.#writer.append(bytes);
        this.writtenBytes += bytes.length;
      } catch (thrown) {
        await this.#recover(this.#writer);
        throw thrown;
      }
      this.confirmed = (this.#unsafe.at(-1) as JournalRecord).sequence;
      this.#unsafe = [];
    }
  }

  /** Ends the journal that is written. @returns paths of all that have ended and were not dropped, oldest first */
  async rotate(): Promise<readonly string[]> {
    if (this.#writer !== null) await this.#end(this.#writer);
    return this.#ended;
  }

  /** Removes journals that an image holds. */
  drop(paths: readonly string[]): void {
    this.#ended = this.#ended.filter((path) => !paths.includes(path));
    for (const path of paths) this.#remove(path);
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** Numbers what waits: one batch a record. */
  #assign(): void {
    const batches = this.#waiting.length > 0 ? this.#waiting : this.#backlog.take();
    this.#waiting = [];
    this.#unsafe = batches.map((batch) => ({ sequence: this.#next++, batch }));
  }

  async #create(): Promise<JournalWriter> {
    for (;;) {
      try {
        return await JournalWriter.create(journalPath(this.#path, ++this.#number), this.#owner, this.#asOwner);
      } catch (thrown) {
        const { code } = thrown as NodeJS.ErrnoException;
        if (code !== 'EEXIST') {
          this.#remove(journalPath(this.#path, this.#number));
          throw thrown;
        }
      }
    }
  }

  /** After a failure: takes back what may be half there, or leaves that journal for another. */
  async #recover(writer: JournalWriter): Promise<void> {
    try {
      await writer.restore();
    } catch {
      await this.#end(writer);
    }
  }

  async #end(writer: JournalWriter): Promise<void> {
    this.#writer = null;
    if (writer.bytes > JOURNAL_HEAD.length) this.#ended = [...this.#ended, writer.path];
    await writer.close();
    if (writer.bytes <= JOURNAL_HEAD.length) this.#remove(writer.path);
  }

  /** One that can't be removed does no harm: its records are not applied again. */
  #remove(path: string): void {
    try {
      this.#asOwner(() => removeFile(path));
    } catch {
      // the next run finds it, and knows its records
    }
  }
}
