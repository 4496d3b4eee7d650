// What a flag is: its type, how it is made, and the subcommands and headings that flags belong to. The flags themselves are listed elsewhere.

import type { SettingName } from './settings.ts';

/** Subcommands; `run` is what happens without one. */
export const COMMANDS = [
  'run',
  'record',
  'history',
  'query',
  'export',
  'report',
  'prune',
  'interfaces',
  'doctor',
  'explain',
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** What stands behind a subcommand that takes a word, and an example of it. */
export const OPERANDS: Readonly<Partial<Record<CommandName, { readonly name: string; readonly example: string }>>> = {
  query: { name: '"SQL"', example: '"SELECT * FROM connections LIMIT 10"' },
  explain: { name: 'HOST', example: 'example.com' },
};

/** Headings of the help text, in order. */
export const FLAG_GROUPS = [
  'Capture',
  'Rights',
  'Replay',
  'Screen',
  'Output without a screen',
  'History',
  'Configuration',
] as const;
export type FlagGroup = (typeof FLAG_GROUPS)[number];

/** One flag. */
export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter, or null. */
  readonly short: string | null;
  /** What stands for its value in the help; null takes none. */
  readonly value: string | null;
  /** True where the value may be left out, and has to stand behind a `=`. */
  readonly optional: boolean;
  /** null: understood, but not listed (the opposite of a listed one). */
  readonly help: string | null;
  readonly group: FlagGroup;
  readonly repeatable: boolean;
  readonly commands: readonly CommandName[];
  /** The setting it sets, and to what when it takes no value. */
  readonly sets: { readonly setting: SettingName; readonly to: string | null } | null;
}

/** A flag with its value, as the help writes it: `--interval TIME`, `--history[=PATH]`. */
export function flagText({ name, value, optional }: Flag): string {
  return `--${name}${value === null ? '' : optional ? `[=${value}]` : ` ${value}`}`;
}

/** A flag with a value. */
export function valued(
  name: string,
  short: string | null,
  value: string,
  group: FlagGroup,
  commands: readonly CommandName[],
  help: string,
  setting: SettingName | null,
): Flag {
  const sets = setting === null ? null : { setting, to: null };
  return { name, short, value, optional: false, help, group, repeatable: name === 'interface', commands, sets };
}

/** A flag without one. */
export function simple(
  name: string,
  short: string | null,
  group: FlagGroup,
  commands: readonly CommandName[],
  help: string | null,
  setting: SettingName | null,
  to: string | null,
): Flag {
  const sets = setting === null ? null : { setting, to };
  return { name, short, value: null, optional: false, help, group, repeatable: true, commands, sets };
}
