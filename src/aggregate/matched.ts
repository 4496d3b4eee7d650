// Totals of what a filter matches. When a flow matches, everything that it ever moved is booked; when it no longer matches or leaves, it stays
// booked. So a total never falls, and a flow that matches late counts in full. Only what it moved under a former owner counts by what matched
// at that time.

import type { Filter } from '../filter/filter.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { Average } from '../model/options.ts';
import type { Snapshot, Traffic } from '../model/snapshot.ts';
import type { FlowFacts, ProcessDirectory } from '../model/terms.ts';
import { widened } from '../net/bytes.ts';
import { Accumulators, COLUMN, less, type Movement, movement, OWNERLESS, turned } from './accumulators.ts';
import { type Booking, CARRIER, isUnowned } from './booking.ts';
import { type Branches, HERE, KEY, NO_PEER, NO_PID, peerOf, SIDE } from './branches.ts';
import type { EventLog } from './event-log.ts';
import { FlowSubject } from './flow-subject.ts';
import { BranchRows } from './rows/branch-rows.ts';
import { AppRows, lessMeans, sumTraffic, trafficOf } from './rows/entity-rows.ts';
import type { HostRows } from './rows/host-rows.ts';

/**
 * `doubles`, 16 a row; four are RX, TX, RX packets, TX packets:
 *
 *     0..3 moved before the count began, left out | 4..7 booked to its interface | 8..11 booked elsewhere
 *     12 RX of the tick that is being closed | 13 its TX
 *
 * `places`, 6 ints a row, inverted: a row that was never written reads as NEVER:
 *
 *     app | peer | host | category | interface | 1 if it matches
 */
const DOUBLES = 16;
const AT_INTERFACE = 4;
const ELSEWHERE = 8;
const TICK = 12;
const PLACES = 6;
const APP = 0;
const PEER = 1;
const HOST = 2;
const CATEGORY = 3;
const INTERFACE = 4;
const MATCHES = 5;
const NEVER = -1;

/** What a flow moved under former owners: RX, TX, RX packets, TX packets each, as its own end sees them. */
interface Former {
  /** Didn't match then, and is left out for good: of what moved on the interface, and of what counts elsewhere. */
  readonly atInterface: Float64Array;
  readonly elsewhere: Float64Array;
  /** Booked, and stays with the former owners of the own end, and of the far end. */
  readonly own: Float64Array;
  readonly peer: Float64Array;
  /** The end got another owner and wasn't booked since. The former owner keeps the flow in its count, too. */
  isOwnLeft: boolean;
  isPeerLeft: boolean;
}

/** The books of one filter. */
class Books {
  readonly apps = new Accumulators();
  readonly hosts = new Accumulators();
  readonly categories = new Accumulators();
  readonly interfaces = new Accumulators();
  /** Entity 0 is everything, each flow once. */
  readonly all = new Accumulators();
  /** Entity 0 is what moved inside tunnels; `all` may have it again in their carriers. */
  readonly tunnelled = new Accumulators();
  readonly unowned = new Accumulators();
  /** What is below apps and hosts; null if that isn't kept. */
  readonly branches: Branches | null;
  readonly appRows: AppRows;
  readonly hostRows: HostRows;
  readonly branchRows: BranchRows | null;
  doubles: Float64Array;
  places: Int32Array;
  /** By row; only of flows whose owner changed. */
  readonly former = new Map<number, Former>();
  /** The total as the last snapshot showed it. */
  total: Traffic = sumTraffic([]);

  readonly filter: Filter;
  /** See Matching. */
  readonly from: number | null;
  readonly average: Average | null;
  readonly isComplete: boolean;

