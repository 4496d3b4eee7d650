// From the history file to the messenger: in order, one batch at a time for each engine, each exactly as before when it is repeated, and nothing lost
// whichever of them dies.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Exporting, machineIdentity } from '../../../src/app/exporting.ts';
import { HistoryDatabase } from '../../../src/history/database.ts';
import type { HistoryReader } from '../../../src/history/query/reader.ts';
import type { HeldBatch } from '../../../src/messenger/client.ts';
import type { ExportPlan, PushEngine, Refused } from '../../../src/model/export.ts';
import type { ExportBatch } from '../../../src/model/export-batch.ts';
import type { HistoryBatch } from '../../../src/model/history-batch.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { batch, entry, loggedFlow, MINUTE, NOVEMBER, sqlJs } from '../../support/history.ts';

let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const push = (engine: PushEngine) => ({
  engine,
  url: 'https://db.example:8443/',
  user: null,
  secretFile: null,
  secret: null,
  ca: null,
});
const plan = (...engines: readonly PushEngine[]): ExportPlan => ({
  push: engines.map(push),
  prometheus: null,
  fields: ['host'],
  hash: [],
  folder: null,
});
const IDENTITY = { id: 'feed', key: 'key', note: '' };

/** A messenger whose engines take a batch when the test says so. */
class FakeMessenger {
  readonly engines = [];
  readonly sent: ExportBatch[] = [];
  readonly held = new Map<PushEngine, HeldBatch>();
  readonly status = { isReady: true, note: '' } as never;
  hasEnded = false;
  #waiting: { engine: PushEngine; resolve: (refused: Refused | null) => void; reject: (error: Error) => void }[] = [];

