import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NetmonError } from '../../../src/model/errors.ts';
import { CaptureFile, type CaptureFileRequest, CaptureStream } from '../../../src/output/capture-file.ts';
import { OutputFile } from '../../../src/output/output-file.ts';

const home = mkdtempSync(join(tmpdir(), 'netmon-capture-'));
let folder = home;
let count = 0;
beforeEach(() => {
  folder = join(home, String(count++));
  mkdirSync(folder);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(home, { recursive: true }));

/** A block of a length. */
function block(length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, length, true);
  view.setUint32(length - 4, length, true);
  return bytes;
}

function opened(more: Partial<CaptureFileRequest> = {}): CaptureFile {
  let now = Date.UTC(2026, 10, 30, 16, 45, 0);
  const path = join(folder, 'trace.pcapng');
  return CaptureFile.open({ path, force: false, owner: null, isRow: false, most: null, now: () => (now += 1000), ...more });
}

describe('CaptureFile', () => {
  it('is there under its name from the beginning, for its owner alone', async () => {
    const file = opened();
    expect(readdirSync(folder)).toEqual(['trace.pcapng']);
    expect(statSync(join(folder, 'trace.pcapng')).mode & 0o777).toBe(0o600);
    await file.write(block(16, 1));
    expect(statSync(join(folder, 'trace.pcapng')).size).toBe(16);
    await file.close();
    expect(file.status).toEqual({ path: join(folder, 'trace.pcapng'), bytes: 16, files: 1, note: '' });
  });

  it('takes the place of another file only if forced, and never that of a link', async () => {
    const path = join(folder, 'trace.pcapng');
    writeFileSync(path, 'old');
    expect(() => opened()).toThrow('is there already');
    const file = opened({ force: true });
    await file.write(block(16, 1));
    await file.close();
    expect(statSync(path)).toMatchObject({ size: 16 });
    symlinkSync(path, join(folder, 'link'));
    expect(() => opened({ path: join(folder, 'link'), force: true })).toThrow('is a symbolic link');
    expect(readdirSync(folder).sort()).toEqual(['link', 'trace.pcapng']);
  });

  it('numbers the files of a row, and keeps the newest', async () => {
    const file = opened({ isRow: true, most: 2 });
    writeFileSync(join(folder, 'trace-00000-mine.pcapng'), '');
    for (let i = 1; i <= 4; i++) {
      await file.write(block(16, i));
      file.endFile();
    }
    await file.close();
    expect(readdirSync(folder).sort()).toEqual([
      'trace-00000-mine.pcapng',
      'trace-00003-20261130T164503Z.pcapng',
      'trace-00004-20261130T164504Z.pcapng',
    ]);
    expect(file.status).toMatchObject({ bytes: 64, files: 4 });
  });

  it('does not delete a file that took the name of one of its own', async () => {
    const file = opened({ isRow: true, most: 1 });
    await file.write(block(16, 1));
    const first = join(folder, 'trace-00001-20261130T164501Z.pcapng');
    file.endFile();
    await file.write(block(16, 2));
    expect(existsSync(first)).toBe(false);
    const second = join(folder, 'trace-00002-20261130T164502Z.pcapng');
    rmSync(second);
    writeFileSync(second, 'theirs');
    file.endFile();
    await file.write(block(16, 3));
    expect(readFileSync(second, 'utf8')).toBe('theirs');
    await file.close();
  });

  it('ends behind a whole block when the disk is full, and says so', async () => {
    const file = opened();
    await file.write(block(16, 1));
    const whole = OutputFile.prototype.write;
    const full = new NetmonError('usage', 'the disk is full');
    vi.spyOn(OutputFile.prototype, 'write').mockImplementationOnce(async function (this: OutputFile, chunk) {
      await whole.call(this, (chunk as Uint8Array).subarray(0, 70));
      throw full;
    });
    await file.write(Buffer.concat([block(32, 2), block(24, 3), block(40, 4)]));
    expect(statSync(join(folder, 'trace.pcapng')).size).toBe(16 + 32 + 24);
    expect(file).toMatchObject({ isClosed: true, failure: full });
    expect(file.status).toMatchObject({ bytes: 72, note: 'the disk is full' });
    await file.write(block(16, 5));
    await file.close();
    expect(statSync(join(folder, 'trace.pcapng')).size).toBe(72);
  });

  it('leaves no file of which nothing whole was written', async () => {
    const file = opened();
    const whole = OutputFile.prototype.write;
    vi.spyOn(OutputFile.prototype, 'write').mockImplementationOnce(async function (this: OutputFile, chunk) {
      await whole.call(this, (chunk as Uint8Array).subarray(0, 9));
      throw new NetmonError('usage', 'the disk is full');
    });
    await file.write(block(16, 1));
    expect(file.failure?.message).toBe('the disk is full');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends when the next file of a row has no place', async () => {
    const file = opened({ isRow: true });
    await file.write(block(16, 1));
    file.endFile();
    mkdirSync(join(folder, 'trace-00002-20261130T164502Z.pcapng'));
    await file.write(block(16, 2));
    expect(file.failure?.message).toContain('is no regular file');
  });
});

describe('CaptureStream', () => {
  it('ends without a failure when its reader goes away', async () => {
    const stream = new PassThrough();
    const closed = vi.fn();
    const capture = new CaptureStream(stream, closed);
    await capture.write(block(16, 1));
    expect(capture.status.bytes).toBe(16);
    stream.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(capture).toMatchObject({ isClosed: true, failure: null });
    expect(closed).toHaveBeenCalledTimes(1);
    await capture.write(block(16, 2));
    await capture.close();
  });

  it('fails when nothing more can be written', async () => {
    const stream = new PassThrough();
    const capture = new CaptureStream(stream, () => undefined);
    stream.destroy(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(capture.failure?.message).toBe("standard output can't be written: ENOSPC");
  });
});
