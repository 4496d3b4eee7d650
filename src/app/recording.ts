// Records a run: traffic is collected every few seconds and handed to the recorder, and saved on request and at the end.

import { dirname } from 'node:path';
import type { DnsLog } from '../aggregate/dns/dns-log.ts';
import type { EncryptedDns } from '../aggregate/dns/encrypted.ts';
import { FlowLog, HistoryCollector } from '../aggregate/history-collector.ts';
import { HistoryKeys } from '../aggregate/history-keys.ts';
import { claimFolder, lockPath, systemReason } from '../history/files.ts';
import { IN_JOURNAL, Recorder, TRIED_AGAIN } from '../history/recorder.ts';
import { type RunSave, saveInThread } from '../history/save-thread.ts';
import { NetmonError } from '../model/errors.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { HistoryBatch, WatchRecords } from '../model/history-batch.ts';
import type { HistoryOptions } from '../model/options.ts';
import type { Assembly } from '../pipeline/assembly.ts';
import { fileWork } from '../system/as-owner.ts';
import type { Clock } from '../system/clock.ts';
import { type Flock, lockFile, systemFlock } from '../system/file-lock.ts';
import { returnMemory, trimMemory } from '../system/memory.ts';
import type { Exporting } from './exporting.ts';

/** Traffic is collected this often, ms. It is synced right after, in less than five seconds altogether. */
const COLLECT_MS = 2500;
const MINUTE_MS = 60_000;
/** Questions of DNS that are recorded of a minute; more are counted. */
const MOST_QUESTIONS = 6000;
/** Collecting waits this long after the turn of a minute, ms: what moved before it belongs to the minute that ended. */
const TURN_MS = 20;
/** How long engines may take the last of a run, ms. */
const LONGEST_SENDING_MS = 5000;
/** A last save that takes longer than this is stuck, ms. What is recorded is safe in the journal. */
const LONGEST_END_MS = 20_000;

/** What a recording needs of the machine; tests hand in others. */
export interface RecordingEdges {
  readonly flock: Flock | null;
  readonly runSave: RunSave;
}

/** The machine's. */
export async function recordingEdges(): Promise<RecordingEdges> {
  await returnMemory();
  const runSave: RunSave = (request) => saveInThread(request, true).finally(trimMemory);
  return { flock: await systemFlock(), runSave };
}

/** Why a history can't be recorded here, with what to type; null if it can. It makes the folder, and leaves nothing else behind but the lock's file. */
export function whyNotRecorded({ path, owner }: HistoryOptions, { flock }: RecordingEdges): string | null {
  const folder = dirname(path);
  try {
    fileWork(
      owner,
      folder,
    )(() => {
      claimFolder(path, owner);
      lockFile(lockPath(path), owner, flock).held?.release();
    });
    return null;
  } catch (thrown) {
    const reason = thrown instanceof NetmonError ? thrown.message : `${folder}: ${systemReason(thrown)}`;
    return `not recording, name another place with --history=PATH: ${reason}`;
  }
}

/** Knows whether anything was recorded that isn't settled. Before the first time, earlier runs may have left something. */
export class Unsettled {
  #settled = Number.NaN;
  /** The last minute in which something was recorded; null if all of that is settled. */
  #newest: number | null = 0;

  /** The last minute that was settled; NaN before the first. */
  get settled(): number {
    return this.#settled;
  }

  /** Something was recorded. @param time epoch ms */
  note(time: number): void {
    this.#newest = Math.floor(time / MINUTE_MS);
  }

