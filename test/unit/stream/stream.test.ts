import { describe, expect, test } from 'vitest';
import type { FlowRow, NetEvent, Snapshot, Traffic } from '../../../src/model/snapshot.ts';
import { StreamFault } from '../../../src/stream/bytes.ts';
import { StreamDecoder } from '../../../src/stream/decoder.ts';
import { StreamEncoder } from '../../../src/stream/encoder.ts';
import { commonVersion, greeting, MESSAGE, MessageReader, MessageWriter } from '../../../src/stream/messages.ts';
import { rowsOf, TABLE_NAMES, TABLES, type TableName } from '../../../src/stream/tables.ts';
import { appRow, busy, flowRow, NOON } from '../../support/snapshot-builder.ts';
import { HERE, STREAM_LIMITS, StreamEnd, streamOf } from '../../support/stream.ts';

/** A second after another: what moved in it is what rates say. */
function seconds(count: number, rows: number): Snapshot[] {
  const out: Snapshot[] = [];
  for (let step = 0; step < count; step++) {
    const made = busy(rows, step);
    const before = out.at(-1);
    const moved = <Row extends Traffic & { readonly id: string }>(
      list: readonly Row[],
      then: readonly Row[] | undefined,
    ): Row[] =>
      list.map((row) => {
        const old = then?.find(({ id }) => id === row.id);
        const rxBytes = Math.round((old?.rxBytes ?? row.rxBytes) + row.rxRate);
        return { ...row, rxBytes, txBytes: Math.round((old?.txBytes ?? row.txBytes) + row.txRate) };
      });
    out.push({
      ...made,
      seq: step,
      time: NOON + step * 1000,
      intervalMs: 1000,
      flows: moved(made.flows, before?.flows),
      apps: moved(made.apps, before?.apps),
      hosts: moved(made.hosts, before?.hosts),
    });
  }
  return out;
}

/** The fields that the reader makes of a row, as the sender had them; `seen` may be a little off. */
function expectSame(end: StreamEnd, snapshot: Snapshot, names: readonly TableName[]): void {
  for (const name of names) {
    const read = new Map([...(end.decoder as StreamDecoder).rows(name)].map(({ fields }) => [fields['id'], fields]));
    const sent = rowsOf(snapshot, name);
    expect(read.size).toBe(sent.length);
    for (const row of sent) {
      const fields = read.get(row.id) as Record<string, unknown>;
      for (const { name: column, kind } of TABLES[name].columns) {
        const [own, part] = column.split('.') as [string, string | undefined];
        const get = (from: object): unknown => {
          const value = (from as Record<string, unknown>)[own];
          return part === undefined ? value : (value as Record<string, unknown>)[part];
        };
        const [was, is] = [get(row), get(fields)];
        const where = `${name} ${row.id} ${column}`;
        if (kind === 'seen') expect(Math.abs(Number(was) - Number(is)), where).toBeLessThanOrEqual(1500);
        else if (kind === 'real' && typeof was === 'number')
          expect(Math.abs(was - Number(is)), where).toBeLessThanOrEqual(Math.abs(was) / 15);
        else if (kind === 'rate' || kind === 'count') expect(is, where).toBe(Math.round(Number(was)));
        else if (kind !== 'json') expect(is, where).toEqual(was);
      }
    }
  }
}

