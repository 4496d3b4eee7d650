// The outbox survives what happens to its process: nothing is lost, nothing comes twice.

import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Outbox } from '../../../src/messenger/outbox.ts';
import type { Flock } from '../../../src/system/file-lock.ts';
import { systemFlock } from '../../../src/system/file-lock.ts';
import { alertJson } from '../../support/alerts.ts';
import { ownFolder } from '../../support/fake-run.ts';

const flock = (await systemFlock()) as Flock;
const idsOf = (outbox: Outbox) => outbox.waiting.map(({ alert, to }) => `${alert.id}: ${[...to].join(' ')}`);
const some = (...ids: string[]) => ids.map((id) => alertJson({ id }));
/** An outbox whose process is still there at the end of the test. */
function openIn(folder: string): Outbox {
  const outbox = Outbox.open(folder, flock);
  onTestFinished(() => outbox.close());
  return outbox;
}

describe('an outbox', () => {
  it('is a file of the user alone, in a folder that it makes', () => {
    const folder = join(ownFolder(), 'state', 'netmon-tui');
    openIn(folder).add(some('a'), ['webhook']);
    expect(statSync(join(folder, 'outbox-1.jsonl')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('is empty again when all is delivered, and gone when its process ends', () => {
    const folder = ownFolder();
    const outbox = Outbox.open(folder, flock);
    outbox.add(some('a'), ['webhook', 'command']);
    expect(outbox.done('a', 'webhook')).toBe(false);
    expect(outbox.done('a', 'webhook')).toBe(false);
    expect(outbox.waitsFor('a', 'command')).toBe(true);
    expect(outbox.done('a', 'command')).toBe(true);
    expect(statSync(join(folder, 'outbox-1.jsonl')).size).toBe(0);
    outbox.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes an id once', () => {
    const outbox = openIn(ownFolder());
    expect(outbox.add(some('a', 'a', 'b'), ['webhook']).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('drops what is beyond its bound, and says so', () => {
    const outbox = openIn(ownFolder());
    const many = Array.from({ length: 1001 }, (_, i) => alertJson({ id: `a${i}` }));
    expect(outbox.add(many, ['webhook'])).toHaveLength(1000);
    expect(outbox.note).toBe('more than 1000 alerts wait: further ones are dropped');
  });

  it('stays small while something waits for long', () => {
    const folder = ownFolder();
    const outbox = openIn(folder);
    outbox.add(some('old'), ['webhook']);
    const details = Array.from({ length: 60 }, () => 'x'.repeat(500));
    for (let i = 0; i < 100; i++) {
      outbox.add([alertJson({ id: `a${i}`, details })], ['command']);
      outbox.done(`a${i}`, 'command');
    }
    expect(statSync(join(folder, 'outbox-1.jsonl')).size).toBeLessThan(1.1 * (1 << 20));
    expect(readdirSync(folder)).toEqual(['outbox-1.jsonl']);
    // It is still locked: another process gets a file of its own.
    const other = openIn(folder);
    expect(other.waiting).toEqual([]);
    expect(idsOf(outbox)).toEqual(['old: webhook']);
  });

  it('lives in memory where there can be no file', () => {
    const folder = ownFolder();
    writeFileSync(join(folder, 'file'), '');
    for (const outbox of [Outbox.open(null, flock), Outbox.open(folder, null), Outbox.open(join(folder, 'file', 'x'), flock)]) {
      expect(outbox.note).toMatch(/undelivered alerts are kept in memory$/);
      outbox.add(some('a'), ['desktop']);
      expect(idsOf(outbox)).toEqual(['a: desktop']);
      expect(outbox.done('a', 'desktop')).toBe(true);
    }
  });
});

describe('what a process leaves behind', () => {
  it('is found by the next one, without what was delivered', () => {
    const folder = ownFolder();
    const killed = Outbox.open(folder, flock);
    killed.add(some('a', 'b'), ['webhook', 'command']);
    killed.done('a', 'webhook');
    killed.done('b', 'webhook');
    killed.done('b', 'command');
    killed.close(); // the kernel closes the files of a killed process, too
    expect(idsOf(openIn(folder))).toEqual(['a: command']);
  });

  it('is taken over from all who are gone, and from nobody who lives', () => {
    const folder = ownFolder();
    const [first, second, third] = [Outbox.open(folder, flock), Outbox.open(folder, flock), openIn(folder)];
    first.add(some('a'), ['webhook']);
    second.add(some('b'), ['webhook']);
    third.add(some('c'), ['webhook']);
    first.close();
    second.close();
    const next = openIn(folder);
    expect(idsOf(next).sort()).toEqual(['a: webhook', 'b: webhook']);
    expect(readdirSync(folder).sort()).toEqual(['outbox-1.jsonl', 'outbox-3.jsonl']);
  });

  it('is read although its last line was cut off anywhere', () => {
    const folder = ownFolder();
    const path = join(folder, 'outbox-1.jsonl');
    const before = Outbox.open(folder, flock);
    before.add(some('a', 'b'), ['webhook']);
    before.close();
    const bytes = readFileSync(path);
    const end = bytes.indexOf(10) + 1;
    fc.assert(
      fc.property(fc.integer({ min: end, max: bytes.length - 2 }), (length) => {
        writeFileSync(path, bytes.subarray(0, length));
        const next = Outbox.open(folder, flock);
        next.add(some('c'), ['webhook']);
        next.close();
        const last = Outbox.open(folder, flock);
        expect(idsOf(last)).toEqual(['a: webhook', 'c: webhook']);
        last.close();
      }),
      { numRuns: 30 },
    );
  });

  it('is skipped where it is not ours: rubbish, unknown channels, forged alerts', () => {
    const folder = ownFolder();
    const lines = ['rubbish', '{}', '[]', '{"done":7}', JSON.stringify({ add: { ...alertJson(), kind: 'x' }, to: ['webhook'] })];
    lines.push(
      JSON.stringify({ add: alertJson(), to: ['pigeon'] }),
      JSON.stringify({ add: alertJson({ id: 'b' }), to: ['pigeon', 'command'] }),
    );
    writeFileSync(join(folder, 'outbox-1.jsonl'), `${lines.join('\n')}\n`, { mode: 0o600 });
    expect(idsOf(openIn(folder))).toEqual(['b: command']);
  });
});

describe('a file in its place that is not ours', () => {
  it.each([
    ['a link', (folder: string, path: string) => symlinkSync(join(folder, 'other'), path)],
    ['a folder', (_: string, path: string) => mkdirSync(path)],
  ])('is not opened: %s', (_, make) => {
    const folder = ownFolder();
    writeFileSync(join(folder, 'other'), 'x', { mode: 0o600 });
    make(folder, join(folder, 'outbox-1.jsonl'));
    const outbox = openIn(folder);
    outbox.add(some('a'), ['webhook']);
    expect(outbox.note).toMatch(/^no outbox could be opened/);
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('x');
  });

  it('is passed over if it has another name, or others may write it', () => {
    const folder = ownFolder();
    const other = join(folder, 'other');
    writeFileSync(other, '', { mode: 0o600 });
    linkSync(other, join(folder, 'outbox-1.jsonl'));
    appendFileSync(join(folder, 'outbox-2.jsonl'), '', { mode: 0o600 });
    chmodSync(join(folder, 'outbox-2.jsonl'), 0o622);
    openIn(folder).add(some('a'), ['webhook']);
    expect(readFileSync(other, 'utf8')).toBe('');
    expect(statSync(join(folder, 'outbox-2.jsonl')).size).toBe(0);
    expect(statSync(join(folder, 'outbox-3.jsonl')).size).toBeGreaterThan(0);
  });
});

describe('a full disk', () => {
  /** A disk, and how many bytes it still takes. */
  function newDisk() {
    const disk = {
      room: Number.POSITIVE_INFINITY,
      open: (folder: string) =>
        Outbox.open(folder, flock, (descriptor, bytes, at) => {
          if (disk.room <= 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
          const written = writeSync(descriptor, bytes, at, Math.min(disk.room, bytes.length - at));
          disk.room -= written;
          return written;
        }),
    };
    return disk;
  }
  const next = (folder: string) => idsOf(openIn(folder));

  it('cuts no line in two, and is forgotten once there is room', () => {
    const [disk, folder] = [newDisk(), ownFolder()];
    const outbox = disk.open(folder);
    outbox.add(some('a', 'b'), ['webhook']);
    disk.room = 50;
    outbox.add(some('c'), ['webhook']);
    expect(outbox.note).toBe("the outbox can't be written (ENOSPC): undelivered alerts are kept in memory");
    disk.room = Number.POSITIVE_INFINITY;
    outbox.done('a', 'webhook');
    expect(outbox.note).toBe('');
    outbox.add(some('d'), ['webhook']);
    outbox.close();
    expect(next(folder)).toEqual(['b: webhook', 'c: webhook', 'd: webhook']);
  });

  it('loses nothing that is in the file when it is to be written anew', () => {
    const [disk, folder] = [newDisk(), ownFolder()];
    const outbox = disk.open(folder);
    outbox.add(some('old'), ['webhook']);
    const details = Array.from({ length: 60 }, () => 'x'.repeat(500));
    for (let i = 0; i < 40; i++) {
      outbox.add([alertJson({ id: `a${i}`, details })], ['command']);
      if (i === 30) disk.room = 150_000;
      outbox.done(`a${i}`, 'command');
    }
    outbox.close();
    expect(next(folder)).toContain('old: webhook');
    expect(readdirSync(folder)).toEqual(['outbox-1.jsonl']);
  });

  it('that has room again at the end keeps what was only in memory', () => {
    const [disk, folder] = [newDisk(), ownFolder()];
    const outbox = disk.open(folder);
    disk.room = 0;
    outbox.add(some('a'), ['webhook']);
    disk.room = Number.POSITIVE_INFINITY;
    outbox.close();
    expect(next(folder)).toEqual(['a: webhook']);
  });

  it('leaves what earlier ones left behind where it is', () => {
    const [disk, folder] = [newDisk(), ownFolder()];
    const [first, second] = [Outbox.open(folder, flock), Outbox.open(folder, flock)];
    second.add(some('a'), ['webhook']);
    first.close();
    second.close();
    disk.room = 0;
    const third = disk.open(folder);
    expect(idsOf(third)).toEqual([]);
    third.close();
    expect(next(folder)).toEqual(['a: webhook']);
  });
});

it('a link under the name of another outbox is left alone', () => {
  const folder = ownFolder();
  symlinkSync('/nowhere', join(folder, 'outbox-3.jsonl'));
  const outbox = openIn(folder);
  expect(outbox.note).toBe('');
});
