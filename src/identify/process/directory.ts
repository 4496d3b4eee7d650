// Processes and apps by number. Processes of one executable and user are one app. What nothing refers to any more can be forgotten.

import { readFileSync } from 'node:fs';
import type { App, Process, ProcessDirectory } from '../../model/terms.ts';
import { sanitize } from '../../net/text.ts';
import type { LateFacts, ProcessFacts } from './process-facts.ts';
import type { StartClock } from './start-clock.ts';

/** Processes and apps kept at the most; what comes beyond is folded into one until there is room. */
export const MAX_PROCESSES = 65_536;
export const MAX_APPS = 4096;
/** Processes that are kept though no flow has them: the newest. */
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

/** The directory: `learn` interns facts, look-ups are by number. */
export class Directory implements ProcessDirectory {
  readonly #users: Users;
  readonly #starts: StartClock | null;
  /** In the order in which they were learnt. */
  readonly #processes = new Map<number, Process>();
  readonly #keys = new Map<number, string>();
  readonly #apps: (MutableApp | undefined)[] = [];
  readonly #freeApps: number[] = [];
  /** Process that was learnt last under each app, even if it was completed into another: stands for those beyond the bound, so that bytes stay with their app. */
  readonly #lastOfApp: (number | undefined)[] = [];
  readonly #processByKey = new Map<string, number>();
  readonly #appByKey = new Map<string, number>();
  /** The first app of each name and user: where a process belongs whose executable could not be learnt. */
  readonly #appByName = new Map<string, number>();

  /** Numbers of processes below it were given out; each once. */
  end = 0;
  /** Processes that were kept when some were forgotten last. */
  #kept = 0;
  /** How often processes were forgotten: a number that was learnt before may be nobody's since. */
  forgotten = 0;

  readonly #maxApps: number;

