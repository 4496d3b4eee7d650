// Chooses each packet's snap length in the kernel: all of a packet worth reading, 160 bytes of bulk data. It isn't a filter expression, because
// a load beyond the end of a packet rejects the packet: `udp[8]` would drop empty datagrams and those with a false length from the totals. This
// program checks the packet's real length before each load, and rejects nothing.

import { ETHERTYPE, LINK, PROTOCOL, TCP_FLAG } from '../../net/numbers.ts';
import * as R from '../../net/reading.ts';
import { BpfAssembler, type Instruction } from './bpf-assembler.ts';

/** Bytes kept of a bulk packet. 96 would cut off IPv6 with TCP options and VXLAN's inner headers. */
export const BULK_BYTES = 160;
/** Bytes kept of a segment with PSH, and of a packet worth reading. */
export const PUSHED_BYTES = R.LONGEST_TAIL;
export const WHOLE_BYTES = R.LONGEST_PACKET;
/** Bytes kept of a frame if all of each is wanted: more than Linux and macOS put into one, unless they are told to. */
export const FULL_BYTES = 1 << 17;
/** Text worth reading begins with a capital letter. */
const FIRST_LETTER = 0x41;
const AFTER_LETTERS = 0x5b;

/** Offsets of the EtherType and the network layer in frames of a link type. */
interface Shape {
  /** Offset of the 16-bit protocol field; null if only the IP version tells. */
  readonly type: number | null;
  readonly network: number;
  /** False if the kernel's packet length excludes the link header (cooked captures). */
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
 * A program that accepts every packet and returns how many of its bytes to keep.
 *
 * It looks into IPv4 and into IPv6 without extension headers, both with up to two VLAN tags. Linux passes the outer tag beside the packet, so a
 * tag in the packet is the second one there.
 *
 * @param link LINKTYPE of the handle
 * @returns null for a link type that it can't look into: keep a fixed length
 */
export function snapProgram(link: number): Instruction[] | null {
  const shape = SHAPES.get(link);
  if (shape === undefined) return null;
  const bpf = new BpfAssembler();
  const missing = shape.lengthHasLink ? 0 : shape.network;
  const tags = shape.type !== null && link === LINK.ETHERNET ? 2 : 0;
  bpf.loadLength();
  if (shape.type === null) {
    bpf.ifAtLeast(shape.network + 1, null, 'no-network');
    bpf.load8(shape.network);
    bpf.shiftRight(4);
    bpf.ifEqual(4, 'v4-0');
    bpf.ifEqual(6, 'v6-0');
  } else {
    bpf.ifAtLeast(shape.network - missing, null, 'no-network');
    bpf.load16(shape.type);
    for (let tag = 0; tag <= tags; tag++) {
      bpf.ifEqual(ETHERTYPE.IPV4, `v4-${tag}`);
      bpf.ifEqual(ETHERTYPE.IPV6, `v6-${tag}`);
      bpf.ifEqual(ETHERTYPE.ARP, 'arp');
      if (tag === tags) break;
      bpf.ifEqual(ETHERTYPE.VLAN, `tagged-${tag}`);
      bpf.ifEqual(ETHERTYPE.QINQ, `tagged-${tag}`, 'no-network');
      bpf.label(`tagged-${tag}`);
      bpf.loadLength();
      bpf.ifAtLeast(shape.network + 4 * tag + 4, null, 'no-network');
      bpf.load16(shape.network + 4 * tag + 2);
    }
  }
  bpf.label('no-network');
  bpf.accept(BULK_BYTES);
  bpf.label('arp');
  bpf.accept(WHOLE_BYTES);
  for (let tag = 0; tag <= tags; tag++) emitNetwork(bpf, shape.network, tag, missing);
  emitTransport(bpf, shape.network, missing);
  return bpf.assemble();
}

/**
 * Emits code for a network layer after `tag` VLAN tags. It leaves the length of tags and network header in X, so all share the code for the
 * transport. Conditional jumps reach only 255 instructions, so each copy has its own exits.
 *
 * @param network offset without tags
 * @param missing bytes that the packet's length excludes: length + missing is the offset of its end
 */
function emitNetwork(bpf: BpfAssembler, network: number, tag: number, missing: number): void {
  const tagBytes = 4 * tag;
  const n = network + tagBytes;
  const bulk = `bulk-${tag}`;
  bpf.label(`v4-${tag}`);
  bpf.loadLength();
  bpf.ifAtLeast(n + 20 - missing, null, bulk);
  bpf.load16(n + 6);
  bpf.ifAnyBit(0x1fff, bulk); // later fragments have no ports
  bpf.headerLengthToX(n);
  if (tag > 0) {
    bpf.load(tagBytes);
    bpf.addX();
    bpf.aToX();
  }
  bpf.loadLength();
  bpf.ifAtLeastX(null, bulk);
  bpf.subtractX();
  bpf.ifAtLeast(network + 8 - missing, null, bulk); // 8 bytes of transport: UDP's header, or TCP's ports and sequence number
  bpf.load8(n + 9);
  bpf.jump(`transport-${tag}`);
  bpf.label(`v6-${tag}`);
  bpf.loadLength();
  bpf.ifAtLeast(n + 48 - missing, null, bulk);
  bpf.setX(tagBytes + 40);
  bpf.load8(n + 6);
  for (const header of [PROTOCOL.HOPOPTS, PROTOCOL.ROUTING, PROTOCOL.FRAGMENT, PROTOCOL.DSTOPTS])
    bpf.ifEqual(header, `chain-${tag}`);
  bpf.label(`transport-${tag}`);
  bpf.ifEqual(PROTOCOL.TCP, `to-tcp-${tag}`);
  bpf.ifEqual(PROTOCOL.UDP, `to-udp-${tag}`);
  for (const tunnel of R.TUNNEL_PROTOCOLS) bpf.ifEqual(tunnel, `tunnel-${tag}`);
  bpf.label(bulk);
  bpf.accept(BULK_BYTES);
  bpf.label(`tunnel-${tag}`);
  bpf.accept(R.LONGEST_INSIDE);
  bpf.label(`chain-${tag}`);
  bpf.accept(WHOLE_BYTES);
  bpf.label(`to-tcp-${tag}`);
  bpf.jump('tcp');
  bpf.label(`to-udp-${tag}`);
  bpf.jump('udp');
}

/** Emits code for a transport at offset X + `n`. */
function emitTransport(bpf: BpfAssembler, n: number, missing: number): void {
  bpf.label('tcp');
  bpf.loadLength();
  bpf.subtractX();
  bpf.ifAtLeast(n + 20 - missing, null, 'bulk');
  bpf.load8X(n + 13);
  bpf.ifAnyBit(TCP_FLAG.SYN, 'whole');
  bpf.remember();
  for (const port of [n, n + 2]) {
    bpf.load16X(port);
    bpf.ifEqual(R.DNS_PORT, 'whole');
  }
  bpf.load8X(n + 12);
  bpf.and(0xf0);
  bpf.shiftRight(2);
  bpf.addX();
  bpf.aToX();
  bpf.loadLength();
  bpf.ifAtLeastX(null, 'bulk');
  bpf.subtractX();
  bpf.ifAtLeast(n + 1 - missing, null, 'bulk');
  bpf.load8X(n);
  bpf.ifEqual(R.TLS_HANDSHAKE, 'whole');
  bpf.ifAtLeast(AFTER_LETTERS, 'no-text');
  bpf.ifAtLeast(FIRST_LETTER, null, 'no-text');
  bpf.loadLength();
  bpf.subtractX();
  bpf.ifAtLeast(n + 4 - missing, null, 'no-text');
  bpf.load32X(n);
  for (const text of [...R.METHODS, R.HTTP2_PREFACE]) bpf.ifEqual(text, 'whole');
  bpf.label('no-text');
  bpf.recall();
  bpf.ifAnyBit(TCP_FLAG.PSH, null, 'bulk');
  bpf.accept(PUSHED_BYTES);
  bpf.label('udp');
  for (const port of [n, n + 2]) {
    bpf.load16X(port);
    for (const each of R.NAMING_PORTS) bpf.ifEqual(each, 'whole');
    for (const each of Object.values(R.TUNNEL_PORT)) bpf.ifEqual(each, 'tunnel');
  }
  bpf.loadLength();
  bpf.subtractX();
  bpf.ifAtLeast(n + 9 - missing, null, 'bulk');
  bpf.load8X(n + 8);
  bpf.ifEqual(R.TLS_HANDSHAKE, 'whole');
  bpf.ifAtLeast(R.QUIC_LONG, 'whole');
  bpf.and(R.GOOGLE_QUIC.mask);
  bpf.ifEqual(R.GOOGLE_QUIC.value, null, 'bulk');
  bpf.loadLength();
  bpf.subtractX();
  bpf.ifAtLeast(n + 8 + R.GOOGLE_QUIC.versionAt + 4 - missing, null, 'bulk');
  bpf.load32X(n + 8 + R.GOOGLE_QUIC.versionAt);
  bpf.shiftRight(8);
  for (const version of R.GOOGLE_QUIC.versions) bpf.ifEqual(version, 'whole');
  bpf.label('bulk');
  bpf.accept(BULK_BYTES);
  bpf.label('tunnel');
  bpf.accept(R.LONGEST_INSIDE);
  bpf.label('whole');
  bpf.accept(WHOLE_BYTES);
}
