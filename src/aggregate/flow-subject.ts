// A flow as the filter language sees it, read out of the table when it is asked for: a tick asks about every flow, and most fields of most
// are never looked at. Allocates text only where a filter reads an address.

import type { FilterSubject } from '../filter/fields.ts';
import { type FlowTable, NO_OWNER } from '../flow/flow-table.ts';
import * as L from '../flow/layout.ts';
import {
  type App,
  ATTRIBUTIONS,
  type Endpoint,
  FLOW_DIRECTIONS,
  type FlowFacts,
  type Place,
  type Process,
  type ProcessDirectory,
} from '../model/terms.ts';
import { formatAddress } from '../net/address.ts';
import { protocolName } from '../net/numbers.ts';
import { applicationByPort } from '../net/services.ts';
import type { Booking } from './booking.ts';

const NOWHERE: Place = { country: null, asn: null, network: null };

/** One end of the flow that is asked about. */
class End implements Endpoint {
  readonly #subject: FlowSubject;
  readonly #at: number;
  readonly #shift: number;

  constructor(subject: FlowSubject, at: number, shift: number) {
    this.#subject = subject;
    this.#at = at;
    this.#shift = shift;
  }

  get address(): string {
    return formatAddress(this.#subject.flows.ints, this.#subject.row * L.INTS + this.#at);
  }

  get port(): number {
    return ((this.#subject.flows.ints[this.#subject.row * L.INTS + L.PORTS] as number) >>> this.#shift) & 0xffff;
  }
}

/** The subject; `row` says which flow it is. Says what a row of the snapshot, with its app's and its place, says. */
export class FlowSubject implements FilterSubject {
  row = 0;
  intervalMs = 1000;
  readonly flows: FlowTable;
  readonly local: Endpoint = new End(this, L.LOCAL, 16);
  readonly remote: Endpoint = new End(this, L.REMOTE, 0);
  readonly #booking: Booking;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #interfaceName: (index: number) => string;

  constructor(
    flows: FlowTable,
    booking: Booking,
    directory: ProcessDirectory,
    facts: FlowFacts | null,
    interfaceName: (index: number) => string,
  ) {
    this.flows = flows;
    this.#booking = booking;
    this.#directory = directory;
    this.#facts = facts;
    this.#interfaceName = interfaceName;
  }

  get app(): string | null {
    return this.#app(L.PROCESS)?.name ?? null;
  }

  get peerApp(): string | null {
    return this.#app(L.PEER_PROCESS)?.name ?? null;
  }

  get pid(): number | null {
    return this.#process(L.PROCESS)?.pid ?? null;
  }

  get peerPid(): number | null {
    return this.#process(L.PEER_PROCESS)?.pid ?? null;
  }

  get exe(): string | null {
    return this.#app(L.PROCESS)?.exe ?? null;
  }

  get user(): string | null {
    return this.#app(L.PROCESS)?.user ?? null;
  }

  get host(): string {
    const name = this.#facts?.nameOf(this.row) ?? -1;
    return name >= 0 && this.#facts !== null ? this.#facts.nameText(name) : this.remote.address;
  }

  get protocol(): string {
    return protocolName(this.#int(L.PROTOCOL_INTERFACE) & 0xffff);
  }

  get application(): string | null {
    const protocol = this.#int(L.PROTOCOL_INTERFACE) & 0xffff;
    return this.#facts?.applicationOf(this.row) ?? applicationByPort(protocol, this.local.port, this.remote.port);
  }

  get state(): string {
    return L.FLOW_STATES[this.#int(L.STATE) >>> 24] ?? 'new';
  }

  get direction(): string {
    return FLOW_DIRECTIONS[(this.#int(L.STATE) >>> 16) & 0xff] ?? 'transit';
  }

  get interface(): string {
    return this.#interfaceName(this.#int(L.PROTOCOL_INTERFACE) >>> 16);
  }

  get category(): string | null {
    return this.#facts === null ? null : this.#facts.categoryText(this.#facts.categoryOf(this.row));
  }

  get country(): string | null {
    return this.#place.country;
  }

  get asn(): number | null {
    return this.#place.asn;
  }

  get rxBytes(): number {
    return this.#counter(L.RX_BYTES);
  }

  get txBytes(): number {
    return this.#counter(L.TX_BYTES);
  }

  get rxPackets(): number {
    return this.#counter(L.RX_PACKETS);
  }

  get txPackets(): number {
    return this.#counter(L.TX_PACKETS);
  }

  get rxRate(): number {
    return Math.round((this.#booking.tickRx(this.row) * 1000) / this.intervalMs);
  }

  get txRate(): number {
    return Math.round((this.#booking.tickTx(this.row) * 1000) / this.intervalMs);
  }

  get firstSeen(): number {
    return this.#counter(L.FIRST_SEEN);
  }

  get lastSeen(): number {
    return this.#counter(L.LAST_SEEN);
  }

  get rttMs(): number | null {
    const rtt = this.#int(L.RTT);
    return (this.#int(L.PROTOCOL_INTERFACE) & 0xffff) === 6 && rtt > 0 ? rtt / 1000 : null;
  }

  get attribution(): string {
    return ATTRIBUTIONS[this.#int(L.OWNERSHIP) >>> 16] ?? 'none';
  }

  get #place(): Place {
    return this.#facts?.placeOf(this.flows.ints, this.row * L.INTS + L.REMOTE) ?? NOWHERE;
  }

  #int(column: number): number {
    return this.flows.ints[this.row * L.INTS + column] as number;
  }

  #counter(column: number): number {
    return this.flows.counters[this.row * L.COUNTERS + column] as number;
  }

  #process(column: number): Process | undefined {
    const id = this.#int(column);
    return id === NO_OWNER ? undefined : this.#directory.process(id);
  }

  #app(column: number): App | undefined {
    const process = this.#process(column);
    return process === undefined ? undefined : this.#directory.app(process.app);
  }
}
