// The events on the screen: in the order of time, followed at the end, narrowed by the filter; what is new is marked in words.

import { describe, expect, test } from 'vitest';
import type { NetEvent, Snapshot } from '../../../src/model/snapshot.ts';
import { RECENT_MS } from '../../../src/model/snapshot.ts';
import type { Command } from '../../../src/view/action.ts';
import { pictureOf } from '../../../src/view/derive.ts';
import { frameOf } from '../../../src/view/frame.ts';
import { withFilter } from '../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../src/view/input/keymap.ts';
import { reduce } from '../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../src/view/state.ts';
import { recentlySeenOf } from '../../../src/view/tables/recently-seen.ts';
import { orderedRows } from '../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../src/view/text/glyphs.ts';
import { plain } from '../../../src/view/text/span.ts';
import { appRow, flowRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };

function press(state: ViewState, shown: Snapshot, ...commands: Command[]): ViewState {
  let next = state;
  for (const command of commands) next = reduce(next, { type: 'command', command }, shown, settings).state;
  return next;
}

function event(id: number, parts: Partial<NetEvent>): NetEvent {
  return {
    id: `event:${id}`,
    time: NOON,
    kind: 'warning',
    text: '',
    app: null,
    domain: null,
    interface: null,
    flow: null,
    burst: null,
    ...parts,
  };
}

const lines = (state: ViewState, shown: Snapshot) =>
  frameOf(state, shown, settings)
    .tables.flatMap((pane) => pane.lines.map(plain))
    .join('\n');

test('the newest is last and followed until another row is chosen', () => {
  const many = (count: number) =>
    snapshot({ events: Array.from({ length: count }, (_, i) => event(i, { text: `number ${i}` })) });
  let state = press(initialState({ columns: 80, rows: 24 }), many(100), 'events');
  expect(lines(state, many(100))).toMatch(/▌.*number 99/);
  state = reduce(state, { type: 'snapshot' }, many(120), settings).state;
  expect(lines(state, many(120))).toMatch(/▌.*number 119/);
  state = press(state, many(120), 'up');
  state = reduce(state, { type: 'snapshot' }, many(150), settings).state;
  expect(lines(state, many(150))).toMatch(/▌.*number 118/);
  state = press(state, many(150), 'last');
  expect(lines(reduce(state, { type: 'snapshot' }, many(160), settings).state, many(160))).toMatch(/▌.*number 159/);
  expect(press(state, many(150), 'sort-next', 'sort-direction').notice).toBe('these rows are in order of time');
});

test('what matters stands alone until t asks for connections; the title counts what is hidden', () => {
  const flow = flowRow({ id: 'f', host: 'www.example.com' });
  const shown = snapshot({
    events: [
      event(1, { kind: 'start', text: 'libpcap on en0' }),
      event(2, { kind: 'opened', app: 'curl', flow }),
      event(3, { kind: 'new app', app: 'curl' }),
      event(4, { kind: 'closed', app: 'curl', flow }),
      event(5, { kind: 'gap', text: '9 s not measured: sleep' }),
    ],
  });
  const quiet = press(initialState({ columns: 120, rows: 24 }), shown, 'events');
  expect(lines(quiet, shown)).toMatch(/Events 3 · 2 events of connections hidden/);
  expect(lines(quiet, shown)).not.toContain('www.example.com');
  const all = press(quiet, shown, 'closed');
  expect(lines(all, shown)).toMatch(/Events 5 ─/);
  expect(lines(all, shown).match(/www\.example\.com/g)).toHaveLength(2);
  expect(all.closed).toBe(false);
  expect(lines(press(all, shown, 'closed'), shown)).toBe(lines(quiet, shown));
  expect(press(quiet, shown, 'connections', 'closed')).toMatchObject({ closed: true, connectionLog: false });
});

