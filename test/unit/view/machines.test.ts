// Several machines on one screen: a column of them, rows below them, and nothing of one taken for another's.

import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/filter/filter.ts';
import type { MachineStatus } from '../../../src/model/machines.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { pictureOf } from '../../../src/view/derive.ts';
import { frameOf } from '../../../src/view/frame.ts';
import { KEYMAP } from '../../../src/view/input/keymap.ts';
import { reduce } from '../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../src/view/state.ts';
import { orderedRows } from '../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../src/view/text/glyphs.ts';
import { isMachineLine } from '../../../src/view/tree/machines.ts';
import { appRow, busy, flowRow, hostRow, NOON } from '../../support/snapshot-builder.ts';

const SETTINGS = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const machine = (name: string, state: MachineStatus['state'] = 'live'): MachineStatus => ({
  ...{ name, state, since: NOON, note: '', hint: '', isReduced: false, clockAheadMs: 0, program: '1', lineRate: 0 },
});
const moved = (rate: number) => ({ rxBytes: rate * 60, rxRate: rate, means: [rate, 0, rate, 0, rate, 0] });

/** Two machines that run the same apps, with the same pids, against the same hosts. */
function two(): Snapshot {
  const names = ['mac1', 'mac2'];
  const each = <Row>(make: (name: string, at: number) => Row[]): Row[] => names.flatMap(make);
  return {
    ...busy(0, 0),
    apps: each((name, at) => [
      { ...appRow({ id: `${name}|app:1`, app: 'curl', ...moved(1000 + at) }), machine: name },
      { ...appRow({ id: `${name}|app:2`, app: 'ssh', ...moved(10) }), machine: name },
    ]),
    hosts: each((name) => [
      {
        ...hostRow({ id: `${name}|host:1`, host: 'a.example', domain: 'a.example', ...moved(name === 'mac1' ? 1010 : 1011) }),
        machine: name,
      },
    ]),
    flows: each((name, at) => [
      { ...flowRow({ id: `${name}|1`, app: 'curl', host: 'a.example', ...moved(1000 + at) }), machine: name },
      { ...flowRow({ id: `${name}|2`, app: 'ssh', host: null, ...moved(10) }), machine: name },
    ]),
    branches: null,
    machines: names.map((name) => machine(name)),
  };
}

function pressed(state: ViewState, live: Snapshot, ...commands: ('machines' | 'expand' | 'details' | 'collapse')[]): ViewState {
  return commands.reduce(
    (now, command) => reduce(now, { type: 'command', command }, live, SETTINGS).state,
    reduce(state, { type: 'snapshot' }, live, SETTINGS).state,
  );
}

const start = (view: 'apps' | 'connections' | 'hosts') => initialState({ columns: 120, rows: 30, view });

function textOf(state: ViewState, live: Snapshot): string {
  const { header, tables } = frameOf(state, live, SETTINGS);
  return [...header.lines, ...tables.flatMap(({ lines }) => lines)]
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
}

describe('the screen of several machines', () => {
  test('says whose each row is, and how many machines are not live', () => {
    const live = { ...two(), machines: [machine('mac1'), machine('mac2', 'lost')] };
    const text = textOf(pressed(start('apps'), live), live);
    expect(text).toContain('2 machines, 1 lost');
    expect(text).toMatch(/app +machine/);
    expect(text).toMatch(/curl +mac2 /);
  });

  test('has no such column for one machine', () => {
    const live = { ...two(), machines: [machine('mac1')] };
    const text = textOf(pressed(start('apps'), live), live);
    expect(text).toContain('mac1');
    expect(text).not.toMatch(/app +machine/);
  });

  test.each(['apps', 'connections', 'hosts'] as const)('puts %s below their machine, with sums', (view) => {
    const live = two();
    const folded = pressed(start(view), live, 'machines');
    const rows = orderedRows(folded, live, view);
    expect(rows.map((row) => (isMachineLine(row) ? row.machine : null))).toEqual(['mac1', 'mac2']);
    expect(rows.map((row) => ('rxRate' in row ? row.rxRate : 0))).toEqual([1010, 1011]);
    const open = pressed(folded, live, 'expand');
    const below = view === 'hosts' ? ['mac1'] : ['mac1', 'mac1'];
    expect(orderedRows(open, live, view).map((row) => ('machine' in row ? row.machine : ''))).toEqual(['mac1', ...below, 'mac2']);
    expect(textOf(open, live)).toMatch(/▾ [12] +mac1/);
    const closed = pressed(open, live, 'details');
    expect(orderedRows(closed, live, view)).toHaveLength(2);
    expect(closed.popup).toBeNull();
  });

  test('opens nothing on the row of a machine that is about one row', () => {
    const live = two();
    const state = pressed(start('apps'), live, 'machines');
    for (const command of ['copy', 'pin', 'export', 'packets', 'mute', 'lineage'] as const)
      expect(() => reduce(state, { type: 'command', command }, live, SETTINGS)).not.toThrow();
  });

  test('filters by machine, and adds up only its rows', () => {
    const live = two();
    const compiled = compileFilter('machine:mac2');
    if (!compiled.ok) throw new Error(compiled.message);
    const filter = { ...start('apps').filter, text: 'machine:mac2', applied: 'machine:mac2', filter: compiled.filter };
    const picture = pictureOf({ ...start('apps'), filter }, live);
    expect(picture.flows.map(({ id }) => id)).toEqual(['mac2|1', 'mac2|2']);
    expect(picture.apps.map(({ id, rxRate }) => [id, rxRate])).toEqual([
      ['mac2|app:1', 1001],
      ['mac2|app:2', 10],
    ]);
    expect(picture.hosts.map(({ id }) => id)).toEqual(['mac2|host:1']);
    expect(picture.total.rxRate).toBe(1011);
  });
});

test('the capture says how each line is, and what to type about it', () => {
  const lost: MachineStatus = {
    ...machine('db3', 'lost'),
    since: NOON - 60_000,
    note: 'it takes no key of yours',
    hint: 'ssh db3',
  };
  const ahead: MachineStatus = { ...machine('mac1'), since: NOON - 5000, clockAheadMs: -7200, lineRate: 5400, program: '0.1.0' };
  const live = { ...two(), time: NOON, machines: [ahead, lost] };
  const { popup } = frameOf({ ...start('apps'), popup: { kind: 'capture', top: 0 } }, live, SETTINGS);
  const drawn = (popup?.lines ?? []).map((line) => line.map((part) => part.text).join('')).join(' ');
  const text = drawn.replace(/[│\s]+/g, ' ');
  expect(text).toContain('mac1 live for 5s, netmon-tui 0.1.0, its clock is 7 s behind, line 5.27 KiB/s');
  expect(text).toContain('db3 lost for 1m00s, netmon-tui 1, it takes no key of yours');
  expect(text).toContain('type: ssh db3');
  expect(text).not.toContain('snap length');
});
