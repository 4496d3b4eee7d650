// Books what flows have moved into the totals of apps, hosts and interfaces: once a tick for flows that moved, and when one is removed.
// Sums stay exact whatever is evicted, learnt late or folded.

import { type FlowObserver, type FlowTable, isLocalFlow, NO_OWNER } from '../flow/flow-table.ts';
import * as L from '../flow/layout.ts';
import { widened } from '../net/arrays.ts';
import type { ProcessDirectory } from '../net/model.ts';
import { OWNER_REASONS } from '../net/model.ts';
import { Accumulators } from './accumulators.ts';
import { isCarrier } from './carrier.ts';
import { HostTable } from './host-table.ts';

/** App entities below this stand for flows without a process, one for each reason; app `id` is entity `id + OWNERLESS`. */
export const OWNERLESS = 16;
const EXPLAINED = [OWNER_REASONS.indexOf('no process: the kernel itself'), OWNER_REASONS.indexOf('forwarded')];
const NEVER = -1;
/** Column value of a flow that is booked to its interface alone. */
const ASIDE = -2;
/** App entity of flows in which a captured tunnel travels: what is in it is booked under its own apps. */
export const CARRIER = 15;
/**
 * What an interface means for the totals: part of the headline; a tunnel, whose flows belong to apps but travel once more in the headline;
 * or one that repeats what others carry (bridges, virtual pairs).
 */
export const ROLE = { HEADLINE: 0, TUNNEL: 1, APART: 2 } as const;

/** Most hosts with a row of their own. */
export const MAX_HOSTS = 65_536;

/**
 * The books. Columns beside the flow table's rows say what of each flow has been booked, and where, so that a flow whose owner is
 * learnt late moves its past to the right app.
 */
export class Booking implements FlowObserver {
  readonly apps = new Accumulators();
  readonly hosts = new Accumulators();
  /** By interface; the headline total is a sum of these, so that it is right also when an interface turns out to be part of it late. */
  readonly interfaces = new Accumulators();
  /** Of them, what has no owner that could be told. */
  readonly unowned = new Accumulators();
  readonly hostTable: HostTable;
  readonly #flows: FlowTable;
  readonly #directory: ProcessDirectory;
  /** RX, TX, RX packets, TX packets booked; then RX and TX of the tick being closed. */
  #booked = new Float64Array(0);
  #app = new Int32Array(0);
  #peer = new Int32Array(0);
  #host = new Int32Array(0);
  #roles: Uint8Array = new Uint8Array(0);
  #tunnelled = false;
  /** Told after the last booking of a flow that goes away. */
  onRemoved: ((row: number) => void) | null = null;

  constructor(flows: FlowTable, directory: ProcessDirectory, seed: number) {
    this.#flows = flows;
    this.#directory = directory;
    this.hostTable = new HostTable(MAX_HOSTS, seed);
  }

  /** ROLE by interface index; those beyond the list are part of the headline. */
  setRoles(roles: Uint8Array): void {
    this.#roles = roles;
  }

  /** True for a flow whose bytes are counted under the apps in the tunnel that it carries. */
  carries(row: number): boolean {
    return this.#app[row] === CARRIER;
  }

  flowRemoved(row: number): void {
    this.#reserve();
    this.#book(row);
    this.onRemoved?.(row);
    this.#booked.fill(0, row * 6, row * 6 + 6);
    this.#app[row] = NEVER;
    this.#peer[row] = NEVER;
  }

  /** Books every flow that moved or was learnt about since the last call. */
  bookTouched(): void {
    const before = this.#tunnelled;
    this.#bookAll();
    // The first bytes of a tunnel make carriers of flows that were booked a moment ago.
    if (this.#tunnelled !== before) this.#bookAll();
  }

  #bookAll(): void {
    this.#reserve();
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (this.#flows.isLive(row)) this.#book(row);
    }
  }

  /** Clears the tick's share of every flow that moved; after snapshots were made. */
  clearTick(): void {
    const { touched, touchedCount } = this.#flows;
    for (let i = 0; i < touchedCount; i++) {
      const at = (touched[i] as number) * 6;
      this.#booked[at + 4] = 0;
      this.#booked[at + 5] = 0;
    }
  }

  /** RX bytes a flow moved in the tick that is being closed. */
  tickRx(row: number): number {
    return this.#booked[row * 6 + 4] ?? 0;
  }

  tickTx(row: number): number {
    return this.#booked[row * 6 + 5] ?? 0;
  }

