// Names of keys as blessed reports them, and what keys mean while a filter is typed.

import { describe, expect, test } from 'vitest';
import { keyAction, keyName, mouseAction } from '../../../src/tui/input.ts';
import { drawingOf, refuseTerminal, speaksUtf8 } from '../../../src/tui/terminal.ts';
import { frameOf } from '../../../src/view/frame.ts';
import { openFilter } from '../../../src/view/input/filter-input.ts';
import { KEYMAP } from '../../../src/view/input/keymap.ts';
import { initialState } from '../../../src/view/state.ts';
import { UNICODE_GLYPHS } from '../../../src/view/text/glyphs.ts';
import { busy } from '../../support/snapshot-builder.ts';

describe('keyName', () => {
  test.each([
    ['q', { name: 'q' }, 'q'],
    ['G', { name: 'g', shift: true }, 'G'],
    ['?', {}, '?'],
    ['/', {}, '/'],
    ['1', {}, '1'],
    [' ', { name: 'space' }, 'space'],
    ['\x03', { name: 'c', ctrl: true }, 'ctrl+c'],
    ['\r', { name: 'enter' }, 'enter'],
    ['\r', { name: 'return' }, null],
    ['\n', { name: 'linefeed' }, 'enter'],
    [undefined, { name: 'tab', shift: true }, 'shift+tab'],
    [undefined, { name: 'pageup' }, 'pageup'],
    [undefined, { name: 'a', meta: true }, 'alt+a'],
    [undefined, { name: 'undefined' }, null],
    [undefined, {}, null],
  ] as const)('%j %j is %j', (char, key, name) => {
    expect(keyName(char, key)).toBe(name);
  });
});

test('while a filter is typed letters are text, and the keys that no text has still work', () => {
  const state = openFilter(initialState({ columns: 80, rows: 24 }));
  const action = (char: string | undefined, key: Parameters<typeof keyName>[1]) =>
    keyAction(state, KEYMAP, char, { sequence: char ?? '', ...key });
  expect(action('q', { name: 'q' })).toEqual({ type: 'edit', edit: 'insert', text: 'q' });
  expect(action('Q', { name: 'q', shift: true })).toEqual({ type: 'edit', edit: 'insert', text: 'Q' });
  expect(action(' ', { name: 'space' })).toEqual({ type: 'edit', edit: 'insert', text: ' ' });
  expect(action('é', {})).toEqual({ type: 'edit', edit: 'insert', text: 'é' });
  expect(action('\r', { name: 'enter' })).toEqual({ type: 'edit', edit: 'accept', text: '' });
  expect(action('\x7f', { name: 'backspace' })).toEqual({ type: 'edit', edit: 'backspace', text: '' });
  expect(action('\x17', { name: 'w', ctrl: true })).toEqual({ type: 'edit', edit: 'word', text: '' });
  expect(action('\x03', { name: 'c', ctrl: true })).toEqual({ type: 'command', command: 'quit' });
  expect(action(undefined, { name: 'down' })).toEqual({ type: 'edit', edit: 'newer', text: '' });
  expect(action('\t', { name: 'tab' })).toEqual({ type: 'edit', edit: 'complete', text: '' });
  expect(action(undefined, { name: 'pagedown' })).toEqual({ type: 'command', command: 'page-down' });
  expect(action(undefined, { name: 'f5' })).toBeNull();
});

test('a tab can be clicked beside a popup, and what the popup covers can not', () => {
  const state = { ...initialState({ columns: 80, rows: 24 }), popup: { kind: 'help', top: 0 } as const };
  const frame = frameOf(state, busy(10), { glyphs: UNICODE_GLYPHS, keys: KEYMAP });
  const tab = frame.tabs?.tabs.find(({ view }) => view === 'hosts');
  const click = (x: number, y: number) => mouseAction(frame, { action: 'mousedown', x, y });
  expect(click(tab?.from ?? 0, frame.tabs?.top ?? 0)).toEqual({ type: 'command', command: 'hosts' });
  expect(click(40, 12)).toBeNull();
});

test('terminals that nothing can be drawn on', () => {
  expect(refuseTerminal({ TERM: 'xterm' }, true)).toBeNull();
  expect(refuseTerminal({ TERM: 'dumb' }, true)).toMatch(/TERM=dumb/);
  expect(refuseTerminal({}, true)).toMatch(/TERM is not set/);
  expect(refuseTerminal({ TERM: 'xterm' }, false)).toMatch(/not a terminal/);
  expect([{}, { LANG: 'C' }, { LANG: 'de_DE.UTF-8' }, { LC_ALL: 'en_US.ISO-8859-1', LANG: 'x.UTF-8' }].map(speaksUtf8)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test('what is drawn with, by terminal and locale', () => {
  const drawings = [
    { TERM: 'xterm-256color' },
    { TERM: 'xterm-ghostty', LANG: 'C' },
    { TERM: 'xterm', LANG: 'de_DE.ISO-8859-1' },
    { TERM: 'vt100' },
    { TERM: 'vte-256color' },
    { TERM: 'linux' },
    { TERM: 'linux-16color', LANG: 'C.UTF-8' },
  ].map(drawingOf);
  expect(drawings).toEqual(['unicode', 'unicode', 'ascii', 'ascii', 'unicode', 'console', 'console']);
});
