// Builds frames for tests: link(ip(transport)), with right lengths and checksums unless a test asks for a lie.
// Link builders give the bytes of a frame; what lies below gives a Layer, which tells its carrier what number to write.

import { parseAddress } from '../../src/net/address.ts';
import { ETHERTYPE, PROTOCOL } from '../../src/net/numbers.ts';

/** Bytes of one layer and all inside it, with the numbers by which an outer layer announces it. */
export interface Layer {
  readonly bytes: Uint8Array;
  readonly etherType?: number;
  readonly protocol?: number;
  /** Where the checksum that covers the pseudo-header goes; absent when there is none or the test gave its own. */
  readonly checksumAt?: number;
}
/** What may be put inside a layer: text is UTF-8. */
export type Inner = Layer | Uint8Array | string;

/** Bytes of hexadecimal text; blanks are ignored. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}
/** Bytes one after the other. */
export function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
/** The bytes of whatever may be put inside a layer. */
export function bytesOf(inner: Inner): Uint8Array {
  if (typeof inner === 'string') return Uint8Array.from(Buffer.from(inner));
  return inner instanceof Uint8Array ? inner : inner.bytes;
}
/** Big-endian 16 bits. */
export const be16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
/** Big-endian 32 bits. */
export const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value)];

const etherTypeOf = (inner: Inner): number => (typeof inner === 'object' && 'etherType' in inner ? (inner.etherType ?? 0) : 0);
const protocolOf = (inner: Inner): number => (typeof inner === 'object' && 'protocol' in inner ? (inner.protocol ?? 253) : 253);
const macBytes = (text: string): Uint8Array => hex(text.replaceAll(':', ''));

function addressBytes(text: string): number[] {
  const words = new Int32Array(4);
  if (!parseAddress(text, words)) throw new Error(`no address: ${text}`);
  return text.includes(':') ? [...words].flatMap((word) => be32(word)) : be32(words[3] as number);
}

/** RFC 1071 checksum. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += (bytes[i] as number) << (i % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function withChecksum(inner: Inner, source: number[], destination: number[]): Uint8Array {
  const bytes = bytesOf(inner);
  if (typeof inner !== 'object' || !('checksumAt' in inner) || inner.checksumAt === undefined) return bytes;
  const sum = checksum(join(source, destination, be32(bytes.length), be32(protocolOf(inner)), bytes)) || 0xffff;
  const done = Uint8Array.from(bytes);
  done.set(be16(sum), inner.checksumAt);
  return done;
}

// ---- link layer -------------------------------------------------------------------------------------------------------------

export interface EthernetFields {
  src?: string;
  dst?: string;
  /** EtherType, or the length of an 802.3 frame; else what the inner layer says. */
  type?: number;
  /** One tag, or several from the outermost. */
  vlan?: number | { id: number; type: number }[];
  /** Pads with this byte to 60 bytes, as a card does. */
  pad?: number;
}

