import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../../src/history/database.ts';
import { claimFolder, journalNumbers, newImagePath } from '../../../src/history/files.ts';
import { type SaveRequest, saveImage } from '../../../src/history/image-save.ts';
import type { SqlEngine } from '../../../src/history/sqljs/engine.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import { batch, entry, fileOf, NOVEMBER, sqlEngines } from '../../support/history.ts';
import { HistoryFolder } from '../../support/history-folder.ts';

const engines = await sqlEngines();
let sql = engines[0]?.[1] as SqlEngine;
const NOW = Date.UTC(2026, 10, 1, 1);
let history: HistoryFolder;

beforeEach(() => {
  history = new HistoryFolder(sql);
});
afterEach(() => history.remove());

function request(journals: readonly string[] = []): SaveRequest {
  return { path: history.path, journals, owner: null, maxBytes: 200e6, time: { now: NOW, wall: NOW, elapsedMs: 0 }, last: null };
}

function refusal(run: () => unknown): NetmonError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof NetmonError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

describe.each(engines)('a save with %s of sql.js', (_, engine) => {
  beforeEach(() => {
    sql = engine;
    history.remove();
    history = new HistoryFolder(sql);
  });

  it('makes an image of journals, readable by nobody else', async () => {
    const journals = [await history.writeJournal(1, { 1: 1, 2: 10 }), await history.writeJournal(2, { 3: 100 })];
    const answer = saveImage(sql, request(journals));
    expect(answer).toMatchObject({ applied: 3, rejected: null, bytes: statSync(history.path).size });
    expect(answer.written).toBe(answer.bytes);
    expect(history.imageBytes()).toBe(111);
    expect(statSync(history.path).mode & 0o777).toBe(0o600);
    expect(existsSync(newImagePath(history.path))).toBe(false);
  });

  it('brings in what the image does not have, and nothing twice', async () => {
    history.writeImage({ 1: 1, 2: 10 });
    expect(saveImage(sql, request([await history.writeJournal(1, { 2: 10, 3: 100 })])).applied).toBe(3);
    expect(history.imageBytes()).toBe(111);
    expect(saveImage(sql, request([await history.writeJournal(1, { 2: 10, 3: 100 })]))).toMatchObject({ applied: 3, written: 0 });
    expect(history.imageBytes()).toBe(111);
  });

  it('puts another file in place: one that somebody reads stays as it was', async () => {
    history.writeImage({ 1: 1 });
    const reader = join(history.folder, 'reader');
    linkSync(history.path, reader);
    const before = readFileSync(reader);
    saveImage(sql, request([await history.writeJournal(1, { 2: 10 })]));
    expect(readFileSync(reader).equals(before)).toBe(true);
    expect(statSync(history.path).ino).not.toBe(statSync(reader).ino);
  });

  it.skipIf(process.geteuid?.() !== 0)('of root for a user makes nothing by name (skipped where not root)', async () => {
    history.writeImage({ 1: 1 });
    const clone = () => expect.unreachable('a clone is made by name');
    const journals = [await history.writeJournal(1, { 2: 10 })];
    expect(saveImage(sql, { ...request(journals), owner: { uid: 12_345, gid: 12_345 } }, clone).applied).toBe(2);
    expect(statSync(history.path)).toMatchObject({ uid: 12_345, gid: 12_345 });
  });

  it('writes only the pages that changed where the file system shares blocks', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => entry({ host: `host-${i}.example.com`, rxBytes: i }));
    const database = HistoryDatabase.create(sql);
    database.apply(1, batch(NOVEMBER, many));
    writeFileSync(history.path, database.image());
    database.close();
    const shared = (from: string, to: string) => {
      copyFileSync(from, to);
      return true;
    };
    saveImage(sql, request([await history.writeJournal(1, { 2: 10 })])); // retention may put all in order once
    const answer = saveImage(sql, request([await history.writeJournal(2, { 3: 10 })]), shared);
    expect(answer.bytes).toBeGreaterThan(100_000);
    expect(answer.written).toBeLessThan(answer.bytes / 4);
    expect(answer.written % 4096).toBe(0);
    const image = HistoryDatabase.open(sql, fileOf(readFileSync(history.path)));
    expect([image.applied, image.bytes]).toEqual([3, answer.bytes]);
    image.close();
    expect(statSync(history.path).mode & 0o777).toBe(0o600);
  });

  it('keeps a damaged image beside a new one, and what the journals hold', async () => {
    history.writeImage({ 1: 1 });
    const damaged = readFileSync(history.path).fill(0x55, 1000, 9000);
    writeFileSync(history.path, damaged);
    const journals = [await history.writeJournal(1, { 5: 10 })];
    const { rejected } = saveImage(sql, request(journals));
    expect(rejected).toEqual({ why: 'damaged', path: `${history.path}.corrupt-20261101T010000Z` });
    expect(readFileSync(rejected?.path as string).equals(damaged)).toBe(true);
    expect(history.imageBytes()).toBe(10);
    writeFileSync(history.path, damaged);
    expect(saveImage(sql, request(journals)).rejected?.path).toBe(`${history.path}.corrupt-20261101T010000Z-1`);
  });

  it('moves an image away that is not the one of the last save, whatever its numbers say', async () => {
    history.writeImage({ 1: 1 });
    const first = saveImage(sql, request([await history.writeJournal(1, { 2: 10 })]));
    const ours = readFileSync(history.path);
    const again = async (replace: () => void, applied = 2) => {
      replace();
      const journals = [await history.writeJournal(2, { [applied + 1]: 100 })];
      return saveImage(sql, { ...request(journals), last: { identity: first.identity, applied } });
    };
    const replaced = { why: 'replaced', path: expect.stringContaining('.exchanged-20261101T010000Z') };
    // Another history, whose numbers are higher: it would take the records for its own.
    expect(await again(() => history.writeImage({ 900: 7 }))).toMatchObject({ applied: 3, rejected: replaced });
    expect(history.imageBytes()).toBe(100);
    // An older state of the same one.
    expect(await again(() => writeFileSync(history.path, ours), 3)).toMatchObject({ applied: 4, rejected: replaced });
    expect(await again(() => unlinkSync(history.path))).toMatchObject({ rejected: { why: 'removed', path: null } });
    // The one that was saved.
    expect(await again(() => writeFileSync(history.path, ours))).toMatchObject({ applied: 3, rejected: null });
    expect(history.imageBytes()).toBe(111);
  });

  it('leaves a file of a later version and of another program as it is', async () => {
    history.writeImage({ 1: 1 });
    const image = readFileSync(history.path);
    image.writeInt32BE(99, 60);
    for (const [contents, why] of [
      [image, 'newer'],
      [Buffer.from('my notes'), 'not ours'],
    ] as const) {
      writeFileSync(history.path, contents);
      expect(refusal(() => saveImage(sql, request()))).toMatchObject({ why, code: 'history' });
      expect(readFileSync(history.path).equals(contents)).toBe(true);
    }
    expect(readdirSync(history.folder)).toEqual(['history.sqlite']);
  });

  it('begins in an empty file', async () => {
    writeFileSync(history.path, '');
    saveImage(sql, request([await history.writeJournal(1, { 1: 7 })]));
    expect(history.imageBytes()).toBe(7);
  });

  it.each(['-journal', '-wal'])('waits while sqlite3 has something to finish (%s)', async (suffix) => {
    history.writeImage({ 1: 1 });
    writeFileSync(history.path + suffix, 'x');
    const journals = [await history.writeJournal(1, { 2: 10 })];
    expect(refusal(() => saveImage(sql, request(journals))).message).toContain(`(${history.path}${suffix})`);
    writeFileSync(history.path + suffix, '');
    expect(saveImage(sql, request(journals)).applied).toBe(2);
  });

  it('waits for the next time when somebody changed the file meanwhile, and loses neither', async () => {
    history.writeImage({ 1: 1 });
    const journals = [await history.writeJournal(1, { 2: 10 })];
    const meddler = () => {
      history.writeImage({ 1: 1000 });
      return false;
    };
    expect(refusal(() => saveImage(sql, request(journals), meddler)).message).toContain('another program changed it meanwhile');
    expect(history.imageBytes()).toBe(1000);
    expect(existsSync(newImagePath(history.path))).toBe(false);
    expect(saveImage(sql, request(journals)).applied).toBe(2);
    expect(history.imageBytes()).toBe(1010);
  });

  it('takes away what a save that was killed left', async () => {
    writeFileSync(newImagePath(history.path), 'half');
    saveImage(sql, request([await history.writeJournal(1, { 1: 7 })]));
    expect(existsSync(newImagePath(history.path))).toBe(false);
  });

  it('refuses a symbolic link, a folder and a pipe in place of the file', async () => {
    const other = join(history.folder, 'other');
    writeFileSync(other, 'precious');
    symlinkSync(other, history.path);
    expect(refusal(() => saveImage(sql, request())).message).toContain('it is a symbolic link');
    expect(readFileSync(other, 'utf8')).toBe('precious');
    unlinkSync(history.path);
    mkdirSync(history.path);
    expect(refusal(() => saveImage(sql, request())).message).toContain('it is not a regular file');
  });
});

