// TCP headers. Of the options only timestamps are read; the checksum is not verified, as offload leaves it to the card.

import { i32, u8 } from '../net/bytes.ts';
import { complete, LAYER, type Packet, STATUS, type Status, stop } from './packet.ts';
import { setPorts, stopInHeader } from './ports.ts';

/** Copies, as in ipv4.ts. */
const { TRANSPORT } = LAYER;
const { MALFORMED, TRUNCATED } = STATUS;
const TCP_BYTES = 20;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_TIMESTAMPS = 8;
const TIMESTAMPS_BYTES = 10;
/** NOP NOP timestamps, as every sender lays them out (RFC 7323 appendix A). */
const ALIGNED_TIMESTAMPS = 0x0101080a;

/** Reads a TCP segment (RFC 9293 section 3.1). */
export function readTcp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + TCP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, TCP_BYTES, packet);
  setPorts(bytes, at, packet);
  packet.sequence = i32(bytes, at + 4);
  packet.acknowledgement = i32(bytes, at + 8);
  const headerBytes = (u8(bytes, at + 12) >>> 4) << 2;
  packet.tcpFlags = u8(bytes, at + 13);
  const payload = at + headerBytes;
  if (headerBytes < TCP_BYTES || payload > networkEnd) return stop(packet, TRANSPORT, MALFORMED);
  if (headerBytes > TCP_BYTES) {
    if (headerBytes >= TCP_BYTES + 12 && payload <= end && i32(bytes, at + TCP_BYTES) === ALIGNED_TIMESTAMPS) {
      setTimestamps(bytes, at + TCP_BYTES + 4, packet);
    } else readOptions(bytes, at + TCP_BYTES, Math.min(payload, end), packet);
    if (payload > end) return stop(packet, TRANSPORT, TRUNCATED);
  }
  packet.payloadOffset = payload;
  packet.payloadBytes = networkEnd - payload;
  packet.payloadCaptured = end - payload;
  return complete(packet);
}

/** Looks for timestamps. An option of impossible length ends the search and nothing else: systems take such segments too. */
function readOptions(bytes: Uint8Array, from: number, to: number, packet: Packet): void {
  let at = from;
  while (at + 1 < to) {
    const kind = u8(bytes, at);
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    const length = u8(bytes, at + 1);
    if (length < 2 || at + length > to) return;
    if (kind === OPTION_TIMESTAMPS && length === TIMESTAMPS_BYTES) {
      setTimestamps(bytes, at + 2, packet);
      return;
    }
    at += length;
  }
}

function setTimestamps(bytes: Uint8Array, at: number, packet: Packet): void {
  packet.timestampValue = i32(bytes, at);
  packet.timestampEcho = i32(bytes, at + 4);
  packet.hasTimestamps = true;
}
