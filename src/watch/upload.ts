// Finds an app that sends far more in an hour than it ever did. Hours are cut by the clock. What it sent before this run began counts as far as
// history knows it.

import type { WatchedTick } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import type { AppBaseline, Baseline } from './baseline.ts';
import { type Detector, NOBODY, type Report } from './finding.ts';
import { amount, span } from './words.ts';

const HOUR_MS = 3_600_000;
/** So many times the most of one hour until now is unusual. */
const TIMES = 4;
/** What is usual in an hour can't be said before so much time with an app was recorded. Without history, it isn't compared before. */
const FEW_HOURS_MS = 3 * HOUR_MS;
const MOST_APPS = 4096;

/** Compares each app's hour with its own past. */
export class Uploads implements Detector {
  readonly #baseline: Baseline;
  readonly #report: Report;
  readonly #floor: number;
  readonly #sent = new Map<string, number>();
  #hour = Number.NaN;

  /** @param floor bytes in an hour below which nothing is unusual */
  constructor(baseline: Baseline, report: Report, floor: number) {
    this.#baseline = baseline;
    this.#report = report;
    this.#floor = floor;
  }

  sent(app: string, bytes: number): void {
    const before = this.#sent.get(app) ?? 0;
    if (before === 0 && this.#sent.size >= MOST_APPS) return;
    this.#sent.set(app, before + bytes);
    const known = this.#baseline.app(app);
    if (known === null) return;
    const earlier = this.#earlier(known);
    const sum = earlier + before + bytes;
    const usual = this.#usual(known);
    const most = Math.max(this.#floor, usual * TIMES);
    // Too much before this run is what an earlier one told of.
    if (sum < most || earlier >= most) return;
    const isLearnt = this.#baseline.isAppLearnt(app, this.#baseline.knowledge === 'run' ? FEW_HOURS_MS : undefined);
    if (isLearnt) this.#found(app, sum, usual);
  }

  tick({ time }: WatchedTick): void {
    const hour = Math.floor(time / HOUR_MS);
    if (Number.isNaN(this.#hour)) this.#hour = hour;
    if (hour === this.#hour) return;
    for (const [app, bytes] of this.#sent) {
      const known = this.#baseline.app(app);
      if (known !== null) known.peakTx = Math.max(known.peakTx, this.#earlier(known) + bytes);
    }
    this.#sent.clear();
    this.#hour = hour;
  }

  /** The most that an app sent in an hour that has ended. */
  #usual({ hour, hourTx, peakTx }: AppBaseline): number {
    return hour === this.#hour ? peakTx : Math.max(peakTx, hourTx);
  }

  /** What an app sent in this hour before the run. */
  #earlier({ hour, hourTx }: AppBaseline): number {
    return hour === this.#hour ? hourTx : 0;
  }

  #found(app: string, bytes: number, usual: number): void {
    const name = sanitize(app);
    const knownMs = this.#baseline.knownMs(app);
    const known =
      knownMs < FEW_HOURS_MS
        ? `it has been watched for ${span(knownMs)}, too short to say what is usual`
        : usual === 0
          ? 'it usually sends nothing'
          : `usual is ${amount(usual)} at most`;
    this.#report({
      kind: 'upload',
      subject: { ...NOBODY, app: name },
      cause: app,
      quietMs: HOUR_MS,
      text: `${name} sent ${amount(bytes)} this hour; ${known}.`,
      details: [
        `sent since the hour began: ${amount(bytes)}, so far`,
        `most in one hour until now: ${amount(usual)}`,
        `expected: less than ${amount(Math.max(this.#floor, usual * TIMES))}`,
      ],
      needsBaseline: true,
    });
  }
}
