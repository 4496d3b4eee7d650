// Full paths from the kernel, parents and users from ps, for processes of which the capture or nettop tells a pid and the beginning of a
// name. ps runs when such a process turned up, never by a clock; the kernel is asked at once, while the process is there.

import type { FlowTable } from '../../../flow/flow-table.ts';
import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges } from '../../../system/edges.ts';
import type { Directory } from '../directory.ts';
import type { LateFacts } from '../process-facts.ts';
import type { PathOf } from './libproc.ts';
import { PS_ARGUMENTS, type PsRecord, parsePs } from './ps.ts';

const PAUSE_MS = 2000;
const LIMITS = { timeoutMs: 5000, maxBytes: 16 << 20 };
/** A name this long may have been cut: PKTAP keeps 16 bytes, nettop about 15, and blanks at the cut are gone. */
const CUT_BYTES = 14;
/** Paths that wait for ps, while that fails. */
const MAX_PATHS = 4096;

/** Completes the directory. A process that is gone before ps runs keeps its short name. */
export class PsWatch {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #poll: ChildPoll;
  /** Processes of the directory below this one were looked at. */
  #seen = 0;
  #wanted: number[] = [];
  readonly #pathOf: PathOf;
  /** Of processes that wait for ps; those that are gone by then keep at least this. */
  readonly #paths = new Map<number, string>();

  /** @param pathOf null for every pid where the kernel can't be asked: then ps tells what a process was started as */
  constructor(flows: FlowTable, directory: Directory, edges: Edges, pathOf: PathOf = () => null) {
    this.#flows = flows;
    this.#directory = directory;
    this.#pathOf = pathOf;
    this.#poll = new ChildPoll(edges, { path: edges.paths.ps, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  /** Why paths and users are missing; empty when all is well. */
  get note(): string {
    return this.#poll.failure === null ? '' : `ps failed: ${this.#poll.failure}`;
  }

  /** Runs ps if it is wanted and due. @param now monotonic ms */
  work(now: number): void {
    for (; this.#seen < this.#directory.end; this.#seen++) {
      const process = this.#directory.process(this.#seen);
      if (process === undefined || process.exe !== null || process.pid <= 0) continue;
      this.#wanted.push(process.id);
      const path = this.#paths.size < MAX_PATHS ? this.#pathOf(process.pid) : null;
      if (path !== null && isNameOf(process.name, baseOf(path))) this.#paths.set(process.id, path);
    }
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
  }

  #complete(asked: readonly number[], records: readonly PsRecord[]): void {
    const byPid = new Map(records.map((record) => [record.pid, record]));
    const moved = new Set<number>();
    for (const id of asked) {
      const process = this.#directory.process(id);
      const path = this.#paths.get(id) ?? null;
      this.#paths.delete(id);
      if (process === undefined) continue;
      const facts = this.#facts(process.pid, process.name, path, byPid.get(process.pid));
      if (facts !== null && this.#directory.complete(id, facts)) moved.add(id);
    }
    if (moved.size > 0) this.#flows.markFlowsOf(moved);
  }

  /** What is known of a process by now; null where that is nothing new. */
  #facts(pid: number, short: string, path: string | null, record: PsRecord | undefined): LateFacts | null {
    const listed = record === undefined ? null : factsOf(record);
    if (path === null) return listed !== null && isNameOf(short, listed.name) ? listed : null;
    const known = { name: baseOf(path), exe: path };
    // A program may write over the name that it was started with, and ps tells that: whether it is the same, the kernel knows. Else the pid
    // went to another process before ps ran.
    const isSame = listed !== null && this.#pathOf(pid) === path;
    return isSame ? { ...listed, ...known } : { ...known, uid: null, parentPid: null, startedAt: null };
  }
}

/** ps prints what the process was started as: a path, a bare name, or for a login shell a name behind a hyphen. */
function factsOf({ exe, name, uid, ppid, startedAt }: PsRecord): LateFacts {
  const base = baseOf(name);
  return { name: base.startsWith('-') ? base.slice(1) : base, exe, uid, parentPid: ppid, startedAt };
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** True when a name, which may have been cut, can be that of a program. */
function isNameOf(short: string, program: string): boolean {
  if (short === program) return true;
  if (Buffer.byteLength(short) < CUT_BYTES) return false;
  return program.startsWith(short.replace(/\ufffd+$/, '')); // a letter that was cut in two
}
