// A theme decides how things look, but not that a warning looks like good news.

import { describe, expect, test } from 'vitest';
import { parseTheme, stylesOf } from '../../../../src/view/text/theme.ts';

/** Colours of warnings and of errors in a theme of these lines. */
function alarms(...lines: string[]): (number | null)[] {
  const { warn, error } = stylesOf(parseTheme('any', lines.join('\n')), 'true');
  return [warn.fg, error.fg];
}

describe('what is wrong', () => {
  test.each([
    ['matrix', '#33ff33', '#00aa00'],
    ['everforest', '#a7c080', '#83c092'],
    ['gruvbox', '#b8bb26', '#8ec07c'],
  ])('is not green in a theme that has only green there: %s', (_, mid, end) => {
    const values = [`theme[process_mid]="${mid}"`, `theme[process_end]="${end}"`];
    expect(alarms('theme[main_bg]="#101010"', ...values)[1]).toBe(0xff5f5f);
    expect(alarms('theme[main_bg]="#fafafa"', ...values)[1]).toBe(0xaf0000);
  });

  test('is a colour of ours in both roles, for the ground that the theme has', () => {
    const green = ['theme[process_mid]="#00d000"', 'theme[process_end]="#00ff40"'];
    expect(alarms(...green, 'theme[main_bg]=""', 'theme[main_fg]="#202020"')).toEqual([0x875f00, 0xaf0000]);
    expect(alarms(...green, 'theme[main_bg]=""', 'theme[main_fg]=""')).toEqual([0xffaf5f, 0xff5f5f]);
  });

  test('keeps every other colour of the theme: yellow, red, blue, grey, none', () => {
    expect(alarms('theme[process_mid]="#dcd179"', 'theme[process_end]="#d45454"')).toEqual([0xdcd179, 0xd45454]);
    expect(alarms('theme[process_mid]="#88c0d0"', 'theme[process_end]="#9a9a9a"')).toEqual([0x88c0d0, 0x9a9a9a]);
    expect(alarms('theme[process_start]=""', 'theme[process_mid]=""', 'theme[process_end]=""')).toEqual([null, null]);
  });
});
