// A theme decides how things look, but not that a warning looks like good news or like traffic, nor a key like its label.

import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contrast, type Depth, reduceColour, tableColour } from '../../../../src/view/text/colours.ts';
import { METER, type Role } from '../../../../src/view/text/span.ts';
import { stylesOf } from '../../../../src/view/text/styles.ts';
import { parseTheme, type Theme } from '../../../../src/view/text/theme.ts';
import { ourTheme } from '../../../support/terminal.ts';

/** Small themes in btop's format, as others write them: no more keys than they need. */
const OTHERS: Readonly<Record<string, string>> = {
  nord: theme(
    {
      main_bg: '#2E3440',
      main_fg: '#D8DEE9',
      title: '#8FBCBB',
      hi_fg: '#5E81AC',
      selected_bg: '#4C566A',
      selected_fg: '#ECEFF4',
    },
    {
      inactive_fg: '#4C566A',
      proc_misc: '#5E81AC',
      div_line: '#4C566A',
      cpu_start: '#5E81AC',
      cpu_mid: '#88C0D0',
      cpu_end: '#ECEFF4',
    },
    { download_start: '#5E81AC', download_mid: '#88C0D0', download_end: '#ECEFF4' },
    { upload_start: '#5E81AC', upload_mid: '#88C0D0', upload_end: '#ECEFF4' },
  ),
  gruvbox: theme(
    {
      main_bg: '#282828',
      main_fg: '#EBDBB2',
      title: '#EBDBB2',
      hi_fg: '#CC241D',
      selected_bg: '#32302F',
      selected_fg: '#D3869B',
    },
    { inactive_fg: '#3C3836', graph_text: '#A89984', proc_misc: '#98971A', div_line: '#A89984' },
    {
      cpu_start: '#8EC07C',
      cpu_mid: '#D79921',
      cpu_end: '#FB4934',
      process_start: '#8EC07C',
      process_mid: '#FE8019',
      process_end: '#CC241D',
    },
    { download_start: '#98971A', download_mid: '#98971A', download_end: '#B8BB26' },
    { upload_start: '#D79921', upload_mid: '#D79921', upload_end: '#FABD2F' },
  ),
  monokai: theme(
    {
      main_bg: '#060604',
      main_fg: '#F8F8F2',
      title: '#F8F8F2',
      hi_fg: '#F92672',
      selected_bg: '#7A1137',
      selected_fg: '#F8F8F2',
    },
    {
      inactive_fg: '#80807F',
      proc_misc: '#A6E22E',
      div_line: '#80807F',
      cpu_start: '#A6E22E',
      cpu_mid: '#E6DB74',
      cpu_end: '#F92672',
    },
    { download_start: '#2D2042', download_mid: '#7352A8', download_end: '#CCAEFF' },
    { upload_start: '#570D33', upload_mid: '#CF277D', upload_end: '#FA91C7' },
  ),
  green: theme(
    {
      main_bg: '#000000',
      main_fg: '#33FF33',
      title: '#33FF33',
      hi_fg: '#33FF33',
      selected_bg: '#004400',
      selected_fg: '#33FF33',
    },
    { inactive_fg: '#009900', div_line: '#009900', cpu_start: '#00AA00', cpu_mid: '#00CC00', cpu_end: '#33FF33' },
    { download_start: '#00AA00', download_end: '#33FF33', upload_start: '#00AA00', upload_end: '#33FF33' },
    { process_start: '#00AA00', process_mid: '#00CC00', process_end: '#33FF33' },
  ),
  red: theme(
    {
      main_bg: '#1A0000',
      main_fg: '#FFAFAF',
      title: '#FF8787',
      hi_fg: '#FF5F5F',
      cpu_start: '#870000',
      cpu_mid: '#D70000',
      cpu_end: '#FF5F5F',
    },
    { download_end: '#FF5F5F', upload_end: '#FFAF5F' },
  ),
  paper: theme(
    {
      main_bg: '#EEEEEE',
      main_fg: '#444444',
      title: '#005F87',
      hi_fg: '#D70000',
      selected_bg: '#005F87',
      selected_fg: '#EEEEEE',
    },
    { inactive_fg: '#BCBCBC', graph_text: '#878787', cpu_start: '#005F00', cpu_mid: '#D75F00', cpu_end: '#AF0000' },
    { download_end: '#D75F00', upload_end: '#AF0000' },
  ),
  bare: '',
};

function theme(...parts: readonly Readonly<Record<string, string>>[]): string {
  return parts.flatMap((part) => Object.entries(part).map(([key, value]) => `theme[${key}]="${value}"`)).join('\n');
}

const OURS = readdirSync(new URL('../../../../themes', import.meta.url)).map((file) => file.replace(/\.theme$/, ''));
const THEMES = [...OURS.map(ourTheme), ...Object.entries(OTHERS).map(([name, text]) => parseTheme(name, text))];
/** What a warning must not be taken for. */
const OTHER_ROLES: readonly Role[] = ['rx', 'tx', 'spark', ...METER, 'text', 'title', 'name', 'key', 'dim'];
const DEPTHS = ['true', '256', '16'] as const;

