// Asks DNS for the names of addresses that nothing on the wire named. Only when the user wants it: it makes traffic and tells the resolver
// which addresses this machine talks to. Never asks about local addresses: such queries leak and find nothing.

import { Resolver } from 'node:dns/promises';
import { LRUCache } from 'lru-cache';
import type { FlowTable } from '../../flow/flow-table.ts';
import { hostName } from '../../inspect/host-name.ts';
import { formatAddress, scopeOf } from '../../net/address.ts';
import { type Clock, systemClock } from '../../system/clock.ts';

/** Answers queries: Node's own resolver, or a test's. */
export interface ReverseResolver {
  reverse(address: string): Promise<readonly string[]>;
}

/** Names of flows, as `FlowNames` has them. */
export interface NamedFlows {
  nameOf(row: number): number;
  reversed(row: number, name: string): void;
}

/** A hello or an answer names most flows within this time; only the rest is looked up. */
const DELAY_MS = 3000;
const WORK_MS = 250;
const MAX_AT_ONCE = 4;
const QUEUE = 256;
/** Flows named by one answer. */
const FLOWS_OF_ADDRESS = 64;
const ANSWERS_KEPT = 4096;
const HOLD_MS = 3_600_000;
/** Also for time-outs and refusals: an address without a name does not get one soon. */
const HOLD_NOTHING_MS = 900_000;
const TIMEOUT_MS = 5000;

interface Waiting {
  readonly row: number;
  readonly serial: number;
  /** Monotonic ms. */
  readonly due: number;
}

/** Reverse look-ups of a run: a few at once, each address once, answers kept for an hour. */
export class ReverseNames {
  readonly #flows: FlowTable;
  readonly #names: NamedFlows;
  readonly #resolver: ReverseResolver;
  readonly #clock: Clock;
  readonly #known: LRUCache<string, { readonly name: string | null }>;
  readonly #queue: Waiting[] = [];
  /** Flows by the address that is being looked up. */
  readonly #asked = new Map<string, Waiting[]>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** Flows that found the queue full. */
  passedOver = 0;

  constructor(flows: FlowTable, names: NamedFlows, resolver: ReverseResolver = systemResolver(), clock: Clock = systemClock) {
    this.#flows = flows;
    this.#names = names;
    this.#resolver = resolver;
    this.#clock = clock;
    this.#known = new LRUCache({ max: ANSWERS_KEPT, ttl: HOLD_MS, ttlResolution: 0, perf: { now: () => clock.monotonic() } });
  }

  /** Begins to work by itself, until `close`. */
  start(): void {
    this.#timer ??= setInterval(() => this.work(), WORK_MS).unref();
  }

  /** Queues a new flow without a name. Runs once per flow; sends nothing itself. */
  offer(row: number): void {
    if (scopeOf(this.#flows.words, this.#flows.remoteAt(row)) !== 'global') return;
    if (this.#queue.length >= QUEUE) {
      this.passedOver++;
      return;
    }
    this.#queue.push({ row, serial: this.#flows.serial(row), due: this.#clock.monotonic() + DELAY_MS });
  }

  /** Names the flows whose address is known by now, and looks up the others. */
  work(): void {
    const now = this.#clock.monotonic();
    let done = 0;
    for (const waiting of this.#queue) {
      if (this.#isClosed || waiting.due > now || !this.#serve(waiting)) break;
      done++;
    }
    this.#queue.splice(0, done);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#queue.length = 0;
    this.#asked.clear();
  }

  /** @returns false when the flow has to wait because enough queries are under way */
  #serve(waiting: Waiting): boolean {
    if (!this.#isNameless(waiting)) return true;
    const address = formatAddress(this.#flows.words, this.#flows.remoteAt(waiting.row));
    const known = this.#known.get(address);
    if (known !== undefined) {
      if (known.name !== null) this.#names.reversed(waiting.row, known.name);
      return true;
    }
    const asked = this.#asked.get(address);
    if (asked !== undefined) {
      if (asked.length < FLOWS_OF_ADDRESS) asked.push(waiting);
      return true;
    }
    if (this.#asked.size >= MAX_AT_ONCE) return false;
    this.#asked.set(address, [waiting]);
    void this.#ask(address);
    return true;
  }

  async #ask(address: string): Promise<void> {
    const name = await this.#answer(address);
    if (this.#isClosed) return;
    this.#known.set(address, { name }, { ttl: name === null ? HOLD_NOTHING_MS : HOLD_MS });
    const asked = this.#asked.get(address) ?? [];
    this.#asked.delete(address);
    if (name !== null) for (const waiting of asked) if (this.#isNameless(waiting)) this.#names.reversed(waiting.row, name);
    this.work();
  }

  /** The first valid name; null without one, after an error, and when the resolver doesn't answer. */
  async #answer(address: string): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly string[]>((resolve) => {
      timer = setTimeout(() => resolve([]), TIMEOUT_MS).unref();
    });
    try {
      const names = await Promise.race([this.#resolver.reverse(address), late]);
      for (const name of names) {
        if (typeof name !== 'string') continue;
        const bytes = Buffer.from(name.slice(0, 256), 'utf8');
        const checked = hostName(bytes, 0, bytes.length);
        if (checked !== null) return checked;
      }
      return null;
    } catch {
      return null; // NXDOMAIN, SERVFAIL, refused: no name
    } finally {
      clearTimeout(timer);
    }
  }

  #isNameless({ row, serial }: Waiting): boolean {
    return this.#flows.holds(row, serial) && this.#names.nameOf(row) < 0;
  }
}

/** Asks the system's own servers once, for two seconds. */
function systemResolver(): ReverseResolver {
  return new Resolver({ timeout: 2000, tries: 1 });
}
