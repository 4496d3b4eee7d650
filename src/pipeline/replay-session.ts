// A replay: ticks by the packets' own clock, in real time, faster, or as fast as possible.

import { END_LIMITS, LIVE_LIMITS } from '../aggregate/aggregator.ts';
import type { PacketBatch } from '../capture/batch.ts';
import type { PacketSource } from '../capture/source.ts';
import type { Neighbours } from '../identify/place/neighbours.ts';
import type { Gap } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import type { Clock } from '../system/clock.ts';
import { FlowEvents } from './flow-events.ts';
import type { SessionEnd } from './live-session.ts';
import type { Monitor } from './monitor.ts';

const TURN_MS = 8;
const WAIT_MS = 10;
/** A silence of more intervals than this is skipped, to spare the user the wait and many empty samples. */
const LONGEST_SILENCE = 300;
const EXPIRE_MS = 5000;
const MINUTE_MS = 60_000;

/** What a replay works with. */
export interface ReplayParts {
  readonly source: PacketSource;
  readonly monitor: Monitor;
  /** null if devices of the local network aren't looked for. */
  readonly neighbours: Neighbours | null;
  readonly clock: Clock;
  readonly output: Output;
  readonly intervalMs: number;
  /** Multiple of real time; 0 is as fast as possible. */
  readonly speed: number;
  /** False to tick only at the end, if samples aren't needed. */
  readonly ticks: boolean;
  readonly samples: number | null;
  readonly durationMs: number | null;
  /** Called at each full minute of packet time; null if nothing is recorded. */
  readonly collect: ((time: number) => void) | null;
  /** Writes the packets; null if nobody does. */
  readonly writing: {
    /** Called after each batch. @param time of the packets */
    work(time: number): void;
    /** Resolves when there is room for more; null if there is now. */
    room(): Promise<void> | null;
  } | null;
}

/** Plays a capture to its end, or until it is stopped. */
export class ReplaySession {
  readonly #parts: ReplayParts;
  readonly #events: FlowEvents;
  #end: SessionEnd | null = null;
  /** Time of the first packet; null before it. Zero is a valid time, from a clock that was never set. */
  #first: number | null = null;
  #begun = 0;
  /** Start of this turn of work. Keys and signals are handled between turns. */
  #turn = 0;
  #nextTick = 0;
  #lastTick = 0;
  #expireAt = 0;
  #gaps: Gap[] = [];
  #nextMinute = 0;
  #wake: () => void = () => {};

  constructor(parts: ReplayParts) {
    this.#parts = parts;
    this.#events = new FlowEvents(parts.monitor, parts.output);
  }

