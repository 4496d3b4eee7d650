// Decides when alerts are delivered: at once, after quiet hours, or when the rate allows. It knows neither channels nor texts.

import type { Severity } from '../model/alert.ts';
import type { PacingPlan, QuietHours } from '../model/delivery.ts';

/** Quiet hours and a rate limit. Time is what the caller says, epoch ms; clocks that jump delay nothing for longer than the plan says. */
export class Pacing {
  readonly #plan: PacingPlan;
  /** Times of the latest messages, oldest first; at most as many as the rate allows. */
  readonly #sent: number[] = [];

  constructor(plan: PacingPlan) {
    this.#plan = plan;
  }

  /**
   * When a message may be delivered: `now`, or the later time at which to ask again.
   *
   * Critical alerts are delivered in quiet hours too.
   */
  when(now: number, severity: Severity): number {
    const { quiet, most, perMs } = this.#plan;
    if (quiet !== null && this.isQuiet(now, severity)) return endOfQuiet(now, quiet) as number;
    while (this.#sent.length > 0 && !isWithin(this.#sent[0] as number, now, perMs)) this.#sent.shift();
    return this.#sent.length < most ? now : (this.#sent[0] as number) + perMs;
  }

  /** Whether a message has to wait for the end of quiet hours. */
  isQuiet(now: number, severity: Severity): boolean {
    const { quiet } = this.#plan;
    return quiet !== null && severity !== 'critical' && endOfQuiet(now, quiet) !== null;
  }

  /** Counts a message. */
  sent(now: number): void {
    this.#sent.push(now);
    if (this.#sent.length > this.#plan.most) this.#sent.shift();
  }
}

/** A message of the future was sent before the clock was set back. */
function isWithin(sent: number, now: number, perMs: number): boolean {
  return sent <= now && now < sent + perMs;
}

/** When the quiet hours around `now` end, epoch ms; null outside of them. Days of 23 and 25 hours are taken into account. */
function endOfQuiet(now: number, { from, to }: QuietHours): number | null {
  const date = new Date(now);
  const minute = date.getHours() * 60 + date.getMinutes();
  const isQuiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  if (!isQuiet) return null;
  const end = new Date(now);
  if (minute >= to) end.setDate(end.getDate() + 1);
  end.setHours(Math.floor(to / 60), to % 60, 0, 0);
  return end.getTime() > now ? end.getTime() : now + 60_000;
}
