// Books what flows have moved into the totals of apps, hosts and interfaces: once a tick for flows that moved, and when one is removed.
// Sums stay exact whatever is evicted, learnt late or folded.

import { FLOW_DIRECTION } from '../flow/direction.ts';
import { directionOf, type FlowObserver, type FlowTable, isLocalFlow, NO_OWNER } from '../flow/flow-table.ts';
import * as L from '../flow/layout.ts';
import type { FlowFacts, ProcessDirectory } from '../net/model.ts';
import { OWNER_REASONS } from '../net/model.ts';
import { Accumulators } from './accumulators.ts';
import { BookedRows, DOUBLES, PLACE, TICK_RX, TICK_TX } from './booked-rows.ts';
import { isCarrier } from './carrier.ts';
import { HostTable, OTHER_HOSTS } from './host-table.ts';
import { type Movement, movement } from './movement.ts';

/** App entities below this stand for flows without a process, one for each reason; app `id` is entity `id + OWNERLESS`. */
export const OWNERLESS = 16;
const BY_KERNEL = OWNER_REASONS.indexOf('no process: the kernel itself');
const FORWARDED = OWNER_REASONS.indexOf('forwarded');
const NEVER = -1;
/** Column value of a flow that is booked to its interface alone. */
const ASIDE = -2;
/** App entity of flows in which a captured tunnel travels: what is in it is booked under its own apps. */
export const CARRIER = 15;
/**
 * What an interface means for the totals: part of the headline; a tunnel, whose flows belong to apps but travel once more in the headline;
 * one that stands apart (a bridge to containers, a virtual pair): what this machine itself exchanges over it crosses no other, what it
 * forwards does; or one that repeats another frame by frame (a port of a bridge).
 */
export const ROLE = { HEADLINE: 0, TUNNEL: 1, APART: 2, REPEATS: 3 } as const;

const { APP, PEER, HOST } = PLACE;

/** Most hosts with a row of their own, by name or address. */
const MAX_HOSTS = 65_536;

/**
 * The books. Columns beside the flow table's rows say what of each flow has been booked, and where, so that a flow whose owner is
 * learnt late moves its past to the right app.
 */
export class Booking implements FlowObserver {
  readonly apps = new Accumulators();
  /** By number of the host table. */
  readonly hosts: Accumulators;
  /** By category + 1; 0 is not categorised. Flows of the headline only. */
  readonly categories = new Accumulators();
  /** By interface; the headline total is a sum of these, so that it is right also when an interface turns out to be part of it late. */
  readonly interfaces = new Accumulators();
  /** This machine's own flows on interfaces that stand apart, by interface: part of the total too. */
  readonly own = new Accumulators();
  /** Of all that is part of the total, what has no owner that could be told. */
  readonly unowned = new Accumulators();
  readonly hostTable: HostTable;
  readonly #flows: FlowTable;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #rows = new BookedRows();
  readonly #moved = movement();
  readonly #swapped = movement();
  #roles: Uint8Array = new Uint8Array(0);
  #tunnelled = false;
  /** Told when a flow is booked under a host that it was not booked under before, or is in another category than before. */
  onHost: ((host: number, row: number) => void) | null = null;
  /** Told after the last booking of a flow that goes away, while it is still known where that was booked. */
  onLeaving: ((row: number) => void) | null = null;
  /** Told after the last booking of a flow that goes away. */
  onRemoved: ((row: number) => void) | null = null;

  /** @param maxHosts fewer in tests */
  constructor(flows: FlowTable, directory: ProcessDirectory, seed: number, facts: FlowFacts | null = null, maxHosts = MAX_HOSTS) {
    this.#flows = flows;
    this.#directory = directory;
    this.#facts = facts;
    this.hostTable = new HostTable(maxHosts, seed);
    this.hosts = new Accumulators(maxHosts + 1);
  }

  /** ROLE by interface index; those beyond the list are part of the headline. */
  setRoles(roles: Uint8Array): void {
    this.#roles = roles;
  }

  /** True for a flow whose bytes are counted under the apps in the tunnel that it carries. */
  carries(row: number): boolean {
    return this.#rows.place(row, APP) === CARRIER;
  }

