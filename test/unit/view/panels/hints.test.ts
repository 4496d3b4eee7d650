// The keys on the screen: in the footer, in the borders of panes and in the tabs, as they are bound.

import { describe, expect, test } from 'vitest';
import type { FlowRow } from '../../../../src/model/snapshot.ts';
import { emptySnapshot } from '../../../../src/view/empty-snapshot.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { KEYMAP, rebind } from '../../../../src/view/input/keymap.ts';
import { fitParts, framed, HINT_GAP, withHints } from '../../../../src/view/pane.ts';
import {
  type DetailsHints,
  footerHints,
  type HintedPane,
  paneHints,
  popupHints,
  type Recording,
} from '../../../../src/view/panels/hints.ts';
import { tabLine } from '../../../../src/view/panels/tabs.ts';
import { initialState, VIEWS, type ViewState } from '../../../../src/view/state.ts';
import { APPS } from '../../../../src/view/tables/apps.ts';
import { placeColumns } from '../../../../src/view/tables/column.ts';
import { CONNECTIONS } from '../../../../src/view/tables/connections.ts';
import { HOSTS } from '../../../../src/view/tables/hosts.ts';
import { INTERFACES } from '../../../../src/view/tables/interfaces.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { flowRow, snapshot } from '../../../support/snapshot-builder.ts';

const START = initialState({ columns: 80, rows: 24 });

function footer(state: ViewState, width = 78, keys = KEYMAP): string {
  return plain(fitParts(footerHints(state, keys, UNICODE_GLYPHS), width, HINT_GAP));
}

function border(
  pane: HintedPane,
  state: ViewState,
  width = 80,
  { keys = KEYMAP, glyphs = UNICODE_GLYPHS, recording = null as Recording, keeps = false } = {},
): string {
  const lines = framed({ left: 0, top: 0, width, height: 3 }, [], [], [], glyphs, true);
  return plain(withHints(lines, paneHints(pane, state, keys, glyphs, { recording, keeps }), glyphs).at(-1) ?? []);
}

test.each(VIEWS)('%s tells in 38 columns how to filter and to pause, of the help and the way out', (view) => {
  expect(footer({ ...START, view }, 38)).toBe('/ filter  p pause  ? help  q quit');
});

test('the border of a pane has its keys, the most useful where room is short', () => {
  expect(border('apps', { ...START, view: 'apps' }, 40)).toBe('└─ Enter details  → hosts  s sort ─────┘');
  expect(border('apps', { ...START, view: 'apps' }, 40, { glyphs: ASCII_GLYPHS })).toBe(
    '+- Enter details  Right hosts  s sort -+',
  );
  expect(border('categories', { ...START, view: 'categories' }, 120)).not.toMatch(/→|Tab/);
  expect(border('apps', START)).toContain('Tab pane');
  expect(border('apps', START, 8)).toBe('└──────┘');
  expect(border('chart', START)).toContain('v peak');
  const cell = { from: 0, to: 1, cursor: 0, anchor: null, answer: null } as unknown as ViewState['chart']['selection'];
  expect(border('chart', { ...START, chart: { ...START.chart, selection: cell } })).toContain('← → step  v mark  Esc leave');
  const marking = (anchor: number): ViewState => {
    const selection = { ...cell, anchor } as ViewState['chart']['selection'];
    return { ...START, chart: { ...START.chart, selection } };
  };
  expect(border('chart', marking(0))).toContain('v mark all');
  expect(border('chart', marking(1))).toContain('v clear the mark');
  const marked: ViewState = { ...START, view: 'history', history: { ...START.history, mark: 0 } };
  expect(border('history chart', marked)).toContain('v clear the mark');
  expect(border('history list alone', marked, 40, { recording: 'begins' })).toContain('w record  Enter open');
});

test('the key that writes packets has a word where some are kept', () => {
  expect(border('apps', { ...START, view: 'apps' }, 40, { keeps: true })).toContain('P packets');
  expect(border('chart', START, 40, { keeps: true })).toContain('P packets');
  expect(border('apps', { ...START, view: 'apps' }, 120)).not.toContain('packets');
});

test('the key that records has a word where it does something', () => {
  const state: ViewState = { ...START, view: 'history' };
  expect(border('history chart', state, 120, { recording: 'begins' })).toMatch(/w record .*(?!.*w write)/);
  expect(border('history chart', state, 120, { recording: 'writes' })).toContain('w write');
  expect(border('history chart', state, 120)).not.toMatch(/w (record|write)/);
});

test('only a row that opens has a key for it', () => {
  const lookup = flowRow({ id: '1', remote: { address: '192.0.2.53', port: 53 }, protocol: 'udp' });
  const shown = (flow: FlowRow) =>
    frameOf({ ...START, view: 'connections', pane: 'connections' }, snapshot({ flows: [flow] }), {
      glyphs: UNICODE_GLYPHS,
      keys: KEYMAP,
    });
  const keysOf = (flow: FlowRow) => plain(shown(flow).tables[0]?.lines.at(-1) ?? []);
  expect(keysOf(lookup)).toContain('→ look-ups');
  expect(keysOf(flowRow({ id: '2' }))).not.toContain('→');
});

