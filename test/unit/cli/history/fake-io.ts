// Input and output of commands in tests: output in strings, a reader that gives the answers it was handed and remembers the questions.

import type { CommandIo, TextSink } from '../../../../src/cli/history/command-io.ts';
import type { SqlLimits } from '../../../../src/history/database.ts';
import type { HistoryRecord } from '../../../../src/history/query/pages.ts';
import type { HistoryReader } from '../../../../src/history/query/reader.ts';
import type { AlertQuery, RecordedAlert } from '../../../../src/model/alert.ts';
import type { DnsQuery, RecordedDns, RecordedQuestion } from '../../../../src/model/dns.ts';
import type { ExportQueue } from '../../../../src/model/export-batch.ts';
import type { HistoryQuery, HistoryResult, ReachedHost, SqlResult } from '../../../../src/model/history.ts';
import type { LoggedFlow } from '../../../../src/model/history-batch.ts';
import type { KnownBaseline } from '../../../../src/model/watch.ts';
import { historyResult, NOW } from './answers.ts';

/** A sink that keeps what it was given; its reader leaves after that many bytes. */
export class FakeSink implements TextSink {
  text = '';
  readonly chunks: (string | Uint8Array)[] = [];
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  #left: number;

  constructor(columns?: number, mostBytes = Number.POSITIVE_INFINITY) {
    this.isTerminal = columns !== undefined;
    this.columns = columns;
    this.#left = mostBytes;
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    if (this.#left <= 0) return Promise.resolve(false);
    this.#left -= chunk.length;
    this.chunks.push(chunk);
    if (typeof chunk === 'string') this.text += chunk;
    return Promise.resolve(true);
  }
}

/** A reader out of a hat. */
export class FakeReader implements HistoryReader {
  readonly path = '/home/ann/history.sqlite';
  notice: string | null = null;
  readonly asked: HistoryQuery[] = [];
  readonly statements: (readonly [string, SqlLimits])[] = [];
  readonly ranges: (readonly [number, number])[] = [];
  closed = 0;
  answer: (query: HistoryQuery) => HistoryResult = (query) => historyResult([], { query });
  sqlAnswer: () => SqlResult = () => ({ columns: [], rows: [], cut: false });
  recordPages: HistoryRecord[][] = [];
  flowPages: LoggedFlow[][] = [];
  raised: RecordedAlert[] = [];
  questions: RecordedQuestion[] = [];
  encrypted: RecordedDns['encrypted'] = [];
  met: ReachedHost[] = [];
  seen: { app: string; domain: string; time: number }[] = [];

  query(query: HistoryQuery): Promise<HistoryResult> {
    this.asked.push(query);
    return Promise.resolve().then(() => this.answer(query));
  }

  sql(text: string, limits: SqlLimits): Promise<SqlResult> {
    this.statements.push([text, limits]);
    return Promise.resolve().then(() => this.sqlAnswer());
  }

  async *records(from: number, to: number): AsyncGenerator<readonly HistoryRecord[]> {
    this.ranges.push([from, to]);
    yield* this.recordPages;
  }

  async *flows(from: number, to: number): AsyncGenerator<readonly LoggedFlow[]> {
    this.ranges.push([from, to]);
    yield* this.flowPages;
  }

  firstSeen(): Promise<readonly { app: string; domain: string; time: number }[]> {
    return Promise.resolve(this.seen);
  }

  exportQueue(): Promise<ExportQueue> {
    return Promise.resolve({ newest: 0, minute: null, marks: [], began: null });
  }

  unsent(): Promise<null> {
    return Promise.resolve(null);
  }

  knownNames(): Promise<{ apps: readonly string[]; domains: readonly string[] }> {
    const of = (kind: 'app' | 'domain') => [...new Set(this.seen.map((each) => each[kind]))];
    return Promise.resolve({ apps: of('app'), domains: of('domain') });
  }

  reached(): Promise<readonly ReachedHost[]> {
    return Promise.resolve(this.met);
  }

  alerts(query: AlertQuery): Promise<readonly RecordedAlert[]> {
    const { from, to } = query;
    return Promise.resolve(this.raised.filter(({ time }) => time >= from && time < to));
  }

  dns({ from, to, app }: DnsQuery): Promise<RecordedDns> {
    const isOf = (row: RecordedQuestion) => app === null || row.app === app || row.onBehalfOf === app;
    return Promise.resolve({
      questions: this.questions.filter((row) => row.time >= from && row.time < to && isOf(row)),
      encrypted: this.encrypted.filter((row) => row.lastSeen >= from && row.lastSeen < to && (app === null || row.app === app)),
    });
  }

  baseline(): Promise<KnownBaseline> {
    const none = { apps: [], names: [] };
    return Promise.resolve({
      recordedMs: 0,
      hour: 0,
      apps: [],
      domains: none,
      contacts: { country: none, network: none, inbound: none },
      contactsMs: 0,
      isCut: false,
    });
  }

  image(): Promise<Uint8Array> {
    return Promise.resolve(new TextEncoder().encode('SQLite format 3\0'));
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

export interface FakeIo extends CommandIo {
  readonly out: FakeSink;
  readonly err: FakeSink;
}

/** Around a reader. @param columns of a terminal; undefined is a pipe */
export function fakeIo(reader: HistoryReader, columns?: number, mostBytes?: number): FakeIo {
  const clock = { now: () => NOW - 1, monotonic: () => 0 };
  return { out: new FakeSink(columns, mostBytes), err: new FakeSink(columns), clock, open: () => Promise.resolve(reader) };
}
