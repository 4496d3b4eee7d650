// Reads what follows a ClientHello over QUIC: the server's hello, in its first packets, and the client's first packet with the keys of the connection,
// which ends the handshake. Everything else is encrypted with keys that nobody else has.

import type { Packet } from '../../decode/packet.ts';
import { u8 } from '../../net/bytes.ts';
import { type Context, PHASE_OF, sessionOf } from '../context.ts';
import { type InitialKeys, type Pending, WAIT } from '../pending.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength } from '../tls/records.ts';
import { readServerHello } from '../tls/server-hello.ts';
import { Cursor, LongHeader, payloadAt, readLongHeader, takeCrypto } from './header.ts';
import { initialKeys, openInitial, quicVersion, serverKeys } from './initial.ts';

/** Most packets read in one datagram. */
const MAX_COALESCED = 4;
/** Packets of a flow within which its handshake must be over. */
const MAX_PACKETS = 48;
const SERVER_HELLO = 2;
/** Bits of the first byte, and those of a short header. */
const FORM = 0xc0;
const SHORT = 0x40;

/** Reads answers. Each method returns whether the flow's next packet is wanted. */
export class QuicAnswers {
  readonly #context: Context;
  readonly #header = new LongHeader();
  readonly #cursor = new Cursor();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins to wait for the answer to a hello that was just reported. @param keys of the client */
  await(flow: number, packet: Packet, keys: InitialKeys | null, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    if (context.talk === null || keys === null) return context.done(flow);
    context.open(flow, WAIT.QUIC_ANSWER, packet, fromOpener, time).keys = serverKeys(keys);
    return true;
  }

  /** Reads a datagram of a flow that waits for its server's hello. */
  read(pending: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const { flow } = pending;
    if (context.isLate(pending, time)) return this.finish(pending);
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    if (fromOpener === pending.fromOpener) {
      if (pending.keys === null) this.#takeKeys(pending, bytes, at, end);
      return true;
    }
    if (packet.payloadCaptured < packet.payloadBytes || !this.#decrypt(pending, bytes, at, end)) return true;
    if (!this.#tryHello(pending, time)) return true;
    context.close(pending);
    context.setPhase(flow, fromOpener ? PHASE_OF.AWAITS_OTHER : PHASE_OF.AWAITS_OPENER);
    return true;
  }

  /** Reads a datagram of a flow that waits for the handshake's end. */
  readEnd(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const awaited = fromOpener ? PHASE_OF.AWAITS_OPENER : PHASE_OF.AWAITS_OTHER;
    if (context.phase(flow) === awaited && (u8(bytes, packet.payloadOffset) & FORM) === SHORT) {
      context.talk?.secured(flow, time);
      return context.done(flow);
    }
    return context.count(flow) < MAX_PACKETS || context.done(flow);
  }

  /** Gives up. */
  finish(pending: Pending): false {
    this.#context.close(pending);
    return false;
  }

  /** After a Retry, the client's next Initial has the connection ID that keys come from (RFC 9001 section 5.2). */
  #takeKeys(pending: Pending, bytes: Uint8Array, at: number, end: number): void {
    const header = this.#header;
    if (!readLongHeader(bytes, at, end, header)) return;
    const version = quicVersion(header.version);
    const { destinationFrom: from, destinationLength } = header;
    if (version !== undefined && header.type === version.initial)
      pending.keys = serverKeys(initialKeys(version, bytes.subarray(from, from + destinationLength)));
  }

  /** Collects the handshake bytes of a datagram's Initials. @returns whether there were any */
  #decrypt(pending: Pending, bytes: Uint8Array, from: number, end: number): boolean {
    const header = this.#header;
    const cursor = this.#cursor;
    let isOpened = false;
    for (let at = from, i = 0; i < MAX_COALESCED && at < end && readLongHeader(bytes, at, end, header); i++) {
      const version = quicVersion(header.version);
      if (version === undefined) break;
      if (header.type === version.retry) {
        pending.keys = null;
        break;
      }
      const isInitial = header.type === version.initial;
      const numberAt = payloadAt(bytes, header, isInitial, end, cursor);
      if (numberAt < 0) break;
      const next = cursor.end;
      const frames = isInitial && pending.keys !== null ? openInitial(bytes, at, numberAt, next, pending.keys) : null;
      if (frames !== null) {
        takeCrypto(frames, pending.reassembly);
        isOpened = true;
      }
      at = next;
    }
    return isOpened;
  }

  /** Reports a hello that is complete. One that asks for another ClientHello is followed by the one that counts. @returns whether that is there */
  #tryHello(pending: Pending, time: number): boolean {
    const { talk, serverHello: hello, known } = this.#context;
    const { bytes, contiguous } = pending.reassembly;
    for (let at = 0; at + HANDSHAKE_HEADER_BYTES <= contiguous; ) {
      const body = at + HANDSHAKE_HEADER_BYTES;
      const end = body + handshakeLength(bytes, at);
      if (u8(bytes, at) !== SERVER_HELLO || end > contiguous || !readServerHello(bytes, body, end, hello)) return false;
      // `needed` is the end of what was reported.
      if (end > pending.needed)
        talk?.answered(
          pending.flow,
          known.choice('quic', bytes, hello),
          sessionOf(bytes, hello.sessionFrom, hello.sessionTo),
          time,
        );
      pending.needed = Math.max(end, pending.needed);
      if (!hello.isRetry) return true;
      at = end;
    }
    return false;
  }
}
