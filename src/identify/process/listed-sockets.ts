// Queues flows until a list of the system's sockets arrives, then looks them up in it. The sources (lsof, nettop) fetch the list.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { OwnerReason } from '../../model/terms.ts';
import type { Directory } from './directory.ts';
import { type Pending, PendingFlows } from './pending-flows.ts';
import { ANY_ADDRESS, type SocketRecord, SocketTable } from './socket-table.ts';

/** The waiting flows and their lookup. */
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

  /** Number of waiting flows, excluding those that `take` removed. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether a flow is due for lookup. @param now monotonic ms */
  isWanted(now: number): boolean {
    this.#now = now;
    return this.#pending.size > 0 && this.#pending.hasDue(now);
  }

  /** Removes the flows that the next list is for. It may not contain later ones. */
  take(): Pending[] {
    return this.#pending.takeDue(this.#now);
  }

  /** Requeues flows whose list failed to arrive. */
  putBack(asked: readonly Pending[]): void {
    for (const flow of asked) this.#pending.putBack(flow, this.#now);
  }

  /** Gives up all waiting flows, for another source to take. @returns the rows that still hold them */
  surrender(asked: readonly Pending[] = []): number[] {
    const all = [...asked, ...this.#pending.takeDue(Number.POSITIVE_INFINITY)];
    return all.filter((flow) => this.#pending.isCurrent(flow)).map((flow) => flow.row);
  }

  /**
   * Assigns flows their owners.
   *
   * @param records the list; of two equally good matches the later one wins
   * @param absent reason for a flow that several lists didn't contain
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
    const flows = this.#flows;
    const { row } = flow;
    const { words } = flows;
    const protocol = flows.protocol(row);
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    const [localPort, remotePort] = [flows.localPort(row), flows.remotePort(row)];
    const owner = this.#table.find(protocol, words, local, localPort, remote, remotePort);
    const { match } = this.#table;
    if (flows.isLocal(row)) {
      const peer = this.#table.find(protocol, words, remote, remotePort, local, localPort);
      if (peer !== 0) flows.ownPeer(row, this.#learn(peer));
    }
    if (owner !== 0) flows.own(row, this.#learn(owner), match);
    else if (!this.#pending.retry(flow, this.#now)) {
      const isRefused = absent === 'closed before it could be looked up' && flows.isRefused(row);
      flows.disown(row, isRefused ? 'nothing listens on the port' : absent);
    }
  }

  #learn(number: number): number {
    const { pid, name, uid } = this.#records[number - 1] as SocketRecord;
    return this.#directory.learn({ pid, name, exe: null, uid, parentPid: null, startTime: null, script: null, unit: null });
  }
}
