// Finds out who made the programs that have traffic: once for each executable, long after their packets were counted. On a Mac it asks codesign, on
// Linux the files of package managers. What it learns goes to the directory.

import { LRUCache } from 'lru-cache';
import type { Directory } from '../identify/process/directory.ts';
import type { Proc } from '../identify/process/linux/procfs/proc.ts';
import type { Process, Publisher } from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import type { Edges } from '../system/edges.ts';
import { signerOf } from './codesign.ts';
import { type Executable, OTHER_FILE, unknownPublisher } from './package-search.ts';
import { findDigest, findPackages } from './publisher-thread.ts';

/** Executables remembered. */
const REMEMBERED = 4096;
/** Processes that wait: for their executable to become known, and to be looked up. Those beyond stay unknown. */
const MAX_WAITING = 4096;
/** Time between two looks at new processes, processes in one look, and executables in one search. */
const LOOK_MS = 250;
const LOOKED_AT_ONCE = 16;
const ASKED_AT_ONCE = 64;
/** The first frame comes first. */
const FIRST_MS = 1000;
const PAUSE_MS = 1000;
const DELETED = ' (deleted)';
/** How the kernel names a file that was made by memfd_create(2). */
const IN_MEMORY = '/memfd:';
const MOVED = unknownPublisher(OTHER_FILE);

/** What finds publishers; tests have others. */
export interface PublisherSource {
  /** Publishers in the order of what was asked; never rejects. */
  find(asked: readonly Executable[]): Promise<readonly Publisher[]>;
  digest(asked: Executable): Promise<string>;
}

/** The way of this system. @param isRoot whether this process is root now; what `edges` run may be root's all the same */
export function publisherSource(edges: Edges, isRoot: () => boolean = () => process.geteuid?.() === 0): PublisherSource {
  const digest = async (asked: Executable) => (isRoot() && asked.file === '' ? AS_ROOT : await findDigest(asked));
  if (edges.platform === 'linux') {
    const root = `${edges.paths.packages.replace(/\/$/, '')}/`;
    return { find: (asked) => findPackages(root, asked), digest };
  }
  const find = async (asked: readonly Executable[]) => {
    const found: Publisher[] = [];
    // One at a time: each takes a tenth of a second of a core.
    for (const { path } of asked)
      found.push(isRoot() ? unknownPublisher('codesign is not run as root') : await signerOf(edges, path));
    return found;
  };
  return { find, digest };
}

const AS_ROOT = 'not read: as root, only a file that the system knows the process to execute is';

/** Publishers of the directory's processes. */
export class Publishers {
  readonly #directory: Directory;
  readonly #proc: Proc | null;
  readonly #source: PublisherSource;
  readonly #markFlowsOf: (processes: ReadonlySet<number>) => void;
  /** Processes whose publishers turned out since the last look. */
  #published = new Set<number>();
  readonly #known = new LRUCache<string, Publisher>({ max: REMEMBERED });
  /** Number of the first process not met yet. */
  #met = 0;
  #waiting: number[] = [];
  /** Processes by the executable that is asked about. */
  readonly #asked = new Map<string, { readonly executable: Executable; readonly ids: number[] }>();
  #isAsking = false;
  #nextLook: number | null = null;
  #nextAsk = 0;
  #closed = false;

  /** @param proc null on a Mac @param markFlowsOf marks what a filter must check again */
  constructor(
    directory: Directory,
    proc: Proc | null,
    source: PublisherSource,
    markFlowsOf: (processes: ReadonlySet<number>) => void,
  ) {
    this.#markFlowsOf = markFlowsOf;
    this.#directory = directory;
    this.#proc = proc;
    this.#source = source;
  }

