// The small process that stays root on macOS. It can run the one tcpdump and the one lsof, stop them, and at the end remove the pktap
// interfaces that this run made. It takes no arguments from the other side, and ends when that is gone, or says anything else.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { COMMAND, FRAME, framesOf, type RootPrograms } from './root-protocol.ts';

/** Between asking tcpdump to end, so that it removes its pktap interface, and killing it. */
const GRACE_MS = 1000;
/** Bytes of what ifconfig prints. */
const MOST_PRINTED = 65_536;
/** How libpcap describes an interface that it made (pcap-darwin.c): by the name and the number of its process. */
const DESCRIPTION = /^\s*desc: libpcap auto cloned device - [^\n]*\.(\d{1,10})\s*$/m;

/** The child's whole work, between its standard input and output. */
export class RootChild {
  /** Settles when there is nothing left to do, and nothing runs any more. */
  readonly ended: Promise<void>;
  readonly #programs: RootPrograms;
  readonly #output: Writable;
  #capture: ChildProcess | null = null;
  #list: ChildProcess | null = null;
  #over = false;
  /** The program is gone, so that its capture is closed. */
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
      for (const byte of bytes) this.#obey(byte);
    });
    const left = () => {
      this.#isAlone = true;
      this.#end();
    };
    for (const event of ['end', 'close', 'error']) input.once(event, left);
    output.on('error', left);
  }

  #obey(byte: number): void {
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
    this.#relay(child.stderr, FRAME.SAID);
    this.#onEnd(child, (how) => {
      this.#capture = null;
      if (how === 'signal SIGKILL' && child.pid !== undefined) this.#owners.add(child.pid); // it could not clear up
      this.#say(FRAME.CAPTURE_END, how);
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
      this.#say(FRAME.LIST_END, cut || how);
    });
  }

  #start({ path, args }: { path: string; args: readonly string[] }): ChildProcess {
    const { env } = this.#programs;
    return spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env, cwd: '/', shell: false });
  }

  /** Hands on what a program writes, no faster than it is taken. */
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
    let told = false;
    const once = (how: string) => {
      if (told) return;
      told = true;
      done(how);
      if (this.#over) this.#leave();
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) once(`error ${error.code ?? 'UNKNOWN'}`);
    });
    child.once('close', (code, signal) => once(signal === null ? `code ${code}` : `signal ${signal}`));
  }

  #say(kind: number, text: string): void {
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
   * libpcap makes one for each capture and removes it on closing, for which it opens /dev/bpf0 (pcap-darwin.c): as a user it can't, and
   * leaves the interface behind. Removing one takes root in any case (xnu bsd/net/if.c, SIOCIFDESTROY).
   */
  async #removeInterfaces(): Promise<void> {
    for (const name of (await this.#ifconfig('-l')).split(/\s+/)) {
      if (!/^pktap\d{1,6}$/.test(name)) continue;
      const owner = DESCRIPTION.exec(await this.#ifconfig('-v', name))?.[1];
      if (owner !== undefined && this.#owners.has(Number(owner))) await this.#ifconfig(name, 'destroy');
    }
  }

  /** @returns what it prints; empty where it fails */
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
        if (text.length < MOST_PRINTED) text += chunk;
      });
      child.once('error', () => resolve(''));
      child.once('close', () => {
        clearTimeout(timer);
        resolve(text);
      });
    });
  }
}
