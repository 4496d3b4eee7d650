// Selects the entities that a table shows, and sums up the others. It walks the columns, and allocates nothing for what it leaves out.

import type { AppRow, HostRow, Traffic } from '../../model/snapshot.ts';
import { widened } from '../../net/bytes.ts';
import { type Accumulators, COLUMN } from '../accumulators.ts';
import { sameMeans } from '../means.ts';

/** Sum of the entities that are not shown. */
export interface Rest extends Traffic {
  readonly count: number;
  readonly flows: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** Selects among the entities that ever had traffic. */
export class Selection {
  readonly #accumulators: Accumulators;
  readonly #never: number;
  readonly #top = new Top();
  /** By entity: the choice that last showed it. */
  #shownIn = new Int32Array(0);
  #choice = 0;
  #isAll = true;

  /** @param never an entity that is always left out; -1 for none */
  constructor(accumulators: Accumulators, never = -1) {
    this.#accumulators = accumulators;
    this.#never = never;
  }

  /** The entities to show: all in the order of their numbers, or, beyond `limit`, those with most bytes in falling order. */
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

  /** The sum of what the last `choose` left out; null if it left out nothing. */
  rest(intervalMs: number): Rest | null {
    const from = this.#accumulators;
    if (this.#isAll && (this.#never < 0 || !from.isPresent(this.#never))) return null;
    const sum = { count: 0, flows: 0, firstSeen: Number.POSITIVE_INFINITY, lastSeen: 0 };
    const means = [...from.meansOf(from.size)]; // zeros, if any are kept
    const traffic = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0, means };
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
      from.addMeans(means, entity);
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

/** True if a row already says what a rest sums up to. */
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
    row.txRate === rest.txRate &&
    sameMeans(row.means, rest.means)
  );
}

/** Finds the `limit` largest of many with a heap. Reused, it allocates nothing but its answer. */
export class Top {
  readonly #ids: number[] = [];
  readonly #keys: number[] = [];
  #limit = 0;
  /** Entries of the heap. The arrays keep their length, and need not grow again every tick. */
  #count = 0;

  /** Forgets what was offered. */
  begin(limit: number): void {
    this.#count = 0;
    this.#limit = limit;
  }

  /** Offers one: O(log limit), or O(1) if it is not among the largest so far. */
  offer(id: number, key: number): void {
    const count = this.#count;
    if (count < this.#limit) {
      this.#put(count, id, key);
      this.#count++;
      this.#siftUp(count);
    } else if (this.#limit > 0 && !this.#isLess(id, key, 0)) this.#replace(0, id, key, count);
  }

  /** Takes out the largest in falling order, equals by rising number, and begins again. */
  take(): number[] {
    const out = new Array<number>(this.#count);
    for (let last = this.#count - 1; last >= 0; last--) {
      out[last] = this.#ids[0] as number;
      this.#replace(0, this.#ids[last] as number, this.#keys[last] as number, last);
    }
    this.begin(this.#limit);
    return out;
  }

  /** True if `id` ranks below the entry at `at`; of equals, the larger number does. */
  #isLess(id: number, key: number, at: number): boolean {
    const other = this.#keys[at] as number;
    return key < other || (key === other && id > (this.#ids[at] as number));
  }

  #siftUp(from: number): void {
    const id = this.#ids[from] as number;
    const key = this.#keys[from] as number;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isLess(id, key, parent)) break;
      this.#put(at, this.#ids[parent] as number, this.#keys[parent] as number);
      at = parent;
    }
    this.#put(at, id, key);
  }

  /** Puts an entry at `from` in a heap of `length`, or further down where it belongs. */
  #replace(from: number, id: number, key: number, length: number): void {
    let at = from;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= length) break;
      const right = least + 1;
      if (right < length && this.#isLess(this.#ids[right] as number, this.#keys[right] as number, least)) least = right;
      if (this.#isLess(id, key, least)) break;
      this.#put(at, this.#ids[least] as number, this.#keys[least] as number);
      at = least;
    }
    this.#put(at, id, key);
  }

  #put(at: number, id: number, key: number): void {
    this.#ids[at] = id;
    this.#keys[at] = key;
  }
}
