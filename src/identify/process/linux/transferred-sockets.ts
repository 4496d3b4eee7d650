// Follows sockets that move between processes: a child accepts for its parent, inherits a socket, or is passed one. The kernel's report names
// the process that created the socket. Half a second later, and again some seconds later, this looks up flows that still live and assigns
// them to the process that now holds the socket. A shorter flow stays with the creator. So does a socket that the creator still holds, since
// nothing shows which process used it. Later, a flow is looked up again when its owner exits or becomes another program (OwnerChecks).

import { existsSync } from 'node:fs';
import type { FlowTable } from '../../../flow/flow-table.ts';
import { CpuBudget } from '../cpu-budget.ts';
import type { Directory } from '../directory.ts';
import type { OwnerChecks } from '../owner-checks.ts';
import type { ProcessFacts } from '../process-facts.ts';
import type { Proc } from './procfs/proc.ts';
import { readProcess } from './procfs/process.ts';
import { SocketInodes } from './procfs/socket-inodes.ts';
import { ProcfsTables, type SingleSockets } from './procfs/tables.ts';

/** Delays of the first lookup, from when the owner was assigned, and of the second, if the flow was quiet or still its creator's. */
const LOOKUP_DELAYS_MS = [500, 3500] as const;
/** A flow whose packets span less than this is not looked up. */
const LIVED_MS = 300;
/** Most flows waiting for each kind of lookup. */
const MAX_WAITING = 1024;
/** Most flows of each kind looked up in one turn, to keep bursts cheap. */
const MAX_AT_ONCE = 32;
/** Longest turn of walking descriptors. */
const WALK_MS = 4;
/** Ancestors of a socket's holder to check for the same socket. */
const MAX_ANCESTORS = 4;
/** Lookups and their walks take at most a twentieth of the time. */
const REST = 20;

/** The lookup for the new holder when the owner is gone. */
const GONE = 2;

interface PendingLookup {
  readonly row: number;
  readonly serial: number;
  /** The remote end of a local flow. */
  readonly isPeer: boolean;
  /** The owner so far. */
  readonly process: number;
  readonly look: 0 | 1 | typeof GONE;
  readonly due: number;
}

interface Search extends PendingLookup {
  readonly inode: number;
  readonly match: 'exact' | 'wildcard';
}

/** Corrects owners by who holds the socket. Takes at most a twentieth of the time, and only while flows are waiting. */
export class TransferredSockets {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #tables: ProcfsTables;
  readonly #inodes: SocketInodes;
  readonly #checks: OwnerChecks | null;
  readonly #takeGone = (row: number, isPeer: boolean, process: number) => this.#queueGone(row, isPeer, process);
  /** By lookup; each queue is in order of arrival, which is also the order of due times. */
  readonly #waiting: [PendingLookup[], PendingLookup[], PendingLookup[]] = [[], [], []];
  #searches: Search[] = [];
  /** Sockets of the processes read in this turn. */
  readonly #held = new Map<number, Set<number> | null>();
  readonly #readings = new CpuBudget(REST, 0);
  /** Flows that found the queue full. They keep their first owner. */
  overflowed = 0;

  /**
   * @param query looks up single sockets, but not those bound to an interface; null to use tables only
   * @param checks finds owners that are gone; null to skip that
   */
  constructor(
    flows: FlowTable,
    directory: Directory,
    proc: Proc,
    query: SingleSockets | null = null,
    checks: OwnerChecks | null = null,
  ) {
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#tables = new ProcfsTables(proc, query);
    this.#inodes = new SocketInodes(proc);
    this.#checks = checks;
  }

  /** Tracks a flow's end in this network namespace whose socket `process` created. @param now monotonic ms */
  add(row: number, isPeer: boolean, process: number, now: number): void {
    this.track(row, isPeer, process);
    const serial = this.#flows.serial(row);
    const pid = this.#directory.process(process)?.pid ?? -1;
    // If the creator has exited already, another process uses the socket, however short the flow is.
    if (existsSync(`${this.#proc.path}/${pid}`))
      this.#wait({ row, serial, isPeer, process, look: 0, due: now + LOOKUP_DELAYS_MS[0] });
    else this.#wait({ row, serial, isPeer, process, look: GONE, due: now });
  }

  /** Tracks a flow's end in this network namespace whose socket `process` holds. */
  track(row: number, isPeer: boolean, process: number): void {
    this.#checks?.track(row, isPeer, process);
  }

  /** @param now monotonic ms */
  work(now: number): void {
    this.#checks?.work(now, this.#takeGone);
    if (!this.#inodes.walking && !this.#isDue(now)) return;
    const isOver = this.#readings.measure(() => this.#readOn(now));
    if (isOver) this.#readings.pause(now);
  }

  #wait(each: PendingLookup): void {
    const waiting = this.#waiting[each.look];
    if (waiting.length < MAX_WAITING) waiting.push(each);
    else this.overflowed++;
  }

  /** Queues a flow whose owner is gone. @returns whether there was room */
  #queueGone(row: number, isPeer: boolean, process: number): boolean {
    if (this.#waiting[GONE].length >= MAX_WAITING) return false;
    const serial = this.#flows.serial(row);
    this.#wait({ row, serial, isPeer, process, look: GONE, due: 0 });
    return true;
  }

