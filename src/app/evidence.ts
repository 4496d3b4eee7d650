// Writes the packets behind an alert to a file, in a folder that is bounded in size and age: what is kept of them when the alert is raised, and what
// follows for a few seconds. It decides neither what is an alert nor who is told.

import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Alert, placeOfAlert } from '../model/alert.ts';
import { reasonOf } from '../model/errors.ts';
import { EXPORT_PREFIX, type PacketOptions } from '../model/options.ts';
import type { KeptFlow } from '../model/packets.ts';
import { CaptureFile } from '../output/capture-file.ts';
import type { FileOwner } from '../output/output-file.ts';
import { Framing } from '../packets/framing.ts';
import type { RingWriter } from '../packets/ring-writer.ts';
import { fileWork } from '../system/as-owner.ts';
import type { Clock } from '../system/clock.ts';
import { makeFolders } from '../system/files.ts';
import { catchesUp, type FollowedRing, ringWriter, slug } from './packet-files.ts';

/** For how long packets are added after the alert, ms. */
const AFTER_MS = 10_000;
const WORK_MS = 100;
/** Packets dropped because of their age before a file begins; each tick drops the others. */
const MOST_EXPIRED = 1 << 16;
/** Files that grow at once; the packets of a further alert are not written. */
const MOST_AT_ONCE = 4;
/** Names of our files: nothing else in the folder is removed. */
const OURS = new RegExp(`^${EXPORT_PREFIX}alert-.*\\.pcapng$`);

/** What evidence is written with. */
export interface EvidenceParts extends FollowedRing {
  readonly options: NonNullable<PacketOptions['onAlert']>;
  readonly owner: FileOwner | null;
  readonly clock: Clock;
  /** Is told, once, why files can't be written. */
  readonly failed: (reason: string) => void;
}

/** A file that grows. */
interface Growing {
  readonly file: CaptureFile;
  readonly writer: RingWriter;
  /** When it is done, by the monotonic clock. */
  readonly until: number;
  /** Position before which frames belong to it; null until it is done. */
  end: number | null;
}

/** The files of one run. */
export class Evidence {
  readonly #parts: EvidenceParts;
  readonly #growing = new Set<Growing>();
  /** Files whose last packets are on their way. */
  readonly #ending = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #hasFailed = false;

  constructor(parts: EvidenceParts) {
    this.#parts = parts;
  }

  /** Begins a file for an alert. @returns its path; null if nothing is kept of what the alert is about, or it can't be written */
  begin(alert: Omit<Alert, 'evidence'>): string | null {
    const { kept, options, owner, clock } = this.#parts;
    const isOf = matcherOf(alert);
    if (isOf === null || alert.severity === 'info' || alert.held !== null || this.#growing.size >= MOST_AT_ONCE) return null;
    const wants = (flow: KeptFlow | null) => flow !== null && isOf(flow);
    kept.ring.expire(clock.now(), MOST_EXPIRED);
    if (!this.#isKept(isOf)) return null;
    const stamp = new Date(alert.time)
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(':', '')
      .replace('T', '-');
    const about = [alert.kind, alert.app ?? alert.host ?? ''].map(slug).filter((part) => part !== '');
    const name = `${EXPORT_PREFIX}alert-${stamp}-${about.join('-')}-${slug(alert.id)}.pcapng`;
    try {
      this.#work(() => makeFolders(options.folder, this.#owner));
      this.#tidy(kept.ring.used);
      const path = join(options.folder, name);
      const file = CaptureFile.open({ path, force: false, owner, isRow: false, most: null, now: () => clock.now() });
      const writer = ringWriter(this.#parts, file, new Framing(this.#parts.source), kept.ring.oldest, wants, alert.text);
      this.#growing.add({ file, writer, until: clock.monotonic() + AFTER_MS, end: null });
      this.#timer ??= setInterval(() => this.#look(), WORK_MS);
      return path;
    } catch (thrown) {
      this.#fail(reasonOf(thrown));
      return null;
    }
  }

  /** Ends all files with what is kept now. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const each of this.#growing) this.#end(each);
    await Promise.all(this.#ending);
  }

  /** Whether anything is kept of a flow in the table: what an alert is about has just moved. */
  #isKept(isOf: (flow: KeptFlow) => boolean): boolean {
    const { kept, monitor } = this.#parts;
    const { flows } = monitor;
    for (let row = 0; row < flows.rows; row++) {
      if (!flows.isLive(row) || !kept.ring.has(flows.keptAt(row))) continue;
      const flow = kept.flows.of(row, flows.serial(row));
      if (flow !== null && isOf(flow)) return true;
    }
    return false;
  }

  #look(): void {
    const now = this.#parts.clock.monotonic();
    const { ring } = this.#parts.kept;
    for (const each of this.#growing) {
      const { writer, file } = each;
      if (now >= each.until) each.end ??= ring.end;
      if (file.isClosed) this.#end(each);
      else if (catchesUp(writer, each.end ?? ring.end)) continue;
      else if (each.end === null) writer.work(now);
      else this.#end(each);
    }
    if (this.#growing.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #end(each: Growing): void {
    this.#growing.delete(each);
    const ending: Promise<void> = this.#finish(each).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #finish({ file, writer, end }: Growing): Promise<void> {
    await writer.finish(end ?? this.#parts.kept.ring.end);
    writer.close();
    await file.close();
    if (file.failure !== null) this.#fail(file.failure.message);
    try {
      this.#tidy(0);
    } catch (thrown) {
      this.#fail(reasonOf(thrown));
    }
  }

  /** Removes the oldest files until the rest is young enough, and leaves this much room. */
  #tidy(room: number): void {
    const { folder, maxBytes, maxAgeMs } = this.#parts.options;
    const now = this.#parts.clock.now();
    const growing = new Set([...this.#growing].map(({ file }) => file.status.path));
    this.#work(() => {
      const files = readdirSync(folder)
        .filter((name) => OURS.test(name))
        .map((name) => ({ path: join(folder, name), stats: lstatSync(join(folder, name), { throwIfNoEntry: false }) }))
        .flatMap(({ path, stats }) => (stats?.isFile() === true && !growing.has(path) ? [{ path, stats }] : []))
        .sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
      let bytes = room;
      for (const { path, stats } of files) {
        bytes += stats.size;
        if (bytes > maxBytes || now - stats.mtimeMs > maxAgeMs) unlinkSync(path);
      }
    });
  }

  /** Works in the folder with the rights of its owner. */
  #work<T>(work: () => T): T {
    const theirs = this.#owner;
    return theirs === null ? work() : fileWork(theirs, dirname(this.#parts.options.folder))(work);
  }

  /** null once root is dropped. */
  get #owner(): FileOwner | null {
    return process.geteuid?.() === 0 ? this.#parts.owner : null;
  }

  #fail(reason: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#parts.failed(`packets behind alerts can't be written: ${reason}`);
  }
}

/** Whether a flow is part of what an alert is about; null for an alert that is about no flow. */
function matcherOf(alert: Omit<Alert, 'evidence'>): ((flow: KeptFlow) => boolean) | null {
  const { app, host, domain } = alert;
  const place = placeOfAlert(alert);
  if (app === null && place === null) return null;
  const isThere = ({ remote, host: name, domain: own }: KeptFlow) =>
    place === null || (domain !== null && own === domain) || name === host || remote.address === host;
  return (flow) => (app === null || flow.app === app || flow.peerApp === app) && isThere(flow);
}
