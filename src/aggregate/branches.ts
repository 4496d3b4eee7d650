// What moved below the rows of apps and hosts: by app, process and the other end. Kept for a screen only. Connections that left stay in
// these sums, so they never fall. Bounded: what was silent longest keeps its process apart from its other end, then joins its app's rest.

import type { FlowTable } from '../flow/flow-table.ts';
import { widened } from '../net/bytes.ts';
import { Accumulators, type Movement, movement, OWNERLESS, quietest, turned } from './accumulators.ts';
import { HostTable, OTHER_HOSTS } from './rows/host-table.ts';

/** Branches at most. From three quarters on, flows with new ends are booked by process alone; the last eighth is for what is evicted. */
const MOST = 8192;
const EIGHTHS = { ENDS: 6, PROCESSES: 7 } as const;
/** A table with little room for new ends loses a quarter at once. */
const SHARE = 4;
/** Former owners of a flow's ends that are kept apart. */
const MAX_FORMER = 4;
const NEVER = -1;

/** Process of flows without one, and of what many processes moved that are no longer kept apart. */
export const NO_PID = -1;
export const ANY_PID = -2;
/** Host of the far side of a local flow: the other end is this machine. */
export const HERE = -1;
/** App at the other end where that is another machine, or isn't known. */
export const NO_PEER = -1;
/** The two sides of a flow: its own end, and the far end of a local flow. */
export const SIDE = { OWN: 0, FAR: 1 } as const;

/** Words of a branch's key, which is as long as an address: the host table numbers both. */
export const KEY = { APP: 0, PID: 1, HOST: 2, PEER: 3 } as const;
const WORDS = 4;

/** What a flow moved while its ends had these owners. An end that didn't change hands since still follows the flow. */
interface Former {
  app: number;
  pid: number;
  peer: number;
  peerPid: number;
  hasOwnLeft: boolean;
  hasPeerLeft: boolean;
  /** By side. */
  readonly branches: [number, number];
  /** RX, TX, RX packets, TX packets, as its own end sees them. */
  readonly moved: readonly number[];
}

/** A flow whose owner changed. */
interface Split {
  readonly formers: Former[];
  /** What moved before the last change. */
  readonly before: Float64Array;
  /** By side: nothing was booked since the change. */
  readonly isFresh: [boolean, boolean];
}

/** App at the other end of a far side; why that is unknown may change at any time, and makes no difference. */
export function peerOf(app: number): number {
  return app < OWNERLESS ? NO_PEER : app;
}

/** Sums by branch, and the branches of each flow. The books decide what counts; this decides where it goes. */
export class Branches {
  /** By number of a branch, from 1. */
  readonly sums: Accumulators;
  /** Branches are keys of four words, as addresses are. */
  readonly #table: HostTable;
  readonly #flows: FlowTable;
  readonly #most: number;
  readonly #from: number;
  readonly #key = new Int32Array(WORDS);
  /** By branch: flows that are booked there. */
  #uses = new Int32Array(64);
  /** By branch: number of the newest process that it is of, as the directory counts them, and one more; 0 for none. */
  #processes = new Int32Array(64);
  /** Two ints a row of the flow table, by side: its branch, inverted. A row that was never written reads as NEVER. */
  #places = new Int32Array(0);
  readonly #splits = new Map<number, Split>();
  readonly #moved = movement();
  readonly #turned = movement();
  /** Branch from which the flow last claimed for takes along what was booked; negative for none. */
  from = NEVER;

  /** @param from flows that began by this time aren't counted, epoch ms; null counts all */
  constructor(flows: FlowTable, seed: number, from: number | null = null, most = MOST) {
    this.#flows = flows;
    this.#from = from ?? Number.NEGATIVE_INFINITY;
    this.#most = most;
    this.#table = new HostTable(most, seed);
    this.sums = new Accumulators(most + 1);
  }

  /** Branches there are. */
  get count(): number {
    return this.#table.count;
  }

  /** Numbers of all branches are below. */
  get end(): number {
    return this.#table.end;
  }

  isTaken(branch: number): boolean {
    return this.#table.isTaken(branch);
  }

  /** A word of a branch's key, of KEY. */
  word(branch: number, at: number): number {
    return this.#table.words[branch * WORDS + at] as number;
  }

