// Inspects TCP flows: the first bytes from either end decide which reader takes over.

import type { Packet } from '../decode/packet.ts';
import { u8 } from '../net/bytes.ts';
import { DNS_PORT } from '../net/reading.ts';
import { type Context, PHASE_OF } from './context.ts';
import { TCP } from './dns/exchanges.ts';
import { DnsStreams } from './dns/stream.ts';
import { UnicastReader } from './dns/unicast.ts';
import { startsPreface } from './http/http2.ts';
import { startsRequest } from './http/request.ts';
import { Requests } from './http/requests.ts';
import { type Pending, WAIT } from './pending.ts';
import { mayUpgrade, tcpApplication } from './tcp-signatures.ts';
import { tlsByPort } from './tls/applications.ts';
import { looksLikeRecord, startsHello } from './tls/records.ts';
import { StreamAnswers } from './tls/stream-answers.ts';
import { StreamHellos } from './tls/stream-hellos.ts';

/** A keep-alive probe may carry a garbage byte (RFC 9293 section 3.8.4). */
const PROBE_BYTES = 1;

/** Inspects TCP flows. */
export class TcpInspector {
  readonly #context: Context;
  readonly #answers: StreamAnswers;
  readonly #hellos: StreamHellos;
  readonly #requests: Requests;
  readonly #dns: DnsStreams;

  constructor(context: Context) {
    this.#context = context;
    this.#answers = new StreamAnswers(context);
    this.#hellos = new StreamHellos(context, this.#answers);
    this.#requests = new Requests(context);
    this.#dns = new DnsStreams(context, new UnicastReader(context.findings, context.exchanges, TCP));
  }

  /** See `Inspector.packet`. */
  packet(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const phase = context.phase(flow);
    if (phase === PHASE_OF.DONE) return false;
    if (phase >= PHASE_OF.REQUESTED) return this.#requests.readResponse(flow, packet, bytes, time);
    if (phase > PHASE_OF.DONE) return this.#answers.read(flow, packet, bytes, fromOpener, time);
    if (phase === PHASE_OF.WAITING) return this.#resume(context.pending(flow) as Pending, flow, packet, bytes, fromOpener, time);
    if (packet.sourcePort === DNS_PORT || packet.destinationPort === DNS_PORT) {
      context.setPhase(flow, PHASE_OF.DNS);
      return this.#dns.read(flow, null, packet, bytes, fromOpener, time);
    }
    return this.#recognise(flow, packet, bytes, fromOpener, time);
  }

  /** Reports what a flow has, and releases its buffer. */
  finish(pending: Pending): void {
    switch (pending.wait) {
      case WAIT.HELLO:
        this.#hellos.finish(pending);
        break;
      case WAIT.REQUEST:
      case WAIT.HTTP2:
        this.#requests.finish(pending);
        break;
      case WAIT.ANSWER:
        this.#answers.finish(pending);
        break;
      case WAIT.DNS:
        this.#dns.finish(pending);
        break;
      default:
    }
  }

  #resume(pending: Pending, flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    switch (pending.wait) {
      case WAIT.HELLO:
        return this.#hellos.resume(pending, packet, bytes, fromOpener, time);
      case WAIT.ANSWER:
        return this.#answers.resume(pending, packet, bytes, fromOpener, time);
      case WAIT.DNS:
        return this.#dns.read(flow, pending, packet, bytes, fromOpener, time);
      case WAIT.ORPHAN: {
        const wanted = this.#hellos.resumeOrphan(pending, packet, bytes, fromOpener, time);
        return wanted ?? this.#recognise(flow, packet, bytes, fromOpener, time);
      }
      default:
        return this.#requests.resume(pending, packet, bytes, fromOpener, time);
    }
  }

  #recognise(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    const seen = context.count(flow);
    const first = u8(bytes, at);
    if (first >= 0x14 && first <= 0x17) {
      if (startsHello(bytes, at, end)) return this.#hellos.begin(flow, packet, bytes, fromOpener, time);
      if (looksLikeRecord(bytes, at, end, at + packet.payloadBytes)) return this.#secured(flow, packet, first, fromOpener);
    }
    if (first >= 0x41 && first <= 0x5a && at + 4 <= end) {
      if (startsRequest(bytes, at)) return this.#requests.begin(flow, packet, bytes, WAIT.REQUEST, fromOpener, time);
      if (startsPreface(bytes, at, end)) return this.#requests.begin(flow, packet, bytes, WAIT.HTTP2, fromOpener, time);
    }
    const application = tcpApplication(bytes, at, end, packet, time);
    if (application !== null) {
      context.reportApplication(flow, application);
      return mayUpgrade(application) ? context.undecided(flow) : context.done(flow);
    }
    const isWhole = packet.payloadCaptured === packet.payloadBytes;
    if (seen === 0 && fromOpener && isWhole && packet.payloadBytes > PROBE_BYTES)
      return this.#hellos.keepOrphan(flow, packet, bytes, time);
    return context.undecided(flow);
  }

  /** Handles TLS in mid-connection. If this is the server's answer, the hello may still come. */
  #secured(flow: number, packet: Packet, type: number, fromOpener: boolean): boolean {
    const context = this.#context;
    const port = fromOpener ? packet.destinationPort : packet.sourcePort;
    if (type === 0x16 && context.undecided(flow)) return true;
    context.reportApplication(flow, tlsByPort(port) ?? 'tls');
    return context.done(flow);
  }
}
