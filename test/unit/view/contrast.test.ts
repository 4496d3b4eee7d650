// Our own themes can be read: every role stands out from its ground by 4.5:1 (WCAG 2.2, 1.4.3), in 24 bits and in 256 colours.

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { reduceColour, tableColour } from '../../../src/view/text/colours.ts';
import { ROLES } from '../../../src/view/text/span.ts';
import { stylesOf } from '../../../src/view/text/styles.ts';
import { ourTheme } from '../../support/terminal.ts';

const LEAST = 4.5;
/** Grounds of terminals whose own background a theme leaves as it is: black, and the dark grey of many. */
const DARK = [0x000000, 0x1e1e1e];
const names = readdirSync(new URL('../../../themes', import.meta.url)).map((file) => file.replace(/\.theme$/, ''));

/** Relative luminance of an sRGB colour. */
function luminance(colour: number): number {
  const [red, green, blue] = [colour >> 16, (colour >> 8) & 255, colour & 255].map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: number, b: number): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function seen(colour: number, depth: 'true' | '256'): number {
  return depth === 'true' ? colour : tableColour(reduceColour(colour, '256') as number);
}

test('contrast is that of the standard', () => {
  expect(contrast(0xffffff, 0x000000)).toBe(21);
  expect(contrast(0x767676, 0xffffff)).toBeCloseTo(4.54, 2);
});

test('there are five', () => {
  expect(names.sort()).toEqual(['contrast', 'dusk', 'light', 'mono', 'netmon']);
});

describe.each(names)('%s', (name) => {
  const theme = ourTheme(name);

  test('has a value for each key, and each is understood', () => {
    expect(theme.problems).toEqual([]);
  });

  for (const depth of ['true', '256'] as const)
    test(`stands out in every role, ${depth}`, () => {
      const styles = stylesOf(theme, depth);
      const grounds = theme.colours.main_bg === null ? DARK : [theme.colours.main_bg];
      const weak = ROLES.flatMap((role) => {
        const { fg, bg } = styles[role];
        if (fg === null) return []; // the terminal's own, on the terminal's own
        return (bg === null ? grounds : [bg])
          .map((ground) => ({ role, ratio: contrast(seen(fg, depth), seen(ground, depth)) }))
          .filter(({ ratio }) => ratio < LEAST);
      });
      expect(weak).toEqual([]);
    });

  test('a text has a colour wherever its ground has one', () => {
    const styles = stylesOf(theme, 'true');
    for (const role of ROLES) if (styles[role].bg !== null) expect(styles[role].fg, role).not.toBeNull();
  });
});
