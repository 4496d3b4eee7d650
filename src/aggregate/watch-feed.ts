// Shows the watch what is new: at each tick it goes over the flows that moved, and tells of each flow once, and of each app, host, direction
// and port once. It judges nothing. No texts are made here, and a flow costs a few numbers.

import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { type FlowFacts, NOWHERE, type ProcessDirectory } from '../model/terms.ts';
import type { Watcher, WatchFlow } from '../model/watch.ts';
import { areNeighbours, scopeOf } from '../net/address.ts';
import { widened } from '../net/bytes.ts';
import { hasPorts, PROTOCOL } from '../net/numbers.ts';
import { OWNERLESS } from './accumulators.ts';
import { isAnswered } from './answered.ts';
import type { Booking } from './booking.ts';
import { FlowSubject } from './flow-subject.ts';

const { INBOUND, TRANSIT, LOCAL } = FLOW_DIRECTION;
const DNS_PORT = 53;

/** What a feed reads. */
interface FeedParts {
  readonly flows: FlowTable;
  readonly booking: Booking;
  readonly directory: ProcessDirectory;
  readonly facts: FlowFacts | null;
  readonly interfaceName: (index: number) => string;
  readonly watcher: Watcher;
}

/** The flow at `row`, read from the tables as it is asked. */
class WatchedFlow extends FlowSubject implements WatchFlow {
  movedRx = 0;
  movedTx = 0;
  readonly #parts: FeedParts;

  constructor(parts: FeedParts) {
    super(parts.flows, parts.booking, parts.directory, parts.facts, parts.interfaceName, null);
    this.#parts = parts;
  }

  get network(): string | null {
    const { facts } = this.#parts;
    return (facts?.placeOf(this.flows.words, this.flows.remoteAt(this.row)) ?? NOWHERE).network;
  }

  get nameReason(): string | null {
    return this.#parts.facts?.nameReason(this.row) ?? null;
  }

  get isWhole(): boolean {
    return this.flows.protocol(this.row) !== PROTOCOL.TCP || this.flows.sawHandshake(this.row);
  }

  get isOutside(): boolean {
    const { flows, row } = this;
    const { words } = flows;
    const remote = flows.remoteAt(row);
    if (flows.direction(row) >= LOCAL || scopeOf(words, remote) !== 'global') return false;
    return !areNeighbours(words, remote, flows.localAt(row));
  }

  get isAnswered(): boolean {
    return isAnswered(this.flows, this.row);
  }

  get appNumber(): number {
    return this.#parts.booking.appOf(this.row);
  }

  get hostNumber(): number {
    return this.#parts.booking.hostOf(this.row);
  }
}

