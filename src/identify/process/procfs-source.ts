// Owners from /proc: read when a flow is new, not by a clock, and never for more than a twentieth of the time.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import { directionOf, type FlowTable, isLocalFlow, NO_OWNER } from '../../flow/flow-table.ts';
import { COUNTERS, INTS, LOCAL, PORTS, PROTOCOL_INTERFACE, REMOTE, TX_PACKETS } from '../../flow/layout.ts';
import { hasPorts } from '../../net/numbers.ts';
import { Conntrack, type Ends } from './conntrack.ts';
import type { Directory } from './directory.ts';
import { attributionIndex, type OwnerSource, reasonIndex } from './owner-source.ts';
import { packetSocketInodes } from './packet-sockets.ts';
import { type Pending, PendingFlows } from './pending-flows.ts';
import { readProcess } from './proc-process.ts';
import type { ProcessFacts } from './process-facts.ts';
import { ProcfsTables } from './procfs-tables.ts';
import { SocketInodes } from './socket-inodes.ts';
import type { Match } from './socket-table.ts';

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

/** Somebody who may know the owner of a translated flow by the ends that its socket has; answers true when it gave the flow an owner. */
export type BehindTranslation = (row: number, protocol: number, ends: Ends) => boolean;

/** Linux without kernel sources: socket tables for the inode, descriptors for the process. A process gone by then stays unknown, with its reason. */
export class ProcfsSource implements OwnerSource {
  readonly kind = 'procfs';
  readonly everyProtocol = true;
  note = '';
  /** Asked before the tables where an address was translated. */
  behindTranslation: BehindTranslation | null = null;
  /** The kernel tells of every socket that sends: what comes here and is in no table was sent by none. */
  kernelTells = false;
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: string;
  readonly #pending: PendingFlows;
  readonly #tables: ProcfsTables;
  readonly #conntrack: Conntrack;
  readonly #inodes: SocketInodes;
  #found: Found[] = [];
  /** Time that the reading took so far, its walk included, ms. */
  #spent = 0;
  #nextReading = 0;
  #walkWanted = false;
  /** Packet sockets, and the one process that may send by them, as of this reading; undefined before they are asked for. */
  #packetSockets: readonly number[] | undefined;
  #sender: number | null | undefined;
  #now = 0;

  /** @param proc `/proc` */
  constructor(flows: FlowTable, directory: Directory, proc: string) {
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#pending = new PendingFlows(flows);
    this.#tables = new ProcfsTables(proc);
    this.#conntrack = new Conntrack(proc);
    this.#inodes = new SocketInodes(proc);
  }

