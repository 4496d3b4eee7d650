// Where history lies, whether it is recorded and how large it may get: flag, then NETMON_HISTORY, then the configuration file, then
// the user's data folder. Asks nothing of the file itself.

import { NetmonError } from '../../model/errors.ts';
import type { HistoryOptions } from '../../model/options.ts';
import { place, quoted } from '../../net/quote.ts';
import { absolutePath } from '../../system/files.ts';
import type { CommandLine } from '../command-line.ts';
import type { Environment, FoundConfig, Surroundings } from './find.ts';
import type { ConfigFile, Sourced } from './values.ts';

/** What is in force about history; part of the configuration. */
export interface HistorySettings {
  readonly historyEnabled: Sourced<boolean>;
  /** Absolute; null: the usual place. */
  readonly historyPath: Sourced<string | null>;
  /** Bytes that the file may have. */
  readonly historySize: Sourced<number>;
  /** The usual place; null where no home folder is known. */
  readonly historyDefault: string | null;
  /** Who is to own what is written; null where the process is that user. */
  readonly historyOwner: HistoryOptions['owner'];
}

/** What a size must be, to follow "is not". */
export const SIZE_NOUN = 'a size from 5 MB to 1 GB, such as "200 MB"';
/** Bytes of a history where nothing else is said. */
const HISTORY_SIZE = 200_000_000;

const NAME = 'netmon-tui/history.sqlite';
const UNITS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, ki: 1 << 10, mi: 1 << 20, gi: 1 << 30 };
const SMALLEST = 5e6;
const LARGEST = 1e9;

/** Bytes of `200 MB`, `1GiB`; null for what is no size that a history may have. */
export function historySize(text: string): number | null {
  const [, number = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?) ?([kmg]i?)?b?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
  return number !== '' && bytes >= SMALLEST && bytes <= LARGEST ? bytes : null;
}

/**
 * What is in force.
 *
 * @param absolute makes a path of the configuration file absolute
 * @throws NetmonError `usage`
 */
export function historySettings(
  line: CommandLine,
  surroundings: Surroundings,
  file: ConfigFile | null,
  found: FoundConfig,
  absolute: (path: string) => string,
): HistorySettings {
  const { env } = surroundings;
  const told = ofFlags(line) ?? ofVariable(env.NETMON_HISTORY ?? '');
  const written = file?.history ?? {};
  const from = (key: string) => place(file?.path ?? '', file?.lines.lineOf(['history', key]) ?? 1);
  const origin = (value: unknown, key: string) => (value === undefined ? 'default' : from(key));
  const path = written.path === undefined ? null : absolute(written.path);
  const size = written.size === undefined ? null : historySize(written.size);
  return {
    historyEnabled:
      told === null
        ? { value: written.enabled ?? false, origin: origin(written.enabled, 'enabled') }
        : { value: told.enabled, origin: told.origin },
    historyPath:
      told === null || told.path === null
        ? { value: path, origin: origin(written.path, 'path') }
        : { value: told.path, origin: told.origin },
    historySize: { value: size ?? HISTORY_SIZE, origin: origin(written.size, 'size') },
    historyDefault: usualPlace(found, surroundings),
    historyOwner: ownerOfFiles(found, env),
  };
}

/**
 * History of a run, or of a command that reads it; null where there is none.
 *
 * @param isReplay a recording's packets belong to another time, maybe another machine: into a file that was named, or nowhere
 * @throws NetmonError `usage`
 */
export function historyOptions(line: CommandLine, config: HistorySettings, isReplay: boolean): HistoryOptions | null {
  const named = line.text('history');
  if (isReplay && named === null) return null;
  if (isReplay && named === '')
    throw usage('--history with --read needs a file of its own', 'type: netmon-tui --read FILE --history=PATH');
  const path = config.historyPath.value ?? config.historyDefault;
  const isRecorder = line.command === 'record';
  const record = isRecorder || config.historyEnabled.value;
  if (path === null) {
    if (!record) return null;
    throw usage(
      'no home folder is known to keep history in',
      `say where: netmon-tui ${isRecorder ? 'record ' : ''}--history=PATH`,
    );
  }
  return { path, record, maxBytes: config.historySize.value, owner: config.historyOwner };
}

interface Told {
  readonly enabled: boolean;
  readonly path: string | null;
  readonly origin: string;
}

function ofFlags(line: CommandLine): Told | null {
  const path = line.text('history');
  if (path !== null && line.has('no-history'))
    throw usage('--history and --no-history contradict each other', 'leave one of them out');
  if (path !== null) return { enabled: true, path: path === '' ? null : checked(path, '--history'), origin: 'flag --history' };
  return line.has('no-history') ? { enabled: false, path: null, origin: 'flag --no-history' } : null;
}

/** A path has a slash in it; anything else is yes or no. */
function ofVariable(text: string): Told | null {
  const origin = 'NETMON_HISTORY';
  if (text === '') return null;
  if (text.includes('/')) return { enabled: true, path: checked(text, origin), origin };
  if (/^(1|true|yes|on)$/i.test(text)) return { enabled: true, path: null, origin };
  if (/^(0|false|no|off)$/i.test(text)) return { enabled: false, path: null, origin };
  throw usage(`${origin}=${quoted(text)} is not true, false or a path with a slash`, `for example ${origin}=true`);
}

function checked(path: string, typed: string): string {
  if (path.includes('\0') || path.length > 1024 || path.endsWith('/'))
    throw usage(`${typed} ${quoted(path)} is not the path of a file`, 'type for example: --history=traffic.sqlite');
  return absolutePath(path);
}

/** $XDG_DATA_HOME where it is set and is the owner's; under sudo it may be root's. */
function usualPlace({ owner }: FoundConfig, { env, platform, files }: Surroundings): string | null {
  const folder = env.XDG_DATA_HOME ?? '';
  if (folder.startsWith('/')) {
    const uid = files.folderOwner(folder);
    if (uid === owner.uid || (uid === null && !owner.underSudo)) return `${folder}/${NAME}`;
  }
  if (owner.home === null) return null;
  return `${owner.home}/${platform === 'darwin' ? 'Library/Application Support' : '.local/share'}/${NAME}`;
}

function ownerOfFiles({ owner }: FoundConfig, env: Environment): HistoryOptions['owner'] {
  if (!owner.underSudo) return null;
  return { uid: owner.uid, gid: /^\d{1,10}$/.test(env.SUDO_GID ?? '') ? Number(env.SUDO_GID) : -1 };
}

function usage(message: string, hint: string): NetmonError {
  return new NetmonError('usage', message, hint);
}
