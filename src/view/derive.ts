// The picture: a snapshot filtered, counted from the user's baseline, closed flows left out. Pure but for a cache of the last picture, which
// the reducer and the panels ask for many times a frame.

import { encryptedSubject, type FilterSubject, listenerSubject, questionSubject } from '../filter/fields.ts';
import type { Filter } from '../filter/filter.ts';
import type { Alert } from '../model/alert.ts';
import type { DnsRow } from '../model/dns.ts';
import type { TimeRange } from '../model/history.ts';
import type { ListenerRow } from '../model/listeners.ts';
import { AVERAGES, type Average } from '../model/options.ts';
import type {
  AppRow,
  BranchRow,
  CategoryRow,
  FlowRow,
  HostRow,
  InterfaceRow,
  Matching,
  NetEvent,
  Snapshot,
  Traffic,
} from '../model/snapshot.ts';
import type { Process } from '../model/terms.ts';
import { rangeSnapshot } from './chart/range-snapshot.ts';
import type { ViewState } from './state.ts';
import { NOTHING_RECENT, type RecentlySeen, recentlySeenOf } from './tables/recently-seen.ts';
import { addTraffic, noTraffic, shownRate, shownRx, shownTx, subtractTraffic, sumTraffic, type TrafficSum } from './traffic.ts';
import { type DnsLine, type Grouping, grouped, type ResolverLine, resolverLines } from './tree/questions.ts';

/** Rows and totals of one picture. */
export interface Picture {
  readonly snapshot: Snapshot;
  readonly total: Traffic & { readonly unownedBytes: number | null };
  readonly apps: readonly AppRow[];
  /** All flows that match, closed ones too. */
  readonly flows: readonly FlowRow[];
  /** The ones that are shown. */
  readonly connections: readonly FlowRow[];
  readonly hosts: readonly HostRow[];
  readonly categories: readonly CategoryRow[];
  readonly interfaces: readonly InterfaceRow[];
  /** What is below apps and hosts; null where only listed connections tell. */
  readonly branches: readonly BranchRow[] | null;
  /** Apps stand below what started them. */
  readonly byLineage: boolean;
  /** Apps stand below their container. */
  readonly byContainer: boolean;
  /** What happened; connections that opened or closed only where they are asked for. */
  readonly events: readonly NetEvent[];
  /** Matching events of connections that are not shown. */
  readonly eventsHidden: number;
  /** Alerts that match, since the baseline. */
  readonly alerts: readonly Alert[];
  /** Questions of DNS that match, oldest first; and as lines of a table. Empty but in their view. */
  readonly asked: readonly DnsRow[];
  readonly questions: readonly DnsLine[];
  readonly resolvers: readonly ResolverLine[];
  /** What waits for connections and matches. */
  readonly listeners: readonly ListenerRow[];
  readonly filtered: boolean;
  /** Totals that the run counted for the filter; null without a filter, and when they are only sums over listed flows. */
  readonly counted: Matching | null;
  /** Closed flows that are not shown. */
  readonly closedHidden: number;
}

interface Inputs {
  readonly snapshot: Snapshot;
  readonly filter: Filter | null;
  readonly since: Snapshot | null;
  readonly closed: boolean;
  readonly log: boolean;
  readonly byLineage: boolean;
  readonly byContainer: boolean;
  /** null outside of the view of DNS. */
  readonly grouping: Grouping | null;
  /** Of questions, epoch ms; null for all. */
  readonly range: TimeRange | null;
  readonly average: Average;
}

let last: { inputs: Inputs; picture: Picture } | null = null;

