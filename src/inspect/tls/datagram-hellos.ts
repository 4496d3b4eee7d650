// Reads ClientHellos over UDP: DTLS 1.0 to 1.3 (RFC 6347 section 4.2, RFC 9147 section 5), in one datagram or in fragments.

import type { Packet } from '../../decode/packet.ts';
import { u8, u16 } from '../../net/bytes.ts';
import { TLS_HANDSHAKE as HANDSHAKE, LONGEST_HELLO } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { type Pending, WAIT } from '../pending.ts';
import { HELLO, type HelloStatus, readClientHello } from './client-hello.ts';

const RECORD_HEADER_BYTES = 13;
const HEADERS_BYTES = RECORD_HEADER_BYTES + 12;
const APPLICATION_DATA = 0x17;
const CLIENT_HELLO = 1;
const MAX_RECORDS = 8;
const COAPS_PORT = 5684;

/** Whether the bytes can be a DTLS record, encrypted or not. The caller has checked that there is one byte. */
export function looksLikeDatagramRecord(bytes: Uint8Array, at: number, end: number, wireEnd: number): boolean {
  if (at + RECORD_HEADER_BYTES >= end) return false;
  const type = u8(bytes, at);
  const version = u16(bytes, at + 1);
  if (type < 0x14 || type > APPLICATION_DATA || (version !== 0xfeff && version !== 0xfefd)) return false;
  const length = u16(bytes, at + 11);
  return length > 0 && at + RECORD_HEADER_BYTES + length <= wireEnd && (type !== APPLICATION_DATA || u16(bytes, at + 3) > 0);
}

/** Reads hellos. Each method returns whether the flow's next packet is wanted. */
export class DatagramHellos {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Reads a datagram of records (`looksLikeDatagramRecord`). @param pending the flow's pending message, if any */
  read(flow: number, pending: Pending | null, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const end = packet.payloadOffset + packet.payloadCaptured;
    if (pending !== null && (pending.fromOpener !== fromOpener || context.isLate(pending, time))) return this.finish(pending);
    let at = packet.payloadOffset;
    let held = pending;
    for (let record = 0; record < MAX_RECORDS && at + HEADERS_BYTES <= end; record++) {
      const next = at + RECORD_HEADER_BYTES + u16(bytes, at + 11);
      if (!isHello(bytes, at, next)) break;
      const length = u24(bytes, at + 14);
      const offset = u24(bytes, at + 19);
      const size = u24(bytes, at + 22);
      const body = at + HEADERS_BYTES;
      if (length > LONGEST_HELLO || offset + size > length || body + size > next) return context.undecided(flow);
      if (size === length) {
        if (held !== null) context.close(held);
        const status = readClientHello(bytes, body, end, body + length, true, context.hello);
        return this.#report(flow, bytes, status, fromOpener ? packet.destinationPort : packet.sourcePort);
      }
      held ??= context.open(flow, WAIT.DTLS, packet, fromOpener, time);
      const message = u16(bytes, at + 17);
      if (message !== held.base) held.reassembly.clear(); // a second hello, with a cookie
      held.base = message;
      held.needed = length;
      if (body + size > end || !held.reassembly.add(offset, bytes, body, size)) return this.finish(held);
      if (held.reassembly.contiguous >= length) return this.finish(held);
      at = next;
    }
    if (held !== null) return true;
    // Encrypted data, or a later handshake message.
    if (u8(bytes, packet.payloadOffset) !== APPLICATION_DATA) return context.undecided(flow);
    context.reportApplication(flow, applicationOf(packet.sourcePort, packet.destinationPort, context.isConnecting(flow)));
    return context.done(flow);
  }

  /** Reports what is there, complete or not. */
  finish(pending: Pending): false {
    const { flow, port, needed, reassembly } = pending;
    const status = readClientHello(reassembly.bytes, 0, reassembly.contiguous, needed, true, this.#context.hello);
    this.#context.close(pending);
    this.#report(flow, reassembly.bytes, status, port);
    return this.#context.done(flow);
  }

  #report(flow: number, bytes: Uint8Array, status: HelloStatus, port: number): boolean {
    const context = this.#context;
    if (status === HELLO.BROKEN) return context.undecided(flow);
    context.reportHello(flow, bytes, 'tls', 0, applicationOf(port, port, context.hello.srtp || context.isConnecting(flow)));
    return context.done(flow);
  }
}

/** @param isCall the hello asks for SRTP keys, or ICE preceded it, as for data channels (RFC 8831 section 5) */
function applicationOf(port: number, other: number, isCall: boolean): string {
  if (isCall) return 'webrtc';
  return port === COAPS_PORT || other === COAPS_PORT ? 'coaps' : 'dtls';
}

/** Whether the record has epoch 0 and a ClientHello. */
function isHello(bytes: Uint8Array, at: number, next: number): boolean {
  return (
    u8(bytes, at) === HANDSHAKE && u16(bytes, at + 3) === 0 && next >= at + HEADERS_BYTES && u8(bytes, at + 13) === CLIENT_HELLO
  );
}

function u24(bytes: Uint8Array, at: number): number {
  return (u8(bytes, at) << 16) | u16(bytes, at + 1);
}
