// Branches: rows under a row of a table, and what all trees share. Sums below a row never exceed it: what no part of it accounts for is a row
// of its own.

import type { Traffic } from '../../model/snapshot.ts';
import type { NameSource, Process } from '../../model/terms.ts';
import { subtractTraffic } from '../traffic.ts';

/** Where a row hangs. A row without one stands at the top. */
export interface Branch {
  readonly depth: number;
  /** `processes` holds those of an app; `lineage` is a process with all that it started, `container` one with its apps, both at the top; `contained` is such an app. */
  readonly kind: 'process' | 'processes' | 'host' | 'app' | 'lookup' | 'rest' | 'lineage' | 'container' | 'contained';
  /** Id of the row right above, and of the one at the top. */
  readonly parent: string;
  readonly root: string;
  /** What is known of a process; null for other kinds, and where its flows alone tell of it. */
  readonly process: Process | null;
  /** How the name of a host is known. */
  readonly nameSource: NameSource;
  /** Terminal of the session that a process leads. */
  readonly terminal?: string | null;
}

/** A row that may hang under another one. */
export interface Branched {
  readonly branch?: Branch;
}

const OPENING: readonly Branch['kind'][] = ['process', 'processes', 'lineage', 'container', 'contained'];

/** True for a row of the apps table, or of its tree, that something can hang under. */
export function hasMore(branch: Branch | undefined): boolean {
  return branch === undefined || OPENING.includes(branch.kind);
}

/** What of a row its branches do not account for; null where they account for all. */
export function restOf(row: Traffic, branches: Traffic): Traffic | null {
  const rest = subtractTraffic(row, branches);
  return rest.rxBytes + rest.txBytes > 0 ? rest : null;
}

/** Parts in groups by a key, in the order in which they are met. */
export function groupBy<T, K>(parts: Iterable<T>, keyOf: (part: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const part of parts) {
    const key = keyOf(part);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [part]);
    else group.push(part);
  }
  return groups;
}

/** First and last moment of several, epoch ms. */
export function spanOf(parts: readonly { readonly firstSeen: number; readonly lastSeen: number }[]): {
  readonly firstSeen: number;
  readonly lastSeen: number;
} {
  let firstSeen = Number.POSITIVE_INFINITY;
  let lastSeen = 0;
  for (const part of parts) {
    if (part.firstSeen < firstSeen) firstSeen = part.firstSeen;
    if (part.lastSeen > lastSeen) lastSeen = part.lastSeen;
  }
  return { firstSeen, lastSeen };
}

/** Flows of several rows or parts. */
export function flowsOf(parts: readonly { readonly flows: number }[]): number {
  return parts.reduce((sum, { flows }) => sum + flows, 0);
}
