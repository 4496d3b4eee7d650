// The text of --help, made from the table of flags; 80 columns. Pure.

import { EXIT_STATUS } from '../errors.ts';
import { FLAG_GROUPS, type Flag, flagText } from './flag.ts';
import { FLAGS } from './flags.ts';

const WIDTH = 80;
const COLUMN = 25;

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['sudo netmon-tui', 'who talks to whom, live'],
  ['sudo netmon-tui -i en0 -f app:curl', 'one interface, one app'],
  ['sudo netmon-tui --json --duration 10s', 'ten seconds as JSON lines'],
  ['netmon-tui -r trace.pcap --once', 'what a file holds, as a table'],
  ['ssh mac sudo tcpdump -w - | netmon-tui -r -', 'the packets of another machine'],
];

const STATUSES: readonly (readonly [string, string])[] = [
  ['0', 'normal, also when the reader of a pipe went away'],
  [String(EXIT_STATUS.internal), 'a bug in netmon-tui'],
  [String(EXIT_STATUS.usage), 'a mistake on the command line or in the configuration'],
  [String(EXIT_STATUS.permission), 'no permission to capture'],
  [String(EXIT_STATUS['no-device']), 'no such interface, driver or file'],
  [String(EXIT_STATUS['bad-filter']), 'a filter that does not compile'],
  [String(EXIT_STATUS.terminal), 'a terminal that cannot draw (TERM=dumb)'],
  [String(EXIT_STATUS.history), 'the history file'],
  [String(EXIT_STATUS['device-lost']), 'the interface vanished and no other is left'],
  ['128+n', 'ended by signal n'],
];

/** The whole help text, newline at the end. */
export function helpText(): string {
  const lines = [
    'netmon-tui: which app is talking to whom, live',
    '',
    'Usage:',
    '  netmon-tui [options]            watch the network (as root: sudo netmon-tui)',
    '  netmon-tui record               record history without a screen (as root)',
    '  netmon-tui history              who used how much, of what, when',
    '  netmon-tui query "SQL"          read-only SQL on the history',
    '  netmon-tui export               records as CSV, JSON lines or SQLite',
    '  netmon-tui report --html FILE   a page with charts that works offline',
    '  netmon-tui prune                delete old history',
    '  netmon-tui interfaces [--json]  list the interfaces that can be watched',
    '  netmon-tui doctor               say what works on this machine, and why not',
    '  netmon-tui explain HOST         say which category a host is in, and why',
  ];
  for (const group of FLAG_GROUPS) {
    lines.push('', `${group}:`);
    for (const flag of FLAGS)
      if (flag.group === group && flag.help !== null) lines.push(...entry(heading(flag), flag.help, COLUMN));
  }
  lines.push('', 'Examples:');
  for (const [command, what] of EXAMPLES) lines.push(...entry(command, what, 48));
  lines.push('', 'Exit status:');
  for (const [status, what] of STATUSES) lines.push(...entry(status, what, 9));
  lines.push('', 'Settings may also come from NETMON_ variables (NETMON_INTERFACE=en0) and from');
  lines.push('~/.config/netmon-tui/config.toml; --print-config shows them all.');
  return `${lines.join('\n')}\n`;
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
