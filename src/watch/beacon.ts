// Finds calls that come as if by a clock: an app connects to the same outside host again and again, at even intervals, each time with little.
// It can't see what stays within one connection, or waits at random by more than a tenth. Of the browser kind, it looks at no app.

import type { WatchFlow } from '../model/watch.ts';
import { counted } from '../net/counted.ts';
import type { Baseline } from './baseline.ts';
import { type Detector, type Report, subjectOf } from './finding.ts';
import { amount, percent, span } from './words.ts';

/** Calls that are compared, and how many there must be. One more is kept: the last may be taken back. */
const COMPARED = 15;
const RING = COMPARED + 1;
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

/** Follows when calls begin. `#times`, RING starts a place, epoch ms; `#sizes`, the bytes of each. */
export class Beacons implements Detector {
  readonly #baseline: Baseline;
  readonly #report: Report;
  /** Place by app and host, the longest silent first. */
  readonly #places = new Map<number, number>();
  #times = new Float64Array(0);
  #sizes = new Float64Array(0);
  readonly #counts = new Uint32Array(MOST_PAIRS);
  readonly #intervals = new Float64Array(COMPARED - 1);

  constructor(baseline: Baseline, report: Report) {
    this.#baseline = baseline;
    this.#report = report;
  }

  began(flow: WatchFlow): void {
    if (!isCall(flow)) return;
    const place = this.#place(keyOf(flow));
    const count = this.#counts[place] as number;
    const time = flow.firstSeen;
    const last = this.#times[slotOf(place, count - 1)] as number;
    if (count > 0 && time - last < TOGETHER_MS && time > last - SET_BACK_MS) {
      this.#grow(slotOf(place, count - 1), flow);
      return;
    }
    this.#times[slotOf(place, count)] = time;
    this.#sizes[slotOf(place, count)] = flow.rxBytes + flow.txBytes;
    this.#counts[place] = count + 1;
    if (count + 1 >= FEWEST) this.#judge(flow, place, count + 1);
  }

  /** A call that was seen before its name was known is one to that name, or every tenth would be missing there. */
  renamed(flow: WatchFlow, app: number, host: number): void {
    const place = this.#places.get(app * HOSTS + host);
    const count = place === undefined ? 0 : (this.#counts[place] as number);
    if (place !== undefined && count > 0 && this.#times[slotOf(place, count - 1)] === flow.firstSeen)
      this.#counts[place] = count - 1;
    this.began(flow);
  }

  /** Only at its end is it known how much a call moved. */
  left(flow: WatchFlow): void {
    const place = isCall(flow) ? this.#places.get(keyOf(flow)) : undefined;
    if (place === undefined) return;
    for (let i = Math.min(this.#counts[place] as number, RING); i > 0; i--) {
      const slot = slotOf(place, (this.#counts[place] as number) - i);
      const since = flow.firstSeen - (this.#times[slot] as number);
      if (since >= 0 && since < TOGETHER_MS) this.#grow(slot, flow);
    }
  }

  #grow(slot: number, flow: WatchFlow): void {
    this.#sizes[slot] = Math.max(this.#sizes[slot] as number, flow.rxBytes + flow.txBytes);
  }

  #judge(flow: WatchFlow, place: number, count: number): void {
    const length = Math.min(count, COMPARED);
    const intervals = this.#intervals.subarray(0, length - 1);
    let largest = 0;
    for (let i = 0; i < length; i++) {
      largest = Math.max(largest, this.#sizes[slotOf(place, count - 1 - i)] as number);
      if (i > 0)
        intervals[i - 1] =
          (this.#times[slotOf(place, count - i)] as number) - (this.#times[slotOf(place, count - 1 - i)] as number);
    }
    if (largest > SMALL) return;
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
    if (!this.#isUsual(flow)) this.#found(flow, count, period, deviation / (intervals.length - uneven), largest);
  }

  #isUsual({ app, domain }: WatchFlow): boolean {
    const baseline = this.#baseline;
    if (baseline.knowledge === 'waiting' || (baseline.app(app as string)?.domains ?? 0) > ROAMS) return true;
    return domain !== null && (baseline.knewDomain(app as string, domain) || baseline.spreadOf(domain) > FEW_APPS);
  }

  #found(flow: WatchFlow, count: number, period: number, jitter: number, largest: number): void {
    const subject = subjectOf(flow);
    this.#report({
      kind: 'beacon',
      subject,
      cause: `${flow.app} ${flow.domain ?? flow.host}`,
      quietMs: DAY_MS,
      text: `${subject.app} calls ${subject.host} every ${span(period)}, ${jitter < 50 ? 'to within 0.1 s' : `give or take ${span(jitter)}`}.`,
      details: [
        `${counted(count, 'call')} so far; each of the last ${Math.min(count, COMPARED)} moved at most ${amount(largest)}`,
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
      if (this.#times.length === 0) {
        this.#times = new Float64Array(MOST_PAIRS * RING);
        this.#sizes = new Float64Array(MOST_PAIRS * RING);
      }
      place = this.#places.size;
      if (place >= MOST_PAIRS) {
        const [oldest, freed] = this.#places.entries().next().value as [number, number];
        this.#places.delete(oldest);
        place = freed;
      }
      this.#counts[place] = 0;
    } else this.#places.delete(key);
    this.#places.set(key, place);
    return place;
  }
}

function isCall({ direction, isOutside, app, remote }: WatchFlow): boolean {
  return direction === 'outbound' && isOutside && app !== null && !REGULAR.has(remote.port);
}

function keyOf({ appNumber, hostNumber }: WatchFlow): number {
  return appNumber * HOSTS + hostNumber;
}

/** Where a place has its call of this number. */
function slotOf(place: number, call: number): number {
  return place * RING + ((call + RING) % RING);
}
