import { expect, test } from 'vitest';
import { listenersJson, listenersText } from '../../../src/cli/listeners.ts';
import type { Listener } from '../../../src/model/listeners.ts';
import { lineFaults } from '../../support/schemas.ts';

const SSHD: Listener = {
  id: 'a',
  protocol: 'tcp',
  address: '*',
  port: 22,
  reach: 'everywhere',
  app: 'sshd',
  exe: '/usr/sbin/sshd',
  pid: 700,
  user: 'root',
  unit: 'ssh.service',
  container: null,
  startedAt: Date.UTC(2026, 10, 30, 9, 5),
  since: null,
  elsewhere: false,
};
const HIDDEN: Listener = {
  ...SSHD,
  id: 'b',
  protocol: 'udp',
  port: 41_000,
  app: null,
  exe: null,
  pid: null,
  unit: null,
  startedAt: null,
};
const STYLE = { columns: undefined, color: false, ascii: false };

test('a table says who waits on which port, and from where it can be reached', () => {
  process.env['TZ'] = 'UTC';
  expect(listenersText([SSHD, HIDDEN], 'no access to 3 processes of other users', STYLE)).toMatchInlineSnapshot(`
    "prot  port            address      reachable   app               pid  user     runs since   unit
    tcp   22 ssh          *            everywhere  sshd              700  root     11-30 09:05  ssh.ser…
    udp   41000           *            everywhere  -                   -  root     -            -

    2 listeners; no access to 3 processes of other users: sudo shows all
    "
  `);
  expect(listenersText([{ ...SSHD, unit: null }], '', STYLE)).not.toContain('unit');
  expect(listenersText([{ ...SSHD, unit: null, elsewhere: true }], '', STYLE)).toContain('other ns');
  expect(listenersText([], '', STYLE)).toBe('0 listeners\n');
});

test('JSON has a line for each, by its schema', () => {
  const lines = listenersJson([SSHD, HIDDEN])
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toMatchObject([
    {
      type: 'listener',
      schema: 1,
      port: 22,
      reach: 'everywhere',
      app: 'sshd',
      started: '2026-11-30T09:05:00.000Z',
      other_namespace: false,
    },
    { port: 41_000, app: null, pid: null, started: null },
  ]);
  for (const line of lines) expect(lineFaults(line)).toEqual([]);
});
