// The output of a run that only records: one line on standard error at the start, then trouble as it comes. Standard output stays empty.

import type { HistoryStatus } from '../model/history.ts';
import type { WritingStatus } from '../model/packets.ts';
import type { CaptureStatus, FlowRow, Gap, Snapshot } from '../model/snapshot.ts';
import { type Dropped, droppedText } from '../net/counted.ts';
import { sanitize } from '../net/text.ts';
import type { Clock } from '../system/clock.ts';
import { DeliveryWarnings } from './delivery-warnings.ts';
import type { Output, RecordStart } from './output.ts';

/** Lost packets are reported at most this often. */
const LOSS_MS = 60_000;

/** Writes to standard error, and goes on if nobody reads it. */
export class RecordOutput implements Output {
  readonly wantsEvents = false;
  readonly limits = { apps: 0, hosts: 0, flows: 0 };
  readonly #write: (text: string) => void;
  readonly #clock: Clock;
  readonly #delivery: DeliveryWarnings;
  #capture = '';
  #hasToldWriting = false;
  #history = '';
  #lost: Dropped = { kernel: 0, own: 0 };
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor(write: (text: string) => void, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
    this.#delivery = new DeliveryWarnings(write);
  }

  /** The one line of a run in which all goes well. */
  begin({ source, attribution, history }: RecordStart): void {
    const interfaces = source.interfaces.map(({ name }) => name);
    const what = `recording ${interfaces.join(' ') || 'all interfaces'}, driver ${source.driver}, owners by ${attribution}, into ${history.path}`;
    this.#say(history.state === 'recording' ? what : `not ${what}`);
    this.#tellHistory(history);
  }

  sample({ capture }: Snapshot): void {
    if (capture.history !== null) this.#tellHistory(capture.history);
    if (capture.note !== this.#capture) {
      this.#capture = capture.note;
      this.#say(capture.note === '' ? 'capture: all is well again' : `capture: ${capture.note}`);
    }
    this.#delivery.tell(capture);
    this.#tellWriting(capture.writing);
    this.#tellLoss(capture);
  }

  opened(_flow: FlowRow): void {}

  closed(_flow: FlowRow): void {}

  gap({ detail }: Gap): void {
    this.#say(`gap: ${detail}`);
  }

  end({ capture }: Snapshot): Promise<void> {
    this.#tellLoss(capture);
    return Promise.resolve();
  }

  #tellHistory({ state, note }: HistoryStatus): void {
    const now = state === 'recording' && note === '' ? '' : `history, ${state}: ${note}`;
    if (now === this.#history) return;
    this.#history = now;
    this.#say(now === '' ? 'history: recording again, all is well' : now);
  }

  /** Says at once that a capture file has ended: the run goes on without it. */
  #tellWriting(writing: WritingStatus | null): void {
    if (this.#hasToldWriting || writing?.state !== 'failed') return;
    this.#hasToldWriting = true;
    this.#say(`packets are no longer written: ${writing.note}`);
  }

  #tellLoss({ dropped, shed }: CaptureStatus): void {
    const lost = { kernel: dropped ?? this.#lost.kernel, own: shed };
    const text = droppedText(lost, this.#lost);
    const now = this.#clock.monotonic();
    if (text === '' || now - this.#lostAt < LOSS_MS) return;
    this.#say(`${text}; since the start ${droppedText(lost)}`);
    this.#lost = lost;
    this.#lostAt = now;
  }

  #say(text: string): void {
    this.#write(`netmon-tui: ${sanitize(text)}\n`);
  }
}
