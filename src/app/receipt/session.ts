// Follows processes that run already, each with all that it starts from now on, and says at the end what they moved. It is the output that stands
// before the run's own: it takes of each sample what their receipts need, and passes everything on.

import { CommandTree } from '../../identify/process/command-tree.ts';
import { type Session, sessionOf } from '../../identify/process/session.ts';
import { NetmonError } from '../../model/errors.ts';
import type { PolicyFile } from '../../model/policy.ts';
import type { Receipt } from '../../model/receipt.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Output } from '../../output/output.ts';
import type { Assembly } from '../../pipeline/assembly.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { isAlive, ReceiptKeeper } from './keeper.ts';

/** What following stands on. */
export interface SessionBase {
  readonly edges: Edges;
  readonly parts: Assembly;
  readonly clock: Clock;
  readonly policy: PolicyFile | null;
}

/** One process that is followed. */
export class FollowedSession {
  readonly around: Session;
  readonly #base: SessionBase;
  readonly #tree: CommandTree;
  readonly #keeper: ReceiptKeeper;
  readonly #leave: () => void;
  readonly #started: number;

  /** Begins. @throws NetmonError `usage` if there is no such process */
  static async begin(base: SessionBase, pid: number): Promise<FollowedSession> {
    const tree = new CommandTree();
    tree.begin(pid); // what it starts while the system is asked is heard of
    const leave = base.parts.follow(tree);
    const session = await sessionOf(base.edges, pid);
    if (session === null) {
      leave();
      throw noProcess(pid);
    }
    for (const each of [session.root, ...session.below]) tree.begin(each.pid, each.startedAt);
    return new FollowedSession(base, session, tree, leave);
  }

  private constructor(base: SessionBase, around: Session, tree: CommandTree, leave: () => void) {
    this.#base = base;
    this.around = around;
    this.#tree = tree;
    this.#leave = leave;
    this.#keeper = new ReceiptKeeper(tree, base.parts);
    this.#started = base.clock.now();
  }

  /** All its processes have ended. */
  get isOver(): boolean {
    for (const pid of this.#tree.pids) if (isAlive(pid)) return false;
    return true;
  }

  take(snapshot: Snapshot): void {
    this.#keeper.take(snapshot);
  }

  takeLast(snapshot: Snapshot): void {
    this.#keeper.takeLast(snapshot);
  }

  /** Ends it. @param isWhole false if the capture ended before @returns null if nothing was measured yet */
  end(isWhole: boolean): Receipt | null {
    this.#leave();
    const { isTold, begun, pids } = this.#tree;
    const { user, root } = this.around;
    return this.#keeper.receipt(
      {
        ...{ command: [root.name], session: root.pid, user: user ?? 'unknown', status: null },
        started: this.#started,
        ended: this.#base.clock.now(),
        membership: isTold ? 'lineage' : 'polling',
        membershipNote: null,
        processesBegun: isTold ? begun : null,
        left: [...pids].filter(isAlive).length,
      },
      this.#base.policy,
      isWhole,
    );
  }
}

/** An output that shows nothing: all there is comes at the end. */
export const NO_OUTPUT: Output = {
  wantsEvents: false,
  limits: { apps: 0, hosts: 0, flows: 0 },
  sample: () => undefined,
  opened: () => undefined,
  closed: () => undefined,
  gap: () => undefined,
  end: () => Promise.resolve(),
};

/** There is nothing to follow. */
export function noProcess(pid: number): NetmonError {
  return new NetmonError('usage', `there is no process ${pid}, or it may not be seen`, 'see the processes: ps -e');
}
