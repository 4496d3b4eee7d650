// Gathers what a receipt says of a tree of processes, from now on: what they moved, asked and opened, and what could not be told.

import { CommandBooks } from '../../aggregate/command-books.ts';
import type { CommandTree } from '../../identify/process/command-tree.ts';
import type { PolicyFile } from '../../model/policy.ts';
import type { Receipt, ReceiptListener, ReceiptQuestion, Untold } from '../../model/receipt.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Assembly } from '../../pipeline/assembly.ts';
import { judgeRows, shownPath } from './policy.ts';

const MOST_QUESTIONS = 20_000;
const MOST_LISTENERS = 1000;

/** Whom a receipt is about, and how they ended. */
export type ReceiptHead = Pick<
  Receipt,
  'command' | 'session' | 'user' | 'status' | 'started' | 'ended' | 'membership' | 'membershipNote' | 'processesBegun' | 'left'
>;

/** Keeps the books of a tree from its making on. */
export class ReceiptKeeper {
  readonly #tree: CommandTree;
  readonly #books: CommandBooks;
  readonly #questions = new Map<string, ReceiptQuestion>();
  readonly #listeners = new Map<string, ReceiptListener>();
  readonly #leave: () => void;
  #missedQuestions = 0;
  #capture: Snapshot['capture'] | null = null;

  constructor(tree: CommandTree, { monitor, directory }: Pick<Assembly, 'monitor' | 'directory'>) {
    const { aggregator, flows } = monitor;
    this.#tree = tree;
    const books = new CommandBooks({
      flows,
      directory,
      booking: aggregator.booking,
      rowOf: (row) => aggregator.flowRow(row),
      membership: (process) => tree.membership(process),
    });
    this.#books = books;
    this.#leave = aggregator.keepBooks(books);
  }

  /** Takes what a sample says of the tree. */
  take(snapshot: Snapshot): void {
    this.#capture = snapshot.capture;
    this.#missedQuestions = snapshot.dns.missed;
    for (const question of snapshot.dns.ended) this.#ask(question);
    for (const { id, pid, app, protocol, address, port, reach, accepted, since } of snapshot.listeners ?? []) {
      if (pid === null || since === null || !this.#tree.hasPid(pid)) continue;
      if (this.#listeners.size < MOST_LISTENERS || this.#listeners.has(id))
        this.#listeners.set(id, { pid, app, protocol, address, port, reach, accepted });
    }
  }

  /** Takes the last sample: what waits for an answer gets none. */
  takeLast(snapshot: Snapshot): void {
    this.take(snapshot);
    for (const question of snapshot.dns.waiting) this.#ask(question);
  }

  /** Closes the books. @param isWhole false if the capture ended before @returns null if nothing was measured */
  receipt(head: ReceiptHead, policy: PolicyFile | null, isWhole: boolean): Receipt | null {
    const capture = this.#capture;
    if (capture === null) return null;
    const books = this.#books;
    books.finish();
    this.#leave();
    const rows = books.rows();
    return {
      ...head,
      attribution: capture.attribution,
      interfaces: capture.interfaces,
      total: books.total,
      connections: books.connections,
      rows,
      questions: [...this.#questions.values()],
      listeners: [...this.#listeners.values()],
      untold: this.#untold(capture, isWhole),
      policy: policy === null ? null : { path: shownPath(policy.path), judgements: judgeRows(policy, rows) },
    };
  }

  #ask({ pid, app, name, type, result, resolver }: Snapshot['dns']['ended'][number]): void {
    if (pid === null || !this.#tree.hasPid(pid)) return;
    const key = `${pid} ${type} ${name}`;
    const known = this.#questions.get(key);
    if (known === undefined && this.#questions.size >= MOST_QUESTIONS) {
      this.#missedQuestions++;
      return;
    }
    this.#questions.set(key, { pid, app, name, type, result, resolver: resolver.address, times: (known?.times ?? 0) + 1 });
  }

  #untold(capture: Snapshot['capture'], isWhole: boolean): Untold {
    const { isTold, isMarked } = this.#tree;
    const notes = [
      isWhole ? '' : 'the capture ended before the command: what it moved since then is missing',
      capture.note,
      capture.attribution === 'none' ? 'nothing names the owners of connections here' : '',
      isTold || isMarked ? '' : 'processes were looked up, not announced: those that lived a moment may be missing',
    ];
    return {
      ...this.#books.unowned,
      lostPackets: (capture.dropped ?? 0) + capture.shed,
      unreadPackets: capture.undecoded,
      missedQuestions: this.#missedQuestions,
      foldedRows: this.#books.foldedRows,
      notes: notes.filter((note) => note !== ''),
    };
  }
}

/** Whether a process with that pid is there, whosever it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
