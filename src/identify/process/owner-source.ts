// The interface between flows and what finds their owners: procfs, lsof, the capture itself, and kernel sources.

import type { FlowTable } from '../../flow/flow-table.ts';

/** Finds the owners of flows. `work` runs between batches and is bounded; nothing here runs per packet. */
export interface OwnerSource {
  /** As the header and the JSON name it. */
  readonly kind: 'ebpf' | 'procfs' | 'pktap' | 'nettop' | 'lsof' | 'capture' | 'none';
  /** Why it is not as good as it could be; empty when all is well. */
  readonly note: string;
  /** True for a source that knows owners for any IP protocol; the others are asked only about TCP, UDP and UDP-Lite. */
  readonly everyProtocol?: boolean;
  /** Takes in what came since the last batch. Called before each batch: a packet's owner is then known before the packet. */
  beforeBatch?(): void;
  /** Packet time, epoch ms, from which `change` is due; absent or Infinity: never. */
  readonly nextChange?: number;
  /** Applies what happened by a packet's time, between packets: a tuple that passed to another process. */
  change?(time: number): void;
  /** A new flow with an end on this machine. The row may be reused later: keep its serial number with it. */
  admit(row: number): void;
  /** Takes a flow in transit when one of its ends is a process here (a container). @returns whether it did */
  claim?(row: number): boolean;
  /** Process on whose behalf a flow's owner acts, or NO_OWNER; absent when the source doesn't know. */
  onBehalfOf?(row: number): number;
  /** Does what is due, for a few milliseconds at the most. @param now monotonic ms */
  work(now: number): void;
  /** The run is over: looks a last time for flows without an owner, for a fraction of a second at most. @param now monotonic ms */
  finish?(now: number): void;
  /** A thread of its own that holds rights; null or absent where there is none. */
  readonly thread?: OwnThread | null;
  close(): void;
}

/** A thread that holds rights of its own, as threads do on Linux. */
export interface OwnThread {
  /** Settles when what takes rights has been opened; before root is given up. */
  opened(): Promise<void>;
  /** Root was given up: the thread keeps these capabilities and no others. @param keep set of bits */
  lower(keep: bigint): void;
  close(): void;
}

/** Owners for the nettop view: nettop reports both bytes and process, so a flow comes with its owner or has none. */
export class NettopOwners implements OwnerSource {
  readonly kind = 'nettop';
  readonly note = '';
  readonly #flows: FlowTable;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  admit(row: number): void {
    this.#flows.disown(row, 'not a local socket');
  }

  work(): void {}

  close(): void {}
}
