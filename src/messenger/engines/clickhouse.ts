// Sends batches to ClickHouse over HTTP: one insert for each table, each with a token by which ClickHouse drops it when it comes again.

import { type ClickHouseInsert, clickHouseInserts } from '../../export/clickhouse.ts';
import { reasonOf } from '../../model/errors.ts';
import type { PushPlan } from '../../model/export.ts';
import type { ExportBatch } from '../../model/export-batch.ts';
import { DELIVERED, failed, type Outcome } from '../delivery.ts';
import { type HttpAnswer, post, refusalOf } from '../http.ts';
import { credentials, type EngineSender } from './engine-queue.ts';

const LONGEST_MS = 30_000;
/**
 * An insert is safe when it is answered, whatever the server's own settings say; and a column that its tables lack is no reason to stop: they may be
 * those of an older program.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['wait_for_async_insert', '1'],
  ['async_insert_deduplicate', '1'],
  ['input_format_skip_unknown_fields', '1'],
];

/** A ClickHouse server. */
export class ClickHouseSender implements EngineSender {
  readonly engine = 'clickhouse';
  readonly #plan: PushPlan;
  readonly #longestMs: number;

  constructor(plan: PushPlan, longestMs = LONGEST_MS) {
    this.#plan = plan;
    this.#longestMs = longestMs;
  }

  async send(batch: ExportBatch): Promise<Outcome> {
    try {
      for (const insert of clickHouseInserts(batch)) {
        const answer = await this.#insert(insert);
        if (answer.status < 200 || answer.status >= 300) return failed(reasonIn(answer), true, answer.retryAfter);
      }
      return DELIVERED;
    } catch (thrown) {
      return failed(reasonOf(thrown), true);
    }
  }

  #insert({ table, token, body }: ClickHouseInsert): Promise<HttpAnswer> {
    const { url: base, ca } = this.#plan;
    const url = new URL(base);
    url.searchParams.set('query', `INSERT INTO ${table} FORMAT JSONEachRow`);
    url.searchParams.set('insert_deduplication_token', token);
    for (const [name, value] of SETTINGS) if (!url.searchParams.has(name)) url.searchParams.set(name, value);
    const headers = { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', ...credentials(this.#plan) };
    return post({ url, headers, body, ca, caName: 'export.clickhouse.ca', longestMs: this.#longestMs }, 'failures');
  }
}

/** What ClickHouse says, and what to do where that is known. */
function reasonIn(answer: HttpAnswer): string {
  const { status, text } = answer;
  if (status === 401 || status === 403 || /Code: (516|192|193|194)\b/.test(text)) return 'it refuses the user or the secret';
  if (/Code: 60\b/.test(text)) return 'it has no such table; type: netmon-tui schema clickhouse | clickhouse-client -mn';
  return refusalOf(answer);
}
