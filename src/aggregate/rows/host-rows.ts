// Host rows of a snapshot, by name, or by address for flows without one.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { Quality } from '../../model/quality.ts';
import type { HostRow } from '../../model/snapshot.ts';
import { type FlowFacts, NAME_RANK, NAME_SOURCES, type NameSource, type Neighbour, NOBODY, NOWHERE } from '../../model/terms.ts';
import { formatAddress } from '../../net/address.ts';
import { widened } from '../../net/bytes.ts';
import { counted } from '../../net/counted.ts';
import { type Accumulators, COLUMN } from '../accumulators.ts';
import { hasMotion, holds, RECENT_SECONDS, RowCache, trafficOf } from './entity-rows.ts';
import { type HostTable, OTHER_HOSTS } from './host-table.ts';
import { type Rest, Selection, tellsRest } from './selection.ts';

/** Addresses kept of a name; one with more shows the first. */
const MAX_ADDRESSES = 8;

/** Category of a host that no flow has been booked under. */
const NEVER = -2;

/** What flows revealed of hosts, by entity. */
interface LearntHosts {
  categories: Int32Array;
  /** Indexes into NAME_SOURCES. */
  sources: Int32Array;
  /** Addresses of an entity that is a name. */
  readonly addresses: (string | undefined)[];
  hasEvicted: boolean;
}

/** Rows of hosts. An entity is a number of the host table. */
export class HostRows {
  readonly #hosts: Accumulators;
  readonly #table: HostTable;
  readonly #flows: FlowTable;
  readonly #facts: FlowFacts | null;
  readonly #qualityOf: (host: number) => Quality | null;
  readonly #ids: Accumulators;
  readonly #learnt: LearntHosts;
  readonly #selection: Selection;
  readonly #rows = new RowCache<HostRow>();
  #rest: HostRow | null = null;

  /**
   * @param qualityOf how well a host answers
   * @param like rows whose ids and facts these share
   */
  constructor(
    hosts: Accumulators,
    table: HostTable,
    flows: FlowTable,
    facts: FlowFacts | null,
    qualityOf: (host: number) => Quality | null = () => null,
    like: HostRows | null = null,
  ) {
    this.#hosts = hosts;
    this.#qualityOf = qualityOf;
    this.#ids = like === null ? hosts : like.#hosts;
    this.#learnt =
      like !== null
        ? like.#learnt
        : { categories: new Int32Array(0), sources: new Int32Array(0), addresses: [], hasEvicted: false };
    this.#selection = new Selection(hosts, OTHER_HOSTS);
    this.#table = table;
    this.#flows = flows;
    this.#facts = facts;
  }

