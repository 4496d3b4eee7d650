// Keys in the view of history against a clock that stands still: what is asked because of them, which answers are taken, where the user is.

import { beforeAll, describe, expect, test } from 'vitest';
import type { HistoryQuery, HistoryResult, HistoryRow } from '../../../../src/model/history.ts';
import type { Snapshot } from '../../../../src/model/snapshot.ts';
import type { Command, Effect } from '../../../../src/view/action.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { historyRows } from '../../../../src/view/history/lists.ts';
import type { HistoryRequest, HistorySlot } from '../../../../src/view/history/state.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { FakeHistory } from '../../../support/fake-history.ts';
import { busy, CAPTURE, interfaceRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const DAY = 86_400_000;
const MINUTE = 60_000;
const MIDNIGHT = Date.UTC(2026, 0, 31);

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

/** A person at the keys: state, what was asked so far, and a reader that answers when it is told to. */
class Player {
  state: ViewState;
  live: Snapshot;
  readonly effects: Effect[] = [];
  readonly history = new FakeHistory({
    oldest: MIDNIGHT - 90 * DAY,
    newest: NOON,
    apps: ['Chrome', 'Slack', ''],
    domains: ['example.com', 'evil"quote.com'],
    categories: ['Web'],
    interfaces: ['en0', 'utun3'],
  });

  constructor(options: Parameters<typeof initialState>[0] = { columns: 80, rows: 24 }, live: Snapshot = busy(10)) {
    this.state = initialState(options);
    this.live = live;
  }

  private act(action: Parameters<typeof reduce>[1]): void {
    const step = reduce(this.state, action, this.live, settings);
    this.state = step.state;
    this.effects.push(...step.effects);
  }

  /** Presses keys without waiting for answers. */
  press(...commands: Command[]): this {
    for (const command of commands) this.act({ type: 'command', command });
    return this;
  }

  /** Presses keys, each answered before the next. */
  play(...commands: Command[]): this {
    for (const command of commands) this.press(command).answer();
    return this;
  }

  /** Time passes by one snapshot. */
  pass(ms: number, change: Partial<Snapshot> = {}): this {
    this.live = { ...this.live, seq: this.live.seq + 1, time: this.live.time + ms, ...change };
    this.act({ type: 'snapshot' });
    return this;
  }

  /** What was asked since the last time. */
  asked(): readonly HistoryRequest[] {
    return this.effects.splice(0).flatMap((effect) => (effect.type === 'history' ? effect.requests : []));
  }

  answer(requests = this.asked()): this {
    for (const request of requests) this.reply(request);
    return this;
  }

  reply(request: HistoryRequest, answer = this.history.answer(request)): this {
    this.act({ type: 'history', slot: request.slot, serial: request.serial, answer });
    return this;
  }

  click(action: Parameters<typeof reduce>[1]): this {
    this.act(action);
    return this;
  }
}

const queryOf = (requests: readonly HistoryRequest[], slot: HistorySlot): HistoryQuery => {
  const found = requests.find((request) => request.slot === slot);
  if (found?.question.kind !== 'rows') throw new Error(`nothing was asked for ${slot}`);
  return found.question.query;
};

/** What is on the screen. */
function textOf({ state, live }: Player): string {
  const { parts, historyTables } = frameOf(state, live, settings);
  return [...parts, ...historyTables]
    .flatMap(({ lines }) => lines.flat())
    .map(({ text }) => text)
    .join('');
}

describe('questions', () => {
  test('come with the view, once, for what is on the screen', () => {
    const player = new Player();
    expect(player.asked()).toEqual([]);
    const first = player.press('history').asked();
    expect(first.map(({ slot }) => slot)).toEqual(['chart', 'apps', 'today', 'days', 'before']);
    expect(queryOf(first, 'chart')).toMatchObject({ from: MIDNIGHT, to: MIDNIGHT + DAY, steps: 288, filter: null });
    expect(queryOf(first, 'apps')).toMatchObject({ from: MIDNIGHT, to: MIDNIGHT + DAY, by: 'app', steps: 0 });
    expect(queryOf(first, 'before')).toMatchObject({ from: Date.UTC(2025, 11, 1), to: Date.UTC(2025, 11, 31, 14) });
    expect(player.press('down', 'up').pass(1000).asked()).toEqual([]);
    expect(
      player
        .press('next-pane')
        .asked()
        .map(({ slot }) => slot),
    ).toEqual(['domains']);
    expect(new Player({ columns: 200, rows: 50 }).press('history').asked().length).toBe(7);
  });

  test('about another range that has now in it ask for the sum of today again', () => {
    const player = new Player();
    player.play('history');
    const slots = (...commands: Command[]) =>
      player
        .press(...commands)
        .asked()
        .map(({ slot }) => slot);
    expect(slots('longer')).toEqual(['chart', 'apps', 'today']);
    expect(slots('collapse')).toEqual(['chart', 'apps']);
  });

  test('about now are asked again each minute, about the past never', () => {
    const player = new Player();
    player.press('history').answer();
    expect(player.pass(50_000).asked().length).toBeGreaterThan(0); // 14:04:12
    expect(player.pass(1000).asked()).toEqual([]);
    player.play('collapse');
    const later = player.pass(MINUTE).asked();
    expect(later.map(({ slot }) => slot)).toEqual(['today']);
  });

  test('stop when the view is left', () => {
    const player = new Player();
    player.play('history').press('overview');
    expect(player.pass(10 * MINUTE).asked()).toEqual([]);
    expect(
      player
        .press('history')
        .asked()
        .map(({ slot }) => slot),
    ).toEqual(['chart', 'apps', 'today', 'before']);
  });

  test('carry the filter, but for the budget', () => {
    const budget = { bytes: 1e12, day: 1, interface: 'en0', units: 'bytes' } as const;
    const player = new Player({ columns: 80, rows: 24, budget });
    player.play('history', 'filter');
    player.click({ type: 'edit', edit: 'insert', text: 'app:chrome' });
    const asked = player.asked();
    expect(queryOf(asked, 'apps').filter).toBe('app:chrome');
    expect(asked.some(({ slot }) => slot === 'budget')).toBe(false); // asked before, and the same still
    player.press('overview', 'history');
    expect(queryOf(player.pass(10 * MINUTE).asked(), 'budget')).toMatchObject({ filter: null, interface: 'en0' });
  });

  test('that fail are asked again the next minute, also about the past', () => {
    const player = new Player();
    player.play('history').press('collapse');
    const requests = player.asked();
    const failed = { kind: 'failed', message: 'no file', hint: null } as const;
    for (const request of requests) player.reply(request, failed);
    expect(player.pass(1000).asked()).toEqual([]);
    expect(
      player
        .pass(MINUTE)
        .asked()
        .map(({ slot }) => slot),
    ).toContain('chart');
  });
});

describe('answers', () => {
  test('to an older question are dropped', () => {
    const player = new Player();
    const old = player.press('history').asked();
    const fresh = player.press('collapse').asked();
    const before = player.state;
    for (const request of old.filter(({ slot }) => fresh.some((one) => one.slot === slot))) player.reply(request);
    expect(player.state).toBe(before);
    player.answer(fresh);
    const answer = player.state.history.slots.chart?.answer;
    expect(answer?.kind === 'rows' && answer.result.query.from).toBe(MIDNIGHT - DAY);
  });

  test('that are late leave what was shown', () => {
    const player = new Player();
    player.play('history').press('collapse');
    expect(player.state.history.slots.chart).toMatchObject({ pending: true });
    expect(player.state.history.slots.chart?.answer).not.toBeNull();
  });

  test('that fail leave what was shown, and say why', () => {
    const player = new Player();
    const [request] = player.play('history').press('collapse').asked();
    player.reply(request as HistoryRequest, { kind: 'failed', message: 'gone', hint: 'look' });
    expect(player.state.history.slots.chart).toMatchObject({ pending: false, failure: { message: 'gone' } });
    expect(player.state.history.slots.chart?.answer).not.toBeNull();
  });
});

describe('navigation', () => {
  const windows = (...commands: Command[]) =>
    queryOf(
      new Player()
        .play('history')
        .press(...commands)
        .asked()
        .toReversed(),
      'chart',
    );

  test('steps by what is shown, and not beyond now', () => {
    expect(windows('collapse')).toMatchObject({ from: MIDNIGHT - DAY, to: MIDNIGHT });
    expect(windows('longer', 'collapse')).toMatchObject({ from: Date.UTC(2026, 0, 19), to: Date.UTC(2026, 0, 26), steps: 168 });
    expect(windows('longer', 'longer', 'collapse')).toMatchObject({ from: Date.UTC(2025, 11, 1), by: 'day', steps: 0 });
    expect(windows('shorter', 'collapse')).toMatchObject({ from: Date.UTC(2026, 0, 31, 13), steps: 60 });
    const player = new Player().play('history').press('expand');
    expect(player.state.notice).toBe('this is now');
    expect(player.play('collapse', 'expand').state.history.anchor).toBeNull();
  });

  test('ends where the record begins', () => {
    const player = new Player().play('history', 'longer', 'longer', 'longer', 'collapse'); // 2025
    expect(player.play('collapse').state.notice).toBe('nothing is recorded before Sun 2 Nov 2025');
  });

  test('goes back to now by one key, or step by step', () => {
    const player = new Player().play('history', 'collapse', 'collapse', 'mark', 'mark', 'expand');
    expect(player.state.history).toMatchObject({
      anchor: MIDNIGHT - 2 * DAY,
      cursor: expect.any(Number),
      mark: expect.any(Number),
    });
    player.press('back');
    expect(player.state.history.mark).toBeNull();
    player.press('back');
    expect(player.state.history.cursor).toBeNull();
    player.press('back');
    expect(player.state.history.anchor).toBeNull();
    expect(player.play('collapse', 'mark', 'now').state.history).toMatchObject({ anchor: null, cursor: null });
  });

  test('zooms into what the cursor is on, and out around it', () => {
    const player = new Player().play('history', 'longer', 'longer', 'mark');
    const day = player.state.history.cursor as number;
    player.press('shorter', 'shorter');
    expect(player.state.history).toMatchObject({ zoom: 'day', cursor: null });
    player.press('longer', 'longer', 'longer', 'longer', 'longer');
    expect(player.state.history.zoom).toBe('year');
    expect(day).toBeGreaterThan(Date.UTC(2026, 0, 1) - 1);
  });

  test('the cursor starts at the peak, and what it marks is asked for', () => {
    const player = new Player().play('history', 'collapse').press('mark');
    const answer = player.state.history.slots.chart?.answer;
    const rx = (answer?.kind === 'rows' ? answer.result.series?.rxBytes : null) ?? [];
    const most = Math.max(...rx);
    const apps = queryOf(player.asked(), 'apps');
    const first = (apps.from - (MIDNIGHT - DAY)) / (5 * MINUTE);
    expect(rx[first]).toBe(most);
    player.press('mark', 'expand', 'expand');
    const wider = queryOf(player.asked().toReversed(), 'apps');
    expect(wider.from).toBe(apps.from);
    expect(wider.to - apps.to).toBe(2 * (apps.to - apps.from));
  });

  test('a click marks a bin, a drag a range', () => {
    const player = new Player().play('history', 'collapse');
    player.click({ type: 'chart', cell: 0, anchor: null });
    expect(player.state.history).toMatchObject({ cursor: MIDNIGHT - DAY, mark: null });
    player.click({ type: 'chart', cell: 66, anchor: 0 });
    const apps = queryOf(player.asked().toReversed(), 'apps');
    expect(apps).toMatchObject({ from: MIDNIGHT - DAY, to: MIDNIGHT });
  });
});

describe('rows', () => {
  test('an app opens its page, a day of it that day', () => {
    const player = new Player().play('history', 'down').press('details');
    expect(player.state.history.page).toEqual({ name: 'Slack', pane: 'calendar', day: null });
    const asked = player.asked();
    expect(asked.map(({ slot }) => slot).sort()).toEqual(['before', 'calendar', 'chart', 'days', 'domains', 'first', 'today']);
    for (const slot of ['chart', 'calendar', 'domains', 'days', 'today'] as const) expect(queryOf(asked, slot).app).toBe('Slack');
    player.answer(asked).press('collapse', 'up');
    expect(player.state.history.page?.day).toBe(MIDNIGHT - 8 * DAY);
    player.press('details');
    expect(player.state.history).toMatchObject({ page: null, zoom: 'day', anchor: MIDNIGHT - 8 * DAY });
  });

  test('the calendar has an end on either side', () => {
    const player = new Player().play('history', 'details');
    player.press('expand', 'down', 'page-down');
    expect(player.state.history.page?.day).toBeNull();
    player.press('first', 'collapse', 'up');
    expect(player.state.history.page?.day).toBe(Date.UTC(2026, 0, 26) - 52 * 7 * DAY);
    expect(player.press('last').state.history.page?.day).toBeNull();
  });

  test('one without a name opens nothing, and says so', () => {
    const player = new Player().play('history').press('last', 'details');
    expect(player.state.history.page).toBeNull();
    expect(player.state.notice).toMatch(/nothing more is known/);
  });

  test('others become the filter; a name that can not be written in it does not', () => {
    const player = new Player().play('history', 'next-pane').press('details');
    expect(player.state.filter.applied).toBe('domain=example.com');
    const { filter } = player.state;
    const passed = ['example.com', 'myexample.com', 'example.com.evil.net', null]; // t.co is no part of pinterest.com
    expect(passed.filter((domain) => filter.filter?.matches({ domain }))).toEqual(['example.com']);
    player.answer().press('back');
    expect(player.state.filter.applied).toBe('');
    player.answer().press('down', 'details');
    expect(player.state.filter.applied).toBe('');
    expect(player.state.notice).toMatch(/can not be filtered/);
  });

  test('the folded rest comes last, however much it is', () => {
    const player = new Player().play('history');
    const slot = player.state.history.slots.apps;
    const result = slot?.answer?.kind === 'rows' ? slot.answer.result : null;
    const [first, ...others] = result?.rows ?? [];
    const folded = { ...first, key: null, reason: '1085 more', rxBytes: 1e15 } as HistoryRow;
    const unowned = { ...first, key: null, reason: 'no owner', rxBytes: 1e14 } as HistoryRow;
    const rows = [folded, unowned, first as HistoryRow, ...others];
    const answer = { kind: 'rows', result: { ...(result as HistoryResult), rows } } as const;
    player.reply({ slot: 'apps', serial: slot?.serial ?? 0, question: { kind: 'first-seen', app: '' } }, answer);
    const reasons = () => historyRows(player.state.history, 'apps').map(({ reason }) => reason);
    expect([reasons()[0], reasons().at(-1)]).toEqual(['no owner', '1085 more']);
    player.press('sort-direction');
    expect(reasons().at(-1)).toBe('1085 more');
    expect(textOf(player)).toMatch(/Apps 1.089 /); // those that were folded count, too
  });

  test('sort by what is asked for, and keep the cursor on its row', () => {
    const player = new Player().play('history').press('down', 'sort-previous');
    expect(player.state.history.sort).toEqual({ column: 'name', descending: false });
    expect(player.state.history.lists.apps.selected).toBe('Slack');
    player.press('sort-direction', 'sort-next');
    expect(player.state.history.sort).toEqual({ column: 'total', descending: true });
  });

  test('are copied as they are shown, hidden where privacy asks for it', () => {
    const player = new Player().play('history', 'next-pane').press('copy');
    expect(player.effects).toContainEqual({ type: 'copy', text: expect.stringMatching(/^example\.com {2}RX .* flows$/) });
    player.press('privacy', 'copy');
    expect(player.effects).toContainEqual({ type: 'copy', text: expect.stringMatching(/^•+ {2}RX/) });
  });

  test('of an app say so where it may have reached more domains than were told', () => {
    const player = new Player({ columns: 120, rows: 40 }).play('history').press('details');
    const first = player.asked().find(({ slot }) => slot === 'first') as HistoryRequest;
    const answer = player.history.answer(first);
    player.reply(first, answer);
    expect(textOf(player)).toContain(' 2 domains so far');
    player.press('back', 'details');
    player.pass(11 * MINUTE);
    const again = player.asked().find(({ slot }) => slot === 'first') as HistoryRequest;
    player.reply(again, { ...answer, isCut: true } as typeof answer);
    expect(textOf(player)).toContain(' 2+ domains so far');
  });

  test('beside another recorder tell who that is, and nothing of a file that is its', () => {
    const note = 'another netmon-tui records (pid 7)';
    const history = { state: 'busy', note, path: '/h.sqlite', savedAt: null, fileBytes: null } as const;
    const player = new Player({ columns: 120, rows: 40 }, { ...busy(10), capture: { ...CAPTURE, history } }).play('history');
    expect(textOf(player)).toMatch(/ another netmon-tui records \(pid 7\) {2}records since Sun 2 Nov 2025/);
  });

  test('that can not be recorded now are missed in every view', () => {
    const history = { state: 'failing', note: 'full', path: '/h.sqlite', savedAt: null, fileBytes: null } as const;
    const headerOf = (live: Snapshot) =>
      frameOf(new Player().press('apps').state, live, settings)
        .header.lines.flat()
        .map(({ text }) => text)
        .join('');
    expect(headerOf({ ...busy(10), capture: { ...CAPTURE, history } })).toContain(' NOT RECORDED ');
    expect(headerOf({ ...busy(10), capture: { ...CAPTURE, history: { ...history, state: 'recording' } } })).not.toContain(
      'NOT REC',
    );
  });

  test('a zoomed table has the screen alone, and gives it back', () => {
    const player = new Player({ columns: 120, rows: 40 }).play('history', 'zoom');
    const frame = () => frameOf(player.state, player.live, settings);
    expect(frame()).toMatchObject({ chart: null, historyTables: [{ pane: 'apps', rect: { width: 120 } }] });
    player.play('next-pane');
    expect(frame().historyTables.map(({ pane }) => pane)).toEqual(['domains']);
    player.play('back');
    expect(frame().chart).not.toBeNull();
    expect(frame().historyTables.length).toBe(2);
  });

  test('are exported with their range, as they are shown', () => {
    const player = new Player().play('history', 'collapse', 'next-pane', 'export').press('details');
    const effect = player.effects.find((one) => one.type === 'export');
    const table = effect?.type === 'export' ? effect.table : null;
    expect(table).toMatchObject({ name: 'history-domains', time: NOON });
    const [row] = table?.rows ?? [];
    expect(row?.slice(0, 3)).toEqual(['2026-01-30T00:00:00.000Z', '2026-01-31T00:00:00.000Z', 'example.com']);
    expect(table?.columns.length).toBe(row?.length);
    player.effects.splice(0);
    player.press('privacy', 'export', 'details');
    const hidden = player.effects.find((one) => one.type === 'export');
    expect(hidden?.type === 'export' && hidden.table.rows[0]?.[2]).toMatch(/^•+$/);
  });

  test('keys of the live tables touch nothing there', () => {
    const player = new Player().play('history');
    const { tables, pins, frozen, since, closed } = player.state;
    player.press('pin', 'freeze', 'count-from-now', 'closed', 'down', 'sort-next');
    expect(player.state).toMatchObject({ tables, pins, frozen, since, closed });
  });
});

describe('packets', () => {
  const keeping = (since: number | null) => {
    const live = busy(10);
    const kept = { bytes: 64 << 20, forMs: null, packets: 5, used: 500, since, tooLong: 0, writing: null };
    return new Player({ columns: 120, rows: 40 }, { ...live, capture: { ...live.capture, kept } });
  };
  const asked = (player: Player) => {
    player.effects.splice(0);
    const found = player.press('packets').effects.find((effect) => effect.type === 'packets');
    if (found?.type !== 'packets' || found.asked === null) return player.state.notice;
    const { filter, ...rest } = found.asked;
    return { ...rest, filter: filter?.text ?? null };
  };

  test('are those of the selected row', () => {
    expect(asked(keeping(NOON - MINUTE).play('history'))).toMatchObject({ name: 'Chrome', filter: '(app=Chrome)', from: null });
    expect(asked(keeping(NOON - MINUTE).play('history', 'next-pane', 'last'))).toBe(
      'no filter can tell these packets from others',
    );
    expect(asked(keeping(NOON - MINUTE).play('history', 'next-pane', 'next-pane'))).toMatchObject({ filter: '(category=Web)' });
    expect(asked(keeping(NOON - MINUTE).press('history'))).toBe('nothing is selected');
  });

  test('are those of what is marked, of an app on its page, if they are kept', () => {
    const found = asked(keeping(NOON - DAY).play('history', 'shorter', 'mark'));
    expect(found).toMatchObject({ flow: null, filter: null });
    const { from, to } = found as { from: number; to: number };
    expect([to - from, from % MINUTE]).toEqual([MINUTE, 0]);
    expect(asked(keeping(NOON - DAY).play('history', 'details', 'shorter', 'mark'))).toMatchObject({ filter: '(app=Chrome)' });
  });

  test('of what moved before they were kept are not there, and it says what to do', () => {
    const player = keeping(NOON - MINUTE).play('history', 'mark', 'collapse', 'collapse', 'collapse');
    expect(asked(player)).toBe('packets are kept since 14:02:22; next time --keep-packets 10m, or --write, has older ones');
    expect(asked(keeping(null).play('history', 'mark'))).toMatch(/^packets are kept of nothing yet/);
  });
});

describe('the budget', () => {
  const budget = { bytes: 1e12, day: 1, interface: 'en0', units: 'bytes' } as const;

  test('is asked for behind the first frames, then every ten minutes, whatever is shown', () => {
    const player = new Player({ columns: 80, rows: 24, budget }, snapshot({ seq: 0 }));
    expect(player.pass(1000).pass(1000).asked()).toEqual([]);
    player.pass(1000).pass(1000).pass(1000);
    const asked = player.asked();
    expect(queryOf(asked, 'budget')).toMatchObject({ from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 1, 1), interface: 'en0' });
    player.answer(asked);
    expect(player.pass(5 * MINUTE).asked()).toEqual([]);
    expect(player.pass(5 * MINUTE).asked().length).toBe(1);
  });

  test('of the next period is asked for when it begins', () => {
    const player = new Player({ columns: 80, rows: 24, budget }, snapshot({ seq: 9, time: Date.UTC(2026, 0, 31, 23, 59, 58) }));
    player.pass(1000);
    player.answer();
    player.pass(1000);
    expect(queryOf(player.asked(), 'budget').from).toBe(Date.UTC(2026, 1, 1));
  });

  test('counts on from the answer, on its own interface', () => {
    const capture = {
      ...CAPTURE,
      history: { state: 'recording', path: '/h', note: '', savedAt: null, fileBytes: null },
    } as const;
    const rows = (bytes: number) => [interfaceRow({ id: 'en0', rxBytes: bytes }), interfaceRow({ id: 'utun3', rxBytes: 5e11 })];
    const player = new Player({ columns: 80, rows: 24, budget }, snapshot({ seq: 9, capture, interfaces: rows(1000) }));
    player.pass(1000).answer();
    expect(player.state.history.slots.budget?.counted).toBe(1000);
  });
});

