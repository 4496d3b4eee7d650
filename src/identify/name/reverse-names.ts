// Asks DNS for names of addresses that nothing on the wire named. Only if the user enabled it: it makes traffic and tells the resolver which
// addresses this machine talks to. It never asks about local addresses, because such queries leak and find nothing.

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

/** Flows' names; `FlowNames` implements it. */
export interface NamedFlows {
  nameOf(row: number): number;
  reversed(row: number, name: string): void;
}

/** Delay before a query: a hello or an answer names most flows within this time. */
const DELAY_MS = 3000;
const WORK_MS = 250;
const MAX_AT_ONCE = 4;
const QUEUE = 256;
/** Most flows that one answer names. */
const FLOWS_OF_ADDRESS = 64;
const ANSWERS_KEPT = 4096;
const HOLD_MS = 3_600_000;
/** How long to remember that an address has no name, also after timeouts and refusals. */
const HOLD_NOTHING_MS = 900_000;
const TIMEOUT_MS = 5000;

interface Waiting {
  readonly row: number;
  readonly serial: number;
  /** Monotonic ms. */
  readonly due: number;
}

/** Reverse lookups: a few at once, each address once, answers kept for an hour. */
export class ReverseNames {
  readonly #flows: FlowTable;
  readonly #names: NamedFlows;
  readonly #resolver: ReverseResolver;
  readonly #clock: Clock;
  readonly #known: LRUCache<string, { readonly name: string | null }>;
  readonly #queue: Waiting[] = [];
  /** Flows by the address being looked up. */
  readonly #asked = new Map<string, Waiting[]>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** Flows that found the queue full. */
  skipped = 0;

  constructor(flows: FlowTable, names: NamedFlows, resolver: ReverseResolver = systemResolver(), clock: Clock = systemClock) {
    this.#flows = flows;
    this.#names = names;
    this.#resolver = resolver;
    this.#clock = clock;
    this.#known = new LRUCache({ max: ANSWERS_KEPT, ttl: HOLD_MS, ttlResolution: 0, perf: { now: () => clock.monotonic() } });
  }

  /** Starts a timer that calls `work`, until `close`. */
  start(): void {
    this.#timer ??= setInterval(() => this.work(), WORK_MS).unref();
  }

  /** Queues a new flow without a name. Sends nothing itself. */
  offer(row: number): void {
    if (scopeOf(this.#flows.words, this.#flows.remoteAt(row)) !== 'global') return;
    if (this.#queue.length >= QUEUE) {
      this.skipped++;
      return;
    }
    this.#queue.push({ row, serial: this.#flows.serial(row), due: this.#clock.monotonic() + DELAY_MS });
  }

  /** Serves the flows that are due: names them from known answers, or starts a lookup. */
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

  /** @returns false if the flow must wait because enough queries are running */
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

  /** The first valid name; null without one, on an error, and on a timeout. */
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

/** Node's resolver on the system's servers: one try, two seconds. */
function systemResolver(): ReverseResolver {
  return new Resolver({ timeout: 2000, tries: 1 });
}
