import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { OutputFile } from '../../../src/output/output-file.ts';

const home = mkdtempSync(join(tmpdir(), 'netmon-output-'));
let folder = home;
let count = 0;
beforeEach(() => {
  folder = join(home, String(count++));
  mkdirSync(folder);
});
afterAll(() => rmSync(home, { recursive: true }));

async function written(path: string, text: string, force = false): Promise<void> {
  const file = OutputFile.create(path, force, null);
  try {
    await file.write(text.slice(0, 2));
    await file.write(text.slice(2));
    await file.commit();
  } finally {
    await file.discard();
  }
}

describe('OutputFile', () => {
  it('is whole under its name, for its owner alone, and leaves nothing beside it', async () => {
    const path = join(folder, 'out.csv');
    await written(path, 'hello');
    expect(readFileSync(path, 'utf8')).toBe('hello');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['out.csv']);
  });

  it('is not there before it is whole, and never when it is given up', async () => {
    const file = OutputFile.create(join(folder, 'out.csv'), false, null);
    await file.write('half');
    expect(readdirSync(folder)).not.toContain('out.csv');
    await file.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('writes over a file only when forced', async () => {
    const path = join(folder, 'out.csv');
    writeFileSync(path, 'old');
    await expect(written(path, 'new')).rejects.toMatchObject({ code: 'usage', hint: 'to write over it, add --force' });
    expect(readFileSync(path, 'utf8')).toBe('old');
    await written(path, 'new', true);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('does not replace a file that came meanwhile', async () => {
    const path = join(folder, 'out.csv');
    const file = OutputFile.create(path, false, null);
    await file.write('ours');
    writeFileSync(path, 'theirs');
    await expect(file.commit()).rejects.toThrow('is there already');
    await file.discard();
    expect(readFileSync(path, 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['out.csv']);
  });

  it.each([false, true])('never goes through a symbolic link (forced: %s)', async (force) => {
    const target = join(folder, 'target');
    const path = join(folder, 'out.csv');
    writeFileSync(target, 'precious');
    symlinkSync(target, path);
    await expect(written(path, 'new', force)).rejects.toThrow('is a symbolic link');
    expect(readFileSync(target, 'utf8')).toBe('precious');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    await expect(written(join(folder, 'dangling'), 'new', force)).rejects.toThrow('is a symbolic link');
  });

  it('names the way out', async () => {
    await expect(written(join(folder, 'no', 'out.csv'), 'x')).rejects.toMatchObject({
      hint: `make the folder first: mkdir -p "${join(folder, 'no')}"`,
    });
    await expect(written(folder, 'x')).rejects.toThrow('is no regular file');
  });
});
