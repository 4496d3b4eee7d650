// Host rows of a snapshot: by name where flows have one, by address where not.

import type { FlowTable } from '../flow/flow-table.ts';
import { INTS, REMOTE } from '../flow/layout.ts';
import { formatAddress } from '../net/address.ts';
import type { FlowFacts, NameSource } from '../net/model.ts';
import { A, type Accumulators } from './accumulators.ts';
import { choose, hasMotion, holds, RECENT_SECONDS, sumTraffic, trafficOf } from './entity-rows.ts';
import { type HostTable, OTHER_HOSTS } from './host-table.ts';
import type { HostRow } from './snapshot.ts';

/** Addresses kept of a name; a service behind many shows the first. */
const MOST_ADDRESSES = 8;
const NOWHERE = { country: null, asn: null, network: null } as const;

/** What its flows told about a host. */
interface Met {
  /** Texts for the screen; the first one's words for its place. */
  addresses: readonly string[];
  readonly words: Int32Array;
  source: NameSource;
  category: number;
}

/** Rows of the hosts table. An entity is twice an address's number, or twice a name's and one. */
export class HostRows {
  readonly #hosts: Accumulators;
  readonly #table: HostTable;
  readonly #flows: FlowTable;
  readonly #facts: FlowFacts | null;
  readonly #met = new Map<number, Met>();
  readonly #rows = new Map<number, HostRow>();

  constructor(hosts: Accumulators, table: HostTable, flows: FlowTable, facts: FlowFacts | null) {
    this.#hosts = hosts;
    this.#table = table;
    this.#flows = flows;
    this.#facts = facts;
  }

  /** A flow is booked under a host that it was not booked under before. */
  meet(entity: number, row: number): void {
    if (this.#facts === null) return;
    const source = this.#facts.nameSource(row);
    const category = this.#facts.categoryOf(row);
    const met = this.#met.get(entity);
    if (met === undefined) {
      const at = row * INTS + REMOTE;
      const addresses = entity % 2 === 0 ? [] : [formatAddress(this.#flows.ints, at)];
      this.#met.set(entity, { addresses, words: this.#flows.ints.slice(at, at + 4), source, category });
      return;
    }
    met.source = source;
    met.category = category;
    if (entity % 2 === 0 || met.addresses.length >= MOST_ADDRESSES) return;
    const address = formatAddress(this.#flows.ints, row * INTS + REMOTE);
    if (!met.addresses.includes(address)) met.addresses = [...met.addresses, address];
  }

  select(limit: number, intervalMs: number): HostRow[] {
    const { shown, rest } = choose(this.#hosts, limit);
    const folded = shown.includes(OTHER_HOSTS) ? [...rest, OTHER_HOSTS] : rest;
    const rows = shown.filter((host) => host !== OTHER_HOSTS).map((host) => this.#row(host, intervalMs));
    if (folded.length > 0) rows.push(this.#folded(folded, intervalMs));
    return rows;
  }

  #row(entity: number, intervalMs: number): HostRow {
    const old = this.#rows.get(entity);
    const isStill = !this.#hosts.moved(entity) && old !== undefined && old.rxRate === 0 && old.txRate === 0;
    if (isStill && holds(old, this.#hosts, entity) && !hasMotion(old.recent)) return old;
    const made: HostRow = {
      ...this.#known(entity, old),
      reason: null,
      flows: this.#hosts.get(entity, A.FLOWS),
      firstSeen: this.#hosts.get(entity, A.FIRST),
      lastSeen: this.#hosts.get(entity, A.LAST),
      recent: this.#hosts.recent(entity, RECENT_SECONDS),
      ...trafficOf(this.#hosts, entity, intervalMs),
    };
    this.#rows.set(entity, made);
    return made;
  }

  #known(entity: number, old: HostRow | undefined) {
    const facts = this.#facts;
    const met = this.#met.get(entity);
    const category = met === undefined || facts === null ? null : facts.categoryText(met.category);
    const { country, asn, network } = met === undefined || facts === null ? NOWHERE : facts.placeOf(met.words, 0);
    const place = { category, country, asn, network };
    const id = `host:${entity}`;
    if (entity % 2 === 0 || facts === null) {
      const address = old?.host ?? formatAddress(this.#table.words, (entity >> 1) * 4);
      return { id, host: address, domain: null, nameSource: 'none', addresses: old?.addresses ?? [address], ...place } as const;
    }
    const name = entity >> 1;
    const nameSource = met?.source ?? 'none';
    return {
      id,
      host: facts.nameText(name),
      domain: facts.domainOf(name),
      nameSource,
      addresses: met?.addresses ?? [],
      ...place,
    };
  }

  #folded(rest: readonly number[], intervalMs: number): HostRow {
    let firstSeen = Number.POSITIVE_INFINITY;
    let lastSeen = 0;
    let flows = 0;
    for (const host of rest) {
      firstSeen = Math.min(firstSeen, this.#hosts.get(host, A.FIRST));
      lastSeen = Math.max(lastSeen, this.#hosts.get(host, A.LAST));
      flows += this.#hosts.get(host, A.FLOWS);
    }
    const nothing = {
      host: null,
      domain: null,
      nameSource: 'none',
      addresses: [],
      category: null,
      country: null,
      asn: null,
      network: null,
    } as const;
    const traffic = sumTraffic(rest.map((host) => trafficOf(this.#hosts, host, intervalMs)));
    return {
      id: 'host:rest',
      ...nothing,
      reason: `${rest.length} more hosts`,
      flows,
      firstSeen,
      lastSeen,
      recent: [],
      ...traffic,
    };
  }
}
