// Histories against a plain model: whatever is booked, pruned, folded and saved in whatever order, sums stay exact.

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../src/history/database.ts';
import type { HistoryEntry } from '../../src/model/history-batch.ts';
import { batch, DAY, entry, fileOf, MINUTE, NOVEMBER, question, sqlJs, utcZone } from '../support/history.ts';

let sql: Awaited<ReturnType<typeof sqlJs>>;
beforeAll(async () => {
  sql = await sqlJs();
});

interface Booked {
  readonly minute: number;
  readonly entry: HistoryEntry;
}

const facts = fc.record({
  app: fc.constantFrom('curl', 'wget', 'ssh', null),
  host: fc.constantFrom('a.example.com', 'b.example.com', 'c.example.org', null),
  category: fc.constantFrom('web', null),
  interface: fc.constantFrom('eth0', 'wlan0'),
  protocol: fc.constantFrom('tcp', 'udp'),
});
const bytes = fc.oneof(fc.nat(2000), fc.integer({ min: -500, max: -1 }), fc.constant(3_000_000_000));
const entries = fc.array(
  fc.tuple(facts, bytes, fc.nat(300), fc.nat(3)).map(([changes, rxBytes, txBytes, flows]) =>
    entry({
      ...changes,
      domain: changes.host?.slice(2) ?? null,
      reason: changes.app === null ? 'forwarded' : null,
      rxBytes,
      txBytes,
      flows,
    }),
  ),
  { minLength: 1, maxLength: 6 },
);
/** Minutes after the last, mostly few; sometimes the clock was set back. */
const passing = fc.oneof(fc.nat(3), fc.nat(200), fc.nat(30 * 1440), fc.integer({ min: -5000, max: -1 }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('apply' as const), passing, entries }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('prune' as const), steps: fc.integer({ min: 1, max: 30 }), tight: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

/** What the steps book, and the history that they leave. */
function play(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]): {
  history: HistoryDatabase;
  booked: Booked[];
} {
  let history = HistoryDatabase.create(sql);
  const booked: Booked[] = [];
  let minute = NOVEMBER;
  for (const [i, doing] of steps.entries()) {
    if (doing.kind === 'apply') {
      minute += doing.passing;
      for (const one of doing.entries) booked.push({ minute, entry: one });
      history.apply(i + 1, batch(minute, doing.entries));
    } else if (doing.kind === 'prune') {
      // Less than an empty history takes: everything that can be given up is.
      for (let left = doing.steps; left > 0 && history.prune(minute * MINUTE, doing.tight ? 4096 : 1e9); left--);
    } else {
      const image = history.image();
      history.close();
      history = HistoryDatabase.open(sql, fileOf(image));
    }
  }
  return { history, booked };
}

function sumsBy(
  booked: readonly Booked[],
  key: (one: Booked) => string,
): Record<string, readonly [rx: number, tx: number, flows: number]> {
  const sums: Record<string, readonly [number, number, number]> = {};
  for (const one of booked) {
    const [rx, tx, flows] = sums[key(one)] ?? [0, 0, 0];
    sums[key(one)] = [rx + one.entry.rxBytes, tx + one.entry.txBytes, flows + one.entry.flows];
  }
  return sums;
}

/** Rows of which all sums are 0 may be there or not. */
function withoutEmpty<Sums extends readonly number[]>(sums: Readonly<Record<string, Sums>>): Record<string, Sums> {
  return Object.fromEntries(Object.entries(sums).filter(([, values]) => values.some((value) => value !== 0)));
}

describe('sums', () => {
  test("are the model's, by app, by day, by hour, in the view and record by record", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 25 }), (steps) => {
        const { history, booked } = play(steps);
        if (booked.length === 0) return;
        const ever = { from: 0, to: (NOVEMBER + 2000 * 1440) * MINUTE };
        const byApp = withoutEmpty(sumsBy(booked, (one) => one.entry.app ?? 'forwarded'));
        const found = (by: 'app' | 'day' | 'hour') =>
          withoutEmpty(
            Object.fromEntries(
              history
                .query(question({ ...ever, by }), utcZone)
                .rows.map((row) => [row.key?.slice(0, 13) ?? row.reason ?? '', [row.rxBytes, row.txBytes, row.flows] as const]),
            ),
          );
        expect(found('app')).toEqual(byApp);
        const dayOf = (one: Booked) => `${new Date(one.minute * MINUTE).toISOString().slice(0, 10)}T00`;
        expect(found('day')).toEqual(withoutEmpty(sumsBy(booked, dayOf)));
        const view = history.sql('SELECT app_name, SUM(packet_size) FROM connections GROUP BY app_name', {
          rows: 100,
          timeoutMs: 0,
        });
        expect(withoutEmpty(Object.fromEntries(view.rows.map(([app, sum]) => [app ?? 'forwarded', [Number(sum)]])))).toEqual(
          withoutEmpty(Object.fromEntries(Object.entries(byApp).map(([app, [rx, tx]]) => [app, [rx + tx]]))),
        );
        const total = history.query(question({ ...ever, steps: 100 }), utcZone);
        const hours = history.query(question({ ...ever, by: 'hour' }), utcZone);
        expect(hours.total).toEqual(total.total);
        expect(total.series?.rxBytes.reduce((sum, value) => sum + value, 0)).toBe(total.total.rxBytes);
        let recorded = 0;
        let page = history.records(ever.from, ever.to, 7);
        for (;;) {
          for (const record of page.rows) recorded += record.rxBytes;
          if (page.next === null) break;
          page = history.records(ever.from, ever.to, 7, page.next);
        }
        expect(recorded).toBe(total.total.rxBytes);
        history.close();
      }),
      { numRuns: 60 },
    );
  });

  test('are exact to the minute where minutes are kept', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 20 }), fc.nat(47 * 60), fc.nat(3000), (steps, back, length) => {
        const { history, booked } = play(steps.map((doing) => (doing.kind === 'prune' ? { ...doing, tight: false } : doing)));
        const last = Math.max(...booked.map((one) => one.minute));
        if (booked.length === 0) return;
        const [from, to] = [last - back, last - back + length + 1];
        const { total, resolutionMs } = history.query(question({ from: from * MINUTE, to: to * MINUTE, filter: 'app=curl' }));
        if (resolutionMs > MINUTE) return;
        const inside = booked.filter((one) => one.entry.app === 'curl' && one.minute >= from && one.minute < to);
        expect([total.rxBytes, total.txBytes, total.flows]).toEqual(Object.values(sumsBy(inside, () => 'all'))[0] ?? [0, 0, 0]);
        history.close();
      }),
      { numRuns: 50 },
    );
  });

  test('of days in the zone tile the whole, wherever its midnight lies', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 15 }), fc.integer({ min: -48, max: 56 }), (steps, quarters) => {
        const { history, booked } = play(steps);
        const answer = history.query(
          question({ from: 0, to: (NOVEMBER + 2000 * 1440) * MINUTE, by: 'day' }),
          () => quarters * 15 * MINUTE,
        );
        expect(answer.total.rxBytes).toBe(booked.reduce((sum, one) => sum + one.entry.rxBytes, 0));
        for (const row of answer.rows) expect((Number(row.start) + quarters * 15 * MINUTE) % DAY).toBe(0);
        history.close();
      }),
      { numRuns: 60 },
    );
  });
});