/** Goes over the flows of each tick. Local and forwarded flows are left out: neither has a remote end that an app here reached. */
export class WatchFeed {
  readonly #parts: FeedParts;
  readonly #flow: WatchedFlow;
  readonly #met = new MetTable();
  /** By row: serial of the flow that was told, negative while nobody answered it, 0 for none; and the app and host under which it was told. */
  #told = new Float64Array(0);
  #apps = new Int32Array(0);
  #hosts = new Int32Array(0);
  /** By row: RX and TX that were told. */
  #moves = new Float64Array(0);
  readonly #traffic = new Float64Array(4);
  /** By app: bytes sent in this tick; and the apps that sent any. */
  #sent = new Float64Array(256);
  readonly #senders: number[] = [];

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#flow = new WatchedFlow(parts);
  }

  /** Begins a tick. */
  begin(intervalMs: number): void {
    this.#flow.intervalMs = intervalMs;
    this.#reserve();
  }

  /** Tells what is new of a flow that moved, once it is booked. */
  flowMoved(row: number): void {
    const { flows, watcher } = this.#parts;
    this.#see(row, false);
    if (watcher.wantsMoved && !flows.awaitsOwner(row)) this.#moved(row);
  }

  /** Tells of a flow that leaves, unless that was done. Call it while its row can still be read, and is booked. */
  flowLeaves(row: number): void {
    this.#reserve();
    this.#see(row, true);
    if (this.#parts.watcher.wantsMoved) this.#moved(row);
    if (this.#told[row] !== 0) {
      this.#flow.row = row;
      this.#parts.watcher.left(this.#flow);
    }
    this.#told[row] = 0;
    this.#moves.fill(0, row * 2, row * 2 + 2);
  }

  /** @param isLast tells of it even if its owner may still be found */
  #see(row: number, isLast: boolean): void {
    const { flows, booking, watcher } = this.#parts;
    const direction = flows.direction(row);
    if (direction >= LOCAL || !booking.counts(row)) return;
    const app = booking.appOf(row);
    const serial = flows.serial(row);
    const told = this.#told[row] as number;
    const isKnown = told === serial || told === -serial;
    if (!isKnown && !isLast && flows.awaitsOwner(row)) return;
    if (app >= OWNERLESS) {
      // What a flow sent before its owner was known counts with it.
      const isOwned = isKnown && (this.#apps[row] as number) >= OWNERLESS;
      this.#send(app, isOwned ? booking.tickTx(row) : flows.txBytes(row));
    }
    const host = booking.hostOf(row);
    const isSame = isKnown && this.#apps[row] === app && this.#hosts[row] === host;
    this.#flow.row = row;
    if (!isSame || told < 0) {
      const isAnswered = this.#flow.isAnswered;
      const [formerApp, formerHost] = [this.#apps[row] as number, this.#hosts[row] as number];
      this.#apps[row] = app;
      this.#hosts[row] = host;
      this.#told[row] = isAnswered ? serial : -serial;
      if ((!isSame || isAnswered) && this.#isFirst(row, app, host, direction, isAnswered)) watcher.met(this.#flow);
      if (!isKnown) watcher.began(this.#flow);
      else if (!isSame) watcher.renamed(this.#flow, formerApp, formerHost);
      if (isKnown && told < 0 && isAnswered) watcher.answered(this.#flow);
    }
    if (flows.remotePort(row) === DNS_PORT && hasPorts(flows.protocol(row))) watcher.asked(this.#flow);
  }

  /** What a flow moved before its owner was known is told with it, as totals of apps count it. */
  #moved(row: number): void {
    const { flows, booking, watcher } = this.#parts;
    if (flows.direction(row) === TRANSIT || !booking.counts(row)) return;
    booking.counted(row, this.#traffic);
    const [rx, tx] = [this.#traffic[0] as number, this.#traffic[1] as number];
    this.#flow.row = row;
    this.#flow.movedRx = rx - (this.#moves[row * 2] as number);
    this.#flow.movedTx = tx - (this.#moves[row * 2 + 1] as number);
    this.#moves[row * 2] = rx;
    this.#moves[row * 2 + 1] = tx;
    watcher.moved(this.#flow);
  }

  /** A remote end that was let in is another matter than one that was refused; both are met. */
  #isFirst(row: number, app: number, host: number, direction: number, isAnswered: boolean): boolean {
    const { flows, booking } = this.#parts;
    const protocol = flows.protocol(row);
    const port = hasPorts(protocol) ? (direction === INBOUND ? flows.localPort(row) : flows.remotePort(row)) : 0;
    const isLetIn = direction === INBOUND && isAnswered ? 1 : 0;
    const what = (isLetIn << 29) | (direction << 28) | (protocol << 16) | port;
    return this.#met.meet(app, host, what, booking.apps.serial(app), booking.hosts.serial(host));
  }

  #send(app: number, bytes: number): void {
    if (bytes <= 0) return;
    if (app >= this.#sent.length) this.#sent = widened(this.#sent, app * 2);
    if (this.#sent[app] === 0) this.#senders.push(app);
    this.#sent[app] = (this.#sent[app] as number) + bytes;
  }

  /** Ends the tick: tells what each app sent in it. */
  end(): void {
    const { directory, watcher } = this.#parts;
    for (const app of this.#senders) {
      const name = directory.app(app - OWNERLESS)?.name;
      if (name !== undefined) watcher.sent(name, this.#sent[app] as number);
      this.#sent[app] = 0;
    }
    this.#senders.length = 0;
  }

  #reserve(): void {
    const rows = this.#parts.flows.capacity;
    if (this.#told.length >= rows) return;
    this.#told = widened(this.#told, rows);
    this.#apps = widened(this.#apps, rows);
    this.#hosts = widened(this.#hosts, rows);
    this.#moves = widened(this.#moves, rows * 2);
  }
}

/** Most entries; beyond them it begins anew, and everything is met once more. */
const MOST_MET = 1 << 17;
/** `#ints`, three an entry: app, host, let in << 29 | inbound << 28 | protocol << 16 | port. */
const INTS = 3;

/** A set of what apps reached, by numbers: 40 bytes an entry, found by open addressing. */
class MetTable {
  #ints = new Int32Array(1024 * INTS);
  /** Serials of app and host, two an entry: they tell an evicted one from the one that got its number. */
  #serials = new Float64Array(1024 * 2);
  /** Entry + 1, twice as many as entries. */
  #slots = new Int32Array(2048);
  #count = 0;

  /** Adds an entry. @returns true if it is new */
  meet(app: number, host: number, what: number, appSerial: number, hostSerial: number): boolean {
    let slot = this.#slot(app, host, what);
    const known = (this.#slots[slot] as number) - 1;
    if (known < 0) {
      if (this.#count * 2 >= this.#slots.length) {
        this.#grow();
        slot = this.#slot(app, host, what);
      }
      const at = this.#count * INTS;
      this.#ints[at] = app;
      this.#ints[at + 1] = host;
      this.#ints[at + 2] = what;
      this.#slots[slot] = ++this.#count;
    }
    const at = (known < 0 ? this.#count - 1 : known) * 2;
    if (known >= 0 && this.#serials[at] === appSerial && this.#serials[at + 1] === hostSerial) return false;
    this.#serials[at] = appSerial;
    this.#serials[at + 1] = hostSerial;
    return true;
  }

  #slot(app: number, host: number, what: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(app, 0x9e3779b1) ^ Math.imul(host, 0x85ebca6b) ^ Math.imul(what, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f);
    let slot = (hash ^ (hash >>> 13)) & mask;
    for (;;) {
      const at = ((this.#slots[slot] as number) - 1) * INTS;
      if (at < 0 || (this.#ints[at] === app && this.#ints[at + 1] === host && this.#ints[at + 2] === what)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const { length } = this.#slots;
    if (this.#count >= MOST_MET) {
      this.#slots.fill(0);
      this.#count = 0;
      return;
    }
    this.#ints = widened(this.#ints, length * INTS);
    this.#serials = widened(this.#serials, length * 2);
    this.#slots = new Int32Array(length * 2);
    for (let entry = 0; entry < this.#count; entry++) {
      const at = entry * INTS;
      const slot = this.#slot(this.#ints[at] as number, this.#ints[at + 1] as number, this.#ints[at + 2] as number);
      this.#slots[slot] = entry + 1;
    }
  }
}