  admit(row: number): void {
    // Ping, raw and packet sockets send what has no port; most of it is the kernel's all the same.
    if (!hasPorts(this.#protocol(row)))
      this.#flows.setOwner(row, NO_OWNER, attributionIndex('kernel'), reasonIndex('no process: the kernel itself'));
    this.#pending.add(row, this.#now);
  }

  work(now: number): void {
    this.#now = now;
    const begun = performance.now();
    if (!this.#inodes.walking && !this.#read(now)) return;
    const isOver = !(this.#inodes.walking || this.#found.length > 0 || this.#walkWanted) || this.#inodes.step(WALK_MS);
    this.#walkWanted = false;
    if (isOver) this.#settle(now);
    this.#spent += performance.now() - begun;
    if (!isOver) return;
    this.#nextReading = now + Math.max(LEAST_PAUSE_MS, this.#spent * REST);
    this.#spent = 0;
  }

  close(): void {
    this.#found = [];
  }

  /** Reads the tables where a flow is due. @returns whether any was */
  #read(now: number): boolean {
    if (this.#pending.size === 0 || now < this.#nextReading || !this.#pending.hasDue(now)) return false;
    const due = this.#pending.takeDue(now);
    this.#packetSockets = undefined;
    this.#sender = undefined;
    // Other namespaces only for what a first look at our own did not find.
    const wide = due.some((flow) => flow.tries > 0);
    if (!this.#tables.read(wide, now)) this.note = `${this.#proc}/net can't be read`;
    for (const flow of due) this.#match(flow, now);
    return true;
  }

  #protocol(row: number): number {
    return (this.#flows.ints[row * INTS + PROTOCOL_INTERFACE] as number) & 0xffff;
  }

  /** Looks a flow up in the tables just read. */
  #match(flow: Pending, now: number): void {
    const { ints } = this.#flows;
    const base = flow.row * INTS;
    const protocol = this.#protocol(flow.row);
    const ports = ints[base + PORTS] as number;
    const near = ports >>> 16;
    const far = ports & 0xffff;
    let inode = this.#tables.find(protocol, ints, base + LOCAL, near, base + REMOTE, far);
    let match = this.#tables.match;
    const peerInode = isLocalFlow(this.#flows, flow.row)
      ? this.#tables.find(protocol, ints, base + REMOTE, far, base + LOCAL, near)
      : 0;
    if (inode === 0) {
      const ends = this.#conntrack.behind(protocol, ints, base + LOCAL, near, far, now);
      if (ends !== null) {
        if (this.behindTranslation?.(flow.row, protocol, ends) === true) return;
        inode = this.#tables.find(protocol, ends.words, 0, ends.ownPort, 4, ends.otherPort);
        match = this.#tables.match;
      }
    }
    if (inode === 0 && peerInode === 0) {
      this.#giveUp(flow, now, this.#maySendFrames(flow.row));
      return;
    }
    // A listener may just be about to accept: its own socket tells more, a moment later.
    if (match === 'listener' && flow.tries === 0 && this.#pending.retry(flow, now)) return;
    for (const each of [inode, peerInode]) if (each !== 0 && this.#inodes.owner(each) === undefined) this.#inodes.want(each);
    this.#found.push({ flow, inode, match, peerInode });
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
        this.#flows.setOwner(flow.row, NO_OWNER, attributionIndex('none'), reasonIndex('hidden by the system'));
      else this.#giveUp(flow, now, false);
    }
    this.#found = [];
    if (this.#inodes.hidden > 0) this.note = `${this.#inodes.hidden} processes of other users can't be looked into`;
  }

  #process(inode: number): number | null {
    const pid = inode === 0 ? undefined : this.#inodes.owner(inode);
    if (pid === undefined) return null;
    const facts = readProcess(this.#proc, pid);
    if (facts === null) this.#inodes.forget(inode);
    return facts === null ? null : this.#directory.learn(facts);
  }

  /** @param isFrames no socket table knows the flow, and it is of a kind that packet sockets send */
  #giveUp(flow: Pending, now: number, isFrames: boolean): void {
    const sent = this.#flows.counters[flow.row * COUNTERS + TX_PACKETS] as number;
    // Without the kernel's word a process that is gone looks the same: only one that goes on sending without a socket does not.
    const isCertain = this.kernelTells || (flow.tries > 1 && sent > flow.sent);
    flow.sent = sent;
    if (flow.tries === 0 && isFrames) this.#askForPacketSockets();
    if (this.#pending.retry(flow, now)) return;
    if (isFrames && isCertain && this.#sender === undefined) this.#sender = this.#packetSender();
    const sender = isFrames && isCertain ? (this.#sender ?? null) : null;
    if (sender !== null) this.#flows.setOwner(flow.row, sender, attributionIndex('wildcard'), reasonIndex('not looked up yet'));
    else if (hasPorts(this.#protocol(flow.row)))
      this.#flows.setOwner(flow.row, NO_OWNER, attributionIndex('none'), reasonIndex('closed before it could be looked up'));
  }

  /** What has no port is mostly the kernel's own: answers, group membership, neighbours. */
  #maySendFrames(row: number): boolean {
    return directionOf(this.#flows, row) === FLOW_DIRECTION.OUTBOUND && hasPorts(this.#protocol(row));
  }

  /** So that the holders of packet sockets are known when the flow has been looked for in vain. */
  #askForPacketSockets(): void {
    if (this.#packetSockets !== undefined) return;
    this.#packetSockets = packetSocketInodes(this.#proc);
    for (const inode of this.#packetSockets) {
      if (this.#inodes.owner(inode) !== undefined) continue;
      this.#inodes.want(inode);
      this.#walkWanted = true;
    }
  }

  /** Frames that no socket table knows come from a packet socket: its holder's, where there is just one besides us and our children. */
  #packetSender(): number | null {
    const holders = new Map<number, ProcessFacts>();
    for (const inode of packetSocketInodes(this.#proc)) {
      const pid = this.#inodes.owner(inode);
      const facts = pid === undefined || pid === process.pid ? null : readProcess(this.#proc, pid);
      if (facts !== null && facts.parentPid !== process.pid) holders.set(facts.pid, facts);
      else if (pid === undefined) return null; // a socket made meanwhile: it may be the one
    }
    const [facts] = holders.values();
    return facts === undefined || holders.size > 1 ? null : this.#directory.learn(facts);
  }
}
