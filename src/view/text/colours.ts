// Colours as terminals can show them: 24 bits, the 256-colour table, or 16; what is nearest to what, and what can be read on what.

/** A colour: 0xRRGGBB, or null for the terminal's own. */
export type Colour = number | null;

/** How many colours the terminal shows: 24 bits, the 256-colour table, 16 colours, or none. */
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

/** xterm's 16 colours. */
export const SIXTEEN: readonly number[] = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
  0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

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

/** How far apart two colours look: 0 to 765. The eye weighs green most. */
export function apart(a: number, b: number): number {
  const [red, green, blue] = channels(a);
  const [otherRed, otherGreen, otherBlue] = channels(b);
  return Math.sqrt(2 * (red - otherRed) ** 2 + 4 * (green - otherGreen) ** 2 + 3 * (blue - otherBlue) ** 2);
}

/** The colour that a number of the 256-colour table stands for; the first 16 as xterm has them. */
export function tableColour(number: number): number {
  if (number < 16) return SIXTEEN[number] as number;
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

/** Nearest of the 16 colours. */
export function to16(colour: number): number {
  return nearest(SIXTEEN, (candidate) => apart(candidate, colour));
}

/** Index of the item with the least value. */
function nearest<T>(items: readonly T[], measure: (item: T) => number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, item] of items.entries()) {
    const value = measure(item);
    if (value < least) {
      least = value;
      best = index;
    }
  }
  return best;
}

/** Saturation (HSV) from which on a colour has a hue worth keeping. */
const COLOURED = 0.2;
/** Degrees of hue beyond which another colour is no stand-in. */
const HUE_MOST = 45;

/**
 * The colour among `allowed` (some of the 16) that stands for another: of its hue, however pale it is. The nearest of the 16 would be grey
 * for most colours of a theme, since all that are no grey are as strong as a terminal can draw them.
 *
 * @param needsHue a colour takes the nearest hue, however far; else a grey, where no hue is near
 */
export function standIn(colour: number, allowed: readonly number[], needsHue = false): number {
  const { hue, saturation } = hueOf(colour);
  const greys = allowed.filter((one) => hueOf(one).saturation < COLOURED);
  const hues = allowed.filter((one) => hueOf(one).saturation >= COLOURED);
  const turn = (one: number): number => {
    const away = Math.abs(hueOf(one).hue - hue);
    return Math.min(away, 360 - away);
  };
  const tone = (one: number): number => Math.abs(luminance(one) - luminance(colour));
  const byHue = hues[nearest(hues, (one) => turn(one) + tone(one) * 40)];
  const byTone = greys[nearest(greys, tone)];
  const keepsHue = byHue !== undefined && saturation >= COLOURED && (needsHue || turn(byHue) <= HUE_MOST);
  return keepsHue ? byHue : (byTone ?? byHue ?? colour);
}

/** Whether two of the 16 are the two of one hue, or two greys. */
export function isOneHue(a: number, b: number): boolean {
  const [one, other] = [hueOf(a), hueOf(b)];
  return Math.abs(one.hue - other.hue) < 1 && one.saturation < COLOURED === other.saturation < COLOURED;
}

function hueOf(colour: number): { readonly hue: number; readonly saturation: number } {
  const [red, green, blue] = channels(colour);
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range === 0) return { hue: 0, saturation: 0 };
  const sixth = most === red ? (green - blue) / range : most === green ? 2 + (blue - red) / range : 4 + (red - green) / range;
  return { hue: (60 * sixth + 360) % 360, saturation: range / most };
}

/** Green as people call it: degrees of hue, and least saturation. */
const GREEN = { from: 75, to: 165, saturation: 0.2 } as const;

/** Whether people call it green. */
export function isGreen(colour: number): boolean {
  const { hue, saturation } = hueOf(colour);
  return hue >= GREEN.from && hue <= GREEN.to && saturation >= GREEN.saturation;
}

/** Relative luminance, 0 to 1 (WCAG 2.2). */
export function luminance(colour: number): number {
  const [red, green, blue] = channels(colour).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2, 1.4.3). */
export function contrast(a: number, b: number): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Colour as the terminal's number at this depth; null for the terminal's own. With 24 bits it is the colour itself. */
export function reduceColour(colour: Colour, depth: Depth): number | null {
  if (colour === null || depth === 'none') return null;
  return depth === 'true' ? colour : depth === '256' ? to256(colour) : to16(colour);
}

/** A colour between two, `share` (0 to 1) of the way. */
export function mix(from: number, to: number, share: number): number {
  const part = (shift: number) => {
    const a = (from >> shift) & 255;
    const b = (to >> shift) & 255;
    return Math.round(a + (b - a) * Math.min(1, Math.max(0, share))) << shift;
  };
  return part(16) | part(8) | part(0);
}
