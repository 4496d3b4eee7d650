// What is usual: what each app has reached, how much it sends, and since when. It begins with what history knows and learns from the run.
// Pairs are kept as hashes, 16 bytes each, so 100,000 of them take a few mebibytes.

import { CONTACT_KINDS, type ContactKind, type FirstContact, type KnownApp, type KnownBaseline } from '../model/watch.ts';
import { countedDomain } from './shared-domains.ts';

/** What a baseline keeps of an app. */
export interface AppBaseline {
  /** First sight, epoch ms. */
  readonly first: number;
  /** Time recorded since then, ms, less what the run had lasted when this was known. */
  readonly recordedMs: number;
  /** Places from which it ran; at most PLACES. */
  readonly places: string[];
  /** Domains that it reached. */
  domains: number;
  /** Most bytes that it sent in one hour. */
  peakTx: number;
  /** An hour since the epoch, and what it sent in that before the run: the rest of it is the run's. */
  readonly hour: number;
  readonly hourTx: number;
}

/** Where the baseline comes from. `waiting`: history is being read. */
export type Knowledge = 'waiting' | 'history' | 'run';

/** Apps that are kept. */
const MOST_APPS = 8192;
/** Pairs that are taken from history, and half of those that are kept; beyond them everything counts as known. */
export const MOST_PAIRS = 1 << 18;
/** Pairs of history that are taken in one go, some thirty milliseconds. */
const PAIRS_AT_ONCE = 8192;
/** Count of a pair that an earlier run knew. */
const MARKED = 0xffff;
/** First contacts that wait for history. */
const MOST_CONTACTS = 4096;
/** Places of an app that are told apart. */
export const PLACES = 8;
/** Without history, what is met this soon after the start is nothing new. */
const FIRST_MS = 60_000;

const NO_PAIRS = { apps: [], names: [] };
/** Nothing known. */
export const EMPTY: KnownBaseline = {
  recordedMs: 0,
  hour: 0,
  apps: [],
  domains: NO_PAIRS,
  contacts: { country: NO_PAIRS, network: NO_PAIRS, inbound: NO_PAIRS },
  contactsMs: 0,
  isCut: false,
};

/** Knows what apps did so far, and learns what they do. */
export class Baseline {
  readonly #learnMs: number;
  readonly #apps = new Map<string, AppBaseline>();
  readonly #pairs: HashSet;
  /** How many apps reached a domain, a country, a network. */
  readonly #spread: HashSet;
  #knowledge: Knowledge = 'waiting';
  /** Pairs of history that were not taken yet. */
  #coming: Iterator<KnownPair, undefined> | null = null;
  #isCut = false;
  #recordedMs = 0;
  #contactsMs = 0;
  #started = Number.NaN;
  #now = 0;
  #contacts: FirstContact[] = [];

  /** @param learnMs time recorded until something counts as learnt @param seed of the hashes; random, or a name could be made to look known */
  constructor(learnMs: number, seed: number) {
    this.#learnMs = learnMs;
    this.#pairs = new HashSet(2 * MOST_PAIRS, seed);
    this.#spread = new HashSet(2 * MOST_PAIRS, seed);
  }

  get knowledge(): Knowledge {
    return this.#knowledge;
  }

  /** Takes what history knows; null if there is none, which leaves what the run learns. Call it once. */
  know(known: KnownBaseline | null): void {
    if (known === null) {
      this.#knowledge = 'run';
      return;
    }
    this.#recordedMs = known.recordedMs;
    this.#contactsMs = known.contactsMs;
    this.#isCut = known.isCut;
    for (const app of known.apps) this.#knowApp(app, known.hour);
    this.#coming = pairsOf(known);
    this.#takeSome();
  }

