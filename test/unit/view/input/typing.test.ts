// A filter while it is typed: nothing that is only half there shows an error or empties the screen.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../../../src/filter/filter.ts';
import type { Edit } from '../../../../src/view/action.ts';
import { pictureOf } from '../../../../src/view/derive.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { openFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { initialState, type ViewName, type ViewState } from '../../../../src/view/state.ts';
import { topRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { busy } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const live = busy(40);

const open = (view: ViewName = 'overview') => openFilter(initialState({ columns: 100, rows: 30, view }));
const edit = (state: ViewState, key: Edit, text = '') => reduce(state, { type: 'edit', edit: key, text }, live, settings).state;
const type = (text: string, state = open()) => [...text].reduce((at, char) => edit(at, 'insert', char), state);
const paused = (state: ViewState) => reduce(state, { type: 'typing-paused' }, live, settings).state;
const rows = (state: ViewState) => topRows(pictureOf(state, live), state.pane).length;
const footer = (state: ViewState) => frameOf(state, live, settings).footer.lines.map(plain).join('\n');

describe('half a filter', () => {
  test.each([
    ['ap', ''],
    ['app', ''],
    ['app:', ''],
    ['rate>', ''],
    ['/^sl', ''],
    ['"sla', ''],
    ['app:slack o', 'app:slack'],
    ['app:slack or', 'app:slack'],
    ['app:slack or app', 'app:slack'],
    ['app:slack or app:', 'app:slack'],
    ['app:slack port:44', 'app:slack'],
    ['app=slac', ''],
    ['host:exa', 'host:exa'],
    ['(app:slack or', '(app:slack)'],
    ['(app:slack or (proto:udp', '(app:slack or (proto:udp))'],
    ['app:slack new', 'app:slack'],
  ])('%s', (text, applied) => {
    const state = type(text);
    expect(state.filter.applied.trim()).toBe(applied);
    expect(state.filter.problem).toBeNull();
    expect(rows(state)).toBeGreaterThan(0);
    expect(footer(state)).toContain(
      applied === text ? 'Enter keeps it' : applied === '' ? 'not applied yet' : `applied so far: ${applied} `,
    );
  });

  test.each(['app:', 'rate>', 'app:slack or host: '])('%s waits for its value, however long', (text) => {
    const state = paused(type(text));
    expect(state.filter.problem).toBeNull();
    expect(rows(state)).toBeGreaterThan(0);
    expect(edit(state, 'accept').filter.problem).not.toBeNull();
  });

  test('any valid filter, typed letter by letter, never empties the screen', () => {
    const word = fc.constantFrom('slack', 'app', 'in', 'news', 'new', 'local', 'zzz', 'example', '443', '"in"', '/^s/', '::1');
    const comparison = fc.constantFrom(
      ...['app:slack', 'app=slack', 'app!=slack', 'host:example.com', 'host~^api[0-9]', 'port:80,443', 'port:8000-8100'],
      ...['rate>1M', 'rate<1Ki', 'idle<10s', 'age>1h30m', 'net:10.0.0.0/8,fd00::/8', 'dir:out', 'dir=in', 'proto = tcp'],
      ...['retransmits>0', 'name_source:tls', 'domain:example.net', 'app:"google chrome"', 'app:zzz'],
    );
    const term = fc.oneof(word, comparison);
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        term,
        fc.tuple(fc.constantFrom('not ', '-', '!'), term).map((parts) => parts.join('')),
        fc
          .tuple(tie('expression'), fc.constantFrom(' ', ' and ', ' or ', ' && ', '||'), tie('expression'))
          .map((parts) => parts.join('')),
        tie('expression').map((inner) => `(${inner})`),
      ),
    }));
    let longest = 0;
    fc.assert(
      fc.property(
        expression.filter((text) => text.length < 200 && compileFilter(text).ok),
        fc.constantFrom<ViewName>('overview', 'connections', 'hosts'),
        (text, view) => {
          let state = open(view);
          for (const char of text) {
            state = edit(state, 'insert', char);
            expect(state.filter.problem).toBeNull();
            expect(rows(state)).toBeGreaterThan(0);
          }
          longest = Math.max(longest, text.length);
          const pause = paused(state);
          expect(pause.filter.problem).toBeNull();
          expect(edit(state, 'accept').filter).toMatchObject({ text, applied: text, cursor: null, problem: null });
          while (state.filter.text !== '') {
            state = edit(state, 'backspace');
            expect(rows(state)).toBeGreaterThan(0);
          }
          expect(state.filter).toMatchObject({ applied: '', filter: null });
        },
      ),
      { numRuns: 150 },
    );
    expect(longest).toBeGreaterThan(30);
  });
});

describe('a pause', () => {
  test('applies what matches nothing, and shows what is wrong', () => {
    const nobody = type('app:nobody');
    expect(rows(nobody)).toBeGreaterThan(0);
    expect(rows(paused(nobody))).toBe(0);
    expect(footer(paused(type('app:slack and')))).toContain('column 14: something is missing at the end');
    expect(paused(type('app:slack and')).filter.applied.trim()).toBe('app:slack');
  });

  test('applies a word as a search, but for the beginning of a name that finds nothing', () => {
    expect(paused(type('app')).filter).toMatchObject({ applied: 'app' });
    expect(paused(type('retr')).filter).toMatchObject({ applied: '', problem: null });
    expect(type('retr ').filter.applied).toBe('');
    expect(rows(edit(type('retr'), 'accept'))).toBe(0);
  });

  test('does nothing to a filter that is in force, or to an input that is closed', () => {
    const state = type('app:slack');
    expect(paused(state)).toBe(state);
    const closed = edit(state, 'accept');
    expect(paused(closed)).toBe(closed);
  });
});

test('a word that means something says what, and how to search for it as text', () => {
  const state = type('out ');
  expect(state.filter.applied.trim()).toBe('out');
  expect(footer(state)).toContain('out: opened from here: dir:outbound');
  expect(footer(type('out'))).toContain('Tab "out" out');
});
