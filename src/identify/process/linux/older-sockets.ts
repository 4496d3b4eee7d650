// Sockets that existed before the kernel sources were opened: the tables of /proc/net read once, their owners looked for in the background.
// Nothing here is renewed: what is newer is told by the kernel itself.

import { readFileSync } from 'node:fs';
import type { Directory } from '../directory.ts';
import { type Match, SocketTable } from '../socket-table.ts';
import { TICKS_PER_SECOND } from '../start-clock.ts';
import type { Proc } from './procfs/proc.ts';
import { readProcess } from './procfs/process.ts';
import { SocketInodes } from './procfs/socket-inodes.ts';
import { ProcNetReader } from './procfs/tables.ts';

/** Longest walk at the start, and in each turn after it. */
const FIRST_WALK_MS = 20;
const WALK_MS = 4;
/** No socket has it: a walk that seeks it asks every process. */
const NO_INODE = -1;

/** The sockets of one moment. */
export class OlderSockets {
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #table = new SocketTable();
  readonly #inodes: SocketInodes;
  /** Ticks since the machine started when the tables were read. */
  readonly #readAt: number;
  #walked: boolean;
  /** How the last `find` was answered. */
  match: Match = 'none';

  constructor(directory: Directory, proc: Proc) {
    this.#directory = directory;
    this.#proc = proc;
    this.#readAt = uptime(proc.path) * TICKS_PER_SECOND;
    new ProcNetReader().read(`${proc.path}/net`, this.#table);
    this.#inodes = new SocketInodes(proc);
    this.#inodes.want(NO_INODE);
    this.#walked = this.#table.count === 0 || this.#inodes.step(FIRST_WALK_MS);
  }

  /** Goes on looking for owners, for a few milliseconds. */
  work(): void {
    if (!this.#walked) this.#walked = this.#inodes.step(WALK_MS);
  }

  /** Process that holds the socket of a flow's end, or -1; as `SocketTable.find`. */
  find(protocol: number, ends: Int32Array, localAt: number, localPort: number, remoteAt: number, remotePort: number): number {
    const inode = this.#table.find(protocol, ends, localAt, localPort, remoteAt, remotePort);
    const pid = inode === 0 ? undefined : this.#inodes.owner(inode);
    if (pid === undefined) return -1;
    const facts = readProcess(this.#proc, pid);
    // A process that began later has the pid of one that is gone.
    if (facts === null || facts.startTime === null || facts.startTime > this.#readAt + TICKS_PER_SECOND) return -1;
    this.match = this.#table.match;
    return this.#directory.learn(facts);
  }
}

function uptime(proc: string): number {
  try {
    return Number(readFileSync(`${proc}/uptime`, 'latin1').split(' ', 1)[0]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
