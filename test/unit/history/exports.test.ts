// The queue of exports: a cut is the same whenever it is read, everything is in exactly one, and retention waits for engines.

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { decodeBatch, encodeBatch } from '../../../src/history/journal/batch-codec.ts';
import { Backlog, partsOf } from '../../../src/history/journal/journal.ts';
import type { ExportCursor, ExportMark, ExportRecords } from '../../../src/model/export.ts';
import type { UnsentPage } from '../../../src/model/export-batch.ts';
import type { HistoryBatch } from '../../../src/model/history-batch.ts';
import { alert, batch, DAY, entry, fileOf, loggedFlow, MINUTE, NOVEMBER, sqlJs } from '../../support/history.ts';

let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

const START: ExportCursor = { cut: 1, section: 0, after: 0 };
const records = (exports: Partial<ExportRecords>): HistoryBatch => ({
  ...batch(NOVEMBER, []),
  exports: { cut: null, marks: [], ...exports },
});
const cutAt = (minute: number, run = 7) => records({ cut: { run, minute } });
const markAt = (cut: number, more: Partial<ExportMark> = {}) =>
  records({ marks: [{ engine: 'clickhouse', cut, section: 0, after: 0, ...more }] });

/** A history with the batches, in order. */
function history(...batches: readonly HistoryBatch[]): HistoryDatabase {
  const made = HistoryDatabase.create(sql);
  for (const [i, one] of batches.entries()) made.apply(i + 1, one);
  return made;
}

function pages(made: HistoryDatabase, most: number, from = START): UnsentPage[] {
  const found: UnsentPage[] = [];
  for (let page = made.unsent(from, most); page !== null; page = made.unsent(page.next, most)) found.push(page);
  return found;
}
const bytes = (found: readonly UnsentPage[]) =>
  found.map(({ minutes }) => minutes.map(({ time, host, rxBytes, isLate }) => [time / MINUTE - NOVEMBER, host, rxBytes, isLate]));

