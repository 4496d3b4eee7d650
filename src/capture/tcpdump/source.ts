// The driver `tcpdump`: Apple's tcpdump as a child, whose pcapng stream names a process with every packet. It is started again when it
// hangs, dies or writes garbage; it is never left behind.

import { NetmonError } from '../../model/errors.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { PacketBatch } from '../batch.ts';
import { StreamFeed } from '../file/byte-feed.ts';
import { PcapngReader } from '../file/pcapng.ts';
import { InterfaceTable } from '../interface-names.ts';
import { ProcessTable } from '../process-names.ts';
import type { CapturedProcess, CaptureInterface, CaptureRequest, CaptureStats, PacketSource, SourceState } from '../source.ts';
import {
  type ChildEnd,
  FRAME_SNAP_BYTES,
  failureOf,
  filterRefusal,
  TcpdumpChild,
  type TcpdumpCounters,
  tcpdumpArguments,
} from './child.ts';

const WINDOW_BYTES = 1024 * 1024;
const BATCH_FRAMES = 8_192;

/** A capture through Apple's tcpdump. */
export interface TcpdumpSource extends PacketSource {
  readonly driver: 'tcpdump';
  /** Settles when the source was closed and its child is gone. */
  readonly gone: Promise<void>;
}

/**
 * Starts Apple's tcpdump on PKTAP and waits until it listens. Needs root.
 *
 * @throws NetmonError `permission`, `no-device` (also where there is no tcpdump of Apple's, or it does not get ready), `bad-filter`,
 * `usage` for more than eight interfaces
 */
export async function openTcpdump(
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  timings: Partial<TcpdumpTimings> = {},
): Promise<TcpdumpSource> {
  const args = tcpdumpArguments(request);
  await requireApple(edges);
  const source = new TcpdumpCapture(request, args, edges, clock, { ...TCPDUMP_TIMINGS, ...timings });
  await source.start();
  return source;
}

/** Others know nothing of PKTAP, and call the option something else. */
async function requireApple(edges: Edges): Promise<void> {
  const path = edges.paths.tcpdump;
  const { stdout, stderr, failure } = await edges.run(path, ['--version'], { timeoutMs: 5_000, maxBytes: 65_536 });
  if (failure !== null) throw new NetmonError('no-device', `cannot run ${path}: ${failure}`, 'netmon-tui --driver libpcap');
  if (!/Apple version/.test(stdout + stderr)) {
    throw new NetmonError('no-device', `${path} is not the tcpdump of macOS`, 'netmon-tui --driver libpcap');
  }
}

class TcpdumpCapture implements TcpdumpSource {
  readonly driver = 'tcpdump';
  readonly interfaces: readonly CaptureInterface[];
  readonly processes: readonly CapturedProcess[];
  readonly namesProcesses = true;
  readonly snapLength = { bulk: FRAME_SNAP_BYTES, whole: FRAME_SNAP_BYTES };
  readonly bufferBytes: number;
  readonly gone: Promise<void>;
  state: SourceState = 'waiting';
  note = '';
  failure: NetmonError | null = null;
  readonly #request: CaptureRequest;
  readonly #args: readonly string[];
  readonly #edges: Edges;
  readonly #clock: Clock;
  readonly #timings: TcpdumpTimings;
  readonly #interfaces = new InterfaceTable();
  readonly #processes = new ProcessTable();
  readonly #batch = new PacketBatch(BATCH_FRAMES, new Uint8Array(0));
  #child: TcpdumpChild | null = null;
  #feed: StreamFeed | null = null;
  #reader: PcapngReader | null = null;
  #timer: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;
  #closed = false;
  #failures = 0;
  /** Why the running child was told to stop; null when it goes by itself. */
  #stopped: string | null = null;
  #malformed = 0;
  /** Counters of the children before. */
  #past: TcpdumpCounters = { received: null, droppedByKernel: null, droppedByInterface: null };
  #settleGone: () => void = () => {};

  constructor(request: CaptureRequest, args: readonly string[], edges: Edges, clock: Clock, timings: TcpdumpTimings) {
    this.#request = request;
    this.#args = args;
    this.#edges = edges;
    this.#clock = clock;
    this.#timings = timings;
    this.bufferBytes = request.bufferBytes;
    this.interfaces = this.#interfaces.interfaces;
    this.processes = this.#processes.processes;
    this.gone = new Promise((resolve) => {
      this.#settleGone = resolve;
    });
  }

