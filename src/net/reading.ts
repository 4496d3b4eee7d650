// What of a packet inspection reads, and by which bytes that is told in advance: one table. The program that cuts packets in the kernel is
// made of it, and the readers take their bounds from it, so that a name that a file tells is told live, too.

import { PROTOCOL } from './numbers.ts';

/** Longest ClientHello that is put together: the largest TLS record (RFC 8446 section 5.1). */
export const LONGEST_HELLO = 16_384;
/** Bytes of an HTTP request that are looked through for its host. */
export const LONGEST_REQUEST = 16_384;
/** Bytes of a packet worth reading: the longest message and its headers, link header included. */
export const LONGEST_PACKET = Math.max(LONGEST_HELLO, LONGEST_REQUEST) + 256;
/**
 * Bytes of a TCP segment of which nothing is known but that it is marked PSH: the tail of a ClientHello that segmentation split does not
 * begin with 0x16. Every merged bulk segment is marked so too, and kept whole they fill the ring at once (50 MB in 30 ms: 598 of 1,400
 * lost; like this none).
 */
export const LONGEST_TAIL = 2048;

/** First byte of a handshake record of TLS and DTLS. */
export const TLS_HANDSHAKE = 0x16;
/** Bits of the first byte of a long header of QUIC. */
export const QUIC_LONG = 0xc0;
/** Bits of the first byte of a client's packet of Google's own QUIC, with what they are; its version is at byte 9. */
export const GOOGLE_QUIC = { mask: 0xc9, value: 0x09, versionAt: 9, versions: [0x513033, 0x513034] } as const;
/** DNS over TCP. */
export const DNS_PORT = 53;
/** DNS, DHCP, NTP, NetBIOS names, DHCPv6, SSDP, STUN, mDNS, LLMNR: small datagrams that name things. */
export const NAMING_PORTS: readonly number[] = [53, 67, 68, 123, 137, 546, 547, 1900, 3478, 5353, 5355];

/** Bytes of a tunnel's packet: both headers, and a message of the inner flow as far as its name, as a rule. */
export const LONGEST_INSIDE = 640;
/** Where tunnels that can be read go to over UDP: VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), whose servers answer from it. */
export const TUNNEL_PORT = { VXLAN: 4789, GENEVE: 6081, GTP_U: 2152, TEREDO: 3544 } as const;
/** Tunnels that have an IP protocol of their own: IPv4 and IPv6 in either, GRE. */
export const TUNNEL_PROTOCOLS: readonly number[] = [PROTOCOL.IPIP, PROTOCOL.IPV6, PROTOCOL.GRE];

/** First four bytes of methods (IANA HTTP Method Registry, caches, Exchange, RPC and VPN over HTTP, Icecast, UPnP, RTSP and SIP). */
export const METHODS: readonly number[] = words(
  'GET |HEAD|POST|PUT |DELE|OPTI|PATC|CONN|TRAC|QUER|PURG|PROP|REPO|MKCO|LOCK|UNLO|COPY|MOVE|SEAR|ACL |BIND|REBI|UNBI|LINK|UNLI|' +
    'MERG|CHEC|MKAC|MKWO|MKCA|LABE|UPDA|VERS|BASE|ORDE|BITS|BCOP|BDEL|BMOV|BPRO|POLL|RPC_|SSTP|SOUR|SUBS|UNSU|NOTI|' +
    'DESC|ANNO|SETU|PLAY|RECO|INVI|REGI',
);
/** The same of the preface of HTTP/2 (RFC 9113 section 3.4). */
export const HTTP2_PREFACE = words('PRI ')[0] as number;

/** Texts of four letters as signed words, as they are read from packets. */
function words(texts: string): number[] {
  return texts.split('|').map((text) => [0, 1, 2, 3].reduce((word, i) => (word << 8) | text.charCodeAt(i), 0));
}
