// What other rows tell of a row: whom it talks to, over which connections, which process owns it, its last minute as a small chart. What moves
// most stands first; the rest is counted.

import type { Alert } from '../../model/alert.ts';
import type { ListenerRow } from '../../model/listeners.ts';
import type { FlowRow, HostRow, Snapshot, Traffic } from '../../model/snapshot.ts';
import type { Process } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { appOfFlow, hostOfFlow } from '../derive.ts';
import type { TableName } from '../state.ts';
import type { CellContext } from '../tables/column.ts';
import { shortState } from '../tables/connections.ts';
import { endpointText, hidden, shown } from '../tables/masking.ts';
import { type AnyRow, branchOf } from '../tables/rows.ts';
import { cut, displayWidth, sparkText, WHOLE } from '../text/cells.ts';
import { diagnosisText } from '../text/diagnosis.ts';
import { AMOUNT_WIDTH, formatAmount, formatGrouped, formatRate, RATE_WIDTH } from '../text/format.ts';
import { shownRate } from '../traffic.ts';
import { partsOf, sharesOf } from '../tree/app-tree.ts';
import { groupBy } from '../tree/branch.ts';
import { containerParts, containerShares } from '../tree/container-tree.ts';
import { lineageParts, lineageShares } from '../tree/lineage-tree.ts';
import { actorOf, endOf, nearSide, type Part, partsOfHost, type Share } from '../tree/parts.ts';
import { outcomeFacts } from './alert-facts.ts';
import type { Related } from './details.ts';
import { type Fact, NAME_WIDTH } from './fact.ts';

/** Names, and connections, that are listed one by one. */
const NAMES = 8;
const CONNECTIONS = 5;
/** Most cells of the app before a connection of a host. */
const OWN_CELLS = 16;
const CHART_CELLS = 60;

/** What other rows tell of a row. */
export function relatedFacts(table: TableName, row: AnyRow, picture: Picture, context: CellContext, width: number): Related {
  const owner = processOfRow(table, row, picture.snapshot);
  const recent =
    table === 'alerts' ? outcomeFacts(row as Alert, picture.snapshot.capture, context) : recentOf(row, context, width);
  const talks = [...faultsOf(table, row, picture, context), ...talksOf(table, row, picture, context, width)];
  const alike = table === 'connections' ? alikeOf(row as FlowRow, picture) : [];
  return { talks, owner, recent, alike };
}

function processOfRow(table: TableName, row: AnyRow, snapshot: Snapshot): Process | null {
  if (table === 'connections') return ownerOf(row as FlowRow, snapshot);
  if (table !== 'listeners') return null;
  // Known if it has moved something. The executable tells it from another process that had its pid.
  const { pid, exe } = row as ListenerRow;
  const known = snapshot.apps.flatMap(({ processes }) =>
    processes.filter((process) => process.pid === pid && process.exe === exe),
  );
  return pid === null || exe === null ? null : (known.at(-1) ?? null);
}

function alikeOf(row: FlowRow, { flows }: Picture): readonly FlowRow[] {
  const ja4 = row.talk?.tls?.offer?.ja4 ?? null;
  return ja4 === null ? [] : flows.filter((flow) => flow.id !== row.id && flow.talk?.tls?.offer?.ja4 === ja4);
}

/** What is clearly wrong with a host, or with one of a domain's. */
function faultsOf(table: TableName, row: AnyRow, picture: Picture, context: CellContext): readonly Fact[] {
  if (table !== 'hosts' || picture.snapshot.diagnoses.length === 0) return [];
  const names = new Set(hostsOf(row, picture).map(({ host }) => host));
  return picture.snapshot.diagnoses.flatMap((found): Fact[] =>
    'host' in found && names.has(found.host) ? [['fault', diagnosisText(found, (text) => hidden(text, context)), 'warn']] : [],
  );
}

function recentOf(row: AnyRow, context: CellContext, width: number): readonly Fact[] {
  if (!('recent' in row) || row.recent.length === 0) return [];
  const cells = Math.max(10, Math.min(CHART_CELLS, width - 20));
  return [['last minute', sparkText(row.recent, cells, context.now, context.glyphs), 'spark']];
}

function talksOf(table: TableName, row: AnyRow, picture: Picture, context: CellContext, width: number): readonly Fact[] {
  const list = new Lists(context, width - NAME_WIDTH - 3);
  if (table === 'apps') {
    const own = lineageShares(row, picture) ?? containerShares(row, picture) ?? sharesOf(row, picture);
    const kind = branchOf(row)?.kind;
    if (kind === 'rest') return [];
    const parts = (lineageParts(row, picture) ?? containerParts(row, picture) ?? partsOf(row, picture)).filter(
      (part) => endOf(part) !== null,
    );
    const apps = kind === 'host' ? list.names('app', parts, (part) => appName(part, context)) : [];
    const hosts = kind === 'host' ? [] : list.names('talks to', parts, (part) => hidden(endOf(part) as string, context));
    return [...apps, ...hosts, ...list.connections(own, (share, cells) => toText(share, context, cells))];
  }
  if (table !== 'hosts') return [];
  const hosts = hostsOf(row, picture);
  const appOf = appOfFlow(picture.apps);
  const ids = new Set(hosts.map(({ id }) => id));
  const hostOf = hostOfFlow(picture.hosts);
  const branch = branchOf(row);
  const isOwn = (flow: FlowRow) => branch?.kind !== 'app' || `${branch.parent}/app:${appOf(flow)}` === row.id;
  const own = picture.flows.filter((flow) => ids.has(hostOf(flow) ?? '') && isOwn(flow)).map(nearSide);
  const parts = branch?.kind === 'app' ? [] : hosts.flatMap(({ id }) => partsOfHost(id, picture));
  return [
    ...list.names('apps', parts, (part) => appName(part, context)),
    ...list.connections(own, (share, cells) => {
      const name = cut(ownName(share, context), OWN_CELLS, context.glyphs);
      return `${name} ${toText(share, context, cells - displayWidth(name) - 1)}`;
    }),
  ];
}

