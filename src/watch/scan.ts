// Finds scans: an app that tries many ports of a host, or one port of many hosts, and mostly gets no answer; and the same from outside, against
// this machine. Distinct ports and hosts are estimated from a few bits, so that a scan of a million ends costs as little as one of fifty.

import type { WatchedTick, WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import { type Detector, type Finding, type Report, subjectOf } from './finding.ts';

const WINDOW_MS = 60_000;
/** So many ports of a host, so many hosts on a port, so many ports on this machine. */
const PORTS = 50;
const HOSTS = 50;
const OWN_PORTS = 20;
/** On ports that browsers use, so many hosts: without a network, a browser tries many of them in vain. */
const WEB_HOSTS = 200;
const WEB = new Set([80, 443]);
/** Of what is tried, at least this share is not answered. */
const UNANSWERED = 0.5;
/** Before it is judged, the last try has this long to be answered. */
const PATIENCE_MS = 500;
/** A tick that is older than a suspect by more came after the clock was set back. */
const SET_BACK_MS = 60_000;
/** Suspects that wait; more in half a second are the same scan. */
const MOST_SUSPECTS = 64;
const QUIET_MS = 3_600_000;
/** Above the highest number of a host. */
const HOST_NUMBERS = 1 << 18;

/** What looks like a scan, until the last tries had time to be answered. */
interface Suspect {
  readonly tries: Tries;
  readonly place: number;
  readonly key: number;
  /** When the try was made that made it one, epoch ms. */
  readonly time: number;
  readonly finding: () => Finding;
}

/** Counts what is tried within a minute. */
export class Scans implements Detector {
  readonly #report: Report;
  /** By app and host: ports. By app and port: hosts. By host outside: ports on this machine. */
  readonly #ports = new Tries();
  readonly #hosts = new Tries();
  readonly #own = new Tries();
  #suspects: Suspect[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  began(flow: WatchFlow): void {
    const { protocol } = flow;
    const isPing = protocol === 'icmp' || protocol === 'icmpv6';
    if (protocol !== 'tcp' && protocol !== 'udp' && !isPing) return;
    const { firstSeen: time, hostNumber } = flow;
    if (flow.direction === 'inbound') {
      if (isPing) return;
      const place = this.#own.add(hostNumber, flow.local.port, flow);
      if (this.#own.isScan(place, OWN_PORTS)) this.#suspect(this.#own, place, hostNumber, time, this.#scanned(flow, place));
      return;
    }
    if (flow.app === null) return;
    const { port } = flow.remote;
    if (!isPing) {
      const key = portsKey(flow);
      const place = this.#ports.add(key, port, flow);
      if (this.#ports.isScan(place, PORTS)) this.#suspect(this.#ports, place, key, time, this.#triesPorts(flow, place));
    }
    // Peers of a file-sharing program answer or not as they like, and mostly by UDP.
    if (protocol === 'udp') return;
    const key = hostsKey(flow);
    const place = this.#hosts.add(key, hostNumber, flow);
    if (this.#hosts.isScan(place, WEB.has(port) ? WEB_HOSTS : HOSTS))
      this.#suspect(this.#hosts, place, key, time, this.#triesHosts(flow, place));
  }

  /** Whoever calls many at once shortly before a tick has no answer yet. */
  answered(flow: WatchFlow): void {
    const { firstSeen: time } = flow;
    if (flow.direction === 'inbound') this.#own.answer(flow.hostNumber, time);
    else {
      this.#ports.answer(portsKey(flow), time);
      if (flow.protocol !== 'udp') this.#hosts.answer(hostsKey(flow), time);
    }
  }

  tick({ time }: WatchedTick): void {
    if (this.#suspects.length > 0) this.#suspects = this.#suspects.filter((suspect) => !this.#isJudged(suspect, time));
  }

  #suspect(tries: Tries, place: number, key: number, time: number, finding: () => Finding): void {
    if (this.#suspects.length < MOST_SUSPECTS) this.#suspects.push({ tries, place, key, time, finding });
  }

  #isJudged({ tries, place, key, time, finding }: Suspect, now: number): boolean {
    if (now - time < PATIENCE_MS && now - time > -SET_BACK_MS) return false;
    if (tries.isConfirmed(place, key)) this.#report(finding());
    return true;
  }

  #triesPorts(flow: WatchFlow, place: number): () => Finding {
    const subject = subjectOf(flow);
    const { app, host } = flow;
    return () => ({
      kind: 'scan',
      subject,
      cause: `ports ${app} ${host}`,
      quietMs: QUIET_MS,
      text: `${subject.app} tried ${about(this.#ports, place)} ports on ${subject.host} within a minute; ${answers(this.#ports, place)}.`,
      details: [`path: ${subject.exe ?? 'unknown'}`, `expected: fewer than ${PORTS} ports on a host in a minute`],
      needsBaseline: false,
    });
  }

  #triesHosts(flow: WatchFlow, place: number): () => Finding {
    const subject = subjectOf(flow);
    const { port } = flow.remote;
    const { app, protocol } = flow;
    const what = protocol === 'tcp' ? `port ${port} on` : 'to ping';
    return () => ({
      kind: 'scan',
      subject: { ...subject, host: null, domain: null },
      cause: `hosts ${app} ${protocol} ${port}`,
      quietMs: QUIET_MS,
      text: `${subject.app} tried ${what} ${about(this.#hosts, place)} hosts within a minute; ${answers(this.#hosts, place)}.`,
      details: [
        `the last one: ${subject.host}`,
        `path: ${subject.exe ?? 'unknown'}`,
        `expected: fewer than ${WEB.has(port) ? WEB_HOSTS : HOSTS} hosts in a minute`,
      ],
      needsBaseline: false,
    });
  }

  /** The internet tries every machine that it can reach, all the time; a neighbour doesn't. */
  #scanned(flow: WatchFlow, place: number): () => Finding {
    const host = sanitize(flow.host);
    const subject = { ...subjectOf(flow), app: null, exe: null, pid: null, user: null };
    const { isOutside } = flow;
    return () => ({
      kind: 'scan',
      ...(isOutside ? { severity: 'info' as const } : {}),
      subject,
      cause: isOutside ? 'from outside' : `from ${host}`,
      quietMs: isOutside ? 24 * QUIET_MS : QUIET_MS,
      text: `${host} tried ${about(this.#own, place)} ports on this machine within a minute; ${answers(this.#own, place)}.`,
      details: [`expected: fewer than ${OWN_PORTS} ports from one host in a minute`],
      needsBaseline: false,
    });
  }
}

