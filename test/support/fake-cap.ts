// The package `cap` as a fake, and its child process as a fake around the real relay: frames are pushed in, nothing is spawned.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { type CapHandle, type CapModule, CapRelay } from '../../src/capture/cap/relay.ts';
import { reasonOf } from '../../src/model/errors.ts';

/** What a fake capture was opened with; `emit` is what the addon does with a packet. */
export class FakeCapture extends EventEmitter implements CapHandle {
  opened: [string, string, number] | null = null;
  buffer: Buffer | null = null;
  readonly #answer: string | Error;

  constructor(answer: string | Error) {
    super();
    this.#answer = answer;
  }

  open(device: string, filter: string, ringBytes: number, buffer: Buffer): string {
    this.opened = [device, filter, ringBytes];
    this.buffer = buffer;
    if (this.#answer instanceof Error) throw this.#answer;
    return this.#answer;
  }

  push(frame: Uint8Array): void {
    this.buffer?.set(frame);
    this.emit('packet', frame.length, false);
  }
}

/** A module whose `open` answers a link type or throws. */
export function fakeCap(answer: string | Error): { module: CapModule; captures: FakeCapture[] } {
  const captures: FakeCapture[] = [];
  class Cap extends FakeCapture {
    constructor() {
      super(answer);
      captures.push(this);
    }
  }
  return { module: { Cap }, captures };
}

/** A child process that was never started. */
export class FakeChild extends EventEmitter {
  readonly pid = 4242;
  readonly stdout = new PassThrough({ highWaterMark: 1 << 16 });
  readonly stderr = new PassThrough();
  killed: string | null = null;
  capture: FakeCapture | null = null;
  /** What the child's timer does. */
  flush: () => void = () => undefined;

  kill(signal: string): boolean {
    this.killed ??= signal;
    this.die(null, signal);
    return true;
  }

  /** Ends as a process does: exit, then its pipes. */
  die(code: number | null, signal: string | null): void {
    this.emit('exit', code, signal);
    this.stdout.end();
    this.stderr.end();
  }

  asChild(): ChildProcess {
    return this as unknown as ChildProcess;
  }
}

/** A `spawn` whose children run the relay on a fake package that answers `answers` in turn, the last one for ever. */
export function fakeCapSpawn(...answers: (string | Error | null)[]): {
  spawn: (path: string, args: readonly string[]) => ChildProcess;
  children: FakeChild[];
} {
  const children: FakeChild[] = [];
  const spawn = (_path: string, args: readonly string[]): ChildProcess => {
    const child = new FakeChild();
    const answer = answers[Math.min(children.length, answers.length - 1)] ?? null;
    children.push(child);
    const [device = '', filter = '', ring = '', snap = ''] = args.slice(3);
    if (answer === null) {
      child.stderr.write("cap: not loaded: Cannot find module 'cap'\n");
      setImmediate(() => child.die(1, null));
      return child.asChild();
    }
    const { module, captures } = fakeCap(answer);
    const write = (bytes: Uint8Array, from: number, to: number): number => {
      child.stdout.write(Buffer.from(bytes.subarray(from, to)));
      return to - from;
    };
    const say = (text: string) => void child.stderr.write(`cap: ${text}\n`);
    const relay = new CapRelay({ write, say, now: () => 1_700_000_000_123.25 });
    try {
      say(`listening on ${device}, link-type ${relay.open(module, device, filter, Number(ring), snap === 'whole')}`);
    } catch (thrown) {
      say(reasonOf(thrown));
      setImmediate(() => child.die(null, 'SIGKILL'));
    }
    child.capture = captures[0] ?? null;
    child.flush = () => relay.flush();
    return child.asChild();
  };
  return { spawn, children };
}
