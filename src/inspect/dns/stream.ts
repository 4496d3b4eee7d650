// Reads DNS over TCP (RFC 7766 section 8): length-prefixed messages, several in a segment or one across several.

import type { Packet } from '../../decode/packet.ts';
import { u16 } from '../../net/bytes.ts';
import { type Context, PHASE_OF, payloadSequence } from '../context.ts';
import { type Pending, WAIT } from '../pending.ts';
import { looksLikeDns } from './records.ts';
import type { UnicastReader } from './unicast.ts';

const LENGTH_BYTES = 2;
const HEADER_BYTES = 12;

/** Reads the messages of flows in both directions. Each flow wants its next packet. */
export class DnsStreams {
  readonly #context: Context;
  readonly #reader: UnicastReader;

  constructor(context: Context, reader: UnicastReader) {
    this.#context = context;
    this.#reader = reader;
  }

  /** Reads a segment of a flow on port 53. @param pending the flow's pending message, if any */
  read(flow: number, pending: Pending | null, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): true {
    const context = this.#context;
    context.exchanges.begin(packet, time);
    const at = packet.payloadOffset;
    const captured = packet.payloadCaptured;
    if (pending !== null && pending.fromOpener !== fromOpener) {
      // A flow has one buffer. What comes from the other end meanwhile is read if its messages are whole.
      this.#take(flow, bytes, at, at + captured);
      return true;
    }
    if (pending === null) {
      const used = this.#take(flow, bytes, at, at + captured);
      if (used < captured && captured === packet.payloadBytes && used >= 0) {
        const held = context.open(flow, WAIT.DNS, packet, fromOpener, time);
        held.base = (payloadSequence(packet) + used) | 0;
        held.reassembly.add(0, bytes, at + used, captured - used);
      }
      return true;
    }
    const { reassembly } = pending;
    const added = reassembly.add((payloadSequence(packet) - pending.base) | 0, bytes, at, captured);
    const used = this.#take(flow, reassembly.bytes, 0, reassembly.contiguous);
    // Out of sync: start over, in the hope that the next segment begins with a message.
    const lost = used < 0 || !added || captured < packet.payloadBytes || reassembly.contiguous === reassembly.bytes.length;
    if (lost || used === reassembly.extent || context.isLate(pending, time)) this.finish(pending);
    else if (used > 0) {
      reassembly.dropFront(used);
      pending.base = (pending.base + used) | 0;
      pending.since = time;
      pending.packets = 0;
    }
    return true;
  }

  /** Releases the buffer. */
  finish(pending: Pending): true {
    const { flow } = pending;
    this.#context.close(pending);
    this.#context.setPhase(flow, PHASE_OF.DNS);
    return true;
  }

  /** Reads whole messages. @returns bytes consumed; -1 if these aren't DNS messages */
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
      this.#context.reportApplication(flow, 'dns');
      this.#reader.read(flow, 'dns', bytes, start, start + length);
      at = start + length;
    }
    return at - from;
  }
}
