// Flows that opened and closed, told one by one where somebody listens; bounded per tick, so that a scan can't flood the reader.

import type { FlowRow } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import type { Monitor } from './monitor.ts';

/** Events of one kind in a tick at the most; the samples' totals hold the rest. */
const MOST_PER_TICK = 1000;
/** Events that are told in one go: each is a line of JSON, and frames wait for it. */
export const EVENTS_AT_ONCE = 250;

/** Tells an output about flows. */
export class FlowEvents {
  readonly #monitor: Monitor;
  readonly #output: Output;
  /** What happened and is still to be told, in order. */
  readonly #waiting: { readonly kind: 'opened' | 'closed'; readonly row: FlowRow }[] = [];
  #newest = 0;
  #closed = 0;

  constructor(monitor: Monitor, output: Output) {
    this.#monitor = monitor;
    this.#output = output;
    if (!output.wantsEvents) return;
    monitor.aggregator.onFlowClosed((row) => {
      if (this.#closed++ >= MOST_PER_TICK) return;
      if (Number(row.id) > this.#newest) this.#tell('opened', row); // it began in this tick, too
      this.#tell('closed', row);
    });
  }

  /** Tells of what `collect` finds, all at once. */
  tellOpened(): void {
    this.collect();
    while (this.tellSome());
  }

  /** Tells the next few events. @returns whether more wait */
  tellSome(): boolean {
    for (const { kind, row } of this.#waiting.splice(0, EVENTS_AT_ONCE)) this.#output[kind](row);
    return this.#waiting.length > 0;
  }

  /**
   * Takes down the flows that began since the last call, and those that ended because another one has their ends now: these first. Just
   * before a tick is closed, when their owners are mostly known.
   */
  collect(): void {
    if (!this.#output.wantsEvents) return;
    this.#closed = 0;
    const { flows } = this.#monitor;
    if (flows.created === this.#newest) return;
    this.#collectRetired();
    let told = 0;
    for (let i = 0; i < flows.touchedCount && told < MOST_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!this.#isNew(row) || flows.isEndTold(row)) continue;
      if (!this.#monitor.aggregator.passes(row)) continue;
      this.#waiting.push({ kind: 'opened', row: this.#monitor.aggregator.flowRow(row) });
      told++;
    }
    this.#newest = flows.created;
  }

  /** Tells of one at once, unless others wait that come first. */
  #tell(kind: 'opened' | 'closed', row: FlowRow): void {
    if (this.#waiting.length === 0) this.#output[kind](row);
    else this.#waiting.push({ kind, row });
  }

  #collectRetired(): void {
    const { flows, aggregator } = this.#monitor;
    for (let i = 0; i < flows.touchedCount && this.#closed < MOST_PER_TICK; i++) {
      const row = flows.touched[i] as number;
      if (!flows.isLive(row) || !flows.isRetired(row) || flows.isEndTold(row) || !aggregator.passes(row)) continue;
      this.#closed++;
      const told = aggregator.flowRow(row);
      if (this.#isNew(row)) this.#waiting.push({ kind: 'opened', row: told });
      this.#waiting.push({ kind: 'closed', row: told });
      flows.setEndTold(row);
    }
  }

  #isNew(row: number): boolean {
    const { flows } = this.#monitor;
    return flows.isLive(row) && flows.serial(row) > this.#newest;
  }
}
