// Options: everything one run was asked for, already checked. What the flags, the environment and the configuration file became;
// the rest of the program reads nothing else of them.

import type { DriverName } from './terms.ts';

/** Drivers that `--driver` takes. */
export const DRIVER_CHOICES = ['auto', 'libpcap', 'tcpdump', 'cap'] as const satisfies readonly ('auto' | DriverName)[];
export type DriverChoice = (typeof DRIVER_CHOICES)[number];

/** Levels of the log, the most important first; each includes those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where a run writes its log. */
export interface LogOptions {
  /** Absolute. */
  readonly path: string;
  readonly level: LogLevel;
  /** Who is to own the file; null if the process is that user. */
  readonly owner: HistoryOptions['owner'];
}

/** The file in which history is kept. */
export interface HistoryOptions {
  /** Absolute. */
  readonly path: string;
  /** True where the user asked for recording; otherwise the file is only read. */
  readonly record: boolean;
  /** What the file may grow to. */
  readonly maxBytes: number;
  /** Who is to own what root writes; null where the process is that user. A gid of -1 leaves the group alone. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** What Linux says to `--sandbox`, and what to type. */
export const SANDBOX_ELSEWHERE = [
  '--sandbox is for macOS',
  'leave it out: on Linux the threads of history are always fenced, where the kernel has Landlock',
] as const;

/** What is to become of the rights that a run is started with. */
export interface PrivilegeOptions {
  /** User to become; null: whoever called sudo, else nobody. */
  readonly user: string | null;
  /** Give up what only attribution needs, too. */
  readonly dropAll: boolean;
  readonly stayRoot: boolean;
  /** Fence the process by Seatbelt; macOS alone has it. */
  readonly sandbox: boolean;
}

/** What a run was asked for. Durations in milliseconds; null where nothing was asked. */
export interface Options {
  /** Names as given, no duplicates, `any` only alone. Empty: the default route's (macOS: PKTAP on all). Always empty in a replay. */
  readonly interfaces: readonly string[];
  /** File to replay, `-` for standard input; null is live. */
  readonly read: string | null;
  /** Times real time in a replay; 0 is as fast as it goes. */
  readonly speed: number;
  /** Display filter; not compiled yet. */
  readonly filter: string | null;
  /** Capture filter in libpcap's syntax; null in a replay. */
  readonly bpf: string | null;
  readonly intervalMs: number;
  /** True where nothing is shown, and history recorded: `netmon-tui record`. */
  readonly headless: boolean;
  readonly json: boolean;
  readonly once: boolean;
  /** How long the run lasts; only with `json`, `once` or `headless`. */
  readonly durationMs: number | null;
  /** How many samples the run prints; only with `json`. */
  readonly samples: number | null;
  readonly driver: DriverChoice;
  /** False shows addresses and ports in place of names. */
  readonly names: boolean;
  /** True asks DNS for the names of addresses that have none. Never in a replay: they may be others' by now. */
  readonly reverseDns: boolean;
  /** A theme's name, or a path when it holds a slash. */
  readonly theme: string;
  readonly units: UnitMode;
  readonly ascii: boolean;
  /** False when a flag, the settings or NO_COLOR forbid colour; how much a terminal can do is not asked here. */
  readonly color: boolean;
  /** null: on, but off over SSH. */
  readonly mouse: boolean | null;
  /** Category -> domains and words, from the configuration file; lists named there (`file:`) are read in before a run. */
  readonly categories: Readonly<Record<string, readonly string[]>>;
  /** MMDB files with countries and networks, null for the usual places, and the home folder in which some of those are. */
  readonly place: { readonly country: string | null; readonly asn: string | null; readonly home: string | null };
  /** null where there is no file to read or to write: in a replay that names none, or without a home folder. */
  readonly history: HistoryOptions | null;
  /** What the screen leaves behind: where it remembers its layout (null: nowhere), and whose its files are. */
  readonly screen: { readonly memory: string | null; readonly owner: HistoryOptions['owner'] };
  /** What the month may cost; null where the configuration sets no budget. */
  readonly budget: BudgetPlan | null;
  /** Without a capture: what the system tells anybody of TCP sockets. */
  readonly reduced: boolean;
  readonly privileges: PrivilegeOptions;
  /** Action -> keys, from the configuration file; actions and keys are checked by the key map. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** null writes no log. */
  readonly log: LogOptions | null;
}

/** What the configuration allows for a month. */
export interface BudgetPlan {
  /** RX and TX together, network-layer bytes. */
  readonly bytes: number;
  /** Day of the month on which a period begins, 1 to 31; the last day of a month that is shorter. */
  readonly day: number;
  /** Only what went over this interface counts; null is all that is recorded. */
  readonly interface: string | null;
  /** The prefixes in which the amount was written, and is shown. */
  readonly units: UnitMode;
}

/** Byte or bit units, binary or decimal prefixes; the order in which `u` goes through them. */
export const UNIT_MODES = ['bytes', 'bytes-decimal', 'bits', 'bits-binary'] as const;

export type UnitMode = (typeof UNIT_MODES)[number];

/** How the names of exports begin. */
export const EXPORT_PREFIX = 'netmon-';
