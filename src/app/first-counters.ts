// What the interfaces have counted when a capture begins: what is captured is judged by what they count from then on.

import { type Counters, readCounters } from '../capture/counters.ts';
import { deviceNames } from '../capture/devices.ts';
import type { PacketSource } from '../capture/source.ts';
import type { Edges } from '../net/edges.ts';

/** Interfaces whose counters are read from the start where a capture tells which it has by their frames only (PKTAP, `any`). */
const MOST_EARLY = 64;

/** Reads them. What an interface counts before its first frame is seen must not be missing beside what was captured of it. */
export async function firstCounters(source: PacketSource, edges: Edges): Promise<ReadonlyMap<string, Counters> | null> {
  const known = source.interfaces.map(({ name }) => name);
  return readCounters(edges, known.length > 0 ? known : (await deviceNames(edges)).slice(0, MOST_EARLY));
}
