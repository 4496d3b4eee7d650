// The settings in force: flag, then NETMON_ variable, then configuration file, then default, each with the place that it came from. Opens
// nothing but the configuration file.

import { NetmonError } from '../../model/errors.ts';
import type { AlertRule } from '../../model/options.ts';
import { place, quoted } from '../../net/quote.ts';
import { absolutePath } from '../../system/files.ts';
import { speaksUtf8 } from '../../tui/terminal.ts';
import type { CommandLine } from '../command-line.ts';
import { nearest } from '../nearest.ts';
import type { ConfigFile } from './config-file.ts';
import { findConfig } from './find.ts';
import { OPTIONS, SETTING_NAMES, SETTINGS, type Setting, type SettingName, type Settings } from './settings.ts';
import { type Environment, fileOwner, ownerOf, type Surroundings, userFile } from './surroundings.ts';

/** A value and where it came from: `flag --interval`, `NETMON_INTERVAL`, `PATH:LINE` or `default`. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: string;
}

/** Everything that is in force. Paths are absolute. */
export interface Config {
  readonly settings: { readonly [K in SettingName]: Sourced<Settings[K]> };
  /** Entries as written, but paths of lists (`file:`) are absolute. */
  readonly categories: ReadonlyMap<string, Sourced<readonly string[]>>;
  readonly keys: ReadonlyMap<string, Sourced<readonly string[]>>;
  /** Groups of machines, by name. */
  readonly groups: ReadonlyMap<string, Sourced<readonly string[]>>;
  /** Rules of alerts; only the file has any. */
  readonly rules: readonly Sourced<AlertRule>[];
  /** Home folder of the user whose files count; null if it is not known. */
  readonly home: string | null;
  /** Folder of what is kept for the user; null without a home folder. */
  readonly dataFolder: string | null;
  /** Where history is unless a path is set; null without a home folder. */
  readonly historyDefault: string | null;
  /** Where the screen saves its state; null for nowhere. */
  readonly screenState: string | null;
  /** Who is to own what is written; null if the process is that user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Folder of what runs keep for one another; null without a home folder. */
  readonly stateFolder: string | null;
  /** The file that was read, null for none. */
  readonly path: string | null;
  /** Why others could have written that file, after its path; null if nobody could. */
  readonly risk: string | null;
  /** One line each, for standard error. */
  readonly warnings: readonly string[];
}

/**
 * Puts the configuration together.
 *
 * @param readsFile false leaves the configuration file out
 * @throws NetmonError `usage` that names the flag, the variable, or the file and its line
 */
export async function loadConfig(line: CommandLine, surroundings: Surroundings, readsFile = true): Promise<Config> {
  const { env } = surroundings;
  const asked = line.text('config') ?? (env['NETMON_CONFIG'] || null);
  if (asked === '') throw new NetmonError('usage', '--config needs a path', 'type: netmon-tui --config PATH');
  const found = readsFile ? findConfig(asked, surroundings) : { file: null, owner: ownerOf(surroundings), warnings: [] };
  // most runs have no file, and don't need the TOML reader
  const file = found.file === null ? null : (await import('./config-file.ts')).readConfig(found.file.path, found.file.text);
  const { owner } = found;
  const fromFile = (path: string) => absoluteIn(path, file?.path ?? '', owner.home);
  const entry = (text: string) => (text.startsWith('file:') ? `file:${fromFile(text.slice(5))}` : text);
  const screenState = userFile(owner, surroundings, 'XDG_STATE_HOME', '.local/state', 'screen.json');
  const historyDefault = userFile(owner, surroundings, 'XDG_DATA_HOME', '.local/share', 'history.sqlite');
  const settings = SETTING_NAMES.map((name) => [name, settle(name, line, env, file, fromFile)] as const);
  return {
    settings: Object.fromEntries(settings) as unknown as Config['settings'],
    categories: listsOf(file, 'categories', entry),
    keys: listsOf(file, 'keys', (key) => key),
    groups: listsOf(file, 'attach', (host) => host),
    rules: rulesOf(file),
    home: owner.home,
    dataFolder: historyDefault?.replace(/\/[^/]*$/, '') ?? null,
    historyDefault,
    // who names /dev/null wants a run like the first one
    screenState: asked === '/dev/null' ? null : screenState,
    stateFolder: screenState?.replace(/\/[^/]*$/, '') ?? null,
    owner: fileOwner(owner, env),
    path: file?.path ?? null,
    risk: found.file?.risk ?? null,
    warnings: [...found.warnings, ...mistypedVariables(env)],
  };
}

