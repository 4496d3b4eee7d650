import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HistoryDatabase } from '../../../../src/history/database.ts';
import { journalPath } from '../../../../src/history/files.ts';
import { encodeRecord, JOURNAL_HEAD } from '../../../../src/history/journal/record.ts';
import { type HistoryReader, openHistory } from '../../../../src/history/query/reader.ts';
import type { SqlEngine } from '../../../../src/history/sqljs/engine.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import type { HistoryBatch } from '../../../../src/model/history-batch.ts';
import { batch, entry, fileOf, loggedFlow, NOVEMBER, question, sqlEngines } from '../../../support/history.ts';
import { type Contender, localThreads } from '../../../support/reader-thread.ts';

const engines = await sqlEngines();
let sql = engines[0]?.[1] as SqlEngine;
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-history-'));
  path = join(folder, 'history.sqlite');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const moved = (rxBytes: number): HistoryBatch => batch(NOVEMBER, [entry({ rxBytes })]);

function writeImage(records: Readonly<Record<number, number>>): void {
  const database = HistoryDatabase.create(sql);
  for (const [sequence, rxBytes] of Object.entries(records)) database.apply(Number(sequence), moved(rxBytes));
  writeFileSync(path, database.image());
  database.close();
}

async function writeJournal(number: number, records: Readonly<Record<number, number>>): Promise<void> {
  const parts: Uint8Array[] = [JOURNAL_HEAD];
  for (const [sequence, rxBytes] of Object.entries(records))
    parts.push(await encodeRecord({ sequence: Number(sequence), batch: moved(rxBytes) }));
  writeFileSync(journalPath(path, number), Buffer.concat(parts));
}

const open = (): Promise<HistoryReader> => openHistory(path, localThreads(sql));
const bytes = async (reader: HistoryReader) => (await reader.query(question())).total.rxBytes;

async function refusal(run: Promise<unknown>): Promise<NetmonError> {
  const thrown = await run.then(
    () => new Error('accepted'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof NetmonError)) throw thrown;
  return thrown;
}

