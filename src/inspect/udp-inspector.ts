// Inspects UDP flows: protocols that carry names (DNS, DHCP ...) for as long as they live, all others by their first datagrams.

import type { Packet } from '../decode/packet.ts';
import { u8 } from '../net/bytes.ts';
import { QUIC_LONG } from '../net/reading.ts';
import { type Context, PHASE_OF, type Phase } from './context.ts';
import { DhcpReader } from './dhcp.ts';
import { UDP } from './dns/exchanges.ts';
import { MulticastReader } from './dns/multicast.ts';
import { NetbiosReader } from './dns/netbios.ts';
import { looksLikeDns } from './dns/records.ts';
import { UnicastReader } from './dns/unicast.ts';
import { type Pending, WAIT } from './pending.ts';
import { QuicAnswers } from './quic/answers.ts';
import { looksLikeGoogleQuic } from './quic/google.ts';
import { QuicHellos } from './quic/hellos.ts';
import { DatagramHellos, looksLikeDatagramRecord } from './tls/datagram-hellos.ts';
import { canBeRtp, RtpCandidates, udpApplication } from './udp-signatures.ts';

const PORT = { DNS: 53, DHCP_SERVER: 67, DHCP_CLIENT: 68, NETBIOS: 137, MDNS: 5353, LLMNR: 5355 } as const;

/** Inspects UDP flows. */
export class UdpInspector {
  readonly #context: Context;
  readonly #answers: QuicAnswers;
  readonly #quic: QuicHellos;
  readonly #datagrams: DatagramHellos;
  readonly #unicast: UnicastReader;
  readonly #multicast: MulticastReader;
  readonly #netbios: NetbiosReader;
  readonly #dhcp: DhcpReader;
  readonly #rtp = new RtpCandidates();

  constructor(context: Context) {
    this.#context = context;
    this.#answers = new QuicAnswers(context);
    this.#quic = new QuicHellos(context, this.#answers);
    this.#datagrams = new DatagramHellos(context);
    this.#unicast = new UnicastReader(context.findings, context.exchanges, UDP);
    this.#multicast = new MulticastReader(context.findings, context.exchanges);
    this.#netbios = new NetbiosReader(context.findings);
    this.#dhcp = new DhcpReader(context.findings);
  }

  /** See `Inspector.packet`. */
  packet(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const phase = context.phase(flow);
    switch (phase) {
      case PHASE_OF.DONE:
        return false;
      case PHASE_OF.WAITING: {
        const pending = context.pending(flow) as Pending;
        if (pending.wait === WAIT.QUIC_ANSWER) return this.#answers.read(pending, packet, bytes, fromOpener, time);
        if (pending.wait === WAIT.DTLS) return this.#datagrams.read(flow, pending, packet, bytes, fromOpener, time);
        return this.#quic.read(flow, pending, packet, bytes, fromOpener, time) ?? true;
      }
      case PHASE_OF.NEW: {
        const naming = namingPhase(packet);
        if (naming !== PHASE_OF.NEW && this.#readNaming(flow, naming, packet, bytes, time)) {
          context.setPhase(flow, naming);
          return true;
        }
        return this.#recognise(flow, packet, bytes, fromOpener, time);
      }
      case PHASE_OF.AWAITS_OPENER:
      case PHASE_OF.AWAITS_OTHER:
        return this.#answers.readEnd(flow, packet, bytes, fromOpener, time);
      case PHASE_OF.WATCHED:
        return this.#recognise(flow, packet, bytes, fromOpener, time);
      default:
        this.#readNaming(flow, phase, packet, bytes, time);
        return true;
    }
  }

  /** See `Inspector.isAnother`. */
  isAnother(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean): boolean {
    return this.#quic.isAnother(flow, packet, bytes, fromOpener);
  }

  /** Whether the flow's hello was read, and what follows it is waited for. */
  hasHello(flow: number): boolean {
    const phase = this.#context.phase(flow);
    if (phase === PHASE_OF.WAITING) return this.#context.pending(flow)?.wait === WAIT.QUIC_ANSWER;
    return phase === PHASE_OF.AWAITS_OPENER || phase === PHASE_OF.AWAITS_OTHER;
  }

