// Every process and app met in a run, by dense number. Processes of one executable and user are one app.

import type { App, Process, ProcessDirectory } from '../../net/model.ts';
import { foldApp } from './app-name.ts';
import type { LateFacts, ProcessFacts } from './process-facts.ts';
import type { Users } from './users.ts';

/** Processes and apps kept at the most; what comes beyond is folded into one. */
export const MAX_PROCESSES = 65_536;
export const MAX_APPS = 4096;
const PIDS_SHOWN = 64;
const OVERFLOW = '(more apps)';

interface MutableApp {
  readonly id: number;
  readonly name: string;
  readonly exe: string | null;
  readonly user: string | null;
  pids: readonly number[];
}

/** The directory: `learn` interns facts, look-ups are by number. */
export class Directory implements ProcessDirectory {
  readonly #users: Users;
  readonly #processes: Process[] = [];
  readonly #apps: MutableApp[] = [];
  /** Process that was learnt last under each app, even if it was completed into another: stands for those beyond the bound, so that bytes stay with their app. */
  readonly #lastOfApp: number[] = [];
  readonly #processByKey = new Map<string, number>();
  readonly #appByKey = new Map<string, number>();

  constructor(users: Users) {
    this.#users = users;
  }

  process(id: number): Process | undefined {
    return this.#processes[id];
  }

  app(id: number): App | undefined {
    return this.#apps[id];
  }

  get appCount(): number {
    return this.#apps.length;
  }

  get processCount(): number {
    return this.#processes.length;
  }

  /** Number of the process with these facts. A pid with another start time, executable or name is another process. */
  learn(facts: ProcessFacts): number {
    const key = `${facts.pid} ${facts.startTime ?? ''} ${facts.exe ?? facts.name}`;
    const known = this.#processByKey.get(key);
    if (known !== undefined) return known;
    const user = this.#users.name(facts.uid);
    const app = this.#appOf(facts, user);
    this.#addPid(app, facts.pid);
    const last = this.#lastOfApp[app];
    if (this.#processes.length >= MAX_PROCESSES && last !== undefined) return last;
    const id = this.#processes.length;
    const { pid, name, exe, uid, parentPid, script, unit } = facts;
    this.#processes.push({ id, pid, name, exe, uid, user, parentPid, script, unit, app });
    this.#processByKey.set(key, id);
    this.#lastOfApp[app] = id;
    return id;
  }

  /**
   * Adds what was learnt late about a process that was known by its pid and short name only; it may belong to another app by that.
   *
   * @returns true when the app changed: what was booked for its flows has to move
   */
  complete(id: number, facts: LateFacts): boolean {
    const old = this.#processes[id];
    if (old === undefined) return false;
    const { name, exe, uid, parentPid } = facts;
    const user = this.#users.name(uid);
    const app = this.#appOf({ ...facts, pid: old.pid, startTime: null, script: old.script, unit: old.unit }, user);
    this.#processes[id] = { ...old, name, exe, uid, user, parentPid, app };
    if (app === old.app) return false;
    const left = this.#apps[old.app] as MutableApp;
    left.pids = left.pids.filter((pid) => pid !== old.pid);
    this.#addPid(app, old.pid);
    return true;
  }

  #appOf(facts: ProcessFacts, user: string | null): number {
    const fold = foldApp(facts);
    const key = `${fold.key}\n${user ?? ''}`;
    const known = this.#appByKey.get(key);
    if (known !== undefined) return known;
    if (this.#apps.length >= MAX_APPS) return this.#overflow();
    return this.#addApp(key, fold.name, fold.exe, user);
  }

  #overflow(): number {
    return this.#appByKey.get(OVERFLOW) ?? this.#addApp(OVERFLOW, OVERFLOW, null, null);
  }

  #addApp(key: string, name: string, exe: string | null, user: string | null): number {
    const id = this.#apps.length;
    this.#apps.push({ id, name, exe, user, pids: [] });
    this.#appByKey.set(key, id);
    return id;
  }

  #addPid(app: number, pid: number): void {
    const row = this.#apps[app] as MutableApp;
    if (pid < 0 || row.pids.includes(pid)) return;
    // A new list each time: snapshots hold the old one.
    row.pids = [...row.pids.slice(-(PIDS_SHOWN - 1)), pid];
  }
}
