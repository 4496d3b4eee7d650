// Reads records, logged flows and names row by row, in pages. A page says where the next one begins; nothing stays open in between.

import type { SqlValue } from 'sql.js';
import type { LoggedFlow } from '../../model/history-batch.ts';
import type { Attribution, ContainerNames, FlowDirection, NameSource } from '../../model/terms.ts';
import { bucketOf, CONTAINER_COLUMNS, type HistoryMeta, minutesOf, SUBJECT_MASK, SUBJECTS, type TierTable } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import { finestSegments, recordedRange } from './segments.ts';

/** One record as it is stored. Times epoch ms. */
export interface HistoryRecord {
  readonly time: number;
  /** What the record sums: a minute, an hour or a day, ms. */
  readonly spanMs: number;
  readonly app: string | null;
  readonly exe: string | null;
  readonly host: string | null;
  readonly domain: string | null;
  readonly category: string | null;
  readonly interface: string;
  readonly protocol: string;
  readonly direction: string;
  readonly container: ContainerNames | null;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly flows: number;
}

/** When an app first reached a domain, epoch ms. */
export interface FirstSeen {
  readonly app: string;
  readonly domain: string;
  readonly time: number;
}

/** Asks for the `most` earliest first contacts within [from, to), epoch ms, of one app or of all (null). */
export interface FirstSeenQuery {
  readonly from: number;
  readonly to: number;
  readonly app: string | null;
  readonly most: number;
}

/** Names that were ever recorded. */
export interface KnownNames {
  readonly apps: readonly string[];
  readonly domains: readonly string[];
}

/** Where the next page begins; opaque. */
export interface HistoryCursor {
  readonly table: string;
  readonly after: number;
}

/** A page. `next` is null at the end. */
export interface HistoryPage<Row> {
  readonly rows: readonly Row[];
  readonly next: HistoryCursor | null;
}

/** Values of one row. */
export type Cells = readonly Exclude<SqlValue, Uint8Array>[];
/** ms */
const MINUTE = 60_000;
const MOST_ROWS = 100_000;
const label = (name: string) => `(SELECT text FROM label WHERE id = ${name})`;
/** Columns that `factsOf` reads. */
export const FACTS = [
  ...['app', 'exe', 'host', 'domain', 'category', 'interface', 'protocol', 'direction', 'reason'],
  ...CONTAINER_COLUMNS,
]
  .map((name) => label(`subject.${name}`))
  .join(', ');

const RECORDS = (table: TierTable) =>
  `SELECT moved.id, rx, tx, rx_packets, tx_packets, flows, ${FACTS} FROM ${table} AS moved
   CROSS JOIN subject ON subject.id = moved.id & ${SUBJECT_MASK} WHERE moved.id > ? AND moved.id < ? ORDER BY moved.id LIMIT ?`;
/** Flows of the log: `flowOf` reads them. */
export const FLOWS_WHERE = (
  condition: string,
) => `SELECT flow.id, start, start + duration, local_port, remote_port, pid, rx, tx, rx_packets, tx_packets,
     ${['local', 'remote', 'attribution', 'name_source', 'application', 'user'].map((name) => label(`flow.${name}`)).join(', ')}, ${FACTS}
   FROM flow CROSS JOIN subject ON subject.id = flow.subject WHERE ${condition} ORDER BY flow.id LIMIT ?`;
const FLOWS = FLOWS_WHERE('flow.id > ? AND start < ? AND start + duration >= ?');
const CONTACTS = (isOfOne: boolean) =>
  `SELECT ${label('app')}, ${label('domain')}, minute FROM contact WHERE minute >= ? AND minute < ? ${isOfOne ? 'AND app = ?' : ''}
   ORDER BY minute, 1, 2 LIMIT ?`;

/** Contacts outlive their records; an app that never reached a domain has only records. */
const KNOWN = (name: 'app' | 'domain') =>
  `SELECT text FROM label WHERE id IN (SELECT ${name} FROM contact UNION SELECT ${name} FROM subject) LIMIT ?`;

/** Read access row by row. */
export class HistoryPages {
  readonly #meta: HistoryMeta;
  readonly #statements: Statements;

  constructor(statements: Statements, meta: HistoryMeta) {
    this.#statements = statements;
    this.#meta = meta;
  }

