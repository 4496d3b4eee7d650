// Questions of DNS as lines of a table: one by one, or under the app, the name or the domain that they have in common; and the resolvers that
// were asked.

import type { DnsPart, DnsRow, RecordedQuestion } from '../../model/dns.ts';
import type { Branched } from './branch.ts';

/** What questions are grouped by, in the order in which the key goes through them. */
export const GROUPINGS = ['none', 'app', 'name', 'domain'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** An answer that takes longer than this is slow, ms. */
export const SLOW_MS = 200;

/** A line: a question, or in place of many what they have in common. */
export type DnsLine = DnsRow & Branched & { readonly group?: DnsGroup };

/** What a line of many questions stands for; the line's own time is their median. */
export interface DnsGroup {
  readonly by: Exclude<Grouping, 'none'>;
  readonly count: number;
  /** Questions that failed, or got no answer. */
  readonly failed: number;
  readonly slow: number;
  /** Number of different names and apps. */
  readonly names: number;
  readonly apps: number;
}

/** Who asked: on a Mac the app for which the system's resolver did. */
export function askerOf({ onBehalfOf, app }: RecordedQuestion): string | null {
  return onBehalfOf ?? app;
}

/** Answers one by one. */
export function answersOf({ answer }: Pick<DnsRow, 'answer'>): readonly string[] {
  return answer === '' ? [] : answer.split('\n');
}

/** True for a question that a group was asked: nobody has to answer. */
export function isGroupAsked({ transport }: { readonly transport: string }): boolean {
  return transport === 'mdns' || transport === 'llmnr';
}

/** True for a question that didn't get what it asked for because something failed: not for a name that doesn't exist, or that nobody nearby has. */
export function isFailure(row: Pick<DnsRow, 'result' | 'transport'>): boolean {
  return !FINE.has(row.result) && !(row.result === 'no answer' && isGroupAsked(row));
}

const FINE: ReadonlySet<string> = new Set(['NOERROR', 'NODATA', 'NXDOMAIN', 'waiting', 'truncated']);

const groups = new WeakMap<readonly DnsRow[], { readonly by: Grouping; readonly lines: readonly DnsLine[] }>();

/** Questions in groups, each in place of its newest; `none` leaves them one by one. The last answer for the rows is kept. */
export function grouped(rows: readonly DnsRow[], by: Grouping): readonly DnsLine[] {
  if (by === 'none') return rows;
  const known = groups.get(rows);
  if (known?.by === by) return known.lines;
  const sums = new Map<string, DnsRow | GroupSum>();
  for (const row of rows) {
    const key = keyOf(row, by);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, row);
    else if (sum instanceof GroupSum) sum.add(row);
    else sums.set(key, new GroupSum(sum).add(row));
  }
  const lines: DnsLine[] = [];
  for (const [key, sum] of sums) {
    const id = `dns:${by}:${key}`;
    lines.push(sum instanceof GroupSum ? sum.line(id, by) : lineOfOne(sum, id, by));
  }
  groups.set(rows, { by, lines });
  return lines;
}

/** The questions under a group. */
export function underGroup({ id, group }: DnsLine, rows: readonly DnsRow[]): readonly DnsLine[] {
  if (group === undefined) return [];
  const branch = { depth: 1, kind: 'lookup', parent: id, root: id, process: null, nameSource: 'none' } as const;
  const key = id.slice(`dns:${group.by}:`.length);
  return rows.filter((row) => keyOf(row, group.by) === key).map((row) => ({ branch, ...row }));
}

function keyOf(row: DnsRow, by: DnsGroup['by']): string {
  if (by === 'app') return askerOf(row) ?? `\0${row.reason}`;
  return by === 'name' ? row.name : (row.domain ?? row.name);
}

/** A group of one question. There may be 100,000, so they share what they can. */
function lineOfOne(row: DnsRow, id: string, by: DnsGroup['by']): DnsLine {
  const name = by === 'domain' ? (row.domain ?? row.name) : row.name;
  const isSlow = row.tookMs !== null && row.tookMs >= SLOW_MS;
  const group = ONE[by][(isFailure(row) ? 2 : 0) + (isSlow ? 1 : 0)] as DnsGroup;
  // `group` comes first: of a copy to which a property is added V8 makes a hash table, four times as large.
  return { group, ...row, id, name, answer: '', answerCount: 0 };
}

const groupsOfOne = (by: DnsGroup['by']): readonly DnsGroup[] =>
  [0, 1, 2, 3].map((kind) => ({ by, count: 1, failed: kind >> 1, slow: kind & 1, names: 1, apps: 1 }));
const ONE = { app: groupsOfOne('app'), name: groupsOfOne('name'), domain: groupsOfOne('domain') } as const;

/** What many questions have in common, in one pass: there may be 100,000. */
class GroupSum {
  #newest: DnsRow;
  /** Null while there is one. */
  #names: Set<string> | null = null;
  #apps: Set<string | null> | null = null;
  readonly #times: number[] = [];
  #count = 0;
  #failed = 0;
  #slow = 0;
  #tries = 0;
  #hasOneType = true;
  #hasOnePid = true;
  #hasOneInterface = true;
  #hasOneDomain = true;
  #hasOneResolver = true;

  constructor(row: DnsRow) {
    this.#newest = row;
    this.add(row);
  }

  /** Adds a newer one. @returns itself */
  add(row: DnsRow): this {
    const before = this.#newest;
    this.#newest = row;
    this.#hasOneType &&= row.type === before.type;
    this.#hasOnePid &&= row.pid === before.pid;
    this.#hasOneInterface &&= row.interface === before.interface;
    this.#hasOneDomain &&= row.domain === before.domain;
    this.#hasOneResolver &&= row.resolver === before.resolver || row.resolver.address === before.resolver.address;
    if (row.name !== before.name) this.#names ??= new Set([before.name]);
    this.#names?.add(row.name);
    const [asker, former] = [askerOf(row), askerOf(before)];
    if (asker !== former) this.#apps ??= new Set([former]);
    this.#apps?.add(asker);
    this.#count++;
    this.#tries += row.tries;
    if (isFailure(row)) this.#failed++;
    if (row.tookMs === null) return this;
    this.#times.push(row.tookMs);
    if (row.tookMs >= SLOW_MS) this.#slow++;
    return this;
  }

  line(id: string, by: DnsGroup['by']): DnsLine {
    const newest = this.#newest;
    return {
      group: {
        by,
        count: this.#count,
        failed: this.#failed,
        slow: this.#slow,
        names: this.#names?.size ?? 1,
        apps: this.#apps?.size ?? 1,
      },
      ...newest,
      id,
      name: by === 'domain' ? (newest.domain ?? newest.name) : this.#names === null ? newest.name : '',
      domain: this.#hasOneDomain ? newest.domain : null,
      type: this.#hasOneType ? newest.type : '',
      pid: this.#hasOnePid ? newest.pid : null,
      interface: this.#hasOneInterface ? newest.interface : '',
      resolver: this.#hasOneResolver ? newest.resolver : SEVERAL,
      answer: '',
      answerCount: 0,
      tookMs: median(Float64Array.from(this.#times).sort()),
      tries: this.#tries,
    };
  }
}

const SEVERAL = { address: '', port: 0 };

function median(sorted: Float64Array): number | null {
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
