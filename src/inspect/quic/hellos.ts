// ClientHellos over QUIC: a client's first packets are opened, a few for each flow, and their handshake bytes put together.

import type { Packet } from '../../decode/packet.ts';
import { LONGEST_HELLO } from '../../net/reading.ts';
import type { Context } from '../context.ts';
import { hostName } from '../host-name.ts';
import { type InitialKeys, type Pending, WAIT } from '../pending.ts';
import { Reassembly } from '../reassembly.ts';
import { isDnsOverQuic } from '../tls/applications.ts';
import { HELLO, readClientHello } from '../tls/client-hello.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength } from '../tls/records.ts';
import { QuicConnections } from './connections.ts';
import { GoogleHello, looksLikeGoogleQuic, readGoogleHello } from './google.ts';
import { Cursor, LongHeader, readLongHeader, takeCrypto } from './header.ts';
import { initialKeys, openInitial, type QuicVersion, quicVersion } from './initial.ts';

/** A client fills every datagram with an Initial up to this (RFC 9000 section 14.1). Smaller ones are not worth the work. */
const MIN_DATAGRAM = 1200;
/** Packets in one datagram that are looked at. */
const MAX_COALESCED = 4;
/** Datagrams that are opened for a flow in the middle of a hello. */
const MAX_DATAGRAMS = 10;
const CLIENT_HELLO = 1;
/** Versions of this form are spoken by nobody. */
const RESERVED_BITS = 0x0f0f0f0f;
const RESERVED_VERSION = 0x0a0a0a0a;

/** Reads hellos of flows. */
export class QuicHellos {
  readonly #context: Context;
  readonly #header = new LongHeader();
  readonly #cursor = new Cursor();
  readonly #google = new GoogleHello();
  /** Where the handshake of a flow without a room is put together: nearly all fit into one datagram. */
  readonly #scratch = new Reassembly(HANDSHAKE_HEADER_BYTES + LONGEST_HELLO);
  readonly #connections = new QuicConnections();

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * A datagram that begins with a long header.
   *
   * @param room of the flow, where it has one
   * @returns whether the flow's next packet is wanted; null when this is no QUIC that can be read
   */
  read(flow: number, room: Pending | null, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean | null {
    const context = this.#context;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    const header = this.#header;
    const isLong = readLongHeader(bytes, at, end, header);
    if (!isLong || quicVersion(header.version) === undefined) {
      if (!isLong || !isNegotiation(header, packet, end)) return this.#readGoogle(flow, room, packet, bytes);
      context.tellApplication(flow, 'quic');
      return room === null ? context.undecided(flow) : true;
    }
    const isClient = room === null ? fromOpener || packet.destinationPort < packet.sourcePort : fromOpener === room.fromOpener;
    if (!isClient || packet.payloadBytes < MIN_DATAGRAM) return room === null ? this.#notTheHello(flow) : true;
    if (room !== null && (context.isLate(room, time) || room.packets > MAX_DATAGRAMS)) return this.finish(room);
    if (packet.payloadCaptured < packet.payloadBytes) {
      if (room !== null) return this.finish(room);
      context.tellApplication(flow, 'quic');
      return context.done(flow);
    }
    return this.#open(flow, room, packet, bytes, at, end, fromOpener, time);
  }

  /** Drops what is known of a flow. */
  forget(flow: number): void {
    this.#connections.forget(flow);
  }

  /**
   * True when a datagram with a long header, of a flow that was read to its end, opens another connection: a client's Initial with an ID of
   * its own choice (RFC 9000 section 7.2), which no other packet of a connection has, and which alone its keys are made of.
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
    const numberAt = this.#lengthOf(bytes, version, end);
    if (numberAt >= 0 && this.#decrypt(null, version, bytes, at, numberAt, this.#cursor.end) !== null) return true;
    connections.explain(flow, bytes, header);
    return false;
  }

  /** Tells what is there, though it may not be all. */
  finish(room: Pending): false {
    const { flow } = room;
    if (!this.#tryHello(flow, room.reassembly, true)) this.#context.tellApplication(flow, 'quic');
    this.#context.close(room);
    return false;
  }

  #open(
    flow: number,
    room: Pending | null,
    packet: Packet,
    bytes: Uint8Array,
    from: number,
    end: number,
    fromOpener: boolean,
    time: number,
  ): boolean {
    const header = this.#header;
    const cursor = this.#cursor;
    let held = room;
    let at = from;
    let opened = false;
    for (let i = 0; i < MAX_COALESCED && at < end && readLongHeader(bytes, at, end, header); i++) {
      const version = quicVersion(header.version);
      if (version === undefined || header.type === version.retry) break;
      const numberAt = this.#lengthOf(bytes, version, end);
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
            if (held !== null) this.#context.close(held);
            return this.#context.done(flow);
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

  /** Where the packet number of the header at hand begins, -1 where its lengths lie; the packet ends at the cursor's end then. */
  #lengthOf(bytes: Uint8Array, version: QuicVersion, end: number): number {
    const cursor = this.#cursor;
    cursor.at = this.#header.after;
    cursor.end = end;
    if (this.#header.type === version.initial) {
      const token = cursor.varint(bytes);
      if (token < 0 || token > end - cursor.at) return -1;
      cursor.at += token;
    }
    const length = cursor.varint(bytes);
    if (length < 0 || length > end - cursor.at) return -1;
    cursor.end = cursor.at + length;
    return cursor.at;
  }

  /** Keys that opened the last packet. */
  #keys: InitialKeys | null = null;

  #decrypt(
    room: Pending | null,
    version: QuicVersion,
    bytes: Uint8Array,
    at: number,
    numberAt: number,
    end: number,
  ): Uint8Array | null {
    if (room !== null && room.keys !== null) {
      const frames = openInitial(bytes, at, numberAt, end, room.keys);
      if (frames !== null) return frames;
    }
    // A first packet, or one after Retry, which changes the connection ID and the keys (RFC 9001 section 5.2).
    const { destinationFrom, destinationLength } = this.#header;
    const keys = initialKeys(version, bytes.subarray(destinationFrom, destinationFrom + destinationLength));
    const frames = openInitial(bytes, at, numberAt, end, keys);
    if (frames === null) return null;
    this.#keys = keys;
    if (room !== null) room.keys = keys;
    return frames;
  }

  /** Tells the hello when it is whole, or `anyway`. @returns false while it is not */
  #tryHello(flow: number, crypto: Reassembly, anyway: boolean): boolean {
    const context = this.#context;
    const { bytes, contiguous } = crypto;
    if (contiguous < HANDSHAKE_HEADER_BYTES) return false;
    const end = HANDSHAKE_HEADER_BYTES + handshakeLength(bytes, 0);
    const isHello = bytes[0] === CLIENT_HELLO && end <= bytes.length;
    if (isHello && contiguous < end && !anyway) return false;
    const status = isHello ? readClientHello(bytes, HANDSHAKE_HEADER_BYTES, contiguous, end, false, context.hello) : HELLO.BROKEN;
    if (status === HELLO.BROKEN) context.tellApplication(flow, 'quic');
    else context.tellHello(flow, bytes, 'quic', 0, isDnsOverQuic(bytes, context.hello) ? 'doq' : 'quic');
    return true;
  }

