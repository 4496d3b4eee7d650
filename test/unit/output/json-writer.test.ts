import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { JsonWriter } from '../../../src/output/json-writer.ts';
import { appRow, flowRow, hostRow, interfaceRow, snapshot } from './rows.ts';

/** A reader that reads when told to. */
function reader() {
  const chunks: string[] = [];
  const waiting: ((error?: Error | null) => void)[] = [];
  let holds = false;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      if (holds) waiting.push(done);
      else done();
    },
  });
  return {
    stream,
    objects: () => chunks.map((chunk) => JSON.parse(chunk)),
    chunks,
    hold: () => {
      holds = true;
    },
    release: async (error?: Error) => {
      holds = false;
      for (const done of waiting.splice(0)) done(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** A turn in which nothing else has anything to do. */
const go = () => Promise.resolve();

const broken = (code: string) => Object.assign(new Error(code), { code });
const long = snapshot({ flows: Array.from({ length: 2000 }, () => flowRow()) });

describe('JsonWriter', () => {
  it('writes each line at once, in order', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    writer.open(flowRow());
    await writer.sample(long, go);
    writer.flowClosed(flowRow());
    writer.gap({ from: 0, to: 1, reason: 'sleep', detail: '' });
    await writer.end(snapshot());
    expect(to.objects().map(({ type }) => type)).toEqual(['open', 'sample', 'close', 'gap', 'end']);
    expect(to.chunks.every((chunk) => chunk.endsWith('\n'))).toBe(true);
  });

  it('leaves whole lines out while nobody reads, keeps a bound, and says so afterwards', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    to.hold();
    await writer.sample(long, go);
    const oneLine = to.stream.writableLength;
    for (let i = 0; i < 50; i++) {
      await writer.sample(long, go);
      writer.open(flowRow());
    }
    writer.gap({ from: 0, to: 1, reason: 'loss', detail: '' });
    expect(to.stream.writableLength).toBe(oneLine);
    await to.release();
    await writer.sample(snapshot(), go);
    const [first, second, ...none] = to.objects();
    expect(none).toEqual([]);
    expect(first.capture).toMatchObject({ skipped_samples: 0, skipped_events: 0 });
    expect(second.capture).toMatchObject({ skipped_samples: 50, skipped_events: 51 });
  });

  it('spells a sample a few rows at a time, awaits a turn after each piece, and writes one line', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    let spelled = 0;
    const counting = <Row extends object>(row: Row): Row => Object.defineProperty(row, 'rxBytes', { get: () => spelled++ });
    const rows = <Row extends object>(row: () => Row) => Array.from({ length: 1000 }, () => counting(row()));
    const turns: number[] = [];
    await writer.sample(
      snapshot({ apps: rows(appRow), hosts: rows(hostRow), interfaces: rows(interfaceRow), flows: rows(flowRow) }),
      () => {
        turns.push(spelled);
        return go();
      },
    );
    expect(turns.at(-1)).toBe(4000);
    expect(Math.max(...turns.map((now, i) => now - (turns[i - 1] ?? 0)))).toBeLessThan(400);
    expect(to.objects().map(({ type, flows, interfaces }) => [type, flows.length, interfaces.length])).toEqual([
      ['sample', 1000, 1000],
    ]);
  });

  it('spells no further when the reader goes away', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    let turns = 0;
    await writer.sample(long, () => {
      turns++;
      to.stream.destroy();
      return new Promise((resolve) => setImmediate(resolve));
    });
    expect([turns, to.chunks]).toEqual([1, []]);
  });

  it('queues the last line even when nobody reads yet', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    to.hold();
    await writer.sample(long, go);
    await writer.sample(long, go);
    const ended = writer.end(snapshot());
    await to.release();
    await ended;
    expect(to.objects().map(({ type, capture }) => [type, capture.skipped_samples])).toEqual([
      ['sample', 0],
      ['end', 1],
    ]);
  });

  it('writes a long last line in short pieces, the next when the one before was read, and makes no row before', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    let made = 0;
    function* flows() {
      for (; made < 5000; made++) yield flowRow({ id: String(made) });
    }
    to.hold();
    const ended = writer.end(snapshot(), { hosts: [], flows: flows() });
    await new Promise((resolve) => setImmediate(resolve));
    expect([to.chunks.length, made < 500]).toEqual([1, true]);
    await to.release();
    await ended;
    expect(to.chunks.every((chunk) => chunk.length < 80_000)).toBe(true);
    const { type, flows: rows, hosts } = JSON.parse(to.chunks.join(''));
    expect([type, rows.length, rows[4999].id, hosts, to.chunks.at(-1)?.endsWith('}\n')]).toEqual(['end', 5000, '4999', [], true]);
  });

  it('makes no further row of the last line when the reader goes away', async () => {
    const to = reader();
    const writer = new JsonWriter(to.stream, () => undefined);
    let made = 0;
    function* flows() {
      for (; made < 5000; made++) yield flowRow();
    }
    to.hold();
    const ended = writer.end(snapshot(), { hosts: [], flows: flows() });
    await to.release(broken('EPIPE'));
    await ended;
    expect(made).toBeLessThan(500);
  });

  it.each(['EPIPE', 'ECONNRESET', 'EIO'])('takes %s for a reader that went away, once', async (code) => {
    const to = reader();
    const closed: (Error | null)[] = [];
    const writer = new JsonWriter(to.stream, (failure) => closed.push(failure));
    to.hold();
    await writer.sample(snapshot(), go);
    const ended = writer.end(snapshot());
    await to.release(broken(code));
    await ended;
    expect(closed).toEqual([null]);
    expect(writer.isClosed).toBe(true);
    await writer.sample(snapshot(), go);
    writer.open(flowRow());
    await writer.end(snapshot());
    expect(to.chunks).toHaveLength(1);
    expect(closed).toHaveLength(1);
  });

  it('hands over any other failure', async () => {
    const to = reader();
    const closed: (Error | null)[] = [];
    const writer = new JsonWriter(to.stream, (failure) => closed.push(failure));
    to.hold();
    await writer.sample(snapshot(), go);
    await to.release(broken('ENOSPC'));
    expect(closed).toMatchObject([
      { code: 'internal', message: "the output can't be written: ENOSPC", cause: { code: 'ENOSPC' } },
    ]);
    expect(writer.isClosed).toBe(true);
  });

  it('notices a stream that is destroyed without an error', async () => {
    const to = reader();
    const closed: (Error | null)[] = [];
    const writer = new JsonWriter(to.stream, (failure) => closed.push(failure));
    to.stream.destroy();
    await to.release();
    expect(closed).toEqual([null]);
    await writer.end(snapshot());
  });
});
