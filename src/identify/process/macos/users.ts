// Asks a Mac's local directory for its users, because /etc/passwd lists only system accounts. It never queries a network directory.

import { sanitize } from '../../../net/text.ts';
import type { Edges } from '../../../system/edges.ts';

const DSCL = '/usr/bin/dscl';
/** `.` is the local node only. */
const ARGUMENTS = ['.', '-list', '/Users', 'UniqueID'] as const;
/** dscl answers within about 20 ms. A short timeout keeps a slow one from delaying the start. */
const LIMITS = { timeoutMs: 1000, maxBytes: 1 << 20 };
const MAX_USERS = 4096;

/** Names by number; empty on failure and on other systems. */
export async function macUsers(edges: Edges): Promise<ReadonlyMap<number, string>> {
  if (edges.platform !== 'darwin') return new Map();
  const { stdout } = await edges.run(DSCL, ARGUMENTS, LIMITS);
  return parseUsers(stdout);
}

/** Parses `name   number` lines; nobody is -2. If two names share a number, the first wins. */
export function parseUsers(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [, name, number] = /^(\S{1,255})\s+(-?\d{1,10})\s*$/.exec(line) ?? [];
    if (name === undefined || names.size >= MAX_USERS) continue;
    const uid = Number(number) >>> 0;
    if (!names.has(uid)) names.set(uid, sanitize(name));
  }
  return names;
}
