// Where the screen saves its state: the user's state folder, never another's, nowhere for who names /dev/null.

import { expect, test } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { loadConfig } from '../../../../src/cli/config/config.ts';
import { resolveOptions } from '../../../../src/cli/resolve.ts';

async function screenOf(
  words: string[],
  env: Record<string, string>,
  { platform = 'linux', euid = 501, owner = 501 }: { platform?: NodeJS.Platform; euid?: number; owner?: number | null } = {},
) {
  const line = parseCommandLine(words);
  const passwd = () => 'root:x:0:0::/root:/bin/sh\nann:x:501:501::/home/ann:/bin/sh\n';
  const files = { folderOwner: () => owner, read: () => ({ kind: 'missing' }) as const };
  return resolveOptions(line, await loadConfig(line, { platform, env, euid, passwd, files })).screen;
}

test('lies in the state folder of the user', async () => {
  expect(await screenOf([], { HOME: '/home/ann' })).toEqual({
    savedState: '/home/ann/.local/state/netmon-tui/screen.json',
    owner: null,
  });
  expect((await screenOf([], { HOME: '/home/ann', XDG_STATE_HOME: '/s' })).savedState).toBe('/s/netmon-tui/screen.json');
  expect((await screenOf([], { HOME: '/Users/ann' }, { platform: 'darwin' })).savedState).toBe(
    '/Users/ann/Library/Application Support/netmon-tui/screen.json',
  );
});

test('is the invoking user’s under sudo, and never in root’s folder', async () => {
  const env = { HOME: '/root', SUDO_UID: '501', SUDO_GID: '501', XDG_STATE_HOME: '/root/.state' };
  expect(await screenOf([], env, { euid: 0, owner: 0 })).toEqual({
    savedState: '/home/ann/.local/state/netmon-tui/screen.json',
    owner: { uid: 501, gid: 501 },
  });
});

test('is nowhere with --config /dev/null, which is no file to be refused', async () => {
  expect((await screenOf(['--config', '/dev/null'], { HOME: '/home/ann' })).savedState).toBeNull();
  expect((await screenOf(['--config', '/dev/null'], { HOME: '/root' }, { euid: 0 })).savedState).toBeNull();
});