const NOTHING_MORE = { packets: null, isAlike: false, hasPath: false } as const;

test('what pauses resumes, a filter says what clears it, a popup how to move in it', () => {
  expect(footer({ ...START, paused: emptySnapshot(0) })).toContain('p resume');
  expect(footer({ ...START, filter: { ...START.filter, applied: 'curl' } })).toContain('Esc clears filter');
  expect(footer({ ...START, popup: { kind: 'help', top: 0 } })).toBe('? help  q quit');
  expect(footer({ ...START, popup: { kind: 'themes', index: 0, before: 'netmon' } })).toBe('q quit');
  const popup = (kind: 'help' | 'themes') => plain(fitParts(popupHints(kind, KEYMAP, UNICODE_GLYPHS), 78, HINT_GAP));
  expect(popup('help')).toBe('Esc closes  ↑ ↓ scroll  PgUp PgDn page  g G begin, end');
  expect(popup('themes')).toBe('Esc closes  Enter takes it  ↑ ↓ choose');
  const details = (isFilter: boolean) =>
    plain(fitParts(popupHints('details', KEYMAP, UNICODE_GLYPHS, { ...NOTHING_MORE, isFilter }), 78, HINT_GAP));
  expect(details(true)).toContain('/ filters for it');
  expect(details(false)).toBe(popup('help'));
  const connection = { isFilter: true, packets: 'offered', isAlike: true, hasPath: true } as const;
  const hints = (more: Partial<DetailsHints>) =>
    plain(fitParts(popupHints('details', KEYMAP, UNICODE_GLYPHS, { ...connection, ...more }), 200, HINT_GAP));
  expect(hints({})).toBe(
    'Esc closes  Tab packets  / filters for it  J others with its JA4  H path  ↑ ↓ scroll  PgUp PgDn page  g G begin, end',
  );
  expect(hints({ packets: 'shown', isAlike: false, hasPath: false })).toContain('Tab facts  / filters for it  ↑');
});

test('keys stand as they are bound, and one without a key is not told of', () => {
  const result = rebind({ quit: 'ctrl+x', hosts: 'H', categories: [], help: [], expand: 'l', pin: [] });
  if (!result.ok) throw new Error(result.problems.join());
  expect(footer(START, 78, result.keys)).toMatch(/Ctrl\+X quit$/);
  expect(footer(START, 78, result.keys)).not.toContain('help');
  expect(border('apps', START, 80, { keys: result.keys })).toMatch(/l hosts/);
  expect(border('apps', START, 80, { keys: result.keys })).not.toContain('pin');
  expect(plain(tabLine('apps', result.keys, UNICODE_GLYPHS, 120).line)).toContain(
    '[2 Apps] 3 Connections  H Hosts  Categories  6',
  );
});

describe('tabs', () => {
  test('all of them at every width, the shown one in brackets, each where it is said to be', () => {
    for (let width = 40; width <= 160; width++)
      for (const view of VIEWS) {
        const { line, tabs } = tabLine(view, KEYMAP, ASCII_GLYPHS, width);
        const text = plain(line);
        expect(text).toHaveLength(width);
        expect(tabs.map((tab) => tab.view)).toEqual(VIEWS);
        const digits = tabs.map(({ from, to }) => text.slice(from, to).replace(/[^0-9]/g, '')).join('');
        expect(digits).toBe('1234567890');
        expect(text.match(/\[(\d)[^\]]*\]/)?.[1], text).toBe(String((VIEWS.indexOf(view) + 1) % 10));
        expect(
          line
            .filter(({ role }) => role === 'selected')
            .map((part) => part.text)
            .join(''),
        ).toMatch(/^\[\d [A-Z][A-Za-z]+\.?\]$/);
      }
  });

  test('keys that are too long for it leave the shown one', () => {
    const long = Object.fromEntries(VIEWS.map((view, i) => [view, `ctrl+alt+f${i + 1}`]));
    const result = rebind(long);
    if (!result.ok) throw new Error(result.problems.join());
    expect(plain(tabLine('hosts', result.keys, UNICODE_GLYPHS, 40).line).trim()).toBe('[Hosts]');
  });
});

test.each([
  ['apps', APPS.columns],
  ['hosts', HOSTS.columns],
  ['connections', CONNECTIONS.columns],
])('%s keep both rates at 60 columns', (_, columns) => {
  const keys = placeColumns(columns as typeof APPS.columns, 56).map(({ column }) => column.key);
  expect(keys).toEqual(expect.arrayContaining(['rx-rate', 'tx-rate']));
});

test('interfaces say at 80 columns how much of them was captured', () => {
  expect(placeColumns(INTERFACES.columns, 76).map(({ column }) => column.key)).toContain('coverage');
});
