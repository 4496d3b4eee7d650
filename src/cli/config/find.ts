// Finds the configuration file and decides whether it can be trusted, by its owner and its mode. A symbolic link never is.

import { NetmonError } from '../../model/errors.ts';
import { quoted, shellWords } from '../../net/quote.ts';
import type { FileRead } from '../../system/files.ts';
import { type Owner, ownerOf, type Surroundings } from './surroundings.ts';

/** The configuration file of a run. */
export interface FoundConfig {
  /** null if there is none. */
  readonly file: ConfigText | null;
  readonly owner: Owner;
  /** Files and folders that were skipped, one line each. */
  readonly warnings: readonly string[];
}

/** A file that was read. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
  /** Why others could have written it, after its path; null if nobody could. Only a file that a plain user named may be such. */
  readonly risk: string | null;
}

const CONFIG_NAME = 'netmon-tui/config.toml';
const WRITABLE_BY_OTHERS = 0o022;
const UNREADABLE: readonly string[] = ['EACCES', 'EPERM'];

/**
 * Finds and reads the configuration file.
 *
 * @param asked path from `--config` or NETMON_CONFIG; null looks in the usual places
 * @throws NetmonError `usage` for a file that was asked for and does not exist, or that can't be trusted
 */
export function findConfig(asked: string | null, surroundings: Surroundings): FoundConfig {
  const owner = ownerOf(surroundings);
  if (asked === '/dev/null') return { file: null, owner, warnings: [] }; // the usual way to ask for none
  if (asked !== null) {
    // a plain user may use any file that he can read; for root, the file decides what root does
    const isRoot = surroundings.euid === 0;
    const read = surroundings.files.read(asked, !isRoot);
    if (read.kind === 'missing')
      throw new NetmonError(
        'usage',
        `the configuration file ${quoted(asked)} does not exist`,
        'give the path of a file after --config',
      );
    const text =
      isRoot || read.kind !== 'read' ? trusted(`the configuration file ${quoted(asked)}`, asked, read, owner) : read.text;
    return { file: { path: asked, text, risk: riskOf(read, owner)?.what ?? null }, owner, warnings: [] };
  }
  const warnings: string[] = [];
  let file: FoundConfig['file'] = null;
  for (const path of usualPlaces(owner, surroundings, warnings)) {
    const read = surroundings.files.read(path, false);
    if (read.kind === 'missing') continue;
    if (read.kind === 'failed' && UNREADABLE.includes(read.reason)) {
      // HOME may be somebody else's (su, a service), and macOS closes folders to programs: that must not keep it from starting
      warnings.push(`the configuration file ${quoted(path)} can't be read (${read.reason})`);
      continue;
    }
    if (file === null) file = { path, text: trusted(`the configuration file ${quoted(path)}`, path, read, owner), risk: null };
    else warnings.push(`${quoted(path)} is not read, because ${quoted(file.path)} comes first`);
  }
  return { file, owner, warnings };
}

/** Paths in the order in which they are tried. $XDG_CONFIG_HOME replaces ~/.config if it is set and belongs to the owner. */
function usualPlaces(owner: Owner, { env, platform, files }: Surroundings, warnings: string[]): string[] {
  const places: string[] = [];
  const folder = env['XDG_CONFIG_HOME'] ?? '';
  const folderOwner = folder.startsWith('/') ? files.folderOwner(folder) : null;
  if (folderOwner !== null && folderOwner === owner.uid) places.push(`${folder}/${CONFIG_NAME}`);
  else {
    if (folderOwner !== null) warnings.push(`XDG_CONFIG_HOME ${quoted(folder)} is not used, because it belongs to another user`);
    if (owner.home !== null) places.push(`${owner.home}/.config/${CONFIG_NAME}`);
  }
  if (platform === 'darwin' && owner.home !== null) places.push(`${owner.home}/Library/Application Support/${CONFIG_NAME}`);
  return places;
}

/**
 * Text of a file that decides what root does.
 *
 * @param named what it is and its path, for the message
 * @throws NetmonError `usage` if it can't be trusted
 */
export function trusted(named: string, path: string, read: Exclude<FileRead, { kind: 'missing' }>, owner: Owner): string {
  const refuse = (what: string, hint: string) => new NetmonError('usage', `${named} ${what}`, hint);
  if (read.kind === 'link') throw refuse('is a symbolic link', 'put the file itself there, or give its real path');
  if (read.kind === 'failed') throw refuse(`can't be read (${read.reason})`, `type: ls -l ${shellWords([path])}`);
  if (!read.isFile) throw refuse('is not a regular file', 'put a text file there, or remove it');
  const risk = riskOf(read, owner);
  if (risk !== null) throw refuse(risk.what, `type: ${risk.remedy} ${shellWords([path])}`);
  return read.text;
}

/** Who else may have written a file; null for nobody. */
function riskOf(read: FileRead, owner: Owner): { readonly what: string; readonly remedy: string } | null {
  if (read.kind !== 'read') return null;
  if (read.uid !== owner.uid && read.uid !== 0) return { what: 'belongs to another user', remedy: `sudo chown ${owner.uid}` };
  return (read.mode & WRITABLE_BY_OTHERS) === 0 ? null : { what: 'can be written by other users', remedy: 'chmod go-w' };
}
