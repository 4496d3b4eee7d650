// Numbers of the pcapng format that its reader and its encoder share. Constants only.
//
// Sources: draft-ietf-opsawg-pcapng; for Apple's numbers, libpcap-144 pcap/pcap-ng.h. Numbers from 0x8000 on are for local use: readers skip
// what they don't know. Apple took the first ones; ours begin at 0x8e00.

/** First word of every pcapng stream, the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d0d0a;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Block types. PROCESS is Apple's. */
export const BLOCK = { INTERFACE: 1, PACKET: 2, SIMPLE: 3, NAMES: 4, STATISTICS: 5, ENHANCED: 6, PROCESS: 0x8000_0001 } as const;

/** Options of all blocks. */
export const OPTION = { END: 0, COMMENT: 1 } as const;
export const SECTION_OPTION = { SYSTEM: 3, APPLICATION: 4 } as const;
export const INTERFACE_OPTION = { NAME: 2, RESOLUTION: 9, OFFSET: 14 } as const;
/** PROCESS and EFFECTIVE are Apple's numbers of process blocks. */
export const PACKET_OPTION = {
  FLAGS: 2,
  DROPPED: 4,
  APPLE: 0x8000,
  PROCESS: 0x8001,
  EFFECTIVE: 0x8003,
  /** Ours: the name of the other end of the packet's flow. One byte, an index into NAME_SOURCES (model/terms), then the name. */
  HOST: 0x8e01,
  /** Ours: the process block of the end that PROCESS doesn't name, if that is on this machine, too. */
  OTHER_END: 0x8e02,
  /** Ours: one byte, the flow's FLOW_DIRECTION (flow/direction), and SENT if the packet's sender is its local end. */
  PLACE: 0x8e03,
} as const;
/** The bits of PLACE. */
export const PLACE = { DIRECTION: 3, SENT: 4 } as const;
/** The bits of FLAGS. RECEPTION 4: the interface was promiscuous, and the packet another machine's. */
export const PACKET_FLAGS = { DIRECTION: 3, RECEPTION: 0x1c, PROMISCUOUS: 0x10 } as const;
/** NAME and PATH are Apple's, though its programs never write PATH. The rest is ours, as UTF-8: see Process in model/terms. */
export const PROCESS_OPTION = { NAME: 2, PATH: 3, USER: 0x8e01, SCRIPT: 0x8e02, UNIT: 0x8e03 } as const;
export const STATISTICS_OPTION = { START: 2, END: 3, BY_INTERFACE: 5, BY_SYSTEM: 7, DELIVERED: 8 } as const;
/** Record types of a names block. */
export const NAME_RECORD = { END: 0, IPV4: 1, IPV6: 2 } as const;
