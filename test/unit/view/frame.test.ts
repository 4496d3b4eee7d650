// Frames of any size: every line of every pane is exactly as wide as its pane, nothing overlaps, nothing lies outside.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { COMMANDS } from '../../../src/view/action.ts';
import { emptySnapshot } from '../../../src/view/empty-snapshot.ts';
import { type Frame, frameOf } from '../../../src/view/frame.ts';
import { KEYMAP } from '../../../src/view/input/keymap.ts';
import { reduce } from '../../../src/view/input/reducer.ts';
import { framed, lineWidth, withHints } from '../../../src/view/pane.ts';
import { initialState } from '../../../src/view/state.ts';
import { placeColumns } from '../../../src/view/tables/column.ts';
import { CONNECTIONS } from '../../../src/view/tables/connections.ts';
import { drawable } from '../../../src/view/text/cells.ts';
import { ASCII_GLYPHS, CONSOLE_GLYPHS, type Glyphs, UNICODE_GLYPHS } from '../../../src/view/text/glyphs.ts';
import { type Line, plain, span } from '../../../src/view/text/span.ts';
import { appRow, busy, CAPTURE, flowRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';

/** What covers its cells by itself. */
function solid(frame: Frame) {
  return [
    frame.header,
    frame.footer,
    ...frame.tables,
    ...frame.parts,
    ...frame.historyTables,
    ...(frame.chart === null ? [] : [frame.chart]),
  ];
}

/** A frame is closed: corners in all four places, and sides between them. */
function checkBorders(lines: readonly Line[], glyphs: Glyphs): void {
  const ends = lines.map((line) => [...plain(line)]).map((cells) => `${cells[0]}${cells.at(-1)}`);
  const sides = lines.slice(2).map(() => glyphs.vertical.repeat(2));
  expect(ends).toEqual([glyphs.topLeft + glyphs.topRight, ...sides, glyphs.bottomLeft + glyphs.bottomRight]);
}

function check(frame: Frame, columns: number, rows: number, glyphs: Glyphs): void {
  const panes = [...solid(frame), frame.chart, frame.popup, frame.message].filter((pane) => pane !== null);
  for (const { rect, lines } of panes) {
    expect(rect.left + rect.width).toBeLessThanOrEqual(columns);
    expect(rect.top + rect.height).toBeLessThanOrEqual(rows);
    expect(lines.length).toBe(rect.height);
    for (const line of lines) expect(lineWidth(line), plain(line)).toBe(rect.width);
  }
  if (frame.message !== null) return;
  const framedPanes = [...frame.tables, ...frame.historyTables, frame.chart, frame.popup].filter((pane) => pane !== null);
  for (const { lines } of framedPanes) if (lines.length > 0) checkBorders(lines, glyphs);
  const covered = new Array<number>(rows).fill(0);
  for (const { rect } of solid(frame))
    for (let y = rect.top; y < rect.top + rect.height; y++) covered[y] = (covered[y] ?? 0) + rect.width;
  const sparks = new Set(frame.sparks.flatMap(({ rect }) => Array.from({ length: rect.height }, (_, i) => rect.top + i)));
  for (const [y, cells] of covered.entries()) expect(cells, `row ${y} of ${columns}x${rows}`).toBe(sparks.has(y) ? 0 : columns);
}

describe('frameOf', () => {
  const samples: Snapshot[] = [
    emptySnapshot(NOON),
    busy(60),
    snapshot({ ...busy(5), capture: { ...CAPTURE, note: 'a note', interfaces: ['日本語', 'x'.repeat(200)] } }),
    snapshot({ gaps: [{ from: NOON - 9000, to: NOON, reason: 'sleep', detail: '' }] }),
  ];

  test('fills the screen exactly, whatever its size and whatever was pressed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 230 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom(...samples),
        fc.array(fc.constantFrom(...COMMANDS), { maxLength: 6 }),
        fc.boolean(),
        (columns, rows, shown, commands, ascii) => {
          const settings = { glyphs: ascii ? ASCII_GLYPHS : UNICODE_GLYPHS, keys: KEYMAP };
          let state = initialState({ columns, rows, themes: ['a', 'b'], theme: 'a' });
          for (const command of commands) state = reduce(state, { type: 'command', command }, shown, settings).state;
          check(frameOf(state, shown, settings), columns, rows, settings.glyphs);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('hostile names fill their cells exactly too', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 40, max: 200 }),
        fc.boolean(),
        (name, columns, ascii) => {
          const glyphs = ascii ? ASCII_GLYPHS : UNICODE_GLYPHS;
          const shown = snapshot({
            apps: [appRow({ id: 'a', app: name, user: name, exe: name }), appRow({ id: 'b', app: null, reason: name })],
            flows: [
              flowRow({
                id: 'f',
                app: name,
                host: name,
                state: name,
                protocol: name,
                application: name,
                category: name,
                interface: name,
                peerApp: name,
                onBehalfOf: name,
                tunnel: name,
              }),
            ],
            hosts: [hostRow({ id: 'h', host: name, domain: name, category: name, country: name, addresses: [name] })],
            capture: {
              ...CAPTURE,
              note: name,
              driver: name,
              attribution: name,
              interfaces: [name],
              file: name,
              fallbacks: [{ driver: name, reason: name }],
            },
          });
          for (const commands of [[], ['details'], ['hosts', 'details'], ['connections', 'details'], ['capture']] as const) {
            let state = initialState({ columns, rows: 50 });
            for (const command of commands)
              state = reduce(state, { type: 'command', command }, shown, { glyphs, keys: KEYMAP }).state;
            const frame = frameOf(state, shown, { glyphs, keys: KEYMAP });
            check(frame, columns, 50, glyphs);
            for (const pane of [frame.header, ...frame.tables, ...(frame.popup === null ? [] : [frame.popup])])
              for (const line of pane.lines) expect(plain(line)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
          }
        },
      ),
      {
        numRuns: 60,
        examples: [
          ['__proto__', 200, false],
          ['toString', 200, false],
          ['constructor', 200, false],
        ],
      },
    );
  });
});

