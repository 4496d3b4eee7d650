// A run for a command: lets it begin once the capture runs, follows it to its end, and writes its receipt. It is the run's output, too: nothing of
// a sample is printed, for the terminal is the command's.

import type { Command, CommandEnd } from '../../command/command.ts';
import type { CommandTree } from '../../identify/process/command-tree.ts';
import { FOUND_STATUS, NetmonError } from '../../model/errors.ts';
import type { CommandOptions, Options } from '../../model/options.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { sanitize } from '../../net/text.ts';
import type { Output } from '../../output/output.ts';
import type { Assembly } from '../../pipeline/assembly.ts';
import type { Clock } from '../../system/clock.ts';
import type { Accompanied } from '../loop.ts';
import { isAlive, type ReceiptHead, ReceiptKeeper } from './keeper.ts';
import { PolicyUpdate } from './policy.ts';
import { ReceiptWriter } from './writer.ts';

/** What the last packets and the owners of the last sockets take to be known. */
const LINGER_MS = 400;

/** Signals that only the program gets, and passes on. A terminal sends SIGINT to both. */
type Passed = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

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
  readonly #writer: ReceiptWriter;
  #keeper: ReceiptKeeper | null = null;
  #started = Number.NaN;
  #ended = Number.NaN;
  #update: PolicyUpdate | null = null;

  /** @param hasTerminal this process has a terminal, whose signals reach the command by themselves */
  constructor(command: Command, tree: CommandTree, options: Options, clock: Clock, hasTerminal: boolean) {
    this.#command = command;
    this.#tree = tree;
    this.#options = options;
    this.#clock = clock;
    this.#hasTerminal = hasTerminal;
    this.#writer = new ReceiptWriter(this.#asked, options);
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
  follow(parts: Assembly): void {
    this.#keeper = new ReceiptKeeper(this.#tree, parts);
    const { update } = this.#asked;
    if (update !== null) this.#update = new PolicyUpdate(update.path, update.known, this.#options.screen.owner);
    this.#writer.open();
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
    this.#keeper?.take(snapshot);
  }

  opened(): void {}

  closed(): void {}

  gap(): void {}

  end(snapshot: Snapshot): Promise<void> {
    this.#keeper?.takeLast(snapshot);
    return Promise.resolve();
  }

  /** Waits for the command, writes the receipt. @param isWhole false if the capture ended before the command @returns the exit status */
  async finish(isWhole: boolean): Promise<number> {
    const end = await this.#command.ended;
    if (Number.isNaN(this.#ended)) this.#ended = this.#clock.now();
    if (end.failure !== null) {
      this.#writer.remove();
      process.stderr.write(`netmon-tui: ${sanitize(this.#command.words[0] ?? '')}: ${end.failure}\n`);
      return end.status;
    }
    const receipt = this.#keeper?.receipt(this.#head(end), this.#options.policy, isWhole) ?? null;
    if (receipt === null) throw new NetmonError('internal', 'nothing was measured', 'please report this');
    await this.#writer.write(receipt);
    const told = (await this.#update?.write(receipt.rows, receipt.command)) ?? '';
    if (told !== '') process.stderr.write(`netmon-tui: ${sanitize(told)}\n`);
    const drifts = receipt.policy?.judgements.some(({ drift }) => drift) === true;
    return end.status === 0 && drifts ? FOUND_STATUS : end.status;
  }

  /** Leaves no half receipt behind. */
  async discard(): Promise<void> {
    await this.#writer.discard();
    await this.#update?.discard();
    await this.#command.close();
  }

  get #asked(): CommandOptions {
    const { command } = this.#options;
    if (command === null) throw new Error('a run for a command has none');
    return command;
  }

  #head(end: CommandEnd): ReceiptHead {
    const { isTold, isMarked, begun, pids } = this.#tree;
    const { cgroup, words, user } = this.#command;
    const inside = typeof cgroup === 'string' ? [] : cgroup.pids;
    const living = isTold ? [...pids].filter(isAlive) : [];
    return {
      command: words,
      session: null,
      user,
      status: end.status,
      started: this.#started,
      ended: this.#ended,
      membership: isMarked ? 'cgroup' : isTold ? 'lineage' : 'polling',
      membershipNote: isMarked ? null : whyNoCgroup(cgroup),
      processesBegun: isTold ? begun : null,
      left: isTold || typeof cgroup !== 'string' ? new Set([...living, ...inside]).size : null,
    };
  }
}
