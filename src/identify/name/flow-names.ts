// Names of flows: from the flow itself first, then from an answer that this machine received before the flow began, then from the local
// network's own announcements. First write wins within a rank; every name keeps its source, every lack of one its reason.

import type { FlowTable } from '../../flow/flow-table.ts';
import { COUNTERS, FIRST_SEEN, INTS, PORTS, PROCESS, PROTOCOL_INTERFACE, REMOTE, SERIAL } from '../../flow/layout.ts';
import type { AnswerKind, Findings } from '../../inspect/findings.ts';
import { type AddressScope, sameAddress, scopeOf } from '../../net/address.ts';
import type { ApplicationSource, FlowFacts, NameSource, Place, ProcessDirectory } from '../../net/model.ts';
import { protocolName } from '../../net/numbers.ts';
import { applicationByPort } from '../../net/services.ts';
import type { Categories } from '../category/categories.ts';
import { Answers } from './answers.ts';
import { hasPublicSuffix, registrableDomain } from './domain.ts';
import { FlowColumns, MARK } from './flow-columns.ts';
import { NameStrings } from './name-strings.ts';

/** Sources by number, best last: a name of a higher rank takes the place of a lower one, and of none its own. */
const SOURCES: readonly NameSource[] = ['none', 'ptr', 'mdns', 'dns', 'http', 'quic', 'tls'];
const RANK: Readonly<Record<NameSource, number>> = { none: 0, ptr: 1, mdns: 2, dns: 3, http: 4, quic: 4, tls: 4 };
const KINDS: readonly AnswerKind[] = ['dns', 'mdns', 'llmnr', 'netbios', 'dhcp'];
/** Processes that ask for others. */
const RESOLVERS = new Set([
  'systemd-resolved',
  'systemd-resolve',
  'mDNSResponder',
  'dnsmasq',
  'unbound',
  'nscd',
  'named',
  'stubby',
  'dnscrypt-proxy',
  'coredns',
]);
const ENCRYPTED_DNS = new Set(['dot', 'doq', 'doh']);
const ENCRYPTED_DNS_NAMES =
  /^(dns\.google|.*cloudflare-dns\.com|one\.one\.one\.one|dns\d*\.quad9\.net|doh\..+|dns\.nextdns\.io|.*\.dns\.nextdns\.io|dns\.adguard(-dns)?\.com|doh\.opendns\.com)$/;
/** Public names of providers of ECH: the outer name of a hello whose inner one is encrypted (draft-ietf-tls-esni). */
const ECH_FRONTS =
  /^(cloudflare-ech\.com|(.+\.)?ech\.cloudflare\.com|crypto\.cloudflare\.com|public\.tls-ech\.dev|(.+\.)?ech-public\.[a-z.]+)$/;
/** An answer that comes this long after a flow began still names it. */
const LATE_MS = 10_000;
const WAITING = 512;

/** Knows the name, the application and the category of each flow. */
export class FlowNames implements Findings, FlowFacts {
  readonly #flows: FlowTable;
  readonly #directory: ProcessDirectory;
  readonly #categories: Categories | null;
  readonly #columns: FlowColumns;
  readonly #names: NameStrings;
  readonly #applications = new NameStrings(1024);
  readonly #domains: (string | null | undefined)[] = [];
  readonly #answers: Answers;
  readonly #place: (words: Int32Array, at: number) => Place;
  /** Flows without a name, newest over oldest: row and serial. */
  readonly #waiting = new Float64Array(WAITING * 2);
  #waitingNext = 0;
  #dnsSeen = false;
  #encryptedDnsSeen = false;
  /** Time of the batch at hand, epoch ms. */
  now = 0;

  /**
   * @param categories null where flows are not categorised
   * @param place answers for any address; private ones are never asked for
   */
  constructor(
    flows: FlowTable,
    directory: ProcessDirectory,
    categories: Categories | null,
    place: (words: Int32Array, at: number) => Place,
    seed: number,
    names: NameStrings = new NameStrings(),
  ) {
    this.#flows = flows;
    this.#directory = directory;
    this.#categories = categories;
    this.#place = place;
    this.#names = names;
    this.#columns = new FlowColumns(flows);
    this.#answers = new Answers(seed);
  }

