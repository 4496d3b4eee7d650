// The run of an attached screen: a snapshot a second of all machines, whether or not each of them has said something meanwhile.

import { RateHistory } from '../aggregate/rate-history.ts';
import type { HistoryAnswer, HistoryQuery, HistoryQuestion } from '../model/history.ts';
import type { MachineStatus } from '../model/machines.ts';
import type { Average } from '../model/options.ts';
import type { PacketPage } from '../model/packet-page.ts';
import type { RangeKind, RangeTotals } from '../model/range-totals.ts';
import type { FlowRow, Matching, Snapshot, Traffic } from '../model/snapshot.ts';
import type { DemandTable, MatchAsk, Reply } from '../stream/orders.ts';
import type { Clock } from '../system/clock.ts';
import { Line, type Matched, type StartLine } from './line.ts';
import { prefixOf } from './machine-rows.ts';
import { merged, mergedMatching, Totals } from './merge.ts';
import { type MachineAnswer, mergedAnswers } from './merge-answers.ts';

/** Interval of the merged snapshots, ms; the first comes sooner. */
const TICK_MS = 1000;
/** A machine that doesn't answer a question by then is left out of the answer, ms. */
const ANSWER_MS = 10_000;
/** Rows whose numbers in the rates of the past are remembered. */
const MOST_IDS = 50_000;

/** What a session works with. */
export interface AttachParts {
  /** By name, in the order in which they were named. */
  readonly machines: readonly { readonly name: string; readonly start: StartLine }[];
  readonly clock: Clock;
  /** Takes each snapshot. */
  readonly show: (snapshot: Snapshot) => void;
  /** Tables that are shown, and travel only then. */
  readonly wants: () => readonly DemandTable[];
}

interface Asked {
  readonly query: HistoryQuery | null;
  readonly waiting: Set<string>;
  readonly answers: MachineAnswer[];
  readonly timer: NodeJS.Timeout;
  readonly done: () => void;
}

/** Shows machines until it is stopped. */
export class AttachSession<End> {
  readonly #parts: AttachParts;
  readonly #lines: readonly Line[];
  readonly #totals = new Totals();
  readonly #numbers = new Numbers();
  readonly #rates = new RateHistory((_kind, number) => this.#numbers.idOf(number));
  readonly #asked = new Map<number, Asked>();
  readonly #started: number;
  #packets: PacketPage | null = null;
  #watched: { readonly line: Line; readonly flow: string } | null = null;
  #question = 0;
  #match: Omit<MatchAsk, 'machine'> | null = null;
  #matchedTotals = new Totals();
  #seq = 0;
  #lastAt: number;
  #timer: NodeJS.Timeout | null = null;
  #end: End | null = null;
  #resolve: (end: End) => void = () => {};

