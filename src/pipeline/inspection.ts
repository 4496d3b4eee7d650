// Connects the inspector with the flows' names. It passes on only packets of flows that may still reveal something.

import type { RecordedFlow } from '../capture/source.ts';
import type { Packet } from '../decode/packet.ts';
import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { FlowNames } from '../identify/name/flow-names.ts';
import type { ReverseNames } from '../identify/name/reverse-names.ts';
import type { Neighbours } from '../identify/place/neighbours.ts';
import { Exchanges } from '../inspect/dns/exchanges.ts';
import { hostName } from '../inspect/host-name.ts';
import { Inspector } from '../inspect/inspector.ts';
import type { DnsExchanges } from '../model/dns.ts';

/** One run's inspection. */
export class Inspection {
  readonly names: FlowNames;
  readonly #inspector: Inspector;
  readonly #flows: FlowTable;
  readonly #neighbours: Neighbours | null;
  readonly #reverse: ReverseNames | null;
  /** Takes a new flow, after its owner was looked up. This clears what the row's previous flow left, because most flows begin with an empty packet. */
  readonly admit = (row: number): void => {
    if (this.names.claim(row)) this.#inspector.forget(row);
    if (!this.names.admit(row)) this.#reverse?.offer(row);
    this.#neighbours?.meet(this.#flows.words, this.#flows.remoteAt(row));
  };

  /**
   * @param neighbours finds the device at each new flow's remote end; null to skip that
   * @param reverse asks DNS for the name of each new flow without one; null to skip that
   * @param behalfOf process on whose behalf the present packet was sent, or NO_OWNER; null if the capture doesn't tell
   */
  constructor(
    flows: FlowTable,
    names: FlowNames,
    neighbours: Neighbours | null = null,
    reverse: ReverseNames | null = null,
    behalfOf: (() => number) | null = null,
  ) {
    this.#reverse = reverse;
    this.#flows = flows;
    this.names = names;
    this.#neighbours = neighbours;
    this.#inspector = new Inspector(names, names.talks, {}, new Exchanges(behalfOf));
  }

  /** What was asked of DNS, and answered. */
  get exchanges(): DnsExchanges {
    return this.#inspector.exchanges;
  }

  /**
   * Takes a packet of `row` with payload. Called per packet; once a flow's inspection is over, this costs one load.
   *
   * @param sent true if the flow's local end sent it
   */
  packet(row: number, packet: Packet, bytes: Uint8Array, sent: boolean): void {
    if (this.#flows.isRead(row)) return;
    const { names } = this;
    if (names.claim(row)) this.#inspector.forget(row);
    names.now = packet.time;
    if (!this.#inspector.packet(row, packet, bytes, this.#fromOpener(row, sent), packet.time)) this.#flows.setRead(row);
  }

  /** Takes what the capture itself tells of the flow's remote end. */
  told(row: number, { name, source }: RecordedFlow): void {
    const bytes = Buffer.from(name, 'latin1');
    const host = hostName(bytes, 0, bytes.length);
    if (host === null) return;
    if (this.names.claim(row)) this.#inspector.forget(row);
    this.names.told(row, host, source);
  }

  /** Whether a datagram with a QUIC long header opens a new connection between the ends of `row`, whose hello was read. */
  isAnother(row: number, packet: Packet, bytes: Uint8Array, sent: boolean): boolean {
    if (this.names.claim(row)) this.#inspector.forget(row);
    const hasHello = this.#flows.isRead(row) || this.#inspector.hasHello(row);
    return hasHello && this.#inspector.isAnother(row, packet, bytes, this.#fromOpener(row, sent));
  }

  #fromOpener(row: number, sent: boolean): boolean {
    return this.#flows.direction(row) === FLOW_DIRECTION.INBOUND ? !sent : sent;
  }
}
