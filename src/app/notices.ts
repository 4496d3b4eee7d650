// Tells of alerts outside of the screen: hands them to the messenger, and has the terminal notify.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { lockPath } from '../history/files.ts';
import type { Messenger } from '../messenger/client.ts';
import { messageOf } from '../messenger/message.ts';
import { Pacing } from '../messenger/pacing.ts';
import { type Alert, type AlertDelivery, alertFields } from '../model/alert.ts';
import type { MessengerStatus, PacingPlan } from '../model/delivery.ts';
import type { HistoryOptions } from '../model/options.ts';
import { fileWork } from '../system/as-owner.ts';
import type { Clock } from '../system/clock.ts';
import { type Flock, lockFile } from '../system/file-lock.ts';

/** Until it is asked again who records. */
const RECORDER_MS = 30_000;
/** What notices work with. */
export interface NoticesParts {
  /** null if nothing leaves the program. */
  readonly messenger: Messenger | null;
  /** Notifies through the terminal; null if it isn't to. */
  readonly ring: ((title: string, text: string) => void) | null;
  /** Of the terminal. */
  readonly pacing: PacingPlan;
  readonly clock: Clock;
  /** Whether another run of this user records now. It delivers the same alerts, and nobody wants to hear of each twice. */
  readonly isRecordedElsewhere: () => boolean;
}

/** Where a run's alerts go. */
export class Notices {
  readonly #parts: NoticesParts;
  readonly #pacing: Pacing;
  /** Alerts of one tick become one notification of the terminal. */
  #ringing: Alert[] = [];
  /** Whether delivery is left to another run, and when that was asked, monotonic ms. */
  #left = { isLeft: false, at: Number.NEGATIVE_INFINITY };

  constructor(parts: NoticesParts) {
    this.#parts = parts;
    this.#pacing = new Pacing(parts.pacing);
  }

  /** The messenger; null if there is none. */
  get status(): MessengerStatus | null {
    const { messenger, clock } = this.#parts;
    if (messenger === null) return null;
    const { status } = messenger;
    const isLeft = clock.monotonic() - this.#left.at < RECORDER_MS ? this.#left.isLeft : this.#isLeft();
    return isLeft ? { ...status, isLeft } : status;
  }

  #isLeft(): boolean {
    const isLeft = this.#parts.isRecordedElsewhere();
    this.#left = { isLeft, at: this.#parts.clock.monotonic() };
    return isLeft;
  }

  /** Tells of an alert, unless it is held. */
  raise(alert: Alert): void {
    if (alert.held !== null) return;
    const { messenger, ring } = this.#parts;
    if (messenger !== null && !this.#isLeft()) messenger.deliver(alert);
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

/** Whether a process other than this one records into a history. */
export function isRecordedElsewhere({ path, owner }: Pick<HistoryOptions, 'path' | 'owner'>, flock: Flock | null): boolean {
  const lock = lockPath(path);
  try {
    return fileWork(
      owner,
      dirname(path),
    )(() => {
      if (!existsSync(lock)) return false;
      const result = lockFile(lock, owner, flock);
      result.held?.release();
      return result.held === null && result.pid !== process.pid;
    });
  } catch {
    return false; // nobody can record there
  }
}
