// What keys do to the state: the cursor stays on its row, filters narrow everything, nothing that is paused moves.

import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Action, Command } from '../../../../src/view/action.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { layoutOf } from '../../../../src/view/layout.ts';
import { headerPanel } from '../../../../src/view/panels/header.ts';
import { restored, savedStateOf } from '../../../../src/view/saved-state.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { cursorIndex } from '../../../../src/view/tables/selection.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { appRow, busy, flowRow, hostRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };

function start(columns = 80, rows = 24): ViewState {
  return initialState({ columns, rows });
}

function press(state: ViewState, shown: Snapshot, ...commands: Command[]): ViewState {
  let next = state;
  for (const command of commands) next = reduce(next, { type: 'command', command }, shown, settings).state;
  return next;
}

function act(state: ViewState, shown: Snapshot, action: Action): ViewState {
  return reduce(state, action, shown, settings).state;
}

const three = (rates: readonly [number, number, number], extra: readonly string[] = []): Snapshot =>
  snapshot({
    apps: [
      ...rates.map((rxRate, i) => appRow({ id: 'abc'[i] as string, rxRate, rxBytes: 100 * (i + 1) })),
      ...extra.map((id) => appRow({ id })),
    ],
  });

const ids = (state: ViewState, shown: Snapshot) => orderedRows(state, shown, state.pane).map((row) => row.id);

describe('the cursor', () => {
  test('is on the first row, whichever that is, until it is moved; then it keeps its row', () => {
    const before = three([30, 20, 10]);
    const after = three([10, 30, 20]);
    const untouched = act(start(), after, { type: 'snapshot' });
    expect(untouched.tables.apps.selected).toBeNull();
    let state = press(start(), before, 'down');
    expect(state.tables.apps.selected).toBe('b');
    state = act(state, after, { type: 'snapshot' });
    expect(cursorIndex(state.tables.apps, orderedRows(state, after, 'apps'))).toBe(0);
    state = press(state, after, 'sort-next', 'sort-direction');
    expect(state.tables.apps.selected).toBe('b');
    expect(press(state, after, 'first').tables.apps.selected).toBeNull();
  });

  test('goes to the row that took the place of one that vanished', () => {
    let state = press(start(), three([30, 20, 10]), 'down');
    const gone = snapshot({ apps: [appRow({ id: 'a', rxRate: 3 }), appRow({ id: 'c', rxRate: 1 })] });
    state = act(state, gone, { type: 'snapshot' });
    expect(state.tables.apps).toMatchObject({ selected: 'c', index: 1 });
    state = act(state, snapshot(), { type: 'snapshot' });
    expect(state.tables.apps.index).toBe(0);
    expect(press(state, snapshot(), 'down', 'last', 'page-down', 'details', 'pin').popup).toBeNull();
  });

  test('moves by pages within the room there is and stays in sight', () => {
    const many = snapshot({ flows: Array.from({ length: 100 }, (_, i) => flowRow({ id: `f${i}`, rxRate: 1000 - i })) });
    let state = press(start(), many, 'connections', 'page-down');
    expect(state.tables.connections).toMatchObject({ selected: 'f17', top: 1 });
    state = press(state, many, 'last');
    expect(state.tables.connections).toMatchObject({ selected: 'f99', top: 83 });
    state = press(state, many, 'page-up', 'page-up');
    expect(state.tables.connections.index).toBe(65);
    state = act(state, many, { type: 'resize', columns: 80, rows: 12 });
    const { top, index } = state.tables.connections;
    expect(index - top).toBeLessThan(6);
    expect(index).toBeGreaterThanOrEqual(top);
  });
});