describe('the folder', () => {
  it('is made where it is missing, for its owner alone', () => {
    const path = join(history.folder, 'a/b/history.sqlite');
    claimFolder(path, null);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    claimFolder(path, null);
  });

  it('that is a symbolic link, or that others may write to, is refused', () => {
    const link = join(history.folder, 'link');
    symlinkSync('/tmp', link);
    expect(refusal(() => claimFolder(join(link, 'h'), null)).message).toContain('is a symbolic link');
    const open = join(history.folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(refusal(() => claimFolder(join(open, 'h'), null)).message).toContain('can be written by other users');
    chmodSync(open, 0o1777); // as /tmp: nobody can replace what is ours
    claimFolder(join(open, 'h'), null);
    writeFileSync(join(history.folder, 'file'), '');
    expect(refusal(() => claimFolder(join(history.folder, 'file/h'), null)).message).toContain('is not a folder');
  });

  it("may be a link of the system's, as /tmp is on a Mac", ({ skip }) => {
    const links = ['/tmp', '/bin', '/lib'].filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink());
    if (links.length === 0) return skip('nothing in / is a link here');
    for (const link of links) claimFolder(`${link}/history.sqlite`, null);
  });

  it('lists journals of this history alone, in the order of their numbers', () => {
    for (const name of ['history.sqlite.pending-10', 'history.sqlite.pending-9', 'history.sqlite.pending-x', 'other.pending-1'])
      writeFileSync(join(history.folder, name), '');
    expect(journalNumbers(history.path)).toEqual([9, 10]);
    expect(journalNumbers(join(history.folder, 'missing/h'))).toEqual([]);
  });
});

describe.skipIf(process.geteuid?.() !== 0)('under sudo (skipped where not root)', () => {
  it('all that is made belongs to the invoking user', async () => {
    const owner = { uid: 12_345, gid: 12_346 };
    const path = join(history.folder, 'x/y/history.sqlite');
    claimFolder(path, owner);
    const journals = [await history.writeJournal(1, { 1: 7 })];
    saveImage(sql, { ...request(journals), path, owner });
    for (const made of [join(history.folder, 'x'), dirname(path), path])
      expect([statSync(made).uid, statSync(made).gid]).toEqual([12_345, 12_346]);
  });

  it("refuses somebody else's file and folder", () => {
    const theirs = join(history.folder, 'theirs');
    mkdirSync(theirs);
    chownSync(theirs, 12_345, 12_345);
    expect(refusal(() => claimFolder(join(theirs, 'h'), null)).message).toContain('belongs to another user');
    history.writeImage({ 1: 1 });
    chownSync(history.path, 12_345, 12_345);
    expect(refusal(() => saveImage(sql, request())).message).toContain('it belongs to another user');
  });
});
