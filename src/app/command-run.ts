// A run for a command: lets it begin once the capture runs, follows it to its end, and writes its receipt. It is the run's output, too: nothing of
// a sample is printed, for the terminal is the command's.

import { CommandBooks } from '../aggregate/command-books.ts';
import type { Command, CommandEnd } from '../command/command.ts';
import type { CommandTree } from '../identify/process/command-tree.ts';
import { FOUND_STATUS, NetmonError } from '../model/errors.ts';
import type { CommandOptions, Options } from '../model/options.ts';
import type { Receipt, ReceiptFormat, ReceiptListener, ReceiptQuestion, Untold } from '../model/receipt.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { sanitize } from '../net/text.ts';
import type { Output } from '../output/output.ts';
import { OutputFile } from '../output/output-file.ts';
import { receiptJson } from '../output/receipt/json.ts';
import { receiptMarkdown } from '../output/receipt/markdown.ts';
import { receiptSarif } from '../output/receipt/sarif.ts';
import { receiptSummary, receiptText } from '../output/receipt/text.ts';
import type { Assembly } from '../pipeline/assembly.ts';
import { version } from '../system/build.ts';
import type { Clock } from '../system/clock.ts';
import { speaksUtf8 } from '../tui/terminal.ts';
import type { Accompanied } from './loop.ts';
import { judgeRows, PolicyUpdate, shownPath } from './receipt-policy.ts';

/** What the last packets and the owners of the last sockets take to be known. */
const LINGER_MS = 400;
const MOST_QUESTIONS = 20_000;
const MOST_LISTENERS = 1000;

/** Signals that only the program gets, and passes on. A terminal sends SIGINT to both. */
type Passed = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Whether a process with that pid is there, whosever it is. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Why the kernel's reports don't say who belongs to the command; null where there are no cgroups. */
function whyNoCgroup(cgroup: Command['cgroup']): string | null {
  if (cgroup === '') return null;
  return typeof cgroup === 'string' ? cgroup : "the kernel's reports of sockets don't name cgroups";
}

/** Takes samples, then writes. */
export class CommandRun implements Output, Accompanied {
  readonly wantsEvents = false;
  readonly limits = { apps: 0, hosts: 0, flows: 0 };
  readonly #command: Command;
  readonly #tree: CommandTree;
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #hasTerminal: boolean;
  readonly #questions = new Map<string, ReceiptQuestion>();
  readonly #listeners = new Map<string, ReceiptListener>();
  #books: CommandBooks | null = null;
  #missedQuestions = 0;
  #last: Snapshot | null = null;
  #started = Number.NaN;
  #ended = Number.NaN;
  #file: OutputFile | null = null;
  #update: PolicyUpdate | null = null;

  /** @param hasTerminal this process has a terminal, whose signals reach the command by themselves */
  constructor(command: Command, tree: CommandTree, options: Options, clock: Clock, hasTerminal: boolean) {
    this.#command = command;
    this.#tree = tree;
    this.#options = options;
    this.#clock = clock;
    this.#hasTerminal = hasTerminal;
    tree.begin(command.pid);
  }

  get tree(): CommandTree {
    return this.#tree;
  }

