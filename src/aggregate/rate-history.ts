// Keeps rates, and who moved what: seconds for five minutes, ten seconds for an hour, minutes for a day. Filled once a tick; a chart asks it
// about any range of time. In memory only; what outlives the run is history.

import type { FlowTable } from '../flow/flow-table.ts';
import {
  type MovedBytes,
  type MovedFlow,
  type MovedRow,
  RANGE_KINDS,
  type RangeKind,
  type RangeTotals,
} from '../model/range-totals.ts';
import type { FlowRow, Rates } from '../model/snapshot.ts';
import { type Booking, CARRIER } from './booking.ts';
import { Heaviest, KEPT, Resolution } from './resolution.ts';

/** Slots of each resolution: five minutes, an hour, a day. */
const SIZES = [300, 360, 1440] as const;
/** Shortest slot of each, ms: a little under nominal, because ticks come a little early or late. */
const LEAST = [900, 9_500, 59_000] as const;
/** Flows whose rows are remembered. What forgotten ones moved counts among the others. */
const FLOWS_MAX = 1024;

/** What a tick moved. */
export interface TickBytes {
  /** When it ended, epoch ms, and how long it is thought to have lasted. */
  readonly time: number;
  readonly intervalMs: number;
  readonly rx: number;
  readonly tx: number;
  /** Part of it was not measured. */
  readonly isGap: boolean;
  /** Calls `into` with everything of a kind that moved, each id once. A flow's tag is its row in the flow table, -1 once it has left. */
  readonly fill: (kind: RangeKind, into: (id: number, rx: number, tx: number, tag: number) => void) => void;
  /** The row of a flow as it is now, by its tag. */
  readonly flowRow: (tag: number) => FlowRow;
}

/** Id of a snapshot's row by the number under which it is kept. */
type RowId = (kind: Exclude<RangeKind, 'flows'>, id: number) => string;

/**
 * Rates of a run, and the heaviest rows behind them.
 *
 * Each slot keeps the heaviest rows of each kind (`KEPT`) and the sum of all others, so every total is exact. It takes at most
 * `RateHistory.BYTES`, and of those only pages that were written.
 */
export class RateHistory {
  /** Memory of all slots at most, without the remembered flows. */
  static readonly BYTES = SIZES.reduce((sum, size) => sum + Resolution.bytes(size), 0);

  readonly #levels = SIZES.map((size, level) => new Resolution(size, LEAST[level] as number, level === 0));
  readonly #tick = KEPT.map((capacity) => new Heaviest(capacity));
  readonly #flows = new Map<number, FlowRow>();
  readonly #rowId: RowId;
  /** When the last tick ended; null before the first. */
  #last: number | null = null;

  constructor(rowId: RowId) {
    this.#rowId = rowId;
  }

