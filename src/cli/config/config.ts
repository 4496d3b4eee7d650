// The effective configuration: flag, then NETMON_ variable, then file, then default, each value with the place it came from.

import { NetmonError } from '../../model/errors.ts';
import { place, quoted } from '../../net/quote.ts';
import { speaksUtf8 } from '../../tui/terminal.ts';
import type { CommandLine } from '../command-line.ts';
import { FLAGS } from '../flags.ts';
import { nearest } from '../nearest.ts';
import { type BudgetSettings, budgetSettings } from './budget-settings.ts';
import {
  type Environment,
  type FoundConfig,
  findConfig,
  type ScreenSettings,
  type Surroundings,
  screenSettings,
} from './find.ts';
import { type HistorySettings, historySettings } from './history-settings.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './settings.ts';
import type { ConfigFile, Sourced } from './values.ts';

/** Everything that is in force. */
export interface Config extends HistorySettings, BudgetSettings, ScreenSettings {
  readonly settings: { readonly [K in SettingName]: Sourced<Settings[K]> };
  /** MMDB files; null: the usual places. */
  readonly placeCountry: Sourced<string | null>;
  readonly placeAsn: Sourced<string | null>;
  /** Home folder of the user whose files count; null where it is not known. */
  readonly home: string | null;
  /** Entries as written, but paths of lists (`file:`) are absolute. */
  readonly categories: ReadonlyMap<string, Sourced<readonly string[]>>;
  readonly keys: ReadonlyMap<string, Sourced<readonly string[]>>;
  /** Path of the file that was read, null for none. */
  readonly path: string | null;
  /** One line each, for standard error. */
  readonly warnings: readonly string[];
}

const DEFAULT = 'default';

/**
 * Puts the configuration together.
 *
 * @throws NetmonError `usage` that names the flag, the variable, or the file and its line
 */
export async function loadConfig(line: CommandLine, surroundings: Surroundings): Promise<Config> {
  const asked = line.text('config') ?? (surroundings.env.NETMON_CONFIG || null);
  if (asked === '') throw new NetmonError('usage', '--config needs a path', 'type: netmon-tui --config PATH');
  const found = findConfig(asked, surroundings);
  // most runs have no file, and need neither the TOML reader nor the validator
  const file = found.file === null ? null : (await import('./config-file.ts')).readConfig(found.file.path, found.file.text);
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, settle(name, line, surroundings.env, file, found)]));
  return {
    settings: settings as unknown as Config['settings'],
    ...historySettings(line, surroundings, file, found, (path) => absolute(path, file?.path ?? '', found.owner.home)),
    ...budgetSettings(file),
    ...screenSettings(found, surroundings, asked),
    placeCountry: fromFile(file, ['place', 'country'], pathFrom(file, found, file?.place.country), null),
    placeAsn: fromFile(file, ['place', 'asn'], pathFrom(file, found, file?.place.asn), null),
    home: found.owner.home,
    categories: tableOf(file, 'categories', (entry) => listEntry(entry, file, found)),
    keys: tableOf(file, 'keys', (key) => key),
    path: file?.path ?? null,
    warnings: [...found.warnings, ...mistypedVariables(surroundings.env)],
  };
}

function settle<K extends SettingName>(
  name: K,
  line: CommandLine,
  env: Environment,
  file: ConfigFile | null,
  found: FoundConfig,
): Sourced<Settings[K]> {
  const setting = SETTINGS[name];
  const flag = flagTexts(name, line);
  if (flag !== null) {
    const value = setting.fromTexts(flag.texts);
    if (value === undefined)
      throw new NetmonError(
        'usage',
        `${flag.typed} ${quoted(flag.texts.join(' '))} is not ${setting.noun}`,
        `type for example: ${flag.typed} ${setting.example}`,
      );
    return { value, origin: `flag ${flag.typed}` };
  }
  const variable = variableOf(name);
  const text = env[variable];
  if (text !== undefined && text !== '') {
    const value = setting.fromTexts(name === 'interface' ? text.split(',').map((part) => part.trim()) : [text]);
    if (value === undefined)
      throw new NetmonError(
        'usage',
        `${variable}=${quoted(text)} is not ${setting.noun}`,
        `for example ${variable}=${setting.example}`,
      );
    return { value, origin: variable };
  }
  const texts = file?.settings[name];
  if (file !== null && texts !== undefined) {
    const resolved = name === 'theme' ? texts.map((one) => themePath(one, file.path, found.owner.home)) : texts;
    return { value: setting.fromTexts(resolved) as Settings[K], origin: place(file.path, file.lines.lineOf([name])) };
  }
  // https://no-color.org: any value but the empty one; a flag or a setting of our own overrides it
  if (name === 'color' && (env.NO_COLOR ?? '') !== '') return { value: false as Settings[K], origin: 'NO_COLOR' };
  if (name === 'ascii' && !speaksUtf8(env)) return { value: true as Settings[K], origin: 'locale' };
  return { value: setting.initial, origin: DEFAULT };
}

