// Closes a tick: books, feeds the rings, and builds the Snapshot that everything slower than a tick lives on.

import type { Filter } from '../filter/filter.ts';
import type { FlowTable } from '../flow/flow-table.ts';
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
import { NO_RATES } from '../model/snapshot.ts';
import type { FlowFacts, ProcessDirectory } from '../model/terms.ts';
import { type Accumulators, COLUMN, RateRings } from './accumulators.ts';
import { Booking } from './booking.ts';
import type { EventLog } from './event-log.ts';
import { Eviction } from './eviction.ts';
import type { HistoryCollector } from './history-collector.ts';
import { type CountFrom, Matched } from './matched.ts';
import { isUnmeasured, RateHistory, rowIds, tickFill } from './rate-history.ts';
import { AppRows, RECENT_SECONDS, sumTraffic, trafficOf } from './rows/entity-rows.ts';
import { FlowRows } from './rows/flow-rows.ts';
import { HostRows } from './rows/host-rows.ts';

/** What a tick is told from outside. Times in epoch ms; `intervalMs` measured. */
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

/** For the screen and for samples. */
export const LIVE_LIMITS: SnapshotLimits = { apps: 500, hosts: 1000, flows: 2000 };
/** For the end of a run: all there is. */
export const END_LIMITS: SnapshotLimits = { apps: 1 << 20, hosts: 1 << 20, flows: 1 << 20 };

/** A snapshot without hosts and flows, and all of these, each made when it is asked for, once. With a filter, all that it matches. */
export interface LastTick {
  readonly snapshot: Snapshot;
  readonly hosts: Iterable<HostRow>;
  readonly flows: Iterable<FlowRow>;
}

/** Turns the flow table into snapshots, one a tick. */
export class Aggregator {
  readonly booking: Booking;
  /** Keeps what happens; null where nobody reads it. */
  events: EventLog | null = null;
  /** When the run began, epoch ms; in a replay the time of its first packet. */
  started: number;
  /** Takes part in every tick; null where nothing is recorded. */
  collector: HistoryCollector | null = null;
  readonly #flows: FlowTable;
  readonly #apps: AppRows;
  readonly #hosts: HostRows;
  readonly #flowRows: FlowRows;
  readonly #eviction: Eviction;
  readonly #matched: Matched;
  readonly #facts: FlowFacts | null;
  #rateHistory: RateHistory | null = null;
  #interfaces: readonly TickInterface[] = [];
  #interfaceRings: RateRings[] = [];
  /** Name of an interface by its index. */
  readonly interfaceName = (index: number): string => this.#interfaces[index]?.name ?? `#${index}`;
  /** Interfaces as of the last tick. */
  #counted: readonly TickInterface[] = [];
  #passing = 0;
  #seq = 0;
  #lastInterval = 1000;
  #lastTime = 0;

