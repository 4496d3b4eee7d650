// Makes room in tables that are nearly full: rows that no flow is booked under and that were silent longest give their numbers up. What they
// moved goes into a row that stands for all such, so that every sum stays exact, and names that nobody bears any more go along.

import type { FlowTable } from '../flow/flow-table.ts';
import type { FlowFacts } from '../net/model.ts';
import { A, type Accumulators } from './accumulators.ts';
import type { Booking } from './booking.ts';
import { OTHER_HOSTS } from './host-table.ts';

/** Of a table that is nearly full, a quarter is given up at once: the walk over all flows is rare then. */
const SHARE = 4;
/** Where nearly all is in use, the next try comes after so many ticks. */
const PAUSE_TICKS = 10;
const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
/** A mebibyte that it moved counts for a row like an hour that it was heard later; up to so many. */
const MOST_HOURS = 24;

/** Told of the hosts that were given up: what is remembered by their numbers is to be forgotten. */
type Forget = (hosts: readonly number[]) => void;

/** Makes room for hosts and their names. */
export class GivingUp {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #facts: FlowFacts | null;
  readonly #forget: Forget;
  #pause = 0;
  /** Hosts that gave their row up so far. */
  hosts = 0;

  constructor(flows: FlowTable, booking: Booking, facts: FlowFacts | null, forget: Forget) {
    this.#flows = flows;
    this.#booking = booking;
    this.#facts = facts;
    this.#forget = forget;
  }

  /** Between two ticks, when all that moved has been booked and told. */
  work(): void {
    if (this.#pause > 0) this.#pause--;
    const { hostTable } = this.#booking;
    const isFull = hostTable.isNearlyFull;
    const lacksNames = this.#facts?.namesAreNearlyFull === true;
    if (this.#pause > 0 || !(isFull || lacksNames)) return;
    const wanted = Math.ceil(hostTable.count / SHARE);
    const given = this.#giveUp(wanted, isFull ? () => true : (host) => hostTable.nameOf(host) >= 0);
    this.#facts?.forgetNames((name) => hostTable.hasName(name));
    if (given < wanted / SHARE) this.#pause = PAUSE_TICKS;
  }

  #giveUp(wanted: number, isMeant: (host: number) => boolean): number {
    const { hostTable, hosts } = this.#booking;
    const borne = new Uint8Array(hostTable.end);
    for (let row = 0; row < this.#flows.rows; row++) {
      const host = this.#flows.isLive(row) ? this.#booking.hostOf(row) : -1;
      if (host >= 0) borne[host] = 1;
    }
    const candidates: number[] = [];
    for (let host = OTHER_HOSTS + 1; host < hostTable.end; host++)
      if (borne[host] === 0 && hostTable.isTaken(host) && isMeant(host)) candidates.push(host);
    const given = quietest(hosts, candidates, wanted);
    for (const host of given) {
      if (hosts.isPresent(host)) this.hosts++;
      hosts.release(host, OTHER_HOSTS);
    }
    hostTable.release(given);
    this.#forget(given);
    return given.length;
  }
}

/** Those of `entities` that matter least: without traffic of their own first, then those silent longest, though bytes speak for a row. */
function quietest(accumulators: Accumulators, entities: readonly number[], wanted: number): number[] {
  const ranks = Float64Array.from(entities, (entity) => {
    if (!accumulators.isPresent(entity)) return 0;
    const bytes = accumulators.get(entity, A.RX) + accumulators.get(entity, A.TX);
    return accumulators.get(entity, A.LAST) + Math.min(bytes / MIB, MOST_HOURS) * HOUR_MS;
  });
  const order = Int32Array.from(entities, (_, i) => i).sort((a, b) => (ranks[a] as number) - (ranks[b] as number));
  return Array.from(order.subarray(0, wanted), (i) => entities[i] as number);
}