/** Rows of the hosts that a row of the hosts table is about. */
function hostsOf(row: AnyRow, picture: Picture): readonly { readonly id: string; readonly host?: string | null }[] {
  const branch = branchOf(row);
  if (branch?.kind === 'rest') return [];
  if (branch?.kind === 'app') return [{ id: branch.parent }];
  if (!('hosts' in row)) return [{ id: row.id, host: 'host' in row ? row.host : null }];
  const own = row as HostRow;
  return picture.hosts.filter(({ domain, machine }) => domain === own.domain && machine === own.machine);
}

function appName(part: Part, context: CellContext): string {
  const { app, reason } = actorOf(part);
  return app === null ? `(${shown(reason ?? 'no owner', context)})` : shown(app, context);
}

/** The app at this end. */
function ownName({ flow, isFar }: Share, context: CellContext): string {
  const app = isFar ? flow.peerApp : flow.app;
  return app === null ? `(${shown(flow.reason ?? 'no owner', context)})` : shown(app, context);
}

/** Where a connection goes, in which protocol and state. */
function toText({ flow, isFar }: Share, context: CellContext, cells: number): string {
  const { glyphs } = context;
  const state = flow.closed ? 'closed' : shortState(flow);
  const asked = !isFar && context.names ? flow.asked : null;
  const end = isFar
    ? endpointText(flow.local, null, flow.protocol, context)
    : asked === null
      ? endpointText(flow.remote, flow.host, flow.protocol, context)
      : `dns ${hidden(asked.name, context)}`;
  const rest = [shown(flow.protocol, context), ...(state === null ? [] : [shown(state, context)])].join(' ');
  return `${glyphs[flow.direction]} ${cut(end, Math.max(8, cells - rest.length - 3), glyphs, 'start')} ${rest}`;
}

/** The process that owns a connection, by its pid among those of its app. */
export function ownerOf(flow: FlowRow, { apps }: Pick<Snapshot, 'apps'>): Process | null {
  if (flow.app === null || flow.pid === null) return null;
  const id = appOfFlow(apps)(flow);
  const app = apps.find((row) => row.id === id);
  return app?.processes.findLast(({ pid }) => pid === flow.pid) ?? null;
}

interface Moved {
  readonly rate: number;
  readonly bytes: number;
}

/** Lists in the details: what each item moves now, what it moved, then its name. */
class Lists {
  readonly #context: CellContext;
  readonly #cells: number;

  /** @param cells of a line */
  constructor(context: CellContext, cells: number) {
    this.#context = context;
    this.#cells = Math.max(8, cells - RATE_WIDTH - AMOUNT_WIDTH - 3);
  }

  /** Names, each with all that moved under it. */
  names(title: string, own: readonly Part[], nameOf: (part: Part) => string): readonly Fact[] {
    const groups = [...groupBy(own, nameOf)].map(([name, parts]) => ({ name, ...movedBy(parts, this.#context) }));
    return this.#listed(title, groups, NAMES, ({ name }) => cut(name, this.#cells, this.#context.glyphs, 'start'));
  }

  /** Connections, those that read alike in one line; closed ones only where none is open. */
  connections(own: readonly Share[], textOf: (share: Share, cells: number) => string): readonly Fact[] {
    const open = own.filter(({ flow }) => !flow.closed);
    const groups = groupBy(open.length > 0 ? open : own, (share) => textOf(share, WHOLE));
    const items = [...groups.values()].map((shares) => ({ shares, ...movedBy(shares, this.#context) }));
    return this.#listed('connections', items, CONNECTIONS, ({ shares }) => {
      const count = shares.length > 1 ? ` (${formatGrouped(shares.length)})` : '';
      return `${textOf(shares[0] as Share, this.#cells - count.length)}${count}`;
    });
  }

  /** The first few, by what they move now, then by what they moved. */
  #listed<Item extends Moved>(
    title: string,
    items: readonly Item[],
    most: number,
    textOf: (item: Item) => string,
  ): readonly Fact[] {
    const { units } = this.#context;
    const sorted = items.toSorted((a, b) => b.rate - a.rate || b.bytes - a.bytes);
    const facts = sorted.slice(0, most).map((item, index): Fact => {
      const rate = item.rate > 0 ? formatRate(item.rate, units) : ' '.repeat(RATE_WIDTH);
      return [index === 0 ? title : '', `${rate} ${formatAmount(item.bytes, units)}  ${textOf(item)}`];
    });
    return sorted.length > most ? [...facts, ['', `and ${sorted.length - most} more`, 'dim']] : facts;
  }
}

function movedBy(shares: readonly Traffic[], { average }: CellContext): Moved {
  let rate = 0;
  let bytes = 0;
  for (const share of shares) {
    rate += shownRate(share, average);
    bytes += share.rxBytes + share.txBytes;
  }
  return { rate, bytes };
}
