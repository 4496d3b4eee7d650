// Users of a Mac, which lists only the system's own in its passwd file: asked of its local directory, never of one in the network.

import { sanitize } from '../../../net/text.ts';
import type { Edges } from '../../../system/edges.ts';

const DSCL = '/usr/bin/dscl';
/** `.` is the local node alone. */
const ARGUMENTS = ['.', '-list', '/Users', 'UniqueID'] as const;
/** It answers within some 20 ms; who is slower is not waited for at the start. */
const LIMITS = { timeoutMs: 1000, maxBytes: 1 << 20 };
const MAX_USERS = 4096;

/** Names by number; empty where they can't be had, and on other systems. */
export async function macUsers(edges: Edges): Promise<ReadonlyMap<number, string>> {
  if (edges.platform !== 'darwin') return new Map();
  const { stdout } = await edges.run(DSCL, ARGUMENTS, LIMITS);
  return parseUsers(stdout);
}

/** Reads `name   number` lines; nobody is -2. The first name of a number counts. */
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
