// Closes a tick: books, feeds the rings, and builds the Snapshot that everything slower than a tick lives on.

import type { FlowTable } from '../flow/flow-table.ts';
import type { ProcessDirectory } from '../net/model.ts';
import { A } from './accumulators.ts';
import { Booking, TOTAL } from './booking.ts';
import type { CountedInterface } from './counted-interface.ts';
import { AppRows, HostRows, sumTraffic, trafficOf } from './entity-rows.ts';
import { FlowRows } from './flow-rows.ts';
import { MINUTES, RateRings, SECONDS } from './ring.ts';
import type { CaptureStatus, CategoryRow, FlowRow, Gap, InterfaceRow, Snapshot } from './snapshot.ts';

/** What a tick is told from outside. Times in epoch ms; `intervalMs` measured. */
export interface Tick {
  readonly time: number;
  readonly intervalMs: number;
  readonly capture: CaptureStatus;
  readonly interfaces: readonly CountedInterface[];
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

/** Turns the flow table into snapshots, one a tick. */
export class Aggregator {
  readonly booking: Booking;
  readonly #flows: FlowTable;
  readonly #apps: AppRows;
  readonly #hosts: HostRows;
  readonly #flowRows: FlowRows;
  readonly #rates = new RateRings(true);
  readonly #started: number;
  #interfaces: readonly CountedInterface[] = [];
  #interfaceRings: RateRings[] = [];
  #seq = 0;
  #lastInterval = 1000;

  constructor(flows: FlowTable, directory: ProcessDirectory, started: number, seed: number) {
    this.#flows = flows;
    this.#started = started;
    this.booking = new Booking(flows, directory, seed);
    this.#apps = new AppRows(this.booking.apps, directory);
    this.#hosts = new HostRows(this.booking.hosts, this.booking.hostTable);
    this.#flowRows = new FlowRows(flows, this.booking, directory, (index) => this.#interfaces[index]?.name ?? `#${index}`);
    flows.observer = this.booking;
  }

  /** Interfaces that flows refer to by index; the list only grows. */
  setInterfaces(interfaces: readonly CountedInterface[]): void {
    this.#interfaces = interfaces;
    this.booking.setHeadline(interfaces.map((each) => each.headline));
  }

  /** Calls back with the last state of each flow that goes away. Costs text per flow: only where somebody reads it. */
  onFlowClosed(listener: ((row: FlowRow) => void) | null): void {
    this.booking.onRemoved = (row) => {
      listener?.(this.#flowRows.row(row, this.#lastInterval));
      this.#flowRows.forget(row);
    };
  }

  /** The row of a live flow, for events between ticks. */
  flowRow(row: number): FlowRow {
    return this.#flowRows.row(row, this.#lastInterval);
  }

  /** Closes the tick. The result is never touched again. */
  tick(tick: Tick, limits: SnapshotLimits): Snapshot {
    const intervalMs = Math.max(1, tick.intervalMs);
    this.#lastInterval = intervalMs;
    this.setInterfaces(tick.interfaces);
    const booking = this.booking;
    booking.bookTouched();
    for (const accumulators of [booking.apps, booking.hosts]) accumulators.closeTick(intervalMs);
    const headline = trafficOf(booking.totals, TOTAL.HEADLINE, intervalMs);
    const moved = booking.totals.moved(TOTAL.HEADLINE);
    this.#rates.add(
      moved ? booking.totals.get(TOTAL.HEADLINE, A.TICK_RX) : 0,
      moved ? booking.totals.get(TOTAL.HEADLINE, A.TICK_TX) : 0,
      intervalMs,
    );
    const snapshot: Snapshot = {
      seq: this.#seq++,
      time: tick.time,
      started: this.#started,
      intervalMs: tick.intervalMs,
      capture: tick.capture,
      total: { ...headline, unownedBytes: booking.totals.get(TOTAL.UNOWNED, A.RX) + booking.totals.get(TOTAL.UNOWNED, A.TX) },
      rates: {
        rxSeconds: this.#rates.rxSeconds.tail(SECONDS),
        txSeconds: this.#rates.txSeconds.tail(SECONDS),
        rxMinutes: this.#rates.rxMinutes?.tail(MINUTES) ?? [],
        txMinutes: this.#rates.txMinutes?.tail(MINUTES) ?? [],
      },
      apps: this.#apps.select(limits.apps, intervalMs),
      hosts: this.#hosts.select(limits.hosts, intervalMs),
      categories: this.#categories(intervalMs),
      interfaces: this.#interfaceRows(intervalMs),
      flows: this.#flowRows.select(limits.flows, intervalMs),
      flowCount: this.#flows.count,
      flowsEvicted: this.#flows.evicted,
      gaps: tick.gaps,
    };
    booking.clearTick();
    for (const accumulators of [booking.apps, booking.hosts, booking.interfaces, booking.totals]) accumulators.beginTick();
    this.#flows.beginTick();
    return snapshot;
  }

  /** Everything is in one row until flows are categorised. */
  #categories(intervalMs: number): CategoryRow[] {
    const traffic = trafficOf(this.booking.totals, TOTAL.HEADLINE, intervalMs);
    return traffic.rxPackets + traffic.txPackets === 0
      ? []
      : [{ id: 'category:none', category: null, flows: this.#flows.created, ...traffic }];
  }

  #interfaceRows(intervalMs: number): InterfaceRow[] {
    const accumulators = this.booking.interfaces;
    return this.#interfaces.map((each, index) => {
      const rings = (this.#interfaceRings[index] ??= new RateRings(true));
      const moved = accumulators.moved(index);
      rings.add(moved ? accumulators.get(index, A.TICK_RX) : 0, moved ? accumulators.get(index, A.TICK_TX) : 0, intervalMs);
      return {
        id: `interface:${each.name}`,
        interface: each.name,
        kind: each.kind,
        headline: each.headline,
        frameBytes: each.frameBytes,
        counterBytes: each.counterBytes,
        counterDropped: each.counterDropped,
        recentRx: rings.rxSeconds.tail(60).map(Math.round),
        recentTx: rings.txSeconds.tail(60).map(Math.round),
        ...(accumulators.size > index ? trafficOf(accumulators, index, intervalMs) : sumTraffic([])),
      };
    });
  }
}