/** Ethernet II frame without its checksum. */
export function ethernet(fields: EthernetFields, inner: Inner): Uint8Array {
  const { src = '02:00:00:00:00:01', dst = '02:00:00:00:00:02', type = etherTypeOf(inner), vlan = [], pad } = fields;
  const tags = typeof vlan === 'number' ? [{ id: vlan, type: ETHERTYPE.VLAN }] : vlan;
  const tagBytes = tags.flatMap((tag) => [...be16(tag.type), ...be16(tag.id)]);
  const frame = join(macBytes(dst), macBytes(src), tagBytes, be16(type), bytesOf(inner));
  return pad === undefined || frame.length >= 60 ? frame : join(frame, new Array<number>(60 - frame.length).fill(pad));
}
/** LLC and SNAP headers, to go into an 802.3 frame (`type` = length). */
export function snap(inner: Inner, type = etherTypeOf(inner)): Uint8Array {
  return join([0xaa, 0xaa, 3, 0, 0, 0], be16(type), bytesOf(inner));
}
/** Service tags, 802.1BR: eight bytes with the EtherType of what follows. */
export function etag(inner: Inner): Layer {
  return { bytes: join(hex('0000 0001 0000'), be16(etherTypeOf(inner)), bytesOf(inner)), etherType: ETHERTYPE.E_TAG };
}
/** Cisco's VN-Tag. */
export function vntag(inner: Inner): Layer {
  return { bytes: join(hex('0001 0002'), be16(etherTypeOf(inner)), bytesOf(inner)), etherType: ETHERTYPE.VN_TAG };
}
/** MACsec header and check value of 16 bytes. @param control first byte; 0 is neither encrypted nor with a channel */
export function macsec(inner: Inner, control = 0): Layer {
  const channel = (control & 0x20) === 0 ? 0 : 8;
  const head = [control, 0, 0, 0, 0, 1, ...new Array<number>(channel).fill(9)];
  return { bytes: join(head, be16(etherTypeOf(inner)), bytesOf(inner), new Uint8Array(16)), etherType: ETHERTYPE.MACSEC };
}
/** NSH header. @param next 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH, 5 MPLS @param words its length */
export function nsh(next: number, inner: Inner, words = 6): Layer {
  const head = join([0x0f, 0xc0 | words, 1, next], new Uint8Array(Math.max(0, words * 4 - 4)));
  return { bytes: join(head, bytesOf(inner)), etherType: ETHERTYPE.NSH };
}
/** 802.1ah: a service number in front of a whole Ethernet frame. */
export function backbone(frame: Uint8Array): Layer {
  return { bytes: join([0, 0, 0, 5], frame), etherType: ETHERTYPE.BACKBONE };
}

export interface WirelessFields {
  /** First byte of frame control: 0x08 data, 0x88 data with quality of service. */
  control?: number;
  /** Second byte: 1 to the access point, 2 from it, 0x40 protected, 0x80 order. */
  flags?: number;
  /** Fragment number. */
  fragment?: number;
  /** First byte of QoS control. */
  quality?: number;
  /** Bytes behind the header that align it. */
  padding?: number;
}
/** 802.11 frame; the body begins with LLC, or is what `aggregate` made. */
export function wireless(fields: WirelessFields, body: Uint8Array): Uint8Array {
  const { control = 0x08, flags = 1, fragment = 0, quality = 0, padding = 0 } = fields;
  const stations = hex('020000000001 020000000002 020000000003');
  const head = join([control, flags, 0, 0], stations, [fragment, 0], (flags & 3) === 3 ? hex('020000000004') : []);
  const more = (control & 0x80) === 0 ? [] : [quality, 0, ...((flags & 0x80) === 0 ? [] : [0, 0, 0, 0])];
  return join(head, more, new Uint8Array(padding), body);
}
/** Several packets in one body (A-MSDU), each but the last padded to four bytes. */
export function aggregate(...inners: readonly Inner[]): Uint8Array {
  const parts = inners.map((inner, i) => {
    const body = snap(inner);
    const part = join(hex('020000000003 020000000001'), be16(body.length), body);
    return i === inners.length - 1 ? part : join(part, new Uint8Array(-part.length & 3));
  });
  return join(...parts);
}
/** Radiotap header. @param flags of the frame; absent without the field. @param words words that say which fields there are */
export function radiotap(frame: Uint8Array, flags?: number, words = 1): Uint8Array {
  const present = Array.from({ length: words }, (_, i) => [
    i === 0 && flags !== undefined ? 3 : 0,
    0,
    0,
    i < words - 1 ? 0x80 : 0,
  ]);
  const before = 4 + words * 4;
  const clock = flags === undefined ? [] : new Array<number>(8 + (before & 7 ? 4 : 0)).fill(7);
  const fields = [...present.flat(), ...clock, ...(flags === undefined ? [] : [flags, 0, 0])];
  return join([0, 0, 4 + fields.length, 0], fields, frame);
}
/** PPI header with the field of 802.11. @param flags 1 with a check sequence, 4 a wrong one @param link DLT of the frame */
export function ppi(frame: Uint8Array, flags = 0, link = 105): Uint8Array {
  const common = join([2, 0, 20, 0], new Uint8Array(8), [flags, 0], new Uint8Array(10));
  return join([0, 0, 8 + 5 + common.length, 0], be32(link).reverse(), [9, 0, 1, 0, 0], common, frame);
}
/** Prism header of 144 bytes, in the byte order of its writer. */
export function prism(frame: Uint8Array, order: 'little' | 'big' = 'little'): Uint8Array {
  const words = [be32(0x44), be32(144)].map((word) => (order === 'big' ? word : word.reverse()));
  return join(...words, new Uint8Array(136), frame);
}
/** AVS header of 64 bytes. */
export function avs(frame: Uint8Array): Uint8Array {
  return join(be32(0x80211001), be32(64), new Uint8Array(56), frame);
}

