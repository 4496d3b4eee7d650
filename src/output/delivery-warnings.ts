// What keeps alerts and exports from arriving, for runs without a screen: one line on standard error for each reason, and one when all is well again.

import type { CaptureStatus } from '../model/snapshot.ts';
import { sanitize } from '../net/text.ts';
import { exportTrouble } from '../view/text/exports.ts';

/** Writes what changed. */
export class DeliveryWarnings {
  readonly #write: (text: string) => void;
  readonly #told = { alerts: '', exports: '' };

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  tell({ delivery, exports }: Pick<CaptureStatus, 'delivery' | 'exports'>): void {
    if (delivery !== null) {
      const { note, channels } = delivery;
      const failing = channels.flatMap(({ channel, failure }) => (failure === null ? [] : [`${channel}: ${failure}`]));
      this.#say('alerts', [note, ...failing].filter((part) => part !== '').join('; '), 'delivered again');
    }
    if (exports !== null) this.#say('exports', exportTrouble(exports), 'sent again');
  }

  #say(what: 'alerts' | 'exports', now: string, well: string): void {
    if (now === this.#told[what]) return;
    this.#told[what] = now;
    this.#write(`netmon-tui: ${what}: ${sanitize(now === '' ? well : now)}\n`);
  }
}
