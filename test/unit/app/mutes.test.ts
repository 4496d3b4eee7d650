// The file of mutes: shared by runs, read when it changes, never trusted further than it can be checked.

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { MuteFile, mutesIn } from '../../../src/app/mutes.ts';
import type { Mute } from '../../../src/model/alert.ts';
import { systemClock } from '../../../src/system/clock.ts';

const place = () => ({ path: join(mkdtempSync(join(tmpdir(), 'mutes-')), 'state', 'mutes.json'), owner: null });
const mute = (parts: Partial<Mute>): Mute => ({
  kind: 'new-domain',
  rule: null,
  app: 'curl',
  domain: null,
  until: null,
  ...parts,
});

test('keeps mutes for other runs, in a file that only the user reads', () => {
  const shared = place();
  expect(new MuteFile(shared).add(mute({}))).toBe('');
  expect(statSync(shared.path).mode & 0o777).toBe(0o600);
  const other = new MuteFile(shared);
  expect(other.list()).toEqual([mute({})]);
  expect(other.add(mute({ app: 'wget' }))).toBe('');
  expect(new MuteFile(shared).list()).toEqual([mute({}), mute({ app: 'wget' })]);
});

test('replaces a mute of the same, and drops those that have ended', () => {
  const file = new MuteFile(place());
  file.add(mute({ until: 1000 }));
  file.add(mute({ app: 'wget', until: Date.now() + 60_000 }));
  file.add(mute({ app: 'wget' }));
  expect(file.list()).toEqual([mute({ app: 'wget' })]);
});

test('ends one, and leaves the others as another run wrote them', () => {
  const shared = place();
  const file = new MuteFile(shared);
  file.add(mute({ kind: 'threshold', rule: 'big', app: null, until: Date.now() + 60_000 }));
  new MuteFile(shared).add(mute({ kind: 'threshold', rule: 'small', app: null }));
  expect(file.remove(mute({ kind: 'threshold', rule: 'big', app: null }))).toBe('');
  expect(new MuteFile(shared).list()).toEqual([mute({ kind: 'threshold', rule: 'small', app: null })]);
  expect(file.remove(mute({ kind: 'threshold', rule: 'small', app: null }))).toBe('');
  expect(new MuteFile(shared).list()).toEqual([]);
});

test('of many with long names keeps the newest that a file may hold', () => {
  const shared = place();
  const file = new MuteFile(shared);
  const long = (i: number) => `${i}${'x'.repeat(500)}`;
  for (let i = 0; i < 90; i++) file.add(mute({ app: long(i) }));
  const read = new MuteFile(shared).list();
  expect(read).toEqual(file.list());
  expect(read.at(-1)?.app).toBe(long(89));
});

test('a file that is removed mutes nothing any more', () => {
  const now = vi.spyOn(systemClock, 'monotonic');
  onTestFinished(() => now.mockRestore());
  now.mockReturnValue(0);
  const shared = place();
  const file = new MuteFile(shared);
  file.add(mute({}));
  rmSync(shared.path);
  now.mockReturnValue(2000);
  expect(file.list()).toEqual([]);
});

test('adds to what another run wrote a moment ago', () => {
  const shared = place();
  const one = new MuteFile(shared);
  one.add(mute({}));
  new MuteFile(shared).add(mute({ app: 'wget' }));
  one.add(mute({ app: 'git' }));
  expect(one.list().map(({ app }) => app)).toEqual(['curl', 'wget', 'git']);
});

test('without a place, or where it can not write, they hold for the run', () => {
  const alone = new MuteFile(null);
  expect(alone.add(mute({}))).toMatch(/^only for this run/);
  expect(alone.list()).toEqual([mute({})]);
  const refused = new MuteFile({ path: '/dev/null/mutes.json', owner: null });
  expect(refused.add(mute({}))).toMatch(/can't be written/);
  expect(refused.list()).toEqual([mute({})]);
});

test('a file that others may write is not believed, nor one that is no file of mutes', () => {
  const shared = place();
  new MuteFile(shared).add(mute({}));
  chmodSync(shared.path, 0o666);
  expect(new MuteFile(shared).list()).toEqual([]);
  chmodSync(shared.path, 0o600);
  writeFileSync(shared.path, readFileSync(shared.path, 'utf8').slice(0, 20));
  expect(new MuteFile(shared).list()).toEqual([]);
  const all = { kind: null, app: null, domain: null, until: null };
  const odd = [
    all,
    { kind: 'nothing' },
    { app: 7 },
    { app: 'a', until: 'soon' },
    { app: 'a', until: 1e300 },
    null,
    { kind: null, app: 'ssh' },
  ];
  expect(mutesIn({ version: 1, mutes: odd })).toEqual([{ kind: null, rule: null, app: 'ssh', domain: null, until: null }]);
  expect(mutesIn({ version: 2, mutes: [mute({})] })).toEqual([]);
});
