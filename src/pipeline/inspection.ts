// Joins reading packets to naming flows: hands the inspector the packets of flows that may still tell something, and nothing else.

import type { Packet } from '../decode/packet.ts';
import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { FlowNames } from '../identify/name/flow-names.ts';
import type { ReverseNames } from '../identify/name/reverse-names.ts';
import type { Neighbours } from '../identify/place/neighbours.ts';
import { Inspector } from '../inspect/inspector.ts';

/** One run's inspection. */
export class Inspection {
  readonly names: FlowNames;
  readonly #inspector: Inspector;
  readonly #flows: FlowTable;
  readonly #neighbours: Neighbours | null;
  readonly #reverse: ReverseNames | null;
  /** Here too, because most flows begin with a packet that carries nothing: what the row's last flow was read for must be gone before the next. */
  readonly #admit = (row: number) => {
    if (this.names.claim(row)) this.#inspector.forget(row);
    if (!this.names.admit(row)) this.#reverse?.offer(row);
    this.#neighbours?.meet(this.#flows.words, this.#flows.remoteAt(row));
  };

  /**
   * @param neighbours told of each new flow's remote end; null where devices are not looked for
   * @param reverse told of each new flow without a name; null where nobody asks for names
   */
  constructor(flows: FlowTable, names: FlowNames, neighbours: Neighbours | null = null, reverse: ReverseNames | null = null) {
    this.#reverse = reverse;
    this.#flows = flows;
    this.names = names;
    this.#neighbours = neighbours;
    this.#inspector = new Inspector(names);
  }

  /**
   * A packet of `row`, which carries something. On the packet clock: a flow that was read to its end costs one load.
   *
   * @param sent true when the flow's local end sent it
   */
  packet(row: number, packet: Packet, bytes: Uint8Array, sent: boolean): void {
    if (this.#flows.isRead(row)) return;
    const { names } = this;
    if (names.claim(row)) this.#inspector.forget(row);
    names.now = packet.time;
    if (!this.#inspector.packet(row, packet, bytes, this.#fromOpener(row, sent), packet.time)) this.#flows.setRead(row);
  }

  /** True when a datagram with a long header of QUIC opens another connection between the ends of `row`, which has been read to its end. */
  isAnother(row: number, packet: Packet, bytes: Uint8Array, sent: boolean): boolean {
    return this.#flows.isRead(row) && this.#inspector.isAnother(row, packet, bytes, this.#fromOpener(row, sent));
  }

  #fromOpener(row: number, sent: boolean): boolean {
    return this.#flows.direction(row) === FLOW_DIRECTION.INBOUND ? !sent : sent;
  }

  /** What a new flow is handed to, after its owner was looked for. */
  get admit(): (row: number) => void {
    return this.#admit;
  }
}
