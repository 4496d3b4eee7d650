// Numbers of the wire: link types, EtherTypes, IP protocols, TCP flags. Constants only.

/**
 * LINKTYPE values as written in capture files (https://www.tcpdump.org/linktypes.html). Live handles report DLT values, which
 * differ only for RAW (12 on Linux and macOS) and for PKTAP on macOS (149); both spellings are accepted everywhere.
 */
export const LINK = {
  NULL: 0,
  ETHERNET: 1,
  PPP: 9,
  RAW_DLT: 12,
  PPP_HDLC: 50,
  PPP_ETHER: 51,
  RAW: 101,
  IEEE802_11: 105,
  LOOP: 108,
  LINUX_SLL: 113,
  PRISM: 119,
  RADIOTAP: 127,
  PKTAP_DLT: 149,
  AVS: 163,
  PPI: 192,
  IPV4: 228,
  IPV6: 229,
  PKTAP: 258,
  LINUX_SLL2: 276,
} as const;

/** EtherType values (IEEE 802 numbers). */
export const ETHERTYPE = {
  IPV4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** An LLC header in a frame that is too long for a length field. */
  LLC: 0x8870,
  MPLS: 0x8847,
  MPLS_MULTICAST: 0x8848,
  PPPOE_DISCOVERY: 0x8863,
  PPPOE_SESSION: 0x8864,
  QINQ: 0x88a8,
  MACSEC: 0x88e5,
  /** Provider backbone bridges, "MAC in MAC" (802.1ah). */
  BACKBONE: 0x88e7,
  VN_TAG: 0x8926,
  /** High-availability seamless redundancy (IEC 62439-3). */
  HSR: 0x892f,
  /** Bridge port extension (802.1BR). */
  E_TAG: 0x893f,
  NSH: 0x894f,
  QINQ_OLD: 0x9100,
} as const;

/** IANA protocol numbers, and one of our own above 255 for what has addresses but no IP header. */
export const PROTOCOL = {
  HOPOPTS: 0,
  ICMP: 1,
  IGMP: 2,
  IPIP: 4,
  TCP: 6,
  UDP: 17,
  IPV6: 41,
  ROUTING: 43,
  FRAGMENT: 44,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  NO_NEXT: 59,
  DSTOPTS: 60,
  SCTP: 132,
  MOBILITY: 135,
  UDPLITE: 136,
  HIP: 139,
  SHIM6: 140,
  /** Not an IP protocol: ARP, kept as a flow between its two protocol addresses. */
  ARP: 256,
} as const;

const PROTOCOL_NAMES = new Map<number, string>([
  [PROTOCOL.HOPOPTS, 'hopopts'],
  [PROTOCOL.ICMP, 'icmp'],
  [PROTOCOL.IGMP, 'igmp'],
  [PROTOCOL.IPIP, 'ipip'],
  [PROTOCOL.TCP, 'tcp'],
  [PROTOCOL.UDP, 'udp'],
  [PROTOCOL.IPV6, '6in4'],
  [PROTOCOL.GRE, 'gre'],
  [PROTOCOL.ESP, 'esp'],
  [PROTOCOL.AH, 'ah'],
  [PROTOCOL.ICMPV6, 'icmpv6'],
  [PROTOCOL.NO_NEXT, 'none'],
  [PROTOCOL.SCTP, 'sctp'],
  [PROTOCOL.UDPLITE, 'udplite'],
  [PROTOCOL.ARP, 'arp'],
  [88, 'eigrp'],
  [89, 'ospf'],
  [103, 'pim'],
  [112, 'vrrp'],
]);

/** Lower-case name of a protocol number; `ip-253` where there is none. */
export function protocolName(protocol: number): string {
  return PROTOCOL_NAMES.get(protocol) ?? `ip-${protocol}`;
}

/** Number of a protocol by that name; null if there is none. */
export function protocolNumber(name: string): number | null {
  for (const [number, known] of PROTOCOL_NAMES) if (known === name) return number;
  const number = /^ip-(\d{1,3})$/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

/** True where the two ends have ports. */
export function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOL.TCP || protocol === PROTOCOL.UDP || protocol === PROTOCOL.UDPLITE || protocol === PROTOCOL.SCTP;
}

/** Port of the answering end of an ICMP query. The asking end has the identifier as its port, which makes each ping a flow of its own. */
export const ECHO_PORT = 8;
export const ECHO = { NONE: 0, REQUEST: 1, REPLY: 2 } as const;

/** Whether an ICMP message has an identifier, and whose: echo, timestamp, information, address mask (RFC 792, 950) and extended echo (RFC 8335). */
export function echoOf(protocol: number, type: number): number {
  if (protocol === PROTOCOL.ICMPV6) {
    if (type === 128 || type === 160) return ECHO.REQUEST;
    return type === 129 || type === 161 ? ECHO.REPLY : ECHO.NONE;
  }
  if (protocol !== PROTOCOL.ICMP) return ECHO.NONE;
  if (type === 8 || type === 13 || type === 15 || type === 17 || type === 42) return ECHO.REQUEST;
  return type === 0 || type === 14 || type === 16 || type === 18 || type === 43 ? ECHO.REPLY : ECHO.NONE;
}

/** TCP header flags (RFC 9293 section 3.1). */
export const TCP_FLAG = { FIN: 0x01, SYN: 0x02, RST: 0x04, PSH: 0x08, ACK: 0x10, URG: 0x20 } as const;

/** Direction that the capture itself reports for a packet. PASSING: its destination on the link is another machine, and this one did not send it. */
export const DIRECTION = { UNKNOWN: 0, IN: 1, OUT: 2, PASSING: 3 } as const;