  send(one: ExportBatch): Promise<Refused | null> {
    this.sent.push(one);
    return new Promise((resolve, reject) => this.#waiting.push({ engine: one.engine, resolve, reject }));
  }

  heldBatch(engine: PushEngine): HeldBatch | null {
    return this.held.get(engine) ?? null;
  }

  take(engine: PushEngine = 'clickhouse', refused: Refused | null = null): void {
    for (const one of this.#waiting.filter((each) => each.engine === engine)) one.resolve(refused);
    this.#waiting = this.#waiting.filter((each) => each.engine !== engine);
  }

  end(): void {
    this.hasEnded = true;
    for (const one of this.#waiting.splice(0)) one.reject(new Error('ended'));
  }
}

/** A machine: its history outlives runs and messengers. */
function machine() {
  const history = HistoryDatabase.create(sql);
  let sequence = 0;
  const apply = (one: HistoryBatch) => history.apply(++sequence, one);
  const reads = { opened: 0, closed: 0, failure: '' };
  const open = async (): Promise<HistoryReader> => {
    reads.opened++;
    if (reads.failure !== '') throw new Error(reads.failure);
    return {
      exportQueue: async (asks: number) => history.exportQueue(asks),
      unsent: async (...args: Parameters<HistoryDatabase['unsent']>) => history.unsent(...args),
      refresh: async () => undefined,
      close: async () => void reads.closed++,
    } as unknown as HistoryReader;
  };
  const clock = new FakeClock();
  /** A run with a messenger of its own. */
  const run = (...engines: readonly PushEngine[]) => {
    const messenger = new FakeMessenger();
    const parts = { plan: plan(...engines), messenger, open, clock, identity: IDENTITY, machine: 'ann-mac' };
    const exporting = new Exporting(parts);
    const keep = () => {
      const marks = exporting.takeMarks();
      if (marks.length > 0) apply({ ...batch(NOVEMBER, []), exports: { cut: null, marks } });
    };
    const settle = async (minute: number) => {
      apply({ ...batch(minute, []), exports: { cut: { run: exporting.run, minute }, marks: [] } });
      exporting.settled();
      await pass(0);
    };
    const take = async (engine?: PushEngine, refused?: Refused) => {
      messenger.take(engine, refused);
      await pass(0);
    };
    return { messenger, exporting, keep, settle, take };
  };
  const pass = async (ms: number) => {
    clock.pass(ms);
    await vi.advanceTimersByTimeAsync(ms);
  };
  const record = (minute: number, rxBytes: number, ports: readonly number[] = []) =>
    apply(
      batch(
        minute,
        [entry({ rxBytes })],
        ports.map((remotePort) => loggedFlow({ remotePort })),
      ),
    );
  return { history, reads, run, record, pass };
}

const sums = (sent: readonly ExportBatch[]) => sent.map(({ minutes }) => minutes.map(({ rxBytes }) => rxBytes));

describe('exporting', () => {
  it('begins with what is recorded from now on, and sends it in order, one batch at a time', async () => {
    const { run, record, pass, reads } = machine();
    record(NOVEMBER, 1);
    const { messenger, settle, take, exporting } = run('clickhouse');
    await settle(NOVEMBER);
    expect(messenger.sent).toEqual([]);
    for (const minute of [1, 2, 3]) {
      record(NOVEMBER + minute, minute * 10, [minute]);
      await settle(NOVEMBER + minute);
    }
    expect(sums(messenger.sent)).toEqual([[10]]);
    await take();
    expect(messenger.sent).toHaveLength(1); // paced
    await pass(500);
    await take();
    await pass(500);
    await take();
    expect(sums(messenger.sent)).toEqual([[10], [20], [30]]);
    expect(messenger.sent[2]).toMatchObject({
      engine: 'clickhouse',
      token: `feed-${exporting.run.toString(16)}-4.0.0`,
      hostId: 'feed',
      hostName: null,
      until: (NOVEMBER + 4) * MINUTE,
      flows: [{ remotePort: 3, localAddress: '', host: 'www.example.com', domain: null }],
    });
    expect(exporting.status).toEqual({
      note: '',
      engines: [
        {
          engine: 'clickhouse',
          to: 'db.example:8443',
          acknowledged: (NOVEMBER + 4) * MINUTE,
          sent: 6,
          waiting: 0,
          behindSince: null,
          failure: null,
          refused: null,
          deleted: null,
          next: null,
        },
      ],
    });
    await pass(1000);
    expect(reads.closed).toBe(reads.opened); // no thread stays up between two minutes
  });

  it('sends all of a run so short that its first and its last cut come together', async () => {
    const { run, record, history } = machine();
    record(NOVEMBER, 1);
    const { messenger, settle, exporting } = run('clickhouse');
    history.apply(100, { ...batch(NOVEMBER, []), exports: { cut: { run: exporting.run, minute: NOVEMBER }, marks: [] } });
    history.apply(101, batch(NOVEMBER + 1, [entry({ rxBytes: 5 })]));
    history.apply(102, { ...batch(NOVEMBER, []), exports: { cut: { run: exporting.run, minute: NOVEMBER + 1 }, marks: [] } });
    await settle(NOVEMBER + 1);
    expect(sums(messenger.sent)).toEqual([[5]]);
  });

  it('repeats after a crash exactly what was not acknowledged, under the same token', async () => {
    const { run, record, pass, history } = machine();
    const first = run('clickhouse');
    await first.settle(NOVEMBER - 1);
    first.keep();
    record(NOVEMBER, 5, [1]);
    await first.settle(NOVEMBER);
    await first.take();
    first.keep();
    await pass(500);
    record(NOVEMBER + 1, 6);
    await first.settle(NOVEMBER + 1);
    await first.take(); // taken, but the run is killed before it is kept
    record(NOVEMBER + 1, 9); // a clock that was set back
    const second = run('clickhouse');
    record(NOVEMBER + 2, 7);
    await second.settle(NOVEMBER + 2);
    expect(second.messenger.sent[0]).toEqual(first.messenger.sent[1]);
    await second.take();
    await pass(500);
    expect(sums(second.messenger.sent)).toEqual([[6], [7, 9]]);
    second.messenger.end(); // the sender is killed
    await pass(60_000);
    expect(second.messenger.sent).toHaveLength(2);
    second.keep();
    const third = run('clickhouse');
    record(NOVEMBER + 3, 1);
    await third.settle(NOVEMBER + 3);
    expect(third.messenger.sent[0]).toEqual(second.messenger.sent[1]);
    expect(history.exportQueue().marks).toMatchObject([{ engine: 'clickhouse', minute: NOVEMBER + 1 }]);
  });

  it('holds one batch for an engine that is down for days, and none of them waits for another', async () => {
    const { run, record, pass } = machine();
    const { messenger, settle, take, exporting } = run('clickhouse', 'otlp');
    await settle(NOVEMBER - 1);
    messenger.held.set('otlp', { failure: 'nobody listens there', next: 5 });
    for (let minute = 0; minute < 50; minute++) {
      record(NOVEMBER + minute, minute + 1);
      await settle(NOVEMBER + minute);
      await take('clickhouse');
      await pass(60_000);
    }
    const of = (engine: PushEngine) => messenger.sent.filter((one) => one.engine === engine);
    expect(of('otlp')).toHaveLength(1);
    expect(sums(of('clickhouse'))).toEqual(Array.from({ length: 50 }, (_, i) => [i + 1]));
    expect(exporting.status.engines[1]).toMatchObject({
      engine: 'otlp',
      waiting: 50,
      behindSince: NOVEMBER * MINUTE,
      failure: 'nobody listens there',
      next: 5,
    });
    expect(exporting.status.engines[0]).toMatchObject({ waiting: 0, behindSince: null });
    messenger.held.delete('otlp');
    for (let i = 0; i < 60; i++) {
      await take('otlp');
      await pass(500);
    }
    expect(sums(of('otlp'))).toEqual(sums(of('clickhouse')));
  });

  it('sends a large minute in batches of at most 500 rows', async () => {
    const { run, record, pass, history } = machine();
    const { messenger, settle, take } = run('clickhouse');
    await settle(NOVEMBER - 1);
    const entries = Array.from({ length: 1200 }, (_, i) => entry({ host: `h${i}`, rxBytes: i + 1 }));
    history.apply(100, batch(NOVEMBER, entries));
    record(NOVEMBER, 0);
    history.apply(101, { ...batch(NOVEMBER, []), exports: { cut: { run: 1, minute: NOVEMBER }, marks: [] } });
    await settle(NOVEMBER);
    for (let i = 0; i < 4; i++) {
      await take();
      await pass(500);
    }
    expect(messenger.sent.map(({ minutes }) => minutes.length)).toEqual([500, 500, 200]);
    expect(new Set(messenger.sent.map(({ token }) => token)).size).toBe(3);
  });

  it('tries again when history can not be read, and says so', async () => {
    const { run, record, pass, reads } = machine();
    const { messenger, settle, exporting } = run('clickhouse');
    await settle(NOVEMBER - 1);
    reads.failure = 'the disk is gone';
    record(NOVEMBER, 5);
    await settle(NOVEMBER);
    expect(exporting.status.note).toBe("history can't be read: the disk is gone");
    reads.failure = '';
    await pass(60_000);
    expect(sums(messenger.sent)).toEqual([[5]]);
    expect(exporting.status.note).toBe('');
  });

  it('ends when engines have everything, or says who has not', async () => {
    const { run, record, pass } = machine();
    const first = run('clickhouse', 'otlp');
    await first.settle(NOVEMBER - 1);
    record(NOVEMBER, 5);
    await first.settle(NOVEMBER);
    const ended = first.exporting.finish(5000);
    first.messenger.held.set('otlp', { failure: 'it answers with status 500', next: 0 });
    await first.take('clickhouse');
    await pass(0);
    expect(await ended).toBe('otlp (db.example:8443) is 1 min behind: it answers with status 500; the next run sends the rest');
    first.keep();
    const second = run('clickhouse');
    record(NOVEMBER + 1, 6);
    await second.settle(NOVEMBER + 1);
    const late = second.exporting.finish(5000);
    await pass(5000);
    expect(await late).toMatch(/^clickhouse \(db\.example:8443\) is \d min behind; the next run sends the rest$/);
  });

  it('says what an engine refused for good, and does not send it again', async () => {
    const { run, record, pass } = machine();
    const one = run('otlp');
    await one.settle(NOVEMBER - 1);
    for (const [minute, refused] of [
      { count: 3, why: 'too old' },
      { count: 1, why: '' },
    ].entries()) {
      record(NOVEMBER + minute, 5);
      await one.settle(NOVEMBER + minute);
      await pass(60_000); // it has its pace
      await one.take('otlp', refused);
    }
    expect(one.exporting.status.engines).toMatchObject([{ refused: { count: 4, why: 'too old' }, waiting: 0 }]);
    const { length } = one.messenger.sent;
    expect(await one.exporting.finish(0)).toBe('otlp (db.example:8443): it dropped 4 of what it took: too old');
    expect(one.messenger.sent).toHaveLength(length);
  });

  it('does not wait for a messenger that has ended', async () => {
    const { run, record } = machine();
    const one = run('clickhouse');
    await one.settle(NOVEMBER - 1);
    record(NOVEMBER, 5);
    await one.settle(NOVEMBER);
    one.messenger.end();
    const why = 'the messenger has ended';
    expect(await one.exporting.finish(60_000)).toBe(
      `clickhouse (db.example:8443) is 1 min behind: ${why}; the next run sends the rest`,
    );
    expect(one.exporting.status.engines).toMatchObject([{ failure: why }]);
  });

  it('says what history deleted before an engine had it', async () => {
    const { history, run, record, pass } = machine();
    const first = run('clickhouse');
    await first.settle(NOVEMBER - 1);
    await first.take();
    record(NOVEMBER, 5, [1, 2]);
    await first.settle(NOVEMBER);
    first.keep();
    first.messenger.end();
    const later = NOVEMBER + 40 * 1440;
    for (let i = 0; i < 50 && history.prune(later * 60_000, 200e6); i++);
    const second = run('clickhouse');
    await second.settle(NOVEMBER + 1);
    await pass(60_000);
    expect(second.exporting.status.engines).toMatchObject([{ waiting: 0, deleted: { minutes: 2, connections: 2 } }]);
    expect(await second.exporting.finish(0)).toBe(
      'clickhouse (db.example:8443): history deleted up to 2 min and 2 connections before it had them',
    );
  });
});

describe("a machine's number", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'netmon-export-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, in a file that only the user can read', () => {
    const place = { path: join(folder, 'state/export.json'), owner: null };
    const made = machineIdentity(place);
    expect(made).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), note: '' });
    expect(statSync(place.path).mode & 0o777).toBe(0o600);
    expect(machineIdentity(place)).toEqual(made);
  });

  it('of a forged file is not taken, and one that can not be kept is said', () => {
    const place = { path: join(folder, 'export.json'), owner: null };
    writeFileSync(place.path, JSON.stringify({ version: 1, id: '../x', key: 'k' }));
    expect(machineIdentity(place).id).toMatch(/^[0-9a-f]{16}$/);
    expect(readFileSync(place.path, 'utf8')).not.toContain('../x');
    writeFileSync(join(folder, 'file'), '');
    const nowhere = { path: join(folder, 'file/export.json'), owner: null };
    expect(machineIdentity(nowhere).note).toContain("can't be written");
    expect(existsSync(nowhere.path)).toBe(false);
  });
});