describe('new, as a filter,', () => {
  const host = { nameSource: 'tls', category: 'Web' } as const;
  const shown = snapshot({
    apps: ['curl', 'gone', 'old'].map((app) => appRow({ id: app, app, rxBytes: 900, rxRate: app === 'gone' ? 0 : 5 })),
    hosts: ['new.example', 'gone.example', 'old.example'].map((name) =>
      hostRow({ ...host, id: name, host: `www.${name}`, domain: name, rxBytes: 900 }),
    ),
    flows: [
      flowRow({ id: '1', app: 'curl', host: 'www.new.example', domain: 'new.example', rxBytes: 7 }),
      flowRow({ id: '2', app: 'old', host: 'www.old.example', domain: 'old.example' }),
    ],
    events: [
      event(1, { kind: 'start', text: 'libpcap on en0' }),
      ...['curl', 'gone'].map((app, i) => event(2 + i, { kind: 'new app', app })),
      ...['new.example', 'gone.example'].map((domain, i) => event(4 + i, { kind: 'new domain', domain, app: 'curl' })),
      event(6, { kind: 'new app', app: 'ancient', time: NOON - RECENT_MS - 1 }),
      event(7, { kind: 'closed', app: 'curl', flow: flowRow({ id: '1', app: 'curl' }) }),
      event(8, { kind: 'closed', app: 'old', flow: flowRow({ id: '2', app: 'old' }) }),
    ],
  });
  const start = withFilter(initialState({ columns: 120, rows: 24 }), 'new');

  test.each([
    ['apps', ['curl', 'gone']],
    ['hosts', ['domain:new.example', 'domain:gone.example']],
    ['connections', ['1']],
    ['events', ['event:2', 'event:3', 'event:4', 'event:5']],
  ] as const)('finds in %s what is new there, also when its connections are gone', (view, ids) => {
    const state = press(start, shown, view);
    expect(orderedRows(state, shown, view).map(({ id }) => id)).toEqual(ids);
  });

  test('tells nothing of traffic that was not counted, and adds nothing to the total', () => {
    const text = lines(press(start, shown, 'apps'), shown);
    expect(text).toMatch(/gone new .* – +·/);
    expect(pictureOf(start, shown).total.rxBytes).toBe(7);
    expect(lines(press(withFilter(start, 'new app:curl'), shown, 'apps'), shown)).not.toContain('gone');
  });

  test('finds connections of what is new in the log', () => {
    const state = press(start, shown, 'events', 'closed');
    expect(orderedRows(state, shown, 'events').map(({ id }) => id)).toEqual([
      'event:2',
      'event:3',
      'event:4',
      'event:5',
      'event:7',
    ]);
  });
});

test('a filter narrows what it can be asked about, and leaves the capture its say', () => {
  const shown = snapshot({
    events: [
      event(1, { text: 'en0 is down' }),
      event(2, { kind: 'opened', app: 'curl', flow: flowRow({ id: '1', app: 'curl', host: 'example.com' }) }),
      event(3, { kind: 'opened', app: 'ssh', flow: flowRow({ id: '2', app: 'ssh' }) }),
      event(4, { kind: 'new domain', domain: 'example.com' }),
    ],
  });
  const state = press(withFilter(initialState({ columns: 80, rows: 24 }), 'host:example.com'), shown, 'events', 'closed');
  const text = lines(state, shown);
  expect(text).toContain('Events 3');
  expect(text).not.toContain('ssh');
});

test('what is new is marked by a word wherever it stands, for a while', () => {
  const parts = {
    apps: [appRow({ id: 'a', app: 'curl', rxRate: 9 })],
    hosts: [hostRow({ id: 'h', host: 'www.example.com', domain: 'example.com' })],
    flows: [flowRow({ id: '1', app: 'curl', host: 'www.example.com', domain: 'example.com' })],
    events: [event(1, { kind: 'new app', app: 'curl' }), event(2, { kind: 'new domain', domain: 'example.com' })],
  };
  const state = initialState({ columns: 120, rows: 40 });
  for (const view of ['apps', 'hosts'] as const) {
    expect(lines(press(state, snapshot(parts), view), snapshot(parts))).toMatch(/(curl|www\.example\.com) new/);
    for (const away of [RECENT_MS + 1, -RECENT_MS - 1]) {
      const later = snapshot({ ...parts, time: NOON + away }); // or the clock was set back
      expect(lines(press(state, later, view), later)).not.toContain(' new');
    }
  }
  const connections = lines(press(state, snapshot(parts), 'connections'), snapshot(parts));
  expect(connections).toContain('curl new');
  expect(connections).toContain('www.example.com:443 new');
  expect(recentlySeenOf(snapshot()).apps.size).toBe(0);
});

