// Names on the screen: what is inferred is marked, what they are for has its column and its view.

import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../src/filter/filter.ts';
import { NAME_SOURCES, type NameSource } from '../../../src/model/terms.ts';
import { pictureOf } from '../../../src/view/derive.ts';
import { initialState } from '../../../src/view/state.ts';
import { type CellContext, placeColumns } from '../../../src/view/tables/column.ts';
import { CONNECTIONS } from '../../../src/view/tables/connections.ts';
import { HOSTS } from '../../../src/view/tables/hosts.ts';
import { NOTHING_RECENT } from '../../../src/view/tables/recently-seen.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../src/view/text/glyphs.ts';
import { plain, type Span } from '../../../src/view/text/span.ts';
import { busy, flowRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';

const CONTEXT: CellContext = {
  glyphs: UNICODE_GLYPHS,
  units: 'bytes',
  average: 10,
  time: '10s',
  names: true,
  services: false,
  privacy: false,
  paths: false,
  open: new Set(),
  recentTotal: [],
  recentlySeen: NOTHING_RECENT,
  now: NOON,
  rate: 0,
  mainHost: () => null,
};
const textOf = (made: Span | readonly Span[]) => ('role' in made ? made.text : plain(made));
const remote = CONNECTIONS.columns.find(({ key }) => key === 'remote');
const host = HOSTS.columns.find(({ key }) => key === 'host');

describe('the mark of what is inferred', () => {
  const marks: Partial<Record<NameSource, string>> = { ptr: '~', mdns: '~', dns: '~', inner: '>' };
  test.each(NAME_SOURCES.map((source) => [source, marks[source] ?? ''] as const))(
    'stands before a name by %s: %j',
    (nameSource, mark) => {
      const flow = flowRow({ id: 'f', host: 'www.example', nameSource });
      const row = hostRow({ id: 'h', host: 'www.example', nameSource });
      expect(textOf(remote?.cell(flow, CONTEXT, 40) as Span)).toBe(`${mark}www.example:443`);
      expect(textOf(host?.cell(row, CONTEXT, 40) as Span)).toBe(`▸ ${mark}www.example`.padEnd(40));
    },
  );

  test('stays where the name is cut, and takes its cell', () => {
    const flow = flowRow({ id: 'f', host: 'a-very-long-name.example.com', nameSource: 'dns' });
    expect(textOf(remote?.cell(flow, CONTEXT, 20) as Span)).toBe('~…me.example.com:443');
    expect(textOf(remote?.cell(flow, { ...CONTEXT, glyphs: ASCII_GLYPHS }, 20) as Span)).toMatch(/^~.{19}$/);
  });

  test('is not there where no name is shown', () => {
    const flow = flowRow({ id: 'f', host: 'www.example', nameSource: 'dns' });
    expect(textOf(remote?.cell(flow, { ...CONTEXT, names: false }, 40) as Span)).toBe('192.0.2.1:443');
    expect(textOf(remote?.cell(flow, { ...CONTEXT, privacy: true }, 40) as Span)).toBe('••••••:443');
  });
});

describe('columns', () => {
  const shown = (columns: typeof CONNECTIONS.columns | typeof HOSTS.columns, width: number) =>
    placeColumns(columns as typeof HOSTS.columns, width - 4).map(({ column }) => column.key);

  test('of connections hold the category from 160 cells on', () => {
    expect(shown(CONNECTIONS.columns, 160)).toContain('category');
    expect(shown(CONNECTIONS.columns, 120)).not.toContain('category');
  });

  test('of hosts hold category and country where there is room, and give them up in the order that is stated', () => {
    expect(shown(HOSTS.columns, 120)).toEqual(expect.arrayContaining(['source', 'category', 'country', 'seen']));
    const lost: string[] = [];
    let before = shown(HOSTS.columns, 200);
    for (let width = 199; width >= 60; width--) {
      const now = shown(HOSTS.columns, width);
      lost.push(...before.filter((key) => !now.includes(key)));
      before = now;
    }
    const order = lost.filter((key) => ['recent', 'asn', 'country', 'seen', 'category', 'share', 'source'].includes(key));
    expect(order).toEqual(['recent', 'asn', 'country', 'seen', 'category', 'share', 'source']);
  });
});

describe('categories', () => {
  test('are those of the matching flows where a filter is on', () => {
    const live = busy(40);
    const result = compileFilter('app:slack');
    if (!result.ok) throw new Error(result.message);
    const state = initialState({ columns: 80, rows: 24 });
    const filtered = { ...state, filter: { ...state.filter, filter: result.filter } };
    const picture = pictureOf(filtered, live);
    const bytes = (rows: readonly { rxBytes: number; txBytes: number }[]) =>
      rows.reduce((sum, row) => sum + row.rxBytes + row.txBytes, 0);
    expect(picture.categories.length).toBeGreaterThan(0);
    expect(picture.categories.length).toBeLessThan(live.categories.length);
    expect(bytes(picture.categories)).toBe(bytes([picture.total]));
    expect(picture.categories.reduce((sum, row) => sum + row.flows, 0)).toBe(
      live.flows.filter(({ app }) => app === 'Slack').length,
    );
  });

  test('count from now where that is asked', () => {
    const [before, after] = [busy(40), busy(40, 3)];
    const state = { ...initialState({ columns: 80, rows: 24 }), since: before };
    const [row] = pictureOf(state, after).categories;
    const old = before.categories.find(({ id }) => id === row?.id);
    const now = after.categories.find(({ id }) => id === row?.id);
    expect(row?.rxBytes).toBe((now?.rxBytes ?? 0) - (old?.rxBytes ?? 0));
    expect(pictureOf(state, snapshot()).categories).toEqual([]);
  });
});