  /**
   * @param onBehalfOf process for which a flow's owner acts, or NO_OWNER; null where nothing tells
   * @param facts names and categories; null where flows have none
   * @param maxHosts fewer in tests
   */
  constructor(
    flows: FlowTable,
    directory: ProcessDirectory,
    started: number,
    seed: number,
    onBehalfOf: ((row: number) => number) | null = null,
    facts: FlowFacts | null = null,
    maxHosts?: number,
  ) {
    this.#flows = flows;
    this.started = started;
    this.#facts = facts;
    this.booking = new Booking(flows, directory, seed, facts, maxHosts, (row) => this.#matched.flowRemoved(row));
    this.#apps = new AppRows(this.booking.apps, directory);
    this.#hosts = new HostRows(this.booking.hosts, this.booking.hostTable, flows, facts);
    this.#matched = new Matched(flows, this.booking, directory, facts, this.#hosts, this.interfaceName);
    this.#eviction = new Eviction(flows, this.booking, this.#matched, directory, facts, this.#hosts, this.#apps);
    this.booking.onHost = (host, row) => this.#hosts.meet(host, row);
    this.#flowRows = new FlowRows(flows, this.booking, directory, this.interfaceName, onBehalfOf, facts);
    flows.observer = this.booking;
  }

  /** Interfaces that flows refer to by index; the list only grows. */
  setInterfaces(interfaces: readonly TickInterface[]): void {
    this.#interfaces = interfaces;
    if (this.booking.isAsBefore(interfaces)) return;
    this.booking.bookKnown();
    this.collector?.note();
    this.booking.setInterfaces(interfaces);
  }

  /**
   * Counts what a filter matches from now on: see Matching.
   *
   * @param filter null for none
   * @param from only what moved since this snapshot; null from the start
   */
  match(filter: Filter | null, from: CountFrom | null): void {
    this.#matched.begin(filter, from, from !== null && from.time === this.#lastTime);
  }

  /** True for a flow that passes the filter, as it stands now. */
  passes(row: number): boolean {
    return this.#matched.passes(row);
  }

  /** Calls back with the last state of each flow that passes the filter and goes away. Costs text per flow: only where somebody reads it. */
  onFlowClosed(listener: ((row: FlowRow) => void) | null): void {
    this.booking.onRemoved = (row) => {
      const isTold = listener === null || this.#flows.isEndTold(row) || !this.#matched.passes(row);
      if (!isTold) listener(this.#flowRows.row(row, this.#lastInterval));
      this.#flowRows.forget(row);
    };
  }

  /** The row of a live flow, for events between ticks. */
  flowRow(row: number): FlowRow {
    return this.#flowRows.row(row, this.#lastInterval);
  }

  /** Keeps the past from now on, for rates over time and for who moved what then. @returns what can be asked */
  keepRateHistory(): RateHistory {
    this.#rateHistory ??= new RateHistory(rowIds(this.interfaceName));
    return this.#rateHistory;
  }

  /** The row of a flow that goes away; its text is not kept. */
  leavingRow(row: number): FlowRow {
    const made = this.#flowRows.row(row, this.#lastInterval);
    this.#flowRows.forget(row);
    return made;
  }

  /** Closes the tick. The result is never touched again. */
  tick(tick: Tick, limits: SnapshotLimits): Snapshot {
    const snapshot = this.#close(tick, limits);
    this.#begin();
    return snapshot;
  }

  /**
   * Closes the last tick of a run, after which nothing may come: its totals, and apart from them the hosts and the flows, of which there
   * may be too many to be made at once.
   *
   * @returns all rows there are, in the order of `tick`
   */
  last(tick: Tick): LastTick {
    const snapshot = this.#close(tick, null);
    const intervalMs = Math.max(1, tick.intervalMs);
    const matched = this.#matched;
    return matched.books === null
      ? { snapshot, hosts: this.#hosts.all(intervalMs), flows: this.#flowRows.all(intervalMs) }
      : { snapshot, hosts: matched.books.hostRows.all(intervalMs), flows: this.#flowRows.all(intervalMs, matched.matches) };
  }

  /** @param limits null for all apps, and no hosts and flows */
  #close(tick: Tick, limits: SnapshotLimits | null): Snapshot {
    const intervalMs = Math.max(1, tick.intervalMs);
    this.#lastInterval = intervalMs;
    this.#lastTime = tick.time;
    this.setInterfaces(tick.interfaces);
    const booking = this.booking;
    booking.closeTick();
    this.#matched.close(tick.time, intervalMs);
    this.#countApart(tick.interfaces);
    for (const accumulators of [booking.apps, booking.hosts, booking.categories]) accumulators.closeTick(intervalMs);
    const total = this.#total(intervalMs);
    if (this.#rateHistory !== null) this.#addToRateHistory(this.#rateHistory, tick);
    const made = {
      seq: this.#seq++,
      time: tick.time,
      started: this.started,
      intervalMs: tick.intervalMs,
      capture: tick.capture,
      total,
      rates: this.#rateHistory?.rates() ?? NO_RATES,
      apps: this.#apps.select((limits ?? END_LIMITS).apps, intervalMs, trafficOf(booking.tunnelled, 0, intervalMs)),
      hosts: limits === null ? [] : this.#hosts.select(limits.hosts, intervalMs),
      categories: this.#categories(booking.categories, intervalMs),
      interfaces: this.#interfaceRows(intervalMs),
      matching: null,
      flows: limits === null ? [] : this.#flowRows.select(limits.flows, intervalMs),
      flowCount: this.#flows.count,
      flowsEvicted: this.#flows.evicted,
      gaps: tick.gaps,
    };
    const events = this.events?.next(made, this.#flows.created - this.#flows.voided) ?? [];
    this.collector?.note();
    return { ...made, matching: this.#matching(limits, made.interfaces, intervalMs), events };
  }

  /** @param limits null for all apps, and no hosts and flows */
  #matching(limits: SnapshotLimits | null, interfaces: readonly InterfaceRow[], intervalMs: number): Matching | null {
    const matched = this.#matched;
    const { books } = matched;
    if (books === null) return null;
    let flowCount = 0;
    for (let row = 0; row < this.#flows.rows; row++) if (matched.matches(row)) flowCount++;
    const { filter, from, appRows, hostRows } = books;
    return {
      text: filter.text,
      from,
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
      flows: limits === null ? [] : this.#flowRows.select(limits.flows, intervalMs, matched.matches),
      flowCount,
    };
  }

  /** Begins the next tick: what moved in the one before is forgotten. */
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
    this.#matched.beginTick();
    this.#flows.beginTick();
    this.#eviction.work();
  }

  #addToRateHistory(past: RateHistory, { time, intervalMs, gaps }: Tick): void {
    const { total, tunnelled } = this.booking;
    past.add({
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

  /** What was counted outside of flows: frames that passed by, and those that went another way than their flow is booked. */
  #countApart(interfaces: readonly TickInterface[]): void {
    const { booking } = this;
    for (const [index, { isCounted, passingBytes, turnedBytes, turnedPackets }] of interfaces.entries()) {
      const before = this.#counted[index];
      const bytes = turnedBytes - (before?.turnedBytes ?? 0);
      const packets = turnedPackets - (before?.turnedPackets ?? 0);
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
    const isTold = this.#interfaces.every(({ isCounted, passingBytes }) => !isCounted || passingBytes !== null);
    return { ...trafficOf(total, 0, intervalMs), unownedBytes, passingBytes: isTold ? this.#passing : null };
  }

  /** By category of the flows of the headline; one row without a category where flows are not categorised. */
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
      const rings = this.#interfaceRings[index] ?? new RateRings();
      this.#interfaceRings[index] = rings;
      const moved = accumulators.moved(index);
      rings.add(
        moved ? accumulators.get(index, COLUMN.TICK_RX) : 0,
        moved ? accumulators.get(index, COLUMN.TICK_TX) : 0,
        intervalMs,
      );
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
        recentRx: rings.rxSeconds.tail(60).map(Math.round),
        recentTx: rings.txSeconds.tail(60).map(Math.round),
        ...(accumulators.size > index ? trafficOf(accumulators, index, intervalMs) : sumTraffic([])),
      };
    });
  }
}
