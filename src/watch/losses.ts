// The watchman watches himself: packets that were lost, and history that is no longer recorded. What isn't seen raises no alert.

import type { Gap } from '../model/snapshot.ts';
import type { WatchedTick } from '../model/watch.ts';
import { counted } from '../net/counted.ts';
import { sanitize } from '../net/text.ts';
import { type Detector, NOBODY, type Report } from './finding.ts';
import { percent, span } from './words.ts';

const MINUTE_MS = 60_000;
/** So many packets of a minute, and this share of them, may not be lost. */
const LOST = 1000;
const LOST_SHARE = 0.01;
/** A gap of this length is a loss, ms. A machine that slept lost nothing. */
const LONG_GAP_MS = 10_000;
/** Recording that fails for so long has stopped, ms; it is tried again before. */
const PATIENCE_MS = 60_000;
const QUIET_MS = 3_600_000;

/** Compares counters of the capture, minute by minute. */
export class Losses implements Detector {
  readonly #report: Report;
  #begun: { readonly time: number; readonly lost: number; readonly packets: number } | null = null;
  #failingSince: number | null = null;
  #hasRecorded = false;

  constructor(report: Report) {
    this.#report = report;
  }

  tick(now: WatchedTick): void {
    for (const gap of now.gaps) this.#gap(gap);
    this.#packets(now);
    this.#recorder(now);
  }

  #gap({ from, to, reason, detail }: Gap): void {
    if (to - from < LONG_GAP_MS || reason === 'sleep' || reason === 'clock') return;
    this.#found(
      `Nothing was captured for ${span(to - from)}: ${reason === 'loss' ? 'frames were lost' : 'the interface was away'}.`,
      [...(detail === '' ? [] : [sanitize(detail)]), 'what moved in that time is missing from all totals, and was not watched'],
    );
  }

  #packets({ time, capture }: WatchedTick): void {
    const lost = (capture.dropped ?? 0) + capture.shed;
    const packets = capture.packets ?? 0;
    const begun = this.#begun;
    const passed = begun === null ? 0 : time - begun.time;
    // After a sleep, and when the clock was set back, it begins anew.
    if (begun === null || passed > 2 * MINUTE_MS || passed < 0 || lost < begun.lost) this.#begun = { time, lost, packets };
    if (begun === null || passed < MINUTE_MS) return;
    this.#begun = { time, lost, packets };
    const gone = lost - begun.lost;
    const all = gone + packets - begun.packets;
    if (gone < LOST || gone < all * LOST_SHARE) return;
    this.#found(`${counted(gone, 'packet')} were lost in the last minute, ${percent(gone / all)} of all.`, [
      `captured in that minute: ${counted(packets - begun.packets, 'packet')}`,
      'what was in them is missing from all totals, and was not watched',
      `expected: less than ${percent(LOST_SHARE)}`,
    ]);
  }

  #found(text: string, details: readonly string[]): void {
    this.#report({ kind: 'capture-loss', subject: NOBODY, cause: '', quietMs: QUIET_MS, text, details, needsBaseline: false });
  }

  #recorder({ time, capture: { history } }: WatchedTick): void {
    if (history?.state === 'recording') this.#hasRecorded = true;
    const hasStopped = this.#hasRecorded && history?.state !== 'recording';
    if (!hasStopped) {
      this.#failingSince = null;
      return;
    }
    this.#failingSince = Math.min(this.#failingSince ?? time, time); // the clock may be set back
    if (time - this.#failingSince < PATIENCE_MS) return;
    const reason = sanitize(history?.note ?? '');
    this.#report({
      kind: 'recorder-stopped',
      subject: NOBODY,
      cause: '',
      quietMs: QUIET_MS,
      text: `History has not been recorded for ${span(time - this.#failingSince)}${reason === '' ? '' : `: ${reason}`}.`,
      details: history === null ? [] : [`file: ${sanitize(history.path)}`],
      needsBaseline: false,
    });
  }
}
