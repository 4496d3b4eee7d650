// Names of flows: first from the flow itself, then from a DNS answer that this machine received before the flow began, then from what the
// local network announces. Within a rank the first name stays. Each name keeps its source; a flow without a name has a reason.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import type { AnswerKind, Findings, InnerEnds } from '../../inspect/context.ts';
import {
  type ApplicationSource,
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
import { Answers } from './answers.ts';
import { hasPublicSuffix, registrableDomain } from './domain.ts';
import { COLUMN, FlowColumns, MARK } from './flow-columns.ts';
import { NameStrings } from './name-strings.ts';

const KINDS: readonly AnswerKind[] = ['dns', 'mdns', 'llmnr', 'netbios', 'dhcp'];
const ENCRYPTED_DNS = new Set(['dot', 'doq', 'doh']);
/** Tunnels whose inner flow is remembered; the oldest goes first. */
const MAX_INSIDE = 1024;
/** An answer that comes this long after a flow began still names it. */
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
  /** By row: what is inside of the tunnel that the flow of this serial number is. */
  readonly #inside = new Map<number, { readonly serial: number; readonly inner: InnerFlow }>();
  #dnsSeen = false;
  #encryptedDnsSeen = false;
  /** Time of the packet at hand, epoch ms. */
  now = 0;

  /**
   * @param categories null where flows are not categorised
   * @param place answers for any address; private ones are never asked for
   * @param neighbour knows the devices of the local network; null where nothing does
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
    this.#answers = new Answers(seed);
    this.#waiting = new WaitingFlows(flows, LATE_MS, (row, name, source) =>
      this.#name(row, name, NAME_SOURCES[source] ?? 'none'),
    );
  }

  /** A new flow, after its owner was looked for: names it if an answer is there. @returns whether it has a name */
  admit(row: number): boolean {
    this.#columns.claim(row);
    if (this.#isNamed(row)) return true;
    const flows = this.#flows;
    const { words } = flows;
    const at = flows.remoteAt(row);
    const began = flows.firstSeen(row);
    const owner = flows.owner(row);
    // The answer that led to it, else one that came a moment later: both may be in the batch that brought the flow.
    let answer = this.#answers.find(words, at, owner, began + 1);
    if (answer === null && this.#answers.newest > began + 1) answer = this.#answers.find(words, at, owner, began + LATE_MS);
    if (answer !== null) this.#name(row, answer.name, kindSource(answer.kind));
    if (this.#isNamed(row)) return true;
    this.#waiting.add(row);
    return false;
  }

  /** True when the row holds another flow than at the last call. */
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
    if (isEncryptedResolver(name)) this.#encryptedDnsSeen = true;
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
    // A reverse name is only the operator's word: the lowest rank.
    if (mayName(scopeOf(words, at), 'dns', name)) this.#waiting.name(words, at, name, NAME_SOURCES.indexOf('ptr'), this.now);
  }

  /** The reverse name of a flow's address, as an answer to a query. The row must still be the same flow's. */
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
    if (this.#columns.isMarked(row, MARK.ECH)) return 'encrypted hello (ECH)';
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
    const borne = new Uint8Array(this.#names.end);
    for (let row = 0; row < this.#flows.rows; row++) {
      const name = this.#flows.isLive(row) ? this.nameOf(row) : -1;
      if (name >= 0) borne[name] = 1;
    }
    for (let name = 0; name < borne.length; name++)
      if (borne[name] === 0 && !isKept(name) && this.#names.release(name)) this.#domains[name] = undefined;
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

  /** Category of a flow; decided again when the name, the application or the owner's app changed. */
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

  /** True for a flow whose remote end has a name. The name inside a tunnel is not the name of the tunnel's end. */
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

/** False for answers of loopback, or of a private address for a public name: they would give the name to something else. */
function mayName(scope: AddressScope, kind: AnswerKind, name: string): boolean {
  if (scope === 'loopback' || scope === 'unspecified' || scope === 'multicast' || scope === 'broadcast') return false;
  if (kind !== 'dns') return scope !== 'global' || kind === 'dhcp';
  return scope === 'global' || !hasPublicSuffix(name);
}

// Names that don't say where a flow goes: encrypted resolvers, fronts of encrypted hellos, and programs that resolve names for others.

const DNS_SERVICE_NAME =
  /^(dns\.google|.*cloudflare-dns\.com|one\.one\.one\.one|dns\d*\.quad9\.net|doh\..+|dns\.nextdns\.io|.*\.dns\.nextdns\.io|dns\.adguard(-dns)?\.com|doh\.opendns\.com)$/;
/** Public names of providers of ECH: the outer name of a hello whose inner one is encrypted (draft-ietf-tls-esni). */
const ECH_FRONTS =
  /^(cloudflare-ech\.com|(.+\.)?ech\.cloudflare\.com|crypto\.cloudflare\.com|public\.tls-ech\.dev|(.+\.)?ech-public\.[a-z.]+)$/;

/** Programs that resolve names for others. */
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

/** True for a public resolver that answers over TLS, HTTPS or QUIC. */
function isEncryptedResolver(name: string): boolean {
  return DNS_SERVICE_NAME.test(name);
}

/** True for the public name in front of sites with an encrypted hello. */
function isEchFront(name: string): boolean {
  return ECH_FRONTS.test(name);
}

/** True for a program that asks DNS for all others: its answers may be for any of them. */
function isResolver(process: string): boolean {
  return RESOLVERS.has(process);
}

// The newest flows without a name, for an answer that comes a moment after its flow began. Bounded: a new flow replaces the oldest.

const ROOM = 512;

/** Flows that wait for a name, by row and serial number. */
class WaitingFlows {
  readonly #flows: FlowTable;
  readonly #lateMs: number;
  readonly #take: (row: number, name: string, source: number) => void;
  /** `entries`: row | serial, 0 is empty */
  readonly #entries = new Float64Array(ROOM * 2);
  #next = 0;
  #count = 0;

  /**
   * @param lateMs how long after its beginning a flow may be named
   * @param take called for each flow that gets a name
   */
  constructor(flows: FlowTable, lateMs: number, take: (row: number, name: string, source: number) => void) {
    this.#flows = flows;
    this.#lateMs = lateMs;
    this.#take = take;
  }

  add(row: number): void {
    const at = this.#next * 2;
    if (this.#entries[at + 1] === 0) this.#count++;
    this.#entries[at] = row;
    this.#entries[at + 1] = this.#flows.serial(row);
    this.#next = (this.#next + 1) % ROOM;
  }

  /**
   * Names the waiting flows to an address, and drops those that waited too long.
   *
   * @param now epoch ms
   */
  name(words: Int32Array, at: number, name: string, source: number, now: number): void {
    if (this.#count === 0) return;
    const flows = this.#flows;
    for (let i = 0; i < ROOM; i++) {
      const serial = this.#entries[2 * i + 1] as number;
      if (serial === 0) continue;
      const row = this.#entries[2 * i] as number;
      if (!flows.holds(row, serial) || flows.firstSeen(row) < now - this.#lateMs) {
        this.#entries[2 * i + 1] = 0;
        this.#count--;
        continue;
      }
      if (sameAddress(flows.words, flows.remoteAt(row), words, at)) this.#take(row, name, source);
    }
  }
}
