// Numbers processes and apps. Processes with the same executable and user are one app. It can forget entries that nothing refers to.

import { readFileSync } from 'node:fs';
import {
  type App,
  type Container,
  containerLabel,
  type Lineage,
  NO_LINEAGE,
  type Process,
  type ProcessDirectory,
  type Publisher,
} from '../../model/terms.ts';
import { sanitize } from '../../net/text.ts';
import { SENDER_APP } from '../../system/own-files.ts';
import type { ContainerRef, LateFacts, ProcessFacts } from './process-facts.ts';
import type { StartClock } from './start-clock.ts';

/** Most processes and apps kept. While full, further processes share their app's latest entry and further apps share one row. */
export const MAX_PROCESSES = 65_536;
export const MAX_APPS = 4096;
/** How many of the newest processes are kept even without flows. */
export const SPARE_PROCESSES = 4096;
const PIDS_SHOWN = 64;
const OVERFLOW = '(more apps)';

interface MutableApp {
  readonly id: number;
  readonly name: string;
  exe: string | null;
  readonly user: string | null;
  pids: readonly number[];
  processes: readonly Process[];
  processCount: number;
}

/** Knows where processes come from. Asked once for each process, when it is met. */
export interface Lineages {
  of(facts: ProcessFacts): Lineage;
}

/** Knows containers. Asked for each process in one, when it is met. */
export interface ContainerSource {
  of(ref: ContainerRef): Container;
}

/** Interns processes with `learn` and finds them by number. */
export class Directory implements ProcessDirectory {
  readonly #users: Users;
  readonly #starts: StartClock | null;
  readonly #lineages: Lineages | null;
  readonly #containers: ContainerSource | null;
  readonly #isMessenger: (pid: number) => boolean;
  /** In the order in which `learn` added them. */
  readonly #processes = new Map<number, Process>();
  readonly #keys = new Map<number, string>();
  readonly #apps: (MutableApp | undefined)[] = [];
  readonly #freeApps: number[] = [];
  /** The latest process added to each app, even if `complete` moved it since. It stands in for processes beyond the bound, which keeps their bytes with the app. */
  readonly #lastOfApp: (number | undefined)[] = [];
  readonly #processByKey = new Map<string, number>();
  readonly #appByKey = new Map<string, number>();
  /** The first app with each name and user: a process whose executable is unknown joins it. */
  readonly #appByName = new Map<string, number>();

  /** The next process number. Numbers are never reused. */
  end = 0;
  /** Processes left after the last `forgetProcesses`. */
  #kept = 0;
  /** Incremented whenever processes are forgotten: numbers obtained earlier may be invalid since. */
  forgotten = 0;

  readonly #maxApps: number;

  /**
   * @param starts null if start times aren't in ticks
   * @param lineages null where the system isn't asked
   * @param containers null where none are known by name
   * @param isMessenger whether a pid is that of this run's messenger
   * @param maxApps fewer in tests
   */
  constructor(
    users: Users,
    starts: StartClock | null = null,
    lineages: Lineages | null = null,
    containers: ContainerSource | null = null,
    isMessenger: (pid: number) => boolean = () => false,
    maxApps = MAX_APPS,
  ) {
    this.#lineages = lineages;
    this.#containers = containers;
    this.#isMessenger = isMessenger;
    this.#maxApps = maxApps;
    this.#users = users;
    this.#starts = starts;
  }

  process(id: number): Process | undefined {
    return this.#processes.get(id);
  }

  app(id: number): App | undefined {
    return this.#apps[id];
  }

  get appCount(): number {
    return this.#apps.length - this.#freeApps.length;
  }

  get processCount(): number {
    return this.#processes.size;
  }

  /** Whether enough processes were added to make forgetting worthwhile. */
  get hasManyProcesses(): boolean {
    return this.#processes.size >= Math.min(MAX_PROCESSES, this.#kept + 2 * SPARE_PROCESSES);
  }

  get appsAreNearlyFull(): boolean {
    return this.appCount > this.#maxApps * (7 / 8);
  }

