// The table of settings and flags. It makes the parser, the checks, `--help`, `--print-config`, the completions and docs/configuration.md:
// a name, a default or a description is written here and nowhere else.

import { ALERT_KINDS, type AlertKind, SEVERITIES, type Severity } from '../../model/alert.ts';
import {
  type QuietHours,
  TERMINAL_NOTICES,
  type TerminalNotice,
  WEBHOOK_FORMATS,
  type WebhookFormat,
} from '../../model/delivery.ts';
import { type ListenPlan, PERSONAL_FIELDS, type PersonalField } from '../../model/export.ts';
import { EXPORT_FORMATS, type ExportFormat, HISTORY_KEYS, type HistoryKey } from '../../model/history.ts';
import {
  AVERAGES,
  type Average,
  DRIVER_CHOICES,
  type DriverChoice,
  LOG_LEVELS,
  type LogLevel,
  type Rotation,
  UNIT_MODES,
  type UnitMode,
} from '../../model/options.ts';
import type { KeepOptions } from '../../model/packets.ts';
import { RECEIPT_FORMATS, type ReceiptFormat } from '../../model/receipt.ts';
import type { CommandName } from '../commands.ts';
import { TIME_WORDS } from '../history/range.ts';
import {
  amount,
  COLLECTOR,
  COMMAND,
  choice,
  duration,
  expression,
  HOURS,
  INTERFACE,
  INTERFACES,
  KEEP,
  LISTEN,
  path,
  RATE,
  type Rate,
  ROTATION,
  SPEED,
  several,
  size,
  THEME,
  TOGGLE,
  TOKEN,
  text,
  URL_TEXT,
  USER,
  type ValueType,
  whole,
} from './value-types.ts';

/** Headings of the help, in order. */
export const GROUPS = [
  'Capture',
  'Privileges',
  'Packets',
  'Replay',
  'Screen',
  'Output without a screen',
  'History',
  'Receipt',
  'Alerts',
  'Configuration',
] as const;
type Group = (typeof GROUPS)[number];

/** A flag as an entry of the table lists it. */
interface FlagForm {
  /** Long name without dashes; the entry's own unless given. */
  readonly name?: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for its value in the help; null for a flag without one. */
  readonly value: string | null;
  /** True if the value may be left out, and has to follow a `=`. */
  readonly optional?: boolean;
  /** The entry's unless given. */
  readonly commands?: readonly CommandName[];
  /** The entry's unless given; null hides the flag from the help, because it is the opposite of a listed one. */
  readonly help?: string | null;
  /** What the flag says about this entry; null says nothing. The text of its value unless given. */
  readonly says?: (typed: string) => string | null;
}

/** One thing that can be set. */
export interface Setting<T> {
  readonly type: ValueType<T>;
  readonly initial: T;
  /** The default in words, if the value doesn't say it. */
  readonly unset?: string;
  readonly help: string;
  readonly flags: readonly FlagForm[];
  readonly variable: { readonly name: string; readonly says?: (typed: string) => string | null; readonly noun?: string } | null;
  /** Heading of the help under which its flags stand. */
  readonly group: Group;
  /** Commands that take its flags. */
  readonly commands: readonly CommandName[];
}

const WATCH: readonly CommandName[] = ['watch'];
const RUN: readonly CommandName[] = ['run'];
/** Commands with a screen. */
const SCREEN: readonly CommandName[] = ['watch', 'attach'];
const CAPTURING: readonly CommandName[] = ['watch', 'record'];
const OPENING: readonly CommandName[] = ['watch', 'run', 'record', 'doctor', 'why', 'stream'];
/** Commands that are told for how long, and how, to capture. */
const TIMED: readonly CommandName[] = [...CAPTURING, 'why'];
const ON_HISTORY: readonly CommandName[] = ['record', 'history', 'query', 'export', 'alerts', 'dns', 'policy', 'report', 'prune'];
const RANGED: readonly CommandName[] = ['history', 'export', 'alerts', 'dns', 'policy', 'report'];
const DRAWING: readonly CommandName[] = [
  ...(['watch', 'run', 'history', 'query', 'alerts', 'dns', 'policy', 'interfaces', 'listeners'] as const),
  'why',
  'attach',
];
const CONFIGURED: readonly CommandName[] = ['watch', 'run', ...ON_HISTORY, 'explain', 'why', 'stream', 'attach'];
const EVERY: readonly CommandName[] = [...CONFIGURED, 'interfaces', 'listeners', 'doctor', 'schema', 'completions'];

