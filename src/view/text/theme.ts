// Themes: btop's format with every value form and fallback of btop_theme.cpp, colours as terminals can show them, and styles for roles.

import { ROLES, type Role } from './span.ts';

/** A colour: 0xRRGGBB, or null for the terminal's own. */
export type Colour = number | null;

/** Keys that are read, with btop's defaults. A gradient's `_mid` and `_end` may be empty: that stop is left out. */
const DEFAULTS = {
  main_bg: '#00',
  main_fg: '#cc',
  title: '#ee',
  hi_fg: '#b54040',
  selected_bg: '#6a2f2f',
  selected_fg: '#ee',
  inactive_fg: '#40',
  graph_text: '#60',
  meter_bg: '#40',
  proc_misc: '#0de756',
  cpu_box: '#556d59',
  mem_box: '#6c6c4b',
  net_box: '#5c588d',
  proc_box: '#805252',
  div_line: '#30',
  temp_start: '#4897d4',
  temp_mid: '#5474e8',
  temp_end: '#ff40b6',
  cpu_start: '#77ca9b',
  cpu_mid: '#cbc06c',
  cpu_end: '#dc4c4c',
  free_start: '#384f21',
  free_mid: '#b5e685',
  free_end: '#dcff85',
  cached_start: '#163350',
  cached_mid: '#74e6fc',
  cached_end: '#26c5ff',
  available_start: '#4e3f0e',
  available_mid: '#ffd77a',
  available_end: '#ffb814',
  used_start: '#592b26',
  used_mid: '#d9626d',
  used_end: '#ff4769',
  download_start: '#291f75',
  download_mid: '#4f43a3',
  download_end: '#b0a9de',
  upload_start: '#620665',
  upload_mid: '#7d4180',
  upload_end: '#dcafde',
  process_start: '#80d0a3',
  process_mid: '#dcd179',
  process_end: '#d45454',
  proc_pause_bg: '#b54040',
  proc_follow_bg: '#4040b5',
  proc_banner_bg: '#7b407b',
  proc_banner_fg: '#ee',
  followed_bg: '#4040b5',
  followed_fg: '#ee',
} as const;

/** A key of a theme. */
type ThemeKey = keyof typeof DEFAULTS;

/** Keys that another key stands in for before btop's default does. */
const STAND_INS: Partial<Record<ThemeKey, ThemeKey>> = {
  meter_bg: 'inactive_fg',
  graph_text: 'inactive_fg',
  process_start: 'cpu_start',
  process_mid: 'cpu_mid',
  process_end: 'cpu_end',
};

/** A theme: a colour for each key. */
export interface Theme {
  readonly name: string;
  readonly colours: Readonly<Record<ThemeKey, Colour>>;
  /** Values that were not understood, by line; their keys have btop's default. */
  readonly problems: readonly string[];
}

/** Largest theme file that is read, in characters. */
const THEME_MAX = 65_536;

/** Parses the text of a `.theme` file. Never throws: what it does not understand is listed in `problems`. */
export function parseTheme(name: string, text: string): Theme {
  const values = new Map<string, Colour>();
  const problems: string[] = [];
  for (const [index, line] of text.slice(0, THEME_MAX).split(/\r?\n/).entries()) {
    if (line.startsWith('#')) continue;
    const match = /\[([^\]]*)\][^=]*=\s*(?:"([^"]*)"?|(.*))/.exec(line);
    if (match === null) continue;
    const key = match[1] as string;
    if (!(key in DEFAULTS)) continue;
    const value = (match[2] ?? match[3] ?? '').trim();
    const colour = parseColour(value);
    if (colour === undefined)
      problems.push(`line ${index + 1}: ${key} has no colour "${value.slice(0, 24)}"; forms are #RRGGBB, #GG, "R G B" and ""`);
    else values.set(key, colour);
  }
  const colours = {} as Record<ThemeKey, Colour>;
  for (const key of Object.keys(DEFAULTS) as ThemeKey[]) {
    const standIn = STAND_INS[key];
    const own = values.get(key);
    if (own !== undefined) colours[key] = own;
    else if (standIn !== undefined && values.has(standIn)) colours[key] = values.get(standIn) as Colour;
    else colours[key] = parseColour(DEFAULTS[standIn ?? key]) as Colour;
  }
  return { name, colours, problems };
}

/** One value: `#RRGGBB`, `#GG` (grey), `R G B` (clamped to 255), empty for the terminal's own; undefined for anything else. */
export function parseColour(value: string): Colour | undefined {
  if (value === '') return null;
  const hex = /^#(?:([0-9a-f]{6})|([0-9a-f]{2}))$/i.exec(value);
  if (hex !== null) {
    if (hex[1] !== undefined) return Number.parseInt(hex[1], 16);
    return Number.parseInt(hex[2] as string, 16) * 0x010101;
  }
  const parts = /^(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})$/.exec(value);
  if (parts === null) return undefined;
  const [red, green, blue] = parts.slice(1).map((part) => Math.min(255, Number(part))) as [number, number, number];
  return (red << 16) | (green << 8) | blue;
}

