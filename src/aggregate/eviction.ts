// Makes room in tables that are nearly full: evicts the hosts and apps that have no flow and were silent longest. What they moved goes into
// one row for all of them, so every sum stays exact. Names that no host has any more are forgotten with them.

import type { FlowTable } from '../flow/flow-table.ts';
import type { FlowFacts, ProcessDirectory } from '../model/terms.ts';
import { OWNERLESS, quietest } from './accumulators.ts';
import type { Booking } from './booking.ts';
import type { Matched } from './matched.ts';
import { OTHER_HOSTS } from './rows/host-table.ts';

/** A table that is nearly full loses a quarter at once, because each eviction walks over all flows. */
const SHARE = 4;
/** Ticks until the next try if nearly everything is in use. */
const PAUSE_TICKS = 10;

/** Remembers something by entity, and must forget it when the entity is evicted. */
interface Forgets {
  forget(entities: readonly number[]): void;
}

/** Evicts hosts, their names, and apps. */
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

  /** Evicts what must go. Call it between two ticks, when everything that moved is booked and the snapshot is made. */
  work(): void {
    if (this.#pause > 0) this.#pause--;
    if (this.#pause > 0) return;
    const { hostTable } = this.#booking;
    const isFull = hostTable.isNearlyFull;
    if (isFull || this.#facts?.namesAreNearlyFull === true) {
      const wanted = Math.ceil(hostTable.count / SHARE);
      const evicted = this.#evictHosts(wanted, isFull ? () => true : (host) => hostTable.nameOf(host) >= 0);
      this.#facts?.forgetNames((name) => hostTable.hasName(name));
      if (evicted < wanted / SHARE) this.#pause = PAUSE_TICKS;
    }
    if (this.#directory.appsAreNearlyFull) {
      const wanted = Math.ceil(this.#directory.appCount / SHARE);
      if (this.#evictApps(wanted) < wanted / SHARE) this.#pause = PAUSE_TICKS;
    }
  }

  #evictHosts(wanted: number, mayGo: (host: number) => boolean): number {
    const { hostTable, hosts } = this.#booking;
    const used = new Set<number>();
    for (let row = 0; row < this.#flows.rows; row++) {
      if (!this.#flows.isLive(row)) continue;
      used.add(this.#booking.hostOf(row));
      this.#matched.addPlaces(row, null, used);
    }
    const candidates: number[] = [];
    for (let host = OTHER_HOSTS + 1; host < hostTable.end; host++)
      if (hostTable.isTaken(host) && !used.has(host) && mayGo(host)) candidates.push(host);
    const evicted = quietest(hosts, candidates, wanted);
    this.#matched.release('hosts', evicted, OTHER_HOSTS);
    for (const host of evicted) hosts.release(host, OTHER_HOSTS);
    hostTable.release(evicted);
    this.#booking.branches?.forget('hosts', evicted);
    this.#hostRows.forget(evicted);
    return evicted.length;
  }

  #evictApps(wanted: number): number {
    const { apps } = this.#booking;
    const rest = this.#directory.moreApps + OWNERLESS;
    const used = this.#appsOfFlows().add(rest);
    const candidates: number[] = [];
    for (let app = OWNERLESS; app < apps.size; app++)
      if (!used.has(app) && this.#directory.app(app - OWNERLESS) !== undefined) candidates.push(app);
    const evicted = quietest(apps, candidates, wanted);
    this.#matched.release('apps', evicted, rest);
    for (const app of evicted) apps.release(app, rest);
    this.#booking.branches?.forget('apps', evicted);
    this.#directory.forgetApps(evicted.map((app) => app - OWNERLESS));
    this.#appRows.forget(evicted);
    return evicted.length;
  }

  /** Apps under which flows are booked, or will be. */
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
    this.#booking.branches?.addApps(used);
    this.#matched.books?.branches?.addApps(used);
    return used;
  }
}
