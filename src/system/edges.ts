// Edges: the one struct of functions and paths through which the program reaches system programs and files. This folder runs, reads and
// locks; it interprets nothing. Types only here: programs.ts makes the real one, and tests pass fakes that record, split, hang and die.

import type { ChildProcess } from 'node:child_process';
import type { NetworkInterfaceInfo } from 'node:os';

/** Absolute paths, because we never search PATH. */
export interface EdgePaths {
  readonly tcpdump: string;
  readonly nettop: string;
  readonly lsof: string;
  readonly netstat: string;
  readonly route: string;
  readonly ps: string;
  readonly arp: string;
  readonly ndp: string;
  readonly ifconfig: string;
  readonly pbcopy: string;
  readonly codesign: string;
  /** Roots of procfs and sysfs; tests use others. */
  readonly proc: string;
  readonly sys: string;
  readonly passwd: string;
  /** Folder below which package databases are looked for: the root, in tests another. */
  readonly packages: string;
}

/** The result of a program that ran to its end. Running a program never throws. */
export interface RunResult {
  /** Exit status; null if it was killed or never started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why we killed it: it took too long or printed too much. */
  readonly cut: 'time' | 'size' | null;
  /** Why it never started (ENOENT, EACCES ...); null if it did. */
  readonly failure: string | null;
}

/** Argument for children that run Node: SIGUSR1 could open their debugger before their first line. It can't listen on this address (RFC 5737). */
export const NO_DEBUGGER = '--inspect-port=192.0.2.1:9229';

/** Limits for a program that runs to its end. */
export interface RunLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Its standard input, as UTF-8; none by default. */
  readonly input?: string;
}

/** Access to all programs that this program runs and all system files that it reads. */
export interface Edges {
  readonly platform: 'darwin' | 'linux';
  readonly paths: EdgePaths;
  /**
   * Runs a program to its end, without a shell, with `input` as standard input. Drains both pipes and kills the program after `timeoutMs` or
   * `maxBytes` of output. TZ is UTC, and LC_ALL is C except for lsof and pbcopy.
   */
  run(path: string, args: readonly string[], limits: RunLimits): Promise<RunResult>;
  /** Starts a program that streams, without a shell or standard input, with stdout and stderr piped. */
  spawn(path: string, args: readonly string[]): ChildProcess;
  /** `os.networkInterfaces()`. */
  networkInterfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** Effective user, 0 for root. */
  euid(): number;
}
