// Connections that this machine accepted, by the address and port that they came to: what a listener's row says of its visitors.

import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { Listener, ListenerRow, Visits } from '../model/listeners.ts';
import { formatAddress, sameAddress } from '../net/address.ts';
import { widened } from '../net/bytes.ts';
import { hasPorts, PROTOCOL } from '../net/numbers.ts';
import { isAnswered } from './answered.ts';

const { INBOUND, LOCAL } = FLOW_DIRECTION;
/** Most pairs of address and port; further ones aren't counted. Only what is answered counts, so a scan adds none. */
const MAX_PLACES = 4096;
const NO_VISITS: Visits = { accepted: 0, lastFrom: null, lastAt: null };

/** An address and port that was reached. */
interface Place {
  readonly words: Int32Array;
  accepted: number;
  readonly last: Int32Array;
  lastAt: number;
}

/** Counts accepted connections, once each. */
export class AcceptedFlows {
  readonly #flows: FlowTable;
  /** By protocol << 16 | port. */
  readonly #places = new Map<number, Place[]>();
  #size = 0;
  /** By row: serial of the flow that was counted. */
  #counted = new Float64Array(0);
  /** Counts changed since `rows` made its list. */
  #isChanged = false;
  #listed: readonly Listener[] | null = null;
  #rows: readonly ListenerRow[] | null = null;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** Counts a flow that moved or leaves, unless that was done. Call it while its row can still be read. */
  see(row: number): void {
    const flows = this.#flows;
    const direction = flows.direction(row);
    if ((direction !== INBOUND && direction !== LOCAL) || !hasPorts(flows.protocol(row))) return;
    if (row >= this.#counted.length) this.#counted = widened(this.#counted, flows.capacity);
    const serial = flows.serial(row);
    if (this.#counted[row] === serial || !isAnswered(flows, row)) return;
    this.#counted[row] = serial;
    const isInbound = direction === INBOUND;
    const port = isInbound ? flows.localPort(row) : flows.remotePort(row);
    const place = this.#place(flows.protocol(row), isInbound ? flows.localAt(row) : flows.remoteAt(row), port);
    if (place === null) return;
    const visitor = isInbound ? flows.remoteAt(row) : flows.localAt(row);
    place.accepted++;
    place.last.set(flows.words.subarray(visitor, visitor + 4));
    place.lastAt = flows.firstSeen(row);
    this.#isChanged = true;
  }

  /** Listeners with their visitors; the same list while nothing changes. A listener of another namespace is not judged: its addresses may be ours, too. */
  rows(listeners: readonly Listener[] | null): readonly ListenerRow[] | null {
    if (listeners === this.#listed && !this.#isChanged) return this.#rows;
    this.#listed = listeners;
    this.#isChanged = false;
    this.#rows = listeners?.map((listener) => ({ ...listener, ...this.#visits(listener, listeners) })) ?? null;
    return this.#rows;
  }

  #place(protocol: number, at: number, port: number): Place | null {
    const key = (protocol << 16) | port;
    const { words } = this.#flows;
    const known = this.#places.get(key);
    const found = known?.find((place) => sameAddress(place.words, 0, words, at));
    if (found !== undefined) return found;
    if (this.#size >= MAX_PLACES) return null;
    this.#size++;
    const place = { words: words.slice(at, at + 4), accepted: 0, last: new Int32Array(4), lastAt: 0 };
    if (known === undefined) this.#places.set(key, [place]);
    else known.push(place);
    return place;
  }

  #visits({ protocol, port, address, elsewhere }: Listener, all: readonly Listener[]): Visits {
    if (elsewhere) return { accepted: null, lastFrom: null, lastAt: null };
    const places = this.#places.get(((protocol === 'tcp' ? PROTOCOL.TCP : PROTOCOL.UDP) << 16) | port);
    if (places === undefined) return NO_VISITS;
    // What came to an address that another listener is bound to is that one's.
    const bound = new Set(
      all.filter((other) => other.protocol === protocol && other.port === port).map((other) => other.address),
    );
    let accepted = 0;
    let last: Place | null = null;
    for (const place of places) {
      const text = formatAddress(place.words);
      if (address === '*' ? bound.has(text) : text !== address) continue;
      accepted += place.accepted;
      if (last === null || place.lastAt > last.lastAt) last = place;
    }
    return last === null ? NO_VISITS : { accepted, lastFrom: formatAddress(last.last), lastAt: last.lastAt };
  }
}
