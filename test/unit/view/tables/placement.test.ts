// Columns earn their place: what says nothing of any row makes room, nothing is cut beside blank cells, and nothing flickers.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FlowRow, HostRow, Snapshot } from '../../../../src/model/snapshot.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { contextOf } from '../../../../src/view/panels/table.ts';
import { initialState, type TableName, type ViewState } from '../../../../src/view/state.ts';
import { HOLD_MS, placedColumns } from '../../../../src/view/tables/placement.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { displayWidth } from '../../../../src/view/text/cells.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { appRow, flowRow, hostRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };

function at(table: Exclude<TableName, 'alerts' | 'questions' | 'resolvers' | 'listeners'>, columns: number): ViewState {
  return initialState({ columns, rows: 30, view: table });
}

function placed(state: ViewState, shown: Snapshot) {
  return placedColumns(state, shown, contextOf(state, shown, UNICODE_GLYPHS), state.pane, state.size.columns);
}

const keys = (state: ViewState, shown: Snapshot) => placed(state, shown).map(({ column }) => column.key);

/** Words of every row in a column, as wide as they want to be. */
function words(state: ViewState, shown: Snapshot, key: string): readonly string[] {
  const context = contextOf(state, shown, UNICODE_GLYPHS);
  const column = placed(state, shown).find((one) => one.column.key === key)?.column;
  return orderedRows(state, shown, state.pane).map((row) => {
    const made = column?.cell(row, context, 200) ?? [];
    return ('text' in made ? made.text : made.map(({ text }) => text).join('')).trimEnd();
  });
}

const word = fc.option(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 50 }).filter((text) => text.trim() !== ''));
const flow: fc.Arbitrary<FlowRow> = fc
  .record({
    app: word,
    pid: fc.option(fc.nat(99_999)),
    host: word,
    category: word,
    application: word,
    protocol: fc.constantFrom('tcp', 'udp', 'arp'),
    interface: fc.constantFrom('en0', 'utun4'),
    retransmits: fc.constantFrom(0, 0, 7),
    rttMs: fc.option(fc.constant(12)),
    local: fc.record({ address: fc.constant('10.0.0.5'), port: fc.constantFrom(0, 50_000) }),
  })
  .map((parts) => flowRow({ id: 'x', ...parts }));
const host: fc.Arbitrary<HostRow> = fc
  .record({ host: word, category: word, country: fc.option(fc.constant('DE')), asn: fc.option(fc.constant(64_500)) })
  .map((parts) => hostRow({ id: 'x', ...parts }));

