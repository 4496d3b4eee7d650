// Arguments to what was typed: the command and its flags as text, checked against the table of settings. Whether values are right is checked
// by whoever asks for them. yargs's parser does the parsing.

import { createRequire } from 'node:module';
import type { Arguments } from 'yargs';
import { NetmonError } from '../model/errors.ts';
import { quoted, shellWords } from '../net/quote.ts';
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName } from './commands.ts';
import { FLAGS, type Flag, flagText, OPTIONS, type OptionName, type OptionValues, type Setting } from './config/settings.ts';
import { nearest } from './nearest.ts';

/** The command whose words are somebody else's. */
const RUN: CommandName = 'run';
/** Flags of `attach` that name a host. */
const SERVING = ['install', 'uninstall'] as const;
/** The word that asks for help as a command does. */
const HELP = 'help';
/** Names as macOS and Linux give them. */
const LIKE_AN_INTERFACE = /^(any|lo|(lo|en|eth|wlan|wl|ww|utun|tun|tap|ppp|ipsec|wg|bridge|br-|docker|veth|awdl|bond)\w*\d\w*)$/;

/** A command line whose command and flags are known and go together. */
export interface CommandLine {
  readonly command: CommandName;
  /** The word after a command that takes one, null after the others. */
  readonly operand: string | null;
  /** Words of the command to run, behind `--`; what follows the operand of a command that takes many; none for other commands. */
  readonly words: readonly string[];
  /** The path of a file after the operand of a command that takes one, null after the others. */
  readonly file: string | null;
  /** Whether a flag without a value was given. */
  has(flag: string): boolean;
  /** Text of a flag with a value, null if it was not given. */
  text(flag: string): string | null;
  /** Texts of a repeatable flag, in order. */
  texts(flag: string): readonly string[];
  /** Value of a flag that no setting has; its default if it was not given. @throws NetmonError `usage` if its text is invalid */
  value<K extends OptionName>(flag: K): OptionValues[K];
}

/**
 * Parses the words after the program's name.
 *
 * `--help` and `--version` win over any other mistake but an unknown flag. `help COMMAND` is `COMMAND --help`.
 *
 * @throws NetmonError `usage`
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const dashes = words.indexOf('--');
  const own = dashes < 0 ? words : words.slice(0, dashes);
  const isRun = dashes >= 0 && String(parse(normaliseArguments(own))._[0]) === RUN;
  const given = parse(normaliseArguments(isRun ? own : words));
  const asksHelp = String(given._[0]) === HELP;
  const about = asksHelp ? given._.slice(1) : given._;
  const asksOnly = asksHelp || given.help === true || given.version === true;
  const texts = (flag: string) => [given[flag] ?? []].flat().map(String);
  const named = COMMAND_NAMES.find((name) => name === String(about[0])) ?? 'watch';
  if (asksHelp && named === 'watch' && about.length > 0) throw usage(`unknown command ${quoted(about[0])}`);
  const { command, operand, file, more } = asksOnly
    ? { command: named, operand: null, file: null, more: [] }
    : isRun && given._.length === 1
      ? { command: RUN, operand: null, file: null, more: [] }
      : commandOf(
          given._,
          texts('history')[0] === '',
          SERVING.some((flag) => texts(flag).length > 0),
        );
  if (!asksOnly) for (const flag of FLAGS) if (given[flag.name] !== undefined) check(flag.name, command, texts(flag.name).length);
  return {
    command,
    operand,
    words: isRun ? words.slice(dashes + 1) : more,
    file,
    has: (flag) => given[flag] === true || (asksHelp && flag === HELP),
    text: (flag) => texts(flag)[0] ?? null,
    texts,
    value: (flag) => optionOf(flag, texts(flag)),
  };
}

function optionOf<K extends OptionName>(flag: K, texts: readonly string[]): OptionValues[K] {
  const { type, initial }: Setting<unknown> = OPTIONS[flag];
  const value = texts.length === 0 ? initial : type.read(texts);
  if (value !== undefined) return value as OptionValues[K];
  const near = typeof type.offers === 'string' ? null : nearest(texts[0] as string, type.offers);
  const hint = near === null ? `type for example: --${flag} ${type.example}` : `did you mean ${near}?`;
  throw usage(`--${flag} ${quoted(texts.join(' '))} is not ${type.noun}`, hint);
}

interface Parsed {
  readonly _: Arguments['_'];
  readonly help?: boolean;
  readonly version?: boolean;
  readonly [flag: string]: unknown;
}

/** What is used of yargs's parser (yargs-parser, "API"). */
type Parser = (
  words: readonly string[],
  options: { boolean: readonly string[]; string: readonly string[]; configuration: Readonly<Record<string, boolean>> },
) => Parsed;

