// An ssh without a machine behind it: it says what the test has it say, and keeps the orders that come.

import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Rights } from '../../src/attach/ssh.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { StreamEncoder } from '../../src/stream/encoder.ts';
import { greeting, MESSAGE, MessageWriter, matchedPayload } from '../../src/stream/messages.ts';
import { type Order, orderIn, type Reply, replyPayload } from '../../src/stream/orders.ts';
import { busy } from './snapshot-builder.ts';
import { STREAM_LIMITS } from './stream.ts';

/** An ssh that does what the test says. */
export class FakeSsh extends EventEmitter {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly encoder = new StreamEncoder(STREAM_LIMITS);
  readonly writer = new MessageWriter();
  readonly orders: Order[] = [];
  killed: string | null = null;

  readonly rights: Rights;

  constructor(rights: Rights) {
    super();
    this.rights = rights;
    this.stdin.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split('\n')) this.orders.push(orderIn(line));
    });
  }

  kill(signal: string): boolean {
    this.killed = signal;
    return true;
  }

  unref(): void {}

  async say(...chunks: (Buffer | string)[]): Promise<void> {
    for (const chunk of chunks) this.stdout.write(chunk);
    await settle();
  }

  async greet(machine: string | null = null): Promise<void> {
    await this.say(greeting('1.2.3', machine), this.writer.message(MESSAGE.SCHEMA, this.encoder.schema()));
  }

  async frame(step = 0, change: Partial<Snapshot> = {}): Promise<void> {
    const snapshot = { ...busy(5, step), time: 1_700_000_000_000, ...change };
    await this.say(this.writer.message(MESSAGE.FRAME, this.encoder.frame(snapshot)));
  }

  /** What a filter matches. */
  async matched(id: number, change: Partial<Snapshot> = {}, encoder = new StreamEncoder(STREAM_LIMITS)): Promise<void> {
    const frame = encoder.frame({ ...busy(2, 0), time: 1_700_000_000_000, ...change });
    await this.say(this.writer.message(MESSAGE.MATCHED, matchedPayload({ id, completeSince: null, frame })));
  }

  async reply(reply: Reply): Promise<void> {
    await this.say(this.writer.message(MESSAGE.REPLY, replyPayload(reply)));
  }

  async end(status: number | null, text = ''): Promise<void> {
    this.stderr.write(text);
    await settle();
    this.emit('close', status);
    await settle();
  }
}

/** Lets what was written arrive. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
};
