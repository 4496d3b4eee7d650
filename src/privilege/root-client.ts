// The parent's side of the root child: makes its tcpdump and lsof look like local children. It validates everything that the child sends.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { Edges, RunResult } from '../system/edges.ts';
import { COMMAND, FRAME, FrameReader, type RootPrograms } from './root-child.ts';

const GONE = 'error EPIPE';
/** How long to wait for the child to end. It runs a few programs that take milliseconds. */
const CLOSE_MS = 2000;

/** A tcpdump that runs in the root child, with the parts of ChildProcess that the capture uses. */
class RemoteCapture extends EventEmitter {
  readonly stdout: Readable;
  readonly stderr: Readable;
  pid: number | undefined;
  readonly #command: (byte: number) => boolean;

  constructor(pid: number | undefined, command: (byte: number) => boolean, flow: () => void) {
    super();
    this.pid = pid;
    this.#command = command;
    this.stdout = new Readable({ read: flow });
    this.stderr = new Readable({ read: flow });
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#command(signal === 'SIGKILL' ? COMMAND.KILL : signal === 'SIGTERM' ? COMMAND.STOP : COMMAND.ASK);
  }

  end(how: string): void {
    const [kind, word = ''] = how.split(' ');
    if (kind === 'error') {
      this.pid = undefined;
      this.emit('error', Object.assign(new Error(word), { code: word }));
    } else this.emit('exit', kind === 'code' ? Number(word) : null, kind === 'signal' ? word : null);
    this.stdout.push(null);
    this.stderr.push(null);
    this.stderr.resume();
  }
}

interface Listing {
  readonly chunks: Buffer[];
  bytes: number;
  readonly resolve: (result: RunResult) => void;
}

/** Sends commands to the root child, through edges that look like the usual ones. */
export class RootClient {
  readonly #child: ChildProcess;
  readonly #programs: RootPrograms;
  readonly #reader = new FrameReader();
  #capture: RemoteCapture | null = null;
  #listing: Listing | null = null;
  #gone = false;

  /** @param child the root child, just started, with pipes for standard input and output */
  constructor(child: ChildProcess, programs: RootPrograms) {
    this.#child = child;
    this.#programs = programs;
    child.stdin?.on('error', () => undefined);
    child.stdout?.on('error', () => undefined);
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.#gone && !this.#reader.take(chunk, (kind, payload) => this.#receive(kind, payload))) this.#lose();
    });
    child.once('error', () => this.#lose());
    child.once('close', () => this.#lose());
  }

  /** The given edges, except that tcpdump and lsof with their fixed arguments run as root. */
  edges(edges: Edges): Edges {
    const { tcpdump, lsof } = this.#programs;
    const is = (program: { path: string; args: readonly string[] }, path: string, args: readonly string[]) =>
      path === program.path && args.length === program.args.length && args.every((arg, i) => arg === program.args[i]);
    return {
      ...edges,
      euid: () => 0, // what needs root runs as root, even after we have dropped it
      spawn: (path, args) => (is(tcpdump, path, args) ? this.#startCapture() : edges.spawn(path, args)),
      run: (path, args, limits) => (is(lsof, path, args) ? this.#list() : edges.run(path, args, limits)),
    };
  }

  /** Makes the child stop its programs, clean up and exit. Resolves when it has, or after CLOSE_MS. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    this.#child.stdout?.resume();
    if (this.#gone) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS);
      this.#child.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #startCapture(): ChildProcess {
    const flow = () => this.#child.stdout?.resume();
    const capture = new RemoteCapture(this.#child.pid, (byte) => this.#command(byte), flow);
    if (this.#capture !== null || !this.#command(COMMAND.CAPTURE)) queueMicrotask(() => capture.end(GONE));
    else this.#capture = capture;
    return capture as unknown as ChildProcess;
  }

  #list(): Promise<RunResult> {
    return new Promise((resolve) => {
      const refused: RunResult = { status: null, stdout: '', stderr: '', cut: null, failure: 'EPIPE' };
      if (this.#listing !== null || !this.#command(COMMAND.LIST)) resolve(refused);
      else this.#listing = { chunks: [], bytes: 0, resolve };
    });
  }

  #command(byte: number): boolean {
    if (this.#gone || this.#child.stdin?.writable !== true) return false;
    this.#child.stdin.write(Buffer.from([byte]));
    return true;
  }

  #receive(kind: number, payload: Buffer): void {
    const bytes = Buffer.from(payload);
    if (kind === FRAME.CAPTURED || kind === FRAME.MESSAGES) {
      const stream = kind === FRAME.CAPTURED ? this.#capture?.stdout : this.#capture?.stderr;
      if (bytes.length > 0 && stream?.push(bytes) === false) this.#child.stdout?.pause();
    } else if (kind === FRAME.CAPTURE_END) {
      const capture = this.#capture;
      this.#capture = null;
      capture?.end(endOf(bytes));
    } else if (kind === FRAME.LISTED) {
      const listing = this.#listing;
      if (listing === null) return;
      listing.bytes += bytes.length;
      if (listing.bytes <= this.#programs.lsof.maxBytes) listing.chunks.push(bytes);
    } else this.#listed(endOf(bytes));
  }

  #listed(how: string): void {
    const listing = this.#listing;
    this.#listing = null;
    const [kind, word = ''] = how.split(' ');
    listing?.resolve({
      status: kind === 'code' ? Number(word) : null,
      stdout: Buffer.concat(listing.chunks).toString('utf8'),
      stderr: '',
      cut: how === 'cut time' ? 'time' : how === 'cut size' ? 'size' : null,
      failure: kind === 'error' ? word : null,
    });
  }

  #lose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#child.stdin?.destroy();
    const capture = this.#capture;
    this.#capture = null;
    capture?.end(GONE);
    if (this.#listing !== null) this.#listed(GONE);
  }
}

/** The text of an *_END frame; `code 1` if it is malformed. */
function endOf(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return /^(code \d{1,3}|signal SIG[A-Z0-9]{1,10}|error [A-Z0-9_]{1,20}|cut (time|size))$/.test(text) ? text : 'code 1';
}
