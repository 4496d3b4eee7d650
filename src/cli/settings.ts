// Settings: what may be set by a flag, by a NETMON_ variable and in the configuration file alike. One table; each entry knows what
// it accepts, and says so in a user's words. Pure.

import { UNIT_MODES, type UnitMode } from '../view/format.ts';
import { parseDuration } from './duration.ts';
import { DRIVER_CHOICES, type DriverChoice } from './options.ts';

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
export interface Setting<T> {
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
