// The key that writes packets: which ones it asks for, on each kind of row.

import { describe, expect, test } from 'vitest';
import { type DnsRow, NO_DNS } from '../../../../src/model/dns.ts';
import type { KeptStatus } from '../../../../src/model/packets.ts';
import type { Command, Effect, PacketsAsked } from '../../../../src/view/action.ts';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { alertOf } from '../../../support/alerts.ts';
import { appRow, CAPTURE, flowRow, hostRow, interfaceRow, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const KEPT: KeptStatus = {
  ...{ bytes: 64 << 20, forMs: 60_000, packets: 5, used: 500, since: 0, tooLong: 0 },
  writing: null,
};
const WRITING: KeptStatus['writing'] = {
  ...{ path: '/x/netmon-curl.pcapng', state: 'writing', since: 0, until: 0, bytes: 10, packets: 1, files: 1, lost: 0, note: '' },
  what: 'curl',
};
const QUESTION: DnsRow = {
  ...{
    id: 'q',
    time: 0,
    name: 'lost.example.com',
    domain: 'example.com',
    type: 'A',
    app: 'dig',
    pid: 9,
    reason: null,
    onBehalfOf: null,
  },
  ...{ resolver: { address: '192.168.1.1', port: 53 }, transport: 'udp', interface: 'en0', direction: 'outbound' },
  ...{ result: 'no answer', answer: '', answerCount: 0, tookMs: null, tries: 1 },
};
const live = (kept: KeptStatus | null = KEPT) =>
  snapshot({
    capture: { ...CAPTURE, kept },
    apps: [
      appRow({ id: 'a', app: 'Google Chrome', pids: [7], rxRate: 9 }),
      appRow({ id: 'c', app: null, reason: 'older than the start' }),
    ],
    hosts: [hostRow({ id: 'h', host: 'a.example.com', domain: null, rxRate: 5 })],
    categories: [{ ...appRow({ id: 'k' }), category: 'Work' }],
    interfaces: [interfaceRow({ id: 'i', interface: 'en0' })],
    flows: [flowRow({ id: '41', app: 'Google Chrome', pid: 7, host: 'a.example.com', domain: 'example.com', rxRate: 5 })],
    dns: { ...NO_DNS, questions: [QUESTION], count: 1 },
    alerts: [alertOf({ id: 'x', kind: 'new-domain', app: 'curl', domain: 'example.com' })],
  });

function press(state: ViewState, ...commands: Command[]): { state: ViewState; effects: readonly Effect[] } {
  let step: { state: ViewState; effects: readonly Effect[] } = { state, effects: [] };
  for (const command of commands) step = reduce(step.state, { type: 'command', command }, live(), settings);
  return step;
}
const start = initialState({ columns: 120, rows: 40 });

/** What a key sequence asks for: text of its filter in place of the filter. */
function asked(commands: Command[], state = start) {
  const { effects } = press(state, ...commands, 'packets');
  const found = effects.find((effect) => effect.type === 'packets');
  return found?.asked == null ? null : { ...found.asked, filter: found.asked.filter?.text ?? null };
}

describe('it asks for', () => {
  test.each<[string, Command[], Partial<Omit<PacketsAsked, 'filter'>> & { filter: string | null }]>([
    [
      'an app',
      ['apps'],
      { name: 'Google Chrome', what: 'of Google Chrome', filter: '(app="Google Chrome")', flow: null, from: null },
    ],
    ['a process', ['apps', 'expand', 'down', 'down', 'expand', 'down'], { filter: '(pid=7)' }],
    ['a host', ['hosts'], { name: 'a.example.com', filter: '(host=a.example.com)' }],
    ['one connection', ['connections'], { flow: 41, filter: null, name: expect.stringContaining('Google Chrome') as string }],
    ['a category', ['categories'], { name: 'Work', filter: '(category=Work)' }],
    ['an interface', ['interfaces'], { name: 'en0', filter: '(iface=en0)' }],
    ['an alert', ['events', 'next-pane'], { name: 'new-domain curl', filter: '(app=curl domain=example.com)' }],
    ['a question', ['dns'], { name: 'lost.example.com', filter: '(host=lost.example.com or application=dns app=dig)' }],
    ['all questions for a name', ['dns', 'group', 'group'], { filter: '(host=lost.example.com or application=dns)' }],
    ['the row whose details are open', ['apps', 'details'], { name: 'Google Chrome', filter: '(app="Google Chrome")' }],
  ])('%s', (_, commands, expected) => expect(asked(commands)).toMatchObject(expected));

  test('what a filter in force leaves of a row', () => {
    const filtered = withFilter(start, 'port:443 or port:80');
    expect(asked(['apps'], filtered)?.filter).toBe('(app="Google Chrome") (port:443 or port:80)');
    expect(asked(['connections'], filtered)).toMatchObject({ flow: 41, filter: '(port:443 or port:80)' });
  });

  test('the range that is marked in the chart, and a row in it', () => {
    const selection = { cursor: 20_000, anchor: 10_000, from: 10_000, to: 20_000, answer: null };
    const marked = { ...start, chart: { ...start.chart, selection } };
    expect(asked([], marked)).toMatchObject({ filter: null, flow: null, from: 10_000, to: 20_000 });
    expect(asked([], marked)?.what).toMatch(/^from \d\d:\d\d:10 to \d\d:\d\d:20$/);
    expect(asked(['details'], marked)).toMatchObject({ filter: '(app="Google Chrome")', from: 10_000, to: 20_000 });
  });

  test('the same under the same key, and another row under another', () => {
    expect(asked(['apps'])?.key).toBe(asked(['apps', 'details'])?.key);
    expect(asked(['apps'])?.key).not.toBe(asked(['hosts'])?.key);
  });
});

test('with names hidden it tells none', () => {
  expect(asked(['apps', 'privacy'])).toMatchObject({ name: 'packets', what: 'of what is selected' });
});

test('it says why it can not', () => {
  const notice = (kept: KeptStatus | null, ...commands: Command[]) => {
    const state = commands.length === 0 ? start : press(start, ...commands).state;
    const step = reduce(state, { type: 'command', command: 'packets' }, live(kept), settings);
    expect(step.effects).toEqual([]);
    return step.state.notice;
  };
  expect(notice(null)).toBe('no packets are kept: start with --keep-packets 60s');
  expect(notice(KEPT, 'history')).toBe('nothing is selected');
  expect(notice(KEPT, 'apps', 'last')).toBe('no filter can tell these packets from others');
});

test('while it writes, it stops, whatever is selected', () => {
  for (const view of ['apps', 'history'] as const) {
    const { state } = press(start, view);
    const step = reduce(state, { type: 'command', command: 'packets' }, live({ ...KEPT, writing: WRITING }), settings);
    expect(step.effects).toContainEqual({ type: 'packets', asked: null });
  }
});
