// Owners that are gone: their process ended, or became another program by exec while its sockets stayed open. A flow of theirs is somebody
// else's now if its socket still stands. Exec events tell at once; else every owner is looked at about once a second.

import { readFileSync } from 'node:fs';
import type { FlowTable } from '../../flow/flow-table.ts';
import { widened } from '../../net/bytes.ts';
import { CpuBudget } from './cpu-budget.ts';
import type { Directory } from './directory.ts';
import type { Proc } from './linux/procfs/proc.ts';
import { readProcess } from './linux/procfs/process.ts';

/** Tells which processes became another program. */
export interface Execs {
  /** Hands out the pids that were told since the last call. */
  execs(take: (pid: number) => void): void;
}

/** Time between two looks at all owners, and at the least between two looks for a flow's new owner. */
const PASS_MS = 1000;
/** Longest turn of looking at owners. */
const TURN_MS = 2;
/** Rows of the flow table looked at between two looks at the clock. */
const ROWS_AT_ONCE = 4096;
/** Looking takes a fiftieth of the time at the most. */
const REST = 49;
const MIN_PAUSE_MS = 10;

/** A flow's end whose owner is gone. */
interface Left {
  readonly serial: number;
  readonly process: number;
  /** When the flow was last seen, at the last look for the owner of its socket. */
  seen: number;
  /** Monotonic ms before which it is not looked for again. */
  due: number;
}

/** Takes a flow's end whose owner is gone. @returns false when there is no room for it now */
export type TakeLeft = (row: number, isPeer: boolean, process: number) => boolean;

/** Finds owners that are gone. What it costs grows with owners and flows, never with how many processes begin. */
export class OwnerChecks {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #execs: Execs | null;
  /** By row, one for either end: serial of the flow whose socket is found by that end's addresses. */
  #tracked = new Int32Array(0);
  /** Numbers of the owners by pid. */
  #owners = new Map<number, Set<number>>();
  /** Owners that exec events named. */
  readonly #execed = new Set<number>();
  /** Owners still to be looked at in this pass. */
  #queue: number[] = [];
  /** By owner: its short name and start when it was found to be the same program. */
  #known = new Map<number, string>();
  /** When each owner was found to be gone, monotonic ms. */
  #gone = new Map<number, number>();
  /** An owner was found to be gone since the last scan began. */
  #hasNews = false;
  #nextPass = 0;
  /** Row at which the scan goes on; -1 while there is none. */
  #at = -1;
  /** The scan begins a pass: all owners are looked at behind it. */
  #isPass = false;
  /** Owners that the scan met. */
  #met = new Set<number>();
  /** Flows of owners that are gone, of the last scan and of the one that goes on; by row, one for either end. */
  #left = new Map<number, Left>();
  #nextLeft = new Map<number, Left>();
  readonly #budget = new CpuBudget(REST, MIN_PAUSE_MS);
  readonly #noteExec = (pid: number) => {
    for (const process of this.#owners.get(pid) ?? []) this.#execed.add(process);
  };

  /** @param execs tells of processes that became another program; null where that is seen only in /proc */
  constructor(flows: FlowTable, directory: Directory, proc: Proc, execs: Execs | null) {
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#execs = execs;
  }

