// Brings what is settled in the history file to engines: reads it page by page, in a thread without rights, applies what the user allows, and hands
// it to the messenger, one batch at a time for each engine. What an engine has acknowledged is kept in the history file. Holds one batch for each
// engine, however far behind it is.

import { randomBytes, randomInt } from 'node:crypto';
import { Privacy } from '../export/privacy.ts';
import type { HistoryReader } from '../history/query/reader.ts';
import { GONE, type Messenger } from '../messenger/client.ts';
import { BATCH_ROWS } from '../messenger/protocol.ts';
import { reasonOf } from '../model/errors.ts';
import {
  addRefused,
  type Deleted,
  type EngineStatus,
  type ExportCursor,
  type ExportMark,
  type ExportPlan,
  type ExportStatus,
  type PushEngine,
  type PushPlan,
  type Refused,
} from '../model/export.ts';
import type { ExportBatch, ExportQueue, QueuedMark, UnsentPage } from '../model/export-batch.ts';
import type { Clock } from '../system/clock.ts';
import { deletedWords, refusedWords } from '../view/text/exports.ts';
import { readSavedScreen, type SavedPlace, writeSavedScreen } from './saved-screen.ts';

const MINUTE_MS = 60_000;
/** Least time between two batches for an engine that is behind, ms: a fleet that comes back together must not flood it. */
const PACE_MS = 500;
/** Until a history that can't be read is tried again, ms. */
const RETRY_MS = 60_000;
/** A minute is settled when it has been over for so long: flows wait ten seconds at most for their owner. */
const SETTLED_MS = 30_000;
/** Runs are told apart by a number below 2^48. */
const RUNS = 2 ** 48 - 1;

/** What exporting works with. */
export interface ExportingParts {
  readonly plan: ExportPlan;
  readonly messenger: Pick<Messenger, 'send' | 'heldBatch' | 'status' | 'engines' | 'hasEnded'>;
  /** Opens the history that is recorded. */
  readonly open: () => Promise<HistoryReader>;
  readonly clock: Clock;
  readonly identity: MachineIdentity;
  /** Name of this machine. */
  readonly machine: string;
}

/** One engine's way through the queue. */
interface Lane {
  readonly plan: PushPlan;
  /** null until it is known. */
  cursor: ExportCursor | null;
  isSending: boolean;
  /** Not before this time, monotonic ms. */
  notBefore: number;
  sent: number;
  refused: Refused | null;
  deleted: Deleted | null;
  /** The last minute that the engine has all of; null if that isn't known. */
  minute: number | null;
}

/** Exports of a run. */
export class Exporting {
  /** Random number of this run. */
  readonly run = randomInt(1, RUNS);
  readonly #parts: ExportingParts;
  readonly #privacy: Privacy;
  readonly #lanes: readonly Lane[];
  readonly #marks = new Map<PushEngine, ExportMark>();
  #queue: ExportQueue | null = null;
  #reader: HistoryReader | null = null;
  #turn: Promise<void> | null = null;
  /** The queue is longer than what was last read of it. */
  #isStale = false;
  #timer: NodeJS.Timeout | null = null;
  #failure = '';
  #isClosed = false;
  #onChange: () => void = () => {};

  constructor(parts: ExportingParts) {
    this.#parts = parts;
    this.#privacy = new Privacy(parts.plan, parts.identity.key);
    const fresh = { cursor: null, isSending: false, notBefore: 0, sent: 0, refused: null, deleted: null, minute: null };
    this.#lanes = parts.plan.push.map((plan) => ({ plan, ...fresh }));
  }

  /** The last minute that is settled at a time, epoch ms. */
  settledAt(time: number): number {
    return Math.floor((time - SETTLED_MS) / MINUTE_MS) - 1;
  }