  /** @param starts null where nothing counts in ticks. @param maxApps fewer in tests */
  constructor(users: Users, starts: StartClock | null = null, maxApps = MAX_APPS) {
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

  /** True when so many were learnt since that it is time to forget some. */
  get hasManyProcesses(): boolean {
    return this.#processes.size >= Math.min(MAX_PROCESSES, this.#kept + 2 * SPARE_PROCESSES);
  }

  get appsAreNearlyFull(): boolean {
    return this.appCount > this.#maxApps * (7 / 8);
  }

  /** Number of the process with these facts. A pid with another start time, executable or name is another process; a cut of a name is the same name. */
  learn(facts: ProcessFacts): number {
    const key = keyOf(facts);
    const known = this.#processByKey.get(key);
    if (known !== undefined) return known;
    const user = this.#users.name(facts.uid);
    const app = this.#appOf(facts, user);
    const last = this.#lastOfApp[app];
    if (this.#processes.size >= MAX_PROCESSES && last !== undefined) return last;
    const id = this.end++;
    const { pid, name, exe, uid, parentPid, startTime, script, unit } = facts;
    const startedAt = this.#starts?.time(startTime) ?? null;
    const process = { id, pid, name, exe, uid, user, parentPid, startedAt, script, unit, app };
    this.#processes.set(id, process);
    this.#join(process);
    this.#processByKey.set(key, id);
    this.#keys.set(id, key);
    this.#lastOfApp[app] = id;
    return id;
  }

  /** True when `learn` would give these facts this number. */
  isKnownAs(id: number, facts: ProcessFacts): boolean {
    return this.#processByKey.get(keyOf(facts)) === id;
  }

  /**
   * Adds what was learnt late about a process that was known by its pid and short name only; it may belong to another app by that.
   *
   * @returns true when the app changed: what was booked for its flows has to move
   */
  complete(id: number, facts: LateFacts): boolean {
    const old = this.#processes.get(id);
    if (old === undefined) return false;
    const { name, exe, uid, parentPid, startedAt } = facts;
    const user = this.#users.name(uid);
    const app = this.#appOf({ ...facts, pid: old.pid, startTime: null, script: old.script, unit: old.unit }, user);
    const process = { ...old, name, exe, uid, user, parentPid, startedAt, app };
    this.#processes.set(id, process);
    this.#leave(old);
    this.#join(process);
    return app !== old.app;
  }

  /**
   * Gives a process, while nothing but its short name is known, a longer cut of that name.
   *
   * @returns true when the app changed: see `complete`
   */
  lengthen(id: number, name: string): boolean {
    const process = this.#processes.get(id);
    if (process === undefined || process.exe !== null || name.length <= process.name.length) return false;
    return name.startsWith(withoutCutLetter(process.name)) && this.complete(id, { ...process, name });
  }

  /** Forgets all but the newest of the processes that nothing uses; what was counted of them stays. */
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
    const fold = foldApp(facts);
    const key = `${fold.key}\n${user ?? ''}`;
    const known = this.#appByKey.get(key);
    if (known !== undefined) return known;
    const alike = this.#appByName.get(`${fold.name}\n${user ?? ''}`);
    const namesake = alike === undefined ? undefined : this.#apps[alike];
    if (namesake !== undefined && (fold.exe === null || namesake.exe === null)) {
      // One of them was gone before its executable could be read: the same name and user is the same app, not a second row.
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

  /** Lists a process under its app; new lists each time, as snapshots hold the old ones. */
  #join(process: Process): void {
    const app = this.#apps[process.app] as MutableApp;
    // One that was forgotten and is met again is no other one.
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

/** PKTAP cuts the names of outgoing packets to the first and those of incoming ones to the second (MAXCOMLEN, and the same without its NUL). */
const CUT_BYTES = 15;
const LONGER_CUT_BYTES = 16;

function keyOf({ pid, startTime, exe, name }: ProcessFacts): string {
  return `${pid} ${startTime ?? ''} ${exe ?? commonCut(name)}`;
}

/** What all cuts of a name have in common. */
function commonCut(name: string): string {
  const whole = withoutCutLetter(name);
  if (Buffer.byteLength(whole) !== LONGER_CUT_BYTES) return whole;
  return withoutCutLetter(Buffer.from(whole).subarray(0, CUT_BYTES).toString());
}

function withoutCutLetter(name: string): string {
  return name.replace(/\ufffd+$/, '');
}

function isSame(a: Process, b: Process): boolean {
  return a.pid === b.pid && a.name === b.name && a.exe === b.exe && a.startedAt === b.startedAt;
}

function pidsOf(processes: readonly Process[]): number[] {
  return [...new Set(processes.map(({ pid }) => pid))].filter((pid) => pid >= 0);
}

// Which app a process is: the row that a person would look for. Folds helpers under their bundle and scripts under their interpreter.

/** A row of the apps table before it has a number. */
interface Fold {
  /** Processes of one user with the same key are one app. */
  readonly key: string;
  readonly name: string;
  readonly exe: string | null;
}

/** The outermost bundle: Chrome's helpers lie in bundles of their own inside Google Chrome.app. */
const BUNDLE = /^(.*?\/([^/]+)\.app)\//;
/** Where Xcode keeps git, clang and its other tools: programs of their own, which are run without it. */
const TOOLS = /^.*?\.app\/Contents\/Developer(?=\/)/;

/**
 * Folds a process into its app.
 *
 * `/Applications/X.app/...` and all its helpers are X; `python3 backup.py` is `backup.py (python3)`; an interpreter without a script that
 * runs as a service is that service; anything else is its executable.
 */
export function foldApp(facts: ProcessFacts): Fold {
  const { exe, name, script, unit } = facts;
  const tools = (exe === null ? null : TOOLS.exec(exe)?.[0]) ?? '';
  const bundle = exe === null ? null : BUNDLE.exec(exe.slice(tools.length));
  if (bundle !== null) {
    const path = `${tools}${bundle[1]}`;
    return { key: path, name: bundle[2] as string, exe: path };
  }
  const program = exe ?? name;
  if (script !== null) return { key: `${program}\0${script}`, name: `${script} (${name})`, exe };
  return unit !== null && / /.test(unit)
    ? { key: `${program}\0${unit}`, name: `${name} (${unit})`, exe }
    : { key: program, name, exe };
}

// User names by number, from the passwd file. Never asks a directory service: that could be a question to the network.

/** Names of users; read once, when first asked. */
export class Users {
  readonly #path: string;
  #names: Map<number, string> | null = null;

  readonly #others: ReadonlyMap<number, string>;

  /** @param path `/etc/passwd` @param others users that it does not list */
  constructor(path: string, others: ReadonlyMap<number, string> = new Map()) {
    this.#path = path;
    this.#others = others;
  }

  /** Name of a user, or the number as text where the file has none; null for null. */
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
      return names; // numbers will do
    }
    for (const line of text.split('\n')) {
      const [name, , uid] = line.split(':');
      if (name !== undefined && uid !== undefined && /^\d+$/.test(uid) && !names.has(Number(uid)))
        names.set(Number(uid), sanitize(name));
    }
    return names;
  }
}
