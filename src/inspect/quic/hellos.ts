// Reads ClientHellos over QUIC: decrypts a few of a client's first packets and reassembles their handshake bytes.

import type { Packet } from '../../decode/packet.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { hostName } from '../host-name.ts';
import { type InitialKeys, type Pending, WAIT } from '../pending.ts';
import { Reassembly } from '../reassembly.ts';
import { isDnsOverQuic } from '../tls/applications.ts';
import { HELLO, readClientHello } from '../tls/client-hello.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength } from '../tls/records.ts';
import type { QuicAnswers } from './answers.ts';
import { QuicConnections } from './connections.ts';
import { GoogleHello, looksLikeGoogleQuic, readGoogleHello } from './google.ts';
import { Cursor, LongHeader, payloadAt, readLongHeader, takeCrypto } from './header.ts';
import { initialKeys, openInitial, type QuicVersion, quicVersion } from './initial.ts';

/** Clients pad every datagram with an Initial to this size (RFC 9000 section 14.1), so smaller ones have none. */
const MIN_DATAGRAM = 1200;
/** Most packets read in one datagram. */
const MAX_COALESCED = 4;
/** Most datagrams decrypted for one hello. */
const MAX_DATAGRAMS = 10;
const CLIENT_HELLO = 1;
/** Reserved versions have this form and belong to no protocol. */
const RESERVED_BITS = 0x0f0f0f0f;
const RESERVED_VERSION = 0x0a0a0a0a;

/** Reads hellos. */
export class QuicHellos {
  readonly #context: Context;
  readonly #answers: QuicAnswers;
  readonly #header = new LongHeader();
  readonly #cursor = new Cursor();
  readonly #google = new GoogleHello();
  /** Scratch for the handshake of a flow without a pending message. Nearly all fit into one datagram. */
  readonly #scratch = new Reassembly(HANDSHAKE_HEADER_BYTES + LONGEST_HELLO);
  readonly #connections = new QuicConnections();

  /** @param answers reads what follows each hello */
  constructor(context: Context, answers: QuicAnswers) {
    this.#context = context;
    this.#answers = answers;
  }

  /**
   * Reads a datagram that begins with a long header.
   *
   * @param pending the flow's pending message, if any
   * @returns whether the flow's next packet is wanted; null if this isn't QUIC that we can read
   */
  read(
    flow: number,
    pending: Pending | null,
    packet: Packet,
    bytes: Uint8Array,
    fromOpener: boolean,
    time: number,
  ): boolean | null {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    const header = this.#header;
    const isLong = readLongHeader(bytes, at, end, header);
    if (!isLong || quicVersion(header.version) === undefined) {
      if (!isLong || !isNegotiation(header, packet, end)) return this.#readGoogle(flow, pending, packet, bytes);
      context.reportApplication(flow, 'quic');
      return pending === null ? context.undecided(flow) : true;
    }
    const isClient =
      pending === null ? fromOpener || packet.destinationPort < packet.sourcePort : fromOpener === pending.fromOpener;
    if (!isClient || packet.payloadBytes < MIN_DATAGRAM) return pending === null ? this.#notTheHello(flow) : true;
    if (pending !== null && (context.isLate(pending, time) || pending.packets > MAX_DATAGRAMS)) return this.finish(pending);
    if (packet.payloadCaptured < packet.payloadBytes) {
      if (pending !== null) return this.finish(pending);
      context.reportApplication(flow, 'quic');
      return context.done(flow);
    }
    return this.#open(flow, pending, packet, bytes, at, end, fromOpener, time);
  }

  /** Drops everything known about a flow. */
  forget(flow: number): void {
    this.#connections.forget(flow);
  }

