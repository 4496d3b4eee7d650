// The line to another machine: a greeting, then frames for whoever says what it speaks, and an end for whoever talks nonsense.

import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { Streaming } from '../../../src/app/streaming.ts';
import type { HistoryQuestion } from '../../../src/model/history.ts';
import type { PacketPage } from '../../../src/model/packet-page.ts';
import { StreamDecoder } from '../../../src/stream/decoder.ts';
import { MESSAGE, matchedIn } from '../../../src/stream/messages.ts';
import { type Order, orderLine, type Reply, replyIn } from '../../../src/stream/orders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { busy } from '../../support/snapshot-builder.ts';
import { HERE, StreamEnd } from '../../support/stream.ts';

const PAGE: PacketPage = {
  flow: '7',
  packets: [{ number: 0, time: 5, isSent: true, payloadBytes: 3, tcp: null, marks: [], contents: '', name: null }],
  dropped: 0,
};

class Line {
  readonly input = new PassThrough();
  readonly output = new PassThrough({ highWaterMark: 16 });
  readonly end = new StreamEnd();
  readonly replies: Reply[] = [];
  readonly asked: { id: number; question: HistoryQuestion }[] = [];
  closed = 0;
  readonly stream = new Streaming({
    input: this.input,
    output: this.output,
    program: '1.2.3',
    machine: '4c1f',
    clock: new FakeClock(),
    onClosed: () => void this.closed++,
  });

  begin(): void {
    this.stream.listen({
      ask: (id, question) => this.asked.push({ id, question }),
      watchPackets: () => undefined,
      match: (ask) => ask?.text !== 'app:(',
      packetPage: () => PAGE,
    });
  }

  async say(...orders: readonly Order[]): Promise<void> {
    for (const order of orders) this.input.write(orderLine(order));
    await new Promise(setImmediate);
  }

  /** Reads all that came. */
  read(): void {
    for (let chunk = this.output.read(); chunk !== null; chunk = this.output.read()) {
      this.end.take(chunk);
      this.end.reader.take(Buffer.alloc(0), () => undefined);
    }
  }

  /** The payloads of replies in all that came. */
  readReplies(): Reply[] {
    const reader = this.end.reader;
    for (let chunk = this.output.read(); chunk !== null; chunk = this.output.read())
      reader.take(chunk, (type, payload) => {
        if (type === MESSAGE.REPLY) this.replies.push(replyIn(payload, HERE));
      });
    return this.replies;
  }
}

describe('a line', () => {
  let line: Line;

  beforeEach(() => {
    line = new Line();
  });

  test('greets once it may, and sends nothing before it knows what is spoken', async () => {
    line.stream.sample(busy(3, 0));
    line.begin();
    line.stream.sample(busy(3, 1));
    line.read();
    expect(line.end.reader.greeting).toEqual({ versions: [1, 1], program: '1.2.3', machine: '4c1f' });
    expect(line.end.decoder).toBeNull();
    await line.say({ type: 'speak', version: 1 });
    line.stream.sample(busy(3, 2));
    line.read();
    expect([...(line.end.decoder?.rows('flows') ?? [])]).toHaveLength(3);
  });

  test('leaves frames out while nobody reads, and the next one has them', async () => {
    line.begin();
    await line.say({ type: 'speak', version: 1 });
    for (let step = 0; step < 200; step++) line.stream.sample({ ...busy(200, step), seq: step, time: 1e12 + step * 1000 });
    expect(line.output.writableLength + line.output.readableLength).toBeLessThan(256 * 1024);
    line.read();
    const frames = line.end.frames.length;
    expect(frames).toBeLessThan(150);
    const last = { ...busy(200, 200), seq: 200, time: 1e12 + 200_000 };
    line.stream.sample(last);
    line.read();
    const rows = [...(line.end.decoder?.rows('flows') ?? [])];
    expect(rows.map(({ fields }) => fields['rxPackets'])).toEqual(last.flows.map(({ rxPackets }) => rxPackets));
  });

  test('answers questions, the time, and with packets', async () => {
    line.begin();
    const question = { kind: 'first-seen', app: 'curl' } as const;
    await line.say(
      { type: 'speak', version: 1 },
      { type: 'echo', id: 4 },
      { type: 'history', id: 5, question },
      { type: 'packets', flow: '7' },
    );
    expect(line.asked).toEqual([{ id: 5, question }]);
    line.stream.answer(5, { kind: 'failed', message: 'no\x07', hint: null });
    expect(line.readReplies()).toEqual([
      { type: 'echo', id: 4, time: new FakeClock().now() },
      { type: 'packets', page: PAGE },
      { type: 'history', id: 5, answer: { kind: 'failed', message: 'no', hint: null } },
    ]);
  });

  test('sends what a filter matches beside each frame, while it is asked for', async () => {
    line.begin();
    const matches: ReturnType<typeof matchedIn>[] = [];
    const see = (text: string): void => {
      const { total, apps, hosts, categories, interfaces, flows } = busy(2, 0);
      const counted = {
        text,
        from: null,
        average: 10,
        completeSince: 7,
        branches: null,
        flowCount: 2,
        encryptedDns: [],
      } as const;
      line.stream.sample({ ...busy(3, 0), matching: { ...counted, total, apps, hosts, categories, interfaces, flows } });
      for (let chunk = line.output.read(); chunk !== null; chunk = line.output.read())
        line.end.reader.take(chunk, (type, payload) => {
          if (type === MESSAGE.SCHEMA) line.end.decoder = new StreamDecoder(payload, HERE);
          if (type === MESSAGE.MATCHED) matches.push(matchedIn(payload));
        });
    };
    const ask = { id: 3, text: 'app:curl', average: 10, machine: 'mac1' } as const;
    await line.say({ type: 'speak', version: 1 });
    see('app:curl');
    await line.say({ type: 'match', ask });
    see('app:ssh'); // the filter before
    expect(matches).toEqual([]);
    see('app:curl');
    expect(matches).toMatchObject([{ id: 3, completeSince: 7 }]);
    line.end.decoder?.frame(matches[0]?.frame ?? Buffer.alloc(0));
    expect([...(line.end.decoder?.rows('flows') ?? [])]).toHaveLength(2);
    await line.say({ type: 'match', ask: { ...ask, text: 'app:(' } });
    see('app:(');
    await line.say({ type: 'match', ask: null });
    see('app:curl');
    expect(matches).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['a version that it does not speak', '{"type":"speak","version":2}\n'],
    ['an order before the version', '{"type":"echo","id":1}\n'],
    ['what is no order', 'GET / HTTP/1.1\n'],
    ['a line without end', 'x'.repeat(20_000)],
  ])('ends on %s', async (_, bytes) => {
    line.begin();
    line.input.write(bytes);
    await new Promise(setImmediate);
    expect(line.closed).toBe(1);
  });

  test('ends when nobody is there any more', async () => {
    line.begin();
    line.input.end();
    line.input.resume();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(line.closed).toBe(1);
  });
});
