// Host rows of a snapshot: by name where flows have one, by address where not.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { HostRow } from '../../model/snapshot.ts';
import { type FlowFacts, NAME_RANK, NAME_SOURCES, type Neighbour } from '../../model/terms.ts';
import { formatAddress } from '../../net/address.ts';
import { widened } from '../../net/bytes.ts';
import { type Accumulators, COLUMN } from '../accumulators.ts';
import { hasMotion, holds, RECENT_SECONDS, RowCache, trafficOf } from './entity-rows.ts';
import { type HostTable, OTHER_HOSTS } from './host-table.ts';
import { type Rest, Selection, tellsRest } from './selection.ts';

/** Addresses kept of a name; a service behind many shows the first. */
const MOST_ADDRESSES = 8;
const NOWHERE = { country: null, asn: null, network: null } as const;
const NOBODY: Neighbour = { mac: null, vendor: null };

/** Column value of a host of which no flow has told. */
const NEVER = -2;

/** What flows told of hosts, by entity. */
interface ToldHosts {
  categories: Int32Array;
  /** Indexes into NAME_SOURCES. */
  sources: Int32Array;
  /** Of an entity that is a name: the addresses it had. */
  readonly addresses: (string | undefined)[];
  hasGivenUp: boolean;
}

/** Rows of the hosts table. An entity is a number of the host table; what flows told of it is kept in columns. */
export class HostRows {
  readonly #hosts: Accumulators;
  readonly #table: HostTable;
  readonly #flows: FlowTable;
  readonly #facts: FlowFacts | null;
  readonly #ids: Accumulators;
  readonly #told: ToldHosts;
  readonly #selection: Selection;
  readonly #rows = new RowCache<HostRow>();
  #rest: HostRow | null = null;

  /** @param like whose ids and knowledge these rows share */
  constructor(hosts: Accumulators, table: HostTable, flows: FlowTable, facts: FlowFacts | null, like: HostRows | null = null) {
    this.#hosts = hosts;
    this.#ids = like === null ? hosts : like.#hosts;
    this.#told =
      like !== null
        ? like.#told
        : { categories: new Int32Array(0), sources: new Int32Array(0), addresses: [], hasGivenUp: false };
    this.#selection = new Selection(hosts, OTHER_HOSTS);
    this.#table = table;
    this.#flows = flows;
    this.#facts = facts;
  }

