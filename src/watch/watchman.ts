// The watchman: hears from the feed what flows do, lets detectors look at it, and makes alerts of what they find, one for each cause. It decides
// whether an alert is held back, and leaves delivery to others. Time is what ticks say, so that a replay is judged by its own clock.

import { compileFilter } from '../filter/filter.ts';
import { type Alert, type AlertKind, type Held, type Mute, type Severity, silences } from '../model/alert.ts';
import type { WatchRecords } from '../model/history-batch.ts';
import type { AlertRule } from '../model/options.ts';
import type { Policy } from '../model/policy.ts';
import { NO_ALERTS } from '../model/snapshot.ts';
import type { KnownAmounts, KnownBaseline, WatchedTick, Watcher, WatchFlow } from '../model/watch.ts';
import { Baseline } from './baseline.ts';
import { Beacons } from './beacon.ts';
import { Budgets, type WatchedBudget } from './budget.ts';
import { NewContacts } from './contacts.ts';
import { DnsTunnels } from './dns-tunnel.ts';
import type { Detector, Finding } from './finding.ts';
import { Losses } from './losses.ts';
import { PolicyDrift } from './policy-drift.ts';
import { Rules, type WatchRule } from './rules.ts';
import { Scans } from './scan.ts';
import { Uploads } from './upload.ts';
import { several } from './words.ts';

/** How each kind is raised unless the settings say otherwise. */
export const SEVERITY_OF: Readonly<Record<AlertKind, Severity>> = {
  'new-app': 'warning',
  'new-domain': 'info',
  'new-country': 'warning',
  'new-network': 'info',
  'new-inbound': 'warning',
  upload: 'warning',
  beacon: 'warning',
  scan: 'warning',
  'dns-tunnel': 'warning',
  policy: 'warning',
  threshold: 'warning',
  budget: 'warning',
  'capture-loss': 'warning',
  'recorder-stopped': 'warning',
};

/** Alerts that a run keeps. */
const MOST_ALERTS = 500;
/** Alerts in a minute; more are counted and left out. */
const MOST_A_MINUTE = 30;
const MINUTE_MS = 60_000;
/** Causes that are remembered. */
const MOST_CAUSES = 4096;
/** Alerts that wait for history. */
const MOST_WAITING = 1000;

/** What a watchman works with. */
export interface WatchmanParts {
  /** Time to learn what is usual, ms. */
  readonly learnMs: number;
  /** Bytes that any app may send in an hour. */
  readonly uploadFloor: number;
  /** Kinds that the user turned off, or raised or lowered. */
  readonly kinds: Readonly<Partial<Record<AlertKind, 'off' | Severity>>>;
  /** The user's own; their filters compile. */
  readonly rules: readonly AlertRule[];
  /** Begins the ids of this run's alerts; no other run has it. */
  readonly run: string;
  /** Of hashes. */
  readonly seed: number;
  /** null if the user set none. */
  readonly budget: WatchedBudget | null;
  /** What apps may reach, now: it may be added to. null judges nothing. */
  readonly policy: (() => Policy) | null;
  /** Whether a pid is that of the run's messenger: an alert that sends one is none. */
  readonly isMessenger: (pid: number) => boolean;
  /** Has the packets behind an alert written to a file. @returns its path; null if there is none */
  readonly evidence: ((alert: Omit<Alert, 'evidence'>) => string | null) | null;
  /** What is silenced now. */
  readonly mutes: () => readonly Mute[];
  /** Takes each alert as it is raised. */
  readonly raised: (alert: Alert) => void;
}

/** Watches a run. */
export class Watchman implements Watcher {
  readonly baseline: Baseline;
  readonly #parts: WatchmanParts;
  readonly #detectors: readonly Detector[];
  readonly #budget: Budgets | null;
  readonly #rules: Rules | null;
  readonly wantsMoved: boolean;
  /** Until when a cause stays the same, by kind and cause; in the order of the last finding. */
  readonly #causes = new Map<string, number>();
  #found: Finding[] = [];
  #alerts: readonly Alert[] = NO_ALERTS;
  readonly #told = new Set<AlertKind>();
  #forHistory: Alert[] = [];
  #serial = 0;
  #minute = { begun: Number.NEGATIVE_INFINITY, count: 0, left: 0 };