describe('a cut', () => {
  it('has what was recorded up to its minute, and everything that closed', () => {
    const made = history(
      batch(NOVEMBER, [entry({ rxBytes: 5 })], [loggedFlow({ remotePort: 1 })]),
      { ...batch(NOVEMBER, []), watch: { alerts: [alert()], contacts: [], deliveries: [] } },
      batch(NOVEMBER + 1, [entry({ rxBytes: 7 })], [loggedFlow({ remotePort: 2 })]),
      cutAt(NOVEMBER),
      batch(NOVEMBER + 1, [entry({ host: 'b', rxBytes: 2 })], [loggedFlow({ remotePort: 3 })]),
      cutAt(NOVEMBER + 1),
    );
    const found = pages(made, 100);
    expect(bytes(found)).toEqual([
      [[0, 'www.example.com', 5, false]],
      [
        [1, 'www.example.com', 7, false],
        [1, 'b', 2, false],
      ],
    ]);
    expect(found.map(({ flows }) => flows.map(({ remotePort }) => remotePort))).toEqual([[1, 2], [3]]);
    expect(found.map(({ alerts }) => alerts.length)).toEqual([1, 0]);
    expect(found[0]).toMatchObject({ cut: { run: 7, minute: NOVEMBER }, next: { cut: 2, section: 0, after: 0 } });
    expect(made.exportQueue()).toEqual({ newest: 2, minute: NOVEMBER + 1, marks: [], began: null });
    expect(made.exportQueue(7).began).toEqual({ cut: 1, minute: NOVEMBER });
  });

  it('stays as it was sent when its minute changes, and the change goes with the next one', () => {
    const made = history(
      batch(NOVEMBER, [entry({ rxBytes: 5 }), entry({ host: 'b', rxBytes: 3 })]),
      cutAt(NOVEMBER),
      batch(NOVEMBER, [entry({ rxBytes: -5 }), entry({ host: 'c', rxBytes: 5 })]),
      batch(NOVEMBER, [entry({ host: 'c', rxBytes: 1 })]),
    );
    const before = bytes(pages(made, 100));
    made.apply(5, cutAt(NOVEMBER));
    expect(before).toEqual([
      [
        [0, 'www.example.com', 5, false],
        [0, 'b', 3, false],
      ],
    ]);
    expect(bytes(pages(made, 100))).toEqual([
      ...before,
      [
        [0, 'www.example.com', -5, true],
        [0, 'c', 6, true],
      ],
    ]);
  });

  it('of a clock that was ahead keeps later ones from losing anything', () => {
    const made = history(cutAt(NOVEMBER + 500), batch(NOVEMBER, [entry({ rxBytes: 4 })]), cutAt(NOVEMBER));
    expect(bytes(pages(made, 100))).toEqual([[], [[0, 'www.example.com', 4, true]]]);
  });

  it('is read in pages that are the same again, from wherever one was acknowledged', () => {
    const hosts = Array.from({ length: 25 }, (_, i) => entry({ host: `h${i}`, rxBytes: i + 1 }));
    const flows = Array.from({ length: 12 }, (_, i) => loggedFlow({ remotePort: i }));
    const made = history(batch(NOVEMBER, hosts, flows), cutAt(NOVEMBER));
    const found = pages(made, 10);
    expect(found.map(({ minutes, flows: closed }) => [minutes.length, closed.length])).toEqual([
      [10, 0],
      [10, 0],
      [5, 5],
      [0, 7],
    ]);
    made.apply(3, batch(NOVEMBER, [entry({ host: 'h3', rxBytes: 1000 })]));
    made.apply(4, batch(NOVEMBER + 1, [], [loggedFlow({ remotePort: 99 })]));
    made.apply(5, cutAt(NOVEMBER + 1));
    expect(pages(made, 10).slice(0, 4)).toEqual(found);
    expect(pages(made, 10, (found[1] as UnsentPage).next).slice(0, 2)).toEqual(found.slice(2));
  });

  it('is another one in every run, and numbers of rows are never used again', () => {
    const made = history(batch(NOVEMBER, [], [loggedFlow()]), cutAt(NOVEMBER), markAt(2));
    made.erase({ app: null, before: (NOVEMBER + 1440) * MINUTE });
    made.apply(4, batch(NOVEMBER + 1440, [], [loggedFlow({ remotePort: 8 })]));
    made.apply(5, cutAt(NOVEMBER + 1440, 8));
    expect(pages(made, 100, { ...START, cut: 2 })).toMatchObject([{ cut: { run: 8 }, flows: [{ remotePort: 8 }] }]);
  });

  it('loses and repeats nothing, whatever the clock does', () => {
    const step = fc.record({
      minute: fc.integer({ min: 0, max: 6 }),
      host: fc.constantFrom('a', 'b', 'c'),
      rx: fc.integer({ min: -9, max: 9 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(step, fc.integer({ min: 0, max: 6 })), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        (steps, most) => {
          const made = HistoryDatabase.create(sql);
          const sent = new Map<string, number>();
          const wanted = new Map<string, number>();
          let cursor = START;
          const add = (to: Map<string, number>, minute: number, host: string | null, rx: number) =>
            to.set(`${minute} ${host}`, (to.get(`${minute} ${host}`) ?? 0) + rx);
          const drain = () => {
            for (let page = made.unsent(cursor, most); page !== null; page = made.unsent(cursor, most)) {
              for (const { time, host, rxBytes } of page.minutes) add(sent, time / MINUTE - NOVEMBER, host, rxBytes);
              cursor = page.next;
            }
          };
          [...steps, 6].forEach((one, i) => {
            if (typeof one === 'number') made.apply(i + 1, cutAt(NOVEMBER + one));
            else {
              made.apply(i + 1, batch(NOVEMBER + one.minute, [entry({ host: one.host, rxBytes: one.rx })]));
              add(wanted, one.minute, one.host, one.rx);
            }
            if (i % 3 === 0) drain();
          });
          drain();
          const sums = (of: Map<string, number>) => [...of].filter(([, rx]) => rx !== 0).sort();
          expect(sums(sent)).toEqual(sums(wanted));
          made.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('marks', () => {
  it('stay in the file, the newest of each engine', () => {
    const made = history(cutAt(NOVEMBER), markAt(1), markAt(1, { section: 2, after: 9 }), markAt(2, { engine: 'otlp' }));
    const again = HistoryDatabase.open(sql, fileOf(made.image()));
    expect(again.exportQueue().marks).toEqual([
      { engine: 'clickhouse', cut: 1, section: 2, after: 9, minute: null },
      { engine: 'otlp', cut: 2, section: 0, after: 0, minute: NOVEMBER },
    ]);
  });

  it('keep minutes and connections that an engine waits for, for 30 days, and let go of the others', () => {
    const oldest = (days: number, ...more: readonly HistoryBatch[]) => {
      const first = batch(NOVEMBER, [entry({ rxBytes: 5 })], [loggedFlow()]);
      const made = history(cutAt(NOVEMBER - 1), first, cutAt(NOVEMBER), ...more);
      const now = NOVEMBER * MINUTE + days * DAY;
      for (let i = 0; i < 50 && made.prune(now, 200e6); i++);
      const [page] = pages(made, 10, { ...START, cut: 2 });
      return [page?.minutes.length, page?.flows.length, page?.deleted.minutes, page?.deleted.connections];
    };
    expect(oldest(10)).toEqual([0, 0, 0, 0]); // nobody waits for them
    expect(oldest(10, markAt(2))).toEqual([1, 1, 0, 0]);
    expect(oldest(29, markAt(2), markAt(3, { engine: 'otlp' }))).toEqual([1, 1, 0, 0]);
    expect(oldest(33, markAt(2))).toEqual([0, 0, 1, 1]);
  });

  it('of engines that are gone for good are forgotten, and numbers go on', () => {
    const made = history(cutAt(NOVEMBER), cutAt(NOVEMBER + 1), markAt(1));
    for (let i = 0; i < 50 && made.prune((NOVEMBER + 95 * 1440) * MINUTE, 200e6); i++);
    expect(made.exportQueue()).toMatchObject({ newest: 2, marks: [] });
    made.apply(4, cutAt(NOVEMBER + 95 * 1440));
    expect(made.exportQueue().newest).toBe(3);
  });
});

describe('on the way to the file', () => {
  const exports: ExportRecords = {
    cut: { run: 2 ** 47, minute: NOVEMBER },
    marks: [{ engine: 'remote_write', cut: 3, section: 1, after: 2 ** 50 }],
  };

  it('nothing changes', () => {
    for (const one of [{ ...batch(NOVEMBER, []), exports }, markAt(3)]) expect(decodeBatch(encodeBatch(one))).toEqual(one);
  });

  it.each([
    [{ c: [1], m: [] }, null],
    [{ c: [], m: [1, 2, 3] }, null],
    [{ c: [Number.MAX_VALUE, -1], m: [1, -5, 0.5, 0] }, 0],
    [{ c: [1, 9e15], m: [] }, 1],
    [7, null],
  ])('%j of a forged journal does no harm', (x, cuts) => {
    const decoded = decodeBatch(JSON.stringify({ m: NOVEMBER, u: 0, s: ['clickhouse'], e: [], f: [], x }));
    if (decoded === null || cuts === null) {
      expect([decoded, cuts]).toEqual([null, null]);
      return;
    }
    expect(history(decoded).exportQueue()).toMatchObject({ newest: cuts, marks: [] });
  });

  it('a cut comes after the rows of its batch, and of all that waited', () => {
    const entries = Array.from({ length: 2500 }, (_, i) => entry({ host: `h${i}` }));
    expect(partsOf({ ...batch(NOVEMBER, entries), exports }).map((part) => part.exports)).toEqual([
      undefined,
      undefined,
      exports,
    ]);
    const backlog = new Backlog();
    const older = {
      ...exports,
      marks: [{ engine: 'clickhouse' as const, cut: 1, section: 0, after: 0 }, { ...exports.marks[0], cut: 1 } as ExportMark],
    };
    backlog.add({ ...batch(NOVEMBER, []), exports: { ...older, cut: null } });
    expect(backlog.isEmpty).toBe(false);
    backlog.add({ ...batch(NOVEMBER, entries), exports });
    const taken = backlog.take();
    expect(taken.at(-1)?.exports).toEqual({ cut: exports.cut, marks: [older.marks[0], ...exports.marks] });
    expect(taken.slice(0, -1).some((one) => one.exports !== undefined)).toBe(false);
    expect(backlog.isEmpty).toBe(true);
  });
});