function parse(words: readonly string[]): Parsed {
  // yargs's own parser, found where yargs has it. All of yargs takes 70 ms and 9 MiB more on every command (Node 20), for help, completion
  // and translation of its own (cliui, y18n, string-width); and it would read settings out of the package.json it is installed under.
  const parser = createRequire(createRequire(import.meta.url).resolve('yargs'))('yargs-parser') as Parser;
  return parser([...words], {
    boolean: FLAGS.filter(({ value }) => value === null).map(({ name }) => name),
    string: FLAGS.filter(({ value }) => value !== null).map(({ name }) => name),
    configuration: {
      'boolean-negation': false, // --no-names is a flag of its own, with a short form and a line in the help
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    },
  });
}

/**
 * @param bareHistory `--history` stands without a path: a word that looks like one was meant as its value
 * @param hasHost a flag names a host, so that none has to follow a command that takes many
 */
function commandOf(
  positional: readonly (string | number)[],
  bareHistory: boolean,
  hasHost: boolean,
): { command: CommandName; operand: string | null; file: string | null; more: readonly string[] } {
  const [word, ...rest] = positional.map(String);
  if (word === undefined) return { command: 'watch', operand: null, file: null, more: [] };
  const command = COMMAND_NAMES.find((name) => name === word && name !== 'watch');
  if (command === RUN)
    throw usage('the command to run stands behind --', `type: netmon-tui run -- ${shellWords(rest)}`.trimEnd());
  const strayPath = (text: string) => (bareHistory && /[./]/.test(text) ? `a path needs a "=": --history=${text}` : undefined);
  if (command === undefined) throw usage(`unknown command ${quoted(word)}`, strayPath(word) ?? hintFor(word));
  const takes: Command['operand'] = COMMANDS[command].operand;
  const mayLack = takes?.many === true && hasHost && rest.length === 0;
  const operand = takes === null || mayLack ? null : (rest.shift() ?? '');
  if (takes !== null && !mayLack) checkOperand(command, takes, operand as string);
  const file = takes?.file === true ? (rest.shift() ?? '') : null;
  if (file === '') throw usage(`${command} ${operand} needs a file`, `type: netmon-tui ${command} ${operand} FILE`);
  const more = takes?.many === true ? rest.splice(0) : [];
  const [extra] = rest;
  if (extra !== undefined)
    throw usage(
      `unexpected argument ${quoted(extra)} after ${command}`,
      strayPath(extra) ?? `type: netmon-tui ${command} --help`,
    );
  return { command, operand, file, more };
}

function checkOperand(command: CommandName, { noun, example, choices }: NonNullable<Command['operand']>, text: string): void {
  const hint = `type: netmon-tui ${command} ${example}`;
  if (text === '') throw usage(`${command} needs ${noun}`, hint);
  if (choices.length > 0 && !choices.includes(text)) throw usage(`${quoted(text)} is not one of ${choices.join(', ')}`, hint);
}

function hintFor(word: string): string {
  const near = nearest(word, [...COMMAND_NAMES.slice(1), HELP]);
  if (near !== null) return `did you mean ${near}?`;
  if (LONG.get(word)?.value === null) return `did you mean --${word}?`;
  if (/\.(pcap|pcapng|cap|dmp)(\.gz)?$/i.test(word)) return 'to replay a file, type: netmon-tui --read FILE';
  if (LIKE_AN_INTERFACE.test(word)) return `to capture on an interface, type: netmon-tui -i ${word}`;
  if (!/^[\w.:@+-]+$/.test(word)) return 'type: netmon-tui --help';
  return /[.:]/.test(word)
    ? `to see what goes there, type: netmon-tui -f ${shellWords([word])}`
    : `to see one app, type: netmon-tui -f app:${shellWords([word])}`;
}

