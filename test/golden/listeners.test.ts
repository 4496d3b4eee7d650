// The view of listeners: by port, their details, hostile names, hidden addresses, and why there is no list.

import { afterEach, beforeAll, expect, test } from 'vitest';
import type { ListenerRow } from '../../src/model/listeners.ts';
import { busy, NOON, snapshot } from '../support/snapshot-builder.ts';
import { Stage } from '../support/terminal.ts';

let stage: Stage;

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

afterEach(() => stage.close());

function listener(port: number, parts: Partial<ListenerRow> = {}): ListenerRow {
  return {
    ...{ id: `tcp ${port}`, protocol: 'tcp', address: '*', port, reach: 'everywhere', app: 'sshd', exe: '/usr/sbin/sshd' },
    ...{
      pid: 712,
      user: 'root',
      unit: 'ssh.service',
      startedAt: NOON - 86_400_000,
      since: null,
      elsewhere: false,
      container: null,
    },
    ...{ accepted: 3, lastFrom: '192.0.2.44', lastAt: NOON - 90_000 },
    ...parts,
  };
}

const LISTENERS = [
  listener(22),
  listener(631, { address: '127.0.0.1', reach: 'loopback', app: 'cupsd', unit: null, accepted: 0, lastFrom: null, lastAt: null }),
  listener(5353, { protocol: 'udp', app: null, exe: null, pid: null, user: 'avahi', unit: null, startedAt: null }),
  listener(6379, {
    address: '172.17.0.2',
    reach: 'network',
    app: 'redis',
    elsewhere: true,
    unit: null,
    accepted: null,
    lastFrom: null,
  }),
  listener(8080, { address: 'fd00::17', reach: 'network', app: 'server.js (node)', since: NOON - 45_000, unit: null }),
];

test.each([
  [80, 24],
  [120, 40],
  [40, 10],
] as const)('%ix%i', async (columns, rows) => {
  stage = new Stage(columns, rows);
  await stage.show(snapshot({ listeners: LISTENERS }));
  await stage.press('0');
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/listeners-${columns}x${rows}.txt`);
  await stage.press('\r');
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/listeners-details-${columns}x${rows}.txt`);
});

test('filters by app, port and user', async () => {
  stage = new Stage(100, 30);
  await stage.show(snapshot({ listeners: LISTENERS }));
  await stage.press('0', '/', ...'port:8080 or user:avahi', '\r');
  expect(stage.text()).toContain('server.js');
  expect(stage.text()).toContain('5353');
  expect(stage.text()).not.toContain('cupsd');
});

test('hidden addresses are hidden, and names from outside stay text', async () => {
  stage = new Stage(160, 30);
  const evil = '\x1b]0;title\x07{red-bg}x{/}';
  await stage.show(
    snapshot({ listeners: [...LISTENERS, listener(9000, { app: evil, user: evil, unit: evil, address: evil, lastFrom: evil })] }),
  );
  await stage.press('0', 'x');
  expect(stage.text()).not.toMatch(/192\.0\.2|127\.0|172\.17|fd00|\x1b\]|\x07/);
  expect(stage.text()).toContain('{red-bg}x{/}');
});

test('says why there is no list', async () => {
  stage = new Stage(80, 24);
  await stage.show(snapshot());
  await stage.press('0');
  expect(stage.text()).toContain('the list is being made');
  await stage.show(snapshot({ capture: { ...busy(1).capture, file: '/tmp/a.pcap' } }));
  expect(stage.text()).toContain('a file lists no listeners');
});
