// Books what flows moved into the totals of apps, hosts, categories and interfaces: once a tick for flows that moved, and for a flow that
// is removed. It decides what counts where, and how often; it makes no rows.

import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowObserver, FlowTable } from '../flow/flow-table.ts';
import type { TickInterface } from '../model/snapshot.ts';
import { type FlowFacts, KERNEL_REASONS, NO_OWNER, OWNER_REASONS, type ProcessDirectory } from '../model/terms.ts';
import { scopeOf } from '../net/address.ts';
import { type Arena, arenaOf } from '../net/bytes.ts';
import { Accumulators, less, type Movement, movement, OWNERLESS, received, turned } from './accumulators.ts';
import { Branches, HERE, KEY, NO_PEER, NO_PID, peerOf, SIDE } from './branches.ts';
import { Carriers } from './carrier.ts';
import { Means, MeansClock, WAY } from './means.ts';
import { HostTable, OTHER_HOSTS } from './rows/host-table.ts';

/**
 * What has been booked of each flow, and where. 64 bytes a row of the flow table, one cache line:
 *
 *     doubles  0..3 booked RX, TX, RX packets, TX packets | 4 RX of the tick that is being closed | 5 its TX
 *     ints     12 app | 13 app at the far end | 14 host | 15 category its host knows << 16 | category it is booked under
 *
 * App, peer and host are inverted and categories one higher: a row that was never written reads as NEVER.
 */
const INTS = 16;
const DOUBLES = INTS / 2;
const TICK_RX = 4;
const TICK_TX = 5;
const PLACE = { APP: 12, PEER: 13, HOST: 14 } as const;
const CATEGORIES = 15;

/** Those rows, in an arena that grows with the flow table. Booking decides what they hold. */
class BookedRows {
  #arena: Arena = arenaOf(0);
  doubles = this.#arena.doubles;
  #ints = this.#arena.ints;

