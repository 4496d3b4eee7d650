// Completes processes of which the capture or nettop gives only a pid and a truncated name: full paths from the kernel, parents and users from
// ps. It asks the kernel at once, while the process exists, and runs ps only when such a process turns up.

import type { FlowTable } from '../../../flow/flow-table.ts';
import type { Ancestor } from '../../../model/terms.ts';
import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges } from '../../../system/edges.ts';
import type { Directory } from '../directory.ts';
import type { LateFacts } from '../process-facts.ts';
import type { PathOf } from './libproc.ts';
import { PS_ARGUMENTS, type PsRecord, parsePs } from './ps.ts';

const PAUSE_MS = 2000;
const LIMITS = { timeoutMs: 5000, maxBytes: 16 << 20 };
/** A name of at least this length may be truncated: PKTAP keeps 16 bytes, nettop about 15, and trailing spaces are stripped. */
const CUT_BYTES = 14;
/** Most ancestors of a process, the nearest. */
const MAX_ANCESTORS = 6;
/** Most paths to keep while ps fails. */
const MAX_PATHS = 4096;

/** What is known of a process itself. */
type OwnFacts = Omit<LateFacts, 'ancestors'>;

/** Completes the directory's processes. One that exits before ps runs keeps its short name, or its path if the kernel gave one. */
export class PsWatch {
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #poll: ChildPoll;
  /** Number of the first process not looked at yet. */
  #seen = 0;
  #wanted: number[] = [];
  readonly #pathOf: PathOf;
  /** Paths of processes that wait for ps. */
  readonly #paths = new Map<number, string>();

  /** @param pathOf returns null if the kernel can't be asked; then ps says how a process was started */
  constructor(flows: FlowTable, directory: Directory, edges: Edges, pathOf: PathOf = () => null) {
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
      const record = byPid.get(process.pid);
      const facts = this.#facts(process.pid, process.name, path, record);
      if (facts === null) continue;
      const ancestors = facts.parentPid === null ? [] : ancestorsIn(byPid, facts.parentPid);
      if (this.#directory.complete(id, { ...facts, ancestors })) moved.add(id);
    }
    if (moved.size > 0) this.#flows.markFlowsOf(moved);
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

/** A process and those above it, the nearest last. */
function ancestorsIn(byPid: ReadonlyMap<number, PsRecord>, parent: number): readonly Ancestor[] {
  const found: Ancestor[] = [];
  for (let at = byPid.get(parent); at !== undefined && found.length < MAX_ANCESTORS; at = byPid.get(at.ppid)) {
    found.unshift({ pid: at.pid, name: at.name });
    if (at.ppid === at.pid) break;
  }
  return found;
}

/** ps prints how the process was started: a path, a bare name, or, for a login shell, a name after a hyphen. */
function factsOf({ exe, name, uid, ppid, startedAt }: PsRecord): OwnFacts {
  const base = baseOf(name);
  return { name: base.startsWith('-') ? base.slice(1) : base, exe, uid, parentPid: ppid, startedAt };
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
