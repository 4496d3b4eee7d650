// Makes room in tables that are nearly full: rows that no flow is booked under and that were silent longest give their numbers up. What they
// moved goes into a row that stands for all such, so that every sum stays exact, and names that nobody bears any more go along.

import type { FlowTable } from '../flow/flow-table.ts';
import type { FlowFacts, ProcessDirectory } from '../model/terms.ts';
import { type Accumulators, COLUMN } from './accumulators.ts';
import { type Booking, OWNERLESS } from './booking.ts';
import type { Matched } from './matched.ts';
import { OTHER_HOSTS } from './rows/host-table.ts';

/** Of a table that is nearly full, a quarter is given up at once: the walk over all flows is rare then. */
const SHARE = 4;
/** Where nearly all is in use, the next try comes after so many ticks. */
const PAUSE_TICKS = 10;
const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
/** A mebibyte that it moved counts for a row like an hour that it was heard later; up to so many. */
const MOST_HOURS = 24;

/** Told of the rows that were given up: what is remembered by their numbers is to be forgotten. */
interface Forgets {
  forget(entities: readonly number[]): void;
}

/** Makes room for hosts, their names, and apps. */
export class Eviction {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #matched: Matched;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #hostRows: Forgets;
  readonly #appRows: Forgets;
  #pause = 0;

  constructor(
    flows: FlowTable,
    booking: Booking,
    matched: Matched,
    directory: ProcessDirectory,
    facts: FlowFacts | null,
    hostRows: Forgets,
    appRows: Forgets,
  ) {
    this.#flows = flows;
    this.#booking = booking;
    this.#matched = matched;
    this.#directory = directory;
    this.#facts = facts;
    this.#hostRows = hostRows;
    this.#appRows = appRows;
  }

  /** Between two ticks, when all that moved has been booked and told. */
  work(): void {
    if (this.#pause > 0) this.#pause--;
    if (this.#pause > 0) return;
    const { hostTable } = this.#booking;
    const isFull = hostTable.isNearlyFull;
    if (isFull || this.#facts?.namesAreNearlyFull === true) {
      const wanted = Math.ceil(hostTable.count / SHARE);
      const given = this.#evictHosts(wanted, isFull ? () => true : (host) => hostTable.nameOf(host) >= 0);
      this.#facts?.forgetNames((name) => hostTable.hasName(name));
      if (given < wanted / SHARE) this.#pause = PAUSE_TICKS;
    }
    if (this.#directory.appsAreNearlyFull) {
      const wanted = Math.ceil(this.#directory.appCount / SHARE);
      if (this.#evictApps(wanted) < wanted / SHARE) this.#pause = PAUSE_TICKS;
    }
  }

  #evictHosts(wanted: number, isMeant: (host: number) => boolean): number {
    const { hostTable, hosts } = this.#booking;
    const used = new Set<number>();
    for (let row = 0; row < this.#flows.rows; row++) {
      if (!this.#flows.isLive(row)) continue;
      used.add(this.#booking.hostOf(row));
      this.#matched.addPlaces(row, null, used);
    }
    const candidates: number[] = [];
    for (let host = OTHER_HOSTS + 1; host < hostTable.end; host++)
      if (hostTable.isTaken(host) && !used.has(host) && isMeant(host)) candidates.push(host);
    const given = quietest(hosts, candidates, wanted);
    this.#matched.release('hosts', given, OTHER_HOSTS);
    for (const host of given) hosts.release(host, OTHER_HOSTS);
    hostTable.release(given);
    this.#hostRows.forget(given);
    return given.length;
  }

  #evictApps(wanted: number): number {
    const { apps } = this.#booking;
    const rest = this.#directory.moreApps + OWNERLESS;
    const used = this.#appsOfFlows().add(rest);
    const candidates: number[] = [];
    for (let app = OWNERLESS; app < apps.size; app++)
      if (!used.has(app) && this.#directory.app(app - OWNERLESS) !== undefined) candidates.push(app);
    const given = quietest(apps, candidates, wanted);
    this.#matched.release('apps', given, rest);
    for (const app of given) apps.release(app, rest);
    this.#directory.forgetApps(given.map((app) => app - OWNERLESS));
    this.#appRows.forget(given);
    return given.length;
  }

  /** Where flows are booked, and where they will be. */
  #appsOfFlows(): Set<number> {
    const used = new Set<number>();
    for (let row = 0; row < this.#flows.rows; row++) {
      if (!this.#flows.isLive(row)) continue;
      used.add(this.#booking.appOf(row)).add(this.#booking.peerOf(row));
      this.#matched.addPlaces(row, used, null);
      for (const owner of [this.#flows.owner(row), this.#flows.peer(row)]) {
        const process = this.#directory.process(owner);
        if (process !== undefined) used.add(process.app + OWNERLESS);
      }
    }
    return used;
  }
}

/** Those of `entities` that matter least: without traffic of their own first, then those silent longest, though bytes speak for a row. */
function quietest(accumulators: Accumulators, entities: readonly number[], wanted: number): number[] {
  const ranks = Float64Array.from(entities, (entity) => {
    if (!accumulators.isPresent(entity)) return 0;
    const bytes = accumulators.get(entity, COLUMN.RX) + accumulators.get(entity, COLUMN.TX);
    return accumulators.get(entity, COLUMN.LAST) + Math.min(bytes / MIB, MOST_HOURS) * HOUR_MS;
  });
  const order = Int32Array.from(entities, (_, i) => i).sort((a, b) => (ranks[a] as number) - (ranks[b] as number));
  return Array.from(order.subarray(0, wanted), (i) => entities[i] as number);
}
