// Trees: what hangs under an app and under a domain adds up to it, and the cursor goes along when a row is opened and closed.

import { describe, expect, test } from 'vitest';
import type { Snapshot, Traffic } from '../../../../src/model/snapshot.ts';
import { NO_LINEAGE } from '../../../../src/model/terms.ts';
import type { Command } from '../../../../src/view/action.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, OPEN_MAX, type ViewState } from '../../../../src/view/state.ts';
import { type AnyRow, orderedRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { type AppLine, mainHost } from '../../../../src/view/tree/app-tree.ts';
import { appRow, branchRow, flowRow, hostRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };

function press(state: ViewState, shown: Snapshot, ...commands: Command[]): ViewState {
  let next = state;
  for (const command of commands) next = reduce(next, { type: 'command', command }, shown, settings).state;
  return next;
}

const named = (rows: readonly AnyRow[]) =>
  rows.map((row) => {
    const { app, host, reason, branch } = row as AppLine & { host?: string | null };
    return `${' '.repeat(branch?.depth ?? 0)}${app ?? host ?? `(${reason})`}`;
  });
const bytes = (rows: readonly AnyRow[]) =>
  (rows as readonly Traffic[]).reduce((sum, { rxBytes, txBytes }) => sum + rxBytes + txBytes, 0);
const at = (depth: number | undefined) => (row: AnyRow) => (row as AppLine).branch?.depth === depth;

const PROCESSES = ['expand', 'expand', 'expand'] as const;
const process = (pid: number, name: string) => ({
  id: pid,
  pid,
  name,
  exe: `/usr/bin/${name}`,
  uid: 0,
  user: 'root',
  parentPid: 1,
  startedAt: null,
  script: null,
  unit: null,
  container: null,
  publisher: null,
  ...NO_LINEAGE,
  app: 0,
});
const browser = snapshot({
  apps: [
    appRow({
      id: 'b',
      app: 'Browser',
      pids: [10, 11],
      processCount: 2,
      processes: [process(10, 'main'), process(11, 'helper')],
      rxBytes: 1000,
      txBytes: 50,
      rxRate: 90,
    }),
    appRow({ id: 'd', app: 'daemon', pids: [20], rxBytes: 50, txBytes: 300, rxRate: 5 }),
  ],
  flows: [
    flowRow({ id: '1', app: 'Browser', pid: 10, host: 'a.example.com', rxBytes: 100, rxRate: 10 }),
    flowRow({ id: '2', app: 'Browser', pid: 11, host: 'b.example.com', rxBytes: 500, rxRate: 50 }),
    flowRow({ id: '3', app: 'Browser', pid: 11, host: 'a.example.com', rxBytes: 100, rxRate: 30, closed: true }),
    flowRow({
      id: '4',
      app: 'daemon',
      pid: 20,
      peerApp: 'Browser',
      peerPid: 10,
      host: '127.0.0.1',
      rxBytes: 50,
      txBytes: 200,
      direction: 'local',
    }),
  ],
});

describe('apps', () => {
  test('open to whom they talk to, then their processes; what no listed connection moved is a row of its own', () => {
    let state = press(initialState({ columns: 80, rows: 24 }), browser, 'apps', 'expand');
    let rows = orderedRows(state, browser, 'apps');
    const hosts = [' b.example.com', ' a.example.com', ' daemon (local)', ' (connections no longer listed)'];
    expect(named(rows)).toEqual(['Browser', ...hosts, ' 2 processes', 'daemon']);
    expect(bytes(rows.slice(1, -2))).toBe(1050);
    const upwards = {
      ...state,
      tables: { ...state.tables, apps: { ...state.tables.apps, sort: { column: 'rate', descending: false } } },
    };
    expect(named(orderedRows(upwards, browser, 'apps')).slice(-2)).toEqual([' (connections no longer listed)', ' 2 processes']);
    state = press(state, browser, 'down', 'down', 'down', 'down', 'down', 'expand');
    rows = orderedRows(state, browser, 'apps');
    expect(named(rows).slice(5)).toEqual([' 2 processes', '  helper', '  main', '  (connections no longer listed)', 'daemon']);
    expect(bytes(rows.filter(at(2)))).toBe(1050);
    expect(rows[5]).toMatchObject({ rxBytes: 1000, txBytes: 50 });
    state = press(state, browser, 'expand', 'expand');
    rows = orderedRows(state, browser, 'apps');
    expect(named(rows)).toEqual([
      'Browser',
      ...hosts,
      ' 2 processes',
      '  helper',
      '   b.example.com',
      '   a.example.com',
      '  main',
      '  (connections no longer listed)',
      'daemon',
    ]);
    expect(bytes(rows.filter(at(3)))).toBe(600);
  });

  test('a pid that was used twice is one row, of the newer process', () => {
    const twice = [process(7, 'old'), { ...process(7, 'new'), id: 8 }];
    const shown = snapshot({ apps: [appRow({ id: 'q', app: 'quiet', processes: twice })] });
    const rows = orderedRows(press(initialState({ columns: 120, rows: 24 }), shown, 'apps', ...PROCESSES), shown, 'apps');
    expect(named(rows)).toEqual(['quiet', ' 1 process', '  new']);
  });

  test('hold processes without a listed connection too, what they moved as unknown', () => {
    const quiet = snapshot({ apps: [appRow({ id: 'q', app: 'quiet', processes: [process(7, 'quiet')], rxBytes: 40 })] });
    const state = press(initialState({ columns: 120, rows: 24 }), quiet, 'apps', 'expand', 'down', 'down', 'expand');
    const rows = orderedRows(state, quiet, 'apps');
    const rest = '(connections no longer listed)';
    expect(named(rows)).toEqual(['quiet', ` ${rest}`, ' 1 process', '  quiet', `  ${rest}`]);
    const lines = frameOf(state, quiet, settings).tables.flatMap((pane) => pane.lines.map(plain));
    expect(lines.join('')).not.toMatch(/NaN/);
    expect(lines.find((line) => / {4}▸ quiet/.test(line))).toMatch(/7 root +– +· +· +– +– /);
    const details = press(state, quiet, 'down', 'details');
    expect((frameOf(details, quiet, settings).popup?.lines ?? []).map(plain).join('')).not.toMatch(/NaN/);
    const [effect] = reduce(press(state, quiet, 'export'), { type: 'command', command: 'details' }, quiet, settings).effects;
    expect(JSON.stringify(effect)).toContain('"quiet","",7,"root",null,0,0,null,null,null');
  });

  test('count a local connection at both ends, each as that end sees it', () => {
    const state = {
      ...initialState({ columns: 80, rows: 24 }),
      open: { ...initialState({ columns: 80, rows: 24 }).open, apps: ['b', 'b/processes'] },
    };
    const main = orderedRows(state, browser, 'apps').find(({ id }) => id === 'b/processes/pid:10');
    expect(main).toMatchObject({ rxBytes: 300, txBytes: 50, flows: 2 });
  });

  test('hold the cursor on the row that is opened, and give it to the one above when there is nothing to close', () => {
    let state = press(initialState({ columns: 80, rows: 24 }), browser, 'apps', 'down', 'expand');
    expect(state.tables.apps.selected).toBe('d');
    state = press(state, browser, 'expand');
    expect(state.tables.apps.selected).toBe('d/host:Browser (local)');
    state = press(state, browser, 'collapse');
    expect(state.tables.apps.selected).toBe('d');
    expect(state.open.apps).toEqual(['d']);
    state = press(state, browser, 'collapse');
    expect(state.open.apps).toEqual([]);
    expect(press(state, browser, 'collapse')).toEqual(state);
  });

  test('pin and freeze by the row at the top', () => {
    const state = press(initialState({ columns: 80, rows: 24 }), browser, 'apps', 'down', 'expand', 'expand', 'pin', 'freeze');
    expect(state.pins.apps).toEqual(['d']);
    expect(state.frozen?.apps).toEqual(['d', 'b']);
  });

  test('close the one opened first when too many are open', () => {
    const many = snapshot({ apps: Array.from({ length: OPEN_MAX + 2 }, (_, i) => appRow({ id: `a${i}`, rxRate: 1000 - i })) });
    let state = press(initialState({ columns: 80, rows: 24 }), many, 'apps');
    for (let i = 0; i < OPEN_MAX + 2; i++) state = press(state, many, 'expand', 'down');
    expect(state.open.apps).toHaveLength(OPEN_MAX);
    expect(state.open.apps).not.toContain('a0');
  });
});

describe('hosts', () => {
  const hosts = snapshot({
    hosts: [
      hostRow({
        id: 'h1',
        host: 'www.example.com',
        domain: 'example.com',
        rxBytes: 30,
        rxRate: 3,
        country: 'DE',
        recent: [1, 2],
      }),
      hostRow({ id: 'h2', host: 'cdn.example.com', domain: 'example.com', rxBytes: 50, rxRate: 5, country: 'US', recent: [7] }),
      hostRow({ id: 'h3', host: '10.0.0.1', addresses: ['10.0.0.1'], rxBytes: 9, rxRate: 7 }),
      hostRow({ id: 'h4', host: null, reason: '3 more hosts', rxBytes: 1 }),
    ],
    flows: [
      flowRow({ id: '1', app: 'curl', host: 'www.example.com', remote: { address: '192.0.2.7', port: 443 }, rxBytes: 20 }),
      flowRow({ id: '2', host: '10.0.0.1', remote: { address: '10.0.0.1', port: 22 }, rxBytes: 9 }),
    ],
  });

  test('stand by domain, then by name, then by app', () => {
    let state = press(initialState({ columns: 80, rows: 24 }), hosts, 'hosts');
    let rows = orderedRows(state, hosts, 'hosts');
    expect(named(rows)).toEqual(['example.com', '10.0.0.1', '(3 more hosts)']);
    expect(rows[0]).toMatchObject({ rxBytes: 80, rxRate: 8, hosts: 2, country: null, recent: [1, 9] });
    state = press(state, hosts, 'expand', 'down', 'down', 'expand');
    rows = orderedRows(state, hosts, 'hosts');
    expect(named(rows)).toEqual([
      'example.com',
      ' cdn.example.com',
      ' www.example.com',
      '  curl',
      '  (connections no longer listed)',
      '10.0.0.1',
      '(3 more hosts)',
    ]);
    expect(bytes(rows.filter(at(2)))).toBe(30);
    state = press(state, hosts, 'last', 'expand');
    expect(state.open.hosts).not.toContain('h4');
  });

  test('a domain of one host bears its name', () => {
    const one = snapshot({ hosts: [hostRow({ id: 'h', host: 'api.example.org', domain: 'example.org' })] });
    const state = press(initialState({ columns: 80, rows: 24 }), one, 'hosts');
    expect(named(orderedRows(state, one, 'hosts'))).toEqual(['api.example.org']);
  });
});

describe('what the run counted', () => {
  const apps = [
    appRow({
      id: 'a',
      app: 'curl',
      pids: [7, 8],
      processes: [process(7, 'curl'), process(8, 'curl')],
      processCount: 2,
      rxBytes: 100,
    }),
    appRow({ id: 's', app: 'server', pids: [9], rxBytes: 6, flows: 1 }),
  ];
  const at = (id: string, host: string, pid: number, rxBytes: number) =>
    branchRow({ id, host, hostId: `h:${host}`, address: '192.0.2.1', nameSource: 'tls', pid, rxBytes });
  const hosts = [hostRow({ id: 'h:a.example', host: 'a.example', rxBytes: 70 })];
  const shown = snapshot({
    apps,
    hosts,
    branches: [
      at('1', 'a.example', 7, 30),
      at('2', 'a.example', 8, 20),
      at('3', 'b.example', 7, 15),
      { ...at('4', 'a.example', 0, 10), pid: null, isFolded: true },
      branchRow({ id: '5', pid: 7, rxBytes: 10 }),
      branchRow({ id: '6', pid: 7, hostId: 'h:127.0.0.1', host: '127.0.0.1', peerApp: 'server', rxBytes: 6 }),
      branchRow({
        id: 'c',
        appId: 'carrier',
        app: null,
        reason: 'overhead of tunnels',
        hostId: 'h:a.example',
        carries: true,
        rxBytes: 8,
      }),
      branchRow({ id: '7', appId: 's', app: 'server', pid: 9, isFar: true, rxBytes: 6 }),
    ],
  });
  const open = (ids: readonly string[], table: 'apps' | 'hosts', live = shown, more: Partial<ViewState> = {}) => {
    const state = initialState({ columns: 120, rows: 40 });
    const opened = { ...state, ...more, open: { ...state.open, [table]: ids } };
    return (orderedRows(opened, live, table) as AppLine[]).map((row) => `${named([row])} ${row.rxBytes}`);
  };

  test('is below a row after its connections are gone, and adds up to it', () => {
    expect(open(['a', 'a/processes', 'a/processes/pid:7', 's'], 'apps')).toEqual([
      'curl 100',
      ' a.example 60',
      ' b.example 15',
      ' server (local) 6',
      ' (more hosts) 19',
      ' 2 processes 100',
      '  curl 61',
      '   a.example 30',
      '   b.example 15',
      '   server (local) 6',
      '   (more hosts) 10',
      '  curl 20',
      '  (more processes) 19',
      'server 6',
      ' this machine 6',
      ' 1 process 6',
    ]);
    const whole = appRow({ id: 't', app: null, reason: 'overhead of tunnels', rxBytes: 8, processCount: 0 });
    expect(open(['t'], 'apps', snapshot({ apps: [whole], branches: [] }))).toEqual(['(overhead of tunnels) 8']);
    expect(open(['h:a.example'], 'hosts')).toEqual([
      'a.example 70',
      ' curl 60',
      ' (carried for apps inside a tunnel) 8',
      ' (more apps) 2',
    ]);
    expect(mainHost('a', pictureOf(initialState({ columns: 80, rows: 24 }), shown), 10)).toEqual({
      host: 'a.example',
      nameSource: 'tls',
      address: '192.0.2.1',
    });
  });

  test('counts from the baseline; of what was not listed then, nobody knows how much', () => {
    const late = { ...at('8', 'c.example', 7, 40), firstSeen: NOON + 500 };
    const old = { ...at('9', 'd.example', 7, 1000), firstSeen: NOON - 500 };
    const live = snapshot({
      time: NOON + 1000,
      apps: [{ ...(apps[0] as AppLine), rxBytes: 1145 }],
      branches: [{ ...at('1', 'a.example', 7, 35) }, at('2', 'a.example', 8, 20), late, old],
    });
    expect(open(['a'], 'apps', live, { since: { ...shown, time: NOON } })).toEqual([
      'curl 1045',
      ' c.example 40',
      ' a.example 5',
      ' (more hosts) 1000',
      ' 2 processes 1045',
    ]);
  });

  test('is listed in the details, too', () => {
    const state = initialState({ columns: 120, rows: 40 });
    const popup = (table: 'apps' | 'hosts', id: string) => {
      const lines = frameOf(
        { ...state, popup: { kind: 'details', table, id, top: 0, showsPackets: false, page: null } },
        shown,
        settings,
      ).popup?.lines;
      return (lines ?? []).map(plain).join('\n');
    };
    expect(popup('apps', 'a')).toMatch(/talks to +60 B +a\.example .*\n. +15 B +b\.example .*\n. +6 B +server \(local\) /);
    expect(popup('hosts', 'h:a.example')).toMatch(/apps +60 B +curl /);
  });
});

test('the main host of an app is the one with which it exchanges most now, else in all', () => {
  const flow = (host: string, rxRate: number, rxBytes: number) =>
    flowRow({ id: host, app: 'curl', pid: 1, host, rxRate, rxBytes });
  const main = (...flows: ReturnType<typeof flow>[]) =>
    mainHost(
      'c',
      pictureOf(
        initialState({ columns: 80, rows: 24 }),
        snapshot({ apps: [appRow({ id: 'c', app: 'curl', pids: [1] })], flows }),
      ),
      10,
    )?.host;
  expect(main(flow('idle.example', 0, 900), flow('busy.example', 5, 10))).toBe('busy.example');
  expect(main(flow('a.example', 0, 10), flow('b.example', 0, 900))).toBe('b.example');
  expect(main()).toBeUndefined();
});
