// Charts in the details of rows that keep no past of their own: true from when the row was looked at, blank before that and in gaps.

import { afterEach, beforeAll, expect, test } from 'vitest';
import type { FlowRow, Snapshot } from '../../src/model/snapshot.ts';
import { NO_LINEAGE } from '../../src/model/terms.ts';
import { appRow, flowRow, hostRow, interfaceRow, NOON, snapshot } from '../support/snapshot-builder.ts';
import { Stage } from '../support/terminal.ts';

let stage: Stage;

beforeAll(() => {
  process.env['TZ'] = 'UTC'; // the screen shows local time
});

afterEach(() => stage.close());

const process_ = {
  id: 1,
  app: 0,
  pid: 1000,
  name: 'curl',
  exe: '/usr/bin/curl',
  uid: 1000,
  user: 'ann',
  parentPid: 1,
  script: null,
  unit: null,
  container: null,
  publisher: null,
  ...NO_LINEAGE,
  startedAt: null,
};

/** A second of a run in which one connection comes in waves. */
function at(second: number, parts: Partial<Snapshot> = {}): Snapshot {
  const wave = Math.round(500_000 * (1 + Math.sin(second / 4)));
  const traffic = {
    rxRate: wave,
    txRate: Math.round(wave / 5),
    rxBytes: 9_000_000,
    txBytes: 1_000_000,
    rxPackets: 6000,
    txPackets: 3000,
  };
  const flow = flowRow({ id: '7', host: 'example.com', nameSource: 'tls', ...traffic });
  const rings = Array.from({ length: Math.min(60, second) }, (_, i) => 1000 * (i % 9));
  return snapshot({
    seq: second,
    time: NOON + second * 1000,
    started: NOON,
    intervalMs: 1000,
    flows: [flow],
    apps: [appRow({ id: 'app:1', app: 'curl', processes: [process_], ...traffic })],
    interfaces: [
      interfaceRow({ id: 'interface:en0', interface: 'en0', ...traffic, recentRx: rings, recentTx: rings.toReversed() }),
    ],
    ...parts,
  });
}

