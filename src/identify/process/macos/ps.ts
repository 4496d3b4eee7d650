// Processes as `ps` lists them: the full path and the parent, which PKTAP and lsof don't tell. Text in, records out; runs nothing.

import { sanitize } from '../../../net/text.ts';

/**
 * Arguments for ps on macOS and Linux; the header is off and the last column may hold blanks.
 *
 * `ww`: without it and without a terminal, lines are cut at 79 columns. On macOS comm is the full path, on Linux the short name. `lstart` is
 * in the zone of the environment, which for our children is UTC.
 */
export const PS_ARGUMENTS: readonly string[] = ['-axww', '-o', 'pid=,ppid=,uid=,lstart=,comm='];

/** One process. */
export interface PsRecord {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  /** Full path where ps tells one, null for a bare name. */
  readonly exe: string | null;
  /** Last part of the path, or the bare name. */
  readonly name: string;
  /** Epoch ms; null where ps does not tell. */
  readonly startedAt: number | null;
}

/** Processes kept at the most: macOS wraps its pids at 100,000. */
const MAX_PROCESSES = 131_072;

/**
 * `pid ppid uid Sat Jan  3 14:03:22 2026 comm`. macOS prints a hyphen where it knows no start, and nobody's uid, -2, as 4294967294 or as it
 * is.
 */
const LINE = /^\s*(\d{1,10})\s+(\d{1,10})\s+(-?\d{1,10})\s+(?:(?:-|\w{3} (\w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}))\s+)?(\S.*)$/;

/** Reads the text of `ps` with PS_ARGUMENTS; lines of any other shape are passed over. */
export function parsePs(text: string): PsRecord[] {
  const records: PsRecord[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const command = sanitize((match[5] as string).trimEnd());
    const exe = command.startsWith('/') ? command : null;
    const name = exe === null ? command : exe.slice(exe.lastIndexOf('/') + 1);
    const startedAt = timeOf(match[4]);
    records.push({ pid: Number(match[1]), ppid: Number(match[2]), uid: Number(match[3]) >>> 0, exe, name, startedAt });
    if (records.length >= MAX_PROCESSES) break;
  }
  return records;
}

/** @param date `Jan  3 14:03:22 2026`, UTC */
function timeOf(date: string | undefined): number | null {
  const time = date === undefined ? Number.NaN : Date.parse(`${date} UTC`);
  return Number.isNaN(time) ? null : time;
}