  /** Rows of the same hosts with other totals. */
  of(hosts: Accumulators): HostRows {
    return new HostRows(hosts, this.#table, this.#flows, this.#facts, this);
  }

  /** A flow is booked under a host that it was not booked under before, or is in another category now. */
  meet(entity: number, row: number): void {
    if (this.#facts === null) return;
    this.#reserve(entity);
    this.#told.categories[entity] = this.#facts.categoryOf(row);
    if (this.#table.nameOf(entity) < 0) return;
    const { words } = this.#flows;
    const at = this.#flows.remoteAt(row);
    const known = this.#told.addresses[entity];
    // Its place is that of the first.
    if (known === undefined) for (let i = 0; i < 4; i++) this.#table.words[entity * 4 + i] = words[at + i] as number;
    const told = this.#facts.nameSource(row);
    const before = NAME_SOURCES[this.#told.sources[entity] as number] ?? 'none';
    // A name that one of its flows told itself is known, whatever named the others.
    if (known === undefined || NAME_RANK[told] > NAME_RANK[before]) this.#told.sources[entity] = NAME_SOURCES.indexOf(told);
    this.#told.addresses[entity] = withAddress(known ?? '', words, at, MOST_ADDRESSES);
  }

  /** Forgets what is known by the numbers of these hosts: others may have them now. */
  forget(entities: readonly number[]): void {
    for (const entity of entities) {
      if (entity < this.#told.categories.length) this.#told.categories[entity] = NEVER;
      this.#told.addresses[entity] = undefined;
      this.#rows.delete(entity);
    }
    this.#told.hasGivenUp = true;
  }

  select(limit: number, intervalMs: number): HostRow[] {
    const shown = this.#selection.choose(limit);
    const rows = shown.map((host) => this.#row(host, intervalMs));
    const rest = this.#selection.rest(intervalMs);
    if (rest !== null) rows.push(this.#folded(rest));
    this.#rows.retain(shown);
    return rows;
  }

  /** All hosts as `select` orders them where none is left out; no row is kept. */
  *all(intervalMs: number): Generator<HostRow> {
    for (const host of this.#selection.choose(Number.POSITIVE_INFINITY)) yield this.#made(host, intervalMs, this.#rows.get(host));
    const rest = this.#selection.rest(intervalMs);
    if (rest !== null) yield this.#folded(rest);
  }

  /** Rows remembered, for the next snapshot to take over. */
  get kept(): number {
    return this.#rows.size;
  }

  #row(entity: number, intervalMs: number): HostRow {
    const made = this.#made(entity, intervalMs, this.#rows.get(entity));
    this.#rows.set(entity, made);
    return made;
  }

  /** @param old the row as it was made before */
  #made(entity: number, intervalMs: number, old: HostRow | undefined): HostRow {
    const isStill = !this.#hosts.moved(entity) && old !== undefined && old.rxRate === 0 && old.txRate === 0;
    const neighbour = this.#neighbour(entity);
    const isKnown = old?.mac === neighbour.mac && old.vendor === neighbour.vendor;
    if (isStill && isKnown && holds(old, this.#hosts, entity) && !hasMotion(old.recent)) return old;
    const known = this.#known(entity, old);
    const traffic = trafficOf(this.#hosts, entity, intervalMs);
    // Each field by name: spread, a thousand rows a tick took five times as long.
    return {
      id: known.id,
      host: known.host,
      domain: known.domain,
      nameSource: known.nameSource,
      addresses: known.addresses,
      category: known.category,
      country: known.country,
      asn: known.asn,
      network: known.network,
      mac: neighbour.mac,
      vendor: neighbour.vendor,
      reason: null,
      flows: this.#hosts.get(entity, COLUMN.FLOWS),
      firstSeen: this.#hosts.get(entity, COLUMN.FIRST),
      lastSeen: this.#hosts.get(entity, COLUMN.LAST),
      recent: this.#hosts.recent(entity, RECENT_SECONDS),
      rxBytes: traffic.rxBytes,
      txBytes: traffic.txBytes,
      rxPackets: traffic.rxPackets,
      txPackets: traffic.txPackets,
      rxRate: traffic.rxRate,
      txRate: traffic.txRate,
    };
  }

  #known(entity: number, old: HostRow | undefined) {
    const facts = this.#facts;
    const { words } = this.#table;
    const id = `host:${this.#ids.serial(entity)}`;
    const name = facts === null ? -1 : this.#table.nameOf(entity);
    const place = this.#placed(entity, words, entity * 4);
    if (name < 0 || facts === null) {
      const address = old?.host ?? formatAddress(words, entity * 4);
      return { id, host: address, domain: null, nameSource: 'none', addresses: old?.addresses ?? [address], ...place } as const;
    }
    return {
      id,
      host: facts.nameText(name),
      domain: facts.domainOf(name),
      nameSource: NAME_SOURCES[this.#told.sources[entity] ?? 0] ?? 'none',
      addresses: addressesOf(this.#told.addresses[entity] ?? ''),
      ...place,
    };
  }

  #placed(entity: number, words: Int32Array, at: number) {
    const category = this.#told.categories[entity] ?? NEVER;
    if (this.#facts === null || category === NEVER) return { category: null, ...NOWHERE };
    const { country, asn, network } = this.#facts.placeOf(words, at);
    return { category: this.#facts.categoryText(category), country, asn, network };
  }

  /** The device behind a host, or behind the first address of a name. Asked in every tick: it may become known late. */
  #neighbour(entity: number): Neighbour {
    if (this.#facts === null || (this.#told.categories[entity] ?? NEVER) === NEVER) return NOBODY;
    return this.#facts.neighbourOf(this.#table.words, entity * 4);
  }

  #reserve(entity: number): void {
    if (entity < this.#told.categories.length) return;
    let length = Math.max(1024, this.#told.categories.length);
    while (length <= entity) length *= 2;
    this.#told.categories = widened(this.#told.categories, length, NEVER);
    this.#told.sources = widened(this.#told.sources, length);
  }

  #folded({ count, ...sums }: Rest): HostRow {
    // One that gave its row up and came back is in both: how many there are is not known any more.
    const reason = this.#told.hasGivenUp ? 'more hosts' : `${count} more hosts`;
    if (this.#rest !== null && tellsRest(this.#rest, reason, { count, ...sums })) return this.#rest;
    const nameless = { host: null, domain: null, nameSource: 'none', addresses: [], category: null } as const;
    this.#rest = { id: 'host:rest', ...nameless, ...NOWHERE, ...NOBODY, reason, recent: [], ...sums };
    return this.#rest;
  }
}

// Addresses as short texts, sixteen bytes each: there may be eight for each of tens of thousands of names, and few are ever shown.

/** UTF-16 units of an address: its four words, halved. */
const UNITS = 8;

/** A list with one address more; the same list where it has it, or has `most` already. */
function withAddress(list: string, words: Int32Array, at: number, most: number): string {
  if (list.length >= most * UNITS) return list;
  for (let from = 0; from < list.length; from += UNITS) if (isAt(list, from, words, at)) return list;
  const units: number[] = [];
  for (let i = 0; i < list.length; i++) units.push(list.charCodeAt(i));
  for (let i = 0; i < UNITS; i++) units.push(unit(words, at, i));
  return String.fromCharCode(...units);
}

/** The addresses of a list, in the order in which they came. */
function addressesOf(list: string): string[] {
  const words = new Int32Array(4);
  const addresses: string[] = [];
  for (let from = 0; from < list.length; from += UNITS) {
    for (let i = 0; i < 4; i++) words[i] = (list.charCodeAt(from + 2 * i) << 16) | list.charCodeAt(from + 2 * i + 1);
    addresses.push(formatAddress(words, 0));
  }
  return addresses;
}

function isAt(list: string, from: number, words: Int32Array, at: number): boolean {
  for (let i = 0; i < UNITS; i++) if (list.charCodeAt(from + i) !== unit(words, at, i)) return false;
  return true;
}

function unit(words: Int32Array, at: number, i: number): number {
  const word = words[at + (i >> 1)] as number;
  return i % 2 === 0 ? word >>> 16 : word & 0xffff;
}