  constructor(
    filter: Filter,
    from: number | null,
    average: Average | null,
    isComplete: boolean,
    directory: ProcessDirectory,
    booking: Booking,
    hostRows: HostRows,
    rows: number,
  ) {
    this.filter = filter;
    this.from = from;
    this.average = average;
    this.isComplete = isComplete;
    this.appRows = new AppRows(this.apps, directory, booking.apps);
    this.hostRows = hostRows.of(this.hosts);
    this.branches = booking.branches === null ? null : booking.newBranches(from);
    this.branchRows = this.branches === null ? null : new BranchRows(this.branches, directory, booking, hostRows);
    this.doubles = new Float64Array(rows * DOUBLES);
    this.places = new Int32Array(rows * PLACES);
    if (booking.means !== null) for (const sums of this.withMeans()) sums.keepMeans(booking.means);
  }

  withMeans(): readonly Accumulators[] {
    const branches = this.branches === null ? [] : [this.branches.sums];
    return [this.apps, this.hosts, this.categories, this.interfaces, this.all, this.tunnelled, ...branches];
  }
}

/** The snapshot from which a filter counts that is set in the middle of a run. */
export type CountFrom = Pick<Snapshot, 'time' | 'flows'>;

/** Books what matches the filter; costs nothing without one. */
export class Matched {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #hostRows: HostRows;
  readonly #subject: FlowSubject;
  readonly #before = movement();
  readonly #after = movement();
  readonly #wireBefore = movement();
  readonly #wireAfter = movement();
  readonly #ownBefore = movement();
  readonly #ownAfter = movement();
  readonly #now = new Float64Array(4);
  #books: Books | null = null;
  /** The filter is new: every flow must be checked. */
  #isNew = false;
  #completeSince: number | null = null;
  #time = 0;

  constructor(
    flows: FlowTable,
    booking: Booking,
    directory: ProcessDirectory,
    facts: FlowFacts | null,
    hostRows: HostRows,
    interfaceName: (index: number) => string,
    events: Pick<EventLog, 'isNew'> | null = null,
  ) {
    this.#hostRows = hostRows;
    this.#flows = flows;
    this.#booking = booking;
    this.#directory = directory;
    this.#facts = facts;
    this.#subject = new FlowSubject(flows, booking, directory, facts, interfaceName, events);
  }

  /** Null without a filter. */
  get books(): Books | null {
    return this.#books;
  }

  /** Time from which nothing is missing, epoch ms; null if nothing is. */
  get completeSince(): number | null {
    return this.#completeSince;
  }

