// Edges: the one struct of functions and paths through which the program reaches system programs and files. This folder runs, reads and
// locks; it interprets nothing. Types only here: programs.ts makes the real one, and tests pass fakes that record, split, hang and die.

import type { ChildProcess } from 'node:child_process';
import type { NetworkInterfaceInfo } from 'node:os';

/** Absolute paths: nothing is ever looked up on PATH. */
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
  /** Root of procfs and sysfs; other roots in tests. */
  readonly proc: string;
  readonly sys: string;
  readonly passwd: string;
}

/** The result of a program that was run to its end. Running a program never throws. */
export interface RunResult {
  /** Exit status; null when it was killed or never started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Killed because it took too long or printed too much. */
  readonly cut: 'time' | 'size' | null;
  /** Why it never started (ENOENT, EACCES ...); null when it did. */
  readonly failure: string | null;
}

/** For children that are Node, too: SIGUSR1 would open their debugger before their first line. It can't listen on this address (RFC 5737). */
export const NO_DEBUGGER = '--inspect-port=192.0.2.1:9229';

/** Bounds of a program that is run to its end. */
export interface RunLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Its standard input, as UTF-8; none unless given. */
  readonly input?: string;
}

/** All programs that this program runs, and all files of the system that it reads. */
export interface Edges {
  readonly platform: 'darwin' | 'linux';
  readonly paths: EdgePaths;
  /**
   * Runs a program to its end: no shell, `input` as all of its standard input, both pipes drained, killed after `timeoutMs` or `maxBytes` of
   * output. LC_ALL is C but for lsof and pbcopy, TZ is UTC.
   */
  run(path: string, args: readonly string[], limits: RunLimits): Promise<RunResult>;
  /** Starts a program that streams: no shell, no standard input, stdout and stderr piped. */
  spawn(path: string, args: readonly string[]): ChildProcess;
  /** `os.networkInterfaces()`. */
  networkInterfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** Effective user, 0 for root. */
  euid(): number;
}
