// What was asked of DNS, as rows: at each tick it takes what inspection matched, finds the apps that asked, and keeps the newest questions. It
// makes texts for questions that are listed, a bounded number a tick, and counts all of them.

import { FLOW_DIRECTION } from '../../flow/direction.ts';
import type { FlowTable } from '../../flow/flow-table.ts';
import {
  DNS_ANSWER_AT,
  DNS_CODE,
  DNS_DATA,
  DNS_TEXT_BYTES,
  DNS_TRANSPORTS,
  type DnsExchanges,
  type DnsPart,
  type DnsRow,
  LOCAL_NETWORK,
} from '../../model/dns.ts';
import { type Endpoint, FLOW_DIRECTIONS, NO_OWNER, type ProcessDirectory } from '../../model/terms.ts';
import { formatAddress, V4_MAPPED } from '../../net/address.ts';
import { recordTypeName, responseName } from '../../net/dns.ts';
import { Resolvers } from './resolvers.ts';

/** Questions kept for a screen. */
export const MAX_QUESTIONS = 100_000;
/** Of these, how many go at a time. */
const DROPPED_AT_ONCE = 4096;
/** Rows made anew in a tick, 6 us each: of a flood, the rest is counted. */
const MAX_NEW = 20_000;
/** Questions that end in a tick, of those that an output gets. */
const MAX_ENDED = 65_536;
/** Questions that history has not taken. */
const MAX_UNTAKEN = 8192;
/** Names whose text is shared by rows. */
const MAX_TEXTS = 8192;
/** The same of resolvers. */
const MAX_ENDS = 256;

/** Where inspection keeps questions, and how a name's registrable domain is found. */
export interface Questions {
  readonly exchanges: DnsExchanges;
  readonly domainOf: (name: string) => string | null;
}

interface LogParts extends Questions {
  readonly flows: FlowTable;
  readonly directory: ProcessDirectory;
  readonly interfaceName: (index: number) => string;
  readonly onBehalfOf: ((row: number) => number) | null;
}

/** Who asked, as far as it is known. */
type Asker = Pick<DnsRow, 'app' | 'pid' | 'reason' | 'onBehalfOf'>;