/** Colour at `percent` (0 to 100) of a gradient: start to mid to end; without mid start to end, without end flat, as btop draws it. */
export function gradient(theme: Theme, name: 'cpu' | 'download' | 'upload' | 'process', percent: number): Colour {
  const start = theme.colours[`${name}_start`];
  const mid = theme.colours[`${name}_mid`];
  const end = theme.colours[`${name}_end`];
  if (start === null) return null;
  if (end === null) return start;
  if (mid === null) return mix(start, end, percent / 100);
  return percent <= 50 ? mix(start, mid, percent / 50) : mix(mid, end, (percent - 50) / 50);
}

function mix(from: number, to: number, share: number): number {
  const part = (shift: number) => {
    const a = (from >> shift) & 255;
    const b = (to >> shift) & 255;
    return Math.round(a + (b - a) * Math.min(1, Math.max(0, share))) << shift;
  };
  return part(16) | part(8) | part(0);
}

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

/** How a role looks. Meaning is never in the colour alone: what matters is also bold, underlined or reversed. */
export interface Style {
  readonly fg: Colour;
  readonly bg: Colour;
  readonly bold: boolean;
  readonly underline: boolean;
  readonly reverse: boolean;
}

/** A style for every role. */
export type Styles = Readonly<Record<Role, Style>>;

/** Styles of a theme. Where the terminal has no colours, or the theme no selection colours, the chosen row is reversed. */
export function stylesOf(theme: Theme, depth: Depth): Styles {
  const { colours } = theme;
  const plain: Style = { fg: colours.main_fg, bg: null, bold: false, underline: false, reverse: false };
  const blind = depth === 'none';
  const bare = blind || (colours.selected_bg === null && colours.selected_fg === null);
  const badge = (bg: Colour): Style => ({ ...plain, fg: colours.proc_banner_fg, bg, bold: true, reverse: blind || bg === null });
  const looks: Record<Role, Style> = {
    text: { ...plain, bg: colours.main_bg },
    dim: { ...plain, fg: colours.graph_text },
    title: { ...plain, fg: colours.title, bold: true },
    border: { ...plain, fg: colours.div_line },
    focus: { ...plain, fg: colours.net_box, bold: true },
    header: { ...plain, fg: colours.title },
    sorted: { ...plain, fg: colours.hi_fg, bold: true },
    rx: { ...plain, fg: gradient(theme, 'download', 100) },
    tx: { ...plain, fg: gradient(theme, 'upload', 100) },
    low: { ...plain, fg: gradient(theme, 'cpu', 0) },
    mid: { ...plain, fg: gradient(theme, 'cpu', 50) },
    high: { ...plain, fg: gradient(theme, 'cpu', 100) },
    name: { ...plain, fg: colours.title },
    accent: { ...plain, fg: colours.hi_fg, bold: true },
    key: { ...plain, fg: colours.hi_fg, bold: true },
    selected: { ...plain, fg: colours.selected_fg, bg: colours.selected_bg, bold: true, reverse: bare },
    pinned: { ...plain, fg: colours.proc_misc, bold: true },
    paused: badge(colours.proc_pause_bg),
    filtered: badge(colours.proc_banner_bg),
    warn: { ...plain, fg: alarmColour(gradient(theme, 'process', 50), theme, 'warn'), bold: true },
    error: { ...plain, fg: alarmColour(gradient(theme, 'process', 100), theme, 'error'), bold: true },
  };
  if (blind) for (const role of ROLES) looks[role] = { ...looks[role], fg: null, bg: null };
  return looks;
}

/** Colours of our own themes, for the grounds of dark and of light ones. */
const ALARMS = { dark: { warn: 0xffaf5f, error: 0xff5f5f }, light: { warn: 0x875f00, error: 0xaf0000 } } as const;
/** Green as people call it: degrees of hue, and least share of saturation (HSL). */
const GREEN = { from: 75, to: 165, saturation: 0.2 } as const;

/** A theme's colour for warnings and errors; ours when the theme's is green, which nobody reads as a warning. */
function alarmColour(colour: Colour, { colours }: Theme, role: 'warn' | 'error'): Colour {
  if (colour === null || !isGreen(colour)) return colour;
  const { main_bg: ground, main_fg: text } = colours;
  const isLight = ground === null ? text !== null && brightness(text) < 0.5 : brightness(ground) >= 0.5;
  return ALARMS[isLight ? 'light' : 'dark'][role];
}

function isGreen(colour: number): boolean {
  const [red, green, blue] = [colour >> 16, (colour >> 8) & 255, colour & 255] as [number, number, number];
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (most !== green || range === 0) return false;
  const hue = 120 + (60 * (blue - red)) / range;
  const sum = 2 * most - range;
  const saturation = range / (sum > 255 ? 510 - sum : sum);
  return hue >= GREEN.from && hue <= GREEN.to && saturation >= GREEN.saturation;
}

/** From 0 to 1, as the eye weighs the three (ITU-R BT.601). */
function brightness(colour: number): number {
  return (0.299 * (colour >> 16) + 0.587 * ((colour >> 8) & 255) + 0.114 * (colour & 255)) / 255;
}