/** BSD loopback frame: address family in host order. @param order byte order of the recording machine */
export function nullLink(family: number, inner: Inner, order: 'little' | 'big' = 'little'): Uint8Array {
  const word = be32(family);
  return join(order === 'big' ? word : word.reverse(), bytesOf(inner));
}

export interface CookedFields {
  /** 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 from us. */
  packetType?: number;
  /** ARPHRD of the interface. */
  hardware?: number;
  protocol?: number;
  /** SLL2 only. */
  interfaceIndex?: number;
}
/** Linux cooked frame, version 1. */
export function sll(fields: CookedFields, inner: Inner): Uint8Array {
  const { packetType = 0, hardware = 1, protocol = etherTypeOf(inner) } = fields;
  return join(be16(packetType), be16(hardware), be16(6), [2, 0, 0, 0, 0, 1, 0, 0], be16(protocol), bytesOf(inner));
}
/** Linux cooked frame, version 2. */
export function sll2(fields: CookedFields, inner: Inner): Uint8Array {
  const { packetType = 0, hardware = 1, protocol = etherTypeOf(inner), interfaceIndex = 2 } = fields;
  const head = [...be16(protocol), 0, 0, ...be32(interfaceIndex), ...be16(hardware), packetType, 6];
  return join(head, [2, 0, 0, 0, 0, 1, 0, 0], bytesOf(inner));
}
/** PPP frame. @param hdlc with the address and control bytes ff 03 */
export function ppp(inner: Inner, hdlc = true, protocol = etherTypeOf(inner) === ETHERTYPE.IPV6 ? 0x57 : 0x21): Uint8Array {
  return join(hdlc ? [0xff, 3] : [], be16(protocol), bytesOf(inner));
}
/** PPPoE session header and PPP protocol. */
export function pppoe(inner: Inner, session = 1, code = 0): Layer {
  const body = ppp(inner, false);
  return { etherType: ETHERTYPE.PPPOE_SESSION, bytes: join([0x11, code], be16(session), be16(body.length), body) };
}
/** MPLS label stack, outermost label first. */
export function mpls(labels: readonly number[], inner: Inner): Layer {
  const stack = labels.flatMap((label, i) => be32((label << 12) | (i === labels.length - 1 ? 0x100 : 0) | 64));
  return { etherType: ETHERTYPE.MPLS, bytes: join(stack, bytesOf(inner)) };
}
/** ARP for IPv4 over Ethernet. @param operation 1 request, 2 reply */
export function arp(sender: string, target: string, operation = 1): Layer {
  const head = [...be16(1), ...be16(ETHERTYPE.IPV4), 6, 4, ...be16(operation)];
  const bytes = join(head, macBytes('020000000001'), addressBytes(sender), new Uint8Array(6), addressBytes(target));
  return { etherType: ETHERTYPE.ARP, bytes };
}

// ---- network layer ----------------------------------------------------------------------------------------------------------

