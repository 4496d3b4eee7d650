// Sockets that were handed on: a child that accepts for its parent, one that inherited or was passed a socket. The kernel's report names
// the maker; half a second on, a flow that still lives is looked up once, and goes to who holds its socket now.

import type { FlowTable } from '../../flow/flow-table.ts';
import {
  COUNTERS,
  FIRST_SEEN,
  INTS,
  LAST_SEEN,
  LOCAL,
  PORTS,
  PROCESS,
  PROTOCOL_INTERFACE,
  REMOTE,
  SERIAL,
} from '../../flow/layout.ts';
import type { Directory } from './directory.ts';
import { attributionIndex, reasonIndex } from './owner-source.ts';
import { readProcess } from './proc-process.ts';
import { ProcfsTables } from './procfs-tables.ts';
import { SocketInodes } from './socket-inodes.ts';

/** How long after its owner was told a flow is looked up. */
const SETTLED_MS = 500;
/** A flow that lived no longer than this by its own packets is not worth it. */
const LIVED_MS = 300;
const MOST_WAITING = 1024;
/** Flows looked up in one reading, so that a burst costs little. */
const MOST_AT_ONCE = 32;
const WALK_MS = 4;
const REST = 20;

interface Waiting {
  readonly row: number;
  readonly serial: number;
  /** Process that was told. */
  readonly process: number;
  readonly due: number;
}

interface Sought extends Waiting {
  readonly inode: number;
}

/** Corrects owners by who holds the socket; never for more than a twentieth of the time, and only while there are new flows. */
export class HandOvers {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #proc: string;
  readonly #tables: ProcfsTables;
  readonly #inodes: SocketInodes;
  #waiting: Waiting[] = [];
  #sought: Sought[] = [];
  #nextReading = 0;

  /** @param proc `/proc` */
  constructor(flows: FlowTable, directory: Directory, proc: string) {
    this.#flows = flows;
    this.#directory = directory;
    this.#proc = proc;
    this.#tables = new ProcfsTables(proc);
    this.#inodes = new SocketInodes(proc);
  }

  /** The flow's local end was told to be `process`'s. @param now monotonic ms */
  add(row: number, process: number, now: number): void {
    if (this.#waiting.length >= MOST_WAITING) return;
    const serial = this.#flows.counters[row * COUNTERS + SERIAL] as number;
    this.#waiting.push({ row, serial, process, due: now + SETTLED_MS });
  }

  /** @param now monotonic ms */
  work(now: number): void {
    if (this.#inodes.walking) {
      if (this.#inodes.step(WALK_MS)) this.#settle();
      return;
    }
    const first = this.#waiting[0];
    if (first === undefined || first.due > now || now < this.#nextReading) return;
    const begun = performance.now();
    const due = this.#takeDue(now);
    if (due.length === 0) return;
    this.#tables.read(false, now);
    for (const each of due) this.#look(each);
    if (this.#sought.length > 0 && this.#inodes.step(WALK_MS)) this.#settle();
    this.#nextReading = now + (performance.now() - begun) * REST;
  }

  /** Flows that are due and still live; in the order of their coming, which is that of their time. */
  #takeDue(now: number): Waiting[] {
    const due: Waiting[] = [];
    let taken = 0;
    while (taken < this.#waiting.length && due.length < MOST_AT_ONCE) {
      const each = this.#waiting[taken] as Waiting;
      if (each.due > now) break;
      taken++;
      if (this.#isStill(each) && this.#lived(each.row)) due.push(each);
    }
    this.#waiting = this.#waiting.slice(taken);
    return due;
  }

  #look(each: Waiting): void {
    const { ints } = this.#flows;
    const base = each.row * INTS;
    const protocol = (ints[base + PROTOCOL_INTERFACE] as number) & 0xffff;
    const ports = ints[base + PORTS] as number;
    const inode = this.#tables.find(protocol, ints, base + LOCAL, ports >>> 16, base + REMOTE, ports & 0xffff);
    // A listener's socket is not the connection's; several may share a port without one of them being this flow's.
    if (inode === 0 || this.#tables.match === 'listener') return;
    const pid = this.#directory.process(each.process)?.pid ?? -1;
    if (pid < 0 || this.#inodes.holds(pid, inode)) return;
    this.#inodes.want(inode);
    this.#sought.push({ ...each, inode });
  }

  #settle(): void {
    for (const each of this.#sought) {
      const pid = this.#inodes.owner(each.inode);
      const facts = pid === undefined || !this.#isStill(each) ? null : readProcess(this.#proc, pid);
      if (facts !== null)
        this.#flows.setOwner(each.row, this.#directory.learn(facts), attributionIndex('exact'), reasonIndex('not looked up yet'));
    }
    this.#sought = [];
  }

  #isStill({ row, serial, process }: Waiting): boolean {
    return (
      this.#flows.isLive(row) &&
      this.#flows.counters[row * COUNTERS + SERIAL] === serial &&
      this.#flows.ints[row * INTS + PROCESS] === process
    );
  }

  #lived(row: number): boolean {
    const at = row * COUNTERS;
    return (this.#flows.counters[at + LAST_SEEN] as number) - (this.#flows.counters[at + FIRST_SEEN] as number) >= LIVED_MS;
  }
}
