// Takes owners from /proc. It reads only when there are new flows, and for at most a tenth of the time.

import type { FlowTable } from '../../../../flow/flow-table.ts';
import { hasPorts, PROTOCOL } from '../../../../net/numbers.ts';
import { CpuBudget } from '../../cpu-budget.ts';
import type { Directory } from '../../directory.ts';
import type { OwnerSource, OwnThread } from '../../owner-source.ts';
import { type Pending, PendingFlows } from '../../pending-flows.ts';
import type { Match } from '../../socket-table.ts';
import { Conntrack, type Ends } from '../netlink/conntrack.ts';
import type { TransferredSockets } from '../transferred-sockets.ts';
import type { Proc } from './proc.ts';
import { readProcess } from './process.ts';
import { SocketInodes } from './socket-inodes.ts';
import { ProcfsTables, type SingleSockets } from './tables.ts';

/** Longest turn of walking descriptors. Longer pauses would let sockets close before the walk reaches them. */
const WALK_MS = 8;
/** Lookups take at most a thirteenth of the time, lists a fiftieth. */
const REST = 12;
const LISTS_REST = 49;
const MIN_PAUSE_MS = 10;
/** Most flows looked up in one turn: about 4 ms. */
const MAX_AT_ONCE = 1024;
/** CPU time for the flows that still wait when the run ends. */
const LAST_LOOK_MS = 200;
/** Most sockets without a holder to remember. */
const MAX_HOLDERLESS = 1024;

/** A flow whose sockets' inodes are known, but not yet their owners. */
interface Found {
  readonly flow: Pending;
  readonly inode: number;
  readonly match: Match;
  readonly peerInode: number;
  /** The inode is of a socket bound to the flow's remote port, as a tunnel's is. It owns the flow only if it is the kernel's. */
  readonly isTunnel: boolean;
  /** The socket's ends differ from the flow's. */
  readonly isTranslated: boolean;
}

/** Tries to assign the owner of a translated flow by its socket's ends. @returns whether it did */
export type BehindTranslation = (row: number, protocol: number, ends: Ends) => boolean;

/** Owners on Linux without kernel sources: socket tables give the inode, descriptors the process. If the process is gone by then, the flow says why it has no owner. */
export class ProcfsSource implements OwnerSource {
  readonly kind = 'procfs';
  readonly everyProtocol = true;
  note = '';
  readonly thread: OwnThread | null;
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #pending: PendingFlows;
  readonly #tables: ProcfsTables;
  readonly #conntrack: Conntrack;
  readonly #behindTranslation: BehindTranslation | null;
  readonly #inodes: SocketInodes;
  readonly #transferred: TransferredSockets | null;
  #found: Found[] = [];
  /** Processes by pid in this turn; null if gone. A process with a thousand flows is read once. */
  readonly #processes = new Map<number, number | null>();
  readonly #looks = new CpuBudget(REST, MIN_PAUSE_MS);
  /** Budget for tables of other namespaces and tables that the kernel lists slowly. While it is exhausted, only new flows are looked up. */
  readonly #lists = new CpuBudget(LISTS_REST, MIN_PAUSE_MS);
  /** Whether the walk visits every process: a short one did not find the holder of a socket that is still listed. */
  #isWide = false;
  /** Sockets that no process holds, and in how many whole walks. After two they count as the kernel's; one may miss a socket in transfer. */
  readonly #holderless = new Map<number, number>();
  #now = 0;
  /** The run is ending: no lookup is retried. */
  #isLast = false;

  /**
   * @param query looks up single sockets; null to use tables only
   * @param thread the thread that reads `proc`; null if this one does
   * @param transferred checks flows whose socket may be transferred; works whenever this source does
   * @param behindTranslation tried before the tables for a translated flow; null if there is none
   */
  constructor(
    flows: FlowTable,
    directory: Directory,
    proc: Proc,
    query: SingleSockets | null = null,
    thread: OwnThread | null = null,
    transferred: TransferredSockets | null = null,
    behindTranslation: BehindTranslation | null = null,
  ) {
    this.thread = thread;
    this.#transferred = transferred;
    this.#behindTranslation = behindTranslation;
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#pending = new PendingFlows(flows);
    this.#tables = new ProcfsTables(proc, query);
    this.#conntrack = new Conntrack(proc.path);
    this.#inodes = new SocketInodes(proc);
  }