  /**
   * Begins with another filter. It counts what flows move from now on, and what those still in the table moved before.
   *
   * @param filter null for none
   * @param from counts only what moved since this snapshot; null counts from the start
   * @param isNow nothing moved since `from`
   * @param average seconds over which the filter's rates are means; null for those of the interval
   * @param machine name that the filter may ask for; null if there is only this machine
   */
  begin(filter: Filter | null, from: CountFrom | null, isNow: boolean, average: Average | null, machine: string | null): void {
    this.#subject.average = average;
    this.#subject.machine = machine;
    if (filter === null) {
      this.#books = null;
      return;
    }
    const flows = this.#flows;
    const hasAll = flows.created - flows.voided === flows.count && !this.#booking.hasFormerOwners;
    const isComplete = hasAll || (from !== null && isNow);
    const parts = [this.#directory, this.#booking, this.#hostRows, flows.capacity] as const;
    this.#books = new Books(filter, from?.time ?? null, average, isComplete, ...parts);
    this.#completeSince = null;
    this.#isNew = true;
    if (from !== null) this.#leaveOut(from, this.#books);
    this.#leaveOutFormer(this.#books);
  }

  /** True for a flow that matches now; without a filter, for all. */
  passes(row: number): boolean {
    const filter = this.#books?.filter;
    if (filter === undefined) return true;
    this.#subject.row = row;
    return filter.matches(this.#subject, Math.max(this.#time, this.#flows.lastSeen(row)));
  }

  /** True for a flow that matched when the last tick was closed. */
  readonly matches = (row: number): boolean => this.#books !== null && this.#place(this.#books, row, MATCHES) === 1;

  /** Books a flow for the last time, while the booking still knows where it was. */
  flowLeaves(row: number): void {
    const books = this.#books;
    if (books === null) return;
    this.#check(books, row);
    books.doubles.fill(0, row * DOUBLES, (row + 1) * DOUBLES);
    books.places.fill(0, row * PLACES, (row + 1) * PLACES);
    books.former.delete(row);
    books.branches?.flowLeaves(row);
  }

  /** Before an end of the flow gets another owner: books what it moved so far, or leaves it out for good if it doesn't match. */
  ownerLeaves(row: number, isPeer: boolean): void {
    const books = this.#books;
    if (books === null) return;
    this.#check(books, row);
    const former = books.former.get(row) ?? nothingFormer();
    books.former.set(row, former);
    const at = row * DOUBLES;
    const { doubles } = books;
    if (!this.matches(row)) {
      this.#flows.readTraffic(row, former.atInterface);
      this.#booking.counted(row, former.elsewhere);
      for (let i = 0; i < 4; i++) {
        const leftOut = doubles[at + i] as number;
        former.atInterface[i] = Math.max(
          0,
          (former.atInterface[i] as number) - leftOut - (doubles[at + AT_INTERFACE + i] as number),
        );
        former.elsewhere[i] = Math.max(0, (former.elsewhere[i] as number) - leftOut - (doubles[at + ELSEWHERE + i] as number));
      }
      doubles[at + TICK] = this.#booking.tickRx(row);
      doubles[at + TICK + 1] = this.#booking.tickTx(row);
      this.#setPlace(books, row, isPeer ? PEER : APP, NEVER);
    } else if (isPeer) former.isPeerLeft = true;
    else former.isOwnLeft = true;
    const kept = isPeer ? former.peer : former.own;
    for (let i = 0; i < 4; i++) kept[i] = doubles[at + ELSEWHERE + i] as number;
    books.branches?.ownerLeaves(row, isPeer, kept);
  }

  /** Books the tick that is being closed, after the booking has. */
  close(time: number, intervalMs: number): void {
    this.#time = time;
    this.#subject.intervalMs = intervalMs;
    const books = this.#books;
    if (books === null) return;
    const flows = this.#flows;
    if (this.#isNew || books.filter.isVolatile) {
      for (let row = 0; row < flows.rows; row++) if (flows.isLive(row)) this.#check(books, row);
    } else
      for (let i = 0; i < flows.touchedCount; i++) {
        const row = flows.touched[i] as number;
        if (flows.isLive(row)) this.#check(books, row);
      }
    if (this.#isNew && !books.isComplete) this.#completeSince = time;
    this.#isNew = false;
    for (const accumulators of [books.apps, books.hosts, books.categories]) accumulators.closeTick(intervalMs);
  }

  /** Adds the tick that is being closed to the means. */
  closeMeans(): void {
    for (const sums of this.#books?.withMeans() ?? []) sums.closeMeans();
  }

  /** Totals after `close`. */
  total(intervalMs: number): Traffic {
    const books = this.#books as Books;
    const all = trafficOf(books.all, 0, intervalMs);
    const twice = least(trafficOf(books.tunnelled, 0, intervalMs), trafficOf(books.apps, CARRIER, intervalMs));
    // A flow may turn out to carry a tunnel after it was shown as traffic of its own. What was shown stays.
    const shown = books.total;
    books.total = {
      rxBytes: Math.max(shown.rxBytes, all.rxBytes - twice.rxBytes),
      txBytes: Math.max(shown.txBytes, all.txBytes - twice.txBytes),
      rxPackets: Math.max(shown.rxPackets, all.rxPackets - twice.rxPackets),
      txPackets: Math.max(shown.txPackets, all.txPackets - twice.txPackets),
      rxRate: all.rxRate - twice.rxRate,
      txRate: all.txRate - twice.txRate,
      means: lessMeans(all.means, twice.means),
    };
    return books.total;
  }

  get unownedBytes(): number {
    const { unowned } = this.#books as Books;
    return unowned.get(0, COLUMN.RX) + unowned.get(0, COLUMN.TX);
  }

  /** Begins the next tick. */
  beginTick(): void {
    const books = this.#books;
    if (books === null) return;
    const { apps, hosts, categories, interfaces, all, tunnelled, unowned, doubles } = books;
    for (const accumulators of [apps, hosts, categories, interfaces, all, tunnelled, unowned]) accumulators.beginTick();
    books.branches?.beginTick();
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++)
      doubles.fill(0, (touched[i] as number) * DOUBLES + TICK, (touched[i] as number) * DOUBLES + DOUBLES);
  }

  /** Adds the entities under which a flow is booked: they must not be evicted. */
  addPlaces(row: number, apps: Set<number> | null, hosts: Set<number> | null): void {
    const books = this.#books;
    if (books === null) return;
    apps?.add(this.#place(books, row, APP)).add(this.#place(books, row, PEER));
    hosts?.add(this.#place(books, row, HOST));
  }

  /** Evicts entities: what they had goes to `into`. */
  release(kind: 'apps' | 'hosts', entities: readonly number[], into: number): void {
    const books = this.#books;
    if (books === null) return;
    for (const entity of entities) books[kind].release(entity, into);
    (kind === 'apps' ? books.appRows : books.hostRows).forget(entities);
    books.branches?.forget(kind, entities);
  }

  #place(books: Books, row: number, column: number): number {
    return ~(books.places[row * PLACES + column] ?? 0);
  }

  #setPlace(books: Books, row: number, column: number, value: number): void {
    books.places[row * PLACES + column] = ~value;
  }

  #check(books: Books, row: number): void {
    if ((row + 1) * DOUBLES > books.doubles.length) this.#grow(books);
    const isMatch = this.passes(row);
    this.#setPlace(books, row, MATCHES, isMatch ? 1 : 0);
    if (isMatch) this.#book(books, row);
  }

  #book(books: Books, row: number): void {
    const booking = this.#booking;
    const flows = this.#flows;
    const { doubles } = books;
    const before = this.#before;
    const after = this.#after;
    const at = row * DOUBLES;
    after.row = before.row = row;
    after.first = before.first = flows.firstSeen(row);
    after.last = before.last = flows.lastSeen(row);
    after.flows = before.flows = books.from !== null && flows.firstSeen(row) <= books.from ? 0 : 1;
    after.rx = booking.tickRx(row) - (doubles[at + TICK] as number);
    after.tx = booking.tickTx(row) - (doubles[at + TICK + 1] as number);
    doubles[at + TICK] = (doubles[at + TICK] as number) + after.rx;
    doubles[at + TICK + 1] = (doubles[at + TICK + 1] as number) + after.tx;

    const former = books.former.size === 0 ? undefined : books.former.get(row);
    const now = this.#now;
    flows.readTraffic(row, now);
    this.#take(books, row, AT_INTERFACE, now, former?.atInterface);
    let wasWire = booking.asItWent(row, before, this.#wireBefore);
    let wire = booking.asItWent(row, after, this.#wireAfter);
    const iface = flows.interface(row);
    put(books.interfaces, this.#place(books, row, INTERFACE), iface, wasWire, wire);
    this.#setPlace(books, row, INTERFACE, iface);

    // A filter that names an interface asks for what moved there, even if another interface counts it.
    const { namesInterface } = books.filter;
    if (booking.appOf(row) < 0 && !namesInterface) return;
    if (!namesInterface) {
      booking.counted(row, now);
      if (!booking.counts(row)) {
        after.rx = after.tx = 0;
        after.row = before.row = -1;
      }
    }
    this.#take(books, row, ELSEWHERE, now, former?.elsewhere);
    wasWire = booking.asItWent(row, before, this.#wireBefore);
    wire = booking.asItWent(row, after, this.#wireAfter);
    const hadHost = this.#place(books, row, HOST);
    put(books.all, hadHost < 0 ? NEVER : 0, 0, wasWire, wire);
    if (booking.isTunnelled(row)) put(books.tunnelled, hadHost < 0 ? NEVER : 0, 0, wasWire, wire);
    const was = this.#place(books, row, APP);
    const app = booking.appEntity(row);
    put(books.unowned, isUnowned(was) ? 0 : NEVER, isUnowned(app) ? 0 : NEVER, wasWire, wire);
    if (former === undefined) put(books.apps, was, app, was < OWNERLESS ? wasWire : before, app < OWNERLESS ? wire : after);
    else {
      const had = former.isOwnLeft && was !== app ? NEVER : was;
      put(books.apps, had, app, less(before, former.own, true, this.#ownBefore), less(after, former.own, true, this.#ownAfter));
      former.isOwnLeft = false;
    }
    this.#setPlace(books, row, APP, app);
    const host = booking.hostEntity(row, booking.hostOf(row));
    put(books.hosts, hadHost, host, wasWire, wire);
    this.#setPlace(books, row, HOST, host);
    const hadCategory = this.#place(books, row, CATEGORY);
    const category = this.#facts === null ? 0 : this.#facts.categoryOf(row) + 1;
    put(books.categories, hadCategory, category, wasWire, wire);
    this.#setPlace(books, row, CATEGORY, category);
    if (books.branches !== null) this.#bookBranches(books.branches, row, app, host);
    if (!flows.isLocal(row) || booking.peerOf(row) < 0) return;
    const peer = booking.peerOf(row);
    const hadPeer = this.#place(books, row, PEER);
    const farBefore = former === undefined ? before : less(before, former.peer, true, this.#ownBefore);
    const farAfter = former === undefined ? after : less(after, former.peer, true, this.#ownAfter);
    const had = former?.isPeerLeft === true && hadPeer !== peer ? NEVER : hadPeer;
    put(books.apps, had, peer, turned(farBefore, this.#wireBefore), turned(farAfter, this.#wireAfter));
    if (former !== undefined) former.isPeerLeft = false;
    this.#setPlace(books, row, PEER, peer);
  }

  /** Books a flow below its apps, as it stands in `before` and `after`. */
  #bookBranches(branches: Branches, row: number, app: number, host: number): void {
    const booking = this.#booking;
    const flows = this.#flows;
    const split = branches.before(row);
    const before = split === undefined ? this.#before : less(this.#before, split, true, this.#ownBefore);
    const after = split === undefined ? this.#after : less(this.#after, split, true, this.#ownAfter);
    const wasWire = split === undefined ? booking.asItWent(row, before, this.#wireBefore) : before;
    const wire = split === undefined ? booking.asItWent(row, after, this.#wireAfter) : after;
    const peer = flows.isLocal(row) ? booking.peerOf(row) : NO_PEER;
    const pid = booking.pidOf(flows.owner(row));
    const now = branches.claim(row, SIDE.OWN, app, pid, host, peer, flows.owner(row));
    const was = branches.from;
    const wasApp = was < 0 ? app : branches.word(was, KEY.APP);
    put(branches.sums, was, now, wasApp < OWNERLESS ? wasWire : before, app < OWNERLESS ? wire : after);
    const peerPid = peer < 0 ? NO_PID : booking.pidOf(flows.peer(row));
    if (peer >= 0) {
      const far = branches.claim(row, SIDE.FAR, peer, peerPid, HERE, peerOf(app), flows.peer(row));
      put(branches.sums, branches.from, far, turned(before, this.#wireBefore), turned(after, this.#wireAfter));
    }
    if (split !== undefined) branches.follow(row, app, pid, host, peer, peerPid);
  }

  /**
   * Fills `before` with what was booked of a flow, and `after` with what now is.
   *
   * @param all RX, TX, RX packets, TX packets
   * @param unmatched the part of it that moved under former owners and didn't match
   */
  #take(books: Books, row: number, column: number, all: Float64Array, unmatched?: Float64Array): void {
    const { doubles } = books;
    const at = row * DOUBLES;
    this.#booked(books, at + column);
    // What was left out may be more than what counts.
    for (let i = 0; i < 4; i++) {
      const leftOut = (doubles[at + i] as number) + (unmatched?.[i] ?? 0);
      doubles[at + column + i] = Math.max(0, (all[i] as number) - leftOut);
    }
    const after = this.#after;
    after.rxTotal = doubles[at + column] as number;
    after.txTotal = doubles[at + column + 1] as number;
    after.rxpTotal = doubles[at + column + 2] as number;
    after.txpTotal = doubles[at + column + 3] as number;
  }

  /** Fills `before` with what was booked of the flow. */
  #booked(books: Books, at: number): void {
    const before = this.#before;
    before.rxTotal = books.doubles[at] as number;
    before.txTotal = books.doubles[at + 1] as number;
    before.rxpTotal = books.doubles[at + 2] as number;
    before.txpTotal = books.doubles[at + 3] as number;
  }

  /** Leaves out what flows had moved by a snapshot. Of an older flow that isn't in it, this is unknown: everything is left out. */
  #leaveOut({ time, flows: rows }: CountFrom, books: Books): void {
    const flows = this.#flows;
    const known = new Map(rows.map((row) => [Number(row.id), row]));
    for (let row = 0; row < flows.rows; row++) {
      if (!flows.isLive(row)) continue;
      const then = known.get(flows.serial(row));
      if (then !== undefined) books.doubles.set([then.rxBytes, then.txBytes, then.rxPackets, then.txPackets], row * DOUBLES);
      else if (flows.firstSeen(row) <= time) flows.readTraffic(row, books.doubles, row * DOUBLES);
    }
  }

  /** Leaves out what flows moved under former owners: which those were is forgotten, so nobody knows whether it matched. */
  #leaveOutFormer(books: Books): void {
    this.#booking.eachKept((row, own, peer) => {
      const former = nothingFormer();
      for (let i = 0; i < 4; i++) {
        const moved = Math.max(own[i] as number, peer[i] as number) - (books.doubles[row * DOUBLES + i] as number);
        former.atInterface[i] = former.elsewhere[i] = Math.max(0, moved);
      }
      books.former.set(row, former);
    });
  }

  #grow(books: Books): void {
    const rows = this.#flows.capacity;
    books.doubles = widened(books.doubles, rows * DOUBLES);
    books.places = widened(books.places, rows * PLACES);
  }
}

function nothingFormer(): Former {
  const four = () => new Float64Array(4);
  return { atInterface: four(), elsewhere: four(), own: four(), peer: four(), isOwnLeft: false, isPeerLeft: false };
}

/** Books a flow as it stands, in place of what was booked before. */
function put(accumulators: Accumulators, was: number, now: number, before: Movement, after: Movement): void {
  if (was === now && after.rxTotal - before.rxTotal === after.rx && after.txTotal - before.txTotal === after.tx) {
    after.rxp = after.rxpTotal - before.rxpTotal;
    after.txp = after.txpTotal - before.txpTotal;
    if (now >= 0) accumulators.add(now, after);
    return;
  }
  if (was >= 0) accumulators.leave(was, before);
  if (now >= 0) accumulators.enter(now, after);
}

/** The smaller of two, column by column. */
function least(a: Traffic, b: Traffic): Traffic {
  return {
    rxBytes: Math.min(a.rxBytes, b.rxBytes),
    txBytes: Math.min(a.txBytes, b.txBytes),
    rxPackets: Math.min(a.rxPackets, b.rxPackets),
    txPackets: Math.min(a.txPackets, b.txPackets),
    rxRate: Math.min(a.rxRate, b.rxRate),
    txRate: Math.min(a.txRate, b.txRate),
    means: a.means.map((mean, i) => Math.min(mean, b.means[i] ?? mean)),
  };
}
