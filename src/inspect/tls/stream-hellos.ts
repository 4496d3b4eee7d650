// Reads ClientHellos over TCP: in place if one packet holds them, else reassembled by sequence number.

import type { Packet } from '../../decode/packet.ts';
import { u16 } from '../../net/bytes.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { payloadSequence } from '../context.ts';
import { type Pending, WAIT } from '../pending.ts';
import { HELLO, type HelloStatus, readClientHello } from './client-hello.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength, RECORD_HEADER_BYTES, startsHello, unwrapRecords } from './records.ts';
import type { StreamAnswers } from './stream-answers.ts';

const CLIENT_HELLO = 1;
const HEADERS_BYTES = RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES;
/** How much may precede an orphaned piece: three Ethernet segments. */
const ORPHAN_BYTES = 4608;
/** Packets for which an orphan is kept. */
const ORPHAN_PACKETS = 4;

/** Reads hellos. Each method returns whether the flow's next packet is wanted. */
export class StreamHellos {
  readonly #context: Context;
  readonly #answers: StreamAnswers;

  /** @param answers reads what follows each hello */
  constructor(context: Context, answers: StreamAnswers) {
    this.#context = context;
    this.#answers = answers;
  }

  /** Reads a packet that begins like a hello (`startsHello`). */
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
        return this.#report(flow, bytes, status, fromOpener ? packet.destinationPort : packet.sourcePort);
      }
    }
    const pending = context.open(flow, WAIT.HELLO, packet, fromOpener, time);
    return this.#add(pending, packet, bytes);
  }

  /** Keeps a piece that may be the rest of a hello, in case reordering put it before the hello's beginning. */
  keepOrphan(flow: number, packet: Packet, bytes: Uint8Array, time: number): true {
    const pending = this.#context.open(flow, WAIT.ORPHAN, packet, true, time);
    pending.base = (payloadSequence(packet) - ORPHAN_BYTES) | 0;
    pending.reassembly.add(ORPHAN_BYTES, bytes, packet.payloadOffset, packet.payloadCaptured);
    return true;
  }

  /** Reads another packet of a flow with an orphan. @returns null if it dropped the orphan because that isn't part of a hello */
  resumeOrphan(pending: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean | null {
    const late = this.#context.isLate(pending, time) || pending.packets > ORPHAN_PACKETS;
    if (fromOpener && !late) {
      const at = packet.payloadOffset;
      const offset = (payloadSequence(packet) - pending.base) | 0;
      if (offset >= 0 && offset < ORPHAN_BYTES && startsHello(bytes, at, at + packet.payloadCaptured)) {
        pending.reassembly.dropFront(offset);
        pending.base = payloadSequence(packet);
        pending.wait = WAIT.HELLO;
        pending.packets = 0;
        return this.#add(pending, packet, bytes);
      }
      // A hello after the piece: the piece was a preamble (a PROXY line), not part of the hello.
      if (offset >= ORPHAN_BYTES && startsHello(bytes, at, at + packet.payloadCaptured)) {
        this.#context.close(pending);
        return null;
      }
      pending.reassembly.add(offset, bytes, at, packet.payloadCaptured);
    }
    if (!late && fromOpener) return true;
    this.#context.close(pending);
    return null;
  }

  /** Reads another packet of a flow in the middle of a hello. */
  resume(pending: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const { flow } = pending;
    // The other end answers only when it has the whole hello, so we missed the rest.
    if (fromOpener !== pending.fromOpener)
      return this.finish(pending) && this.#answers.read(flow, packet, bytes, fromOpener, time);
    if (this.#context.isLate(pending, time)) return this.finish(pending);
    return this.#add(pending, packet, bytes);
  }

  /** Reports what is there, complete or not. */
  finish(pending: Pending): boolean {
    const { flow, port } = pending;
    const { hello, handshake } = this.#context;
    const length = this.#unwrap(pending);
    const status =
      length > HANDSHAKE_HEADER_BYTES
        ? readClientHello(handshake, HANDSHAKE_HEADER_BYTES, length, bodyEnd(handshake), false, hello)
        : HELLO.BROKEN;
    this.#context.close(pending);
    if (status === HELLO.BROKEN) return this.#context.done(flow);
    return this.#report(flow, handshake, status, port);
  }

  #add(pending: Pending, packet: Packet, bytes: Uint8Array): boolean {
    const offset = (payloadSequence(packet) - pending.base) | 0;
    if (!pending.reassembly.add(offset, bytes, packet.payloadOffset, packet.payloadCaptured)) return this.finish(pending);
    const { handshake, hello } = this.#context;
    const length = this.#unwrap(pending);
    if (length < 0) return this.#drop(pending);
    if (length >= HANDSHAKE_HEADER_BYTES) {
      if (handshake[0] !== CLIENT_HELLO || handshakeLength(handshake, 0) > LONGEST_HELLO) return this.#drop(pending);
      const end = bodyEnd(handshake);
      if (length >= end) {
        const { flow, port } = pending;
        const status = readClientHello(handshake, HANDSHAKE_HEADER_BYTES, length, end, false, hello);
        this.#context.close(pending);
        return this.#report(flow, handshake, status, port);
      }
    }
    // The capture truncates bulk packets, which leaves a hole that nothing will fill.
    return packet.payloadCaptured < packet.payloadBytes ? this.finish(pending) : true;
  }

  #unwrap(pending: Pending): number {
    return unwrapRecords(pending.reassembly.bytes, pending.reassembly.contiguous, this.#context.handshake);
  }

  #drop(pending: Pending): boolean {
    const { flow } = pending;
    this.#context.close(pending);
    return this.#context.undecided(flow);
  }

  #report(flow: number, bytes: Uint8Array, status: HelloStatus, port: number): boolean {
    if (status === HELLO.BROKEN) return this.#context.undecided(flow);
    this.#context.reportHello(flow, bytes, 'tls', port, 'tls');
    return this.#answers.await(flow);
  }
}

function bodyEnd(handshake: Uint8Array): number {
  return HANDSHAKE_HEADER_BYTES + handshakeLength(handshake, 0);
}
