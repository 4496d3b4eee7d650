// Roles -> colours of a theme and attributes. Meaning is never in the colour alone: what matters is bold, underlined or reversed too.

import type { Depth } from './palette.ts';
import { ROLES, type Role } from './span.ts';
import { type Colour, gradient, type Theme } from './theme.ts';

/** How a role looks. */
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
    sorted: { ...plain, fg: colours.hi_fg, bold: true, underline: true },
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
    warn: { ...plain, fg: alarming(gradient(theme, 'process', 50), theme, 'warn'), bold: true },
    error: { ...plain, fg: alarming(gradient(theme, 'process', 100), theme, 'error'), bold: true },
  };
  if (blind) for (const role of ROLES) looks[role] = { ...looks[role], fg: null, bg: null };
  return looks;
}

/** Colours of our own themes, for the grounds of dark and of light ones. */
const ALARMS = { dark: { warn: 0xffaf5f, error: 0xff5f5f }, light: { warn: 0x875f00, error: 0xaf0000 } } as const;
/** Green as people call it: degrees of hue, and least share of saturation (HSL). */
const GREEN = { from: 75, to: 165, saturation: 0.2 } as const;

/** A theme's colour for what is wrong; ours where it has green there: nobody reads a warning in the colour of what is well. */
function alarming(colour: Colour, { colours }: Theme, role: 'warn' | 'error'): Colour {
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
