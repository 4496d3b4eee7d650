// Reports flows that opened and closed to an output that wants them. Bounded per tick, or a scan would flood the reader.

import type { FlowRow } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import type { Monitor } from './monitor.ts';

/** Most events of one kind in a tick; the samples' totals have the rest. */
const MAX_PER_TICK = 1000;
/** Events that are written in one go: each is a line of JSON, and frames wait meanwhile. */
export const EVENTS_AT_ONCE = 250;

/** Reports flows to an output. */
export class FlowEvents {
  readonly #monitor: Monitor;
  readonly #output: Output;
  /** Events not written yet, in order. */
  readonly #waiting: { readonly kind: 'opened' | 'closed'; readonly row: FlowRow }[] = [];
  #newest = 0;
  #closed = 0;

  constructor(monitor: Monitor, output: Output) {
    this.#monitor = monitor;
    this.#output = output;
    if (!output.wantsEvents) return;
    monitor.aggregator.onFlowClosed((row) => {
      if (this.#closed++ >= MAX_PER_TICK) return;
      if (Number(row.id) > this.#newest) this.#report('opened', row); // it began in this tick, too
      this.#report('closed', row);
    });
  }

  /** Writes everything that `collect` finds. */
  writeOpened(): void {
    this.collect();
    while (this.writeSome());
  }

  /** Writes the next few events. @returns true if more wait */
  writeSome(): boolean {
    for (const { kind, row } of this.#waiting.splice(0, EVENTS_AT_ONCE)) this.#output[kind](row);
    return this.#waiting.length > 0;
  }

  /**
   * Collects the flows that ended because another has their ends now, then those that began since the last call. Call it just before a tick
   * is closed, when most owners are known.
   */
  collect(): void {
    if (!this.#output.wantsEvents) return;
    this.#closed = 0;
    const { flows } = this.#monitor;
    if (flows.created === this.#newest) return;
    this.#collectRetired();
    let count = 0;
    for (let i = 0; i < flows.touchedCount && count < MAX_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!this.#isNew(row) || flows.isEndTold(row)) continue;
      if (!this.#monitor.aggregator.passes(row)) continue;
      this.#waiting.push({ kind: 'opened', row: this.#monitor.aggregator.flowRow(row) });
      count++;
    }
    this.#newest = flows.created;
  }

  /** Writes an event at once, unless earlier ones wait. */
  #report(kind: 'opened' | 'closed', row: FlowRow): void {
    if (this.#waiting.length === 0) this.#output[kind](row);
    else this.#waiting.push({ kind, row });
  }

  #collectRetired(): void {
    const { flows, aggregator } = this.#monitor;
    for (let i = 0; i < flows.touchedCount && this.#closed < MAX_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!flows.isLive(row) || !flows.isRetired(row) || flows.isEndTold(row) || !aggregator.passes(row)) continue;
      this.#closed++;
      const flow = aggregator.flowRow(row);
      if (this.#isNew(row)) this.#waiting.push({ kind: 'opened', row: flow });
      this.#waiting.push({ kind: 'closed', row: flow });
      flows.setEndTold(row);
    }
  }

  #isNew(row: number): boolean {
    const { flows } = this.#monitor;
    return flows.isLive(row) && flows.serial(row) > this.#newest;
  }
}
