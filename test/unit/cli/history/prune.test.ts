import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { type PruneIo, pruneCommand } from '../../../../src/cli/history/prune.ts';
import { saveImage } from '../../../../src/history/image-save.ts';
import { openHistory } from '../../../../src/history/query/reader.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import { sqlJs } from '../../../support/history.ts';
import { localThreads } from '../../../support/reader-thread.ts';
import { sampleHistory } from '../../../support/sample-history.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

const END = Date.UTC(2026, 10, 20);
const folder = mkdtempSync(join(tmpdir(), 'netmon-prune-'));
const path = join(folder, 'history.sqlite');
const sql = await sqlJs();
const image = sampleHistory(sql, 6, END);
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  writeFileSync(path, image, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function prune(words: string, change: Partial<PruneIo> = {}) {
  const around = fakeIo(new FakeReader());
  let locks = 0;
  const io: PruneIo = {
    ...around,
    clock: { now: () => END, monotonic: () => 0 },
    open: (file) => openHistory(file, localThreads(sql)),
    takeLock: () => {
      locks++;
      return { held: { release: () => locks-- } };
    },
    runSave: (request) => Promise.resolve().then(() => saveImage(sql, request)),
    ask: null,
    ...change,
  };
  const options = { path, record: false, maxBytes: 200_000_000, owner: null };
  const status = await pruneCommand(parseCommandLine(['prune', ...words.split(' ').filter((word) => word !== '')]), options, io);
  expect(locks).toBe(0);
  return { status, out: around.out.text };
}

async function days(): Promise<number> {
  const reader = await openHistory(path, localThreads(sql));
  const { rows } = await reader.sql('SELECT DISTINCT substr(time, 1, 10) FROM connections', { rows: 100, timeoutMs: 5000 });
  await reader.close();
  return rows.length;
}

describe('prune', () => {
  it('only says what would go, in a dry run, also beside a recorder', async () => {
    const { out } = await prune('--older-than 2d --dry-run', { takeLock: () => ({ held: null, pid: 7 }) });
    expect(out).toMatch(/to delete: everything before 2026-11-\d\d \d\d:\d\d \(whole days in UTC\)\n {2}[\d.]+ GiB received/);
    expect(out).toContain('nothing was deleted: this is a dry run');
    expect(await days()).toBe(6);
  });

  it('deletes what is older, and says how large the file is now', async () => {
    const { out, status } = await prune('--before 2026-11-18T00:00:00Z --yes');
    expect(status).toBe(0);
    expect(out).toMatch(/was [\d.]+ kB and is now [\d.]+ kB\n$/);
    expect(await days()).toBe(2);
    expect(readdirSync(folder)).toEqual(['history.sqlite']);
  });

  it('deletes an app', async () => {
    const { out } = await prune('--app Slack --yes');
    expect(out).toContain('everything of "Slack"\n');
    const reader = await openHistory(path, localThreads(sql));
    const { rows } = await reader.sql('SELECT DISTINCT app_name FROM connections UNION SELECT app_name FROM first_seen', {
      rows: 100,
      timeoutMs: 5000,
    });
    await reader.close();
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.flat()).not.toContain('Slack');
  });

  it('asks, and takes anything but yes for a no', async () => {
    expect((await prune('--older-than 2d', { ask: () => Promise.resolve('') })).out).toContain('nothing was deleted\n');
    expect(await days()).toBe(6);
    await prune('--older-than 2d', { ask: () => Promise.resolve('Yes') });
    expect(await days()).toBe(2);
  });

  it('needs the lock', async () => {
    const thrown = await prune('--older-than 2d --yes', { takeLock: () => ({ held: null, pid: 4711 }) }).catch(
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(NetmonError);
    expect((thrown as NetmonError).message).toBe(
      `another netmon-tui (pid 4711) records into "${path.slice(0, 60)}${path.length > 60 ? '...' : ''}"`,
    );
    expect((thrown as NetmonError).exitStatus).toBe(7);
    expect(await days()).toBe(6);
  });

  it.each([
    ['--yes', 'nothing says what to delete'],
    ['--older-than 2d', 'prune asks first, and there is no terminal to ask on'],
    ['--older-than 2d --before today --yes', '--before does not go with --older-than'],
    ['--older-than soon --yes', '--older-than "soon" is not a duration above zero'],
    ['--before 2027-01-01 --yes', '--before "2027-01-01" is not in the past'],
    ['--max-size 3 --yes', '--max-size "3" is not a size from 5 MB to 1 GB, such as "200 MB"'],
  ])('refuses %s', async (words, message) => {
    await expect(prune(words)).rejects.toMatchObject({ code: 'usage', message });
    expect(await days()).toBe(6);
  });
});
