// The table of flags. It makes the parser, the help text and the checks; nothing about a flag is written elsewhere.

import { EXIT_STATUS } from '../model/errors.ts';
import type { SettingName } from './config/settings.ts';

// What a flag is: its type, how it is made, and the subcommands and headings that flags belong to. The flags themselves are listed elsewhere.

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
type FlagGroup = (typeof FLAG_GROUPS)[number];

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
function valued(
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
function simple(
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

// Flags of the subcommands on history, a part of the table of flags.

/** Subcommands that read or write the history file. */
const ON_HISTORY: readonly CommandName[] = ['record', 'history', 'query', 'export', 'report', 'prune'];

const STRETCH: readonly CommandName[] = ['history', 'export', 'report'];
const ASK: readonly CommandName[] = ['history'];

/** In the order of the help text. */
const HISTORY_FLAGS: readonly Flag[] = [
  {
    ...valued(
      'history',
      null,
      'PATH',
      'History',
      ['run', ...ON_HISTORY],
      'record into the history file, or read it; by default ~/.local/share/netmon-tui/history.sqlite',
      null,
    ),
    optional: true,
  },
  simple('no-history', null, 'History', ['run'], 'record nothing, whatever the configuration says', null, null),
  valued(
    'since',
    null,
    'TIME',
    'History',
    STRETCH,
    'from here on: 24h, 7d, today, yesterday, month, 2026-11-01 ... (default 24h; report 7d, export all)',
    null,
  ),
  valued('until', null, 'TIME', 'History', STRETCH, 'up to here; a day, week or month is meant whole (default now)', null),
  valued('by', null, 'KEY', 'History', ASK, 'app, host, domain, category, interface, hour or day (default app)', null),
  valued(
    'app',
    null,
    'NAME',
    'History',
    ['history', 'explain', 'prune'],
    'only this app; explain: the category when this app asks',
    null,
  ),
  valued('domain', null, 'NAME', 'History', ASK, 'only this domain', null),
  valued('category', null, 'NAME', 'History', ASK, 'only this category', null),
  valued('top', null, 'N', 'History', ASK, 'so many rows, the rest as one (default 20)', null),
  simple('csv', null, 'History', ['history', 'query'], 'rows as CSV', null, null),
  valued('timeout', null, 'TIME', 'History', ['query'], 'give a statement up after this time (default 10s)', null),
  valued('limit', null, 'N', 'History', ['query'], 'so many rows of a statement (default 1000)', null),
  valued('format', null, 'FORMAT', 'History', ['export'], 'csv, json or sqlite (default csv)', null),
  simple('flows', null, 'History', ['export'], 'export the log of connections in place of the records', null, null),
  valued('output', 'o', 'FILE', 'History', ['export', 'record'], 'write into this file (default standard output)', null),
  valued('html', null, 'FILE', 'History', ['report'], 'write the report into this file', null),
  simple('force', null, 'History', ['export', 'report', 'record'], 'write over a file that is there', null, null),
  valued('before', null, 'TIME', 'History', ['prune'], 'delete what is older than this time', null),
  valued('older-than', null, 'TIME', 'History', ['prune'], 'delete what is older than this, for example 90d', null),
  valued(
    'max-size',
    null,
    'SIZE',
    'History',
    ['prune'],
    'delete the oldest until the file has this size, for example 100MB',
    null,
  ),
  simple('dry-run', null, 'History', ['prune'], 'only say what would be deleted', null, null),
  simple('yes', 'y', 'History', ['prune'], 'do not ask', null, null),
  valued(
    'install',
    null,
    'SYSTEM',
    'History',
    ['record'],
    'print the service file for systemd or launchd, and how to install it',
    null,
  ),
];

const RUN: readonly CommandName[] = ['run'];
const CAPTURING: readonly CommandName[] = ['run', 'record'];
const DRAWING: readonly CommandName[] = ['run', 'history', 'query', 'interfaces'];
const ASKING: readonly CommandName[] = ['run', ...ON_HISTORY, 'explain'];
const EVERY: readonly CommandName[] = COMMANDS;

/** All flags, in the order of the help text. */
export const FLAGS: readonly Flag[] = [
  valued(
    'interface',
    'i',
    'NAME',
    'Capture',
    [...CAPTURING, 'doctor', 'history'],
    'capture here instead of the default route; repeatable; "any" takes all; history: only this',
    'interface',
  ),
  valued('bpf', null, 'EXPR', 'Capture', [...CAPTURING, 'doctor'], 'capture only this (libpcap syntax: man pcap-filter)', 'bpf'),
  valued('driver', null, 'NAME', 'Capture', CAPTURING, 'auto, libpcap, tcpdump or cap (default auto)', 'driver'),
  simple(
    'reverse-dns',
    null,
    'Capture',
    CAPTURING,
    'ask DNS for the names of addresses that have none: this makes traffic',
    'reverse-dns',
    'true',
  ),
  simple('no-reverse-dns', null, 'Capture', CAPTURING, null, 'reverse-dns', 'false'),
  valued(
    'user',
    null,
    'NAME',
    'Rights',
    [...CAPTURING, 'doctor'],
    'as root: become this user once all is open (default: who called sudo, else nobody)',
    null,
  ),
  simple(
    'drop-all',
    null,
    'Rights',
    [...CAPTURING, 'doctor'],
    "give up looking into other users' processes, too; owners are poorer for it",
    null,
    null,
  ),
  simple('stay-root', null, 'Rights', [...CAPTURING, 'doctor'], 'as root: stay root', null, null),
  simple(
    'sandbox',
    null,
    'Rights',
    [...CAPTURING, 'doctor'],
    'macOS, untried: once all is open start no program, connect nowhere, write only files of its own',
    null,
    null,
  ),
  simple(
    'reduced',
    null,
    'Rights',
    CAPTURING,
    'capture nothing; show the bytes of sockets that the system tells anybody (the screen does so where rights are missing)',
    null,
    null,
  ),
  valued('read', 'r', 'FILE', 'Replay', RUN, 'read a pcap, pcapng or snoop file, gzip and zstd too; - is standard input', null),
  valued('speed', null, 'N', 'Replay', RUN, 'N times real time, 0 as fast as it goes (default 1)', null),
  valued(
    'filter',
    'f',
    'EXPR',
    'Screen',
    ['run', 'history'],
    'show only what matches, for example app:curl or port:443',
    'filter',
  ),
  valued('interval', null, 'TIME', 'Screen', CAPTURING, 'how often rates, screen and JSON are renewed (default 1s)', 'interval'),
  simple('no-names', 'n', 'Screen', RUN, 'show addresses and ports, no names', 'names', 'false'),
  simple('names', null, 'Screen', RUN, null, 'names', 'true'),
  valued(
    'theme',
    null,
    'NAME|PATH',
    'Screen',
    RUN,
    'colours: a theme of ours, of btop, or a .theme file (default: by the background)',
    'theme',
  ),
  valued(
    'units',
    null,
    'UNITS',
    'Screen',
    ['run', 'history'],
    'bytes (KiB/s), bytes-decimal (kB/s), bits (kb/s), bits-binary (Kib/s); default bytes',
    'units',
  ),
  simple('ascii', null, 'Screen', DRAWING, 'draw with ASCII characters only', 'ascii', 'true'),
  simple('no-ascii', null, 'Screen', DRAWING, null, 'ascii', 'false'),
  simple('no-color', null, 'Screen', DRAWING, 'no colours; bold and reverse stay', 'color', 'false'),
  simple('color', null, 'Screen', DRAWING, null, 'color', 'true'),
  simple('mouse', null, 'Screen', RUN, 'use the mouse (default: on, but off over SSH)', 'mouse', 'true'),
  simple('no-mouse', null, 'Screen', RUN, 'leave the mouse to the terminal', 'mouse', 'false'),
  simple(
    'json',
    null,
    'Output without a screen',
    ['run', 'history', 'query', 'interfaces', 'explain'],
    'one JSON object a line for each interval; of a command, its answer',
    null,
    null,
  ),
  simple(
    'once',
    null,
    'Output without a screen',
    RUN,
    'one sample, then exit: a table, or JSON with --json; with --read, the whole file',
    null,
    null,
  ),
  valued('duration', null, 'TIME', 'Output without a screen', CAPTURING, 'end after this time, for example 10s', null),
  valued('samples', null, 'N', 'Output without a screen', RUN, 'end after N samples', null),
  ...HISTORY_FLAGS,
  valued('config', null, 'PATH', 'Configuration', ASKING, 'read this configuration file instead of the usual one', null),
  simple('print-config', null, 'Configuration', RUN, 'print what is in force and where each value came from', null, null),
  simple('version', 'V', 'Configuration', EVERY, 'print the version', null, null),
  simple('help', 'h', 'Configuration', EVERY, 'print this; behind a command, what goes with it', null, null),
];

// What each exit status means, in a user's words: the help and the README say the same.

/** Every status with its meaning, in order. */
export const STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'normal, also when the reader of a pipe went away'],
  [String(EXIT_STATUS.internal), "a bug in netmon-tui, or an output that can't be written"],
  [String(EXIT_STATUS.usage), 'a mistake on the command line, in the configuration or in the file to read'],
  [String(EXIT_STATUS.permission), 'no permission to capture, or to read a file'],
  [String(EXIT_STATUS['no-device']), 'no such interface or driver'],
  [String(EXIT_STATUS['bad-filter']), 'a filter that is none'],
  [String(EXIT_STATUS.terminal), "a terminal that can't draw (TERM=dumb)"],
  [String(EXIT_STATUS.history), 'the history file'],
  [String(EXIT_STATUS['device-lost']), 'the interface vanished and no other is left'],
  ['128+n', 'ended by signal n'],
];