export interface Ipv4Fields {
  src?: string;
  dst?: string;
  ttl?: number;
  id?: number;
  /** 2 don't fragment, 1 more fragments. */
  flags?: number;
  /** In units of 8 bytes. */
  fragmentOffset?: number;
  options?: Uint8Array;
  protocol?: number;
  totalLength?: number;
  version?: number;
  headerWords?: number;
}
/** IPv4 packet; a transport layer inside gets its checksum. */
export function ipv4(fields: Ipv4Fields, inner: Inner): Layer {
  const { src = '192.0.2.1', dst = '198.51.100.2', ttl = 64, id = 0, flags = 0, fragmentOffset = 0, version = 4 } = fields;
  const options = padded(fields.options ?? new Uint8Array(0), 4, 0);
  const { protocol = protocolOf(inner), headerWords = 5 + options.length / 4 } = fields;
  const source = addressBytes(src);
  const destination = addressBytes(dst);
  const body = withChecksum(inner, source, destination);
  const total = fields.totalLength ?? 20 + options.length + body.length;
  const head = join(
    [(version << 4) | headerWords, 0, ...be16(total), ...be16(id), ...be16((flags << 13) | fragmentOffset), ttl, protocol, 0, 0],
    source,
    destination,
    options,
  );
  head.set(be16(checksum(head)), 10);
  return { etherType: ETHERTYPE.IPV4, protocol: PROTOCOL.IPIP, bytes: join(head, body) };
}

/** An IPv6 extension header; its first byte is overwritten with the number of what follows. */
export interface Extension {
  readonly header: number;
  readonly bytes: Uint8Array;
}
/** Extension header of the common layout, padded to 8 bytes: options, routing, mobility, HIP, Shim6. */
export function extension(header: number, body: Uint8Array = new Uint8Array(0)): Extension {
  const bytes = padded(join([0, 0], body.length === 0 ? [1, 4, 0, 0, 0, 0] : body), 8, 0);
  bytes[1] = bytes.length / 8 - 1;
  return { header, bytes };
}
/** Fragment header. @param offset in units of 8 bytes */
export function fragmentHeader(id: number, offset: number, more: boolean): Extension {
  return { header: PROTOCOL.FRAGMENT, bytes: join([0, 0], be16((offset << 3) | (more ? 1 : 0)), be32(id)) };
}
/** Authentication header with a 12-byte check value (RFC 4302). */
export function authentication(): Extension {
  return { header: PROTOCOL.AH, bytes: join([0, 4, 0, 0], be32(0x100), be32(1), new Uint8Array(12)) };
}

export interface Ipv6Fields {
  src?: string;
  dst?: string;
  hopLimit?: number;
  nextHeader?: number;
  payloadLength?: number;
  extensions?: readonly Extension[];
}
/** IPv6 packet with its extension headers; a transport layer inside gets its checksum. */
export function ipv6(fields: Ipv6Fields, inner: Inner): Layer {
  const { src = '2001:db8::1', dst = '2001:db8::2', hopLimit = 64, extensions = [], nextHeader = protocolOf(inner) } = fields;
  const source = addressBytes(src);
  const destination = addressBytes(dst);
  const numbers = [...extensions.map((one) => one.header), nextHeader];
  const chain = extensions.map((one, i) => join([numbers[i + 1] as number], one.bytes.subarray(1)));
  const body = join(...chain, withChecksum(inner, source, destination));
  const length = fields.payloadLength ?? body.length;
  const head = [0x60, 0, 0, 0, ...be16(length), numbers[0] as number, hopLimit];
  return { etherType: ETHERTYPE.IPV6, protocol: PROTOCOL.IPV6, bytes: join(head, source, destination, body) };
}

function padded(bytes: Uint8Array, unit: number, fill: number): Uint8Array {
  return join(bytes, new Array<number>((unit - (bytes.length % unit)) % unit).fill(fill));
}

// ---- transport layer --------------------------------------------------------------------------------------------------------

