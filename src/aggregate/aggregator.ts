// Turns the counters of the flow table into rates and totals, and once a tick into a Snapshot: all that outputs, screen and alerts ever see.
// This folder reads no packets, no files and no clock, decides no owner and no name, and formats nothing for display. Whatever is evicted,
// learnt late or folded, the sums in a snapshot stay exact.

import { encryptedSubject } from '../filter/fields.ts';
import type { Filter } from '../filter/filter.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { type DnsPart, NO_DNS } from '../model/dns.ts';
import type { Listener } from '../model/listeners.ts';
import type { Average } from '../model/options.ts';
import type { Diagnosis } from '../model/quality.ts';
import type {
  CaptureStatus,
  CategoryRow,
  FlowRow,
  Gap,
  HostRow,
  InterfaceRow,
  Matching,
  Snapshot,
  TickInterface,
  TotalRow,
} from '../model/snapshot.ts';
import { NO_ALERTS, NO_DIAGNOSES, NO_ENDS, NO_RATES } from '../model/snapshot.ts';
import type { FlowFacts, ProcessDirectory } from '../model/terms.ts';
import type { Watcher } from '../model/watch.ts';
import { AcceptedFlows } from './accepted.ts';
import { type Accumulators, COLUMN, RateRings } from './accumulators.ts';
import { Booking, type BookingObserver } from './booking.ts';
import type { CommandBooks } from './command-books.ts';
import { DnsLog, type Questions } from './dns/dns-log.ts';
import { EncryptedDns } from './dns/encrypted.ts';
import type { EventLog } from './event-log.ts';
import { Eviction } from './eviction.ts';
import { FlowSubject } from './flow-subject.ts';
import type { HistoryCollector } from './history-collector.ts';
import { type CountFrom, Matched } from './matched.ts';
import { AppMetricsCollector } from './metrics/app-metrics.ts';
import { diagnose, type JudgedHost, RecentResolvers } from './quality/diagnosis.ts';
import { QualityBooks } from './quality/quality.ts';
import { isUnmeasured, RateHistory, rowIds, tickFill } from './rate-history.ts';
import { BranchRows } from './rows/branch-rows.ts';
import { AppRows, RECENT_SECONDS, trafficOf } from './rows/entity-rows.ts';
import { FlowRows } from './rows/flow-rows.ts';
import { HostRows } from './rows/host-rows.ts';
import { WatchFeed } from './watch-feed.ts';

/** What a tick takes from outside. Times in epoch ms; `intervalMs` is measured. */
export interface Tick {
  readonly time: number;
  readonly intervalMs: number;
  readonly capture: CaptureStatus;
  readonly interfaces: readonly TickInterface[];
  readonly gaps: readonly Gap[];
}

/** How many rows a snapshot may hold. */
export interface SnapshotLimits {
  readonly apps: number;
  readonly hosts: number;
  readonly flows: number;
}

/** Limits for the screen and for samples. */
export const LIVE_LIMITS: SnapshotLimits = { apps: 500, hosts: 1000, flows: 2000 };
/** Limits for the end of a run: everything. */
export const END_LIMITS: SnapshotLimits = { apps: 1 << 20, hosts: 1 << 20, flows: 1 << 20 };

const NO_RATE: readonly number[] = [];

/** A snapshot without hosts and flows, and all of those besides, each made as it is read, once. With a filter, those that match. */
export interface LastTick {
  readonly snapshot: Snapshot;
  readonly hosts: Iterable<HostRow>;
  readonly flows: Iterable<FlowRow>;
}

