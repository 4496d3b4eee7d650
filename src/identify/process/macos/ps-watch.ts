// Completes processes of which the capture or nettop gives only a pid and a truncated name: full paths from the kernel, parents and users from
// ps. It asks the kernel at once, while the process exists, and runs ps only when such a process turns up.

import type { FlowTable } from '../../../flow/flow-table.ts';
import { type Ancestor, type Lineage, MAX_ANCESTORS, NO_LINEAGE, type Process } from '../../../model/terms.ts';
import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges } from '../../../system/edges.ts';
import { commandLine } from '../command-line.ts';
import type { Directory } from '../directory.ts';
import { headOf, LineageBook, type Seen } from '../lineage.ts';
import type { LateFacts } from '../process-facts.ts';
import { LaunchdJobs } from './launchd.ts';
import type { ParentOf, PathOf } from './libproc.ts';
import { commandArguments, PS_ARGUMENTS, type PsRecord, parsePs } from './ps.ts';

const PAUSE_MS = 2000;
const LIMITS = { timeoutMs: 5000, maxBytes: 16 << 20 };
/** A name of at least this length may be truncated: PKTAP keeps 16 bytes, nettop about 15, and trailing spaces are stripped. */
const CUT_BYTES = 14;
/** Most paths to keep while ps fails. */
const MAX_PATHS = 4096;
/** Processes whose command lines one run of ps prints. */
const COMMANDS_AT_ONCE = 64;

/** What is known of a process itself. */
type OwnFacts = Omit<LateFacts, 'lineage'>;

/** Completes the directory's processes. One that exits before ps runs keeps its short name, or its path if the kernel gave one. */
export class PsWatch {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #poll: ChildPoll;
  /** Number of the first process not looked at yet. */
  #seen = 0;
  #wanted: number[] = [];
  readonly #pathOf: PathOf;
  readonly #parentOf: ParentOf;
  /** Those above processes that wait for ps, as the kernel told when they were met. */
  readonly #lines = new Map<number, readonly Ancestor[]>();
  readonly #commandPoll: ChildPoll;
  readonly #jobs: LaunchdJobs;
  /** Processes whose job is wanted. */
  #unlabelled: number[] = [];
  /** Processes whose command lines are wanted. */
  #uncommanded: number[] = [];
  /** Paths of processes that wait for ps. */
  readonly #paths = new Map<number, string>();
  /** What ps listed last, by pid. */
  #listed: ReadonlyMap<number, PsRecord> = new Map();
  /** Remembers parents that ended between two lists, and those of processes that launchd adopted. */
  readonly #book = new LineageBook(
    (pid) => seenIn(this.#listed.get(pid)),
    (start) => start,
  );

  /**
   * @param pathOf returns null if the kernel can't be asked; then ps says how a process was started
   * @param parentOf likewise; then who started a process that is gone when ps runs is unknown
   */
  constructor(
    flows: FlowTable,
    directory: Directory,
    edges: Edges,
    pathOf: PathOf = () => null,
    parentOf: ParentOf = () => null,
  ) {
    this.#parentOf = parentOf;
    this.#jobs = new LaunchdJobs(edges);
    this.#commandPoll = new ChildPoll(edges, { path: edges.paths.ps, pauseMs: PAUSE_MS, limits: LIMITS });
    this.#flows = flows;
    this.#directory = directory;
    this.#pathOf = pathOf;
    this.#poll = new ChildPoll(edges, { path: edges.paths.ps, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  /** Why paths and users are missing; empty if they aren't. */
  get note(): string {
    return this.#poll.failure === null ? '' : `ps failed: ${this.#poll.failure}`;
  }

  /** Looks at new processes and runs ps if needed and due. @param now monotonic ms */
  work(now: number): void {
    for (; this.#seen < this.#directory.end; this.#seen++) {
      const process = this.#directory.process(this.#seen);
      if (process === undefined || process.exe !== null || process.pid <= 0) continue;
      this.#wanted.push(process.id);
      const path = this.#paths.size < MAX_PATHS ? this.#pathOf(process.pid) : null;
      if (path !== null && isNameOf(process.name, baseOf(path))) this.#paths.set(process.id, path);
      const line = this.#lines.size < MAX_PATHS ? this.#lineOf(process) : [];
      if (line.length > 0) this.#lines.set(process.id, line);
    }
    this.#askCommands(now);
    this.#askJobs(now);
    if (!this.#poll.isReady(now) || this.#wanted.length === 0) return;
    const asked = this.#wanted;
    this.#wanted = [];
    this.#poll.start({
      args: PS_ARGUMENTS,
      read: ({ stdout, status }) => {
        const records = parsePs(stdout);
        if (records.length === 0) return `it lists nothing (status ${status ?? 'unknown'})`;
        this.#complete(asked, records);
        return null;
      },
      failed: () => {
        this.#wanted = [...asked, ...this.#wanted];
      },
    });
  }

  close(): void {
    this.#poll.close();
    this.#commandPoll.close();
    this.#jobs.close();
  }

