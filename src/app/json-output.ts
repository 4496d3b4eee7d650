// Output of a run as NDJSON on standard output.

import type { FlowRow, Gap, Snapshot } from '../aggregate/snapshot.ts';
import { JsonWriter } from '../stream/json-writer.ts';
import type { Output } from './output.ts';

/** The JSON stream; `narrow` is the display filter. */
export class JsonOutput implements Output {
  readonly wantsEvents: boolean;
  readonly #writer: JsonWriter;
  readonly #narrow: (snapshot: Snapshot) => Snapshot;
  readonly #passes: (flow: FlowRow) => boolean;
  readonly #samples: boolean;

  /**
   * @param samples false for one object at the end only
   * @param onClosed as JsonWriter's
   */
  constructor(
    stream: NodeJS.WritableStream & import('node:stream').Writable,
    samples: boolean,
    narrow: (snapshot: Snapshot) => Snapshot,
    passes: (flow: FlowRow) => boolean,
    onClosed: (failure: Error | null) => void,
  ) {
    this.wantsEvents = samples;
    this.#samples = samples;
    this.#narrow = narrow;
    this.#passes = passes;
    this.#writer = new JsonWriter(stream, onClosed);
  }

  sample(snapshot: Snapshot): void {
    if (this.#samples) this.#writer.sample(this.#narrow(snapshot));
  }

  opened(flow: FlowRow): void {
    if (this.#passes(flow)) this.#writer.open(flow);
  }

  closed(flow: FlowRow): void {
    if (this.#passes(flow)) this.#writer.flowClosed(flow);
  }

  gap(gap: Gap): void {
    if (this.#samples) this.#writer.gap(gap);
  }

  end(snapshot: Snapshot): Promise<void> {
    return this.#writer.end(this.#narrow(snapshot));
  }
}