/** What an aggregator works on. */
export interface AggregatorParts {
  readonly flows: FlowTable;
  readonly directory: ProcessDirectory;
  /** When the run begins, epoch ms. A replay corrects it: see `startAt`. */
  readonly started: number;
  /** Hash seed of the host table. */
  readonly seed: number;
  /** Process for which a flow's owner acts, or NO_OWNER; null if the capture doesn't tell. */
  readonly onBehalfOf?: ((row: number) => number) | null;
  /** Names and categories of flows; null if they have none. */
  readonly facts?: FlowFacts | null;
  /** Keeps what happens, and what is new; null if nobody asks. */
  readonly events?: EventLog | null;
  /** Watches flows; null if nothing is watched. */
  readonly watcher?: Watcher | null;
  /** What is asked of DNS; null if nobody reads it. */
  readonly questions?: Questions | null;
  /** Listeners of this machine; null until known. Absent if nobody asks. */
  readonly listeners?: (() => readonly Listener[] | null) | null;
  /** Fewer hosts, for tests. */
  readonly maxHosts?: number | undefined;
}

/** Turns the flow table into snapshots, one a tick. */
export class Aggregator {
  readonly booking: Booking;
  /** What is asked of DNS; null if nobody reads it. */
  readonly dns: DnsLog | null;
  /** Encrypted DNS; null if flows have neither names nor applications. */
  readonly encrypted: EncryptedDns | null;
  readonly #flows: FlowTable;
  readonly #apps: AppRows;
  readonly #hosts: HostRows;
  readonly #directory: ProcessDirectory;
  #branches: BranchRows | null = null;
  readonly #flowRows: FlowRows;
  readonly #eviction: Eviction;
  readonly #matched: Matched;
  readonly #facts: FlowFacts | null;
  readonly #events: EventLog | null;
  readonly #watcher: Watcher | null;
  readonly #feed: WatchFeed | null;
  readonly #listeners: (() => readonly Listener[] | null) | null;
  readonly #accepted: AcceptedFlows | null;
  #started: number;
  readonly #collectors: HistoryCollector[] = [];
  #metrics: AppMetricsCollector | null = null;
  #onClosed: ((row: number) => void) | null = null;
  readonly #commandBooks = new Set<CommandBooks>();
  #rateHistory: RateHistory | null = null;
  #quality: QualityBooks | null = null;
  readonly #resolvers = new RecentResolvers();
  #interfaces: readonly TickInterface[] = [];
  #interfaceRings: RateRings[] = [];
  /** Name of an interface by its index. */
  readonly interfaceName = (index: number): string => this.#interfaces[index]?.name ?? `#${index}`;
  /** Interfaces as the last tick saw them. */
  #counted: readonly TickInterface[] = [];
  #passing = 0;
  #seq = 0;
  #lastInterval = 1000;
  #lastTime = 0;

