// Finds calls that come as if by a clock: an app connects to the same outside host again and again, at even intervals, each time with little.
// It can't see what stays within one connection, or waits at random by more than a tenth. Of the browser kind, it looks at no app.

import type { WatchFlow } from '../model/watch.ts';
import type { Baseline } from './baseline.ts';
import { type Detector, type Report, subjectOf } from './finding.ts';
import { amount, percent, span } from './words.ts';

/** Calls that are compared, and how many there must be. */
const RING = 16;
const FEWEST = 12;
/** Pairs of app and host that are followed. */
const MOST_PAIRS = 2048;
/** Connections that begin together are one call, ms. */
const TOGETHER_MS = 1000;
const SHORTEST_MS = 5000;
/** A call that is older than the last by more was seen after the clock was set back. */
const SET_BACK_MS = 60_000;
/** Intervals that differ from the middle one by more are uneven; a tenth of them may be. */
const UNEVEN = 0.1;
/** More bytes in a call than this is no sign of life. */
const SMALL = 65_536;
/** An app that reached more domains than this is told from a browser by nothing. */
const ROAMS = 40;
/** A destination of more apps than this is a service. */
const FEW_APPS = 2;
const DAY_MS = 86_400_000;
/** Ports on which even calls are usual: DNS, DHCP, NTP. */
const REGULAR = new Set([53, 67, 68, 123, 546, 547, 5353]);
/** Above the highest number of a host. */
const HOSTS = 1 << 18;

/** Follows when calls begin. `#times`: RING starts a place, epoch ms. */
export class Beacons implements Detector {
  readonly #baseline: Baseline;
  readonly #report: Report;
  /** Place by app and host, the longest silent first. */
  readonly #places = new Map<number, number>();
  #times = new Float64Array(0);
  readonly #counts = new Uint32Array(MOST_PAIRS);
  readonly #bytes = new Float64Array(MOST_PAIRS);
  readonly #intervals = new Float64Array(RING - 1);

  constructor(baseline: Baseline, report: Report) {
    this.#baseline = baseline;
    this.#report = report;
  }

  began(flow: WatchFlow): void {
    if (flow.direction !== 'outbound' || !flow.isOutside || flow.app === null || REGULAR.has(flow.remote.port)) return;
    const place = this.#place(flow.appNumber * HOSTS + flow.hostNumber);
    const count = this.#counts[place] as number;
    const time = flow.firstSeen;
    const last = this.#times[place * RING + ((count + RING - 1) % RING)] as number;
    this.#bytes[place] = Math.max((this.#bytes[place] as number) * 0.9, flow.rxBytes + flow.txBytes);
    if (count > 0 && time - last < TOGETHER_MS && time > last - SET_BACK_MS) return;
    this.#times[place * RING + (count % RING)] = time;
    this.#counts[place] = count + 1;
    if (count + 1 >= FEWEST && (this.#bytes[place] as number) <= SMALL) this.#judge(flow, place, count + 1);
  }

  #judge(flow: WatchFlow, place: number, count: number): void {
    const length = Math.min(count, RING);
    const intervals = this.#intervals.subarray(0, length - 1);
    for (let i = 0; i < intervals.length; i++) {
      const newer = this.#times[place * RING + ((count - 1 - i) % RING)] as number;
      intervals[i] = newer - (this.#times[place * RING + ((count - 2 - i) % RING)] as number);
    }
    intervals.sort();
    const period = intervals[intervals.length >> 1] as number;
    if (period < SHORTEST_MS) return;
    let uneven = 0;
    let deviation = 0;
    for (const interval of intervals) {
      const off = Math.abs(interval - period);
      if (off > period * UNEVEN) uneven++;
      else deviation += off;
    }
    if (uneven > intervals.length / 10) return;
    if (!this.#isUsual(flow)) this.#found(flow, place, count, period, deviation / (intervals.length - uneven));
  }

  #isUsual({ app, domain }: WatchFlow): boolean {
    const baseline = this.#baseline;
    if (baseline.knowledge === 'waiting' || (baseline.app(app as string)?.domains ?? 0) > ROAMS) return true;
    return domain !== null && (baseline.knewDomain(app as string, domain) || baseline.spreadOf(domain) > FEW_APPS);
  }

  #found(flow: WatchFlow, place: number, count: number, period: number, jitter: number): void {
    const subject = subjectOf(flow);
    this.#report({
      kind: 'beacon',
      subject,
      cause: `${flow.app} ${flow.domain ?? flow.host}`,
      quietMs: DAY_MS,
      text: `${subject.app} calls ${subject.host} every ${span(period)}, give or take ${span(jitter)}.`,
      details: [
        `calls so far: ${count}, of at most ${amount(this.#bytes[place] as number)} each`,
        `period ${span(period)}, jitter ${percent(jitter / period)}`,
        `path: ${subject.exe ?? 'unknown'}`,
        'expected: people and most programs call at uneven times',
      ],
      needsBaseline: true,
    });
  }

  #place(key: number): number {
    let place = this.#places.get(key);
    if (place === undefined) {
      if (this.#times.length === 0) this.#times = new Float64Array(MOST_PAIRS * RING);
      place = this.#places.size;
      if (place >= MOST_PAIRS) {
        const [oldest, freed] = this.#places.entries().next().value as [number, number];
        this.#places.delete(oldest);
        place = freed;
      }
      this.#counts[place] = 0;
      this.#bytes[place] = 0;
    } else this.#places.delete(key);
    this.#places.set(key, place);
    return place;
  }
}
