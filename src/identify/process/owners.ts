// Hands new flows to the owner source, after taking out those that no process can own.

import { asksEcho, FLOW_DIRECTION } from '../../flow/direction.ts';
import { directionOf, type FlowTable, NO_OWNER } from '../../flow/flow-table.ts';
import { INTS, PEER_PROCESS, PROCESS, PROTOCOL_INTERFACE } from '../../flow/layout.ts';
import { PROTOCOL } from '../../net/numbers.ts';
import type { Directory } from './directory.ts';
import type { PsWatch } from './macos/ps-watch.ts';
import { attributionIndex, type OwnerSource, reasonIndex } from './owner-source.ts';

/** Indexes into ATTRIBUTIONS and OWNER_REASONS: looked up once, not for each flow of a scan. */
const KERNEL = attributionIndex('kernel');
const NONE = attributionIndex('none');
const FORWARDED = reasonIndex('forwarded');
const NO_PROCESS = reasonIndex('no process: the kernel itself');
const HIDDEN = reasonIndex('hidden by the system');
const RECORDED = reasonIndex('recorded without owners');
const OFF = reasonIndex('attribution is off');

/** Sorts the flow table's new flows: the kernel's own, forwarded ones, and those that have a socket. */
export class Owners {
  readonly #flows: FlowTable;
  readonly source: OwnerSource | null;
  readonly #recorded: boolean;
  readonly #ps: PsWatch | null;
  readonly #directory: Directory | null;

  /**
   * @param source null where nothing tells owners
   * @param recorded true in a replay
   * @param ps completes the processes of sources that tell a pid and a short name; null where the source tells all
   * @param directory where processes are forgotten that no flow has any more; null leaves them
   */
  constructor(
    flows: FlowTable,
    source: OwnerSource | null,
    recorded: boolean,
    ps: PsWatch | null = null,
    directory: Directory | null = null,
  ) {
    this.#flows = flows;
    this.source = source;
    this.#recorded = recorded;
    this.#ps = ps;
    this.#directory = directory;
  }

  /** What is wrong with the source, or with what completes it; empty when all is well. */
  get note(): string {
    return [this.source?.note ?? '', this.#ps?.note ?? ''].filter((note) => note !== '').join('; ');
  }

  /** Before each batch. */
  beforeBatch(): void {
    this.source?.beforeBatch?.();
  }

  /** Packet time from which `change` is due; Infinity where nothing is. */
  get nextChange(): number {
    return this.source?.nextChange ?? Number.POSITIVE_INFINITY;
  }

  change(time: number): void {
    this.source?.change?.(time);
  }

  /** Takes over the flows created since the last call, and hands each to `then` when its owner was looked for. After each batch. */
  admitFresh(then: ((row: number) => void) | null = null): void {
    const { fresh, freshCount } = this.#flows;
    for (let i = 0; i < freshCount; i++) {
      const row = fresh[i] as number;
      if (!this.#flows.isLive(row)) continue;
      this.#admit(row);
      then?.(row);
    }
    this.#flows.clearFresh();
  }

  /** @param now monotonic ms */
  work(now: number): void {
    this.source?.work(now);
    this.#ps?.work(now);
    if (this.#directory?.hasManyProcesses === true) this.#forgetGone(this.#directory);
  }

  /** The run is over: what can still be told of flows is told. @param now monotonic ms */
  finish(now: number): void {
    this.work(now);
    this.source?.finish?.(now);
  }

  close(): void {
    this.source?.close();
    this.#ps?.close();
  }

  /** A machine that runs for months has millions of processes; those that no flow has any more are let go. */
  #forgetGone(directory: Directory): void {
    const { ints } = this.#flows;
    const used = new Set<number>();
    for (let row = 0; row < this.#flows.rows; row++) {
      if (!this.#flows.isLive(row)) continue;
      used.add(ints[row * INTS + PROCESS] as number);
      used.add(ints[row * INTS + PEER_PROCESS] as number);
      used.add(this.source?.onBehalfOf?.(row) ?? NO_OWNER);
    }
    directory.forgetProcesses((id) => used.has(id));
  }

  #admit(row: number): void {
    if (this.#flows.ints[row * INTS + PROCESS] !== NO_OWNER) return; // its first packet brought its owner
    const protocol = (this.#flows.ints[row * INTS + PROTOCOL_INTERFACE] as number) & 0xffff;
    if (directionOf(this.#flows, row) === FLOW_DIRECTION.TRANSIT) {
      if (this.source?.claim?.(row) === true) return;
      this.#flows.setOwner(row, NO_OWNER, KERNEL, FORWARDED);
      return;
    }
    const isTold = protocol !== PROTOCOL.ARP && (this.source?.everyProtocol === true || hasSocketTable(protocol));
    if (!isTold && !asksEcho(this.#flows.ints, row)) this.#flows.setOwner(row, NO_OWNER, KERNEL, NO_PROCESS);
    else if (this.source !== null && isTold) this.source.admit(row);
    else if (this.source !== null) this.#flows.setOwner(row, NO_OWNER, NONE, HIDDEN);
    else this.#flows.setOwner(row, NO_OWNER, NONE, this.#recorded ? RECORDED : OFF);
  }
}

/** Protocols whose sockets the system lists by port. */
function hasSocketTable(protocol: number): boolean {
  return protocol === PROTOCOL.TCP || protocol === PROTOCOL.UDP || protocol === PROTOCOL.UDPLITE;
}
