import { describe, expect, it } from 'vitest';
import { Backlog, partsOf } from '../../../../src/history/journal/journal.ts';
import { alert, asked, batch, entry, loggedFlow, NOVEMBER } from '../../../support/history.ts';

describe('a backlog', () => {
  it('sums by minute and facts, and `take` empties it', () => {
    const backlog = new Backlog();
    backlog.add(batch(NOVEMBER, [entry({ rxBytes: 1, flows: 1 }), entry({ app: 'ssh', rxBytes: 5 })], [loggedFlow()]));
    backlog.add({ ...batch(NOVEMBER, [entry({ rxBytes: 2, txBytes: 3 })]), unlogged: 7 });
    backlog.add(batch(NOVEMBER + 1, [entry({ rxBytes: 4 })]));
    expect(backlog.take()).toEqual([
      batch(NOVEMBER, [entry({ rxBytes: 3, txBytes: 3, flows: 1 }), entry({ app: 'ssh', rxBytes: 5 })]),
      batch(NOVEMBER + 1, [entry({ rxBytes: 4 })]),
      { ...batch(NOVEMBER + 1, [], [loggedFlow()]), unlogged: 7 },
    ]);
    expect([backlog.isEmpty, backlog.take()]).toEqual([true, []]);
  });

  it('is bounded: entries lose their host, then bytes count as lost; flows are counted', () => {
    const backlog = new Backlog();
    for (let minute = 0; minute < 80; minute++) {
      const entries = Array.from({ length: 1000 }, (_, i) => entry({ host: `h${i}`, rxBytes: 1, app: `app${i % 3}` }));
      backlog.add(
        batch(
          NOVEMBER + minute,
          entries,
          Array.from({ length: 100 }, () => loggedFlow()),
        ),
      );
    }
    const batches = backlog.take();
    const bytes = batches.reduce((all, { entries }) => all + entries.reduce((sum, { rxBytes }) => sum + rxBytes, 0), 0);
    expect(bytes + backlog.lostBytes).toBe(80_000);
    expect(backlog.lostBytes).toBe(0);
    expect(batches.flatMap(({ entries }) => entries).length).toBeLessThan(50_200);
    expect(batches.every(({ entries }) => entries.length <= 1024)).toBe(true);
    expect(batches.reduce((all, { flows, unlogged }) => all + flows.length + unlogged, 0)).toBe(8000);
  });

  it('keeps what the watch found, and hands it over once', () => {
    const backlog = new Backlog();
    const contact = { kind: 'country', time: 5, app: 'curl', name: 'DE' } as const;
    const found = { alerts: [alert()], contacts: [contact], deliveries: [] };
    backlog.add({ ...batch(NOVEMBER, []), watch: found });
    backlog.add({ ...batch(NOVEMBER + 1, []), watch: { ...found, alerts: [alert({ id: 'b' })] } });
    expect(backlog.isEmpty).toBe(false);
    expect(backlog.take()).toEqual([
      {
        ...batch(NOVEMBER + 1, []),
        watch: { alerts: [alert(), alert({ id: 'b' })], contacts: [contact, contact], deliveries: [] },
      },
    ]);
    expect([backlog.isEmpty, backlog.take()]).toEqual([true, []]);
    for (let i = 0; i < 300; i++) backlog.add({ ...batch(i, []), watch: { ...found, alerts: Array(10).fill(alert()) } });
    expect(backlog.take()[0]?.watch?.alerts).toHaveLength(1000);
  });

  it('keeps questions of DNS, a bounded number, and counts the rest', () => {
    const backlog = new Backlog();
    const dns = { questions: Array.from({ length: 15_000 }, () => asked()), missed: 7, encrypted: [] };
    for (const minute of [1, 2]) backlog.add({ ...batch(minute, []), dns });
    expect(backlog.isEmpty).toBe(false);
    const batches = backlog.take();
    const sizes = batches.map((one) => one.dns?.questions.length ?? 0);
    expect(sizes.reduce((all, size) => all + size, 0)).toBe(20_000);
    expect(Math.max(...sizes)).toBe(1024);
    expect(batches.reduce((all, one) => all + (one.dns?.missed ?? 0), 0)).toBe(10_014);
    expect([backlog.isEmpty, backlog.take()]).toEqual([true, []]);
  });

  it('sums encrypted DNS by minute, app and resolver, a bounded number', () => {
    const backlog = new Backlog();
    const row = { app: 'curl', reason: null, transport: 'https', connections: 1, rxBytes: 5, txBytes: 1 } as const;
    const add = (minute: number, host: string) =>
      backlog.add({ ...batch(minute, []), dns: { questions: [], missed: 0, encrypted: [{ ...row, minute, host }] } });
    for (const minute of [1, 1, 2]) add(minute, 'dns.google');
    expect(backlog.isEmpty).toBe(false);
    expect(backlog.take().flatMap(({ dns }) => dns?.encrypted ?? [])).toEqual([
      { ...row, minute: 1, host: 'dns.google', connections: 2, rxBytes: 10, txBytes: 2 },
      { ...row, minute: 2, host: 'dns.google' },
    ]);
    expect([backlog.isEmpty, backlog.take()]).toEqual([true, []]);
    for (let i = 0; i < 20_100; i++) add(1, `${i}`);
    const sizes = backlog.take().map(({ dns }) => dns?.encrypted.length ?? 0);
    expect([sizes.reduce((all, size) => all + size, 0), Math.max(...sizes)]).toEqual([20_000, 1024]);
  });

  it('is split into parts that have all of a batch', () => {
    const whole = {
      ...batch(
        1,
        Array.from({ length: 2500 }, (_, i) => entry({ rxBytes: i })),
        [loggedFlow()],
      ),
      unlogged: 3,
      watch: { alerts: [alert()], contacts: [], deliveries: [] },
    };
    const parts = partsOf(whole);
    expect(parts.map(({ entries }) => entries.length)).toEqual([1024, 1024, 452]);
    expect(parts.flatMap(({ entries }) => entries)).toEqual(whole.entries);
    expect(parts.flatMap(({ flows }) => flows)).toHaveLength(1);
    expect(parts.flatMap(({ watch }) => watch?.alerts ?? [])).toEqual([alert()]);
    expect(parts.reduce((all, { unlogged }) => all + unlogged, 0)).toBe(3);
  });
});
