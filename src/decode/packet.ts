// The record into which every frame is decoded, including how far decoding got. The readers write it; flow and inspect read it.

/** How decoding ended. Short and broken packets are statuses, counted and shown; nothing throws. */
export const STATUS = {
  /** All layers down to the transport were read. */
  COMPLETE: 0,
  /** The captured bytes ended inside a header. Everything read before is valid. */
  TRUNCATED: 1,
  /** A length or version contradicts the bytes. */
  MALFORMED: 2,
  /** A link type, EtherType or encapsulation that we don't decode. */
  UNSUPPORTED: 3,
} as const;
export type Status = (typeof STATUS)[keyof typeof STATUS];

/** Kinds of undecoded content; `Packet.unread` pairs each with a number of that kind. */
export const UNREAD = {
  /** Content without a number. */
  OTHER: 0,
  /** LINKTYPE. */
  LINK: 1,
  ETHERTYPE: 2,
  /** Destination service access point of an LLC header. */
  LLC: 3,
  /** PPP protocol number. */
  PPP: 4,
  /** EtherType of the encryption; 0 for that of 802.11. */
  ENCRYPTED: 5,
  /** 802.11 frame type: 0 management, 1 control, 2 data without an LLC header. */
  WIRELESS: 6,
} as const;
export type Unread = (typeof UNREAD)[keyof typeof UNREAD];

/** The layer at which decoding stopped; TRANSPORT if it was complete. */
export const LAYER = { LINK: 0, NETWORK: 1, TRANSPORT: 2 } as const;
export type Layer = (typeof LAYER)[keyof typeof LAYER];

/** A tunnel recognised around or inside the packet. */
export const TUNNEL = {
  NONE: 0,
  SIX_IN_FOUR: 1,
  FOUR_IN_SIX: 2,
  IP_IN_IP: 3,
  VXLAN: 4,
  WIREGUARD: 5,
  GRE: 6,
  GENEVE: 7,
  GTP_U: 8,
  TEREDO: 9,
} as const;
export type Tunnel = (typeof TUNNEL)[keyof typeof TUNNEL];

/**
 * One decoded packet. The next one overwrites it. Offsets are into the decoded bytes, -1 if the layer is absent.
 *
 *     words   [ source: 4 x int32 ][ destination: 4 x int32 ]    IPv4 v4-mapped, see net/address
 *
 * A packet belongs to a flow if `hasAddresses` is true, even with an incomplete status: a truncated TCP header still has two addresses.
 */
export class Packet {
  status: Status = STATUS.COMPLETE;
  stoppedAt: Layer = LAYER.LINK;
  /** Of an UNSUPPORTED frame: UNREAD << 16 | number; 0 otherwise. */
  unread = 0;
  hasAddresses = false;
  readonly words = new Int32Array(8);
  /** PROTOCOL number of the outermost IP header's content, after extension headers. */
  protocol = 0;
  sourcePort = 0;
  destinationPort = 0;
  tunnel: Tunnel = TUNNEL.NONE;
  /** VLAN identifier of the outermost tag; 0 if there is none. */
  vlan = 0;

  /** Network-layer bytes on the wire: the IP header and everything after it, without link header and Ethernet padding. */
  networkBytes = 0;
  /** Bytes of the whole frame on the wire including the link header, as interface counters count them. */
  frameBytes = 0;
  /** Transport payload bytes on the wire; 0 if the transport is unknown. */
  payloadBytes = 0;
  networkOffset = -1;
  transportOffset = -1;
  payloadOffset = -1;
  /** Payload bytes that were captured, from payloadOffset. */
  payloadCaptured = 0;
  /** Captured bytes inside a tunnel that has its own IP protocol, from transportOffset. */
  insideCaptured = 0;

  /** True for a fragment after the first. Its ports come from the first, if that was seen; its payload can't be read alone. */
  laterFragment = false;
  /** True for a later fragment whose first wasn't seen yet: its ports are unknown, and maybe its protocol. */
  lacksFirst = false;
  /** True for the first of several fragments, which has the transport header and part of the payload. */
  firstFragment = false;
  /** IP identification of a fragment (32 bits signed), 0 otherwise. */
  identification = 0;
  /** TCP flags; SYN for SCTP's INIT. */
  tcpFlags = 0;
  /** TCP sequence number, signed 32 bits; compare by difference. For SCTP's INIT, its tag. */
  sequence = 0;
  acknowledgement = 0;
  /** RFC 7323 timestamps, signed 32 bits; valid if `hasTimestamps`. */
  timestampValue = 0;
  timestampEcho = 0;
  hasTimestamps = false;
  /** Whether a UDP payload begins like a QUIC long header (RFC 8999 section 5.1). */
  longHeader = false;
  /** ICMP type << 8 | code. */
  icmpType = 0;
  /** Whether the link-layer destination was broadcast or multicast. */
  groupAddressed = false;
  /** DIRECTION from a cooked link header; 0 without one. */
  linkDirection = 0;
  /** Interface index in a cooked v2 header (Linux), 0 otherwise. */
  linkInterface = 0;
  /** Capture time, epoch ms. The caller sets it, because passing it through the readers would allocate a number per call. */
  time = 0;
}

/** Copies, as in ipv4.ts. */
const { LINK, TRANSPORT } = LAYER;
const { COMPLETE, UNSUPPORTED } = STATUS;

/** Records where decoding stopped. @returns the status, for the reader to return */
export function stop(packet: Packet, layer: Layer, status: Status): Status {
  packet.stoppedAt = layer;
  packet.status = status;
  return status;
}

/** Records that a frame contains something that we don't decode. @returns the status */
export function refuse(packet: Packet, what: Unread, number: number): Status {
  packet.unread = (what << 16) | (number & 0xffff);
  return stop(packet, LINK, UNSUPPORTED);
}

/** Records that everything down to the transport was read. @returns the status */
export function complete(packet: Packet): Status {
  packet.stoppedAt = TRANSPORT;
  packet.status = COMPLETE;
  return COMPLETE;
}
