// One channel's work: messages in order, one at a time, tried again with growing pauses. What waits behind a failure becomes one digest.

import type { Severity } from '../model/alert.ts';
import type { Channel, ChannelStatus, Hold } from '../model/delivery.ts';
import type { Refused } from '../model/export.ts';
import { sanitize } from '../net/text.ts';
import type { Clock } from '../system/clock.ts';
import { type Message, messageOf } from './message.ts';
import type { AlertFields } from './protocol.ts';

/** What became of a message. */
export type Outcome =
  | {
      readonly isDelivered: true;
      /** What the receiver took without keeping it; null for nothing. */
      readonly refused: Refused | null;
    }
  | {
      readonly isDelivered: false;
      readonly reason: string;
      /** Another try may help. */
      readonly isAgain: boolean;
      /** The receiver asked for this pause, ms; null if it didn't. */
      readonly pauseMs: number | null;
    };

export const DELIVERED: Outcome = { isDelivered: true, refused: null };

/** @param pauseMs what the receiver asked for */
export function failed(reason: string, isAgain: boolean, pauseMs: number | null = null): Outcome {
  return { isDelivered: false, reason: sanitize(reason), isAgain, pauseMs };
}

/** A way to deliver messages. */
export interface Delivery {
  readonly channel: Channel;
  /** It is a log, and disturbs nobody. */
  readonly isLog: boolean;
  /** After this time an alert is no longer worth another try, ms. */
  readonly patienceMs: number;
  /** Delivers a message. Never rejects, and ends within a bounded time. */
  send(message: Message): Promise<Outcome>;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** What a queue asks and tells. */
export interface QueueEvents {
  /** Whether people may be disturbed now. */
  mayRing(severity: Severity): boolean;
  /** Nothing more will happen to an alert on this channel. @param failure why it was given up; null if it was delivered */
  done(id: string, channel: Channel, failure: string | null): void;
  /** Its status changed. */
  changed(): void;
}

/** Alerts that wait before all queues. */
export interface Held {
  readonly count: number;
  readonly hold: Hold;
  /** Epoch ms. */
  readonly until: number;
}

/** A channel with what waits for it. The outbox bounds how much that is. */
export class DeliveryQueue {
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  readonly #events: QueueEvents;
  #messages: (readonly AlertFields[])[] = [];
  #isSending = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | null = null;
  /** The timer waits for quiet hours to end, not after a failure. */
  #isResting = false;
  /** When the timer ends, epoch ms. */
  #next: number | null = null;
  #pause = 0;
  #delivered = 0;
  #lost = 0;
  #failure: string | null = null;
  #onIdle: () => void = () => {};

  constructor(delivery: Delivery, clock: Clock, events: QueueEvents) {
    this.#delivery = delivery;
    this.#clock = clock;
    this.#events = events;
  }

  get channel(): Channel {
    return this.#delivery.channel;
  }

  get isLog(): boolean {
    return this.#delivery.isLog;
  }

  /** @param held alerts that wait before this queue, for what, and until when; null for none */
  status(held: Held | null): ChannelStatus {
    const own = this.#messages.reduce((sum, { length }) => sum + length, 0);
    const isRetried = this.#timer !== null;
    return {
      channel: this.channel,
      delivered: this.#delivered,
      waiting: own + (held?.count ?? 0),
      lost: this.#lost,
      failure: this.#failure,
      hold: this.#isResting ? 'quiet' : (held?.hold ?? null),
      next: isRetried ? this.#next : (held?.until ?? null),
    };
  }

  /** Queues one message. */
  push(alerts: readonly AlertFields[]): void {
    this.#messages.push(alerts);
    if (this.#isResting) this.#wake();
    if (this.#timer === null) void this.#work();
  }

  /** Ends after what is being sent. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when nothing is being sent, and nothing will be before the next try. */
  async idle(): Promise<void> {
    while (this.#isSending) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  async #work(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#timer === null && !this.#isStopped && this.#messages.length > 0) {
      const alerts = this.#takeFirst();
      if (alerts === null) {
        this.#tryLater(LONGEST_PAUSE_MS); // they failed before quiet hours began
        this.#isResting = true;
        break;
      }
      const message = messageOf(alerts);
      const outcome = await this.#delivery.send(message);
      if (outcome.isDelivered) this.#succeed(alerts);
      else this.#fail(outcome, alerts);
      this.#events.changed();
    }
    this.#isSending = false;
    this.#onIdle();
  }

  /** Puts the first message that may disturb people now before the others. @returns null if none may */
  #takeFirst(): readonly AlertFields[] | null {
    const mayRing = (alerts: readonly AlertFields[]) => this.isLog || this.#events.mayRing(messageOf(alerts).severity);
    const at = this.#messages.findIndex(mayRing);
    if (at < 0) return null;
    const [first] = this.#messages.splice(at, 1) as [readonly AlertFields[]];
    this.#messages.unshift(first);
    return first;
  }

  #succeed(alerts: readonly AlertFields[]): void {
    this.#messages.shift();
    this.#pause = 0;
    this.#failure = null;
    this.#delivered += alerts.length;
    for (const { id } of alerts) this.#events.done(id, this.channel, null);
  }

  #fail({ reason, isAgain, pauseMs }: Outcome & { readonly isDelivered: false }, alerts: readonly AlertFields[]): void {
    this.#failure = reason;
    if (!isAgain) {
      this.#messages.shift();
      this.#giveUp(alerts);
      return;
    }
    // Everything that waits becomes one message. What has waited too long is given up.
    const oldest = this.#clock.now() - this.#delivery.patienceMs;
    const waiting = this.#messages.flat();
    const kept = waiting.filter(({ time }) => Date.parse(time) >= oldest);
    this.#messages = kept.length === 0 ? [] : [kept];
    this.#giveUp(waiting.filter((alert) => !kept.includes(alert)));
    this.#pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pause * 2));
    this.#tryLater(Math.max(this.#pause, pauseMs ?? 0));
  }

  #tryLater(ms: number): void {
    this.#next = this.#clock.now() + ms;
    this.#timer = setTimeout(() => {
      this.#wake();
      void this.#work();
    }, ms);
  }

  #wake(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isResting = false;
  }

  #giveUp(alerts: readonly AlertFields[]): void {
    this.#lost += alerts.length;
    for (const { id } of alerts) this.#events.done(id, this.channel, this.#failure);
  }
}
