// The text of a configuration file to its values. The table of settings says what they must be; what a file alone has, categories, keys and rules
// of alerts, is checked here. The first mistake is named with its line.

import { parse, TomlError } from 'smol-toml';
import { isHost } from '../../attach/ssh.ts';
import { compileFilter } from '../../filter/filter.ts';
import { SEVERITIES } from '../../model/alert.ts';
import { NetmonError, reasonOf } from '../../model/errors.ts';
import { type AlertRule, RULE_PERIODS, type RulePeriod } from '../../model/options.ts';
import { place, quoted } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { nearest } from '../nearest.ts';
import { SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts';
import { amount, choice, duration, type ValueType } from './value-types.ts';

/** A checked configuration file. Holds only what the file sets. */
export interface ConfigFile {
  readonly path: string;
  readonly lines: TomlLines;
  /** Texts of the settings, as a flag would give them. */
  readonly settings: ReadonlyMap<SettingName, readonly string[]>;
  readonly categories: ReadonlyMap<string, readonly string[]>;
  readonly keys: ReadonlyMap<string, readonly string[]>;
  /** Groups of machines for `attach`. */
  readonly attach: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly AlertRule[];
}

type Values = Pick<ConfigFile, 'settings' | 'categories' | 'keys' | 'attach' | 'rules'>;
type Table = Readonly<Record<string, unknown>>;

/** A table of lists under names of the user's. */
const LISTS = {
  categories: {
    noun: 'a list of domain names, words and lists such as ["example.com", "file:ads.txt"]',
    accepts: isCategoryEntry,
  },
  keys: {
    noun: 'a list of keys such as ["x"]',
    accepts: (text: string) => text !== '' && text.length <= 32 && sanitize(text) === text,
  },
  attach: { noun: 'a list of hosts such as ["mac1", "ann@db3"]', accepts: isHost },
} as const;
const MOST_LISTS = 256;
const MOST_ENTRIES = 4096;
const COUNT = `within the bounds (${MOST_LISTS} lists, ${MOST_ENTRIES} entries each)`;
const LIST_NAME = 'a name without control characters';
/** Key of the list of rules. */
const RULES = 'alert';
/** What a table can't be without, and what it is then. */
const NEEDS: Readonly<Record<string, { readonly key: SettingName; readonly noun: string }>> = {
  budget: { key: 'budget.amount', noun: 'a table with an amount, such as amount = "500 GB"' },
};
const DOMAIN = /^(?!-)[\p{L}\p{N}_-]{1,63}(\.[\p{L}\p{N}_-]{1,63})*$/u;

/**
 * Reads the text of a configuration file.
 *
 * @throws NetmonError `usage` that names the file and the line
 */
export function readConfig(path: string, text: string): ConfigFile {
  const contents = parseToml(path, text);
  const lines = tomlLines(text);
  try {
    return { ...valuesOf(contents), path, lines };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw new NetmonError('usage', `${place(path, lines.lineOf(thrown.path))}: ${thrown.message}`, thrown.hint);
  }
}

/**
 * Parses a text that its user wrote.
 *
 * @param names `any` where keys are names from outside, among them `__proto__` and `constructor`: read such tables by their entries alone
 * @throws NetmonError `usage` that names the file, the line and the column of broken syntax
 */
export function parseToml(path: string, text: string, names: 'ours' | 'any' = 'ours'): Readonly<Record<string, unknown>> {
  try {
    return parse(text, { unsafeKeyBehaviour: names === 'any' ? 'keep' : 'throw', maxDepth: 16 });
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const reason = reasonOf(thrown).replace(/^Invalid TOML document: /, '');
    throw new NetmonError(
      'usage',
      `${place(path, thrown.line)}: ${reason}`,
      `the mistake is at column ${thrown.column}; the format is TOML, see https://toml.io`,
    );
  }
}

/** The first mistake in a file. */
class Fault extends Error {
  readonly path: readonly string[];
  readonly hint: string;

  constructor(path: readonly string[], message: string, hint: string) {
    super(message);
    this.path = path;
    this.hint = hint;
  }
}

function valuesOf(contents: Table): Values {
  const settings = new Map<SettingName, readonly string[]>();
  const list = () => new Map<string, readonly string[]>();
  const lists = { categories: list(), keys: list(), attach: list() };
  let rules: readonly AlertRule[] = [];
  for (const [key, value] of Object.entries(contents)) {
    const name = SETTING_NAMES.find((one) => one === key);
    const needs = Object.hasOwn(NEEDS, key) ? NEEDS[key] : undefined;
    if (name !== undefined) settings.set(name, textsOf([key], name, value));
    else if (key === RULES) rules = rulesOf(value);
    else if (key === 'categories' || key === 'keys' || key === 'attach') listsOf(key, value, lists[key]);
    // `budget = "500 GB"` is short for a table with that amount
    else if (needs !== undefined && typeof value === 'string') settings.set(needs.key, textsOf([key], needs.key, value));
    else if (TABLES.includes(key)) tableOf([key], value, needs?.noun ?? 'a table', settings);
    else throw unknown([key], TOP_KEYS);
    if (needs !== undefined && !settings.has(needs.key)) throw isNot([key], needs.noun);
  }
  return { settings, ...lists, rules };
}

/** Names of tables of settings: `history` of `history.path`. */
const TABLES = [...new Set(SETTING_NAMES.flatMap((name) => (name.includes('.') ? [name.split('.')[0] as string] : [])))];
const TOP_KEYS = [...SETTING_NAMES.filter((name) => !name.includes('.')), ...TABLES, ...Object.keys(LISTS), RULES];

function tableOf(path: readonly string[], value: unknown, noun: string, settings: Map<SettingName, readonly string[]>): void {
  if (!isTable(value)) throw isNot(path, noun);
  const prefix = `${path.join('.')}.`;
  const inside = SETTING_NAMES.filter((one) => one.startsWith(prefix));
  const known = [...new Set(inside.map((one) => one.slice(prefix.length).split('.')[0] as string))];
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, key];
    if (!known.includes(key)) throw unknown(at, known);
    const name = inside.find((one) => one === prefix + key);
    if (name === undefined) tableOf(at, inner, 'a table', settings);
    else settings.set(name, textsOf(at, name, inner));
  }
}

