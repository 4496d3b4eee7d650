import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBatch, encodeBatch } from '../../../../src/history/journal/batch-codec.ts';
import { encodeRecord, JOURNAL_HEAD, type JournalRecord, readJournal } from '../../../../src/history/journal/record.ts';
import { ALERT_KINDS, type AlertDelivery, HELD, SEVERITIES } from '../../../../src/model/alert.ts';
import { DNS_TRANSPORTS, type RecordedEncrypted } from '../../../../src/model/dns.ts';
import type { DnsRecords, HistoryBatch, HistoryEntry, LoggedFlow, WatchRecords } from '../../../../src/model/history-batch.ts';
import { ATTRIBUTIONS, ENCRYPTED_TRANSPORTS, FLOW_DIRECTIONS, NAME_SOURCES } from '../../../../src/model/terms.ts';
import { CONTACT_KINDS, type FirstContact } from '../../../../src/model/watch.ts';
import { alert, asked, batch, entry, loggedFlow, NOVEMBER } from '../../../support/history.ts';

const text = fc.option(fc.string({ maxLength: 40 }), { nil: null });
const count = fc.integer({ min: -1e9, max: 2 ** 50 });
const name = fc.string({ maxLength: 20 });
const container = fc.option(fc.record({ container: name, image: text, pod: text, namespace: text, project: text }), {
  nil: null,
});
const entries = fc.record<HistoryEntry>({
  app: text,
  reason: text,
  exe: text,
  host: text,
  domain: text,
  category: text,
  interface: name,
  protocol: name,
  direction: fc.constantFrom(...FLOW_DIRECTIONS),
  container,
  rxBytes: count,
  txBytes: count,
  rxPackets: count,
  txPackets: count,
  flows: count,
});
const flows = fc
  .record({
    start: fc.integer({ min: 0, max: 2e12 }),
    app: text,
    host: text,
    pid: fc.option(fc.nat(), { nil: null }),
    attribution: fc.constantFrom(...ATTRIBUTIONS),
    nameSource: fc.constantFrom(...NAME_SOURCES),
    direction: fc.constantFrom(...FLOW_DIRECTIONS),
    localAddress: name,
    container,
    rxBytes: fc.nat(),
  })
  .map((some): LoggedFlow => loggedFlow({ ...some, end: some.start + 5 }));
const watch = fc.record<WatchRecords>({
  alerts: fc.array(
    fc
      .record({
        time: fc.nat(),
        kind: fc.constantFrom(...ALERT_KINDS),
        severity: fc.constantFrom(...SEVERITIES),
        app: text,
        pid: fc.option(fc.nat(), { nil: null }),
        evidence: text,
        details: fc.array(name, { maxLength: 3 }),
        held: fc.constantFrom(null, ...HELD),
      })
      .map(alert),
    { maxLength: 3 },
  ),
  contacts: fc.array(fc.record<FirstContact>({ kind: fc.constantFrom(...CONTACT_KINDS), time: fc.nat(), app: name, name }), {
    maxLength: 3,
  }),
  deliveries: fc.array(fc.record<AlertDelivery>({ id: name, sink: name, time: fc.nat(), failure: text }), { maxLength: 3 }),
});
const batches = fc.record<HistoryBatch>({
  minute: fc.nat(),
  entries: fc.array(entries, { maxLength: 8 }),
  flows: fc.array(flows, { maxLength: 4 }),
  unlogged: fc.nat(),
});
const questions = fc
  .record({
    time: fc.nat(),
    name,
    domain: text,
    app: text,
    pid: fc.option(fc.nat(), { nil: null }),
    onBehalfOf: text,
    transport: fc.constantFrom(...DNS_TRANSPORTS),
    direction: fc.constantFrom(...FLOW_DIRECTIONS),
    answer: fc.array(fc.ipV4(), { maxLength: 8 }).map((lines) => lines.join('\n')),
    tookMs: fc.option(
      fc.nat(1e7).map((us) => us / 1000),
      { nil: null },
    ),
    tries: fc.nat(9),
  })
  .map(asked);
const encrypted = fc.record<RecordedEncrypted>({
  minute: fc.nat(),
  app: text,
  reason: text,
  host: name,
  transport: fc.constantFrom(...ENCRYPTED_TRANSPORTS),
  connections: fc.integer(),
  rxBytes: fc.integer(),
  txBytes: fc.integer(),
});
const dns = fc.record<DnsRecords>({
  questions: fc.array(questions, { maxLength: 4 }),
  missed: fc.nat(),
  encrypted: fc.array(encrypted, { maxLength: 4 }),
});
const inquiring = fc.tuple(batches, dns).map(([one, found]): HistoryBatch => ({ ...one, dns: found }));
const watched = fc.tuple(batches, watch).map(([one, found]): HistoryBatch => ({ ...one, watch: found }));

async function journalOf(records: readonly JournalRecord[]): Promise<Buffer> {
  return Buffer.concat([JOURNAL_HEAD, ...(await Promise.all(records.map(encodeRecord)))]);
}

