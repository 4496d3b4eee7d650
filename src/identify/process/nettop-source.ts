// Owners from nettop, where packets carry none: it sees the sockets of all users without root. While it fails, lsof is asked.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { Edges, RunResult } from '../../net/edges.ts';
import { ChildPoll } from './child-poll.ts';
import type { Directory } from './directory.ts';
import { ListedSockets } from './listed-sockets.ts';
import { LsofSource } from './lsof-source.ts';
import { NETTOP_ARGUMENTS, NETTOP_COLUMNS, NETTOP_USAGE, type NettopRecord, parseNettop } from './nettop.ts';
import type { OwnerSource } from './owner-source.ts';
import type { Pending } from './pending-flows.ts';

/** A call takes 10 to 100 ms; one a second is about 1 % of a core. */
const PAUSE_MS = 1000;
/** On one old machine a call took 5 s. */
const LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };

/** Polls `nettop -L 1` while flows wait; what is over between two calls is missed. Names are cut at about 15 characters. */
export class NettopSource implements OwnerSource {
  readonly #sockets: ListedSockets;
  readonly #poll: ChildPoll;
  readonly #lsof: LsofSource;
  /** False once this nettop has refused to choose columns. */
  #choosesColumns = true;
  /** A flow came while lsof stood in: reason enough to try nettop again. */
  #isMissed = false;

  constructor(flows: FlowTable, directory: Directory, edges: Edges) {
    this.#sockets = new ListedSockets(flows, directory);
    this.#poll = new ChildPoll(edges, { path: edges.paths.nettop, pauseMs: PAUSE_MS, limits: LIMITS });
    this.#lsof = new LsofSource(flows, directory, edges);
  }

  /** The one that answers now. */
  get kind(): 'nettop' | 'lsof' {
    return this.#poll.failure === null ? 'nettop' : 'lsof';
  }

  get note(): string {
    if (this.#poll.failure === null) return '';
    const lsof = this.#lsof.note;
    return `nettop failed: ${this.#poll.failure}; ${lsof === '' ? 'lsof is asked instead' : lsof}`;
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
    const isStoodInFor = this.#poll.failure !== null && (this.#isMissed || this.#lsof.waiting > 0);
    const wanted = this.#sockets.isWanted(now) || isStoodInFor;
    if (!this.#poll.isReady(now) || !wanted) return;
    this.#isMissed = false;
    const asked = this.#sockets.take();
    this.#poll.start({
      args: this.#choosesColumns ? [...NETTOP_ARGUMENTS, ...NETTOP_COLUMNS] : NETTOP_ARGUMENTS,
      read: (result) => this.#read(result, asked),
      failed: () => {
        for (const row of this.#sockets.surrender(asked)) this.#lsof.admit(row);
      },
    });
  }

  close(): void {
    this.#poll.close();
    this.#lsof.close();
  }

  #read({ status, stdout }: RunResult, asked: readonly Pending[]): string | null {
    const { columns, processes, records } = parseNettop(stdout);
    if (processes > 0) {
      for (const row of this.#lsof.surrender()) this.#sockets.admit(row);
      this.#sockets.answer(asked, busiestLast(records), 'closed before it could be looked up');
      return null;
    }
    if (this.#choosesColumns && (status === NETTOP_USAGE || columns.length === 0)) {
      this.#choosesColumns = false;
      this.#sockets.putBack(asked);
      return null;
    }
    // Something is always there, if only launchd's: an empty list means that we are not told.
    return columns.length > 0 ? 'it lists no processes' : `it printed no list (status ${status ?? 'unknown'})`;
  }
}

/** Several processes may share a port that is not connected: the one that moved most is the likeliest. */
function busiestLast(records: readonly NettopRecord[]): readonly NettopRecord[] {
  const bytes = ({ rxBytes, txBytes }: NettopRecord) => (rxBytes ?? 0) + (txBytes ?? 0);
  return records.toSorted((a, b) => bytes(a) - bytes(b));
}
