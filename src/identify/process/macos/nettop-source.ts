// Takes owners from nettop when packets carry none. nettop lists all users' sockets without root. While it fails, lsof takes over.

import type { FlowTable } from '../../../flow/flow-table.ts';
import type { Edges } from '../../../system/edges.ts';
import type { Directory } from '../directory.ts';
import { ListedSockets } from '../listed-sockets.ts';
import type { OwnerSource } from '../owner-source.ts';
import { LsofSource } from './lsof-source.ts';
import { busiestLast } from './nettop.ts';
import { NettopPoll } from './nettop-poll.ts';

/** Polls `nettop -L 1` while flows wait. It misses sockets that close between two runs, and nettop truncates names to about 15 characters. */
export class NettopSource implements OwnerSource {
  readonly #sockets: ListedSockets;
  readonly #poll: NettopPoll;
  readonly #lsof: LsofSource;
  /** A flow arrived while lsof stood in, so nettop is worth another try. */
  #isMissed = false;

  constructor(flows: FlowTable, directory: Directory, edges: Edges) {
    this.#sockets = new ListedSockets(flows, directory);
    this.#poll = new NettopPoll(edges);
    this.#lsof = new LsofSource(flows, directory, edges);
  }

  /** The program that answers now. */
  get kind(): 'nettop' | 'lsof' {
    return this.#poll.failure === null ? 'nettop' : 'lsof';
  }

  get note(): string {
    if (this.#poll.failure === null) return '';
    const lsof = this.#lsof.note;
    return `nettop failed: ${this.#poll.failure}; ${lsof === '' ? 'using lsof instead' : lsof}`;
  }

  admit(row: number): void {
    if (this.#poll.failure === null) this.#sockets.admit(row);
    else {
      this.#isMissed = true;
      this.#lsof.admit(row);
    }
  }

  work(now: number): void {
    this.#lsof.work(now);
    const usesLsof = this.#poll.failure !== null && (this.#isMissed || this.#lsof.waiting > 0);
    const wanted = this.#sockets.isWanted(now) || usesLsof;
    if (!this.#poll.isReady(now) || !wanted) return;
    this.#isMissed = false;
    const asked = this.#sockets.take();
    this.#poll.start({
      read: ({ records }) => {
        for (const row of this.#lsof.surrender()) this.#sockets.admit(row);
        this.#sockets.answer(asked, busiestLast(records), 'closed before it could be looked up');
      },
      again: () => this.#sockets.putBack(asked),
      failed: () => {
        for (const row of this.#sockets.surrender(asked)) this.#lsof.admit(row);
      },
    });
  }

  close(): void {
    this.#poll.close();
    this.#lsof.close();
  }
}