  #isDue(now: number): boolean {
    return this.#readings.isDue(now) && this.#waiting.some(([first]) => first !== undefined && first.due <= now);
  }

  /** Reads the tables, or continues the walk. @returns whether the turn is complete */
  #readOn(now: number): boolean {
    if (!this.#inodes.walking) this.#read(now);
    if (this.#searches.length > 0 && !this.#inodes.step(WALK_MS)) return false;
    this.#settle();
    return true;
  }

  /** Reads the tables and looks up the flows that are due. */
  #read(now: number): void {
    const due = ([GONE, 0, 1] as const).flatMap((look) => this.#takeDue(look, MAX_AT_ONCE, now));
    if (due.length === 0) return;
    this.#tables.read(new Set(due.map(({ row }) => this.#flows.protocol(row))), false, false, now);
    this.#held.clear();
    for (const each of due) if (!this.#look(each)) this.#again(each, now);
  }

  /** Takes the flows that are due. For lookups 0 and 1 they must have lived long enough. */
  #takeDue(look: PendingLookup['look'], most: number, now: number): PendingLookup[] {
    const waiting = this.#waiting[look];
    const due: PendingLookup[] = [];
    let taken = 0;
    while (taken < waiting.length && due.length < most) {
      const each = waiting[taken] as PendingLookup;
      if (each.due > now) break;
      taken++;
      if (!this.#isStill(each)) continue;
      if (look === GONE || this.#lived(each.row, LIVED_MS)) due.push(each);
      else this.#again(each, now);
    }
    waiting.splice(0, taken);
    return due;
  }

  #again(each: PendingLookup, now: number): void {
    if (each.look === 0) this.#wait({ ...each, look: 1, due: now + LOOKUP_DELAYS_MS[1] });
  }

  /** @returns whether a search for another process starts */
  #look(each: PendingLookup): boolean {
    const flows = this.#flows;
    const { row } = each;
    const protocol = flows.protocol(row);
    const local = { at: flows.localAt(row), port: flows.localPort(row) };
    const remote = { at: flows.remoteAt(row), port: flows.remotePort(row) };
    const [near, far] = each.isPeer ? [remote, local] : [local, remote];
    const inode = this.#tables.find(protocol, flows.words, near.at, near.port, far.at, far.port);
    const { match } = this.#tables;
    // A listener's socket isn't the connection's.
    if (inode === 0 || match === 'listener' || match === 'none') return false;
    // Several processes may share a port with a socket each. The tables don't say which one has this flow.
    if (match === 'wildcard' && !this.#tables.isSole(protocol, near.port)) return false;
    const pid = this.#directory.process(each.process)?.pid ?? -1;
    if (pid < 0) return false;
    if (this.#holds(pid, inode)) {
      if (each.look === GONE) this.#renew(each, pid, match);
      return false;
    }
    this.#inodes.forget(inode);
    this.#inodes.want(inode);
    this.#searches.push({ ...each, inode, match });
    return true;
  }

  /** Whether the process holds the socket, or may. Each process is read once per turn. */
  #holds(pid: number, inode: number): boolean {
    let held = this.#held.get(pid);
    if (held === undefined) {
      held = this.#inodes.heldBy(pid);
      this.#held.set(pid, held);
    }
    return held === null || held.has(inode);
  }

  /** Handles an owner that still holds the socket but may have become another program. */
  #renew(each: PendingLookup, pid: number, match: Search['match']): void {
    const facts = readProcess(this.#proc, pid);
    if (facts === null || this.#directory.isKnownAs(each.process, facts)) this.#checks?.isBack(each.process);
    else {
      // Either we knew only the short name and now know the program, or it became another program.
      const isOther = this.#directory.process(each.process)?.exe !== null;
      this.#give(each, this.#directory.learn(facts), match, isOther);
    }
  }

  #settle(): void {
    for (const each of this.#searches) {
      const pid = this.#inodes.owner(each.inode);
      const facts = pid === undefined || !this.#isStill(each) ? null : this.#firstHolder(pid, each.inode);
      if (facts === null) continue;
      // A process that held the socket for long has used it, so earlier traffic stays with it.
      this.#give(
        each,
        this.#directory.learn(facts),
        each.match,
        each.look === GONE && this.#lived(each.row, LOOKUP_DELAYS_MS[1]),
      );
    }
    this.#searches = [];
  }

  /** The topmost ancestor that also holds the socket: it had the socket first. The process itself if none does; null if it is gone. */
  #firstHolder(pid: number, inode: number): ProcessFacts | null {
    let facts = readProcess(this.#proc, pid);
    for (let left = MAX_ANCESTORS; left > 0 && facts !== null; left--) {
      const parent = facts.parentPid ?? 0;
      const above = parent > 1 && this.#inodes.heldBy(parent)?.has(inode) === true ? readProcess(this.#proc, parent) : null;
      if (above === null) break;
      facts = above;
    }
    return facts;
  }

  #give({ row, isPeer }: PendingLookup, process: number, match: Search['match'], keepsEarlier: boolean): void {
    this.#checks?.enter(process);
    if (keepsEarlier) this.#flows.settleOwner(row, isPeer);
    if (isPeer) this.#flows.ownPeer(row, process);
    else this.#flows.own(row, process, match);
  }

  /** Whether the row still holds the same flow with the same owner. */
  #isStill({ row, serial, isPeer, process }: PendingLookup): boolean {
    const flows = this.#flows;
    if (!flows.holds(row, serial) || flows.isRetired(row)) return false;
    return (isPeer ? flows.peer(row) : flows.owner(row)) === process;
  }

  #lived(row: number, ms: number): boolean {
    return this.#flows.lastSeen(row) - this.#flows.firstSeen(row) >= ms;
  }
}
