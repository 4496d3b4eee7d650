// How each role looks in a theme, at the depth of the terminal. A theme decides, but not that a warning looks like traffic, nor a key like its label.

import {
  apart,
  type Colour,
  contrast,
  type Depth,
  isGreen,
  isOneHue,
  luminance,
  mix,
  reduceColour,
  SIXTEEN,
  standIn,
  tableColour,
  to16,
} from './colours.ts';
import { METER, ROLES, type Role } from './span.ts';
import { gradient, type Theme } from './theme.ts';

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

/** Colours of text by what it is; grounds are apart. */
interface Palette {
  readonly text: Colour;
  readonly dim: Colour;
  readonly title: Colour;
  readonly border: Colour;
  readonly focus: Colour;
  readonly key: Colour;
  readonly pinned: Colour;
  readonly rx: Colour;
  readonly tx: Colour;
  readonly spark: Colour;
  readonly meter: readonly Colour[];
  readonly warn: Colour;
  readonly error: Colour;
}

/** Styles of a theme. Where the terminal has no colours, or the theme no selection colours, the chosen row is reversed. */
export function stylesOf(theme: Theme, depth: Depth): Styles {
  const { colours } = theme;
  const blind = depth === 'none' || isColourless(theme);
  const bare = blind || (colours.selected_bg === null && colours.selected_fg === null);
  const palette = depth === '16' ? paletteOf16(theme) : paletteOf(theme, depth);
  const plain: Style = { fg: palette.text, bg: null, bold: false, underline: false, reverse: false };
  const on = (fg: Colour, bg: Colour): { readonly fg: Colour; readonly bg: Colour } =>
    depth === '16' ? onGround16(fg, bg) : { fg, bg };
  const badge = (bg: Colour): Style => ({
    ...plain,
    ...on(colours.proc_banner_fg, bg),
    bold: true,
    reverse: blind || bg === null,
  });
  const looks: Record<Role, Style> = {
    text: { ...plain, bg: colours.main_bg },
    dim: { ...plain, fg: palette.dim },
    title: { ...plain, fg: palette.title, bold: true },
    border: { ...plain, fg: palette.border },
    focus: { ...plain, fg: palette.focus, bold: true },
    header: plain,
    sorted: { ...plain, fg: palette.key, bold: true },
    rx: { ...plain, fg: palette.rx, bold: blind },
    tx: { ...plain, fg: palette.tx, bold: blind },
    spark: { ...plain, fg: palette.spark },
    ...(Object.fromEntries(METER.map((role, step) => [role, { ...plain, fg: palette.meter[step] ?? null }])) as Record<
      (typeof METER)[number],
      Style
    >),
    name: { ...plain, fg: palette.title, bold: true },
    accent: { ...plain, fg: palette.key, bold: true },
    key: { ...plain, fg: palette.key, bold: true },
    selected: { ...plain, ...on(colours.selected_fg, colours.selected_bg), bold: true, reverse: bare },
    pinned: { ...plain, fg: palette.pinned, bold: true },
    paused: badge(colours.proc_pause_bg),
    filtered: badge(colours.proc_banner_bg),
    warn: { ...plain, fg: palette.warn, bold: true, underline: blind },
    error: { ...plain, fg: palette.error, bold: true, reverse: blind },
  };
  if (blind) for (const role of ROLES) looks[role] = { ...looks[role], fg: null, bg: null };
  return looks;
}

/** Whether a theme leaves everything in the terminal's own colour. */
function isColourless({ colours }: Theme): boolean {
  const { main_fg, title, hi_fg, graph_text, download_start, upload_start, cpu_start, process_start } = colours;
  return [main_fg, title, hi_fg, graph_text, download_start, upload_start, cpu_start, process_start].every((one) => one === null);
}

/** Whether text of a theme stands on a light ground. */
function isLight({ colours: { main_bg: ground, main_fg: text } }: Theme): boolean {
  return ground === null ? text !== null && luminance(text) < MIDDLE : luminance(ground) >= MIDDLE;
}

