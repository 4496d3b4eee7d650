// Theme files of a user: regular, of a bounded size, and never one that reading would hang on.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ThemePlaces, ThemeShelf, themeFolders } from '../../../src/tui/theme-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-themes-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a theme', () => {
  const shelf = new ThemeShelf([{ path: folder, uid: null }]);

  test('is read by name and by path', () => {
    writeFileSync(join(folder, 'mine.theme'), 'theme[main_fg]="#112233"\n');
    expect(shelf.load('mine').name).toBe('mine');
    expect(shelf.load(join(folder, 'mine.theme')).name).toBe('mine');
  });

  test.each([
    ['a FIFO', 'fifo', 'not a regular file', (path: string) => void spawnSync('mkfifo', [path])],
    ['a device', 'zero', 'not a regular file', (path: string) => symlinkSync('/dev/zero', path)],
    ['a folder', 'folder', 'not a regular file', (path: string) => mkdirSync(path)],
    ['a large file', 'large', 'too large for a theme', (path: string) => writeFileSync(path, '#'.repeat(65_537))],
  ])('is not read from %s', (_, name, reason, make) => {
    make(join(folder, `${name}.theme`));
    expect(() => shelf.load(name)).toThrow(reason);
    expect(() => shelf.load(join(folder, `${name}.theme`))).toThrow(reason);
  });
});

describe('folders of themes', () => {
  const places = { platform: 'linux', home: '/home/ann', uid: null, configHome: undefined } as const;
  const paths = (change: Partial<ThemePlaces>) => themeFolders({ ...places, ...change }).map(({ path }) => path);

  test("are the user's, btop's of the user, ours, then those of btop's packages", () => {
    expect(paths({})).toEqual([
      '/home/ann/.config/netmon-tui/themes',
      '/home/ann/.config/btop/themes',
      'themes',
      '/home/ann/.local/share/btop/themes',
      '/usr/share/btop/themes',
      '/usr/local/share/btop/themes',
      '/opt/homebrew/share/btop/themes',
      '/home/linuxbrew/.linuxbrew/share/btop/themes',
      '/opt/local/share/btop/themes',
      '/snap/btop/current/usr/local/share/btop/themes',
      '/run/current-system/sw/share/btop/themes',
      '/nix/var/nix/profiles/default/share/btop/themes',
    ]);
    expect(paths({ configHome: '/c' })[1]).toBe('/c/btop/themes');
    expect(paths({ home: null })[0]).toBe('themes');
    expect(paths({ platform: 'darwin' })).toContain('/home/ann/Library/Application Support/netmon-tui/themes');
  });

  test("under sudo are the invoking user's, also where XDG_CONFIG_HOME is root's", () => {
    const mine = process.geteuid?.() ?? 0;
    expect(paths({ uid: mine + 1, configHome: folder })[0]).toBe('/home/ann/.config/netmon-tui/themes');
    expect(paths({ uid: mine, configHome: folder })[0]).toBe(join(folder, 'netmon-tui/themes'));
    const folders = themeFolders({ ...places, uid: 501 });
    expect(folders.filter(({ path }) => path.startsWith('/home/ann/')).map(({ uid }) => uid)).toEqual([501, 501, 501]);
    expect(folders.filter(({ path }) => !path.startsWith('/home/ann/')).every(({ uid }) => uid === null)).toBe(true);
  });

  test('in a profile of Nix are those of its target, which root takes from the store alone', () => {
    const home = join(folder, 'nix-user');
    const store = join(folder, 'store', 'share', 'btop', 'themes');
    mkdirSync(store, { recursive: true });
    mkdirSync(home);
    symlinkSync(join(folder, 'store'), join(home, '.nix-profile'));
    writeFileSync(join(store, 'nixed.theme'), 'theme[main_fg]="#112233"\n');
    const own = themeFolders({ ...places, home });
    expect(own.map(({ path }) => path)).toContain(realpathSync(store));
    expect(new ThemeShelf(own).names()).toContain('nixed');
    expect(themeFolders({ ...places, home, uid: 501 }).map(({ path }) => path)).not.toContain(realpathSync(store));
  });

  test("hold the user's files alone where root reads them", () => {
    const mine = process.geteuid?.() ?? 0;
    expect(new ThemeShelf([{ path: folder, uid: mine }]).load('mine').name).toBe('mine');
    expect(() => new ThemeShelf([{ path: folder, uid: mine + 1 }]).load('mine')).toThrow('it belongs to another user');
  });
});
