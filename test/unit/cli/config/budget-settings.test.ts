// The budget in a configuration file: amounts read exactly, mistakes named with their line, printed so that it reads back the same.

import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { type Config, loadConfig } from '../../../../src/cli/config/config.ts';
import { configText } from '../../../../src/cli/config/print-config.ts';
import type { Surroundings } from '../../../../src/cli/config/surroundings.ts';
import { resolveOptions } from '../../../../src/cli/resolve.ts';
import type { BudgetPlan } from '../../../../src/model/options.ts';

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

const budgetPlan = (config: Config): BudgetPlan | null => resolveOptions(parseCommandLine([]), config).budget;

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
    ['[budget]\namount = "500 GB"\ninterface = "en 0"\n', /is not the name of an interface/],
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
      /\[budget\]\namount = "465\.5 GiB" +# .*config\.toml:2\nday = 15 +# .*:3\n# interface = {2}# default: everything that is recorded\n/,
    );
    expect(budgetPlan(await load(text))).toEqual(budgetPlan(first));
    const none = configText(await load(''), '1');
    expect(none).toContain('\n# [budget]  # not set\n');
    expect(budgetPlan(await load(none))).toBeNull();
  });
});