function portsKey({ appNumber, hostNumber }: WatchFlow): number {
  return appNumber * HOST_NUMBERS + hostNumber;
}

function hostsKey({ appNumber, remote }: WatchFlow): number {
  return appNumber * HOST_NUMBERS + remote.port;
}

function about(tries: Tries, place: number): string {
  return `about ${Math.round(tries.distinct(place))}`;
}

function answers(tries: Tries, place: number): string {
  const share = tries.unanswered(place);
  return `${share > 0.99 ? 'all' : `${Math.floor(share * 100)} %`} refused or did not answer`;
}

/** Keys that are followed, a power of two: two that share a place lose it to each other. */
const PLACES = 1024;
/** Words of bits a place: 256 bits tell some 500 apart. */
const WORDS = 8;
const BITS = WORDS * 32;

/** Distinct values by key within a window, counted by the bits that they set (linear counting: Whang et al. 1990). */
class Tries {
  readonly #keys = new Float64Array(PLACES).fill(-1);
  readonly #begun = new Float64Array(PLACES);
  readonly #bits = new Int32Array(PLACES * WORDS);
  readonly #set = new Uint16Array(PLACES);
  readonly #tried = new Uint32Array(PLACES);
  readonly #answered = new Uint32Array(PLACES);
  /** 1 where a scan was found in this window. */
  readonly #isTold = new Uint8Array(PLACES);

  /** Notes a try. @returns its place, until the next one */
  add(key: number, value: number, { firstSeen: time, isAnswered }: WatchFlow): number {
    const place = placeOf(key);
    if (this.#keys[place] !== key || Math.abs(time - (this.#begun[place] as number)) > WINDOW_MS) {
      this.#keys[place] = key;
      this.#begun[place] = time;
      this.#bits.fill(0, place * WORDS, place * WORDS + WORDS);
      this.#set[place] = this.#tried[place] = this.#answered[place] = this.#isTold[place] = 0;
    }
    const bit = mix(value, 0x85ebca6b) & (BITS - 1);
    const at = place * WORDS + (bit >>> 5);
    const mask = 1 << (bit & 31);
    if (((this.#bits[at] as number) & mask) === 0) {
      this.#bits[at] = (this.#bits[at] as number) | mask;
      this.#set[place] = (this.#set[place] as number) + 1;
    }
    this.#tried[place] = (this.#tried[place] as number) + 1;
    if (isAnswered) this.#answered[place] = (this.#answered[place] as number) + 1;
    return place;
  }

  /** Notes that a try was answered after all. */
  answer(key: number, time: number): void {
    const place = placeOf(key);
    const isCounted = this.#keys[place] === key && time >= (this.#begun[place] as number);
    if (isCounted) this.#answered[place] = Math.min(this.#tried[place] as number, (this.#answered[place] as number) + 1);
  }

  /** True if what looked like a scan still does. */
  isConfirmed(place: number, key: number): boolean {
    if (this.#keys[place] !== key || this.#isTold[place] !== 1) return false;
    if (this.unanswered(place) >= UNANSWERED) return true;
    this.#isTold[place] = 0;
    return false;
  }

  /** True once in a window, when so many values were tried and mostly not answered. A scan goes on for a million more. */
  isScan(place: number, most: number): boolean {
    if (this.#isTold[place] === 1 || this.distinct(place) < most || this.unanswered(place) < UNANSWERED) return false;
    this.#isTold[place] = 1;
    return true;
  }

  /** About how many values there were. */
  distinct(place: number): number {
    return BITS * Math.log(BITS / Math.max(1, BITS - (this.#set[place] as number)));
  }

  /** Share of the tries without an answer. */
  unanswered(place: number): number {
    return 1 - (this.#answered[place] as number) / Math.max(1, this.#tried[place] as number);
  }
}

function placeOf(key: number): number {
  return mix(key % 4_294_967_291, 0x9e3779b1) & (PLACES - 1);
}

function mix(value: number, factor: number): number {
  let hash = Math.imul(value, factor);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