  /** A new flow, after its owner was looked for: names it if an answer is there. */
  admit(row: number): void {
    this.#columns.claim(row);
    if ((this.#columns.name[row] as number) >= 0) return;
    const ints = this.#flows.ints;
    const at = row * INTS + REMOTE;
    const began = this.#flows.counters[row * COUNTERS + FIRST_SEEN] as number;
    const answer = this.#answers.find(ints, at, ints[row * INTS + PROCESS] as number, began + 1);
    if (answer !== null) this.#name(row, answer.name, kindSource(answer.kind));
    else this.#wait(row);
  }

  /** True when the row is another flow's than when it was last asked about. On the packet clock. */
  claim(row: number): boolean {
    return this.#columns.claim(row);
  }

  /** True while the flow's next packet with a payload should be inspected; after `claim`. */
  wants(row: number): boolean {
    return ((this.#columns.marks[row] as number) & MARK.INSPECTED) === 0;
  }

  /** Nothing more will be learnt from the flow's packets. */
  done(row: number): void {
    this.#columns.marks[row] = (this.#columns.marks[row] as number) | MARK.INSPECTED;
  }

  serverName(flow: number, source: 'tls' | 'quic' | 'http', name: string, ech: boolean): void {
    this.#columns.claim(flow);
    // Browsers send the extension to everybody (GREASE), so it tells nothing by itself; only before these names is the true one hidden.
    if (ech && ECH_FRONTS.test(name)) {
      this.#columns.marks[flow] = (this.#columns.marks[flow] as number) | MARK.ECH;
      this.#flows.mark(flow);
      return;
    }
    if (ENCRYPTED_DNS_NAMES.test(name)) this.#encrypted(flow);
    const number = this.#names.intern(name);
    if (number >= 0) this.#name(flow, number, source);
  }

  application(flow: number, application: string): void {
    this.#columns.claim(flow);
    if (ENCRYPTED_DNS.has(application)) this.#encrypted(flow);
    if (application === 'dns') this.#dnsSeen = true;
    this.#columns.application[flow] = this.#applications.intern(application);
    this.#columns.category[flow] = -1;
    this.#flows.mark(flow);
  }

  answer(flow: number, kind: AnswerKind, name: string, words: Int32Array, at: number, ttl: number): void {
    const scope = scopeOf(words, at);
    if (!mayName(scope, kind, name)) return;
    const number = this.#names.intern(name);
    if (number < 0) return;
    if (kind === 'dns') this.#dnsSeen = true;
    this.#answers.add(words, at, number, this.#asker(flow), KINDS.indexOf(kind), ttl, this.now);
    this.#nameWaiting(number, kindSource(KINDS.indexOf(kind)), words, at);
  }

  pointer(flow: number, name: string, words: Int32Array, at: number, ttl: number): void {
    // Seen anyway, so it may be used; but a reverse name is the operator's word, the last that is taken.
    void flow;
    void ttl;
    const number = this.#names.intern(name);
    if (number >= 0) this.#nameWaiting(number, 'ptr', words, at);
  }

  nameOf(row: number): number {
    this.#columns.claim(row);
    return this.#columns.name[row] as number;
  }

  nameText(name: number): string {
    return this.#names.text(name);
  }

  nameSource(row: number): NameSource {
    this.#columns.claim(row);
    return SOURCES[this.#columns.source[row] as number] ?? 'none';
  }

  nameReason(row: number): string | null {
    this.#columns.claim(row);
    if ((this.#columns.name[row] as number) >= 0) return null;
    if (((this.#columns.marks[row] as number) & MARK.ECH) !== 0) return 'encrypted hello (ECH)';
    const scope = scopeOf(this.#flows.ints, row * INTS + REMOTE);
    if (scope !== 'global') return `${scope} address, nothing announced a name`;
    if (this.#encryptedDnsSeen) return 'encrypted DNS seen';
    return this.#dnsSeen ? 'no answer for this address was seen' : 'no DNS seen since the start';
  }

  domainOf(name: number): string | null {
    const known = this.#domains[name];
    if (known !== undefined) return known;
    const domain = registrableDomain(this.#names.text(name));
    this.#domains[name] = domain;
    return domain;
  }

  applicationOf(row: number): string | null {
    this.#columns.claim(row);
    const content = this.#columns.application[row] as number;
    return content >= 0 ? this.#applications.text(content) : this.#byPort(row);
  }

  applicationSource(row: number): ApplicationSource {
    this.#columns.claim(row);
    if ((this.#columns.application[row] as number) >= 0) return 'content';
    return this.#byPort(row) === null ? 'none' : 'port';
  }

  /** Decided anew when the name or the application became known; an app that is learnt late is looked at when the flow next moves. */
  categoryOf(row: number): number {
    if (this.#categories === null) return -1;
    this.#columns.claim(row);
    const known = this.#columns.category[row] as number;
    const owner = this.#flows.ints[row * INTS + PROCESS] as number;
    // The owner's number rides along, so that another owner asks again.
    if (known >= 0 && known >>> 8 === ((owner + 1) & 0x7f_ffff)) return known & 0xff;
    const decided = this.#decide(row, owner);
    this.#columns.category[row] = (((owner + 1) & 0x7f_ffff) << 8) | decided;
    return decided;
  }

  categoryText(category: number): string | null {
    return this.#categories?.names[category] ?? null;
  }

  placeOf(words: Int32Array, at: number): Place {
    return this.#place(words, at);
  }

  #decide(row: number, owner: number): number {
    const base = row * INTS;
    const ports = this.#flows.ints[base + PORTS] as number;
    const name = this.#columns.name[row] as number;
    const process = owner >= 0 ? this.#directory.process(owner) : undefined;
    return (this.#categories as Categories).decide({
      host: name >= 0 ? this.#names.text(name) : null,
      app: process === undefined ? null : (this.#directory.app(process.app)?.name ?? null),
      exe: process?.exe ?? null,
      application: this.applicationOf(row),
      protocol: protocolName((this.#flows.ints[base + PROTOCOL_INTERFACE] as number) & 0xffff),
      port: ports & 0xffff,
      scope: scopeOf(this.#flows.ints, base + REMOTE),
    });
  }

  #byPort(row: number): string | null {
    const base = row * INTS;
    const ports = this.#flows.ints[base + PORTS] as number;
    return applicationByPort((this.#flows.ints[base + PROTOCOL_INTERFACE] as number) & 0xffff, ports >>> 16, ports & 0xffff);
  }

  #asker(flow: number): number {
    const owner = this.#flows.isLive(flow) ? (this.#flows.ints[flow * INTS + PROCESS] as number) : -1;
    const name = owner >= 0 ? this.#directory.process(owner)?.name : undefined;
    return name === undefined || RESOLVERS.has(name) ? -1 : owner;
  }

  #name(row: number, name: number, source: NameSource): void {
    const before = SOURCES[this.#columns.source[row] as number] ?? 'none';
    if (RANK[source] <= RANK[before]) return;
    this.#columns.name[row] = name;
    this.#columns.source[row] = SOURCES.indexOf(source);
    this.#columns.category[row] = -1;
    this.#flows.mark(row);
  }

  #encrypted(flow: number): void {
    this.#encryptedDnsSeen = true;
    this.#columns.marks[flow] = (this.#columns.marks[flow] as number) | MARK.ENCRYPTED_DNS;
  }

  #wait(row: number): void {
    const at = this.#waitingNext * 2;
    this.#waiting[at] = row;
    this.#waiting[at + 1] = this.#flows.counters[row * COUNTERS + SERIAL] as number;
    this.#waitingNext = (this.#waitingNext + 1) % WAITING;
  }

  /** Flows that began a moment before their answer came. */
  #nameWaiting(name: number, source: NameSource, words: Int32Array, at: number): void {
    for (let i = 0; i < WAITING; i++) {
      const serial = this.#waiting[2 * i + 1] as number;
      if (serial === 0) continue;
      const row = this.#waiting[2 * i] as number;
      const counters = row * COUNTERS;
      const gone = !this.#flows.isLive(row) || this.#flows.counters[counters + SERIAL] !== serial;
      if (gone || (this.#flows.counters[counters + FIRST_SEEN] as number) < this.now - LATE_MS) {
        this.#waiting[2 * i + 1] = 0;
        continue;
      }
      if (sameAddress(this.#flows.ints, row * INTS + REMOTE, words, at)) this.#name(row, name, source);
    }
  }
}

function kindSource(kind: number): NameSource {
  return KINDS[kind] === 'dns' ? 'dns' : 'mdns';
}

/** An answer of loopback, or of a private address for a public name, would put one name on what is not it for as long as it holds. */
function mayName(scope: AddressScope, kind: AnswerKind, name: string): boolean {
  if (scope === 'loopback' || scope === 'unspecified' || scope === 'multicast' || scope === 'broadcast') return false;
  if (kind !== 'dns') return scope !== 'global' || kind === 'dhcp';
  return scope === 'global' || !hasPublicSuffix(name);
}