function settle(
  name: SettingName,
  line: CommandLine,
  env: Environment,
  file: ConfigFile | null,
  fromFile: (path: string) => string,
): Sourced<unknown> {
  const { type, initial, variable }: Setting<unknown> = SETTINGS[name];
  const typed = flagTexts(name, line) ?? variableTexts(name, env);
  if (typed !== null) {
    const value = type.read(typed.texts);
    if (value === undefined) {
      const [shown, hint] = typed.isFlag
        ? [`${typed.typed} `, `type for example: ${typed.typed} `]
        : [`${typed.typed}=`, `for example ${typed.typed}=`];
      const noun = typed.isFlag ? type.noun : (variable?.noun ?? type.noun);
      throw new NetmonError('usage', `${shown}${quoted(typed.texts.join(' '))} is not ${noun}`, `${hint}${type.example}`);
    }
    return {
      value: type.resolve?.(value, absolutePath, true) ?? value,
      origin: typed.isFlag ? `flag ${typed.typed}` : typed.typed,
    };
  }
  const texts = file?.settings.get(name);
  if (file !== null && texts !== undefined) {
    const value = type.read(texts);
    return {
      value: type.resolve?.(value, fromFile, false) ?? value,
      origin: place(file.path, file.lines.lineOf(name.split('.'))),
    };
  }
  // https://no-color.org: any value but the empty one; our own flag, variable and setting override it
  if (name === 'color' && (env['NO_COLOR'] ?? '') !== '') return { value: false, origin: 'NO_COLOR' };
  if (name === 'ascii' && !speaksUtf8(env)) return { value: true, origin: 'locale' };
  return { value: initial, origin: 'default' };
}

interface Typed {
  /** `--interval` or `NETMON_INTERVAL` */
  readonly typed: string;
  readonly isFlag: boolean;
  readonly texts: readonly string[];
}

/** What the flags say about a setting. @throws NetmonError `usage` for two that contradict each other */
function flagTexts(name: SettingName, line: CommandLine): Typed | null {
  const entry: Setting<unknown> = SETTINGS[name];
  const given = entry.flags.flatMap(({ name: long = name, value, says }) => {
    if (value === null ? !line.has(long) : line.text(long) === null) return [];
    const texts = value === null ? [''] : line.texts(long);
    const said = says === undefined ? texts : texts.map(says).filter((text) => text !== null);
    return said.length === 0 ? [] : [{ typed: `--${long}`, isFlag: true, texts: said }];
  });
  const [flag, other] = given;
  if (flag !== undefined && other !== undefined)
    throw new NetmonError('usage', `${flag.typed} and ${other.typed} contradict each other`, 'leave one of them out');
  return flag ?? null;
}

/** What the variable says about a setting; a list has commas. */
function variableTexts(name: SettingName, env: Environment): Typed | null {
  const { variable, type }: Setting<unknown> = SETTINGS[name];
  const text = variable === null ? '' : (env[variable.name] ?? '');
  if (variable === null || text === '') return null;
  const said = variable.says === undefined ? text : variable.says(text);
  if (said === null) return null;
  const texts = type.form === 'strings' ? said.split(',').map((part) => part.trim()) : [said];
  return { typed: variable.name, isFlag: false, texts };
}

/** A path in the file is relative to the file's folder; `~/` is its owner's home. */
function absoluteIn(path: string, file: string, home: string | null): string {
  if (path.startsWith('/')) return path;
  if (path.startsWith('~/') && home !== null) return home + path.slice(1);
  const folder = file.slice(0, Math.max(0, file.lastIndexOf('/')));
  return folder === '' ? path : `${folder}/${path}`;
}

function listsOf(
  file: ConfigFile | null,
  table: 'categories' | 'keys' | 'attach',
  entry: (text: string) => string,
): Config['keys'] {
  if (file === null) return new Map();
  const origin = (key: string) => place(file.path, file.lines.lineOf([table, key]));
  return new Map([...file[table]].map(([key, value]) => [key, { value: value.map(entry), origin: origin(key) }]));
}

function rulesOf(file: ConfigFile | null): Config['rules'] {
  if (file === null) return [];
  return file.rules.map((value, i) => ({ value, origin: place(file.path, file.lines.lineOf(['alert', String(i)])) }));
}

const MOST_WARNINGS = 5;

/** A line for each variable that is nearly one of ours; other programs may have NETMON_ variables of their own. */
function mistypedVariables(env: Environment): string[] {
  const entries: readonly Setting<unknown>[] = [
    ...Object.values<Setting<unknown>>(SETTINGS),
    ...Object.values<Setting<unknown>>(OPTIONS),
  ];
  const ours = entries.flatMap(({ variable }) => (variable === null ? [] : [variable.name]));
  const strange = Object.keys(env).filter((name) => name.startsWith('NETMON_') && !ours.includes(name) && env[name] !== '');
  const meant = strange.flatMap((name) => {
    const near = nearest(name, ours);
    return near === null ? [] : [`the variable ${quoted(name)} sets nothing; did you mean ${near}?`];
  });
  return meant.slice(0, MOST_WARNINGS);
}
