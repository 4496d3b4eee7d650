// The log of events: what is new in a snapshot compared with the one before. Bounded. Flows have their own share, or a port scan would drive
// out what matters more; many flows of an app make one event.

import { nobodyWarning } from '../model/privileges.ts';
import {
  type AppRow,
  type EventKind,
  type FlowRow,
  type HostRow,
  type NetEvent,
  RECENT_MS,
  type Snapshot,
} from '../model/snapshot.ts';
import { droppedText } from '../net/counted.ts';
import { FlowBursts, type FlowDraft } from './flow-bursts.ts';

/** Events of flows that are kept, for an hour at most, and events of anything else. */
const FLOW_EVENTS = 2000;
const FLOW_EVENTS_MS = 3_600_000;
const OTHER_EVENTS = 500;
/** Closed flows that are remembered beyond those in the snapshot. */
const SPARE = 64;
/** Without history, anything met this soon after the start counts as known. */
const LEARN_MS = 60_000;
/** Shortest time between two events about losses. */
const LOSS_MS = 10_000;

/** Between the notes of a capture. */
const JOINED = '; ';

/** Whether an earlier run met a name; null if nobody knows. */
export type KnownHistory = (kind: 'app' | 'domain', name: string) => boolean | null;

type Before = Omit<Snapshot, 'events' | 'alerts'>;

/** Compares each snapshot with the one before. */
export class EventLog {
  /** null while history is being asked: names wait. */
  #known: KnownHistory | null;
  /** The next snapshot is checked row by row, even rows that didn't change. */
  #afresh = false;
  /** What to log about known history; empty once it is logged. */
  #word = '';
  readonly #apps = new KnownNames();
  readonly #domains = new KnownNames();
  /** When a new app or domain was met, epoch ms, oldest first. */
  readonly #firstMet = { app: new Map<string, number>(), domain: new Map<string, number>() };
  readonly #opened = new FlowBursts('opened', (event, replaces) => this.#putFlows(event, replaces));
  readonly #closings = new FlowBursts('closed', (event, replaces) => this.#putFlows(event, replaces));
  /** Events since the list was made. */
  #fresh: NetEvent[] = [];
  #all: readonly NetEvent[] = [];
  #serial = 0;
  #before: Before | null = null;
  /** Flows whose end is logged. Those that snapshots no longer list are dropped now and then. */
  readonly #closed = new Set<string>();
  #created = 0;
  #newest = 0;
  #time = 0;
  #lost = { loggedAt: Number.NEGATIVE_INFINITY, kernel: 0, own: 0 };

  /** @param known null: `setKnownHistory` will tell, and until then nothing is new */
  constructor(known: KnownHistory | null = () => null) {
    this.#known = known;
  }

  /** Takes what earlier runs met. @param word what the log says of it */
  setKnownHistory(known: KnownHistory, word: string): void {
    this.#known = known;
    this.#word = word;
    this.#afresh = true;
  }

