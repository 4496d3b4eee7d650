// Names flows: from the flow itself, else from a DNS answer that this machine received for the address, else from what the local network
// announces. A better source replaces a name; among equal sources the first wins. A flow without a name gives the reason.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { AnswerKind, Findings, InnerEnds } from '../../inspect/context.ts';
import type { Talk } from '../../model/talk.ts';
import {
  type ApplicationSource,
  type Asked,
  ENCRYPTED_HELLO,
  type EncryptedTransport,
  FLOW_DIRECTIONS,
  type FlowFacts,
  type InnerFlow,
  NAME_RANK,
  NAME_SOURCES,
  type NameSource,
  type Neighbour,
  NOBODY,
  type Place,
  type Process,
  type ProcessDirectory,
} from '../../model/terms.ts';
import { type AddressScope, formatAddress, sameAddress, scopeOf } from '../../net/address.ts';
import { hasPorts, protocolName } from '../../net/numbers.ts';
import { applicationByPort } from '../../net/services.ts';
import { BareFlows } from '../category/bare-flows.ts';
import type { Categories } from '../category/categories.ts';
import { Talks } from '../talk/talks.ts';
import { Answers } from './answers.ts';
import { hasPublicSuffix, registrableDomain } from './domain.ts';
import { COLUMN, FlowColumns, MARK } from './flow-columns.ts';
import { NameStrings } from './name-strings.ts';
import { Questions } from './questions.ts';

const KINDS: readonly AnswerKind[] = ['dns', 'mdns', 'llmnr', 'netbios', 'dhcp'];
const ENCRYPTED_DNS = new Set(['dot', 'doq', 'doh']);
const HTTPS_PORT = 443;
/** Ports of DNS over TLS and QUIC (RFC 7858, RFC 9250 and its drafts), and of HTTPS. */
const ENCRYPTED_PORTS = new Set([853, 784, 8853, HTTPS_PORT]);
/** Most tunnels whose inner flow is remembered; drops the oldest. */
const MAX_INSIDE = 1024;
/** An answer may name flows that began up to this long before it. */
const LATE_MS = 10_000;

/** Knows the name, the application and the category of each flow. */
export class FlowNames implements Findings, FlowFacts {
  readonly #flows: FlowTable;
  readonly #directory: ProcessDirectory;
  readonly #categories: Categories | null;
  readonly #columns: FlowColumns;
  readonly #bareFlows = new BareFlows();
  readonly #names: NameStrings;
  readonly #applications = new NameStrings(1024);
  readonly #domains: (string | null | undefined)[] = [];
  readonly #answers: Answers;
  readonly #place: (words: Int32Array, at: number) => Place;
  readonly #neighbour: ((words: Int32Array, at: number) => Neighbour) | null;
  readonly #waiting: WaitingFlows;
  /** By row: what the tunnel with this serial number carries. */
  readonly #inside = new Map<number, { readonly serial: number; readonly inner: InnerFlow }>();
  readonly #questions: Questions;
  /** How flows are spoken. */
  readonly talks: Talks;
  #dnsSeen = false;
  #encryptedDnsSeen = false;
  /** Time of the current packet, epoch ms. */
  now = 0;

