// Totals of many entities (apps, hosts ...) in typed columns, the list of those that moved in this tick, and rings of rates for the busiest.

import { NO_MEANS } from '../model/snapshot.ts';
import { widened } from '../net/bytes.ts';
import { Means, WAY } from './means.ts';

/**
 * `values`, 9 doubles an entity:
 *
 *     0 RX bytes | 1 TX bytes | 2 RX packets | 3 TX packets | 4 flows | 5 first seen | 6 last seen | 7 RX of this tick | 8 TX of this tick
 */
const STRIDE = 9;
export const COLUMN = {
  RX: 0,
  TX: 1,
  RX_PACKETS: 2,
  TX_PACKETS: 3,
  FLOWS: 4,
  FIRST: 5,
  LAST: 6,
  TICK_RX: 7,
  TICK_TX: 8,
} as const;

/** App entities below this stand for flows without a process, one for each reason; app `id` is entity `id + OWNERLESS`. */
export const OWNERLESS = 16;

/** Entities of a kind that have rings. */
const RINGS = 64;
/** Larger than any entity: the unit in which `serial` counts generations. */
const GENERATION = 2 ** 20;
/** Beyond this, columns grow to their full size at once: memory that was never written costs nothing. */
const LAST_COPY = 16_384;

/** Totals per entity; an entity is a small dense number, and the columns grow with the highest. */
export class Accumulators {
  /** Entities that ever had traffic: numbers below `size` with FLOWS or bytes. */
  size = 0;
  readonly #rings = new Map<number, RateRings>();
  #values = new Float64Array(64 * STRIDE);
  #moved = new Int32Array(64);
  #movedMark = new Int32Array(64);
  #movedCount = 0;
  #tick = 1;
  /** By entity: how often its number was released. */
  #generations = new Int32Array(64);
  /** Those of the entities, and those of the flows that are booked here; null if none are kept. */
  #means: { readonly own: Means; readonly flows: Means } | null = null;
  readonly #most: number;
  /** When the quietest entity with a ring was last seen; null if that must be found out again. */
  #quietest: number | null = null;

  /** @param most entities there may be */
  constructor(most = 0) {
    this.#most = most;
  }

  /** Keeps means from now on. @param flows those of the flows that are booked here */
  keepMeans(flows: Means): void {
    this.#means ??= { own: new Means(flows.clock), flows };
  }

  /** Means of an entity; none if none are kept. */
  meansOf(entity: number): readonly number[] {
    return this.#means?.own.of(entity) ?? NO_MEANS;
  }

  /** Adds the means of an entity to those of others. */
  addMeans(sums: number[], entity: number): void {
    this.#means?.own.addTo(sums, entity);
  }

  get(entity: number, column: number): number {
    return this.#values[entity * STRIDE + column] ?? 0;
  }

  /** Books what a flow moved that was booked here before. It takes the record, because a double as an argument is a new object on the heap. */
  add(entity: number, moved: Movement): void {
    const { rx, tx } = moved;
    const at = this.#claim(entity, moved);
    const v = this.#values;
    v[at] = (v[at] as number) + rx;
    v[at + 1] = (v[at + 1] as number) + tx;
    v[at + 2] = (v[at + 2] as number) + moved.rxp;
    v[at + 3] = (v[at + 3] as number) + moved.txp;
    v[at + 7] = (v[at + 7] as number) + rx;
    v[at + 8] = (v[at + 8] as number) + tx;
  }

  /** Books everything that a flow ever moved, as it was not booked here before. Only what it moved last belongs to this tick. */
  enter(entity: number, moved: Movement): void {
    const at = this.#claim(entity, moved);
    const v = this.#values;
    v[at] = (v[at] as number) + moved.rxTotal;
    v[at + 1] = (v[at + 1] as number) + moved.txTotal;
    v[at + 2] = (v[at + 2] as number) + moved.rxpTotal;
    v[at + 3] = (v[at + 3] as number) + moved.txpTotal;
    v[at + 4] = (v[at + 4] as number) + moved.flows;
    v[at + 7] = (v[at + 7] as number) + moved.rx;
    v[at + 8] = (v[at + 8] as number) + moved.tx;
    this.#take(entity, moved, 1);
  }