describe('a batch', () => {
  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(fc.oneof(batches, watched, inquiring), (one) => {
        expect(decodeBatch(encodeBatch(one))).toEqual(one);
      }),
    );
  });

  it('is spelled in a turn of its own', async () => {
    let spelled = 0;
    const watched = Object.defineProperty(entry({}), 'rxBytes', { get: () => ++spelled });
    const record = encodeRecord({ sequence: 1, batch: batch(NOVEMBER, [watched]) });
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    expect(spelled).toBe(0);
    const [read] = readJournal(Buffer.concat([JOURNAL_HEAD, await record]));
    expect([spelled, read?.batch.entries[0]?.rxBytes]).toEqual([1, 1]);
  });

  it('is bounded: a text of outside is cut', () => {
    const long = decodeBatch(encodeBatch(batch(1, [entry({ host: 'x'.repeat(5000) })])));
    expect(long?.entries[0]?.host).toHaveLength(512);
  });

  it.each([
    '',
    'null',
    '7',
    '[]',
    '{"m":1}',
    '{"m":1,"u":0,"s":[],"e":[1],"f":[]}',
    '{"m":1,"u":0,"s":[],"e":[],"f":[null]}',
    '{"m":"1","u":0,"s":[],"e":[],"f":[]}',
    '{"m":1,"u":0,"s":[1],"e":[],"f":[]}',
    `{"m":1,"u":0,"s":["${'x'.repeat(513)}"],"e":[],"f":[]}`,
    '{"m":1,"u":0,"s":[],"e":[],"f":[],"w":null}',
    '{"m":1,"u":0,"s":[],"e":[],"f":[],"w":{"a":[1],"d":[],"c":[],"t":[]}}',
    '{"m":1,"u":0,"s":[],"e":[],"f":[],"w":{"a":[],"d":[],"c":[1,2,"3"],"t":[]}}',
  ])('is not made of %s', (broken) => expect(decodeBatch(broken)).toBeNull());

  it('with an alert of numbers out of place is whole all the same', () => {
    const a = [9, 5, 99, -1, 0, 0.5, 0, 0, 0, 0, 0, 0, 7, 1e9];
    const odd = decodeBatch(
      JSON.stringify({ m: 1, u: 0, s: ['a'], e: [], f: [], w: { a, d: [1, 9], c: [-1, 1, 1, 1, 77, 1, 1, 1], t: [] } }),
    );
    expect(odd?.watch?.contacts).toEqual([]);
    expect(odd?.watch?.alerts).toMatchObject([
      { id: '', time: 5, kind: 'threshold', severity: 'info', exe: null, pid: null, held: null, details: ['a', ''] },
    ]);
  });

  it('of numbers out of place is whole all the same', () => {
    const odd = decodeBatch(`{"m":1,"u":0,"s":["a"],"e":[99,-1,0.5,1,0,0,0,0,9,1,2,3,4,5],"f":[]}`);
    expect(odd?.entries).toEqual(
      [
        {
          ...entry(),
          app: null,
          exe: null,
          host: 'a',
          domain: null,
          category: null,
          interface: '',
          protocol: '',
          direction: 'transit',
        },
      ].map((one) => ({ ...one, rxBytes: 1, txBytes: 2, rxPackets: 3, txPackets: 4, flows: 5 })),
    );
  });
});

describe('a journal', () => {
  const records = [5, 6, 7].map((sequence) => ({
    sequence,
    batch: batch(NOVEMBER, [entry({ rxBytes: sequence, host: `h${sequence}` })], [loggedFlow()]),
  }));

  it('gives back its records in order', async () => {
    expect([...readJournal(await journalOf(records))]).toEqual(records);
    expect([...readJournal(await journalOf([]))]).toEqual([]);
  });

  it('cut at every byte gives all records that are whole', async () => {
    const whole = await journalOf(records);
    const ends = [JOURNAL_HEAD.length];
    for (const record of records) ends.push((ends.at(-1) as number) + (await encodeRecord(record)).length);
    for (let length = 0; length <= whole.length; length++) {
      const expected = ends.filter((end) => end <= length).length - 1;
      expect([...readJournal(whole.subarray(0, length))]).toEqual(records.slice(0, Math.max(0, expected)));
    }
  });

  it('with any byte changed gives records as they were, and none after the damage', async () => {
    const whole = await journalOf(records);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 0x55;
      const read = [...readJournal(damaged)];
      expect(read).toEqual(records.slice(0, read.length));
      expect(read.length).toBeLessThan(3);
    }
  });

  it('of another version, or with a payload that nobody wrote, gives nothing', async () => {
    const whole = await journalOf(records);
    whole[7] = 0x32;
    expect([...readJournal(whole)]).toEqual([]);
    const forged = Buffer.concat([JOURNAL_HEAD, Buffer.alloc(16), Buffer.from('not deflated')]);
    forged.writeUInt32LE(12, 8);
    forged.writeDoubleLE(1, 16);
    forged.writeUInt32LE(crc32(forged.subarray(16)), 12);
    expect([...readJournal(forged)]).toEqual([]);
  });
});
