// DNS over TCP (RFC 7766 section 8): messages with their lengths in front, many in a segment, or one over many.

import type { Packet } from '../../decode/packet.ts';
import { u16 } from '../../net/bytes.ts';
import { type Context, PHASE_OF, payloadSequence } from '../context.ts';
import { type Pending, WAIT } from '../pending.ts';
import { looksLikeDns } from './records.ts';
import type { UnicastReader } from './unicast.ts';

const LENGTH_BYTES = 2;
const HEADER_BYTES = 12;
const PORT = 53;

/** Reads the answers of flows. All want their next packet. */
export class DnsStreams {
  readonly #context: Context;
  readonly #reader: UnicastReader;

  constructor(context: Context, reader: UnicastReader) {
    this.#context = context;
    this.#reader = reader;
  }

  /** A segment of a flow whose one port is 53. @param room of the flow, where it has one */
  read(flow: number, room: Pending | null, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): true {
    const context = this.#context;
    if (packet.sourcePort !== PORT) return true;
    const at = packet.payloadOffset;
    const captured = packet.payloadCaptured;
    if (room === null) {
      const used = this.#take(flow, bytes, at, at + captured);
      if (used < captured && captured === packet.payloadBytes && used >= 0) {
        const held = context.open(flow, WAIT.DNS, packet, fromOpener, time);
        held.base = (payloadSequence(packet) + used) | 0;
        held.reassembly.add(0, bytes, at + used, captured - used);
      }
      return true;
    }
    const { reassembly } = room;
    const added = reassembly.add((payloadSequence(packet) - room.base) | 0, bytes, at, captured);
    const used = this.#take(flow, reassembly.bytes, 0, reassembly.contiguous);
    // Lost the thread: the next segment is hoped to begin with a message.
    const lost = used < 0 || !added || captured < packet.payloadBytes || reassembly.contiguous === reassembly.bytes.length;
    if (lost || used === reassembly.extent || context.isLate(room, time)) this.finish(room);
    else if (used > 0) {
      reassembly.dropFront(used);
      room.base = (room.base + used) | 0;
      room.since = time;
      room.packets = 0;
    }
    return true;
  }

  /** Gives the room back. */
  finish(room: Pending): true {
    const { flow } = room;
    this.#context.close(room);
    this.#context.setPhase(flow, PHASE_OF.DNS);
    return true;
  }

  /** Reads whole messages. @returns bytes of them; -1 when these are no messages */
  #take(flow: number, bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at + LENGTH_BYTES <= end) {
      const length = u16(bytes, at);
      const start = at + LENGTH_BYTES;
      if (length < HEADER_BYTES) return -1;
      if (!looksLikeDns(bytes, start, Math.min(end, start + length), length, false)) {
        if (start + HEADER_BYTES <= end) return -1;
        return at - from;
      }
      if (start + length > end) return at - from;
      this.#context.tellApplication(flow, 'dns');
      this.#reader.read(flow, 'dns', bytes, start, start + length);
      at = start + length;
    }
    return at - from;
  }
}
