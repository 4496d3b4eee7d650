// The sessions that a run follows: the one that the command line names, whose receipt goes where the user said, and those that a key began, whose
// receipts go to files of their own. It stands before the run's output: it takes of each sample what receipts need, and passes everything on.

import { reasonOf } from '../../model/errors.ts';
import type { Options } from '../../model/options.ts';
import type { FlowRow, Gap, Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import { sanitize } from '../../net/text.ts';
import type { Output, RecordStart, Turn } from '../../output/output.ts';
import { OutputFile } from '../../output/output-file.ts';
import { receiptText } from '../../output/receipt/text.ts';
import type { Followed } from '../../view/state.ts';
import { processRow } from '../../view/tree/lineage-tree.ts';
import { type ExportPlace, fileIn } from '../export.ts';
import { FollowedSession, type SessionBase } from './session.ts';
import { ReceiptWriter } from './writer.ts';

/** Most sessions that are followed at a time. */
const MOST = 16;

/** Follows sessions to their end. */
export class Sessions implements Output {
  readonly wantsEvents: boolean;
  readonly limits?: NonNullable<Output['limits']>;
  readonly #inner: Output;
  readonly #options: Options;
  /** null until there is a pipeline. */
  #base: SessionBase | null = null;
  /** By pid. */
  readonly #followed = new Map<number, FollowedSession>();
  #writer: ReceiptWriter | null = null;
  /** Hears that the session of the command line is over. */
  #over: (() => void) | null = null;

  constructor(inner: Output, options: Options) {
    this.#inner = inner;
    this.#options = options;
    this.wantsEvents = inner.wantsEvents;
    if (inner.limits !== undefined) this.limits = inner.limits;
  }

  /** Follows the session that the command line names, if it does. @throws NetmonError `usage` */
  async attach(base: SessionBase): Promise<void> {
    this.#base = base;
    const { session } = this.#options;
    if (session === null) return;
    this.#followed.set(session.pid, await FollowedSession.begin(base, session.pid));
    const writer = new ReceiptWriter(session, this.#options);
    writer.open();
    this.#writer = writer;
  }

  /** Calls `over` once when the session of the command line has ended. */
  accompany(over: () => void): void {
    this.#over = over;
  }

  /** Follows a process from now on; or ends that, with a receipt in a file. @returns what became of it, in a line */
  async toggle(pid: number, place: ExportPlace): Promise<string> {
    const base = this.#base;
    if (base === null) return 'nothing to follow in a recording';
    const known = this.#followed.get(pid);
    if (known !== undefined && this.#isAsked(pid)) return 'its receipt comes at the end';
    if (known !== undefined) {
      this.#followed.delete(pid);
      return this.#file(known, place);
    }
    if (this.#followed.size >= MOST) return `${MOST} sessions are followed already`;
    const session = await FollowedSession.begin(base, pid);
    this.#followed.set(pid, session);
    return `following ${session.around.root.name} ${pid} and what it starts: the same key writes its receipt`;
  }

  get followed(): readonly Followed[] {
    return [...this.#followed.values()].map(({ around: { root } }) => ({ pid: root.pid, name: root.name }));
  }

  /** Ids of the rows that lead to the session of the command line, its own first; null if it names none. */
  get rows(): readonly string[] | null {
    const asked = this.#followed.get(this.#options.session?.pid ?? -1);
    if (asked === undefined) return null;
    return [asked.around.root, ...asked.around.above].map(({ pid, startedAt }) => processRow(pid, startedAt));
  }

  /** Writes the receipts of all that are still followed. @param isWhole false if the capture ended before */
  async finish(place: ExportPlace, isWhole: boolean): Promise<void> {
    for (const [pid, session] of this.#followed) {
      if (this.#isAsked(pid) && this.#writer !== null) {
        const receipt = session.end(isWhole);
        if (receipt === null) this.#writer.remove();
        else await this.#writer.write(receipt);
      } else process.stderr.write(`netmon-tui: ${sanitize(await this.#file(session, place, isWhole))}\n`);
    }
    this.#followed.clear();
  }

  /** Leaves no half receipt behind. */
  async discard(): Promise<void> {
    await this.#writer?.discard();
  }

  begin(start: RecordStart): void {
    this.#inner.begin?.(start);
  }

  sample(snapshot: Snapshot, turn: Turn): void | Promise<void> {
    for (const [pid, session] of this.#followed) {
      session.take(snapshot);
      if (this.#over === null || !this.#isAsked(pid) || !session.isOver) continue;
      this.#over();
      this.#over = null;
    }
    return this.#inner.sample(snapshot, turn);
  }

  opened(flow: FlowRow): void {
    this.#inner.opened(flow);
  }

  closed(flow: FlowRow): void {
    this.#inner.closed(flow);
  }

  gap(gap: Gap): void {
    this.#inner.gap(gap);
  }

  end(snapshot: Snapshot): Promise<void> {
    for (const session of this.#followed.values()) session.takeLast(snapshot);
    return this.#inner.end(snapshot);
  }

  #isAsked(pid: number): boolean {
    return this.#options.session?.pid === pid;
  }

  /** Ends a session and writes its receipt to a new file. @returns a line about it */
  async #file(session: FollowedSession, place: ExportPlace, isWhole = true): Promise<string> {
    const receipt = session.end(isWhole);
    if (receipt === null) return 'no receipt: nothing was measured yet';
    const text = receiptText(receipt, this.#options.units, { columns: undefined, ascii: this.#options.ascii, color: false });
    const write = async (path: string) => {
      const file = OutputFile.create(path, false, place.owner);
      try {
        await file.write(text);
        await file.commit();
        return path;
      } catch (thrown) {
        await file.discard();
        throw thrown;
      }
    };
    try {
      const { file, refusal } = await fileIn(place, `receipt-${session.around.root.pid}`, receipt.ended, 'txt', write);
      return file === null
        ? `no receipt: ${refusal}`
        : `${counted(receipt.connections, 'connection')}: the receipt is in ${file}`;
    } catch (thrown) {
      return `no receipt: ${reasonOf(thrown)}`;
    }
  }
}
