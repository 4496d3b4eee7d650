// Takes owners from lsof, when neither PKTAP nor nettop works. It runs lsof every few seconds, and only while flows wait.

import type { FlowTable } from '../../../flow/flow-table.ts';
import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges } from '../../../system/edges.ts';
import type { Directory } from '../directory.ts';
import { ListedSockets } from '../listed-sockets.ts';
import type { OwnerSource } from '../owner-source.ts';
import { LSOF_ARGUMENTS, parseLsof } from './lsof.ts';

/** Shortest pause between runs: each takes about 190 ms of CPU on a Mac. */
const PAUSE_MS = 2000;
const LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };

/** Polls `lsof -F`. It truncates names to 31 characters and, without root, lists only the user's own processes. */
export class LsofSource implements OwnerSource {
  readonly kind = 'lsof';
  readonly #edges: Edges;
  readonly #sockets: ListedSockets;
  readonly #poll: ChildPoll;

  constructor(flows: FlowTable, directory: Directory, edges: Edges) {
    this.#edges = edges;
    this.#sockets = new ListedSockets(flows, directory);
    this.#poll = new ChildPoll(edges, { path: edges.paths.lsof, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  get note(): string {
    return this.#poll.failure === null ? '' : `lsof failed: ${this.#poll.failure}`;
  }

  admit(row: number): void {
    this.#sockets.admit(row);
  }

  work(now: number): void {
    const wanted = this.#sockets.isWanted(now);
    if (!this.#poll.isReady(now) || !wanted) return;
    // Flows that arrive while lsof runs wait for the next run, because this one may have passed their process already.
    const asked = this.#sockets.take();
    this.#poll.start({
      args: LSOF_ARGUMENTS,
      read: ({ stdout }) => {
        // With no sockets to list, lsof prints nothing and exits with status 1.
        const absent = this.#edges.euid() === 0 ? 'closed before it could be looked up' : 'hidden by the system';
        this.#sockets.answer(asked, parseLsof(stdout), absent);
        return null;
      },
      failed: () => this.#sockets.putBack(asked),
    });
  }

  /** Number of flows that wait for a run of lsof. */
  get waiting(): number {
    return this.#sockets.size;
  }

  /** Gives up the waiting flows, for another source to take. @returns the rows that still hold them */
  surrender(): number[] {
    return this.#sockets.surrender();
  }

  close(): void {
    this.#poll.close();
  }
}
