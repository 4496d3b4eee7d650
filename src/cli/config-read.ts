// The text of a configuration file -> its values, or an error that names the line and what is allowed there.

import { parse, TomlError } from 'smol-toml';
import { NetmonError, reasonOf } from '../errors.ts';
import { type ConfigValues, checkConfig } from './config-schema.ts';
import { nearest } from './nearest.ts';
import { place, quoted } from './quote.ts';
import { SETTING_NAMES, SETTINGS } from './settings.ts';
import { type TomlLines, tomlLines } from './toml-lines.ts';

/** A checked file and where its keys stand. */
export interface ConfigFile extends ConfigValues {
  readonly path: string;
  readonly lines: TomlLines;
}

/**
 * Reads the text of a configuration file.
 *
 * @throws NetmonError `usage` that names the file and the line
 */
export function readConfig(path: string, text: string): ConfigFile {
  let contents: unknown;
  try {
    contents = parse(text, { unsafeKeyBehaviour: 'throw', maxDepth: 16 });
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const reason = reasonOf(thrown).replace(/^Invalid TOML document: /, '');
    throw new NetmonError(
      'usage',
      `${place(path, thrown.line)}: ${reason}`,
      `the mistake is at column ${thrown.column}; the format is TOML, see https://toml.io`,
    );
  }
  const lines = tomlLines(text);
  const checked = checkConfig(contents);
  if (!('path' in checked)) return { ...checked, path, lines };
  const where = place(path, lines.lineOf(checked.path));
  const key = checked.path.join('.');
  if (checked.noun !== null)
    throw new NetmonError('usage', `${where}: ${quoted(key)} is not ${checked.noun}`, exampleFor(checked.path));
  const near = nearest(checked.path.at(-1) ?? '', checked.known);
  throw new NetmonError(
    'usage',
    `${where}: unknown key ${quoted(key)}`,
    `${near === null ? '' : `did you mean ${near}? `}known here: ${checked.known.join(', ')}`,
  );
}

function exampleFor(path: readonly string[]): string {
  const name = SETTING_NAMES.find((setting) => setting === path[0]);
  if (name === undefined) return 'correct that line, or remove it';
  const { example, isToggle } = SETTINGS[name];
  return `write for example: ${name} = ${isToggle ? example : JSON.stringify(example.replaceAll("'", ''))}`;
}
