import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { journalNumbers, journalPath } from '../../../src/history/files.ts';
import { type SaveAnswer, type SaveRequest, saveImage } from '../../../src/history/image-save.ts';
import { loadHistory } from '../../../src/history/load.ts';
import { hourlyBytes, Recorder, saveInterval } from '../../../src/history/recorder.ts';
import type { LockResult } from '../../../src/system/file-lock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { batch, entry, NOVEMBER, sqlJs } from '../../support/history.ts';
import { HistoryFolder, moved } from '../../support/history-folder.ts';

const sql = await sqlJs();
const MINUTE = 60_000;
let history: HistoryFolder;
let clock: FakeClock;

beforeEach(() => {
  history = new HistoryFolder(sql);
  clock = new FakeClock();
  clock.wall = NOVEMBER * MINUTE;
});
afterEach(() => history.remove());

interface Setup {
  path?: string;
  lock?: () => LockResult;
  save?: (request: SaveRequest) => Promise<SaveAnswer>;
  newest?: number;
}

function recorder(setup: Setup = {}) {
  const seen = { begun: 0, saves: 0, released: 0 };
  const made = new Recorder({
    path: setup.path ?? history.path,
    owner: null,
    maxBytes: 200e6,
    clock,
    newest: () => setup.newest ?? clock.now(),
    takeLock: setup.lock ?? (() => ({ held: { release: () => seen.released++ } })),
    asOwner: (work) => work(),
    runSave: async (request) => {
      seen.saves++;
      return setup.save === undefined ? saveImage(sql, request) : setup.save(request);
    },
    onBegin: () => seen.begun++,
  });
  return { recorder: made, seen };
}

const journals = () => journalNumbers(history.path).map((number) => readFileSync(journalPath(history.path, number)).length);

describe('a recorder', () => {
  it('has what was offered in the journal, and at the end in the image alone', async () => {
    const { recorder: one, seen } = recorder();
    one.begin();
    expect([one.isRecording, seen.begun]).toEqual([true, 1]);
    one.offer(moved(1));
    one.offer(moved(10));
    await one.work();
    expect(one.confirmed).toBe(2);
    expect(existsSync(history.path)).toBe(false);
    expect(history.allBytes()).toBe(11);
    one.offer(moved(100));
    await one.close();
    expect(history.imageBytes()).toBe(111);
    expect(readdirSync(history.folder)).toEqual(['history.sqlite']);
    expect([seen.released, one.status]).toMatchObject([1, { state: 'recording', note: '', savedAt: clock.now() }]);
    expect(one.status.fileBytes).toBe(statSync(history.path).size);
  });

  it('reckons what is old by the packets, but never from a time that has not come', async () => {
    const times: number[] = [];
    const save = async (request: SaveRequest): Promise<SaveAnswer> => {
      times.push(request.time.now);
      return saveImage(sql, request);
    };
    for (const newest of [clock.now() - 1000, clock.now() + 400 * 86_400_000]) {
      const { recorder: one } = recorder({ save, newest });
      one.offer(moved(1));
      await one.close();
    }
    expect([...new Set(times)]).toEqual([clock.now() - 1000, clock.now()]);
  });

  it('goes on where an earlier run was killed', async () => {
    history.writeImage({ 1: 1 });
    await history.writeJournal(3, { 1: 1, 2: 10 });
    await history.writeJournal(4, { 3: 100 });
    const { recorder: one } = recorder();
    one.offer(moved(1000));
    await one.work();
    expect(history.imageBytes()).toBe(111);
    expect([one.confirmed, journalNumbers(history.path)]).toEqual([4, [5]]);
    await one.close();
    expect(history.imageBytes()).toBe(1111);
  });

  it('writes nothing into a history that nothing moved in', async () => {
    const { recorder: one } = recorder();
    await one.work();
    one.offer({ minute: NOVEMBER, entries: [], flows: [], unlogged: 0 });
    await one.close();
    expect(readdirSync(history.folder)).toEqual([]);
    history.writeImage({ 1: 1 });
    const { ino } = statSync(history.path);
    const { recorder: two } = recorder();
    await two.work();
    await two.close();
    expect(statSync(history.path).ino).toBe(ino);
  });

  it('saves every five minutes, on request and not when there is nothing new', async () => {
    const { recorder: one, seen } = recorder();
    await one.work();
    one.offer(moved(1));
    await one.work();
    clock.pass(5 * MINUTE - 1);
    await one.work();
    expect(seen.saves).toBe(1); // the one that opened it
    clock.pass(1);
    await one.work();
    await one.save();
    expect([seen.saves, history.imageBytes(), journals()]).toEqual([2, 1, []]);
    clock.pass(60 * MINUTE);
    await one.work();
    await one.save();
    expect(seen.saves).toBe(2);
    one.offer(moved(10));
    await one.save();
    expect([seen.saves, history.imageBytes()]).toEqual([3, 11]);
    await one.close();
  });

  it('passes on what a save says about sql.js', async () => {
    const notice = 'this build of sql.js is another one';
    const { recorder: one } = recorder({ save: async (request) => ({ ...saveImage(sql, request), notice }) });
    expect(one.status.note).toBe('');
    await one.work();
    expect(one.status).toMatchObject({ state: 'recording', note: notice });
    await one.close();
  });

  it('keeps on journalling while it saves', async () => {
    let begin = () => {};
    let finish = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let saves = 0;
    const { recorder: one } = recorder({
      save: async (request) => {
        saves++;
        if (saves === 2) {
          begin(); // the first one opened the history
          await held;
        }
        return saveImage(sql, request);
      },
    });
    one.offer(moved(1));
    await one.work();
    const saving = one.save();
    await begun;
    one.offer(moved(10));
    await one.work();
    expect(one.confirmed).toBe(2);
    finish();
    await saving;
    expect([history.imageBytes(), history.allBytes()]).toEqual([1, 11]);
    await one.close();
    expect(history.imageBytes()).toBe(11);
  });
});

