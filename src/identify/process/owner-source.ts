// The interface of everything that finds flows' owners: kernel sources, procfs, lsof, nettop, the capture itself.

import type { FlowTable } from '../../flow/flow-table.ts';

/** Finds the owners of flows. `work` runs between batches and is bounded. Nothing here runs per packet. */
export interface OwnerSource {
  /** Its name in the header and the JSON. */
  readonly kind: 'ebpf' | 'procfs' | 'pktap' | 'nettop' | 'lsof' | 'capture' | 'none';
  /** Why some owners will be missing; empty if nothing is wrong. */
  readonly note: string;
  /** Whether it knows owners for any IP protocol. The others are asked only about TCP, UDP and UDP-Lite. */
  readonly everyProtocol?: boolean;
  /** Reads pending owner reports. Called before each batch, so a packet's owner is known before the packet. */
  beforeBatch?(): void;
  /** Packet time from which `change` is due, epoch ms. Absent or Infinity means never. */
  readonly nextChange?: number;
  /** Applies changes up to a packet's time, between packets: tuples that moved to another process. */
  change?(time: number): void;
  /** Takes a new flow with an end on this machine. Rows are reused, so keep the serial number with the row. */
  admit(row: number): void;
  /** Takes a flow in transit if one of its ends is a process here (in a container). @returns whether it did */
  claim?(row: number): boolean;
  /** Process on whose behalf a flow's owner acts, or NO_OWNER; absent when the source doesn't know. */
  onBehalfOf?(row: number): number;
  /** Does pending work, for a few milliseconds at most. @param now monotonic ms */
  work(now: number): void;
  /** At the end of the run: looks up flows without an owner once more, for a fraction of a second at most. @param now monotonic ms */
  finish?(now: number): void;
  /** The source's own thread that holds rights; null or absent if it has none. */
  readonly thread?: OwnThread | null;
  close(): void;
}

/** A thread with rights of its own, as Linux allows. */
export interface OwnThread {
  /** Resolves when everything that needs rights is open. Await it before root is dropped. */
  opened(): Promise<void>;
  /** After root was dropped: makes the thread keep only these capabilities. @param keep bit mask */
  lower(keep: bigint): void;
  /** Takes what it learnt since the last call. */
  refresh(): void;
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
