// Reads the first requests of HTTP flows. One packet usually holds a request; longer ones are reassembled by sequence number.

import type { Packet } from '../../decode/packet.ts';
import { LONGEST_REQUEST } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { payloadSequence } from '../context.ts';
import { hostOfAuthority } from '../host-name.ts';
import { type Pending, WAIT } from '../pending.ts';
import { Authority, readFirstRequest } from './http2.ts';
import { REQUEST, Request, type RequestStatus, readRequest } from './request.ts';

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
    if (status === REQUEST.COMPLETE || isAll) return this.#report(flow, wait, bytes);
    const pending = context.open(flow, wait, packet, fromOpener, time);
    pending.reassembly.add(0, bytes, at, packet.payloadCaptured);
    return true;
  }

  /** Reads another packet of a flow in the middle of a request. */
  resume(pending: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    if (this.#context.isLate(pending, time)) return this.finish(pending);
    // In HTTP/2 both ends send at once. An HTTP/1 server answers only when it has the whole request, so we missed the rest.
    if (fromOpener !== pending.fromOpener) return pending.wait === WAIT.HTTP2 ? true : this.finish(pending);
    const { reassembly } = pending;
    const offset = (payloadSequence(packet) - pending.base) | 0;
    if (!reassembly.add(offset, bytes, packet.payloadOffset, packet.payloadCaptured)) return this.finish(pending);
    const status = this.#read(pending.wait, reassembly.bytes, 0, reassembly.contiguous);
    const isOver = reassembly.contiguous === reassembly.bytes.length || packet.payloadCaptured < packet.payloadBytes;
    return status === REQUEST.CUT && !isOver ? true : this.finish(pending);
  }

  /** Reports what is there, complete or not. */
  finish(pending: Pending): false {
    const { flow, wait, reassembly } = pending;
    const status = this.#read(wait, reassembly.bytes, 0, reassembly.contiguous);
    this.#context.close(pending);
    if (status !== REQUEST.NONE) this.#report(flow, wait, reassembly.bytes);
    return this.#context.done(flow);
  }

  #read(wait: number, bytes: Uint8Array, at: number, end: number): RequestStatus {
    return wait === WAIT.HTTP2 ? readFirstRequest(bytes, at, end, this.#authority) : readRequest(bytes, at, end, this.#request);
  }

  #report(flow: number, wait: number, bytes: Uint8Array): boolean {
    const context = this.#context;
    const request = this.#request;
    const authority = this.#authority;
    let name: string | null = null;
    if (wait === WAIT.HTTP2) {
      if (authority.length > 0) name = hostOfAuthority(authority.bytes, 0, authority.length);
    } else if (request.hostFrom >= 0) name = hostOfAuthority(bytes, request.hostFrom, request.hostTo);
    context.reportApplication(flow, wait === WAIT.HTTP2 ? 'http' : request.application);
    if (name !== null) context.findings.serverName(flow, 'http', name, false);
    // A tunnel to an address: the hello inside it may have a name.
    else if (wait === WAIT.REQUEST && request.connects) return context.undecided(flow);
    return context.done(flow);
  }
}