/** The picture for a state: of the paused snapshot when there is one. */
export function pictureOf(state: ViewState, live: Snapshot): Picture {
  const base = state.paused ?? live;
  const range = state.chart.selection?.answer ?? null;
  const inputs: Inputs = {
    snapshot: range === null ? base : rangeSnapshot(base, range),
    filter: state.filter.filter,
    since: range === null ? state.since : null,
    average: state.average,
    // Most of what moved in a range of the past is over.
    closed: state.closed || range !== null || state.filter.filter?.asksClosed === true,
    log: state.connectionLog,
    byLineage: state.byLineage,
    byContainer: state.byContainer,
    grouping: state.view === 'dns' ? state.grouping : null,
    range,
  };
  if (
    last !== null &&
    last.inputs.snapshot === inputs.snapshot &&
    last.inputs.filter === inputs.filter &&
    last.inputs.since === inputs.since &&
    last.inputs.average === inputs.average &&
    last.inputs.closed === inputs.closed &&
    last.inputs.log === inputs.log &&
    last.inputs.byLineage === inputs.byLineage &&
    last.inputs.byContainer === inputs.byContainer &&
    last.inputs.grouping === inputs.grouping &&
    last.inputs.range === inputs.range
  )
    return last.picture;
  const now = derive(inputs);
  const picture = range === null ? now : { ...now, total: { ...now.total, unownedBytes: null } };
  last = { inputs, picture };
  return picture;
}

function derive({ snapshot, filter, since, closed, log, byLineage, byContainer, average, grouping, range }: Inputs): Picture {
  const counted = countedFor(snapshot, filter, since, average);
  const flows = rowsSince(counted?.flows ?? snapshot.flows, since?.flows ?? null);
  const matching = filter === null || counted !== null ? flows : matchingFlows(snapshot, flows, filter, average);
  // One that ended a moment ago still moves what its app's row shows.
  const connections = closed ? matching : matching.filter((flow) => !flow.closed || shownRate(flow, average) > 0);
  const all = eventsOf(snapshot, filter, since);
  const events = log ? all : withoutConnections(all);
  const asked = grouping === null ? [] : askedOf(snapshot, filter, since, range);
  const common = {
    snapshot,
    asked,
    questions: grouped(asked, grouping ?? 'none'),
    resolvers: grouping === null ? [] : resolversOf(snapshot, filter),
    listeners: listenersOf(snapshot, filter),
    flows: matching,
    connections,
    closedHidden: matching.length - connections.length,
    byLineage,
    byContainer,
    events,
    eventsHidden: all.length - events.length,
    alerts: alertsOf(snapshot, filter, since),
    filtered: filter !== null,
    counted,
  };
  if (counted !== null) {
    const { total, apps, hosts, categories, interfaces, branches } = counted;
    return { ...common, total, ...withNew({ apps, hosts }, snapshot, filter), categories, interfaces, branches };
  }
  if (filter === null) {
    const total =
      since === null ? snapshot.total : { ...trafficSince(snapshot.total, since.total), unownedBytes: unowned(snapshot, since) };
    return {
      ...common,
      total,
      apps: rowsSince(snapshot.apps, since?.apps ?? null),
      hosts: rowsSince(snapshot.hosts, since?.hosts ?? null),
      categories: rowsSince(snapshot.categories, since?.categories ?? null),
      interfaces: rowsSince(snapshot.interfaces, since?.interfaces ?? null, false),
      branches: since === null ? snapshot.branches : branchesSince(snapshot, since),
    };
  }
  return {
    ...common,
    total: { ...sumTraffic(matching), unownedBytes: null },
    ...withNew(
      {
        apps: filteredRows(snapshot.apps, matching, appOfFlow(snapshot.apps)),
        hosts: filteredRows(snapshot.hosts, matching, hostOfFlow(snapshot.hosts)),
      },
      snapshot,
      filter,
    ),
    categories: filteredRows(
      snapshot.categories,
      matching,
      ({ machine = '', category }) => `${machine}|${category ?? ''}`,
      ({ machine = '', category }) => `${machine}|${category ?? ''}`,
    ),
    interfaces: filteredRows(
      snapshot.interfaces,
      matching,
      ({ machine = '', interface: name }) => `${machine}|${name}`,
      ({ machine = '', interface: name }) => `${machine}|${name}`,
    ),
    branches: null,
  };
}

/** What the run counted for exactly this filter, its rates and baseline; null right after either changed, and for a new filter while paused. */
function countedFor({ matching }: Snapshot, filter: Filter | null, since: Snapshot | null, average: Average): Matching | null {
  if (filter === null || matching === null) return null;
  if (filter.isVolatile && matching.average !== null && matching.average !== average) return null;
  return matching.text.trim() === filter.text.trim() && matching.from === (since?.time ?? null) ? matching : null;
}