/** Turns matched questions into rows. */
export class DnsLog {
  readonly #parts: LogParts;
  readonly #resolvers = new Resolvers();
  /** By place: number + 1 of the question that ended, or that nobody lists; and the row that was made of a question. */
  readonly #ended: Float64Array;
  readonly #rows: (DnsRow | undefined)[] = [];
  /** By place: number + 1 of the question whose flow has left, so its asker stays as it is. */
  readonly #settled: Float64Array;
  /** Number of the oldest question that may still change, and of the next one to be taken. */
  #from = 0;
  #taken = 0;
  /** Rows that may be made until the next tick. */
  #left = MAX_NEW;
  #over: DnsRow[] = [];
  #waiting: DnsRow[] = [];
  #missed = 0;
  #keeps = false;
  /** Rows kept for the screen, and the index of each by number. */
  #kept: DnsRow[] = [];
  #indexes = new Map<number, number>();
  #dropped = 0;
  #list: readonly DnsRow[] = [];
  #isChanged = false;
  #untaken: DnsRow[] | null = null;
  #untakenMissed = 0;
  readonly #texts = new Map<string, { readonly name: string; readonly domain: string | null }>();
  readonly #domains = new Map<string, string>();
  readonly #ends = new Map<string, Endpoint>();
  readonly #words = new Int32Array(4);

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#ended = new Float64Array(parts.exchanges.places);
    this.#settled = new Float64Array(parts.exchanges.places);
  }

  /** Keeps the newest questions from now on: for a screen. */
  keep(): void {
    this.#keeps = true;
  }

  /** Collects what ended, for `take`, from now on. */
  collect(): void {
    this.#untaken ??= [];
  }

  /** Questions that ended since the last call, and how many more there were. */
  take(): { readonly rows: readonly DnsRow[]; readonly missed: number } {
    const taken = { rows: this.#untaken ?? [], missed: this.#untakenMissed };
    this.#untaken = [];
    this.#untakenMissed = 0;
    return taken;
  }

  /** A flow leaves: its questions keep whoever owns it now. Call it while its row can still be read. */
  flowLeaves(row: number): void {
    const { exchanges } = this.#parts;
    if (exchanges.next === this.#from) return;
    exchanges.eachOf(row, (number) => {
      const place = number % exchanges.places;
      if (this.#left <= 0 && !this.#isListed(number)) return false;
      if (number < this.#from || this.#ended[place] === number + 1 || this.#settled[place] === number + 1) return false;
      this.#see(number);
      this.#settled[place] = number + 1;
      return true;
    });
  }

  /** Takes questions ahead of the tick, if many wait to be taken: their places are few. @param now epoch ms */
  takeEarly(now: number): void {
    const { exchanges } = this.#parts;
    if (exchanges.next - this.#taken >= exchanges.places / 2) this.#take(now);
  }

  /** Closes the tick. @param now epoch ms */
  tick(now: number): DnsPart {
    const { exchanges } = this.#parts;
    if (exchanges.next > 0) this.#take(now);
    const ended = this.#over;
    this.#over = [];
    this.#left = MAX_NEW;
    return {
      questions: this.#questions(),
      ended,
      waiting: this.#waiting,
      count: exchanges.next,
      missed: this.#missed,
      unasked: exchanges.unasked,
      resolvers: this.#resolvers.rows(now),
      encrypted: [],
    };
  }

  /** Takes what was asked and answered since the last call. */
  #take(now: number): void {
    const { exchanges } = this.#parts;
    exchanges.giveUp(now);
    this.#skip();
    this.#waiting = [];
    for (let number = this.#from; number < exchanges.next; number++) {
      const place = number % exchanges.places;
      if (this.#ended[place] !== number + 1) {
        const isPassed = this.#left <= 0 && !this.#isListed(number);
        if (isPassed) this.#missed++;
        const row = isPassed ? null : this.#see(number);
        if (row === null || this.#isOver(number)) this.#end(number, row);
        else this.#waiting.push(row);
      }
      if (number === this.#from && this.#ended[place] === number + 1) this.#from++;
    }
    this.#taken = exchanges.next;
  }

  /** True if there is a row of the question. */
  #isListed(number: number): boolean {
    const row = this.#rows[number % this.#parts.exchanges.places];
    return row !== undefined && Number(row.id) === number;
  }

  /** Passes over questions whose places went to later ones: nobody looks for their answers any more. */
  #skip(): void {
    const { exchanges } = this.#parts;
    const first = exchanges.next - exchanges.places;
    for (; this.#from < first; this.#from++) {
      const place = this.#from % exchanges.places;
      const row = this.#rows[place];
      if (this.#ended[place] === this.#from + 1) continue;
      if (row === undefined || !this.#isListed(this.#from)) this.#missed++;
      else this.#displace(this.#from, row);
      this.#rows[place] = undefined;
      this.#indexes.delete(this.#from);
    }
  }

  /** Ends a question whose place went to a later one, by its row alone. */
  #displace(number: number, row: DnsRow): void {
    const isLost = row.result === 'waiting';
    const ended = isLost ? { ...row, result: 'no answer' } : row;
    if (isLost && this.#keeps) this.#keepRow(number, ended);
    const code = isLost ? DNS_CODE.LOST : Math.max(0, RESULTS.indexOf(row.result));
    const transport = DNS_TRANSPORTS.indexOf(row.transport);
    const isOfGroup = row.transport === 'mdns' || row.transport === 'llmnr';
    const address = isOfGroup ? LOCAL_NETWORK : row.resolver.address;
    this.#resolvers.count(address, transport, row.time, code, row.tookMs ?? Number.NaN);
    this.#hand(ended);
  }

  /** True if nothing about a question can change any more. */
  #isOver(number: number): boolean {
    const { exchanges, flows } = this.#parts;
    const place = number % exchanges.places;
    if (exchanges.code[place] === DNS_CODE.WAITING) return false;
    return this.#settled[place] === number + 1 || !flows.awaitsOwner(exchanges.flow[place] as number);
  }

  #end(number: number, row: DnsRow | null): void {
    const { exchanges } = this.#parts;
    const place = number % exchanges.places;
    this.#ended[place] = number + 1;
    this.#rows[place] = undefined;
    this.#indexes.delete(number);
    if (row === null) return;
    const code = exchanges.code[place] as number;
    this.#resolvers.count(
      isGroup(exchanges, place) ? LOCAL_NETWORK : row.resolver.address,
      exchanges.transport[place] as number,
      row.time,
      code,
      exchanges.took[place] as number,
    );
    this.#hand(row);
  }

  /** Hands on a row that won't change any more. */
  #hand(row: DnsRow): void {
    if (this.#over.length < MAX_ENDED) this.#over.push(row);
    if (this.#untaken === null) return;
    if (this.#untaken.length < MAX_UNTAKEN) this.#untaken.push(row);
    else this.#untakenMissed++;
  }

  /** The row of a question as it is now, made anew if anything changed; null if it isn't listed. */
  #see(number: number): DnsRow | null {
    const { exchanges, flows } = this.#parts;
    const place = number % exchanges.places;
    const before = this.#rows[place];
    const old = before !== undefined && Number(before.id) === number ? before : undefined;
    const flow = exchanges.flow[place] as number;
    // What others ask a group is not asked by this machine.
    if (old === undefined && isGroup(exchanges, place) && flows.direction(flow) !== FLOW_DIRECTION.OUTBOUND) return null;
    const asker = old !== undefined && this.#settled[place] === number + 1 ? old : this.#asker(place);
    const result = resultOf(exchanges, place);
    const tries = exchanges.tries[place] as number;
    if (
      old !== undefined &&
      old.result === result &&
      old.tries === tries &&
      old.pid === asker.pid &&
      old.app === asker.app &&
      old.reason === asker.reason &&
      old.onBehalfOf === asker.onBehalfOf
    )
      return old;
    const row = this.#make(number, place, asker, result, old);
    this.#rows[place] = row;
    if (old === undefined) this.#left--;
    if (this.#keeps) this.#keepRow(number, row);
    return row;
  }

  #make(number: number, place: number, asker: Asker, result: string, old: DnsRow | undefined): DnsRow {
    const { exchanges, flows, interfaceName } = this.#parts;
    const flow = exchanges.flow[place] as number;
    const took = exchanges.took[place] as number;
    const text = old ?? this.#textOf(place);
    return {
      id: old?.id ?? String(number),
      time: exchanges.asked[place] as number,
      name: text.name,
      domain: text.domain,
      type: old?.type ?? recordTypeName(exchanges.type[place] as number),
      app: asker.app,
      pid: asker.pid,
      reason: asker.reason,
      onBehalfOf: asker.onBehalfOf,
      resolver: this.#endOf(place),
      transport: DNS_TRANSPORTS[exchanges.transport[place] as number] ?? 'udp',
      interface: old?.interface ?? interfaceName(flows.interface(flow)),
      direction: old?.direction ?? FLOW_DIRECTIONS[flows.direction(flow)] ?? 'transit',
      result,
      answer: answerOf(exchanges, place, this.#words),
      answerCount: exchanges.records[place] as number,
      tookMs: Number.isNaN(took) ? null : took,
      tries: exchanges.tries[place] as number,
    };
  }

  #asker(place: number): Asker {
    const { exchanges, flows, directory, onBehalfOf } = this.#parts;
    const flow = exchanges.flow[place] as number;
    const owner = flows.owner(flow);
    const process = owner === NO_OWNER ? undefined : directory.process(owner);
    const app = process === undefined ? null : (directory.app(process.app)?.name ?? null);
    // One socket of a resolver may ask for many: the packet itself knows best.
    const told = exchanges.behalf[place] as number;
    const behalf = told === NO_OWNER ? (onBehalfOf?.(flow) ?? NO_OWNER) : told;
    const other = behalf === NO_OWNER ? undefined : directory.process(behalf);
    return {
      app,
      pid: process === undefined || process.pid < 0 ? null : process.pid,
      reason: app === null ? flows.reason(flow) : null,
      onBehalfOf: other === undefined ? null : (directory.app(other.app)?.name ?? null),
    };
  }

  /** Name and domain; rows with the same name share them. */
  #textOf(place: number): { readonly name: string; readonly domain: string | null } {
    const { exchanges } = this.#parts;
    const name = nameText(exchanges.text, place * DNS_TEXT_BYTES, exchanges.nameBytes[place] as number);
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear();
    const made = { name, domain: this.#domain(name) };
    this.#texts.set(name, made);
    return made;
  }

  /** Address and port of the resolver; rows with the same one share it. */
  #endOf(place: number): Endpoint {
    const { exchanges } = this.#parts;
    const address = formatAddress(exchanges.server, 4 * place);
    const port = exchanges.port[place] as number;
    const key = `${port} ${address}`;
    const known = this.#ends.get(key);
    if (known !== undefined) return known;
    if (this.#ends.size >= MAX_ENDS) this.#ends.clear();
    const made = { address, port };
    this.#ends.set(key, made);
    return made;
  }

  /** The same text for the same domain, though its names differ. */
  #domain(name: string): string | null {
    const domain = this.#parts.domainOf(name);
    if (domain === null) return null;
    const known = this.#domains.get(domain);
    if (known !== undefined) return known;
    if (this.#domains.size >= MAX_TEXTS) this.#domains.clear();
    this.#domains.set(domain, domain);
    return domain;
  }

  #keepRow(number: number, row: DnsRow): void {
    this.#isChanged = true;
    const index = this.#indexes.get(number);
    if (index !== undefined) {
      if (index >= this.#dropped) this.#kept[index - this.#dropped] = row;
      return;
    }
    this.#indexes.set(number, this.#kept.push(row) - 1 + this.#dropped);
    if (this.#kept.length < MAX_QUESTIONS + DROPPED_AT_ONCE) return;
    this.#kept.splice(0, DROPPED_AT_ONCE);
    this.#dropped += DROPPED_AT_ONCE;
  }

  #questions(): readonly DnsRow[] {
    if (this.#isChanged) this.#list = this.#kept.slice(-MAX_QUESTIONS);
    this.#isChanged = false;
    return this.#list;
  }
}

/** Results by response code, as far as they are told apart in figures of resolvers. */
const RESULTS = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

function isGroup({ transport }: DnsExchanges, place: number): boolean {
  const name = DNS_TRANSPORTS[transport[place] as number];
  return name === 'mdns' || name === 'llmnr';
}

function resultOf({ code, cut, records }: DnsExchanges, place: number): string {
  const number = code[place] as number;
  if (number === DNS_CODE.WAITING) return 'waiting';
  if (number === DNS_CODE.LOST) return 'no answer';
  if (cut[place] === 1) return 'truncated';
  return number === 0 && records[place] === 0 ? 'NODATA' : responseName(number);
}

/** The answers that are kept, a line each. */
function answerOf({ data, dataBytes, text }: DnsExchanges, place: number, words: Int32Array): string {
  const at = place * DNS_TEXT_BYTES + DNS_ANSWER_AT;
  const end = at + (dataBytes[place] as number);
  switch (data[place]) {
    case DNS_DATA.IPV4:
    case DNS_DATA.IPV6: {
      const size = data[place] === DNS_DATA.IPV4 ? 4 : 16;
      const found: string[] = [];
      for (let from = at; from + size <= end; from += size) found.push(addressText(text, from, size, words));
      return found.join('\n');
    }
    case DNS_DATA.NAME:
      return nameText(text, at, end - at);
    case DNS_DATA.TEXT:
      return printable(text, at, end);
    default:
      return '';
  }
}

function addressText(bytes: Uint8Array, at: number, size: number, words: Int32Array): string {
  words.fill(0);
  if (size === 4) words[2] = V4_MAPPED;
  for (let i = 0; i < size; i++) {
    const word = size === 4 ? 3 : i >> 2;
    words[word] = ((words[word] as number) << 8) | (bytes[at + i] as number);
  }
  return formatAddress(words, 0);
}

/** Labels in wire form, dotted. */
function nameText(bytes: Uint8Array, from: number, length: number): string {
  const units: number[] = [];
  const end = from + length;
  for (let at = from; at < end; ) {
    const size = bytes[at] as number;
    if (units.length > 0) units.push(0x2e);
    addPrintable(units, bytes, at + 1, Math.min(end, at + 1 + size));
    at += 1 + size;
  }
  return units.length === 0 ? '.' : String.fromCharCode(...units);
}

function printable(bytes: Uint8Array, from: number, to: number): string {
  const units: number[] = [];
  addPrintable(units, bytes, from, to);
  return String.fromCharCode(...units);
}

/** Texts are made at once from their units: one that grows by each character takes several times the memory. */
function addPrintable(units: number[], bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    units.push(byte >= 0x20 && byte < 0x7f ? byte : 0x3f);
  }
}
