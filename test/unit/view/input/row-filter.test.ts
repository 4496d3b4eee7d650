// `/` in the details of a row filters for it: what stands in the filter is what the row is about.

import { expect, test } from 'vitest';
import type { Command } from '../../../../src/view/action.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { isFilter, rowFilter } from '../../../../src/view/input/row-filter.ts';
import { initialState, type TableName, type ViewState } from '../../../../src/view/state.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { appRow, flowRow, hostRow, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const live = snapshot({
  apps: [
    appRow({ id: 'a', app: 'Google Chrome', pids: [7], rxRate: 9 }),
    appRow({ id: 'b', app: 'nginx', pids: [9], rxRate: 5 }),
    appRow({ id: 'c', app: null, reason: 'older than the start' }),
    appRow({ id: 'd', app: 'bad"name' }),
  ],
  hosts: [
    hostRow({ id: 'h', host: 'a.example.com', domain: 'example.com', rxRate: 5 }),
    hostRow({ id: 'i', host: 'b.example.com', domain: 'example.com' }),
    hostRow({ id: 'j', host: '2001:db8::1', domain: null }),
  ],
  flows: [
    flowRow({ id: '1', app: 'Google Chrome', pid: 7, host: 'a.example.com', domain: 'example.com', rxRate: 5 }),
    flowRow({ id: '2', app: 'Google Chrome', pid: 7, peerApp: 'nginx', peerPid: 9, host: '127.0.0.1', direction: 'local' }),
  ],
});

function press(state: ViewState, ...commands: Command[]): ViewState {
  let next = state;
  for (const command of commands) next = reduce(next, { type: 'command', command }, live, settings).state;
  return next;
}

const start = (...commands: Command[]) => press(initialState({ columns: 100, rows: 30 }), ...commands);
const filtered = (...commands: Command[]) => start(...commands, 'details', 'filter');

test.each<[string, Command[], string]>([
  ['an app', ['apps'], 'app="Google Chrome"'],
  ['its host', ['apps', 'expand', 'down'], 'app="Google Chrome" host=a.example.com'],
  ['its peer', ['apps', 'expand', 'down', 'down'], 'app="Google Chrome" app=nginx'],
  ['its process', ['apps', 'expand', 'down', 'down', 'down', 'expand', 'down'], 'pid=7'],
  ['a domain', ['hosts'], 'domain=example.com'],
  ['a host of it', ['hosts', 'expand', 'down'], 'host=a.example.com'],
  ['a host without one', ['hosts', 'last'], 'host="2001:db8::1"'],
  ['a connection', ['connections'], 'domain=example.com'],
])('%s', (_, commands, text) => {
  const state = filtered(...commands);
  expect(state).toMatchObject({ popup: null, filter: { applied: text, cursor: null, problem: null } });
  if (!text.startsWith('host=')) expect(pictureOf(state, live).flows.length).toBeGreaterThan(0);
});

test('what has no name stays as it is, and says so', () => {
  for (const commands of [
    ['apps', 'last'],
    ['apps', 'down', 'down'],
  ] as Command[][]) {
    const state = filtered(...commands);
    expect(state.popup).toMatchObject({ kind: 'details' });
    expect(state).toMatchObject({ filter: { applied: '' }, notice: 'this row can not be filtered for' });
  }
});

test('every row of every table has a filter that compiles, or none', () => {
  const state = start();
  for (const table of ['apps', 'hosts', 'connections', 'categories', 'interfaces', 'events'] satisfies TableName[])
    for (const row of orderedRows(state, live, table)) expect(rowFilter(table, row, null)).not.toBe('');
  expect([isFilter('app', 'a b'), isFilter('app', 'a.b-c'), isFilter('app', 'a"b'), isFilter('app', null)]).toEqual([
    'app="a b"',
    'app=a.b-c',
    null,
    null,
  ]);
});