/** Matching events since the baseline. Events about the capture itself stay, unless what is new is asked for. */
function eventsOf(snapshot: Snapshot, filter: Filter | null, since: Snapshot | null): readonly NetEvent[] {
  const { events, time } = snapshot;
  if (filter === null && since === null) return events;
  const recent = recentlySeenOf(snapshot);
  const before = new Set(since?.events); // not by time: the clock may have been set back
  return events.filter((event) => {
    if (before.has(event)) return false;
    if (filter === null) return true;
    const { app, domain, interface: name, flow, burst } = event;
    if (app === null && domain === null && name === null && flow === null && burst === null) return !filter.asksNew;
    const isNew = recent.apps.has(app ?? '') || recent.domains.has(domain ?? '');
    return filter.matches(
      {
        ...(flow ?? { app, host: domain ?? burst?.host ?? null, domain, interface: name }),
        isNew,
        machine: event.machine ?? null,
      },
      time,
    );
  });
}

function alertsOf({ alerts, time }: Snapshot, filter: Filter | null, since: Snapshot | null): readonly Alert[] {
  if (filter === null && since === null) return alerts;
  const before = new Set(since?.alerts);
  return alerts.filter((alert) => !before.has(alert) && (filter === null || filter.matches(alert, time)));
}

/** Questions that match, since the baseline or in a range of the past. */
function askedOf(
  { dns, time }: Snapshot,
  filter: Filter | null,
  since: Snapshot | null,
  range: TimeRange | null,
): readonly DnsRow[] {
  if (filter === null && since === null && range === null) return dns.questions;
  const [from, to] = range === null ? [since?.time ?? 0, Number.POSITIVE_INFINITY] : [range.from, range.to];
  return dns.questions.filter(
    (row) => row.time >= from && row.time < to && (filter === null || filter.matches(questionSubject(row), time)),
  );
}

function listenersOf({ listeners, time }: Snapshot, filter: Filter | null): readonly ListenerRow[] {
  if (listeners === null || filter === null) return listeners ?? [];
  return listeners.filter((row) => filter.matches(listenerSubject(row), time));
}

/** Resolvers that all apps asked, and encrypted DNS of the apps that match. */
function resolversOf({ dns, time }: Snapshot, filter: Filter | null): readonly ResolverLine[] {
  if (filter === null) return resolverLines(dns);
  const encrypted = dns.encrypted.filter((row) => filter.matches(encryptedSubject(row), time));
  return resolverLines({ ...dns, encrypted });
}

const quietEvents = new WeakMap<readonly NetEvent[], readonly NetEvent[]>();

/** Events without the log of connections. */
function withoutConnections(events: readonly NetEvent[]): readonly NetEvent[] {
  let quiet = quietEvents.get(events);
  if (quiet === undefined) {
    quiet = events.filter(({ kind }) => kind !== 'opened' && kind !== 'closed');
    quietEvents.set(events, quiet);
  }
  return quiet;
}

/** Traffic that nobody counted for the filter. */
const UNCOUNTED = {
  rxBytes: Number.NaN,
  txBytes: Number.NaN,
  rxPackets: Number.NaN,
  txPackets: Number.NaN,
  rxRate: 0,
  txRate: 0,
  means: AVERAGES.flatMap(() => [0, 0]),
  flows: Number.NaN,
  recent: [],
};

/** Rows with those of new apps and hosts whose connections are gone: a filter that asks for what is new finds them all the same. */
function withNew(
  rows: Pick<Picture, 'apps' | 'hosts'>,
  snapshot: Snapshot,
  filter: Filter | null,
): Pick<Picture, 'apps' | 'hosts'> {
  if (filter?.asksNew !== true) return rows;
  const { apps, domains } = recentlySeenOf(snapshot);
  const hasApp = new Set(rows.apps.map(({ app }) => app));
  const hasDomain = new Set(rows.hosts.map(({ domain }) => domain));
  const matches = (subject: FilterSubject): boolean => filter.matches({ ...subject, isNew: true }, snapshot.time);
  return {
    apps: [
      ...rows.apps,
      ...snapshot.apps.flatMap((row) => {
        const { app, exe, user } = row;
        return app !== null && apps.has(app) && !hasApp.has(app) && matches({ app, exe, user }) ? [{ ...row, ...UNCOUNTED }] : [];
      }),
    ],
    hosts: [
      ...rows.hosts,
      ...snapshot.hosts.flatMap((row) => {
        const { host, domain, nameSource, category, country, asn } = row;
        const isMissing = domain !== null && domains.has(domain) && !hasDomain.has(domain);
        return isMissing && matches({ host, domain, nameSource, category, country, asn }) ? [{ ...row, ...UNCOUNTED }] : [];
      }),
    ],
  };
}