test('a frame of any size is closed, whatever its title, its note and its keys', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 90 }),
      fc.integer({ min: 2, max: 6 }),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(ASCII_GLYPHS, UNICODE_GLYPHS, CONSOLE_GLYPHS),
      (width, height, text, glyphs) => {
        const title = [span(drawable(text, glyphs), 'title')];
        const made = framed({ left: 0, top: 0, width, height }, title, title, [title], glyphs, true);
        const hinted = withHints(made, [{ rank: 1, line: title }], glyphs);
        for (const lines of [made, hinted]) {
          for (const line of lines) expect(lineWidth(line)).toBe(width);
          expect(lines).toHaveLength(height);
          checkBorders(lines, glyphs);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('columns give way in the order of their ranks and never overlap', () => {
  let before = 0;
  for (let width = 20; width < 260; width++) {
    const placed = placeColumns(CONNECTIONS.columns, width);
    const kept = placed.map(({ column }) => column.rank);
    const dropped = CONNECTIONS.columns
      .filter((column) => !placed.some((one) => one.column === column))
      .map((column) => column.rank);
    if (kept.length > 0 && dropped.length > 0) expect(Math.max(...kept)).toBeLessThanOrEqual(Math.min(...dropped));
    expect(placed.length).toBeGreaterThanOrEqual(before);
    before = placed.length;
    let end = -1;
    for (const { left, width: cells, column } of placed) {
      expect(left).toBe(end + 1);
      expect(cells).toBeGreaterThanOrEqual(column.least ?? column.min);
      if (placed.length > 5) expect(cells).toBeGreaterThanOrEqual(column.min);
      end = left + cells;
    }
    expect(end).toBeLessThanOrEqual(width);
  }
});