  /** What engines have acknowledged since the last call, for history. */
  takeMarks(): ExportMark[] {
    const marks = [...this.#marks.values()];
    this.#marks.clear();
    return marks;
  }

  /** A cut is safe in the history file. */
  settled(): void {
    this.#isStale = true;
    this.#wake();
  }

  get status(): Omit<ExportStatus, 'isLeft'> {
    const { messenger, identity } = this.#parts;
    const { isReady, note } = messenger.status;
    const notes = [identity.note, this.#failure, isReady ? '' : note].filter((part) => part !== '');
    return { engines: [...this.#lanes.map((lane) => this.#statusOf(lane)), ...messenger.engines], note: notes.join('; ') };
  }

  /** Waits until every engine has everything, has failed to take it, or the time is over. @returns what the user must know; empty if nothing */
  async finish(ms: number): Promise<string> {
    const until = this.#parts.clock.monotonic() + ms;
    for (;;) {
      const isDone = this.#lanes.every((lane) => {
        const { waiting, failure } = this.#statusOf(lane);
        return failure !== null || (waiting === 0 && !lane.isSending && !this.#isStale && this.#turn === null);
      });
      const left = until - this.#parts.clock.monotonic();
      if (isDone || left <= 0 || this.#failure !== '') break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#onChange = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    await this.close();
    return this.#lanes
      .map((lane) => lateWord(this.#statusOf(lane)))
      .filter((word) => word !== '')
      .join('; ');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#turn;
    await this.#closeReader();
  }

  #statusOf({ plan, cursor, sent, refused, deleted, minute }: Lane): EngineStatus {
    const { engine, url } = plan;
    const { messenger } = this.#parts;
    const held = messenger.heldBatch(engine);
    const settled = this.#queue?.minute ?? null;
    const isBehind = cursor !== null && this.#queue !== null && cursor.cut <= this.#queue.newest;
    const acknowledged = minute === null ? null : (minute + 1) * MINUTE_MS;
    return {
      engine,
      to: new URL(url).host,
      acknowledged,
      sent,
      waiting: isBehind && settled !== null ? Math.max(1, settled - (minute ?? settled)) : 0,
      behindSince: isBehind ? acknowledged : null,
      failure: messenger.hasEnded ? GONE : (held?.failure ?? null),
      refused,
      deleted,
      next: held?.next ?? null,
    };
  }

  #wake(): void {
    if (this.#isClosed) return;
    this.#turn ??= this.#work().finally(() => {
      this.#turn = null;
      this.#onChange();
      this.#plan();
    });
  }

  /** Goes on when it may: at once if more was settled meanwhile, or when the first engine may get its next batch. */
  #plan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isClosed) return;
    if (this.#failure !== '') this.#later(RETRY_MS);
    else if (this.#isStale) this.#wake();
    else {
      const now = this.#parts.clock.monotonic();
      const waits = this.#lanes.filter((lane) => this.#isDue(lane)).map(({ notBefore }) => Math.max(0, notBefore - now));
      if (waits.length > 0) this.#later(Math.min(...waits));
    }
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => this.#wake(), ms);
    this.#timer.unref();
  }

  /** There is something for this engine, and it isn't being sent. */
  #isDue({ cursor, isSending }: Lane): boolean {
    return !isSending && cursor !== null && cursor.cut <= (this.#queue?.newest ?? 0);
  }

  async #work(): Promise<void> {
    try {
      const reader = await this.#opened();
      const queue = this.#queue;
      if (queue === null) return;
      for (const lane of this.#lanes) {
        if (lane.cursor === null) this.#begin(lane, queue);
        const isEarly = lane.notBefore > this.#parts.clock.monotonic();
        if (this.#isDue(lane) && !isEarly && !this.#isClosed) await this.#next(lane, reader, queue);
      }
      this.#failure = '';
      if (!this.#lanes.some((lane) => this.#isDue(lane))) await this.#closeReader();
    } catch (thrown) {
      this.#failure = `history can't be read: ${reasonOf(thrown)}`;
      await this.#closeReader();
    }
  }

  /** A reader that sees what is settled. */
  async #opened(): Promise<HistoryReader> {
    const isStale = this.#isStale;
    this.#isStale = false;
    try {
      if (this.#reader === null) this.#reader = await this.#parts.open();
      else if (isStale) await this.#reader.refresh();
      if (isStale || this.#queue === null) this.#queue = await this.#reader.exportQueue(this.run);
      return this.#reader;
    } catch (thrown) {
      this.#isStale ||= isStale;
      throw thrown;
    }
  }

  /** Goes on where the engine was; a new one begins with what this run records. */
  #begin(lane: Lane, { newest, minute, marks, began }: ExportQueue): void {
    const known: QueuedMark | undefined = marks.find(({ engine }) => engine === lane.plan.engine);
    lane.cursor = known ?? { cut: (began?.cut ?? newest) + 1, section: 0, after: 0 };
    lane.minute = known === undefined ? (began?.minute ?? minute) : known.minute;
    if (known === undefined) this.#mark(lane);
  }

  /** Has an engine sent its next rows. */
  async #next(lane: Lane, reader: HistoryReader, { newest }: ExportQueue): Promise<void> {
    for (let cursor = lane.cursor as ExportCursor; cursor.cut <= newest; cursor = lane.cursor as ExportCursor) {
      const page = await reader.unsent(cursor, BATCH_ROWS);
      if (page !== null && page.minutes.length + page.flows.length + page.alerts.length > 0) {
        lane.isSending = true;
        void this.#send(lane, page, this.#batchOf(lane.plan, cursor, page));
        return;
      }
      if (page !== null) this.#moveOn(lane, page);
      else lane.cursor = { cut: cursor.cut + 1, section: 0, after: 0 };
    }
  }

  async #send(lane: Lane, page: UnsentPage, batch: ExportBatch): Promise<void> {
    try {
      const refused = await this.#parts.messenger.send(batch);
      if (refused !== null) lane.refused = addRefused(lane.refused, refused);
      lane.sent += batch.minutes.length + batch.flows.length + batch.alerts.length;
      lane.notBefore = this.#parts.clock.monotonic() + PACE_MS;
      this.#moveOn(lane, page);
    } catch {
      this.#onChange();
      return; // the messenger has ended: the next run sends it
    }
    lane.isSending = false;
    this.#onChange();
    if (this.#turn === null) this.#plan();
  }

  #moveOn(lane: Lane, { next, cut, deleted }: UnsentPage): void {
    lane.deleted = withDeleted(lane.deleted, deleted);
    if (next.cut > (lane.cursor?.cut ?? 0)) lane.minute = cut.minute;
    lane.cursor = next;
    this.#mark(lane);
  }

  #mark({ plan: { engine }, cursor }: Lane): void {
    if (cursor !== null) this.#marks.set(engine, { engine, cut: cursor.cut, section: cursor.section, after: cursor.after });
  }

  #batchOf({ engine }: PushPlan, { cut, section, after }: ExportCursor, page: UnsentPage): ExportBatch {
    const { identity, machine } = this.#parts;
    return {
      engine,
      token: `${identity.id}-${page.cut.run.toString(16)}-${cut}.${section}.${after}`,
      hostId: identity.id,
      hostName: this.#privacy.text('machine', machine),
      until: (page.cut.minute + 1) * MINUTE_MS,
      minutes: page.minutes.map((row) => this.#privacy.minute(row)),
      flows: page.flows.map((flow) => this.#privacy.flow(flow)),
      alerts: page.alerts.map((alert) => this.#privacy.alert(alert)),
    };
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }
}

/** What is said of an engine at the end. */
function lateWord({ engine, to, waiting, failure, refused, deleted }: EngineStatus): string {
  const why = failure === null ? '' : `: ${failure}`;
  const late = waiting === 0 ? '' : `${engine} (${to}) is ${waiting} min behind${why}; the next run sends the rest`;
  const lost = [refused === null ? '' : refusedWords(refused), deleted === null ? '' : deletedWords(deleted)];
  const lacks = lost.filter((part) => part !== '').map((part) => `${engine} (${to}): ${part}`);
  return [late, ...lacks].filter((part) => part !== '').join('; ');
}

function withDeleted(before: Deleted | null, { minutes, connections }: Deleted): Deleted | null {
  if (minutes === 0 && connections === 0) return before;
  return { minutes: (before?.minutes ?? 0) + minutes, connections: (before?.connections ?? 0) + connections };
}

/** What tells this machine from every other, and keeps its hashes to itself. */
export interface MachineIdentity {
  /** Random, hexadecimal. */
  readonly id: string;
  readonly key: string;
  /** What could not be kept; empty if all is well. */
  readonly note: string;
}

const VERSION = 1;

/** Reads this machine's number and key, or makes them. @param place null keeps them for this run alone */
export function machineIdentity(place: SavedPlace | null): MachineIdentity {
  const saved = place === null ? null : (readSavedScreen(place) as Readonly<Record<string, unknown>> | null);
  const { version, id, key } = saved ?? {};
  const isOurs = typeof id === 'string' && /^[0-9a-f]{16}$/.test(id) && typeof key === 'string' && /^[0-9a-f]{64}$/.test(key);
  if (version === VERSION && isOurs) return { id, key, note: '' };
  const made = { id: randomBytes(8).toString('hex'), key: randomBytes(32).toString('hex') };
  const isKept = place !== null && writeSavedScreen({ version: VERSION, ...made }, place);
  const note = isKept
    ? ''
    : `this run is a machine of its own, for ${place === null ? 'no folder is known' : `${place.path} can't be written`}`;
  return { ...made, note };
}
