// The user's own rules: alerts for flows that a filter matches, when they appear, when they last, or when they move too much in a period.

import { compileFilter, type Filter } from '../filter/filter.ts';
import type { Severity } from '../model/alert.ts';
import { SUBJECT_FIELDS } from '../model/history.ts';
import type { AlertRule, RulePeriod } from '../model/options.ts';
import type { KnownAmount, WatchedTick, WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import { type Detector, type Finding, NOBODY, type Report, type Subject, subjectOf } from './finding.ts';
import { amount, moment, span } from './words.ts';

/** A rule that was checked. */
export interface WatchRule {
  readonly name: string;
  readonly filter: Filter;
  /** RX and TX of matching flows together that are too much in a period; null if it isn't about amounts. */
  readonly over: { readonly bytes: number; readonly per: RulePeriod } | null;
  /** How long some flow has to match without a break, ms; null for not at all. */
  readonly forMs: number | null;
  /** null for that of the kind. */
  readonly severity: Severity | null;
}

const HOUR_MS = 3_600_000;
/** Pairs of app and host, and hosts, that a rule tells of in an hour. */
const MOST_TOLD = 8192;
/** Above the highest number of a host. */
const HOST_NUMBERS = 1 << 18;
const PERIOD_WORDS: Readonly<Record<RulePeriod, string>> = {
  minute: 'this minute',
  hour: 'this hour',
  day: 'today',
  week: 'this week',
  month: 'this month',
};
/** A tick without a match ends a match; one that comes much later than the last says nothing of the time between. */
const LONGEST_TICK_MS = 10_000;

/** A clock that is set back further than this begins another period. */
const SET_BACK_MS = 60_000;

/** Where a rule stands. */
interface Standing {
  readonly rule: WatchRule;
  /** Bytes of this period, and of this tick. */
  sum: number;
  moved: number;
  /** End of the period, and when it began to be counted, epoch ms. */
  until: number;
  since: number;
  isOver: boolean;
  /** What history knows of the period that the run began in; null if it knows nothing, or once that is added. */
  before: KnownAmount | null;
  /** Since when there was a match at each tick; null without one at the last. */
  matchedSince: number | null;
  /** The flow that matched most in this tick. */
  subject: Subject | null;
  most: number;
}

/** Judges every flow that moves by each rule. */
export class Rules implements Detector {
  readonly #report: Report;
  readonly #isOwn: (flow: WatchFlow) => boolean;
  readonly #standings: readonly Standing[];
  /** By rule: apps and hosts that were told of in this hour, by their numbers; negative for a host, whoever talked to it. */
  readonly #told: readonly Set<number>[];
  #hour = 0;
  /** Until history has answered, sums are too small to judge. */
  #isKnown = false;
  #now = 0;

  /** @param isOwn whether the program itself talks: that counts, and else matches nothing */
  constructor(rules: readonly WatchRule[], report: Report, isOwn: (flow: WatchFlow) => boolean) {
    this.#report = report;
    this.#isOwn = isOwn;
    this.#told = rules.map(() => new Set());
    this.#standings = rules.map((rule) => ({
      ...{ rule, sum: 0, moved: 0, until: 0, since: 0, isOver: false, before: null, matchedSince: null, subject: null, most: -1 },
    }));
  }

  /** Takes what matching flows moved before this run, by the names of rules. */
  know(known: ReadonlyMap<string, KnownAmount>): void {
    this.#isKnown = true;
    for (const standing of this.#standings) standing.before = known.get(standing.rule.name) ?? null;
  }

  moved(flow: WatchFlow): void {
    const isOwn = this.#isOwn(flow);
    for (const [index, standing] of this.#standings.entries()) {
      const { filter, over, forMs } = standing.rule;
      if ((isOwn && over === null) || !filter.matches(flow, this.#now)) continue;
      const bytes = flow.movedRx + flow.movedTx;
      standing.moved += bytes;
      if (over === null && forMs === null) this.#matches(standing.rule, flow, this.#told[index] as Set<number>);
      else if (bytes > standing.most) {
        standing.most = bytes;
        standing.subject = subjectOf(flow);
      }
    }
  }

  tick({ time, intervalMs }: WatchedTick): void {
    const before = this.#now;
    this.#now = time;
    if (Math.abs(time - this.#hour) >= HOUR_MS) {
      this.#hour = time;
      for (const told of this.#told) told.clear();
    }
    for (const standing of this.#standings) {
      if (standing.rule.over !== null) this.#amount(standing, time, standing.rule.over);
      else if (standing.rule.forMs !== null) {
        const isBroken = standing.most < 0 || Math.abs(time - before) > Math.max(LONGEST_TICK_MS, 2 * intervalMs);
        if (isBroken) standing.matchedSince = null;
        this.#lasts(standing, time, intervalMs, standing.rule.forMs);
      }
      standing.moved = 0;
      standing.most = -1;
    }
  }

  #matches(rule: WatchRule, flow: WatchFlow, told: Set<number>): void {
    const anybody = -1 - flow.hostNumber;
    const key = flow.app === null ? anybody : flow.appNumber * HOST_NUMBERS + flow.hostNumber;
    if (told.has(key) || told.size >= MOST_TOLD) return;
    told.add(key).add(anybody); // the kernel's own packets to that host, such as ARP, are nothing new
    const subject = subjectOf(flow);
    const who = subject.app ?? 'A connection without an owner';
    this.#found(rule, subject, `${flow.app} ${flow.domain ?? flow.host}`, `${who} talks to ${subject.host}.`, []);
  }

  #amount(standing: Standing, time: number, { bytes, per }: NonNullable<WatchRule['over']>): void {
    const isSetBack = time < standing.since - SET_BACK_MS;
    if (time >= standing.until || isSetBack) {
      standing.since = standing.until === 0 || isSetBack ? time : standing.until;
      standing.until = rulePeriod(time, per).to;
      standing.sum = 0;
      standing.isOver = false;
    }
    standing.sum += standing.moved;
    if (!this.#isKnown) return;
    this.#addBefore(standing, bytes, per);
    if (standing.isOver || standing.sum <= bytes) return;
    standing.isOver = true;
    const subject = standing.subject ?? NOBODY;
    const text = `${amount(standing.sum)} moved ${PERIOD_WORDS[per]}; the limit is ${amount(bytes)}.`;
    this.#found(standing.rule, { ...subject, host: null, domain: null }, String(standing.until), text, [
      `counted since ${moment(standing.since)}`,
      ...(subject.app === null ? [] : [`moving most at that moment: ${subject.app} with ${subject.host}`]),
    ]);
  }

  /** An amount that was too much before this run was told of then. */
  #addBefore(standing: Standing, bytes: number, per: RulePeriod): void {
    const { before } = standing;
    standing.before = null;
    if (before === null || rulePeriod(before.from, per).to !== standing.until) return;
    standing.sum += before.bytes;
    standing.since = before.from;
    standing.isOver = before.bytes > bytes;
  }

  #lasts(standing: Standing, time: number, intervalMs: number, forMs: number): void {
    const { subject, rule } = standing;
    if (standing.most < 0 || subject === null) return;
    standing.matchedSince ??= time - Math.min(intervalMs, LONGEST_TICK_MS); // what matches at a tick moved in the interval before it
    const lasted = time - standing.matchedSince;
    if (lasted + intervalMs / 2 < forMs) return; // ticks come a little early or late
    const who = subject.app ?? 'a connection without an owner';
    this.#found(
      rule,
      subject,
      String(standing.matchedSince),
      `it has held for ${span(lasted)}, mostly because of ${who} with ${subject.host}.`,
      [],
    );
  }

  #found({ name, filter, severity }: WatchRule, subject: Subject, cause: string, text: string, details: readonly string[]): void {
    const finding: Finding = {
      kind: 'threshold',
      rule: name,
      ...(severity === null ? {} : { severity }),
      subject,
      cause: `${name} ${cause}`,
      quietMs: HOUR_MS,
      text: `${sanitize(name)}: ${text}`,
      details: [...details, `rule: when = ${sanitize(filter.text)}`],
      needsBaseline: false,
    };
    this.#report(finding);
  }
}