test('no column that says nothing of any row stands where another one may be cut', () => {
  fc.assert(
    fc.property(
      fc.array(flow, { minLength: 1, maxLength: 6 }),
      fc.array(host, { minLength: 1, maxLength: 6 }),
      fc.constantFrom<'connections' | 'hosts'>('connections', 'hosts'),
      fc.integer({ min: 60, max: 220 }),
      (flows, hosts, table, columns) => {
        const shown = snapshot({
          flows: flows.map((row, i) => ({ ...row, id: `f${i}` })),
          hosts: hosts.map((row, i) => ({ ...row, id: `h${i}` })),
        });
        const state = at(table, columns);
        const rowCount = orderedRows(state, shown, table).length;
        for (const { column } of placed(state, shown)) {
          if (column.rank === 1 || column.wants === undefined) continue;
          const blank = words(state, shown, column.key).filter((text) => ['', '–'].includes(text.trim()));
          expect(blank.length, column.key).toBeLessThan(rowCount);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('a host is not cut while another word has blank cells beside it', () => {
  fc.assert(
    fc.property(fc.array(flow, { minLength: 1, maxLength: 6 }), fc.integer({ min: 60, max: 220 }), (flows, columns) => {
      const shown = snapshot({ flows: flows.map((row, i) => ({ ...row, id: `f${i}` })) });
      const state = at('connections', columns);
      const air: string[] = [];
      let isCut = false;
      for (const { column, width } of placed(state, shown)) {
        if (!['app', 'remote', 'application', 'category', 'local-port', 'protocol'].includes(column.key)) continue;
        const longest = Math.max(...words(state, shown, column.key).map(displayWidth));
        if (column.key === 'remote') isCut = longest > width;
        else if (width > Math.max(longest, displayWidth(column.title(UNICODE_GLYPHS, '10s')) + 1)) air.push(column.key);
      }
      if (isCut) expect(air).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('a narrow column joins where a wider one of a lower rank does not fit, but cuts no word for it', () => {
  const shown = (columns: number, host = 'www.example.com') =>
    keys(at('connections', columns), snapshot({ flows: [flowRow({ id: '1', app: 'firefox', host, rttMs: 25 })] }));
  expect(shown(80)).toContain('rtt'); // totals, which come first, are wider
  expect(shown(80, 'a-longer-name-of-a-host.example.com')).not.toContain('rtt');
  expect(shown(86)).toContain('rx');
  for (let columns = 60; columns < 120; columns++) expect(shown(columns).includes('rx')).toBe(shown(columns).includes('tx'));
});

test('whatever the width, connections have both ends', () => {
  const shown = snapshot({
    flows: [flowRow({ id: '1', app: 'a-program-with-a-name', host: 'a-longer-name-of-a-host.example.com' })],
  });
  for (let columns = 40; columns < 60; columns++) {
    const least = ['app', 'remote', ...(columns < 44 ? [] : ['rx-rate'])];
    expect(keys(at('connections', columns), shown), String(columns)).toEqual(expect.arrayContaining(least));
  }
});

test('what a row of look-ups lists takes no room from columns', () => {
  const names = Array.from({ length: 9 }, (_, i) => `name-${i}.example.com`);
  const flows = names.map((name, i) =>
    flowRow({ id: `${i}`, app: 'curl', remote: { address: '192.0.2.53', port: 53 }, asked: { name, names: 1 } }),
  );
  const shown = snapshot({ flows: [...flows, flowRow({ id: 'w', app: 'curl', host: 'www.example.com', rttMs: 25 })] });
  expect(keys(at('connections', 80), shown)).toContain('rtt');
});

test('room that unknown columns leave goes to long hosts', () => {
  const name = 'a-very-long-name-of-a-machine-in-some-cloud.eu-central-1.example.com';
  const hosts = [hostRow({ id: 'h', host: name, recent: [1] }), hostRow({ id: 'i', host: null, reason: 'other hosts' })];
  const bare = snapshot({ hosts });
  const known = snapshot({ hosts: hosts.map((row) => ({ ...row, category: 'Web', country: 'DE', nameSource: 'tls' as const })) });
  const widthOf = (shown: Snapshot) => placed(at('hosts', 120), shown)[0]?.width ?? 0;
  expect(keys(at('hosts', 120), bare)).not.toContain('category');
  expect(widthOf(bare)).toBeGreaterThan(widthOf(known) + 10);
});

test('retransmits show at 120 columns where there are any', () => {
  const flows = [flowRow({ id: 'a', host: 'www.example.com', rttMs: 3 }), flowRow({ id: 'b', protocol: 'udp', retransmits: 0 })];
  expect(keys(at('connections', 120), snapshot({ flows }))).not.toContain('retransmits');
  const lossy = flows.map((row) => (row.id === 'a' ? { ...row, retransmits: 2 } : row));
  expect(keys(at('connections', 120), snapshot({ flows: lossy }))).toContain('retransmits');
});

test('a column comes at once, and goes when it has been of no use for a while', () => {
  const shown = (seconds: number, retransmits: number, app = 'curl') =>
    snapshot({ time: NOON + seconds * 1000, flows: [flowRow({ id: 'a', app, retransmits })] });
  let state = at('connections', 120);
  const tick = (live: Snapshot) => {
    state = reduce(state, { type: 'snapshot' }, live, settings).state;
    return placed(state, live);
  };
  const widthOf = (columns: ReturnType<typeof tick>, key: string) => columns.find(({ column }) => column.key === key)?.width ?? 0;
  expect(widthOf(tick(shown(0, 0)), 'retransmits')).toBe(0);
  expect(widthOf(tick(shown(1, 3, 'a-longer-name')), 'retransmits')).toBe(5);
  const wide = widthOf(tick(shown(2, 0)), 'app');
  expect(widthOf(tick(shown(3, 0)), 'retransmits')).toBe(5);
  expect(widthOf(tick(shown(1 + HOLD_MS / 1000, 0)), 'app')).toBe(wide);
  expect(widthOf(tick(shown(2 + HOLD_MS / 1000, 0)), 'retransmits')).toBe(0);
});

test('a row far below the others counts, too', () => {
  const flows = Array.from({ length: 700 }, (_, i) => flowRow({ id: String(i), category: i === 699 ? 'Web' : null }));
  expect(keys(at('connections', 200), snapshot({ flows }))).toContain('category');
});

test('a table without rows has all of its columns', () => {
  expect(keys(at('apps', 200), snapshot())).toContain('user');
  expect(keys(at('apps', 200), snapshot({ apps: [appRow({ id: 'a', user: null })] }))).not.toContain('user');
});
