// A program that captures for us and writes records to its standard output, told of by tcpdump's lines on its standard error: started, followed,
// and started again when it hangs, dies or writes garbage. It is never left behind.

import type { ChildProcess } from 'node:child_process';
import { type NetmonError, reasonOf } from '../model/errors.ts';
import { sanitize } from '../net/text.ts';
import type { Clock } from '../system/clock.ts';
import { PacketBatch } from './batch.ts';
import { StreamFeed } from './file/byte-feed.ts';
import type { FrameReader } from './file/frame-reader.ts';
import type { CaptureStats, SourceState } from './source.ts';

const WINDOW_BYTES = 1 << 20;
const BATCH_FRAMES = 8_192;
const KEPT_LINES = 8;
const LONGEST_LINE = 1_024;

/** How a child went: `ready` is true when it had begun to capture. */
export interface ChildEnd {
  readonly ready: boolean;
  /** As a user reads it: `status 1`, `killed by SIGKILL`, `ENOENT`. */
  readonly how: string;
  /** It never ran: the program is missing or may not be executed. */
  readonly neverRan: boolean;
  /** Its last lines on standard error. */
  readonly lines: readonly string[];
}

/** Counters that a program prints at its end, and when it is asked. `null` is unknown. */
export interface ProgramCounters {
  readonly received: number | null;
  readonly droppedByKernel: number | null;
  readonly droppedByInterface: number | null;
  readonly shed: number | null;
}

const COUNTERS: Readonly<Record<keyof ProgramCounters, RegExp>> = {
  received: /(\d{1,15}) packets? received by filter/,
  droppedByKernel: /(\d{1,15}) packets? dropped by kernel/,
  droppedByInterface: /(\d{1,15}) packets? dropped by interface/,
  shed: /(\d{1,15}) packets? dropped by netmon-tui/,
};
const NO_COUNTERS: ProgramCounters = { received: null, droppedByKernel: null, droppedByInterface: null, shed: null };

/** True for the line after which frames can come. */
export function isReady(line: string): boolean {
  return /\blistening on \S+/.test(line);
}

