// The program at work in a namespace, read through its JSON.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A row of `apps`, as far as tests look. */
export interface AppSeen {
  readonly app: string | null;
  readonly reason: string | null;
  readonly exe: string | null;
  readonly pids: readonly number[];
  readonly flows: number;
  readonly tx_packets: number;
  readonly rx_bytes: number;
  readonly tx_bytes: number;
}

/** A row of `flows`, as far as tests look. */
export interface FlowSeen {
  readonly protocol: string;
  readonly interface: string;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  readonly direction: string;
  readonly app: string | null;
  readonly pid: number | null;
  readonly attribution: string;
  readonly reason: string | null;
  readonly peer_app: string | null;
  readonly peer_pid: number | null;
  readonly rx_bytes: number;
  readonly tx_bytes: number;
}

/** A sample, or the end. */
export interface Sample {
  readonly type: string;
  readonly capture: {
    readonly attribution: string;
    readonly note: string | null;
    readonly dropped: number | null;
    readonly fallbacks: readonly { readonly driver: string; readonly reason: string }[];
  };
  readonly total: { readonly rx_bytes: number; readonly tx_bytes: number; readonly unowned_bytes: number };
  readonly apps: readonly AppSeen[];
  readonly flows: readonly FlowSeen[];
}

const LONGEST_WAIT_MS = 30_000;

/** How the program is started. */
export interface WatchRequest {
  readonly bin: string;
  readonly namespace: string;
  readonly interfaces: readonly string[];
  /** Words before the program's own: setpriv and the like. */
  readonly under?: readonly string[];
}

/** One run of the program. */
export class Watcher {
  readonly #child: ChildProcess;
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #waiting: (() => void)[] = [];
  /** What it wrote to standard error. */
  errors = '';
  /** The newest sample. */
  last: Sample | null = null;
  /** Flows that closed. */
  readonly closed: FlowSeen[] = [];

  private constructor({ bin, namespace, interfaces, under = [] }: WatchRequest) {
    const devices = interfaces.flatMap((name) => ['-i', name]);
    const words = [...under, process.execPath, bin, ...devices, '--json', '--interval', '250ms'];
    this.#child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(JSON.parse(line)));
    this.#ended = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal });
        this.#wake();
      }),
    );
  }

  /** Starts it and waits for its first sample. */
  static async start(request: WatchRequest): Promise<Watcher> {
    const watcher = new Watcher(request);
    await watcher.until(() => watcher.last !== null);
    if (watcher.last === null) throw new Error(`netmon-tui did not start: ${watcher.errors}`);
    return watcher;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until `done` holds, asked at each line; gives up after a while, so that the caller's expectation tells what is wrong. */
  async until(done: () => boolean): Promise<void> {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    while (!done() && performance.now() < deadline && this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - performance.now());
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The app of an executable, once `settled` holds of it, or as it is after a while. */
  async app(exe: string, settled: (row: AppSeen) => boolean): Promise<AppSeen | undefined> {
    const find = () => this.last?.apps.find((row) => row.exe === exe);
    await this.until(() => {
      const row = find();
      return row !== undefined && settled(row);
    });
    return find();
  }

  /** Ends it. @returns the last line, and how it ended */
  async stop(signal: NodeJS.Signals = 'SIGTERM') {
    this.#child.kill(signal);
    const ended = await this.#ended;
    return { ...ended, end: this.last };
  }

  #take(line: Sample & { type: string }): void {
    if (line.type === 'sample' || line.type === 'end') this.last = line;
    else if (line.type === 'close') this.closed.push(line as unknown as FlowSeen);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
