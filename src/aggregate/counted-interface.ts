// An interface as a tick sees it: what it is, and what was counted on it outside of any flow.

import type { InterfaceKind } from '../net/model.ts';

/** One interface of the capture, in the order of the indexes that flows carry. */
export interface CountedInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** True when its bytes are part of the headline total. Otherwise a tunnel's flows still belong to apps; all other kinds repeat what is counted elsewhere. */
  readonly headline: boolean;
  /** True when its frames are seen on another interface again: a port of a bridge. */
  readonly repeats: boolean;
  /** Frame bytes captured on it. */
  readonly frameBytes: number | null;
  /** RX+TX frame bytes that the interface itself counted meanwhile; null where that can't be trusted. */
  readonly counterBytes: number | null;
  readonly counterDropped: number | null;
  /** Frames that the interface received or sent wrong meanwhile; null where it is not known. */
  readonly counterErrors: number | null;
}
