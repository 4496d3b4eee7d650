// The small process that stays root on macOS. It can run one fixed tcpdump and one fixed lsof command, stop them, and at the end remove this run's
// pktap interfaces. It accepts no arguments from its parent, and exits on any unknown command or when the parent is gone.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** Time between SIGTERM, on which tcpdump removes its pktap interface, and SIGKILL. */
const GRACE_MS = 1000;
/** Most bytes read from ifconfig. */
const MAX_PRINTED = 65_536;
/** libpcap's description of an interface that it created, with the name and pid of the process (pcap-darwin.c). */
const DESCRIPTION = /^\s*desc: libpcap auto cloned device - [^\n]*\.(\d{1,10})\s*$/m;

/** All of the child's work, between its standard input and output. */
export class RootChild {
  /** Resolves when the work is done and no program runs any more. */
  readonly ended: Promise<void>;
  readonly #programs: RootPrograms;
  readonly #output: Writable;
  #capture: ChildProcess | null = null;
  #list: ChildProcess | null = null;
  #over = false;
  /** The parent is gone, so its capture is closed. */
  #isAlone = false;
  /** Processes that may have left a pktap interface behind. */
  readonly #owners: Set<number>;
  #settle: () => void = () => {};

  constructor(programs: RootPrograms, input: Readable, output: Writable) {
    this.#programs = programs;
    this.#output = output;
    this.#owners = new Set([programs.ifconfig.owner]);
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    input.on('data', (bytes: Buffer) => {
      for (const byte of bytes) this.#execute(byte);
    });
    const alone = () => {
      this.#isAlone = true;
      this.#end();
    };
    for (const event of ['end', 'close', 'error']) input.once(event, alone);
    output.on('error', alone);
  }

  #execute(byte: number): void {
    if (this.#over) return;
    if (byte === COMMAND.CAPTURE && this.#capture === null) this.#startCapture();
    else if (byte === COMMAND.LIST && this.#list === null) this.#startList();
    else if (byte === COMMAND.ASK) this.#capture?.kill(this.#programs.question);
    else if (byte === COMMAND.STOP) this.#capture?.kill('SIGTERM');
    else if (byte === COMMAND.KILL) this.#capture?.kill('SIGKILL');
    else this.#end();
  }

  #startCapture(): void {
    const child = this.#start(this.#programs.tcpdump);
    this.#capture = child;
    this.#relay(child.stdout, FRAME.CAPTURED);
    this.#relay(child.stderr, FRAME.MESSAGES);
    this.#onEnd(child, (how) => {
      this.#capture = null;
      if (how === 'signal SIGKILL' && child.pid !== undefined) this.#owners.add(child.pid); // it could not clean up
      this.#send(FRAME.CAPTURE_END, how);
    });
  }

  #startList(): void {
    const { lsof } = this.#programs;
    const child = this.#start(lsof);
    this.#list = child;
    let cut = '';
    let bytes = 0;
    const stop = (why: string) => {
      cut ||= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop('cut time'), lsof.timeoutMs);
    child.stderr?.resume();
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > lsof.maxBytes) stop('cut size');
    });
    this.#relay(child.stdout, FRAME.LISTED);
    this.#onEnd(child, (how) => {
      clearTimeout(timer);
      this.#list = null;
      this.#send(FRAME.LIST_END, cut || how);
    });
  }

  #start({ path, args }: { path: string; args: readonly string[] }): ChildProcess {
    const { env } = this.#programs;
    return spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env, cwd: '/', shell: false });
  }

  /** Forwards a program's output, no faster than the parent reads it. */
  #relay(from: Readable | null, kind: number): void {
    from?.on('error', () => undefined);
    from?.on('data', (chunk: Buffer) => {
      let flows = true;
      for (const part of framesOf(kind, chunk)) flows = this.#output.write(part);
      if (flows || this.#over) return;
      from.pause();
      this.#output.once('drain', () => from.resume());
    });
  }

  #onEnd(child: ChildProcess, done: (how: string) => void): void {
    let isDone = false;
    const once = (how: string) => {
      if (isDone) return;
      isDone = true;
      done(how);
      if (this.#over) this.#leave();
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) once(`error ${error.code ?? 'UNKNOWN'}`);
    });
    child.once('close', (code, signal) => once(signal === null ? `code ${code}` : `signal ${signal}`));
  }

  #send(kind: number, text: string): void {
    if (!this.#over) for (const part of framesOf(kind, Buffer.from(text))) this.#output.write(part);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const pipe of [this.#capture?.stdout, this.#capture?.stderr, this.#list?.stdout]) pipe?.resume();
    this.#list?.kill('SIGKILL');
    this.#capture?.kill('SIGTERM');
    setTimeout(() => this.#capture?.kill('SIGKILL'), GRACE_MS).unref();
    this.#leave();
  }

  #leave(): void {
    if (this.#capture !== null || this.#list !== null) return;
    if (!this.#isAlone) this.#settle();
    else void this.#removeInterfaces().then(() => this.#settle());
  }

  /**
   * Removes the pktap interfaces of this run.
   *
   * libpcap creates one for each capture. To remove it on close, libpcap opens /dev/bpf0 (pcap-darwin.c), which it can't without root, so the
   * interface stays. Removing one needs root in any case (xnu bsd/net/if.c, SIOCIFDESTROY).
   */
  async #removeInterfaces(): Promise<void> {
    for (const name of (await this.#ifconfig('-l')).split(/\s+/)) {
      if (!/^pktap\d{1,6}$/.test(name)) continue;
      const owner = DESCRIPTION.exec(await this.#ifconfig('-v', name))?.[1];
      if (owner !== undefined && this.#owners.has(Number(owner))) await this.#ifconfig(name, 'destroy');
    }
  }

  /** @returns its output; empty on failure */
  #ifconfig(...args: string[]): Promise<string> {
    const { path, timeoutMs } = this.#programs.ifconfig;
    return new Promise((resolve) => {
      const child = this.#start({ path, args });
      let text = '';
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        resolve('');
      }, timeoutMs);
      child.stderr?.resume();
      child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
        if (text.length < MAX_PRINTED) text += chunk;
      });
      child.once('error', () => resolve(''));
      child.once('close', () => {
        clearTimeout(timer);
        resolve(text);
      });
    });
  }
}

