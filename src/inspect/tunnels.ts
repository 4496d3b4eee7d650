// Reads what an unencrypted tunnel carries: the ends of an inner flow, and the name that it asks for. It looks only at the outer flow's first
// packets, at one inner flow at a time, one tunnel deep. The bytes still count for the outer flow.

import { decode } from '../decode/decode.ts';
import { Packet, TUNNEL } from '../decode/packet.ts';
import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE, LINK, PROTOCOL } from '../net/numbers.ts';
import type { Findings } from './context.ts';
import { Context, type InspectLimits } from './context.ts';
import { Exchanges } from './dns/exchanges.ts';
import { type Pending, WAIT } from './pending.ts';
import { TcpInspector } from './tcp-inspector.ts';
import { UdpInspector } from './udp-inspector.ts';

/** Packets read of an outer flow. */
const MAX_PACKETS = 200;
/** Inner messages that may be incomplete at once. */
const MAX_PENDING = 16;
/** Outer flows whose current inner flow is remembered. */
const MAX_FLOWS = 4096;
const ETHERNET_INSIDE = 0x6558;
const GTP_EXTENSIONS = 8;
const TEREDO_AUTHENTICATION = 1;
const TEREDO_ORIGIN = 0;

/** Whether the tunnel's contents can be read. */
export function isReadable(tunnel: number): boolean {
  return tunnel !== TUNNEL.NONE && tunnel !== TUNNEL.WIREGUARD;
}

/** Reads the contents of tunnels. */
export class Tunnels {
  readonly #findings: Findings;
  readonly #context: Context;
  readonly #tcp: TcpInspector;
  readonly #udp: UdpInspector;
  readonly #inner = new Packet();
  /** By outer flow: a hash of the inner flow's ends, and the number of packets read. */
  readonly #flows = new Map<number, { ends: number; packets: number; isReported: boolean }>();
  #link = 0;
  #named = false;

  constructor(findings: Findings, limits: InspectLimits) {
    this.#findings = findings;
    this.#context = new Context(
      {
        serverName: (flow, _source, name) => {
          this.#named = true;
          findings.inside?.(flow, this.#inner, name);
        },
        application: () => {},
        answer: () => {},
        pointer: () => {},
      },
      null,
      // Nobody reads what the flows inside ask: their apps are unknown.
      new Exchanges(),
      { ...limits, pendingFlows: MAX_PENDING },
      (pending) => this.#finish(pending),
    );
    this.#tcp = new TcpInspector(this.#context);
    this.#udp = new UdpInspector(this.#context);
  }

