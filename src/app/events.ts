// Flows that opened and closed, told one by one where somebody listens; bounded per tick, so that a scan can't flood the reader.

import * as L from '../flow/layout.ts';
import type { Monitor } from './monitor.ts';
import type { Output } from './output.ts';

/** Events of one kind in a tick at the most; the samples' totals hold the rest. */
const MOST_PER_TICK = 1000;

/** Tells an output about flows. */
export class FlowEvents {
  readonly #monitor: Monitor;
  readonly #output: Output;
  #newest = 0;
  #closed = 0;

  constructor(monitor: Monitor, output: Output) {
    this.#monitor = monitor;
    this.#output = output;
    if (!output.wantsEvents) return;
    monitor.aggregator.onFlowClosed((row) => {
      if (this.#closed++ >= MOST_PER_TICK) return;
      if (Number(row.id) > this.#newest) output.opened(row); // it began in this tick, too
      output.closed(row);
    });
  }

  /**
   * Tells of the flows that began since the last call, and of those that ended because another one has their ends now: these first. Just
   * before a tick is closed, when their owners are mostly known.
   */
  tellOpened(): void {
    if (!this.#output.wantsEvents) return;
    this.#closed = 0;
    const { flows } = this.#monitor;
    if (flows.created === this.#newest) return;
    this.#tellRetired();
    let told = 0;
    for (let i = 0; i < flows.touchedCount && told < MOST_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!this.#isNew(row) || flows.isEndTold(row)) continue;
      if (!this.#monitor.aggregator.passes(row)) continue;
      this.#output.opened(this.#monitor.aggregator.flowRow(row));
      told++;
    }
    this.#newest = flows.created;
  }

  #tellRetired(): void {
    const { flows, aggregator } = this.#monitor;
    for (let i = 0; i < flows.touchedCount && this.#closed < MOST_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!flows.isLive(row) || !flows.isRetired(row) || flows.isEndTold(row) || !aggregator.passes(row)) continue;
      this.#closed++;
      const told = aggregator.flowRow(row);
      if (this.#isNew(row)) this.#output.opened(told);
      this.#output.closed(told);
      flows.setEndTold(row);
    }
  }

  #isNew(row: number): boolean {
    const { flows } = this.#monitor;
    return flows.isLive(row) && (flows.counters[row * L.COUNTERS + L.SERIAL] as number) > this.#newest;
  }
}
