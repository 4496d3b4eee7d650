// Reads the few packets that say what a flow is, and reports names, addresses and applications. It looks only at a flow's first packets, except
// for protocols that carry names, such as DNS.

import type { Packet } from '../decode/packet.ts';
import type { DnsExchanges } from '../model/dns.ts';
import { PROTOCOL } from '../net/numbers.ts';
import type { Findings } from './context.ts';
import { Context, DEFAULT_LIMITS, type InspectLimits } from './context.ts';
import { Exchanges } from './dns/exchanges.ts';
import { type Pending, WAIT } from './pending.ts';
import type { TalkFindings } from './talk.ts';
import { TcpInspector } from './tcp-inspector.ts';
import { isReadable, Tunnels } from './tunnels.ts';
import { UdpInspector } from './udp-inspector.ts';

/** Inspects flows through their packets with payload. Each monitor has one. It needs no close. */
export class Inspector {
  readonly #context: Context;
  readonly #tcp: TcpInspector;
  readonly #udp: UdpInspector;
  readonly #tunnels: Tunnels;

  /**
   * @param talk hears how flows are spoken, which takes a few more packets of each; null if nobody asks
   * @param limits override `DEFAULT_LIMITS`
   * @param exchanges takes questions of DNS
   */
  constructor(
    findings: Findings,
    talk: TalkFindings | null = null,
    limits: Partial<InspectLimits> = {},
    exchanges: Exchanges = new Exchanges(),
  ) {
    const all = { ...DEFAULT_LIMITS, ...limits };
    this.#context = new Context(findings, talk, exchanges, all, (pending) => this.#finish(pending));
    this.#tcp = new TcpInspector(this.#context);
    this.#udp = new UdpInspector(this.#context);
    this.#tunnels = new Tunnels(findings, this.#context.limits);
  }

  /** What was asked of DNS, and answered. */
  get exchanges(): DnsExchanges {
    return this.#context.exchanges;
  }

  /** Flows in the middle of a message. */
  get waiting(): number {
    return this.#context.pool.used;
  }

  /**
   * Looks at a packet of a flow. Never throws, keeps no reference to its arguments.
   *
   * @param flow dense number; call `forget` before another flow gets it
   * @param packet decoded, with its payload in `bytes`
   * @param fromOpener whether the end that opened the flow sent it
   * @param time of the packet, epoch ms
   * @returns whether to pass the flow's next packet; once false, always false
   */
  packet(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    if (packet.laterFragment) return true;
    if (isReadable(packet.tunnel)) return this.#tunnels.packet(flow, packet, bytes, time);
    if (packet.payloadCaptured <= 0 || packet.payloadOffset < 0) return true;
    this.#context.reserve(flow);
    this.#context.time = time;
    if (packet.protocol === PROTOCOL.TCP) return this.#tcp.packet(flow, packet, bytes, fromOpener, time);
    if (packet.protocol === PROTOCOL.UDP) return this.#udp.packet(flow, packet, bytes, fromOpener, time);
    return false;
  }

  /** Drops everything known about a flow. */
  forget(flow: number): void {
    this.#context.forget(flow);
    this.#context.exchanges.forget(flow);
    this.#udp.forget(flow);
    this.#tunnels.forget(flow);
  }

  /** Whether the hello of a flow over UDP was read, and only what follows it is still wanted. */
  hasHello(flow: number): boolean {
    return this.#context.isReserved(flow) && this.#udp.hasHello(flow);
  }

  /**
   * Whether a datagram with `longHeader` opens a new connection between the ends of a flow whose hello was read. It then belongs to another
   * flow. Arguments are as for `packet`.
   */
  isAnother(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean): boolean {
    return this.#udp.isAnother(flow, packet, bytes, fromOpener);
  }

  /** Reports what a flow in the middle of a message has, and releases its buffer. */
  #finish(pending: Pending): void {
    if (pending.wait === WAIT.QUIC || pending.wait === WAIT.DTLS || pending.wait === WAIT.QUIC_ANSWER) this.#udp.finish(pending);
    else this.#tcp.finish(pending);
  }
}
