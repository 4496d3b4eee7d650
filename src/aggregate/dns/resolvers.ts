// What each resolver did: answers, failures, and how long answers took. Bounded: resolvers beyond the bound share one row.

import { DNS_CODE, DNS_TRANSPORTS, type ResolverRow } from '../../model/dns.ts';

/** Resolvers told apart, each transport of one by itself. */
export const MAX_RESOLVERS = 256;
/** Buckets of times: eight to the octave from a microsecond to 65 s, so that a bucket's middle is at most 5 % off. A resolver on this machine takes a few. */
const PER_OCTAVE = 8;
const FIRST_OCTAVE = -10;
const BUCKETS = 26 * PER_OCTAVE;
/** The newest times, for the last minute. */
const NEWEST = 64;
const RECENT_MS = 60_000;
const NOERROR = 0;
const NXDOMAIN = 3;

/** One resolver's counts. */
class Resolver {
  readonly id: string;
  readonly address: string;
  readonly transport: number;
  questions = 0;
  failed = 0;
  missing = 0;
  unanswered = 0;
  lastSeen = 0;
  isChanged = true;
  row: ResolverRow | null = null;
  readonly #buckets = new Uint32Array(BUCKETS);
  readonly #newest = new Float64Array(NEWEST);
  readonly #times = new Float64Array(NEWEST).fill(Number.NEGATIVE_INFINITY);
  #count = 0;

  constructor(id: string, address: string, transport: number) {
    this.id = id;
    this.address = address;
    this.transport = transport;
  }

  add(time: number, took: number): void {
    const octave = Math.log2(Math.max(took, 2 ** FIRST_OCTAVE)) - FIRST_OCTAVE;
    const bucket = Math.min(BUCKETS - 1, Math.floor(octave * PER_OCTAVE));
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    const at = this.#count++ % NEWEST;
    this.#newest[at] = took;
    this.#times[at] = time;
  }

  /** The time that this share of answers didn't exceed, ms; null without answers. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    if (this.#count <= NEWEST) return quantileOf([...this.#newest.subarray(0, this.#count)], share);
    let left = Math.max(1, Math.ceil(this.#count * share));
    let bucket = 0;
    while (bucket < BUCKETS - 1 && left > (this.#buckets[bucket] as number)) left -= this.#buckets[bucket++] as number;
    return 2 ** (FIRST_OCTAVE + (bucket + 0.5) / PER_OCTAVE);
  }

  /** Times of the last minute. */
  recent(now: number): number[] {
    return [...this.#newest].filter((_, at) => now - (this.#times[at] as number) < RECENT_MS);
  }
}

function quantileOf(values: number[], share: number): number | null {
  values.sort((a, b) => a - b);
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? null;
}

/** Counts by resolver. */
export class Resolvers {
  readonly #all = new Map<string, Resolver>();
  #rows: readonly ResolverRow[] = [];

  /** Counts a question that ended. @param code of the answer, or LOST @param took ms; NaN without an answer */
  count(address: string, transport: number, time: number, code: number, took: number): void {
    const one = this.#of(address, transport);
    one.questions++;
    one.lastSeen = Math.max(one.lastSeen, time);
    one.isChanged = true;
    if (code === DNS_CODE.LOST) {
      one.unanswered++;
      return;
    }
    if (code === NXDOMAIN) one.missing++;
    else if (code !== NOERROR) one.failed++;
    one.add(time, took);
  }

  /** The busiest first; the same list while nothing changes. @param now epoch ms */
  rows(now: number): readonly ResolverRow[] {
    let isChanged = this.#rows.length !== this.#all.size;
    for (const one of this.#all.values()) {
      const recent = one.recent(now);
      if (one.row !== null && !one.isChanged && one.row.recent === recent.length) continue;
      one.row = rowOf(one, recent);
      one.isChanged = false;
      isChanged = true;
    }
    if (isChanged)
      this.#rows = [...this.#all.values()].map(({ row }) => row as ResolverRow).sort((a, b) => b.questions - a.questions);
    return this.#rows;
  }

  #of(address: string, transport: number): Resolver {
    const id = `${transport} ${address}`;
    const known = this.#all.get(id);
    if (known !== undefined) return known;
    if (this.#all.size >= MAX_RESOLVERS && address !== OTHERS) return this.#of(OTHERS, transport);
    const made = new Resolver(id, address, transport);
    this.#all.set(id, made);
    return made;
  }
}

const OTHERS = 'other resolvers';

function rowOf(one: Resolver, recent: number[]): ResolverRow {
  const { id, address, transport, questions, failed, missing, unanswered, lastSeen } = one;
  return {
    id,
    address,
    transport: DNS_TRANSPORTS[transport] ?? 'udp',
    questions,
    answered: questions - unanswered,
    failed,
    missing,
    unanswered,
    medianMs: one.quantile(0.5),
    slowMs: one.quantile(0.95),
    recentMs: quantileOf(recent, 0.5),
    recentSlowMs: quantileOf(recent, 0.95),
    recent: recent.length,
    lastSeen,
  };
}
