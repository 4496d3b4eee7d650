// What is picked in popups besides themes: interfaces, the form of an export. And the zoom, and what is remembered.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Alert, Mute } from '../../../../src/model/alert.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Action, Command, Effect } from '../../../../src/view/action.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { restored, savedStateOf } from '../../../../src/view/saved-state.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { alert } from '../../../support/history.ts';
import { appRow, busy, CAPTURE, flowRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const start = (columns = 120, rows = 40) => initialState({ columns, rows });

/** Presses keys one after the other; the effects of the last one. */
function press(state: ViewState, shown: Snapshot, ...commands: Command[]): { state: ViewState; effects: readonly Effect[] } {
  let step: { state: ViewState; effects: readonly Effect[] } = { state, effects: [] };
  for (const command of commands) step = reduce(step.state, { type: 'command', command }, shown, settings);
  return step;
}

const act = (state: ViewState, shown: Snapshot, action: Action) => reduce(state, action, shown, settings).state;
const popup = (state: ViewState, shown: Snapshot) => (frameOf(state, shown, settings).popup?.lines ?? []).map(plain).join('\n');

describe('what an alert is about is allowed', () => {
  const left = alert({ kind: 'policy', host: 'www.example.net', domain: 'example.net', time: NOON });
  const allowed = (one: Alert, state = start()) => {
    const shown = { ...busy(5), time: NOON, alerts: [one] };
    return press(act(state, shown, { type: 'snapshot' }), shown, 'events', 'allow');
  };

  test('by adding it to the policy, if it has left that', () => {
    const { state, effects } = allowed(left);
    expect(effects).toEqual([{ type: 'allow', app: 'curl', host: 'www.example.net' }]);
    expect(state.notice).toBe('the policy allows curl to reach www.example.net from now on');
    const hidden = allowed(left, { ...start(), privacy: true });
    expect(hidden.state.notice).toBe('the policy allows what this is about from now on');
  });

  test('by muting it for good otherwise', () => {
    const { effects } = allowed(alert({ time: NOON }));
    const mute = { kind: 'new-domain', rule: null, app: 'curl', domain: 'example.com' };
    expect(effects).toEqual([{ type: 'mute', mute, lastsMs: null }]);
    const nowhere = allowed({ ...left, host: null });
    expect(nowhere.effects).toEqual([{ type: 'mute', mute: { ...mute, kind: 'policy', domain: 'example.net' }, lastsMs: null }]);
  });

  test('unless it is about no app and no place, or about a rule of the user', () => {
    const loss = allowed(alert({ kind: 'capture-loss', app: null, host: null, domain: null, time: NOON }));
    expect(loss.effects).toEqual([]);
    expect(loss.state.notice).toBe("a capture-loss alert can't be allowed: m mutes those like it");
    expect(allowed(alert({ kind: 'threshold', time: NOON })).effects).toEqual([]);
  });

  test('by its address if that is all there is', () => {
    const { state, effects } = allowed(alert({ kind: 'beacon', host: '198.51.100.7', domain: null, time: NOON }));
    expect(effects).toEqual([
      { type: 'mute', mute: { kind: 'beacon', rule: null, app: 'curl', domain: '198.51.100.7' }, lastsMs: null },
    ]);
    expect(state.notice).toBe('allowed from now on: beacon by curl about 198.51.100.7');
  });
});

describe('what is muted', () => {
  const mute = (parts: Partial<Mute>): Mute => ({ kind: null, rule: null, app: null, domain: null, until: null, ...parts });
  const opened = (alerts: readonly Alert[], mutes: readonly Mute[], ...more: Command[]) => {
    const shown = { ...busy(5), time: NOON, alerts, capture: { ...CAPTURE, mutes } };
    const step = press(act(start(), shown, { type: 'snapshot' }), shown, 'events', 'mute', ...more);
    return { ...step, text: popup(step.state, shown) };
  };

  test('can be a rule by its name', () => {
    const raised = alert({ kind: 'threshold', rule: 'too \x1b[2Jbig', app: 'rclone', host: null, domain: null, time: NOON });
    const { text } = opened([raised], []);
    expect(text).toMatch(/rule "too .*big" by rclone for an hour(.|\n)*rule "too .*big" for an hour(.|\n)* threshold for good/);
    expect(text).not.toContain('\x1b');
    const { effects } = opened([raised], [], 'down', 'down', 'down', 'details');
    const wanted = { kind: 'threshold', rule: 'too \x1b[2Jbig', app: null, domain: null };
    expect(effects).toEqual([{ type: 'mute', mute: wanted, lastsMs: 3_600_000 }]);
  });

  test('is listed, what silences the alert first, and Enter ends it', () => {
    const mutes = [
      mute({ app: 'wget' }),
      mute({ domain: 'example.com', until: NOON + 60_000 }),
      mute({ app: 'curl', until: NOON - 1 }),
    ];
    const { text } = opened([alert({ time: NOON })], mutes);
    expect(text).toMatch(
      /▌ unmute all alerts about example.com, muted until [\d:]+ (.|\n)* {3}unmute all alerts by wget, muted for good/,
    );
    expect(text).not.toContain('unmute all alerts by curl');
    const { effects, state } = opened([alert({ time: NOON })], mutes, 'details');
    expect(effects).toEqual([{ type: 'unmute', mute: mutes[1] }]);
    expect(state).toMatchObject({ popup: null, notice: 'no longer muted' });
  });

  test('is chosen from the details of an alert as from the list', () => {
    const shown = { ...busy(5), time: NOON, alerts: [alert({ time: NOON })], capture: CAPTURE };
    const listed = act(start(), shown, { type: 'snapshot' });
    const { state } = press(listed, shown, 'events', 'details', 'mute');
    expect(state.popup).toEqual(press(listed, shown, 'events', 'mute').state.popup);
    const app = press(listed, shown, 'apps', 'details', 'mute').state.popup;
    expect(app).toMatchObject({ kind: 'details', table: 'apps' });
  });

  test('is listed without an alert, too', () => {
    const { effects } = opened([], [mute({ app: 'wget' })], 'details');
    expect(effects).toEqual([{ type: 'unmute', mute: mute({ app: 'wget' }) }]);
    expect(opened([], []).state).toMatchObject({ popup: null, notice: 'select an alert first: they are in the view of events' });
  });
});

describe('interfaces', () => {
  const items = [
    { name: null, isRoute: false, about: 'all that are up, as with -i any', isCaptured: false },
    { name: null, isRoute: true, about: 'en0 now; follows it wherever it goes', isCaptured: false },
    { name: 'lo', isRoute: false, about: 'loopback', isCaptured: false },
    { name: 'en0', isRoute: false, about: 'physical, default route', isCaptured: true },
    { name: 'evil\x1b[2J', isRoute: false, about: '{red-bg}', isCaptured: false },
  ];
  const shown = snapshot({ ...busy(5), capture: CAPTURE });
  const opened = () => {
    const asked = press(start(), shown, 'interface');
    expect(asked.effects).toEqual([{ type: 'list-interfaces' }]);
    expect(popup(asked.state, shown)).toContain('looking for interfaces');
    return act(asked.state, shown, { type: 'interfaces', items });
  };

  test('are listed with the cursor on the one that is captured, and Enter takes it', () => {
    const state = opened();
    expect(popup(state, shown)).toMatch(/▌\[ \] en0 +captured now /);
    expect(popup(state, shown).match(/captured now/g)).toHaveLength(1);
    expect(popup(state, shown)).not.toContain('\x1b');
    const taken = press(state, shown, 'up', 'details');
    expect(taken.effects).toEqual([{ type: 'capture-on', interfaces: ['lo'] }]);
    expect(popup(taken.state, shown)).toContain('opening lo');
    const done = act(taken.state, shown, { type: 'captured-on', isTaken: true, text: 'capturing on lo' });
    expect(done).toMatchObject({ popup: null, notice: 'capturing on lo' });
  });

  test('that were refused stay marked, beside the reason', () => {
    const asked = press(opened(), shown, 'pause', 'up', 'pause', 'details').state;
    const text = 'the capture stays as it was: interface lo is down \x1b[2J';
    const refused = act(asked, shown, { type: 'captured-on', isTaken: false, text });
    expect(popup(refused, shown)).toMatch(/\[x\] lo .*\n.*\[x\] en0 (?:.|\n)*interface lo is down/);
    expect(popup(refused, shown)).not.toContain('\x1b');
    const again = press(refused, shown, 'pause', 'details');
    expect(again.effects).toEqual([{ type: 'capture-on', interfaces: ['en0'] }]);
    expect(popup(again.state, shown)).not.toContain('is down');
    // Closed meanwhile, it is a notice.
    expect(act(start(), shown, { type: 'captured-on', isTaken: false, text: 'no' })).toMatchObject({ popup: null, notice: 'no' });
  });

  test('give way to the default route, which is followed', () => {
    const { state, effects } = press(opened(), shown, 'up', 'up', 'details');
    expect(popup(state, shown)).toMatch(/default route .*en0 now(?:.|\n)*opening the default route/);
    expect(effects).toEqual([{ type: 'capture-on', interfaces: null }]);
    const marked = press(opened(), shown, 'pause', 'up', 'up', 'details');
    expect(marked.effects).toEqual([{ type: 'capture-on', interfaces: null }]);
  });

  test('several are marked by Space; all is none of them', () => {
    const marked = press(opened(), shown, 'pause', 'up', 'pause');
    expect(press(marked.state, shown, 'details').effects).toEqual([{ type: 'capture-on', interfaces: ['en0', 'lo'] }]);
    const all = press(marked.state, shown, 'first', 'pause', 'details');
    expect(all.effects).toEqual([{ type: 'capture-on', interfaces: [] }]);
    expect(press(marked.state, shown, 'pause', 'back').effects).toEqual([]);
  });

  test('are not there in a replay, and late answers find nobody', () => {
    const replay = snapshot({ capture: { ...CAPTURE, file: 'x.pcap' } });
    expect(press(start(), replay, 'interface').state.notice).toContain('no interface to choose');
    expect(act(start(), shown, { type: 'interfaces', items }).popup).toBeNull();
  });
});

describe('an export', () => {
  const shown = snapshot({
    apps: [
      appRow({ id: 'a', app: 'Browser', rxRate: 10.4, rxBytes: 5, lastSeen: NOON, user: 'ann' }),
      appRow({ id: 'b', app: '=cmd', rxRate: 3 }),
    ],
    flows: [flowRow({ id: '1', app: 'Browser', host: 'example.com', rxBytes: 5 })],
  });
  const table = (state: ViewState) => {
    const [effect] = press(state, shown, 'export', 'down', 'details').effects;
    if (effect?.type !== 'export') throw new Error('no export');
    expect(effect.format).toBe('json');
    return effect.table;
  };

  test('holds the rows as they are shown, numbers whole, times as times, and how deep a row hangs', () => {
    const { state } = press(start(), shown, 'apps', 'expand');
    const { name, columns, rows } = table(state);
    expect(name).toBe('apps');
    expect(columns).toEqual(['depth', 'app', 'host', 'pid', 'user', 'flows', 'rx_rate', 'tx_rate', 'rx', 'tx', 'seen']);
    expect(rows[0]).toEqual([0, 'Browser', 'example.com', 1000, 'ann', 1, 10.4, 0, 5, 0, new Date(NOON).toISOString()]);
    expect(rows.map((row) => row[1])).toEqual(['Browser', 'example.com', '1 process', '=cmd']);
  });

  test('holds what the filter leaves, and hides what privacy mode hides', () => {
    const filtered = press(withFilter(start(), 'app:browser'), shown, 'connections').state;
    expect(table(filtered).rows).toHaveLength(1);
    const hidden = table(press(filtered, shown, 'privacy').state);
    expect(JSON.stringify(hidden)).not.toContain('example.com');
  });

  test('of every view has a value for each column of each row', () => {
    for (const view of ['overview', 'apps', 'connections', 'hosts', 'categories', 'interfaces', 'events'] as const) {
      const step = press(start(), busy(40), view, 'export', 'details');
      const [effect] = step.effects;
      if (effect?.type !== 'export') throw new Error(`no export of ${view}`);
      for (const row of effect.table.rows) {
        expect(row).toHaveLength(effect.table.columns.length);
        for (const value of row) expect(String(value)).not.toMatch(/undefined|NaN|▸|▌/);
      }
    }
  });
});

describe('the zoom', () => {
  test('gives the focused pane of the overview all the room, and takes it back', () => {
    const zoomed = press(start(), busy(40), 'next-pane', 'zoom').state;
    const frame = frameOf(zoomed, busy(40), settings);
    expect(frame.tables.map(({ table }) => table)).toEqual(['connections']);
    expect(frame.tables[0]?.rect.height).toBe(40 - 4);
    expect(press(zoomed, busy(40), 'next-pane').state.pane).toBe('apps');
    expect(frameOf(press(zoomed, busy(40), 'zoom').state, busy(40), settings).tables).toHaveLength(2);
    expect(press(zoomed, busy(40), 'apps').state.zoomed).toBe(false);
    expect(press(start(), busy(40), 'apps', 'zoom').state.notice).toContain('already fills the screen');
  });
});

describe('what is remembered', () => {
  test('comes back as it was', () => {
    const { state } = press(start(), busy(40), 'next-pane', 'sort-next', 'zoom', 'closed', 'services');
    const back = restored(start(), JSON.parse(JSON.stringify(savedStateOf(state))));
    expect(back).toMatchObject({ view: 'overview', pane: 'connections', zoomed: true, closed: true, services: true });
    expect(back.tables.connections.sort).toEqual(state.tables.connections.sort);
  });

  test('is a state that can be drawn, whatever stands in the file', () => {
    const names = fc.constantFrom('overview', 'history', 'events', 'apps', 'hosts', '__proto__', '\x1b[2J', 'rate', 'x');
    const sorts = fc.dictionary(names, fc.oneof(fc.anything(), fc.record({ column: names, descending: fc.boolean() })));
    const file = fc.record({
      version: fc.constantFrom(1, 2),
      view: names,
      pane: names,
      zoomed: fc.anything(),
      closed: fc.anything(),
      average: fc.anything(),
      sorts,
    });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), file), (saved) => {
        const state = restored(start(80, 24), saved);
        expect(frameOf(state, busy(10), settings).message).toBeNull();
        expect(press(state, busy(10), 'sort-next', 'next-pane', 'details').state.size).toEqual(state.size);
      }),
      { numRuns: 150 },
    );
  });
});