/** The period that a time lies in, epoch ms: by the user's clock, weeks from Monday. */
export function rulePeriod(time: number, per: RulePeriod): { readonly from: number; readonly to: number } {
  if (per === 'minute') {
    const from = Math.floor(time / 60_000) * 60_000;
    return { from, to: from + 60_000 };
  }
  const at = new Date(time);
  const [year, month, date] = [at.getFullYear(), at.getMonth(), at.getDate()];
  const between = (from: Date, to: Date) => ({ from: from.getTime(), to: to.getTime() });
  switch (per) {
    case 'hour': {
      // When clocks are set back, two hours have the same name.
      const from = at.getTime() - ((at.getMinutes() * 60 + at.getSeconds()) * 1000 + at.getMilliseconds());
      return { from, to: from + HOUR_MS };
    }
    case 'day':
      return between(new Date(year, month, date), new Date(year, month, date + 1));
    case 'week': {
      const monday = date - ((at.getDay() + 6) % 7);
      return between(new Date(year, month, monday), new Date(year, month, monday + 7));
    }
    case 'month':
      return between(new Date(year, month, 1), new Date(year, month + 1, 1));
  }
}

/** The fields of a rule about an amount that history's records lack: it counts from the start of each run. Empty for any other rule. */
export function unrecordedFields({ when, over }: Pick<AlertRule, 'when' | 'over'>): readonly string[] {
  const result = compileFilter(when);
  return over === null || !result.ok ? [] : result.filter.fields.filter((field) => !SUBJECT_FIELDS.includes(field));
}