// The protocol between parent and root child: commands of one byte, answers in frames of bounded length. Commands have no arguments: what the
// child may run was fixed when it was started, as root.

/** Commands, one byte each. Any other byte ends the child. */
export const COMMAND = { CAPTURE: 0x43, ASK: 0x49, STOP: 0x53, KILL: 0x4b, LIST: 0x4c } as const;

/** Kinds of frames. The *_END frames are text: `code N`, `signal NAME`, `error CODE`, and for the list also `cut time`, `cut size`. */
export const FRAME = { CAPTURED: 1, MESSAGES: 2, CAPTURE_END: 3, LISTED: 4, LIST_END: 5 } as const;

/** Kind u8, three zeros, length of the payload u32 little-endian. */
const FRAME_HEADER = 8;
/** Longest payload. */
const LONGEST_FRAME = 64 * 1024;

/** The programs that the child may run, with their arguments and limits. */
export interface RootPrograms {
  readonly tcpdump: { readonly path: string; readonly args: readonly string[] };
  readonly lsof: {
    readonly path: string;
    readonly args: readonly string[];
    readonly timeoutMs: number;
    readonly maxBytes: number;
  };
  /** ifconfig, which lists interfaces and removes pktap interfaces of `owner`, the parent process. */
  readonly ifconfig: { readonly path: string; readonly owner: number; readonly timeoutMs: number };
  /** The signal that makes tcpdump print its counters. */
  readonly question: NodeJS.Signals;
  readonly env: Readonly<Record<string, string>>;
}

/** Splits bytes into frames of at most LONGEST_FRAME. */
export function framesOf(kind: number, bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += LONGEST_FRAME) {
    const part = bytes.subarray(at, at + LONGEST_FRAME);
    const header = Buffer.alloc(FRAME_HEADER);
    header.writeUInt8(kind, 0);
    header.writeUInt32LE(part.length, 4);
    frames.push(header, part);
  }
  return frames;
}

/** Parses frames from a stream. Buffers at most one frame. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns false if the bytes aren't frames; the rest of the stream is then useless */
  take(chunk: Buffer, each: (kind: number, payload: Buffer) => void): boolean {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= FRAME_HEADER) {
      const kind = bytes.readUInt8(0);
      const length = bytes.readUInt32LE(4);
      if (kind < FRAME.CAPTURED || kind > FRAME.LIST_END || length > LONGEST_FRAME || bytes.readUIntLE(1, 3) !== 0) return false;
      if (bytes.length < FRAME_HEADER + length) break;
      each(kind, bytes.subarray(FRAME_HEADER, FRAME_HEADER + length));
      bytes = bytes.subarray(FRAME_HEADER + length);
    }
    this.#rest = Buffer.from(bytes);
    return true;
  }
}