/** Flows that match by their own fields or by those of their app and host (executable, user, country, network). */
function matchingFlows(snapshot: Snapshot, flows: Iterable<FlowRow>, filter: Filter, average: Average): readonly FlowRow[] {
  const apps = new Map(snapshot.apps.map((row) => [row.id, row]));
  const hosts = new Map(snapshot.hosts.map((row) => [row.id, row]));
  const appOf = appOfFlow(snapshot.apps);
  const hostOf = hostOfFlow(snapshot.hosts);
  const recent = recentlySeenOf(snapshot);
  const matching: FlowRow[] = [];
  for (const flow of flows) {
    const peer =
      flow.peerApp === null ? undefined : apps.get(appOf({ app: flow.peerApp, pid: flow.peerPid, reason: null }) ?? '');
    const subject = subjectOf(flow, apps.get(appOf(flow) ?? ''), hosts.get(hostOf(flow) ?? ''), recent, average, peer);
    if (filter.matches(subject, snapshot.time)) matching.push(flow);
  }
  return matching;
}

function unowned(snapshot: Snapshot, since: Snapshot): number {
  return Math.max(0, snapshot.total.unownedBytes - since.total.unownedBytes);
}

/** Totals since then; the rates are those of now. */
function trafficSince(now: Traffic, then: Traffic): Traffic {
  return { ...subtractTraffic(now, then), rxRate: now.rxRate, txRate: now.txRate, means: now.means };
}

/** Rows counted from `then` on; those without traffic since are dropped unless `dropIdle` is false. */
function rowsSince<Row extends Traffic & { readonly id: string }>(
  rows: readonly Row[],
  then: readonly Row[] | null,
  dropIdle = true,
): readonly Row[] {
  if (then === null) return rows;
  const before = new Map(then.map((row) => [row.id, row]));
  const out: Row[] = [];
  for (const row of rows) {
    const old = before.get(row.id);
    const counted = old === undefined ? row : { ...row, ...trafficSince(row, old), ...flowsSince(row, old) };
    if (!dropIdle || counted.rxBytes + counted.txBytes > 0) out.push(counted);
  }
  return out;
}

/** Flows that began since then; nothing for rows that count none. */
function flowsSince(now: object, then: object): { readonly flows?: number } {
  if (!('flows' in now) || !('flows' in then)) return {};
  return { flows: Math.max(0, Number(now.flows) - Number(then.flows)) };
}

/** Branches counted from `then` on. Of an older one that wasn't listed then, nobody knows how much it has moved since. */
function branchesSince({ branches }: Snapshot, then: Snapshot): readonly BranchRow[] | null {
  if (branches === null || then.branches === null) return null;
  const before = new Set(then.branches.map(({ id }) => id));
  const known = branches.filter(({ id, firstSeen }) => before.has(id) || firstSeen > then.time);
  return rowsSince(known, then.branches);
}

/** Rows with matching flows; their numbers are sums over those flows. */
function filteredRows<Row extends Traffic & { readonly id: string }>(
  rows: readonly Row[],
  flows: readonly FlowRow[],
  rowOf: (flow: FlowRow) => string | undefined,
  keyOf: (row: Row) => string = (row) => row.id,
): readonly Row[] {
  const sums = new Map<string, { traffic: TrafficSum; flows: number }>();
  for (const flow of flows) {
    const key = rowOf(flow);
    if (key === undefined) continue;
    let entry = sums.get(key);
    if (entry === undefined) {
      entry = { traffic: noTraffic(), flows: 0 };
      sums.set(key, entry);
    }
    addTraffic(entry.traffic, flow);
    entry.flows++;
  }
  const out: Row[] = [];
  for (const row of rows) {
    const entry = sums.get(keyOf(row));
    if (entry !== undefined) out.push({ ...row, ...entry.traffic, flows: entry.flows, recent: [] });
  }
  return out;
}

/** The fields that tell the app of a flow. */
type Owned = Pick<FlowRow, 'app' | 'pid' | 'reason' | 'machine'>;

