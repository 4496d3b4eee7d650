// The snap length of each packet, chosen in the kernel: whole for what is worth reading, 160 bytes for bulk. Written by hand rather than
// as an expression, because a load beyond the end of a packet rejects it: with an expression like `udp[8]` an empty datagram, or one that
// lies about its length, would be missing from the totals. Here every load is proved by the packet's real length, and nothing is rejected.

import { ETHERTYPE, LINK, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { BpfAssembler, type Instruction } from './bpf-assembler.ts';

/** Bytes kept of a bulk packet: 96 would cut IPv6 with TCP options and VXLAN's inner headers. */
export const BULK_BYTES = 160;
/**
 * Bytes kept of a TCP segment that is only marked PSH: the tail of a ClientHello that segmentation split does not begin with 0x16. Every
 * merged bulk segment is marked so too, and kept whole they fill the ring at once (50 MB in 30 ms: 598 of 1,400 lost; like this none).
 */
export const PUSHED_BYTES = 2048;
/** Bytes kept of a packet worth reading: the largest TLS record (RFC 8446 section 5.1) and its headers. */
export const WHOLE_BYTES = 16_640;

/** DNS, DHCP, NTP, NetBIOS names, DHCPv6, SSDP, STUN, mDNS, LLMNR: small datagrams that name things. */
const UDP_PORTS = [53, 67, 68, 123, 137, 546, 547, 1900, 3478, 5353, 5355];
const TLS_HANDSHAKE = 0x16;
const QUIC_LONG_HEADER = 0xc0;

/** Where the EtherType and the network layer lie in frames of a link type. */
interface Shape {
  /** Offset of the 16-bit protocol field; null where the IP version tells. */
  readonly type: number | null;
  readonly network: number;
  /** False where the kernel's packet length does not count the link header (cooked captures). */
  readonly lengthHasLink: boolean;
}

const SHAPES = new Map<number, Shape>([
  [LINK.ETHERNET, { type: 12, network: 14, lengthHasLink: true }],
  [LINK.LINUX_SLL, { type: 14, network: 16, lengthHasLink: false }],
  [LINK.LINUX_SLL2, { type: 0, network: 20, lengthHasLink: false }],
  [LINK.NULL, { type: null, network: 4, lengthHasLink: true }],
  [LINK.LOOP, { type: null, network: 4, lengthHasLink: true }],
  [LINK.RAW, { type: null, network: 0, lengthHasLink: true }],
  [LINK.RAW_DLT, { type: null, network: 0, lengthHasLink: true }],
]);

/**
 * Program that accepts every packet and returns how many of its bytes to keep.
 *
 * IPv4, IPv6 without extension headers, and both behind one or two VLAN tags are looked into. Linux hands the outer tag over beside the
 * packet, so there a tag inside is the second one.
 *
 * @param link LINKTYPE of the handle
 * @returns null for a link type that cannot be looked into: keep a fixed length
 */
export function snapProgram(link: number): Instruction[] | null {
  const shape = SHAPES.get(link);
  if (shape === undefined) return null;
  const bpf = new BpfAssembler();
  const missing = shape.lengthHasLink ? 0 : shape.network;
  const blocks: Block[] = [];
  if (shape.type === null) {
    bpf.loadLength();
    bpf.ifAtLeast(shape.network + 1, null, 'bulk-0');
    bpf.load8(shape.network);
    bpf.shiftRight(4);
    bpf.ifEqual(4, 'v4-0');
    bpf.ifEqual(6, 'v6-0', 'bulk-0');
    blocks.push({ id: 0, network: shape.network, missing });
  } else {
    bpf.loadLength();
    bpf.ifAtLeast(shape.network - missing, null, 'bulk-0');
    bpf.load16(shape.type);
    const tags = link === LINK.ETHERNET ? 2 : 0;
    for (let tag = 0; tag <= tags; tag++) {
      const network = shape.network + 4 * tag;
      bpf.ifEqual(ETHERTYPE.IPV4, `to-v4-${tag}`);
      bpf.ifEqual(ETHERTYPE.IPV6, `to-v6-${tag}`);
      bpf.ifEqual(ETHERTYPE.ARP, 'to-whole');
      if (tag < tags) {
        bpf.ifEqual(ETHERTYPE.VLAN, `tagged-${tag}`);
        bpf.ifEqual(ETHERTYPE.QINQ, `tagged-${tag}`, 'to-bulk');
        bpf.label(`tagged-${tag}`);
        bpf.loadLength();
        bpf.ifAtLeast(network + 4, null, 'to-bulk');
        bpf.load16(network + 2);
      }
      blocks.push({ id: tag, network, missing });
    }
    bpf.jump('bulk-0');
    bpf.label('to-bulk');
    bpf.jump('bulk-0');
    bpf.label('to-whole');
    bpf.jump('whole-0');
    for (const { id } of blocks) {
      bpf.label(`to-v4-${id}`);
      bpf.jump(`v4-${id}`);
      bpf.label(`to-v6-${id}`);
      bpf.jump(`v6-${id}`);
    }
  }
  for (const block of blocks) emitNetwork(bpf, block);
  return bpf.assemble();
}

/** Code for a network layer at a fixed offset. Conditional jumps reach 255 instructions only, so each block has its own ends. */
interface Block {
  readonly id: number;
  readonly network: number;
  /** What the packet's length lacks: length + missing is the offset of its end. */
  readonly missing: number;
}

function emitNetwork(bpf: BpfAssembler, block: Block): void {
  const { id, network: n, missing } = block;
  const bulk = `bulk-${id}`;
  const whole = `whole-${id}`;
  bpf.label(`v4-${id}`);
  bpf.loadLength();
  bpf.ifAtLeast(n + 20 - missing, null, bulk);
  bpf.load16(n + 6);
  bpf.ifAnyBit(0x1fff, bulk); // a later fragment has no ports
  bpf.headerLengthToX(n);
  bpf.loadLength();
  bpf.ifAtLeastX(null, bulk);
  bpf.subtractX();
  bpf.ifAtLeast(n + 8 - missing, null, bulk); // 8 bytes of transport: all of UDP, the ports and sequence of TCP
  bpf.load8(n + 9);
  bpf.ifEqual(PROTOCOL.TCP, `tcp-${id}`);
  bpf.ifEqual(PROTOCOL.UDP, `udp-${id}`, bulk);
  bpf.label(`v6-${id}`);
  bpf.loadLength();
  bpf.ifAtLeast(n + 48 - missing, null, bulk);
  bpf.load8(n + 6);
  bpf.ifEqual(PROTOCOL.TCP, `v6-tcp-${id}`);
  bpf.ifEqual(PROTOCOL.UDP, `v6-udp-${id}`);
  for (const header of [PROTOCOL.HOPOPTS, PROTOCOL.ROUTING, PROTOCOL.FRAGMENT, PROTOCOL.DSTOPTS]) bpf.ifEqual(header, whole);
  bpf.jump(bulk);
  // From here on X is the length of the network header, so one code serves both families.
  bpf.label(`v6-tcp-${id}`);
  bpf.setX(40);
  bpf.label(`tcp-${id}`);
  bpf.loadLength();
  bpf.subtractX();
  bpf.ifAtLeast(n + 20 - missing, null, bulk);
  bpf.load8X(n + 13);
  bpf.ifAnyBit(TCP_FLAG.SYN, whole);
  bpf.remember();
  bpf.load16X(n);
  bpf.ifEqual(53, whole);
  bpf.load16X(n + 2);
  bpf.ifEqual(53, whole);
  bpf.load8X(n + 12);
  bpf.and(0xf0);
  bpf.shiftRight(2);
  bpf.addX();
  bpf.aToX();
  bpf.loadLength();
  bpf.ifAtLeastX(null, bulk);
  bpf.subtractX();
  bpf.ifAtLeast(n + 1 - missing, null, bulk);
  bpf.load8X(n);
  bpf.ifEqual(TLS_HANDSHAKE, whole);
  bpf.recall();
  bpf.ifAnyBit(TCP_FLAG.PSH, `pushed-${id}`, bulk);
  bpf.label(`v6-udp-${id}`);
  bpf.setX(40);
  bpf.label(`udp-${id}`);
  for (const port of [n, n + 2]) {
    bpf.load16X(port);
    for (const each of UDP_PORTS) bpf.ifEqual(each, whole);
  }
  bpf.loadLength();
  bpf.subtractX();
  bpf.ifAtLeast(n + 9 - missing, null, bulk);
  bpf.load8X(n + 8);
  bpf.ifEqual(TLS_HANDSHAKE, whole);
  bpf.and(QUIC_LONG_HEADER);
  bpf.ifEqual(QUIC_LONG_HEADER, whole, bulk);
  bpf.label(whole);
  bpf.accept(WHOLE_BYTES);
  bpf.label(`pushed-${id}`);
  bpf.accept(PUSHED_BYTES);
  bpf.label(bulk);
  bpf.accept(BULK_BYTES);
}
