// What is known of the packets that are kept, as plain data: their flows, and how far back they go.

import type { Asked, Endpoint, FlowDirection, NameSource, OwnerReason, Process } from './terms.ts';

/** Bytes of the ring: the fewest, which hold any frame, and the most, beyond which typed arrays get slow; and where only a time is asked for. */
export const RING_BYTES = { least: 1e6, most: 2e9, usual: 64 << 20 } as const;

/** How packets are to be kept. */
export interface KeepOptions {
  /** Bytes of the ring. */
  readonly bytes: number;
  /** Packets older than this are not given out, ms; null gives out whatever the ring holds. */
  readonly forMs: number | null;
}

/** How far kept packets go back. */
export interface KeptStatus extends KeepOptions {
  readonly packets: number;
  /** Bytes of the ring in use. */
  readonly used: number;
  /** Time of the oldest one, epoch ms; null without any. */
  readonly since: number | null;
  /** Packets that were too long to be kept. */
  readonly tooLong: number;
  /** What the key that writes them writes, or wrote last, with a word or two on what it is; null for nothing. */
  readonly writing: (WritingStatus & { readonly what: string }) | null;
}

/** The flow of a kept frame, as the program knew it last. A subject of the filter language too. Texts are sanitised. */
export interface KeptFlow {
  /** Number of the flow, unique in a run. */
  readonly serial: number;
  readonly app: string | null;
  /** Owner of the local end; null if there is none or it is unknown. */
  readonly owner: Process | null;
  /** The same, and that of the other end, as filters ask for them. */
  readonly process: Process | null;
  readonly peerProcess: Process | null;
  /** Why there is no owner; null if there is one. */
  readonly reason: OwnerReason | null;
  /** The process for which the owner acts; null for itself. */
  readonly onBehalfOf: Process | null;
  readonly pid: number | null;
  readonly exe: string | null;
  readonly user: string | null;
  /** The same of the other end of a flow within this machine. */
  readonly peerApp: string | null;
  readonly peer: Process | null;
  readonly peerPid: number | null;
  /** Name of the remote end; null without one. */
  readonly name: string | null;
  readonly nameSource: NameSource;
  /** That name, or the address. */
  readonly host: string;
  readonly domain: string | null;
  readonly category: string | null;
  readonly application: string | null;
  /** What it asked DNS for. */
  readonly asked: Asked | null;
  /** Fingerprints of the client's and the server's hello. */
  readonly ja4: string | null;
  readonly ja4s: string | null;
  /** True for one that has left the table, too. */
  readonly closed: boolean;
  readonly country: string | null;
  readonly asn: number | null;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Address of the remote end, four words. */
  readonly remoteWords: Int32Array;
  readonly protocol: string;
  readonly direction: FlowDirection;
  readonly interface: string;
}

/** How far a capture file got. */
export interface WritingStatus {
  /** The file that is being written, or was last; `-` is standard output. */
  readonly path: string;
  readonly state: 'writing' | 'done' | 'failed';
  /** Times of the first and the newest packet in it, epoch ms; null before the first. */
  readonly since: number | null;
  readonly until: number | null;
  /** Of all its files together. */
  readonly bytes: number;
  readonly packets: number;
  readonly files: number;
  /** Packets that came faster than they could be written. */
  readonly lost: number;
  /** Why it failed; empty if it didn't. */
  readonly note: string;
}