  /** Drops what is known about a flow outside the context. */
  forget(flow: number): void {
    this.#quic.forget(flow);
  }

  /** Reports what a flow has, and releases its buffer. */
  finish(pending: Pending): void {
    if (pending.wait === WAIT.DTLS) this.#datagrams.finish(pending);
    else if (pending.wait === WAIT.QUIC_ANSWER) this.#answers.finish(pending);
    else this.#quic.finish(pending);
  }

  /** Reads a datagram of a protocol that carries names. @returns false if it isn't one */
  #readNaming(flow: number, phase: Phase, packet: Packet, bytes: Uint8Array, time: number): boolean {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    if (phase === PHASE_OF.DHCP) {
      if (!this.#dhcp.read(flow, bytes, at, end)) return false;
      context.reportApplication(flow, 'dhcp');
      return true;
    }
    if (!looksLikeDns(bytes, at, end, packet.payloadBytes, false)) return false;
    context.exchanges.begin(packet, time);
    switch (phase) {
      case PHASE_OF.DNS:
        context.reportApplication(flow, 'dns');
        if (packet.sourcePort === PORT.DNS) this.#unicast.read(flow, 'dns', bytes, at, end);
        else this.#unicast.query(flow, 'dns', bytes, at, end);
        break;
      case PHASE_OF.MDNS:
        context.reportApplication(flow, 'mdns');
        // Answers from any other port must be ignored (RFC 6762 section 6).
        if (packet.sourcePort === PORT.MDNS) this.#multicast.read(flow, bytes, at, end);
        if (packet.destinationPort === PORT.MDNS) this.#multicast.query(flow, bytes, at, end);
        break;
      case PHASE_OF.LLMNR:
        context.reportApplication(flow, 'llmnr');
        if (packet.sourcePort === PORT.LLMNR) this.#unicast.read(flow, 'llmnr', bytes, at, end);
        else this.#unicast.query(flow, 'llmnr', bytes, at, end);
        break;
      default:
        context.reportApplication(flow, 'netbios-ns');
        if (packet.sourcePort === PORT.NETBIOS) this.#netbios.read(flow, bytes, at, end, packet.words);
    }
    return true;
  }

  #recognise(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    context.count(flow);
    const first = u8(bytes, at);
    if ((first & QUIC_LONG) === QUIC_LONG) {
      const wanted = this.#quic.read(flow, null, packet, bytes, fromOpener, time);
      if (wanted !== null) return wanted;
    } else if (looksLikeGoogleQuic(bytes, at, end)) return this.#quic.readGoogle(flow, bytes, at, end);
    if (first >= 0x14 && first <= 0x17 && looksLikeDatagramRecord(bytes, at, end, at + packet.payloadBytes))
      return this.#datagrams.read(flow, null, packet, bytes, fromOpener, time);
    const application = udpApplication(bytes, at, end, packet, time);
    if (application === 'stun') {
      context.reportConnecting(flow);
      return context.undecided(flow);
    }
    if (application !== null) {
      context.reportApplication(flow, application);
      return context.done(flow);
    }
    if (canBeRtp(bytes, at, end) && this.#rtp.note(flow, bytes, at)) {
      context.reportApplication(flow, 'rtp');
      return context.done(flow);
    }
    return context.undecided(flow);
  }
}

/** The phase that a flow's ports suggest; NEW if they say nothing. */
function namingPhase({ sourcePort, destinationPort }: Packet): Phase {
  switch (sourcePort < destinationPort ? sourcePort : destinationPort) {
    case PORT.DNS:
      return PHASE_OF.DNS;
    case PORT.DHCP_SERVER:
    case PORT.DHCP_CLIENT:
      return PHASE_OF.DHCP;
    case PORT.NETBIOS:
      return PHASE_OF.NETBIOS;
    default:
  }
  if (sourcePort === PORT.MDNS || destinationPort === PORT.MDNS) return PHASE_OF.MDNS;
  return sourcePort === PORT.LLMNR || destinationPort === PORT.LLMNR ? PHASE_OF.LLMNR : PHASE_OF.NEW;
}
