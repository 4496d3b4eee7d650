// The journals of a run as one queue: batches are written in order, each once, and kept until they are safe. Batches that pile up meanwhile are
// summed in a backlog of bounded size.

import type { Alert, AlertDelivery } from '../../model/alert.ts';
import type { RecordedEncrypted, RecordedQuestion } from '../../model/dns.ts';
import type { ExportRecords } from '../../model/export.ts';
import type { DnsRecords, HistoryBatch, HistoryEntry, LoggedFlow, WatchRecords } from '../../model/history-batch.ts';
import type { FirstContact } from '../../model/watch.ts';
import type { FileOwner } from '../../system/files.ts';
import { type FileWork, journalPath, removeFile } from '../files.ts';
import { encodeRecord, JOURNAL_HEAD, type JournalRecord } from './record.ts';
import { JournalWriter } from './writer.ts';

/** Batches that wait unchanged; more go into the backlog. */
const MOST_WAITING = 16;

/** Writes one journal after the other; `rotate` ends the current one for a save. */
export class Journal {
  /** Sequence number of the newest record that is safe. */
  confirmed = 0;
  /** Bytes of records written since the start. */
  writtenBytes = 0;
  readonly #path: string;
  readonly #owner: FileOwner;
  readonly #asOwner: FileWork;
  #writer: JournalWriter | null = null;
  #number = 0;
  #next = 1;
  /** Numbered, but not safe yet. They are written again unchanged, for some may be in a file already. */
  #unsafe: JournalRecord[] = [];
  #waiting: HistoryBatch[] = [];
  readonly #backlog = new Backlog();
  /** Paths of journals that are complete. */
  #ended: string[] = [];

  constructor(path: string, owner: FileOwner, asOwner: FileWork) {
    this.#asOwner = asOwner;
    this.#path = path;
    this.#owner = owner;
  }

  /** Call it before `write`. @param applied sequence number of the newest record in the image @param number that of the newest existing journal */
  begin(applied: number, number: number): void {
    this.#next = applied + 1;
    this.confirmed = applied;
    this.#number = number;
  }

  /** Bytes of traffic that the backlog had no room for. */
  get lostBytes(): number {
    return this.#backlog.lostBytes;
  }

  /** True if something that was offered is not safe yet. */
  get isBehind(): boolean {
    return this.#unsafe.length > 0 || this.#waiting.length > 0 || !this.#backlog.isEmpty;
  }

  /** True if the journals hold records that no image has. */
  get hasUnsaved(): boolean {
    return this.#ended.length > 0 || (this.#writer?.bytes ?? 0) > JOURNAL_HEAD.length;
  }

