// What the interfaces themselves counted: the ground truth beside which captured bytes are shown. Reads; the tracker judges it.

import type { Edges } from '../net/edges.ts';
import { netstatRows } from './devices-macos.ts';
import { readSystemFile } from './system-file.ts';

/** Bytes read of /proc/net/dev at the most: some 30,000 interfaces. */
const MOST_BYTES = 4 << 20;

/** Frame bytes and frames that an interface counted since it was made. */
export interface Counters {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** null where the system doesn't tell (macOS). */
  readonly rxDropped: number | null;
  readonly txDropped: number | null;
  /** Frames received or sent wrong, both ways together; null where the system doesn't tell. */
  readonly errors: number | null;
}

/**
 * Counters of the interfaces named; one that is absent or can't be read is missing from the map.
 *
 * @returns null where the system told nothing this time, or not all of it: then nothing is known of any interface
 */
export async function readCounters(edges: Edges, names: Iterable<string>): Promise<Map<string, Counters> | null> {
  return edges.platform === 'linux' ? linuxCounters(edges, names) : await macCounters(edges, names);
}

/**
 * One file for all interfaces: sysfs has eight files for each, and with some hundred interfaces reading those takes a tenth of a second.
 *
 * Lines of /proc/net/dev (net/core/net-procfs.c): `name: ` bytes packets errs drop fifo frame compressed multicast, received, then bytes packets errs
 * drop ..., sent. Its received drops include those that the hardware had no room for.
 */
function linuxCounters(edges: Edges, names: Iterable<string>): Map<string, Counters> {
  const wanted = new Set(names);
  const found = new Map<string, Counters>();
  for (const line of (readSystemFile(`${edges.paths.proc}/net/dev`, MOST_BYTES) ?? '').split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    if (!wanted.has(name)) continue;
    const columns = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (columns.length < 16 || !columns.every(Number.isFinite)) continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = columns;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = columns.slice(8);
    found.set(name, { rxBytes, txBytes, rxPackets, txPackets, rxDropped, txDropped, errors: rxErrors + txErrors });
  }
  return found;
}

async function macCounters(edges: Edges, names: Iterable<string>): Promise<Map<string, Counters> | null> {
  const wanted = new Set(names);
  const found = new Map<string, Counters>();
  if (wanted.size === 0) return found;
  const { rows, whole } = await netstatRows(edges);
  if (!whole) return null;
  for (const row of rows) {
    if (!wanted.has(row.name)) continue;
    const { rxBytes, txBytes, rxPackets, txPackets, errors } = row;
    found.set(row.name, { rxBytes, txBytes, rxPackets, txPackets, rxDropped: null, txDropped: null, errors });
  }
  return found;
}
