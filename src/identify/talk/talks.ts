// Keeps how flows are spoken, as inspection tells: handshakes, fingerprints, first requests. Bounded: the flow that was met first is forgotten, which
// costs it these facts alone.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { ServerChoice, TalkFindings } from '../../inspect/talk.ts';
import type { Talk, TlsOffer, TlsTalk } from '../../model/talk.ts';

/** Flows that are remembered. */
const MAX_FLOWS = 16_384;
const LAST_WITH_SESSIONS = 0x0303;
const NO_TLS: TlsTalk = {
  offer: null,
  answer: null,
  names: null,
  namesAreCut: false,
  alert: null,
  answerMs: null,
  handshakeMs: null,
};

/** What is known of one flow. */
interface Entry {
  readonly serial: number;
  talk: Talk;
  /** Session of the client's hello. */
  session: number;
  /** When the client's hello or the request was seen, epoch ms. */
  askedAt: number;
  isRetried: boolean;
}

/** How the newest flows are spoken. */
export class Talks implements TalkFindings {
  readonly #flows: FlowTable;
  readonly #maxFlows: number;
  readonly #entries = new Map<number, Entry>();

  constructor(flows: FlowTable, maxFlows = MAX_FLOWS) {
    this.#flows = flows;
    this.#maxFlows = maxFlows;
  }

  /** How the flow in this row is spoken; the same object while nothing more is known. */
  of(row: number): Talk | null {
    const entry = this.#entries.get(row);
    return entry !== undefined && entry.serial === this.#flows.serial(row) ? entry.talk : null;
  }

  offered(flow: number, offer: TlsOffer, session: number, time: number): void {
    const entry = this.#entry(flow);
    entry.session = session;
    entry.askedAt = time;
    this.#setTls(flow, entry, { offer });
  }

  answered(flow: number, choice: ServerChoice, session: number, time: number): void {
    const entry = this.#entry(flow);
    if (choice.isRetry) {
      entry.isRetried = true;
      return;
    }
    const { version, cipher, protocol, isKeyed, ja4s } = choice;
    const repeats = version <= LAST_WITH_SESSIONS && session !== 0 && session === entry.session;
    const answer = { version, cipher, protocol, ja4s, resumed: isKeyed || repeats, retried: entry.isRetried };
    this.#setTls(flow, entry, { answer, answerMs: since(entry, time) });
  }

  certified(flow: number, names: readonly string[], isCut: boolean): void {
    this.#setTls(flow, this.#entry(flow), { names, namesAreCut: isCut });
  }

  secured(flow: number, time: number): void {
    const entry = this.#entry(flow);
    this.#setTls(flow, entry, { handshakeMs: since(entry, time) });
  }

  alerted(flow: number, code: number, fromOpener: boolean): void {
    this.#setTls(flow, this.#entry(flow), { alert: { code, fromOpener } });
  }

  requested(flow: number, method: string, segment: string | null, time: number): void {
    const entry = this.#entry(flow);
    entry.askedAt = time;
    this.#set(flow, entry, { ...entry.talk, http: { method, segment, status: null, answerMs: null } });
  }

  responded(flow: number, status: number, time: number): void {
    const entry = this.#entry(flow);
    const { http } = entry.talk;
    if (http !== null) this.#set(flow, entry, { ...entry.talk, http: { ...http, status, answerMs: since(entry, time) } });
  }

  #setTls(flow: number, entry: Entry, found: Partial<TlsTalk>): void {
    this.#set(flow, entry, { ...entry.talk, tls: { ...(entry.talk.tls ?? NO_TLS), ...found } });
  }

  #set(flow: number, entry: Entry, talk: Talk): void {
    entry.talk = talk;
    this.#flows.mark(flow);
  }

  #entry(flow: number): Entry {
    const serial = this.#flows.serial(flow);
    const known = this.#entries.get(flow);
    if (known !== undefined && known.serial === serial) return known;
    if (known !== undefined) this.#entries.delete(flow);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size >= this.#maxFlows && oldest.done === false) this.#entries.delete(oldest.value);
    const entry: Entry = { serial, talk: { tls: null, http: null }, session: 0, askedAt: 0, isRetried: false };
    this.#entries.set(flow, entry);
    return entry;
  }
}

/** Time since the hello or the request; null if there was none, or the clock was set back. */
function since({ askedAt }: Entry, time: number): number | null {
  return askedAt > 0 && time >= askedAt ? time - askedAt : null;
}
