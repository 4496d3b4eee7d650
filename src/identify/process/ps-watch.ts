// Full paths, parents, users and start times from ps, for processes of which the capture or nettop tells a pid and the beginning of a name. It runs
// when such a process turned up, never by a clock.

import type { FlowTable } from '../../flow/flow-table.ts';
import { INTS, PEER_PROCESS, PROCESS } from '../../flow/layout.ts';
import type { Edges } from '../../net/edges.ts';
import { ChildPoll } from './child-poll.ts';
import type { Directory } from './directory.ts';
import type { LateFacts } from './process-facts.ts';
import { PS_ARGUMENTS, type PsRecord, parsePs } from './ps.ts';

const PAUSE_MS = 2000;
const LIMITS = { timeoutMs: 5000, maxBytes: 16 << 20 };
/** A name this long may have been cut: PKTAP keeps 16 bytes, nettop about 15, and blanks at the cut are gone. */
const CUT_BYTES = 14;

/** Completes the directory. A process that is gone before ps runs keeps its short name. */
export class PsWatch {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #poll: ChildPoll;
  /** Processes of the directory below this one were looked at. */
  #seen = 0;
  #wanted: number[] = [];

  constructor(flows: FlowTable, directory: Directory, edges: Edges) {
    this.#flows = flows;
    this.#directory = directory;
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
      if (process !== undefined && process.exe === null && process.pid > 0) this.#wanted.push(process.id);
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
      const record = process === undefined ? undefined : byPid.get(process.pid);
      if (process === undefined || record === undefined) continue;
      const facts = factsOf(record);
      // Else the pid went to another process before ps ran.
      if (isNameOf(process.name, facts.name) && this.#directory.complete(id, facts)) moved.add(id);
    }
    if (moved.size > 0) this.#markFlowsOf(moved);
  }

  #markFlowsOf(moved: ReadonlySet<number>): void {
    const flows = this.#flows;
    for (let row = 0; row < flows.rows; row++) {
      if (!flows.isLive(row)) continue;
      const base = row * INTS;
      if (moved.has(flows.ints[base + PROCESS] as number) || moved.has(flows.ints[base + PEER_PROCESS] as number))
        flows.mark(row);
    }
  }
}

/** ps prints what the process was started as: a path, a bare name, or for a login shell a name behind a hyphen. */
function factsOf({ exe, name, uid, ppid, startedAt }: PsRecord): LateFacts {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return { name: base.startsWith('-') ? base.slice(1) : base, exe, uid, parentPid: ppid, startedAt };
}

/** True when a name, which may have been cut, can be that of a program. */
function isNameOf(short: string, program: string): boolean {
  if (short === program) return true;
  if (Buffer.byteLength(short) < CUT_BYTES) return false;
  return program.startsWith(short.replace(/\ufffd+$/, '')); // a letter that was cut in two
}
