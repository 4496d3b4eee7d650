// Tells of alerts outside of the screen: hands them to the messenger, and has the terminal notify.

import type { Messenger } from '../messenger/client.ts';
import { messageOf } from '../messenger/message.ts';
import { Pacing } from '../messenger/pacing.ts';
import { type Alert, type AlertDelivery, alertFields } from '../model/alert.ts';
import type { MessengerStatus, PacingPlan } from '../model/delivery.ts';
import type { Clock } from '../system/clock.ts';

/** What notices work with. */
export interface NoticesParts {
  /** null if nothing leaves the program. */
  readonly messenger: Messenger | null;
  /** Notifies through the terminal; null if it isn't to. */
  readonly ring: ((title: string, text: string) => void) | null;
  /** Of the terminal. */
  readonly pacing: PacingPlan;
  readonly clock: Clock;
}

/** Where a run's alerts go. */
export class Notices {
  readonly #parts: NoticesParts;
  readonly #pacing: Pacing;
  /** Alerts of one tick become one notification of the terminal. */
  #ringing: Alert[] = [];

  constructor(parts: NoticesParts) {
    this.#parts = parts;
    this.#pacing = new Pacing(parts.pacing);
  }

  /** The messenger; null if there is none. */
  get status(): MessengerStatus | null {
    return this.#parts.messenger?.status ?? null;
  }

  /** Tells of an alert, unless it is held. */
  raise(alert: Alert): void {
    if (alert.held !== null) return;
    const { messenger, ring } = this.#parts;
    messenger?.deliver(alert);
    if (ring !== null && this.#ringing.push(alert) === 1) queueMicrotask(() => this.#notify());
  }

  /** What became of alerts since the last call, for history. */
  takeDeliveries(): readonly AlertDelivery[] {
    return this.#parts.messenger?.takeDeliveries() ?? [];
  }

  /** Quiet hours and the rate hold here, too; what they leave out is on the screen. */
  #notify(): void {
    const { severity, title, text } = messageOf(this.#ringing.map(alertFields));
    this.#ringing = [];
    const now = this.#parts.clock.now();
    if (this.#pacing.when(now, severity) > now) return;
    this.#pacing.sent(now);
    this.#parts.ring?.(title, text);
  }
}
