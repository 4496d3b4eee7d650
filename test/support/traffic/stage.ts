// What a live test of attribution stands on: the ground, the agents, the program that watches the near side, and the comparison.

import { expect, inject } from 'vitest';
import { type Agent, Agents, type Done } from './agents.ts';
import { type Ground, makeGround } from './ground.ts';
import { Watcher } from './watcher.ts';

/** Bytes of a process by direction. */
export interface Moved {
  readonly tx: number;
  readonly rx: number;
}

/** Everything of a test file; `watcher` is there after `watch`. */
export class Stage {
  readonly ground: Ground = makeGround();
  readonly agents = new Agents();
  #watcher: Watcher | null = null;

  /** Starts the program on both interfaces of the near side. @param under words before it: setpriv and the like */
  async watch(under: readonly string[] = []): Promise<Watcher> {
    const { device, near } = this.ground;
    const request = { bin: inject('program').bin, namespace: near.namespace, interfaces: [device, 'lo'], under };
    this.#watcher = await Watcher.start(request);
    return this.#watcher;
  }

  get watcher(): Watcher {
    if (this.#watcher === null) throw new Error('nothing watches yet');
    return this.#watcher;
  }

  near(kind: string, how: object, exe?: string): Promise<Agent> {
    return this.agents.start(this.ground.near.namespace, kind, how, exe);
  }

  far(kind: string, how: object, exe?: string): Promise<Agent> {
    return this.agents.start(this.ground.far.namespace, kind, how, exe);
  }

  /** Ends the program and gives everything back. */
  async close(): Promise<void> {
    await this.#watcher?.stop();
    this.agents.close();
    this.ground.close();
  }

  /** The row of an executable must show these bytes, and these processes. */
  async expectRow(exe: string, pids: readonly number[], moved: Moved): Promise<void> {
    const row = await this.watcher.app(
      exe,
      (seen) => agrees(seen.tx_bytes, moved.tx, moved) && agrees(seen.rx_bytes, moved.rx, moved),
    );
    const shown = { tx: row?.tx_bytes ?? -1, rx: row?.rx_bytes ?? -1, pids: [...(row?.pids ?? [])].sort() };
    const told = {
      tx: agrees(shown.tx, moved.tx, moved) ? shown.tx : moved.tx,
      rx: agrees(shown.rx, moved.rx, moved) ? shown.rx : moved.rx,
    };
    expect(shown, exe).toEqual({ ...told, pids: [...pids].sort() });
  }

  /** Runs a pair to its end; both must have their row, whichever namespace they are in. */
  async expectPair(receiver: Agent, sender: Agent): Promise<[Done, Done]> {
    const [received, sent] = (await work(receiver, sender)) as [Done, Done];
    expect(sent.tx + sent.rx, 'traffic').toBeGreaterThan(0);
    // What one sent is what the other got: the wire between them loses nothing, though a full socket may.
    await this.expectRow(sender.exe, [sender.pid], { tx: sent.tx, rx: received.tx });
    await this.expectRow(receiver.exe, [receiver.pid], { tx: received.tx, rx: sent.tx });
    await sender.leave();
    await receiver.leave();
    return [received, sent];
  }

  /** Runs one agent to its end, which must have its row. */
  async expectAlone(agent: Agent): Promise<Done> {
    const [done] = (await work(agent)) as [Done];
    await this.expectRow(agent.exe, [agent.pid], done);
    await agent.leave();
    return done;
  }
}

/** Lets agents work, the first told first, and gives what each did. */
export async function work(...all: Agent[]): Promise<Done[]> {
  for (const agent of all) agent.go();
  return Promise.all(all.map(({ done }) => done));
}

/** Within 1 % of all that the process moved: a direction of nothing but ACKs is counted in segments, of which some carry options. */
function agrees(seen: number, told: number, moved: Moved): boolean {
  return Math.abs(seen - told) <= (moved.tx + moved.rx) * 0.01;
}
