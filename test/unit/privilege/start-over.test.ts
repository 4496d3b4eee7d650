// Whether a process has to be started over. That it works, test/live/messenger.test.ts shows.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { holdsCapabilities } from '../../../src/privilege/start-over.ts';
import { ownFolder } from '../../support/fake-run.ts';

it.runIf(process.platform === 'linux')('one thread with a capability is enough', () => {
  const tasks = ownFolder();
  const thread = (name: string, bits: string) => {
    mkdirSync(join(tasks, name));
    writeFileSync(join(tasks, name, 'status'), `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t${bits}\nCapEff:\t${bits}\n`);
  };
  thread('1', '0000000000000000');
  mkdirSync(join(tasks, '2')); // it ended meanwhile
  expect(holdsCapabilities(tasks)).toBe(false);
  thread('3', '0000000000002000');
  expect(holdsCapabilities(tasks)).toBe(true);
});
