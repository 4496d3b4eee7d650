// One running tcpdump: its readiness, its standard error, its counters, and its end, which it always finds.

import type { ChildProcess } from 'node:child_process';
import { reasonOf } from '../errors.ts';
import { sanitize } from '../net/text.ts';
import { countersOf, isReady, type TcpdumpCounters } from './tcpdump-messages.ts';

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

/** A tcpdump child, from its start to its end. */
export class TcpdumpChild {
  /** Settles once, when it listens or ends before. */
  readonly ready: Promise<boolean>;
  /** Settles once, when the process is gone and its standard error was read. */
  readonly ended: Promise<ChildEnd>;
  counters: TcpdumpCounters = { received: null, droppedByKernel: null, droppedByInterface: null };
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
  #settleReady: (ready: boolean) => void = () => {};
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

  /** Ends it: SIGTERM, so that it removes its pktap interface; SIGKILL after the grace. May be called again. */
  stop(): void {
    if (this.#stopping || this.#how !== null) return;
    this.#stopping = true;
    this.#signal('SIGTERM');
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
      this.#settleReady(true);
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
    this.#settleReady(false);
    this.#settleEnd({ ready: this.isReady, how: this.#how, neverRan: this.#neverRan, lines: [...this.#lines] });
  }
}