const MOMENT = text('a time', '24h', ['24h', '7d', ...TIME_WORDS]);
const AGE = duration(1, Number.MAX_SAFE_INTEGER, '90d', 'above zero');
const HISTORY_SIZE = size(5e6, 1e9, '200MB', 'from 5 MB to 1 GB, such as "200 MB"');
const NAME = text('a name', 'curl');

const toggle = (says: 'true' | 'false', form: Omit<FlagForm, 'value' | 'says'> = {}): FlagForm => ({
  ...form,
  value: null,
  says: () => says,
});
const value = (placeholder: string, form: Omit<FlagForm, 'value'> = {}): FlagForm => ({ ...form, value: placeholder });
const setting = <T>(entry: Omit<Setting<T>, 'variable'>, variable: Setting<T>['variable'] = null): Setting<T> => ({
  ...entry,
  variable,
});
const named = (name: string) => ({ name });
/** A flag of commands that nothing else sets. */
const flag = <T>(
  group: Group,
  commands: readonly CommandName[],
  form: FlagForm,
  type: ValueType<T>,
  initial: T,
  help: string,
  unset?: string,
): Setting<T> => ({
  type,
  initial,
  help,
  flags: [form],
  variable: null,
  group,
  commands,
  ...(unset === undefined ? {} : { unset }),
});
const plainFlag = (group: Group, commands: readonly CommandName[], help: string, short?: string): Setting<boolean> =>
  flag(group, commands, toggle('true', short === undefined ? {} : { short }), TOGGLE, false, help);

/** A setting of what is exported. */
const exported = <T>(type: ValueType<T>, initial: T, help: string, unset?: string): Setting<T> =>
  setting<T>({ type, initial, help, flags: [], group: 'Configuration', commands: [], ...(unset === undefined ? {} : { unset }) });
const engineUrl = (help: string) => exported<string | null>(URL_TEXT, null, help);
const engineUser = () =>
  exported<string | null>(
    text('a user name', 'netmon'),
    null,
    'user that it is sent as; the secret is then a password, else a token',
  );
const secretFile = () =>
  exported<string | null>(
    path('the path of a file', 'secret'),
    null,
    'file with the password or token, that only you can read (0600)',
  );
const engineCa = () =>
  exported<string | null>(path('the path of a PEM file', '/etc/ssl/my-ca.pem'), null, 'further certificates to trust for it');

const LEVEL: ValueType<'off' | Severity | null> = choice(['off', ...SEVERITIES]) as ValueType<'off' | Severity | null>;
/** A kind of alert: whether it is raised, and how severe it is. */
const alerts = (help: string, severity: Severity = 'warning'): Setting<'off' | Severity | null> =>
  setting<'off' | Severity | null>({
    type: LEVEL,
    initial: null,
    unset: severity,
    help,
    flags: [],
    group: 'Alerts',
    commands: [],
  });