describe('a day of a heavy user', () => {
  it('writes at most 150 MB in any hour, and the file is never 15 minutes behind', async () => {
    const heavy = 35e6; // what the bench finds for 90 days
    const saves: { at: number; written: number }[] = [];
    const busy = Array.from({ length: 500 }, (_, i) =>
      entry({ app: `app${i}`, host: `host${i}.example.com`, rxBytes: i, flows: 1 }),
    );
    let applied = 0;
    let journalled = 0;
    const { recorder: one } = recorder({
      save: ({ journals: paths }) => {
        for (const path of paths) journalled += statSync(path).size;
        const written = paths.length === 0 ? 0 : heavy;
        if (written > 0) saves.push({ at: clock.now(), written });
        return Promise.resolve({
          applied: applied++,
          bytes: heavy,
          written,
          identity: 1,
          inode: null,
          rejected: null,
          notice: null,
        });
      },
    });
    const from = clock.now();
    for (let minute = 0; minute < 1440; minute++) {
      clock.pass(MINUTE);
      one.offer(batch(NOVEMBER + minute, minute % 10 === 0 ? busy : busy.slice(0, 5)));
      await one.work();
      await one.settled();
    }
    const ends = saves.map(({ at }) => at);
    for (const at of ends) {
      const inHour = saves.filter((save) => save.at >= at && save.at < at + 60 * MINUTE);
      expect(inHour.reduce((sum, { written }) => sum + written, 0)).toBeLessThanOrEqual(150e6 - journalled / 24);
    }
    for (const [i, at] of ends.entries()) expect(at - (ends[i - 1] ?? from)).toBeLessThanOrEqual(16 * MINUTE); // it looks once a minute here
    expect(saves.length).toBeGreaterThan(80);
    await one.close();
  });
});

