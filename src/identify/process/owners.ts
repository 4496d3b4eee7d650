// Passes new flows to the owner source, except those that no process can own.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import { NO_OWNER } from '../../model/terms.ts';
import { PROTOCOL } from '../../net/numbers.ts';
import type { Directory } from './directory.ts';
import type { PsWatch } from './macos/ps-watch.ts';
import type { OwnerSource } from './owner-source.ts';

/** Sorts the flow table's new flows: the kernel's own, forwarded ones, and those that have a socket. */
export class Owners {
  readonly #flows: FlowTable;
  readonly source: OwnerSource | null;
  readonly #recorded: boolean;
  readonly #ps: PsWatch | null;
  readonly #directory: Directory | null;

  /**
   * @param source null if nothing knows owners
   * @param recorded true in a replay
   * @param ps completes processes of sources that know only a pid and a short name; null if the source knows more
   * @param directory where to forget processes without flows; null keeps them
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

  /** What is wrong with the source or `ps`; empty if nothing is. */
  get note(): string {
    return [this.source?.note ?? '', this.#ps?.note ?? ''].filter((note) => note !== '').join('; ');
  }

  /** Call before each batch. */
  beforeBatch(): void {
    this.source?.beforeBatch?.();
  }

  /** Packet time from which `change` is due; Infinity if nothing is. */
  get nextChange(): number {
    return this.source?.nextChange ?? Number.POSITIVE_INFINITY;
  }

  change(time: number): void {
    this.source?.change?.(time);
  }

  /** Starts the search for owners of the flows created since the last call, then calls `then` for each flow. Call after each batch. */
  admitNew(then: ((row: number) => void) | null = null): void {
    const { newRows, newCount } = this.#flows;
    for (let i = 0; i < newCount; i++) {
      const row = newRows[i] as number;
      if (!this.#flows.isLive(row)) continue;
      this.#admit(row);
      then?.(row);
    }
    this.#flows.clearNew();
  }

  /** @param now monotonic ms */
  work(now: number): void {
    this.source?.work(now);
    this.#ps?.work(now);
    if (this.#directory?.hasManyProcesses === true) this.#forgetGone(this.#directory);
  }

  /** At the end of the run: looks once more. @param now monotonic ms */
  finish(now: number): void {
    this.work(now);
    this.source?.finish?.(now);
  }

  close(): void {
    this.source?.close();
    this.#ps?.close();
  }

  /** Forgets processes without flows: in months a machine starts millions of processes. */
  #forgetGone(directory: Directory): void {
    const used = new Set<number>();
    for (let row = 0; row < this.#flows.rows; row++) {
      if (!this.#flows.isLive(row)) continue;
      used.add(this.#flows.owner(row));
      used.add(this.#flows.peer(row));
      used.add(this.source?.onBehalfOf?.(row) ?? NO_OWNER);
    }
    directory.forgetProcesses((id) => used.has(id));
  }

  #admit(row: number): void {
    const flows = this.#flows;
    if (flows.owner(row) !== NO_OWNER) return; // its first packet named its owner
    if (flows.direction(row) === FLOW_DIRECTION.TRANSIT) {
      if (this.source?.claim?.(row) !== true) flows.disown(row, 'forwarded');
      return;
    }
    const protocol = flows.protocol(row);
    const isLookedUp = protocol !== PROTOCOL.ARP && (this.source?.everyProtocol === true || hasSocketTable(protocol));
    if (!isLookedUp && !flows.asksEcho(row)) flows.disown(row, 'no process: the kernel itself');
    else if (this.source === null) flows.disown(row, this.#recorded ? 'recorded without owners' : 'attribution is off');
    else if (isLookedUp) this.source.admit(row);
    else flows.disown(row, 'hidden by the system');
  }
}

/** Whether the system lists the protocol's sockets by port. */
function hasSocketTable(protocol: number): boolean {
  return protocol === PROTOCOL.TCP || protocol === PROTOCOL.UDP || protocol === PROTOCOL.UDPLITE;
}