  constructor(parts: WatchmanParts) {
    this.#parts = parts;
    this.baseline = new Baseline(parts.learnMs, parts.seed);
    const report = (finding: Finding) => void this.#found.push(finding);
    this.#budget = parts.budget === null ? null : new Budgets(parts.budget, report);
    this.#rules = parts.rules.length === 0 ? null : new Rules(parts.rules.map(compiled), report, (flow) => this.#isOwn(flow));
    this.#detectors = [
      new NewContacts(this.baseline, report),
      new Uploads(this.baseline, report, parts.uploadFloor),
      new Beacons(this.baseline, report),
      new Scans(report),
      new DnsTunnels(report),
      new Losses(report),
      ...(this.#budget === null ? [] : [this.#budget]),
      ...(this.#rules === null ? [] : [this.#rules]),
      ...(parts.policy === null ? [] : [new PolicyDrift(parts.policy, report)]),
    ];
    this.wantsMoved = this.#detectors.some(({ moved }) => moved !== undefined);
  }

  /** Takes what history knows; null if there is none. Until then what is new waits. */
  know(known: KnownBaseline | null): void {
    this.baseline.know(known);
  }

  /** Takes what was moved before this run; null if nobody knows. Until then budget and rules about amounts wait. */
  knowAmounts(known: KnownAmounts | null): void {
    this.#budget?.know(known?.budget ?? 0);
    this.#rules?.know(known?.rules ?? new Map());
  }

  /** Kinds of the alerts so far, but for learning and muted ones. */
  get told(): ReadonlySet<AlertKind> {
    return this.#told;
  }

  met(flow: WatchFlow): void {
    if (this.#isOwn(flow)) return;
    for (const detector of this.#detectors) detector.met?.(flow);
  }

  began(flow: WatchFlow): void {
    if (this.#isOwn(flow)) return;
    for (const detector of this.#detectors) detector.began?.(flow);
  }

  renamed(flow: WatchFlow, app: number, host: number): void {
    if (this.#isOwn(flow)) return;
    for (const detector of this.#detectors) detector.renamed?.(flow, app, host);
  }

  answered(flow: WatchFlow): void {
    if (this.#isOwn(flow)) return;
    for (const detector of this.#detectors) detector.answered?.(flow);
  }

  left(flow: WatchFlow): void {
    if (this.#isOwn(flow)) return;
    for (const detector of this.#detectors) detector.left?.(flow);
  }

  asked(flow: WatchFlow): void {
    if (this.#isOwn(flow)) return;
    for (const detector of this.#detectors) detector.asked?.(flow);
  }

  moved(flow: WatchFlow): void {
    for (const detector of this.#detectors) detector.moved?.(flow);
  }

  sent(app: string, bytes: number): void {
    for (const detector of this.#detectors) detector.sent?.(app, bytes);
  }

  tick(now: WatchedTick): readonly Alert[] {
    this.baseline.tick(now.time, now.started);
    for (const detector of this.#detectors) detector.tick?.(now);
    if (this.#found.length === 0) return this.#alerts;
    const found = this.#found;
    this.#found = [];
    const raised = found.flatMap((finding) => this.#raise(finding, now.time) ?? []);
    if (raised.length > 0) this.#alerts = [...this.#alerts, ...raised].slice(-MOST_ALERTS);
    return this.#alerts;
  }

  /** Alerts and first contacts since the last call, for history; null for none. */
  takeForHistory(): WatchRecords | null {
    const alerts = this.#forHistory;
    const contacts = this.baseline.takeContacts();
    if (alerts.length === 0 && contacts.length === 0) return null;
    this.#forHistory = [];
    return { alerts, contacts, deliveries: [] };
  }

  #isOwn({ pid }: WatchFlow): boolean {
    return pid !== null && this.#parts.isMessenger(pid);
  }

  #raise(finding: Finding, time: number): Alert | null {
    const { kind, subject, text, quietMs } = finding;
    const setting = this.#parts.kinds[kind];
    if (setting === 'off' || this.#isSameCause(`${kind} ${finding.cause}`, time, quietMs)) return null;
    const left = this.#takeRoom(time);
    if (left === null) return null;
    const details = left === 0 ? finding.details : [...finding.details, leftOut(left)];
    const found: Omit<Alert, 'evidence'> = {
      id: `${this.#parts.run}-${++this.#serial}`,
      time,
      kind,
      ...(finding.rule === undefined ? {} : { rule: finding.rule }),
      severity: setting ?? finding.severity ?? SEVERITY_OF[kind],
      ...subject,
      text,
      details: this.#isAlone(finding) ? [...details, 'only this run is known: there is no history to compare with'] : details,
      held: this.#held(finding, time),
    };
    const alert: Alert = { ...found, evidence: this.#parts.evidence?.(found) ?? null };
    if (alert.held === null || alert.held === 'no history') this.#told.add(kind);
    if (this.#forHistory.length < MOST_WAITING) this.#forHistory.push(alert);
    this.#parts.raised(alert);
    return alert;
  }

  /** True while a cause was raised before. A cause that goes on stays quiet for as long as it does. */
  #isSameCause(cause: string, time: number, quietMs: number): boolean {
    const until = this.#causes.get(cause);
    this.#causes.delete(cause);
    this.#causes.set(cause, time + quietMs);
    if (this.#causes.size > MOST_CAUSES) this.#causes.delete(this.#causes.keys().next().value as string);
    // A clock that was far ahead must not silence a cause for years.
    return until !== undefined && time < until && until - time <= 2 * quietMs;
  }

  /** @returns how many alerts were left out in the minute before; null if there is no room in this one */
  #takeRoom(time: number): number | null {
    const minute = this.#minute;
    if (Math.abs(time - minute.begun) >= MINUTE_MS) this.#minute = { begun: time, count: 0, left: minute.left };
    if (this.#minute.count >= MOST_A_MINUTE) {
      this.#minute.left++;
      return null;
    }
    this.#minute.count++;
    const { left } = this.#minute;
    this.#minute.left = 0;
    return left;
  }

  #isAlone(finding: Finding): boolean {
    return finding.needsBaseline && this.baseline.knowledge === 'run';
  }

  #held(finding: Finding, time: number): Held {
    const about = { ...finding, ...finding.subject };
    if (this.#parts.mutes().some((mute) => silences(mute, about, time))) return 'muted';
    if (this.#isAlone(finding)) return 'no history';
    return finding.needsBaseline && !this.baseline.isLearnt ? 'learning' : null;
  }
}

function leftOut(count: number): string {
  return `${several(count, 'more alert')} ${count === 1 ? 'was' : 'were'} left out in the minute before`;
}

function compiled({ when, ...rule }: AlertRule): WatchRule {
  const result = compileFilter(when);
  if (!result.ok) throw new Error(`the rule ${rule.name} was not checked: ${result.message}`);
  return { ...rule, filter: result.filter };
}
