// Finds owners that are gone: the process exited, or became another program through exec with its sockets open. If such a flow's socket still
// exists, another process has it. Exec events show this at once; without them every owner is checked about once a second.

import { readFileSync } from 'node:fs';
import type { FlowTable } from '../../flow/flow-table.ts';
import { widened } from '../../net/bytes.ts';
import { CpuBudget } from './cpu-budget.ts';
import type { Directory } from './directory.ts';
import type { Proc } from './linux/procfs/proc.ts';
import { readProcess } from './linux/procfs/process.ts';

/** Reports which processes became another program. */
export interface Execs {
  /** Calls `take` with the pids that called exec since the last call. */
  execs(take: (pid: number) => void): void;
}

/** Time between two checks of all owners, and shortest time between two lookups of a flow's new owner. */
const PASS_MS = 1000;
/** Longest turn of checking owners. */
const TURN_MS = 2;
/** Rows of the flow table scanned between two looks at the clock. */
const ROWS_AT_ONCE = 4096;
/** Checks take at most a fiftieth of the time. */
const REST = 49;
const MIN_PAUSE_MS = 10;

/** A flow's end whose owner is gone. */
interface Orphan {
  readonly serial: number;
  readonly process: number;
  /** The flow's last packet time at its last lookup. */
  seen: number;
  /** Monotonic ms before which it isn't looked up again. */
  due: number;
}

/** Takes a flow's end whose owner is gone. @returns false if there is no room for it now */
export type TakeOrphan = (row: number, isPeer: boolean, process: number) => boolean;

/** Finds owners that are gone. Its cost grows with owners and flows, not with the number of processes started. */
export class OwnerChecks {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #execs: Execs | null;
  /** Two per row, one for each end: serial of the flow whose socket can be looked up by that end's addresses. */
  #tracked = new Int32Array(0);
  /** Process numbers of the owners by pid. */
  #owners = new Map<number, Set<number>>();
  /** Owners that exec events named. */
  readonly #execed = new Set<number>();
  /** Owners left to check in this pass. */
  #queue: number[] = [];
  /** By owner: short name and start time as of the last check that found the same program. */
  #known = new Map<number, string>();
  /** When each owner was found to be gone, monotonic ms. */
  #gone = new Map<number, number>();
  /** An owner was found gone since the last scan began. */
  #hasNews = false;
  #nextPass = 0;
  /** Next row of the scan; -1 if none is running. */
  #at = -1;
  /** The scan collects all owners, for a check of each after it. */
  #isPass = false;
  /** Owners that the current scan found. */
  #met = new Set<number>();
  /** Flows whose owner is gone, from the last scan and the current one; keyed by row and end. */
  #orphans = new Map<number, Orphan>();
  #nextOrphans = new Map<number, Orphan>();
  readonly #budget = new CpuBudget(REST, MIN_PAUSE_MS);
  readonly #noteExec = (pid: number) => {
    for (const process of this.#owners.get(pid) ?? []) this.#execed.add(process);
  };

  /** @param execs reports processes that became another program; null to detect that through /proc only */
  constructor(flows: FlowTable, directory: Directory, proc: Proc, execs: Execs | null) {
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#execs = execs;
  }

  /** Tracks a flow's end whose socket can be looked up: it is in this network namespace, and its addresses aren't translated. */
  track(row: number, isPeer: boolean, process: number): void {
    if (row * 2 + 1 >= this.#tracked.length) this.#tracked = widened(this.#tracked, this.#flows.capacity * 2);
    this.#tracked[row * 2 + (isPeer ? 1 : 0)] = this.#serial(row);
    this.enter(process);
  }

  /** Adds a process to the owners to check. */
  enter(process: number): void {
    const pid = this.#directory.process(process)?.pid ?? -1;
    const same = this.#owners.get(pid);
    if (same !== undefined) same.add(process);
    else if (pid > 0) this.#owners.set(pid, new Set([process]));
  }

  /** Corrects a check: the process exists after all. */
  isBack(process: number): void {
    this.#gone.delete(process);
  }

  /** Reads exec events, checks owners that are due, and calls `take` for flows whose owner is gone. @param now monotonic ms */
  work(now: number, take: TakeOrphan): void {
    this.#execs?.execs(this.#noteExec);
    const isBusy = this.#execed.size > 0 || this.#at >= 0 || this.#queue.length > 0 || this.#hasNews;
    if ((!isBusy && now < this.#nextPass) || !this.#budget.isDue(now)) return;
    this.#budget.measure(() => this.#look(now, take));
    this.#budget.pause(now);
  }

  #look(now: number, take: TakeOrphan): void {
    if (now >= this.#nextPass && this.#at < 0 && this.#queue.length === 0) {
      this.#nextPass = now + PASS_MS;
      this.#isPass = true;
      this.#at = 0;
    }
    const until = performance.now() + TURN_MS;
    while (this.#step(now, take) && performance.now() < until);
  }

  /** Does one small part of the work. @returns false if nothing is left to do */
  #step(now: number, take: TakeOrphan): boolean {
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

  /** Checks that an owner still exists as the same program. */
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

  /** Short name and start time of a running process; empty if unreadable, null if it is gone or a zombie. */
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

  /** Scans the next rows for owners, and for flows whose owner is gone. */
  #scan(now: number, take: TakeOrphan): void {
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
    this.#orphans = this.#nextOrphans;
    this.#nextOrphans = new Map();
    if (!this.#isPass) return;
    this.#isPass = false;
    this.#owners = new Map();
    for (const process of met) this.enter(process);
    this.#known = kept(this.#known, met);
    this.#gone = kept(this.#gone, met);
    this.#queue = [...met];
  }

  #visit(row: number, end: 0 | 1, process: number, now: number, take: TakeOrphan): void {
    if (process < 0) return;
    this.#met.add(process);
    const since = this.#gone.get(process);
    const key = row * 2 + end;
    if (since === undefined) return;
    const serial = this.#serial(row);
    if (this.#tracked[key] !== serial) return;
    const seen = this.#flows.lastSeen(row);
    const last = this.#orphans.get(key);
    const isKnown = last !== undefined && last.serial === serial && last.process === process;
    const each = isKnown ? last : { serial, process, seen: -1, due: now };
    // A flow that was silent since its last lookup isn't looked up again. The others are, at growing intervals.
    if (each.seen !== seen && now >= each.due && take(row, end === 1, process)) {
      each.seen = seen;
      each.due = now + Math.max(PASS_MS, now - since);
    }
    this.#nextOrphans.set(key, each);
  }

  #serial(row: number): number {
    return this.#flows.serial(row) | 0;
  }
}

/** The entries of a map with these keys. */
function kept<Value>(map: ReadonlyMap<number, Value>, keys: ReadonlySet<number>): Map<number, Value> {
  const rest = new Map<number, Value>();
  for (const [key, value] of map) if (keys.has(key)) rest.set(key, value);
  return rest;
}
