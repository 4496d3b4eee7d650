// The text of a configuration file -> its values, or an error that names the line and what is allowed there.

import { parse, TomlError } from 'smol-toml';
import { NetmonError, reasonOf } from '../../model/errors.ts';
import { place, quoted } from '../../net/quote.ts';
import { nearest } from '../nearest.ts';
import { checkConfig } from './config-schema.ts';
import { SETTING_NAMES, SETTINGS } from './settings.ts';
import type { ConfigFile, TomlLines } from './values.ts';

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

// Which line of a TOML text a key stands on: the parser tells it for broken syntax only, and a wrong value is a mistake with a line too.
// Expects a text that the parser has accepted.

const DEPTH = 4;
const SEPARATOR = '\0';

/** Indexes a valid TOML text. Each statement is read by the parser itself, so dotted and quoted keys and inline tables come out right. */
export function tomlLines(toml: string): TomlLines {
  const lines = new Map<string, number>();
  let table: string[] = [];
  for (const { line, text } of statements(toml)) {
    const value = parse(text);
    if (text.startsWith('[')) {
      table = headerPath(value);
      for (let length = 1; length <= table.length; length++) note(lines, table.slice(0, length), line);
    } else noteAll(lines, table, value, line);
  }
  return {
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(path.slice(0, length).join(SEPARATOR));
        if (line !== undefined) return line;
      }
      return 1;
    },
  };
}

function note(lines: Map<string, number>, path: readonly string[], line: number): void {
  const key = path.join(SEPARATOR);
  if (!lines.has(key)) lines.set(key, line);
}

function noteAll(lines: Map<string, number>, parent: readonly string[], value: unknown, line: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || parent.length >= DEPTH) return;
  for (const [key, inner] of Object.entries(value)) {
    const path = [...parent, key];
    note(lines, path, line);
    noteAll(lines, path, inner, line);
  }
}

/** `[a.b]` and `[[a.b]]` parse to one key inside another, down to an empty table; a header may have tens of thousands of parts. */
function headerPath(value: unknown): string[] {
  const path: string[] = [];
  let at = Array.isArray(value) ? value[0] : value;
  while (typeof at === 'object' && at !== null && path.length < DEPTH) {
    const [key] = Object.keys(at);
    if (key === undefined) break;
    path.push(key);
    const inner = (at as Record<string, unknown>)[key];
    at = Array.isArray(inner) ? inner[0] : inner;
  }
  return path;
}

/** One token that matters for where a statement ends: a string of each of the four kinds, a comment, a bracket, the end of a line. */
const TOKEN = /"""(?:[^\\]|\\[\s\S])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|[[{]|[\]}]|\n/g;

/** Cuts a text where statements end: at line ends outside strings and brackets. Blank and comment lines are dropped. */
function* statements(toml: string): Generator<{ line: number; text: string }> {
  let depth = 0;
  let line = 1;
  let start = 0;
  let startLine = 1;
  for (const { 0: token, index } of toml.matchAll(TOKEN)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    else if (token !== '\n') line += token.split('\n').length - 1;
    else {
      line++;
      if (depth > 0) continue;
      yield* statement(toml.slice(start, index), startLine);
      start = index + 1;
      startLine = line;
    }
  }
  yield* statement(toml.slice(start), startLine);
}

function* statement(text: string, line: number): Generator<{ line: number; text: string }> {
  const trimmed = text.trim();
  if (trimmed !== '' && !trimmed.startsWith('#')) yield { line, text: trimmed };
}
