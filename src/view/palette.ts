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

/** Nearest of the 256 colours, as btop reckons it: greys on the grey ramp, the rest in the 6x6x6 cube. */
export function to256(colour: number): number {
  const red = colour >> 16;
  const green = (colour >> 8) & 255;
  const blue = colour & 255;
  const grey = Math.round(red / 11);
  if (grey === Math.round(green / 11) && grey === Math.round(blue / 11)) return 232 + grey;
  return 16 + Math.round(red / 51) * 36 + Math.round(green / 51) * 6 + Math.round(blue / 51);
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
  for (const [index, candidate] of SIXTEEN.entries()) {
    const red = (colour >> 16) - (candidate >> 16);
    const green = ((colour >> 8) & 255) - ((candidate >> 8) & 255);
    const blue = (colour & 255) - (candidate & 255);
    const distance = 2 * red * red + 4 * green * green + 3 * blue * blue; // the eye weighs green most
    if (distance < least) {
      least = distance;
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
