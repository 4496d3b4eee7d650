// Themes: btop's format with every value form and fallback of btop_theme.cpp.

import { type Colour, mix } from './colours.ts';

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
