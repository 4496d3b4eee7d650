// The file from which the executable loads its native library: never one that another process can open for writing.

import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openNameless } from '../../../src/system/native-library.ts';

describe.skipIf(process.platform !== 'linux')('the file of the native library', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nmt-native-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** open(2) that makes files with a name, and others only if `code` is null. @param opened takes the paths */
  const without =
    (code: string | null, opened: string[] = []): typeof openSync =>
    (path, flags, mode) => {
      opened.push(String(path));
      if (typeof flags === 'number' && code !== null) throw Object.assign(new Error(code), { code });
      return openSync(path, flags, mode);
    };

  it('has no name, and loses it where the file system can not make such files', () => {
    for (const code of ['EOPNOTSUPP', 'EISDIR']) {
      const descriptor = openNameless(folder, false, without(code));
      expect(fstatSync(descriptor).nlink).toBe(0);
      closeSync(descriptor);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it('is not made where the disk is full, or with capabilities of the executable', () => {
    for (const [code, isLent] of [
      ['ENOSPC', false],
      ['EMFILE', false],
      ['ENOSPC', true],
      ['EOPNOTSUPP', true],
    ] as const) {
      const opened: string[] = [];
      expect(() => openNameless(folder, isLent, without(code, opened))).toThrow(code);
      expect(opened).toEqual([folder]);
    }
  });
});
