// ClientHellos over TCP: read where they lie when one packet holds them, else put together by sequence numbers.

import type { Packet } from '../../decode/packet.ts';
import { u16 } from '../../net/bytes.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { payloadSequence } from '../context.ts';
import { type Pending, WAIT } from '../pending.ts';
import { HELLO, type HelloStatus, readClientHello } from './client-hello.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength, RECORD_HEADER_BYTES, startsHello, unwrapRecords } from './records.ts';

const CLIENT_HELLO = 1;
const HEADERS_BYTES = RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES;
/** Room in front of a piece whose beginning was not seen yet: three segments of a local network. */
const ORPHAN_BYTES = 4608;
/** Packets for which such a piece is kept. */
const ORPHAN_PACKETS = 4;

/** Reads hellos of flows. Each method returns whether the flow's next packet is wanted. */
export class StreamHellos {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** A packet that begins like a hello (`startsHello`). */
  begin(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    const body = at + HEADERS_BYTES;
    if (body <= end) {
      const length = handshakeLength(bytes, at + RECORD_HEADER_BYTES);
      const inOneRecord = u16(bytes, at + 3) >= HANDSHAKE_HEADER_BYTES + length;
      const isCut = packet.payloadCaptured < packet.payloadBytes;
      if (inOneRecord && (isCut || body + length <= end)) {
        const status = readClientHello(bytes, body, end, body + length, false, context.hello);
        return this.#tell(flow, bytes, status, fromOpener ? packet.destinationPort : packet.sourcePort);
      }
    }
    const room = context.open(flow, WAIT.HELLO, packet, fromOpener, time);
    return this.#add(room, packet, bytes);
  }

  /** A piece of something from the opener that may be the rest of a hello whose beginning was overtaken. */
  keepOrphan(flow: number, packet: Packet, bytes: Uint8Array, time: number): true {
    const room = this.#context.open(flow, WAIT.ORPHAN, packet, true, time);
    room.base = (payloadSequence(packet) - ORPHAN_BYTES) | 0;
    room.reassembly.add(ORPHAN_BYTES, bytes, packet.payloadOffset, packet.payloadCaptured);
    return true;
  }

  /** A further packet of a flow with an orphan. @returns null when it is no part of a hello, and the orphan was dropped */
  resumeOrphan(room: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean | null {
    const late = this.#context.isLate(room, time) || room.packets > ORPHAN_PACKETS;
    if (fromOpener && !late) {
      const at = packet.payloadOffset;
      const offset = (payloadSequence(packet) - room.base) | 0;
      if (offset >= 0 && offset < ORPHAN_BYTES && startsHello(bytes, at, at + packet.payloadCaptured)) {
        room.reassembly.dropFront(offset);
        room.base = payloadSequence(packet);
        room.wait = WAIT.HELLO;
        room.packets = 0;
        return this.#add(room, packet, bytes);
      }
      // A hello that comes behind the piece: that was a preamble (a PROXY line), no part of it.
      if (offset >= ORPHAN_BYTES && startsHello(bytes, at, at + packet.payloadCaptured)) {
        this.#context.close(room);
        return null;
      }
      room.reassembly.add(offset, bytes, at, packet.payloadCaptured);
    }
    if (!late && fromOpener) return true;
    this.#context.close(room);
    return null;
  }

  /** A further packet of a flow in the middle of a hello. */
  resume(room: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    // The other end answers when it has the whole hello: what is missing was lost to us.
    if (fromOpener !== room.fromOpener || this.#context.isLate(room, time)) return this.finish(room);
    return this.#add(room, packet, bytes);
  }

  /** Tells what is there, though it may not be all. */
  finish(room: Pending): false {
    const { flow, port } = room;
    const { hello, handshake } = this.#context;
    const length = this.#unwrap(room);
    const status =
      length > HANDSHAKE_HEADER_BYTES
        ? readClientHello(handshake, HANDSHAKE_HEADER_BYTES, length, bodyEnd(handshake), false, hello)
        : HELLO.BROKEN;
    this.#context.close(room);
    this.#tell(flow, handshake, status, port);
    return this.#context.done(flow);
  }

  #add(room: Pending, packet: Packet, bytes: Uint8Array): boolean {
    const offset = (payloadSequence(packet) - room.base) | 0;
    if (!room.reassembly.add(offset, bytes, packet.payloadOffset, packet.payloadCaptured)) return this.finish(room);
    const { handshake, hello } = this.#context;
    const length = this.#unwrap(room);
    if (length < 0) return this.#drop(room);
    if (length >= HANDSHAKE_HEADER_BYTES) {
      if (handshake[0] !== CLIENT_HELLO || handshakeLength(handshake, 0) > LONGEST_HELLO) return this.#drop(room);
      const end = bodyEnd(handshake);
      if (length >= end) {
        const { flow, port } = room;
        const status = readClientHello(handshake, HANDSHAKE_HEADER_BYTES, length, end, false, hello);
        this.#context.close(room);
        return this.#tell(flow, handshake, status, port);
      }
    }
    // Bulk packets are cut by the capture: a hole that nothing will fill.
    return packet.payloadCaptured < packet.payloadBytes ? this.finish(room) : true;
  }

  #unwrap(room: Pending): number {
    return unwrapRecords(room.reassembly.bytes, room.reassembly.contiguous, this.#context.handshake);
  }

  #drop(room: Pending): boolean {
    const { flow } = room;
    this.#context.close(room);
    return this.#context.undecided(flow);
  }

  #tell(flow: number, bytes: Uint8Array, status: HelloStatus, port: number): boolean {
    if (status === HELLO.BROKEN) return this.#context.undecided(flow);
    this.#context.tellHello(flow, bytes, 'tls', port, 'tls');
    return this.#context.done(flow);
  }
}

function bodyEnd(handshake: Uint8Array): number {
  return HANDSHAKE_HEADER_BYTES + handshakeLength(handshake, 0);
}