  forget(flow: number): void {
    if (!this.#flows.delete(flow)) return;
    this.#context.forget(flow);
    this.#udp.forget(flow);
  }

  /** See `Inspector.packet`; for a packet of a tunnel that `isReadable`. */
  packet(flow: number, packet: Packet, bytes: Uint8Array, time: number): boolean {
    const inner = this.#inner;
    const state = this.#stateOf(flow);
    if (++state.packets > MAX_PACKETS) return false;
    const hasTransport = packet.payloadOffset >= 0;
    const from = hasTransport ? packet.payloadOffset : packet.transportOffset;
    const end = from + (hasTransport ? packet.payloadCaptured : packet.insideCaptured);
    const at = this.#insideOf(packet.tunnel, bytes, from, end);
    if (at < 0 || at >= end) return true;
    decode(bytes, at, end - at, packet.networkOffset + packet.networkBytes - at, this.#link, inner);
    if (!inner.hasAddresses) return true;
    if (!state.isReported) {
      state.isReported = true;
      this.#findings.inside?.(flow, inner, null);
    }
    if (inner.payloadCaptured <= 0 || inner.payloadOffset < 0 || inner.laterFragment) return true;
    const ends = endsOf(inner);
    const context = this.#context;
    context.reserve(flow);
    if (ends !== state.ends) {
      if (context.pending(flow) !== null && state.packets % MAX_PENDING !== 0) return true; // another inner flow is in the middle of a message
      context.forget(flow);
      state.ends = ends;
    }
    const fromOpener = inner.sourcePort >= inner.destinationPort;
    this.#named = false;
    if (inner.protocol === PROTOCOL.TCP) this.#tcp.packet(flow, inner, bytes, fromOpener, time);
    else if (inner.protocol === PROTOCOL.UDP) this.#udp.packet(flow, inner, bytes, fromOpener, time);
    return !this.#named;
  }

  #finish(pending: Pending): void {
    if (pending.wait === WAIT.QUIC || pending.wait === WAIT.DTLS) this.#udp.finish(pending);
    else this.#tcp.finish(pending);
  }

  #stateOf(flow: number): { ends: number; packets: number; isReported: boolean } {
    let state = this.#flows.get(flow);
    if (state === undefined) {
      if (this.#flows.size >= MAX_FLOWS) this.forget(this.#flows.keys().next().value as number);
      state = { ends: 0, packets: 0, isReported: false };
      this.#flows.set(flow, state);
    }
    return state;
  }

  /** Offset of the inner packet, and in `#link` its link type; -1 if there is none that we can read. */
  #insideOf(tunnel: number, bytes: Uint8Array, at: number, end: number): number {
    switch (tunnel) {
      case TUNNEL.GRE:
        return this.#afterGre(bytes, at, end);
      case TUNNEL.VXLAN:
        this.#link = LINK.ETHERNET;
        return at + 8;
      case TUNNEL.GENEVE:
        return this.#ofType(u16(bytes, at + 2), at + 8 + ((u8(bytes, at) & 0x3f) << 2));
      case TUNNEL.GTP_U:
        this.#link = LINK.RAW;
        return afterGtp(bytes, at, end);
      case TUNNEL.TEREDO:
        this.#link = LINK.RAW;
        return afterTeredo(bytes, at, end);
      default:
        this.#link = LINK.RAW;
        return at;
    }
  }

  #ofType(type: number, at: number): number {
    if (type !== ETHERTYPE.IPV4 && type !== ETHERTYPE.IPV6 && type !== ETHERNET_INSIDE) return -1;
    this.#link = type === ETHERNET_INSIDE ? LINK.ETHERNET : LINK.RAW;
    return at;
  }

  /** Skips GRE's header, with checksum, key and sequence number if their bits are set (RFC 2784 and 2890). */
  #afterGre(bytes: Uint8Array, at: number, end: number): number {
    if (at + 4 > end) return -1;
    const flags = u16(bytes, at);
    if ((flags & 7) !== 0) return -1;
    const options = ((flags >>> 15) & 1) + ((flags >>> 13) & 1) + ((flags >>> 12) & 1);
    return this.#ofType(u16(bytes, at + 2), at + 4 + 4 * options);
  }
}

/** Skips GTP's header (3GPP TS 29.281 section 5): four more bytes if one of three bits is set, then extensions, each preceded by its length in words. */
function afterGtp(bytes: Uint8Array, from: number, end: number): number {
  const flags = u8(bytes, from);
  if ((flags & 7) === 0) return from + 8;
  let at = from + 12;
  if ((flags & 4) === 0) return at;
  for (let i = 0; i < GTP_EXTENSIONS && at < end; i++) {
    if (u8(bytes, at - 1) === 0) return at;
    const length = u8(bytes, at) << 2;
    if (length === 0) return -1;
    at += length;
  }
  return -1;
}

/** Skips Teredo's optional authentication and origin headers (RFC 4380 section 5.1.1). */
function afterTeredo(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  if (at + 13 <= end && u16(bytes, at) === TEREDO_AUTHENTICATION) at += 13 + u8(bytes, at + 2) + u8(bytes, at + 3);
  if (at + 8 <= end && u16(bytes, at) === TEREDO_ORIGIN) at += 8;
  return at;
}

/** A hash of both ends, equal for both directions; never 0. */
function endsOf({ words, sourcePort, destinationPort, protocol }: Packet): number {
  let hash = protocol + Math.imul(sourcePort ^ destinationPort, 0x9e3779b1) + sourcePort + destinationPort;
  for (let i = 0; i < 4; i++)
    hash = Math.imul(hash ^ ((words[i] as number) ^ (words[i + 4] as number)), 0x85ebca6b) ^ (hash >>> 13);
  return hash | 1;
}