  /** Process of a branch, as the directory counts them; NO_OWNER for none, and for many. */
  processOf(branch: number): number {
    return (this.#processes[branch] ?? 0) - 1;
  }

  /**
   * Branch of a side of a flow from now on; negative if there is no room. `from` says where it was.
   *
   * @param side of SIDE
   * @param process with this pid, as the directory counts them, or NO_OWNER
   */
  claim(row: number, side: number, app: number, pid: number, host: number, peer: number, process: number): number {
    const at = 2 * row + side;
    if (at >= this.#places.length) this.#places = widened(this.#places, 2 * this.#flows.capacity);
    const was = ~(this.#places[at] as number);
    const now = was >= 0 && this.#is(was, app, pid, host, peer) ? was : this.#numberOf(app, pid, host, peer);
    this.from = was;
    if (now !== was) {
      this.#use(now, 1);
      this.#use(was, -1);
      this.#places[at] = ~now;
      this.#belongs(now, process + 1);
    }
    if (this.#splits.size === 0) return now;
    const split = this.#splits.get(row);
    if (split === undefined) return now;
    if (split.isFresh[side as 0 | 1] && now !== was) this.from = NEVER;
    split.isFresh[side as 0 | 1] = false;
    return now;
  }

  /** What a flow moved before the last change of its owners: RX, TX, RX packets, TX packets; undefined if they didn't change. */
  before(row: number): Float64Array | undefined {
    return this.#splits.size === 0 ? undefined : this.#splits.get(row)?.before;
  }

  /** An end of the flow is about to get another owner. @param booked what the flow moved so far, as its own end sees it */
  ownerLeaves(row: number, isPeer: boolean, booked: ArrayLike<number>): void {
    const split = this.#splits.get(row) ?? { formers: [], before: new Float64Array(4), isFresh: [true, true] };
    this.#splits.set(row, split);
    const { formers, before } = split;
    const own = this.#placeOf(row, SIDE.OWN);
    const far = this.#placeOf(row, SIDE.FAR);
    const moved = Array.from(before, (value, i) => (booked[i] as number) - value);
    if (own >= 0 && moved.some((value) => value !== 0)) {
      this.#use(own, 1);
      this.#use(far, 1);
      formers.push({
        app: this.word(own, KEY.APP),
        pid: this.word(own, KEY.PID),
        peer: far < 0 ? NO_PEER : this.word(far, KEY.APP),
        peerPid: far < 0 ? NO_PID : this.word(far, KEY.PID),
        hasOwnLeft: false,
        hasPeerLeft: false,
        branches: [own, far],
        moved,
      });
    }
    for (const former of formers)
      if (isPeer) former.hasPeerLeft = true;
      else former.hasOwnLeft = true;
    for (let i = 0; i < 4; i++) before[i] = booked[i] as number;
    split.isFresh[SIDE.OWN] = split.isFresh[SIDE.FAR] = true;
    if (formers.length > MAX_FORMER) this.#drop(row, formers.shift() as Former);
  }

  /** Has what moved under former owners follow the flow to its host's name, and to owners of those ends that didn't change hands. */
  follow(row: number, app: number, pid: number, host: number, peer: number, peerPid: number): void {
    for (const former of this.#splits.get(row)?.formers ?? []) {
      if (!former.hasOwnLeft) {
        former.app = app;
        former.pid = pid;
      }
      if (!former.hasPeerLeft) {
        former.peer = peer;
        former.peerPid = peerPid;
      }
      this.#moveFormer(row, former, SIDE.OWN, this.#numberOf(former.app, former.pid, host, former.peer));
      if (former.peer !== NO_PEER)
        this.#moveFormer(row, former, SIDE.FAR, this.#numberOf(former.peer, former.peerPid, HERE, peerOf(former.app)));
    }
  }

  /** A flow was booked for the last time: what it moved stays where it is. */
  flowLeaves(row: number): void {
    for (const side of [SIDE.OWN, SIDE.FAR]) {
      this.#use(this.#placeOf(row, side), -1);
      if (2 * row + side < this.#places.length) this.#places[2 * row + side] = 0;
    }
    if (this.#splits.size === 0) return;
    for (const { branches } of this.#splits.get(row)?.formers ?? []) for (const branch of branches) this.#use(branch, -1);
    this.#splits.delete(row);
  }

  /** Adds the apps of former owners: they must not be evicted. */
  addApps(apps: Set<number>): void {
    for (const { formers } of this.#splits.values()) for (const { app, peer } of formers) apps.add(app).add(peer);
  }

  /** Apps or hosts were evicted, and their numbers may be used again. An app takes its branches along; of a host, each process keeps the sum. */
  forget(kind: 'apps' | 'hosts', entities: readonly number[]): void {
    const gone = new Set(entities);
    const out: number[] = [];
    for (let branch = 1; branch < this.end; branch++) {
      if (!this.isTaken(branch)) continue;
      const app = this.word(branch, KEY.APP);
      const isAppGone = kind === 'apps' && gone.has(app);
      const isEndGone = gone.has(this.word(branch, kind === 'apps' ? KEY.PEER : KEY.HOST));
      if (!isAppGone && !isEndGone) continue;
      const pid = this.word(branch, KEY.PID);
      if (isAppGone || pid === ANY_PID) this.sums.release(branch);
      else this.#release(branch, this.#whole(branch, app, pid));
      out.push(branch);
    }
    this.#table.release(out);
  }

  /** Begins the next tick. Makes room if there is little: of the branches without a flow, those silent longest give up their process, or go. */
  beginTick(): void {
    this.sums.beginTick();
    if (this.#hasRoom(EIGHTHS.ENDS)) return;
    const idle: number[] = [];
    for (let branch = 1; branch < this.end; branch++)
      if (this.isTaken(branch) && (this.#uses[branch] ?? 0) === 0) idle.push(branch);
    const out = quietest(this.sums, idle, Math.ceil(this.#most / SHARE));
    const full = Math.min(this.#most, this.count + out.length / 2);
    for (const branch of out.toReversed()) {
      const [app, pid] = [this.word(branch, KEY.APP), this.word(branch, KEY.PID)];
      const [host, peer] = [this.word(branch, KEY.HOST), this.word(branch, KEY.PEER)];
      if (pid === ANY_PID || (host === OTHER_HOSTS && peer === NO_PEER)) continue;
      this.#release(branch, this.#whole(branch, app, pid, full), this.#intern(app, ANY_PID, host, peer, full));
    }
    for (const branch of out) this.sums.release(branch);
    this.#table.release(out);
  }

  #placeOf(row: number, side: number): number {
    return ~(this.#places[2 * row + side] ?? 0);
  }

  /** True if this is the key of a branch, or if the branch stands for all ends of that process. */
  #is(branch: number, app: number, pid: number, host: number, peer: number): boolean {
    const { words } = this.#table;
    const at = branch * WORDS;
    if (words[at] !== app || words[at + 1] !== pid) return false;
    const [ofHost, ofPeer] = [words[at + 2], words[at + 3]];
    return (ofHost === host && ofPeer === peer) || (ofHost === OTHER_HOSTS && ofPeer === NO_PEER);
  }

  /** Number of a branch, of all ends of its process if there is little room, else NEVER. */
  #numberOf(app: number, pid: number, host: number, peer: number): number {
    const known = this.#table.find(this.#keyOf(app, pid, host, peer), 0);
    if (known !== OTHER_HOSTS) return known;
    if (this.#hasRoom(EIGHTHS.ENDS)) return this.#intern(app, pid, host, peer);
    return this.#intern(app, pid, OTHER_HOSTS, NO_PEER, (this.#most * EIGHTHS.PROCESSES) / 8);
  }

  /** True while less than this part of the table is taken. */
  #hasRoom(eighths: number): boolean {
    return this.count < (this.#most * eighths) / 8;
  }

  /** Number of a branch; NEVER if it is unknown and there are `full` already. */
  #intern(app: number, pid: number, host: number, peer: number, full = this.#most): number {
    const key = this.#keyOf(app, pid, host, peer);
    const number = this.count < full ? this.#table.intern(key, 0) : this.#table.find(key, 0);
    return number === OTHER_HOSTS ? NEVER : number;
  }

  /** Branch of all ends of the process that a branch is of; NEVER if there is no room. */
  #whole(branch: number, app: number, pid: number, full?: number): number {
    const whole = this.#intern(app, pid, OTHER_HOSTS, NO_PEER, full);
    this.#belongs(whole, this.#processes[branch] ?? 0);
    return whole;
  }

  #belongs(branch: number, process: number): void {
    if (branch < 0) return;
    if (branch >= this.#processes.length)
      this.#processes = widened(this.#processes, Math.max(branch + 1, 2 * this.#processes.length));
    this.#processes[branch] = process;
  }

  #keyOf(app: number, pid: number, host: number, peer: number): Int32Array {
    const key = this.#key;
    key[KEY.APP] = app;
    key[KEY.PID] = pid;
    key[KEY.HOST] = host;
    key[KEY.PEER] = peer;
    return key;
  }

  #use(branch: number, by: number): void {
    if (branch < 0) return;
    if (branch >= this.#uses.length) this.#uses = widened(this.#uses, Math.max(branch + 1, 2 * this.#uses.length));
    this.#uses[branch] = (this.#uses[branch] as number) + by;
  }

  /** Has what a branch moved go to others; where there is no room for those, only the row of its app still has it. */
  #release(branch: number, ...into: number[]): void {
    this.sums.release(branch, ...into.filter((each) => each !== NEVER));
  }

  #moveFormer(row: number, former: Former, side: 0 | 1, now: number): void {
    const was = former.branches[side];
    if (was === now) return;
    const moved = this.#movement(row, former, side);
    if (was >= 0) this.sums.leave(was, moved);
    if (now >= 0) this.sums.enter(now, moved);
    this.#use(now, 1);
    this.#use(was, -1);
    former.branches[side] = now;
  }

  #drop(row: number, former: Former): void {
    for (const side of [SIDE.OWN, SIDE.FAR] as const) this.#moveFormer(row, former, side, NEVER);
  }

  #movement(row: number, { moved }: Former, side: number): Movement {
    const into = this.#moved;
    [into.rxTotal = 0, into.txTotal = 0, into.rxpTotal = 0, into.txpTotal = 0] = moved;
    into.rx = into.tx = into.rxp = into.txp = 0;
    into.flows = this.#flows.firstSeen(row) <= this.#from ? 0 : 1;
    into.first = this.#flows.firstSeen(row);
    into.last = this.#flows.lastSeen(row);
    into.row = -1;
    return side === SIDE.OWN ? into : turned(into, this.#turned);
  }
}