  /** Records of [from, to), epoch ms, in order of time, each part from the finest table that is complete for it. */
  records(from: number, to: number, rows: number, cursor: HistoryCursor | null): HistoryPage<HistoryRecord> {
    const range = recordedRange(from, to, this.#meta);
    if (range === null) return { rows: [], next: null };
    const page: HistoryRecord[] = [];
    const wanted = bounded(rows);
    let resume = cursor;
    for (const { table, ...buckets } of finestSegments(range, this.#meta)) {
      if (resume !== null && table !== resume.table) continue;
      const after = resume?.after ?? buckets.from * SUBJECTS - 1;
      resume = null;
      const found = this.#statements.rows<Cells>(RECORDS(table), [after, buckets.to * SUBJECTS, wanted - page.length]);
      for (const cells of found) page.push(recordOf(cells, table));
      if (page.length >= wanted) return { rows: page, next: { table, after: found.at(-1)?.[0] as number } };
    }
    return { rows: page, next: null };
  }

  /** Flows of the log that were open at some time of [from, to), epoch ms, in the order in which they closed. */
  flows(from: number, to: number, rows: number, cursor: HistoryCursor | null): HistoryPage<LoggedFlow> {
    const wanted = bounded(rows);
    const found = this.#statements.rows<Cells>(FLOWS, [cursor?.after ?? 0, to, from, wanted]);
    const next = found.length < wanted ? null : { table: 'flow', after: found.at(-1)?.[0] as number };
    return { rows: found.map(flowOf), next };
  }

  /** When apps first reached domains, in order of time. @param app label of the app that `query` names; null for all */
  firstSeen({ from, to, most }: FirstSeenQuery, app: number | null): FirstSeen[] {
    const bounds = [Math.floor(from / MINUTE), Math.ceil(to / MINUTE)];
    return this.#statements
      .rows<Cells>(CONTACTS(app !== null), [...bounds, ...(app === null ? [] : [app]), bounded(most)])
      .map(([app, domain, minute]) => ({
        app: String(app),
        domain: String(domain),
        time: Number(minute) * MINUTE,
      }));
  }

  /** Apps and registrable domains that were ever recorded, `most` of each. */
  knownNames(most: number): KnownNames {
    const names = (name: 'app' | 'domain') =>
      this.#statements.rows<Cells>(KNOWN(name), [bounded(most)]).map(([text]) => String(text));
    return { apps: names('app'), domains: names('domain') };
  }
}

function bounded(rows: number): number {
  return Math.max(1, Math.min(MOST_ROWS, Math.trunc(rows)));
}

function recordOf(cells: Cells, table: TierTable): HistoryRecord {
  const [id, rxBytes, txBytes, rxPackets, txPackets, flows] = cells as readonly number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const spanMs = minutesOf(table) * MINUTE;
  const { reason: _, ...facts } = factsOf(cells.slice(6));
  return { time: bucketOf(id) * spanMs, spanMs, ...facts, rxBytes, txBytes, rxPackets, txPackets, flows };
}

/** A logged flow of `FLOWS_WHERE`. */
export function flowOf(cells: Cells): LoggedFlow {
  const [, start, end, localPort, remotePort, pid, rxBytes, txBytes, rxPackets, txPackets] = cells as number[];
  const [localAddress, remoteAddress, attribution, nameSource, application, user] = cells.slice(10, 16) as (string | null)[];
  return {
    start: start as number,
    end: end as number,
    localAddress: localAddress ?? '',
    localPort: localPort as number,
    remoteAddress: remoteAddress ?? '',
    remotePort: remotePort as number,
    pid: pid ?? null,
    user: user ?? null,
    attribution: attribution as Attribution,
    nameSource: nameSource as NameSource,
    application: application ?? null,
    ...factsOf(cells.slice(16)),
    rxBytes: rxBytes as number,
    txBytes: txBytes as number,
    rxPackets: rxPackets as number,
    txPackets: txPackets as number,
  };
}

/** The facts of `FACTS`. */
export function factsOf(texts: Cells) {
  const [app, exe, host, domain, category, iface, protocol, direction, reason, container, ...more] = texts as (string | null)[];
  const [image = null, pod = null, namespace = null, project = null] = more;
  return {
    app: app ?? null,
    exe: exe ?? null,
    host: host ?? null,
    domain: domain ?? null,
    category: category ?? null,
    interface: iface ?? '',
    protocol: protocol ?? '',
    direction: (direction ?? 'outbound') as FlowDirection,
    reason: reason ?? null,
    container: typeof container === 'string' ? { container, image, pod, namespace, project } : null,
  };
}