  /** Takes a batch, which `write` makes safe. */
  offer(batch: HistoryBatch): void {
    if (this.#waiting.length < MOST_WAITING && this.#backlog.isEmpty) this.#waiting.push(...partsOf(batch));
    else this.#backlog.add(batch);
  }

  /** Writes and syncs all that waits. If it rejects, with the failure of a system call, the rest waits on. */
  async write(): Promise<void> {
    while (this.isBehind) {
      if (this.#unsafe.length === 0) this.#assign();
      const records: Buffer[] = [];
      for (const record of this.#unsafe) records.push(await encodeRecord(record)); // one after the other: encoding takes time of the main thread
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

  /** Ends the current journal. @returns paths of all complete journals that were not dropped, oldest first */
  async rotate(): Promise<readonly string[]> {
    if (this.#writer !== null) await this.#end(this.#writer);
    return this.#ended;
  }

  /** Removes journals whose records are in an image. */
  drop(paths: readonly string[]): void {
    this.#ended = this.#ended.filter((path) => !paths.includes(path));
    for (const path of paths) this.#remove(path);
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** Makes numbered records of what waits. */
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

  /** After a failure: cuts off what may be half written, or else goes on in another journal. */
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

  /** A journal that can't be removed does no harm: its records are not applied again. */
  #remove(path: string): void {
    try {
      this.#asOwner(() => removeFile(path));
    } catch {
      // the next run finds it, and skips its records
    }
  }
}

/** Entries of the backlog, 338 bytes each. A busy machine fills it in hours. */
const MOST_ENTRIES = 50_000;
/** Above `MOST_ENTRIES` new entries lose their host; above this, bytes are lost. */
const MOST_WITHOUT_HOST = 60_000;
const MOST_FLOWS = 5_000;
/** Alerts and deliveries, and contacts; the oldest are kept. */
const MOST_ALERTS = 1_000;
const MOST_CONTACTS = 10_000;
/** Questions of DNS; the oldest are kept. */
const MOST_QUESTIONS = 20_000;
/** Rows of encrypted DNS: days of them, for there is one a minute, app and resolver. The oldest are kept. */
const MOST_ENCRYPTED = 20_000;
/** Entries of a batch: encoding it must not block the main thread for long. */
const BATCH_ENTRIES = 1024;

type Sum = { -readonly [K in keyof HistoryEntry]: HistoryEntry[K] };
type EncryptedSum = { -readonly [K in keyof RecordedEncrypted]: RecordedEncrypted[K] };

/** Batches that could not be written yet, summed by minute and facts. */
export class Backlog {
  /** Bytes of traffic for which there was no room. */
  lostBytes = 0;
  readonly #minutes = new Map<number, Map<string, Sum>>();
  #flows: LoggedFlow[] = [];
  readonly #alerts: Alert[] = [];
  readonly #contacts: FirstContact[] = [];
  readonly #deliveries: AlertDelivery[] = [];
  #questions: RecordedQuestion[] = [];
  #missed = 0;
  readonly #encrypted = new Map<string, EncryptedSum>();
  #unlogged = 0;
  #count = 0;
  #newest = 0;
  #exports: ExportRecords | undefined = undefined;

  get isEmpty(): boolean {
    return this.#minutes.size === 0 && !this.#hasRest;
  }

  /** True if there is anything besides traffic. */
  get #hasRest(): boolean {
    const asked = this.#questions.length + this.#missed + this.#encrypted.size;
    return this.#flows.length + this.#unlogged + asked > 0 || this.#watch !== undefined || this.#exports !== undefined;
  }

  add(batch: HistoryBatch): void {
    this.#newest = batch.minute;
    this.#unlogged += batch.unlogged;
    const room = Math.max(0, MOST_FLOWS - this.#flows.length);
    for (const flow of batch.flows.slice(0, room)) this.#flows.push(flow);
    this.#unlogged += Math.max(0, batch.flows.length - room);
    if (batch.watch !== undefined) this.#addWatch(batch.watch);
    if (batch.dns !== undefined) this.#addDns(batch.dns);
    if (batch.exports !== undefined) this.#addExports(batch.exports);
    if (batch.entries.length === 0) return;
    const sums = this.#minutes.get(batch.minute) ?? new Map<string, Sum>();
    this.#minutes.set(batch.minute, sums);
    for (const entry of batch.entries) this.#sum(sums, entry);
  }

  /** Empties the backlog. @returns batches of a bounded size, oldest minute first */
  take(): HistoryBatch[] {
    const batches: HistoryBatch[] = [];
    for (const [minute, sums] of this.#minutes)
      batches.push(...partsOf({ minute, entries: [...sums.values()], flows: [], unlogged: 0 }));
    const watch = this.#watch;
    if (this.#hasRest) {
      const rest = { minute: this.#newest, entries: [], flows: this.#flows, unlogged: this.#unlogged };
      const dns = { questions: this.#questions, missed: this.#missed, encrypted: [...this.#encrypted.values()] };
      const hasAsked = dns.questions.length + dns.missed + dns.encrypted.length > 0;
      const exports = this.#exports === undefined ? {} : { exports: this.#exports };
      batches.push(...partsOf({ ...rest, ...(watch === undefined ? {} : { watch }), ...(hasAsked ? { dns } : {}), ...exports }));
    }
    for (const list of [this.#alerts, this.#contacts, this.#deliveries]) list.length = 0;
    this.#minutes.clear();
    this.#flows = [];
    this.#questions = [];
    this.#exports = undefined;
    this.#missed = 0;
    this.#encrypted.clear();
    this.#unlogged = 0;
    this.#count = 0;
    return batches;
  }

  get #watch(): WatchRecords | undefined {
    const [alerts, contacts, deliveries] = [[...this.#alerts], [...this.#contacts], [...this.#deliveries]];
    return alerts.length + contacts.length + deliveries.length === 0 ? undefined : { alerts, contacts, deliveries };
  }

  #addDns({ questions, missed, encrypted }: DnsRecords): void {
    const room = Math.max(0, MOST_QUESTIONS - this.#questions.length);
    for (const question of questions.slice(0, room)) this.#questions.push(question);
    this.#missed += missed + Math.max(0, questions.length - room);
    for (const row of encrypted) {
      const key = [row.minute, row.app, row.reason, row.host, row.transport].map((text) => text ?? '\0').join('\n');
      const sum = this.#encrypted.get(key);
      if (sum === undefined) {
        if (this.#encrypted.size < MOST_ENCRYPTED) this.#encrypted.set(key, { ...row });
        continue;
      }
      sum.connections += row.connections;
      sum.rxBytes += row.rxBytes;
      sum.txBytes += row.txBytes;
    }
  }

  /** The newest cut and the newest mark of each engine: they apply to everything before them. */
  #addExports({ cut, marks }: ExportRecords): void {
    const older = (this.#exports?.marks ?? []).filter(({ engine }) => !marks.some((mark) => mark.engine === engine));
    this.#exports = { cut: cut ?? this.#exports?.cut ?? null, marks: [...older, ...marks] };
  }

  #addWatch({ alerts, contacts, deliveries }: WatchRecords): void {
    const add = <One>(to: One[], more: readonly One[], most: number) => {
      to.push(...more.slice(0, Math.max(0, most - to.length)));
    };
    add(this.#alerts, alerts, MOST_ALERTS);
    add(this.#contacts, contacts, MOST_CONTACTS);
    add(this.#deliveries, deliveries, MOST_ALERTS);
  }

  #sum(sums: Map<string, Sum>, entry: HistoryEntry): void {
    const own = keyOf(entry);
    const losesHost = this.#count >= MOST_ENTRIES && !sums.has(own);
    const key = losesHost ? keyOf({ ...entry, host: null, domain: null }) : own;
    const sum = sums.get(key);
    if (sum === undefined) {
      if (this.#count >= MOST_WITHOUT_HOST) {
        this.lostBytes += Math.max(0, entry.rxBytes + entry.txBytes);
        return;
      }
      this.#count++;
      sums.set(key, losesHost ? { ...entry, host: null, domain: null } : { ...entry });
      return;
    }
    sum.rxBytes += entry.rxBytes;
    sum.txBytes += entry.txBytes;
    sum.rxPackets += entry.rxPackets;
    sum.txPackets += entry.txPackets;
    sum.flows += entry.flows;
  }
}

/** Splits a batch into parts of a bounded size. */
export function partsOf(batch: HistoryBatch): HistoryBatch[] {
  const { minute, entries, flows, unlogged, watch, dns, exports } = batch;
  const most = Math.max(entries.length, flows.length, dns?.questions.length ?? 0, dns?.encrypted.length ?? 0);
  if (most <= BATCH_ENTRIES) return [batch];
  const parts: HistoryBatch[] = [];
  for (let at = 0; at < most; at += BATCH_ENTRIES) {
    const questions = dns?.questions.slice(at, at + BATCH_ENTRIES) ?? [];
    const encrypted = dns?.encrypted.slice(at, at + BATCH_ENTRIES) ?? [];
    const missed = at === 0 ? (dns?.missed ?? 0) : 0;
    parts.push({
      minute,
      entries: entries.slice(at, at + BATCH_ENTRIES),
      flows: flows.slice(at, at + BATCH_ENTRIES),
      unlogged: at === 0 ? unlogged : 0,
      ...(at === 0 && watch !== undefined ? { watch } : {}),
      ...(questions.length + missed + encrypted.length > 0 ? { dns: { questions, missed, encrypted } } : {}),
      ...(at + BATCH_ENTRIES >= most && exports !== undefined ? { exports } : {}),
    });
  }
  return parts;
}

const NO_CONTAINER = { image: null, pod: null, namespace: null, project: null };

function keyOf(entry: HistoryEntry): string {
  const { app, reason, exe, host, domain, category, protocol, direction, container } = entry;
  const { image, pod, namespace, project } = container ?? NO_CONTAINER;
  const facts = [app, reason, exe, host, domain, category, entry.interface, protocol, direction];
  return [...facts, container?.container ?? null, image, pod, namespace, project].map((text) => text ?? '\0').join('\n');
}
