// A live run: polls the capture, ticks by the clock, and notices when the machine slept. It ends on stop() or when the capture is lost.

import { LIVE_LIMITS, type SnapshotLimits } from '../aggregate/aggregator.ts';
import type { AddressWatch } from '../capture/devices/address-watch.ts';
import type { CounterTracker } from '../capture/devices/counters.ts';
import { readCounters } from '../capture/devices/counters.ts';
import { deviceNames, localAddresses } from '../capture/devices/devices.ts';
import type { PacketSource } from '../capture/source.ts';
import type { Localizer } from '../flow/direction.ts';
import type { Neighbours } from '../identify/place/neighbours.ts';
import type { Gap } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { FlowEvents } from './flow-events.ts';
import type { Monitor } from './monitor.ts';
import type { Successor } from './route-watch.ts';

/** Longest turn of work before keys and drawing get theirs. The kernel counts frames that it can't hold meanwhile. */
const TURN_MS = 8;
const BUSY_POLL_MS = 10;
const IDLE_POLL_MS = 50;
const ADDRESSES_MS = 2000;
const MAC_ADDRESSES_MS = 200;
const EXPIRE_MS = 5000;
/** Flow rows built in one go. */
export const ROWS_AT_ONCE = 250;
/** Flows removed in one go. After a scan hundreds of thousands are idle at once. */
export const EXPIRED_AT_ONCE = 1000;
/** By this time V8 has collected the garbage of the start. */
const SETTLED_MS = 15_000;
/** A frame is readable at most this long after its arrival, plus the capture's own delay. */
const SLACK_MS = 20;
/** Most interfaces whose counters are read at the start if only frames reveal which interfaces a capture has (PKTAP, `any`). */
const MAX_EARLY = 64;
/** A longer pause in our clock, or between the two clocks, can't come from a busy machine. */
const GAP_MS = 3000;

/** How a session ended. */
export type SessionEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'lost'; readonly note: string }
  | { readonly kind: 'signal'; readonly number: number };

/** What a live session works with. */
export interface LiveParts {
  readonly source: PacketSource;
  readonly monitor: Monitor;
  readonly localizer: Localizer;
  /** Reports new addresses; null if they are only polled. The caller closes it. */
  readonly addresses: Pick<AddressWatch, 'added'> | null;
  /** null if devices of the local network aren't looked for. */
  readonly neighbours: Neighbours | null;
  readonly tracker: CounterTracker;
  /** null if nothing can replace the capture. */
  readonly successor?: Successor | null;
  readonly edges: Edges;
  readonly clock: Clock;
  readonly output: Output;
  readonly intervalMs: number;
  /** When the first tick comes, if before the end of the first interval: a screen shows traffic sooner. */
  readonly firstMs?: number;
  /** Samples before the session ends by itself; null is endless. */
  readonly samples: number | null;
  readonly durationMs: number | null;
  /** Called once, when everything that comes from now on is counted. */
  readonly counting?: () => void;
  /** Called once, when memory from the start can be returned to the system. */
  readonly settled?: () => void;
}

