// Questions of DNS as lines of a table: one by one, or under the app, the name or the domain that they have in common; and the resolvers that
// were asked.

import type { DnsPart, DnsRow, RecordedQuestion } from '../../model/dns.ts';
import type { Branched } from './branch.ts';
import { groupBy } from './branch.ts';

/** What questions are grouped by, in the order in which the key goes through them. */
export const GROUPINGS = ['none', 'app', 'name', 'domain'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** An answer that takes longer than this is slow, ms. */
export const SLOW_MS = 200;

/** A line: a question, or in place of many what they have in common. */
export type DnsLine = DnsRow & Branched & { readonly group?: DnsGroup };

/** What a line of many questions stands for. */
export interface DnsGroup {
  readonly by: Exclude<Grouping, 'none'>;
  readonly count: number;
  /** Questions that failed, or got no answer. */
  readonly failed: number;
  readonly slow: number;
  /** Number of different names and apps. */
  readonly names: number;
  readonly apps: number;
  /** Median of the times; null without an answer. */
  readonly medianMs: number | null;
}

/** Who asked: on a Mac the app for which the system's resolver did. */
export function askerOf({ onBehalfOf, app }: RecordedQuestion): string | null {
  return onBehalfOf ?? app;
}

/** True for a question that didn't get what it asked for because something failed: not for a name that doesn't exist. */
export function isFailure({ result }: Pick<DnsRow, 'result'>): boolean {
  return !FINE.has(result);
}

const FINE: ReadonlySet<string> = new Set(['NOERROR', 'NODATA', 'NXDOMAIN', 'waiting', 'truncated']);

/** Questions in groups, each in place of its newest; `none` leaves them one by one. */
export function grouped(rows: readonly DnsRow[], by: Grouping): readonly DnsLine[] {
  if (by === 'none') return rows;
  return [...groupBy(rows, (row) => keyOf(row, by))].map(([key, group]) => groupLine(key, group, by));
}

/** The questions under a group. */
export function underGroup({ id, group }: DnsLine, rows: readonly DnsRow[]): readonly DnsLine[] {
  if (group === undefined) return [];
  const branch = { depth: 1, kind: 'lookup', parent: id, root: id, process: null, nameSource: 'none' } as const;
  return rows.filter((row) => keyOf(row, group.by) === id).map((row) => ({ ...row, branch }));
}

function keyOf(row: DnsRow, by: DnsGroup['by']): string {
  const what = by === 'app' ? (askerOf(row) ?? `\0${row.reason}`) : by === 'name' ? row.name : (row.domain ?? row.name);
  return `dns:${by}:${what}`;
}

function groupLine(id: string, rows: readonly DnsRow[], by: DnsGroup['by']): DnsLine {
  const newest = rows.at(-1) as DnsRow;
  const same = <Key extends keyof DnsRow>(key: Key): boolean => rows.every((row) => row[key] === newest[key]);
  const times = rows.flatMap(({ tookMs }) => tookMs ?? []).sort((a, b) => a - b);
  const domains = by === 'domain' || same('domain');
  return {
    ...newest,
    id,
    name: by === 'domain' ? (newest.domain ?? newest.name) : same('name') ? newest.name : '',
    domain: domains ? newest.domain : null,
    type: same('type') ? newest.type : '',
    pid: same('pid') ? newest.pid : null,
    interface: same('interface') ? newest.interface : '',
    resolver: rows.every(({ resolver }) => resolver.address === newest.resolver.address)
      ? newest.resolver
      : { address: '', port: 0 },
    answers: [],
    answerCount: 0,
    tookMs: median(times),
    tries: rows.reduce((sum, { tries }) => sum + tries, 0),
    group: {
      by,
      count: rows.length,
      failed: rows.filter(isFailure).length,
      slow: times.filter((ms) => ms >= SLOW_MS).length,
      names: new Set(rows.map(({ name }) => name)).size,
      apps: new Set(rows.map(askerOf)).size,
      medianMs: median(times),
    },
  };
}

function median(sorted: readonly number[]): number | null {
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? null;
}

/** A line of the table of resolvers: one that was read, or encrypted DNS of an app, of which only the traffic is known. */
export interface ResolverLine {
  readonly id: string;
  /** Address; of encrypted DNS the name, if it is known. */
  readonly resolver: string;
  readonly transport: string;
  /** Whose encrypted DNS it is; null for resolvers of all. */
  readonly app: string | null;
  /** Why there is no app; null if there is one, and for resolvers of all. */
  readonly reason: string | null;
  readonly isEncrypted: boolean;
  /** null where nothing can be read. */
  readonly questions: number | null;
  readonly failed: number | null;
  readonly missing: number | null;
  readonly unanswered: number | null;
  readonly medianMs: number | null;
  readonly slowMs: number | null;
  /** Of encrypted DNS; null for others. */
  readonly connections: number | null;
  readonly bytes: number | null;
  readonly lastSeen: number;
}

/** Everything that was asked. */
export function resolverLines({ resolvers, encrypted }: DnsPart): readonly ResolverLine[] {
  return [
    ...resolvers.map(({ id, address, transport, questions, failed, missing, unanswered, medianMs, slowMs, lastSeen }) => ({
      ...{ id: `resolver:${id}`, resolver: address, transport, app: null, reason: null, isEncrypted: false, questions, failed },
      ...{ missing, unanswered, medianMs, slowMs, connections: null, bytes: null, lastSeen },
    })),
    ...encrypted.map(({ id, host, transport, app, reason, connections, rxBytes, txBytes, lastSeen }) => ({
      ...{ id: `encrypted:${id}`, resolver: host, transport, app, reason, isEncrypted: true, questions: null, failed: null },
      ...{ missing: null, unanswered: null, medianMs: null, slowMs: null, connections, bytes: rxBytes + txBytes, lastSeen },
    })),
  ];
}
