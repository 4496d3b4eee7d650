// Flow rows of a snapshot: makes the text of a flow once, renews its numbers when it moves, and selects the few that are shown.

import type { FlowTable } from '../../flow/flow-table.ts';
import { FLOW_STATES } from '../../flow/tcp.ts';
import { type FlowRow, NO_MEANS } from '../../model/snapshot.ts';
import {
  type Endpoint,
  FLOW_DIRECTIONS,
  type FlowFacts,
  NO_OWNER,
  NOWHERE,
  type Place,
  type Process,
  type ProcessDirectory,
} from '../../model/terms.ts';
import { formatAddress } from '../../net/address.ts';
import { hasPorts, PROTOCOL, protocolName } from '../../net/numbers.ts';
import { applicationByPort } from '../../net/services.ts';
import type { Booking } from '../booking.ts';
import { sameMeans } from '../means.ts';
import { RowCache } from './entity-rows.ts';
import { Top } from './selection.ts';

const always = (): boolean => true;
const TUNNEL_NAMES = [null, '6in4', '4in6', 'ip-in-ip', 'vxlan', 'wireguard', 'gre', 'geneve', 'gtp-u', 'teredo'] as const;

/** Builds and keeps flow rows. A row that did not change is the same object in the next snapshot. */
export class FlowRows {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #directory: ProcessDirectory;
  readonly #interfaceName: (index: number) => string;
  readonly #onBehalfOf: ((row: number) => number) | null;
  readonly #facts: FlowFacts | null;
  readonly #top = new Top();
  readonly #rows = new RowCache<FlowRow>();
  /** Serial of the newest flow at the last `select`. */
  #selected = 0;
  /** Where in `touched` `makeSome` goes on, and how many rows it made since the last `select`. */
  #madeTo = 0;
  #made = 0;

  /** @param onBehalfOf process for which a flow's owner acts, or NO_OWNER; null if the capture doesn't tell */
  constructor(
    flows: FlowTable,
    booking: Booking,
    directory: ProcessDirectory,
    interfaceName: (index: number) => string,
    onBehalfOf: ((row: number) => number) | null,
    facts: FlowFacts | null,
  ) {
    this.#flows = flows;
    this.#booking = booking;
    this.#directory = directory;
    this.#interfaceName = interfaceName;
    this.#onBehalfOf = onBehalfOf;
    this.#facts = facts;
  }