  /** Settles up to a minute. @returns false if that changes nothing */
  settle(minute: number): boolean {
    if (this.#newest === null || minute === this.#settled) return false;
    this.#settled = minute;
    if (minute >= this.#newest) this.#newest = null;
    return true;
  }
}

/** Records one run, or what is left of it; `close` it on every way out. */
export class Recording {
  readonly #collector: HistoryCollector;
  readonly #recorder: Recorder;
  readonly #time: () => number;
  readonly #watched: (() => WatchRecords | null) | null;
  readonly #dns: DnsLog | null;
  readonly #exporting: Exporting | null;
  readonly #unsettled = new Unsettled();
  /** Something was settled that is not safe yet. */
  #isSettling = false;
  #exportsWord = '';
  readonly #encrypted: EncryptedDns | null;
  /** The minute of the last questions, and how many it has. */
  #asked = { minute: 0, count: 0 };
  readonly #saveNow = () => this.save();
  #timer: NodeJS.Timeout | null = null;
  #hasRecorded = false;
  #closing: Promise<string> | null = null;

  /**
   * @param time the packets' time, epoch ms: the machine's when live, their own in a replay
   * @param watched takes what the watch found since it was last asked; null without a watch
   * @param exporting brings what is settled to engines; null without exports
   */
  constructor(
    options: HistoryOptions,
    parts: Pick<Assembly, 'monitor' | 'directory' | 'names'>,
    clock: Clock,
    time: () => number,
    edges: RecordingEdges,
    watched: (() => WatchRecords | null) | null,
    exporting: Exporting | null = null,
  ) {
    const { monitor, directory, names } = parts;
    const { aggregator, flows } = monitor;
    const nameOf = (index: number) => aggregator.interfaceName(index);
    const keys = new HistoryKeys(flows, aggregator.booking, directory, names, nameOf);
    const log = new FlowLog(
      (row) => aggregator.flowRow(row),
      (row) => directory.process(flows.owner(row)),
    );
    this.#collector = new HistoryCollector(flows, aggregator.booking, keys, log);
    this.#time = time;
    this.#dns = aggregator.dns;
    this.#dns?.collect();
    this.#encrypted = aggregator.encrypted;
    this.#watched = watched;
    this.#exporting = exporting;
    this.#recorder = new Recorder({
      path: options.path,
      owner: options.owner,
      maxBytes: options.maxBytes,
      clock,
      newest: time,
      takeLock: (path, owner) => lockFile(path, owner, edges.flock),
      asOwner: fileWork(options.owner, dirname(options.path)),
      runSave: edges.runSave,
      onBegin: () => {
        this.#collector.begin();
        this.#encrypted?.take();
        this.#offerExports(time(), exporting?.settledAt(time()) ?? 0); // a new engine begins here
      },
    });
    monitor.record(this.#collector, () => this.status);
    this.#recorder.begin();
    process.on('SIGUSR1', this.#saveNow);
  }

  /** What the user must know about exports once this is closed; empty if engines have everything. */
  get exportsWord(): string {
    return this.#exportsWord;
  }

  get status(): HistoryStatus {
    return this.#recorder.status;
  }

  /** Collects by the clock from now on. A replay calls `collect` instead. */
  start(): void {
    const turn = MINUTE_MS - (this.#time() % MINUTE_MS) + TURN_MS;
    const wait = turn < COLLECT_MS * 1.5 ? turn : COLLECT_MS;
    this.#timer = setTimeout(() => void this.#collectByClock(), wait);
    this.#timer.unref();
  }

  /** Collects in two turns, as thousands of flows may have moved. */
  async #collectByClock(): Promise<void> {
    if (this.#recorder.isRecording) this.#collector.gather(this.#time());
    await new Promise(setImmediate);
    if (this.#closing !== null) return;
    void this.collect(this.#time());
    this.start();
  }

  /** Collects what moved and has it written. Resolves when it is safe, or was put off. @param time epoch ms */
  collect(time: number): Promise<void> {
    if (this.#recorder.isRecording) {
      this.#hasRecorded = true;
      this.#offerAll(this.#collector.collect(time), time);
      this.#offerExports(time, this.#exporting?.settledAt(time) ?? 0);
    }
    return this.#work();
  }

  #offerAll(batches: readonly HistoryBatch[], time: number): void {
    for (const batch of batches) this.#recorder.offer(batch);
    if (batches.length > 0) this.#unsettled.note(time);
    this.#offerWatched(time);
    this.#offerDns(time);
  }

  /** Settles what was recorded up to a minute, and keeps what engines have acknowledged. */
  #offerExports(time: number, minute: number): void {
    if (this.#exporting === null) return;
    const marks = this.#exporting.takeMarks();
    const cut = this.#unsettled.settle(minute) ? { run: this.#exporting.run, minute } : null;
    if (cut === null && marks.length === 0) return;
    if (cut !== null) this.#isSettling = true;
    const nothing = { minute: Math.floor(time / MINUTE_MS), entries: [], flows: [], unlogged: 0 };
    this.#recorder.offer({ ...nothing, exports: { cut, marks } });
  }

  /** Has the recorder work. What is settled may be sent once it can't be lost any more. */
  async #work(): Promise<void> {
    await this.#recorder.work();
    if (!this.#isSettling || this.#recorder.isBehind) return;
    this.#isSettling = false;
    this.#exporting?.settled();
  }

  #offerWatched(time: number): void {
    const watch = this.#watched?.() ?? null;
    if (watch === null) return;
    this.#unsettled.note(time);
    this.#recorder.offer({ minute: Math.floor(time / MINUTE_MS), entries: [], flows: [], unlogged: 0, watch });
  }

  #offerDns(time: number): void {
    const taken = this.#dns?.take() ?? { rows: [], missed: 0 };
    const minute = Math.floor(time / MINUTE_MS);
    const encrypted = this.#encrypted?.take().map((traffic) => ({ ...traffic, minute })) ?? [];
    if (taken.rows.length + taken.missed + encrypted.length === 0) return;
    if (minute !== this.#asked.minute) this.#asked = { minute, count: 0 };
    const questions = taken.rows.slice(0, Math.max(0, MOST_QUESTIONS - this.#asked.count));
    this.#asked.count += questions.length;
    const missed = taken.missed + taken.rows.length - questions.length;
    this.#recorder.offer({ minute, entries: [], flows: [], unlogged: 0, dns: { questions, missed, encrypted } });
  }

  /** Has the history file written now. */
  save(): void {
    if (this.#closing !== null) return;
    void this.collect(this.#time()).then(() => this.#recorder.save());
  }

  /** Collects a last time and saves. Never rejects. @returns what the user must know; empty if all went well */
  close(): Promise<string> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<string> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    process.removeListener('SIGUSR1', this.#saveNow);
    if (this.#recorder.isRecording) {
      this.#hasRecorded = true;
      this.#offerAll(this.#collector.finish(this.#time()), this.#time());
    }
    this.#exportsWord = await this.#finishExports();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, LONGEST_END_MS, 'the history file could not be written in time; the next run brings it in');
    });
    const end = this.#recorder.close().then(() => this.#lastWord());
    const word = await Promise.race([end, late]);
    clearTimeout(timer);
    return word;
  }

  /** Has engines take what is left: nothing of this run can change any more. @returns what they didn't take, in words; empty for nothing */
  async #finishExports(): Promise<string> {
    if (this.#exporting === null) return '';
    if (!this.#recorder.isRecording) {
      await this.#exporting.close();
      return '';
    }
    this.#offerExports(this.#time(), Math.floor(this.#time() / MINUTE_MS));
    await this.#work();
    const word = await this.#exporting.finish(LONGEST_SENDING_MS);
    this.#offerExports(this.#time(), this.#unsettled.settled);
    return word;
  }

  #lastWord(): string {
    const { state, note } = this.#recorder.status;
    if (state === 'recording' && !this.#recorder.isUnsaved) return this.#recorder.remark;
    const what = note.replace(`; ${state === 'recording' ? IN_JOURNAL : TRIED_AGAIN}`, '');
    if (!this.#hasRecorded) return `nothing was recorded: ${what}`;
    if (this.#recorder.isBehind) return `${what}; what was not written yet is lost`;
    return what === note ? note : `${what}; the next run brings in what was recorded`;
  }
}
