// Rows of what is below apps and hosts, for a snapshot: all of them, or the largest of each app.

import { type BranchRow, NO_MEANS } from '../../model/snapshot.ts';
import type { ProcessDirectory } from '../../model/terms.ts';
import { COLUMN, OWNERLESS } from '../accumulators.ts';
import { type Booking, CARRIER, ownerlessReason } from '../booking.ts';
import { ANY_PID, type Branches, HERE, KEY, NO_PID } from '../branches.ts';
import { hasMotion, RowCache, trafficOf } from './entity-rows.ts';
import type { HostRows } from './host-rows.ts';
import { OTHER_HOSTS } from './host-table.ts';
import { Top } from './selection.ts';

/** Rows of a snapshot. Beyond it each app keeps its largest, as many as every app can have. */
const LIMIT = 2048;

/** Builds and keeps the rows. One that didn't change is the same object in the next snapshot. */
export class BranchRows {
  readonly #branches: Branches;
  readonly #directory: ProcessDirectory;
  readonly #booking: Booking;
  readonly #hosts: HostRows;
  readonly #limit: number;
  readonly #top = new Top();
  readonly #rows = new RowCache<BranchRow>();

  /** @param booking gives apps their serial numbers */
  constructor(branches: Branches, directory: ProcessDirectory, booking: Booking, hosts: HostRows, limit = LIMIT) {
    this.#branches = branches;
    this.#directory = directory;
    this.#booking = booking;
    this.#hosts = hosts;
    this.#limit = limit;
  }

  select(intervalMs: number): BranchRow[] {
    const shown = this.#chosen();
    const rows = shown.map((branch) => this.#row(branch, intervalMs));
    this.#rows.retain(shown);
    return rows;
  }

  #chosen(): readonly number[] {
    const present: number[] = [];
    for (let branch = 1; branch < this.#branches.end; branch++) if (this.#isShown(branch)) present.push(branch);
    if (present.length <= this.#limit) return present;
    const byApp = new Map<number, number[]>();
    for (const branch of present) {
      const app = this.#branches.word(branch, KEY.APP);
      const list = byApp.get(app);
      if (list === undefined) byApp.set(app, [branch]);
      else list.push(branch);
    }
    const lists = [...byApp.values()];
    let most = this.#limit;
    while (most > 1 && lists.reduce((sum, { length }) => sum + Math.min(length, most), 0) > this.#limit) most >>= 1;
    return lists.flatMap((list) => (list.length <= most ? list : this.#largest(list, most))).slice(0, this.#limit);
  }

  #largest(branches: readonly number[], most: number): number[] {
    const { sums } = this.#branches;
    this.#top.begin(most);
    for (const branch of branches) this.#top.offer(branch, sums.get(branch, COLUMN.RX) + sums.get(branch, COLUMN.TX));
    return this.#top.take();
  }

  #isShown(branch: number): boolean {
    return this.#branches.isTaken(branch) && this.#branches.sums.isPresent(branch);
  }

  #row(branch: number, intervalMs: number): BranchRow {
    const branches = this.#branches;
    const { sums } = branches;
    const old = this.#rows.get(branch);
    const id = `branch:${sums.serial(branch)}`;
    const host = branches.word(branch, KEY.HOST);
    const nameSource = host > OTHER_HOSTS ? this.#hosts.nameSource(host) : 'none';
    // It may become known late, and be forgotten early.
    const process = this.#directory.process(branches.processOf(branch)) ?? (old?.id === id ? old.process : null);
    const isStill =
      old?.id === id &&
      old.nameSource === nameSource &&
      old.process === process &&
      !sums.moved(branch) &&
      old.rxRate === 0 &&
      old.txRate === 0 &&
      old.rxBytes === sums.get(branch, COLUMN.RX) &&
      old.txBytes === sums.get(branch, COLUMN.TX) &&
      old.flows === sums.get(branch, COLUMN.FLOWS) &&
      !hasMotion(old.means);
    if (isStill) return old;
    const traffic = trafficOf(sums, branch, intervalMs);
    const known = old?.id === id ? old : this.#known(branch, id);
    // Field by field: with spreads, thousands of rows took several times as long.
    const made: BranchRow = {
      id,
      appId: known.appId,
      app: known.app,
      reason: known.reason,
      pid: known.pid,
      process,
      isFolded: known.isFolded,
      hostId: known.hostId,
      host: known.host,
      address: known.address,
      nameSource,
      isFar: known.isFar,
      peerApp: known.peerApp,
      carries: known.carries,
      flows: sums.get(branch, COLUMN.FLOWS),
      firstSeen: sums.get(branch, COLUMN.FIRST),
      lastSeen: sums.get(branch, COLUMN.LAST),
      rxBytes: traffic.rxBytes,
      txBytes: traffic.txBytes,
      rxPackets: traffic.rxPackets,
      txPackets: traffic.txPackets,
      rxRate: traffic.rxRate,
      txRate: traffic.txRate,
      means: traffic.means,
    };
    this.#rows.set(branch, made);
    return made;
  }

  /** What of a branch never changes, while it has this number. */
  #known(branch: number, id: string): BranchRow {
    const branches = this.#branches;
    const app = branches.word(branch, KEY.APP);
    const pid = branches.word(branch, KEY.PID);
    const host = branches.word(branch, KEY.HOST);
    const peer = branches.word(branch, KEY.PEER);
    const name = this.#appName(app);
    const end = host > OTHER_HOSTS ? this.#hosts.identity(host) : null;
    return {
      id,
      appId: `app:${this.#booking.apps.serial(app)}`,
      app: name,
      reason: name === null ? ownerlessReason(app) : null,
      pid: pid === NO_PID || pid === ANY_PID ? null : pid,
      process: null,
      isFolded: pid === ANY_PID,
      hostId: end?.id ?? null,
      host: end?.host ?? null,
      address: end?.address ?? null,
      nameSource: end?.nameSource ?? 'none',
      isFar: host === HERE,
      peerApp: this.#appName(peer),
      carries: app === CARRIER,
      flows: 0,
      firstSeen: 0,
      lastSeen: 0,
      rxBytes: 0,
      txBytes: 0,
      rxPackets: 0,
      txPackets: 0,
      rxRate: 0,
      txRate: 0,
      means: NO_MEANS,
    };
  }

  #appName(app: number): string | null {
    return app < OWNERLESS ? null : (this.#directory.app(app - OWNERLESS)?.name ?? null);
  }
}
