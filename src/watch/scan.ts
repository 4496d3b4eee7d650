// Finds scans: an app that tries many ports of a host, or one port of many hosts, and mostly gets no answer; and the same from outside, against
// this machine. Distinct ports and hosts are estimated from a few bits, so that a scan of a million ends costs as little as one of fifty.

import type { WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import { type Detector, type Report, subjectOf } from './finding.ts';

const WINDOW_MS = 60_000;
/** So many ports of a host, so many hosts on a port, so many ports of this machine. */
const PORTS = 50;
const HOSTS = 50;
const OWN_PORTS = 20;
/** On ports that browsers use, so many hosts: without a network, a browser tries many of them in vain. */
const WEB_HOSTS = 200;
const WEB = new Set([80, 443]);
/** Of what is tried, at least this share is not answered. */
const UNANSWERED = 0.5;
const QUIET_MS = 3_600_000;
/** Above the highest number of a host. */
const HOST_NUMBERS = 1 << 18;

/** Counts what is tried within a minute. */
export class Scans implements Detector {
  readonly #report: Report;
  /** By app and host: ports. By app and port: hosts. By host outside: ports of this machine. */
  readonly #ports = new Tries();
  readonly #hosts = new Tries();
  readonly #own = new Tries();

  constructor(report: Report) {
    this.#report = report;
  }

  began(flow: WatchFlow): void {
    const { protocol } = flow;
    const isPing = protocol === 'icmp' || protocol === 'icmpv6';
    if (protocol !== 'tcp' && protocol !== 'udp' && !isPing) return;
    const { appNumber, hostNumber, isAnswered, firstSeen: time } = flow;
    if (flow.direction === 'inbound') {
      if (isPing) return;
      const place = this.#own.add(hostNumber, flow.local.port, time, isAnswered);
      if (this.#own.isScan(place, OWN_PORTS)) this.#scanned(flow, place);
      return;
    }
    if (flow.app === null) return;
    const { port } = flow.remote;
    if (!isPing) {
      const place = this.#ports.add(appNumber * HOST_NUMBERS + hostNumber, port, time, isAnswered);
      if (this.#ports.isScan(place, PORTS)) this.#triesPorts(flow, place);
    }
    // Peers of a file-sharing program answer or not as they like, and mostly by UDP.
    if (protocol === 'udp') return;
    const place = this.#hosts.add(appNumber * HOST_NUMBERS + port, hostNumber, time, isAnswered);
    if (this.#hosts.isScan(place, WEB.has(port) ? WEB_HOSTS : HOSTS)) this.#triesHosts(flow, place);
  }

  #triesPorts(flow: WatchFlow, place: number): void {
    const subject = subjectOf(flow);
    this.#report({
      kind: 'scan',
      subject,
      cause: `ports ${flow.app} ${flow.host}`,
      quietMs: QUIET_MS,
      text: `${subject.app} tried ${about(this.#ports, place)} ports on ${subject.host} within a minute; ${answers(this.#ports, place)}.`,
      details: [`path: ${subject.exe ?? 'unknown'}`, `expected: fewer than ${PORTS} ports on a host in a minute`],
      needsBaseline: false,
    });
  }

  #triesHosts(flow: WatchFlow, place: number): void {
    const subject = subjectOf(flow);
    const { port } = flow.remote;
    const what = flow.protocol === 'tcp' ? `port ${port} on` : 'to ping';
    this.#report({
      kind: 'scan',
      subject: { ...subject, host: null, domain: null },
      cause: `hosts ${flow.app} ${flow.protocol} ${port}`,
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
  #scanned(flow: WatchFlow, place: number): void {
    const host = sanitize(flow.host);
    this.#report({
      kind: 'scan',
      ...(flow.isOutside ? { severity: 'info' as const } : {}),
      subject: { ...subjectOf(flow), app: null, exe: null, pid: null, user: null },
      cause: flow.isOutside ? 'from outside' : `from ${flow.host}`,
      quietMs: flow.isOutside ? 24 * QUIET_MS : QUIET_MS,
      text: `${host} tried ${about(this.#own, place)} ports on this machine within a minute; ${answers(this.#own, place)}.`,
      details: [`expected: fewer than ${OWN_PORTS} ports from one host in a minute`],
      needsBaseline: false,
    });
  }
}

function about(tries: Tries, place: number): string {
  return `about ${Math.round(tries.distinct(place))}`;
}

function answers(tries: Tries, place: number): string {
  const share = tries.unanswered(place);
  return share > 0.99 ? 'none answered' : `${Math.floor(share * 100)} % did not answer`;
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
  add(key: number, value: number, time: number, isAnswered: boolean): number {
    const place = mix(key % 4_294_967_291, 0x9e3779b1) & (PLACES - 1);
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

function mix(value: number, factor: number): number {
  let hash = Math.imul(value, factor);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
