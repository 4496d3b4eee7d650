// Flows that open or close, as events: one by one while they are few, else folded by app into one event that goes on while the app does. Bounded.

import type { FlowBurst, FlowRow, NetEvent } from '../model/snapshot.ts';
import { MOST_HOSTS } from '../model/snapshot.ts';

/** Told one by one: as many of an app in a tick, and within ten seconds. */
const LONE_A_TICK = 2;
const LONE = 5;
const LONE_MS = 10_000;
/** Apps that have a say of their own in a tick; the others have one in common. */
const APPS_A_TICK = 5;
/** A burst goes on while no pause is longer than this, and begins anew after a minute, so that the log keeps times apart. */
const PAUSE_MS = 10_000;
const LONGEST_MS = 60_000;

/** Apps that are remembered; those that were silent go first. */
const MOST_APPS = 256;
/** Owners that are neither an app nor a reason: those of all other apps, and of flows of which nothing is known. */
const OTHERS = 'others';
const UNLISTED = 'unlisted';

/** What an event of flows is made of; who keeps the log gives it its number and time. */
export type FlowTold = Pick<NetEvent, 'kind' | 'app' | 'domain' | 'interface' | 'flow' | 'burst'>;

/** What is remembered of an app. */
interface Recent {
  /** Event that the running burst is told by; null while none runs. */
  id: string | null;
  burst: FlowBurst | null;
  last: number;
  readonly hosts: Set<string>;
  /** Told one by one since `loneFrom`. */
  lone: number;
  loneFrom: number;
}

/** Decides for one kind of event how its flows are told. */
export class FlowBursts {
  readonly #kind: 'opened' | 'closed';
  readonly #put: (told: FlowTold, replaces: string | null) => string;
  readonly #recent = new Map<string, Recent>();

  /** @param put takes an event, in the place of one that it replaces, and tells its id */
  constructor(kind: 'opened' | 'closed', put: (told: FlowTold, replaces: string | null) => string) {
    this.#kind = kind;
    this.#put = put;
  }

  /** Tells the flows of a tick. @param unlisted how many more there were, of which nothing is known. @param now epoch ms */
  tell(flows: readonly FlowRow[], unlisted: number, now: number): void {
    if (flows.length > 0) {
      const groups = [...byOwner(flows)];
      if (groups.length > APPS_A_TICK) groups.sort(([, a], [, b]) => b.length - a.length);
      for (const [owner, group] of groups.slice(0, APPS_A_TICK)) this.#tellApp(owner, group, now);
      const others = groups.slice(APPS_A_TICK).flatMap(([, group]) => group);
      if (others.length > 0) this.#fold(OTHERS, others, others.length, now);
    }
    if (unlisted > 0) this.#fold(UNLISTED, [], unlisted, now);
    this.#forget(now);
  }

  #tellApp(owner: string, flows: readonly FlowRow[], now: number): void {
    const recent = this.#of(owner, now);
    if (now - recent.loneFrom >= LONE_MS) {
      recent.lone = 0;
      recent.loneFrom = now;
    }
    const isFew = flows.length <= LONE_A_TICK && recent.lone + flows.length <= LONE;
    if (!isFew || isRunning(recent, now)) {
      this.#fold(owner, flows, flows.length, now);
      return;
    }
    recent.lone += flows.length;
    recent.last = now;
    for (const flow of flows)
      this.#put({ kind: this.#kind, app: flow.app, domain: flow.domain, interface: flow.interface, flow, burst: null }, null);
  }

  #fold(owner: string, flows: readonly FlowRow[], count: number, now: number): void {
    const recent = this.#of(owner, now);
    const isNew = !isRunning(recent, now);
    if (isNew) recent.hosts.clear();
    const before = isNew || recent.burst === null ? { count: 0, rxBytes: 0, txBytes: 0, since: now } : recent.burst;
    let { rxBytes, txBytes } = before;
    for (const flow of flows) {
      rxBytes += flow.rxBytes;
      txBytes += flow.txBytes;
      if (recent.hosts.size < MOST_HOSTS) recent.hosts.add(flow.host ?? flow.remote.address);
    }
    const [host = null] = recent.hosts.size === 1 ? recent.hosts : [];
    const of = owner === OTHERS || owner === UNLISTED ? owner : 'app';
    const { app, reason } = of === 'app' && flows[0] !== undefined ? flows[0] : { app: null, reason: null };
    const burst: FlowBurst = {
      ...{ of, reason, count: before.count + count, host, hosts: recent.hosts.size },
      ...{ since: before.since, rxBytes, txBytes },
    };
    recent.burst = burst;
    recent.last = now;
    recent.id = this.#put({ kind: this.#kind, app, domain: null, interface: null, flow: null, burst }, isNew ? null : recent.id);
  }

  #of(owner: string, now: number): Recent {
    let recent = this.#recent.get(owner);
    if (recent === undefined) {
      recent = { id: null, burst: null, last: now, hosts: new Set(), lone: 0, loneFrom: now };
      this.#recent.set(owner, recent);
    }
    return recent;
  }

  #forget(now: number): void {
    if (this.#recent.size <= MOST_APPS) return;
    for (const [owner, { last }] of this.#recent) if (now - last > PAUSE_MS) this.#recent.delete(owner);
    for (const owner of this.#recent.keys()) {
      if (this.#recent.size <= MOST_APPS) break;
      this.#recent.delete(owner);
    }
  }
}

/** Flows by app, or by the reason for which they have none. */
function byOwner(flows: readonly FlowRow[]): Map<string, FlowRow[]> {
  const groups = new Map<string, FlowRow[]>();
  for (const flow of flows) {
    const owner = flow.app === null ? `reason ${flow.reason}` : `app ${flow.app}`;
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [flow]);
    else group.push(flow);
  }
  return groups;
}

function isRunning({ burst, last }: Recent, now: number): boolean {
  return burst !== null && now >= last && now - last <= PAUSE_MS && now - burst.since < LONGEST_MS;
}
