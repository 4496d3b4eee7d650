// The text of --help, of the program and of each command, made from the table of flags; 80 columns. Pure.

import { type CommandName, FLAG_GROUPS, FLAGS, type Flag, flagText, OPERANDS, STATUSES } from './flags.ts';

const WIDTH = 80;
const COLUMN = 25;

type Example = readonly [command: string, what: string];

const EXAMPLES: readonly Example[] = [
  ['sudo netmon-tui', 'who talks to whom, live'],
  ['sudo netmon-tui -i en0 -f app:curl', 'one interface, one app'],
  ['sudo netmon-tui --json --duration 10s', 'ten seconds as JSON lines'],
  ['netmon-tui -r trace.pcap --once', 'what a file holds, as a table'],
  ['ssh mac sudo tcpdump -Uw - not port 22 | netmon-tui -r -', 'the packets of another machine'],
];

/** What each command does, and how it is typed; the first is what happens without one. */
const COMMAND_HELP: Readonly<Record<CommandName, { readonly does: string; readonly examples: readonly Example[] }>> = {
  run: { does: 'watch the network (as root: sudo netmon-tui)', examples: EXAMPLES },
  record: {
    does: 'record history without a screen (as root)',
    examples: [
      ['sudo netmon-tui record', 'until Ctrl+C or SIGTERM'],
      ['netmon-tui record --install systemd', 'the service file, and where it belongs'],
    ],
  },
  history: {
    does: 'who used how much, of what, when',
    examples: [
      ['netmon-tui history --since 7d --by domain', 'where a week went'],
      ["netmon-tui history -f 'app:curl iface:en0'", 'a part of the last day'],
      ['netmon-tui history --since month --csv', 'for a spreadsheet'],
    ],
  },
  query: {
    does: 'read-only SQL on the history',
    examples: [
      ['netmon-tui query "SELECT * FROM connections"', 'bytes by app, host, minute'],
      ['netmon-tui query "SELECT * FROM flows"', 'the log of connections'],
      ['netmon-tui query - < top.sql', 'a statement from a file'],
    ],
  },
  export: {
    does: 'records as CSV, JSON lines or SQLite',
    examples: [
      ['netmon-tui export --since 30d -o month.csv', 'a month of records'],
      ['netmon-tui export --flows --format json', 'the log of connections'],
    ],
  },
  report: { does: 'a page with charts that works offline', examples: [['netmon-tui report --html week.html', 'a week']] },
  prune: {
    does: 'delete old history',
    examples: [
      ['netmon-tui prune --older-than 90d --dry-run', 'what would go'],
      ['netmon-tui prune --app Slack --yes', 'all of an app'],
    ],
  },
  interfaces: { does: 'list the interfaces that can be watched', examples: [] },
  doctor: { does: 'say what works on this machine, and why not', examples: [] },
  explain: {
    does: 'say which category a host is in, and why',
    examples: [['netmon-tui explain example.com --app Slack', 'when this app asks']],
  },
};

/** How a filter is written, for whoever has no README at hand. */
const FILTER_LINES = [
  '  app:curl port:443     both; also or, not, ( ), : = != < > ~ and /regex/',
  '  fields are app exe pid user host addr src dst net port sport dport proto',
  '  application state dir iface category country asn rx tx bytes rate rxrate',
  '  txrate packets age idle rtt attribution; a bare word searches the names',
];

/** The help of a command, or of the whole program for `run`; newline at the end. */
export function helpText(command: CommandName = 'run'): string {
  const whole = command === 'run';
  const lines = whole
    ? ['netmon-tui: which app is talking to whom, live', '', 'Usage:', ...usageOfAll()]
    : [`netmon-tui ${command}: ${COMMAND_HELP[command].does}`, '', 'Usage:', `  ${usage(command)} [options]`];
  for (const group of FLAG_GROUPS) {
    const flags = FLAGS.filter(
      (flag) => flag.group === group && flag.help !== null && (whole || flag.commands.includes(command)),
    );
    if (flags.length > 0) lines.push('', `${group}:`);
    for (const flag of flags) lines.push(...entry(heading(flag), flag.help ?? '', COLUMN));
  }
  if (whole) lines.push('', 'Filters:', ...FILTER_LINES);
  const { examples } = COMMAND_HELP[command];
  if (examples.length > 0) lines.push('', 'Examples:');
  for (const [typed, what] of examples) lines.push(...entry(typed, what, 48));
  if (!whole) return `${[...lines, '', 'All commands, filters and exit statuses: netmon-tui --help'].join('\n')}\n`;
  lines.push('', 'Exit status:');
  for (const [status, what] of STATUSES) lines.push(...entry(status, what, 9));
  lines.push('', 'Options of one command: netmon-tui COMMAND --help');
  lines.push('Settings may also come from NETMON_ variables (NETMON_INTERFACE=en0) and from');
  lines.push('~/.config/netmon-tui/config.toml; --print-config shows them all.');
  return `${lines.join('\n')}\n`;
}

function usageOfAll(): string[] {
  return Object.entries(COMMAND_HELP).flatMap(([name, { does }]) =>
    entry(name === 'run' ? 'netmon-tui [options]' : usage(name as CommandName), does, 34),
  );
}

function usage(command: CommandName): string {
  const needs = OPERANDS[command]?.name ?? (command === 'report' ? '--html FILE' : '');
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