test('one key begins to record, and then has the file written', () => {
  const player = new Player().press('save-history');
  expect(player.effects).toEqual([]);
  expect(player.state.notice).toBe('Nothing is recorded yet: start with --history=PATH.');
  const able = (): Player => new Player({ columns: 80, rows: 24, historyFile: '/h' });
  const keysFor = (capture: Partial<Snapshot['capture']>): string => {
    const size = { columns: 120, rows: 40, historyFile: '/h' };
    return textOf(new Player(size, snapshot({ capture: { ...CAPTURE, ...capture } })).play('history'));
  };
  expect(keysFor({})).toContain('w record');
  expect(keysFor({ file: '/tmp/a.pcap' })).not.toContain('w record');
  const nobody = { user: 'nobody', uid: 65_534, dropped: true, kept: [], note: 'runs as nobody' };
  expect(keysFor({ privileges: nobody })).not.toContain('w record');
  expect(able().press('save-history').effects).toEqual([{ type: 'save-history' }]);
  const busy = { state: 'busy', path: '/h', note: 'another netmon-tui records (pid 7)', savedAt: null, fileBytes: null } as const;
  const second = able();
  second.live = snapshot({ capture: { ...CAPTURE, history: busy } });
  expect(second.press('save-history').effects).toEqual([]);
  expect(second.state.notice).toBe('another netmon-tui records (pid 7)');
  const history = { state: 'recording', path: '/h', note: '', savedAt: null, fileBytes: null } as const;
  player.live = snapshot({ capture: { ...CAPTURE, history } });
  expect(player.press('save-history').effects).toEqual([{ type: 'save-history' }]);
  expect(player.state.notice).toBe('writing the history file');
  player.live = snapshot({
    capture: { ...CAPTURE, history: { ...history, state: 'failing', note: 'no space is left, tried again' } },
  });
  expect(player.press('save-history').effects).toHaveLength(2);
  expect(player.state.notice).toBe('no space is left, tried again');
});
