// What the interfaces themselves counted: the ground truth beside which captured bytes are shown. Reads; the tracker judges it.

import type { Edges } from '../net/edges.ts';
import { isLinuxInterfaceName } from './devices-linux.ts';
import { netstatRows } from './devices-macos.ts';
import { readSystemNumber } from './system-file.ts';

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

function linuxCounters(edges: Edges, names: Iterable<string>): Map<string, Counters> {
  const found = new Map<string, Counters>();
  for (const name of names) {
    if (!isLinuxInterfaceName(name)) continue;
    const folder = `${edges.paths.sys}/class/net/${name}/statistics`;
    const rxBytes = readSystemNumber(`${folder}/rx_bytes`);
    const txBytes = readSystemNumber(`${folder}/tx_bytes`);
    const rxPackets = readSystemNumber(`${folder}/rx_packets`);
    const txPackets = readSystemNumber(`${folder}/tx_packets`);
    if (rxBytes === null || txBytes === null || rxPackets === null || txPackets === null) continue;
    const rxDropped = readSystemNumber(`${folder}/rx_dropped`);
    const txDropped = readSystemNumber(`${folder}/tx_dropped`);
    const rxErrors = readSystemNumber(`${folder}/rx_errors`);
    const txErrors = readSystemNumber(`${folder}/tx_errors`);
    found.set(name, {
      rxBytes,
      txBytes,
      rxPackets,
      txPackets,
      rxDropped,
      txDropped,
      errors: rxErrors === null || txErrors === null ? null : rxErrors + txErrors,
    });
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
