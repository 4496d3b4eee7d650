// Pushes metrics, closed connections and alerts to an OpenTelemetry collector over HTTP, as gzipped protobuf.

import { gzipSync } from 'node:zlib';
import {
  OTLP_HEADERS,
  OTLP_PATHS,
  type OtlpResource,
  type OtlpSet,
  otlpLogs,
  otlpMetrics,
  otlpRefused,
} from '../../export/otlp.ts';
import { reasonOf } from '../../model/errors.ts';
import { addRefused, type PushPlan, type Refused } from '../../model/export.ts';
import type { ExportBatch } from '../../model/export-batch.ts';
import { DELIVERED, failed, type Outcome } from '../delivery.ts';
import { type HttpAnswer, isSuccess, post, refusalOf } from '../http.ts';
import { credentials, type EngineSender } from './engine-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { PushFile } from './push-file.ts';

const LONGEST_MS = 30_000;
/** Minutes, and records, in one request. */
const MOST_SETS = 20;
const MOST_RECORDS = 1000;

/** An OpenTelemetry collector, or what takes the same. */
export class OtlpSender implements EngineSender {
  readonly engine = 'otlp';
  readonly #plan: PushPlan;
  readonly #file: PushFile;
  readonly #live: LiveMetrics;
  readonly #version: string;
  readonly #os: string;

  /** @param version of the program @param os the machine's system, as Node names it */
  constructor(plan: PushPlan, file: PushFile, live: LiveMetrics, version: string, os: string) {
    this.#plan = plan;
    this.#file = file;
    this.#live = live;
    this.#version = version;
    this.#os = os;
  }

  async send(batch: ExportBatch): Promise<Outcome> {
    if (this.#file.has(batch.token)) return DELIVERED;
    const { hostId, hostName, until, token, flows, alerts } = batch;
    const resource: OtlpResource = { hostId, hostName, os: this.#os, version: this.#version };
    const book = this.#file.book();
    const counted = book.add(batch).flat();
    const losses: Refused[] = [];
    const sets: OtlpSet[] = counted.map((set) => ({ ...set, since: book.since }));
    try {
      for (const some of slices(sets, MOST_SETS)) {
        const outcome = await this.#post('metrics', otlpMetrics(some, resource));
        if (!outcome.isDelivered) return outcome;
        if (outcome.refused !== null) losses.push(outcome.refused);
      }
      const records = [...flows, ...alerts].map((record, number) => ({ record, uid: `${token}-${number}` }));
      for (const some of slices(records, MOST_RECORDS)) {
        const outcome = await this.#post('logs', otlpLogs(some, until, resource));
        if (!outcome.isDelivered) return outcome;
        if (outcome.refused !== null) losses.push(outcome.refused);
      }
      this.#file.keep(book, token);
      const live = this.#live.take();
      // What is only known now doesn't wait for an engine that is away, and is not sent again.
      if (live !== null) await this.#post('metrics', otlpMetrics([live], resource)).catch(() => null);
      return { isDelivered: true, refused: losses.reduce(addRefused, null) };
    } catch (thrown) {
      return failed(reasonOf(thrown), true);
    }
  }

  async #post(signal: keyof typeof OTLP_PATHS, message: Uint8Array): Promise<Outcome> {
    const { url: base, ca } = this.#plan;
    const url = new URL(base);
    url.pathname = url.pathname.replace(/\/+$/, '') + OTLP_PATHS[signal];
    const headers = { ...OTLP_HEADERS, 'content-encoding': 'gzip', ...credentials(this.#plan) };
    const body = gzipSync(message);
    const answer = await post({ url, headers, body, ca, caName: 'export.otlp.ca', longestMs: LONGEST_MS }, 'all');
    if (!isSuccess(answer.status)) return failed(reasonIn(answer), true, answer.retryAfter);
    return { isDelivered: true, refused: otlpRefused(answer.bytes) };
  }
}

function* slices<Item>(items: readonly Item[], most: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += most) yield items.slice(from, from + most);
}

function reasonIn(answer: HttpAnswer): string {
  const { status } = answer;
  if (status === 401 || status === 403) return 'it refuses the user or the secret';
  if (status === 404 || status === 405)
    return 'it takes no OTLP over HTTP there: the port is often 4318, and /v1/metrics is added';
  return refusalOf(answer);
}