describe('a second instance', () => {
  it('says that it does not record, asks again each ten seconds and begins when the first is gone', async () => {
    let held: LockResult = { held: null, pid: 4711 };
    const { recorder: one, seen } = recorder({ lock: () => held });
    await one.work();
    expect([one.isRecording, one.status]).toMatchObject([
      false,
      { state: 'busy', note: 'another netmon-tui records (pid 4711)' },
    ]);
    expect([seen.begun, seen.saves]).toEqual([0, 0]);
    held = { held: { release: () => {} } };
    clock.pass(10_000 - 1);
    await one.work();
    expect(one.isRecording).toBe(false);
    clock.pass(1);
    await one.work();
    expect([one.isRecording, seen.begun, one.status.state]).toEqual([true, 1, 'recording']);
    await one.close();
  });
});

describe('trouble', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

  it('with the image is told, and the journal goes on; when it is over all is there', async () => {
    let isFull = false;
    const { recorder: one, seen } = recorder({
      save: async (request) => {
        if (isFull) throw full;
        return saveImage(sql, request);
      },
    });
    one.offer(moved(1));
    await one.work();
    isFull = true;
    await one.save();
    expect(one.status).toMatchObject({
      state: 'recording', // for what moves is safe
      note: `history can't be written to ${history.path}: no space is left on the device; safe in the journal, tried again`,
    });
    expect(one.isUnsaved).toBe(true);
    one.offer(moved(10));
    await one.work();
    expect([one.confirmed, history.allBytes()]).toEqual([2, 11]);
    const { saves } = seen;
    clock.pass(MINUTE - 1);
    await one.work();
    expect(seen.saves).toBe(saves);
    isFull = false;
    clock.pass(1);
    await one.work();
    await one.save();
    expect([one.status.state, history.imageBytes()]).toEqual(['recording', 11]);
    await one.close();
    expect(readdirSync(history.folder)).toEqual(['history.sqlite']);
  });

  it.skipIf(process.geteuid?.() === 0)('with the journal keeps all in memory until it is over (skipped as root)', async () => {
    const { recorder: one } = recorder();
    await one.work();
    chmodSync(history.folder, 0o500);
    one.offer(moved(1));
    await one.work();
    expect(one.status).toMatchObject({ state: 'failing', note: expect.stringContaining('permission denied') });
    one.offer(moved(10));
    chmodSync(history.folder, 0o700);
    clock.pass(2000);
    await one.work();
    expect([one.status.state, history.allBytes()]).toEqual(['recording', 11]);
    await one.close();
  });

  it('with the folder is told, and asked again', async () => {
    const path = `${history.folder}/file/history.sqlite`;
    writeFileSync(`${history.folder}/file`, '');
    const { recorder: one } = recorder({ path });
    await one.work();
    expect(one.status).toMatchObject({
      state: 'failing',
      note: expect.stringContaining(`the folder ${history.folder}/file is not a folder`),
    });
    expect(one.isRecording).toBe(false);
    await one.close();
  });

  it('of a file that is not ours: left alone, nothing recorded, until it is gone', async () => {
    writeFileSync(history.path, 'my notes');
    const { recorder: one, seen } = recorder();
    await one.work();
    expect(one.status.note).toBe(
      `the history file ${history.path}: not a history of netmon-tui; it is left alone and nothing is recorded`,
    );
    expect(one.isRecording).toBe(false);
    expect(readFileSync(history.path, 'utf8')).toBe('my notes');
    writeFileSync(history.path, '');
    clock.pass(MINUTE);
    await one.work();
    expect([one.isRecording, seen.begun, one.status.state]).toEqual([true, 2, 'recording']);
    await one.close();
  });

  it('of a damaged file: kept beside a new one, and said so for a while', async () => {
    writeFileSync(history.path, Buffer.alloc(9000, 'SQLite format 3\0'));
    history.writeImage({ 1: 1 });
    writeFileSync(history.path, readFileSync(history.path).fill(0x55, 1000, 9000));
    const { recorder: one } = recorder();
    one.offer(moved(10));
    await one.work();
    const kept = `${history.path}.corrupt-20261101T000000Z`;
    expect(one.status).toMatchObject({
      state: 'recording',
      note: `the history file was damaged: kept as ${kept}; recording goes on in a new one`,
    });
    clock.pass(11 * MINUTE);
    expect(one.status.note).toBe('');
    await one.close();
    expect([existsSync(kept), history.imageBytes()]).toEqual([true, 10]);
    expect(one.remark).toContain(kept);
  });

  it('of an older history that is put in its place while it records: kept beside a new one, and said at once', async () => {
    const { recorder: one } = recorder();
    one.offer(moved(1));
    await one.work();
    await one.save();
    one.offer(moved(10));
    await one.work();
    renameSync(history.path, `${history.path}.mine`);
    history.writeImage({ 5000: 7 });
    await one.work();
    await one.settled();
    const kept = `${history.path}.exchanged-20261101T000000Z`;
    expect(one.status.note).toBe(
      `another file was put in place of the history file: kept as ${kept}; recording goes on in a new one`,
    );
    expect([existsSync(kept), history.imageBytes()]).toEqual([true, 10]);
    one.offer(moved(100));
    await one.work();
    unlinkSync(history.path);
    await one.work();
    await one.settled();
    expect(one.status.note).toBe('the history file was removed while recording: recording goes on in a new one');
    await one.close();
    expect(history.imageBytes()).toBe(100);
  });

  it('of a clock that is ten years ahead for a moment: nothing is given up for it', async () => {
    const { recorder: one } = recorder();
    one.offer(moved(1));
    await one.work();
    await one.save();
    const minutes = () => {
      const state = loadHistory(sql, history.path);
      const [[count]] = state.database.sql('SELECT count(*) FROM minute', { rows: 1, timeoutMs: 0 }).rows as [[number]];
      state.close();
      return count;
    };
    expect(minutes()).toBe(1);
    const now = clock.wall;
    clock.wall += 3650 * 86_400_000;
    clock.steady += 11_000;
    one.offer(batch(clock.wall / MINUTE, [entry({ rxBytes: 10 })]));
    await one.save();
    expect(minutes()).toBe(2);
    clock.wall = now;
    clock.pass(11_000);
    one.offer(moved(100));
    await one.close();
    expect(minutes()).toBe(2);
    expect(history.allBytes()).toBe(111);
  });
});