describe('order', () => {
  test('sorts with unknown values last in both directions', () => {
    const shown = snapshot({
      apps: [appRow({ id: 'x', pids: [] }), appRow({ id: 'y', pids: [9] }), appRow({ id: 'z', pids: [5] })],
    });
    let state = act(start(), shown, { type: 'sort', table: 'apps', column: 'pid' });
    expect(ids(state, shown)).toEqual(['y', 'z', 'x']);
    state = press(state, shown, 'sort-direction');
    expect(ids(state, shown)).toEqual(['z', 'y', 'x']);
  });

  test('s goes through every column and comes back', () => {
    const shown = busy(10);
    let state = start();
    const seen = new Set<string>();
    do {
      seen.add(state.tables.apps.sort.column);
      state = press(state, shown, 'sort-next');
    } while (!seen.has(state.tables.apps.sort.column));
    expect(seen.size).toBeGreaterThan(8);
    expect(state.tables.apps.sort.column).toBe('rate');
    expect(press(state, shown, 'sort-previous', 'sort-next').tables.apps.sort.column).toBe('rate');
  });

  test('frozen rows keep their places, new ones come last, a sort thaws', () => {
    let state = press(start(), three([30, 20, 10]), 'freeze');
    const later = three([1, 2, 3], ['new']);
    expect(ids(state, later)).toEqual(['a', 'b', 'c', 'new']);
    state = press(state, later, 'freeze');
    expect(ids(state, later)).toEqual(['c', 'b', 'a', 'new']);
  });

  test('pinned rows stay on top until they are let go', () => {
    const shown = three([30, 20, 10]);
    let state = press(start(), shown, 'last', 'pin');
    expect(ids(state, shown)).toEqual(['c', 'a', 'b']);
    expect(state.tables.apps.selected).toBe('c');
    state = press(state, shown, 'pin');
    expect(ids(state, shown)).toEqual(['a', 'b', 'c']);
  });
});

