// btop's theme format in all its forms, and colours at each depth.

import { describe, expect, test } from 'vitest';
import { depthOf, reduceColour, tableColour, to16, to256 } from '../../../../src/view/text/colours.ts';
import { gradient, parseColour, parseTheme } from '../../../../src/view/text/theme.ts';

describe('parseTheme', () => {
  test('value forms, comments, unknown keys, missing quotes', () => {
    const theme = parseTheme(
      't',
      [
        '# Theme: t',
        'theme[main_bg]=""',
        'theme[main_fg]="#0a0B0c"',
        "theme[title]='#ffffff'",
        'theme[hi_fg]=#7f',
        'theme[selected_bg]="300 2 1"',
        'theme[selected_fg] = "#112233"',
        'theme[no_such_key]="#000000"',
        'theme[div_line]="blue"',
        'garbage',
        'theme[download_start]="#ff0000"\r',
      ].join('\n'),
    );
    expect(theme.colours).toMatchObject({
      main_bg: null,
      main_fg: 0x0a0b0c,
      hi_fg: 0x7f7f7f,
      selected_bg: 0xff0201,
      selected_fg: 0x112233,
      div_line: 0x303030,
      download_start: 0xff0000,
      title: 0xeeeeee,
    });
    expect(theme.problems).toHaveLength(2);
    expect(theme.problems[0]).toMatch(/line 4: title has no colour/);
  });

  test('missing keys: stand-ins first, then the defaults', () => {
    const theme = parseTheme('t', 'theme[inactive_fg]="#123456"\ntheme[cpu_start]="#010203"');
    expect(theme.colours).toMatchObject({
      meter_bg: 0x123456,
      graph_text: 0x123456,
      process_start: 0x010203,
      process_mid: 0xcbc06c,
      main_fg: 0xcccccc,
    });
    expect(parseTheme('t', '').colours.process_end).toBe(0xdc4c4c);
  });

  test('gradients', () => {
    const theme = (text: string) => parseTheme('t', text);
    const full = theme('theme[cpu_start]="#000000"\ntheme[cpu_mid]="#640000"\ntheme[cpu_end]="#646400"');
    expect([0, 25, 50, 75, 100].map((percent) => gradient(full, 'cpu', percent))).toEqual([
      0x000000, 0x320000, 0x640000, 0x643200, 0x646400,
    ]);
    const ends = theme('theme[cpu_start]="#000000"\ntheme[cpu_mid]=""\ntheme[cpu_end]="#640000"');
    expect(gradient(ends, 'cpu', 50)).toBe(0x320000);
    const flat = theme('theme[cpu_start]="#0a0a0a"\ntheme[cpu_mid]=""\ntheme[cpu_end]=""');
    expect(gradient(flat, 'cpu', 90)).toBe(0x0a0a0a);
    const endless = theme('theme[cpu_start]="#0a0a0a"\ntheme[cpu_mid]="#ffffff"\ntheme[cpu_end]=""');
    expect(gradient(endless, 'cpu', 90)).toBe(0x0a0a0a);
    expect(gradient(theme('theme[cpu_start]=""'), 'cpu', 90)).toBeNull();
  });

  test('values', () => {
    expect(['', '#00', '#ff00ff', '1 2 3', '#f', '#12345', '1 2', 'red', '-1 2 3'].map(parseColour)).toEqual([
      null,
      0,
      0xff00ff,
      0x010203,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('depth', () => {
  test.each([
    [{ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 'true'],
    [{ TERM: 'xterm-256color', COLORTERM: '24bit' }, 'true'],
    [{ TERM: 'xterm-direct' }, 'true'],
    [{ TERM: 'xterm-256color' }, '256'],
    [{ TERM: 'xterm' }, '16'],
    [{ TERM: 'linux' }, '16'],
    [{ TERM: 'vt100' }, 'none'],
    [{ TERM: 'dumb', COLORTERM: 'truecolor' }, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '1' }, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '' }, '256'],
    [{}, 'none'],
  ] as const)('%j has %s', (env, depth) => {
    expect(depthOf(env)).toBe(depth);
  });

  test('reduction', () => {
    expect([0x000000, 0xffffff, 0x5fafd7, 0xff0000, 0x808080, 0x9fc7ff].map(to256)).toEqual([16, 231, 74, 196, 244, 153]);
    for (let number = 16; number < 256; number++) expect(tableColour(to256(tableColour(number)))).toBe(tableColour(number));
    expect([0x000000, 0xffffff, 0xff1010, 0x1010ee, 0x808080].map(to16)).toEqual([0, 15, 9, 4, 8]);
    expect(reduceColour(0x123456, 'true')).toBe(0x123456);
    expect(reduceColour(0x123456, 'none')).toBeNull();
    expect(reduceColour(null, '256')).toBeNull();
  });
});