  /** QUIC, but from the server, of a later phase or with unknown keys: the hello may still come. */
  #notTheHello(flow: number): boolean {
    if (this.#context.undecided(flow)) return true;
    this.#context.tellApplication(flow, 'quic');
    return false;
  }

  #readGoogle(flow: number, room: Pending | null, packet: Packet, bytes: Uint8Array): boolean | null {
    if (room !== null) return true;
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    return looksLikeGoogleQuic(bytes, at, end) ? this.readGoogle(flow, bytes, at, end) : null;
  }

  /** A datagram of Google's own QUIC (`looksLikeGoogleQuic`). */
  readGoogle(flow: number, bytes: Uint8Array, at: number, end: number): boolean {
    const context = this.#context;
    const hello = this.#google;
    context.tellApplication(flow, 'quic');
    if (!readGoogleHello(bytes, at, end, hello)) return context.undecided(flow);
    const name = hello.nameFrom < 0 ? null : hostName(bytes, hello.nameFrom, hello.nameTo);
    if (name !== null) context.findings.serverName(flow, 'quic', name, false);
    return context.done(flow);
  }
}

/**
 * True for what leads to another version: the server's list of those it speaks (RFC 9000 section 17.2.1), and a client's packet of a
 * version that is kept for asking for that list (section 15).
 */
function isNegotiation(header: LongHeader, packet: Packet, end: number): boolean {
  const { version, after } = header;
  if (version === 0) return end > after && (end - after) % 4 === 0 && packet.payloadCaptured === packet.payloadBytes;
  return (version & RESERVED_BITS) === RESERVED_VERSION && packet.payloadBytes >= MIN_DATAGRAM;
}
