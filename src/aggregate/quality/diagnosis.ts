// Decides what is clearly wrong: one host, everything behind an interface, or the local network too. It compares hosts with each other and with
// themselves at their best, and says nothing where there is too little to compare.

import type { DnsPart, DnsTransport, ResolverRow } from '../../model/dns.ts';
import type { Diagnosis, Ends, Figures, LinkQuality, NearEnd, Quality } from '../../model/quality.ts';
import { GENERATION_MS, UNANSWERED_MS } from './figures.ts';

/** A host as it is judged: its number, the index of its interface, its figures. */
export interface JudgedHost {
  readonly host: number;
  readonly interface: number;
  readonly isNear: boolean;
  readonly quality: Quality;
}

/** An interface as it is judged. */
export interface JudgedInterface {
  readonly index: number;
  readonly name: string;
  readonly ends: Ends;
  /** Connections in a row that nobody beyond its own network answered. */
  readonly silent: number;
  readonly link: LinkQuality | null;
}

/** A resolver as it is judged: what became of the last minute's questions. */
export interface JudgedResolver {
  readonly resolver: string;
  /** Median of what was answered; null without an answer. */
  readonly ms: number | null;
  readonly answers: number;
  readonly questions: number;
  /** Answered with a failure of the resolver's own, and not answered at all. */
  readonly failed: number;
  readonly unanswered: number;
}

/** Most that is said at once. */
const MOST = 50;
/** Round trips that a host needs before its median means something, and those that it is compared with. */
const SAMPLES = 3;
const OTHERS_SAMPLES = 5;
/** Slow, ms, and how many times as slow as the others, or as itself at its best. */
const SLOW_MS = 100;
const TIMES_OTHERS = 4;
const TIMES_LEAST = 3;
/** Slow whatever it was before, ms: no place on Earth is this far away by cable. */
const TOO_SLOW_MS = 350;
/** Round trips of which a tenth is quick show a network that is quick: acknowledgements may wait at the other end (RFC 9293 section 3.8.6.3). */
const STEADY = 0.5;
/** The local network is slow from here on, ms. */
const NEAR_SLOW_MS = 50;
/** Share of segments sent again that hurts, and one that doesn't. */
const LOSS = 0.02;
const NO_LOSS = 0.005;
/** Segments that a share needs: of a host, of those it is compared with. */
const SEGMENTS = 100;
const OTHERS_SEGMENTS = 200;
/** Fewest segments sent again: one burst is no rate. */
const AGAIN = 5;
/** Hosts that make everything, and the share of them that must be affected. */
const HOSTS = 3;
const MOST_HOSTS = 2 / 3;
/** Segments with which a host counts towards everything. */
const VOTE_SEGMENTS = 20;
/** Connections that failed one after the other: to a host, to all. */
const FAILED = 2;
const ALL_FAILED = 5;
const RESETS = 3;
/** Questions that say something of a resolver, and how long it may take, ms: to ask around the world takes less. */
const NAMES = 3;
const NAMES_SLOW_MS = 400;

/**
 * What is clearly wrong, the widest first; nothing where it isn't clear. What affects everything on an interface isn't said again of its hosts.
 *
 * @param hosts those that told something recently
 * @param interfaces those that are part of the total
 * @param resolvers those that were asked recently
 * @param nameOf name or address of a host
 */
export function diagnose(
  hosts: readonly JudgedHost[],
  interfaces: readonly JudgedInterface[],
  resolvers: readonly JudgedResolver[],
  nameOf: (host: number) => string,
): Diagnosis[] {
  const found: Diagnosis[] = resolvers.flatMap((one) => judgeNames(one) ?? []);
  for (const one of interfaces) {
    const own = hosts.filter((host) => host.interface === one.index);
    const far = own.filter(({ isNear }) => !isNear);
    const whole = judgeAll(one, far);
    if (whole !== null) found.push(whole);
    const field = new Field(far);
    for (const judged of own) {
      const single = judged.isNear ? failure(judged) : judgeHost(judged, field, whole);
      if (single !== null) found.push({ ...single, host: nameOf(judged.host) });
    }
  }
  return found.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, MOST);
}

const ORDER: readonly Diagnosis['kind'][] = [
  'nothing answers',
  'names fail',
  'names are slow',
  'everything loses',
  'everything is slow',
  'host is silent',
  'host refuses',
  'host resets',
  'host loses',
  'host is slow',
];

function rankOf({ kind }: Diagnosis): number {
  return ORDER.indexOf(kind);
}

