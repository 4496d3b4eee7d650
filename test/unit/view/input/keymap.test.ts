// The key table: complete, without conflicts, and rebound only by what makes sense.

import { describe, expect, test } from 'vitest';
import { FIELDS } from '../../../../src/filter/fields.ts';
import { COMMANDS } from '../../../../src/view/action.ts';
import { commandOf, isKeyName, KEYMAP, keyLabel, rebind } from '../../../../src/view/input/keymap.ts';
import { helpLines } from '../../../../src/view/panels/help.ts';
import { VIEWS } from '../../../../src/view/state.ts';
import { displayWidth } from '../../../../src/view/text/cells.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';

test('every command is bound once, every key once, every row says what it does', () => {
  expect(KEYMAP.map(({ command }) => command).sort()).toEqual([...COMMANDS].sort());
  const keys = KEYMAP.flatMap((binding) => binding.keys);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(isKeyName(key), key).toBe(true);
  for (const { help } of KEYMAP) expect(help.length).toBeGreaterThan(3);
});

test('the keys of the conventions', () => {
  const expected: Record<string, string> = {
    q: 'quit',
    'ctrl+c': 'quit',
    '?': 'help',
    f1: 'help',
    h: 'help',
    j: 'down',
    k: 'up',
    g: 'first',
    G: 'last',
    home: 'first',
    end: 'last',
    pageup: 'page-up',
    pagedown: 'page-down',
    'ctrl+b': 'page-up',
    'ctrl+f': 'page-down',
    tab: 'next-pane',
    'shift+tab': 'previous-pane',
    '/': 'filter',
    s: 'sort-next',
    S: 'sort-direction',
    '<': 'sort-previous',
    '>': 'sort-next',
    p: 'pause',
    space: 'pause',
    o: 'freeze',
    f: 'pin',
    z: 'count-from-now',
    t: 'closed',
    n: 'names',
    N: 'services',
    T: 'theme',
    u: 'units',
    y: 'copy',
    x: 'privacy',
    'ctrl+l': 'redraw',
    'ctrl+z': 'suspend',
    enter: 'details',
    escape: 'back',
    '1': 'overview',
    '2': 'apps',
    '3': 'connections',
    '4': 'hosts',
    '6': 'interfaces',
  };
  for (const [key, command] of Object.entries(expected)) expect(commandOf(KEYMAP, key), key).toBe(command);
});

test.each(VIEWS)('the help of %s has a line for each binding, once, those of the view first', (view) => {
  const lines = helpLines(KEYMAP, view, UNICODE_GLYPHS, 76).map(plain);
  for (const binding of KEYMAP) {
    const found = lines.filter((line) => line.endsWith(binding.help) && line.includes(binding.keys.map(keyLabel).join(' ')));
    expect(found, binding.command).toHaveLength(1);
  }
  expect(lines[0]).toBe(` In this view: ${view}`);
  expect(lines.indexOf('')).toBeGreaterThan(2);
});

test.each([
  ['80 columns', UNICODE_GLYPHS, 76],
  ['60 columns', UNICODE_GLYPHS, 56],
  ['40 columns, ASCII', ASCII_GLYPHS, 36],
] as const)('the help explains the signs and the filter, whole in %s', (_, glyphs, width) => {
  const lines = helpLines(KEYMAP, 'overview', glyphs, width).map(plain);
  for (const line of lines) expect(displayWidth(line), line).toBeLessThanOrEqual(width);
  const words = lines.join(' ').replaceAll(/ +/g, ' ');
  for (const { name, help } of FIELDS) expect(words).toContain(` ${name} ${help}`);
  for (const { help } of KEYMAP) expect(words).toContain(help);
  for (const sign of [glyphs.outbound, glyphs.transit, glyphs.unknown, '~name', 'dropped', 'unowned', '123+4'])
    expect(lines.some((line) => line.startsWith(`   ${sign} `))).toBe(true);
  if (glyphs.ascii) expect(lines.join('')).toMatch(/^[ -~]*$/);
});

describe('rebind', () => {
  test('replaces the keys of a command, and takes a key away from another', () => {
    const result = rebind({ quit: ['Q'], pause: 'q' });
    if (!result.ok) throw new Error(result.problems.join());
    expect(commandOf(result.keys, 'q')).toBe('pause');
    expect(commandOf(result.keys, 'Q')).toBe('quit');
    expect(commandOf(result.keys, 'p')).toBeNull();
    expect(commandOf(result.keys, 'space')).toBeNull();
    expect(helpLines(result.keys, 'apps', UNICODE_GLYPHS, 76).map(plain).join('\n')).toMatch(/Q +quit/);
  });

  test.each([
    [{ fly: ['f'] }, /no action "fly"; actions are quit, help/],
    [{ quit: ['ctrl+nothing'] }, /keys\.quit: no key "ctrl\+nothing"; keys are a character/],
    [{ quit: ['é'] }, /no key "é"/],
    [{ quit: ['x'], pin: ['x'] }, /"x" is already bound to "quit"/],
    [{ quit: [] }, /no way out/],
    [{ pause: ['q', 'ctrl+c'] }, /no way out/],
  ])('%j is refused', (record, problem) => {
    const result = rebind(record as unknown as Record<string, string[]>);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.problems.join('\n')).toMatch(problem);
  });

  test('nothing to rebind is the table as it is', () => {
    const result = rebind({});
    expect(result.ok && result.keys.every((binding, i) => binding.keys.join() === KEYMAP[i]?.keys.join())).toBe(true);
  });
});
