// The budget in a configuration file: amounts read exactly, mistakes named with their line, printed so that it reads back the same.

import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { budgetAmount, budgetPlan } from '../../../../src/cli/config/budget-settings.ts';
import { type Config, loadConfig } from '../../../../src/cli/config/config.ts';
import type { Surroundings } from '../../../../src/cli/config/find.ts';
import { configText } from '../../../../src/cli/config/print-config.ts';

const PATH = '/home/ann/.config/netmon-tui/config.toml';

function load(text: string): Promise<Config> {
  const surroundings: Surroundings = {
    platform: 'linux',
    env: { HOME: '/home/ann' },
    euid: 501,
    passwd: () => 'ann:x:501:20:Ann:/home/ann:/bin/sh\n',
    files: {
      folderOwner: () => null,
      read: (path) => (path === PATH ? { kind: 'read', uid: 501, mode: 0o100600, isFile: true, text } : { kind: 'missing' }),
    },
  };
  return loadConfig(parseCommandLine([]), surroundings);
}

describe('amounts', () => {
  test.each([
    ['500 GB', 500e9, false],
    ['500GB', 500e9, false],
    ['500 G', 500e9, false],
    ['250 g', 250e9, false],
    ['250gb', 250e9, false],
    ['1.5 TB', 1.5e12, false],
    ['1.5 TiB', 1.5 * 1024 ** 4, true],
    ['465.5 GiB', 465.5 * 1024 ** 3, true],
    ['0.1 GiB', 107_374_182, true],
    ['2048 MiB', 2 ** 31, true],
    ['8999999.999999 GB', 8_999_999_999_999_000, false],
    ['1 MB', 1e6, false],
    ['1000 kB', 1e6, false],
  ])('%s', (text, bytes, isBinary) => expect(budgetAmount(text)).toEqual({ bytes, isBinary }));

  test.each([
    '500',
    '500 Gb',
    '500 Gbit',
    '-1 GB',
    '1e3 GB',
    '.5 GB',
    '1,5 GB',
    '0 GB',
    '999 kB',
    '9.1 PB',
    '10000 PB',
    'GB',
    '',
    '5 EB',
    '5  GB',
    '1.1234567 GB',
  ])('%j is none', (text) => expect(budgetAmount(text)).toBeNull());
});

describe('the file', () => {
  test('sets it, with defaults for what it leaves out', async () => {
    expect(budgetPlan(await load('[budget]\namount = "500 GB"\n'))).toEqual({
      bytes: 500e9,
      day: 1,
      interface: null,
      units: 'bytes-decimal',
    });
    expect(budgetPlan(await load('[budget]\namount = "1 TiB"\nday = 31\ninterface = "en0"\n'))).toEqual({
      bytes: 1024 ** 4,
      day: 31,
      interface: 'en0',
      units: 'bytes',
    });
    expect(budgetPlan(await load('budget = "500 GB"\n'))).toEqual(budgetPlan(await load('[budget]\namount = "500 GB"\n')));
    expect(budgetPlan(await load(''))).toBeNull();
  });

  test.each([
    ['[budget]\namount = "500"\n', /:2: "budget\.amount" is not an amount of bytes/],
    ['[budget]\namount = 500\n', /:2: "budget\.amount" is not an amount of bytes/],
    ['[budget]\namount = "500 GB"\nday = 0\n', /:3: "budget\.day" is not a day of the month, 1 to 31/],
    ['[budget]\namount = "500 GB"\nday = 1.5\n', /is not a day of the month/],
    ['[budget]\namount = "500 GB"\nday = 32\n', /is not a day of the month/],
    ['[budget]\namount = "500 GB"\ninterface = "en 0"\n', /is not an interface's name/],
    ['[budget]\nday = 2\n', /:1: "budget" is not a table with an amount/],
    ['budget = "500"\n', /:1: "budget" is not an amount of bytes/],
    ['budget = 500\n', /:1: "budget" is not a table with an amount/],
    ['[budget]\namount = "500 GB"\nlimit = 2\n', /limit/],
  ])('%j is refused', async (text, why) => {
    await expect(load(text)).rejects.toThrow(why);
  });

  test('is printed so that it reads back the same', async () => {
    const first = await load('[budget]\namount = "465.5 GiB"\nday = 15\n');
    const text = configText(first, '1');
    expect(text).toMatch(
      /\[budget\]\namount = "465\.5 GiB" +# .*config\.toml:2\nday = 15 +# .*:3\n# interface = {2}# default: all that is recorded\n/,
    );
    expect(budgetPlan(await load(text))).toEqual(budgetPlan(first));
    const none = configText(await load(''), '1');
    expect(none).toContain('\n# [budget]  # none set\n');
    expect(budgetPlan(await load(none))).toBeNull();
  });
});