/** What affects everything behind an interface's own network. */
function judgeAll({ name, ends, silent, link }: JudgedInterface, hosts: readonly JudgedHost[]): Diagnosis | null {
  const near = nearEnd(ends.near);
  if (silent >= ALL_FAILED && hosts.filter(({ quality }) => quality.recent.unanswered > 0).length >= HOSTS)
    return { kind: 'nothing answers', interface: name, count: silent, near, link };
  const far = ends.far?.recent;
  if (far === undefined) return null;
  const voters = hosts.filter(({ quality }) => quality.recent.segments >= VOTE_SEGMENTS);
  const losing = voters.filter(({ quality }) => againShare(quality.recent) >= LOSS / 2);
  if (
    far.segments >= OTHERS_SEGMENTS &&
    againShare(far) >= LOSS &&
    losing.length >= HOSTS &&
    losing.length >= voters.length * MOST_HOSTS
  )
    return { kind: 'everything loses', interface: name, share: againShare(far), hosts: losing.length, near, link };
  return judgeSlowness(name, hosts, near, link);
}

function judgeSlowness(
  name: string,
  hosts: readonly JudgedHost[],
  near: NearEnd | null,
  link: LinkQuality | null,
): Diagnosis | null {
  const timed = hosts.filter(({ quality }) => (quality.recent.roundTrips?.samples ?? 0) >= SAMPLES);
  if (timed.length < HOSTS) return null;
  const isTooSlow = (least: number, { quality }: JudgedHost): boolean => (steadyMs(quality.recent) ?? 0) >= least;
  const worse = timed.filter((host) => isTooSlow(Math.max(SLOW_MS, (host.quality.leastMs ?? 0) * TIMES_LEAST), host));
  const slow = timed.filter((host) => isTooSlow(TOO_SLOW_MS, host));
  const affected = worse.length >= timed.length * MOST_HOSTS ? worse : slow.length >= timed.length * MOST_HOSTS ? slow : [];
  if (affected.length < HOSTS) return null;
  return {
    kind: 'everything is slow',
    interface: name,
    ms: middle(affected.map(({ quality }) => quality.recent.roundTrips?.medianMs ?? 0)),
    leastMs: affected === worse ? middle(affected.map(({ quality }) => quality.leastMs ?? 0)) : null,
    hosts: affected.length,
    near,
    link,
  };
}

/** What a host is compared with: all hosts behind the same network, but for itself. */
class Field {
  readonly #medians: readonly number[];
  readonly #samples: number;
  readonly #segments: number;
  readonly #again: number;

  constructor(hosts: readonly JudgedHost[]) {
    const recent = hosts.map(({ quality }) => quality.recent);
    this.#medians = recent.flatMap(({ roundTrips }) => roundTrips?.medianMs ?? []).toSorted((a, b) => a - b);
    this.#samples = recent.reduce((sum, { roundTrips }) => sum + (roundTrips?.samples ?? 0), 0);
    this.#segments = recent.reduce((sum, { segments }) => sum + segments, 0);
    this.#again = recent.reduce((sum, figures) => sum + againOf(figures), 0);
  }