test('counting from now lists what happened since, also where the clock was set back', () => {
  const before = [event(1, { kind: 'gap', text: 'slept' }), event(2, { kind: 'export', text: '3 rows' })];
  const then = snapshot({ events: before });
  const state = press(initialState({ columns: 80, rows: 24 }), then, 'count-from-now', 'events');
  const events = [...before, event(3, { kind: 'export', text: '9 rows', time: NOON - 86_400_000 })];
  expect(orderedRows(state, snapshot({ time: NOON - 86_399_000, events }), 'events').map(({ id }) => id)).toEqual(['event:3']);
});

test('connections told together tell how many, with whom, for how long and what they moved', () => {
  const burst = { of: 'app', reason: null, count: 3120, host: 'secret.example', hosts: 1, since: NOON - 14_000 } as const;
  const moved = { rxBytes: 3 << 20, txBytes: 0 };
  const shown = snapshot({
    events: [
      event(1, { kind: 'opened', app: 'curl', burst: { ...burst, ...moved } }),
      event(2, { kind: 'closed', app: 'curl', burst: { ...burst, ...moved, host: null, hosts: 14 } }),
      event(3, { kind: 'opened', burst: { ...burst, ...moved, of: 'unlisted', hosts: 0 } }),
      event(4, { kind: 'opened', burst: { ...burst, ...moved, reason: 'forwarded', since: NOON, host: null, hosts: 100 } }),
    ],
  });
  const state = press(initialState({ columns: 120, rows: 40 }), shown, 'events', 'closed');
  const text = lines(state, shown);
  expect(text).toMatch(/curl: 3.120 connections with secret\.example in 14s/);
  expect(text).toMatch(/curl: 3.120 connections with 14 hosts in 14s, . 3\.00 MiB . 0 B/);
  expect(text).toMatch(/3.120 more connections, too many to list/);
  expect(text).toMatch(/\(forwarded\): 3.120 connections with 100 hosts or more *│/);
  expect(lines(press(state, shown, 'privacy'), shown)).not.toContain('secret');
  const filtered = lines(withFilter(state, 'host:secret'), shown);
  expect(filtered).toContain('secret.example');
  expect(filtered).not.toContain('14 hosts');
});

test('privacy mode hides hosts and paths in them', () => {
  const shown = snapshot({
    events: [
      event(1, { kind: 'new domain', domain: 'secret.example', app: 'curl' }),
      event(2, { kind: 'opened', flow: flowRow({ id: '1', host: 'secret.example' }) }),
      event(3, { kind: 'export', text: '/home/ann/secret.csv' }),
    ],
  });
  expect(lines(press(initialState({ columns: 80, rows: 24 }), shown, 'events', 'closed', 'privacy'), shown)).not.toContain(
    'secret',
  );
});

test('today has no date; a sentence that is too long has short names and keeps its end', () => {
  const flow = {
    ...flowRow({ id: 'f', app: 'an-app-with-a-long-name', host: 'a-very-long-host-name.of-a-long-domain.example' }),
    rxBytes: 2048,
    txBytes: 1024,
  };
  const events = [event(0, { time: NOON - 86_400_000, text: 'yesterday' }), event(1, { kind: 'closed', flow })];
  const state = press(initialState({ columns: 120, rows: 24 }), snapshot({ events }), 'events', 'closed');
  const text = lines({ ...state, size: { columns: 80, rows: 24 } }, snapshot({ events }));
  expect(text).toMatch(/│ \d\d-\d\d \d\d:\d\d +warning +yesterday/);
  expect(text).toMatch(/│▌\d\d:\d\d:\d\d +closed +an-app-with-… . ….*:443 tcp, ▼ 2\.00 KiB ▲ 1\.00/);
  expect(lines(state, snapshot({ events }))).toMatch(/▲ 1\.00 KiB in \d+\w/);
});
