// Options: everything that the user asked of a run, from flags, environment and configuration file, already checked. The rest of the program reads
// only this.

import type { AlertKind, Severity } from './alert.ts';
import type { NotifyOptions } from './delivery.ts';
import type { ExportPlan } from './export.ts';
import type { KeepOptions } from './packets.ts';
import type { PolicyFile } from './policy.ts';
import type { ReceiptFormat } from './receipt.ts';
import type { DriverName } from './terms.ts';

/** Drivers that `--driver` takes. */
export const DRIVER_CHOICES = ['auto', 'libpcap', 'tcpdump', 'cap'] as const satisfies readonly ('auto' | DriverName)[];
export type DriverChoice = (typeof DRIVER_CHOICES)[number];

/** Log levels, most important first. Each includes those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where a run writes its log. */
export interface LogOptions {
  /** Absolute. */
  readonly path: string;
  readonly level: LogLevel;
  /** Owner for the file; null if the process is that user. */
  readonly owner: HistoryOptions['owner'];
}

/** A capture file to write, or a row of them. */
export interface WriteOptions {
  /** As given; `-` for standard output. */
  readonly path: string;
  /** Whether it may take the place of another file. */
  readonly force: boolean;
  /** When the next file of a row begins; null for a single file. */
  readonly rotate: Rotation | null;
  /** Files of the row that stay; null for all. */
  readonly most: number | null;
  /** Nothing is shown meanwhile, terminal or not. */
  readonly isAlone: boolean;
}

/** Bytes of a file, or the time that its packets span, ms. */
export interface Rotation {
  readonly bytes: number | null;
  readonly ms: number | null;
}

/** What becomes of packets once they are counted. */
export interface PacketOptions {
  /** Capture every byte of every packet. */
  readonly whole: boolean;
  /** null keeps none. */
  readonly keep: KeepOptions | null;
  /** Where all of them go, or those that the filter matches; null writes none. */
  readonly write: WriteOptions | null;
  /** Where packets go by themselves that show what an alert is about; null for nowhere. */
  readonly onAlert: { readonly folder: string; readonly maxBytes: number; readonly maxAgeMs: number } | null;
}

