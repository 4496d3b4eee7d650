// A flow as the filter language sees it. It reads the table only when the filter asks, because a tick asks about every flow and most filters
// read a field or two. It allocates text only for addresses.

import type { FilterSubject } from '../filter/fields.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { FLOW_STATES } from '../flow/tcp.ts';
import type { Average } from '../model/options.ts';
import {
  type App,
  type Asked,
  type Endpoint,
  FLOW_DIRECTIONS,
  type FlowFacts,
  NO_OWNER,
  NOWHERE,
  type Place,
  type Process,
  type ProcessDirectory,
} from '../model/terms.ts';
import { formatAddress } from '../net/address.ts';
import { PROTOCOL, protocolName } from '../net/numbers.ts';
import { applicationByPort } from '../net/services.ts';
import type { Booking } from './booking.ts';
import type { EventLog } from './event-log.ts';

/** One end of the flow. */
class End implements Endpoint {
  readonly #subject: FlowSubject;
  readonly #isLocal: boolean;

  constructor(subject: FlowSubject, isLocal: boolean) {
    this.#subject = subject;
    this.#isLocal = isLocal;
  }

  get address(): string {
    const { flows, row } = this.#subject;
    return formatAddress(flows.words, this.#isLocal ? flows.localAt(row) : flows.remoteAt(row));
  }

  get port(): number {
    const { flows, row } = this.#subject;
    return this.#isLocal ? flows.localPort(row) : flows.remotePort(row);
  }
}

/** The flow at `row`. It gives the same answers as the snapshot's rows of the flow and its app. */
export class FlowSubject implements FilterSubject {
  row = 0;
  intervalMs = 1000;
  /** Seconds over which rates are means; null for those of the interval. */
  average: Average | null = null;
  /** Name that this machine has where it is shown; null if only here. */
  machine: string | null = null;
  readonly flows: FlowTable;
  readonly local: Endpoint = new End(this, true);
  readonly remote: Endpoint = new End(this, false);
  readonly #booking: Booking;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #interfaceName: (index: number) => string;
  readonly #events: Pick<EventLog, 'isNew'> | null;

  constructor(
    flows: FlowTable,
    booking: Booking,
    directory: ProcessDirectory,
    facts: FlowFacts | null,
    interfaceName: (index: number) => string,
    events: Pick<EventLog, 'isNew'> | null,
  ) {
    this.flows = flows;
    this.#booking = booking;
    this.#directory = directory;
    this.#facts = facts;
    this.#interfaceName = interfaceName;
    this.#events = events;
  }

  get app(): string | null {
    return this.#app(this.flows.owner(this.row))?.name ?? null;
  }

  get peerApp(): string | null {
    return this.#app(this.flows.peer(this.row))?.name ?? null;
  }

  get pid(): number | null {
    return this.#process(this.flows.owner(this.row))?.pid ?? null;
  }

  get peerPid(): number | null {
    return this.#process(this.flows.peer(this.row))?.pid ?? null;
  }

  get process(): Process | null {
    return this.#process(this.flows.owner(this.row)) ?? null;
  }

  get peerProcess(): Process | null {
    return this.#process(this.flows.peer(this.row)) ?? null;
  }

  get exe(): string | null {
    return this.#app(this.flows.owner(this.row))?.exe ?? null;
  }

  get user(): string | null {
    return this.#app(this.flows.owner(this.row))?.user ?? null;
  }

  get host(): string {
    const name = this.#facts?.nameOf(this.row) ?? -1;
    return name >= 0 && this.#facts !== null ? this.#facts.nameText(name) : this.remote.address;
  }

  get domain(): string | null {
    const name = this.#facts?.nameOf(this.row) ?? -1;
    return name >= 0 && this.#facts !== null ? this.#facts.domainOf(name) : null;
  }

  get nameSource(): string {
    return this.#facts?.nameSource(this.row) ?? 'none';
  }

  get asked(): Asked | null {
    return this.#facts?.askedOf(this.row) ?? null;
  }

  get ja4(): string | null {
    return this.#facts?.talkOf(this.row)?.tls?.offer?.ja4 ?? null;
  }

  get ja4s(): string | null {
    return this.#facts?.talkOf(this.row)?.tls?.answer?.ja4s ?? null;
  }

  get protocol(): string {
    return protocolName(this.flows.protocol(this.row));
  }

  get application(): string | null {
    const protocol = this.flows.protocol(this.row);
    return this.#facts?.applicationOf(this.row) ?? applicationByPort(protocol, this.local.port, this.remote.port);
  }

  get state(): string {
    return FLOW_STATES[this.flows.state(this.row)] ?? 'new';
  }

  get direction(): string {
    return FLOW_DIRECTIONS[this.flows.direction(this.row)] ?? 'transit';
  }

  get interface(): string {
    return this.#interfaceName(this.flows.interface(this.row));
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
    return this.flows.rxBytes(this.row);
  }

  get txBytes(): number {
    return this.flows.txBytes(this.row);
  }

  get rxPackets(): number {
    return this.flows.rxPackets(this.row);
  }

  get txPackets(): number {
    return this.flows.txPackets(this.row);
  }

  get rxRate(): number {
    return this.#rate(this.#booking.tickRx(this.row), false);
  }

  get txRate(): number {
    return this.#rate(this.#booking.tickTx(this.row), true);
  }

  #rate(bytes: number, isTx: boolean): number {
    const { means } = this.#booking;
    if (this.average === null || means === null) return Math.round((bytes * 1000) / this.intervalMs);
    return means.rate(this.row, this.average, isTx, bytes);
  }

  get firstSeen(): number {
    return this.flows.firstSeen(this.row);
  }

  get lastSeen(): number {
    return this.flows.lastSeen(this.row);
  }

  get rttMs(): number | null {
    const rtt = this.flows.rtt(this.row);
    return this.flows.protocol(this.row) === PROTOCOL.TCP && rtt > 0 ? rtt / 1000 : null;
  }

  get attribution(): string {
    return this.flows.attribution(this.row);
  }

  get retransmits(): number {
    return this.flows.protocol(this.row) === PROTOCOL.TCP ? this.flows.retransmits(this.row) : 0;
  }

  get closed(): boolean {
    return this.flows.isClosed(this.row);
  }

  get isNew(): boolean {
    return (this.#events?.isNew('app', this.app) ?? false) || (this.#events?.isNew('domain', this.domain) ?? false);
  }

  get #place(): Place {
    return this.#facts?.placeOf(this.flows.words, this.flows.remoteAt(this.row)) ?? NOWHERE;
  }

  #process(id: number): Process | undefined {
    return id === NO_OWNER ? undefined : this.#directory.process(id);
  }

  #app(owner: number): App | undefined {
    const process = this.#process(owner);
    return process === undefined ? undefined : this.#directory.app(process.app);
  }
}
