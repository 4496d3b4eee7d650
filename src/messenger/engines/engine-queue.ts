// One engine's work: one batch at a time, tried again with growing pauses until the engine has taken it. Nothing is given up: what waits is in the
// history file, and the program hands over the next batch when this one is done.

import type { PushEngine, PushPlan, Refused } from '../../model/export.ts';
import type { ExportBatch } from '../../model/export-batch.ts';
import type { Clock } from '../../system/clock.ts';
import type { Outcome } from '../delivery.ts';
import { secretIn } from '../http.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** A way to an engine. */
export interface EngineSender {
  readonly engine: PushEngine;
  /** Sends a batch, as a whole or again as a whole. Never rejects, and ends within a bounded time. */
  send(batch: ExportBatch): Promise<Outcome>;
}

/** What a queue tells. */
export interface EngineEvents {
  /** The engine has a batch. @param refused what it didn't keep of it; null for nothing */
  taken(engine: PushEngine, token: string, refused: Refused | null): void;
  /** A try failed. @param next when it is tried again, epoch ms */
  held(engine: PushEngine, token: string, failure: string, next: number): void;
}

/** An engine with the batch that it is to get. */
export class EngineQueue {
  readonly #sender: EngineSender;
  readonly #clock: Clock;
  readonly #events: EngineEvents;
  readonly #random: () => number;
  #batch: ExportBatch | null = null;
  #isSending = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | null = null;
  #pause = 0;
  #onIdle: () => void = () => {};

  /** @param random spreads the tries of many machines, from 0 to 1 */
  constructor(sender: EngineSender, clock: Clock, events: EngineEvents, random: () => number = Math.random) {
    this.#sender = sender;
    this.#clock = clock;
    this.#events = events;
    this.#random = random;
  }

  get engine(): PushEngine {
    return this.#sender.engine;
  }

  /** Takes a batch. One that comes while another waits takes its place: the program has given that one up. */
  take(batch: ExportBatch): void {
    this.#batch = batch;
    if (this.#timer === null) void this.#work();
  }

  /** Ends after what is being sent. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.#isSending) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  async #work(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#batch !== null && this.#timer === null && !this.#isStopped) {
      const batch: ExportBatch = this.#batch;
      const outcome = await this.#sender.send(batch);
      if (outcome.isDelivered) {
        this.#pause = 0;
        if (this.#batch === batch) this.#batch = null;
        this.#events.taken(this.engine, batch.token, outcome.refused);
      } else this.#tryLater(batch, outcome.reason, outcome.pauseMs);
    }
    this.#isSending = false;
    this.#onIdle();
  }

  #tryLater({ token }: ExportBatch, reason: string, asked: number | null): void {
    this.#pause = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pause * 2));
    const ms = Math.max(asked ?? 0, Math.round(this.#pause * (0.75 + this.#random() / 4)));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#work();
    }, ms);
    this.#events.held(this.engine, token, reason, this.#clock.now() + ms);
  }
}

/** Headers that say who sends. A secret without a user is a bearer token. @throws Error that says why a file with a secret is refused */
export function credentials({ engine, user, secretFile, secret }: PushPlan): Record<string, string> {
  const word = secretFile === null ? secret : secretIn(secretFile, `export.${engine}.secret-file`);
  if (user !== null) return { authorization: `Basic ${Buffer.from(`${user}:${word ?? ''}`).toString('base64')}` };
  return word === null ? {} : { authorization: `Bearer ${word}` };
}