  /** Looks at new processes and asks about new executables, if it is time. @param now monotonic ms */
  work(now: number): void {
    this.#nextLook ??= now + FIRST_MS;
    if (now < this.#nextLook || this.#closed) return;
    this.#nextLook = now + LOOK_MS;
    for (; this.#met < this.#directory.end; this.#met++) if (this.#waiting.length < MAX_WAITING) this.#waiting.push(this.#met);
    let left = LOOKED_AT_ONCE;
    this.#waiting = this.#waiting.filter((id) => {
      const process = this.#directory.process(id);
      if (process === undefined) return false;
      if (left === 0 || process.exe === null) return true;
      left--;
      this.#look(process, process.exe);
      return false;
    });
    if (this.#published.size > 0) {
      this.#markFlowsOf(this.#published);
      this.#published = new Set();
    }
    if (this.#isAsking || this.#asked.size === 0 || now < this.#nextAsk) return;
    this.#nextAsk = now + PAUSE_MS;
    void this.#ask();
  }

  /** Computes the SHA-256 of a process's executable. @returns why it can't; null if it is being done */
  digest(id: number): string | null {
    const process = this.#directory.process(id);
    if (process === undefined) return 'that process is gone';
    const { exe } = process;
    if (exe === null) return 'its executable is unknown';
    const reason = elsewhere(process);
    if (reason !== null) return `its executable is ${reason}`;
    const file = this.#file(process.pid, exe);
    if (file === null) return OTHER_FILE;
    void this.#source.digest({ path: exe, file }).then((digest) => {
      const { publisher } = this.#directory.process(id) ?? { publisher: null };
      this.#directory.publish(id, { ...(publisher ?? unknownPublisher('not looked up yet')), digest: sanitize(digest) });
    });
    return null;
  }

  close(): void {
    this.#closed = true;
  }

  #look(process: Process, exe: string): void {
    const { id, pid } = process;
    const told = this.#told(process, exe);
    if (told !== null) {
      this.#publish(id, told);
      return;
    }
    const file = this.#file(pid, exe);
    const key = `${file} ${exe}`;
    const known = file === null ? MOVED : this.#known.get(key);
    if (file === null || known !== undefined) {
      this.#publish(id, known ?? MOVED);
      return;
    }
    const asked = this.#asked.get(key);
    if (asked === undefined) this.#asked.set(key, { executable: { path: exe, file }, ids: [id] });
    else asked.ids.push(id);
  }

  /** What needs no search; null for anything else. */
  #told(process: Process, exe: string): Publisher | null {
    const reason = elsewhere(process);
    if (reason !== null) return unknownPublisher(reason);
    if (exe.startsWith(IN_MEMORY)) return { ...unknownPublisher('it runs from memory, without a file'), kind: 'unpackaged' };
    if (!exe.startsWith('/')) return unknownPublisher('its path is unknown');
    return null;
  }

  #publish(id: number, publisher: Publisher): void {
    this.#directory.publish(id, publisher);
    this.#published.add(id);
  }

  /** The file that a process executes; empty if it is unknown, null if it is certainly not at that path. */
  #file(pid: number, exe: string): string | null {
    if (this.#proc === null) return '';
    const link = this.#proc.exe(pid);
    if (link === `${exe}${DELETED}`) return null;
    return link === exe ? this.#proc.file(pid) : '';
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const asked = [...this.#asked].slice(0, ASKED_AT_ONCE);
    const found = await this.#source.find(asked.map(([, { executable }]) => executable));
    for (const [index, [key, { ids }]] of asked.entries()) {
      const publisher = found[index] ?? unknownPublisher('no answer');
      this.#known.set(key, publisher);
      this.#asked.delete(key);
      if (!this.#closed) for (const id of ids) this.#publish(id, publisher);
    }
    this.#isAsking = false;
  }
}

/** Why the path of a process's executable says nothing about this system's files; null if it does. */
function elsewhere({ container, unit, exe }: Process): string | null {
  // Where nobody knows containers by name, the unit says which one it is, as no unit of a system is written.
  if (container !== null || (unit !== null && / /.test(unit))) return 'in a container, which has files of its own';
  return exe?.startsWith('/app/') === true ? 'below /app, as inside of a flatpak, which has files of its own' : null;
}
