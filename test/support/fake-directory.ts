// A directory of processes that a test fills: process n is of the app that the test says.

import { type App, type Container, NO_LINEAGE, type Process, type ProcessDirectory } from '../../src/model/terms.ts';

/** Processes and apps by number. */
export class FakeDirectory implements ProcessDirectory {
  readonly #processes: Process[] = [];
  readonly #apps: App[] = [];

  /** Adds a process of `name`'s app. @returns its number */
  add(name: string, pid = 1000 + this.#processes.length): number {
    let app = this.#apps.findIndex((each) => each.name === name);
    if (app < 0)
      app =
        this.#apps.push({
          id: this.#apps.length,
          name,
          exe: `/bin/${name}`,
          user: 'ann',
          pids: [],
          processes: [],
          processCount: 0,
        }) - 1;
    const known = this.#apps[app] as App;
    const id = this.#processes.length;
    const rest = {
      exe: `/bin/${name}`,
      uid: 1,
      user: 'ann',
      parentPid: 1,
      startedAt: null,
      app,
      script: null,
      unit: null,
      container: null,
      publisher: null,
      ...NO_LINEAGE,
      ancestors: [{ pid: 500, name: `${name}-sh`, startedAt: null }],
    };
    const process = { id, pid, name, ...rest };
    this.#processes.push(process);
    const pids = known.pids.includes(pid) ? known.pids : [...known.pids, pid];
    this.#apps[app] = { ...known, pids, processes: [...known.processes, process], processCount: known.processCount + 1 };
    return id;
  }

  /** The process turns out to be of another app. */
  move(id: number, app: number): void {
    this.#processes[id] = { ...(this.#processes[id] as Process), app };
  }

  /** The process runs in a container. */
  contain(id: number, container: Container): void {
    this.#processes[id] = { ...(this.#processes[id] as Process), container };
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

  readonly appsAreNearlyFull = false;
  readonly moreApps = -1;
  forgetApps(): void {}
}
