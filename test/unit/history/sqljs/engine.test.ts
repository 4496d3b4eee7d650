// A build of sql.js that the program doesn't know: databases are held in memory whole, up to a limit. That saves, reads and journals work as
// with the known build is tested with those (image-save.test.ts, reader.test.ts).

import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../../../src/history/database.ts';
import { journalPath, newImagePath } from '../../../../src/history/files.ts';
import { type SaveRequest, saveImage } from '../../../../src/history/image-save.ts';
import { encodeRecord, JOURNAL_HEAD } from '../../../../src/history/journal/record.ts';
import { loadHistory } from '../../../../src/history/load.ts';
import { openHistory } from '../../../../src/history/query/reader.ts';
import type { SqlEngine } from '../../../../src/history/sqljs/engine.ts';
import { WholeFiles } from '../../../../src/history/sqljs/files.ts';
import { batch, entry, fileOf, NOVEMBER, sqlEngines } from '../../../support/history.ts';
import { HistoryFolder } from '../../../support/history-folder.ts';
import { localThreads } from '../../../support/reader-thread.ts';

const [[, known], [, another]] = (await sqlEngines()) as [[string, SqlEngine], [string, SqlEngine]];
const NOW = Date.UTC(2026, 10, 1, 1);
const many = Array.from({ length: 3000 }, (_, i) => entry({ host: `host-${i}.example.com`, rxBytes: 1 }));
let history: HistoryFolder;

beforeEach(() => {
  history = new HistoryFolder(known);
});
afterEach(() => history.remove());

const request = (journals: readonly string[]): SaveRequest => ({
  path: history.path,
  journals,
  owner: null,
  maxBytes: 200e6,
  time: { now: NOW, wall: NOW, elapsedMs: 0 },
  last: null,
});

const refusal = (maxMiB: number) => ({
  code: 'history',
  message: `the history file ${history.path}: it is larger than the ${maxMiB} MiB that this build of sql.js can hold`,
  hint: expect.stringContaining('npm ci'),
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('accepted');
}

describe('another build of sql.js', () => {
  test('is said to be one by the engine, a save and a reader', async () => {
    expect(known.notice).toBeNull();
    expect(another.notice).toContain('npm ci');
    const journals = [await history.writeJournal(1, { 1: 7 })];
    expect(saveImage(known, request(journals)).notice).toBeNull();
    expect(saveImage(another, request(journals)).notice).toBe(another.notice);
    const reader = await openHistory(history.path, localThreads(another));
    expect(reader.notice).toBe(another.notice);
    await reader.close();
  });

  test('reads what the known one wrote, and the other way round', async () => {
    saveImage(known, request([await history.writeJournal(1, { 1: 1 })]));
    saveImage(another, request([await history.writeJournal(2, { 2: 10 })]));
    saveImage(known, request([await history.writeJournal(3, { 3: 100 })]));
    expect(history.imageBytes()).toBe(111);
  });

  test('writes nothing before it is told to, and then all', () => {
    const writes: number[] = [];
    const file = fileOf(new Uint8Array());
    const counted = Object.assign(file, {
      write: (bytes: Uint8Array, at: number) => {
        writes.push(bytes.length);
        return Object.getPrototypeOf(file).write.call(file, bytes, at);
      },
    });
    const database = HistoryDatabase.create(another, counted);
    database.apply(1, batch(NOVEMBER, many));
    expect(writes).toEqual([]);
    const { bytes } = database;
    database.flush();
    database.close();
    expect(writes).toEqual([bytes]);
  });

  test('tells of a full disk as the system does', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const write = () => {
      throw full;
    };
    const database = HistoryDatabase.create(another, Object.assign(fileOf(new Uint8Array()), { write }));
    expect(thrownBy(() => database.flush())).toBe(full);
    database.close();
  });

  test('refuses a file above 64 MiB, which the known one opens', async () => {
    history.writeImage({ 1: 1 });
    const journals = [await history.writeJournal(1, { 2: 10 })];
    truncateSync(history.path, (64 << 20) + 1);
    expect(thrownBy(() => loadHistory(another, history.path))).toMatchObject(refusal(64));
    expect(thrownBy(() => saveImage(another, request(journals)))).toMatchObject(refusal(64));
    expect(existsSync(newImagePath(history.path))).toBe(false);
    await expect(openHistory(history.path, localThreads(another))).rejects.toMatchObject(refusal(64));
    expect(history.allBytes()).toBe(11);
  });

  test('lets no file grow above the limit: image and journal stay as they were', async () => {
    const files = Object.assign(new WholeFiles(), { maxBytes: 1 << 20 });
    const small = Object.create(another, { files: { value: files } }) as SqlEngine;
    const database = HistoryDatabase.create(known);
    const hosts = Array.from({ length: 9000 }, (_, i) => entry({ host: `${'long-'.repeat(20)}${i}.example.com`, rxBytes: 1 }));
    database.apply(1, batch(NOVEMBER, hosts.slice(0, 2000)));
    const image = database.image();
    database.apply(2, batch(NOVEMBER, hosts));
    expect(database.bytes).toBeGreaterThan(1 << 20);
    database.close();
    writeFileSync(history.path, image, { mode: 0o600 });
    const path = journalPath(history.path, 1);
    const journal = Buffer.concat([JOURNAL_HEAD, await encodeRecord({ sequence: 2, batch: batch(NOVEMBER, hosts) })]);
    writeFileSync(path, journal, { mode: 0o600 });
    expect(thrownBy(() => saveImage(small, request([path])))).toMatchObject(refusal(1));
    expect(readFileSync(history.path).equals(image)).toBe(true);
    expect(readFileSync(path).equals(journal)).toBe(true);
    expect(existsSync(newImagePath(history.path))).toBe(false);
  });
});
