// Where following a session begins: a process, what runs below it and what is above it, by /proc and by ps.

import { expect, it } from 'vitest';
import { sessionOf } from '../../../../src/identify/process/session.ts';
import { fakeEdges } from '../../../support/fake-edges.ts';

const stat = (pid: number, name: string, parent: number, start: number) =>
  `${pid} (${name}) ${['S', parent, ...new Array(17).fill('0'), start, '0'].join(' ')}\n`;

const PIDS = [
  [1, 'init', 0, 1],
  [10, 'bash) 9 (', 1, 500],
  [11, 'npm', 10, 600],
  [12, 'node', 11, 700],
  [20, 'other', 1, 800],
] as const;

it('by /proc: all below, also those of a name that looks like more', async () => {
  const files = Object.fromEntries(
    PIDS.map(([pid, name, parent, start]) => [`proc/${pid}/stat`, stat(pid, name, parent, start)]),
  );
  const status = { 'proc/11/status': 'Name:\tx\nUid:\t5\t7\t5\t5\n', 'proc/stat': 'btime 1000\n' };
  const edges = fakeEdges({ platform: 'linux', files: { ...files, ...status, 'etc/passwd': 'ann:x:7:7::/:/bin/sh\n' } });
  const session = await sessionOf(edges, 11);
  expect(session?.root).toMatchObject({ pid: 11, name: 'npm', startedAt: 1_006_000 });
  expect(session?.user).toBe('ann');
  expect(session?.below.map(({ pid }) => pid)).toEqual([12]);
  expect(session?.above.map(({ name }) => name)).toEqual(['bash) 9 (', 'init']);
  expect(await sessionOf(edges, 99)).toBe(null);
});

it('never ends on parents in a circle', async () => {
  const files = { 'proc/5/stat': stat(5, 'a', 6, 1), 'proc/6/stat': stat(6, 'b', 5, 1) };
  const session = await sessionOf(fakeEdges({ platform: 'linux', files }), 5);
  expect([session?.below.map(({ pid }) => pid), session?.above.map(({ pid }) => pid)]).toEqual([[6], [6, 5]]);
});
