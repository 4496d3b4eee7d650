// The keys under which history keeps bytes: app and program, host, category, interface, protocol and direction. Each key of the current
// minute has a dense number, and its texts are made once. Bounded: beyond the bound keys are folded, hosts first.

import type { FlowTable } from '../flow/flow-table.ts';
import type { HistoryEntry } from '../model/history-batch.ts';
import { type Container, FLOW_DIRECTIONS, type FlowFacts, NO_OWNER, type ProcessDirectory } from '../model/terms.ts';
import { formatAddress } from '../net/address.ts';
import { protocolName } from '../net/numbers.ts';
import { OWNERLESS } from './accumulators.ts';
import { type Booking, ownerlessReason } from './booking.ts';
import { OTHER_HOSTS } from './rows/host-table.ts';

/** A key in words: an entry without its numbers. */
export type EntryFacts = Omit<HistoryEntry, 'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets' | 'flows'>;

/** Keys of a minute with a host of their own; then keys with one host for all; then one key for everything. */
const MOST = 4096;
const MAX_FOLDED = 8192;
/** Above the highest number of a host. */
const HOSTS = 1 << 18;
/** `kind`, one number: category (12 bits) | interface (16) | protocol (9) | direction (2). */
const INTERFACES = 1 << 16;
const PROTOCOLS = 1 << 9;
const DIRECTIONS = 4;
const KINDS = 1 << 16;
const REST = 'more apps and hosts than are kept apart';

/** Numbers the keys of a minute, from 0. */
export class HistoryKeys {
  readonly #flows: FlowTable;
  readonly #booking: Booking;
  readonly #directory: ProcessDirectory;
  readonly #facts: FlowFacts | null;
  readonly #interfaceName: (index: number) => string;
  /** Numbers of programs, each container's apart; 0 is none. */
  readonly #programs = new Map<string, number>();
  readonly #kinds = new Map<number, number>();
  readonly #actors = new Map<number, number>();
  readonly #numbers = new Map<number, number>();
  #list: EntryFacts[] = [];
  /** By key: serial number of its host, which tells it from a host that gets its number later. */
  #serials: number[] = [];

  constructor(
    flows: FlowTable,
    booking: Booking,
    directory: ProcessDirectory,
    facts: FlowFacts | null,
    interfaceName: (index: number) => string,
  ) {
    this.#flows = flows;
    this.#booking = booking;
    this.#directory = directory;
    this.#facts = facts;
    this.#interfaceName = interfaceName;
  }

  /** Keys of this minute. */
  get count(): number {
    return this.#list.length;
  }

  /** Begins a minute: numbers start at 0 again. */
  clear(): void {
    this.#programs.clear();
    this.#kinds.clear();
    this.#actors.clear();
    this.#numbers.clear();
    this.#list = [];
    this.#serials = [];
  }

  facts(key: number): EntryFacts {
    return this.#list[key] as EntryFacts;
  }

  /** Number of the key of a flow, which must be booked. */
  of(row: number): number {
    const app = this.#booking.appOf(row);
    const process = app < OWNERLESS ? NO_OWNER : this.#flows.owner(row);
    const { exe = null, container = null } = process === NO_OWNER ? {} : (this.#directory.process(process) ?? {});
    const program = exe === null && container === null ? 0 : intern(this.#programs, programKey(exe, container));
    const actor = intern(this.#actors, this.#booking.apps.serial(app) * KINDS + program);
    const kind = intern(this.#kinds, this.#kindOf(row));
    const host = this.#booking.hostOf(row);
    const own = (actor * HOSTS + host) * KINDS + kind;
    const known = this.#numbers.get(own);
    if (known !== undefined && this.#serials[known] === this.#booking.hosts.serial(host)) return known;
    if (this.#list.length < MOST) return this.#add(own, this.#factsOf(row, app, exe, host, container), host);
    const folded = (actor * HOSTS + OTHER_HOSTS) * KINDS + kind;
    const together = this.#numbers.get(folded);
    if (together !== undefined) return together;
    if (this.#list.length < MAX_FOLDED)
      return this.#add(folded, this.#factsOf(row, app, exe, OTHER_HOSTS, container), OTHER_HOSTS);
    return (
      this.#numbers.get(-1) ?? this.#add(-1, { ...this.#factsOf(row, 0, null, OTHER_HOSTS, null), reason: REST }, OTHER_HOSTS)
    );
  }

  #add(packed: number, facts: EntryFacts, host: number): number {
    const number = this.#list.push(facts) - 1;
    this.#serials.push(this.#booking.hosts.serial(host));
    this.#numbers.set(packed, number);
    return number;
  }

  #kindOf(row: number): number {
    const category = this.#booking.categoryOf(row);
    const line = category * INTERFACES + this.#flows.interface(row);
    return (line * PROTOCOLS + this.#flows.protocol(row)) * DIRECTIONS + this.#flows.direction(row);
  }

  #factsOf(row: number, app: number, exe: string | null, host: number, container: Container | null): EntryFacts {
    const name = app < OWNERLESS ? null : (this.#directory.app(app - OWNERLESS)?.name ?? null);
    const category = this.#booking.categoryOf(row);
    const end = this.#hostOf(host);
    return {
      app: name,
      reason: name === null ? ownerlessReason(app) : null,
      exe,
      host: end.host,
      domain: end.domain,
      category: category === 0 ? null : (this.#facts?.categoryText(category - 1) ?? null),
      interface: this.#interfaceName(this.#flows.interface(row)),
      protocol: protocolName(this.#flows.protocol(row)),
      direction: FLOW_DIRECTIONS[this.#flows.direction(row)] ?? 'transit',
      container,
    };
  }

  #hostOf(host: number): { readonly host: string | null; readonly domain: string | null } {
    if (host === OTHER_HOSTS || host < 0) return { host: null, domain: null };
    const name = this.#booking.hostTable.nameOf(host);
    if (name < 0) return { host: formatAddress(this.#booking.hostTable.words, host * 4), domain: null };
    return { host: this.#facts?.nameText(name) ?? null, domain: this.#facts?.domainOf(name) ?? null };
  }
}

/** A program in a container, or outside of one. Neither text has a NUL. */
function programKey(exe: string | null, container: Container | null): string {
  return container === null ? (exe ?? '') : `${exe ?? ''}\0${container.engine}\0${container.id}`;
}

/** Number of a value, from 1; a new one if it is unknown. */
function intern<Key>(numbers: Map<Key, number>, key: Key): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const number = Math.min(numbers.size + 1, KINDS - 1);
  numbers.set(key, number);
  return number;
}
