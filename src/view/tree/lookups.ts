// DNS look-ups: the connections of an app to a port 53, or of a resolver on its own, are one row; they hang under it. Their sums are the row's.

import type { FlowRow } from '../../model/snapshot.ts';
import type { Picture } from '../derive.ts';
import { sumTraffic } from '../traffic.ts';
import { type Branched, spanOf } from './branch.ts';

/** A row of the connections table: a connection, or in place of many their look-ups. */
export type ConnectionLine = FlowRow & Branched & { readonly lookups?: Lookups };

/** What a row of look-ups stands for. */
export interface Lookups {
  /** Names asked for one after the other; a connection of which nothing was read counts as one. */
  readonly count: number;
  readonly connections: number;
  /** Names, each once, the latest first; the last of each connection, `NAMES` at most. */
  readonly names: readonly string[];
  /** Addresses of the other ends, `NAMES` at most. */
  readonly ends: readonly string[];
}

const PORT = 53;
/** Names that a row of look-ups keeps. */
const NAMES = 64;

const foldedRows = new WeakMap<readonly FlowRow[], readonly ConnectionLine[]>();

/** True for a connection to a resolver, or of one. */
export function isLookup({ local, remote }: FlowRow): boolean {
  return remote.port === PORT || local.port === PORT;
}

/** Connections with each app's look-ups in one row, where its first one stood. */
export function folded(flows: readonly FlowRow[]): readonly ConnectionLine[] {
  const known = foldedRows.get(flows);
  if (known !== undefined) return known;
  const lines: ConnectionLine[] = [];
  const groups = new Map<string, { readonly at: number; readonly flows: FlowRow[] }>();
  for (const flow of flows) {
    const id = groupOf(flow);
    const group = id === null ? undefined : groups.get(id);
    if (group !== undefined) {
      group.flows.push(flow);
      continue;
    }
    if (id !== null) groups.set(id, { at: lines.length, flows: [flow] });
    lines.push(flow);
  }
  for (const [id, group] of groups) lines[group.at] = lookupLine(id, group.flows);
  foldedRows.set(flows, lines);
  return lines;
}

/** Connections under a row of look-ups. */
export function underLookups({ id }: ConnectionLine, { connections }: Picture): readonly ConnectionLine[] {
  const branch = { depth: 1, kind: 'lookup', parent: id, root: id, process: null, nameSource: 'none' } as const;
  return connections.filter((flow) => groupOf(flow) === id).map((flow) => ({ ...flow, branch }));
}

/** Id of the row of look-ups that a connection belongs to; null for any other connection. */
function groupOf(flow: FlowRow): string | null {
  const { machine, direction, app, reason } = flow;
  const of = machine === undefined ? '' : `${machine}|`;
  return isLookup(flow) ? `lookups:${of}${direction}:${app ?? `\0${reason}`}` : null;
}

function lookupLine(id: string, group: readonly FlowRow[]): ConnectionLine {
  const newest = [...group].sort((a, b) => b.lastSeen - a.lastSeen);
  const same = <Key extends keyof FlowRow>(key: Key): FlowRow[Key] | null => {
    const value = group[0]?.[key] ?? null;
    return group.every((flow) => flow[key] === value) ? value : null;
  };
  const first = newest[0] as FlowRow;
  const names = new Set(newest.flatMap(({ asked }) => (asked === null ? [] : [asked.name])));
  const ends = new Set(newest.map(({ remote }) => remote.address));
  return {
    ...first,
    ...sumTraffic(group),
    ...spanOf(group),
    id,
    interface: same('interface') ?? '',
    local: { ...first.local, port: group.length === 1 ? first.local.port : 0 },
    pid: same('pid'),
    peerApp: same('peerApp'),
    peerPid: same('peerPid'),
    onBehalfOf: same('onBehalfOf'),
    category: same('category'),
    rttMs: same('rttMs'),
    retransmits: group.reduce((sum, { retransmits }) => sum + retransmits, 0),
    closed: group.every(({ closed }) => closed),
    lookups: {
      count: group.reduce((sum, { asked }) => sum + (asked?.names ?? 1), 0),
      connections: group.length,
      names: [...names].slice(0, NAMES),
      ends: [...ends].slice(0, NAMES),
    },
  };
}
