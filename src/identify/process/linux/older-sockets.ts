// Sockets that existed before the kernel sources opened. It reads /proc/net once and searches for the owners in the background. It never
// rereads: the kernel reports newer sockets.

import { readFileSync } from 'node:fs';
import type { Directory } from '../directory.ts';
import { type Match, SocketTable } from '../socket-table.ts';
import { TICKS_PER_SECOND } from '../start-clock.ts';
import type { Proc } from './procfs/proc.ts';
import { readProcess } from './procfs/process.ts';
import { SocketInodes } from './procfs/socket-inodes.ts';
import { ProcNetReader } from './procfs/tables.ts';

/** Longest walk at the start, and in each later turn. */
const FIRST_WALK_MS = 20;
const WALK_MS = 4;
/** No socket has this inode, so a walk that wants it visits every process. */
const NO_INODE = -1;

/** A snapshot of the machine's sockets at the start. */
export class OlderSockets {
  readonly #directory: Directory;
  readonly #proc: Proc;
  readonly #table = new SocketTable();
  readonly #inodes: SocketInodes;
  /** When the tables were read, in clock ticks since boot. */
  readonly #readAt: number;
  #walked: boolean;
  /** How the last `find` matched. */
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

  /** Continues the search for owners for a few milliseconds. */
  work(): void {
    if (!this.#walked) this.#walked = this.#inodes.step(WALK_MS);
  }

  /** Process that holds the socket with these ends, matched as in `SocketTable.find`; -1 if unknown. */
  find(protocol: number, ends: Int32Array, localAt: number, localPort: number, remoteAt: number, remotePort: number): number {
    const inode = this.#table.find(protocol, ends, localAt, localPort, remoteAt, remotePort);
    const pid = inode === 0 ? undefined : this.#inodes.owner(inode);
    if (pid === undefined) return -1;
    const facts = readProcess(this.#proc, pid);
    // A process that started later only reuses the pid of one that is gone.
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
