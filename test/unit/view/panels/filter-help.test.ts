// Help while a filter is typed: filters of before by Up and Down, fields and values by Tab; a wrong one keeps the last right one in force.

import { describe, expect, test } from 'vitest';
import type { Edit } from '../../../../src/view/action.ts';
import { frameOf } from '../../../../src/view/frame.ts';
import { openFilter } from '../../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { FILTERS_MAX } from '../../../../src/view/panels/filter-help.ts';
import { initialState, type ViewState } from '../../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { appRow, hostRow, snapshot } from '../../../support/snapshot-builder.ts';

const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
const live = snapshot({
  apps: [appRow({ id: 'a', app: 'Google Chrome' }), appRow({ id: 'b', app: 'curl' }), appRow({ id: 'c', app: 'bad"quote' })],
  hosts: [
    hostRow({ id: 'h', host: 'www.example.com', domain: 'example.com', country: 'DE' }),
    hostRow({ id: 'e', host: '\x1b[2J' }),
  ],
});

/** Keys: editing keys in angle brackets, all else is typed. */
function type(state: ViewState, keys: string): ViewState {
  let next = state;
  for (const [, name, char] of keys.matchAll(/<(\w+)>|(.)/g)) {
    const edit = (name ?? 'insert') as Edit;
    next = reduce(next, { type: 'edit', edit, text: char ?? '' }, live, settings).state;
  }
  return next;
}

const open = () => openFilter(initialState({ columns: 80, rows: 24 }));
const footer = (state: ViewState) => frameOf(state, live, settings).footer.lines.map(plain).join('\n');

describe('filters of before', () => {
  test('come back newest first, and below them what was typed', () => {
    let state = type(open(), 'app:one<accept>');
    state = type(openFilter(state), '<clear>app:two<accept>');
    state = type(openFilter(state), '<clear>half');
    expect(type(state, '<older>').filter).toMatchObject({ text: 'app:two', applied: 'app:two', cursor: 7 });
    expect(type(state, '<older><older>').filter.text).toBe('app:one');
    expect(type(state, '<older><older><older>').filter.text).toBe('app:one');
    expect(type(state, '<older><older><newer><newer>').filter.text).toBe('half');
    expect(type(state, '<newer>').filter.text).toBe('half');
    expect(type(state, '<older>x').filter).toMatchObject({ text: 'app:twox', recalled: null });
  });

  test('are kept once each, without empty ones, and no more than a bound', () => {
    let state = initialState({ columns: 80, rows: 24 });
    for (let i = 0; i < FILTERS_MAX + 10; i++) state = type(openFilter(state), `<clear>app:${i}<accept>`);
    state = type(openFilter(state), `<clear>app:30<accept>`);
    state = type(openFilter(state), '<clear><accept>');
    expect(state.filter.recent).toHaveLength(FILTERS_MAX);
    expect(state.filter.recent.at(-1)).toBe('app:30');
    expect(new Set(state.filter.recent).size).toBe(FILTERS_MAX);
    expect(type(openFilter(state), '<cancel>').filter.recent).toHaveLength(FILTERS_MAX);
  });
});

describe('completion', () => {
  test('goes through fields, then through values of the picture, quoted where they need it', () => {
    expect(type(open(), 'ap<complete>').filter.text).toBe('app:');
    expect(type(open(), 'ap<complete><complete>').filter.text).toBe('application:');
    expect(type(open(), 'app:<complete>').filter.text).toBe('app:"Google Chrome"');
    expect(type(open(), 'app:<complete><complete>').filter.text).toBe('app:curl');
    expect(type(open(), 'app:<complete><complete><complete>').filter.text).toBe('app:"Google Chrome"');
    expect(type(open(), 'app:goo<complete>').filter).toMatchObject({ text: 'app:"Google Chrome"', problem: null });
    expect(type(open(), 'not host:www<complete> and<left>').filter.text).toBe('not host:www.example.com and');
    expect(type(open(), 'domain:<complete>').filter.text).toBe('domain:example.com');
    expect(type(open(), 'zzz<complete>').filter.text).toBe('zzz');
  });

  test('is offered under the input, and never what could hurt the screen', () => {
    expect(footer(type(open(), 'app:'))).toContain('Tab "Google Chrome" curl');
    expect(footer(type(open(), 'host:'))).not.toContain('\x1b');
    expect(footer(type(open(), 'app:curl'))).not.toContain('Tab');
    const half = type(open(), 'app:curl and (');
    expect(footer(half)).toMatch(/Tab app: [\s\S]*not applied yet/);
    expect(footer(reduce(half, { type: 'typing-paused' }, live, settings).state)).toMatch(/Tab app: [\s\S]*column 15/);
  });
});