function check(name: string, command: CommandName, times: number): void {
  const flag = FLAGS.find((one) => one.name === name);
  if (flag === undefined) return;
  if (!flag.commands.includes(command)) {
    if (command !== 'watch') throw usage(`--${name} does not go with ${command}`, `type: netmon-tui ${command} --help`);
    const [other = 'watch'] = flag.commands;
    const typed = ['netmon-tui', other === 'watch' ? '' : other, COMMANDS[other].operand?.name ?? '', flagText(flag)].filter(
      (part) => part !== '',
    );
    throw usage(`--${name} goes only with ${flag.commands.join(', ')}`, `type: ${typed.join(' ')}`);
  }
  if (times > 1 && !flag.repeatable) throw usage(`--${name} is given ${times} times`, `give --${name} once`);
}

const LONG = new Map(FLAGS.map((flag) => [flag.name, flag]));
const SHORT = new Map(FLAGS.flatMap((flag) => (flag.short === null ? [] : [[flag.short, flag]])) as [string, Flag][]);
const WORD_LIMIT = 1000;

/**
 * Rewrites words into the one form that yargs reads without guessing: `--name=true` or `--name="value"`.
 *
 * yargs would take `--read -` for a flag without a value, split `-ieth0` into letters, refuse `--filter -app:x`, and strip the quotes
 * of `--filter='"two words"'`. It strips one pair at most, so each value gets a pair of its own. Words after `--` are left alone.
 * Unknown flags and missing values are refused here, where the word that was typed is still known.
 *
 * @throws NetmonError `usage`
 */
export function normaliseArguments(words: readonly string[]): string[] {
  if (words.length > WORD_LIMIT) throw usage(`more than ${WORD_LIMIT} arguments`);
  const out: string[] = [];
  const comments: string[] = []; // SQL may begin with one: two dashes and a space are not a flag
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '--') return [...out, '--', ...comments, ...words.slice(i + 1)];
    if (/^--\s/.test(word)) comments.push(word);
    else if (word === '-' || !word.startsWith('-')) out.push(word);
    else if (word.startsWith('--')) i += long(word, words[i + 1], out);
    else i += short(word, words[i + 1], out);
  }
  return comments.length === 0 ? out : [...out, '--', ...comments];
}

/** A word that begins with two dashes. @returns how many of the words after it were used */
function long(word: string, next: string | undefined, out: string[]): 0 | 1 {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const flag = LONG.get(name);
  if (flag === undefined) throw unknown(`--${name}`);
  if (flag.value === null) {
    if (equals >= 0) throw usage(`--${name} takes no value`);
    out.push(`--${name}=true`);
    return 0;
  }
  const takesNext = equals < 0 && !flag.optional;
  const value = takesNext ? following(flag, word, next) : equals < 0 ? '' : word.slice(equals + 1);
  out.push(`--${name}="${value}"`);
  return takesNext ? 1 : 0;
}

/** Letters behind one dash: simple flags in a row, the last of which may take the rest (`-ieth0`, `-i=eth0`) or the next word. */
function short(word: string, next: string | undefined, out: string[]): 0 | 1 {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] as string;
    const flag = SHORT.get(letter);
    if (flag === undefined) throw unknown(word.length === 2 || at > 1 ? `-${letter}` : word);
    if (flag.value === null) {
      out.push(`--${flag.name}=true`);
      continue;
    }
    const rest = word.slice(at + 1);
    const value = rest === '' ? following(flag, `-${letter}`, next) : rest.replace(/^=/, '');
    out.push(`--${flag.name}="${value}"`);
    return rest === '' ? 1 : 0;
  }
  return 0;
}

function following(flag: Flag, typed: string, next: string | undefined): string {
  if (next === undefined || isFlag(next)) throw usage(`${typed} needs a value`, `type: ${typed} ${flag.value}`);
  return next;
}

/** True for a flag exactly as listed. Other words that begin with a dash may be values: a filter may begin with one. */
function isFlag(word: string): boolean {
  return word.startsWith('--') ? LONG.has(word.slice(2)) : word.startsWith('-') && SHORT.has(word.slice(1));
}

function unknown(typed: string): NetmonError {
  const near = typed.startsWith('--')
    ? nearest(
        typed.slice(2),
        FLAGS.flatMap((flag) => (flag.help === null ? [] : [flag.name])),
      )
    : null;
  const oneDash = typed.length > 2 && !typed.startsWith('--') && LONG.has(typed.slice(1));
  const meant = oneDash ? `-${typed}` : near === null ? null : `--${near}`;
  return usage(`unknown option ${quoted(typed)}`, meant === null ? undefined : `did you mean ${meant}?`);
}

function usage(message: string, hint = 'type: netmon-tui --help'): NetmonError {
  return new NetmonError('usage', message, hint);
}