  /** App entity under which a flow was booked last; negative for one that is no part of any app. */
  appOf(row: number): number {
    return this.#rows.place(row, APP);
  }

  /** App entity of a local flow's far end; negative where there is none. */
  peerOf(row: number): number {
    return this.#rows.place(row, PEER);
  }

  /** Host under which a flow was booked last, by number of the host table. */
  hostOf(row: number): number {
    return this.#rows.place(row, HOST);
  }

  /** Category + 1 of a flow when it was booked last, 0 is none. */
  categoryOf(row: number): number {
    return Math.max(0, this.#rows.toldCategory(row));
  }

  /** True for a flow inside a captured tunnel: the headline has its bytes once more, in what carries it. */
  isTunnelled(row: number): boolean {
    const iface = (this.#flows.ints[row * L.INTS + L.PROTOCOL_INTERFACE] as number) >>> 16;
    return (this.#roles[iface] ?? ROLE.HEADLINE) === ROLE.TUNNEL;
  }

  flowRemoved(row: number): void {
    this.#rows.reserve(this.#flows.capacity);
    this.#book(row);
    this.onLeaving?.(row);
    this.onRemoved?.(row);
    this.#rows.clear(row);
  }

  /** Books every flow that moved or was learnt about since the last call. */
  bookTouched(): void {
    const before = this.#tunnelled;
    this.#bookAll();
    // The first bytes of a tunnel make carriers of flows that were booked a moment ago.
    if (this.#tunnelled !== before) this.#bookAll();
  }

  #bookAll(): void {
    this.#rows.reserve(this.#flows.capacity);
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (this.#flows.isLive(row)) this.#book(row);
    }
  }

  /** Clears the tick's share of every flow that moved; after snapshots were made. */
  clearTick(): void {
    const { doubles } = this.#rows;
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const at = (touched[i] as number) * DOUBLES;
      doubles[at + TICK_RX] = 0;
      doubles[at + TICK_TX] = 0;
    }
  }

  /** RX bytes a flow moved in the tick that is being closed. */
  tickRx(row: number): number {
    return this.#rows.doubles[row * DOUBLES + TICK_RX] ?? 0;
  }

  tickTx(row: number): number {
    return this.#rows.doubles[row * DOUBLES + TICK_TX] ?? 0;
  }

  #book(row: number): void {
    const flows = this.#flows;
    const base = row * L.INTS;
    const moved = this.#movement(row);
    const iface = (flows.ints[base + L.PROTOCOL_INTERFACE] as number) >>> 16;
    const role = this.#roles[iface] ?? ROLE.HEADLINE;
    const was = this.#rows.place(row, APP);
    this.#move(this.interfaces, was === NEVER ? NEVER : iface, iface, moved);
    if (role === ROLE.REPEATS || (role === ROLE.APART && directionOf(flows, row) === FLOW_DIRECTION.TRANSIT)) {
      this.#rows.setPlace(row, APP, ASIDE);
      return;
    }
    if (role === ROLE.APART) this.#move(this.own, was < 0 ? NEVER : iface, iface, moved);
    if (role === ROLE.TUNNEL) this.#tunnelled = true;
    const app = this.#appEntity(row, role);
    this.#move(this.unowned, isUnowned(was) ? iface : NEVER, isUnowned(app) ? iface : NEVER, moved);
    this.#move(this.apps, was, app, moved);
    this.#rows.setPlace(row, APP, app);
    if (isLocalFlow(flows, row)) this.#bookPeer(row, moved);

    const hadHost = this.#rows.place(row, HOST);
    const host = this.#hostEntity(row, hadHost);
    const category = this.#facts === null ? 0 : this.#facts.categoryOf(row) + 1;
    this.#move(this.hosts, hadHost, host, moved);
    if (hadHost !== host || this.#rows.toldCategory(row) !== category) this.onHost?.(host, row);
    this.#rows.setPlace(row, HOST, host);
    let bookedUnder = this.#rows.bookedCategory(row);
    if (role !== ROLE.TUNNEL) {
      this.#move(this.categories, bookedUnder, category, moved);
      bookedUnder = category;
    }
    this.#rows.setCategories(row, category, bookedUnder);
  }

  /** What the flow moved since it was last booked, and altogether; marks it as booked. */
  #movement(row: number): Movement {
    const at = row * L.COUNTERS;
    const c = this.#flows.counters;
    const b = this.#rows.doubles;
    const from = row * DOUBLES;
    const moved = this.#moved;
    moved.rxTotal = c[at + L.RX_BYTES] as number;
    moved.txTotal = c[at + L.TX_BYTES] as number;
    moved.rxpTotal = c[at + L.RX_PACKETS] as number;
    moved.txpTotal = c[at + L.TX_PACKETS] as number;
    moved.first = c[at + L.FIRST_SEEN] as number;
    moved.last = c[at + L.LAST_SEEN] as number;
    moved.rx = moved.rxTotal - (b[from] as number);
    moved.tx = moved.txTotal - (b[from + 1] as number);
    moved.rxp = moved.rxpTotal - (b[from + 2] as number);
    moved.txp = moved.txpTotal - (b[from + 3] as number);
    b[from] = moved.rxTotal;
    b[from + 1] = moved.txTotal;
    b[from + 2] = moved.rxpTotal;
    b[from + 3] = moved.txpTotal;
    b[from + TICK_RX] = (b[from + TICK_RX] as number) + moved.rx;
    b[from + TICK_TX] = (b[from + TICK_TX] as number) + moved.tx;
    return moved;
  }

  /** Books under `now` what moved; where that was another entity before, all of the flow's past goes along. */
  #move(accumulators: Accumulators, was: number, now: number, m: Movement): void {
    if (was === now) {
      if (now >= 0) accumulators.add(now, m);
      return;
    }
    if (was >= 0) accumulators.leave(was, m);
    if (now >= 0) accumulators.enter(now, m);
  }