  #book(row: number): void {
    const flows = this.#flows;
    const base = row * L.INTS;
    const at = row * L.COUNTERS;
    const c = flows.counters;
    const rxTotal = c[at + L.RX_BYTES] as number;
    const txTotal = c[at + L.TX_BYTES] as number;
    const rxpTotal = c[at + L.RX_PACKETS] as number;
    const txpTotal = c[at + L.TX_PACKETS] as number;
    const first = c[at + L.FIRST_SEEN] as number;
    const last = c[at + L.LAST_SEEN] as number;
    const b = this.#booked;
    const from = row * 6;
    const rx = rxTotal - (b[from] as number);
    const tx = txTotal - (b[from + 1] as number);
    const rxp = rxpTotal - (b[from + 2] as number);
    const txp = txpTotal - (b[from + 3] as number);
    const isNew = (this.#app[row] as number) < 0;
    const iface = (flows.ints[base + L.PROTOCOL_INTERFACE] as number) >>> 16;
    const process = flows.ints[base + L.PROCESS] as number;
    const reason = (flows.ints[base + L.OWNERSHIP] as number) & 0xffff;
    const role = this.#roles[iface] ?? ROLE.HEADLINE;
    this.interfaces.add(iface, rx, tx, rxp, txp, first, last);
    this.interfaces.addToTick(iface, rx, tx);
    b[from] = rxTotal;
    b[from + 1] = txTotal;
    b[from + 2] = rxpTotal;
    b[from + 3] = txpTotal;
    b[from + 4] = (b[from + 4] as number) + rx;
    b[from + 5] = (b[from + 5] as number) + tx;
    if (role === ROLE.APART) {
      if (this.#app[row] === NEVER) this.interfaces.addFlow(iface, 1);
      this.#app[row] = ASIDE;
      return;
    }
    if (role === ROLE.TUNNEL) this.#tunnelled = true;
    const carrier = role === ROLE.HEADLINE && this.#tunnelled && isCarrier(flows, row);
    const app = carrier ? CARRIER : process === NO_OWNER ? reason : this.#appOf(process);

    if (isNew) {
      this.#host[row] = this.hostTable.intern(flows.ints, base + L.REMOTE);
      this.hosts.addFlow(this.#host[row] as number, 1);
      if (this.#app[row] === NEVER) this.interfaces.addFlow(iface, 1);
    }
    const host = this.#host[row] as number;
    const was = this.#app[row] as number;
    if (was !== app) {
      if (!isNew) {
        this.apps.add(was, rx - rxTotal, tx - txTotal, rxp - rxpTotal, txp - txpTotal, first, 0);
        this.apps.addFlow(was, -1);
        if (isUnowned(was)) this.unowned.add(iface, rx - rxTotal, tx - txTotal, 0, 0, first, 0);
      }
      this.apps.addFlow(app, 1);
      this.apps.add(app, rxTotal, txTotal, rxpTotal, txpTotal, first, last);
      if (isUnowned(app)) this.unowned.add(iface, rxTotal, txTotal, 0, 0, first, last);
      this.#app[row] = app;
    } else {
      this.apps.add(app, rx, tx, rxp, txp, first, last);
      if (isUnowned(app)) this.unowned.add(iface, rx, tx, 0, 0, first, last);
    }
    this.apps.addToTick(app, rx, tx);
    if (isLocalFlow(flows, row)) this.#bookPeer(row, rx, tx, rxp, txp, rxTotal, txTotal, rxpTotal, txpTotal, first, last);

    this.hosts.add(host, rx, tx, rxp, txp, first, last);
    this.hosts.addToTick(host, rx, tx);
  }

  /** The far end of a local flow: what one side sent the other received. Booked only once its owner is known. */
  #bookPeer(
    row: number,
    rx: number,
    tx: number,
    rxp: number,
    txp: number,
    rxTotal: number,
    txTotal: number,
    rxpTotal: number,
    txpTotal: number,
    first: number,
    last: number,
  ): void {
    const process = this.#flows.ints[row * L.INTS + L.PEER_PROCESS] as number;
    if (process === NO_OWNER) return;
    const app = this.#appOf(process);
    const was = this.#peer[row] as number;
    if (was === app) this.apps.add(app, tx, rx, txp, rxp, first, last);
    else {
      if (was !== NEVER) {
        this.apps.add(was, tx - txTotal, rx - rxTotal, txp - txpTotal, rxp - rxpTotal, first, 0);
        this.apps.addFlow(was, -1);
      }
      this.apps.addFlow(app, 1);
      this.apps.add(app, txTotal, rxTotal, txpTotal, rxpTotal, first, last);
      this.#peer[row] = app;
    }
    this.apps.addToTick(app, tx, rx);
  }

  #appOf(process: number): number {
    return (this.#directory.process(process)?.app ?? -OWNERLESS) + OWNERLESS;
  }

  #reserve(): void {
    const rows = this.#flows.capacity;
    if (this.#app.length >= rows) return;
    const booked = new Float64Array(rows * 6);
    booked.set(this.#booked);
    this.#booked = booked;
    this.#app = widened(this.#app, rows, NEVER);
    this.#peer = widened(this.#peer, rows, NEVER);
    this.#host = widened(this.#host, rows, NEVER);
  }
}

/** True for an app entity that stands for flows whose owner nobody could tell; what the kernel sends or forwards is explained, not unowned. */
function isUnowned(entity: number): boolean {
  return entity < CARRIER && !EXPLAINED.includes(entity);
}