  async run(): Promise<SessionEnd> {
    const { source, output, clock } = this.#parts;
    this.#turn = clock.monotonic();
    while (this.#end === null) {
      const batch = source.read();
      if (batch === null) {
        if (source.state === 'ended' || source.state === 'lost') break;
        await this.#tickUntil(this.#playedTo());
        await this.#pause(WAIT_MS);
        continue;
      }
      await this.#play(batch);
      await this.#write();
      await this.#yield();
    }
    const end = this.#end ?? { kind: 'done' };
    this.#parts.monitor.owners.finish(clock.monotonic());
    await this.#parts.neighbours?.ready();
    this.#events.writeAll();
    if (this.#first === null) this.#lastTick = clock.now(); // without packets, use our own clock
    const time = Math.max(this.#parts.monitor.lastTime, this.#lastTick);
    const interval = Math.round(Math.max(0, time - this.#lastTick));
    if (this.#parts.ticks || output.endWithRows === undefined) await output.end(this.#close(time));
    else await output.endWithRows(this.#parts.monitor.last(time, interval, this.#gaps));
    return end;
  }

  /** Ends the replay; the first reason holds. */
  stop(end: SessionEnd): void {
    this.#end ??= end;
    this.#wake();
  }

  /** Has the packets written, and waits for a slow disk: a file has no others. */
  async #write(): Promise<void> {
    const { writing, monitor } = this.#parts;
    if (writing === null) return;
    writing.work(monitor.lastTime);
    for (let room = writing.room(); room !== null && this.#end === null; room = writing.room()) await room;
  }

  /** Plays a batch from tick to tick, waiting while packets are ahead of the clock. */
  async #play(batch: PacketBatch): Promise<void> {
    const { monitor, ticks, speed, intervalMs } = this.#parts;
    if (this.#first === null && batch.count > 0) this.#begin(batch.time[0] as number);
    if (!ticks && speed === 0) {
      this.#ingestWhole(batch);
      return;
    }
    let from = 0;
    while (from < batch.count && this.#end === null) {
      this.#collectUntil(batch.time[from] as number);
      const limit = Math.min(this.#nextTick, this.#nextMinute, this.#playedTo());
      let to = from;
      while (to < batch.count && (batch.time[to] as number) < limit) to++;
      if (to > from) monitor.ingest(batch, from, to);
      from = to;
      if (from === batch.count) break;
      const time = batch.time[from] as number;
      if (time >= this.#nextTick) {
        if (time - this.#nextTick > LONGEST_SILENCE * intervalMs) await this.#skipSilence(time);
        else if (this.#playedTo() >= this.#nextTick) await this.#tickUntil(Math.min(time, this.#playedTo()));
        else await this.#pause(WAIT_MS);
      } else if (time < this.#nextMinute) await this.#pause(WAIT_MS);
    }
  }

  /** Plays a batch at once; if minutes are recorded, one minute at a time. */
  #ingestWhole(batch: PacketBatch): void {
    const { monitor, collect } = this.#parts;
    let from = 0;
    while (collect !== null) {
      let to = from;
      while (to < batch.count && (batch.time[to] as number) < this.#nextMinute) to++;
      if (to === batch.count) break;
      monitor.ingest(batch, from, to);
      this.#collectUntil(batch.time[to] as number);
      from = to;
    }
    monitor.ingest(batch, from, batch.count);
  }

  #collectUntil(time: number): void {
    if (time < this.#nextMinute) return;
    this.#parts.collect?.(this.#nextMinute);
    this.#nextMinute = (Math.floor(time / MINUTE_MS) + 1) * MINUTE_MS;
  }

  #begin(time: number): void {
    this.#nextMinute = (Math.floor(time / MINUTE_MS) + 1) * MINUTE_MS;
    this.#first = time;
    this.#parts.monitor.aggregator.startAt(time);
    this.#begun = this.#parts.clock.monotonic();
    this.#lastTick = time;
    this.#nextTick = time + this.#parts.intervalMs;
    this.#expireAt = time + EXPIRE_MS;
  }

  /** Packet time up to which the replay may play now. */
  #playedTo(): number {
    const { speed, clock } = this.#parts;
    return speed === 0 ? Number.POSITIVE_INFINITY : (this.#first ?? 0) + (clock.monotonic() - this.#begun) * speed;
  }

  /** Yields to other work once a turn has lasted long enough. */
  async #yield(): Promise<void> {
    const { clock } = this.#parts;
    if (clock.monotonic() - this.#turn < TURN_MS) return;
    await new Promise(setImmediate);
    this.#turn = clock.monotonic();
  }

  async #tickUntil(time: number): Promise<void> {
    const { intervalMs } = this.#parts;
    if (this.#first === null || !Number.isFinite(time)) return;
    while (this.#nextTick <= time && this.#end === null) {
      if (time - this.#nextTick > LONGEST_SILENCE * intervalMs) await this.#skipSilence(time);
      else {
        await this.#tick(this.#nextTick);
        this.#nextTick += intervalMs;
      }
      await this.#yield();
    }
  }

  /** Ticks once, then continues at `time`; so does the clock of a paced replay. */
  async #skipSilence(time: number): Promise<void> {
    await this.#tick(this.#nextTick);
    const { intervalMs, speed, clock } = this.#parts;
    const silence = Math.floor((time - this.#nextTick) / intervalMs) * intervalMs;
    this.#gaps.push({
      from: this.#nextTick,
      to: this.#nextTick + silence,
      reason: 'clock',
      detail: `no packets for ${Math.round(silence / 1000)} s`,
    });
    this.#nextTick += silence + intervalMs;
    this.#lastTick = this.#nextTick - intervalMs;
    if (speed === 0 || this.#playedTo() >= this.#lastTick) return;
    this.#begun = clock.monotonic() - (this.#lastTick - (this.#first ?? 0)) / speed;
  }

  async #tick(time: number): Promise<void> {
    const { monitor, output, samples, durationMs, ticks } = this.#parts;
    monitor.owners.work(this.#parts.clock.monotonic());
    this.#events.writeAll();
    const snapshot = this.#close(time);
    this.#collectUntil(time);
    if (ticks) {
      for (const gap of snapshot.gaps) output.gap(gap);
      await output.sample(snapshot, () => this.#yield());
    }
    if (time >= this.#expireAt) {
      this.#expireAt = time + EXPIRE_MS;
      monitor.flows.expire(time);
    }
    if ((samples !== null && snapshot.seq + 1 >= samples) || (durationMs !== null && time - (this.#first ?? 0) >= durationMs))
      this.stop({ kind: 'done' });
  }

  #close(time: number) {
    const interval = Math.max(0, time - this.#lastTick);
    this.#lastTick = time;
    const gaps = this.#gaps;
    this.#gaps = [];
    const { monitor, ticks, output } = this.#parts;
    return monitor.tick(time, Math.round(interval), gaps, output.limits ?? (ticks ? LIVE_LIMITS : END_LIMITS));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
