// Which entities a table shows, and what all the others sum up to. Walks the columns: nothing is allocated for what is not shown.

import { widened } from '../net/arrays.ts';
import { type Accumulators, COLUMN } from './accumulators.ts';
import type { AppRow, HostRow, Traffic } from './snapshot.ts';
import { Top } from './top.ts';

/** Sums of the entities that are not shown. */
export interface Rest extends Traffic {
  readonly count: number;
  readonly flows: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** Chooses among the entities that ever had traffic. */
export class Selection {
  readonly #accumulators: Accumulators;
  readonly #never: number;
  readonly #top = new Top();
  /** By entity: number of the choice in which it was last shown. */
  #shownIn = new Int32Array(0);
  #choice = 0;
  #isAll = true;

  /** @param never an entity that is never shown by itself; -1 is none */
  constructor(accumulators: Accumulators, never = -1) {
    this.#accumulators = accumulators;
    this.#never = never;
  }

  /** The entities to show: all where there are no more than `limit`, by their numbers, else those with most bytes, by these. */
  choose(limit: number): number[] {
    const { size } = this.#accumulators;
    if (this.#shownIn.length < size) this.#shownIn = widened(this.#shownIn, Math.max(64, size * 2));
    let present = 0;
    for (let entity = 0; entity < size; entity++) if (this.#isCandidate(entity)) present++;
    this.#isAll = present <= limit;
    const shown = this.#isAll ? this.#everyone() : this.#largest(limit);
    this.#choice = (this.#choice + 1) | 0;
    for (const entity of shown) this.#shownIn[entity] = this.#choice;
    return shown;
  }

  /** What those sum up to that the last `choose` left out; null where there is none. */
  rest(intervalMs: number): Rest | null {
    const from = this.#accumulators;
    if (this.#isAll && (this.#never < 0 || !from.isPresent(this.#never))) return null;
    const sum = { count: 0, flows: 0, firstSeen: Number.POSITIVE_INFINITY, lastSeen: 0 };
    const traffic = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0 };
    for (let entity = 0; entity < from.size; entity++) {
      if (this.#shownIn[entity] === this.#choice || !from.isPresent(entity)) continue;
      sum.count++;
      sum.flows += from.get(entity, COLUMN.FLOWS);
      sum.firstSeen = Math.min(sum.firstSeen, from.get(entity, COLUMN.FIRST));
      sum.lastSeen = Math.max(sum.lastSeen, from.get(entity, COLUMN.LAST));
      traffic.rxBytes += from.get(entity, COLUMN.RX);
      traffic.txBytes += from.get(entity, COLUMN.TX);
      traffic.rxPackets += from.get(entity, COLUMN.RX_PACKETS);
      traffic.txPackets += from.get(entity, COLUMN.TX_PACKETS);
      if (!from.moved(entity)) continue;
      traffic.rxRate += Math.round((from.get(entity, COLUMN.TICK_RX) * 1000) / intervalMs);
      traffic.txRate += Math.round((from.get(entity, COLUMN.TICK_TX) * 1000) / intervalMs);
    }
    return { ...sum, ...traffic };
  }

  #isCandidate(entity: number): boolean {
    return entity !== this.#never && this.#accumulators.isPresent(entity);
  }

  #everyone(): number[] {
    const shown: number[] = [];
    for (let entity = 0; entity < this.#accumulators.size; entity++) if (this.#isCandidate(entity)) shown.push(entity);
    return shown;
  }

  #largest(limit: number): number[] {
    const from = this.#accumulators;
    this.#top.begin(limit);
    for (let entity = 0; entity < from.size; entity++)
      if (this.#isCandidate(entity)) this.#top.offer(entity, from.get(entity, COLUMN.RX) + from.get(entity, COLUMN.TX));
    return this.#top.take();
  }
}

/** True when a row says what a rest sums up to. */
export function tellsRest(row: AppRow | HostRow, reason: string, rest: Rest): boolean {
  return (
    row.reason === reason &&
    row.flows === rest.flows &&
    row.firstSeen === rest.firstSeen &&
    row.lastSeen === rest.lastSeen &&
    row.rxBytes === rest.rxBytes &&
    row.txBytes === rest.txBytes &&
    row.rxPackets === rest.rxPackets &&
    row.txPackets === rest.txPackets &&
    row.rxRate === rest.rxRate &&
    row.txRate === rest.txRate
  );
}