describe.each(engines)('openHistory with %s of sql.js', (_, engine) => {
  beforeEach(() => {
    sql = engine;
  });

  it('sees the image and what the journals hold beyond it, each record once', async () => {
    writeImage({ 1: 1, 2: 10 });
    await writeJournal(3, { 2: 10, 3: 100 });
    await writeJournal(12, { 4: 1000 });
    const reader = await open();
    expect(await bytes(reader)).toBe(1111);
    await reader.close();
  });

  it('sees journals without an image, and an image without journals', async () => {
    await writeJournal(1, { 1: 7 });
    const first = await open();
    expect(await bytes(first)).toBe(7);
    await first.close();
    rmSync(journalPath(path, 1));
    writeImage({ 1: 8 });
    const second = await open();
    expect(await bytes(second)).toBe(8);
    await second.close();
  });

  it('sees on refresh what was written since, also after the image was replaced', async () => {
    writeImage({ 1: 1 });
    const reader = await open();
    await writeJournal(1, { 2: 10 });
    expect(await bytes(reader)).toBe(1);
    await reader.refresh();
    expect(await bytes(reader)).toBe(11);
    await writeJournal(1, { 2: 10, 3: 100 });
    await reader.refresh();
    expect(await bytes(reader)).toBe(111);
    writeImage({ 1: 1, 2: 10, 3: 100, 4: 1000 });
    rmSync(journalPath(path, 1));
    await reader.refresh();
    expect(await bytes(reader)).toBe(1111);
    await reader.close();
  });

  it('exports image and journals as one file', async () => {
    writeImage({ 1: 1 });
    await writeJournal(1, { 2: 10 });
    const reader = await open();
    const copy = HistoryDatabase.open(sql, fileOf(await reader.image()));
    expect(copy.query(question()).total.rxBytes).toBe(11);
    copy.close();
    await reader.close();
  });

  it('ends its thread for another that waits, once every call is answered, and starts a new one with the next call', async () => {
    writeImage({ 1: 1 });
    const counts = { started: 0, ended: 0 };
    const contender: Contender = {};
    const reader = await openHistory(path, localThreads(sql, counts, '', contender));
    const asked = [bytes(reader), bytes(reader)];
    contender.contend?.();
    expect(counts).toEqual({ started: 1, ended: 0 });
    expect(await Promise.all(asked)).toEqual([1, 1]);
    expect(counts).toEqual({ started: 1, ended: 1 });
    expect(await bytes(reader)).toBe(1);
    contender.contend?.();
    expect(counts).toEqual({ started: 2, ended: 2 });
    await reader.close();
  });

  it('answers with records in pages, statements, first contacts and names', async () => {
    const database = HistoryDatabase.create(sql);
    for (let i = 1; i <= 5; i++) database.apply(i, batch(NOVEMBER + i, [entry({ rxBytes: i })], [loggedFlow()]));
    writeFileSync(path, database.image());
    database.close();
    const reader = await open();
    const { from, to } = question();
    const pages: number[][] = [];
    for await (const page of reader.records(from, to, 2)) pages.push(page.map(({ rxBytes }) => rxBytes));
    expect(pages).toEqual([[1, 2], [3, 4], [5]]);
    let flows = 0;
    for await (const page of reader.flows(from, to, 3)) flows += page.length;
    expect(flows).toBe(5);
    expect(await reader.firstSeen({ from, to, app: null, most: 10 })).toMatchObject([{ app: 'curl', domain: 'example.com' }]);
    expect(await reader.knownNames(10)).toEqual({ apps: ['curl'], domains: ['example.com'] });
    const statement = 'SELECT SUM(packet_size) AS n FROM connections';
    expect((await reader.sql(statement, { timeoutMs: 1000, rows: 10 })).rows).toEqual([[15]]);
    expect(await refusal(reader.sql('DELETE FROM minute', { timeoutMs: 1000, rows: 10 }))).toMatchObject({ code: 'usage' });
    expect(await bytes(reader)).toBe(15);
    await reader.close();
  });

  it('writes nothing', async () => {
    writeImage({ 1: 1 });
    const before = readFileSync(path);
    const reader = await open();
    await bytes(reader);
    await reader.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses a missing, a damaged and a foreign file, and names it', async () => {
    expect(await refusal(open())).toMatchObject({ code: 'history', message: `nothing is recorded yet in ${path}` });
    writeImage({ 1: 1 });
    const image = readFileSync(path);
    image.fill(0x55, 2048, 8192);
    writeFileSync(path, image);
    expect((await refusal(open())).message).toContain(`the history file ${path}: damaged`);
    writeFileSync(path, 'hello');
    expect(await refusal(open())).toMatchObject({
      exitStatus: 7,
      message: `the history file ${path}: not a history of netmon-tui`,
    });
  });

  it('ends its thread when nobody asks, and reads the files again when somebody does', async () => {
    writeImage({ 1: 1 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const counts = { started: 0, ended: 0 };
    const reader = await openHistory(path, localThreads(sql, counts));
    expect(await bytes(reader)).toBe(1);
    vi.advanceTimersByTime(74_000);
    expect(counts).toEqual({ started: 1, ended: 0 });
    vi.advanceTimersByTime(2000);
    expect(counts).toEqual({ started: 1, ended: 1 });
    await writeJournal(1, { 2: 10 });
    expect(await bytes(reader)).toBe(11);
    expect(counts).toEqual({ started: 2, ended: 1 });
    await reader.close();
  });

  it('ends a statement that takes too long together with its thread, and goes on with another', async () => {
    writeImage({ 1: 1 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const counts = { started: 0, ended: 0 };
    const reader = await openHistory(path, localThreads(sql, counts, 'SELECT endless'));
    const refused = refusal(reader.sql('SELECT endless', { timeoutMs: 5000, rows: 10 }));
    const beside = bytes(reader);
    await new Promise(setImmediate);
    vi.advanceTimersByTime(5001);
    expect((await refused).message).toBe('the statement took longer than 5 s');
    expect(await beside).toBe(1);
    expect(counts).toEqual({ started: 2, ended: 1 });
    await reader.close();
    expect((await refusal(bytes(reader))).message).toBe('reading history was ended');
  });
});