  /** Share of segments that the others had to have sent again; null if they moved too few. */
  againWithout(host: Figures): number | null {
    const segments = this.#segments - host.segments;
    return segments < OTHERS_SEGMENTS ? null : (this.#again - againOf(host)) / segments;
  }

  /** The median of the others' medians, ms; null if too little was measured. */
  medianWithout({ roundTrips }: Figures): number | null {
    if (this.#samples - (roundTrips?.samples ?? 0) < OTHERS_SAMPLES) return null;
    const own = roundTrips === null ? -1 : this.#medians.indexOf(roundTrips.medianMs);
    const count = this.#medians.length - (own < 0 ? 0 : 1);
    const at = count >> 1;
    return this.#medians[own >= 0 && at >= own ? at + 1 : at] ?? null;
  }
}

/** What is wrong with one host; its name is filled in once something is found. */
type HostDiagnosis = Extract<Diagnosis, { readonly host: string }>;

/** What is wrong with one host while others are well. */
function judgeHost(judged: JudgedHost, field: Field, whole: Diagnosis | null): HostDiagnosis | null {
  if (whole?.kind === 'nothing answers') return null;
  const failed = failure(judged);
  if (failed !== null) return failed;
  const { recent, leastMs } = judged.quality;
  if (whole?.kind !== 'everything loses' && isLossy(recent)) {
    const othersShare = field.againWithout(recent);
    if (othersShare !== null && othersShare < NO_LOSS)
      return { kind: 'host loses', host: '', share: againShare(recent), othersShare };
  }
  const ms = steadyMs(recent);
  if (whole?.kind === 'everything is slow' || ms === null || ms < SLOW_MS || (recent.roundTrips?.samples ?? 0) < SAMPLES)
    return null;
  const othersMs = field.medianWithout(recent);
  if (othersMs === null || ms < othersMs * TIMES_OTHERS) return null;
  return { kind: 'host is slow', host: '', ms, leastMs: leastMs ?? ms, othersMs };
}

/** What is wrong with a resolver. One that isn't asked for anything but missing names answers none of them wrongly. */
function judgeNames({ resolver, ms, answers, questions, failed, unanswered }: JudgedResolver): Diagnosis | null {
  if (failed + unanswered >= NAMES && (failed + unanswered) * 2 >= questions)
    return { kind: 'names fail', resolver, failed, unanswered, of: questions };
  return ms !== null && answers >= NAMES && ms >= NAMES_SLOW_MS ? { kind: 'names are slow', resolver, ms } : null;
}

/** Connections to a host that fail, all of them. */
function failure({ quality: { recent } }: JudgedHost): HostDiagnosis | null {
  const { answered, refused, unanswered, reset } = recent;
  if (answered === 0 && unanswered >= FAILED && refused === 0) return { kind: 'host is silent', host: '', count: unanswered };
  if (answered === 0 && refused >= FAILED && unanswered === 0) return { kind: 'host refuses', host: '', count: refused };
  if (reset >= RESETS && reset * 2 >= answered)
    return { kind: 'host resets', host: '', count: reset, of: Math.max(answered, reset) };
  return null;
}

function nearEnd(near: Quality | null): NearEnd | null {
  const recent = near?.recent;
  if (recent === undefined || (recent.roundTrips === null && recent.segments < SEGMENTS)) return null;
  const ms = steadyMs(recent);
  const share = againShare(recent);
  const isSlow = ms !== null && ms >= NEAR_SLOW_MS;
  return { ms: recent.roundTrips?.medianMs ?? null, share, isBad: isSlow || isLossy(recent) };
}

function isLossy(figures: Figures): boolean {
  return figures.segments >= SEGMENTS && againOf(figures) >= AGAIN && againShare(figures) >= LOSS;
}

/** The median, unless a tenth of the round trips is much shorter: then the waiting isn't the network's. null without a measurement. */
function steadyMs({ roundTrips }: Figures): number | null {
  if (roundTrips === null) return null;
  return roundTrips.lowMs < roundTrips.medianMs * STEADY ? roundTrips.lowMs : roundTrips.medianMs;
}

function againOf({ sentAgain, receivedAgain }: Figures): number {
  return sentAgain + receivedAgain;
}

/** Share of the segments that had to be sent again. */
export function againShare(figures: Figures): number {
  return figures.segments === 0 ? 0 : Math.min(1, againOf(figures) / figures.segments);
}

/** The median of a few numbers. */
function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

type Counts = Pick<ResolverRow, 'questions' | 'failed' | 'unanswered'>;

const NOTHING: Counts = { questions: 0, failed: 0, unanswered: 0 };

/** Counts of resolvers as they were when the present generation began, and the one before. As many as a snapshot has resolvers. */
export class RecentResolvers {
  #generation = Number.NEGATIVE_INFINITY;
  #present = new Map<string, Counts>();
  #before = new Map<string, Counts>();
  #last = new Map<string, Counts>();

  /** Call it once a tick. A question that has waited for seconds counts as unanswered. @param time of the tick, epoch ms */
  judged({ resolvers, waiting }: Pick<DnsPart, 'resolvers' | 'waiting'>, time: number): JudgedResolver[] {
    const generation = Math.floor(time / GENERATION_MS);
    if (generation !== this.#generation) {
      this.#before = generation === this.#generation + 1 ? this.#present : this.#last;
      this.#present = this.#last;
      this.#generation = generation;
    }
    this.#last = new Map(resolvers.map((row) => [row.id, row]));
    const late = new Map<string, number>();
    for (const { time: asked, resolver, transport } of waiting)
      if (time - asked >= UNANSWERED_MS && isAnsweredByOne(transport))
        late.set(resolver.address, (late.get(resolver.address) ?? 0) + 1);
    const judged = resolvers
      .filter(({ transport }) => isAnsweredByOne(transport))
      .map((row) => {
        const since = this.#before.get(row.id) ?? NOTHING;
        const more = late.get(row.address) ?? 0;
        late.delete(row.address);
        return {
          resolver: row.address,
          ms: row.recentMs,
          answers: row.recent,
          questions: row.questions - since.questions + more,
          failed: row.failed - since.failed,
          unanswered: row.unanswered - since.unanswered + more,
        };
      });
    const silent = { ms: null, answers: 0, failed: 0 };
    return [...judged, ...[...late].map(([resolver, more]) => ({ ...silent, resolver, questions: more, unanswered: more }))];
  }
}

/** Questions to a group are answered by whoever knows, mostly by nobody. */
function isAnsweredByOne(transport: DnsTransport): boolean {
  return transport === 'udp' || transport === 'tcp';
}
