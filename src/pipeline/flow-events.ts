// Reports opened and closed flows to an output that wants them. The number per tick is bounded, or a scan would flood the reader.

import type { FlowRow } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import type { Monitor } from './monitor.ts';

/** Most events of one kind in a tick. Further flows appear only in the samples' totals. */
const MAX_PER_TICK = 1000;
/** Events collected or written in one go. Each is a row of text and a line of JSON, and frames wait meanwhile. */
export const EVENTS_AT_ONCE = 250;

/** Reports flows to an output. */
export class FlowEvents {
  readonly #monitor: Monitor;
  readonly #output: Output;
  /** Events not written yet, in order. */
  readonly #waiting: { readonly kind: 'opened' | 'closed'; readonly row: FlowRow }[] = [];
  /** Serial of the newest flow when the last collection ended. */
  #newest = 0;
  /** Serials of newer flows that the collection under way has found. */
  readonly #found = new Set<number>();
  #closed = 0;

  constructor(monitor: Monitor, output: Output) {
    this.#monitor = monitor;
    this.#output = output;
    if (!output.wantsEvents) return;
    const { flows, aggregator } = monitor;
    aggregator.onFlowClosed((row) => {
      if (this.#closed++ >= MAX_PER_TICK) return;
      const flow = aggregator.flowRow(row);
      if (this.#isNew(flows.serial(row))) this.#waiting.push({ kind: 'opened', row: flow }); // it began in this tick, too
      this.#waiting.push({ kind: 'closed', row: flow });
    });
  }

  /** Collects and writes everything. */
  writeAll(): void {
    while (this.collectSome());
    while (this.writeSome());
  }

  /** Writes the next few events. @returns true if more wait */
  writeSome(): boolean {
    for (const { kind, row } of this.#waiting.splice(0, EVENTS_AT_ONCE)) this.#output[kind](row);
    return this.#waiting.length > 0;
  }

  /**
   * Collects the next few flows that began since the last collection, or that ended because a new connection took over their addresses and
   * ports. Call it until it returns false, just before a tick closes, when most owners are known.
   *
   * @returns true if there may be more
   */
  collectSome(): boolean {
    if (!this.#output.wantsEvents) return false;
    const { flows, aggregator } = this.#monitor;
    let left = EVENTS_AT_ONCE;
    for (let i = 0; i < flows.touchedCount && this.#closed < MAX_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!flows.isLive(row) || !flows.isRetired(row) || flows.isEndReported(row) || !aggregator.passes(row)) continue;
      if (left-- === 0) return true;
      this.#closed++;
      const flow = aggregator.flowRow(row);
      if (this.#isNew(flows.serial(row))) this.#waiting.push({ kind: 'opened', row: flow });
      this.#waiting.push({ kind: 'closed', row: flow });
      flows.setEndReported(row);
    }
    // Starts over each time, because a new flow may have taken the row of a removed one.
    for (let i = 0; i < flows.touchedCount && this.#found.size < MAX_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      const serial = flows.serial(row);
      if (!flows.isLive(row) || !this.#isNew(serial) || flows.isEndReported(row) || !aggregator.passes(row)) continue;
      if (left-- === 0) return true;
      this.#found.add(serial);
      this.#waiting.push({ kind: 'opened', row: aggregator.flowRow(row) });
    }
    this.#newest = flows.created;
    this.#found.clear();
    this.#closed = 0;
    return false;
  }

  /** True for a flow whose `opened` event wasn't collected yet. */
  #isNew(serial: number): boolean {
    return serial > this.#newest && !this.#found.has(serial);
  }
}
