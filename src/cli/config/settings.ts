// Settings: what may be set by a flag, by a NETMON_ variable and in the configuration file alike. One table; each entry knows what
// it accepts, and says so in a user's words. Pure.

import { DRIVER_CHOICES, type DriverChoice, UNIT_MODES, type UnitMode } from '../../model/options.ts';

/** Values of all settings. */
export interface Settings {
  readonly interface: readonly string[];
  readonly interval: number;
  readonly bpf: string | null;
  readonly driver: DriverChoice;
  readonly filter: string | null;
  readonly theme: string;
  readonly units: UnitMode;
  readonly ascii: boolean;
  readonly color: boolean;
  readonly mouse: boolean | null;
  readonly names: boolean;
  readonly 'reverse-dns': boolean;
}
/** As the configuration file writes it. */
export type SettingName = keyof Settings;

/** One setting: its default and what it takes. */
interface Setting<T> {
  readonly initial: T;
  /** What it must be, to follow "is not". */
  readonly noun: string;
  /** A value that is accepted, as typed after the flag. */
  readonly example: string;
  /** True where the configuration file writes true or false. */
  readonly isToggle: boolean;
  /** The value of a text, undefined where it is none. A list has one text for each entry. */
  fromTexts(texts: readonly string[]): T | undefined;
}

const TEXT_LIMIT = 4096;
const INTERFACE_LIMIT = 64;
const HOUR_MS = 3_600_000;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** All settings, in the order in which they are printed. */
export const SETTINGS: { readonly [K in SettingName]: Setting<Settings[K]> } = {
  interface: {
    initial: [],
    noun: 'the name of an interface, or several (`any` stands alone)',
    example: 'en0',
    isToggle: false,
    fromTexts: interfaceNames,
  },
  interval: {
    ...single('a duration from 100ms to 1h', '2s', 1000, (text) => {
      const ms = parseDuration(text);
      return ms !== null && ms >= 100 && ms <= HOUR_MS ? ms : undefined;
    }),
  },
  bpf: expression('a capture filter of one line', "'tcp port 443'"),
  driver: choice(DRIVER_CHOICES, 'auto'),
  filter: expression('a filter of one line', 'app:curl'),
  theme: single('the name or the path of a theme', 'light', 'auto', (text) => (plain(text, 1024) ? text : undefined)),
  units: choice(UNIT_MODES, 'bytes'),
  ascii: toggle(false),
  color: toggle(true),
  mouse: toggle<boolean | null>(null),
  names: toggle(true),
  'reverse-dns': toggle(false),
};

/** Names of all settings, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

function single<T>(noun: string, example: string, initial: T, read: (text: string) => T | undefined): Setting<T> {
  const fromTexts = (texts: readonly string[]) => (texts.length === 1 ? read(texts[0] as string) : undefined);
  return { initial, noun, example, isToggle: false, fromTexts };
}

function choice<T extends string>(choices: readonly T[], initial: T): Setting<T> {
  const read = (text: string) => choices.find((one) => one === text);
  return single(`one of ${choices.join(', ')}`, choices[1] as string, initial, read);
}

/** An expression that its own compiler checks later; empty is none, so that a flag can undo what the file says. */
function expression(noun: string, example: string): Setting<string | null> {
  return single<string | null>(noun, example, null, (text) => {
    if (text.trim() === '') return null;
    return plain(text, TEXT_LIMIT) ? text : undefined;
  });
}

function toggle<T extends boolean | null>(initial: T): Setting<T | boolean> {
  const read = (text: string) => {
    if (/^(1|true|yes|on)$/i.test(text)) return true;
    return /^(0|false|no|off)$/i.test(text) ? false : undefined;
  };
  return { ...single<T | boolean>('true or false', 'true', initial, read), isToggle: true };
}

function interfaceNames(texts: readonly string[]): readonly string[] | undefined {
  const names = [...new Set(texts)];
  if (names.length > INTERFACE_LIMIT || names.some((name) => !plain(name, 128) || /\s/.test(name) || name.startsWith('-')))
    return undefined;
  return names.includes('any') && names.length > 1 ? undefined : names;
}

function plain(text: string, limit: number): boolean {
  return text !== '' && text.length <= limit && !CONTROL.test(text);
}

// Durations as a user writes them (500ms, 2s, 1m) and as the program keeps them, in milliseconds. Pure.

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Milliseconds of a text such as `500ms`, `1.5s` or `2m`; null when it is none. A number without a unit is none. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s?(ms|[smhd])$/.exec(text.trim());
  if (match === null) return null;
  const factor = UNITS.find(([unit]) => unit === match[2])?.[1] as number;
  return Math.round(Number(match[1]) * factor);
}

/** The shortest text that `parseDuration` reads back to the same milliseconds. */
export function formatDuration(ms: number): string {
  const [unit, factor] = UNITS.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
}