/** The file in which history is kept. */
export interface HistoryOptions {
  /** Absolute. */
  readonly path: string;
  /** True if the user asked for recording; otherwise the file is only read. */
  readonly record: boolean;
  /** Largest size of the file. */
  readonly maxBytes: number;
  /** Owner for what root writes; null if the process is that user. A gid of -1 leaves the group unchanged. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** Message and hint for `--sandbox` on Linux. */
export const SANDBOX_ELSEWHERE = [
  '--sandbox is for macOS',
  'leave it out: on Linux, history threads are always confined if the kernel has Landlock',
] as const;

/** How to drop the rights that a run starts with. */
export interface PrivilegeOptions {
  /** User to become; null for the user who called sudo, else nobody. */
  readonly user: string | null;
  /** Also drop what only attribution needs. */
  readonly dropAll: boolean;
  readonly stayRoot: boolean;
  /** Run in Seatbelt's sandbox, on macOS only. */
  readonly sandbox: boolean;
}

/** What the user asked of a run. Durations in milliseconds; null if not given. */
export interface Options {
  /** Names as given, without duplicates; `any` only alone. Empty for the default route's (macOS: PKTAP on all), and in a replay. */
  readonly interfaces: readonly string[];
  /** File to replay, `-` for standard input; null is live. */
  readonly read: string | null;
  /** Multiple of real time in a replay; 0 is as fast as possible. */
  readonly speed: number;
  /** Display filter; not compiled yet. */
  readonly filter: string | null;
  /** Capture filter in libpcap's syntax; null in a replay. */
  readonly bpf: string | null;
  readonly intervalMs: number;
  /** True for `netmon-tui record`, which records history and shows nothing. */
  readonly headless: boolean;
  /** Host of `netmon-tui why`, a name in ASCII or an address, which says what is known of it and shows nothing else; null for anything else. */
  readonly why: string | null;
  /** True for `netmon-tui stream`, which sends what it sees to the machine at the other end of standard input and output. */
  readonly stream: boolean;
  readonly json: boolean;
  readonly once: boolean;
  /** Length of the run; only with `json`, `once` or `headless`. */
  readonly durationMs: number | null;
  /** Print each question of DNS, too; only with `json`. */
  readonly dns: boolean;
  /** Tell where each process comes from, its command line among it; only with `json`. */
  readonly lineage: boolean;
  /** Number of samples to print; only with `json`. */
  readonly samples: number | null;
  readonly driver: DriverChoice;
  /** False shows addresses and ports in place of names. */
  readonly names: boolean;
  /** True asks DNS for the names of addresses without one. Never in a replay, because the addresses may belong to others by now. */
  readonly reverseDns: boolean;
  /** A theme's name, or a path if it has a slash. */
  readonly theme: string;
  readonly units: UnitMode;
  /** Seconds over which rows show rates; null: as the screen had it last. */
  readonly average: Average | null;
  /** null: as the last run left it. */
  readonly lite: boolean | null;
  readonly ascii: boolean;
  /** False if a flag, the settings or NO_COLOR forbid colour. The terminal may not support it either. */
  readonly color: boolean;
  /** null: on, but off over SSH. */
  readonly mouse: boolean | null;
  /** Category -> domains and words, from the configuration file and the lists it names (`file:`). */
  readonly categories: Readonly<Record<string, readonly string[]>>;
  /** MMDB files with countries and networks, null for the usual paths; and the home folder, in which some of those are. */
  readonly place: { readonly country: string | null; readonly asn: string | null; readonly home: string | null };
  /** null without a file to read or write: in a replay that names none, or without a home folder. */
  readonly history: HistoryOptions | null;
  /** Where the screen saves its state (null for nowhere), and the owner of its files. */
  readonly screen: { readonly savedState: string | null; readonly owner: HistoryOptions['owner'] };
  /** Budget of the month; null if the configuration sets none. */
  readonly budget: BudgetPlan | null;
  /** How alerts are told. */
  readonly notify: NotifyOptions;
  /** Where records go besides this machine; null for nowhere. */
  readonly exports: ExportPlan | null;
  /** Don't capture; show the socket counters that need no rights. */
  readonly reduced: boolean;
  readonly privileges: PrivilegeOptions;
  /** Action -> keys, from the configuration file; actions and keys are checked by the key map. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** Tells of alerts by exit status: of all, or with a policy of drift. */
  readonly exitCode: boolean;
  /** What apps may reach; null judges nothing. */
  readonly policy: PolicyFile | null;
  /** null writes no log. */
  readonly log: LogOptions | null;
  readonly packets: PacketOptions;
  /** What is watched; null watches nothing. */
  readonly watch: WatchOptions | null;
  /** A command to run, of which alone the run tells; null without one. */
  readonly command: CommandOptions | null;
  /** A process whose session is followed from now on, and what becomes of its receipt; null without one. */
  readonly session: SessionOptions | null;
  /** Other machines to show; null for this one. */
  readonly attach: AttachOptions | null;
}

/** Other machines to show. */
export interface AttachOptions {
  /** As ssh takes them, without duplicates. */
  readonly machines: readonly string[];
  /** Program that opens their lines. */
  readonly ssh: string;
  /** What becomes of them; to copy this program there, or to take it away again, shows nothing. */
  readonly task: 'show' | 'install' | 'uninstall';
  /** Nobody is asked. */
  readonly yes: boolean;
}

/** What becomes of a receipt. */
export interface ReceiptOptions {
  /** File for the receipt; null prints it on standard error. */
  readonly receipt: string | null;
  readonly format: ReceiptFormat;
  /** Whether the file may take the place of another. */
  readonly force: boolean;
}

export interface SessionOptions extends ReceiptOptions {
  readonly pid: number;
}

/** A command that the program runs, and what becomes of its receipt. */
export interface CommandOptions extends ReceiptOptions {
  readonly words: readonly string[];
  /** Policy to make of what was reached, or to add to if it is there; null for none. */
  readonly update: { readonly path: string; readonly known: PolicyFile | null } | null;
}

/** What the watch goes by. */
export interface WatchOptions {
  /** Recorded time until it is known what is usual, ms. */
  readonly learnMs: number;
  /** Bytes that any app may send in an hour. */
  readonly uploadFloor: number;
  /** Kinds that the user turned off, or whose severity the user chose. */
  readonly kinds: Readonly<Partial<Record<AlertKind, 'off' | Severity>>>;
  readonly rules: readonly AlertRule[];
}

/** Periods of amounts in rules. */
export const RULE_PERIODS = ['minute', 'hour', 'day', 'week', 'month'] as const;
export type RulePeriod = (typeof RULE_PERIODS)[number];

/** A rule of the user's: `[[alert]]` in the configuration file. Its filter compiles. */
export interface AlertRule {
  readonly name: string;
  readonly when: string;
  /** Bytes, RX and TX together, that are too much in a period; null if the rule isn't about amounts. */
  readonly over: { readonly bytes: number; readonly per: RulePeriod } | null;
  /** How long it has to hold, ms; null for not at all. */
  readonly forMs: number | null;
  readonly severity: Severity | null;
}

/** What the configuration allows for a month. */
export interface BudgetPlan {
  /** RX and TX together, network-layer bytes. */
  readonly bytes: number;
  /** Day of the month on which a period begins, 1 to 31; in a shorter month, its last day. */
  readonly day: number;
  /** Counts only this interface; null counts everything recorded. */
  readonly interface: string | null;
  /** Units in which the user wrote the amount and in which it is shown. */
  readonly units: UnitMode;
}

/** Byte or bit units, binary or decimal prefixes, in the order in which `u` cycles through them. */
export const UNIT_MODES = ['bytes', 'bytes-decimal', 'bits', 'bits-binary'] as const;

export type UnitMode = (typeof UNIT_MODES)[number];

/** Seconds over which rows show rates, in the order in which `a` goes through them. */
export const AVERAGES = [2, 10, 40] as const;

export type Average = (typeof AVERAGES)[number];

/** Prefix of the names of exports. */
export const EXPORT_PREFIX = 'netmon-';