  #complete(asked: readonly number[], records: readonly PsRecord[]): void {
    this.#listed = new Map(records.map((record) => [record.pid, record]));
    for (const record of records) this.#lineage(record);
    const moved = new Set<number>();
    for (const id of asked) {
      const process = this.#directory.process(id);
      const path = this.#paths.get(id) ?? null;
      const line = this.#lines.get(id) ?? [];
      this.#paths.delete(id);
      this.#lines.delete(id);
      if (process === undefined) continue;
      const record = this.#listed.get(process.pid);
      const facts = this.#facts(process.pid, process.name, path, record) ?? (line.length > 0 ? nothingMore(process) : null);
      if (facts === null) continue;
      const listed = record === undefined || facts.parentPid === null ? NO_LINEAGE : this.#lineage(record);
      // Where the parent ended before ps ran, the kernel's word is the older one.
      const lineage =
        line.length === 0 || listed.ancestors.at(-1)?.pid === line.at(-1)?.pid ? listed : { ...listed, ...byKernel(line) };
      if (facts.parentPid !== null) {
        this.#uncommanded.push(id);
        this.#unlabelled.push(id);
      }
      if (this.#directory.complete(id, { ...facts, lineage })) moved.add(id);
    }
    if (moved.size > 0) this.#flows.markFlowsOf(moved);
  }

  /** Those above a process, the nearest last; empty if the kernel can't be asked, or the process is gone and another has its pid. */
  #lineOf({ pid, name }: Process): readonly Ancestor[] {
    const self = this.#parentOf(pid);
    if (self === null || !isNameOf(name, self.name)) return [];
    const line: Ancestor[] = [];
    for (let above = self.parent; above > 0 && line.length < MAX_ANCESTORS; ) {
      const seen = this.#parentOf(above);
      if (seen === null) break;
      line.unshift({ pid: above, name: seen.name, startedAt: null });
      above = seen.parent === above ? 0 : seen.parent;
    }
    return line;
  }

  /** Runs ps for the command lines of processes that were completed. Those of other users are hidden from all but root. */
  #askCommands(now: number): void {
    if (!this.#commandPoll.isReady(now) || this.#uncommanded.length === 0) return;
    const asked = this.#uncommanded.splice(0, COMMANDS_AT_ONCE).flatMap((id) => this.#directory.process(id) ?? []);
    if (asked.length === 0) return;
    this.#commandPoll.start({
      args: commandArguments(asked.map(({ pid }) => pid)),
      read: ({ stdout }) => {
        const byPid = new Map(parsePs(stdout).map((record) => [record.pid, record]));
        for (const process of asked) {
          const record = byPid.get(process.pid);
          if (record === undefined || record.startedAt !== process.startedAt) continue;
          const { ancestors, origin, session, terminal } = process;
          const lineage = { ancestors, origin, session, terminal, command: commandLine(record.text) };
          this.#directory.complete(process.id, { ...process, lineage });
        }
        return null;
      },
      failed: () => {},
    });
  }

  /** Asks launchd for the jobs of processes that were completed. A process is of the job of the nearest process above it that has one. */
  #askJobs(now: number): void {
    if (!this.#jobs.isReady(now) || this.#unlabelled.length === 0) return;
    const asked = this.#unlabelled;
    this.#unlabelled = [];
    this.#jobs.ask((labels) => {
      for (const id of asked) {
        const process = this.#directory.process(id);
        if (process === undefined) continue;
        const line = [process, ...process.ancestors.toReversed()];
        const unit = line.map(({ pid }) => labels.get(pid)).find((label) => label !== undefined);
        if (unit !== undefined) this.#directory.join(id, unit);
      }
    });
  }

  #lineage(record: PsRecord): Lineage {
    const { pid, ppid, name, startedAt } = record;
    const known = this.#book.of({ pid, parent: ppid, name: programOf(name), start: startedAt });
    const { ancestors, origin, session, terminal } = known;
    return { ancestors, origin, session, terminal, command: null };
  }

  /** What we know about a process now; null if nothing new. */
  #facts(pid: number, short: string, path: string | null, record: PsRecord | undefined): OwnFacts | null {
    const listed = record === undefined ? null : factsOf(record);
    if (path === null) return listed !== null && isNameOf(short, listed.name) ? listed : null;
    const known = { name: baseOf(path), exe: path };
    // ps may show a name that the program wrote over its own, so compare the kernel's path instead. If it differs, the pid was reused before
    // ps ran.
    const isSame = listed !== null && this.#pathOf(pid) === path;
    return isSame ? { ...listed, ...known } : { ...known, uid: null, parentPid: null, startedAt: null };
  }
}

/** What is known of a process that is gone: nothing more than before. */
function nothingMore({ name, exe, uid, parentPid, startedAt }: Process): OwnFacts {
  return { name, exe, uid, parentPid, startedAt };
}

function byKernel(line: readonly Ancestor[]): Pick<Lineage, 'ancestors' | 'origin'> {
  return { ancestors: line, origin: headOf(line) };
}

/** A listed process, for the book. ps shows a login shell with a hyphen before its name. */
function seenIn(record: PsRecord | undefined): Seen | null {
  if (record === undefined) return null;
  const { pid, ppid, name, startedAt, terminal } = record;
  return { pid, parent: ppid, name: programOf(name), start: startedAt, session: null, terminal };
}

/** ps prints how the process was started: a path, a bare name, or, for a login shell, a name after a hyphen. */
function factsOf({ exe, name, uid, ppid, startedAt }: PsRecord): OwnFacts {
  return { name: programOf(name), exe, uid, parentPid: ppid, startedAt };
}

function programOf(name: string): string {
  const base = baseOf(name);
  return base.startsWith('-') ? base.slice(1) : base;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a possibly truncated name can be that of the program. */
function isNameOf(short: string, program: string): boolean {
  if (short === program) return true;
  if (Buffer.byteLength(short) < CUT_BYTES) return false;
  return program.startsWith(short.replace(/\ufffd+$/, '')); // a letter cut in the middle of its bytes
}