  /** Number of the process with these facts. A different start time, executable or name makes it a different process; a truncated name counts as the same. */
  learn(read: ProcessFacts): number {
    const key = keyOf(read);
    const known = this.#processByKey.get(key);
    if (known !== undefined) return known;
    const [facts, container] = contained(read, this.#containers);
    const user = facts.user ?? this.#users.name(facts.uid);
    const app = this.#appOf(facts, user);
    const last = this.#lastOfApp[app];
    if (this.#processes.size >= MAX_PROCESSES && last !== undefined) return last;
    const id = this.end++;
    const { pid, name, exe, uid, parentPid, startTime, script, unit } = facts;
    const startedAt = this.#starts?.time(startTime) ?? null;
    const { ancestors, origin, session, terminal, command } = this.#lineages?.of(facts) ?? NO_LINEAGE;
    // Field by field: with a spread, ten thousand processes took 4 MiB more.
    const process: Process = {
      id,
      pid,
      name,
      exe,
      uid,
      user,
      parentPid,
      startedAt,
      script,
      unit,
      container,
      app,
      ancestors,
      origin,
      session,
      terminal,
      command,
      publisher: null,
    };
    this.#processes.set(id, process);
    this.#join(process);
    this.#processByKey.set(key, id);
    this.#keys.set(id, key);
    this.#lastOfApp[app] = id;
    return id;
  }

  /** Whether `learn` would return this number for these facts. */
  isKnownAs(id: number, facts: ProcessFacts): boolean {
    return this.#processByKey.get(keyOf(facts)) === id;
  }

  /**
   * Adds late facts to a process of which only the pid and short name were known. They may show that it belongs to a different app.
   *
   * @returns whether the app changed: then its flows must be booked again
   */
  complete(id: number, facts: LateFacts): boolean {
    const old = this.#processes.get(id);
    if (old === undefined) return false;
    const { name, exe, uid, parentPid, startedAt, lineage } = facts;
    const user = facts.user ?? this.#users.name(uid);
    const app = this.#appOf({ ...facts, pid: old.pid, startTime: null, script: old.script, unit: old.unit }, user);
    const process = { ...old, ...lineage, name, exe, uid, user, parentPid, startedAt, app };
    this.#processes.set(id, process);
    this.#leave(old);
    this.#join(process);
    return app !== old.app;
  }

  /** A process turns out to belong to a unit. Its app stays: a container's programs alone are apart from others. */
  join(id: number, unit: string): void {
    const old = this.#processes.get(id);
    if (old !== undefined && old.unit === null) this.#replace({ ...old, unit });
  }

  /** The publisher of a process's executable turns out. */
  publish(id: number, publisher: Publisher): void {
    const old = this.#processes.get(id);
    if (old !== undefined && old.publisher !== publisher) this.#replace({ ...old, publisher });
  }

  #replace(process: Process): void {
    this.#processes.set(process.id, process);
    const app = this.#apps[process.app] as MutableApp;
    app.processes = app.processes.map((each) => (each.id === process.id ? process : each));
  }

  /**
   * Replaces the truncated name of a process, if nothing else is known, by a longer one.
   *
   * @returns whether the app changed, see `complete`
   */
  lengthen(id: number, name: string): boolean {
    const process = this.#processes.get(id);
    if (process === undefined || process.exe !== null || name.length <= process.name.length) return false;
    return (
      name.startsWith(withoutCutLetter(process.name)) && this.complete(id, { ...process, lineage: lineageOf(process), name })
    );
  }

  /** Takes the user of a process of which none is known. @returns whether the app changed, see `complete` */
  setUser(id: number, user: string): boolean {
    const process = this.#processes.get(id);
    return process?.user === null && this.complete(id, { ...process, lineage: lineageOf(process), user });
  }

  /** Forgets unused processes except the newest. Their traffic stays counted. */
  forgetProcesses(isUsed: (id: number) => boolean): void {
    const unused = [...this.#processes.keys()].filter((id) => !isUsed(id));
    const last = new Set(this.#lastOfApp);
    for (const id of unused.slice(0, -SPARE_PROCESSES)) if (!last.has(id)) this.#forget(id);
    this.#kept = this.#processes.size - Math.min(unused.length, SPARE_PROCESSES);
    this.forgotten++;
  }

  get moreApps(): number {
    return this.#overflow();
  }

  forgetApps(apps: readonly number[]): void {
    const gone = new Set(apps);
    for (const [id, { app }] of this.#processes) if (gone.has(app)) this.#forget(id);
    for (const index of [this.#appByKey, this.#appByName]) for (const [key, app] of index) if (gone.has(app)) index.delete(key);
    for (const app of gone) {
      this.#apps[app] = undefined;
      this.#lastOfApp[app] = undefined;
      this.#freeApps.push(app);
    }
    this.forgotten++;
  }

  #forget(id: number): void {
    this.#processByKey.delete(this.#keys.get(id) ?? '');
    this.#keys.delete(id);
    this.#processes.delete(id);
  }

  #appOf(facts: ProcessFacts, user: string | null): number {
    const fold = foldApp(this.#isMessenger(facts.pid) ? { ...facts, script: SENDER_APP } : facts);
    const key = `${fold.key}\n${user ?? ''}`;
    const known = this.#appByKey.get(key);
    if (known !== undefined) return known;
    const alike = this.#appByName.get(`${fold.name}\n${user ?? ''}`);
    const namesake = alike === undefined ? undefined : this.#apps[alike];
    if (namesake !== undefined && (fold.exe === null || namesake.exe === null)) {
      // One process exited before its executable was read. The same name and user means the same app, so don't make a second row.
      namesake.exe ??= fold.exe;
      this.#appByKey.set(key, namesake.id);
      return namesake.id;
    }
    if (this.appCount >= this.#maxApps) return this.#overflow();
    return this.#addApp(key, fold.name, fold.exe, user);
  }

  #overflow(): number {
    return this.#appByKey.get(OVERFLOW) ?? this.#addApp(OVERFLOW, OVERFLOW, null, null);
  }

  #addApp(key: string, name: string, exe: string | null, user: string | null): number {
    const id = this.#freeApps.pop() ?? this.#apps.length;
    this.#apps[id] = { id, name, exe, user, pids: [], processes: [], processCount: 0 };
    this.#appByKey.set(key, id);
    const alike = `${name}\n${user ?? ''}`;
    if (!this.#appByName.has(alike)) this.#appByName.set(alike, id);
    return id;
  }

  /** Adds a process to its app's lists. It replaces the arrays, because snapshots hold the old ones. */
  #join(process: Process): void {
    const app = this.#apps[process.app] as MutableApp;
    // A process that was forgotten and seen again isn't counted twice.
    const others = app.processes.filter((each) => this.#processes.has(each.id) || !isSame(each, process));
    if (others.length === app.processes.length) app.processCount++;
    app.processes = [...others.slice(-(PIDS_SHOWN - 1)), process];
    app.pids = pidsOf(app.processes);
  }

  #leave(process: Process): void {
    const app = this.#apps[process.app] as MutableApp;
    app.processCount--;
    app.processes = app.processes.filter(({ id }) => id !== process.id);
    app.pids = pidsOf(app.processes);
  }
}

/** Lengths to which PKTAP truncates names, on outgoing and on incoming packets (MAXCOMLEN, with and without room for a NUL). */
const SHORT_CUT_BYTES = 15;
const LONG_CUT_BYTES = 16;

function keyOf({ pid, startTime, exe, name }: ProcessFacts): string {
  return `${pid} ${startTime ?? ''} ${exe ?? commonCut(name)}`;
}

/** The shortest form to which PKTAP may truncate a name. */
function commonCut(name: string): string {
  const whole = withoutCutLetter(name);
  if (Buffer.byteLength(whole) !== LONG_CUT_BYTES) return whole;
  return withoutCutLetter(Buffer.from(whole).subarray(0, SHORT_CUT_BYTES).toString());
}

function withoutCutLetter(name: string): string {
  return name.replace(/\ufffd+$/, '');
}

function lineageOf({ ancestors, origin, session, terminal, command }: Process): Lineage {
  return { ancestors, origin, session, terminal, command };
}

function isSame(a: Process, b: Process): boolean {
  return a.pid === b.pid && a.name === b.name && a.exe === b.exe && a.startedAt === b.startedAt;
}

function pidsOf(processes: readonly Process[]): number[] {
  return [...new Set(processes.map(({ pid }) => pid))].filter((pid) => pid >= 0);
}

// Decides which app a process belongs to: the row that a user would look for. Helpers fold into their bundle; a script names its interpreter's app.

/** An app before it has a number. */
interface Fold {
  /** Processes of one user with the same key belong to one app. */
  readonly key: string;
  readonly name: string;
  readonly exe: string | null;
}

/** Matches the outermost bundle: Chrome's helpers have their own bundles inside Google Chrome.app. */
const BUNDLE = /^(.*?\/([^/]+)\.app)\//;
/** Folder of Xcode's command-line tools (git, clang ...), which are apps of their own. */
const TOOLS = /^.*?\.app\/Contents\/Developer(?=\/)/;

/** A process's facts with its container for a unit, and that container; null if it runs in none. */
export function contained(facts: ProcessFacts, source: ContainerSource | null): readonly [ProcessFacts, Container | null] {
  const { container: ref } = facts;
  if (ref === null || ref === undefined) return [facts, null];
  const container = source?.of(ref) ?? null;
  const unit = container === null ? `${ref.engine} ${ref.id.slice(0, 12)}` : containerLabel(container);
  return [{ ...facts, unit }, container];
}

/**
 * Folds a process into its app.
 *
 * `/Applications/X.app/...` and all its helpers are X; `python3 backup.py` is `backup.py (python3)`; a program in a container is
 * `name (docker web)`, a script there `backup.py (python3, docker web)`; the messenger, which no name of Node's tells apart, is itself; anything else is its executable.
 */
export function foldApp(facts: ProcessFacts): Fold {
  const { exe, name, script, unit } = facts;
  if (script === SENDER_APP) return { key: SENDER_APP, name: SENDER_APP, exe };
  const tools = (exe === null ? null : TOOLS.exec(exe)?.[0]) ?? '';
  const bundle = exe === null ? null : BUNDLE.exec(exe.slice(tools.length));
  if (bundle !== null) {
    const path = `${tools}${bundle[1]}`;
    return { key: path, name: bundle[2] as string, exe: path };
  }
  const program = exe ?? name;
  const isContained = unit !== null && / /.test(unit);
  if (script !== null)
    return isContained
      ? { key: `${program}\0${script}\0${unit}`, name: `${script} (${name}, ${unit})`, exe }
      : { key: `${program}\0${script}`, name: `${script} (${name})`, exe };
  return isContained ? { key: `${program}\0${unit}`, name: `${name} (${unit})`, exe } : { key: program, name, exe };
}

// User names by number, from the passwd file. Never from a directory service, which could send network traffic.

/** Names of users. Reads the file once, on first use. */
export class Users {
  readonly #path: string;
  #names: Map<number, string> | null = null;

  readonly #others: ReadonlyMap<number, string>;

  /** @param path `/etc/passwd` @param others names of users that the file doesn't list */
  constructor(path: string, others: ReadonlyMap<number, string> = new Map()) {
    this.#path = path;
    this.#others = others;
  }

  /** Name of a user; without one, the number as text; null for null. */
  name(uid: number | null): string | null {
    if (uid === null) return null;
    this.#names ??= this.#read();
    return this.#names.get(uid) ?? this.#others.get(uid) ?? String(uid);
  }

  #read(): Map<number, string> {
    const names = new Map<number, string>();
    let text = '';
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return names; // users show as numbers
    }
    for (const line of text.split('\n')) {
      const [name, , uid] = line.split(':');
      if (name !== undefined && uid !== undefined && /^\d+$/.test(uid) && !names.has(Number(uid)))
        names.set(Number(uid), sanitize(name));
    }
    return names;
  }
}
