// Collects for metrics what apps moved, by category and interface, and what TCP tells of their connections. A minute is held open until it is
// settled: until its late owners have come. It knows neither names of metrics nor who reads them.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { Alert } from '../../model/alert.ts';
import type { HistoryBatch } from '../../model/history-batch.ts';
import type {
  AlertCount,
  AppMetrics,
  MetricRow,
  MetricTcp,
  OpenConnections,
  RunFacts,
  SettledRows,
} from '../../model/metrics.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { FlowFacts, ProcessDirectory } from '../../model/terms.ts';
import { scopeOf } from '../../net/address.ts';
import { widened } from '../../net/bytes.ts';
import { PROTOCOL } from '../../net/numbers.ts';
import { OWNERLESS } from '../accumulators.ts';
import { type Booking, ownerlessReason } from '../booking.ts';
import { type CollectorKeys, HistoryCollector } from '../history-collector.ts';
import type { EntryFacts } from '../history-keys.ts';

const MINUTE_MS = 60_000;
/** A minute that ended this long ago is settled: flows wait ten seconds at most for their owners. */
export const SETTLE_MS = 30_000;
/** Keys of a minute that are kept apart; then one for everything. */
const MOST_KEYS = 4096;
const REST = 'more apps than are kept apart';
/** `AppKeys`: category (12 bits) and interface (16) below the app. */
const INTERFACES = 1 << 16;
const KINDS = 2 ** 28;
/** By row: segments sent again, received again, as they were counted; round trips that are not counted yet. */
const TOLD = { SENT: 0, RECEIVED: 1, TRIPS: 2 } as const;
const TOLDS = 3;

/** What metrics are made from. */
export interface AppMetricsParts {
  readonly flows: FlowTable;
  readonly booking: Booking;
  readonly directory: ProcessDirectory;
  readonly facts: FlowFacts | null;
  readonly interfaceName: (index: number) => string;
}

/** Collects metrics of apps. The aggregator tells it of ticks and of flows that leave. */
export class AppMetricsCollector {
  /** Takes part in every tick like history's. */
  readonly moved: HistoryCollector;
  readonly #parts: AppMetricsParts;
  readonly #tcp: TcpBook;
  readonly #settling = new SettlingMinutes();
  readonly #alerts = new AlertCounts();
  #run: MetricSnapshot | null = null;

  constructor(parts: AppMetricsParts) {
    this.#parts = parts;
    this.moved = new HistoryCollector(parts.flows, parts.booking, new AppKeys(parts), null);
    this.#tcp = new TcpBook(parts);
  }

  /** Begins here: what flows moved up to now is left out. */
  begin(): void {
    this.moved.begin();
    this.#tcp.begin();
  }

  /** Counts what TCP told in the tick that is about to end, once it is booked, and takes what the tick's snapshot tells. */
  look(snapshot: MetricSnapshot): void {
    this.#tcp.look();
    this.#alerts.add(snapshot.alerts);
    this.#run = snapshot;
  }

  /** Counts what is left of a flow while its row can still be read, and is booked. */
  flowLeaves(row: number): void {
    this.#tcp.flowLeaves(row);
  }

  /** What is new since the last time; every few seconds. @param time epoch ms */
  take(time: number): AppMetrics {
    for (const batch of this.moved.collect(time)) this.#settling.add(batch);
    const run = this.#run === null ? null : factsOf(this.#run, this.#alerts.counts());
    const settled = this.#settling.release(time);
    const { until, open: unsettled } = this.#settling;
    return { settled, unsettled, until, tcp: this.#tcp.take(), open: this.#open(), run };
  }

  /** Connections that are open now, by app. */
  #open(): OpenConnections[] {
    const { flows, booking, directory } = this.#parts;
    const counts = new Map<number, number>();
    for (let row = 0; row < flows.rows; row++) {
      if (!flows.isLive(row) || flows.isClosed(row) || !booking.counts(row)) continue;
      const app = booking.appOf(row);
      counts.set(app, (counts.get(app) ?? 0) + 1);
    }
    return [...counts].map(([app, count]) => ({ ...namesOf(app, directory), count }));
  }
}

/** What metrics take from a snapshot. */
export type MetricSnapshot = Pick<Snapshot, 'started' | 'capture' | 'total' | 'flowCount' | 'flowsEvicted' | 'alerts'>;

function factsOf({ started, capture, total, flowCount, flowsEvicted }: MetricSnapshot, alerts: readonly AlertCount[]): RunFacts {
  const { packets, dropped, shed, countedFrameBytes: captured, countedInterfaceBytes: counted } = capture;
  const bytes = total.rxBytes + total.txBytes;
  return {
    started,
    frames: packets,
    dropped,
    shed,
    // Counters are read a moment apart.
    capturedShare: captured === null || counted === null || counted <= 0 ? null : Math.min(1, captured / counted),
    unownedShare: bytes <= 0 ? null : Math.min(1, Math.max(0, total.unownedBytes / bytes)),
    connections: flowCount,
    evicted: flowsEvicted,
    alerts,
  };
}

