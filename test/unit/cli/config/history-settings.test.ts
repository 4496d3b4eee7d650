import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { loadConfig } from '../../../../src/cli/config/config.ts';
import type { Surroundings } from '../../../../src/cli/config/surroundings.ts';
import { resolveOptions } from '../../../../src/cli/resolve.ts';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nann:x:501:20:Ann:/home/ann:/bin/sh\n';
const USUAL = '/home/ann/.local/share/netmon-tui/history.sqlite';

interface Place {
  readonly platform?: NodeJS.Platform;
  readonly euid?: number;
  readonly env?: Record<string, string>;
  readonly folders?: Record<string, number>;
  readonly file?: string;
}

async function history(words: string[], place: Place = {}) {
  const surroundings: Surroundings = {
    platform: place.platform ?? 'linux',
    env: place.env ?? { HOME: '/home/ann' },
    euid: place.euid ?? 501,
    passwd: () => PASSWD,
    files: {
      folderOwner: (path) => place.folders?.[path] ?? null,
      read: (path) =>
        place.file !== undefined && path === '/home/ann/.config/netmon-tui/config.toml'
          ? { kind: 'read', uid: 501, mode: 0o100600, isFile: true, text: place.file }
          : { kind: 'missing' },
    },
  };
  const line = parseCommandLine(words);
  return resolveOptions(line, await loadConfig(line, surroundings)).history;
}

describe('history', () => {
  it('is recorded only where somebody asked for it', async () => {
    const usual = { path: USUAL, maxBytes: 200_000_000, owner: null };
    expect(await history([])).toEqual({ ...usual, record: false });
    expect(await history(['--history'])).toEqual({ ...usual, record: true });
    expect(await history([], { file: '[history]\nenabled = true\nsize = "1 GB"' })).toEqual({
      ...usual,
      maxBytes: 1e9,
      record: true,
    });
    expect(await history(['--no-history'], { file: 'history.enabled = true' })).toEqual({ ...usual, record: false });
    expect(await history([], { env: { HOME: '/home/ann', NETMON_HISTORY: 'yes' } })).toEqual({ ...usual, record: true });
    expect(await history([], { env: { HOME: '/home/ann', NETMON_HISTORY: '0' }, file: 'history.enabled = true' })).toEqual({
      ...usual,
      record: false,
    });
    expect(await history(['--history'], { env: { HOME: '/home/ann', NETMON_HISTORY: '0' } })).toMatchObject({ record: true });
  });

  it('lies where it was said, else in the data folder of the user', async () => {
    expect(await history(['--history=/x/y.db'])).toMatchObject({ path: '/x/y.db' });
    expect(await history(['--history=y.db'])).toMatchObject({ path: `${process.cwd()}/y.db` });
    expect(await history(['--history'], { file: 'history.path = "~/n.db"' })).toMatchObject({ path: '/home/ann/n.db' });
    expect(await history(['--history'], { file: 'history.path = "n.db"' })).toMatchObject({
      path: '/home/ann/.config/netmon-tui/n.db',
    });
    expect(await history([], { env: { HOME: '/home/ann', NETMON_HISTORY: './n' } })).toMatchObject({
      path: `${process.cwd()}/n`,
    });
    expect(await history([], { platform: 'darwin' })).toMatchObject({
      path: '/home/ann/Library/Application Support/netmon-tui/history.sqlite',
    });
    const xdg = { HOME: '/home/ann', XDG_DATA_HOME: '/data' };
    expect(await history([], { env: xdg })).toMatchObject({ path: '/data/netmon-tui/history.sqlite' });
    expect(await history([], { env: xdg, folders: { '/data': 0 } })).toMatchObject({ path: USUAL });
  });

  it('belongs to the user who called sudo, who owns the folder of data too', async () => {
    const env = { HOME: '/root', SUDO_UID: '501', SUDO_GID: '20', SUDO_USER: 'ann', XDG_DATA_HOME: '/root/data' };
    expect(await history(['--history'], { euid: 0, env })).toMatchObject({ path: USUAL, owner: { uid: 501, gid: 20 } });
    const owned = { euid: 0, env, folders: { '/root/data': 501 } };
    expect(await history(['--history'], owned)).toMatchObject({ path: '/root/data/netmon-tui/history.sqlite' });
    expect(await history([], { euid: 0, env: { HOME: '/root' } })).toMatchObject({
      path: '/root/.local/share/netmon-tui/history.sqlite',
      owner: null,
    });
    expect(await history([], { env })).toMatchObject({ owner: null });
  });

  it('of a replay goes into a file that was named, or nowhere', async () => {
    expect(await history(['-r', 'x'], { file: 'history.enabled = true' })).toBeNull();
    expect(await history(['-r', 'x', '--history=/t/h'])).toMatchObject({ path: '/t/h', record: true });
    await expect(history(['-r', 'x', '--history'])).rejects.toThrow('--history with --read needs a file of its own');
  });

  it('refuses what can be no file', async () => {
    await expect(history(['--history=/x/'])).rejects.toThrow('--history "/x/" is not the path of a file');
    await expect(history(['--history', '--no-history'])).rejects.toThrow('contradict');
    await expect(history(['--history', '--history'])).rejects.toThrow('--history is given 2 times');
    await expect(history([], { env: { NETMON_HISTORY: 'maybe' } })).rejects.toThrow('NETMON_HISTORY="maybe" is not');
    await expect(history(['--history'], { euid: 777, env: {} })).rejects.toThrow('no home folder is known');
    expect(await history([], { euid: 777, env: {} })).toBeNull();
  });
});