/** What the configuration file may set, by its key there; most have a flag and a variable too. In the order in which they are printed. */
export const SETTINGS = {
  interface: setting<readonly string[]>(
    {
      type: INTERFACES,
      initial: [],
      unset: 'that of the default route; macOS: all',
      help: 'capture on this interface; repeatable; "any" takes all; history: only this one',
      flags: [value('NAME', { short: 'i' })],
      group: 'Capture',
      commands: [...OPENING, 'history'],
    },
    named('NETMON_INTERFACE'),
  ),
  bpf: setting<string | null>(
    {
      type: expression('a capture filter of one line', "'tcp port 443'"),
      initial: null,
      help: 'capture only matching packets (libpcap syntax: man pcap-filter)',
      flags: [value('EXPR')],
      group: 'Capture',
      commands: OPENING,
    },
    named('NETMON_BPF'),
  ),
  driver: setting<DriverChoice>(
    {
      type: choice(DRIVER_CHOICES, 'libpcap'),
      initial: 'auto',
      help: 'how to capture: auto, libpcap, tcpdump or cap',
      flags: [value('NAME')],
      group: 'Capture',
      commands: [...TIMED, 'run'],
    },
    named('NETMON_DRIVER'),
  ),
  'reverse-dns': setting(
    {
      type: TOGGLE,
      initial: false,
      help: 'look up addresses without a name in DNS; this makes traffic',
      flags: [toggle('true'), toggle('false', { name: 'no-reverse-dns', help: null })],
      group: 'Capture',
      commands: CAPTURING,
    },
    named('NETMON_REVERSE_DNS'),
  ),
  filter: setting<string | null>(
    {
      type: expression('a filter of one line', 'app:curl', 'filter'),
      initial: null,
      help: 'show only what matches, for example app:curl or port:443; record: write only that of packets',
      flags: [value('EXPR', { short: 'f' })],
      group: 'Screen',
      commands: [...CAPTURING, 'attach', 'history', 'dns'],
    },
    named('NETMON_FILTER'),
  ),
  interval: setting(
    {
      type: duration(100, 3_600_000, '2s', 'from 100ms to 1h'),
      initial: 1000,
      help: 'how often rates, screen and JSON are updated',
      flags: [value('TIME')],
      group: 'Screen',
      commands: [...CAPTURING, 'stream'],
    },
    named('NETMON_INTERVAL'),
  ),
  names: setting(
    {
      type: TOGGLE,
      initial: true,
      help: 'show names instead of addresses and ports',
      flags: [
        toggle('false', { name: 'no-names', short: 'n', help: 'show addresses and ports instead of names' }),
        toggle('true', { help: null }),
      ],
      group: 'Screen',
      commands: SCREEN,
    },
    named('NETMON_NAMES'),
  ),
  theme: setting(
    {
      type: THEME,
      initial: 'auto',
      help: 'colours: the name of a theme (ours or one of btop), or a .theme file',
      unset: 'auto, which goes by the background',
      flags: [value('NAME|PATH')],
      group: 'Screen',
      commands: SCREEN,
    },
    named('NETMON_THEME'),
  ),
  units: setting<UnitMode>(
    {
      type: choice(UNIT_MODES, 'bits'),
      initial: 'bytes',
      help: 'show bytes (KiB/s), bytes-decimal (kB/s), bits (kb/s) or bits-binary (Kib/s)',
      flags: [value('UNITS')],
      group: 'Screen',
      commands: [...SCREEN, 'history'],
    },
    named('NETMON_UNITS'),
  ),
  average: setting<`${Average}s` | null>(
    {
      type: choice(
        AVERAGES.map((seconds) => `${seconds}s` as const),
        '10s',
      ),
      initial: null,
      unset: '10s, or as the screen had it last',
      help: 'rows show mean rates over the last 2s, 10s or 40s',
      flags: [value('TIME')],
      group: 'Screen',
      commands: SCREEN,
    },
    named('NETMON_AVERAGE'),
  ),
  lite: setting<boolean | null>(
    {
      type: TOGGLE,
      initial: null,
      unset: 'as the last run left it',
      help: 'begin with the lite screen: rates, a chart and the six busiest apps',
      flags: [toggle('true'), toggle('false', { name: 'no-lite', help: null })],
      group: 'Screen',
      commands: SCREEN,
    },
    named('NETMON_LITE'),
  ),
  ascii: setting(
    {
      type: TOGGLE,
      initial: false,
      help: 'draw with ASCII characters only',
      flags: [toggle('true'), toggle('false', { name: 'no-ascii', help: null })],
      group: 'Screen',
      commands: DRAWING,
    },
    named('NETMON_ASCII'),
  ),
  color: setting(
    {
      type: TOGGLE,
      initial: true,
      help: 'use colours',
      flags: [toggle('false', { name: 'no-color', help: 'no colours; bold and reverse stay' }), toggle('true', { help: null })],
      group: 'Screen',
      commands: DRAWING,
    },
    named('NETMON_COLOR'),
  ),
  mouse: setting<boolean | null>(
    {
      type: TOGGLE,
      initial: null,
      unset: 'on, but off over SSH',
      help: 'use the mouse',
      flags: [toggle('true'), toggle('false', { name: 'no-mouse', help: 'leave the mouse to the terminal' })],
      group: 'Screen',
      commands: SCREEN,
    },
    named('NETMON_MOUSE'),
  ),
  log: setting<string | null>(
    {
      type: path('the path of a file', 'netmon.log'),
      initial: null,
      help: 'append a log of the run to this file',
      flags: [value('FILE')],
      group: 'Configuration',
      commands: CONFIGURED,
    },
    named('NETMON_LOG'),
  ),
  'log-level': setting<LogLevel>(
    {
      type: choice(LOG_LEVELS, 'debug'),
      initial: 'info',
      help: 'error, warn, info or debug; only debug writes addresses and names',
      flags: [value('LEVEL')],
      group: 'Configuration',
      commands: CONFIGURED,
    },
    named('NETMON_LOG_LEVEL'),
  ),
  policy: setting<string | null>(
    {
      type: path('the path of a file', 'home.toml'),
      initial: null,
      help: 'raise an alert when an app leaves this policy (policy init makes one); run: judge the command by it',
      flags: [value('FILE', { name: 'policy' })],
      group: 'Alerts',
      commands: [...CAPTURING, 'run'],
    },
    named('NETMON_POLICY'),
  ),
  'history.path': setting<string | null>(
    {
      type: path('the path of a file', 'traffic.sqlite'),
      initial: null,
      unset: '~/.local/share/netmon-tui/history.sqlite',
      help: 'record into the history file, or read it',
      flags: [{ name: 'history', value: 'PATH', optional: true, says: (typed) => (typed === '' ? null : typed) }],
      group: 'History',
      commands: ['watch', ...ON_HISTORY],
    },
    { name: 'NETMON_HISTORY', says: (typed) => (typed.includes('/') ? typed : null) },
  ),
  'history.enabled': setting(
    {
      type: TOGGLE,
      initial: false,
      help: 'record history on every run',
      flags: [
        value('PATH', { name: 'history', optional: true, says: () => 'true' }),
        toggle('false', { name: 'no-history', commands: WATCH, help: "don't record, whatever the configuration says" }),
      ],
      group: 'History',
      commands: ['watch', ...ON_HISTORY],
    },
    {
      name: 'NETMON_HISTORY',
      says: (typed) => (typed.includes('/') ? 'true' : typed),
      noun: 'true, false or a path with a slash',
    },
  ),
  'history.size': setting({
    type: HISTORY_SIZE,
    initial: 200e6,
    help: 'how large the history file may grow; the oldest records are deleted',
    flags: [],
    group: 'History',
    commands: [],
  }),
  'budget.amount': setting({
    type: amount(1e6, 9e15, 'an amount of bytes from 1 MB to 9 PB, such as "500 GB" or "465.5 GiB"', '500 GB'),
    initial: null,
    help: 'what may be used in a month, RX and TX together; GB is 1000, GiB 1024. budget = "500 GB" is short for it',
    flags: [],
    group: 'History',
    commands: [],
  }),
  'budget.day': setting({
    type: whole(1, 31, 15, 'a day of the month, 1 to 31'),
    initial: 1,
    help: 'day on which the month begins',
    flags: [],
    group: 'History',
    commands: [],
  }),
  'budget.interface': setting({
    type: INTERFACE,
    initial: null,
    unset: 'everything that is recorded',
    help: 'count only what goes over this interface',
    flags: [],
    group: 'History',
    commands: [],
  }),
  'alerts.enabled': setting(
    {
      type: TOGGLE,
      initial: true,
      unset: 'true; false in a replay',
      help: 'watch for what is new, wrong or too much',
      flags: [
        toggle('true', { name: 'alerts', help: 'raise alerts, in a replay too' }),
        toggle('false', { name: 'no-alerts', help: 'raise no alerts' }),
      ],
      group: 'Alerts',
      commands: CAPTURING,
    },
    named('NETMON_ALERTS'),
  ),
  'alerts.learn': setting({
    type: duration(0, 90 * 86_400_000, '7d', 'from 0s to 90d'),
    initial: 86_400_000,
    help: 'time to record before it is known what is usual; until then, what is new is not delivered',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'alerts.upload-floor': setting({
    type: size(1, 1e15, '1GB', 'from 1 byte, such as "1 GB"'),
    initial: 200e6,
    help: 'what any app may send in an hour without an alert',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'alerts.new-app': alerts('an app uses the network for the first time, or runs from a new place'),
  'alerts.new-domain': alerts('an app reaches a domain for the first time', 'info'),
  'alerts.new-country': alerts('an app reaches a country for the first time'),
  'alerts.new-network': alerts('an app reaches a network (AS number) for the first time, at an address without a name', 'info'),
  'alerts.new-inbound': alerts('an app accepts a connection from outside this network for the first time'),
  'alerts.upload': alerts('an app sends far more in an hour than it usually does'),
  'alerts.beacon': alerts('an app calls the same place again and again, as if by a clock'),
  'alerts.scan': alerts('an app tries many ports or hosts, or somebody tries those of this machine'),
  'alerts.dns-tunnel': alerts('many long names are asked for under one domain'),
  'alerts.policy': alerts('an app reaches what its policy does not allow'),
  'alerts.threshold': alerts('one of your own [[alert]] rules holds'),
  'alerts.budget': alerts('80 % of the budget is used, or all of it'),
  'alerts.capture-loss': alerts('packets are lost, so that traffic and alerts may be missing'),
  'alerts.recorder-stopped': alerts('history is no longer recorded'),
  'notify.terminal': setting<TerminalNotice>({
    type: choice(TERMINAL_NOTICES, 'notify'),
    initial: 'notify',
    help: 'how alerts show in the terminal: off, bell, notify (in the form it understands), or one of the forms',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.desktop': setting({
    type: TOGGLE,
    initial: false,
    help: 'show alerts as notifications of the desktop',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.command': setting<readonly string[]>({
    type: COMMAND,
    initial: [],
    unset: 'none',
    help: 'start this program for each alert, as you, with the alert as JSON on standard input',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.webhook': setting<string | null>({
    type: URL_TEXT,
    initial: null,
    help: 'post alerts to this address',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.webhook-format': setting<WebhookFormat | null>({
    type: choice(WEBHOOK_FORMATS, 'ntfy'),
    initial: null,
    unset: 'by the address; else json',
    help: 'what is posted: json, or what ntfy, Slack or Discord take',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.webhook-token': setting<string | null>({
    type: TOKEN,
    initial: null,
    help: 'bearer token that is sent with it',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.webhook-ca': setting<string | null>({
    type: path('the path of a PEM file', '/etc/ssl/my-ca.pem'),
    initial: null,
    help: 'further certificates to trust for it',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.syslog': setting({
    type: TOGGLE,
    initial: false,
    help: 'write alerts of netmon-tui record to the journal or syslog',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.quiet': setting<QuietHours | null>({
    type: HOURS,
    initial: null,
    help: 'hours in which only critical alerts are delivered; the others follow as one digest',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'notify.rate': setting<Rate>({
    type: RATE,
    initial: { most: 20, perMs: 3_600_000 },
    help: 'most messages in a minute, hour or day; further alerts follow as one digest',
    flags: [],
    group: 'Alerts',
    commands: [],
  }),
  'export.fields': exported<readonly PersonalField[]>(
    several(PERSONAL_FIELDS, 'domain'),
    [],
    'what is sent although it says something about people; by default none of it',
    'none',
  ),
  'export.hash': exported<readonly PersonalField[]>(
    several(PERSONAL_FIELDS, 'address'),
    [],
    'the same, but sent as hashes with a key that stays here',
    'none',
  ),
  'export.clickhouse.url': engineUrl('send minutes and closed connections to this ClickHouse over HTTP; needs history'),
  'export.clickhouse.user': engineUser(),
  'export.clickhouse.secret-file': secretFile(),
  'export.clickhouse.ca': engineCa(),
  'export.remote_write.url': engineUrl('send metrics to this address by Prometheus remote write; needs history'),
  'export.remote_write.user': engineUser(),
  'export.remote_write.secret-file': secretFile(),
  'export.remote_write.ca': engineCa(),
  'export.otlp.url': engineUrl('send metrics and logs to this OpenTelemetry collector over HTTP; needs history'),
  'export.otlp.user': engineUser(),
  'export.otlp.secret-file': secretFile(),
  'export.otlp.ca': engineCa(),
  'export.ipfix.to': exported<string | null>(
    COLLECTOR,
    null,
    'send closed connections to this collector of IPFIX; needs history',
  ),
  'export.prometheus.listen': exported<ListenPlan | null>(LISTEN, null, 'let Prometheus read metrics at this address'),
  'packets.keep': setting<KeepOptions | null>(
    {
      type: KEEP,
      initial: null,
      help: 'keep the newest packets in memory, so that P can write them to a file',
      flags: [value('TIME|SIZE', { name: 'keep-packets' })],
      group: 'Packets',
      commands: CAPTURING,
    },
    named('NETMON_KEEP_PACKETS'),
  ),
  'packets.snap': setting<'auto' | 'full'>(
    {
      type: choice(['auto', 'full'], 'full'),
      initial: 'auto',
      help: 'how much of each packet to capture: auto (what is worth reading, and headers of the rest) or full',
      flags: [value('auto|full', { name: 'snap' })],
      group: 'Packets',
      commands: CAPTURING,
    },
    named('NETMON_SNAP'),
  ),
  'packets.on-alert': setting({
    type: TOGGLE,
    initial: false,
    help: 'write the packets behind an alert to a file, if it is a warning or critical and packets are kept',
    flags: [],
    group: 'Packets',
    commands: [],
  }),
  'packets.folder': setting<string | null>({
    type: path('the path of a folder', 'evidence'),
    initial: null,
    unset: '~/.local/share/netmon-tui/packets',
    help: 'folder for the packets behind alerts',
    flags: [],
    group: 'Packets',
    commands: [],
  }),
  'packets.folder-size': setting({
    type: size(1e6, 1e12, '500MB', 'from 1 MB to 1 TB, such as "500 MB"'),
    initial: 500e6,
    help: 'how large that folder may grow; the oldest files are deleted',
    flags: [],
    group: 'Packets',
    commands: [],
  }),
  'packets.folder-age': setting({
    type: duration(3_600_000, 3650 * 86_400_000, '30d', 'from 1h to 3650d'),
    initial: 30 * 86_400_000,
    help: 'how old files in that folder may get',
    flags: [],
    group: 'Packets',
    commands: [],
  }),
  'place.country': setting({
    type: path('the path of an MMDB file', '/usr/share/GeoIP/GeoLite2-Country.mmdb'),
    initial: null,
    unset: 'the usual places',
    help: 'MMDB file with the countries of addresses',
    flags: [],
    group: 'Configuration',
    commands: [],
  }),
  'place.asn': setting({
    type: path('the path of an MMDB file', '/usr/share/GeoIP/GeoLite2-ASN.mmdb'),
    initial: null,
    unset: 'the usual places',
    help: 'MMDB file with the networks (AS numbers) of addresses',
    flags: [],
    group: 'Configuration',
    commands: [],
  }),
};

/** What only flags set, by the name of the flag. */
export const OPTIONS = {
  user: flag<string | null>(
    'Privileges',
    OPENING,
    value('NAME'),
    USER,
    null,
    'as root: switch to this user once everything is open',
    'whoever called sudo, else nobody',
  ),
  'drop-all': plainFlag('Privileges', OPENING, "also give up looking into other users' processes; fewer owners are named"),
  'stay-root': plainFlag('Privileges', OPENING, 'as root: stay root'),
  sandbox: plainFlag(
    'Privileges',
    OPENING,
    'macOS, untested: once everything is open, start no programs, connect nowhere, write only its own files',
  ),
  reduced: plainFlag(
    'Privileges',
    [...CAPTURING, 'stream'],
    "don't capture; show the byte counts of sockets that any user may read (the screen does so by itself without permission)",
  ),
  write: flag<string | null>(
    'Packets',
    CAPTURING,
    value('FILE', { short: 'w' }),
    path('the path of a file', 'trace.pcapng'),
    null,
    'write packets to this pcapng file, with app and host of each; with --filter, those that match; - is standard output',
  ),
  rotate: flag<Rotation | null>(
    'Packets',
    CAPTURING,
    value('SIZE|TIME'),
    ROTATION,
    null,
    'begin another file when one has this size or spans this time',
  ),
  keep: flag<number | null>(
    'Packets',
    CAPTURING,
    value('N'),
    whole(1, 1_000_000, 10),
    null,
    'keep only the newest files of --rotate',
    'all',
  ),
  read: flag<string | null>(
    'Replay',
    ['watch', 'why', 'stream'],
    value('FILE', { short: 'r' }),
    path('a file', 'trace.pcap'),
    null,
    'read a pcap, pcapng or snoop file, also gzip or zstd; - is standard input',
  ),
  speed: flag<number | null>(
    'Replay',
    WATCH,
    value('N'),
    SPEED,
    null,
    'play N times as fast as it was; 0 is as fast as possible',
    '1',
  ),
  json: plainFlag(
    'Output without a screen',
    ['watch', 'history', 'query', 'alerts', 'dns', 'policy', 'interfaces', 'listeners', 'doctor', 'explain', 'why'],
    'print JSON: a line for each interval, or the result of a command',
  ),
  once: plainFlag(
    'Output without a screen',
    WATCH,
    'take one sample, then exit: a table, or JSON with --json; with --read, the whole file',
  ),
  duration: flag<number | null>(
    'Output without a screen',
    TIMED,
    value('TIME'),
    duration(100, 366 * 86_400_000, '10s', 'from 100ms to 366d'),
    null,
    'stop after this time, for example 10s',
  ),
  dns: plainFlag('Output without a screen', WATCH, 'with --json: also a line for each question asked of DNS'),
  lineage: plainFlag('Output without a screen', WATCH, 'with --json: also who started each process, and its command line'),
  samples: flag<number | null>(
    'Output without a screen',
    WATCH,
    value('N'),
    whole(1, 1_000_000_000, 10),
    null,
    'stop after N samples',
  ),
  since: flag<string | null>(
    'History',
    RANGED,
    value('TIME'),
    MOMENT,
    null,
    'start of the range: 24h, 7d, today, yesterday, month, 2026-11-01 ...',
    '24h; report and policy check 7d, export and policy init all',
  ),
  until: flag<string | null>(
    'History',
    RANGED,
    value('TIME'),
    MOMENT,
    null,
    'end of the range; a day, week or month is included whole',
    'now',
  ),
  by: flag<HistoryKey>(
    'History',
    ['history'],
    value('KEY'),
    choice(HISTORY_KEYS),
    'app',
    'a row for each app, host, domain, category, interface, hour or day',
  ),
  app: flag<string | null>(
    'History',
    ['history', 'alerts', 'dns', 'policy', 'explain', 'prune'],
    value('NAME'),
    NAME,
    null,
    'only this app; explain: the category when this app asks',
  ),
  domain: flag<string | null>('History', ['history'], value('NAME'), NAME, null, 'only this domain'),
  category: flag<string | null>('History', ['history'], value('NAME'), NAME, null, 'only this category'),
  top: flag('History', ['history'], value('N'), whole(1, 100_000, 10), 20, 'number of rows; one more sums up the rest'),
  csv: plainFlag('History', ['history', 'query'], 'print rows as CSV'),
  severity: flag<Severity>(
    'History',
    ['alerts'],
    value('LEVEL'),
    choice(SEVERITIES, 'warning'),
    'info',
    'only alerts of at least this severity: info, warning or critical',
  ),
  'exit-code': plainFlag(
    'Alerts',
    [...CAPTURING, 'alerts'],
    'exit with status 10 if there were alerts, but for learning and muted ones; with --policy only on drift',
  ),
  deliver: plainFlag('Alerts', ['doctor'], 'send a test alert to everything that [notify] names'),
  timeout: flag(
    'History',
    ['query'],
    value('TIME'),
    duration(100, 3_600_000, '30s', 'from 100ms to 1h'),
    10_000,
    'cancel the query after this time',
  ),
  limit: flag('History', ['query'], value('N'), whole(1, 1_000_000, 100), 1000, 'at most this many rows'),
  format: flag<ExportFormat | ReceiptFormat | null>(
    'History',
    ['export', 'run', 'watch'],
    value('FORMAT'),
    choice<ExportFormat | ReceiptFormat>([...EXPORT_FORMATS, ...RECEIPT_FORMATS.filter((name) => name !== 'json')]),
    null,
    'write csv, json, parquet or sqlite; of a receipt: text, json, markdown or sarif',
    'csv; of a receipt: by its name',
  ),
  session: flag<number | null>(
    'Receipt',
    WATCH,
    value('PID'),
    whole(1, 2 ** 31 - 1, 4711),
    null,
    'follow this process and all that it starts from now on; a receipt says at the end what they reached',
  ),
  receipt: flag<string | null>(
    'Receipt',
    ['run', 'watch'],
    value('FILE'),
    path('the path of a file', 'receipt.json'),
    null,
    'write the receipt to this file: .json, .md and .sarif say its format',
    'standard error, as text',
  ),
  update: flag<string | null>(
    'Receipt',
    RUN,
    value('FILE'),
    path('the path of a file', 'ci.toml'),
    null,
    'make a policy of what the command reached; if it is there, add to it',
  ),
  flows: plainFlag('History', ['export'], 'export the connection log instead of the records'),
  output: flag<string | null>(
    'History',
    ['export', 'record'],
    value('FILE', { short: 'o' }),
    path('the path of a file', 'traffic.csv'),
    null,
    'write to this file',
    'standard output',
  ),
  html: flag<string | null>(
    'History',
    ['report'],
    value('FILE'),
    path('the path of a file', 'report.html'),
    null,
    'write the report to this file',
  ),
  force: plainFlag('History', ['watch', 'run', 'export', 'policy', 'report', 'record'], 'overwrite an existing file'),
  before: flag<string | null>('History', ['prune'], value('TIME'), MOMENT, null, 'delete everything before this time'),
  'older-than': flag<number | null>(
    'History',
    ['prune'],
    value('TIME'),
    AGE,
    null,
    'delete everything older than this, for example 90d',
  ),
  'max-size': flag<number | null>(
    'History',
    ['prune'],
    value('SIZE'),
    HISTORY_SIZE,
    null,
    'delete the oldest records until the file has this size, for example 100MB',
  ),
  'dry-run': plainFlag('History', ['prune'], 'only say what would be deleted'),
  yes: plainFlag('History', ['prune', 'attach'], "don't ask", 'y'),
  install: flag<'launchd' | 'systemd' | null>(
    'History',
    ['record', 'attach'],
    value('SYSTEM|HOST'),
    choice<'launchd' | 'systemd'>(['launchd', 'systemd'], 'systemd'),
    null,
    'record: print the service file for systemd or launchd, and how to install it; attach: copy netmon-tui to this machine',
  ),
  uninstall: flag<string | null>(
    'History',
    ['attach'],
    value('HOST'),
    text('a host', 'mac1'),
    null,
    'take away what --install copied',
  ),
  config: {
    ...flag<string | null>(
      'Configuration',
      [...CONFIGURED, 'doctor'],
      value('PATH'),
      path('the path of a file', 'netmon.toml'),
      null,
      'read this configuration file instead of the usual one',
    ),
    variable: named('NETMON_CONFIG'),
  },
  'print-config': plainFlag('Configuration', WATCH, 'print the settings in force and where each comes from'),
  version: plainFlag('Configuration', EVERY, 'print the versions of netmon-tui, Node and libpcap', 'V'),
  help: plainFlag('Configuration', EVERY, 'print this help; after a command, that of the command', 'h'),
};

type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** A setting, by its key in the configuration file: `interval`, `history.path`. */
export type SettingName = keyof typeof SETTINGS;
export type Settings = { readonly [K in SettingName]: ValueOf<(typeof SETTINGS)[K]> };
export type OptionName = keyof typeof OPTIONS;
export type OptionValues = { readonly [K in OptionName]: ValueOf<(typeof OPTIONS)[K]> };

/** Names of all settings, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/** One flag. */
export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter, or null. */
  readonly short: string | null;
  /** What stands for its value in the help; null takes none. */
  readonly value: string | null;
  /** True if the value may be left out, and has to follow a `=`. */
  readonly optional: boolean;
  /** With the default; null if it is accepted but not listed, as the opposite of a listed one. */
  readonly help: string | null;
  readonly group: Group;
  readonly repeatable: boolean;
  readonly commands: readonly CommandName[];
  readonly offers: ValueType<unknown>['offers'];
}

/** All flags, in the order of the help. */
export const FLAGS: readonly Flag[] = GROUPS.flatMap((group) =>
  [...Object.entries<Setting<unknown>>(SETTINGS), ...Object.entries<Setting<unknown>>(OPTIONS)]
    .filter(([, entry]) => entry.group === group)
    .flatMap(([name, entry]) => entry.flags.map((form) => flagOf(form, name, entry))),
).filter(({ name }, at, all) => all.findIndex((other) => other.name === name) === at);

function flagOf(form: FlagForm, name: string, entry: Setting<unknown>): Flag {
  const help = form.help === undefined ? `${entry.help}${defaultText(entry)}` : form.help;
  const isSwitch = form.value === null;
  return {
    name: form.name ?? name,
    short: form.short ?? null,
    value: form.value,
    optional: form.optional ?? false,
    help,
    group: entry.group,
    repeatable: isSwitch || entry.type.form === 'strings',
    commands: form.commands ?? entry.commands,
    offers: isSwitch ? [] : entry.type.offers,
  };
}

/** ` (default 1s)`; empty if there is nothing to say. */
function defaultText({ type, initial, unset }: Setting<unknown>): string {
  if (unset !== undefined) return ` (default${unset.includes(' ') ? ':' : ''} ${unset})`;
  return initial === null || type.form === 'boolean' ? '' : ` (default ${type.write(initial as NonNullable<unknown>)})`;
}

/** A flag with its value, as the help writes it: `--interval TIME`, `--history[=PATH]`. */
export function flagText({ name, value: placeholder, optional }: Flag): string {
  return `--${name}${placeholder === null ? '' : optional ? `[=${placeholder}]` : ` ${placeholder}`}`;
}

/** Settings of the kinds of alerts. */
export const ALERT_SETTINGS = SETTING_NAMES.flatMap((name) => {
  const kind = ALERT_KINDS.find((one) => `alerts.${one}` === name);
  return kind === undefined ? [] : [{ kind, name: name as `alerts.${AlertKind}` & SettingName }];
});
