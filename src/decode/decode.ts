// Bytes to Packet: the one way in. Refuses to throw, to allocate and to keep a reference to the bytes.

import { DIRECTION, LINK } from '../net/numbers.ts';
import { Fragments } from './fragments.ts';
import { readEthernet, readLink } from './link.ts';
import { type Packet, type Status, TUNNEL } from './packet.ts';

/** Copies, as in ipv4.ts. */
const { NONE: NO_TUNNEL } = TUNNEL;
const { UNKNOWN } = DIRECTION;
const { ETHERNET } = LINK;
/** A frame that claims to be longer lies (files say anything); its captured length is taken instead, so that fields stay small integers. */
const LONGEST_FRAME = 0x3fffffff;

/**
 * Decodes one frame into `packet`, overwriting every field.
 *
 * Never throws and never reads outside the captured bytes: a short or broken frame leaves `packet` valid up to `stoppedAt`. A later
 * fragment has no ports; a Decoder fills them in.
 *
 * @param captured bytes of the frame in `bytes` from `offset`
 * @param wire bytes it had on the wire; taken as `captured` where it is less
 * @param link LINKTYPE; PKTAP was taken off before
 */
export function decode(bytes: Uint8Array, offset: number, captured: number, wire: number, link: number, packet: Packet): Status {
  clear(packet);
  const room = bytes.length - offset;
  const length = captured < room ? captured : Math.max(room, 0);
  const wireLength = wire >= length && wire <= LONGEST_FRAME ? wire : length;
  packet.frameBytes = wireLength;
  const end = offset + length;
  const wireEnd = offset + wireLength;
  // Ethernet is asked for first and by itself: one call less on nearly every packet.
  if (link === ETHERNET) readEthernet(bytes, offset, end, wireEnd, packet);
  else readLink(link, bytes, offset, end, wireEnd, packet);
  if (!packet.hasAddresses) packet.words.fill(0);
  return packet.status;
}

/** A decoder that remembers first fragments, so that those that follow have ports. One per run. */
export class Decoder {
  readonly #fragments = new Fragments();

  /** `decode`, with the ports of later fragments where their first was seen. */
  decode(bytes: Uint8Array, offset: number, captured: number, wire: number, link: number, packet: Packet): Status {
    const status = decode(bytes, offset, captured, wire, link, packet);
    if (packet.laterFragment || packet.firstFragment) this.#fragments.settle(packet);
    return status;
  }
}

function clear(packet: Packet): void {
  packet.hasAddresses = false;
  packet.unread = 0;
  packet.protocol = 0;
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  packet.tunnel = NO_TUNNEL;
  packet.vlan = 0;
  packet.networkBytes = 0;
  packet.payloadBytes = 0;
  packet.networkOffset = -1;
  packet.transportOffset = -1;
  packet.payloadOffset = -1;
  packet.payloadCaptured = 0;
  packet.insideCaptured = 0;
  packet.laterFragment = false;
  packet.lacksFirst = false;
  packet.firstFragment = false;
  packet.identification = 0;
  packet.tcpFlags = 0;
  packet.sequence = 0;
  packet.acknowledgement = 0;
  packet.timestampValue = 0;
  packet.timestampEcho = 0;
  packet.hasTimestamps = false;
  packet.longHeader = false;
  packet.icmpType = 0;
  packet.groupAddressed = false;
  packet.linkDirection = UNKNOWN;
  packet.linkInterface = 0;
}
