// What /proc tells of a process when it is met: how it was started, and whose child it is.

import { expect, test, vi } from 'vitest';
import { Directory, Users } from '../../../../../../src/identify/process/directory.ts';
import { ProcfsDetails } from '../../../../../../src/identify/process/linux/procfs/process-details.ts';
import type { ProcessFacts } from '../../../../../../src/identify/process/process-facts.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';

function stat(pid: number, comm: string, parent: number, start: number): string {
  return `${pid} (${comm}) ${['S', parent, ...new Array(17).fill('0'), start, '0'].join(' ')}\n`;
}

const root = fakeRoot({
  'proc/1/stat': stat(1, 'systemd', 0, 1),
  'proc/512/stat': stat(512, 'zsh', 1, 100),
  'proc/700/stat': stat(700, 'npm (x)', 512, 200),
  'proc/710/stat': stat(710, 'node', 700, 300),
  'proc/710/cmdline': 'node\0--token=x\0a.js\0',
  'proc/9/stat': stat(9, 'loop', 9, 5),
});
const details = new ProcfsDetails(`${root}/proc`);

test('a command line, unless the process is gone or its pid is another’s by now', async () => {
  // On a busy machine a read may come too late.
  await vi.waitFor(() => expect(details.command(710, 300)).toBe('node --token=*** a.js'), { timeout: 1500 });
  expect([details.command(710, 299), details.command(710, null), details.command(711, 300)]).toEqual([null, null, null]);
  expect(details.command(512, 100)).toBeNull();
});

test('the processes above, the nearest last, however they are tied', () => {
  expect(details.ancestors(700).map(({ pid, name }) => `${name} ${pid}`)).toEqual(['systemd 1', 'zsh 512', 'npm (x) 700']);
  expect(details.ancestors(0)).toEqual([]);
  expect(details.ancestors(4)).toEqual([]);
  expect(details.ancestors(9).length).toBeLessThan(10);
});

test('a directory keeps both, asked once for each process', () => {
  let asked = 0;
  const counted = {
    command: (pid: number, start: number | null) => {
      asked++;
      return `${pid} ${start}`;
    },
    ancestors: (pid: number) => details.ancestors(pid),
  };
  const directory = new Directory(new Users('/nonexistent'), null, counted);
  const facts: ProcessFacts = {
    ...{ pid: 710, name: 'node', exe: '/bin/node', uid: 0, parentPid: 700, startTime: 300, script: null, unit: null },
  };
  const id = directory.learn(facts);
  expect(directory.learn(facts)).toBe(id);
  expect(asked).toBe(1);
  expect(directory.process(id)).toMatchObject({ command: '710 300', ancestors: [{}, {}, { pid: 700 }] });
});