/** Luminance that looks halfway between black and white. */
const MIDDLE = 0.18;
/** Least contrast of what is chosen here. */
const LEAST_CONTRAST = 3;
const LEAST_CONTRAST_BLOCKS = 1.9;
/** Least distance between a warning and what it must not be taken for. */
const LEAST_APART = 70;

/** Colours of warnings and errors on dark grounds and on light ones; of the 16, the other one of the hue comes second. */
const ALARMS = { dark: { warn: 0xffaf5f, error: 0xff5f5f }, light: { warn: 0x875f00, error: 0xaf0000 } } as const;
const ALARMS_16 = { dark: { warn: [11, 3], error: [9, 1] }, light: { warn: [9], error: [1] } } as const;

/** What the table of 256 has in all hues. */
const TABLE: readonly number[] = Array.from({ length: 216 }, (_, index) => tableColour(16 + index));

/** Places in the gradients of received and sent bytes, the usual first: many themes have one gradient for both. */
const PLACES = [
  [100, 100],
  [0, 50],
  [0, 100],
  [50, 100],
  [50, 0],
] as const;

/** What the figures and pictures of traffic are drawn in. */
function seriesOf(theme: Theme, steps: number, depth: Depth) {
  const step = (index: number): number => (Math.floor((index * steps) / METER.length) * 100) / (steps - 1);
  const pairs = PLACES.map(([down, up]) => [gradient(theme, 'download', down), gradient(theme, 'upload', up)] as const);
  const [rx = null, tx = null] = pairs.find(([down, up]) => isTold(down, up, depth)) ?? pairs[0] ?? [];
  return {
    rx,
    tx,
    spark: gradient(theme, 'cpu', 0),
    meter: METER.map((_, index) => gradient(theme, 'cpu', step(index))),
  };
}

function paletteOf(theme: Theme, depth: Depth): Palette {
  const { colours } = theme;
  const ground = seen(groundOf(theme), depth);
  const ink = colours.main_fg ?? (isLight(theme) ? 0x000000 : 0xffffff);
  /** A colour of the theme, mixed with that of its text until it can be read. */
  const legible = (own: Colour): Colour => {
    for (let share = 0; own !== null && share < 1; share += 0.1) {
      const mixed = mix(own, ink, share);
      if (contrast(seen(mixed, depth), ground) >= LEAST_CONTRAST) return mixed;
    }
    return own;
  };
  const { rx, tx, spark, meter } = seriesOf(theme, METER.length, depth);
  const series = { rx: legible(rx), tx: legible(tx), spark, meter };
  const dim = legible(colours.graph_text);
  const bright = [colours.hi_fg, colours.title, colours.main_fg].map(legible);
  const key = bright.find((colour) => isTold(colour, dim, depth));
  const words = { text: colours.main_fg, title: legible(colours.title), dim, key: key === undefined ? colours.hi_fg : key };
  const ours = ALARMS[isLight(theme) ? 'light' : 'dark'];
  /** The theme's own colour, else ours, else what is nearest to ours; in each case one that is taken for nothing else. */
  const alarm = (own: Colour, usual: number, others: readonly Colour[]): Colour => {
    const isFree = (colour: Colour): boolean =>
      [...others, ...Object.values(words), ...meter, spark].every(
        (other) => reduceColour(other, depth) !== reduceColour(colour, depth),
      ) &&
      (colour === null ||
        (contrast(seen(colour, depth), ground) >= LEAST_CONTRAST &&
          others.every((other) => other === null || apart(other, colour) >= LEAST_APART) &&
          Object.values(words).every((other) => isTold(other, colour, depth))));
    if ((own === null || !isGreen(own)) && isFree(own)) return own;
    const near = [usual, ...TABLE].sort((a, b) => apart(a, usual) - apart(b, usual));
    return near.find((colour) => !isGreen(colour) && isFree(colour)) ?? near.find((colour) => isFree(colour)) ?? usual;
  };
  const warn = alarm(gradient(theme, 'process', 50), ours.warn, [series.rx, series.tx]);
  const error = alarm(gradient(theme, 'process', 100), ours.error, [series.rx, series.tx, warn]);
  return {
    ...words,
    border: colours.div_line,
    focus: colours.net_box,
    pinned: legible(colours.proc_misc),
    ...series,
    warn,
    error,
  };
}