describe('the picture', () => {
  test('is held while paused, and the count begins anew with z', () => {
    const [one, two] = [three([1, 2, 3]), three([9, 9, 9])];
    const paused = press(start(), one, 'pause');
    expect(pictureOf(paused, two).snapshot).toBe(one);
    expect(pictureOf(press(paused, two, 'pause'), two).snapshot).toBe(two);
    const since = press(start(), one, 'count-from-now');
    const later = snapshot({
      apps: [
        appRow({ id: 'a', rxBytes: 150, flows: 4 }),
        appRow({ id: 'b', rxBytes: 200 }),
        appRow({ id: 'n', rxBytes: 7, flows: 2 }),
      ],
      time: NOON + 5000,
    });
    expect(pictureOf(since, later).apps.map((row) => [row.id, row.rxBytes, row.flows])).toEqual([
      ['a', 50, 3],
      ['n', 7, 2],
    ]);
  });

  test('a filter narrows rows and totals, also by what only the app or the host knows', () => {
    const shown = snapshot({
      apps: [
        appRow({ id: 'a1', app: 'curl', user: 'ann', pids: [7], rxBytes: 999 }),
        appRow({ id: 'a2', app: 'ssh', user: 'bob', pids: [8], rxBytes: 999 }),
        appRow({ id: 'a3', app: null, reason: 'forwarded', pids: [], rxBytes: 999 }),
      ],
      hosts: [
        hostRow({ id: 'h1', host: 'example.com', country: 'DE', addresses: ['192.0.2.1'] }),
        hostRow({ id: 'h2', host: 'example.org', addresses: ['192.0.2.2'] }),
      ],
      flows: [
        flowRow({ id: 'f1', app: 'curl', pid: 7, host: 'example.com', rxBytes: 10, rxRate: 1 }),
        flowRow({
          id: 'f2',
          app: 'curl',
          pid: 7,
          host: 'example.org',
          remote: { address: '192.0.2.2', port: 80 },
          rxBytes: 20,
          closed: true,
        }),
        flowRow({ id: 'f3', app: 'ssh', pid: 8, host: 'example.org', remote: { address: '192.0.2.2', port: 22 }, rxBytes: 40 }),
        flowRow({ id: 'f4', app: null, pid: null, reason: 'forwarded', rxBytes: 80 }),
      ],
    });
    const seen = (text: string) => {
      const picture = pictureOf(withFilter(start(), text), shown);
      return {
        apps: picture.apps.map((row) => [row.id, row.rxBytes, row.flows]),
        hosts: picture.hosts.map((row) => row.id),
        total: picture.total.rxBytes,
        hidden: picture.closedHidden,
      };
    };
    expect(seen('app:curl')).toEqual({ apps: [['a1', 30, 2]], hosts: ['h1', 'h2'], total: 30, hidden: 1 });
    expect(seen('user:bob')).toEqual({ apps: [['a2', 40, 1]], hosts: ['h2'], total: 40, hidden: 0 });
    expect(seen('country:DE').total).toBe(90); // the unowned flow went there too
    expect(seen('port:80').apps).toEqual([['a1', 20, 1]]);
    expect(seen('not app:curl and not app:ssh').apps).toEqual([['a3', 80, 1]]);
    expect(pictureOf(withFilter(start(), 'app:curl'), shown).total.unownedBytes).toBeNull();
  });

  test("a filter's totals are those counted for it, and the header says where they are less", () => {
    const flow = flowRow({ id: 'f1', app: 'curl', rxBytes: 10 });
    const matching = {
      ...{
        text: 'app:curl',
        from: null,
        average: null,
        completeSince: null,
        flows: [flow],
        flowCount: 1,
        encryptedDns: [],
        hosts: [],
        categories: [],
        interfaces: [],
      },
      total: {
        rxBytes: 500,
        txBytes: 0,
        rxPackets: 5,
        txPackets: 0,
        rxRate: 0,
        txRate: 0,
        means: [],
        unownedBytes: 0,
        passingBytes: null,
      },
      apps: [appRow({ id: 'a1', app: 'curl', rxBytes: 500 })],
      branches: null,
    };
    const live = snapshot({ flows: [flow], matching });
    const state = withFilter(start(), 'app:curl');
    const header = (shown: typeof live, from = state) =>
      (headerPanel(from, shown, UNICODE_GLYPHS, 120)[1] ?? []).map(({ text }) => text).join('');
    expect(pictureOf(state, live)).toMatchObject({ total: { rxBytes: 500 }, apps: [{ rxBytes: 500 }], flows: [{ id: 'f1' }] });
    expect(header(live)).toMatch(/ filtered {2}/);
    const late = snapshot({ ...live, matching: { ...matching, completeSince: Date.UTC(2026, 0, 1, 12) } });
    expect(header(late)).toMatch(/ filtered, complete since \d\d:00:00 /);
    const another = withFilter(start(), 'app:cur');
    expect(pictureOf(another, live).total.rxBytes).toBe(10);
    expect(header(live, another)).toContain(' filtered (listed) ');
    expect(pictureOf({ ...state, since: live }, live).counted).toBeNull();
  });

  test('a filter, and a new beginning of the count, are told to whoever counts', () => {
    const shown = busy(40);
    const open = press(start(), shown, 'filter');
    const typed = reduce(open, { type: 'edit', edit: 'insert', text: 'ssh' }, shown, settings);
    expect(typed.effects).toMatchObject([{ type: 'match', filter: { text: 'ssh' }, from: null }]);
    expect(reduce(typed.state, { type: 'edit', edit: 'insert', text: ' ' }, shown, settings).effects).toEqual([]);
    const kept = reduce(typed.state, { type: 'edit', edit: 'accept', text: '' }, shown, settings).state;
    const since = reduce(kept, { type: 'command', command: 'count-from-now' }, shown, settings);
    expect(since.effects).toMatchObject([{ type: 'match', filter: { text: 'ssh' }, from: shown }]);
    const all = reduce(since.state, { type: 'command', command: 'back' }, shown, settings);
    expect(all.effects).toMatchObject([{ type: 'match', filter: null }]);
  });

  test('a filter is applied as it is typed; a wrong one leaves the last right one in force', () => {
    const shown = busy(40);
    let state = press(start(), shown, 'filter');
    for (const text of 'app:ssh') state = act(state, shown, { type: 'edit', edit: 'insert', text });
    const { filter } = state.filter;
    expect(pictureOf(state, shown).apps).toHaveLength(1);
    for (const text of ' (') state = act(state, shown, { type: 'edit', edit: 'insert', text });
    expect(state.filter.filter?.text.trim()).toBe(filter?.text);
    expect(state.filter.problem).toBeNull();
    state = act(state, shown, { type: 'edit', edit: 'accept', text: '' });
    expect(state.filter).toMatchObject({ text: 'app:ssh (', problem: { column: 9 }, cursor: 9 });
    expect(state.filter.filter?.text.trim()).toBe(filter?.text);
    state = act(state, shown, { type: 'edit', edit: 'accept', text: '' });
    expect(state.filter).toMatchObject({ text: 'app:ssh ', problem: null, cursor: null });
    state = press(state, shown, 'back');
    expect(state.filter).toMatchObject({ text: '', filter: null });
  });

  test('editing keys', () => {
    const shown = snapshot();
    let state = press(start(), shown, 'filter');
    const type = (...edits: [Extract<Action, { type: 'edit' }>['edit'], string?][]) => {
      for (const [edit, text = ''] of edits) state = act(state, shown, { type: 'edit', edit, text });
      return [state.filter.text, state.filter.cursor];
    };
    expect(type(['insert', 'a'], ['insert', 'c'], ['left'], ['insert', 'b'])).toEqual(['abc', 2]);
    expect(type(['backspace'], ['delete'])).toEqual(['a', 1]);
    expect(type(['insert', ' '], ['insert', 'x'], ['word'])).toEqual(['a ', 2]);
    expect(type(['home'], ['backspace'], ['right'], ['end'])).toEqual(['a ', 2]);
    expect(type(['clear'])).toEqual(['', 0]);
    expect(type(['insert', 'z'], ['cancel'])).toEqual(['', null]);
  });
});

