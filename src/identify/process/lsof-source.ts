// Owners from lsof, where neither PKTAP nor procfs is at hand: asked every few seconds, and only while flows wait.

import { type FlowTable, isLocalFlow } from '../../flow/flow-table.ts';
import { INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } from '../../flow/layout.ts';
import { V4_MAPPED } from '../../net/address.ts';
import type { Edges } from '../../net/edges.ts';
import type { Directory } from './directory.ts';
import { LSOF_ARGUMENTS, type LsofRecord, parseLsof } from './lsof.ts';
import { attributionIndex, type OwnerSource, reasonIndex } from './owner-source.ts';
import { type Pending, PendingFlows } from './pending-flows.ts';
import { SocketTable } from './socket-table.ts';

/** lsof takes about 190 ms of CPU a call on a Mac: no more often than this. */
const PAUSE_MS = 2000;
/** After a failure, twice as long each time, up to this. */
const LONGEST_PAUSE_MS = 60_000;
const LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };
const ANY = { 4: Int32Array.of(0, 0, V4_MAPPED, 0), 6: new Int32Array(4) } as const;

/** Polls `lsof -F`; names are cut at 31 characters, and only the user's own processes are seen without root. */
export class LsofSource implements OwnerSource {
  readonly kind = 'lsof';
  note = '';
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #edges: Edges;
  readonly #pending: PendingFlows;
  readonly #table = new SocketTable();
  #records: LsofRecord[] = [];
  #running = false;
  #closed = false;
  #nextRun = 0;
  #pause = PAUSE_MS;
  #now = 0;

  constructor(flows: FlowTable, directory: Directory, edges: Edges) {
    this.#flows = flows;
    this.#directory = directory;
    this.#edges = edges;
    this.#pending = new PendingFlows(flows);
  }

  admit(row: number): void {
    this.#pending.add(row, this.#now);
  }

  work(now: number): void {
    this.#now = now;
    if (this.#running || this.#closed || now < this.#nextRun || !this.#pending.hasDue(now)) return;
    this.#running = true;
    // Flows that come while lsof runs wait for the next call: it may have listed their process already.
    const asked = this.#pending.takeDue(now);
    void this.#ask(asked);
  }

  close(): void {
    this.#closed = true;
  }

  async #ask(asked: readonly Pending[]): Promise<void> {
    const result = await this.#edges.run(this.#edges.paths.lsof, LSOF_ARGUMENTS, LIMITS);
    this.#running = false;
    if (this.#closed) return;
    // Exit status 1 with nothing printed is lsof's way to say that there are no sockets.
    const failed =
      result.failure ?? (result.cut === 'time' ? 'it took too long' : result.cut === 'size' ? 'it printed too much' : null);
    this.note = failed === null ? '' : `lsof failed: ${failed}`;
    this.#pause = failed === null ? PAUSE_MS : Math.min(LONGEST_PAUSE_MS, this.#pause * 2);
    this.#nextRun = this.#now + this.#pause;
    if (failed === null) this.#fill(parseLsof(result.stdout));
    for (const flow of asked) if (this.#pending.isCurrent(flow)) this.#match(flow);
  }

  #fill(records: LsofRecord[]): void {
    this.#records = records;
    this.#table.clear();
    for (const [index, record] of records.entries()) {
      const any = ANY[record.family];
      const remote = record.remote;
      this.#table.add(
        record.protocol,
        record.local.words ?? any,
        0,
        record.local.port,
        remote?.words ?? any,
        0,
        remote?.port ?? 0,
        index + 1,
      );
    }
  }

  #match(flow: Pending): void {
    const ints = this.#flows.ints;
    const base = flow.row * INTS;
    const protocol = (ints[base + PROTOCOL_INTERFACE] as number) & 0xffff;
    const ports = ints[base + PORTS] as number;
    const index = this.#table.find(protocol, ints, base + LOCAL, ports >>> 16, base + REMOTE, ports & 0xffff);
    const match = this.#table.match;
    if (isLocalFlow(this.#flows, flow.row)) {
      const peer = this.#table.find(protocol, ints, base + REMOTE, ports & 0xffff, base + LOCAL, ports >>> 16);
      if (peer !== 0) this.#flows.setPeer(flow.row, this.#learn(peer));
    }
    if (index !== 0)
      this.#flows.setOwner(flow.row, this.#learn(index), attributionIndex(match), reasonIndex('not looked up yet'));
    else if (!this.#pending.retry(flow, this.#now)) {
      const reason = this.#edges.euid() === 0 ? 'closed before it could be looked up' : 'hidden by the system';
      this.#flows.setOwner(flow.row, -1, attributionIndex('none'), reasonIndex(reason));
    }
  }

  #learn(index: number): number {
    const { pid, name, uid } = this.#records[index - 1] as LsofRecord;
    return this.#directory.learn({ pid, name, exe: null, uid, parentPid: null, startTime: null, script: null, unit: null });
  }
}
