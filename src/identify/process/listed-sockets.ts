// Flows that wait for a list of the system's sockets, and their look-up in it. Where the list comes from is for the sources to know.

import { type FlowTable, isLocalFlow, NO_OWNER } from '../../flow/flow-table.ts';
import { INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } from '../../flow/layout.ts';
import type { OwnerReason } from '../../model/terms.ts';
import type { Directory } from './directory.ts';
import { attributionIndex, reasonIndex } from './owner-source.ts';
import { isRefused, type Pending, PendingFlows } from './pending-flows.ts';
import { ANY_ADDRESS, type SocketRecord, SocketTable } from './socket-table.ts';

/** The flows in waiting and the last list. */
export class ListedSockets {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #pending: PendingFlows;
  readonly #table = new SocketTable();
  #records: readonly SocketRecord[] = [];
  #now = 0;

  constructor(flows: FlowTable, directory: Directory) {
    this.#flows = flows;
    this.#directory = directory;
    this.#pending = new PendingFlows(flows);
  }

  admit(row: number): void {
    this.#pending.add(row, this.#now);
  }

  /** Flows that wait, those that asked left out. */
  get size(): number {
    return this.#pending.size;
  }

  /** True when a list is wanted. @param now monotonic ms */
  isWanted(now: number): boolean {
    this.#now = now;
    return this.#pending.size > 0 && this.#pending.hasDue(now);
  }

  /** Flows for which a list is asked now: one that comes later may not be in it. */
  take(): Pending[] {
    return this.#pending.takeDue(this.#now);
  }

  /** Flows whose list did not come: they wait on, and nothing is said about them. */
  putBack(asked: readonly Pending[]): void {
    for (const flow of asked) this.#pending.putBack(flow, this.#now);
  }

  /** Gives up the flows that asked and all that wait, for another source to ask about. @returns the rows that still stand */
  surrender(asked: readonly Pending[] = []): number[] {
    const all = [...asked, ...this.#pending.takeDue(Number.POSITIVE_INFINITY)];
    return all.filter((flow) => this.#pending.isCurrent(flow)).map((flow) => flow.row);
  }

  /**
   * Gives the flows that asked their owners.
   *
   * @param records where two fit equally well, the later one holds
   * @param absent what is said of a flow that was not in the list a few times
   */
  answer(asked: readonly Pending[], records: readonly SocketRecord[], absent: OwnerReason): void {
    this.#records = records;
    this.#table.clear();
    for (const [index, { protocol, family, local, remote }] of records.entries()) {
      const any = ANY_ADDRESS[family];
      this.#table.add(protocol, local.words ?? any, 0, local.port, remote?.words ?? any, 0, remote?.port ?? 0, index + 1);
    }
    for (const flow of asked) if (this.#pending.isCurrent(flow)) this.#match(flow, absent);
    this.#records = [];
  }

  #match(flow: Pending, absent: OwnerReason): void {
    const ints = this.#flows.ints;
    const base = flow.row * INTS;
    const protocol = (ints[base + PROTOCOL_INTERFACE] as number) & 0xffff;
    const ports = ints[base + PORTS] as number;
    const owner = this.#table.find(protocol, ints, base + LOCAL, ports >>> 16, base + REMOTE, ports & 0xffff);
    const match = this.#table.match;
    if (isLocalFlow(this.#flows, flow.row)) {
      const peer = this.#table.find(protocol, ints, base + REMOTE, ports & 0xffff, base + LOCAL, ports >>> 16);
      if (peer !== 0) this.#flows.setPeer(flow.row, this.#learn(peer));
    }
    if (owner !== 0)
      this.#flows.setOwner(flow.row, this.#learn(owner), attributionIndex(match), reasonIndex('not looked up yet'));
    else if (!this.#pending.retry(flow, this.#now)) {
      if (absent === 'closed before it could be looked up' && isRefused(this.#flows, flow.row))
        this.#flows.setOwner(flow.row, NO_OWNER, attributionIndex('kernel'), reasonIndex('nothing listens on the port'));
      else this.#flows.setOwner(flow.row, NO_OWNER, attributionIndex('none'), reasonIndex(absent));
    }
  }

  #learn(number: number): number {
    const { pid, name, uid } = this.#records[number - 1] as SocketRecord;
    return this.#directory.learn({ pid, name, exe: null, uid, parentPid: null, startTime: null, script: null, unit: null });
  }
}
