// Turns flows that open or close into events: one each while they are few, else one event for an app's burst, renewed while it lasts. Bounded.

import type { FlowBurst, FlowRow, NetEvent } from '../model/snapshot.ts';
import { MAX_HOSTS } from '../model/snapshot.ts';

/** Flows of an app that get events of their own: so many in a tick, and within ten seconds. */
const LONE_A_TICK = 2;
const LONE = 5;
const LONE_MS = 10_000;
/** Apps that get events of their own in a tick; the others share one. */
const APPS_A_TICK = 5;
/** A burst ends after a pause of this length, and after a minute in any case: otherwise one event would hide when things happened. */
const PAUSE_MS = 10_000;
const LONGEST_MS = 60_000;

/** Apps that are remembered; quiet ones go first. */
const MAX_APPS = 256;
/** In place of an owner: all other apps, and flows that the snapshot doesn't list. */
const OTHERS = 'others';
const UNLISTED = 'unlisted';

/** An event of flows without its number and time, which the log gives it. */
export type FlowDraft = Pick<NetEvent, 'kind' | 'app' | 'domain' | 'interface' | 'flow' | 'burst'>;

/** What happened to an app recently. */
interface Recent {
  /** Event of the running burst; null without one. */
  id: string | null;
  burst: FlowBurst | null;
  last: number;
  readonly hosts: Set<string>;
  /** Events of single flows since `loneFrom`. */
  lone: number;
  loneFrom: number;
}

/** Makes the events of one kind. */
export class FlowBursts {
  readonly #kind: 'opened' | 'closed';
  readonly #put: (event: FlowDraft, replaces: string | null) => string;
  readonly #recent = new Map<string, Recent>();

  /** @param put adds an event to the log, or renews the one that it replaces; returns its id */
  constructor(kind: 'opened' | 'closed', put: (event: FlowDraft, replaces: string | null) => string) {
    this.#kind = kind;
    this.#put = put;
  }

  /** Takes the flows of a tick. @param unlisted how many more there were that the snapshot doesn't list @param now epoch ms */
  add(flows: readonly FlowRow[], unlisted: number, now: number): void {
    if (flows.length > 0) {
      const groups = [...byOwner(flows)];
      if (groups.length > APPS_A_TICK) groups.sort(([, a], [, b]) => b.length - a.length);
      for (const [owner, group] of groups.slice(0, APPS_A_TICK)) this.#addApp(owner, group, now);
      const others = groups.slice(APPS_A_TICK).flatMap(([, group]) => group);
      if (others.length > 0) this.#fold(OTHERS, others, others.length, now);
    }
    if (unlisted > 0) this.#fold(UNLISTED, [], unlisted, now);
    this.#forget(now);
  }

  #addApp(owner: string, flows: readonly FlowRow[], now: number): void {
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
      if (recent.hosts.size < MAX_HOSTS) recent.hosts.add(flow.host ?? flow.remote.address);
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
    if (this.#recent.size <= MAX_APPS) return;
    for (const [owner, { last }] of this.#recent) if (now - last > PAUSE_MS) this.#recent.delete(owner);
    for (const owner of this.#recent.keys()) {
      if (this.#recent.size <= MAX_APPS) break;
      this.#recent.delete(owner);
    }
  }
}

/** Flows by app, or by the reason for having none. */
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
