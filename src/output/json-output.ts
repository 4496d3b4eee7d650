// The output of a run as NDJSON on standard output.

import type { LastTick } from '../aggregate/aggregator.ts';
import type { Alert } from '../model/alert.ts';
import type { FlowRow, Gap, Snapshot } from '../model/snapshot.ts';
import { JsonWriter } from './json-writer.ts';
import { filteredSnapshot, runAverage } from './matching.ts';
import type { Output, Turn } from './output.ts';

/** The JSON stream of what the display filter matches. */
export class JsonOutput implements Output {
  readonly wantsEvents: boolean;
  readonly #writer: JsonWriter;
  readonly #samples: boolean;
  #lastAlert: Alert | null = null;

  /**
   * @param samples false for one object at the end
   * @param onClosed as for JsonWriter
   */
  constructor(
    stream: NodeJS.WritableStream & import('node:stream').Writable,
    samples: boolean,
    onClosed: (failure: Error | null) => void,
  ) {
    this.wantsEvents = samples;
    this.#samples = samples;
    this.#writer = new JsonWriter(stream, onClosed);
  }

  async sample(snapshot: Snapshot, turn: Turn): Promise<void> {
    if (!this.#samples) return;
    this.#alerts(snapshot);
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

  end(snapshot: Snapshot): Promise<void> {
    this.#alerts(snapshot);
    return this.#writer.end(this.#samples ? filteredSnapshot(snapshot) : runAverage(filteredSnapshot(snapshot)));
  }

  /** Those that were raised since the last one written; the end may have the time of the last sample. */
  #alerts({ alerts }: Snapshot): void {
    const from = this.#lastAlert === null ? 0 : alerts.lastIndexOf(this.#lastAlert) + 1;
    for (const alert of alerts.slice(from)) this.#writer.alert(alert);
    this.#lastAlert = alerts.at(-1) ?? null;
  }

  endWithRows(last: LastTick): Promise<void> {
    this.#alerts(last.snapshot);
    return this.#writer.end(filteredSnapshot(last.snapshot), last);
  }
}
