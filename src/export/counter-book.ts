// The counters of bytes, packets and connections that engines get, from settled minutes. They never fall: what turns out later to belong elsewhere is
// counted in series of its own. The number of series is bounded: the apps of the day that move most have their own, the others share one.

import { type MetricName, type MetricRow, type MetricSample, type MetricTcp, RECEIVE, TRANSMIT } from '../model/metrics.ts';
import { sanitize } from '../net/text.ts';

/** Categories and interfaces with series of their own. */
const MOST_CATEGORIES = 64;
const MOST_INTERFACES = 32;
/** Apps whose bytes of a day are known, to find those that move most. */
const MOST_RANKED = 1024;
/** Apps whose series are remembered though they are no longer shown. */
const MOST_HIDDEN = 256;
/** Longest value of a label, UTF-16 units. */
const LONGEST_LABEL = 128;
const DAY_MS = 86_400_000;

export const MORE_APPS = '(more apps)';
export const MORE_CATEGORIES = '(more categories)';
export const MORE_INTERFACES = '(more interfaces)';
export const NO_CATEGORY = '(not categorised)';

/** What is counted of an app, a category or an interface: RX, TX, RX packets, TX packets, connections; then what was taken off each. */
type Sums = number[];
const COUNTS = 5;
/** And of an app's TCP: segments received again and sent again, round trips, their sum in seconds. */
const TCP = 2 * COUNTS;
const SUMS = TCP + 4;

/** A book as it is kept in a file: plain JSON. */
export interface CounterState {
  readonly day: number;
  readonly until: number;
  readonly apps: readonly (readonly [name: string, sums: readonly number[]])[];
  readonly categories: readonly (readonly [name: string, sums: readonly number[]])[];
  readonly interfaces: readonly (readonly [name: string, sums: readonly number[]])[];
  readonly ranks: readonly (readonly [name: string, bytes: number])[];
  /** Names that share series now, although they have some of their own. */
  readonly retired: readonly string[];
  readonly hidden: readonly (readonly [name: string, sums: readonly number[]])[];
}

/** Sums settled minutes. */
export class CounterBook {
  readonly #most: number;
  readonly #apps = new Map<string, Sums>();
  readonly #categories = new Map<string, Sums>();
  readonly #interfaces = new Map<string, Sums>();
  /** Bytes of the day by app. */
  #ranks = new Map<string, number>();
  /** Apps that had series of their own today, and gave them up to others. */
  #retired = new Set<string>();
  /** What series that are no longer shown had reached, oldest first: they go on from there if they come back. */
  readonly #hidden = new Map<string, Sums>();
  #day = -1;
  #until = 0;

  /** @param apps with series of their own at a time @param state of a book that was kept; `isCounterState` has checked it */
  constructor(apps: number, state: CounterState | null = null) {
    this.#most = apps;
    if (state === null) return;
    for (const [name, sums] of state.apps) this.#apps.set(name, [...sums]);
    for (const [name, sums] of state.categories) this.#categories.set(name, [...sums]);
    for (const [name, sums] of state.interfaces) this.#interfaces.set(name, [...sums]);
    this.#ranks = new Map(state.ranks);
    this.#retired = new Set(state.retired);
    for (const [name, sums] of state.hidden) this.#hidden.set(name, [...sums]);
    this.#day = state.day;
    this.#until = state.until;
  }

  /** End of the last minute that is counted, epoch ms; 0 for none. */
  get until(): number {
    return this.#until;
  }