/** What a file writes for a setting, as the texts of a flag. */
function textsOf(path: readonly string[], name: SettingName, value: unknown): readonly string[] {
  const { type }: Setting<unknown> = SETTINGS[name];
  const { form, noun, example } = type;
  const isList = form === 'strings' && Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  const isSingle =
    form === 'boolean' ? typeof value === 'boolean' : form === 'integer' ? Number.isInteger(value) : typeof value === 'string';
  const texts = isList ? (value as string[]) : [String(value)];
  if ((isList || isSingle) && type.read(texts) !== undefined) return texts;
  const shown = form === 'boolean' || form === 'integer' ? example : JSON.stringify(example.replaceAll("'", ''));
  throw isNot(path, noun, `write for example: ${path.at(-1)} = ${shown}`);
}

function listsOf(table: keyof typeof LISTS, value: unknown, lists: Map<string, readonly string[]>): void {
  const { noun, accepts } = LISTS[table];
  if (!isTable(value)) throw isNot([table], 'a table');
  if (Object.keys(value).length > MOST_LISTS) throw isNot([table], COUNT);
  for (const [name, list] of Object.entries(value)) {
    const path = [table, name];
    if (name === '' || name.length > 64 || sanitize(name) !== name) throw isNot(path, LIST_NAME);
    if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string' && accepts(entry))) throw isNot(path, noun);
    if (list.length > MOST_ENTRIES) throw isNot(path, COUNT);
    lists.set(name, list as string[]);
  }
}

const MOST_RULES = 32;
const RULE_NAME = 'a name of at most 64 characters, that no other rule has';
/** What a rule takes besides its filter, and what it needs to be that. */
const RULE_KEYS: Readonly<Record<'over' | 'per' | 'for' | 'severity', ValueType<unknown>>> = {
  over: amount(1, 9e15, 'an amount of bytes such as "5 GB"', '5 GB') as ValueType<unknown>,
  per: choice(RULE_PERIODS, 'day') as ValueType<unknown>,
  for: duration(1000, 86_400_000, '30s', 'from 1s to 1d') as ValueType<unknown>,
  severity: choice(SEVERITIES, 'warning') as ValueType<unknown>,
};

function rulesOf(value: unknown): readonly AlertRule[] {
  if (!Array.isArray(value) || !value.every(isTable)) throw isNot([RULES], 'a list of tables', 'write [[alert]] above each rule');
  if (value.length > MOST_RULES) throw isNot([RULES], `within the bounds (${MOST_RULES} rules)`);
  const names = new Set<unknown>();
  return value.map((table: Table, index) => {
    const at = (key: string) => [RULES, String(index), key];
    for (const key of Object.keys(table)) {
      const known = ['name', 'when', ...Object.keys(RULE_KEYS)];
      if (!known.includes(key)) throw unknown(at(key), known);
    }
    const { name } = table;
    if (typeof name !== 'string' || name === '' || name.length > 64 || sanitize(name) !== name || names.has(name))
      throw isNot(at('name'), RULE_NAME, 'write for example: name = "backup too big"');
    names.add(name);
    const read = (key: keyof typeof RULE_KEYS) => ruleValue(table, key, at(key));
    const over = read('over') as { bytes: number } | null;
    const per = read('per') as RulePeriod | null;
    const forMs = read('for') as number | null;
    if (over !== null && per === null) throw isNot(at('over'), 'enough without a period', 'add for example: per = "day"');
    if (over === null && per !== null) throw isNot(at('per'), 'enough without an amount', 'add for example: over = "5 GB"');
    if (over !== null && forMs !== null) throw isNot(at('for'), 'for a rule about an amount', 'leave out over and per, or for');
    return {
      name,
      when: filterOf(table['when'], at('when')),
      over: over === null || per === null ? null : { bytes: over.bytes, per },
      forMs,
      severity: read('severity') as AlertRule['severity'],
    };
  });
}