describe('a stream', () => {
  const names = ['apps', 'hosts', 'flows', 'categories', 'interfaces', 'branches'] as const;

  test('has every row and figure of each snapshot', () => {
    const snapshots = seconds(5, 60);
    const end = new StreamEnd();
    for (const [at, chunk] of streamOf(snapshots).entries()) {
      end.take(chunk);
      if (at > 0) expectSame(end, snapshots[at - 1] as Snapshot, names);
    }
    expect(end.frames.map(({ time }) => time)).toEqual(snapshots.map(({ time }) => time));
  });

  test('has what opened and closed, with its connection, and bounds both', () => {
    const [first] = seconds(1, 2) as [Snapshot];
    const talk = { tls: null, http: null };
    const flow = { ...(first.flows[0] as FlowRow), id: '77', pid: 0, means: [1], talk };
    const one: NetEvent = {
      ...{ id: 'event:1', time: NOON, kind: 'closed', text: '', app: 'curl', domain: null, interface: null },
      ...{ flow, burst: null },
    };
    const burst = { of: 'app', reason: null, count: 9, host: null, hosts: 3, since: NOON, rxBytes: 5, txBytes: 0 } as const;
    const many = Array.from({ length: 150 }, (_, at): NetEvent => ({ ...one, id: `event:${at + 2}`, flow: null, burst }));
    const warning: NetEvent = { ...one, id: 'event:0', kind: 'warning', flow: null };
    const end = new StreamEnd();
    for (const chunk of streamOf([{ ...first, events: [warning, ...many, one] }])) end.take(chunk, { shift: 5, prefix: 'm|' });
    const events = [...(end.decoder as StreamDecoder).rows('events')].map(({ fields }) => fields);
    expect(events).toHaveLength(101);
    expect(events[0]).toMatchObject({ id: 'm|event:0', kind: 'warning' });
    expect(events.at(-2)).toMatchObject({ burst: { ...burst, since: NOON + 5 }, flow: null });
    const { firstSeen, lastSeen } = flow;
    const times = { firstSeen: firstSeen + 5, lastSeen: lastSeen + 5 };
    expect(events.at(-1)).toEqual({
      ...{ ...one, id: 'm|event:1', time: NOON + 5 },
      flow: { ...flow, ...times, id: 'm|77', means: [], inside: null, asked: null, talk: null },
    });
  });

  test('comes through in pieces of any size, behind what a shell prints', () => {
    const snapshots = seconds(3, 40);
    const bytes = Buffer.concat([Buffer.from('Welcome to mac1!\nLast login: NETMON\n'), ...streamOf(snapshots)]);
    for (const size of [1, 7, 4096]) {
      const end = new StreamEnd();
      for (let at = 0; at < bytes.length; at += size) end.take(bytes.subarray(at, at + size));
      expect(end.frames).toHaveLength(3);
      expectSame(end, snapshots[2] as Snapshot, names);
    }
  });

  test('says nothing of rows that stand still, and takes their rates for nothing', () => {
    const [first] = seconds(1, 60) as [Snapshot];
    const still = (seq: number): Snapshot => {
      const quiet = <Row extends Traffic>(rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, rxRate: 0, txRate: 0 }));
      return {
        ...first,
        seq,
        time: first.time + seq * 1000,
        total: { ...first.total, rxRate: 0, txRate: 0 },
        apps: quiet(first.apps),
        hosts: quiet(first.hosts),
        flows: quiet(first.flows),
        branches: quiet(first.branches ?? []),
        categories: quiet(first.categories),
        interfaces: quiet(first.interfaces),
      };
    };
    const chunks = streamOf([first, still(1), still(2)]);
    const end = new StreamEnd();
    for (const chunk of chunks) end.take(chunk);
    expect((chunks[3] as Buffer).length).toBeLessThan(80);
    expectSame(end, still(2), names);
    expect(end.frames[2]?.tables.get('flows')).toEqual({ changed: [], removed: [] });
  });

  test('lets rows go, and never takes a handle for another row', () => {
    const at = (seq: number, ids: readonly string[]): Snapshot => ({
      ...busy(0, 0),
      seq,
      time: NOON + seq * 1000,
      flows: ids.map((id) => flowRow({ id, host: `${id}.example`, rxBytes: 1000 * seq })),
    });
    const end = new StreamEnd();
    for (const chunk of streamOf([at(1, ['a', 'b', 'c']), at(2, ['c', 'd']), at(3, ['d', 'a'])])) end.take(chunk);
    const rows = [...(end.decoder as StreamDecoder).rows('flows')].map(({ fields }) => [fields['id'], fields['host']]);
    expect(rows).toEqual([
      ['d', 'd.example'],
      ['a', 'a.example'],
    ]);
  });

  test('has the first rows of too many, and keeps those that stay near the edge', () => {
    const flows = Array.from({ length: 40 }, (_, i) => flowRow({ id: `f${i}` }));
    const at = (seq: number, rows: Snapshot['flows']): Snapshot => ({ ...busy(0, 0), seq, time: NOON + seq * 1000, flows: rows });
    const encoder = new StreamEncoder({ flows: 10, branches: 10 });
    const end = new StreamEnd();
    const swapped = [...flows.slice(10, 12), ...flows.slice(0, 10), ...flows.slice(12)];
    const chunks = streamOf([at(1, flows), at(2, swapped), at(3, [...flows].reverse())], encoder);
    const ids = () => [...(end.decoder as StreamDecoder).rows('flows')].map(({ fields }) => fields['id']);
    for (const chunk of chunks.slice(0, 2)) end.take(chunk);
    expect(ids()).toEqual(flows.slice(0, 10).map(({ id }) => id));
    end.take(chunks[2] as Buffer);
    expect(ids()).toEqual(flows.slice(0, 12).map(({ id }) => id));
    end.take(chunks[3] as Buffer);
    expect(ids()).toHaveLength(10);
  });

  test('loses nothing with frames that are never made', () => {
    const snapshots = seconds(9, 50);
    const end = new StreamEnd();
    for (const chunk of streamOf(snapshots.filter((_, at) => at % 4 === 0))) end.take(chunk);
    const rows = [...(end.decoder as StreamDecoder).rows('flows')];
    for (const { fields } of rows) {
      const row = snapshots[8]?.flows.find(({ id }) => id === fields['id']);
      expect(fields['rxBytes']).toBe(row?.rxBytes);
      expect(fields['rxRate']).toBe(row?.rxRate);
    }
  });

  test('sends tables on demand only while they are asked for', () => {
    const encoder = new StreamEncoder(STREAM_LIMITS);
    const snapshot = { ...busy(3, 0), listeners: LISTENERS };
    const decoder = new StreamDecoder(encoder.schema(), HERE);
    const count = (): number => {
      decoder.frame(encoder.frame(snapshot));
      return [...decoder.rows('listeners')].length;
    };
    expect(count()).toBe(0);
    encoder.want(['listeners']);
    expect(count()).toBe(1);
    encoder.want([]);
    expect(count()).toBe(0);
  });

  test('puts times and ids where the reader wants them', () => {
    const snapshot = { ...busy(0, 0), apps: [appRow({ id: 'app:1', firstSeen: NOON - 5000, lastSeen: NOON })] };
    const end = new StreamEnd();
    for (const chunk of streamOf([snapshot])) end.take(chunk, { shift: 60_000, prefix: 'mac1|' });
    const [row] = [...(end.decoder as StreamDecoder).rows('apps')];
    expect(row?.fields).toMatchObject({ id: 'mac1|app:1', firstSeen: NOON + 55_000, lastSeen: NOON + 60_000 });
    end.decoder?.replace({ shift: 0, prefix: 'x|' });
    expect(row?.fields).toMatchObject({ id: 'x|app:1', firstSeen: NOON - 5000, lastSeen: NOON });
  });

  test('keeps texts from moving a cursor', () => {
    const snapshot = { ...busy(0, 0), flows: [flowRow({ id: 'f', host: 'a\x1b[2Jb\u202e', inside: null })] };
    const end = new StreamEnd();
    for (const chunk of streamOf([snapshot])) end.take(chunk);
    expect([...(end.decoder as StreamDecoder).rows('flows')][0]?.fields['host']).toBe('a[2Jb');
  });

  test('takes little of a line: 200 busy connections', () => {
    const snapshots = seconds(12, 200);
    const chunks = streamOf(snapshots).slice(3);
    const mean = chunks.reduce((sum, { length }) => sum + length, 0) / chunks.length;
    expect(mean).toBeLessThan(8 * 1024);
  });
});

