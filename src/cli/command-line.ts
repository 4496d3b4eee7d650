// argv -> what was typed: the subcommand and its flags as text. The parser of yargs does the parsing; what the texts mean is decided by others.

import { createRequire } from 'node:module';
import type { Arguments } from 'yargs';
import { NetmonError } from '../errors.ts';
import { normaliseArguments } from './arguments.ts';
import { COMMANDS, type CommandName, flagText, OPERANDS } from './flag.ts';
import { FLAGS } from './flags.ts';
import { nearest } from './nearest.ts';
import { quoted } from './quote.ts';

/** The command line, checked for form: known flags, known subcommand, each flag where it belongs. */
export interface CommandLine {
  readonly command: CommandName;
  /** The word behind a subcommand that takes one, null behind the others. */
  readonly operand: string | null;
  /** True for a flag without a value. */
  has(flag: string): boolean;
  /** Text of a flag with a value, null where it was not given. */
  text(flag: string): string | null;
  /** Texts of a repeatable flag, in order. */
  texts(flag: string): readonly string[];
}

/**
 * Parses the words behind the program's name.
 *
 * `--help` and `--version` win over whatever else is wrong with the rest, as long as every flag is a known one.
 *
 * @throws NetmonError `usage`
 */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const given = parse(normaliseArguments(words));
  const asksOnly = given.help === true || given.version === true;
  const texts = (flag: string) => [given[flag] ?? []].flat().map(String);
  const named = COMMANDS.find((name) => name === String(given._[0])) ?? 'run';
  const { command, operand } = asksOnly ? { command: named, operand: null } : commandOf(given._, texts('history')[0] === '');
  if (!asksOnly) for (const flag of FLAGS) if (given[flag.name] !== undefined) check(flag.name, command, texts(flag.name).length);
  return {
    command,
    operand,
    has: (flag) => given[flag] === true,
    text: (flag) => texts(flag)[0] ?? null,
    texts,
  };
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

/** @param bareHistory `--history` stands without a path, so that a path behind it was meant as its value */
function commandOf(
  positional: readonly (string | number)[],
  bareHistory: boolean,
): { command: CommandName; operand: string | null } {
  const [word, ...rest] = positional.map(String);
  if (word === undefined) return { command: 'run', operand: null };
  const command = COMMANDS.find((name) => name === word && name !== 'run');
  const strayPath = (text: string) => (bareHistory && /[./]/.test(text) ? `a path stands behind a "=": --history=${text}` : null);
  if (command === undefined) throw new NetmonError('usage', `unknown command ${quoted(word)}`, strayPath(word) ?? hintFor(word));
  const takes = OPERANDS[command];
  const operand = takes === undefined ? null : (rest.shift() ?? '');
  if (takes !== undefined && operand === '')
    throw new NetmonError('usage', `${command} needs a ${takes.name}`, `type: netmon-tui ${command} ${takes.example}`);
  const [extra] = rest;
  if (extra !== undefined)
    throw new NetmonError(
      'usage',
      `unexpected argument ${quoted(extra)} after ${command}`,
      strayPath(extra) ?? `type: netmon-tui ${command} --help`,
    );
  return { command, operand };
}

function hintFor(word: string): string {
  const near = nearest(word, COMMANDS.slice(1));
  if (near !== null) return `did you mean ${near}?`;
  if (/\.(pcap|pcapng|cap|dmp)(\.gz)?$/i.test(word)) return 'to replay a file, type: netmon-tui --read FILE';
  return 'to capture on an interface, type: netmon-tui -i NAME';
}

function check(name: string, command: CommandName, times: number): void {
  const flag = FLAGS.find((one) => one.name === name);
  if (flag === undefined) return;
  if (!flag.commands.includes(command)) {
    if (command !== 'run')
      throw new NetmonError('usage', `--${name} does not go with ${command}`, `type: netmon-tui ${command} --help`);
    const [other = 'run'] = flag.commands;
    const typed = ['netmon-tui', other, OPERANDS[other]?.name ?? '', flagText(flag)].filter((part) => part !== '').join(' ');
    throw new NetmonError('usage', `--${name} goes only with ${flag.commands.join(', ')}`, `type: ${typed}`);
  }
  if (times > 1 && !flag.repeatable) throw new NetmonError('usage', `--${name} is given ${times} times`, `give --${name} once`);
}