/** Runs until it is stopped. */
export class LiveSession {
  readonly #parts: LiveParts;
  readonly #events: FlowEvents;
  readonly #started: number;
  #resolve: (end: SessionEnd) => void = () => {};
  #end: SessionEnd | null = null;
  #pollTimer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #tickTimer: NodeJS.Timeout | null = null;
  #ticking: Promise<void> | null = null;
  #lastMonotonic: number;
  #lastWall: number;
  #addressesAt = Number.NEGATIVE_INFINITY;
  #expiredAt: number;
  /** Intervals that are over, counted by their ticks. */
  #ticks = 0;
  /** The tick before the end of the first interval is still to come. */
  #isFirst: boolean;
  #gaps: Gap[] = [];
  #finding = false;
  #isSettled = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#isFirst = (parts.firstMs ?? Number.POSITIVE_INFINITY) < parts.intervalMs;
    this.#events = new FlowEvents(parts.monitor, parts.output);
    this.#started = this.#lastMonotonic = this.#expiredAt = parts.clock.monotonic();
    this.#lastWall = parts.clock.now();
  }

  /** Starts, and resolves when the session has ended and the output has its last snapshot. */
  async run(): Promise<SessionEnd> {
    const { source } = this.#parts;
    await this.#readFirstCounters();
    this.#readAddresses();
    source.begin?.();
    this.#parts.counting?.();
    const ended = new Promise<SessionEnd>((resolve) => {
      this.#resolve = resolve;
      if (this.#end !== null) resolve(this.#end); // stopped before it began
    });
    this.#poll();
    this.#planTick();
    const end = await ended;
    await this.#ticking;
    await this.#readCounters();
    await this.#untilReadable();
    this.#drain(Number.POSITIVE_INFINITY);
    this.#parts.monitor.owners.finish(this.#parts.clock.monotonic());
    await this.#parts.neighbours?.ready();
    this.#events.writeAll();
    await this.#parts.output.end(this.#close());
    return end;
  }

  /** Ends the session; the first reason holds. */
  stop(end: SessionEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    if (this.#tickTimer !== null) clearTimeout(this.#tickTimer);
    if (this.#pollTimer !== null) {
      clearTimeout(this.#pollTimer as NodeJS.Timeout);
      clearImmediate(this.#pollTimer as NodeJS.Immediate);
    }
    this.#resolve(end);
  }

  #poll(): void {
    if (this.#end !== null) return;
    const { source, monitor, neighbours, clock } = this.#parts;
    const deadline = clock.monotonic() + TURN_MS;
    const batches = this.#drain(deadline);
    monitor.owners.work(clock.monotonic());
    neighbours?.work(clock.monotonic());
    monitor.listen(clock.monotonic(), clock.now());
    monitor.lookUpPublishers(clock.monotonic());
    if (source.state === 'lost') void this.#lost(source.note);
    if (this.#end !== null) return;
    const again = () => this.#poll();
    if (clock.monotonic() >= deadline) this.#pollTimer = setImmediate(again);
    else this.#pollTimer = setTimeout(again, batches > 0 ? BUSY_POLL_MS : IDLE_POLL_MS);
  }

  /** Ends the session, unless something can replace the capture. */
  async #lost(note: string): Promise<void> {
    if (this.#finding) return;
    this.#finding = true;
    const moved = await this.#follow();
    this.#finding = false;
    if (!moved) this.stop({ kind: 'lost', note });
  }

  /** @returns true if the capture is elsewhere now */
  async #follow(): Promise<boolean> {
    const { successor = null, clock } = this.#parts;
    const detail = (await successor?.look()) ?? null;
    if (detail !== null) this.#gaps.push({ from: this.#lastWall, to: clock.now(), reason: 'interface', detail });
    return detail !== null && this.#parts.source.state !== 'lost';
  }

  #drain(deadline: number): number {
    const { source, monitor, clock } = this.#parts;
    let batches = 0;
    for (let batch = source.read(); batch !== null; batch = source.read()) {
      this.#takeNewAddresses();
      monitor.ingest(batch, 0, batch.count);
      batches++;
      if (clock.monotonic() >= deadline) break;
      if (batches >= 10_000) break; // a capture that refills faster than it is read must still end
    }
    return batches;
  }

  #planTick(): void {
    const { clock, intervalMs, firstMs = 0, durationMs } = this.#parts;
    const due = this.#isFirst ? firstMs : (this.#ticks + 1) * intervalMs;
    const next = this.#started + Math.min(due, durationMs ?? Number.POSITIVE_INFINITY);
    const wait = Math.max(0, next - clock.monotonic());
    this.#tickTimer = setTimeout(() => {
      this.#ticking = this.#tick();
    }, wait);
  }

  async #tick(): Promise<void> {
    const { source, monitor, clock, output, intervalMs, samples, durationMs } = this.#parts;
    await this.#readCounters();
    // Otherwise the counters would include packets that we haven't read, which would look lost.
    if ((source.delayMs ?? 0) > 0) await this.#untilReadable();
    if (this.#end !== null) return;
    this.#drain(clock.monotonic() + TURN_MS);
    this.#noticeGap();
    if (this.#parts.successor?.isDue(clock.monotonic()) === true) void this.#follow();
    if (clock.monotonic() - this.#addressesAt >= ADDRESSES_MS) {
      this.#readAddresses();
      await this.#turn();
      if (this.#end !== null) return;
    }
    // Before the rows are made: a flow that a snapshot lists is still in the table when a filter of the next moment counts it.
    const expiring = clock.monotonic();
    if (expiring - this.#expiredAt >= EXPIRE_MS) {
      this.#expiredAt = expiring;
      while (monitor.flows.expire(clock.now(), EXPIRED_AT_ONCE) || this.#events.writeSome()) await this.#turn();
      if (this.#end !== null) return;
    }
    while (!monitor.learnInterfaces() || this.#events.collectSome() || monitor.aggregator.makeRows(this.#limits, ROWS_AT_ONCE))
      await this.#turn();
    const snapshot = this.#close();
    // The snapshot is done; frames read from here on belong to the next tick.
    do await this.#turn();
    while (this.#events.writeSome());
    for (const gap of snapshot.gaps) output.gap(gap);
    await output.sample(snapshot, () => this.#turn());
    await this.#turn();
    const now = clock.monotonic();
    if (!this.#isSettled && now - this.#started >= SETTLED_MS) {
      this.#isSettled = true;
      this.#parts.settled?.();
    }
    // After a pause the next tick comes a whole interval later, not a burst of missed ones.
    this.#ticks = Math.max(this.#isFirst ? 0 : this.#ticks + 1, Math.floor((now - this.#started) / intervalMs));
    this.#isFirst = false;
    if ((samples !== null && snapshot.seq + 1 >= samples) || (durationMs !== null && now - this.#started >= durationMs - 1))
      this.stop({ kind: 'done' });
    else if (this.#end === null) this.#planTick();
  }

  /** Reads frames between two parts of a tick, because a tick may take long: a burst of flows makes thousands of rows. */
  async #turn(): Promise<void> {
    if (this.#end !== null) return;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#end === null) this.#drain(this.#parts.clock.monotonic() + TURN_MS);
  }

  get #limits(): SnapshotLimits {
    return this.#parts.output.limits ?? LIVE_LIMITS;
  }

  #close() {
    const { monitor, clock } = this.#parts;
    const monotonic = clock.monotonic();
    const intervalMs = monotonic - this.#lastMonotonic;
    this.#lastMonotonic = monotonic;
    this.#lastWall = clock.now();
    const gaps = this.#gaps;
    this.#gaps = [];
    return monitor.tick(this.#lastWall, Math.round(intervalMs), gaps, this.#limits);
  }

  /** Detects sleep, which stops one clock or both, and a changed clock, which moves only one. Rates across such a gap mean nothing. */
  #noticeGap(): void {
    const { clock, intervalMs } = this.#parts;
    const wall = clock.now();
    const wallPassed = wall - this.#lastWall;
    const passed = clock.monotonic() - this.#lastMonotonic;
    if (wallPassed < passed - GAP_MS) {
      this.#gaps.push({
        from: this.#lastWall,
        to: wall,
        reason: 'clock',
        detail: `the clock was set back by ${seconds(passed - wallPassed)}`,
      });
    } else if (wallPassed > passed + GAP_MS || passed > intervalMs + GAP_MS) {
      this.#gaps.push({
        from: this.#lastWall,
        to: wall,
        reason: 'sleep',
        detail: `nothing was measured for ${seconds(Math.max(wallPassed, passed) - intervalMs)}`,
      });
    } else return;
    this.#addressesAt = Number.NEGATIVE_INFINITY;
  }

  #readAddresses(): void {
    const { localizer, monitor, edges, clock } = this.#parts;
    this.#addressesAt = clock.monotonic();
    if (localizer.setAddresses(localAddresses(edges))) monitor.flows.reclassify();
  }

  /** Takes new addresses before packets, which may already come from them. */
  #takeNewAddresses(): void {
    const { addresses, localizer, monitor, edges, clock } = this.#parts;
    const added = addresses?.added() ?? null;
    if (added !== null && localizer.addAddresses(added)) monitor.flows.reclassify();
    // On a Mac, poll often instead: that takes a fraction of a millisecond.
    if (edges.platform === 'darwin' && clock.monotonic() - this.#addressesAt >= MAC_ADDRESSES_MS) this.#readAddresses();
  }

  /** Reads counters before the first frame, so the totals include what interfaces count from then on. */
  async #readFirstCounters(): Promise<void> {
    const { tracker, edges, source } = this.#parts;
    const known = source.interfaces.map(({ name }) => name);
    const first = await readCounters(edges, known.length > 0 ? known : (await deviceNames(edges)).slice(0, MAX_EARLY));
    if (first !== null) tracker.update(first);
  }

  /** Resolves when all frames that have arrived by now are readable. */
  #untilReadable(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, (this.#parts.source.delayMs ?? 0) + SLACK_MS));
  }

  async #readCounters(): Promise<void> {
    const { tracker, edges, source, monitor } = this.#parts;
    const names = new Set([...tracker.names, ...source.interfaces.map(({ name }) => name)]);
    const reading = await readCounters(edges, names);
    if (reading !== null) tracker.update(reading, monitor.capturedBytes());
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
