// Finds the flows that carry a tunnel whose inside is captured too: by protocol, otherwise by who moves what, for the carrier moves the
// tunnel's bytes once more, plus a little overhead.

import type { FlowTable } from '../flow/flow-table.ts';
import { PROTOCOL } from '../net/numbers.ts';
import { type Accumulators, COLUMN } from './accumulators.ts';

const PROTOCOLS: readonly number[] = [PROTOCOL.ESP, PROTOCOL.AH, PROTOCOL.GRE, PROTOCOL.IPIP, PROTOCOL.IPV6];
/** A tunnel that moved less in a tick is not compared: too many other flows move as little. */
const MIN_BYTES = 8 << 10;
const MIN_PACKETS = 16;
/** Bytes that must have fitted, in consecutive ticks. */
const ENOUGH_BYTES = 32 << 10;
/** Least share of the inside that its carrier moves; the rest may still be on its way. */
const MIN_SHARE = 0.97;
const ON_ITS_WAY = 3000;
/** Most that a carrier moves: IP, transport and tunnel headers on each packet, padding, TCP acknowledgements, the tunnel's own messages. */
const MAX_SHARE = 1.15;
const PACKET_BYTES = 160;
const NEWS_BYTES = 4096;
const MAX_KNOWN = 256;

interface Moved {
  rx: number;
  tx: number;
}

/** Bytes and packets inside a tunnel in one tick. */
interface Inner extends Moved {
  readonly rxp: number;
  readonly txp: number;
}

/** What the search asks the books. */
export interface CarrierBooks {
  /** What moved inside tunnels. */
  readonly tunnelled: Accumulators;
  /** True for a flow of this machine's own that counts, on an interface that may carry a tunnel. */
  isOuter(row: number): boolean;
  tickRx(row: number): number;
  tickTx(row: number): number;
}

/** Knows carriers. A port alone makes no carrier, for anybody may use it. */
export class Carriers {
  readonly #flows: FlowTable;
  /** Processes, and flows without one as -1 less their serial number. */
  readonly #known = new Set<number>();
  /** Bytes that fitted so far, by those who fitted in the last tick. */
  #fitted = new Map<number, number>();
  /** By number of `tunnelled`: RX and TX packets up to the last tick. */
  readonly #packets = new Map<number, readonly [rx: number, tx: number]>();

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** True for a flow that is the outside of a tunnel, by its label, its protocol, or its owner. */
  carries(row: number): boolean {
    const flows = this.#flows;
    if (flows.tunnel(row) !== 0 || PROTOCOLS.includes(flows.protocol(row))) return true;
    if (this.#known.size === 0) return false;
    return this.#known.has(flows.owner(row)) || this.#known.has(this.#ownerless(row));
  }

  /**
   * Compares what moved inside tunnels in the tick that is being closed with what each process moved outside. If only one fits, both ways and
   * for long enough, it is the carrier, and all of its flows are marked to be booked again.
   *
   * @returns whether a carrier was found
   */
  find(books: CarrierBooks): boolean {
    const inner = this.#insides(books.tunnelled);
    if (inner.length === 0) return false;
    const outer = this.#outsides(books, inner);
    const before = this.#fitted;
    this.#fitted = new Map();
    if (outer === null) return false;
    for (const [who, moved] of outer) {
      const fit = inner.find((each) => fits(each, moved));
      if (fit !== undefined) this.#fitted.set(who, (before.get(who) ?? 0) + fit.rx + fit.tx);
    }
    const [only] = this.#fitted;
    if (only === undefined || this.#fitted.size > 1 || only[1] < ENOUGH_BYTES || this.#known.size >= MAX_KNOWN) return false;
    this.#known.add(only[0]);
    this.#fitted.clear();
    for (let row = 0; row < this.#flows.rows; row++)
      if (this.#flows.isLive(row) && this.#who(row) === only[0]) this.#flows.mark(row);
    return true;
  }

  /** What moved in each tunnel that moved enough to be compared. */
  #insides(tunnelled: Accumulators): Inner[] {
    const found: Inner[] = [];
    tunnelled.eachMoved((entity, rx, tx) => {
      const [rxp, txp] = this.#packets.get(entity) ?? [0, 0];
      const [rxpNow, txpNow] = [tunnelled.get(entity, COLUMN.RX_PACKETS), tunnelled.get(entity, COLUMN.TX_PACKETS)];
      this.#packets.set(entity, [rxpNow, txpNow]);
      const each = { rx, tx, rxp: rxpNow - rxp, txp: txpNow - txp };
      if (rx + tx >= MIN_BYTES && each.rxp + each.txp >= MIN_PACKETS) found.push(each);
    });
    return found;
  }

  /** What each process moved that isn't a known carrier; null if known carriers explain all that is inside. */
  #outsides(books: CarrierBooks, inner: readonly Inner[]): Map<number, Moved> | null {
    const { touched, touchedCount } = this.#flows;
    const outer = new Map<number, Moved>();
    const carried: Moved = { rx: 0, tx: 0 };
    for (let i = 0; i < touchedCount; i++) {
      const row = touched[i] as number;
      if (!this.#flows.isLive(row) || !books.isOuter(row)) continue;
      let sum = carried;
      if (!this.carries(row)) {
        const who = this.#who(row);
        sum = outer.get(who) ?? { rx: 0, tx: 0 };
        outer.set(who, sum);
      }
      sum.rx += books.tickRx(row);
      sum.tx += books.tickTx(row);
    }
    return inner.every(({ rx, tx }) => isAtLeast(carried.rx, rx) && isAtLeast(carried.tx, tx)) ? null : outer;
  }

  #who(row: number): number {
    const process = this.#flows.owner(row);
    return process >= 0 ? process : this.#ownerless(row);
  }

  #ownerless(row: number): number {
    return -1 - this.#flows.serial(row);
  }
}

function fits(inner: Inner, outer: Moved): boolean {
  return (
    isAtLeast(outer.rx, inner.rx) &&
    isAtLeast(outer.tx, inner.tx) &&
    outer.rx <= inner.rx * MAX_SHARE + inner.rxp * PACKET_BYTES + NEWS_BYTES &&
    outer.tx <= inner.tx * MAX_SHARE + inner.txp * PACKET_BYTES + NEWS_BYTES
  );
}

function isAtLeast(outer: number, inner: number): boolean {
  return outer >= inner * MIN_SHARE - ON_ITS_WAY;
}