  /** The far end of a local flow: what one side sent the other received. Booked only once its owner is known. */
  #bookPeer(row: number, m: Movement): void {
    const process = this.#flows.ints[row * L.INTS + L.PEER_PROCESS] as number;
    if (process === NO_OWNER) return;
    const app = this.#appOf(process);
    const swapped = this.#swapped;
    swapped.rx = m.tx;
    swapped.tx = m.rx;
    swapped.rxp = m.txp;
    swapped.txp = m.rxp;
    swapped.rxTotal = m.txTotal;
    swapped.txTotal = m.rxTotal;
    swapped.rxpTotal = m.txpTotal;
    swapped.txpTotal = m.rxpTotal;
    swapped.first = m.first;
    swapped.last = m.last;
    this.#move(this.apps, this.#rows.place(row, PEER), app, swapped);
    this.#rows.setPlace(row, PEER, app);
  }

  #appEntity(row: number, role: number): number {
    if (role === ROLE.HEADLINE && this.#tunnelled && isCarrier(this.#flows, row)) return CARRIER;
    const base = row * L.INTS;
    const process = this.#flows.ints[base + L.PROCESS] as number;
    return process === NO_OWNER ? (this.#flows.ints[base + L.OWNERSHIP] as number) & 0xffff : this.#appOf(process);
  }

  /** A flow's address stays the same, and so does its number while it has no name. */
  #hostEntity(row: number, known: number): number {
    const name = this.#facts === null ? -1 : this.#facts.nameOf(row);
    if (name >= 0) return this.hostTable.named(name);
    if (known === OTHER_HOSTS || (known > 0 && this.hostTable.nameOf(known) < 0)) return known;
    return this.hostTable.intern(this.#flows.ints, row * L.INTS + L.REMOTE);
  }

  #appOf(process: number): number {
    return (this.#directory.process(process)?.app ?? -OWNERLESS) + OWNERLESS;
  }
}

/** True for an app entity that stands for flows whose owner nobody could tell; what the kernel sends or forwards is explained, not unowned. */
function isUnowned(entity: number): boolean {
  return entity >= 0 && entity < CARRIER && entity !== BY_KERNEL && entity !== FORWARDED;
}
