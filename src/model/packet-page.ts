// The last packets of the one connection that the user looks at. Plain data, for the screen alone.

/** What a packet is besides its contents, in the order of PacketLog's bits. */
export const PACKET_MARKS = [
  'retransmit',
  'overtaken',
  'after a gap',
  'keep-alive',
  'keep-alive answer',
  'zero window',
  'window opens',
  'repeated ACK',
  'fragment',
] as const;
export type PacketMark = (typeof PACKET_MARKS)[number];

/** Header of a TCP segment. */
export interface LoggedSegment {
  /** TCP_FLAG bits (net/numbers). */
  readonly flags: number;
  /** Relative to the first sequence number that was seen of each end: a SYN has 0, a connection that was met later begins with 1. */
  readonly sequence: number;
  /** null without an acknowledgement. */
  readonly acknowledgement: number | null;
  /** Bytes, if `isExact`; else as it stands in the header, because the SYNs that say how to scale it weren't seen. */
  readonly window: number;
  readonly isExact: boolean;
}

/** One packet. */
export interface LoggedPacket {
  /** Counts the packets of the page from 0. */
  readonly number: number;
  /** Epoch ms, with fractions. */
  readonly time: number;
  /** Whether the local end sent it. */
  readonly isSent: boolean;
  /** Transport payload on the wire, bytes. */
  readonly payloadBytes: number;
  /** null for other protocols, and where the capture hasn't the header. */
  readonly tcp: LoggedSegment | null;
  readonly marks: readonly PacketMark[];
  /** What the payload begins with: `TLS client hello`; empty if that says nothing. */
  readonly contents: string;
  /** A name in it, such as the one that DNS is asked for; null without one. Outside text. */
  readonly name: string | null;
}

/** The newest packets of one connection. */
export interface PacketPage {
  /** Id of the connection's row. */
  readonly flow: string;
  /** Oldest first. */
  readonly packets: readonly LoggedPacket[];
  /** Packets of the page that are no longer kept. */
  readonly dropped: number;
}