describe('the time between saves', () => {
  const JOURNAL = 10e6;
  const minutes = (written: number, bytes = written) => saveInterval(written, bytes, JOURNAL) / 60_000;

  it('grows with what they write: 150 MB an hour at most, journal included', () => {
    expect([minutes(1e5), minutes(1e7), minutes(28e6)]).toEqual([5, 5, 12]);
    expect(minutes(30e6)).toBe(15);
    expect(minutes(35e6)).toBeLessThanOrEqual(15);
    for (const bytes of [1e6, 11e6, 32e6, 100e6, 200e6])
      expect((60 / minutes(bytes)) * bytes + JOURNAL).toBeLessThanOrEqual(150e6);
    expect(minutes(2e6, 100e6)).toBe(5);
    expect(minutes(0, 100e6)).toBe(15);
  });

  it('leaves room for the journal, and ends however much that takes', () => {
    const from = { at: 60_000, bytes: 1e6 };
    expect(hourlyBytes(from, { at: 60_000 + 900_000, bytes: 6e6 })).toBe(20e6);
    expect(hourlyBytes(from, { at: 61_000, bytes: 2e6 })).toBe(8e6);
    expect(hourlyBytes(null, { at: 900_000, bytes: 0 })).toBe(8e6);
    expect(saveInterval(26e6, 26e6, 20e6)).toBe(12 * 60_000);
    expect(saveInterval(10e6, 10e6, 500e6)).toBe(12 * 60_000);
    expect(saveInterval(0, 0, 0)).toBe(5 * 60_000);
  });
});
