// Output of a run as NDJSON on standard output.

import type { LastTick } from '../aggregate/aggregator.ts';
import type { FlowRow, Gap, Snapshot } from '../aggregate/snapshot.ts';
import { JsonWriter } from '../stream/json-writer.ts';
import type { Narrower } from './narrow.ts';
import type { Output } from './output.ts';
import { wholeRun } from './whole-run.ts';

/** The JSON stream, narrowed by the display filter. */
export class JsonOutput implements Output {
  readonly wantsEvents: boolean;
  readonly #writer: JsonWriter;
  readonly #narrow: Narrower;
  readonly #samples: boolean;

  /**
   * @param samples false for one object at the end only
   * @param onClosed as JsonWriter's
   */
  constructor(
    stream: NodeJS.WritableStream & import('node:stream').Writable,
    samples: boolean,
    narrow: Narrower,
    onClosed: (failure: Error | null) => void,
  ) {
    this.wantsEvents = samples;
    this.#samples = samples;
    this.#narrow = narrow;
    this.#writer = new JsonWriter(stream, onClosed);
  }

  sample(snapshot: Snapshot): void {
    if (this.#samples) this.#writer.sample(this.#narrow.snapshot(snapshot));
  }

  opened(flow: FlowRow): void {
    if (this.#narrow.passes(flow)) this.#writer.open(flow);
  }

  closed(flow: FlowRow): void {
    if (this.#narrow.passes(flow)) this.#writer.flowClosed(flow);
  }

  gap(gap: Gap): void {
    if (this.#samples) this.#writer.gap(gap);
  }

  end(snapshot: Snapshot): Promise<void> {
    return this.#writer.end(this.#narrow.snapshot(this.#samples ? snapshot : wholeRun(snapshot)));
  }

  endWithRows(last: LastTick): Promise<void> {
    const narrowed = this.#narrow.last(last);
    return this.#writer.end(narrowed.snapshot, narrowed);
  }
}