  /** Starts the first child; its failure is the user's to hear. */
  async start(): Promise<void> {
    const child = this.#launch();
    if ((await this.#awaitReady(child)) && this.failure === null) {
      this.#supervise(child);
      return;
    }
    this.#closed = true;
    const end = await child.ended;
    this.#settleGone();
    if (this.failure !== null) throw this.failure;
    if (end.neverRan) {
      const path = this.#edges.paths.tcpdump;
      throw new NetmonError('no-device', `cannot run ${path}: ${end.how}`, 'netmon-tui --driver libpcap');
    }
    throw failureOf(end.lines, this.#stopped ?? end.how, this.#request);
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
    const now = this.#child?.counters ?? null;
    return {
      received: sum(this.#past.received, now?.received ?? null),
      droppedByKernel: sum(this.#past.droppedByKernel, now?.droppedByKernel ?? null),
      droppedByInterface: sum(this.#past.droppedByInterface, now?.droppedByInterface ?? null),
      shed: 0,
      malformed: this.#malformed + (this.#reader?.malformed ?? 0),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.state = 'ended';
    this.#clearTimers();
    this.#feed?.abandon();
    if (this.#child === null) this.#settleGone();
    else this.#child.stop();
  }

  #launch(): TcpdumpChild {
    this.#forget();
    const spawned = this.#edges.spawn(this.#edges.paths.tcpdump, this.#args);
    const child = new TcpdumpChild(spawned, this.#timings.graceMs, (line) => this.#heard(line));
    this.#child = child;
    this.#stopped = null;
    if (spawned.stdout !== null) {
      this.#feed = new StreamFeed(spawned.stdout, WINDOW_BYTES);
      this.#reader = new PcapngReader(this.#interfaces, this.#processes, true);
    }
    return child;
  }

  /** Gives up what the last child left: at most a piece of a block, unless nobody read for the whole back-off. */
  #forget(): void {
    if (this.#reader !== null && this.#feed !== null) {
      const cut = this.#reader.broken === null && (this.#feed.window.length > 0 || this.#reader.midway);
      this.#malformed += this.#reader.malformed + (cut ? 1 : 0);
    }
    this.#feed?.abandon();
    this.#feed = null;
    this.#reader = null;
  }

  async #awaitReady(child: TcpdumpChild): Promise<boolean> {
    const timeout = setTimeout(() => {
      this.#stopped = `it was not ready after ${seconds(this.#timings.readyMs)}`;
      child.stop();
    }, this.#timings.readyMs);
    const ready = (await child.ready) && this.#stopped === null;
    clearTimeout(timeout);
    if (ready && !this.#closed && this.failure === null) {
      this.state = 'open';
      this.note = '';
    }
    return ready;
  }

  /** Follows a child that listens to its end, and starts the next. */
  #supervise(child: TcpdumpChild): void {
    const began = this.#clock.monotonic();
    this.#startPolling(child);
    void child.ended.then((end) => {
      if (end.ready && this.#clock.monotonic() - began >= this.#timings.settledMs) this.#failures = 0;
      this.#ended(end);
    });
  }

  #ended(end: ChildEnd): void {
    this.#clearTimers();
    const { counters } = this.#child ?? { counters: this.#past };
    this.#past = {
      received: sum(this.#past.received, counters.received),
      droppedByKernel: sum(this.#past.droppedByKernel, counters.droppedByKernel),
      droppedByInterface: sum(this.#past.droppedByInterface, counters.droppedByInterface),
    };
    this.#child = null;
    if (this.#closed) {
      this.#settleGone();
      return;
    }
    if (this.failure !== null) return;
    const failure = end.ready ? null : failureOf(end.lines, this.#stopped ?? end.how, this.#request);
    if (end.neverRan) {
      this.state = 'lost';
      this.note = `tcpdump cannot be run: ${end.how}`;
      return;
    }
    if (failure?.code === 'permission' || failure?.code === 'bad-filter') {
      this.#giveUp(failure);
      return;
    }
    const { backOffMs } = this.#timings;
    const wait = backOffMs[Math.min(this.#failures++, backOffMs.length - 1)] ?? 1_000;
    const why = this.#stopped ?? failure?.message ?? end.lines.at(-1) ?? end.how;
    this.state = 'waiting';
    this.note = `tcpdump ended (${why}): starting it again in ${seconds(wait)}`;
    this.#timer = setTimeout(() => this.#again(), wait);
  }

  #again(): void {
    const child = this.#launch();
    void this.#awaitReady(child).then(() => this.#supervise(child));
  }

  /** A filter that can't be compiled shows only once packets come: no other start would help. */
  #heard(line: string): void {
    const refusal = this.failure === null ? filterRefusal(line, this.#request.bpf) : null;
    if (refusal === null) return;
    this.#giveUp(refusal);
    this.#child?.stop();
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
    this.note = `tcpdump is stopped: ${why}`;
    this.#feed?.abandon();
    this.#child.stop();
  }

  #startPolling(child: TcpdumpChild): void {
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

function sum(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

// How long the tcpdump driver waits for what. Values only.

/** Waits of the driver, milliseconds; short ones in tests. */
export interface TcpdumpTimings {
  /** For the line that says it listens. */
  readonly readyMs: number;
  /** Between SIGTERM and SIGKILL. */
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
}

/** What a user gets. */
export const TCPDUMP_TIMINGS: TcpdumpTimings = {
  readyMs: 10_000,
  graceMs: 1_000,
  backOffMs: [1_000, 2_000, 5_000, 10_000],
  settledMs: 30_000,
  pollMs: 2_000,
  unanswered: 5,
  question: process.platform === 'darwin' ? 'SIGINFO' : null,
};
