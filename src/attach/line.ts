// The line to one machine: ssh is started, its stream is read, and when it ends, it is started again, later each time. What comes over it can
// neither stop the program nor fill its memory: a machine that sends nonsense is lost.

import type { ChildProcess } from 'node:child_process';
import type { MachineState, MachineStatus } from '../model/machines.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { sanitize } from '../net/text.ts';
import { StreamFault } from '../stream/bytes.ts';
import { commonVersion, MESSAGE, MessageReader, matchedIn, VERSIONS } from '../stream/messages.ts';
import { type DemandTable, type MatchAsk, type Order, orderLine, type Reply, replyIn } from '../stream/orders.ts';
import type { Clock } from '../system/clock.ts';
import { MachineRows, prefixOf } from './machine-rows.ts';
import { type LineEnd, lineEnd, type Rights } from './ssh.ts';

/** Silence after which a line counts as late, and after which it is cut, ms. */
const LATE_MS = 3000;
const SILENT_MS = 15_000;
/** A line that doesn't greet by then is cut, ms: a key may have to be touched first. */
const GREETING_MS = 40_000;
/** Waits before the next try, ms; the last one from then on, and at once where somebody has to do something first. */
const WAITS = [1000, 2000, 4000, 8000, 15_000, 30_000];
/** A line that lived so long begins with the first wait again, ms. */
const HEALTHY_MS = 30_000;
/** Bytes of what ssh says that are kept, the last. */
const STDERR_BYTES = 4096;
/** Bytes of orders that may wait. */
const UNSENT_BYTES = 64 * 1024;
/** How often the time is asked for, ms, and what a clock may be wrong before times are corrected. */
const ECHO_MS = 10_000;
const TOLERATED_MS = 250;
/** No clock is wrong by so much, ms: a century. */
const WRONG_MS = 100 * 365 * 86_400_000;

/** Starts ssh for a machine. Throws nothing: what fails comes as events. */
export type StartLine = (rights: Rights) => ChildProcess;

/** What a filter matches. */
export interface Matched {
  /** Its rows and total alone. */
  readonly snapshot: Snapshot;
  /** As in Matching. */
  readonly completeSince: number | null;
  /** Number of the connection that told it. */
  readonly connection: number;
}

/** One machine and its line. */
export class Line {
  readonly name: string;
  readonly #start: StartLine;
  readonly #clock: Clock;
  readonly #replied: (reply: Reply) => void;
  readonly #twinOf: (machine: string) => string | null;
  #child: ChildProcess | null = null;
  #reader = new MessageReader();
  #rows: MachineRows | null = null;
  /** The last of the connections before, while there is no new one. */
  #last: Snapshot | null = null;
  #stderr = '';
  #rights: Rights = 'root';
  #state: MachineState = 'connecting';
  #since: number;
  #end: LineEnd | null = null;
  /** Why only packets are asked for; null if a stream is. */
  #missing: LineEnd | null = null;
  #startedAt = 0;
  #heardAt = 0;
  #tries = 0;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;
  #program = '';
  #connection = 0;
  #shift = 0;
  /** What the other clock is ahead; of the answers so far, the one that took least. */
  #ahead: { readonly ms: number; readonly tookMs: number } | null = null;
  #echo = { id: 0, at: Number.NEGATIVE_INFINITY };
  #wanted: readonly DemandTable[] = [];
  #schema: Buffer | null = null;
  /** What is to be matched, without the name of the machine. */
  #match: Omit<MatchAsk, 'machine'> | null = null;
  /** What matches, as it came over this connection. */
  #matched: { readonly rows: MachineRows; readonly connection: number; completeSince: number | null } | null = null;
  /** The last of the connections before, while there is no new one. */
  #lastMatched: Matched | null = null;
  #bytes = { taken: 0, before: 0, at: 0, rate: 0 };

  /**
   * @param name as the user wrote it
   * @param replied takes answers to questions, ids and times as this side has them
   * @param twinOf name of another line that is live to a machine; null for none
   */
  constructor(
    name: string,
    start: StartLine,
    clock: Clock,
    replied: (reply: Reply) => void,
    twinOf: (machine: string) => string | null,
  ) {
    this.name = name;
    this.#start = start;
    this.#clock = clock;
    this.#replied = replied;
    this.#twinOf = twinOf;
    this.#since = clock.now();
  }

