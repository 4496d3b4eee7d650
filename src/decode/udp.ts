// UDP and UDP-Lite headers, and the tunnels that run over UDP, for a label only.

import { u8, u16 } from '../net/bytes.ts';
import { QUIC_LONG, TUNNEL_PORT } from '../net/reading.ts';
import { complete, LAYER, type Packet, STATUS, type Status, stop, TUNNEL } from './packet.ts';
import { setPayload, setPorts, stopInHeader } from './ports.ts';
import { isWireguard, tunnelOver } from './tunnel.ts';

const UDP_BYTES = 8;
/** A copy, as in ipv4.ts: both highest bits are set. */
const LONG = QUIC_LONG;
const { VXLAN, GENEVE, GTP_U, TEREDO } = TUNNEL_PORT;

/** Reads a UDP datagram (RFC 768). Length 0 is one too long for the field (RFC 2675 section 4) or not yet segmented. */
export function readUdp(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + UDP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, UDP_BYTES, packet);
  setPorts(bytes, at, packet);
  const length = u16(bytes, at + 4);
  let payloadEnd = networkEnd;
  if (length !== 0) {
    if (length < UDP_BYTES) return stop(packet, LAYER.TRANSPORT, STATUS.MALFORMED);
    // A first fragment has the length of the whole datagram; any other that is longer than its packet lies.
    if (at + length > networkEnd) {
      if (!packet.firstFragment) return stop(packet, LAYER.TRANSPORT, STATUS.MALFORMED);
    } else payloadEnd = at + length;
  }
  const payload = at + UDP_BYTES;
  setPayload(packet, payload, end, payloadEnd);
  if (packet.payloadCaptured >= UDP_BYTES) {
    const first = u8(bytes, payload);
    const to = packet.destinationPort;
    if (first <= 4 && first !== 0 && isWireguard(bytes, payload, packet.payloadBytes, packet.payloadCaptured))
      packet.tunnel = TUNNEL.WIREGUARD;
    else if (to === VXLAN || to === GENEVE || to === GTP_U || to === TEREDO || packet.sourcePort === TEREDO)
      packet.tunnel = tunnelOver(bytes, payload, packet);
    else packet.longHeader = first >= LONG;
  }
  return complete(packet);
}

/** Reads a UDP-Lite datagram (RFC 3828 section 3.1): its length is the packet's. */
export function readUdpLite(bytes: Uint8Array, at: number, end: number, networkEnd: number, packet: Packet): Status {
  if (at + UDP_BYTES > end) return stopInHeader(bytes, at, end, networkEnd, UDP_BYTES, packet);
  setPorts(bytes, at, packet);
  setPayload(packet, at + UDP_BYTES, end, networkEnd);
  return complete(packet);
}