  /**
   * @param categories null to leave flows without a category
   * @param place finds country and network of an address
   * @param neighbour finds the local device at an address; null if that is unknown
   */
  constructor(
    flows: FlowTable,
    directory: ProcessDirectory,
    categories: Categories | null,
    place: (words: Int32Array, at: number) => Place,
    neighbour: ((words: Int32Array, at: number) => Neighbour) | null,
    seed: number,
    names: NameStrings = new NameStrings(),
  ) {
    this.#flows = flows;
    this.#directory = directory;
    this.#categories = categories;
    this.#place = place;
    this.#neighbour = neighbour;
    this.#names = names;
    this.#columns = new FlowColumns(flows);
    this.#questions = new Questions(flows);
    this.talks = new Talks(flows);
    this.#answers = new Answers(seed);
    this.#waiting = new WaitingFlows(flows, LATE_MS, (row, name, source) =>
      this.#name(row, name, NAME_SOURCES[source] ?? 'none'),
    );
  }

  /** Names a new flow if an answer is known. Call it after the search for its owner. @returns whether it has a name */
  admit(row: number): boolean {
    this.#columns.claim(row);
    if (this.#isNamed(row)) return true;
    const flows = this.#flows;
    const { words } = flows;
    const at = flows.remoteAt(row);
    const began = flows.firstSeen(row);
    const owner = flows.owner(row);
    // Prefer the answer that came before the flow, else one just after it: the flow's batch may contain both.
    let answer = this.#answers.find(words, at, owner, began + 1);
    if (answer === null && this.#answers.newest > began + 1) answer = this.#answers.find(words, at, owner, began + LATE_MS);
    if (answer !== null) this.#name(row, answer.name, kindSource(answer.kind));
    if (this.#isNamed(row)) return true;
    this.#waiting.add(row);
    return false;
  }

  /** Resets the row's columns if another flow took the row. @returns whether it did */
  claim(row: number): boolean {
    return this.#columns.claim(row);
  }

  serverName(flow: number, source: 'tls' | 'quic' | 'http', name: string, ech: boolean): void {
    this.#columns.claim(flow);
    // Browsers send the extension to every server (GREASE). Only behind these names is another one hidden.
    if (ech && isEchFront(name)) {
      this.#columns.mark(flow, MARK.ECH);
      this.#flows.mark(flow);
      return;
    }
    // A client that connects to this machine names this machine, not itself.
    if (this.#flows.direction(flow) === FLOW_DIRECTION.INBOUND) {
      this.#columns.mark(flow, MARK.NAMES_US);
      this.#flows.mark(flow);
      return;
    }
    if (isEncryptedResolver(name)) {
      this.#encryptedDnsSeen = true;
      this.#columns.mark(flow, MARK.RESOLVER);
    }
    this.#name(flow, name, source);
  }

  inside(flow: number, inner: InnerEnds, name: string | null): void {
    this.#columns.claim(flow);
    const { words, sourcePort, destinationPort, protocol } = inner;
    const oldest = this.#inside.keys().next();
    if (this.#inside.size >= MAX_INSIDE && oldest.done === false) this.#inside.delete(oldest.value);
    this.#inside.set(flow, {
      serial: this.#flows.serial(flow),
      inner: {
        protocol: protocolName(protocol),
        source: { address: formatAddress(words, 0), port: hasPorts(protocol) ? sourcePort : 0 },
        destination: { address: formatAddress(words, 4), port: hasPorts(protocol) ? destinationPort : 0 },
        host: name,
      },
    });
    if (name !== null) this.#name(flow, name, 'inner');
    this.#flows.mark(flow);
  }

  asked(flow: number, labels: Uint8Array, length: number): void {
    this.#questions.note(flow, labels, length);
  }

  askedOf(row: number): Asked | null {
    return this.#questions.of(row);
  }

  talkOf(row: number): Talk | null {
    return this.talks.of(row);
  }

  encryptedDnsOf(row: number): EncryptedTransport | null {
    const port = this.#flows.remotePort(row);
    if (!ENCRYPTED_PORTS.has(port)) return null;
    const application = this.applicationOf(row);
    if (application === 'dot') return 'tls';
    if (application === 'doq') return 'quic';
    return port === HTTPS_PORT && this.#columns.isMarked(row, MARK.RESOLVER) ? 'https' : null;
  }

  insideOf(row: number): InnerFlow | null {
    if (this.#inside.size === 0) return null;
    const known = this.#inside.get(row);
    return known !== undefined && known.serial === this.#flows.serial(row) ? known.inner : null;
  }

  application(flow: number, application: string): void {
    this.#columns.claim(flow);
    if (ENCRYPTED_DNS.has(application)) this.#encryptedDnsSeen = true;
    if (application === 'dns') this.#dnsSeen = true;
    this.#columns.set(flow, COLUMN.APPLICATION, this.#applications.intern(application));
    this.#columns.set(flow, COLUMN.CATEGORY, -1);
    this.#flows.mark(flow);
  }

  answer(flow: number, kind: AnswerKind, name: string, words: Int32Array, at: number, ttl: number): void {
    if (kind === 'dns') this.#dnsSeen = true;
    if (!mayName(scopeOf(words, at), kind, name)) return;
    this.#answers.add(words, at, name, this.#asker(flow), KINDS.indexOf(kind), ttl, this.now);
    this.#waiting.name(words, at, name, NAME_SOURCES.indexOf(kindSource(KINDS.indexOf(kind))), this.now);
  }

  pointer(_flow: number, name: string, words: Int32Array, at: number): void {
    // A reverse name is only the operator's claim, so it has the lowest rank.
    if (mayName(scopeOf(words, at), 'dns', name)) this.#waiting.name(words, at, name, NAME_SOURCES.indexOf('ptr'), this.now);
  }

  /** Takes the name of a flow's remote end as a capture of our own tells it. The name is checked. */
  told(row: number, name: string, source: NameSource): void {
    this.#columns.claim(row);
    this.#name(row, name, source);
  }

  /** Takes the reverse name of a flow's address, from our own query. The row must still hold the same flow. */
  reversed(row: number, name: string): void {
    this.#columns.claim(row);
    this.#name(row, name, 'ptr');
  }

  nameOf(row: number): number {
    this.#columns.claim(row);
    return this.#columns.get(row, COLUMN.NAME);
  }

  nameText(name: number): string {
    return this.#names.text(name);
  }

  nameSource(row: number): NameSource {
    this.#columns.claim(row);
    return NAME_SOURCES[this.#columns.get(row, COLUMN.SOURCE)] ?? 'none';
  }

  nameReason(row: number): string | null {
    this.#columns.claim(row);
    if (this.#columns.get(row, COLUMN.NAME) >= 0) return null;
    if (this.#columns.isMarked(row, MARK.REFUSED)) return 'more names than are kept';
    if (this.#columns.isMarked(row, MARK.ECH)) return ENCRYPTED_HELLO;
    if (this.#columns.isMarked(row, MARK.NAMES_US)) return 'the other end opened it, and named this machine';
    const scope = scopeOf(this.#flows.words, this.#flows.remoteAt(row));
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

  get namesAreNearlyFull(): boolean {
    return this.#names.isNearlyFull;
  }

  forgetNames(isKept: (name: number) => boolean): void {
    const used = new Uint8Array(this.#names.end);
    for (let row = 0; row < this.#flows.rows; row++) {
      const name = this.#flows.isLive(row) ? this.nameOf(row) : -1;
      if (name >= 0) used[name] = 1;
    }
    for (let name = 0; name < used.length; name++)
      if (used[name] === 0 && !isKept(name) && this.#names.release(name)) this.#domains[name] = undefined;
  }

  applicationOf(row: number): string | null {
    this.#columns.claim(row);
    const content = this.#columns.get(row, COLUMN.APPLICATION);
    return content >= 0 ? this.#applications.text(content) : this.#byPort(row);
  }

  applicationSource(row: number): ApplicationSource {
    this.#columns.claim(row);
    if (this.#columns.get(row, COLUMN.APPLICATION) >= 0) return 'content';
    return this.#byPort(row) === null ? 'none' : 'port';
  }

  /** Category of a flow. Decides again if the name, the application or the owner's app changed. */
  categoryOf(row: number): number {
    if (this.#categories === null) return -1;
    this.#columns.claim(row);
    const id = this.#flows.owner(row);
    const process = id < 0 ? undefined : this.#directory.process(id);
    const owner = process === undefined ? -1 : process.app * 2 + (process.exe === null ? 0 : 1);
    const known = this.#columns.get(row, COLUMN.CATEGORY);
    if (known >= 0 && this.#columns.get(row, COLUMN.CATEGORY_OWNER) === owner) return known;
    const decided = this.#decide(row, process);
    this.#columns.set(row, COLUMN.CATEGORY, decided);
    this.#columns.set(row, COLUMN.CATEGORY_OWNER, owner);
    return decided;
  }

  categoryText(category: number): string | null {
    return this.#categories?.names[category] ?? null;
  }

  placeOf(words: Int32Array, at: number): Place {
    return this.#place(words, at);
  }

  neighbourOf(words: Int32Array, at: number): Neighbour {
    return this.#neighbour?.(words, at) ?? NOBODY;
  }

  #decide(row: number, process: Process | undefined): number {
    const flows = this.#flows;
    const protocol = flows.protocol(row);
    const isInbound = flows.direction(row) === FLOW_DIRECTION.INBOUND;
    const port = !hasPorts(protocol) ? 0 : isInbound ? flows.localPort(row) : flows.remotePort(row);
    const scope = scopeOf(flows.words, flows.remoteAt(row));
    const application = this.applicationOf(row);
    const name = this.#columns.get(row, COLUMN.NAME);
    const isBare = name < 0 && process === undefined;
    const known = isBare ? this.#bareFlows.get(application, protocol, port, scope) : -1;
    if (known >= 0) return known;
    const decided = (this.#categories as Categories).decide({
      host: name >= 0 ? this.#names.text(name) : null,
      app: process === undefined ? null : (this.#directory.app(process.app)?.name ?? null),
      exe: process?.exe ?? null,
      application,
      protocol: protocolName(protocol),
      port,
      scope,
    });
    if (isBare) this.#bareFlows.set(application, protocol, port, scope, decided);
    return decided;
  }

  #byPort(row: number): string | null {
    const flows = this.#flows;
    const direction = FLOW_DIRECTIONS[flows.direction(row)];
    return applicationByPort(flows.protocol(row), flows.localPort(row), flows.remotePort(row), direction);
  }

  #asker(flow: number): number {
    const owner = this.#flows.isLive(flow) ? this.#flows.owner(flow) : -1;
    const name = owner >= 0 ? this.#directory.process(owner)?.name : undefined;
    return name === undefined || isResolver(name) ? -1 : owner;
  }

  /** Whether the flow's remote end has a name. A name inside a tunnel isn't the tunnel's. */
  #isNamed(row: number): boolean {
    return this.#columns.get(row, COLUMN.NAME) >= 0 && NAME_SOURCES[this.#columns.get(row, COLUMN.SOURCE)] !== 'inner';
  }

  #name(row: number, text: string, source: NameSource): void {
    const before = NAME_SOURCES[this.#columns.get(row, COLUMN.SOURCE)] ?? 'none';
    if (NAME_RANK[source] <= NAME_RANK[before]) return;
    const name = this.#names.intern(text);
    if (name < 0) {
      this.#columns.mark(row, MARK.REFUSED);
      return;
    }
    this.#columns.set(row, COLUMN.NAME, name);
    this.#columns.set(row, COLUMN.SOURCE, NAME_SOURCES.indexOf(source));
    this.#columns.set(row, COLUMN.CATEGORY, -1);
    this.#flows.mark(row);
  }
}

function kindSource(kind: number): NameSource {
  return KINDS[kind] === 'dns' ? 'dns' : 'mdns';
}

/** Rejects answers with a loopback address, or with a private address for a public name: the name would mislead. */
function mayName(scope: AddressScope, kind: AnswerKind, name: string): boolean {
  if (scope === 'loopback' || scope === 'unspecified' || scope === 'multicast' || scope === 'broadcast') return false;
  if (kind !== 'dns') return scope !== 'global' || kind === 'dhcp';
  return scope === 'global' || !hasPublicSuffix(name);
}

// Names with a special role: encrypted resolvers, outer names of encrypted hellos, and programs that resolve names for others.

const DNS_SERVICE_NAME =
  /^(dns\.google|.*cloudflare-dns\.com|one\.one\.one\.one|dns\d*\.quad9\.net|doh\..+|dns\.nextdns\.io|.*\.dns\.nextdns\.io|dns\.adguard(-dns)?\.com|doh\.opendns\.com)$/;
/** Outer names that ECH providers use in hellos with an encrypted inner name (draft-ietf-tls-esni). */
const ECH_FRONTS =
  /^(cloudflare-ech\.com|(.+\.)?ech\.cloudflare\.com|crypto\.cloudflare\.com|public\.tls-ech\.dev|(.+\.)?ech-public\.[a-z.]+)$/;

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

/** Whether the name is a public resolver's that answers over TLS, HTTPS or QUIC. */
function isEncryptedResolver(name: string): boolean {
  return DNS_SERVICE_NAME.test(name);
}

/** Whether the name is only the outer name of encrypted hellos. */
function isEchFront(name: string): boolean {
  return ECH_FRONTS.test(name);
}

/** Whether the program queries DNS on behalf of others, so its answers may be for any of them. */
function isResolver(process: string): boolean {
  return RESOLVERS.has(process);
}

const MAX_WAITING = 512;

/** The newest flows without a name, for answers that arrive just after their flow began. A ring: a new flow replaces the oldest. */
class WaitingFlows {
  readonly #flows: FlowTable;
  readonly #lateMs: number;
  readonly #take: (row: number, name: string, source: number) => void;
  /** Pairs of row and serial number; a serial of 0 is an empty entry. */
  readonly #entries = new Float64Array(MAX_WAITING * 2);
  /** Checksums of the remote addresses: an answer is compared with these first, because few are waited for. */
  readonly #sums = new Int32Array(MAX_WAITING);
  #next = 0;

  /**
   * @param lateMs how long after its start a flow may be named
   * @param take called for each flow that gets a name
   */
  constructor(flows: FlowTable, lateMs: number, take: (row: number, name: string, source: number) => void) {
    this.#flows = flows;
    this.#lateMs = lateMs;
    this.#take = take;
  }

  add(row: number): void {
    const at = this.#next * 2;
    this.#sums[this.#next] = sumOf(this.#flows.words, this.#flows.remoteAt(row));
    this.#entries[at] = row;
    this.#entries[at + 1] = this.#flows.serial(row);
    this.#next = (this.#next + 1) % MAX_WAITING;
  }

  /**
   * Names the waiting flows to an address, but for those that waited too long.
   *
   * @param now epoch ms
   */
  name(words: Int32Array, at: number, name: string, source: number, now: number): void {
    const flows = this.#flows;
    const sum = sumOf(words, at);
    for (let i = 0; i < MAX_WAITING; i++) {
      if (this.#sums[i] !== sum) continue;
      const serial = this.#entries[2 * i + 1] as number;
      if (serial === 0) continue;
      const row = this.#entries[2 * i] as number;
      if (!flows.holds(row, serial) || flows.firstSeen(row) < now - this.#lateMs) {
        this.#entries[2 * i + 1] = 0;
        continue;
      }
      if (sameAddress(flows.words, flows.remoteAt(row), words, at)) this.#take(row, name, source);
    }
  }
}

function sumOf(words: Int32Array, at: number): number {
  return (words[at] as number) ^ (words[at + 1] as number) ^ (words[at + 2] as number) ^ (words[at + 3] as number);
}