test('panes and views', () => {
  const shown = busy(10);
  let state = press(start(), shown, 'next-pane');
  expect(state.pane).toBe('connections');
  expect(press(state, shown, 'next-pane').pane).toBe('apps');
  expect(press(start(200, 50), shown, 'previous-pane').pane).toBe('categories');
  expect(press(start(200, 50), shown, 'next-pane').pane).toBe('hosts');
  state = press(state, shown, 'hosts');
  expect([state.view, state.pane]).toEqual(['hosts', 'hosts']);
  expect(press(state, shown, 'next-pane').pane).toBe('hosts');
  expect(press(state, shown, 'overview').pane).toBe('apps');
});

test('nothing that changes nothing makes a new state', () => {
  const shown = busy(10);
  const state = press(act(start(), shown, { type: 'snapshot' }), shown, 'back');
  expect(act(state, shown, { type: 'snapshot' })).toBe(state);
  expect(act(state, shown, { type: 'select', table: 'apps', id: 'no such row' })).toBe(state);
  expect(press(state, shown, 'back')).toBe(state);
});

test('popups scroll within their lines, and Esc closes', () => {
  const shown = busy(10);
  let state = press(start(), shown, 'help', 'last');
  const bottom = state.popup;
  expect(press(state, shown, 'down', 'page-down').popup).toEqual(bottom);
  state = press(state, shown, 'first', 'up');
  expect(state.popup).toEqual({ kind: 'help', top: 0 });
  expect(press(state, shown, 'back').popup).toBeNull();
  expect(press(state, shown, 'help').popup).toBeNull();
  expect(press(state, shown, 'capture').popup).toMatchObject({ kind: 'capture' });
});

test('a popup gives way to another view; a theme that was only looked at does, too', () => {
  const state = press({ ...start(), themes: ['netmon', 'light'] }, busy(10), 'theme', 'down');
  expect(state.theme).toBe('light');
  const { state: left, effects } = reduce(state, { type: 'command', command: 'hosts' }, busy(10), settings);
  expect(left).toMatchObject({ view: 'hosts', popup: null, theme: 'netmon' });
  expect(effects).toEqual([{ type: 'theme', name: 'netmon', keep: false }]);
  expect(press(start(), busy(10), 'help', 'overview')).toMatchObject({ view: 'overview', popup: null });
});

describe('focus', () => {
  const inSight = (state: ViewState) => layoutOf(state, false).tables.map(({ table }) => table);
  const wide = press(start(200, 60), busy(5), 'next-pane');

  test('leaves a pane for which a narrower screen has no room', () => {
    expect(wide.pane).toBe('hosts');
    const narrow = act(wide, busy(5), { type: 'resize', columns: 80, rows: 24 });
    expect(inSight(narrow)).toContain(narrow.pane);
    const zoomed = act(press(wide, busy(5), 'zoom'), busy(5), { type: 'resize', columns: 80, rows: 24 });
    expect(inSight(zoomed)).toEqual(['hosts']);
    const back = press(zoomed, busy(5), 'zoom');
    expect(inSight(back)).toContain(back.pane);
  });

  test('is on a pane that is there when a run begins with what another saved', () => {
    for (const [columns, lite] of [
      [80, false],
      [80, true],
      [200, true],
    ] as const) {
      const state = restored(initialState({ columns, rows: 24 }), { ...(savedStateOf(wide) as object), lite });
      expect(inSight(state)).toContain(state.pane);
    }
    expect(restored(initialState({ columns: 200, rows: 60 }), savedStateOf(wide)).pane).toBe('hosts');
  });

  test('shows its pane alone on a wide screen with few rows', () => {
    expect(inSight({ ...wide, size: { columns: 200, rows: 12 } })).toEqual(['hosts']);
  });
});