  /**
   * Whether a datagram with a long header, of a flow whose inspection is over, opens a new connection: it is a client's Initial with a new ID of
   * the client's choice (RFC 9000 section 7.2). It decrypts with keys derived from that ID, which no other packet of a connection does.
   */
  isAnother(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean): boolean {
    const connections = this.#connections;
    const header = this.#header;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    if (!readLongHeader(bytes, at, end, header)) return false;
    const version = quicVersion(header.version);
    if (!fromOpener && packet.destinationPort >= packet.sourcePort) {
      if (header.version === 0 || header.type === version?.retry) connections.restarted(flow);
      else if (header.type === version?.initial) connections.answered(flow, bytes, header);
      return false;
    }
    if (version === undefined || header.type !== version.initial) return false;
    if (packet.payloadBytes < MIN_DATAGRAM || packet.payloadCaptured < packet.payloadBytes) return false;
    if (!connections.isStrange(flow, bytes, header)) return false;
    const numberAt = payloadAt(bytes, header, true, end, this.#cursor);
    if (numberAt >= 0 && this.#decrypt(null, version, bytes, at, numberAt, this.#cursor.end) !== null) return true;
    connections.explain(flow, bytes, header);
    return false;
  }

  /** Reports what is there, complete or not. */
  finish(pending: Pending): false {
    const { flow } = pending;
    if (!this.#tryHello(flow, pending.reassembly, true)) this.#context.reportApplication(flow, 'quic');
    this.#context.close(pending);
    return false;
  }

  #open(
    flow: number,
    pending: Pending | null,
    packet: Packet,
    bytes: Uint8Array,
    from: number,
    end: number,
    fromOpener: boolean,
    time: number,
  ): boolean {
    const header = this.#header;
    const cursor = this.#cursor;
    let held = pending;
    let at = from;
    let opened = false;
    for (let i = 0; i < MAX_COALESCED && at < end && readLongHeader(bytes, at, end, header); i++) {
      const version = quicVersion(header.version);
      if (version === undefined || header.type === version.retry) break;
      const numberAt = payloadAt(bytes, header, header.type === version.initial, end, cursor);
      if (numberAt < 0) break;
      const next = cursor.end;
      if (header.type === version.initial) {
        const known = held?.keys;
        const frames = this.#decrypt(held, version, bytes, at, numberAt, next);
        if (frames !== null) {
          opened = true;
          if (held === null || held.keys !== known) this.#connections.begin(flow, bytes, header);
          const into = held === null ? this.#scratch : held.reassembly;
          if (held === null) into.clear();
          takeCrypto(frames, into);
          if (this.#tryHello(flow, into, false)) {
            const keys = held === null ? this.#keys : held.keys;
            if (held !== null) this.#context.close(held);
            return this.#answers.await(flow, packet, keys, fromOpener, time);
          }
          if (held === null) {
            held = this.#context.open(flow, WAIT.QUIC, packet, fromOpener, time);
            held.keys = this.#keys;
            takeCrypto(frames, held.reassembly);
          }
        }
      }
      at = next;
    }
    return held !== null ? true : opened ? this.#context.done(flow) : this.#notTheHello(flow);
  }

  /** Keys that decrypted the last packet. */
  #keys: InitialKeys | null = null;

  #decrypt(
    pending: Pending | null,
    version: QuicVersion,
    bytes: Uint8Array,
    at: number,
    numberAt: number,
    end: number,
  ): Uint8Array | null {
    if (pending !== null && pending.keys !== null) {
      const frames = openInitial(bytes, at, numberAt, end, pending.keys);
      if (frames !== null) return frames;
    }
    // A first packet, or one after Retry, which changes the connection ID and so the keys (RFC 9001 section 5.2).
    const { destinationFrom, destinationLength } = this.#header;
    const keys = initialKeys(version, bytes.subarray(destinationFrom, destinationFrom + destinationLength));
    const frames = openInitial(bytes, at, numberAt, end, keys);
    if (frames === null) return null;
    this.#keys = keys;
    if (pending !== null) pending.keys = keys;
    return frames;
  }

  /** Reports the hello if it is complete, or with `anyway`. @returns whether it did */
  #tryHello(flow: number, crypto: Reassembly, anyway: boolean): boolean {
    const context = this.#context;
    const { bytes, contiguous } = crypto;
    if (contiguous < HANDSHAKE_HEADER_BYTES) return false;
    const end = HANDSHAKE_HEADER_BYTES + handshakeLength(bytes, 0);
    const isHello = bytes[0] === CLIENT_HELLO && end <= bytes.length;
    if (isHello && contiguous < end && !anyway) return false;
    const status = isHello ? readClientHello(bytes, HANDSHAKE_HEADER_BYTES, contiguous, end, false, context.hello) : HELLO.BROKEN;
    if (status === HELLO.BROKEN) context.reportApplication(flow, 'quic');
    else context.reportHello(flow, bytes, 'quic', 0, isDnsOverQuic(bytes, context.hello) ? 'doq' : 'quic');
    return true;
  }

  /** Handles other QUIC: from the server, of a later phase or with unknown keys. The hello may still come. */
  #notTheHello(flow: number): boolean {
    if (this.#context.undecided(flow)) return true;
    this.#context.reportApplication(flow, 'quic');
    return false;
  }

  #readGoogle(flow: number, pending: Pending | null, packet: Packet, bytes: Uint8Array): boolean | null {
    if (pending !== null) return true;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    return looksLikeGoogleQuic(bytes, at, end) ? this.readGoogle(flow, bytes, at, end) : null;
  }

  /** Reads a datagram of Google's QUIC (`looksLikeGoogleQuic`). */
  readGoogle(flow: number, bytes: Uint8Array, at: number, end: number): boolean {
    const context = this.#context;
    const hello = this.#google;
    context.reportApplication(flow, 'quic');
    if (!readGoogleHello(bytes, at, end, hello)) return context.undecided(flow);
    const name = hello.nameFrom < 0 ? null : hostName(bytes, hello.nameFrom, hello.nameTo);
    if (name !== null) context.findings.serverName(flow, 'quic', name, false);
    return context.done(flow);
  }
}

/**
 * Whether the datagram is part of version negotiation: the server's list of versions (RFC 9000 section 17.2.1), or a client's packet with a
 * reserved version, which asks for that list (section 15).
 */
function isNegotiation(header: LongHeader, packet: Packet, end: number): boolean {
  const { version, after } = header;
  if (version === 0) return end > after && (end - after) % 4 === 0 && packet.payloadCaptured === packet.payloadBytes;
  return (version & RESERVED_BITS) === RESERVED_VERSION && packet.payloadBytes >= MIN_DATAGRAM;
}
