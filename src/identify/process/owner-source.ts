// The seam between flows and whatever can tell their owners: procfs, lsof, the capture itself, and kernel sources.

import type { FlowTable } from '../../flow/flow-table.ts';

/** What tells the owners of flows. `work` runs between batches and is bounded; nothing here runs per packet. */
export interface OwnerSource {
  /** As the header and the JSON name it. */
  readonly kind: 'ebpf' | 'procfs' | 'pktap' | 'nettop' | 'lsof' | 'capture' | 'none';
  /** Why it is not as good as it could be; empty when all is well. */
  readonly note: string;
  /** True where owners of any IP protocol are told; else only TCP, UDP and UDP-Lite are asked for. */
  readonly everyProtocol?: boolean;
  /** Takes in what came since the last batch; before each batch, so that a packet's owner is known first. */
  beforeBatch?(): void;
  /** Packet time, epoch ms, from which `change` is due; absent or Infinity: never. */
  readonly nextChange?: number;
  /** What happened by a packet's time, told between packets: a tuple that another process took over. */
  change?(time: number): void;
  /** A new flow with an end on this machine. The row may be reused later: keep its serial number with it. */
  admit(row: number): void;
  /** Takes a flow that passes through this machine, if one of its ends is a process here (a container). @returns whether it did */
  claim?(row: number): boolean;
  /** Process on whose behalf a flow's owner acts, or NO_OWNER; absent where nothing tells. */
  onBehalfOf?(row: number): number;
  /** Does what is due, for a few milliseconds at the most. @param now monotonic ms */
  work(now: number): void;
  /** The run is over: a last look for flows that wait still, a fraction of a second at the most. @param now monotonic ms */
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

// The owner source of a view in which whoever tells what a socket moved tells who holds it, too. Asks nobody.

/** Flows come with their owner; one without has none. */
export class ToldOwners implements OwnerSource {
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
