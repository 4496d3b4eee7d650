// Parses processes that `ps` lists, with the path and parent that PKTAP and lsof don't give. It doesn't run ps.

import { sanitize } from '../../../net/text.ts';

/**
 * Arguments for ps on macOS and Linux, without a header. The last column may contain spaces.
 *
 * Without `ww` and a terminal, ps cuts lines at 79 columns. `comm` is the full path on macOS, the short name on Linux. `lstart` is in the
 * environment's time zone, which for our children is UTC.
 */
export const PS_ARGUMENTS: readonly string[] = ['-axww', '-o', 'pid=,ppid=,uid=,tty=,lstart=,comm='];

/** The same with the command lines of these processes, which follow the other columns in place of `comm`. */
export function commandArguments(pids: readonly number[]): readonly string[] {
  return ['-ww', '-o', 'pid=,ppid=,uid=,tty=,lstart=,command=', '-p', pids.join(',')];
}

/** One process. */
export interface PsRecord {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  /** Full path; null if ps gives a bare name. */
  readonly exe: string | null;
  /** Last part of the path, or the bare name. */
  readonly name: string;
  /** Epoch ms; null if ps gives no start time. */
  readonly startedAt: number | null;
  /** `ttys003`; null if it has none. */
  readonly terminal: string | null;
  /** The last column as it is: path or command line. Outside text. */
  readonly text: string;
}

/** Most processes kept. macOS pids stay below 100,000. */
const MAX_PROCESSES = 131_072;

/**
 * `pid ppid uid tty Sat Jan  3 14:03:22 2026 comm`. macOS prints a hyphen for an unknown start time, `??` for no terminal, and nobody's uid as
 * -2 or 4294967294.
 */
const LINE =
  /^\s*(\d{1,10})\s+(\d{1,10})\s+(-?\d{1,10})\s+(?:(\?\??|-|console|tty\w{0,12}|pts\/\d{1,6})\s+)?(?:(?:-|\w{3} (\w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}))\s+)?(\S.*)$/;

/** Parses the output of `ps` with PS_ARGUMENTS. It skips lines of any other shape. */
export function parsePs(output: string): PsRecord[] {
  const records: PsRecord[] = [];
  for (const line of output.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const text = (match[6] as string).trimEnd();
    const command = sanitize(text);
    const exe = command.startsWith('/') ? command : null;
    const name = exe === null ? command : exe.slice(exe.lastIndexOf('/') + 1);
    const terminal = match[4] === undefined || /^[?-]/.test(match[4]) ? null : match[4];
    const startedAt = timeOf(match[5]);
    records.push({
      pid: Number(match[1]),
      ppid: Number(match[2]),
      uid: Number(match[3]) >>> 0,
      exe,
      name,
      startedAt,
      terminal,
      text,
    });
    if (records.length >= MAX_PROCESSES) break;
  }
  return records;
}

/** @param date `Jan  3 14:03:22 2026`, UTC */
function timeOf(date: string | undefined): number | null {
  const time = date === undefined ? Number.NaN : Date.parse(`${date} UTC`);
  return Number.isNaN(time) ? null : time;
}