  /** Begins. */
  open(): void {
    if (this.#isClosed || this.#child !== null) return;
    this.#retry = null;
    this.#startedAt = this.#heardAt = this.#clock.monotonic();
    this.#reader = new MessageReader();
    this.#rows = null;
    this.#stderr = '';
    this.#shift = 0;
    this.#ahead = null;
    this.#echo = { id: 0, at: Number.NEGATIVE_INFINITY };
    const child = this.#start(this.#rights);
    this.#child = child;
    child.stdin?.on('error', () => undefined); // its end says why
    child.stdout?.on('error', () => undefined);
    child.stderr?.on('error', () => undefined);
    child.stdout?.on('data', (chunk: Buffer) => this.#take(child, chunk));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_BYTES);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      const note = error.code === 'ENOENT' ? 'there is no ssh on this machine' : `ssh can't be started: ${error.code}`;
      this.#ended(child, { note, hint: '', isLasting: true, isWithoutRights: false, isMissing: false });
    });
    child.once('close', (status) => this.#ended(child, lineEnd(this.name, status, this.#stderr)));
  }

  /** Looks at the time; call it once a second. */
  tick(): void {
    const now = this.#clock.monotonic();
    const { taken, before, at } = this.#bytes;
    if (now > at) this.#bytes = { taken, before: taken, at: now, rate: ((taken - before) * 1000) / (now - at) };
    if (this.#child === null) return;
    const silent = now - this.#heardAt;
    if (this.#rows === null) {
      if (now - this.#startedAt > GREETING_MS) this.#cut('it does not answer');
      return;
    }
    // tcpdump says nothing while nothing passes; whether the line still holds, ssh asks by itself.
    if (silent > SILENT_MS && this.#missing === null) this.#cut(`it has said nothing for ${Math.round(silent / 1000)} s`);
    else if (silent > LATE_MS) this.#become('late');
    if (now - this.#echo.at >= ECHO_MS) {
      this.#echo = { id: this.#echo.id + 1, at: now };
      this.send({ type: 'echo', id: this.#echo.id });
    }
  }

  /** Sends an order. @returns false if the line can't take it now */
  send(order: Order): boolean {
    const input = this.#child?.stdin;
    if (!input || this.#reader.greeting === null || input.writableLength > UNSENT_BYTES) return false;
    input.write(orderLine(order));
    return true;
  }

  /** Has these tables sent, too. */
  want(tables: readonly DemandTable[]): void {
    if (tables.join() === this.#wanted.join()) return;
    this.#wanted = tables;
    if (this.#rows !== null) this.send({ type: 'want', tables });
  }

  /** Has what a filter matches sent, too; null for nothing. */
  match(match: Omit<MatchAsk, 'machine'> | null): void {
    this.#match = match;
    this.#matched = null;
    this.#lastMatched = null;
    if (this.#rows !== null) this.#sendMatch();
  }

  #sendMatch(): void {
    this.send({ type: 'match', ask: this.#match === null ? null : { ...this.#match, machine: this.name } });
  }

  /** What of the machine the filter matches, as its line told last; null until it is known. */
  get matched(): Matched | null {
    const matched = this.#matched;
    const snapshot = matched?.rows.snapshot() ?? null;
    if (matched === null || snapshot === null) return this.#lastMatched;
    const { completeSince, connection } = matched;
    return { snapshot, connection, completeSince: completeSince === null ? null : completeSince + this.#shift };
  }

  /** Number of the connection that told what is known. */
  get connection(): number {
    return this.#connection;
  }

  /** What the machine at the other end says that it is; null while there is none, or it doesn't say. */
  get machine(): string | null {
    return this.#child === null ? null : (this.#reader.greeting?.machine ?? null);
  }

  /** Whether frames come. */
  get isLive(): boolean {
    return this.#state === 'live';
  }

  get status(): MachineStatus {
    const { capture } = this.#rows?.snapshot() ?? { capture: null };
    const isReduced = capture !== null && capture.packets === null;
    const lacks = isReduced ? (this.#end?.isWithoutRights ? this.#end.note : capture.note) : '';
    const silent = Math.round((this.#clock.monotonic() - this.#heardAt) / 1000);
    const late =
      this.#state === 'late'
        ? `${this.#missing === null ? 'nothing' : `${this.#missing.note}: no packets of tcpdump`} for ${silent} s`
        : '';
    const why = this.#state === 'late' ? late : (this.#end?.note ?? '');
    return {
      name: this.name,
      state: this.#state,
      since: this.#since,
      note: this.#state === 'live' ? this.#lack(isReduced, lacks) : why,
      hint: this.#hint(isReduced),
      isReduced,
      clockAheadMs: this.#ahead?.ms ?? null,
      program: this.#program,
      lineRate: this.#bytes.rate,
    };
  }

  /** What a live machine lacks; empty for nothing. */
  #lack(isReduced: boolean, why: string): string {
    if (this.#missing !== null) return `${this.#missing.note}: packets of tcpdump, without owners`;
    return isReduced ? `no rights to capture there${why === '' ? '' : `: ${why}`}` : '';
  }

  /** What to type about its state; empty for nothing. */
  #hint(isReduced: boolean): string {
    if (this.#state === 'lost') return this.#end?.hint ?? '';
    if (this.#state === 'connecting') return '';
    if (this.#missing !== null || this.#state === 'late') return this.#missing?.hint ?? '';
    return isReduced && this.#end?.isWithoutRights === true ? this.#end.hint : '';
  }

  /** The machine as its line told last; null before its first frame. What a lost one told is still there, and moves nothing. */
  snapshot(): Snapshot | null {
    return this.#rows?.snapshot() ?? this.#last;
  }

  /** Ends the line for good. */
  close(): void {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    const child = this.#child;
    this.#child = null;
    child?.stdin?.end();
    child?.kill('SIGTERM');
    child?.unref();
  }

  #take(child: ChildProcess, chunk: Buffer): void {
    if (child !== this.#child) return;
    this.#bytes.taken += chunk.length;
    try {
      const isGreeted = this.#reader.greeting !== null;
      this.#reader.take(chunk, (type, payload) => this.#message(type, payload));
      if (!isGreeted && this.#reader.greeting !== null) this.#greet();
    } catch (thrown) {
      if (!(thrown instanceof StreamFault)) throw thrown;
      this.#cut(`it sends what no netmon-tui sends: ${thrown.message}`, true);
    }
  }

  #greet(): void {
    const { greeting } = this.#reader;
    if (greeting === null) return;
    this.#program = greeting.program;
    const twin = greeting.machine === null ? null : this.#twinOf(greeting.machine);
    if (twin !== null) {
      this.#cut(`it is the machine that is shown as ${twin}`, true, 'name it once');
      return;
    }
    const version = commonVersion(greeting);
    if (version !== null) {
      this.send({ type: 'speak', version });
      return;
    }
    const isOlder = (greeting.versions[1] ?? 0) < VERSIONS[0];
    this.#cut(
      `it has netmon-tui ${sanitize(greeting.program)}, which speaks another version`,
      true,
      isOlder ? 'update netmon-tui there' : 'update netmon-tui here',
    );
  }

  #message(type: number, payload: Buffer): void {
    if (type === MESSAGE.SCHEMA) {
      this.#rows = new MachineRows(this.name, payload, this.#shift);
      this.#schema = payload;
      if (this.#match !== null) this.#sendMatch();
      if (this.#wanted.length > 0) this.send({ type: 'want', tables: this.#wanted });
      this.tick(); // asks for the time
    } else if (type === MESSAGE.FRAME && this.#rows !== null) {
      if (this.#rows.isEmpty) this.#connection++; // until its first frame, what the one before told is shown
      this.#rows.frame(payload);
      this.#heardAt = this.#clock.monotonic();
      this.#last = null;
      this.#become('live');
    } else if (type === MESSAGE.MATCHED && this.#schema !== null) {
      const { id, completeSince, frame } = matchedIn(payload);
      if (id !== this.#match?.id) return; // of a filter before
      this.#matched ??= {
        rows: new MachineRows(this.name, this.#schema, this.#shift),
        connection: this.#connection,
        completeSince,
      };
      this.#matched.completeSince = completeSince;
      this.#matched.rows.frame(frame);
      this.#lastMatched = null;
    } else if (type === MESSAGE.REPLY) this.#reply(replyIn(payload, { shift: this.#shift, prefix: prefixOf(this.name) }));
  }

  #reply(reply: Reply): void {
    if (reply.type !== 'echo') {
      this.#replied(reply);
      return;
    }
    if (reply.id !== this.#echo.id) return;
    const tookMs = this.#clock.monotonic() - this.#echo.at;
    const ms = Math.round(reply.time - (this.#clock.now() - tookMs / 2));
    if (Math.abs(ms) > WRONG_MS) throw new StreamFault('a time of this century was expected');
    if (this.#ahead === null || tookMs <= this.#ahead.tookMs || Math.abs(ms - this.#ahead.ms) > tookMs)
      this.#ahead = { ms, tookMs };
    if (Math.abs(this.#ahead.ms + this.#shift) <= TOLERATED_MS) return;
    this.#shift = -this.#ahead.ms;
    this.#rows?.shift(this.#shift);
    this.#matched?.rows.shift(this.#shift);
  }

  #cut(note: string, isLasting = false, hint = ''): void {
    const child = this.#child;
    if (child === null) return;
    this.#ended(child, { note, hint, isLasting, isWithoutRights: false, isMissing: false });
    child.stdin?.destroy();
    child.stdout?.destroy();
    child.kill('SIGKILL');
  }

  #ended(child: ChildProcess, end: LineEnd): void {
    if (child !== this.#child || this.#isClosed) return;
    const hasLived = this.#rows !== null;
    const lived = hasLived ? this.#clock.monotonic() - this.#startedAt : 0;
    this.#child = null;
    const last = this.#rows?.snapshot() ?? this.#last;
    this.#last = last === null ? null : stillOf(last);
    this.#rows = null;
    const { matched } = this;
    this.#lastMatched = matched === null ? null : { ...matched, snapshot: stillOf(matched.snapshot) };
    this.#matched = null;
    this.#end = end;
    // What was said before a stream began says nothing about its end.
    if (end.isWithoutRights && this.#rights === 'root' && !hasLived) {
      this.#rights = 'own';
      this.open();
      return;
    }
    if (end.isMissing && this.#missing === null && !hasLived) {
      this.#missing = end;
      this.#rights = 'packets';
      this.open();
      return;
    }
    if (this.#missing !== null && lived === 0) this.#end = this.#missing;
    this.#rights = 'root'; // it may have been installed or allowed meanwhile
    this.#missing = null;
    this.#become('lost');
    if (lived > HEALTHY_MS) this.#tries = 0;
    const wait = end.isLasting ? WAITS.at(-1) : WAITS[Math.min(this.#tries, WAITS.length - 1)];
    this.#tries++;
    this.#retry = setTimeout(() => this.open(), wait);
    this.#retry.unref();
  }

  #become(state: MachineState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#since = this.#clock.now();
  }
}

/** What a machine told last, without motion: nobody knows what it does now. */
function stillOf(snapshot: Snapshot): Snapshot {
  const still = <Row extends { readonly rxRate: number; readonly txRate: number; readonly means: readonly number[] }>(
    rows: readonly Row[],
  ): readonly Row[] =>
    rows.map((row) =>
      'recent' in row
        ? { ...row, rxRate: 0, txRate: 0, means: STILL, recent: [] }
        : { ...row, rxRate: 0, txRate: 0, means: STILL },
    );
  return {
    ...snapshot,
    total: { ...snapshot.total, rxRate: 0, txRate: 0, means: STILL },
    apps: still(snapshot.apps),
    hosts: still(snapshot.hosts),
    categories: still(snapshot.categories),
    interfaces: still(snapshot.interfaces).map((row) => ({ ...row, recentRx: [], recentTx: [] })),
    flows: still(snapshot.flows),
    branches: still(snapshot.branches ?? []),
    gaps: [],
    diagnoses: [],
  };
}

const STILL = [0, 0, 0, 0, 0, 0];