  /** Takes back what was booked of a flow, but neither when it was first seen nor what moved in this tick. */
  leave(entity: number, moved: Movement): void {
    const at = entity * STRIDE;
    const v = this.#values;
    v[at] = (v[at] as number) + moved.rx - moved.rxTotal;
    v[at + 1] = (v[at + 1] as number) + moved.tx - moved.txTotal;
    v[at + 2] = (v[at + 2] as number) + moved.rxp - moved.rxpTotal;
    v[at + 3] = (v[at + 3] as number) + moved.txp - moved.txpTotal;
    v[at + 4] = (v[at + 4] as number) - moved.flows;
    this.#mark(entity);
    this.#take(entity, moved, -1);
  }

  /** Has what a flow moved in the last seconds go with it. */
  #take(entity: number, { row, way }: Movement, sign: number): void {
    if (row >= 0) this.#means?.own.take(entity, this.#means.flows, row, way, sign);
  }

  /** Turns bytes of this tick that were booked as sent into received ones. @param bytes, packets negative for the other way */
  turn(entity: number, bytes: number, packets: number): void {
    const at = entity * STRIDE;
    const v = this.#values;
    v[at] = (v[at] as number) + bytes;
    v[at + 1] = (v[at + 1] as number) - bytes;
    v[at + 2] = (v[at + 2] as number) + packets;
    v[at + 3] = (v[at + 3] as number) - packets;
    v[at + 7] = (v[at + 7] as number) + bytes;
    v[at + 8] = (v[at + 8] as number) - bytes;
  }

  /** A number that nothing else in the run ever has, even after the entity is used again. At first it is the entity itself. */
  serial(entity: number): number {
    return (this.#generations[entity] ?? 0) * GENERATION + entity;
  }

  /** Releases an entity: everything it had goes to each of `into`, and its number may be used again. Call it between two ticks. */
  release(entity: number, ...into: readonly number[]): void {
    const highest = Math.max(entity, ...into);
    if (highest >= this.size) this.#reserve(highest);
    for (const each of into) this.#join(entity, each);
    const from = entity * STRIDE;
    this.#values.fill(0, from, from + STRIDE);
    this.#rings.delete(entity);
    this.#means?.own.clear(entity);
    this.#generations[entity] = (this.#generations[entity] as number) + 1;
  }

  /** Adds everything that an entity had to another. */
  #join(entity: number, into: number): void {
    const v = this.#values;
    const from = entity * STRIDE;
    const to = into * STRIDE;
    const was = this.isPresent(into);
    if (this.isPresent(entity)) {
      for (let column: number = COLUMN.RX; column <= COLUMN.FLOWS; column++)
        v[to + column] = (v[to + column] as number) + (v[from + column] as number);
      v[to + COLUMN.FIRST] = was
        ? Math.min(v[to + COLUMN.FIRST] as number, v[from + COLUMN.FIRST] as number)
        : (v[from + COLUMN.FIRST] as number);
      v[to + COLUMN.LAST] = Math.max(v[to + COLUMN.LAST] as number, v[from + COLUMN.LAST] as number);
    }
    this.#means?.own.take(into, this.#means.own, entity, WAY.OWN, 1);
  }

  /** True for an entity that has flows or bytes. */
  isPresent(entity: number): boolean {
    const v = this.#values;
    const at = entity * STRIDE;
    return (v[at + 4] as number) > 0 || (v[at] as number) + (v[at + 1] as number) > 0;
  }

  /** True if the entity's totals or rates changed in the tick that is being closed. */
  moved(entity: number): boolean {
    return this.#movedMark[entity] === this.#tick;
  }

  /** Closes a tick of `ms` milliseconds and feeds the rings. Read rates before `beginTick`. */
  closeTick(ms: number): void {
    this.#quietest = null;
    for (let i = 0; i < this.#movedCount; i++) {
      const entity = this.#moved[i] as number;
      if (!this.#rings.has(entity)) this.#claimRing(entity);
    }
    for (const [entity, rings] of this.#rings) {
      const moved = this.moved(entity);
      rings.add(moved ? this.get(entity, COLUMN.TICK_RX) : 0, moved ? this.get(entity, COLUMN.TICK_TX) : 0, ms);
    }
  }

  /** Adds the tick that is being closed to the means. */
  closeMeans(): void {
    const own = this.#means?.own;
    if (own !== undefined) this.eachMoved((entity, rx, tx) => own.add(entity, rx, tx));
  }

  beginTick(): void {
    for (let i = 0; i < this.#movedCount; i++) {
      const at = (this.#moved[i] as number) * STRIDE;
      this.#values[at + 7] = 0;
      this.#values[at + 8] = 0;
    }
    this.#movedCount = 0;
    this.#tick++;
  }

  /** Calls back with every entity that moved bytes in the tick that is being closed. */
  eachMoved(visit: (entity: number, rx: number, tx: number) => void): void {
    for (let i = 0; i < this.#movedCount; i++) {
      const entity = this.#moved[i] as number;
      const at = entity * STRIDE;
      visit(entity, this.#values[at + 7] as number, this.#values[at + 8] as number);
    }
  }

  /** RX+TX rates of the newest seconds; empty for an entity without rings. */
  recent(entity: number, seconds: number): number[] {
    return this.#rings.get(entity)?.sum(seconds) ?? [];
  }

  rings(entity: number): RateRings | undefined {
    return this.#rings.get(entity);
  }

  #claimRing(entity: number): void {
    if (this.#rings.size < RINGS) {
      this.#rings.set(entity, new RateRings());
      return;
    }
    // The quietest entity loses its rings, unless it was seen less than a minute before the new one.
    let victim = -1;
    let oldest = this.get(entity, COLUMN.LAST) - 60_000;
    if (this.#quietest !== null && this.#quietest >= oldest) return;
    this.#quietest = Number.POSITIVE_INFINITY;
    for (const candidate of this.#rings.keys()) {
      const last = this.get(candidate, COLUMN.LAST);
      this.#quietest = Math.min(this.#quietest, last);
      if (last < oldest) {
        oldest = last;
        victim = candidate;
      }
    }
    if (victim < 0) return;
    const rings = this.#rings.get(victim) as RateRings;
    this.#quietest = null;
    this.#rings.delete(victim);
    rings.clear();
    this.#rings.set(entity, rings);
  }

  #mark(entity: number): void {
    if (this.#movedMark[entity] === this.#tick) return;
    this.#movedMark[entity] = this.#tick;
    this.#moved[this.#movedCount++] = entity;
  }

  /** Makes room for an entity and marks it as moved. @returns where its values begin */
  #claim(entity: number, moved: Movement): number {
    if (entity >= this.size) this.#reserve(entity);
    const v = this.#values;
    const at = entity * STRIDE;
    if ((v[at + 2] === 0 && v[at + 3] === 0) || moved.first < (v[at + 5] as number)) v[at + 5] = moved.first;
    if (moved.last > (v[at + 6] as number)) v[at + 6] = moved.last;
    this.#mark(entity);
    return at;
  }

  #reserve(entity: number): void {
    this.size = entity + 1;
    if (entity < this.#moved.length) return;
    let length = this.#moved.length;
    while (length <= entity) length *= 2;
    if (length > LAST_COPY) length = Math.max(length, this.#most);
    this.#values = widened(this.#values, length * STRIDE);
    this.#moved = widened(this.#moved, length);
    this.#movedMark = widened(this.#movedMark, length);
    this.#generations = widened(this.#generations, length);
  }
}

const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
/** Each mebibyte that an entity moved counts like having been seen an hour later, up to this many. */
const MAX_HOURS = 24;

/** The entities that matter least: first those without traffic, then those silent longest, with a bonus for bytes. */
export function quietest(accumulators: Accumulators, entities: readonly number[], wanted: number): number[] {
  const ranks = Float64Array.from(entities, (entity) => {
    if (!accumulators.isPresent(entity)) return 0;
    const bytes = accumulators.get(entity, COLUMN.RX) + accumulators.get(entity, COLUMN.TX);
    return accumulators.get(entity, COLUMN.LAST) + Math.min(bytes / MIB, MAX_HOURS) * HOUR_MS;
  });
  const order = Int32Array.from(entities, (_, i) => i).sort((a, b) => (ranks[a] as number) - (ranks[b] as number));
  return Array.from(order.subarray(0, wanted), (i) => entities[i] as number);
}

/** What a flow moved since it was last booked, and in all. One record serves every flow. */
export interface Movement {
  rx: number;
  tx: number;
  rxp: number;
  txp: number;
  rxTotal: number;
  txTotal: number;
  rxpTotal: number;
  txpTotal: number;
  first: number;
  last: number;
  /** Flows to count: 0 for one that began before the count. */
  flows: number;
  /** Row of the flow, for its means; -1 if not all that it moved is meant. */
  row: number;
  /** How it went, of WAY. */
  way: number;
}

/** The part of a movement that counts. @param uncounted part of its totals: RX, TX, RX packets, TX packets @param countsNow whether the last bytes count */
export function less(m: Movement, uncounted: ArrayLike<number>, countsNow: boolean, into: Movement): Movement {
  into.rx = countsNow ? m.rx : 0;
  into.tx = countsNow ? m.tx : 0;
  into.rxp = countsNow ? m.rxp : 0;
  into.txp = countsNow ? m.txp : 0;
  into.rxTotal = m.rxTotal - (uncounted[0] ?? 0);
  into.txTotal = m.txTotal - (uncounted[1] ?? 0);
  into.rxpTotal = m.rxpTotal - (uncounted[2] ?? 0);
  into.txpTotal = m.txpTotal - (uncounted[3] ?? 0);
  into.first = m.first;
  into.last = m.last;
  into.flows = m.flows;
  into.row = -1;
  return into;
}

/** A movement seen from its other end. */
export function turned(m: Movement, into: Movement): Movement {
  into.rx = m.tx;
  into.tx = m.rx;
  into.rxp = m.txp;
  into.txp = m.rxp;
  into.rxTotal = m.txTotal;
  into.txTotal = m.rxTotal;
  into.rxpTotal = m.txpTotal;
  into.txpTotal = m.rxpTotal;
  into.first = m.first;
  into.last = m.last;
  into.flows = m.flows;
  into.row = m.row;
  into.way = m.way === WAY.OWN ? WAY.TURNED : m.way === WAY.TURNED ? WAY.OWN : m.way;
  return into;
}

/** A movement between other machines, all of it as received. */
export function received(m: Movement, into: Movement): Movement {
  into.rx = m.rx + m.tx;
  into.rxp = m.rxp + m.txp;
  into.rxTotal = m.rxTotal + m.txTotal;
  into.rxpTotal = m.rxpTotal + m.txpTotal;
  into.tx = into.txp = into.txTotal = into.txpTotal = 0;
  into.first = m.first;
  into.last = m.last;
  into.flows = m.flows;
  into.row = m.row;
  into.way = WAY.RECEIVED;
  return into;
}

/** An empty record. */
export function movement(): Movement {
  return {
    rx: 0,
    tx: 0,
    rxp: 0,
    txp: 0,
    rxTotal: 0,
    txTotal: 0,
    rxpTotal: 0,
    txpTotal: 0,
    first: 0,
    last: 0,
    flows: 1,
    row: -1,
    way: WAY.OWN,
  };
}

/** Seconds that a ring of rates holds: five minutes. */
export const RING_SECONDS = 300;

/** The last `length` numbers. It never grows, and never shifts its values. */
export class Ring {
  readonly #values: Float64Array;
  #next = 0;
  #count = 0;

  constructor(length: number) {
    this.#values = new Float64Array(length);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    if (this.#count < this.#values.length) this.#count++;
  }

  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** The newest `length` values at most, oldest first. */
  tail(length: number): number[] {
    const count = Math.min(length, this.#count);
    const out = new Array<number>(count);
    for (let i = 0; i < count; i++) out[i] = this.back(count - i);
    return out;
  }

  /** The value that was pushed `places` values ago; 1 is the newest. */
  back(places: number): number {
    const size = this.#values.length;
    return this.#values[(this.#next - places + size) % size] as number;
  }
}

/** RX and TX rates of one entity, a value a second. Ticks of any length are spread over seconds: a value is bytes/s at 100 ms and at 5 s. */
export class RateRings {
  readonly rxSeconds = new Ring(RING_SECONDS);
  readonly txSeconds = new Ring(RING_SECONDS);
  #rx = 0;
  #tx = 0;
  #open = 0;

  /** Adds what moved during the last `ms` milliseconds. It writes five minutes at most; a longer pause is a gap anyway. */
  add(rx: number, tx: number, ms: number): void {
    let left = Math.min(ms, RING_SECONDS * 1000);
    if (left <= 0) return;
    const rxRate = rx / left;
    const txRate = tx / left;
    while (left > 0) {
      const step = Math.min(left, 1000 - this.#open);
      this.#rx += rxRate * step;
      this.#tx += txRate * step;
      this.#open += step;
      left -= step;
      if (this.#open >= 1000 - 1e-6) this.#closeSecond();
    }
  }

  clear(): void {
    this.rxSeconds.clear();
    this.txSeconds.clear();
    this.#rx = this.#tx = this.#open = 0;
  }

  /** RX+TX of the newest `length` seconds, oldest first. */
  sum(length: number): number[] {
    const count = Math.min(length, this.rxSeconds.count);
    const sums = new Array<number>(count);
    for (let i = 0; i < count; i++) sums[i] = Math.round(this.rxSeconds.back(count - i) + this.txSeconds.back(count - i));
    return sums;
  }

  #closeSecond(): void {
    this.rxSeconds.push(this.#rx);
    this.txSeconds.push(this.#tx);
    this.#rx = this.#tx = this.#open = 0;
  }
}
