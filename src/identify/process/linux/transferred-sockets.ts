// Sockets transferred between processes: a child accepts for its parent, inherits a socket, or is passed one. The kernel's report names the
// process that made the socket. Half a second later, and again some seconds later, a flow that still lives is looked up and given to the
// process that holds its socket now. A shorter flow stays with the maker, and so does a socket that the maker still holds, since nothing
// shows which of the two used it. After that a flow is looked up again when its owner ended or became another program (OwnerChecks).

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

/** When a flow is looked up: after its owner was told, and again after that, where it was quiet or still the maker's. */
const LOOKS_MS = [500, 3500] as const;
/** A flow that lived no longer than this by its own packets is not worth it. */
const LIVED_MS = 300;
/** Flows that wait for a look of either kind. */
const MAX_WAITING = 1024;
/** Flows looked up in one reading, so that a burst costs little. */
const MAX_AT_ONCE = 32;
/** Longest turn of walking descriptors. */
const WALK_MS = 4;
/** Ancestors of a socket's owner that may hold the socket, too. */
const MAX_ANCESTORS = 4;
/** Readings, their walks included, take a twentieth of the time at the most. */
const REST = 20;

/** The look for who holds the socket of a process that is gone. */
const GONE = 2;

interface Waiting {
  readonly row: number;
  readonly serial: number;
  /** Of the far end of a local flow. */
  readonly isPeer: boolean;
  /** Process that was told. */
  readonly process: number;
  readonly look: 0 | 1 | typeof GONE;
  readonly due: number;
}

interface Sought extends Waiting {
  readonly inode: number;
  readonly match: 'exact' | 'wildcard';
}

/** Corrects owners by who holds the socket; never for more than a twentieth of the time, and only while there are new flows. */
export class TransferredSockets {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #tables: ProcfsTables;
  readonly #inodes: SocketInodes;
  readonly #checks: OwnerChecks | null;
  readonly #takeLeft = (row: number, isPeer: boolean, process: number) => this.#isLeft(row, isPeer, process);
  /** By look; each in the order of its coming, which is that of its time. */
  readonly #waiting: [Waiting[], Waiting[], Waiting[]] = [[], [], []];
  #sought: Sought[] = [];
  /** Sockets of the processes that were asked in this reading. */
  readonly #held = new Map<number, Set<number> | null>();
  readonly #readings = new CpuBudget(REST, 0);
  /** Flows that found the queue full: they keep the owner that was told. */
  overflowed = 0;

  /**
   * @param query asks for single sockets, but not those bound to an interface; null where only tables tell
   * @param checks finds owners that are gone; null where nobody looks for them
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

  /** An end of the flow, one of this network namespace, was told to be `process`'s, which made its socket. @param now monotonic ms */
  add(row: number, isPeer: boolean, process: number, now: number): void {
    this.track(row, isPeer, process);
    const serial = this.#flows.serial(row);
    const pid = this.#directory.process(process)?.pid ?? -1;
    // A flow that begins when its socket's maker has ended is an heir's, however short it is.
    if (existsSync(`${this.#proc.path}/${pid}`)) this.#wait({ row, serial, isPeer, process, look: 0, due: now + LOOKS_MS[0] });
    else this.#wait({ row, serial, isPeer, process, look: GONE, due: now });
  }

  /** An end of the flow, one of this network namespace, is `process`'s, which holds its socket. */
  track(row: number, isPeer: boolean, process: number): void {
    this.#checks?.track(row, isPeer, process);
  }

  /** @param now monotonic ms */
  work(now: number): void {
    this.#checks?.work(now, this.#takeLeft);
    if (!this.#inodes.walking && !this.#isDue(now)) return;
    const isOver = this.#readings.measure(() => this.#readOn(now));
    if (isOver) this.#readings.pause(now);
  }

  #wait(each: Waiting): void {
    const waiting = this.#waiting[each.look];
    if (waiting.length < MAX_WAITING) waiting.push(each);
    else this.overflowed++;
  }

  /** The process of a flow's end is gone. @returns whether the flow will be looked up */
  #isLeft(row: number, isPeer: boolean, process: number): boolean {
    if (this.#waiting[GONE].length >= MAX_WAITING) return false;
    const serial = this.#flows.serial(row);
    this.#wait({ row, serial, isPeer, process, look: GONE, due: 0 });
    return true;
  }