  /** Takes the next pairs that history knows: all of 100,000 at once would keep keys and frames waiting for a quarter of a second. */
  #takeSome(): void {
    if (this.#coming === null) return;
    for (let left = PAIRS_AT_ONCE; left > 0; left--) {
      const { done, value } = this.#coming.next();
      if (done === true) {
        this.#coming = null;
        this.#knowledge = 'history';
        return;
      }
      const [kind, app, name] = value;
      if (kind !== 'domain') this.#learnPair(kind, app, name);
      else {
        const known = this.#apps.get(app);
        const domain = countedDomain(name);
        if (!this.#pairs.mark('domain', app, domain)) continue;
        this.#spread.add('domain', '', domain);
        if (known !== undefined) known.domains++;
      }
    }
  }

  /** Notes the time of a tick. @param started when the run began, epoch ms */
  tick(time: number, started: number): void {
    if (Number.isNaN(this.#started)) this.#started = started;
    this.#now = time;
    this.#takeSome();
  }

  /** True once enough was recorded to say what is usual on this machine. */
  get isLearnt(): boolean {
    return this.#knowledge === 'history' && this.#recordedMs + this.#ran >= this.#learnMs;
  }

  /** True once countries, networks and callers were noted for long enough; an older history has none. Always without history, which says so itself. */
  get areContactsLearnt(): boolean {
    return this.#knowledge === 'run' || this.#contactsMs + this.#ran >= this.#learnMs;
  }

  /** True in the first minute of a run that began with nothing: what is met then was there before. */
  get isFirstMinute(): boolean {
    return this.#recordedMs === 0 && this.#ran < FIRST_MS;
  }

  /** True once an app was known for long enough. @param time that had to be recorded since its first sight, ms */
  isAppLearnt(app: string, longEnough = this.#learnMs): boolean {
    return this.#apps.has(app) && this.knownMs(app) >= longEnough;
  }

  /** Time that was recorded since an app's first sight, ms; 0 if it is not known. */
  knownMs(app: string): number {
    const known = this.#apps.get(app);
    return known === undefined ? 0 : known.recordedMs + this.#ran;
  }

  app(name: string): AppBaseline | null {
    return this.#apps.get(name) ?? null;
  }

  get appCount(): number {
    return this.#apps.size;
  }

  /** When the first app was met, epoch ms. */
  get since(): number {
    let since = this.#now;
    for (const { first } of this.#apps.values()) since = Math.min(since, first);
    return since;
  }

  /** Notes an app. @returns true if it is new */
  learnApp(name: string, time: number): boolean {
    if (this.#apps.has(name)) return false;
    if (this.#apps.size >= MOST_APPS) return false;
    this.#apps.set(name, { first: time, recordedMs: -this.#ran, places: [], domains: 0, peakTx: 0, hour: 0, hourTx: 0 });
    return !this.#isCut;
  }

  /** Notes that an app reached a domain. @returns true if it is new for this app */
  learnDomain(app: string, domain: string): boolean {
    const name = countedDomain(domain);
    if (!this.#learnPair('domain', app, name)) return false;
    const known = this.#apps.get(app);
    if (known !== undefined) known.domains++;
    return !this.#isCut;
  }

  /** True if an app reached a domain before this run. */
  knewDomain(app: string, domain: string): boolean {
    return this.#pairs.count('domain', app, countedDomain(domain)) === MARKED;
  }

  /** Number of apps that reached a domain, this one among them. */
  spreadOf(domain: string): number {
    return this.#spread.count('domain', '', countedDomain(domain));
  }

  /** Notes a contact beyond domains. @returns true if it is new for this app */
  learnContact(kind: ContactKind, app: string, name: string, time: number): boolean {
    if (!this.#learnPair(kind, app, name)) return false;
    if (this.#contacts.length < MOST_CONTACTS) this.#contacts.push({ kind, time, app, name });
    return !this.#isCut;
  }

  /** Number of apps that made a contact, this one among them. */
  spreadOfContact(kind: ContactKind, name: string): number {
    return this.#spread.count(kind, '', name);
  }

  /** First contacts since the last call, for history. */
  takeContacts(): readonly FirstContact[] {
    const taken = this.#contacts;
    this.#contacts = [];
    return taken;
  }

  /** Whether pairs no longer fit, so that everything counts as known. */
  get isFull(): boolean {
    return this.#pairs.isFull;
  }

  get #ran(): number {
    return Number.isNaN(this.#started) ? 0 : Math.max(0, this.#now - this.#started);
  }

  #learnPair(kind: ContactKind | 'domain', app: string, name: string): boolean {
    if (this.#pairs.add(kind, app, name) > 1) return false;
    this.#spread.add(kind, '', name);
    return true;
  }

  #knowApp({ app, exes, first, recordedMs, peakTx, hourTx }: KnownApp, hour: number): void {
    if (this.#apps.size >= MOST_APPS) return;
    const places = [...new Set(exes.map(placeOf))].slice(0, PLACES);
    this.#apps.set(app, { first, recordedMs: recordedMs - this.#ran, places, domains: 0, peakTx, hour, hourTx });
  }
}

type KnownPair = readonly [kind: ContactKind | 'domain', app: string, name: string];

function* pairsOf({ apps, domains, contacts }: KnownBaseline): Generator<KnownPair, undefined> {
  for (const [kind, list] of [['domain', domains] as const, ...CONTACT_KINDS.map((kind) => [kind, contacts[kind]] as const)])
    for (let i = 0; i < list.apps.length; i++) {
      const app = apps[list.apps[i] as number]?.app;
      const name = list.names[i];
      if (app !== undefined && name !== undefined) yield [kind, app, name];
    }
  return undefined;
}

/** Folders that only an administrator fills: a program may be in any of them. */
const SYSTEM = /^\/(usr|bin|sbin|lib\w*|opt|snap|nix|System|Library|Applications|var\/lib\/(flatpak|snapd)|app)\//;

/** Where a program lies, coarsely: an update moves it to another folder of the same place. */
export function placeOf(exe: string): string {
  if (SYSTEM.test(exe)) return 'system';
  // An AppImage is mounted at another place each time; the kernel marks a program that was replaced while it runs.
  const path = exe.replace(/ \(deleted\)$/, '').replace(/^\/tmp\/\.mount_\w+/, '/tmp/.mount');
  return path.split('/').slice(0, 4).join('/').replace(/\d+/g, '#');
}

/**
 * A set of triples of texts with a count each, by 64-bit hashes: two triples of a million share one with a probability of 10^-8.
 *
 * `#hashes`, two words an entry; a zero pair is free. `#counts`, one an entry.
 */
class HashSet {
  readonly #most: number;
  readonly #seed: number;
  #hashes = new Int32Array(2048);
  #counts = new Uint16Array(1024);
  #size = 0;
  #first = 0;
  #second = 0;

  constructor(most: number, seed: number) {
    this.#most = most;
    this.#seed = seed;
  }

  get isFull(): boolean {
    return this.#size >= this.#most;
  }

  /** Counts a triple. @returns how often it was added, this time included; 2 or more if it no longer fits */
  add(a: string, b: string, c: string): number {
    this.#hash(a, b, c);
    let at = this.#find();
    if (this.#counts[at] === 0) {
      if (this.isFull) return 2;
      if (this.#size * 2 >= this.#counts.length) {
        this.#grow();
        at = this.#find();
      }
      this.#hashes[at * 2] = this.#first;
      this.#hashes[at * 2 + 1] = this.#second;
      this.#size++;
    }
    const count = this.#counts[at] as number;
    if (count < MARKED - 1) this.#counts[at] = count + 1;
    return count + 1;
  }

  /** Adds a triple for good, as one of earlier runs. @returns true if it is new */
  mark(a: string, b: string, c: string): boolean {
    if (this.add(a, b, c) > 1) return false;
    this.#counts[this.#find()] = MARKED;
    return true;
  }

  /** How often a triple was added. */
  count(a: string, b: string, c: string): number {
    this.#hash(a, b, c);
    return this.#counts[this.#find()] as number;
  }

  #find(): number {
    const mask = this.#counts.length - 1;
    let at = this.#first & mask;
    while (this.#counts[at] !== 0 && (this.#hashes[at * 2] !== this.#first || this.#hashes[at * 2 + 1] !== this.#second))
      at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [first, second] = [this.#first, this.#second];
    const hashes = this.#hashes;
    const counts = this.#counts;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#counts = new Uint16Array(counts.length * 2);
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      this.#first = hashes[i * 2] as number;
      this.#second = hashes[i * 2 + 1] as number;
      const at = this.#find();
      this.#hashes[at * 2] = this.#first;
      this.#hashes[at * 2 + 1] = this.#second;
      this.#counts[at] = counts[i] as number;
    }
    this.#first = first;
    this.#second = second;
  }

  /** cyrb53's two halves (public domain), with an end mark behind each text. */
  #hash(a: string, b: string, c: string): void {
    let h1 = 0xdeadbeef ^ this.#seed;
    let h2 = 0x41c6ce57 ^ this.#seed;
    for (const text of [a, b, c]) {
      for (let i = 0; i <= text.length; i++) {
        const unit = i === text.length ? 0x1_0000 : text.charCodeAt(i);
        h1 = Math.imul(h1 ^ unit, 2654435761);
        h2 = Math.imul(h2 ^ unit, 1597334677);
      }
    }
    h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
    h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
    this.#first = h1;
    this.#second = h2;
  }
}