  /**
   * Makes the rows of the next few flows that began since the last `select`, so that `select` has only their figures to renew.
   *
   * @param limit as for `select`
   * @param most rows made in one go
   * @returns true if it stopped early
   */
  makeSome(limit: number, most: number, intervalMs: number): boolean {
    const flows = this.#flows;
    const end = Math.min(limit, this.#made + most);
    for (; this.#madeTo < flows.touchedCount && this.#made < end; this.#madeTo++) {
      const row = flows.touched[this.#madeTo] as number;
      const serial = flows.serial(row);
      if (!flows.isLive(row) || serial <= this.#selected || Number(this.#rows.get(row)?.id) === serial) continue;
      this.row(row, intervalMs);
      this.#made++;
    }
    return this.#made === end && end < limit;
  }

  /** The `limit` flows that moved most, then those seen last. @param isWanted leaves out the others */
  select(limit: number, intervalMs: number, isWanted: (row: number) => boolean = always): FlowRow[] {
    const flows = this.#flows;
    this.#top.begin(limit);
    // Newest rows first: they are mostly the heaviest, and lighter ones are then rejected at once.
    for (let row = flows.rows - 1; row >= 0; row--)
      if (flows.isLive(row) && isWanted(row)) this.#top.offer(row, this.#weight(row));
    const shown = this.#top.take();
    const rows = shown.map((row) => this.row(row, intervalMs));
    this.#rows.retain(shown);
    this.#selected = flows.created;
    this.#madeTo = 0;
    this.#made = 0;
    return rows;
  }

  /** Rows remembered for the next snapshot. */
  get kept(): number {
    return this.#rows.size;
  }

  /** All flows in the order of `select`. Keeps no row. */
  *all(intervalMs: number, isWanted: (row: number) => boolean = always): Generator<FlowRow> {
    const { rows } = this.#flows;
    const keys = new Float64Array(rows);
    const live = new Int32Array(rows);
    let count = 0;
    for (let row = 0; row < rows; row++) {
      if (!this.#flows.isLive(row) || !isWanted(row)) continue;
      keys[row] = this.#weight(row);
      live[count++] = row;
    }
    live.subarray(0, count).sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b);
    for (let i = 0; i < count; i++) {
      const row = live[i] as number;
      yield this.#make(row, intervalMs, this.#rows.get(row));
    }
  }

  /** The row of a live flow as it is now. */
  row(row: number, intervalMs: number): FlowRow {
    const made = this.#make(row, intervalMs, this.#rows.get(row));
    this.#rows.set(row, made);
    return made;
  }

  /** @param old what was made of the row before, for this or another flow */
  #make(row: number, intervalMs: number, old: FlowRow | undefined): FlowRow {
    const flows = this.#flows;
    const serial = flows.serial(row);
    const same = old !== undefined && Number(old.id) === serial ? old : undefined;
    const rxRate = Math.round((this.#booking.tickRx(row) * 1000) / intervalMs);
    const txRate = Math.round((this.#booking.tickTx(row) * 1000) / intervalMs);
    const means = this.#booking.means?.of(row) ?? NO_MEANS;
    const process = this.#process(flows.owner(row));
    const peer = this.#process(flows.peer(row));
    const state = FLOW_STATES[flows.state(row)] ?? 'new';
    const attribution = flows.attribution(row);
    const reason = flows.reason(row);
    const app = this.#appName(process);
    const peerApp = this.#appName(peer);
    const onBehalfOf = this.#onBehalfOf === null ? null : this.#appName(this.#process(this.#onBehalfOf(row)));
    const carries = this.#booking.carries(row);
    const facts = this.#facts;
    const name = facts?.nameOf(row) ?? -1;
    const host = name >= 0 && facts !== null ? facts.nameText(name) : null;
    const nameSource = facts?.nameSource(row) ?? 'none';
    const nameReason = facts?.nameReason(row) ?? null;
    const category = facts === null ? null : facts.categoryText(facts.categoryOf(row));
    const application = facts?.applicationOf(row) ?? null;
    const inside = facts?.insideOf(row) ?? null;
    const asked = facts?.askedOf(row) ?? same?.asked ?? null;
    const talk = facts?.talkOf(row) ?? same?.talk ?? null;
    const lastSeen = flows.lastSeen(row);
    if (
      same !== undefined &&
      same.lastSeen === lastSeen &&
      same.rxPackets === flows.rxPackets(row) &&
      same.txPackets === flows.txPackets(row) &&
      same.rxRate === rxRate &&
      same.txRate === txRate &&
      sameMeans(same.means, means) &&
      same.state === state &&
      same.pid === (process?.pid ?? null) &&
      same.attribution === attribution &&
      same.reason === reason &&
      same.peerPid === (peer?.pid ?? null) &&
      same.app === app &&
      same.peerApp === peerApp &&
      same.onBehalfOf === onBehalfOf &&
      same.carries === carries &&
      (host === null || same.host === host) &&
      same.nameSource === nameSource &&
      same.nameReason === nameReason &&
      same.inside === inside &&
      same.asked === asked &&
      same.talk === talk &&
      same.category === category &&
      (application === null || same.application === application)
    ) {
      return same;
    }
    const protocol = flows.protocol(row);
    const isTcp = protocol === PROTOCOL.TCP;
    const rtt = flows.rtt(row);
    const connect = flows.handshakeRtt(row);
    const local = same?.local ?? this.#end(flows.localAt(row), hasPorts(protocol) ? flows.localPort(row) : 0);
    const remote = same?.remote ?? this.#end(flows.remoteAt(row), hasPorts(protocol) ? flows.remotePort(row) : 0);
    // The place of the remote end never changes: it is looked up once.
    const place: Place = same ?? facts?.placeOf(flows.words, flows.remoteAt(row)) ?? NOWHERE;
    // Field by field: a spread takes longer than all the rest.
    return {
      id: same?.id ?? String(serial),
      protocol: same?.protocol ?? protocolName(protocol),
      interface: same?.interface ?? this.#interfaceName(flows.interface(row)),
      local,
      remote,
      direction: FLOW_DIRECTIONS[flows.direction(row)] ?? 'transit',
      state,
      app,
      pid: process?.pid ?? null,
      attribution,
      reason,
      peerApp,
      peerPid: peer?.pid ?? null,
      onBehalfOf,
      host: host ?? remote.address,
      nameSource,
      nameReason,
      domain: name >= 0 && facts !== null ? facts.domainOf(name) : null,
      application: application ?? applicationByPort(protocol, local.port, remote.port),
      applicationSource: facts?.applicationSource(row) ?? 'port',
      category,
      country: place.country,
      asn: place.asn,
      network: place.network,
      firstSeen: flows.firstSeen(row),
      lastSeen,
      rttMs: isTcp && rtt > 0 ? rtt / 1000 : null,
      retransmits: isTcp ? flows.retransmits(row) : 0,
      carries,
      tunnel: TUNNEL_NAMES[flows.tunnel(row)] ?? null,
      inside,
      asked,
      talk,
      connectMs: isTcp && connect > 0 ? connect / 1000 : null,
      closed: flows.isClosed(row),
      rxBytes: flows.rxBytes(row),
      txBytes: flows.txBytes(row),
      rxPackets: flows.rxPackets(row),
      txPackets: flows.txPackets(row),
      rxRate,
      txRate,
      means,
    };
  }

  /** The order of flows: the heavier stands above, over the last seconds where these are kept. */
  #weight(row: number): number {
    const { means } = this.#booking;
    const moved = means === null ? this.#booking.tickRx(row) + this.#booking.tickTx(row) : means.weight(row);
    return (moved > 0 ? 1e15 + moved : 0) + this.#flows.lastSeen(row) / 1e3;
  }

  #end(at: number, port: number): Endpoint {
    return { address: formatAddress(this.#flows.words, at), port };
  }

  /** Forgets the text of a row that was removed. */
  forget(row: number): void {
    this.#rows.delete(row);
  }

  #process(id: number): Process | undefined {
    return id === NO_OWNER ? undefined : this.#directory.process(id);
  }

  #appName(process: Process | undefined): string | null {
    return process === undefined ? null : (this.#directory.app(process.app)?.name ?? null);
  }
}