  /** Rows of the same hosts with other totals. */
  of(hosts: Accumulators): HostRows {
    return new HostRows(hosts, this.#table, this.#flows, this.#facts, this.#qualityOf, this);
  }

  /** Learns from a flow that is newly booked under a host, or has another category now. */
  meet(entity: number, row: number): void {
    if (this.#facts === null) return;
    this.#reserve(entity);
    this.#learnt.categories[entity] = this.#facts.categoryOf(row);
    if (this.#table.nameOf(entity) < 0) return;
    const { words } = this.#flows;
    const at = this.#flows.remoteAt(row);
    const known = this.#learnt.addresses[entity];
    // A name's place is that of its first address.
    if (known === undefined) for (let i = 0; i < 4; i++) this.#table.words[entity * 4 + i] = words[at + i] as number;
    const source = this.#facts.nameSource(row);
    const before = NAME_SOURCES[this.#learnt.sources[entity] as number] ?? 'none';
    // The best source among its flows is the name's source.
    if (known === undefined || NAME_RANK[source] > NAME_RANK[before]) this.#learnt.sources[entity] = NAME_SOURCES.indexOf(source);
    this.#learnt.addresses[entity] = withAddress(known ?? '', words, at, MAX_ADDRESSES);
  }

  /** Forgets evicted hosts: their numbers may be other hosts' now. */
  forget(entities: readonly number[]): void {
    for (const entity of entities) {
      if (entity < this.#learnt.categories.length) this.#learnt.categories[entity] = NEVER;
      this.#learnt.addresses[entity] = undefined;
      this.#rows.delete(entity);
    }
    this.#learnt.hasEvicted = true;
  }

  select(limit: number, intervalMs: number): HostRow[] {
    const shown = this.#selection.choose(limit);
    const rows = shown.map((host) => this.#row(host, intervalMs));
    const rest = this.#selection.rest(intervalMs);
    if (rest !== null) rows.push(this.#folded(rest));
    this.#rows.retain(shown);
    return rows;
  }

  /** All hosts in the order of `select`. Keeps no row. */
  *all(intervalMs: number): Generator<HostRow> {
    for (const host of this.#selection.choose(Number.POSITIVE_INFINITY)) yield this.#made(host, intervalMs, this.#rows.get(host));
    const rest = this.#selection.rest(intervalMs);
    if (rest !== null) yield this.#folded(rest);
  }

  /** Rows remembered for the next snapshot. */
  get kept(): number {
    return this.#rows.size;
  }

  /** What tells a host from others, as its row does. */
  identity(entity: number): Pick<HostRow, 'id' | 'nameSource'> & { readonly host: string; readonly address: string } {
    const id = `host:${this.#ids.serial(entity)}`;
    const address = formatAddress(this.#table.words, entity * 4);
    const name = this.#facts === null ? -1 : this.#table.nameOf(entity);
    if (name < 0 || this.#facts === null) return { id, host: address, address, nameSource: 'none' };
    return { id, host: this.#facts.nameText(name), address, nameSource: this.nameSource(entity) };
  }

  /** How a host's name is known. */
  nameSource(entity: number): NameSource {
    const isNamed = this.#facts !== null && this.#table.nameOf(entity) >= 0;
    return isNamed ? (NAME_SOURCES[this.#learnt.sources[entity] ?? 0] ?? 'none') : 'none';
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
    const quality = this.#qualityOf(entity);
    const isKnown = old?.mac === neighbour.mac && old.vendor === neighbour.vendor && old.quality === quality;
    if (isStill && isKnown && holds(old, this.#hosts, entity) && !hasMotion(old.recent) && !hasMotion(old.means)) return old;
    const known = this.#known(entity, old);
    const traffic = trafficOf(this.#hosts, entity, intervalMs);
    // Field by field: with spreads, a thousand rows a tick took five times as long.
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
      quality,
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
      means: traffic.means,
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
      nameSource: this.nameSource(entity),
      addresses: addressesOf(this.#learnt.addresses[entity] ?? ''),
      ...place,
    };
  }

  #placed(entity: number, words: Int32Array, at: number) {
    const category = this.#learnt.categories[entity] ?? NEVER;
    if (this.#facts === null || category === NEVER) return { category: null, ...NOWHERE };
    const { country, asn, network } = this.#facts.placeOf(words, at);
    return { category: this.#facts.categoryText(category), country, asn, network };
  }

  /** The device behind a host, or behind a name's first address. Asked every tick: it may become known late. */
  #neighbour(entity: number): Neighbour {
    if (this.#facts === null || (this.#learnt.categories[entity] ?? NEVER) === NEVER) return NOBODY;
    return this.#facts.neighbourOf(this.#table.words, entity * 4);
  }

  #reserve(entity: number): void {
    if (entity < this.#learnt.categories.length) return;
    let length = Math.max(1024, this.#learnt.categories.length);
    while (length <= entity) length *= 2;
    this.#learnt.categories = widened(this.#learnt.categories, length, NEVER);
    this.#learnt.sources = widened(this.#learnt.sources, length);
  }

  #folded({ count, ...sums }: Rest): HostRow {
    // A host that was evicted and came back is in both rows: nobody knows any more how many there are.
    const reason = this.#learnt.hasEvicted ? 'more hosts' : counted(count, 'more host');
    if (this.#rest !== null && tellsRest(this.#rest, reason, { count, ...sums })) return this.#rest;
    const nameless = { host: null, domain: null, nameSource: 'none', addresses: [], category: null, quality: null } as const;
    this.#rest = { id: 'host:rest', ...nameless, ...NOWHERE, ...NOBODY, reason, recent: [], ...sums };
    return this.#rest;
  }
}

/** UTF-16 units of an address: its four words, halved. Lists of addresses are texts, because tens of thousands of names have up to eight each, and few are ever shown. */
const UNITS = 8;

/** A list with one more address; the same list if it has that address, or `most` of them. */
function withAddress(list: string, words: Int32Array, at: number, most: number): string {
  if (list.length >= most * UNITS) return list;
  for (let from = 0; from < list.length; from += UNITS) if (isAt(list, from, words, at)) return list;
  const units: number[] = [];
  for (let i = 0; i < list.length; i++) units.push(list.charCodeAt(i));
  for (let i = 0; i < UNITS; i++) units.push(unit(words, at, i));
  return String.fromCharCode(...units);
}

/** The addresses of a list, oldest first. */
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