  #isDue(now: number): boolean {
    return this.#readings.isDue(now) && this.#waiting.some(([first]) => first !== undefined && first.due <= now);
  }

  /** Reads the tables, or goes on with the walk. @returns whether the reading is done */
  #readOn(now: number): boolean {
    if (!this.#inodes.walking) this.#read(now);
    if (this.#sought.length > 0 && !this.#inodes.step(WALK_MS)) return false;
    this.#settle();
    return true;
  }

  /** Reads the tables where a flow that is due has lived. */
  #read(now: number): void {
    const due = ([GONE, 0, 1] as const).flatMap((look) => this.#takeDue(look, MAX_AT_ONCE, now));
    if (due.length === 0) return;
    this.#tables.read(new Set(due.map(({ row }) => this.#flows.protocol(row))), false, false, now);
    this.#held.clear();
    for (const each of due) if (!this.#look(each)) this.#again(each, now);
  }

  /** Flows that are due, and have lived where that is asked. */
  #takeDue(look: Waiting['look'], most: number, now: number): Waiting[] {
    const waiting = this.#waiting[look];
    const due: Waiting[] = [];
    let taken = 0;
    while (taken < waiting.length && due.length < most) {
      const each = waiting[taken] as Waiting;
      if (each.due > now) break;
      taken++;
      if (!this.#isStill(each)) continue;
      if (look === GONE || this.#lived(each.row, LIVED_MS)) due.push(each);
      else this.#again(each, now);
    }
    waiting.splice(0, taken);
    return due;
  }

  #again(each: Waiting, now: number): void {
    if (each.look === 0) this.#wait({ ...each, look: 1, due: now + LOOKS_MS[1] });
  }

  /** @returns whether another process is looked for */
  #look(each: Waiting): boolean {
    const flows = this.#flows;
    const { row } = each;
    const protocol = flows.protocol(row);
    const local = { at: flows.localAt(row), port: flows.localPort(row) };
    const remote = { at: flows.remoteAt(row), port: flows.remotePort(row) };
    const [near, far] = each.isPeer ? [remote, local] : [local, remote];
    const inode = this.#tables.find(protocol, flows.words, near.at, near.port, far.at, far.port);
    const { match } = this.#tables;
    // A listener's socket is not the connection's.
    if (inode === 0 || match === 'listener' || match === 'none') return false;
    // Several processes may share a port, each with a socket of its own: which of them is this flow's, the tables don't tell.
    if (match === 'wildcard' && !this.#tables.isSole(protocol, near.port)) return false;
    const pid = this.#directory.process(each.process)?.pid ?? -1;
    if (pid < 0) return false;
    if (this.#holds(pid, inode)) {
      if (each.look === GONE) this.#renew(each, pid, match);
      return false;
    }
    this.#inodes.forget(inode);
    this.#inodes.want(inode);
    this.#sought.push({ ...each, inode, match });
    return true;
  }

  /** True when the process holds the socket, or may not be asked. A process that has thousands is read once in a reading. */
  #holds(pid: number, inode: number): boolean {
    let held = this.#held.get(pid);
    if (held === undefined) {
      held = this.#inodes.heldBy(pid);
      this.#held.set(pid, held);
    }
    return held === null || held.has(inode);
  }

  /** The process that was told holds the socket still, as whatever program it is now. */
  #renew(each: Waiting, pid: number, match: Sought['match']): void {
    const facts = readProcess(this.#proc, pid);
    if (facts === null || this.#directory.isKnownAs(each.process, facts)) this.#checks?.isBack(each.process);
    else {
      // One of which only the short name was known is now known whole; else another program took its place.
      const isOther = this.#directory.process(each.process)?.exe !== null;
      this.#give(each, this.#directory.learn(facts), match, isOther);
    }
  }

  #settle(): void {
    for (const each of this.#sought) {
      const pid = this.#inodes.owner(each.inode);
      const facts = pid === undefined || !this.#isStill(each) ? null : this.#eldest(pid, each.inode);
      if (facts === null) continue;
      // Whoever had it for long has used it.
      this.#give(each, this.#directory.learn(facts), each.match, each.look === GONE && this.#lived(each.row, LOOKS_MS[1]));
    }
    this.#sought = [];
  }

  /** The oldest of a process and those of its ancestors that hold the socket, too: it had the socket first. Null when it is gone. */
  #eldest(pid: number, inode: number): ProcessFacts | null {
    let facts = readProcess(this.#proc, pid);
    for (let left = MAX_ANCESTORS; left > 0 && facts !== null; left--) {
      const parent = facts.parentPid ?? 0;
      const above = parent > 1 && this.#inodes.heldBy(parent)?.has(inode) === true ? readProcess(this.#proc, parent) : null;
      if (above === null) break;
      facts = above;
    }
    return facts;
  }

  #give({ row, isPeer }: Waiting, process: number, match: Sought['match'], keepsPast: boolean): void {
    this.#checks?.enter(process);
    if (keepsPast) this.#flows.settleOwner(row, isPeer);
    if (isPeer) this.#flows.ownPeer(row, process);
    else this.#flows.own(row, process, match);
  }

  /** True while the row is the same flow and its owner the one that was told. */
  #isStill({ row, serial, isPeer, process }: Waiting): boolean {
    const flows = this.#flows;
    if (!flows.holds(row, serial) || flows.isRetired(row)) return false;
    return (isPeer ? flows.peer(row) : flows.owner(row)) === process;
  }

  #lived(row: number, ms: number): boolean {
    return this.#flows.lastSeen(row) - this.#flows.firstSeen(row) >= ms;
  }
}
