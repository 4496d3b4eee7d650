// One interface of the cap driver: its child process, and the next one when that dies.

import type { ChildProcess } from 'node:child_process';
import { reasonOf } from '../../model/errors.ts';
import { sanitize } from '../../net/text.ts';
import type { Clock } from '../../system/clock.ts';
import { type Edges, NO_DEBUGGER } from '../../system/edges.ts';
import { PacketBatch } from '../batch.ts';
import { linuxState } from '../devices/linux.ts';
import { StreamFeed } from '../file/byte-feed.ts';
import { dumpedLayout, RecordWalk } from '../file/pcap.ts';
import { type CapMessage, LONGEST_CAP_LINE, parseCapLine } from './protocol.ts';

/** What a child captures. */
export interface CapJob {
  readonly device: string;
  readonly bpf: string | null;
  readonly ringBytes: number;
  /** Script of the child. */
  readonly script: string;
  /** Index of the source's interface with this LINKTYPE. */
  interfaceFor(link: number): number;
}

const WINDOW_BYTES = 1 << 20;
const BATCH_FRAMES = 8192;

/** One child process, from its start to its end. */
class CapChild {
  /** Settles with its first message, or null when it ended without one. */
  readonly opened: Promise<CapMessage | null>;
  ended = false;
  shed = 0;
  malformed = 0;
  /** The last line on standard error that was not a message, or a failure's text. */
  said = '';
  readonly #process: ChildProcess;
  readonly #job: CapJob;
  readonly #feed: StreamFeed | null;
  readonly #batch: PacketBatch;
  readonly #settle: (message: CapMessage | null) => void;
  /** Null until it is ready: until then there are no records. */
  #walk: RecordWalk | null = null;

  /** @throws whatever `spawn` throws */
  constructor(edges: Edges, job: CapJob) {
    let settle: (message: CapMessage | null) => void = () => undefined;
    this.opened = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    this.#job = job;
    const { device, bpf, ringBytes, script } = job;
    const words = [NO_DEBUGGER, '--no-warnings', script, device, bpf ?? '', String(ringBytes)];
    this.#process = edges.spawn(process.execPath, words);
    const { stdout, stderr } = this.#process;
    this.#feed = stdout === null ? null : new StreamFeed(stdout, WINDOW_BYTES);
    this.#batch = new PacketBatch(BATCH_FRAMES, this.#feed?.window.bytes ?? new Uint8Array(0));
    let rest = '';
    stderr?.setEncoding('utf8');
    stderr?.on('error', () => undefined);
    stderr?.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-LONGEST_CAP_LINE);
      for (const line of lines) this.#hear(line.slice(0, LONGEST_CAP_LINE));
    });
    this.#process.once('error', (error) => {
      this.said = reasonOf(error);
      if (this.#process.pid === undefined) this.#end();
    });
    this.#process.once('exit', () => this.#end());
  }

  /** True once it has opened its interface, also after its end. */
  get wasReady(): boolean {
    return this.#walk !== null;
  }

  /** True when it has ended and all its frames were read. */
  get isEmpty(): boolean {
    return this.ended && (this.#feed?.ended ?? true);
  }

  read(): PacketBatch | null {
    const [feed, batch, walk] = [this.#feed, this.#batch, this.#walk];
    if (feed === null || walk === null) return null;
    batch.count = 0;
    do {
      feed.window.start = walk.fill(batch, feed.window.start, feed.window.end);
      this.malformed = walk.malformed;
      if (walk.broken) this.stop(); // no record can be found behind a broken one
      if (batch.count > 0) return batch;
    } while (!walk.broken && feed.refill());
    return null;
  }

  /** SIGKILL: an orderly end would close the addon's handle, which can abort, and in a flood the child sees no other signal. */
  stop(): void {
    this.#process.kill('SIGKILL');
    this.#feed?.close();
  }

  #hear(line: string): void {
    const message = parseCapLine(line);
    if (message?.kind === 'shed') {
      if (/^\d{1,15}$/.test(message.text)) this.shed = Number(message.text);
      return;
    }
    if (message?.kind === 'ready') {
      const link = Number(message.text);
      this.#walk = new RecordWalk(dumpedLayout(link, this.#job.interfaceFor(link)));
    } else if (line.trim() !== '') this.said = sanitize(message?.text ?? line.trim());
    if (message !== null) this.#settle(message);
  }

  #end(): void {
    this.ended = true;
    if (this.#walk === null) this.#feed?.close();
    this.#settle(null);
  }
}

