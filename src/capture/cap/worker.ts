// One interface of the cap driver: the child process that captures it, its frames, and its death and return.

import type { ChildProcess } from 'node:child_process';
import { reasonOf } from '../../model/errors.ts';
import { sanitize } from '../../net/text.ts';
import type { Clock } from '../../system/clock.ts';
import { type Edges, NO_DEBUGGER } from '../../system/edges.ts';
import { PacketBatch } from '../batch.ts';
import { linuxState } from '../devices/linux.ts';
import { StreamFeed } from '../file/byte-feed.ts';
import { dumpedLayout, RecordWalk } from '../file/pcap.ts';
import { type CapWord, LONGEST_CAP_LINE, parseCapLine } from './protocol.ts';

/** What a lane captures. */
export interface LaneRequest {
  readonly device: string;
  readonly bpf: string | null;
  readonly ringBytes: number;
  /** Script of the child (cap-child). */
  readonly script: string;
}

/** `waiting`: it is tried again after a pause; `lost`: it is not. */
export type LaneState = 'starting' | 'open' | 'waiting' | 'lost';

const WINDOW_BYTES = 1 << 20;
const BATCH_FRAMES = 8192;
/** Waits between two starts of a child that dies again and again. */
const BACKOFF_MS = [1000, 2000, 5000, 10_000];
/** A child that lived as long as this was well: the next wait is the shortest again. */
const WELL_MS = 30_000;
/** An interface that is away for this long is gone for good. */
const GONE_MS = 10_000;

/**
 * Captures one interface in a child process, and starts another when that one ends.
 *
 * `cap` ends its process with an assertion when its interface goes down or is removed, within the poll that reports it: no watch on the
 * interface is fast enough to prevent that. So the death of the child is the event.
 */
export class CapLane {
  readonly device: string;
  state: LaneState = 'starting';
  /** Why it waits; empty when it does not. */
  note = '';
  /** Link type as `cap` told it last. */
  linkText = '';
  /** Frames that the child gave up, of all children so far. */
  shed = 0;
  malformed = 0;
  readonly #edges: Edges;
  readonly #clock: Clock;
  readonly #request: LaneRequest;
  #child: ChildProcess | null = null;
  #feed: StreamFeed | null = null;
  #batch: PacketBatch | null = null;
  #walk: RecordWalk | null = null;
  #exited = false;
  #shedBefore = 0;
  #said = '';
  #startedAt = 0;
  #nextTry = 0;
  #absentSince: number | null = null;
  #failures = 0;
  #onWord: ((word: CapWord | null) => void) | null = null;
  /** Index of the interface that frames get, asked for once the link type is known. */
  readonly #interfaceFor: (lane: CapLane) => { link: number; iface: number } | null;

  constructor(
    edges: Edges,
    clock: Clock,
    request: LaneRequest,
    interfaceFor: (lane: CapLane) => { link: number; iface: number } | null,
  ) {
    this.#edges = edges;
    this.#clock = clock;
    this.#request = request;
    this.#interfaceFor = interfaceFor;
    this.device = request.device;
  }

  /** What the child or its runtime said last on standard error; one line. */
  get said(): string {
    return this.#said;
  }

  /**
   * Starts the first child.
   *
   * @returns what it told: `ready`, or why not; null when it ended or said nothing in time
   */
  start(timeoutMs: number): Promise<CapWord | null> {
    return new Promise((resolve) => {
      const done = (word: CapWord | null): void => {
        clearTimeout(timer);
        this.#onWord = null;
        resolve(word);
      };
      const timer = setTimeout(() => done(null), timeoutMs);
      this.#onWord = done;
      this.#launch();
    });
  }

  /** Next frames; null when none wait. */
  read(): PacketBatch | null {
    if (this.state === 'lost') return null;
    const batch = this.#take();
    if (batch === null && this.#exited && (this.#feed?.ended ?? true)) this.#revive();
    return batch;
  }

  close(): void {
    this.state = 'lost';
    this.#onWord = null;
    this.#stop();
  }

  #take(): PacketBatch | null {
    const feed = this.#feed;
    const batch = this.#batch;
    const walk = this.#walk;
    if (feed === null || batch === null || walk === null) return null;
    batch.count = 0;
    do {
      feed.window.start = walk.fill(batch, feed.window.start, feed.window.end);
      if (walk.malformed > 0) {
        this.malformed += walk.malformed;
        walk.malformed = 0;
      }
      if (walk.broken) {
        this.#stop(); // its next words are no records; the exit brings another child
        return batch.count > 0 ? batch : null;
      }
      if (batch.count > 0) return batch;
    } while (feed.refill());
    return null;
  }

