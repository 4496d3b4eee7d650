// Joins the inspector to the names of flows: it hands over the packets of flows that may still reveal something, and no others.

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
  /** Takes a new flow, after its owner was looked up. Most begin with a packet that carries nothing: what the row's last flow left must go here. */
  readonly admit = (row: number): void => {
    if (this.names.claim(row)) this.#inspector.forget(row);
    if (!this.names.admit(row)) this.#reverse?.offer(row);
    this.#neighbours?.meet(this.#flows.words, this.#flows.remoteAt(row));
  };

  /**
   * @param neighbours looks for the device at each new flow's remote end; null if devices aren't looked for
   * @param reverse asks for the name of each new flow that has none; null if nobody asks for names
   */
  constructor(flows: FlowTable, names: FlowNames, neighbours: Neighbours | null = null, reverse: ReverseNames | null = null) {
    this.#reverse = reverse;
    this.#flows = flows;
    this.names = names;
    this.#neighbours = neighbours;
    this.#inspector = new Inspector(names);
  }

  /**
   * Takes a packet of `row` that carries something. Called per packet: a flow that was read to its end costs one load.
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

  /** True if a datagram with a long header of QUIC opens another connection between the ends of `row`, which was read to its end. */
  isAnother(row: number, packet: Packet, bytes: Uint8Array, sent: boolean): boolean {
    return this.#flows.isRead(row) && this.#inspector.isAnother(row, packet, bytes, this.#fromOpener(row, sent));
  }

  #fromOpener(row: number, sent: boolean): boolean {
    return this.#flows.direction(row) === FLOW_DIRECTION.INBOUND ? !sent : sent;
  }
}