/** The pause before the next child; doubled, up to the longest, while children die before they are ready. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
/** An interface that is missing for this long won't be waited for. */
const GONE_MS = 10_000;

/**
 * Captures one interface, and restarts the child when it dies.
 *
 * `cap` aborts its process within the very poll that reports that the interface is down or gone: nothing can be done before that. So the death
 * of the child is how the worker learns of it.
 */
export class CapWorker {
  /** The interface is gone for good, or the worker is closed. */
  lost = false;
  readonly #edges: Edges;
  readonly #clock: Clock;
  readonly #job: CapJob;
  #child: CapChild;
  /** Monotonic time of the next start; null while the child lives. */
  #nextStart: number | null = null;
  #pause = PAUSE_MS;
  #absentSince: number | null = null;
  #trouble = '';
  /** Counts of earlier children. */
  #shed = 0;
  #malformed = 0;

  /** Starts the first child. @throws whatever `spawn` throws */
  constructor(edges: Edges, clock: Clock, job: CapJob) {
    this.#edges = edges;
    this.#clock = clock;
    this.#job = job;
    this.#child = new CapChild(edges, job);
  }

  get device(): string {
    return this.#job.device;
  }

  /** The first message of the current child; null when it ended without one. */
  get opened(): Promise<CapMessage | null> {
    return this.#child.opened;
  }

  get isOpen(): boolean {
    return !this.lost && this.#child.wasReady && !this.#child.ended;
  }

  /** Why no frames come; empty while they do. */
  get note(): string {
    return this.isOpen ? '' : this.#trouble;
  }

  /** The last words of the child on standard error. */
  get said(): string {
    return this.#child.said;
  }

  /** Frames lost because the pipe was full, and broken records; of all children so far. */
  get shed(): number {
    return this.#shed + this.#child.shed;
  }
  get malformed(): number {
    return this.#malformed + this.#child.malformed;
  }

  /** The next frames; null when none wait. */
  read(): PacketBatch | null {
    if (this.lost) return null;
    const batch = this.#child.read();
    if (batch === null && this.#child.isEmpty) this.#revive();
    return batch;
  }

  close(): void {
    this.lost = true;
    this.#child.stop();
  }

  #revive(): void {
    const now = this.#clock.monotonic();
    const name = sanitize(this.device);
    if (this.#nextStart === null) {
      this.#pause = this.#child.wasReady ? PAUSE_MS : Math.min(LONGEST_PAUSE_MS, this.#pause * 2);
      this.#nextStart = now + this.#pause;
      this.#trouble = `${name} went down, or its capture ended${this.said === '' ? '' : ` (${this.said})`}; trying again`;
    }
    if (now < this.#nextStart) return;
    const state = this.device === 'any' ? 'up' : linuxState(this.#edges, this.device);
    if (state === 'up') {
      this.#restart(now);
      return;
    }
    this.#nextStart = now + PAUSE_MS;
    this.#absentSince = state === 'absent' ? (this.#absentSince ?? now) : null;
    this.#trouble = state === 'absent' ? `${name} is gone` : `${name} is down; waiting for it`;
    this.lost = this.#absentSince !== null && now - this.#absentSince >= GONE_MS;
  }

  #restart(now: number): void {
    const dead = this.#child;
    try {
      this.#child = new CapChild(this.#edges, this.#job);
    } catch (thrown) {
      this.#trouble = `can't start a process for ${sanitize(this.device)}: ${reasonOf(thrown)}`;
      this.#nextStart = now + LONGEST_PAUSE_MS;
      return;
    }
    this.#shed += dead.shed;
    this.#malformed += dead.malformed;
    this.#nextStart = null;
    this.#absentSince = null;
  }
}
