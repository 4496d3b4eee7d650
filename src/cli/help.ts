// The text of --help, for the program and for each command, made from the tables of commands and settings; 80 columns. Pure.

import { FIELDS } from '../filter/fields.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName, STATUSES } from './commands.ts';
import { FLAGS, type Flag, flagText, GROUPS } from './config/settings.ts';

const WIDTH = 80;
const COLUMN = 25;

/** The help of a command, or of the whole program for `watch`; newline at the end. */
export function helpText(command: CommandName = 'watch'): string {
  const whole = command === 'watch';
  const { does, examples } = COMMANDS[command];
  const lines = whole
    ? ['netmon-tui: which app is talking to whom, live', '', 'Usage:', ...usageOfAll()]
    : [
        `netmon-tui ${command}: ${does}`,
        '',
        'Usage:',
        `  ${command === 'run' ? 'netmon-tui run [options] -- COMMAND ...' : `${usage(command)} [options]`}`,
      ];
  for (const group of GROUPS) {
    const flags = FLAGS.filter(
      (flag) => flag.group === group && flag.help !== null && (whole || flag.commands.includes(command)),
    );
    if (flags.length > 0) lines.push('', `${group}:`);
    for (const flag of flags) lines.push(...entry(heading(flag), flag.help ?? '', COLUMN));
  }
  if (whole) lines.push('', 'Filters:', ...filterLines());
  if (examples.length > 0) lines.push('', 'Examples:');
  for (const [typed, what] of examples) lines.push(...entry(typed, what, 48));
  if (!whole) return `${[...lines, '', 'All commands, filters and exit statuses: netmon-tui --help'].join('\n')}\n`;
  lines.push('', 'Exit status:');
  for (const [status, what] of STATUSES) lines.push(...entry(status, what, 9));
  lines.push('', 'Options of one command: netmon-tui COMMAND --help');
  lines.push('Settings can also come from NETMON_ variables (NETMON_INTERFACE=en0) and from');
  lines.push('~/.config/netmon-tui/config.toml; --print-config shows them all.');
  return `${lines.join('\n')}\n`;
}

/** How a filter is written, for users without the documentation at hand. */
function filterLines(): string[] {
  return [
    ...entry('app:curl port:443', 'both; also or, not, ( ), : = != < > ~ and /regex/', 25),
    ...entry('a bare word', 'searches the names', 25),
    ...entry('fields', FIELDS.map(({ name }) => name).join(' '), 25),
  ];
}

function usageOfAll(): string[] {
  return COMMAND_NAMES.flatMap((name) => entry(name === 'watch' ? 'netmon-tui [options]' : usage(name), COMMANDS[name].does, 34));
}

function usage(command: CommandName): string {
  const needs = COMMANDS[command].operand?.name ?? (command === 'report' ? '--html FILE' : '');
  return `netmon-tui ${command} ${needs}`.trim();
}

function heading(flag: Flag): string {
  return `${flag.short === null ? '    ' : `-${flag.short}, `}${flagText(flag)}`;
}

/** `  head   text`, the text wrapped into the column that begins at `column`. */
function entry(head: string, text: string, column: number): string[] {
  const lines: string[] = [];
  let line = `  ${head}`;
  if (line.length >= column) {
    lines.push(line);
    line = '';
  }
  line = line.padEnd(column - 1);
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(column - 1);
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
