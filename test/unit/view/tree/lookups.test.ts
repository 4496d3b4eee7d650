// DNS look-ups in the connections table: one row for an app, nothing lost and nothing counted twice, what was asked in sight.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FlowRow, Snapshot } from '../../../../src/model/snapshot.ts';
import type { Command } from '../../../../src/view/action.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { exportOf } from '../../../../src/view/export-rows.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { withFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { sumTraffic } from '../../../../src/view/traffic.ts';
import { type ConnectionLine, folded, isLookup, underLookups } from '../../../../src/view/tree/lookups.ts';
import { flowRow, NOON, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const RESOLVER = { address: '10.0.0.53', port: 53 };

function press(state: ViewState, shown: Snapshot, ...commands: Command[]): ViewState {
  return commands.reduce((next, command) => reduce(next, { type: 'command', command }, shown, settings).state, state);
}

function lines(state: ViewState, shown: Snapshot, glyphs = UNICODE_GLYPHS): string {
  return frameOf(state, shown, { ...settings, glyphs })
    .tables.flatMap((pane) => pane.lines.map(plain))
    .join('\n');
}

function lookup(id: string, name: string | null, row: Partial<FlowRow> = {}): FlowRow {
  const asked = name === null ? null : { name, names: 1 };
  return flowRow({ id, protocol: 'udp', remote: RESOLVER, application: 'dns', asked, rxBytes: 100, txBytes: 50, ...row });
}

const flow: fc.Arbitrary<FlowRow> = fc
  .record({
    app: fc.constantFrom('curl', 'git', null),
    direction: fc.constantFrom('outbound' as const, 'inbound' as const, 'local' as const),
    protocol: fc.constantFrom('tcp', 'udp'),
    remote: fc.record({ address: fc.constantFrom('10.0.0.53', '9.9.9.9'), port: fc.constantFrom(53, 443, 40_000) }),
    local: fc.record({ address: fc.constant('10.0.0.5'), port: fc.constantFrom(53, 40_000) }),
    asked: fc.option(fc.record({ name: fc.constantFrom('a.test', 'b.test'), names: fc.integer({ min: 1, max: 9 }) })),
    rxBytes: fc.nat(1_000_000),
    txBytes: fc.nat(1_000_000),
    rxPackets: fc.nat(100),
    txPackets: fc.nat(100),
    rxRate: fc.nat(1000),
    txRate: fc.nat(1000),
    closed: fc.boolean(),
  })
  .map((parts) => flowRow({ id: 'x', ...parts }));

test('rows move what their connections move, and each connection is under one row', () => {
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 30 }), (flows) => {
      const shown = snapshot({ flows: flows.map((row, i) => ({ ...row, id: String(i) })) });
      const picture = pictureOf(initialState({ columns: 120, rows: 40, closed: true }), shown);
      const rows = folded(picture.connections);
      expect(sumTraffic(rows)).toEqual(sumTraffic(shown.flows));
      const under = rows.flatMap((row) => (row.lookups === undefined ? [row] : underLookups(row, picture)));
      expect(under.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(flows.map((_, i) => i));
      for (const row of rows) {
        if (row.lookups === undefined) {
          expect(isLookup(row)).toBe(false);
          continue;
        }
        const own = underLookups(row, picture);
        expect(sumTraffic([row])).toEqual(sumTraffic(own));
        expect(row.lookups.connections).toBe(own.length);
        expect(new Set(own.map(({ app, direction }) => `${app} ${direction}`)).size).toBe(1);
      }
    }),
  );
});

describe('on the screen', () => {
  const shown = snapshot({
    flows: [
      ...Array.from({ length: 40 }, (_, i) => lookup(`l${i}`, `n${i}.example.com`, { lastSeen: NOON - 1000 * i })),
      lookup('g', 'github.com', { app: 'git' }),
      lookup('q', null, { app: 'quiet' }),
      flowRow({ id: 'w', app: 'curl', host: 'www.example.com', rxRate: 9 }),
      lookup('c', 'closed.example.com', { closed: true }),
    ],
  });
  const start = press(initialState({ columns: 120, rows: 40 }), shown, 'connections');

  test('an app has one row with the names it asked for last; the title counts connections', () => {
    const text = lines(start, shown);
    expect(text).toContain('Connections 43 · 42 dns in 3 rows · 1 closed hidden');
    expect(text).toMatch(/curl .*→ ▸ 40 dns {2}n0\.example/);
    expect(text).toMatch(/git .*:50000 → ▸ dns github\.com /);
    expect(text).toMatch(/quiet .*:50000 → ▸ dns 10\.0\.0\.53 /);
  });

  test('opened, it lists its connections with what each asked for', () => {
    const opened = press(start, shown, 'down', 'expand');
    const text = lines(opened, shown);
    expect(text).toContain('▾ 40 dns');
    expect(text).toMatch(/curl .*:50000 → {5}dns n3\.example\.com /);
    expect(text).toContain('Connections 43 · 42 dns in 3 rows');
    expect(lines(press(opened, shown, 'collapse'), shown)).toBe(lines(press(start, shown, 'down'), shown));
  });

  test('details list the names, newest first, and say how many more there are', () => {
    const state = press(start, shown, 'down', 'details');
    const text = frameOf(state, shown, settings).popup?.lines.map(plain).join('\n') ?? '';
    expect(text).toMatch(/look-ups +40 in 40 connections/);
    expect(text).toMatch(/asked for +n0\.example\.com/);
    expect(text).toContain('and 28 more');
  });

  test('privacy mode hides the names, addresses stand instead of them where they are asked for', () => {
    const hidden = lines(press(start, shown, 'privacy', 'down', 'expand'), shown);
    expect(hidden).not.toMatch(/example|github|10\.0\.0\.53/);
    const addresses = lines(press(start, shown, 'names', 'down', 'expand'), shown);
    expect(addresses).toMatch(/40 dns {2}10\.0\.0\.53/);
    expect(addresses).not.toMatch(/n\d+\.example/);
  });

  test('a filter narrows what is folded, and ASCII does without our signs', () => {
    expect(lines(withFilter(start, 'app:git'), shown)).toMatch(/Connections 1 .*\n.*\n.*dns github\.com/);
    expect(lines(start, shown, ASCII_GLYPHS)).toMatch(/^[\x20-\x7e\n]*$/);
  });

  test('a name of hostile bytes is drawn as anything else is', () => {
    const evil = snapshot({ flows: [lookup('1', '\x1b[31m{red-bg}x{/}\u202e'), lookup('2', 'b')] });
    expect(lines(start, evil)).not.toMatch(/[\x1b\u202e]/);
  });

  test('a file has the rows that are shown', () => {
    const { columns, rows } = exportOf(start, shown, UNICODE_GLYPHS);
    expect(rows).toHaveLength(4);
    expect(rows.map((row) => row[columns.indexOf('remote')])).toContain('dns github.com');
  });
});

test('a resolver of others has its row apart from what it asks itself', () => {
  const flows = [
    lookup('1', 'a.test', { app: 'dnsmasq' }),
    lookup('2', 'a.test', {
      app: 'dnsmasq',
      direction: 'inbound',
      local: RESOLVER,
      remote: { address: '10.0.0.9', port: 40_000 },
    }),
  ];
  expect(folded(flows).map(({ direction, lookups }: ConnectionLine) => [direction, lookups?.ends])).toEqual([
    ['outbound', ['10.0.0.53']],
    ['inbound', ['10.0.0.9']],
  ]);
});
