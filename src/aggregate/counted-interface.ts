// An interface as a tick sees it: what it is, and what was counted on it outside of any flow.

import type { InterfaceKind } from '../net/model.ts';

/** One interface of the capture, in the order of the indexes that flows carry. */
export interface CountedInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** True when what it moves now is part of the headline total. Otherwise a tunnel's flows still belong to apps; all other kinds repeat what is counted elsewhere. */
  readonly headline: boolean;
  /** True when its frames are seen on another interface again: a port of a bridge. */
  readonly repeats: boolean;
  /** Names of the interfaces below it: what it sends and receives goes over one of these, too. */
  readonly lower: readonly string[];
  /** Network-layer bytes that passed it, neither to nor from this machine; null where that can't be told. */
  readonly passingBytes: number | null;
  /** Network-layer bytes, and packets, that were received though their flow is booked as sent; negative the other way round. */
  readonly turnedBytes: number;
  readonly turnedPackets: number;
  /** Frame bytes captured on it. */
  readonly frameBytes: number | null;
  /** RX+TX frame bytes that the interface itself counted meanwhile; null where that can't be trusted. */
  readonly counterBytes: number | null;
  readonly counterDropped: number | null;
  /** Frames that the interface received or sent wrong meanwhile; null where it is not known. */
  readonly counterErrors: number | null;
}