/** What a configuration file says to get this rule, by key; null for nothing. */
export function ruleTexts({ name, when, over, forMs, severity }: AlertRule): Readonly<Record<string, string | null>> {
  return {
    name,
    when,
    over: over === null ? null : `${over.bytes / 1e6} MB`,
    per: over?.per ?? null,
    for: forMs === null ? null : String(RULE_KEYS.for.write(forMs)),
    severity,
  };
}

/** A value of a rule; null if it isn't there. */
function ruleValue(table: Table, key: keyof typeof RULE_KEYS, path: readonly string[]): unknown {
  if (!Object.hasOwn(table, key)) return null;
  const { noun, example, read } = RULE_KEYS[key];
  const value = table[key];
  const found = typeof value === 'string' ? read([value]) : undefined;
  if (found === undefined) throw isNot(path, noun, `write for example: ${key} = ${JSON.stringify(example)}`);
  return found;
}

/** The text of a filter that compiles. */
function filterOf(value: unknown, path: readonly string[]): string {
  const hint = 'write for example: when = "app:rclone and tx>1MB" (netmon-tui --help: the filter language)';
  if (typeof value !== 'string' || value.trim() === '' || value.length > 4096) throw isNot(path, 'a filter', hint);
  const result = compileFilter(value);
  if (!result.ok) throw new Fault(path, `${result.message}, at column ${result.column + 1} of the filter`, hint);
  if (result.filter.asksNew)
    throw new Fault(path, "`new` can't be used in a rule", 'the kinds new-app and new-domain tell of what is new');
  return value;
}

/** A domain or a word, bare or as in a domain list (`full:example.com`), or the path of such a list (`file:ads.txt`). */
function isCategoryEntry(text: string): boolean {
  if (text.startsWith('file:')) return text.length > 5 && text.length <= 1024 && sanitize(text) === text;
  const name = text.replace(/^(?:domain|full|keyword):/, '');
  return name.length <= 253 && DOMAIN.test(name);
}

/** True for a table of TOML. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function isNot(path: readonly string[], noun: string, hint = 'correct that line, or remove it'): Fault {
  return new Fault(path, `${quoted(path.join('.'))} is not ${noun}`, hint);
}

function unknown(path: readonly string[], known: readonly string[]): Fault {
  const near = nearest(path.at(-1) ?? '', known);
  const hint = `${near === null ? '' : `did you mean ${near}? `}known here: ${known.join(', ')}`;
  return new Fault(path, `unknown key ${quoted(path.join('.'))}`, hint);
}

/** Lines of keys, from 1. */
export interface TomlLines {
  /** Line on which the statement that defines the key begins; that of the nearest parent if the key has none, at least 1. */
  lineOf(path: readonly string[]): number;
}

const DEPTH = 4;
const SEPARATOR = '\0';

/**
 * Finds the lines of keys in a text that the parser has accepted; the parser itself names a line only for broken syntax.
 *
 * Each statement is read by the parser, so dotted and quoted keys and inline tables come out right.
 */
export function tomlLines(toml: string): TomlLines {
  const lines = new Map<string, number>();
  let table: string[] = [];
  /** The table of a list that a header began: its path with its place in the list. */
  let item: string[] | null = null;
  /** Tables so far under each header of a list. */
  const counts = new Map<string, number>();
  for (const { line, text } of statements(toml)) {
    const value = parse(text);
    if (text.startsWith('[')) {
      table = headerPath(value);
      if (text.startsWith('[[')) {
        const key = table.join(SEPARATOR);
        const index = counts.get(key) ?? 0;
        counts.set(key, index + 1);
        item = [...table, String(index)];
        note(lines, item, line);
      } else item = null;
      for (let length = 1; length <= table.length; length++) note(lines, table.slice(0, length), line);
    } else {
      noteAll(lines, table, value, line);
      if (item !== null) noteAll(lines, item, value, line);
    }
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