  constructor({
    flows,
    directory,
    started,
    seed,
    onBehalfOf = null,
    facts = null,
    events = null,
    watcher = null,
    questions = null,
    listeners = null,
    maxHosts,
  }: AggregatorParts) {
    this.#flows = flows;
    this.#directory = directory;
    this.#started = started;
    this.#facts = facts;
    this.#events = events;
    this.#watcher = watcher;
    const observer: BookingObserver = {
      hostChanged: (host, row) => this.#hosts.meet(host, row),
      ownerLeaves: (row, isPeer) => {
        this.#matched.ownerLeaves(row, isPeer);
        if (!isPeer) for (const each of this.#collectors) each.ownerLeaves(row);
      },
      flowLeaves: (row) => this.#flowLeaves(row),
    };
    this.booking = new Booking({ flows, directory, seed, facts, maxHosts, observer });
    this.#apps = new AppRows(this.booking.apps, directory);
    const qualityOf = (host: number) => this.#quality?.ofHost(host) ?? null;
    this.#hosts = new HostRows(this.booking.hosts, this.booking.hostTable, flows, facts, qualityOf);
    this.#matched = new Matched(flows, this.booking, directory, facts, this.#hosts, this.interfaceName, events);
    const byHost = {
      forget: (hosts: readonly number[]) => {
        this.#hosts.forget(hosts);
        this.#quality?.forget(hosts);
      },
    };
    this.#eviction = new Eviction(flows, this.booking, this.#matched, directory, facts, byHost, this.#apps);
    this.#flowRows = new FlowRows(flows, this.booking, directory, this.interfaceName, onBehalfOf, facts);
    const { interfaceName, booking } = this;
    this.#feed = watcher === null ? null : new WatchFeed({ flows, booking, directory, facts, interfaceName, watcher });
    this.encrypted = facts === null ? null : new EncryptedDns({ flows, directory, facts });
    this.dns = questions === null ? null : new DnsLog({ ...questions, flows, directory, interfaceName, onBehalfOf });
    this.#listeners = listeners;
    this.#accepted = listeners === null ? null : new AcceptedFlows(flows);
    flows.observe(this.booking);
  }

  /** Takes the interfaces that flows refer to by index; the list only grows. */
  setInterfaces(interfaces: readonly TickInterface[]): void {
    this.#interfaces = interfaces;
    if (this.booking.isAsBefore(interfaces)) return;
    this.booking.bookKnown();
    for (const each of this.#collectors) each.note();
    this.booking.setInterfaces(interfaces);
  }

  /**
   * Changes the filter; snapshots then hold what it matches, see Matching.
   *
   * @param filter null for none
   * @param from counts only what moved since this snapshot; null counts from the start
   * @param average seconds over which the filter's rates are means, as rows are shown; null for those of the interval
   * @param machine name that this machine has where it is shown; null if only here
   */
  match(filter: Filter | null, from: CountFrom | null, average: Average | null = null, machine: string | null = null): void {
    this.#matched.begin(filter, from, from !== null && from.time === this.#lastTime, average, machine);
  }

  /** Whether a filter matches the flow of a row now, counters and rates included. The row must be live. */
  predicateOf(filter: Filter): (row: number) => boolean {
    const { interfaceName, booking } = this;
    const subject = new FlowSubject(this.#flows, booking, this.#directory, this.#facts, interfaceName, this.#events);
    return (row) => {
      subject.row = row;
      subject.intervalMs = this.#lastInterval;
      return filter.matches(subject, this.#lastTime);
    };
  }

  /** True for a flow that the filter matches now. */
  passes(row: number): boolean {
    return this.#matched.passes(row);
  }

  /** In a replay the run begins with its first packet. @param time of that packet, epoch ms */
  startAt(time: number): void {
    this.#started = time;
  }

  /** Has a collector take part in every tick from now on. A recording begins only once root is dropped, long after the aggregator was made. */
  record(collector: HistoryCollector): void {
    this.#collectors.push(collector);
  }

  /** Collects metrics of apps from now on. */
  collectMetrics(): AppMetricsCollector {
    if (this.#metrics !== null) return this.#metrics;
    const { interfaceName, booking } = this;
    const metrics = new AppMetricsCollector({
      ...{ flows: this.#flows, booking, interfaceName },
      directory: this.#directory,
      facts: this.#facts,
    });
    metrics.begin();
    this.record(metrics.moved);
    this.#metrics = metrics;
    return metrics;
  }

  /** From now on calls back with each flow that passes the filter and leaves, while its row can still be read. */
  onFlowClosed(listener: (row: number) => void): void {
    this.#onClosed = listener;
  }

  /** Tells these books of each flow that leaves. @returns ends that */
  keepBooks(books: CommandBooks): () => void {
    this.#commandBooks.add(books);
    return () => void this.#commandBooks.delete(books);
  }

  /** The row of a flow as it stands between two ticks. */
  flowRow(row: number): FlowRow {
    return this.#flowRows.row(row, this.#lastInterval);
  }

  /** Makes rows for the next tick ahead of it. @param most of them in one go @returns true if there may be more to make */
  makeRows(limits: SnapshotLimits, most: number): boolean {
    return this.#flowRows.makeSome(limits.flows, most, this.#lastInterval);
  }

  /** Keeps branches, means, rates, and who moved what from now on: for a screen, which asks the result about any range of time. */
  keepRateHistory(): RateHistory {
    this.booking.keepForScreen();
    this.dns?.keep();
    const { branches } = this.booking;
    if (branches !== null) this.#branches ??= new BranchRows(branches, this.#directory, this.booking, this.#hosts);
    this.#rateHistory ??= new RateHistory(rowIds(this.interfaceName));
    return this.#rateHistory;
  }

  /** Measures how well hosts and interfaces answer from now on: for those who ask what is wrong. */
  measureQuality(): void {
    this.#quality ??= new QualityBooks(this.#flows, this.booking);
  }

  get measuresQuality(): boolean {
    return this.#quality !== null;
  }

  /** Closes the tick. @returns its snapshot, which is never changed afterwards */
  tick(tick: Tick, limits: SnapshotLimits): Snapshot {
    const snapshot = this.#close(tick, limits);
    this.#begin();
    return snapshot;
  }

  /**
   * Closes the last tick of a run. Its hosts and flows come one by one, because all of them at once might not fit into memory.
   *
   * @returns all rows, in the order of `tick`
   */
  last(tick: Tick): LastTick {
    const snapshot = this.#close(tick, null);
    const intervalMs = Math.max(1, tick.intervalMs);
    const matched = this.#matched;
    return matched.books === null
      ? { snapshot, hosts: this.#hosts.all(intervalMs), flows: this.#flowRows.all(intervalMs) }
      : { snapshot, hosts: matched.books.hostRows.all(intervalMs), flows: this.#flowRows.all(intervalMs, matched.matches) };
  }

  #flowLeaves(row: number): void {
    this.#matched.flowLeaves(row);
    for (const each of this.#collectors) each.flowLeaves(row);
    this.#metrics?.flowLeaves(row);
    this.#feed?.flowLeaves(row);
    this.dns?.flowLeaves(row);
    this.#quality?.flowLeaves(row);
    this.encrypted?.flowLeaves(row);
    this.#accepted?.see(row);
    for (const each of this.#commandBooks) each.flowLeaves(row);
    if (this.#onClosed !== null && !this.#flows.isEndReported(row) && this.#matched.passes(row)) this.#onClosed(row);
    this.#flowRows.forget(row);
  }

  /** @param limits null for all apps, no hosts and no flows */
  #close(tick: Tick, limits: SnapshotLimits | null): Snapshot {
    const intervalMs = Math.max(1, tick.intervalMs);
    this.#lastInterval = intervalMs;
    this.#lastTime = tick.time;
    this.setInterfaces(tick.interfaces);
    const booking = this.booking;
    booking.closeTick();
    this.#showMoved(tick, intervalMs);
    booking.means?.clock.close(intervalMs);
    this.#matched.close(tick.time, intervalMs);
    this.#countApart(tick.interfaces);
    for (const accumulators of [booking.apps, booking.hosts, booking.categories]) accumulators.closeTick(intervalMs);
    this.#matched.closeMeans();
    booking.closeMeans();
    const total = this.#total(intervalMs);
    if (this.#rateHistory !== null) this.#addToRateHistory(this.#rateHistory, tick);
    const dns = this.#dnsPart(tick.time);
    const made = {
      seq: this.#seq++,
      time: tick.time,
      started: this.#started,
      intervalMs: tick.intervalMs,
      capture: tick.capture,
      total,
      rates: this.#rateHistory?.rates() ?? NO_RATES,
      apps: this.#apps.select((limits ?? END_LIMITS).apps, intervalMs, trafficOf(booking.tunnelled, 0, intervalMs)),
      hosts: limits === null ? [] : this.#hosts.select(limits.hosts, intervalMs),
      categories: this.#categories(booking.categories, intervalMs),
      interfaces: this.#interfaceRows(intervalMs),
      branches: limits === null ? null : (this.#branches?.select(intervalMs) ?? null),
      matching: null,
      flows: limits === null ? [] : this.#flowRows.select(limits.flows, intervalMs),
      flowCount: this.#flows.count,
      packets: null,
      flowsEvicted: this.#flows.evicted,
      dns,
      listeners: this.#accepted?.rows(this.#listeners?.() ?? null) ?? null,
      gaps: tick.gaps,
      diagnoses: this.#quality === null ? NO_DIAGNOSES : this.#diagnoses(this.#quality, tick, dns),
    };
    const events = this.#events?.next(made, this.#flows.created - this.#flows.voided) ?? [];
    const alerts = this.#watcher?.tick(made) ?? NO_ALERTS;
    for (const each of this.#collectors) each.note();
    this.#metrics?.look({ ...made, alerts });
    return { ...made, matching: this.#matching(limits, made.interfaces, intervalMs), events, alerts };
  }

  /** Shows each flow that moved in the tick to those who follow flows, once all are booked. */
  #showMoved({ time, interfaces }: Tick, intervalMs: number): void {
    this.#feed?.begin(intervalMs);
    this.#quality?.begin(time, interfaces);
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (!this.#flows.isLive(row)) continue;
      this.#feed?.flowMoved(row);
      this.#quality?.flowMoved(row);
      this.#accepted?.see(row);
      this.encrypted?.flowMoved(row);
    }
    this.#feed?.end();
    this.#quality?.end();
  }

  #dnsPart(time: number): DnsPart {
    return { ...(this.dns?.tick(time) ?? NO_DNS), encrypted: this.encrypted?.rows() ?? [] };
  }

  /** @param limits null for all apps, no hosts and no flows */
  #matching(limits: SnapshotLimits | null, interfaces: readonly InterfaceRow[], intervalMs: number): Matching | null {
    const matched = this.#matched;
    const { books } = matched;
    if (books === null) return null;
    let flowCount = 0;
    for (let row = 0; row < this.#flows.rows; row++) if (matched.matches(row)) flowCount++;
    const { filter, from, average, appRows, hostRows } = books;
    return {
      text: filter.text,
      from,
      average,
      completeSince: matched.completeSince,
      total: { ...matched.total(intervalMs), unownedBytes: matched.unownedBytes, passingBytes: null },
      apps: appRows.select((limits ?? END_LIMITS).apps, intervalMs, trafficOf(books.tunnelled, 0, intervalMs)),
      hosts: limits === null ? [] : hostRows.select(limits.hosts, intervalMs),
      categories: this.#categories(books.categories, intervalMs),
      interfaces: interfaces.flatMap((row, index) =>
        books.interfaces.isPresent(index)
          ? [{ ...row, ...trafficOf(books.interfaces, index, intervalMs), recentRx: [], recentTx: [] }]
          : [],
      ),
      branches: limits === null ? null : (books.branchRows?.select(intervalMs) ?? null),
      flows: limits === null ? [] : this.#flowRows.select(limits.flows, intervalMs, matched.matches),
      flowCount,
      encryptedDns: this.encrypted?.rows().filter((row) => filter.matches(encryptedSubject(row), this.#lastTime)) ?? [],
    };
  }

  /** Begins the next tick. */
  #begin(): void {
    const { booking } = this;
    booking.clearTick();
    for (const accumulators of [
      booking.apps,
      booking.hosts,
      booking.categories,
      booking.interfaces,
      booking.total,
      booking.tunnelled,
      booking.unowned,
    ])
      accumulators.beginTick();
    booking.branches?.beginTick();
    this.#matched.beginTick();
    booking.means?.clock.begin();
    this.#flows.beginTick();
    this.#eviction.work();
  }

  #addToRateHistory(history: RateHistory, { time, intervalMs, gaps }: Tick): void {
    const { total, tunnelled } = this.booking;
    history.add({
      time,
      intervalMs,
      rx: total.get(0, COLUMN.TICK_RX),
      tx: total.get(0, COLUMN.TICK_TX),
      isGap: isUnmeasured(gaps),
      fill: tickFill(this.booking, this.#flows, {
        rx: tunnelled.get(0, COLUMN.TICK_RX),
        tx: tunnelled.get(0, COLUMN.TICK_TX),
      }),
      flowRow: (row) => this.#flowRows.row(row, Math.max(1, intervalMs)),
    });
  }

  /** Counts what no flow knows: frames that passed by, and frames that went the other way than their flow is booked. */
  #countApart(interfaces: readonly TickInterface[]): void {
    const { booking } = this;
    for (const [index, { isCounted, passingBytes, reversedBytes, reversedPackets }] of interfaces.entries()) {
      const before = this.#counted[index];
      const bytes = reversedBytes - (before?.reversedBytes ?? 0);
      const packets = reversedPackets - (before?.reversedPackets ?? 0);
      if (bytes !== 0 || packets !== 0) {
        booking.interfaces.turn(index, bytes, packets);
        if (isCounted) booking.total.turn(0, bytes, packets);
      }
      if (isCounted) this.#passing += (passingBytes ?? 0) - (before?.passingBytes ?? 0);
    }
    this.#counted = interfaces;
  }

  #total(intervalMs: number): TotalRow {
    const { total, unowned } = this.booking;
    const unownedBytes = unowned.get(0, COLUMN.RX) + unowned.get(0, COLUMN.TX);
    const isKnown = this.#interfaces.every(({ isCounted, passingBytes }) => !isCounted || passingBytes !== null);
    return { ...trafficOf(total, 0, intervalMs), unownedBytes, passingBytes: isKnown ? this.#passing : null };
  }

  /** Rows by category, of counted interfaces alone; if flows aren't categorised, one row without a category. */
  #categories(categories: Accumulators, intervalMs: number): CategoryRow[] {
    const rows: CategoryRow[] = [];
    for (let entity = 0; entity < categories.size; entity++) {
      if (categories.get(entity, COLUMN.FLOWS) <= 0 && categories.get(entity, COLUMN.RX) + categories.get(entity, COLUMN.TX) <= 0)
        continue;
      const category = entity === 0 ? null : (this.#facts?.categoryText(entity - 1) ?? null);
      const recent = categories.recent(entity, RECENT_SECONDS);
      rows.push({
        id: `category:${entity}`,
        category,
        flows: categories.get(entity, COLUMN.FLOWS),
        recent,
        ...trafficOf(categories, entity, intervalMs),
      });
    }
    return rows;
  }

  #interfaceRows(intervalMs: number): InterfaceRow[] {
    const accumulators = this.booking.interfaces;
    return this.#interfaces.map((each, index) => {
      const rings = this.#rateHistory === null ? null : this.#ringsOf(index, intervalMs);
      return {
        id: `interface:${each.name}`,
        interface: each.name,
        kind: each.kind,
        isCounted: each.isCounted,
        passingBytes: each.passingBytes,
        frameBytes: each.frameBytes,
        counterBytes: each.counterBytes,
        counterDropped: each.counterDropped,
        counterErrors: each.counterErrors,
        ends: this.#quality?.ofInterface(index) ?? NO_ENDS,
        link: each.link,
        recentRx: rings === null ? NO_RATE : rings.rxSeconds.tail(60).map(Math.round),
        recentTx: rings === null ? NO_RATE : rings.txSeconds.tail(60).map(Math.round),
        ...trafficOf(accumulators, index, intervalMs),
      };
    });
  }

  #diagnoses(quality: QualityBooks, { time, interfaces }: Tick, dns: DnsPart): readonly Diagnosis[] {
    const hosts: JudgedHost[] = [];
    quality.eachRecent((measured, figures) => {
      hosts.push({ ...measured, quality: figures });
    });
    const judged = interfaces.flatMap(({ name, isCounted, kind, link }, index) =>
      isCounted && kind !== 'loopback'
        ? [{ index, name, ends: quality.ofInterface(index), silent: quality.silentBeyond(index), link }]
        : [],
    );
    return diagnose(hosts, judged, this.#resolvers.judged(dns, time), (host) => this.#hosts.identity(host).host);
  }

  /** An interface's rates, with those of this tick. Only a screen draws them, and there may be a thousand interfaces. */
  #ringsOf(index: number, intervalMs: number): RateRings {
    const accumulators = this.booking.interfaces;
    const rings = this.#interfaceRings[index] ?? new RateRings();
    this.#interfaceRings[index] = rings;
    const moved = accumulators.moved(index);
    rings.add(
      moved ? accumulators.get(index, COLUMN.TICK_RX) : 0,
      moved ? accumulators.get(index, COLUMN.TICK_TX) : 0,
      intervalMs,
    );
    return rings;
  }
}
