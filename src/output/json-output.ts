// The output of a run as NDJSON on standard output.

import type { LastTick } from '../aggregate/aggregator.ts';
import { questionSubject } from '../filter/fields.ts';
import type { Filter } from '../filter/filter.ts';
import type { Alert } from '../model/alert.ts';
import type { DnsRow } from '../model/dns.ts';
import type { FlowRow, Gap, Snapshot } from '../model/snapshot.ts';
import type { DeliveryWarnings } from './delivery-warnings.ts';
import { JsonWriter } from './json-writer.ts';
import { filteredSnapshot, runAverage } from './matching.ts';
import type { Output, Turn } from './output.ts';

/** Which questions of DNS are written; null for all. */
export interface DnsLines {
  readonly filter: Filter | null;
}

const ROWS_A_TURN = 250;

/** The JSON stream of what the display filter matches. */
export class JsonOutput implements Output {
  readonly wantsEvents: boolean;
  readonly #writer: JsonWriter;
  readonly #samples: boolean;
  readonly #dns: DnsLines | null;
  readonly #delivery: DeliveryWarnings;
  #lastAlert: Alert | null = null;

  /**
   * @param samples false for one object at the end
   * @param dns writes questions of DNS that match; null writes none
   * @param delivery says what keeps alerts from arriving
   * @param onClosed as for JsonWriter
   * @param lineage as for JsonWriter
   */
  constructor(
    stream: NodeJS.WritableStream & import('node:stream').Writable,
    samples: boolean,
    dns: DnsLines | null,
    delivery: DeliveryWarnings,
    onClosed: (failure: Error | null) => void,
    lineage = false,
  ) {
    this.#dns = dns;
    this.#delivery = delivery;
    this.wantsEvents = samples;
    this.#samples = samples;
    this.#writer = new JsonWriter(stream, onClosed, lineage);
  }

  async sample(snapshot: Snapshot, turn: Turn): Promise<void> {
    if (!this.#samples) return;
    this.#alerts(snapshot);
    await this.#questions(snapshot.dns.ended, snapshot.time, turn);
    await this.#writer.sample(filteredSnapshot(snapshot), turn);
  }

  opened(flow: FlowRow): void {
    this.#writer.open(flow);
  }

  closed(flow: FlowRow): void {
    this.#writer.flowClosed(flow);
  }

  gap(gap: Gap): void {
    if (this.#samples) this.#writer.gap(gap);
  }

  async end(snapshot: Snapshot): Promise<void> {
    this.#alerts(snapshot);
    const { ended, waiting } = snapshot.dns;
    await this.#questions([...ended, ...waiting], snapshot.time, () => Promise.resolve());
    return this.#writer.end(this.#samples ? filteredSnapshot(snapshot) : runAverage(filteredSnapshot(snapshot)));
  }

  /** In the order in which they were asked. Thousands may have ended in a tick: others get their turns meanwhile. */
  async #questions(rows: readonly DnsRow[], now: number, turn: Turn): Promise<void> {
    if (this.#dns === null) return;
    const { filter } = this.#dns;
    const sorted = [...rows].sort((a, b) => a.time - b.time);
    for (const [index, row] of sorted.entries()) {
      if (filter === null || filter.matches(questionSubject(row), now)) this.#writer.dns(row);
      if (index % ROWS_A_TURN === ROWS_A_TURN - 1) await turn();
    }
  }

  /** Those that were raised since the last one written; the end may have the time of the last sample. */
  #alerts({ alerts, capture }: Snapshot): void {
    this.#delivery.tell(capture);
    const from = this.#lastAlert === null ? 0 : alerts.lastIndexOf(this.#lastAlert) + 1;
    for (const alert of alerts.slice(from)) this.#writer.alert(alert);
    this.#lastAlert = alerts.at(-1) ?? null;
  }

  endWithRows(last: LastTick): Promise<void> {
    this.#alerts(last.snapshot);
    return this.#writer.end(filteredSnapshot(last.snapshot), last);
  }
}