/** What the flags say about a setting. Two flags that contradict each other are refused. */
function flagTexts(name: SettingName, line: CommandLine): { typed: string; texts: readonly string[] } | null {
  const [flag, other] = FLAGS.filter(
    ({ sets, name: long, value }) => sets?.setting === name && (value === null ? line.has(long) : line.text(long) !== null),
  );
  if (flag === undefined) return null;
  if (other !== undefined)
    throw new NetmonError('usage', `--${flag.name} and --${other.name} contradict each other`, `leave one of them out`);
  return {
    typed: `--${flag.name}`,
    texts: flag.sets?.to === null || flag.sets === null ? line.texts(flag.name) : [flag.sets.to],
  };
}

/** A theme's path in a file is meant from that file's folder, `~/` from its owner's home. A name without a slash stays. */
function themePath(theme: string, file: string, home: string | null): string {
  return theme.includes('/') ? absolute(theme, file, home) : theme;
}

function absolute(path: string, file: string, home: string | null): string {
  if (path.startsWith('/')) return path;
  if (path.startsWith('~/') && home !== null) return home + path.slice(1);
  const folder = file.slice(0, Math.max(0, file.lastIndexOf('/')));
  return folder === '' ? path : `${folder}/${path}`;
}

function pathFrom(file: ConfigFile | null, { owner }: FoundConfig, path: string | undefined): string | undefined {
  return path === undefined ? undefined : absolute(path, file?.path ?? '', owner.home);
}

function listEntry(entry: string, file: ConfigFile | null, { owner }: FoundConfig): string {
  return entry.startsWith('file:') ? `file:${absolute(entry.slice(5), file?.path ?? '', owner.home)}` : entry;
}

function fromFile<T>(file: ConfigFile | null, path: readonly string[], value: T | undefined, initial: T): Sourced<T> {
  if (file === null || value === undefined) return { value: initial, origin: DEFAULT };
  return { value, origin: place(file.path, file.lines.lineOf(path)) };
}

function tableOf(
  file: ConfigFile | null,
  name: 'categories' | 'keys',
  entry: (text: string) => string,
): ReadonlyMap<string, Sourced<readonly string[]>> {
  return new Map(
    Object.entries(file?.[name] ?? {}).map(([key, value]) => [
      key,
      { value: value.map(entry), origin: place(file?.path ?? '', file?.lines.lineOf([name, key]) ?? 1) },
    ]),
  );
}

// Names of the NETMON_ variables. One that is nearly a name of ours would be passed over in silence: it is told.

/** Those that are no settings. */
const OTHERS = ['NETMON_CONFIG', 'NETMON_HISTORY', 'NETMON_DEBUG'];
const MOST_TOLD = 5;

/** `NETMON_REVERSE_DNS` of `reverse-dns`. */
export function variableOf(setting: SettingName): string {
  return `NETMON_${setting.toUpperCase().replaceAll('-', '_')}`;
}

/** A line for each variable that was probably meant as one of ours; other programs may have NETMON_ variables of their own. */
export function mistypedVariables(env: Environment): string[] {
  const ours = [...SETTING_NAMES.map(variableOf), ...OTHERS];
  const strange = Object.keys(env).filter((name) => name.startsWith('NETMON_') && !ours.includes(name) && env[name] !== '');
  const meant = strange.flatMap((name) => {
    const near = nearest(name, ours);
    return near === null ? [] : [`the variable ${quoted(name)} sets nothing; did you mean ${near}?`];
  });
  return meant.slice(0, MOST_TOLD);
}
