// First requests of HTTP flows: in one packet as a rule, put together by sequence numbers where they are longer.

import type { Packet } from '../../decode/packet.ts';
import { LONGEST_REQUEST } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { payloadSequence } from '../context.ts';
import { hostOfAuthority } from '../host-name.ts';
import { type Pending, WAIT } from '../pending.ts';
import { Authority, readFirstRequest } from './http2.ts';
import { REQUEST, Request, type RequestStatus, readRequest } from './request.ts';

/** Reads requests of flows. Each method returns whether the flow's next packet is wanted. */
export class Requests {
  readonly #context: Context;
  readonly #request = new Request();
  readonly #authority = new Authority();

  constructor(context: Context) {
    this.#context = context;
  }

  /** A packet that begins with a method (`startsRequest`), or with the preface of HTTP/2. */
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
    if (status === REQUEST.COMPLETE || isAll) return this.#tell(flow, wait, bytes);
    const room = context.open(flow, wait, packet, fromOpener, time);
    room.reassembly.add(0, bytes, at, packet.payloadCaptured);
    return true;
  }

  /** A further packet of a flow in the middle of a request. */
  resume(room: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    if (this.#context.isLate(room, time)) return this.finish(room);
    // HTTP/2 speaks from both ends at once; a server of HTTP/1 answers what it has in whole.
    if (fromOpener !== room.fromOpener) return room.wait === WAIT.HTTP2 ? true : this.finish(room);
    const { reassembly } = room;
    const offset = (payloadSequence(packet) - room.base) | 0;
    if (!reassembly.add(offset, bytes, packet.payloadOffset, packet.payloadCaptured)) return this.finish(room);
    const status = this.#read(room.wait, reassembly.bytes, 0, reassembly.contiguous);
    const isOver = reassembly.contiguous === reassembly.bytes.length || packet.payloadCaptured < packet.payloadBytes;
    return status === REQUEST.CUT && !isOver ? true : this.finish(room);
  }

  /** Tells what is there, though it may not be all. */
  finish(room: Pending): false {
    const { flow, wait, reassembly } = room;
    const status = this.#read(wait, reassembly.bytes, 0, reassembly.contiguous);
    this.#context.close(room);
    if (status !== REQUEST.NONE) this.#tell(flow, wait, reassembly.bytes);
    return this.#context.done(flow);
  }

  #read(wait: number, bytes: Uint8Array, at: number, end: number): RequestStatus {
    return wait === WAIT.HTTP2 ? readFirstRequest(bytes, at, end, this.#authority) : readRequest(bytes, at, end, this.#request);
  }

  #tell(flow: number, wait: number, bytes: Uint8Array): boolean {
    const context = this.#context;
    const request = this.#request;
    const authority = this.#authority;
    let name: string | null = null;
    if (wait === WAIT.HTTP2) {
      if (authority.length > 0) name = hostOfAuthority(authority.bytes, 0, authority.length);
    } else if (request.hostFrom >= 0) name = hostOfAuthority(bytes, request.hostFrom, request.hostTo);
    context.tellApplication(flow, wait === WAIT.HTTP2 ? 'http' : request.application);
    if (name !== null) context.findings.serverName(flow, 'http', name, false);
    // A tunnel to a mere address: the hello inside of it may name what is there.
    else if (wait === WAIT.REQUEST && request.connects) return context.undecided(flow);
    return context.done(flow);
  }
}
