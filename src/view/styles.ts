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
    warn: { ...plain, fg: gradient(theme, 'process', 50), bold: true },
    error: { ...plain, fg: gradient(theme, 'process', 100), bold: true },
  };
  if (blind) for (const role of ROLES) looks[role] = { ...looks[role], fg: null, bg: null };
  return looks;
}