  /** The socket of a flow's end is found by its addresses: it is in this network namespace, and nothing translated them. */
  track(row: number, isPeer: boolean, process: number): void {
    if (row * 2 + 1 >= this.#tracked.length) this.#tracked = widened(this.#tracked, this.#flows.capacity * 2);
    this.#tracked[row * 2 + (isPeer ? 1 : 0)] = this.#serial(row);
    this.enter(process);
  }

  /** A process owns flows from now on. */
  enter(process: number): void {
    const pid = this.#directory.process(process)?.pid ?? -1;
    const same = this.#owners.get(pid);
    if (same !== undefined) same.add(process);
    else if (pid > 0) this.#owners.set(pid, new Set([process]));
  }

  /** A process that seemed to be gone is there after all. */
  isBack(process: number): void {
    this.#gone.delete(process);
  }

  /** Takes exec events in, looks at owners that are due, and hands flows of those that are gone to `take`. @param now monotonic ms */
  work(now: number, take: TakeLeft): void {
    this.#execs?.execs(this.#noteExec);
    const isBusy = this.#execed.size > 0 || this.#at >= 0 || this.#queue.length > 0 || this.#hasNews;
    if ((!isBusy && now < this.#nextPass) || !this.#budget.isDue(now)) return;
    this.#budget.measure(() => this.#look(now, take));
    this.#budget.pause(now);
  }

  #look(now: number, take: TakeLeft): void {
    if (now >= this.#nextPass && this.#at < 0 && this.#queue.length === 0) {
      this.#nextPass = now + PASS_MS;
      this.#isPass = true;
      this.#at = 0;
    }
    const until = performance.now() + TURN_MS;
    while (this.#step(now, take) && performance.now() < until);
  }

  /** Does the next small part. @returns false when nothing is left to do */
  #step(now: number, take: TakeLeft): boolean {
    for (const process of this.#execed) {
      this.#execed.delete(process);
      this.#known.delete(process);
      this.#check(process, now);
      return true;
    }
    if (this.#at < 0 && this.#hasNews) {
      this.#hasNews = false;
      this.#at = 0;
    }
    if (this.#at >= 0) {
      this.#scan(now, take);
      return true;
    }
    const next = this.#queue.pop();
    if (next !== undefined) this.#check(next, now);
    return next !== undefined;
  }

  /** Looks whether an owner is still there, as the program that it was. */
  #check(process: number, now: number): void {
    const pid = this.#directory.process(process)?.pid ?? -1;
    if (pid < 0 || this.#gone.has(process)) return;
    const mark = this.#mark(pid);
    if (mark !== null && this.#known.get(process) === mark) return;
    const facts = mark === null ? null : readProcess(this.#proc, pid);
    const isSame = facts === null ? mark === '' : this.#directory.isKnownAs(process, facts);
    if (isSame && mark !== null) this.#known.set(process, mark);
    else {
      this.#gone.set(process, now);
      this.#hasNews = true;
    }
  }

  /** Short name and start of a process that runs; empty where they may not be read, null where it is gone or a zombie. */
  #mark(pid: number): string | null {
    let stat: string;
    try {
      stat = readFileSync(`${this.#proc.path}/${pid}/stat`, 'latin1');
    } catch {
      return this.#proc.exe(pid) === null ? null : '';
    }
    const close = stat.lastIndexOf(')');
    const fields = stat.slice(close + 2).split(' ', 20);
    return fields[0] === 'Z' || fields[0] === 'X' ? null : `${fields[19]} ${stat.slice(0, close)}`;
  }

  /** Looks at the next rows: who owns flows, and which flows of those that are gone are to be looked up. */
  #scan(now: number, take: TakeLeft): void {
    const flows = this.#flows;
    const end = Math.min(this.#at + ROWS_AT_ONCE, flows.rows);
    for (let row = this.#at; row < end; row++) {
      if (!flows.isLive(row) || flows.isRetired(row) || flows.isClosed(row)) continue;
      this.#visit(row, 0, flows.owner(row), now, take);
      this.#visit(row, 1, flows.peer(row), now, take);
    }
    this.#at = end < flows.rows ? end : -1;
    if (this.#at < 0) this.#endScan();
  }

  #endScan(): void {
    const met = this.#met;
    this.#met = new Set();
    this.#left = this.#nextLeft;
    this.#nextLeft = new Map();
    if (!this.#isPass) return;
    this.#isPass = false;
    this.#owners = new Map();
    for (const process of met) this.enter(process);
    this.#known = kept(this.#known, met);
    this.#gone = kept(this.#gone, met);
    this.#queue = [...met];
  }

  #visit(row: number, end: 0 | 1, process: number, now: number, take: TakeLeft): void {
    if (process < 0) return;
    this.#met.add(process);
    const since = this.#gone.get(process);
    const key = row * 2 + end;
    if (since === undefined) return;
    const serial = this.#serial(row);
    if (this.#tracked[key] !== serial) return;
    const seen = this.#flows.lastSeen(row);
    const last = this.#left.get(key);
    const isKnown = last !== undefined && last.serial === serial && last.process === process;
    const each = isKnown ? last : { serial, process, seen: -1, due: now };
    // What said nothing since it was looked for in vain is nobody's; the rest is looked for ever more seldom.
    if (each.seen !== seen && now >= each.due && take(row, end === 1, process)) {
      each.seen = seen;
      each.due = now + Math.max(PASS_MS, now - since);
    }
    this.#nextLeft.set(key, each);
  }

  #serial(row: number): number {
    return this.#flows.serial(row) | 0;
  }
}

/** What a map has of these keys. */
function kept<Value>(map: ReadonlyMap<number, Value>, keys: ReadonlySet<number>): Map<number, Value> {
  const rest = new Map<number, Value>();
  for (const [key, value] of map) if (keys.has(key)) rest.set(key, value);
  return rest;
}