/** Counters of a line; null when it has none. tcpdump prints one a line at its end, and all on one after SIGINFO. */
export function countersOf(line: string): Partial<ProgramCounters> | null {
  const found = Object.entries(COUNTERS).flatMap(([name, pattern]) => {
    const match = pattern.exec(line);
    return match === null ? [] : [[name, Number(match[1])]];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

function sum(a: ProgramCounters, b: ProgramCounters): ProgramCounters {
  const both = (name: keyof ProgramCounters) => (a[name] === null ? b[name] : a[name] + (b[name] ?? 0));
  return {
    received: both('received'),
    droppedByKernel: both('droppedByKernel'),
    droppedByInterface: both('droppedByInterface'),
    shed: both('shed'),
  };
}

/** One child, from its start to its end, which it always finds. */
class CaptureChild {
  /** Settles once, with the line that says it listens, or with null when it ends before. */
  readonly ready: Promise<string | null>;
  /** Settles once, when the process is gone and its standard error was read. */
  readonly ended: Promise<ChildEnd>;
  counters = NO_COUNTERS;
  /** Lines with counters that came so far: answers to SIGINFO. */
  answers = 0;
  isReady = false;
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  readonly #heardLine: (line: string) => void;
  readonly #lines: string[] = [];
  #partial = '';
  #how: string | null = null;
  #neverRan = false;
  #stopping = false;
  #grace: NodeJS.Timeout | null = null;
  #settleReady: (line: string | null) => void = () => {};
  #settleEnd: (end: ChildEnd) => void = () => {};
  /** The process may end without waiting for us; then it is too late to be gentle. */
  readonly #onExit = () => this.#signal('SIGKILL');

  /**
   * @param graceMs between SIGTERM and SIGKILL, and between the end of the process and that of its standard error
   * @param heard called with each line that is neither readiness nor counters
   */
  constructor(child: ChildProcess, graceMs: number, heard: (line: string) => void) {
    this.#child = child;
    this.#heardLine = heard;
    this.#graceMs = graceMs;
    this.ready = new Promise((resolve) => {
      this.#settleReady = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
    process.once('exit', this.#onExit);
    child.on('error', (error) => this.#failed(error));
    child.once('exit', (status, signal) => this.#gone(signal === null ? `status ${status}` : `killed by ${signal}`));
    child.stderr?.setEncoding('latin1');
    child.stderr?.on('data', (text: string) => this.#heard(text));
    child.stderr?.on('error', () => {});
    child.stderr?.once('close', () => this.#finish());
  }

  /** Sends a signal that asks for counters. @returns false where the system has no such signal, or the child is gone */
  ask(signal: NodeJS.Signals): boolean {
    return this.#signal(signal);
  }

  /** Ends it by `signal`, and by SIGKILL after the grace. May be called again. */
  stop(signal: NodeJS.Signals): void {
    if (this.#stopping || this.#how !== null) return;
    this.#stopping = true;
    this.#signal(signal);
    this.#grace = setTimeout(() => {
      this.#signal('SIGKILL');
      // Where it may not be signalled, it dies at its next write.
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, this.#graceMs);
  }

  #signal(signal: NodeJS.Signals): boolean {
    if (this.#how !== null) return false;
    try {
      return this.#child.kill(signal);
    } catch {
      return false;
    }
  }

  #heard(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#line(sanitize(line.slice(0, LONGEST_LINE)));
  }

  #line(line: string): void {
    if (!this.isReady && isReady(line)) {
      this.isReady = true;
      this.#settleReady(line);
      return;
    }
    const counters = countersOf(line);
    if (counters !== null) {
      this.counters = { ...this.counters, ...counters };
      this.answers++;
    } else if (line !== '') {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      this.#heardLine(line);
    }
  }

  #failed(error: Error): void {
    // The event also reports a signal that could not be sent; only a child without a pid never ran.
    if (this.#child.pid !== undefined) return;
    this.#neverRan = true;
    this.#gone((error as NodeJS.ErrnoException).code ?? reasonOf(error));
    this.#finish();
  }

  #gone(how: string): void {
    if (this.#how !== null) return;
    this.#how = how;
    process.off('exit', this.#onExit);
    if (this.#grace !== null) clearTimeout(this.#grace);
    const { stderr } = this.#child;
    if (stderr === null || stderr.closed) this.#finish();
    else this.#grace = setTimeout(() => stderr.destroy(), this.#graceMs);
  }

  #finish(): void {
    if (this.#how === null) return;
    if (this.#grace !== null) clearTimeout(this.#grace);
    if (this.#partial !== '') this.#line(sanitize(this.#partial));
    this.#partial = '';
    this.#settleReady(null);
    this.#settleEnd({ ready: this.isReady, how: this.#how, neverRan: this.#neverRan, lines: [...this.#lines] });
  }
}

/** What a driver knows about its program. */
export interface CaptureProgram {
  /** As notes call it: `tcpdump`, `cap on eth0`. */
  readonly name: string;
  /** The signal that ends it in order. */
  readonly stop: NodeJS.Signals;
  /** Starts it. @throws whatever `spawn` throws */
  start(): ChildProcess;
  /** Reads what a child writes. @param line in which it said that it listens */
  reader(line: string): Pick<FrameReader, 'fill' | 'malformed' | 'broken' | 'midway'>;
  /** What the user is told of a child that ended before it listened. @param ending how it ended, for when it said nothing */
  failureOf(end: ChildEnd, ending: string): NetmonError;
  /** What a line means after which no other start would help; null for any other line. */
  refusal?(line: string): NetmonError | null;
  /** What is in the way of another start; null when nothing is. */
  obstacle?(): Obstacle | null;
}

/** Why a program can't be started now. */
export interface Obstacle {
  readonly note: string;
  /** It won't go away by itself. */
  readonly isGone: boolean;
}

/** Waits, milliseconds; short ones in tests. */
export interface ProgramTimings {
  /** For the line that says it listens. */
  readonly readyMs: number;
  /** Between the signal that ends it and SIGKILL. */
  readonly graceMs: number;
  /** Before each new start; the last one goes on for ever. */
  readonly backOffMs: readonly number[];
  /** A child that ran as long starts the back-off anew. */
  readonly settledMs: number;
  /** Between two questions for the counters. */
  readonly pollMs: number;
  /** Questions without an answer, after which the child hangs. */
  readonly unanswered: number;
  /** What asks for the counters; null where the system has no such signal. */
  readonly question: NodeJS.Signals | null;
  /** Between two looks at what is in the way of a new start. */
  readonly obstacleMs: number;
}

const TIMINGS: ProgramTimings = {
  readyMs: 10_000,
  graceMs: 1_000,
  backOffMs: [1_000, 2_000, 5_000, 10_000],
  settledMs: 30_000,
  pollMs: 2_000,
  unanswered: 5,
  question: process.platform === 'darwin' ? 'SIGINFO' : null,
  obstacleMs: 1_000,
};

/** The running program, whichever child it is by now. */
export class ProgramCapture {
  state: SourceState = 'waiting';
  note = '';
  failure: NetmonError | null = null;
  /** Settles when it was closed and its child is gone. */
  readonly gone: Promise<void>;
  readonly #program: CaptureProgram;
  readonly #clock: Clock;
  readonly #timings: ProgramTimings;
  readonly #batch = new PacketBatch(BATCH_FRAMES, new Uint8Array(0));
  #child: CaptureChild | null = null;
  #feed: StreamFeed | null = null;
  /** Null until the child listens. */
  #reader: ReturnType<CaptureProgram['reader']> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;
  #closed = false;
  #failures = 0;
  /** Why the running child was told to stop; null when it goes by itself. */
  #stopped: string | null = null;
  #malformed = 0;
  /** Counters of the children before. */
  #past = NO_COUNTERS;
  #settleGone: () => void = () => {};

  constructor(program: CaptureProgram, clock: Clock, timings: Partial<ProgramTimings>) {
    this.#program = program;
    this.#clock = clock;
    this.#timings = { ...TIMINGS, ...timings };
    this.gone = new Promise((resolve) => {
      this.#settleGone = resolve;
    });
  }

  /** Starts the first child, and waits until it listens. @throws NetmonError for its failure */
  async open(): Promise<void> {
    const child = this.#launch();
    if ((await this.#awaitReady(child)) && this.failure === null) {
      this.#supervise(child);
      return;
    }
    this.#closed = true;
    const end = await child.ended;
    this.#settleGone();
    throw this.failure ?? this.#program.failureOf(end, this.#stopped ?? end.how);
  }

  begin(): void {
    while (this.read() !== null);
  }

  read(): PacketBatch | null {
    const batch = this.#batch;
    const feed = this.#feed;
    const reader = this.#reader;
    if (feed === null || reader === null || this.#closed) return null;
    batch.bytes = feed.window.bytes;
    batch.count = 0;
    for (;;) {
      feed.window.start = reader.fill(batch, feed.window.start, feed.window.end);
      if (batch.count > 0) return batch;
      if (reader.broken !== null) {
        this.#abandon(`it wrote garbage: ${reader.broken}`);
        return null;
      }
      if (!feed.refill()) return null;
    }
  }

  stats(): CaptureStats {
    const counters = this.#child === null ? this.#past : sum(this.#past, this.#child.counters);
    return { ...counters, shed: counters.shed ?? 0, malformed: this.#malformed + (this.#reader?.malformed ?? 0) };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.state = 'ended';
    this.#clearTimers();
    this.#feed?.abandon();
    if (this.#child === null) this.#settleGone();
    else this.#child.stop(this.#program.stop);
  }

  #launch(): CaptureChild {
    this.#forget();
    const spawned = this.#program.start();
    const child = new CaptureChild(spawned, this.#timings.graceMs, (line) => this.#heard(line));
    this.#child = child;
    this.#stopped = null;
    if (spawned.stdout !== null) this.#feed = new StreamFeed(spawned.stdout, WINDOW_BYTES);
    return child;
  }

  /** Gives up what the last child left: at most a piece of a record, unless nobody read for the whole back-off. */
  #forget(): void {
    if (this.#reader !== null && this.#feed !== null) {
      const cut = this.#reader.broken === null && (this.#feed.window.length > 0 || this.#reader.midway);
      this.#malformed += this.#reader.malformed + (cut ? 1 : 0);
    }
    this.#feed?.abandon();
    this.#feed = null;
    this.#reader = null;
  }

  async #awaitReady(child: CaptureChild): Promise<boolean> {
    const timeout = setTimeout(() => {
      this.#stopped = `it was not ready after ${seconds(this.#timings.readyMs)}`;
      child.stop(this.#program.stop);
    }, this.#timings.readyMs);
    const line = await child.ready;
    clearTimeout(timeout);
    if (line === null || this.#stopped !== null) return false;
    this.#reader = this.#program.reader(line);
    if (!this.#closed && this.failure === null) {
      this.state = 'open';
      this.note = '';
    }
    return true;
  }

  /** Follows a child that listens to its end, and starts the next. */
  #supervise(child: CaptureChild): void {
    const began = this.#clock.monotonic();
    this.#startPolling(child);
    void child.ended.then((end) => {
      if (end.ready && this.#clock.monotonic() - began >= this.#timings.settledMs) this.#failures = 0;
      this.#past = sum(this.#past, child.counters);
      this.#ended(end);
    });
  }

  #ended(end: ChildEnd): void {
    this.#clearTimers();
    this.#child = null;
    if (this.#closed) {
      this.#settleGone();
      return;
    }
    if (this.failure !== null) return;
    const failure = end.ready ? null : this.#program.failureOf(end, this.#stopped ?? end.how);
    if (failure?.code === 'permission' || failure?.code === 'bad-filter') {
      this.#giveUp(failure);
      return;
    }
    this.#startLater(this.#stopped ?? failure?.message ?? end.lines.at(-1) ?? end.how);
  }

  #startLater(why: string): void {
    const { backOffMs } = this.#timings;
    const wait = backOffMs[Math.min(this.#failures++, backOffMs.length - 1)] ?? 1_000;
    this.state = 'waiting';
    this.note = `${this.#program.name} ended (${why}): starting it again in ${seconds(wait)}`;
    this.#noteObstacle();
    this.#timer = setTimeout(() => this.#again(), wait);
  }

  #again(): void {
    if (this.#noteObstacle()) {
      this.#timer = setTimeout(() => this.#again(), this.#timings.obstacleMs);
      return;
    }
    try {
      const child = this.#launch();
      void this.#awaitReady(child).then(() => this.#supervise(child));
    } catch (thrown) {
      this.#startLater(reasonOf(thrown));
    }
  }

  #noteObstacle(): boolean {
    const obstacle = this.#program.obstacle?.() ?? null;
    if (obstacle === null) return false;
    this.state = obstacle.isGone ? 'lost' : 'waiting';
    this.note = obstacle.note;
    return true;
  }

  /** A filter that can't be compiled shows only once packets come: no other start would help. */
  #heard(line: string): void {
    const refusal = this.failure === null ? (this.#program.refusal?.(line) ?? null) : null;
    if (refusal === null) return;
    this.#giveUp(refusal);
    this.#child?.stop(this.#program.stop);
  }

  #giveUp(failure: NetmonError): void {
    this.failure = failure;
    this.state = 'lost';
    this.note = failure.message;
  }

  /** Ends a child that is of no use; its end starts the next. */
  #abandon(why: string): void {
    if (this.#child === null || this.#stopped !== null) return;
    this.#stopped = why;
    this.state = 'waiting';
    this.note = `${this.#program.name} is stopped: ${why}`;
    this.#feed?.abandon();
    this.#child.stop(this.#program.stop);
  }

  #startPolling(child: CaptureChild): void {
    const { question, pollMs, unanswered } = this.#timings;
    if (question === null || this.#closed || !child.isReady) return;
    let open = 0;
    let answers = child.answers;
    this.#poll = setInterval(() => {
      if (child.answers !== answers) open = 0;
      answers = child.answers;
      // One that we hold back ourselves cannot answer: it hangs in its write.
      if (this.#feed?.full === true) open = 0;
      else if (open >= unanswered) this.#abandon('it hangs');
      else if (child.ask(question)) open++;
    }, pollMs);
  }

  #clearTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#timer = null;
    this.#poll = null;
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
