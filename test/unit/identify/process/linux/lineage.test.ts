// Where Linux's processes come from, by the kernel's events and by /proc.

import { rmSync, writeFileSync } from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';
import { Directory, Users } from '../../../../../src/identify/process/directory.ts';
import { LinuxLineage, terminalName } from '../../../../../src/identify/process/linux/lineage.ts';
import type { ProcessFacts } from '../../../../../src/identify/process/process-facts.ts';
import { StartClock } from '../../../../../src/identify/process/start-clock.ts';
import { fakeRoot } from '../../../../support/fake-edges.ts';

/** @param session also the terminal's number */
function stat(pid: number, comm: string, parent: number, start: number, session = 0): string {
  const terminal = session === 0 ? 0 : 0x8800 + session;
  return `${pid} (${comm}) ${['S', parent, pid, session, terminal, ...new Array(14).fill('0'), start, '0'].join(' ')}\n`;
}

const facts = (
  pid: number,
  startTime: number | null,
  parentPid: number | null,
  parts: Partial<ProcessFacts> = {},
): ProcessFacts => ({
  ...{ pid, name: 'node', exe: '/bin/node', uid: 0, parentPid, startTime, script: null, unit: null },
  ...parts,
});

let root: string;
let lineage: LinuxLineage;

beforeEach(() => {
  root = fakeRoot({
    'proc/stat': 'cpu 1\nbtime 1000\n',
    'proc/1/stat': stat(1, 'systemd', 0, 1),
    'proc/512/stat': stat(512, 'zsh', 1, 100, 2),
    'proc/700/stat': stat(700, 'npm (x)', 512, 200, 2),
    'proc/710/stat': stat(710, 'node', 700, 300, 2),
    'proc/710/cmdline': 'node\0--token=x\0a.js\0',
    'proc/9/stat': stat(9, 'loop', 9, 5),
    'proc/11/stat': 'nonsense',
  });
  lineage = new LinuxLineage(`${root}/proc`, new StartClock(`${root}/proc`));
});

const end = (pid: number) => rmSync(`${root}/proc/${pid}`, { recursive: true });
const names = (of: ProcessFacts) => lineage.of(of).ancestors.map(({ pid, name }) => `${name} ${pid}`);

test('the processes above, their session, terminal and origin', () => {
  expect(lineage.of(facts(710, 300, 700))).toMatchObject({
    ancestors: [
      { pid: 1, name: 'systemd', startedAt: 1000_000 },
      { pid: 512, name: 'zsh', startedAt: 1001_000 },
      { pid: 700, name: 'npm (x)', startedAt: 1002_000 },
    ],
    origin: { pid: 512, name: 'zsh' },
    session: 2,
    terminal: 'pts/2',
  });
  expect(lineage.of(facts(11, null, null))).toMatchObject({ ancestors: [], session: null, terminal: null, command: null });
  expect(names(facts(9, 5, 9))).toEqual([]);
});

test('a command line, unless the process is gone or its pid is another’s by now', async () => {
  const command = (start: number | null, pid = 710) => lineage.of(facts(pid, start, 700)).command;
  // On a busy machine a read may come too late.
  await vi.waitFor(() => expect(command(300)).toBe('node --token=*** a.js'), { timeout: 1500 });
  expect([command(250), command(null), command(300, 711)]).toEqual([null, null, null]);
  expect(command(100, 512)).toBeNull();
});

test('what was there at the start is known when it is gone', () => {
  lineage.seed();
  lineage.rest();
  for (const pid of [512, 700]) end(pid);
  writeFileSync(`${root}/proc/710/stat`, stat(710, 'node', 1, 300));
  expect(names(facts(710, 300, 1))).toEqual(['systemd 1', 'zsh 512', 'npm (x) 700']);
});

test('a tree that is gone at once is known by its beginnings', () => {
  lineage.born(800, 710, 400);
  lineage.became(facts(800, 401, 710, { name: 'dash', script: 'build.sh' }), {
    session: 2,
    terminal: 'pts/2',
    words: 'sh\0build.sh\0',
  });
  lineage.born(801, 800, 402);
  lineage.born(802, 801, 402);
  lineage.became(facts(802, 402, 1, { name: 'curl' }), { session: 2, terminal: 'pts/2', words: 'curl\0--user\0a:b\0x\0' });
  end(710);
  const curl = lineage.of(facts(802, 402, 1, { name: 'curl' }));
  expect(curl.ancestors.map(({ name, pid }) => `${name} ${pid}`).slice(2)).toEqual([
    'npm (x) 700',
    'node 710',
    'build.sh 800',
    'build.sh 801',
  ]);
  expect(curl).toMatchObject({ command: 'curl --user a:*** x', terminal: 'pts/2', origin: { name: 'zsh' } });
});

test('a daemon’s session is the one that it began, its line the one that it came from', () => {
  lineage.born(900, 512, 500);
  writeFileSync(`${root}/proc/710/stat`, stat(710, 'node', 1, 300, 0));
  expect(lineage.of(facts(710, 300, 1))).toMatchObject({ session: null, terminal: null });
  expect(lineage.of(facts(900, 500, 512))).toMatchObject({ session: 2, terminal: 'pts/2' });
});

test('a directory asks once for each process', () => {
  const of = vi.fn((asked: ProcessFacts) => lineage.of(asked));
  const directory = new Directory(new Users('/nonexistent'), null, { of });
  const id = directory.learn(facts(710, 300, 700));
  expect(directory.learn(facts(710, 300, 700))).toBe(id);
  expect(of).toHaveBeenCalledTimes(1);
  expect(directory.process(id)).toMatchObject({ terminal: 'pts/2', ancestors: [{}, {}, { pid: 700 }] });
});

test.each([
  [0, null],
  [0x8800, 'pts/0'],
  [0x8903, 'pts/259'],
  [0x0401, 'tty1'],
  [0x0440, 'ttyS0'],
  [0x0501, '5:1'],
  [0x100088ff, 'pts/65791'],
  [Number.NaN, null],
])('terminal %d is %s', (device, name) => {
  expect(terminalName(device)).toBe(name);
});
