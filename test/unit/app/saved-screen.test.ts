// What the screen saves for the next run: read back only if it can be trusted.

import {
  chmodSync,
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSavedScreen, writeSavedScreen } from '../../../src/app/saved-screen.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-saved-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the saved screen', () => {
  const place = () => ({ path: join(folder, 'state', 'netmon-tui', 'screen.json'), owner: null });

  test('is written whole, with mode 0600, into folders made for it, and read back', () => {
    expect(readSavedScreen(place())).toBeNull();
    expect(writeSavedScreen({ version: 1 }, place())).toBe(true);
    expect(writeSavedScreen({ version: 1, view: 'apps' }, place())).toBe(true);
    expect(readSavedScreen(place())).toEqual({ version: 1, view: 'apps' });
    expect(statSync(place().path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'state', 'netmon-tui'))).toEqual(['screen.json']);
  });

  test('is not trusted if others may write it, or if it is a link, too large, or not JSON', () => {
    writeSavedScreen({ version: 1 }, place());
    chmodSync(place().path, 0o666);
    expect(readSavedScreen(place())).toBeNull();
    chmodSync(place().path, 0o600);
    writeFileSync(place().path, '{');
    expect(readSavedScreen(place())).toBeNull();
    writeFileSync(place().path, `"${'x'.repeat(20_000)}"`);
    expect(readSavedScreen(place())).toBeNull();
    const link = join(folder, 'link.json');
    symlinkSync(place().path, link);
    expect(readSavedScreen({ path: link, owner: null })).toBeNull();
    expect(readSavedScreen({ path: folder, owner: null })).toBeNull();
  });

  test('replaces a link with a file, and leaves nothing behind if it can not be written', () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'other');
    mkdirSync(join(folder, 'state'));
    symlinkSync(target, join(folder, 'state', 'screen.json'));
    expect(writeSavedScreen({ version: 1 }, { path: join(folder, 'state', 'screen.json'), owner: null })).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('other');
    expect(writeSavedScreen({}, { path: join(target, 'screen.json'), owner: null })).toBe(false);
  });
});