const LISTENERS = [
  {
    ...{ id: 'l1', protocol: 'tcp', address: '*', port: 22, reach: 'everywhere', app: 'sshd', exe: null, pid: 1 },
    ...{
      user: 'root',
      unit: null,
      container: null,
      startedAt: null,
      since: null,
      elsewhere: false,
      accepted: 0,
      lastFrom: null,
      lastAt: null,
    },
  },
] as const satisfies Snapshot['listeners'];

describe('a reader refuses', () => {
  const encoder = () => new StreamEncoder(STREAM_LIMITS);
  const schema = (change: (text: string) => string): Buffer => Buffer.from(change(encoder().schema().toString()));

  test.each([
    ['no JSON', () => Buffer.from('{')],
    ['another kind of column', () => schema((text) => text.replace('["rxBytes","count",""]', '["rxBytes","text",""]'))],
    ['a kind that nobody knows', () => schema((text) => text.replace('"count"', '"sum"'))],
    ['a table that lacks a column', () => schema((text) => text.replace('["rxBytes","count",""],', ''))],
    ['a table twice', () => schema((text) => text.replace('"name":"hosts"', '"name":"apps"'))],
  ])('a schema with %s', (_, made) => expect(() => new StreamDecoder(made(), HERE)).toThrow(StreamFault));

  test('columns and tables that it knows nothing of are skipped', () => {
    const other = schema((text) => text.replace('"name":"alerts"', '"name":"weather"'));
    const decoder = new StreamDecoder(other, HERE);
    decoder.frame(encoder().frame(busy(5, 0)));
    expect([...decoder.rows('flows')]).toHaveLength(5);
    expect([...decoder.rows('alerts')]).toHaveLength(0);
  });

  test('a message that unpacks without end', () => {
    const writer = new MessageWriter();
    const bomb = writer.message(MESSAGE.FRAME, Buffer.alloc(8 << 20));
    expect(bomb.length).toBeLessThan(64 * 1024);
    const reader = new MessageReader();
    expect(() => reader.take(Buffer.concat([Buffer.from(greeting('1', null)), bomb]), () => undefined)).toThrow(StreamFault);
  });

  test('a message whose length nobody could mean', () => {
    const header = Buffer.from([MESSAGE.FRAME, 0xff, 0xff, 0xff, 0x7f]);
    const reader = new MessageReader();
    expect(() => reader.take(Buffer.concat([Buffer.from(greeting('1', null)), header]), () => undefined)).toThrow('too long');
  });

  test('noise without end', () => {
    const reader = new MessageReader();
    expect(() => {
      for (let i = 0; i < 100; i++) reader.take(Buffer.from(`${'x'.repeat(1000)}\n`), () => undefined);
    }).toThrow('never greets');
    const unbroken = new MessageReader();
    expect(() => unbroken.take(Buffer.alloc(100_000, 'x'), () => undefined)).toThrow('never greets');
  });

  test('more rows than a table holds', () => {
    const many = {
      ...busy(0, 0),
      categories: Array.from({ length: 300 }, (_, i) => ({ ...appRow({ id: `c${i}` }), category: 'x' })),
    };
    const half = (from: number) => ({ ...many, categories: many.categories.slice(from, from + 150) });
    const [one, two] = [encoder(), encoder()];
    const decoder = new StreamDecoder(one.schema(), HERE);
    decoder.frame(one.frame(half(0)));
    two.frame(busy(200, 0)); // its handles are others
    expect(() => decoder.frame(two.frame(half(150)))).toThrow(StreamFault);
  });
});

test.each([
  [[1, 1], 1],
  [[1, 7], 1],
  [[2, 3], null],
  [[], null],
])('of versions %j it speaks %j', (versions, common) => expect(commonVersion({ versions })).toBe(common));

test('every table has fewer columns than a row can say', () => {
  for (const name of TABLE_NAMES) expect(TABLES[name].columns.length).toBeLessThanOrEqual(50);
});