/** Counts alerts, of which snapshots have the latest. */
class AlertCounts {
  readonly #counts = new Map<string, AlertCount>();
  #seen: readonly Alert[] = [];
  #last: string | null = null;

  /** @param alerts the same list while nothing new is raised, oldest first */
  add(alerts: readonly Alert[]): void {
    if (alerts === this.#seen) return;
    this.#seen = alerts;
    const known = alerts.findLastIndex(({ id }) => id === this.#last);
    for (const { kind, severity } of alerts.slice(known + 1)) {
      const key = `${kind} ${severity}`;
      this.#counts.set(key, { kind, severity, count: (this.#counts.get(key)?.count ?? 0) + 1 });
    }
    this.#last = alerts.at(-1)?.id ?? this.#last;
  }

  counts(): AlertCount[] {
    return [...this.#counts.values()];
  }
}

/** Tells apart what metrics do. */
class AppKeys implements CollectorKeys {
  readonly #parts: AppMetricsParts;
  readonly #apps = new Map<number, number>();
  readonly #numbers = new Map<number, number>();
  #list: EntryFacts[] = [];

  constructor(parts: AppMetricsParts) {
    this.#parts = parts;
  }

  clear(): void {
    this.#apps.clear();
    this.#numbers.clear();
    this.#list = [];
  }

  facts(key: number): EntryFacts {
    return this.#list[key] as EntryFacts;
  }

  of(row: number): number {
    const { flows, booking } = this.#parts;
    const app = booking.appOf(row);
    const serial = booking.apps.serial(app);
    let number = this.#apps.get(serial);
    if (number === undefined) {
      number = this.#apps.size;
      this.#apps.set(serial, number);
    }
    const kind = booking.categoryOf(row) * INTERFACES + flows.interface(row);
    const known = this.#numbers.get(number * KINDS + kind);
    if (known !== undefined) return known;
    if (this.#list.length < MOST_KEYS) return this.#add(number * KINDS + kind, this.#factsOf(row, app));
    return this.#numbers.get(-1) ?? this.#add(-1, { ...this.#factsOf(row, 0), reason: REST });
  }

  #add(packed: number, facts: EntryFacts): number {
    const number = this.#list.push(facts) - 1;
    this.#numbers.set(packed, number);
    return number;
  }

  /** Ends, programs, containers, protocols and directions are not told apart. */
  #factsOf(row: number, app: number): EntryFacts {
    const { flows, booking, directory, facts, interfaceName } = this.#parts;
    const category = booking.categoryOf(row);
    return {
      ...namesOf(app, directory),
      exe: null,
      host: null,
      domain: null,
      category: category === 0 ? null : (facts?.categoryText(category - 1) ?? null),
      interface: interfaceName(flows.interface(row)),
      protocol: '',
      direction: 'outbound',
      container: null,
    };
  }
}

/** Minutes that may still change. */
export class SettlingMinutes {
  readonly #minutes = new Map<number, Map<string, MetricRow>>();
  /** Minutes before this one are settled. */
  #settled = Number.NEGATIVE_INFINITY;

  /** End of the last settled minute, epoch ms; -Infinity before the first. */
  get until(): number {
    return this.#settled * MINUTE_MS;
  }

  add({ minute, entries }: Pick<HistoryBatch, 'minute' | 'entries'>): void {
    const rows = this.#minutes.get(minute) ?? new Map<string, MetricRow>();
    this.#minutes.set(minute, rows);
    for (const entry of entries) {
      const { app, reason, category, interface: name } = entry;
      const key = JSON.stringify([app, reason, category, name]);
      const row = rows.get(key);
      rows.set(key, {
        app,
        reason,
        category,
        interface: name,
        rxBytes: entry.rxBytes + (row?.rxBytes ?? 0),
        txBytes: entry.txBytes + (row?.txBytes ?? 0),
        rxPackets: entry.rxPackets + (row?.rxPackets ?? 0),
        txPackets: entry.txPackets + (row?.txPackets ?? 0),
        flows: entry.flows + (row?.flows ?? 0),
      });
    }
  }

  /** Rows of minutes that are not settled. */
  get open(): MetricRow[] {
    return [...this.#minutes.values()].flatMap((rows) => [...rows.values()]);
  }

  /** Minutes that are settled now, oldest first; and what came for minutes that were settled before. @param time epoch ms */
  release(time: number): SettledRows[] {
    const settled = Math.floor((time - SETTLE_MS) / MINUTE_MS);
    const released: SettledRows[] = [];
    for (const [minute, rows] of [...this.#minutes].sort(([a], [b]) => a - b)) {
      if (minute >= Math.max(settled, this.#settled)) break;
      this.#minutes.delete(minute);
      released.push({ until: (minute + 1) * MINUTE_MS, rows: [...rows.values()] });
    }
    this.#settled = Math.max(settled, this.#settled);
    return released;
  }
}

interface TcpSums {
  readonly app: string | null;
  readonly reason: string | null;
  sentAgain: number;
  receivedAgain: number;
  roundTrips: number;
  /** Microseconds. */
  took: number;
}

/** What TCP tells of each app's connections with others. What a flow tells before its owner is known waits for it. */
class TcpBook {
  readonly #parts: AppMetricsParts;
  #serials = new Float64Array(0);
  #told = new Int32Array(0);
  /** By row: how long the round trips took that are not counted yet, microseconds. */
  #took = new Float64Array(0);
  #sums = new Map<number, TcpSums>();

  constructor(parts: AppMetricsParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { flows } = this.#parts;
    this.#reserve();
    for (let row = 0; row < flows.rows; row++)
      if (flows.isLive(row)) this.#begin(row, flows.txRetransmits(row), flows.rxRetransmits(row));
    this.#sums.clear();
  }

  look(): void {
    const { flows } = this.#parts;
    this.#reserve();
    const { rttRows, rttSerials, rtts, rttCount, touched, touchedCount } = flows;
    for (let i = Math.max(0, rttCount - rtts.length); i < rttCount; i++) {
      const at = i % rtts.length;
      const row = rttRows[at] as number;
      if (!flows.holds(row, rttSerials[at] as number)) continue;
      this.#meet(row);
      this.#told[row * TOLDS + TOLD.TRIPS] = (this.#told[row * TOLDS + TOLD.TRIPS] as number) + 1;
      this.#took[row] = (this.#took[row] as number) + (rtts[at] as number);
    }
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (flows.isLive(row) && !flows.awaitsOwner(row)) this.#count(row);
    }
  }

  flowLeaves(row: number): void {
    this.#reserve();
    this.#count(row);
    this.#serials[row] = 0;
  }

  take(): MetricTcp[] {
    const sums = this.#sums;
    this.#sums = new Map();
    return [...sums.values()].map(({ took, ...row }) => ({ ...row, roundTripSeconds: took / 1e6 }));
  }

  #count(row: number): void {
    const { flows, booking } = this.#parts;
    if (flows.protocol(row) !== PROTOCOL.TCP || flows.direction(row) === FLOW_DIRECTION.TRANSIT || !booking.counts(row)) return;
    if (scopeOf(flows.words, flows.remoteAt(row)) === 'loopback') return;
    this.#meet(row);
    const at = row * TOLDS;
    const told = this.#told;
    const sent = flows.txRetransmits(row) - (told[at + TOLD.SENT] as number);
    const received = flows.rxRetransmits(row) - (told[at + TOLD.RECEIVED] as number);
    const trips = told[at + TOLD.TRIPS] as number;
    if (sent === 0 && received === 0 && trips === 0) return;
    const sums = this.#sumsOf(booking.appOf(row));
    sums.sentAgain += sent;
    sums.receivedAgain += received;
    sums.roundTrips += trips;
    sums.took += this.#took[row] as number;
    this.#begin(row, flows.txRetransmits(row), flows.rxRetransmits(row));
  }

  #sumsOf(app: number): TcpSums {
    const { booking, directory } = this.#parts;
    const serial = booking.apps.serial(app);
    const known = this.#sums.get(serial);
    if (known !== undefined) return known;
    const made = { ...namesOf(app, directory), sentAgain: 0, receivedAgain: 0, roundTrips: 0, took: 0 };
    this.#sums.set(serial, made);
    return made;
  }

  #meet(row: number): void {
    if (this.#serials[row] !== this.#parts.flows.serial(row)) this.#begin(row, 0, 0);
  }

  #begin(row: number, sent: number, received: number): void {
    const at = row * TOLDS;
    this.#serials[row] = this.#parts.flows.serial(row);
    this.#told[at + TOLD.SENT] = sent;
    this.#told[at + TOLD.RECEIVED] = received;
    this.#told[at + TOLD.TRIPS] = 0;
    this.#took[row] = 0;
  }

  #reserve(): void {
    const rows = this.#parts.flows.capacity;
    if (this.#serials.length >= rows) return;
    this.#serials = widened(this.#serials, rows);
    this.#told = widened(this.#told, rows * TOLDS);
    this.#took = widened(this.#took, rows);
  }
}

/** An app entity in words. */
function namesOf(app: number, directory: ProcessDirectory): { readonly app: string | null; readonly reason: string | null } {
  const name = app < OWNERLESS ? null : (directory.app(app - OWNERLESS)?.name ?? null);
  return { app: name, reason: name === null ? ownerlessReason(app) : null };
}