  /** Counts rows of settled minutes. @param until their end, epoch ms */
  add(rows: readonly MetricRow[], until: number): void {
    this.#beginDay(Math.floor((until - 1) / DAY_MS));
    if (until > this.#until) this.#until = until;
    // Ranked first: the rows of a minute come in no order that means anything.
    const moved = new Map<string, number>();
    for (const row of rows) {
      const name = appLabel(row);
      moved.set(name, (moved.get(name) ?? 0) + row.rxBytes + row.txBytes);
    }
    for (const [name, bytes] of [...moved].sort((a, b) => b[1] - a[1])) this.#rank(name, bytes);
    for (const row of rows) {
      count(this.#sumsOfApp(appLabel(row)), row);
      count(this.#sumsOfCategory(row), row);
      count(this.#sumsOfInterface(row), row);
    }
  }

  /** Opens the series of rows that will be counted once they are settled: a counter that isn't seen at zero is taken to begin where it is first seen. */
  expect(rows: readonly MetricRow[]): void {
    for (const row of rows) {
      this.#rank(appLabel(row), 0);
      this.#sumsOfApp(appLabel(row));
      this.#sumsOfCategory(row);
      this.#sumsOfInterface(row);
    }
  }

  /** Counts what TCP told. */
  addTcp(rows: readonly MetricTcp[]): void {
    for (const row of rows) {
      this.#rank(appLabel(row), 0); // its bytes follow once they are settled
      const sums = this.#sumsOfApp(appLabel(row));
      const told = [row.receivedAgain, row.sentAgain, row.roundTrips, row.roundTripSeconds];
      for (const [i, value] of told.entries()) sums[TCP + i] = (sums[TCP + i] as number) + Math.max(0, value);
    }
  }

  /** The label under which an app's series are, the shared one included. */
  seriesOf(app: { readonly app: string | null; readonly reason: string | null }): string {
    const name = appLabel(app);
    this.#rank(name, 0);
    return this.#hasOwn(name) ? name : MORE_APPS;
  }

  /** Appends the samples, metric by metric. */
  samples(into: MetricSample[]): void {
    const apps = [...this.#apps];
    ways(into, 'appBytes', apps, 0);
    ways(into, 'appPackets', apps, 2);
    for (const [name, sums] of apps) into.push({ metric: 'appConnections', labels: [name], value: sums[4] as number });
    const told = apps.filter(([, sums]) => sums.slice(TCP).some((value) => value > 0));
    ways(into, 'appRetransmits', told, TCP);
    for (const [name, sums] of told) {
      const [count, value] = [sums[TCP + 2] as number, sums[TCP + 3] as number];
      into.push({ metric: 'appRoundTrip', labels: [name], value, count });
    }
    ways(into, 'categoryBytes', [...this.#categories], 0);
    ways(into, 'categoryPackets', [...this.#categories], 2);
    ways(into, 'interfaceBytes', [...this.#interfaces], 0);
    ways(into, 'interfacePackets', [...this.#interfaces], 2);
    this.#reassigned(into, 'reassignedBytes', 0);
    this.#reassigned(into, 'reassignedPackets', 2);
    for (const [name, sums] of apps) {
      const value = sums[COUNTS + 4] as number;
      if (value > 0) into.push({ metric: 'reassignedConnections', labels: [name], value });
    }
    if (this.#until > 0) into.push({ metric: 'settled', labels: [], value: this.#until / 1000 });
  }

  /** The book as it is now. */
  state(): CounterState {
    return {
      day: this.#day,
      until: this.#until,
      apps: [...this.#apps],
      categories: [...this.#categories],
      interfaces: [...this.#interfaces],
      ranks: [...this.#ranks],
      retired: [...this.#retired],
      hidden: [...this.#hidden],
    };
  }

  /** What was taken off counters. Hardly anything ever is, and only that has series. */
  #reassigned(into: MetricSample[], metric: MetricName, column: number): void {
    const books = [
      ['app', this.#apps],
      ['category', this.#categories],
      ['interface', this.#interfaces],
    ] as const;
    for (const [of, book] of books)
      for (const [name, sums] of book) {
        const [received, sent] = [sums[COUNTS + column] as number, sums[COUNTS + column + 1] as number];
        if (received > 0) into.push({ metric, labels: [of, name, RECEIVE], value: received });
        if (sent > 0) into.push({ metric, labels: [of, name, TRANSMIT], value: sent });
      }
  }

  /** A day begins with the series that the day before ended with, and no longer shows those that were given up. */
  #beginDay(day: number): void {
    if (day <= this.#day) return;
    this.#day = day;
    this.#ranks.clear();
    for (const name of this.#retired) {
      this.#hidden.set(name, sumsIn(this.#apps, name));
      this.#apps.delete(name);
    }
    this.#retired.clear();
    for (const name of this.#hidden.keys()) {
      if (this.#hidden.size <= MOST_HIDDEN) break;
      this.#hidden.delete(name);
    }
  }

  #hasOwn(name: string): boolean {
    return this.#apps.has(name) && !this.#retired.has(name);
  }

  /** Adds to what an app moved today. One that moved more than another that has series takes its place. */
  #rank(name: string, bytes: number): void {
    const known = this.#ranks.get(name);
    if (known === undefined && this.#ranks.size >= MOST_RANKED) return;
    const today = (known ?? 0) + Math.max(0, bytes);
    this.#ranks.set(name, today);
    if (this.#hasOwn(name) || name === MORE_APPS) return;
    const own = [...this.#apps.keys()].filter((one) => one !== MORE_APPS && !this.#retired.has(one));
    if (own.length >= this.#most) {
      // Series that change hands often are worth nothing, and each that is given up stays until the day ends.
      const rankOf = (one: string) => this.#ranks.get(one) ?? 0;
      const least = own.reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a));
      if (today <= 2 * rankOf(least) || (this.#retired.size >= this.#most && !this.#retired.has(name))) return;
      this.#retired.add(least);
    }
    this.#retired.delete(name);
    if (this.#apps.has(name)) return;
    this.#apps.set(name, this.#hidden.get(name) ?? new Array<number>(SUMS).fill(0));
    this.#hidden.delete(name);
  }

  #sumsOfCategory({ category }: MetricRow): Sums {
    const name = category === null ? NO_CATEGORY : labelOf(category);
    return bounded(this.#categories, name, MOST_CATEGORIES, MORE_CATEGORIES);
  }

  #sumsOfInterface(row: MetricRow): Sums {
    return bounded(this.#interfaces, labelOf(row.interface), MOST_INTERFACES, MORE_INTERFACES);
  }

  #sumsOfApp(name: string): Sums {
    return this.#hasOwn(name) ? (this.#apps.get(name) as Sums) : sumsIn(this.#apps, MORE_APPS);
  }
}

/** Adds a row. What it takes off is counted apart. */
function count(sums: Sums, { rxBytes, txBytes, rxPackets, txPackets, flows }: MetricRow): void {
  const moved = [rxBytes, txBytes, rxPackets, txPackets, flows];
  for (const [i, value] of moved.entries()) {
    const at = value < 0 ? COUNTS + i : i;
    sums[at] = (sums[at] as number) + Math.abs(value);
  }
}

function ways(into: MetricSample[], metric: MetricName, book: readonly (readonly [string, Sums])[], column: number): void {
  for (const [name, sums] of book)
    into.push(
      { metric, labels: [name, RECEIVE], value: sums[column] as number },
      { metric, labels: [name, TRANSMIT], value: sums[column + 1] as number },
    );
}

function sumsIn(book: Map<string, Sums>, name: string): Sums {
  const known = book.get(name);
  if (known !== undefined) return known;
  const made = new Array<number>(SUMS).fill(0);
  book.set(name, made);
  return made;
}

function bounded(book: Map<string, Sums>, name: string, most: number, rest: string): Sums {
  return sumsIn(book, book.has(name) || book.size < most ? name : rest);
}

/** An app's name, or in brackets why there is none: nobody can name a program so that the two are taken for each other. */
function appLabel({ app, reason }: { readonly app: string | null; readonly reason: string | null }): string {
  if (app === null) return `(${labelOf(reason ?? 'unknown')})`;
  const name = labelOf(app);
  return name.startsWith('(') ? `'${name}` : name;
}

/** Text from outside as a label's value. An empty one would be no label at all. */
function labelOf(text: string): string {
  const clean = sanitize(text.slice(0, LONGEST_LABEL)).trim();
  return clean === '' ? '(unprintable)' : clean;
}

/** Whether a value read from a file is what `state` returned. */
export function isCounterState(value: unknown): value is CounterState {
  if (typeof value !== 'object' || value === null) return false;
  const { day, until, apps, categories, interfaces, ranks, retired, hidden } = value as Partial<
    Record<keyof CounterState, unknown>
  >;
  const isSums = (sums: unknown) => Array.isArray(sums) && sums.length === SUMS && sums.every(isCount);
  return (
    isCount(until) &&
    (isCount(day) || day === -1) &&
    isPairs(apps, isSums) &&
    isPairs(categories, isSums) &&
    isPairs(interfaces, isSums) &&
    isPairs(ranks, isCount) &&
    isPairs(hidden, isSums) &&
    Array.isArray(retired) &&
    retired.length <= MOST_RANKED &&
    retired.every((name) => typeof name === 'string')
  );
}

function isPairs(value: unknown, isRight: (value: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length > MOST_RANKED) return false;
  return value.every((pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string' && isRight(pair[1]));
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