async function frame(name: string): Promise<void> {
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/${name}.txt`);
}

async function show(from: number, to: number): Promise<void> {
  for (let second = from; second < to; second++) await stage.show(at(second));
}

test('a connection, from when it was chosen', async () => {
  stage = new Stage(120, 40);
  await show(1, 3);
  await stage.press('3', '\r');
  await frame('details-chart-begins-120x40');
  await show(3, 30);
  await frame('details-chart-connection-120x40');
  await show(30, 130);
  await frame('details-chart-minutes-120x40');
});

test('a process below its app, and a connection on a small screen', async () => {
  stage = new Stage(80, 24);
  await show(1, 3);
  await stage.press('2', '\x1b[C', 'j', 'j', '\x1b[C', 'j');
  await show(3, 40);
  await stage.press('\r');
  await frame('details-chart-process-80x24');
  await stage.press('\x1b', '3');
  await show(40, 60);
  await stage.press('\r');
  await frame('details-chart-connection-80x24');
});

test('programs for which nobody vouches, and their SHA-256', async () => {
  stage = new Stage(100, 36);
  const publisher = { kind: 'unpackaged', name: null, version: null, by: null, source: null, note: null, digest: null } as const;
  const curl = { ...publisher, kind: 'package', name: 'curl', version: '8.5.0-2', by: 'Debian', source: 'dpkg' } as const;
  const made = (digest: string | null): Partial<Snapshot> => ({
    apps: [
      appRow({ id: 'app:2', app: 'backup', exe: '/home/ann/backup', ...{ rxRate: 900 }, processCount: 2 }),
      appRow({ id: 'app:1', app: 'curl', exe: '/usr/bin/curl', rxRate: 100, processes: [{ ...process_, publisher: curl }] }),
    ].map((row) => {
      const own = { ...process_, name: 'backup', exe: '/home/ann/backup', publisher: { ...publisher, digest } };
      return row.app === 'curl'
        ? row
        : {
            ...row,
            processes: [
              { ...own, pid: 900 },
              { ...own, pid: 901 },
            ],
          };
    }),
  });
  await stage.show(at(1, made(null)));
  await stage.press('2');
  await frame('details-publisher-table-100x36');
  await stage.press('D');
  await stage.show(at(2, made('5f'.repeat(32))));
  await frame('details-publisher-digest-100x36');
});

test('an interface has its last minute from its own rings', async () => {
  stage = new Stage(80, 30);
  await show(1, 70);
  await stage.press('6', '\r');
  await frame('details-chart-interface-80x30');
});

test('what was not measured, and what was not live, is blank; what closed meanwhile stays', async () => {
  stage = new Stage(100, 36);
  await show(1, 2);
  await stage.press('3', '\r');
  await show(2, 20);
  await stage.show(at(30, { gaps: [{ from: NOON + 20_000, to: NOON + 30_000, reason: 'sleep', detail: '' }] }));
  await show(31, 40);
  await stage.press('p');
  await show(40, 48);
  await stage.press('p');
  await show(48, 52);
  await stage.show(at(52, { flows: [flowRow({ id: '7', host: 'example.com', nameSource: 'tls', closed: true })] }));
  await frame('details-chart-gaps-100x36');
  expect(stage.text()).not.toContain('no longer listed');
});

/** A browser with two processes, and who else talks to the same host. */
function talking(): Snapshot {
  const ancestors = [
    { pid: 1, name: 'systemd', startedAt: null },
    { pid: 512, name: 'zsh', startedAt: null },
    { pid: 700, name: 'npm', startedAt: null },
  ];
  const node = { ...process_, name: 'node', exe: '/usr/bin/node', ancestors, parentPid: 700, startedAt: NOON - 90_000 };
  const processes = [
    { ...node, id: 2, pid: 710, command: "node fetch.js --token=*** 'two words' https://registry.example.org/left-pad" },
    { ...node, id: 3, pid: 711, ...NO_LINEAGE },
  ];
  const flow = (id: string, host: string, rate: number, parts: Partial<FlowRow> = {}) =>
    flowRow({
      id,
      host,
      app: 'node',
      pid: 710,
      nameSource: 'tls',
      remote: { address: `192.0.2.${id}`, port: 443 },
      rxRate: rate,
      rxBytes: 50_000 * Number(id),
      ...parts,
    });
  const flows = [
    flow('1', 'registry.example.org', 4000, { pid: 711 }),
    flow('2', 'registry.example.org', 800_000, { remote: { address: '203.0.113.9', port: 8443 } }),
    flow('3', 'cdn.example.net', 0),
    flow('4', 'old.example.net', 0, { closed: true, state: 'closed' }),
    flow('5', '127.0.0.1', 300, {
      direction: 'local',
      peerApp: 'postgres',
      peerPid: 80,
      remote: { address: '127.0.0.1', port: 5432 },
    }),
    flow('6', 'registry.example.org', 20, { app: 'curl', pid: 1000 }),
  ];
  const traffic = { rxBytes: 750_000, rxRate: 804_300, rxPackets: 600, txPackets: 400 };
  const app = appRow({
    id: 'app:2',
    app: 'node',
    exe: '/usr/bin/node',
    pids: [710, 711],
    processes,
    processCount: 5,
    flows: 5,
    ...traffic,
  });
  const curl = appRow({ id: 'app:1', app: 'curl', pids: [1000], processes: [process_], flows: 1, rxRate: 20 });
  const host = hostRow({
    id: 'host:1',
    host: 'registry.example.org',
    domain: 'example.org',
    nameSource: 'tls',
    flows: 3,
    ...traffic,
  });
  return snapshot({ time: NOON, started: NOON - 100_000, intervalMs: 1000, flows, apps: [app, curl], hosts: [host] });
}

test.each([
  [80, 24],
  [120, 40],
])('apps by what started them, and the details of one of those, at %ix%i', async (columns, rows) => {
  stage = new Stage(columns, rows);
  const shown = talking();
  const [zsh, npm] = [
    { pid: 512, name: 'zsh', startedAt: null },
    { pid: 700, name: 'npm', startedAt: null },
  ];
  const line = { ancestors: [zsh, npm], origin: zsh, session: 512, terminal: 'pts/3' };
  const apps = shown.apps.map((row) => ({ ...row, processes: row.processes.map((each) => ({ ...each, ...line })) }));
  await stage.show({ ...shown, apps });
  await stage.press('2', 'B', '\x1b[C', 'j', '\x1b[C');
  await frame(`lineage-apps-${columns}x${rows}`);
  await stage.press('j', '\r');
  await frame(`lineage-process-${columns}x${rows}`);
});

test.each([
  [80, 24],
  [120, 40],
])('who talks to whom: an app, a host below it, a connection, a host, at %ix%i', async (columns, rows) => {
  stage = new Stage(columns, rows);
  await stage.show(talking());
  await stage.press('2', '\r');
  await frame(`talks-app-${columns}x${rows}`);
  await stage.press('\x1b', '\x1b[C', 'j', '\r');
  await frame(`talks-app-host-${columns}x${rows}`);
  await stage.press('\x1b', '3', '\r');
  await frame(`talks-connection-${columns}x${rows}`);
  await stage.press('\x1b', '4', '\r');
  await frame(`talks-host-${columns}x${rows}`);
  await stage.press('\x1b', 'x', '2', 'k', '\r');
  await frame(`talks-private-${columns}x${rows}`);
});
