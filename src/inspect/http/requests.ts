// Reads the first requests of HTTP flows. One packet usually holds a request; longer ones are reassembled by sequence number.

import type { Packet } from '../../decode/packet.ts';
import { LONGEST_REQUEST } from '../../net/reading.ts';
import { sanitizeBytes } from '../../net/text.ts';
import { type Context, PHASE_OF, payloadSequence } from '../context.ts';
import { hostOfAuthority } from '../host-name.ts';
import { type Pending, WAIT } from '../pending.ts';
import { Authority, readFirstRequest } from './http2.ts';
import { REQUEST, Request, type RequestStatus, readRequest, responseStatus } from './request.ts';

/** Bytes kept of a method and of a path's segment. */
const LONGEST_METHOD = 16;
const LONGEST_SEGMENT = 64;
/** Response 101 (RFC 9110 section 15.2.2). */
const SWITCHING = 101;
/** Packets of a flow within which its request must be answered: the most that are counted. */
const MAX_PACKETS = 255;

/** Reads first requests. Each method returns whether the flow's next packet is wanted. */
export class Requests {
  readonly #context: Context;
  readonly #request = new Request();
  readonly #authority = new Authority();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Reads a packet that begins with a method (`startsRequest`) or the HTTP/2 preface (`startsPreface`). */
  begin(
    flow: number,
    packet: Packet,
    bytes: Uint8Array,
    wait: typeof WAIT.REQUEST | typeof WAIT.HTTP2,
    fromOpener: boolean,
    time: number,
  ): boolean {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    const status = this.#read(wait, bytes, at, end);
    if (status === REQUEST.NONE) return context.undecided(flow);
    const isAll = packet.payloadCaptured < packet.payloadBytes || packet.payloadCaptured >= LONGEST_REQUEST;
    if (status === REQUEST.COMPLETE || isAll) return this.#report(flow, wait, bytes, at);
    const pending = context.open(flow, wait, packet, fromOpener, time);
    pending.reassembly.add(0, bytes, at, packet.payloadCaptured);
    return true;
  }

  /** Reads another packet of a flow in the middle of a request. */
  resume(pending: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    if (this.#context.isLate(pending, time)) return this.finish(pending);
    // In HTTP/2 both ends send at once. An HTTP/1 server answers only when it has the whole request, so we missed the rest.
    if (fromOpener !== pending.fromOpener) {
      const { flow } = pending;
      if (pending.wait === WAIT.HTTP2) return true;
      const isOpen = this.finish(pending);
      return this.#context.phase(flow) >= PHASE_OF.REQUESTED ? this.readResponse(flow, packet, bytes, time) : isOpen;
    }
    const { reassembly } = pending;
    const offset = (payloadSequence(packet) - pending.base) | 0;
    if (!reassembly.add(offset, bytes, packet.payloadOffset, packet.payloadCaptured)) return this.finish(pending);
    const status = this.#read(pending.wait, reassembly.bytes, 0, reassembly.contiguous);
    const isOver = reassembly.contiguous === reassembly.bytes.length || packet.payloadCaptured < packet.payloadBytes;
    return status === REQUEST.CUT && !isOver ? true : this.finish(pending);
  }

  /** Reports what is there, complete or not. */
  finish(pending: Pending): boolean {
    const { flow, wait, reassembly } = pending;
    const status = this.#read(wait, reassembly.bytes, 0, reassembly.contiguous);
    this.#context.close(pending);
    return status === REQUEST.NONE ? this.#context.done(flow) : this.#report(flow, wait, reassembly.bytes, 0);
  }

  #read(wait: number, bytes: Uint8Array, at: number, end: number): RequestStatus {
    return wait === WAIT.HTTP2 ? readFirstRequest(bytes, at, end, this.#authority) : readRequest(bytes, at, end, this.#request);
  }

  #report(flow: number, wait: number, bytes: Uint8Array, at: number): boolean {
    const context = this.#context;
    const request = this.#request;
    const authority = this.#authority;
    let name: string | null = null;
    if (wait === WAIT.HTTP2) {
      if (authority.length > 0) name = hostOfAuthority(authority.bytes, 0, authority.length);
    } else if (request.hostFrom >= 0) name = hostOfAuthority(bytes, request.hostFrom, request.hostTo);
    context.reportApplication(flow, wait === WAIT.HTTP2 ? 'http' : request.application);
    if (name !== null) context.findings.serverName(flow, 'http', name, false);
    return wait === WAIT.REQUEST && request.application === 'http' && request.methodBytes > 0
      ? this.#await(flow, bytes, at)
      : context.done(flow);
  }

  /** Reports the request, and begins to wait for its answer. */
  #await(flow: number, bytes: Uint8Array, at: number): boolean {
    const context = this.#context;
    const { methodBytes, segmentFrom, segmentTo, connects } = this.#request;
    if (context.talk === null) return connects ? context.undecided(flow) : context.done(flow);
    const method = sanitizeBytes(bytes, at, at + Math.min(methodBytes, LONGEST_METHOD));
    const segment =
      segmentFrom < 0 ? null : sanitizeBytes(bytes, segmentFrom, Math.min(segmentTo, segmentFrom + LONGEST_SEGMENT));
    context.talk.requested(flow, method, segment, context.time);
    context.setPhase(flow, connects ? PHASE_OF.TUNNEL_REQUESTED : PHASE_OF.REQUESTED);
    return true;
  }

  /** Reads a packet of a flow whose request was reported. What the opener still sends belongs to the request. */
  readResponse(flow: number, packet: Packet, bytes: Uint8Array, time: number): boolean {
    const context = this.#context;
    const at = packet.payloadOffset;
    const status = responseStatus(bytes, at, at + packet.payloadCaptured);
    // An interim response precedes the one that counts (RFC 9110 section 15.2), but for a change of protocols.
    const isFinal = status >= 200 || status === SWITCHING;
    if (isFinal) context.talk?.responded(flow, status, time);
    // A hello may follow inside of the tunnel.
    if (isFinal && status < 300 && context.phase(flow) === PHASE_OF.TUNNEL_REQUESTED) return context.undecided(flow);
    return isFinal || context.count(flow) >= MAX_PACKETS ? context.done(flow) : true;
  }
}