describe.each(DEPTHS)('at depth %s', (depth) => {
  const number = (any: Theme, role: Role) => reduceColour(stylesOf(any, depth)[role].fg, depth);

  function checkAlarms(any: Theme): void {
    const styles = stylesOf(any, depth);
    const [warn, error] = [number(any, 'warn'), number(any, 'error')];
    if (isColourless(any)) {
      expect([styles.warn.underline, styles.error.reverse, styles.rx.underline, styles.rx.reverse]).toEqual([
        true,
        true,
        false,
        false,
      ]);
      return;
    }
    for (const role of OTHER_ROLES) {
      expect(number(any, role), `${any.name}: ${role} and warn`).not.toBe(warn);
      expect(number(any, role), `${any.name}: ${role} and error`).not.toBe(error);
    }
    expect(error, any.name).not.toBe(warn);
  }

  test.each(THEMES)('$name: what is wrong has no colour of traffic, nor of words', (any) => checkAlarms(any));

  test('nor has it in any other theme', () => {
    const colour = fc.oneof(fc.constantFrom('', '#ffaf5f', '#ff5f5f', '#875f00', '#af0000', '#00ff00'), anyColour());
    const keys = ['main_bg', 'main_fg', 'download', 'upload', 'cpu', 'process'].flatMap((key) =>
      key.startsWith('main') ? [key] : [`${key}_start`, `${key}_mid`, `${key}_end`],
    );
    fc.assert(
      fc.property(fc.array(colour, { minLength: keys.length, maxLength: keys.length }), (values) => {
        checkAlarms(parseTheme('any', theme(Object.fromEntries(keys.map((key, i) => [key, values[i] ?? ''])))));
      }),
      { numRuns: 200 },
    );
  });

  test.each(THEMES)('$name: a key is no label', (any) => {
    const { key, dim } = stylesOf(any, depth);
    expect([key.bold, dim.bold]).toEqual([true, false]);
    if (!isColourless(any)) expect(number(any, 'key')).not.toBe(number(any, 'dim'));
  });

  test.each(THEMES)('$name: what is chosen for it can be read', (any) => {
    const styles = stylesOf(any, depth);
    const seen = (colour: number) => (depth === 'true' ? colour : tableColour(reduceColour(colour, depth) as number));
    const ground = any.colours.main_bg ?? 0;
    // With 16 colours all are chosen here; with more, a theme is free to have a chosen row that is hard to read.
    const roles: readonly Role[] =
      depth === '16'
        ? ['text', 'dim', 'title', 'rx', 'tx', 'key', 'selected', 'paused', 'filtered', 'warn', 'error']
        : ['dim', 'title', 'rx', 'tx', 'key', 'warn', 'error'];
    for (const role of roles) {
      const { fg, bg } = styles[role];
      if (fg !== null) expect(contrast(seen(fg), seen(bg ?? ground)), `${any.name}: ${role}`).toBeGreaterThanOrEqual(3);
    }
  });
});

test('a meter runs through the gradient of the theme, in three steps out of 16 colours', () => {
  const steps = (any: Theme, depth: Depth) => METER.map((role) => reduceColour(stylesOf(any, depth)[role].fg, depth));
  const gruvbox = parseTheme('gruvbox', OTHERS['gruvbox'] ?? '');
  expect(steps(gruvbox, 'true')).toEqual([0x8ec07c, 0xabb058, 0xc8a133, 0xde8925, 0xed692c, 0xfb4934]);
  for (const any of THEMES.filter((one) => !isColourless(one))) {
    expect(new Set(steps(any, '16')).size, any.name).toBeLessThanOrEqual(3);
    expect(new Set(steps(any, 'none'))).toEqual(new Set([null]));
  }
});

test.each(OURS)('%s: what is wrong has the colours that the theme gives it', (name) => {
  const any = ourTheme(name);
  const styles = stylesOf(any, 'true');
  expect([styles.warn.fg, styles.error.fg]).toEqual([any.colours.process_mid, any.colours.process_end]);
});

test.each(DEPTHS)('received and sent differ in themes with one gradient for both, too: %s', (depth) => {
  for (const any of THEMES.filter((one) => !isColourless(one))) {
    const { rx, tx } = stylesOf(any, depth);
    expect(reduceColour(rx.fg, depth), any.name).not.toBe(reduceColour(tx.fg, depth));
  }
});

function isColourless({ colours }: Theme): boolean {
  return ['main_fg', 'hi_fg', 'download_start', 'cpu_start'].every((key) => colours[key as keyof typeof colours] === null);
}

function anyColour() {
  return fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);
}

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

  test('keeps every other colour of the theme: yellow, red, blue, grey, none; but an error is no warning', () => {
    expect(alarms('theme[process_mid]="#dcd179"', 'theme[process_end]="#d45454"')).toEqual([0xdcd179, 0xd45454]);
    expect(alarms('theme[process_mid]="#88c0d0"', 'theme[process_end]="#9a9a9a"')).toEqual([0x88c0d0, 0x9a9a9a]);
    expect(alarms('theme[process_start]=""', 'theme[process_mid]=""', 'theme[process_end]=""')).toEqual([null, 0xff5f5f]);
  });
});