  admit(row: number): void {
    const flows = this.#flows;
    // Raw sockets send protocols without ports, but most of that traffic is the kernel's.
    if (!hasPorts(flows.protocol(row)) && !flows.asksEcho(row)) flows.disown(row, 'no process: the kernel itself');
    if (!flows.isIcmpOfKernel(row)) this.#pending.add(row, this.#now);
  }

  work(now: number): void {
    this.#now = now;
    this.thread?.refresh();
    this.#transferred?.work(now);
    if (!this.#inodes.walking && !this.#isDue(now)) return;
    const isOver = this.#looks.measure(() => this.#look(now));
    if (isOver) this.#looks.pause(now);
  }

  finish(now: number): void {
    this.#isLast = true;
    for (const begun = process.cpuUsage(); process.cpuUsage(begun).user < LAST_LOOK_MS * 1000; ) {
      if (!this.#inodes.walking && this.#found.length === 0) {
        this.#pending.refill(now);
        if (this.#pending.size === 0) return;
        this.#lookUp(this.#pending.takeDue(Number.POSITIVE_INFINITY, MAX_AT_ONCE), now);
      }
      if (this.#found.length === 0 || this.#inodes.step(WALK_MS)) this.#settle(now);
    }
  }

  close(): void {
    this.#conntrack.close();
    this.thread?.close();
    this.#found = [];
  }

  #isDue(now: number): boolean {
    if (!this.#looks.isDue(now)) return false;
    this.#pending.refill(now);
    return this.#pending.hasDue(now, this.#lists.isDue(now));
  }

  /** Looks flows up, or continues the walk. @returns whether the turn is complete */
  #look(now: number): boolean {
    if (!this.#inodes.walking) this.#lookUp(this.#pending.takeDue(now, MAX_AT_ONCE, this.#lists.isDue(now)), now);
    const hasWalk = this.#inodes.walking || this.#found.length > 0;
    if (hasWalk && !this.#inodes.step(WALK_MS, !this.#isWide)) return false;
    this.#settle(now);
    return true;
  }

  /** Reads the tables and looks the flows up in them. */
  #lookUp(taken: readonly Pending[], now: number): void {
    const due = taken.filter((flow) => !this.#isOver(flow));
    if (due.length === 0) return;
    this.#processes.clear();
    this.#isWide = this.#isLast;
    const protocols = new Set(due.map(({ row }) => this.#flows.protocol(row)));
    // Other namespaces are read only for flows that a first lookup missed, our complete tables only for those missed twice.
    const isWide = this.#isLast || due.some((flow) => flow.tries > 0);
    const isDeep = due.some((flow) => flow.tries > 1);
    const read = () => this.#tables.read(protocols, isWide, isDeep, now);
    const isReadable = isWide ? this.#lists.measure(read) : read();
    if (isWide) this.#lists.pause(now);
    if (!isReadable) this.note = `${this.#proc.path}/net can't be read`;
    else if (this.#tables.isCut) this.note = 'too many sockets to list in time';
    for (const flow of due) this.#match(flow, now);
  }

  /** Looks a flow up in the current tables. */
  #match(flow: Pending, now: number): void {
    const flows = this.#flows;
    const { row } = flow;
    const { words } = flows;
    const protocol = flows.protocol(row);
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    const [near, far] = [flows.localPort(row), flows.remotePort(row)];
    let inode = this.#tables.find(protocol, words, local, near, remote, far);
    let match = this.#tables.match;
    const isTranslated = inode === 0;
    const peerInode = flows.isLocal(row) ? this.#tables.findAnywhere(protocol, words, remote, far, local, near) : 0;
    if (inode === 0) {
      const ends = this.#conntrack.behind(protocol, words, local, near, far, now);
      if (ends !== null) {
        if (this.#behindTranslation?.(row, protocol, ends) === true) return;
        inode = this.#tables.findAnywhere(protocol, ends.words, 0, ends.ownPort, 4, ends.otherPort);
        match = this.#tables.match;
      }
    }
    let isTunnel = false;
    if (inode === 0 && peerInode === 0) {
      // Tunnels over UDP (VXLAN, Geneve) send from arbitrary ports to the port on which both ends listen.
      if (protocol === PROTOCOL.UDP) inode = this.#tables.find(protocol, words, local, far, remote, near);
      isTunnel = inode !== 0;
      if (!isTunnel) {
        this.#giveUp(flow, now);
        return;
      }
    }
    // The listener may be about to accept. A moment later the connection has a socket of its own.
    if (match === 'listener' && flow.tries === 0 && this.#retry(flow, now)) return;
    for (const each of [inode, peerInode]) if (each !== 0 && this.#inodes.owner(each) === undefined) this.#inodes.want(each);
    if (flow.tries > 0) this.#isWide = true;
    this.#found.push({ flow, inode, match, peerInode, isTunnel, isTranslated });
  }

  /** After the walk: assigns each flow the process that holds its socket. */
  #settle(now: number): void {
    const counted = new Set<number>();
    for (const { flow, inode, match, peerInode, isTunnel, isTranslated } of this.#found) {
      if (!this.#pending.isCurrent(flow)) continue;
      const owner = this.#process(inode);
      const peer = this.#process(peerInode);
      if (peer !== null) {
        this.#flows.ownPeer(flow.row, peer);
        this.#transferred?.track(flow.row, true, peer);
      }
      if (owner === null && inode !== 0 && this.#isKernels(inode, counted))
        this.#flows.disown(flow.row, 'no process: the kernel itself');
      else if (isTunnel) this.#giveUp(flow, now, owner === null);
      else if (owner !== null) {
        this.#flows.own(flow.row, owner, match);
        if (!isTranslated) this.#transferred?.track(flow.row, false, owner);
      } else if (this.#isWide && this.#inodes.hidden > 0 && inode !== 0) this.#flows.disown(flow.row, 'hidden by the system');
      else this.#giveUp(flow, now, inode !== 0);
    }
    this.#found = [];
    if (this.#inodes.hidden > 0) this.note = `no access to ${this.#inodes.hidden} processes of other users`;
  }

  /** Whether the socket is the kernel's own. @param counted sockets already counted as missing in this walk */
  #isKernels(inode: number, counted: Set<number>): boolean {
    let walks = this.#holderless.get(inode) ?? 0;
    if (walks < 2 && this.#inodes.sawAll && !counted.has(inode)) {
      counted.add(inode);
      if (this.#holderless.size >= MAX_HOLDERLESS) this.#holderless.clear();
      this.#holderless.set(inode, ++walks);
    }
    return walks >= 2;
  }

  #process(inode: number): number | null {
    const pid = inode === 0 ? undefined : this.#inodes.owner(inode);
    if (pid === undefined) return null;
    let process = this.#processes.get(pid);
    if (process === undefined) {
      const facts = readProcess(this.#proc, pid);
      process = facts === null ? null : this.#directory.learn(facts);
      this.#processes.set(pid, process);
    }
    if (process === null) this.#inodes.forget(inode);
    return process;
  }

  #retry(flow: Pending, now: number): boolean {
    return !this.#isLast && this.#pending.retry(flow, now);
  }

  /** Retries the flow later, or marks it closed. @param hasSocket its socket still exists, so the flow isn't over */
  #giveUp(flow: Pending, now: number, hasSocket = false): void {
    flow.seen = hasSocket ? 0 : this.#flows.lastSeen(flow.row);
    if (!this.#retry(flow, now)) this.#closed(flow.row);
  }

  /** Whether a flow that was not found has been silent since: then it counts as closed, and isn't looked up again. */
  #isOver(flow: Pending): boolean {
    if (flow.tries < 2 || this.#flows.lastSeen(flow.row) !== flow.seen) return false;
    this.#closed(flow.row);
    return true;
  }

  /** Gives a flow without a socket its reason. The tables don't list which raw socket sends ICMP, so that one counts as hidden. Portless flows keep theirs. */
  #closed(row: number): void {
    const flows = this.#flows;
    if (flows.asksEcho(row)) flows.disown(row, 'hidden by the system');
    else if (hasPorts(flows.protocol(row)))
      flows.disown(row, flows.isRefused(row) ? 'nothing listens on the port' : 'closed before it could be looked up');
  }
}
