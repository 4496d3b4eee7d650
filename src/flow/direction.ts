// Decides which end of a flow is this machine and which end opened it. Runs once per flow, not per packet.

import type { Packet } from '../decode/packet.ts';
import { sameAddress, scopeOf } from '../net/address.ts';
import { DIRECTION, ECHO_PORT, hasPorts, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';

/** Most addresses of the machine. Every new flow is compared with each. */
const MAX_ADDRESSES = 4096;

/** Indices into FLOW_DIRECTIONS (model/terms). */
export const FLOW_DIRECTION = { OUTBOUND: 0, INBOUND: 1, LOCAL: 2, TRANSIT: 3 } as const;

/** Which end of the packet is its flow's local end, and the flow's direction. `Localizer.place` reuses the object. */
export interface Placement {
  /** Whether the packet's source is the flow's local end. */
  sourceIsLocal: boolean;
  direction: number;
}

/**
 * Knows the machine's own addresses and places new flows.
 *
 * Live, only these addresses are local. In a replay they are unknown. Then the direction recorded in the capture decides; else a private address is the
 * local end; else the end that sent first.
 */
export class Localizer {
  readonly #replay: boolean;
  #addresses: Int32Array = new Int32Array(0);
  readonly #placement: Placement = { sourceIsLocal: true, direction: FLOW_DIRECTION.OUTBOUND };
  /** Where the next flow is placed; null leaves that to the packet. */
  #expected: Placement | null = null;

  constructor(replay: boolean) {
    this.#replay = replay;
  }

  /** Replaces the machine's addresses. @param words four words per address @returns whether one is new; then call `FlowTable.reclassify` */
  setAddresses(words: Int32Array): boolean {
    const hasNew = this.#lacks(words);
    this.#addresses = words;
    return hasNew;
  }

  /** Adds addresses. @param words four words per address @returns whether one is new */
  addAddresses(words: Int32Array): boolean {
    if (!this.#lacks(words) || this.#addresses.length >= 4 * MAX_ADDRESSES) return false;
    const all = new Int32Array(this.#addresses.length + words.length);
    all.set(this.#addresses);
    all.set(words, this.#addresses.length);
    this.#addresses = all;
    return true;
  }

  /** The next flow is placed as the capture tells. */
  expect(placement: Placement): void {
    this.#expected = placement;
  }

  /** Places the flow that begins with `packet`. The next call reuses the result. */
  place(packet: Packet, direction: number): Placement {
    const expected = this.#expected;
    this.#expected = null;
    if (expected !== null) return expected;
    const words = packet.words;
    // A received DHCP request comes from another machine that has no address yet.
    const isOthers = direction === DIRECTION.IN || direction === DIRECTION.PASSING;
    const source = this.isLocal(words, 0) || (!isOthers && scopeOf(words, 0) === 'unspecified');
    const destination = this.isLocal(words, 4);
    const placement = this.#placement;
    const openedBySource = opensAtSource(packet);
    if (source && destination) {
      placement.sourceIsLocal = openedBySource;
      placement.direction = FLOW_DIRECTION.LOCAL;
      return placement;
    }
    if (source !== destination) placement.sourceIsLocal = source;
    else if (this.#replay && (direction === DIRECTION.OUT || direction === DIRECTION.IN))
      placement.sourceIsLocal = direction === DIRECTION.OUT;
    else if (this.#replay) placement.sourceIsLocal = this.#guess(packet, openedBySource);
    else if (isGroup(words, 4) || packet.groupAddressed) {
      // Another machine's broadcast or multicast, which also went to this one.
      placement.sourceIsLocal = false;
    } else {
      placement.sourceIsLocal = openedBySource;
      placement.direction = FLOW_DIRECTION.TRANSIT;
      return placement;
    }
    placement.direction = placement.sourceIsLocal === openedBySource ? FLOW_DIRECTION.OUTBOUND : FLOW_DIRECTION.INBOUND;
    return placement;
  }

  #lacks(words: Int32Array): boolean {
    for (let at = 0; at < words.length; at += 4) if (!this.isLocal(words, at)) return true;
    return false;
  }

  /** Whether the address belongs to this machine. */
  isLocal(words: Int32Array, at: number): boolean {
    const addresses = this.#addresses;
    for (let i = 0; i < addresses.length; i += 4) if (sameAddress(words, at, addresses, i)) return true;
    return scopeOf(words, at) === 'loopback';
  }

  #guess(packet: Packet, openedBySource: boolean): boolean {
    if (isGroup(packet.words, 4)) return true;
    const source = isPrivate(packet.words, 0);
    const destination = isPrivate(packet.words, 4);
    return source === destination ? openedBySource : source;
  }
}

function isPrivate(words: Int32Array, at: number): boolean {
  const scope = scopeOf(words, at);
  return scope === 'private' || scope === 'link-local' || scope === 'shared';
}

function isGroup(words: Int32Array, at: number): boolean {
  const scope = scopeOf(words, at);
  return scope === 'multicast' || scope === 'broadcast';
}

/**
 * Whether the packet's source opened the flow. SYN and SYN+ACK decide if seen. A TCP flow joined in the middle was presumably opened towards the lower
 * port; any other flow by the end that is seen first.
 */
function opensAtSource(packet: Packet): boolean {
  if (packet.protocol === PROTOCOL.TCP) {
    if ((packet.tcpFlags & TCP_FLAG.SYN) !== 0) return (packet.tcpFlags & TCP_FLAG.ACK) === 0;
    return packet.sourcePort >= packet.destinationPort;
  }
  if (isIcmp(packet.protocol)) return packet.sourcePort !== ECHO_PORT || packet.destinationPort === ECHO_PORT;
  if (hasPorts(packet.protocol) && packet.sourcePort < 1024 && packet.destinationPort >= 1024) return false;
  return true;
}

/** Whether the protocol is ICMP or ICMPv6. */
export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6;
}
