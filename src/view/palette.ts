// Colours as a terminal can show them: 24 bits, the 256-colour cube, 16 colours, or none.

import type { Colour } from './theme.ts';

/** How many colours are sent. */
export type Depth = 'true' | '256' | '16' | 'none';

/** Depth that the environment asks for: NO_COLOR (non-empty), then COLORTERM, then TERM. */
export function depthOf(env: Readonly<Record<string, string | undefined>>): Depth {
  if ((env['NO_COLOR'] ?? '') !== '') return 'none';
  const term = (env['TERM'] ?? '').toLowerCase();
  if (term === 'dumb' || term === '') return 'none';
  if (/^(?:truecolor|24bit)$/i.test(env['COLORTERM'] ?? '') || term.endsWith('-direct')) return 'true';
  if (term.includes('256') || /^(?:xterm-kitty|xterm-ghostty|alacritty|foot|wezterm)/.test(term)) return '256';
  return term.startsWith('vt') ? 'none' : '16';
}

/** Levels of a channel in the 6x6x6 cube (xterm-256color). */
const CUBE = [0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff];

function channels(colour: number): readonly [number, number, number] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function distance(a: number, b: number): number {
  const [red, green, blue] = channels(a);
  const [otherRed, otherGreen, otherBlue] = channels(b);
  return (red - otherRed) ** 2 + (green - otherGreen) ** 2 + (blue - otherBlue) ** 2;
}

/** The colour that a number of the 256-colour table from 16 on stands for. */
export function tableColour(number: number): number {
  if (number >= 232) return (8 + 10 * (number - 232)) * 0x010101;
  const cube = number - 16;
  return (
    ((CUBE[Math.floor(cube / 36)] as number) << 16) |
    ((CUBE[Math.floor(cube / 6) % 6] as number) << 8) |
    (CUBE[cube % 6] as number)
  );
}

/** Nearest of the 256 colours: in the cube, or on the grey ramp where that is nearer. */
export function to256(colour: number): number {
  const level = (channel: number): number => {
    let best = 0;
    for (const [index, value] of CUBE.entries())
      if (Math.abs(value - channel) < Math.abs((CUBE[best] as number) - channel)) best = index;
    return best;
  };
  const [red, green, blue] = channels(colour);
  const cube = 16 + 36 * level(red) + 6 * level(green) + level(blue);
  const grey = 232 + Math.min(23, Math.max(0, Math.round(((red + green + blue) / 3 - 8) / 10)));
  return distance(tableColour(grey), colour) < distance(tableColour(cube), colour) ? grey : cube;
}

/** xterm's 16 colours. */
const SIXTEEN: readonly number[] = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
  0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

/** Nearest of the 16 colours. */
export function to16(colour: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  const [red, green, blue] = channels(colour);
  for (const [index, candidate] of SIXTEEN.entries()) {
    const [otherRed, otherGreen, otherBlue] = channels(candidate);
    const away = 2 * (red - otherRed) ** 2 + 4 * (green - otherGreen) ** 2 + 3 * (blue - otherBlue) ** 2; // the eye weighs green most
    if (away < least) {
      least = away;
      best = index;
    }
  }
  return best;
}

/** Colour as the terminal's number at this depth; null for the terminal's own. With 24 bits it is the colour itself. */
export function reduceColour(colour: Colour, depth: Depth): number | null {
  if (colour === null || depth === 'none') return null;
  return depth === 'true' ? colour : depth === '256' ? to256(colour) : to16(colour);
}
