// Pushes metrics to whatever takes Prometheus' remote write: a request for each minute, in order, each with all labels of this machine.

import { REMOTE_WRITE_HEADERS, remoteWrite } from '../../export/remote-write.ts';
import { reasonOf } from '../../model/errors.ts';
import type { PushPlan } from '../../model/export.ts';
import type { ExportBatch } from '../../model/export-batch.ts';
import type { MetricSet } from '../../model/metrics.ts';
import { DELIVERED, failed, type Outcome } from '../delivery.ts';
import { type HttpAnswer, post, refusalOf } from '../http.ts';
import { credentials, type EngineSender } from './engine-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { PushFile } from './push-file.ts';

const LONGEST_MS = 30_000;

/** A receiver of remote write. */
export class RemoteWriteSender implements EngineSender {
  readonly engine = 'remote_write';
  readonly #plan: PushPlan;
  readonly #file: PushFile;
  readonly #live: LiveMetrics;

  constructor(plan: PushPlan, file: PushFile, live: LiveMetrics) {
    this.#plan = plan;
    this.#file = file;
    this.#live = live;
  }

  async send(batch: ExportBatch): Promise<Outcome> {
    if (this.#file.has(batch.token)) return DELIVERED;
    const book = this.#file.book();
    try {
      for (const sets of book.add(batch)) {
        const answer = await this.#post(sets, batch);
        if (!isTaken(answer)) return failed(reasonIn(answer), true, answer.retryAfter);
      }
      this.#file.keep(book, batch.token);
      await this.#tellLive(batch);
      return DELIVERED;
    } catch (thrown) {
      return failed(reasonOf(thrown), true);
    }
  }

  /** What is only known now: it doesn't wait for an engine that is away, and is not sent again. */
  async #tellLive(batch: ExportBatch): Promise<void> {
    const live = this.#live.take();
    if (live !== null) await this.#post([live], batch).catch(() => undefined);
  }

  #post(sets: readonly MetricSet[], { hostId, hostName }: ExportBatch): Promise<HttpAnswer> {
    const { url, ca } = this.#plan;
    const common = hostName === null ? { host: hostId } : { host: hostId, host_name: hostName };
    const headers = { ...REMOTE_WRITE_HEADERS, ...credentials(this.#plan) };
    const body = remoteWrite(sets, common);
    return post({ url, headers, body, ca, caName: 'export.remote_write.ca', longestMs: LONGEST_MS }, 'failures');
  }
}

/** Whether a receiver has a request, or had it before: of a repeated one it says that it is out of order. */
function isTaken({ status, text }: HttpAnswer): boolean {
  if (status >= 200 && status < 300) return true;
  return (status === 400 || status === 409) && /out of order|duplicate sample|out of bounds|too old/i.test(text);
}

function reasonIn(answer: HttpAnswer): string {
  const { status } = answer;
  if (status === 401 || status === 403) return 'it refuses the user or the secret';
  if (status === 404 || status === 405) return 'it takes no remote write there: the path is often /api/v1/write';
  return refusalOf(answer);
}
