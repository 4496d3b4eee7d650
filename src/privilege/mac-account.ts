// A user of a Mac by name: macOS lists only its own in passwd(5), and keeps those who sit before it in a directory. Asks; decides nothing.

import type { Edges } from '../net/edges.ts';

const ID = '/usr/bin/id';
const LIMITS = { timeoutMs: 5000, maxBytes: 65_536 };

/**
 * A line of passwd(5), which begins with name, password, uid and gid, as `id -P` prints it.
 *
 * @returns empty where there is no such user, nobody was named, and on other systems
 */
export async function macAccount(edges: Edges, who: string | null): Promise<string> {
  if (edges.platform !== 'darwin' || who === null || !/^\w[\w.-]{0,254}$/.test(who)) return '';
  const { stdout, status } = await edges.run(ID, ['-P', who], LIMITS);
  return status === 0 ? stdout : '';
}