describe('the packets of a connection', () => {
  const packet = {
    number: 0,
    time: NOON,
    isSent: true,
    payloadBytes: 0,
    tcp: null,
    marks: [],
    contents: '',
    name: null,
  } as const;
  const page = { flow: '7', packets: Array.from({ length: 100 }, (_, number) => ({ ...packet, number })), dropped: 0 };
  const shown = snapshot({ flows: [flowRow({ id: '7', rxRate: 9 }), flowRow({ id: '8' })] });
  const effects = (state: ViewState, ...commands: Command[]) =>
    commands.reduce(
      (step, command) => {
        const next = reduce(step.state, { type: 'command', command }, shown, settings);
        return { state: next.state, asked: [...step.asked, ...next.effects.filter(({ type }) => type === 'watch-packets')] };
      },
      { state, asked: [] as unknown[] },
    );

  test('are asked for when its details open, once, and come before the next picture', () => {
    const { state, asked } = effects(start(), 'connections', 'details', 'next-pane', 'next-pane', 'down', 'back', 'details');
    expect(asked).toEqual([
      { type: 'watch-packets', id: '7' },
      { type: 'watch-packets', id: '7' },
    ]);
    expect(effects(start(), 'details', 'back', 'help').asked).toEqual([]);
    expect(act(state, shown, { type: 'packets', page }).popup).toMatchObject({ page });
    expect(act(state, shown, { type: 'packets', page: { ...page, flow: '8' } }).popup).toMatchObject({ page: null });
    expect(act(state, shown, { type: 'packets', page: null }).popup).toMatchObject({ page: null });
    expect(act(start(), shown, { type: 'packets', page })).toEqual(start());
  });

  test('follow what comes until they are scrolled, and again from their end on', () => {
    const open = act(press(start(), shown, 'connections', 'details', 'next-pane'), shown, { type: 'packets', page });
    const top = (...commands: Command[]) => {
      const { popup } = press(open, shown, ...commands);
      return popup !== null && 'top' in popup ? popup.top : null;
    };
    const follows = top();
    expect(top('up')).toBe(82);
    expect(top('up', 'down')).toBe(follows);
    expect(top('page-up')).toBe(66);
    expect(top('first')).toBe(0);
    expect(top('first', 'last')).toBe(follows);
    expect(top('next-pane')).toBe(0);
  });

  test('are of connections alone', () => {
    const state = press(start(), snapshot({ apps: [appRow({ id: 'a' })] }), 'details', 'next-pane');
    expect(state.popup).toMatchObject({ showsPackets: false });
  });
});

describe('how a connection is spoken', () => {
  const offer = { over: 'tcp', version: 0x0304, protocols: [], ech: false, ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1' } as const;
  const tls = { offer, answer: null, names: null, namesAreCut: false, alert: null, answerMs: null, handshakeMs: null };
  const talk = { tls, http: null };
  const shown = snapshot({ flows: [flowRow({ id: '7', rxRate: 9, talk }), flowRow({ id: '8' }), flowRow({ id: '9', talk })] });

  test('finds the others with its fingerprint, from its row and from its details', () => {
    for (const commands of [
      ['connections', 'alike'],
      ['connections', 'details', 'alike'],
    ] as const) {
      const state = press(start(), shown, ...commands);
      expect([state.popup, state.filter.applied]).toEqual([null, 'ja4=t13d1516h2_8daaf6152771_e5627efa2ab1']);
      expect(ids(state, shown)).toEqual(['7', '9']);
    }
  });

  test('is told of where there is no fingerprint', () => {
    const state = press(start(), shown, 'connections', 'down', 'alike');
    expect([state.filter.applied, state.notice]).toEqual(['', 'select a connection whose TLS hello was seen whole']);
    expect(press(start(), shown, 'alike').notice).toBe('select a connection whose TLS hello was seen whole');
  });

  test('is hidden in details, too', () => {
    const state = press(start(), shown, 'connections', 'details', 'privacy');
    expect([state.privacy, state.popup?.kind]).toEqual([true, 'details']);
  });

  test('shows paths when asked, in details too, and not in the next run', () => {
    const state = press(start(), shown, 'connections', 'details', 'paths');
    expect([state.paths, state.popup?.kind]).toEqual([true, 'details']);
    expect(press(state, shown, 'paths').paths).toBe(false);
    expect(JSON.stringify(savedStateOf(state))).not.toContain('paths');
  });
});
