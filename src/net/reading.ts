// What inspection reads of a packet, and the bytes by which that is known in advance. Both the program that cuts packets in the kernel and the
// readers are built on it: a name that can be read from a file can be read live, too.

import { PROTOCOL } from './numbers.ts';

/** Longest ClientHello that is reassembled: the largest TLS record (RFC 8446 section 5.1). */
export const LONGEST_HELLO = 16_384;
/** Bytes of an HTTP request that are searched for its host. */
export const LONGEST_REQUEST = 16_384;
/** Bytes of a packet worth reading: the longest message and its headers, link header included. */
export const LONGEST_PACKET = Math.max(LONGEST_HELLO, LONGEST_REQUEST) + 256;
/**
 * Bytes of a TCP segment that has PSH set and is otherwise unknown. It may be the tail of a split ClientHello, which doesn't begin with 0x16.
 * Merged bulk segments have PSH too; kept whole, they fill the ring at once (50 MB in 30 ms: 598 of 1,400 lost; cut like this, none).
 */
export const LONGEST_TAIL = 2048;

/** First byte of a handshake record of TLS and DTLS. */
export const TLS_HANDSHAKE = 0x16;
/** Bits of the first byte of a long header of QUIC. */
export const QUIC_LONG = 0xc0;
/** Bits of the first byte of a client's packet of Google's own QUIC, and their value; its version is at byte 9. */
export const GOOGLE_QUIC = { mask: 0xc9, value: 0x09, versionAt: 9, versions: [0x513033, 0x513034] } as const;
/** DNS over TCP. */
export const DNS_PORT = 53;
/** DNS, DHCP, NTP, NetBIOS names, DHCPv6, SSDP, STUN, mDNS, LLMNR: small datagrams that name things. */
export const NAMING_PORTS: readonly number[] = [53, 67, 68, 123, 137, 546, 547, 1900, 3478, 5353, 5355];

/** Bytes of a tunnel's packet: both headers, and the inner message usually as far as its name. */
export const LONGEST_INSIDE = 640;
/** UDP ports of tunnels that can be read: VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), whose servers answer from it. */
export const TUNNEL_PORT = { VXLAN: 4789, GENEVE: 6081, GTP_U: 2152, TEREDO: 3544 } as const;
/** IP protocols of tunnels: IPv4 and IPv6 in either, GRE. */
export const TUNNEL_PROTOCOLS: readonly number[] = [PROTOCOL.IPIP, PROTOCOL.IPV6, PROTOCOL.GRE];

/** First four bytes of methods (IANA HTTP Method Registry, caches, Exchange, RPC and VPN over HTTP, Icecast, UPnP, RTSP and SIP). */
export const METHODS: readonly number[] = words(
  'GET |HEAD|POST|PUT |DELE|OPTI|PATC|CONN|TRAC|QUER|PURG|PROP|REPO|MKCO|LOCK|UNLO|COPY|MOVE|SEAR|ACL |BIND|REBI|UNBI|LINK|UNLI|' +
    'MERG|CHEC|MKAC|MKWO|MKCA|LABE|UPDA|VERS|BASE|ORDE|BITS|BCOP|BDEL|BMOV|BPRO|POLL|RPC_|SSTP|SOUR|SUBS|UNSU|NOTI|' +
    'DESC|ANNO|SETU|PLAY|RECO|INVI|REGI',
);
/** First four bytes of the preface of HTTP/2 (RFC 9113 section 3.4). */
export const HTTP2_PREFACE = words('PRI ')[0] as number;

/** Texts of four letters as signed words, the way packets are read. */
function words(texts: string): number[] {
  return texts.split('|').map((text) => [0, 1, 2, 3].reduce((word, i) => (word << 8) | text.charCodeAt(i), 0));
}