  /** A signal came to the program. */
  signal(name: Passed): void {
    if (name !== 'SIGINT' || !this.#hasTerminal) this.#command.signal(name);
  }

  /** Keeps the books of this pipeline, and makes sure that the receipt can be written. @throws NetmonError `usage` */
  follow({ monitor, directory }: Assembly): void {
    const { aggregator, flows } = monitor;
    const books = new CommandBooks({
      flows,
      directory,
      booking: aggregator.booking,
      rowOf: (row) => aggregator.flowRow(row),
      membership: (process) => this.#tree.membership(process),
    });
    this.#books = books;
    aggregator.onFlowClosed((row) => books.flowLeaves(row));
    const { receipt, force, update } = this.#asked;
    if (update !== null) this.#update = new PolicyUpdate(update.path, update.known, this.#options.screen.owner);
    if (receipt === null || receipt === '-') return;
    this.#file = OutputFile.create(receipt, force, this.#options.screen.owner);
    this.#file.name(); // whom root becomes may not be able to
  }

  /** The command begins: what it sends is counted from now on. */
  go(): void {
    this.#started = this.#clock.now();
    this.#command.go();
  }

  /** The run ends a moment after the command. */
  accompany(stop: () => void): void {
    void this.#command.ended.then(() => {
      this.#ended = this.#clock.now();
      setTimeout(stop, LINGER_MS);
    });
  }

  sample(snapshot: Snapshot): void {
    this.#take(snapshot);
  }

  opened(): void {}

  closed(): void {}

  gap(): void {}

  end(snapshot: Snapshot): Promise<void> {
    this.#take(snapshot);
    for (const question of snapshot.dns.waiting) this.#ask(question);
    return Promise.resolve();
  }

  /** Waits for the command, writes the receipt. @param isWhole false if the capture ended before the command @returns the exit status */
  async finish(isWhole: boolean): Promise<number> {
    const end = await this.#command.ended;
    if (Number.isNaN(this.#ended)) this.#ended = this.#clock.now();
    if (end.failure !== null) {
      this.#remove();
      process.stderr.write(`netmon-tui: ${sanitize(this.#command.words[0] ?? '')}: ${end.failure}\n`);
      return end.status;
    }
    this.#books?.finish();
    const receipt = this.#receipt(end, isWhole);
    await this.#write(receipt);
    const told = (await this.#update?.write(receipt.rows, receipt.command)) ?? '';
    if (told !== '') process.stderr.write(`netmon-tui: ${sanitize(told)}\n`);
    const drifts = receipt.policy?.judgements.some(({ drift }) => drift) === true;
    return end.status === 0 && drifts ? FOUND_STATUS : end.status;
  }

  /** Leaves no half receipt behind. */
  async discard(): Promise<void> {
    await this.#file?.discard();
    await this.#update?.discard();
    await this.#command.close();
  }

  #remove(): void {
    try {
      this.#file?.remove();
    } catch {
      // whom root became may not write in that folder: an empty file stays
    }
  }

  get #asked(): CommandOptions {
    const { command } = this.#options;
    if (command === null) throw new Error('a run for a command has none');
    return command;
  }

  async #write(receipt: Receipt): Promise<void> {
    const { format, receipt: path } = this.#asked;
    const { units } = this.#options;
    const text = await this.#formatted(receipt, format, path === null);
    if (path === null) process.stderr.write(text);
    else if (this.#file === null) process.stdout.write(text);
    else {
      await this.#file.write(text);
      await this.#file.close();
      const lines = [...receiptSummary(receipt, units), `the receipt is in ${this.#file.path}`];
      process.stderr.write(lines.map((line) => `netmon-tui: ${sanitize(line)}\n`).join(''));
    }
  }

  async #formatted(receipt: Receipt, format: ReceiptFormat, toTerminal: boolean): Promise<string> {
    if (format === 'json') return receiptJson(receipt);
    if (format === 'markdown') return receiptMarkdown(receipt, this.#options.units);
    if (format === 'sarif') return receiptSarif(receipt, version());
    return this.#text(receipt, toTerminal);
  }

  #text(receipt: Receipt, toTerminal: boolean): string {
    const { NO_COLOR, TERM } = process.env;
    const isTerminal = toTerminal && process.stderr.isTTY === true;
    const { ascii, color, units } = this.#options;
    return receiptText(receipt, units, {
      columns: isTerminal ? process.stderr.columns : undefined,
      ascii: ascii || !speaksUtf8(process.env),
      color: color && isTerminal && !NO_COLOR && TERM !== 'dumb',
    });
  }

  #take(snapshot: Snapshot): void {
    this.#last = snapshot;
    this.#missedQuestions = snapshot.dns.missed;
    for (const question of snapshot.dns.ended) this.#ask(question);
    for (const { id, pid, app, protocol, address, port, reach, accepted, since } of snapshot.listeners ?? []) {
      if (pid === null || since === null || !this.#tree.hasPid(pid)) continue;
      if (this.#listeners.size < MOST_LISTENERS || this.#listeners.has(id))
        this.#listeners.set(id, { pid, app, protocol, address, port, reach, accepted });
    }
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

  #receipt(end: CommandEnd, isWhole: boolean): Receipt {
    const books = this.#books;
    const capture = this.#last?.capture;
    if (books === null || capture === undefined) throw new NetmonError('internal', 'nothing was measured', 'please report this');
    const { isTold, isMarked, begun } = this.#tree;
    const { cgroup } = this.#command;
    const inside = typeof cgroup === 'string' ? [] : cgroup.pids;
    const living = isTold ? [...this.#tree.pids].filter(isAlive) : [];
    const rows = books.rows();
    const { policy } = this.#options;
    return {
      command: this.#command.words,
      user: this.#command.user,
      status: end.status,
      started: this.#started,
      ended: this.#ended,
      membership: isMarked ? 'cgroup' : isTold ? 'lineage' : 'polling',
      membershipNote: isMarked ? null : whyNoCgroup(cgroup),
      attribution: capture.attribution,
      interfaces: capture.interfaces,
      processesBegun: isTold ? begun : null,
      left: isTold || typeof cgroup !== 'string' ? new Set([...living, ...inside]).size : null,
      total: books.total,
      connections: books.connections,
      rows,
      questions: [...this.#questions.values()],
      listeners: [...this.#listeners.values()],
      untold: this.#untold(books, capture, isWhole),
      policy: policy === null ? null : { path: shownPath(policy.path), judgements: judgeRows(policy, rows) },
    };
  }

  #untold(books: CommandBooks, capture: Snapshot['capture'], isWhole: boolean): Untold {
    const notes = [
      isWhole ? '' : 'the capture ended before the command: what it moved since then is missing',
      capture.note,
      capture.attribution === 'none' ? 'nothing names the owners of connections here' : '',
      this.#tree.isTold || this.#tree.isMarked
        ? ''
        : 'processes were looked up, not announced: those that lived a moment may be missing',
    ];
    return {
      ...books.unowned,
      lostPackets: (capture.dropped ?? 0) + capture.shed,
      unreadPackets: capture.undecoded,
      missedQuestions: this.#missedQuestions,
      foldedRows: books.foldedRows,
      notes: notes.filter((note) => note !== ''),
    };
  }
}