/** Finds the app row of a flow: by name and pid, else by name, else by the reason why it has none. */
export function appOfFlow(apps: readonly AppRow[]): (flow: Owned) => string | undefined {
  const named = new Map<string, { readonly first: string; isOnly: boolean; readonly byPid: Map<number, string> }>();
  for (const row of apps) {
    const name = nameOf(row);
    let same = named.get(name);
    if (same === undefined) {
      same = { first: row.id, isOnly: true, byPid: new Map() };
      named.set(name, same);
    } else same.isOnly = false;
    for (const pid of row.pids) same.byPid.set(pid, row.id);
  }
  return (flow) => {
    const same = named.get(nameOf(flow));
    if (same === undefined || same.isOnly || flow.pid === null) return same?.first;
    return same.byPid.get(flow.pid) ?? same.first;
  };
}

function nameOf({ app, reason, machine = '' }: Pick<Owned, 'app' | 'reason' | 'machine'>): string {
  const name = app ?? `\0${reason}`;
  return machine === '' ? name : `${machine}\0${name}`;
}

/** Finds the host row of a flow: by name, else by address. */
export function hostOfFlow(hosts: readonly HostRow[]): (flow: FlowRow) => string | undefined {
  const byName = new Map<string, string>();
  const byAddress = new Map<string, string>();
  const of = (machine: string | undefined, text: string) => (machine === undefined ? text : `${machine}|${text}`);
  for (const { id, host, machine, addresses } of hosts) {
    if (host !== null) byName.set(of(machine, host), id);
    for (const address of addresses) {
      const key = of(machine, address);
      if (!byAddress.has(key)) byAddress.set(key, id);
    }
  }
  return ({ host, machine, remote }) =>
    (host === null ? undefined : byName.get(of(machine, host))) ?? byAddress.get(of(machine, remote.address));
}

/**
 * A flow as a filter sees it: its own fields and those of its app and host. Fields are copied by name because spread objects took twice the
 * memory and time.
 *
 * @param average seconds over which its rates are means, as its row shows them; null for those of the interval
 * @param peer app at the other end of a flow within this machine
 */
export function subjectOf(
  flow: FlowRow,
  app: AppRow | undefined,
  host: HostRow | undefined,
  recent: RecentlySeen = NOTHING_RECENT,
  average: Average | null = null,
  peer: AppRow | undefined = undefined,
): Required<FilterSubject> {
  return {
    app: flow.app,
    peerApp: flow.peerApp,
    pid: flow.pid,
    peerPid: flow.peerPid,
    process: processOf(app, flow.pid),
    peerProcess: processOf(peer, flow.peerPid),
    container: null,
    exe: app?.exe ?? null,
    user: app?.user ?? null,
    host: flow.host,
    domain: flow.domain,
    nameSource: flow.nameSource,
    asked: flow.asked,
    ja4: flow.talk?.tls?.offer?.ja4 ?? null,
    ja4s: flow.talk?.tls?.answer?.ja4s ?? null,
    local: flow.local,
    remote: flow.remote,
    protocol: flow.protocol,
    application: flow.application,
    state: flow.state,
    direction: flow.direction,
    interface: flow.interface,
    category: flow.category,
    country: flow.country ?? host?.country ?? null,
    asn: flow.asn ?? host?.asn ?? null,
    rxBytes: flow.rxBytes,
    txBytes: flow.txBytes,
    rxPackets: flow.rxPackets,
    txPackets: flow.txPackets,
    rxRate: average === null ? flow.rxRate : shownRx(flow, average),
    txRate: average === null ? flow.txRate : shownTx(flow, average),
    firstSeen: flow.firstSeen,
    lastSeen: flow.lastSeen,
    rttMs: flow.rttMs,
    attribution: flow.attribution,
    retransmits: flow.retransmits,
    closed: flow.closed,
    isNew: recent.apps.has(flow.app ?? '') || recent.domains.has(flow.domain ?? ''),
    machine: flow.machine ?? null,
  };
}

/** The process of an app with this pid; of two that had it, the newer. */
export function processOf(app: AppRow | undefined, pid: number | null): Process | null {
  return app === undefined || pid === null ? null : (app.processes.findLast((each) => each.pid === pid) ?? null);
}