  /** Makes room for as many rows as the flow table has. */
  reserve(rows: number): void {
    if (this.#ints.length >= rows * INTS) return;
    this.#arena = arenaOf(rows * INTS * 4, this.#arena);
    this.doubles = this.#arena.doubles;
    this.#ints = this.#arena.ints;
  }

  /** Forgets all of a row. */
  clear(row: number): void {
    const ints = this.#ints;
    for (let i = row * INTS; i < row * INTS + INTS; i++) ints[i] = 0;
  }

  /** Entity under which a row was booked, -1 if it wasn't. @param column of PLACE */
  place(row: number, column: number): number {
    return ~(this.#ints[row * INTS + column] ?? 0);
  }

  setPlace(row: number, column: number, entity: number): void {
    this.#ints[row * INTS + column] = ~entity;
  }

  /** Category that the row's host knows of, -1 for none. */
  hostCategory(row: number): number {
    return ((this.#ints[row * INTS + CATEGORIES] ?? 0) >>> 16) - 1;
  }

  /** Category under which the row was booked, -1 if it wasn't. */
  bookedCategory(row: number): number {
    return ((this.#ints[row * INTS + CATEGORIES] ?? 0) & 0xffff) - 1;
  }

  setCategories(row: number, ofHost: number, booked: number): void {
    this.#ints[row * INTS + CATEGORIES] = ((ofHost + 1) << 16) | (booked + 1);
  }
}

/** Indexes of the reasons that explain why there is no process. Traffic with such a reason is not unowned. */
const EXPLAINED = KERNEL_REASONS.map((reason) => OWNER_REASONS.indexOf(reason));
const NEVER = -1;
/** App of a flow that is booked to its interface alone: while it is in transit, or because its bytes count elsewhere. */
const ASIDE = -2;
const ELSEWHERE = -3;
/** App entity of flows that carry a captured tunnel: what travels inside is booked under its own apps. */
export const CARRIER = 15;
/** Why that traffic has no app. */
export const CARRIED = 'overhead of tunnels';
/**
 * What an interface means for the totals.
 *
 * COUNTED: part of the total. TUNNEL: its flows belong to apps, but a counted interface carries them once more. APART, a bridge to
 * containers or a virtual pair: what this machine itself exchanges over it crosses no other interface, what it forwards does. REPEATS, a
 * port of a bridge: it shows the frames of another interface again.
 */
const ROLE = { COUNTED: 0, TUNNEL: 1, APART: 2, REPEATS: 3 } as const;

/** What a flow's bytes count for when they move. ASIDE: its interface alone. INNER: also its app and host, because the total already has them in the tunnel's carrier. FULL: all. */
const CLASS = { ASIDE: 0, INNER: 1, FULL: 2 } as const;
/** Two interfaces of this machine see the same flow at about the same time. */
const TWIN_LAG_MS = 2000;
const NOTHING_BELOW: readonly number[] = [];

const { APP, PEER, HOST } = PLACE;

/** The part of a flow that doesn't count, if its class changed on the way. RX, TX, RX packets, TX packets each. */
interface Uncounted {
  class: number;
  readonly byApp: [number, number, number, number];
  readonly byTotal: [number, number, number, number];
}

/** The part of a flow that stays with former owners of its ends: RX, TX, RX packets, TX packets, as its own end sees them. */
interface Kept {
  readonly own: Float64Array;
  readonly peer: Float64Array;
  /** The end got another owner and wasn't booked since. The former owner keeps the flow in its count, too. */
  isOwnLeft: boolean;
  isPeerLeft: boolean;
}

/** Hosts with a row of their own, by name or address. */
const MAX_HOSTS = 65_536;

/** Called while flows are booked. The books are complete up to that moment, and still know where the flow was booked before. */
export interface BookingObserver {
  /** A flow is booked under another host than before, or has another category. */
  hostChanged(host: number, row: number): void;
  /** An end of a flow is about to get another owner, who owns only what it moves from now on. */
  ownerLeaves(row: number, isPeer: boolean): void;
  /** A flow was booked for the last time. */
  flowLeaves(row: number): void;
}

/** What bookings are made from. */
export interface BookingParts {
  readonly flows: FlowTable;
  readonly directory: ProcessDirectory;
  /** Hash seed of the host table. */
  readonly seed: number;
  /** Names and categories of flows; null if they have none. */
  readonly facts: FlowFacts | null;
  /** Hosts with a row of their own; fewer in tests. */
  readonly maxHosts?: number | undefined;
  readonly observer: BookingObserver;
}

/**
 * The books. They remember what was booked of each flow and where: when an owner becomes known late, everything that the flow moved goes
 * to the right app.
 */
export class Booking implements FlowObserver {
  readonly apps = new Accumulators();
  /** By number of the host table. */
  readonly hosts: Accumulators;
  /** By category + 1; 0 is not categorised. Only what the total counts. */
  readonly categories = new Accumulators();
  /** By interface. */
  readonly interfaces = new Accumulators();
  /** Entity 0 is the total. Bytes count when they move and never again, so it never falls. */
  readonly total = new Accumulators();
  /** The part of the total whose owner nobody could name. */
  readonly unowned = new Accumulators();
  /** What moved inside tunnels whose carriers are in the total: 0 is all tunnels, the others are interface + 1. */
  readonly tunnelled = new Accumulators();
  readonly hostTable: HostTable;
  /** Means of flows, by row; null if none are kept. */
  means: Means | null = null;
  /** What is below apps and hosts; null if that isn't kept. */
  branches: Branches | null = null;
  readonly #flows: FlowTable;
  readonly #seed: number;
  readonly #carriers: Carriers;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #observer: BookingObserver;
  readonly #rows = new BookedRows();
  readonly #moved = movement();
  readonly #swapped = movement();
  readonly #byApp = movement();
  readonly #byTotal = movement();
  readonly #byOwner = movement();
  readonly #overWire = movement();
  readonly #uncounted = new Map<number, Uncounted>();
  readonly #kept = new Map<number, Kept>();
  #roles: Uint8Array = new Uint8Array(0);
  /** Counted interfaces but loopback. */
  #wires: number[] = [];
  /** By interface: the interfaces on which its flows may be seen again, and count. */
  #below: (readonly number[])[] = [];
  readonly #ends = new Int32Array(8);
  /** What all flows moved in the tick that is being closed, as their own ends see it. */
  tickRxSum = 0;
  tickTxSum = 0;
  #tunnelled = false;

  constructor({ flows, directory, seed, facts, maxHosts = MAX_HOSTS, observer }: BookingParts) {
    this.#observer = observer;
    this.#flows = flows;
    this.#carriers = new Carriers(flows);
    this.#seed = seed;
    this.#directory = directory;
    this.#facts = facts;
    this.hostTable = new HostTable(maxHosts, seed);
    this.hosts = new Accumulators(maxHosts + 1);
  }

  /** Keeps branches, means of flows, and means of everything but what nobody owns, from now on. */
  keepForScreen(): void {
    if (this.means !== null) return;
    this.means = new Means(new MeansClock());
    this.branches = this.newBranches(null);
    for (const sums of this.#withMeans()) sums.keepMeans(this.means);
  }

  /** Adds the tick that is being closed to the means, once their clock has closed it. */
  closeMeans(): void {
    const { means } = this;
    if (means === null) return;
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (this.#flows.isLive(row)) means.add(row, this.tickRx(row), this.tickTx(row));
    }
    for (const sums of this.#withMeans()) sums.closeMeans();
  }

  /** Empty branches, for a filter's books. @param from flows that began by this time aren't counted, epoch ms; null counts all */
  newBranches(from: number | null): Branches {
    return new Branches(this.#flows, this.#seed, from);
  }

  #withMeans(): readonly Accumulators[] {
    const branches = this.branches === null ? [] : [this.branches.sums];
    return [this.apps, this.hosts, this.categories, this.interfaces, this.total, this.tunnelled, ...branches];
  }

  /** True if interfaces mean what they meant before. */
  isAsBefore(interfaces: readonly TickInterface[]): boolean {
    return interfaces.length === this.#roles.length && interfaces.every((each, i) => roleOf(each) === this.#roles[i]);
  }

  /** Sets what interfaces mean from now on; those beyond the list are counted. Book what moved before this first. */
  setInterfaces(interfaces: readonly TickInterface[]): void {
    const roles = Uint8Array.from(interfaces, roleOf);
    this.#roles = roles;
    this.#wires = [];
    const wires = this.#wires;
    const indexes = new Map<string, number>();
    const uppers = new Map<string, Set<number>>();
    for (const [i, { name, isCounted, kind, lower }] of interfaces.entries()) {
      indexes.set(name, i);
      for (const each of lower) uppers.set(each, (uppers.get(each) ?? new Set()).add(i));
      if (isCounted && kind !== 'loopback') wires.push(i);
    }
    this.#below = interfaces.map(({ isCounted, kind, lower }, i) => {
      const known = lower.flatMap((name) => indexes.get(name) ?? []).filter((j) => j !== i && roles[j] !== ROLE.REPEATS);
      if (isCounted && kind !== 'loopback') return known;
      const above = uppers.get(interfaces[i]?.name ?? '');
      const others = above === undefined ? wires : wires.filter((j) => !above.has(j));
      return known.length === 0 ? others : [...new Set([...others, ...known])];
    });
  }

  /** True for a flow that carries a captured tunnel. */
  carries(row: number): boolean {
    return this.#rows.place(row, APP) === CARRIER;
  }

  /** App entity under which a flow was booked last; negative if no app's total has it. */
  appOf(row: number): number {
    return this.#rows.place(row, APP);
  }

  /** App entity of a flow that was booked, even if no app's total has it. */
  appEntity(row: number): number {
    const app = this.#rows.place(row, APP);
    return app >= 0 ? app : this.#appEntity(row, ROLE.APART);
  }

  /** App entity of a local flow's far end; negative if it has none. */
  peerOf(row: number): number {
    return this.#rows.place(row, PEER);
  }

  /** Host under which a flow was booked last, by number of the host table. */
  hostOf(row: number): number {
    return this.#rows.place(row, HOST);
  }

  /** Category + 1 of a flow when it was booked last; 0 for none. */
  categoryOf(row: number): number {
    return Math.max(0, this.#rows.hostCategory(row));
  }

  /** True for a flow inside a captured tunnel: the total has its bytes in the flow that carries them. */
  isTunnelled(row: number): boolean {
    return this.#classOf(row) === CLASS.INNER;
  }

  /** True for a flow whose bytes counted for more than their interface when it was booked last. */
  counts(row: number): boolean {
    return this.#classOf(row) > CLASS.ASIDE;
  }

  /** True for a flow that will count with everything it moved once it turns out not to be in transit, or once its interface is known. */
  mayCount(row: number): boolean {
    const app = this.#rows.place(row, APP);
    return app === ASIDE || app === NEVER;
  }

  /** Writes what counted for a flow's app and host so far, as its own end sees it. @param into RX, TX, RX packets, TX packets */
  counted(row: number, into: Float64Array): void {
    const apart = this.#uncounted.size === 0 ? undefined : this.#uncounted.get(row)?.byApp;
    this.#flows.readTraffic(row, into);
    if (apart !== undefined) for (let i = 0; i < 4; i++) into[i] = (into[i] as number) - (apart[i] as number);
  }

  /** Writes what a flow moved so far, as its frames crossed the interface. @param into RX, TX, RX packets, TX packets */
  went(row: number, into: Float64Array): void {
    const flows = this.#flows;
    if (flows.isPassing(row)) {
      into[0] = flows.rxBytes(row) + flows.txBytes(row);
      into[1] = 0;
      into[2] = flows.rxPackets(row) + flows.txPackets(row);
      into[3] = 0;
    } else if (flows.isReversed(row)) {
      into[0] = flows.txBytes(row);
      into[1] = flows.rxBytes(row);
      into[2] = flows.txPackets(row);
      into[3] = flows.rxPackets(row);
    } else flows.readTraffic(row, into);
  }

  /** CLASS under which a flow was booked last, NEVER if it wasn't. */
  #classOf(row: number): number {
    const known = this.#uncounted.size === 0 ? undefined : this.#uncounted.get(row);
    if (known !== undefined) return known.class;
    const app = this.#rows.place(row, APP);
    if (app < 0) return app === NEVER ? NEVER : CLASS.ASIDE;
    return this.#rows.bookedCategory(row) >= 0 ? CLASS.FULL : CLASS.INNER;
  }

  flowRemoved(row: number): void {
    this.#rows.reserve(this.#flows.capacity);
    this.#book(row);
    this.#observer.flowLeaves(row);
    this.#rows.clear(row);
    this.means?.clear(row);
    this.branches?.flowLeaves(row);
    this.#uncounted.delete(row);
    this.#kept.delete(row);
  }

  ownerLeaves(row: number, isPeer: boolean): void {
    this.#rows.reserve(this.#flows.capacity);
    this.#book(row);
    if (this.#rows.place(row, APP) < 0) return;
    const none = { own: new Float64Array(4), peer: new Float64Array(4), isOwnLeft: false, isPeerLeft: false };
    const kept = this.#kept.get(row) ?? none;
    this.counted(row, isPeer ? kept.peer : kept.own);
    if (isPeer) kept.isPeerLeft = true;
    else kept.isOwnLeft = true;
    this.#kept.set(row, kept);
    this.branches?.ownerLeaves(row, isPeer, isPeer ? kept.peer : kept.own);
    this.#observer.ownerLeaves(row, isPeer);
  }

  /** True while a flow in the table had other owners before. */
  get hasFormerOwners(): boolean {
    return this.#kept.size > 0;
  }

  /** Calls back with each flow that had other owners before, and what stays with those of either end: RX, TX, RX packets, TX packets. */
  eachKept(visit: (row: number, own: ArrayLike<number>, peer: ArrayLike<number>) => void): void {
    for (const [row, { own, peer }] of this.#kept) visit(row, own, peer);
  }

  /** Books every flow that moved, or of which something was learnt, since the last call. */
  bookTouched(interfaces = Number.POSITIVE_INFINITY): void {
    const before = this.#tunnelled;
    this.#bookAll(interfaces);
    // The first bytes inside a tunnel turn flows that were booked a moment ago into carriers.
    if (this.#tunnelled !== before) this.#bookAll(interfaces);
  }

  /** `bookTouched` for interfaces known so far; flows of others wait until it is known what those are. */
  bookKnown(): void {
    this.bookTouched(this.#roles.length);
  }

  #bookAll(interfaces = Number.POSITIVE_INFINITY): void {
    this.#rows.reserve(this.#flows.capacity);
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (!this.#flows.isLive(row)) continue;
      if (this.#flows.interface(row) < interfaces) this.#book(row);
    }
  }

  /** Books the tick that is about to be closed, and looks for what carries tunnels. */
  closeTick(): void {
    this.bookTouched();
    if (this.#tunnelled && this.#carriers.find(this)) this.#bookAll();
  }

  /** True for a flow of this machine that counts on a wire: it may carry a tunnel. */
  isOuter(row: number): boolean {
    const iface = this.#flows.interface(row);
    if (!this.#wires.includes(iface) || this.#flows.direction(row) === FLOW_DIRECTION.TRANSIT) return false;
    return this.#classOf(row) === CLASS.FULL;
  }

  /** Clears the tick's share of every flow that moved, once the snapshot is made. */
  clearTick(): void {
    this.tickRxSum = 0;
    this.tickTxSum = 0;
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
    const moved = this.#movement(row);
    const iface = flows.interface(row);
    const role = this.#roles[iface] ?? ROLE.COUNTED;
    const was = this.#rows.place(row, APP);
    this.#move(this.interfaces, was === NEVER ? NEVER : iface, iface, this.asItWent(row, moved, this.#overWire));
    const now = this.#decide(row, iface, role, moved);
    const uncounted = this.#setApart(row, was, now, moved);
    if (now === CLASS.ASIDE && uncounted === null) {
      const mayCount = role === ROLE.APART && this.#flows.direction(row) === FLOW_DIRECTION.TRANSIT;
      this.#rows.setPlace(row, APP, mayCount ? ASIDE : ELSEWHERE);
      return;
    }
    if (role === ROLE.TUNNEL && now === CLASS.INNER) this.#tunnelled = true;
    const byApp = uncounted === null ? moved : less(moved, uncounted.byApp, now > CLASS.ASIDE, this.#byApp);
    const app = this.#appEntity(row, role);
    const bookedUnder = this.#rows.bookedCategory(row);
    const category = this.#facts === null ? 0 : this.#facts.categoryOf(row) + 1;
    const isInTotal = now === CLASS.FULL || bookedUnder >= 0;
    if (isInTotal) {
      const byTotal = uncounted === null ? moved : less(moved, uncounted.byTotal, now === CLASS.FULL, this.#byTotal);
      const went = this.asItWent(row, byTotal, this.#overWire);
      this.total.add(0, went);
      this.#move(this.unowned, bookedUnder >= 0 && isUnowned(was) ? 0 : NEVER, isUnowned(app) ? 0 : NEVER, went);
      this.#move(this.categories, bookedUnder, category, went);
    }
    const went = this.asItWent(row, byApp, this.#overWire);
    if (now === CLASS.INNER) {
      this.tunnelled.add(0, went);
      this.tunnelled.add(iface + 1, went);
    }
    // An app's RX and TX are those of its own end. Traffic that nobody here owns has only the interface's.
    const kept = this.#kept.size === 0 ? undefined : this.#kept.get(row);
    const byOwner = kept === undefined ? byApp : less(byApp, kept.own, true, this.#byOwner);
    const overWire = kept === undefined ? went : byOwner;
    const had = kept?.isOwnLeft === true && was !== app ? NEVER : was;
    this.#move(this.apps, had, app, app < OWNERLESS ? overWire : byOwner, had < OWNERLESS ? overWire : byOwner);
    if (kept !== undefined) kept.isOwnLeft = false;
    this.#rows.setPlace(row, APP, app);
    if (flows.isLocal(row)) this.#bookPeer(row, byApp, kept);

    const hadHost = this.#rows.place(row, HOST);
    const host = this.hostEntity(row, hadHost);
    this.#move(this.hosts, hadHost, host, went);
    if (this.branches !== null) this.#bookBranches(this.branches, row, app, host, byApp);
    if (hadHost !== host || this.#rows.hostCategory(row) !== category) this.#observer.hostChanged(host, row);
    this.#rows.setPlace(row, HOST, host);
    this.#rows.setCategories(row, category, isInTotal ? category : NEVER);
  }

  /** CLASS of what a flow moved now. If nothing moved it stays, unless the flow turned out not to be in transit. */
  #decide(row: number, iface: number, role: number, moved: Movement): number {
    const last = this.#classOf(row);
    if (last >= 0 && moved.rx + moved.tx + moved.rxp + moved.txp === 0 && this.#rows.place(row, APP) !== ASIDE) return last;
    if (role === ROLE.REPEATS) return CLASS.ASIDE;
    if (role === ROLE.APART && this.#flows.direction(row) === FLOW_DIRECTION.TRANSIT) return CLASS.ASIDE;
    const below = this.#below[iface] ?? NOTHING_BELOW;
    if (below.length > 0 && this.#hasTwin(row, below)) return CLASS.ASIDE;
    return role === ROLE.TUNNEL ? CLASS.INNER : CLASS.FULL;
  }

  /**
   * True for a flow that also crosses one of the interfaces below. What a bridge, a VLAN or a bond sends leaves by a card; PPPoE's packets
   * leave in frames that decode to the same flow; and macOS returns multicast that this machine sends over lo0.
   */
  #hasTwin(row: number, below: readonly number[]): boolean {
    const flows = this.#flows;
    const { words } = flows;
    if (scopeOf(words, flows.remoteAt(row)) === 'loopback') return false;
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    for (let i = 0; i < 4; i++) {
      this.#ends[i] = words[local + i] as number;
      this.#ends[4 + i] = words[remote + i] as number;
    }
    const seen = flows.lastSeen(row) - TWIN_LAG_MS;
    for (const iface of below) {
      const twin = flows.lookup(this.#ends, flows.localPort(row), flows.remotePort(row), flows.protocol(row), iface);
      if (twin >= 0 && flows.lastSeen(twin) >= seen) return true;
    }
    return false;
  }

  /** Keeps, from the moment a flow's CLASS changes, which part of it doesn't count. @returns null while all of it counts alike */
  #setApart(row: number, was: number, now: number, moved: Movement): Uncounted | null {
    const last = this.#classOf(row);
    let uncounted = this.#uncounted.size === 0 ? undefined : this.#uncounted.get(row);
    if (uncounted === undefined) {
      if (last === NEVER || last === now) return null;
      if (was === ASIDE && this.#flows.direction(row) !== FLOW_DIRECTION.TRANSIT) {
        // Only now it is known that it never was in transit: all that it moved counts with what it moved last.
        moved.rx = moved.rxTotal;
        moved.tx = moved.txTotal;
        moved.rxp = moved.rxpTotal;
        moved.txp = moved.txpTotal;
        return null;
      }
      const before = [moved.rxTotal - moved.rx, moved.txTotal - moved.tx, moved.rxpTotal - moved.rxp, moved.txpTotal - moved.txp];
      const [rx = 0, tx = 0, rxp = 0, txp = 0] = before;
      uncounted = {
        class: now,
        byApp: last === CLASS.ASIDE ? [rx, tx, rxp, txp] : [0, 0, 0, 0],
        byTotal: last === CLASS.FULL ? [0, 0, 0, 0] : [rx, tx, rxp, txp],
      };
      this.#uncounted.set(row, uncounted);
    }
    uncounted.class = now;
    if (now === CLASS.ASIDE) addTo(uncounted.byApp, moved);
    if (now !== CLASS.FULL) addTo(uncounted.byTotal, moved);
    return uncounted;
  }

  /** A movement as its frames crossed the interface. @param into takes it, unless it is the movement itself */
  asItWent(row: number, m: Movement, into: Movement): Movement {
    if (this.#flows.isPassing(row)) return received(m, into);
    return this.#flows.isReversed(row) ? turned(m, into) : m;
  }

  /** What the flow moved since it was last booked, and in all; marks it as booked. */
  #movement(row: number): Movement {
    const flows = this.#flows;
    const b = this.#rows.doubles;
    const from = row * DOUBLES;
    const moved = this.#moved;
    moved.rxTotal = flows.rxBytes(row);
    moved.txTotal = flows.txBytes(row);
    moved.rxpTotal = flows.rxPackets(row);
    moved.txpTotal = flows.txPackets(row);
    moved.first = flows.firstSeen(row);
    moved.last = flows.lastSeen(row);
    moved.row = row;
    moved.way = WAY.OWN;
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
    this.tickRxSum += moved.rx;
    this.tickTxSum += moved.tx;
    return moved;
  }

  /** Books a movement below its apps. @param byApp what counts for its app and host */
  #bookBranches(branches: Branches, row: number, app: number, host: number, byApp: Movement): void {
    const before = branches.before(row);
    const m = before === undefined ? byApp : less(byApp, before, true, this.#byOwner);
    // As for apps: of traffic without one, only what crossed the interface is known.
    const went = before === undefined ? this.asItWent(row, m, this.#overWire) : m;
    const peer = this.#flows.isLocal(row) ? this.#rows.place(row, PEER) : NO_PEER;
    const pid = this.pidOf(this.#flows.owner(row));
    const own = branches.claim(row, SIDE.OWN, app, pid, host, peer, this.#flows.owner(row));
    const had = branches.from;
    const hadApp = had < 0 ? app : branches.word(had, KEY.APP);
    this.#move(branches.sums, had, own, app < OWNERLESS ? went : m, hadApp < OWNERLESS ? went : m);
    const peerPid = peer < 0 ? NO_PID : this.pidOf(this.#flows.peer(row));
    if (peer >= 0) {
      const far = branches.claim(row, SIDE.FAR, peer, peerPid, HERE, peerOf(app), this.#flows.peer(row));
      this.#move(branches.sums, branches.from, far, turned(m, this.#swapped));
    }
    if (before !== undefined) branches.follow(row, app, pid, host, peer, peerPid);
  }

  /** Number of a process, NO_PID for none. */
  pidOf(process: number): number {
    return process === NO_OWNER ? NO_PID : (this.#directory.process(process)?.pid ?? NO_PID);
  }

  /** Books a movement under `now`. If the flow was under another entity before, everything booked there comes along. */
  #move(accumulators: Accumulators, was: number, now: number, m: Movement, asBooked: Movement = m): void {
    if (was === now) {
      if (now >= 0) accumulators.add(now, m);
      return;
    }
    if (was >= 0) accumulators.leave(was, asBooked);
    if (now >= 0) accumulators.enter(now, m);
  }

  /** Books the far end of a local flow, which received what the other sent, once its owner is known. */
  #bookPeer(row: number, byApp: Movement, kept: Kept | undefined): void {
    const process = this.#flows.peer(row);
    if (process === NO_OWNER) return;
    const app = this.#appOf(process);
    const was = this.#rows.place(row, PEER);
    const byOwner = kept === undefined ? byApp : less(byApp, kept.peer, true, this.#byOwner);
    this.#move(this.apps, kept?.isPeerLeft === true && was !== app ? NEVER : was, app, turned(byOwner, this.#swapped));
    if (kept !== undefined) kept.isPeerLeft = false;
    this.#rows.setPlace(row, PEER, app);
  }

  #appEntity(row: number, role: number): number {
    const isOwn = this.#flows.direction(row) !== FLOW_DIRECTION.TRANSIT;
    if (role === ROLE.COUNTED && this.#tunnelled && isOwn && this.#carriers.carries(row)) return CARRIER;
    const process = this.#flows.owner(row);
    return process === NO_OWNER ? this.#flows.reasonIndex(row) : this.#appOf(process);
  }

  /** Host entity of a flow. Its address never changes, and neither does its entity while it has no name. */
  hostEntity(row: number, known: number): number {
    const name = this.#facts === null ? -1 : this.#facts.nameOf(row);
    if (name >= 0) return this.hostTable.named(name);
    if (known === OTHER_HOSTS || (known > 0 && this.hostTable.nameOf(known) < 0)) return known;
    return this.hostTable.intern(this.#flows.words, this.#flows.remoteAt(row));
  }

  #appOf(process: number): number {
    return (this.#directory.process(process)?.app ?? -OWNERLESS) + OWNERLESS;
  }
}

/** Why an app entity below OWNERLESS has no app. */
export function ownerlessReason(entity: number): string {
  return entity === CARRIER ? CARRIED : (OWNER_REASONS[entity] ?? 'unknown');
}

function roleOf({ isCounted, kind, repeats }: TickInterface): number {
  return isCounted ? ROLE.COUNTED : kind === 'tunnel' ? ROLE.TUNNEL : repeats ? ROLE.REPEATS : ROLE.APART;
}

function addTo(sums: [number, number, number, number], { rx, tx, rxp, txp }: Movement): void {
  sums[0] += rx;
  sums[1] += tx;
  sums[2] += rxp;
  sums[3] += txp;
}

/** True for an app entity that stands for flows whose owner nobody could name. What the kernel sends or forwards is explained, not unowned. */
export function isUnowned(entity: number): boolean {
  return entity >= 0 && entity < CARRIER && !EXPLAINED.includes(entity);
}
