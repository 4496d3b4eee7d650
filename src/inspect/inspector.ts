// Reads the few packets that are worth it and tells what they say: names, addresses, protocols. Refuses to look at a flow for longer
// than its first packets, unless it is one that names things.

import type { Packet } from '../decode/packet.ts';
import { PROTOCOL } from '../net/numbers.ts';
import type { Findings } from './context.ts';
import { Context, DEFAULT_LIMITS, type InspectLimits } from './context.ts';
import { type Pending, WAIT } from './pending.ts';
import { TcpInspector } from './tcp-inspector.ts';
import { isReadable, Tunnels } from './tunnels.ts';
import { UdpInspector } from './udp-inspector.ts';

/** Inspects flows by the packets that carry something. One for a monitor; nothing in it needs to be closed. */
export class Inspector {
  readonly #context: Context;
  readonly #tcp: TcpInspector;
  readonly #udp: UdpInspector;
  readonly #tunnels: Tunnels;

  /** @param limits those of `DEFAULT_LIMITS` where not given */
  constructor(findings: Findings, limits: Partial<InspectLimits> = {}) {
    this.#context = new Context(findings, { ...DEFAULT_LIMITS, ...limits });
    this.#tcp = new TcpInspector(this.#context);
    this.#udp = new UdpInspector(this.#context);
    this.#tunnels = new Tunnels(findings, this.#context.limits);
    this.#context.giveUp = (room) => this.#finish(room);
  }

  /** Flows in the middle of a message. */
  get waiting(): number {
    return this.#context.pool.used;
  }

  /**
   * Looks at a packet of a flow. Never throws, keeps nothing of the arguments.
   *
   * @param flow dense number; `forget` comes before it is given to another flow
   * @param packet decoded, with its payload in `bytes`
   * @param fromOpener sent by the end that opened the flow
   * @param time epoch milliseconds, of the packet
   * @returns whether the flow's next packet is wanted; once false, always false
   */
  packet(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    if (packet.laterFragment) return true;
    if (isReadable(packet.tunnel)) return this.#tunnels.packet(flow, packet, bytes, time);
    if (packet.payloadCaptured <= 0 || packet.payloadOffset < 0) return true;
    this.#context.reserve(flow);
    if (packet.protocol === PROTOCOL.TCP) return this.#tcp.packet(flow, packet, bytes, fromOpener, time);
    if (packet.protocol === PROTOCOL.UDP) return this.#udp.packet(flow, packet, bytes, fromOpener, time);
    return false;
  }

  /** Drops all that is known of a flow. */
  forget(flow: number): void {
    this.#context.forget(flow);
    this.#udp.forget(flow);
    this.#tunnels.forget(flow);
  }

  /**
   * True when a datagram with `longHeader` opens another connection between the ends of a flow of which nothing more was wanted: it is
   * to be another flow's. Arguments as of `packet`.
   */
  isAnother(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean): boolean {
    return this.#udp.isAnother(flow, packet, bytes, fromOpener);
  }

  /** Tells what a flow in the middle of a message has, and takes its room. */
  #finish(room: Pending): void {
    if (room.wait === WAIT.QUIC || room.wait === WAIT.DTLS) this.#udp.finish(room);
    else this.#tcp.finish(room);
  }
}
