// The output of a run as NDJSON on standard output.

import type { LastTick } from '../aggregate/aggregator.ts';
import type { FlowRow, Gap, Snapshot } from '../model/snapshot.ts';
import { JsonWriter } from './json-writer.ts';
import { filteredSnapshot, runAverage } from './matching.ts';
import type { Output, Turn } from './output.ts';

/** The JSON stream of what the display filter matches. */
export class JsonOutput implements Output {
  readonly wantsEvents: boolean;
  readonly #writer: JsonWriter;
  readonly #samples: boolean;

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
    this.#alertsAtEnd(snapshot);
    return this.#writer.end(this.#samples ? filteredSnapshot(snapshot) : runAverage(filteredSnapshot(snapshot)));
  }

  /** Without samples, those of the whole run. */
  #alertsAtEnd(snapshot: Snapshot): void {
    if (this.#samples) this.#alerts(snapshot);
    else for (const alert of snapshot.alerts) this.#writer.alert(alert);
  }

  /** Those that were raised in this tick. */
  #alerts({ alerts, time }: Snapshot): void {
    for (const alert of alerts) if (alert.time === time) this.#writer.alert(alert);
  }

  endWithRows(last: LastTick): Promise<void> {
    this.#alertsAtEnd(last.snapshot);
    return this.#writer.end(filteredSnapshot(last.snapshot), last);
  }
}
