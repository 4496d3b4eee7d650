// Owners from /proc: read when a flow is new, not by a clock, and never for more than a twentieth of the time.

import { type FlowTable, isLocalFlow } from '../../flow/flow-table.ts';
import { INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE } from '../../flow/layout.ts';
import type { Directory } from './directory.ts';
import { attributionIndex, type OwnerSource, reasonIndex } from './owner-source.ts';
import { type Pending, PendingFlows } from './pending-flows.ts';
import { ProcNetReader } from './proc-net.ts';
import { readProcess } from './proc-process.ts';
import { SocketInodes } from './socket-inodes.ts';
import { type Match, SocketTable } from './socket-table.ts';

/** Longest turn of walking descriptors. */
const WALK_MS = 4;
/** After a reading that took t ms the next one comes no sooner than t times this later. */
const REST = 20;
const LEAST_PAUSE_MS = 20;

/** A flow whose sockets are known by inode, while their holders are looked for. */
interface Found {
  readonly flow: Pending;
  readonly inode: number;
  readonly match: Match;
  readonly peerInode: number;
}

/** Linux without kernel sources: socket tables for the inode, descriptors for the process. A process gone by then stays unknown, with its reason. */
export class ProcfsSource implements OwnerSource {
  readonly kind = 'procfs';
  note = '';
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: string;
  readonly #pending: PendingFlows;
  readonly #table = new SocketTable();
  readonly #reader = new ProcNetReader();
  readonly #inodes: SocketInodes;
  #found: Found[] = [];
  #nextReading = 0;
  #now = 0;

  /** @param proc `/proc` */
  constructor(flows: FlowTable, directory: Directory, proc: string) {
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#pending = new PendingFlows(flows);
    this.#inodes = new SocketInodes(proc);
  }

  admit(row: number): void {
    this.#pending.add(row, this.#now);
  }

  work(now: number): void {
    this.#now = now;
    if (this.#inodes.walking) {
      if (this.#inodes.step(WALK_MS)) this.#settle(now);
      return;
    }
    if (this.#pending.size === 0 || now < this.#nextReading || !this.#pending.hasDue(now)) return;
    const begun = performance.now();
    this.#table.clear();
    if (this.#reader.read(`${this.#proc}/net`, this.#table) === 0) this.note = `${this.#proc}/net can't be read`;
    this.#match(now);
    if (this.#found.length > 0 && this.#inodes.step(WALK_MS)) this.#settle(now);
    this.#nextReading = now + Math.max(LEAST_PAUSE_MS, (performance.now() - begun) * REST);
  }

  close(): void {
    this.#found = [];
  }

  /** Looks every due flow up in the tables just read. */
  #match(now: number): void {
    const ints = this.#flows.ints;
    for (const flow of this.#pending.takeDue(now)) {
      const base = flow.row * INTS;
      const protocol = (ints[base + PROTOCOL_INTERFACE] as number) & 0xffff;
      const ports = ints[base + PORTS] as number;
      const inode = this.#table.find(protocol, ints, base + LOCAL, ports >>> 16, base + REMOTE, ports & 0xffff);
      const match = this.#table.match;
      const local = isLocalFlow(this.#flows, flow.row);
      const peerInode = local ? this.#table.find(protocol, ints, base + REMOTE, ports & 0xffff, base + LOCAL, ports >>> 16) : 0;
      if (inode === 0 && peerInode === 0) this.#giveUp(flow, now);
      else {
        // A listener may just be about to accept: its own socket tells more, a moment later.
        if (match === 'listener' && flow.tries === 0 && this.#pending.retry(flow, now)) continue;
        for (const each of [inode, peerInode]) if (each !== 0 && this.#inodes.owner(each) === undefined) this.#inodes.want(each);
        this.#found.push({ flow, inode, match, peerInode });
      }
    }
  }

  /** The walk is over: gives each found flow the process that holds its socket. */
  #settle(now: number): void {
    for (const { flow, inode, match, peerInode } of this.#found) {
      if (!this.#pending.isCurrent(flow)) continue;
      const owner = this.#process(inode);
      const peer = this.#process(peerInode);
      if (peer !== null) this.#flows.setPeer(flow.row, peer);
      if (owner !== null) this.#flows.setOwner(flow.row, owner, attributionIndex(match), reasonIndex('not looked up yet'));
      else if (this.#inodes.hidden > 0 && inode !== 0)
        this.#flows.setOwner(flow.row, -1, attributionIndex('none'), reasonIndex('hidden by the system'));
      else this.#giveUp(flow, now);
    }
    this.#found = [];
    if (this.#inodes.hidden > 0) this.note = `${this.#inodes.hidden} processes of other users can't be looked into`;
  }

  #process(inode: number): number | null {
    const pid = inode === 0 ? undefined : this.#inodes.owner(inode);
    if (pid === undefined) return null;
    const facts = readProcess(this.#proc, pid);
    return facts === null ? null : this.#directory.learn(facts);
  }

  #giveUp(flow: Pending, now: number): void {
    if (this.#pending.retry(flow, now)) return;
    this.#flows.setOwner(flow.row, -1, attributionIndex('none'), reasonIndex('closed before it could be looked up'));
  }
}
