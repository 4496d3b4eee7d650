// What the configuration says about alerts that leave the program, and whose configuration may say it.

import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { loadConfig } from '../../../../src/cli/config/config.ts';
import { configText } from '../../../../src/cli/config/print-config.ts';
import { resolveOptions } from '../../../../src/cli/resolve.ts';

const FILE = '/home/ann/.config/netmon-tui/config.toml';

async function loaded(text: string, words: string[] = [], read: { path?: string; uid?: number; mode?: number } = {}) {
  const { path = FILE, uid = 501, mode = 0o100600 } = read;
  const line = parseCommandLine(words);
  const config = await loadConfig(line, {
    platform: 'linux',
    env: { HOME: '/home/ann' },
    euid: 501,
    passwd: () => '',
    files: {
      folderOwner: () => null,
      read: (asked) => (asked === path ? { kind: 'read', uid, mode, isFile: true, text } : { kind: 'missing' }),
    },
  });
  return { line, config, notify: () => resolveOptions(line, config).notify };
}
const notify = async (...args: Parameters<typeof loaded>) => (await loaded(...args)).notify();
const urlOf = async (url: string, more = '') => (await notify(`[notify]\nwebhook = "${url}"\n${more}`)).plan?.webhook?.format;

const ALL = `[notify]
command = ["bin/tell", "$HOME", "~/x"]
webhook = "https://example.com/hook"
webhook-token = "tk"
webhook-ca = "ca.pem"
desktop = true
syslog = true
quiet = "22:00 - 07:30"
rate = "5/day"`;

describe('what leaves the program', () => {
  it('is nothing unless the file says so', async () => {
    expect(await notify('')).toMatchObject({ terminal: 'notify', plan: null });
    expect((await notify('[notify]\nquiet = "22:00-07:00"')).plan).toBeNull();
  });

  it('has paths relative to the file, arguments as they are, and its outbox in the state folder', async () => {
    const pacing = { quiet: { from: 22 * 60, to: 7 * 60 + 30 }, most: 5, perMs: 86_400_000 };
    expect(await notify(ALL, ['record'])).toEqual({
      terminal: 'notify',
      pacing,
      plan: {
        ...pacing,
        desktop: true,
        command: ['/home/ann/.config/netmon-tui/bin/tell', '$HOME', '~/x'],
        webhook: {
          url: 'https://example.com/hook',
          format: 'json',
          token: 'tk',
          ca: '/home/ann/.config/netmon-tui/ca.pem',
        },
        syslog: true,
        folder: '/home/ann/.local/state/netmon-tui',
      },
    });
  });

  it('reaches the system log only from a recorder, and nobody in a replay', async () => {
    expect((await notify(ALL)).plan?.syslog).toBe(false);
    expect((await notify('[notify]\nsyslog = true')).plan).toBeNull();
    expect(await notify(ALL, ['--read', 'x'])).toMatchObject({ terminal: 'off', plan: null });
  });

  it('knows what some receivers take', async () => {
    expect(await urlOf('https://ntfy.sh/topic')).toBe('ntfy');
    expect(await urlOf('https://hooks.slack.com/services/x')).toBe('slack');
    expect(await urlOf('https://discord.com/api/webhooks/1/x')).toBe('discord');
    expect(await urlOf('https://ptb.discord.com/api/webhooks/1/x')).toBe('discord');
    expect(await urlOf('https://notdiscord.com/api/x')).toBe('json');
    expect(await urlOf('https://ntfy.example.com/topic', 'webhook-format = "ntfy"')).toBe('ntfy');
  });

  it('is printed as it is read', async () => {
    const printed = configText((await loaded(ALL)).config, '1');
    expect(await notify(printed, ['record'])).toEqual(await notify(ALL, ['record']));
  });
});

describe('a file that others could have written', () => {
  const risky = { path: '/tmp/x.toml', mode: 0o100666 };
  const foreign = { path: '/tmp/x.toml', uid: 502 };
  const words = ['--config', '/tmp/x.toml'];

  it('starts no command and posts nowhere', async () => {
    for (const text of ['notify.command = "/bin/x"', 'notify.webhook = "https://x/"']) {
      await expect(notify(text, words, risky)).rejects.toThrow(
        'the configuration file "/tmp/x.toml" can be written by other users, so the command and the webhook in it are refused',
      );
      await expect(notify(text, words, foreign)).rejects.toThrow('belongs to another user, so the command');
      expect((await notify(text, words, { path: '/tmp/x.toml' })).plan).not.toBeNull();
    }
  });

  it('may say what it likes about the screen', async () => {
    expect((await notify('notify.terminal = "bell"', words, risky)).terminal).toBe('bell');
  });
});