  /** Adds a tick. */
  add(tick: TickBytes): void {
    const [finest] = this.#levels as [Resolution];
    const isNew = finest.isEmpty;
    finest.add(this.#startOf(tick), tick.rx, tick.tx, tick.isGap);
    for (const [kind, name] of RANGE_KINDS.entries()) {
      // First the heaviest of the tick: a slot of many ticks then looks up a few rows, not thousands.
      const heaviest = isNew ? (finest.kinds[kind] as Heaviest) : (this.#tick[kind] as Heaviest);
      tick.fill(name, (id, rx, tx, tag) => {
        if (rx !== 0 || tx !== 0) heaviest.add(id, rx, tx, tag, true);
      });
      if (name === 'flows') this.#remember(heaviest, tick.flowRow);
      if (isNew) continue;
      const into = finest.kinds[kind] as Heaviest;
      for (let i = 0; i < heaviest.count; i++)
        into.add(heaviest.ids[i] as number, heaviest.rx[i] as number, heaviest.tx[i] as number, -1, false);
      into.addRest(heaviest.restRx, heaviest.restTx);
      heaviest.clear();
    }
    for (const [index, level] of this.#levels.entries()) if (!level.close(tick.time, this.#levels[index + 1] ?? null)) break;
  }

  /** The highest rates of the total in every resolution. */
  rates(): Rates {
    const [seconds, tens, minutes] = this.#levels as [Resolution, Resolution, Resolution];
    return { seconds: seconds.series(), tens: tens.series(), minutes: minutes.series() };
  }

  /** What moved between two times (epoch ms), by the finest resolution that reaches back so far; null if nothing is kept. */
  between(from: number, to: number): RangeTotals | null {
    const level = this.#levelFor(from);
    if (level === null) return null;
    const slots = slotsBetween(level, from, to);
    if (slots.length === 0) return null;
    let measuredMs = 0;
    let rxBytes = 0;
    let txBytes = 0;
    for (const slot of slots) {
      measuredMs += level.measured(slot);
      rxBytes += level.rx(slot);
      txBytes += level.tx(slot);
    }
    const others = {} as Record<RangeKind, MovedBytes>;
    const sums = RANGE_KINDS.map((kind, index) => sumOf(level, slots, index, kind, others));
    const rows = (kind: Exclude<RangeKind, 'flows'>): MovedRow[] => {
      const sum = sums[RANGE_KINDS.indexOf(kind)] as Map<number, MovedBytes>;
      return [...sum].map(([id, moved]) => ({ id: this.#rowId(kind, id), ...moved }));
    };
    return {
      from: level.start(slots[0] as number),
      to: level.end(slots.at(-1) as number),
      measuredMs,
      total: { rxBytes, txBytes },
      apps: rows('apps'),
      hosts: rows('hosts'),
      categories: rows('categories'),
      interfaces: rows('interfaces'),
      flows: this.#flowsOf(sums[RANGE_KINDS.indexOf('flows')] as Map<number, MovedBytes>, others),
      others,
    };
  }

  /** Start of a tick, which is the end of the one before. If the clock was set back, everything kept moves back with it: times never overlap. */
  #startOf({ time, intervalMs }: TickBytes): number {
    const back = this.#last === null ? 0 : time - Math.max(1, intervalMs) - this.#last;
    if (this.#last !== null && time <= this.#last) {
      for (const level of this.#levels) level.shift(back);
      this.#last += back;
    }
    const start = this.#last ?? time - Math.max(1, intervalMs);
    this.#last = time;
    return start;
  }

  #flowsOf(sum: ReadonlyMap<number, MovedBytes>, others: Record<RangeKind, MovedBytes>): MovedFlow[] {
    const flows: MovedFlow[] = [];
    let { rxBytes, txBytes } = others.flows;
    for (const [id, moved] of sum) {
      const row = this.#flows.get(id);
      if (row !== undefined) flows.push({ row, ...moved });
      else {
        rxBytes += moved.rxBytes;
        txBytes += moved.txBytes;
      }
    }
    others.flows = { rxBytes, txBytes };
    return flows;
  }

  #levelFor(from: number): Resolution | null {
    let furthest: Resolution | null = null;
    for (const level of this.#levels) {
      if (level.count === 0) continue;
      const oldest = level.start(level.slot(0));
      if (oldest <= from) return level;
      if (furthest === null || oldest < furthest.start(furthest.slot(0))) furthest = level;
    }
    return furthest;
  }

  #remember(flows: Heaviest, flowRow: (tag: number) => FlowRow): void {
    for (let i = 0; i < flows.count; i++) {
      const id = flows.ids[i] as number;
      const tag = flows.tags[i] as number;
      if (tag < 0) continue;
      this.#flows.delete(id);
      this.#flows.set(id, flowRow(tag));
    }
    for (const id of this.#flows.keys()) {
      if (this.#flows.size <= FLOWS_MAX) break;
      this.#flows.delete(id);
    }
  }
}

/** Slots whose middle lies between two times; if there is none, the slot at the middle of the two. Adjacent ranges share no slot. */
function slotsBetween(level: Resolution, from: number, to: number): number[] {
  const slots: number[] = [];
  let nearest: number | null = null;
  const middle = (from + to) / 2;
  for (let i = 0; i < level.count; i++) {
    const slot = level.slot(i);
    const half = (level.start(slot) + level.end(slot)) / 2;
    if (half >= from && half < to) slots.push(slot);
    if (level.start(slot) <= middle && middle < level.end(slot)) nearest = slot;
  }
  return slots.length === 0 && nearest !== null ? [nearest] : slots;
}

function sumOf(
  level: Resolution,
  slots: readonly number[],
  index: number,
  kind: RangeKind,
  others: Record<RangeKind, MovedBytes>,
): Map<number, MovedBytes> {
  const sums = new Map<number, { rxBytes: number; txBytes: number }>();
  let rxBytes = 0;
  let txBytes = 0;
  for (const slot of slots) {
    rxBytes += level.restRx(slot, index);
    txBytes += level.restTx(slot, index);
    level.eachRow(slot, index, (id, rx, tx) => {
      const sum = sums.get(id);
      if (sum === undefined) sums.set(id, { rxBytes: rx, txBytes: tx });
      else {
        sum.rxBytes += rx;
        sum.txBytes += tx;
      }
    });
  }
  others[kind] = { rxBytes, txBytes };
  return sums;
}

/** Ids of rows as a snapshot has them. */
export function rowIds(interfaceName: (index: number) => string): RowId {
  return (kind, id) => {
    if (kind === 'interfaces') return `interface:${interfaceName(id)}`;
    return `${kind === 'apps' ? 'app' : kind === 'hosts' ? 'host' : 'category'}:${id}`;
  };
}

/**
 * What moved in the tick that is being closed, from the books.
 *
 * @param tunnelled bytes inside captured tunnels: apps inside have them, so the carrier keeps only the rest
 */
export function tickFill(
  booking: Booking,
  flows: FlowTable,
  tunnelled: { readonly rx: number; readonly tx: number },
): TickBytes['fill'] {
  return (kind, into) => {
    if (kind === 'flows') fillFlows(booking, flows, into);
    else
      booking[kind].eachMoved((entity, rx, tx) => {
        const id = booking[kind].serial(entity);
        if (kind !== 'apps' || entity !== CARRIER) into(id, rx, tx, -1);
        else into(id, Math.max(0, rx - tunnelled.rx), Math.max(0, tx - tunnelled.tx), -1);
      });
  };
}

/** In place of a serial number: flows that have left. */
const LEFT = -1;

/** Flows that left during the tick have no row any more: they moved whatever the others didn't. */
function fillFlows(booking: Booking, flows: FlowTable, into: Parameters<TickBytes['fill']>[1]): void {
  let restRx = booking.tickRxSum;
  let restTx = booking.tickTxSum;
  const { touched, touchedCount } = flows;
  for (let i = 0; i < touchedCount; i++) {
    const row = touched[i] as number;
    if (!flows.isLive(row)) continue;
    const rx = booking.tickRx(row);
    const tx = booking.tickTx(row);
    restRx -= rx;
    restTx -= tx;
    into(flows.serial(row), rx, tx, row);
  }
  if (restRx > 0 || restTx > 0) into(LEFT, restRx, restTx, -1);
}

/** True if part of a tick was not measured. */
export function isUnmeasured(gaps: readonly { readonly reason: string }[]): boolean {
  return gaps.some(({ reason }) => reason !== 'loss');
}