  #launch(): void {
    this.#exited = false;
    this.#startedAt = this.#clock.monotonic();
    this.#shedBefore = this.shed;
    this.#walk = null;
    const { device, bpf, ringBytes, script } = this.#request;
    let child: ChildProcess;
    try {
      child = this.#edges.spawn(process.execPath, [NO_DEBUGGER, '--no-warnings', script, device, bpf ?? '', String(ringBytes)]);
    } catch (thrown) {
      this.#said = reasonOf(thrown);
      this.#gone();
      return;
    }
    this.#child = child;
    this.#feed?.close();
    const feed = child.stdout === null ? null : new StreamFeed(child.stdout, WINDOW_BYTES);
    this.#feed = feed;
    this.#batch = feed === null ? null : new PacketBatch(BATCH_FRAMES, feed.window.bytes);
    this.#listen(child);
    child.once('error', (error) => {
      this.#said = reasonOf(error);
      if (child.pid === undefined && this.#child === child) this.#gone();
    });
    child.once('exit', () => {
      if (this.#child === child) this.#gone();
    });
  }

  #listen(child: ChildProcess): void {
    let rest = '';
    child.stderr?.setEncoding('utf8');
    child.stderr?.on('error', () => undefined);
    child.stderr?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-LONGEST_CAP_LINE);
      if (this.#child === child) for (const line of lines) this.#hear(line);
    });
  }

  #hear(line: string): void {
    const word = parseCapLine(line.slice(0, LONGEST_CAP_LINE));
    if (word === null) {
      if (line.trim() !== '') this.#said = sanitize(line.trim());
      return;
    }
    if (word.word === 'shed') {
      if (/^\d{1,15}$/.test(word.text)) this.shed = this.#shedBefore + Number(word.text);
      return;
    }
    this.#onWord?.(word);
    if (word.word === 'ready') this.#ready(word.text);
    else this.#said = sanitize(word.text);
  }

  #ready(linkText: string): void {
    this.linkText = linkText;
    const columns = this.#interfaceFor(this);
    if (columns === null) {
      this.#said = `link type ${sanitize(linkText)} is not decoded`;
      this.#stop();
      return;
    }
    this.#walk = new RecordWalk(dumpedLayout(columns.link, columns.iface));
    this.state = 'open';
    this.note = '';
    this.#absentSince = null;
  }

  /** The child has ended. */
  #gone(): void {
    this.#exited = true;
    if (this.#walk === null) this.#feed?.close(); // it never was ready: there are no records
    this.#onWord?.(null);
    const now = this.#clock.monotonic();
    this.#failures = now - this.#startedAt > WELL_MS ? 0 : this.#failures + 1;
    this.#nextTry = now + (BACKOFF_MS[Math.min(Math.max(0, this.#failures - 1), BACKOFF_MS.length - 1)] as number);
    if (this.state === 'lost') return;
    this.state = 'waiting';
    this.note = `${sanitize(this.device)} went down, or its capture ended${this.#said === '' ? '' : ` (${this.#said})`}; trying again`;
  }

  #revive(): void {
    const now = this.#clock.monotonic();
    if (now < this.#nextTry) return;
    const there = this.#edges.platform === 'linux' && this.device !== 'any' ? linuxState(this.#edges, this.device) : 'up';
    if (there === 'up') {
      this.state = 'waiting';
      this.#launch();
      return;
    }
    this.#nextTry = now + (BACKOFF_MS[0] as number);
    this.#absentSince = there === 'absent' ? (this.#absentSince ?? now) : null;
    this.note = there === 'absent' ? `${sanitize(this.device)} is gone` : `${sanitize(this.device)} is down; waiting for it`;
    if (this.#absentSince !== null && now - this.#absentSince >= GONE_MS) this.state = 'lost';
  }

  #stop(): void {
    this.#walk = null;
    // Not SIGTERM: an orderly end closes the addon's handle, which can abort; and in a flood the child's loop does not turn.
    this.#child?.kill('SIGKILL');
    this.#feed?.close();
  }
}
