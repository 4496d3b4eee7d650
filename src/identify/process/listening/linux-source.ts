// Listening sockets and their processes on Linux. The list of this namespace is read every few seconds; processes are looked for only when a
// socket is new, a few milliseconds at a time.

import type { Proc } from '../linux/procfs/proc.ts';
import { readProcess } from '../linux/procfs/process.ts';
import { SocketInodes } from '../linux/procfs/socket-inodes.ts';
import type { ProcessFacts } from '../process-facts.ts';
import type { LinuxListening } from './linux.ts';
import type { HeldSocket, ListeningSource } from './listeners.ts';
import type { ListeningSocket } from './sockets.ts';

const PAUSE_MS = 2000;
/** Other namespaces take a file of each, which the kernel is slow to write. */
const OTHERS_PAUSE_MS = 30_000;
/** Longest walk in one turn. */
const WALK_MS = 4;

/** Polls the kernel and /proc. */
export class LinuxListeningSource implements ListeningSource {
  failure: string | null = null;
  note = '';
  readonly #proc: Proc;
  readonly #listening: LinuxListening;
  readonly #inodes: SocketInodes;
  readonly #walkMs: number;
  /** Holders by inode; null if there is none, or it is hidden. */
  #holders = new Map<number, ProcessFacts | null>();
  /** The list whose processes are being looked for. */
  #pending: readonly ListeningSocket[] | null = null;
  #others: readonly ListeningSocket[] = [];
  #nextOthers = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;

  /** @param walkMs longest walk in one turn; Infinity to find all at once */
  constructor(proc: Proc, listening: LinuxListening, walkMs = WALK_MS) {
    this.#proc = proc;
    this.#listening = listening;
    this.#inodes = new SocketInodes(proc);
    this.#walkMs = walkMs;
  }

  work(now: number): readonly HeldSocket[] | null {
    if (this.#pending === null) {
      if (now < this.#next) return null;
      this.#next = now + PAUSE_MS;
      const own = this.#listening.own();
      this.failure = own === null ? `${this.#proc.path}/net can't be read` : null;
      if (own === null) return null;
      if (now >= this.#nextOthers) {
        this.#nextOthers = now + OTHERS_PAUSE_MS;
        this.#others = this.#listening.others(now);
      }
      this.#pending = [...own, ...this.#others];
      this.#keep(this.#pending);
    }
    return this.#settle(this.#pending);
  }

  close(): void {
    this.#listening.close();
  }

  /** Keeps the holders of sockets that are still there, unless their process is gone, and looks for the rest. */
  #keep(sockets: readonly ListeningSocket[]): void {
    const kept = new Map<number, ProcessFacts | null>();
    for (const { inode } of sockets) {
      const holder = this.#holders.get(inode);
      if (holder !== undefined && (holder === null || this.#isAlive(holder))) kept.set(inode, holder);
      else {
        this.#inodes.forget(inode);
        this.#inodes.want(inode);
      }
    }
    this.#holders = kept;
  }

  #settle(sockets: readonly ListeningSocket[]): readonly HeldSocket[] | null {
    if (sockets.some(({ inode }) => !this.#holders.has(inode)) && !this.#inodes.step(this.#walkMs)) return null;
    this.#pending = null;
    const processes = new Map<number, ProcessFacts | null>();
    for (const { inode } of sockets) {
      if (this.#holders.has(inode)) continue;
      const pid = this.#inodes.owner(inode);
      if (pid !== undefined && !processes.has(pid)) processes.set(pid, readProcess(this.#proc, pid));
      this.#holders.set(inode, pid === undefined ? null : (processes.get(pid) ?? null));
    }
    const { hidden } = this.#inodes;
    // A walk that found all it wanted early says nothing of the rest.
    if (hidden > 0) this.note = `no access to ${hidden} processes of other users`;
    return sockets.map((socket) => ({ socket, holder: this.#holders.get(socket.inode) ?? null }));
  }

  #isAlive({ pid, startTime }: ProcessFacts): boolean {
    return readProcess(this.#proc, pid)?.startTime === startTime;
  }
}
