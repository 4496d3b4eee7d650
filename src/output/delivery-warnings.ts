// What keeps alerts from arriving, for runs without a screen: one line on standard error for each reason, and one when all is well again.

import type { MessengerStatus } from '../model/delivery.ts';
import { sanitize } from '../net/text.ts';

/** Writes what changed. */
export class DeliveryWarnings {
  readonly #write: (text: string) => void;
  #told = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** @param status null if alerts go nowhere */
  tell(status: MessengerStatus | null): void {
    if (status === null) return;
    const { note, channels } = status;
    const failing = channels.flatMap(({ channel, failure }) => (failure === null ? [] : [`${channel}: ${failure}`]));
    const now = [note, ...failing].filter((part) => part !== '').join('; ');
    if (now === this.#told) return;
    this.#told = now;
    this.#write(`netmon-tui: alerts: ${sanitize(now === '' ? 'delivered again' : now)}\n`);
  }
}