export interface TcpFields {
  sport?: number;
  dport?: number;
  seq?: number;
  ack?: number;
  /** TCP_FLAG bits; ACK where a test does not care. */
  flags?: number;
  window?: number;
  /** Put after the timestamps, padded with zeros. */
  options?: Uint8Array;
  timestamps?: readonly [value: number, echo: number];
  /** Words of header, where a test lies. */
  dataOffset?: number;
}
/** TCP segment. */
export function tcp(fields: TcpFields, payload: Inner = ''): Layer {
  const { sport = 40000, dport = 443, seq = 1, ack = 1, flags = 0x10, window = 65535, timestamps } = fields;
  const stamps = timestamps === undefined ? [] : [1, 1, 8, 10, ...be32(timestamps[0]), ...be32(timestamps[1])];
  const options = padded(join(stamps, fields.options ?? []), 4, 0);
  const words = fields.dataOffset ?? 5 + options.length / 4;
  const head = [...be16(sport), ...be16(dport), ...be32(seq), ...be32(ack), words << 4, flags, ...be16(window), 0, 0, 0, 0];
  return { protocol: PROTOCOL.TCP, checksumAt: 16, bytes: join(head, options, bytesOf(payload)) };
}

export interface UdpFields {
  sport?: number;
  dport?: number;
  length?: number;
  /** 0 sends none. */
  checksum?: number;
}
/** UDP datagram. */
export function udp(fields: UdpFields, payload: Inner = ''): Layer {
  const { sport = 40000, dport = 53 } = fields;
  const body = bytesOf(payload);
  const bytes = join(be16(sport), be16(dport), be16(fields.length ?? 8 + body.length), be16(fields.checksum ?? 0), body);
  return fields.checksum === undefined ? { protocol: PROTOCOL.UDP, checksumAt: 6, bytes } : { protocol: PROTOCOL.UDP, bytes };
}
/** UDP-Lite datagram whose checksum covers everything. */
export function udplite(fields: { sport?: number; dport?: number }, payload: Inner = ''): Layer {
  const { sport = 40000, dport = 5000 } = fields;
  return { protocol: PROTOCOL.UDPLITE, checksumAt: 6, bytes: join(be16(sport), be16(dport), [0, 0, 0, 0], bytesOf(payload)) };
}
/** SCTP common header and chunks; the CRC is left zero. */
export function sctp(fields: { sport?: number; dport?: number }, chunks: Inner = hex('0a 00 0004')): Layer {
  const { sport = 40000, dport = 5000 } = fields;
  return { protocol: PROTOCOL.SCTP, bytes: join(be16(sport), be16(dport), be32(1), be32(0), bytesOf(chunks)) };
}
/** ICMP message with its four bytes of rest of header. */
export function icmp(fields: { type: number; code?: number; rest?: number }, payload: Inner = ''): Layer {
  const bytes = join([fields.type, fields.code ?? 0, 0, 0], be32(fields.rest ?? 1), bytesOf(payload));
  bytes.set(be16(checksum(bytes)), 2);
  return { protocol: PROTOCOL.ICMP, bytes };
}
/** ICMPv6 message with four bytes of rest of header. */
export function icmpv6(fields: { type: number; code?: number; rest?: number }, payload: Inner = ''): Layer {
  const bytes = join([fields.type, fields.code ?? 0, 0, 0], be32(fields.rest ?? 1), bytesOf(payload));
  return { protocol: PROTOCOL.ICMPV6, checksumAt: 2, bytes };
}

// ---- tunnels ----------------------------------------------------------------------------------------------------------------

/** GRE without options. */
export function gre(inner: Inner): Layer {
  return { protocol: PROTOCOL.GRE, bytes: join([0, 0], be16(etherTypeOf(inner)), bytesOf(inner)) };
}
/** VXLAN header and the frame inside, to go into a UDP datagram to port 4789. */
export function vxlan(vni: number, frame: Uint8Array): Uint8Array {
  return join([8, 0, 0, 0], be32(vni << 8), frame);
}
/** WireGuard message of the right length for its type, to go into a UDP datagram. @param inner bytes of the packet of type 4 */
export function wireguard(type: 1 | 2 | 3 | 4, inner = 0): Uint8Array {
  const length = { 1: 148, 2: 92, 3: 64, 4: 32 + 16 * Math.ceil(inner / 16) }[type];
  const message = new Uint8Array(length).fill(0x5a);
  message.set([type, 0, 0, 0, 1, 2, 3, 4]);
  if (type === 4) message.set([7, 0, 0, 0, 0, 0, 0, 0], 8);
  return message;
}