/** A colour as the terminal shows it. */
function seen(colour: number, depth: Depth): number {
  return depth === 'true' ? colour : tableColour(reduceColour(colour, depth) ?? 0);
}

/** The ground that text stands on, as far as a theme tells. */
function groundOf(theme: Theme): number {
  return theme.colours.main_bg ?? (isLight(theme) ? 0xffffff : 0x000000);
}

/**
 * The palette out of 16 colours. Two hues are kept for what is wrong, nothing else has them; the labels of keys have a grey of their own.
 */
function paletteOf16(theme: Theme): Palette {
  const { colours } = theme;
  const ground = SIXTEEN[to16(groundOf(theme))] as number;
  const readable = SIXTEEN.filter((colour) => contrast(colour, ground) >= LEAST_CONTRAST);
  const alarms = ALARMS_16[isLight(theme) ? 'light' : 'dark'];
  const colour = (number: number): number => SIXTEEN[number] as number;
  const alarm = (numbers: readonly number[], other: number | null): number =>
    [...numbers.map(colour).filter((one) => readable.includes(one)), ...readable, ...SIXTEEN].find((one) => one !== other) ?? 0;
  const warn = alarm(alarms.warn, null);
  const error = alarm(alarms.error, warn);
  const kept = [warn, error, ...[...alarms.warn, ...alarms.error].map(colour)];
  const others = readable.filter((one) => !kept.includes(one));
  const free = others.length > 2 ? others : SIXTEEN.filter((one) => !kept.includes(one));
  const grey = free.find((one) => one === colour(8)) ?? standIn(0x7f7f7f, free);
  const bright = free.filter((one) => one !== grey);
  const shown = (own: Colour, among: readonly number[], needsHue = false): Colour =>
    own === null ? null : standIn(own, among, needsHue);
  const { rx, tx, spark, meter } = seriesOf(theme, 3, '16');
  const received = shown(rx, bright, true);
  const rest = bright.filter((one) => received === null || !isOneHue(one, received));
  // Blocks are seen where letters can't be read.
  const blocks = SIXTEEN.filter((one) => contrast(one, ground) >= LEAST_CONTRAST_BLOCKS && !kept.includes(one) && one !== grey);
  return {
    text: shown(colours.main_fg, bright),
    dim: colours.graph_text === null ? null : grey,
    title: shown(colours.title, bright),
    border: colours.div_line === null ? null : grey,
    focus: shown(colours.net_box, bright, true),
    key: shown(colours.hi_fg, bright),
    pinned: shown(colours.proc_misc, bright),
    rx: received,
    tx: shown(tx, rest.length > 0 ? rest : bright, true),
    spark: shown(spark, bright, true),
    meter: meter.map((own) => shown(own, blocks.length > 0 ? blocks : bright, true)),
    warn,
    error,
  };
}

/** A ground out of 16 colours, and black or white on it where the theme's text can't be read there. */
function onGround16(fg: Colour, bg: Colour): { readonly fg: Colour; readonly bg: Colour } {
  if (bg === null) return { fg: fg === null ? null : standIn(fg, SIXTEEN), bg };
  const ground = standIn(bg, SIXTEEN);
  const text = fg === null ? null : standIn(fg, SIXTEEN);
  if (text !== null && contrast(text, ground) >= LEAST_CONTRAST) return { fg: text, bg: ground };
  const [black, white] = [SIXTEEN[0] as number, SIXTEEN[15] as number];
  return { fg: contrast(black, ground) >= contrast(white, ground) ? black : white, bg: ground };
}

/** Whether two colours are told apart at a glance. */
function isTold(a: Colour, b: Colour, depth: Depth): boolean {
  if (a === null || b === null) return a !== b;
  return reduceColour(a, depth) !== reduceColour(b, depth) && apart(a, b) >= LEAST_APART / 2;
}
