// The messenger's work between its pipe and its deliveries: alerts go to the outbox first, wait for quiet hours and the rate, and leave as messages.

import type { Channel, ChannelStatus, PacingPlan } from '../model/delivery.ts';
import type { Clock } from '../system/clock.ts';
import { type Delivery, DeliveryQueue, type Held, type QueueEvents } from './delivery.ts';
import type { Outbox } from './outbox.ts';
import { Pacing } from './pacing.ts';
import type { AlertFields, Answer } from './protocol.ts';

/** How long deliveries may begin when the program is gone, ms. What has begun is finished, or the next run would repeat it. */
export const LAST_MS = 5000;
/** Least time between two reports of the status, ms. */
const REPORT_MS = 200;
/** A timer is set for at most this long, ms: the clock may be set meanwhile. */
const LONGEST_WAIT_MS = 60_000;

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly outbox: Outbox;
  readonly deliveries: readonly Delivery[];
  readonly plan: PacingPlan;
  readonly clock: Clock;
  /** Takes acknowledgements. */
  readonly answer: (answer: Answer) => void;
}

/** Takes alerts and has them delivered. */
export class Dispatcher {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #answer: (answer: Answer) => void;
  readonly #pacing: Pacing;
  /** The log is written at once; people are told when they want to be. */
  readonly #paced: readonly DeliveryQueue[];
  readonly #direct: readonly DeliveryQueue[];
  /** Alerts that wait for quiet hours to end or for the rate. */
  readonly #held: AlertFields[] = [];
  #timer: NodeJS.Timeout | null = null;
  #report: NodeJS.Timeout | null = null;

  constructor({ outbox, deliveries, plan, clock, answer }: DispatcherParts) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#answer = answer;
    this.#pacing = new Pacing(plan);
    const events: QueueEvents = {
      mayRing: (severity) => !this.#pacing.isQuiet(clock.now(), severity),
      done: (id, channel, failure) => this.#done(id, channel, failure),
      changed: () => this.#changed(),
    };
    const queues = deliveries.map((delivery) => new DeliveryQueue(delivery, clock, events));
    this.#paced = queues.filter(({ isLog }) => !isLog);
    this.#direct = queues.filter(({ isLog }) => isLog);
    this.#resume();
  }

  /** Takes alerts: into the outbox, then on their way. */
  take(alerts: readonly AlertFields[]): void {
    const taken = this.#outbox.add(
      alerts,
      this.#queues.map(({ channel }) => channel),
    );
    for (const alert of taken) {
      for (const queue of this.#direct) queue.push([alert]);
      this.#pace(alert);
    }
    this.#changed();
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    for (const queue of this.#queues) await queue.idle();
  }

  /** Sends nothing more. What is being sent is finished: it would be sent again by the next run. */
  stop(): void {
    for (const queue of this.#queues) queue.stop();
  }

  /** Reports the status as it is now. */
  report(): void {
    if (this.#report !== null) clearTimeout(this.#report);
    this.#report = null;
    this.#answer({ type: 'status', note: this.#outbox.note, channels: this.#status() });
  }

  get #queues(): readonly DeliveryQueue[] {
    return [...this.#paced, ...this.#direct];
  }

  /** What earlier messengers left behind goes out together. A channel that is no longer asked for drops it. */
  #resume(): void {
    for (const { alert, to } of this.#outbox.waiting) {
      for (const channel of [...to])
        if (!this.#queues.some((queue) => queue.channel === channel)) this.#outbox.done(alert.id, channel);
      if (this.#paced.some(({ channel }) => to.has(channel))) this.#held.push(alert);
    }
    for (const queue of this.#direct)
      this.#push(
        queue,
        this.#outbox.waiting.map(({ alert }) => alert),
      );
    this.#wait();
  }

  /** Queues those of the alerts that a channel still has to deliver. */
  #push(queue: DeliveryQueue, alerts: readonly AlertFields[]): void {
    const own = alerts.filter(({ id }) => this.#outbox.waitsFor(id, queue.channel));
    if (own.length > 0) queue.push(own);
  }

  /** Critical alerts pass the held ones by. */
  #pace(alert: AlertFields): void {
    if (this.#paced.length === 0) return;
    const now = this.#clock.now();
    const isFree = this.#held.length === 0 || alert.severity === 'critical';
    if (isFree && this.#pacing.when(now, alert.severity) <= now) {
      this.#pacing.sent(now);
      for (const queue of this.#paced) queue.push([alert]);
      return;
    }
    this.#held.push(alert);
    if (alert.severity === 'critical') this.#stopWaiting();
    this.#wait();
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Waits until the held alerts may go, and then sends them as one message: in quiet hours those that are critical. */
  #wait(): void {
    if (this.#timer !== null || this.#held.length === 0) return;
    const now = this.#clock.now();
    const isCritical = ({ severity }: AlertFields) => severity === 'critical';
    const until = this.#pacing.when(now, this.#held.some(isCritical) ? 'critical' : 'info');
    if (until <= now) {
      this.#pacing.sent(now);
      const isQuiet = this.#pacing.isQuiet(now, 'info');
      const due = this.#held.splice(0);
      if (isQuiet) this.#held.push(...due.filter((alert) => !isCritical(alert)));
      for (const queue of this.#paced) this.#push(queue, isQuiet ? due.filter(isCritical) : due);
      this.#changed();
      this.#wait();
      return;
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#wait();
      },
      Math.min(until - now, LONGEST_WAIT_MS),
    );
  }

  #done(id: string, channel: Channel, failure: string | null): void {
    this.#outbox.done(id, channel);
    this.#answer({ type: 'done', id, channel, failure });
  }

  #changed(): void {
    this.#report ??= setTimeout(() => this.report(), REPORT_MS);
  }

  #status(): ChannelStatus[] {
    const held = this.#holding();
    return [...this.#paced.map((queue) => queue.status(held)), ...this.#direct.map((queue) => queue.status(null))];
  }

  #holding(): Held | null {
    if (this.#held.length === 0) return null;
    const now = this.#clock.now();
    const hold = this.#pacing.isQuiet(now, 'info') ? 'quiet' : 'rate';
    return { count: this.#held.length, hold, until: this.#pacing.when(now, 'info') };
  }
}