  constructor(parts: AttachParts) {
    this.#parts = parts;
    this.#lines = parts.machines.map(
      ({ name, start }) =>
        new Line(
          name,
          start,
          parts.clock,
          (reply) => this.#replied(name, reply),
          (machine) => this.#lines.find((line) => line.name !== name && line.machine === machine)?.name ?? null,
        ),
    );
    this.#started = parts.clock.now();
    this.#lastAt = parts.clock.monotonic();
  }

  /** Opens all lines, and resolves once it is stopped. */
  run(): Promise<End> {
    const ended = new Promise<End>((resolve) => {
      this.#resolve = resolve;
      if (this.#end !== null) resolve(this.#end);
    });
    if (this.#end === null) {
      for (const line of this.#lines) line.open();
      this.tick();
      this.#timer = setInterval(() => this.tick(), TICK_MS);
    }
    return ended;
  }

  stop(end: End): void {
    if (this.#end !== null) return;
    this.#end = end;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { timer } of this.#asked.values()) clearTimeout(timer);
    for (const line of this.#lines) line.close();
    this.#resolve(end);
  }

  /** Has all machines count what a filter matches; null for none. */
  match(text: string | null, average: Average): void {
    this.#match = text === null ? null : { id: ++this.#question, text, average };
    this.#matchedTotals = new Totals();
    for (const line of this.#lines) line.match(this.#match);
  }

  /** What moved between two times of the past. */
  between(from: number, to: number): RangeTotals | null {
    return this.#rates.between(from, to);
  }

  /** Watches the packets of a connection. @param id of its row @returns what is known of them now */
  watchPackets(id: string): PacketPage | null {
    const line = this.#lines.find(({ name }) => id.startsWith(prefixOf(name)));
    if (this.#watched !== null && this.#watched.line !== line) this.#watched.line.send({ type: 'packets', flow: null });
    this.#watched = line === undefined ? null : { line, flow: id.slice(prefixOf(line.name).length) };
    if (this.#packets?.flow !== id) this.#packets = null;
    this.#watched?.line.send({ type: 'packets', flow: this.#watched.flow });
    return this.#packets;
  }

  /** Asks all machines that are live. @returns one answer, of those that gave one in time; it says which it lacks */
  ask(question: HistoryQuestion): Promise<HistoryAnswer> {
    const id = ++this.#question;
    const waiting = new Set<string>();
    const answers: MachineAnswer[] = [];
    for (const line of this.#lines) {
      if (line.isLive && line.send({ type: 'history', id, question })) waiting.add(line.name);
      else answers.push({ machine: line.name, answer: notGiven(line.isLive ? 'its line is full' : line.status.state) });
    }
    return new Promise((resolve) => {
      const query = question.kind === 'rows' ? question.query : null;
      const finish = (): void => {
        this.#asked.delete(id);
        clearTimeout(timer);
        const late = [...waiting].map((machine) => ({ machine, answer: notGiven('no answer') }));
        resolve(mergedAnswers([...answers, ...late], query));
      };
      const timer = setTimeout(finish, ANSWER_MS);
      timer.unref();
      this.#asked.set(id, { query, waiting, answers, timer, done: finish });
      if (waiting.size === 0) finish();
    });
  }

  /** Makes a snapshot and shows it. */
  tick(): void {
    const { clock, show, wants } = this.#parts;
    const wanted = wants();
    const parts: Snapshot[] = [];
    const machines: MachineStatus[] = [];
    for (const line of this.#lines) {
      line.tick();
      line.want(wanted);
      machines.push(line.status);
      const part = line.snapshot();
      if (part === null) continue;
      parts.push(part);
      this.#totals.take(line.name, line.connection, part);
    }
    const now = clock.monotonic();
    const intervalMs = Math.max(1, now - this.#lastAt);
    this.#lastAt = now;
    const total = this.#totals.total(parts);
    const time = clock.now();
    const facts = {
      // Before the first machine there is nothing to see.
      seq: parts.length === 0 ? -1 : this.#seq++,
      ...{ time, started: this.#started, intervalMs, total, machines },
      packets: this.#packets,
    };
    const snapshot = merged(parts, { ...facts, rates: this.#rates.rates() });
    this.#remember(snapshot);
    show({ ...snapshot, rates: this.#rates.rates(), matching: this.#matching() });
  }

  /** What the filter matches; null until all machines that are shown have told. */
  #matching(): Matching | null {
    if (this.#match === null) return null;
    const matched: Matched[] = [];
    for (const line of this.#lines) {
      if (line.snapshot() === null) continue;
      const { matched: told } = line;
      if (told === null) return null;
      matched.push(told);
      this.#matchedTotals.take(line.name, told.connection, told.snapshot);
    }
    const { text, average } = this.#match;
    const total = this.#matchedTotals.total(matched.map(({ snapshot }) => snapshot));
    return mergedMatching(matched, { text, average, from: null, total });
  }

  #remember(snapshot: Snapshot): void {
    const { time, intervalMs, total, flows } = snapshot;
    const rows: Readonly<Record<RangeKind, readonly (Traffic & { readonly id: string })[]>> = snapshot;
    const share = intervalMs / 1000;
    this.#rates.add({
      time,
      intervalMs,
      rx: Math.round(total.rxRate * share),
      tx: Math.round(total.txRate * share),
      isGap: snapshot.seq < 0,
      fill: (kind, into) => {
        for (const [at, row] of rows[kind].entries())
          if (row.rxRate > 0 || row.txRate > 0)
            into(this.#numbers.of(row.id), Math.round(row.rxRate * share), Math.round(row.txRate * share), at);
      },
      flowRow: (tag) => flows[tag] as FlowRow,
    });
  }

  #replied(name: string, reply: Reply): void {
    if (reply.type === 'packets') {
      if (this.#watched?.line.name === name) this.#packets = reply.page;
      return;
    }
    if (reply.type !== 'history') return;
    const asked = this.#asked.get(reply.id);
    if (asked === undefined || !asked.waiting.delete(name)) return;
    asked.answers.push({ machine: name, answer: reply.answer });
    if (asked.waiting.size === 0) asked.done();
  }
}

/** The answer of a machine that gave none. */
function notGiven(message: string): HistoryAnswer {
  return { kind: 'failed', message, hint: null };
}

/** Numbers for the ids of rows, the newest ones. */
class Numbers {
  readonly #numbers = new Map<string, number>();
  readonly #ids = new Map<number, string>();
  #next = 0;

  of(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#next++;
    this.#numbers.set(id, number);
    this.#ids.set(number, id);
    const old = this.#ids.get(number - MOST_IDS);
    if (old !== undefined) {
      this.#numbers.delete(old);
      this.#ids.delete(number - MOST_IDS);
    }
    return number;
  }

  /** The id behind a number; one of no row if it is forgotten. */
  idOf(number: number): string {
    return this.#ids.get(number) ?? `forgotten ${number}`;
  }
}
