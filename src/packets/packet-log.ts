// Keeps the last packets of one connection, the one that the user looks at, and judges each by those before it: sent again, overtaken, a probe.
// A packet costs a copy of its head; text is made when a page is asked for.

import { type Packet, STATUS } from '../decode/packet.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { type LoggedPacket, PACKET_MARKS, type PacketPage } from '../model/packet-page.ts';
import { u8, u16 } from '../net/bytes.ts';
import { PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { contentsOf } from './packet-contents.ts';

/** Packets that are kept. */
export const LOGGED_PACKETS = 200;
/** Bytes kept of a payload: a question of DNS with the longest name. */
const HEAD_BYTES = 288;
/**
 * Layout of `ints`, 9 words per packet:
 *
 *     0 payload on the wire | 1 payload kept | 2 TCP_FLAG, or -1 without a TCP header | 3 sequence | 4 acknowledgement, both relative
 *     5 window | 6 bits of MARK | 7 protocol << 16 | 1 if sent | 8 source port << 16 | destination port; type << 24 | code << 16 for ICMP
 */
const INTS = 9;
const MARK = {
  RETRANSMIT: 1,
  OVERTAKEN: 2,
  GAP: 4,
  KEEP_ALIVE: 8,
  KEEP_ALIVE_ANSWER: 16,
  ZERO_WINDOW: 32,
  WINDOW_OPENS: 64,
  REPEATED_ACK: 128,
  FRAGMENT: 256,
  EXACT: 512,
} as const;
const { SYN, FIN, RST, ACK } = TCP_FLAG;
const WINDOW_SCALE = 3;
const TCP_BYTES = 20;
const MAX_SHIFT = 14;
/** A gap that is filled within a round trip was no loss: packets overtook each other. This long if no handshake was seen. */
const REORDERED_MS = 3;

/** What is known of the sequence numbers of one end, from what it sent. */
class End {
  isKnown = false;
  /** What relative numbers count from. */
  base = 0;
  /** Highest sequence number behind what was sent. */
  next = 0;
  acknowledged = 0;
  window = -1;
  /** Shift of its windows; -1 if its SYN wasn't seen. */
  shift = -1;
  /** The last part that was missing when something behind it came, and when that was. */
  gapFrom = 0;
  gapTo = 0;
  gapAt = 0;
  /** Its last packet was a probe. */
  isProbing = false;

  clear(): void {
    this.isKnown = false;
    this.base = 0;
    this.next = 0;
    this.acknowledged = 0;
    this.window = -1;
    this.shift = -1;
    this.gapFrom = 0;
    this.gapTo = 0;
    this.gapAt = 0;
    this.isProbing = false;
  }
}

/** The last packets of one connection. */
export class PacketLog {
  /** Row of the connection; -1 for none. The caller adds the packets of this row alone. */
  row = -1;
  readonly #flows: FlowTable;
  #serial = 0;
  #count = 0;
  readonly #times = new Float64Array(LOGGED_PACKETS);
  readonly #ints = new Int32Array(LOGGED_PACKETS * INTS);
  readonly #heads = new Uint8Array(LOGGED_PACKETS * HEAD_BYTES);
  readonly #made: (LoggedPacket | null)[] = new Array<LoggedPacket | null>(LOGGED_PACKETS).fill(null);
  readonly #local = new End();
  readonly #remote = new End();
  #page: PacketPage | null = null;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  /** Begins the page of the connection in this row, unless it is that already. @returns whether it did */
  watch(row: number): boolean {
    const serial = this.#flows.serial(row);
    if (this.row === row && this.#serial === serial) return false;
    this.row = row;
    this.#serial = serial;
    this.#count = 0;
    this.#local.clear();
    this.#remote.clear();
    this.#page = null;
    return true;
  }

  /** Adds a packet of `row`. @param packet with its time set @param isSent whether the local end sent it */
  add(packet: Packet, bytes: Uint8Array, isSent: boolean): void {
    if (this.#flows.serial(this.row) !== this.#serial) return; // another connection has the row
    const place = this.#count % LOGGED_PACKETS;
    const at = place * INTS;
    const ints = this.#ints;
    this.#count++;
    this.#made[place] = null;
    this.#page = null;
    this.#times[place] = packet.time;
    const kept = packet.payloadOffset < 0 ? 0 : Math.max(0, Math.min(packet.payloadCaptured, HEAD_BYTES));
    ints[at] = packet.payloadBytes;
    ints[at + 1] = kept;
    ints[at + 2] = -1;
    ints[at + 6] = packet.laterFragment || packet.firstFragment ? MARK.FRAGMENT : 0;
    ints[at + 7] = (packet.protocol << 16) | (isSent ? 1 : 0);
    const isIcmp = packet.protocol === PROTOCOL.ICMP || packet.protocol === PROTOCOL.ICMPV6;
    ints[at + 8] = isIcmp ? packet.icmpType << 16 : (packet.sourcePort << 16) | packet.destinationPort;
    for (let i = 0, to = place * HEAD_BYTES; i < kept; i++) this.#heads[to + i] = bytes[packet.payloadOffset + i] as number;
    if (packet.protocol === PROTOCOL.TCP && packet.status === STATUS.COMPLETE && !packet.laterFragment)
      this.#addSegment(at, packet, bytes, isSent);
  }

  /** The page as it stands; the same object while nothing was added. Null without a connection. */
  page(): PacketPage | null {
    if (this.row < 0) return null;
    if (this.#page !== null) return this.#page;
    const dropped = Math.max(0, this.#count - LOGGED_PACKETS);
    const packets: LoggedPacket[] = [];
    for (let number = dropped; number < this.#count; number++) {
      const place = number % LOGGED_PACKETS;
      const made = this.#made[place] ?? this.#make(place, number);
      this.#made[place] = made;
      packets.push(made);
    }
    this.#page = { flow: String(this.#serial), packets, dropped };
    return this.#page;
  }

  #make(place: number, number: number): LoggedPacket {
    const at = place * INTS;
    const ints = this.#ints;
    const word = (i: number): number => ints[at + i] as number;
    const payloadBytes = word(0);
    const kept = word(1);
    const flags = word(2);
    const marks = word(6);
    const head = this.#heads.subarray(place * HEAD_BYTES, place * HEAD_BYTES + kept);
    const { contents, name } = contentsOf(head, payloadBytes, word(7) >>> 16, word(8) >>> 16, word(8) & 0xffff);
    const hasAck = (flags & ACK) !== 0;
    return {
      number,
      time: this.#times[place] as number,
      isSent: (word(7) & 1) !== 0,
      payloadBytes,
      tcp:
        flags < 0
          ? null
          : {
              flags,
              sequence: word(3) >>> 0,
              acknowledgement: hasAck ? word(4) >>> 0 : null,
              window: word(5) >>> 0,
              isExact: (marks & MARK.EXACT) !== 0,
            },
      marks: PACKET_MARKS.filter((_, bit) => (marks & (1 << bit)) !== 0),
      contents,
      name,
    };
  }

  #addSegment(at: number, packet: Packet, bytes: Uint8Array, isSent: boolean): void {
    const end = isSent ? this.#local : this.#remote;
    const other = isSent ? this.#remote : this.#local;
    const { tcpFlags: flags, sequence, acknowledgement, payloadBytes } = packet;
    const hasAck = (flags & ACK) !== 0;
    const isOpening = (flags & SYN) !== 0;
    if (!end.isKnown) this.#meet(end, isOpening ? sequence : (sequence - 1) | 0, sequence);
    if (hasAck && !other.isKnown) this.#meet(other, (acknowledgement - 1) | 0, acknowledgement);
    if (isOpening) end.shift = shiftOf(bytes, packet.transportOffset + TCP_BYTES, packet.payloadOffset);
    const isKnown = !isOpening && end.shift >= 0 && other.shift >= 0;
    const isScaled = isKnown && end.shift !== NO_SHIFT && other.shift !== NO_SHIFT;
    const shift = isScaled ? end.shift : 0;
    const window = u16(bytes, packet.transportOffset + 14) << shift;
    let marks = (this.#ints[at + 6] as number) | (isKnown || isOpening ? MARK.EXACT : 0); // a SYN's own is never scaled
    marks |= this.#followData(end, packet);
    if ((flags & (SYN | FIN | RST)) === 0 && hasAck) {
      const isEmpty = payloadBytes === 0;
      if ((marks & MARK.KEEP_ALIVE) === 0 && isEmpty && other.isProbing) marks |= MARK.KEEP_ALIVE_ANSWER;
      else if (window === 0) marks |= MARK.ZERO_WINDOW;
      else if (end.window === 0) marks |= MARK.WINDOW_OPENS;
      else if (
        isEmpty &&
        acknowledgement === end.acknowledged &&
        window === end.window &&
        ((other.next - acknowledgement) | 0) > 0
      )
        marks |= (marks & MARK.KEEP_ALIVE) === 0 ? MARK.REPEATED_ACK : 0;
    }
    end.isProbing = (marks & MARK.KEEP_ALIVE) !== 0;
    other.isProbing = false;
    if (hasAck) {
      end.acknowledged = acknowledgement;
      end.window = window;
    }
    const ints = this.#ints;
    ints[at + 2] = flags;
    ints[at + 3] = (sequence - end.base) | 0;
    ints[at + 4] = (acknowledgement - other.base) | 0;
    ints[at + 5] = window;
    ints[at + 6] = marks;
  }

  #meet(end: End, base: number, next: number): void {
    end.isKnown = true;
    end.base = base;
    end.next = next;
  }

  /** Moves on what an end has sent, by the rules of flow/tcp.ts. @returns bits of MARK */
  #followData(end: End, packet: Packet): number {
    const { tcpFlags: flags, sequence, payloadBytes, time } = packet;
    if ((flags & RST) !== 0) return 0;
    const counted = payloadBytes + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    const to = (sequence + counted) | 0;
    const below = (end.next - sequence) | 0;
    if (((to - end.next) | 0) > 0) {
      const isGap = below < 0;
      if (isGap) {
        end.gapFrom = end.next;
        end.gapTo = sequence;
        end.gapAt = time;
      }
      end.next = to;
      return isGap ? MARK.GAP : 0;
    }
    if (below === 1 && payloadBytes <= 1 && (flags & (SYN | FIN)) === 0) return MARK.KEEP_ALIVE;
    if (counted === 0) return 0;
    return this.#isOvertaken(end, packet, to) ? MARK.OVERTAKEN : MARK.RETRANSMIT;
  }

  #isOvertaken(end: End, { sequence, time }: Packet, to: number): boolean {
    const { gapFrom, gapTo, gapAt } = end;
    if (gapFrom === gapTo || ((sequence - gapFrom) | 0) < 0 || ((to - gapTo) | 0) > 0) return false;
    const roundTrip = this.#flows.handshakeRtt(this.row) / 1000;
    return time >= gapAt && time - gapAt < (roundTrip > 0 ? roundTrip : REORDERED_MS);
  }
}

/** Shift of an end whose SYN has no option for it: windows of both ends are then unscaled. */
const NO_SHIFT = 64;

/** Shift in the window scale option of a SYN (RFC 7323 section 2.2). */
function shiftOf(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at + 1 < to; ) {
    const kind = u8(bytes, at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = u8(bytes, at + 1);
    if (length < 2 || at + length > to) break;
    if (kind === WINDOW_SCALE && length === 3) return Math.min(MAX_SHIFT, u8(bytes, at + 2));
    at += length;
  }
  return NO_SHIFT;
}