  /** True for an app or domain that was met for the first time within RECENT_MS. */
  isNew(kind: 'app' | 'domain', name: string | null): boolean {
    const met = name === null ? undefined : this.#firstMet[kind].get(name);
    return met !== undefined && Math.abs(this.#time - met) <= RECENT_MS;
  }

  /** Adds an event from elsewhere, such as an export, with the time of the last tick. */
  tell(kind: EventKind, text: string): void {
    this.#put(kind, { text });
    this.#all = this.#bounded();
  }

  /**
   * Takes the next snapshot.
   *
   * @param created flows ever created
   * @returns all events, oldest first; the same list while nothing happens
   */
  next(now: Before, created: number): readonly NetEvent[] {
    this.#time = now.time;
    this.#capture(now);
    this.#names(now);
    this.#flowsOf(now, created);
    this.#before = now;
    if (this.#fresh.length > 0) this.#all = this.#bounded();
    return this.#all;
  }

  #capture(now: Before): void {
    const { capture } = now;
    const before = this.#before?.capture;
    if (before === undefined) {
      this.#put('start', {
        text: `${capture.driver} on ${capture.interfaces.join(' ') || 'no interface yet'}, owners by ${capture.attribution}`,
      });
      const warning = nobodyWarning(capture.privileges);
      if (warning !== '') this.#put('warning', { text: warning });
    } else {
      if (before.driver !== capture.driver)
        this.#put('warning', { text: `capture switched from ${before.driver} to ${capture.driver}` });
      if (before.attribution !== capture.attribution)
        this.#put('warning', { text: `owners now come from ${capture.attribution} instead of ${before.attribution}` });
      for (const name of capture.interfaces)
        if (!before.interfaces.includes(name)) this.#put('interface', { text: 'is now captured', interface: name });
      for (const name of before.interfaces)
        if (!capture.interfaces.includes(name)) this.#put('interface', { text: 'is no longer captured', interface: name });
    }
    for (const { driver, reason } of capture.fallbacks)
      if (before?.fallbacks.some((old) => old.driver === driver && old.reason === reason) !== true)
        this.#put('fallback', { text: `${driver} can't be used: ${reason}` });
    this.#notes(before?.note ?? '', capture.note);
    for (const { from, to, reason, detail } of now.gaps)
      this.#put('gap', {
        text: `${Math.round((to - from) / 1000)} s not measured: ${reason}${detail === '' ? '' : `, ${detail}`}`,
      });
    this.#recording(now);
    this.#losses(now);
  }

  /** A note may join several: what is new of it is told, and when nothing is, what has ended. */
  #notes(before: string, now: string): void {
    const [old, present] = [before.split(JOINED), now.split(JOINED)];
    const fresh = present.filter((note) => !old.includes(note)).join(JOINED);
    const gone = old.filter((note) => !present.includes(note)).join(JOINED);
    if (fresh !== '') this.#put('warning', { text: fresh });
    else if (gone !== '') this.#put('warning', { text: `resolved: ${gone}` });
  }

  #recording({ capture: { history } }: Before): void {
    const before = this.#before?.capture.history ?? null;
    if (history?.state === before?.state && history?.note === before?.note) return;
    // The event's kind says "recording" already.
    const isWell = history?.state === 'recording';
    const plain = history === null ? 'has ended' : !isWell ? history.state : before === null ? 'has begun' : 'has resumed';
    const note = history?.note ?? '';
    this.#put('recording', { text: note === '' ? plain : isWell ? note : `${plain}: ${note}` });
  }

  #losses({ time, capture, flowsEvicted }: Before): void {
    const before = this.#before;
    if (before === null) return;
    const grown = (is: number | null, was: number | null): number => Math.max(0, (is ?? 0) - (was ?? 0));
    this.#lost.kernel += grown(capture.dropped, before.capture.dropped);
    this.#lost.own += grown(capture.shed, before.capture.shed);
    const text = droppedText(this.#lost);
    if (text !== '' && time - this.#lost.loggedAt >= LOSS_MS) {
      this.#put('warning', { text });
      this.#lost = { loggedAt: time, kernel: 0, own: 0 };
    }
    if (before.flowsEvicted === 0 && flowsEvicted > 0)
      this.#put('warning', { text: 'too many connections: the oldest leave the list, their bytes stay in the totals' });
  }

  #names(now: Before): void {
    const known = this.#known;
    if (known === null) return;
    const learning = now.time - now.started < LEARN_MS;
    const before = this.#afresh ? null : this.#before;
    this.#afresh = false;
    if (this.#word !== '') this.#put('start', { text: this.#word });
    this.#word = '';
    for (let i = 0; i < now.apps.length; i++) {
      const row = now.apps[i] as AppRow;
      if (row === before?.apps[i] || row.app === null || this.#apps.meet(row.app)) continue;
      this.#met('app', row.app, known('app', row.app), now, learning);
    }
    for (let i = 0; i < now.hosts.length; i++) {
      const row = now.hosts[i] as HostRow;
      if (row === before?.hosts[i] || row.domain === null || this.#domains.meet(row.domain)) continue;
      this.#met('domain', row.domain, known('domain', row.domain), now, learning);
    }
  }

  /** @param known whether an earlier run met it; null if nobody knows */
  #met(kind: 'app' | 'domain', name: string, known: boolean | null, now: Before, learning: boolean): void {
    if (known === true) return;
    const flow = now.flows.find((each) => (kind === 'app' ? each.app === name : each.domain === name)) ?? null;
    // Of a local flow, history keeps only the owner, not the app at the far end.
    const isPeer = kind === 'app' && flow === null && now.flows.some(({ peerApp }) => peerApp === name);
    const isUnknown = known === null || isPeer;
    if (isUnknown && learning) return;
    const text = isUnknown ? 'new in this run' : '';
    const met = this.#firstMet[kind];
    if (met.size >= OTHER_EVENTS) met.delete(met.keys().next().value as string);
    met.set(name, now.time);
    if (kind === 'app') this.#put('new app', { text, app: name, flow });
    else this.#put('new domain', { text, app: flow?.app ?? null, domain: name, flow });
  }

  #flowsOf(now: Before, created: number): void {
    const opened: FlowRow[] = [];
    const closed: FlowRow[] = [];
    let newest = this.#newest;
    for (const flow of now.flows) {
      if (flow.closed && !this.#closed.has(flow.id)) {
        this.#closed.add(flow.id);
        closed.push(flow);
      }
      const serial = Number(flow.id);
      if (serial > this.#newest) opened.push(flow);
      if (serial > newest) newest = serial;
    }
    const first = this.#before === null;
    const count = created - this.#created;
    if (this.#closed.size > 2 * now.flows.length + SPARE) this.#forgetClosed(now.flows);
    this.#newest = newest;
    this.#created = created;
    if (first) return; // these were there when the run began: nobody knows when they opened
    this.#opened.add(opened, Math.max(0, count - opened.length), now.time);
    this.#closings.add(closed, 0, now.time);
  }

  #forgetClosed(flows: readonly FlowRow[]): void {
    this.#closed.clear();
    for (const flow of flows) if (flow.closed) this.#closed.add(flow.id);
  }

  /** @param replaces id of the event that this one renews @returns its id */
  #putFlows(event: FlowDraft, replaces: string | null): string {
    const id = replaces ?? `event:${++this.#serial}`;
    this.#fresh.push({ ...event, id, time: this.#time, text: '' });
    return id;
  }

  #put(kind: EventKind, { text = '', app = null, domain = null, interface: name = null, flow = null }: Partial<NetEvent>): void {
    const subject = { app, domain, interface: name, flow, burst: null };
    this.#fresh.push({ id: `event:${++this.#serial}`, time: this.#time, kind, text, ...subject });
  }

  /** The list with the fresh events, less the oldest of either share that has too many. */
  #bounded(): readonly NetEvent[] {
    const newestFirst: NetEvent[] = [];
    const renewed = new Set<string>();
    let flows = FLOW_EVENTS;
    let others = OTHER_EVENTS;
    for (const list of [this.#fresh, this.#all])
      for (let i = list.length - 1; i >= 0; i--) {
        const event = list[i] as NetEvent;
        if (event.burst !== null) {
          if (renewed.has(event.id)) continue;
          renewed.add(event.id);
        }
        const isFlows = event.kind === 'opened' || event.kind === 'closed';
        const hasRoom = isFlows ? this.#time - event.time <= FLOW_EVENTS_MS && flows-- > 0 : others-- > 0;
        if (hasRoom) newestFirst.push(event);
      }
    this.#fresh = [];
    return newestFirst.reverse();
  }
}

/** Apps that are remembered, and domains. */
export const NAMES = 32_768;

/** A set of names that never fills up: it keeps two generations, and forgets a name only after thousands of others were met since. */
export class KnownNames {
  readonly #generation: number;
  #newer = new Set<string>();
  #former = new Set<string>();

  /** @param generation names of a generation; two are kept */
  constructor(generation = NAMES / 2) {
    this.#generation = generation;
  }

  /** Adds a name. @returns true if it was met before */
  meet(name: string): boolean {
    if (this.#newer.has(name)) return true;
    const wasMet = this.#former.has(name);
    if (this.#newer.size >= this.#generation) {
      this.#former = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(name);
    return wasMet;
  }
}
