// The commands: their names, what they do and what follows them. Their options are in the table of settings.

import { EXIT_STATUS, FOUND_STATUS } from '../model/errors.ts';

/** Shells that completions are written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

type Example = readonly [typed: string, what: string];

/** One command. */
export interface Command {
  /** What it does, in a few words for the help. */
  readonly does: string;
  /** The word that has to follow it; null where none may. */
  readonly operand: {
    readonly name: string;
    /** Completes "... needs". */
    readonly noun: string;
    readonly example: string;
    /** All words that are accepted; empty for free text. */
    readonly choices: readonly string[];
    /** True if the path of a file has to follow. */
    readonly file?: true;
    /** True if more of them may follow. */
    readonly many?: true;
  } | null;
  readonly examples: readonly Example[];
}

const TABLE = {
  watch: {
    does: 'watch the network (as root: sudo netmon-tui)',
    operand: null,
    examples: [
      ['sudo netmon-tui', 'who talks to whom, live'],
      ['sudo netmon-tui -i en0 -f app:curl', 'one interface, one app'],
      ['sudo netmon-tui --json --duration 10s', 'ten seconds as JSON lines'],
      ['netmon-tui -r trace.pcap --once', 'what a file contains, as a table'],
      ['ssh mac sudo tcpdump -Uw - not port 22 | netmon-tui -r -', 'packets from another machine'],
    ],
  },
  run: {
    does: 'run a command, and say what it and all that it starts reach',
    operand: { name: '-- COMMAND ...', noun: 'a command', example: '-- npm ci', choices: [] },
    examples: [
      ['sudo netmon-tui run -- npm ci', 'who it talked to, on standard error at its end'],
      ['sudo netmon-tui run --policy ci.toml -- make', 'status 10 if it reached more'],
      ['sudo netmon-tui run --receipt r.json -- npm ci', 'the whole receipt, as JSON'],
    ],
  },
  record: {
    does: 'record history without a screen (as root)',
    operand: null,
    examples: [
      ['sudo netmon-tui record', 'record until Ctrl+C or SIGTERM'],
      ['netmon-tui record --install systemd', 'a service file, and where to put it'],
    ],
  },
  history: {
    does: 'show who used how much, and when',
    operand: null,
    examples: [
      ['netmon-tui history --since 7d --by domain', 'where a week went'],
      ["netmon-tui history -f 'app:curl iface:en0'", 'one app on one interface, the last day'],
      ['netmon-tui history --since month --csv', 'this month, for a spreadsheet'],
    ],
  },
  query: {
    does: 'run read-only SQL on the history',
    operand: { name: '"SQL"', noun: 'a statement', example: '"SELECT * FROM connections LIMIT 10"', choices: [] },
    examples: [
      ['netmon-tui query "SELECT * FROM connections"', 'bytes by app, host, minute'],
      ['netmon-tui query "SELECT * FROM flows"', 'the connection log'],
      ['netmon-tui query - < top.sql', 'a statement from a file'],
    ],
  },
  export: {
    does: 'export records as CSV, JSON lines or SQLite',
    operand: null,
    examples: [
      ['netmon-tui export --since 30d -o month.csv', 'a month of records'],
      ['netmon-tui export --flows --format json', 'the connection log'],
    ],
  },
  alerts: {
    does: 'list alerts of earlier runs',
    operand: null,
    examples: [
      ['netmon-tui alerts --since 7d', 'the alerts of a week'],
      ['netmon-tui alerts --since 1h --severity warning --exit-code', 'status 10 if there was a warning'],
    ],
  },
  dns: {
    does: 'list what was asked of DNS, who asked, and what came back',
    operand: null,
    examples: [
      ['netmon-tui dns --since 1h --app firefox', 'what one app asked in the last hour'],
      ["netmon-tui dns --since 7d -f 'rtt>500ms'", 'slow answers of a week'],
    ],
  },
  policy: {
    does: 'make a policy of what apps may reach, or judge history by one',
    operand: { name: 'init|check FILE', noun: 'init or check', example: 'check FILE', choices: ['init', 'check'], file: true },
    examples: [
      ['netmon-tui policy init home.toml', 'allow what each app reached so far'],
      ['netmon-tui policy check --since 7d home.toml', 'status 10 if an app reached more'],
    ],
  },
  report: {
    does: 'write a page with charts that works offline',
    operand: null,
    examples: [['netmon-tui report --html week.html', 'a page about the last week']],
  },
  prune: {
    does: 'delete old history',
    operand: null,
    examples: [
      ['netmon-tui prune --older-than 90d --dry-run', 'what would be deleted'],
      ['netmon-tui prune --app Slack --yes', "all of one app's history"],
    ],
  },
  interfaces: { does: 'list the interfaces that can be watched', operand: null, examples: [] },
  listeners: {
    does: 'list what waits for connections, and for whom',
    operand: null,
    examples: [
      ['sudo netmon-tui listeners', 'port, process and reach of each'],
      ['netmon-tui listeners --json | jq \'select(.reach=="everywhere")\'', 'what others can reach'],
    ],
  },
  doctor: { does: "check what works here and what doesn't", operand: null, examples: [] },
  explain: {
    does: 'say which category a host is in, and why',
    operand: { name: 'HOST', noun: 'a host', example: 'example.com', choices: [] },
    examples: [['netmon-tui explain example.com --app Slack', 'its category when Slack asks']],
  },
  why: {
    does: 'say why a host is slow, from what passes (as root)',
    operand: { name: 'HOST', noun: 'a host', example: 'example.com', choices: [] },
    examples: [
      ['sudo netmon-tui why example.com', 'use it meanwhile; ten seconds'],
      ['netmon-tui why example.com -r trace.pcap', 'from a capture'],
    ],
  },
  attach: {
    does: 'show other machines in one screen, over ssh',
    operand: { name: 'HOST ...', noun: 'a host', example: 'mac1 ann@db3', choices: [], many: true },
    examples: [
      ['netmon-tui attach ann@mac1', 'one other machine'],
      ['netmon-tui attach mac1 mac2 office', 'two, and a group of [attach]'],
      ['netmon-tui attach --install mac1', 'copy netmon-tui there, into ~/.netmon-tui'],
    ],
  },
  stream: {
    does: 'send what this machine sees, for a screen elsewhere',
    operand: null,
    examples: [],
  },
  schema: {
    does: 'print the tables and views that an engine needs for exports',
    operand: { name: 'ENGINE', noun: 'an engine', example: 'clickhouse', choices: ['clickhouse'] },
    examples: [['netmon-tui schema clickhouse | clickhouse-client -mn', 'make them, or change nothing']],
  },
  completions: {
    does: 'print completions for bash, zsh or fish',
    operand: { name: 'SHELL', noun: 'a shell', example: 'bash', choices: SHELLS },
    examples: [
      ['source <(netmon-tui completions bash)', 'type this, or put it into ~/.bashrc'],
      ['source <(netmon-tui completions zsh)', 'the same for zsh, after compinit'],
      ['netmon-tui completions fish | source', 'the same for fish'],
    ],
  },
} as const satisfies Readonly<Record<string, Command>>;

/** Names of commands; `watch` is what happens without one. */
export type CommandName = keyof typeof TABLE;
/** All commands, in the order of the help. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = TABLE;
export const COMMAND_NAMES = Object.keys(TABLE) as CommandName[];

/** Every exit status with its meaning, in order: the help and the documentation say the same. */
export const STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'success, also when the reader of a pipe went away'],
  [String(EXIT_STATUS.internal), "a bug in netmon-tui, or output that can't be written"],
  [String(EXIT_STATUS.usage), 'a mistake on the command line, in the configuration or in the file to read'],
  [String(EXIT_STATUS.permission), 'no permission to capture or to read a file'],
  [String(EXIT_STATUS['no-device']), 'no such interface or driver'],
  [String(EXIT_STATUS['bad-filter']), 'invalid filter'],
  [String(EXIT_STATUS.terminal), "a terminal that can't draw (TERM=dumb)"],
  [String(EXIT_STATUS.history), 'a problem with the history file'],
  [String(EXIT_STATUS['device-lost']), 'the interface disappeared and no other is left'],
  [String(FOUND_STATUS), "an app did what its policy doesn't allow; with --exit-code: there were alerts"],
  ['128+n', 'ended by signal n'],
];
