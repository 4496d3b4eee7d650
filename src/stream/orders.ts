// What is said besides frames: orders of whoever reads a stream, a line of JSON each, and the answers, a message each. Both sides check what comes.

import {
  HISTORY_KEYS,
  type HistoryAnswer,
  type HistoryQuery,
  type HistoryQuestion,
  type HistoryResult,
  type HistoryRow,
  type HistorySeries,
} from '../model/history.ts';
import { AVERAGES, type Average } from '../model/options.ts';
import { type LoggedPacket, type LoggedSegment, PACKET_MARKS, type PacketPage } from '../model/packet-page.ts';
import { StreamFault } from './bytes.ts';
import { ON_DEMAND } from './encoder.ts';
import {
  amount,
  flag,
  list,
  moment,
  number,
  optional,
  type Place,
  parsed,
  record,
  type Shape,
  text,
  time,
  word,
} from './shape.ts';

/** Longest order, bytes. */
export const LONGEST_ORDER = 16 * 1024;

/** A table that travels only on demand. */
export type DemandTable = (typeof ON_DEMAND)[number];

/** What the reader of a stream asks of the machine that sends it. */
export type Order =
  /** Comes first: the version that both speak. */
  | { readonly type: 'speak'; readonly version: number }
  /** Send these tables too. */
  | { readonly type: 'want'; readonly tables: readonly DemandTable[] }
  /** Say what time it is. */
  | { readonly type: 'echo'; readonly id: number }
  | { readonly type: 'history'; readonly id: number; readonly question: HistoryQuestion }
  /** Send, with each frame, what this filter matches, too; null ends that. The machine is what the filter knows this one as. */
  | { readonly type: 'match'; readonly ask: MatchAsk | null }
  /** Send the last packets of this connection with each frame; null ends that. */
  | { readonly type: 'packets'; readonly flow: string | null };

/** What is to be matched. */
export interface MatchAsk {
  /** Comes back with what matches. */
  readonly id: number;
  /** Text of the filter. */
  readonly text: string;
  /** Seconds over which the filter's rates are means. */
  readonly average: Average;
  readonly machine: string;
}

/** What a machine says besides frames. */
export type Reply =
  | { readonly type: 'echo'; readonly id: number; readonly time: number }
  | { readonly type: 'history'; readonly id: number; readonly answer: HistoryAnswer }
  | { readonly type: 'packets'; readonly page: PacketPage | null };

/** Rows, steps and domains of an answer. */
const MOST_ROWS = 500;
const MOST_STEPS = 2000;
const MOST_DOMAINS = 5000;

const AS_SAID: Place = { shift: 0, prefix: '' };
const textOrNone = optional(text);

const query = record<HistoryQuery>({
  from: moment,
  to: moment,
  by: word(HISTORY_KEYS, 'app'),
  app: textOrNone,
  domain: textOrNone,
  category: textOrNone,
  interface: textOrNone,
  filter: textOrNone,
  top: number,
  steps: number,
});
const question: Shape<HistoryQuestion> = (value, place) => {
  const { kind } = record<{ kind: string }>({ kind: text })(value, place);
  if (kind === 'rows') return record<HistoryQuestion & { kind: 'rows' }>({ kind: word(['rows'], 'rows'), query })(value, place);
  return record<HistoryQuestion & { kind: 'first-seen' }>({ kind: word(['first-seen'], 'first-seen'), app: text })(value, place);
};

const matchAsk = record<MatchAsk>({
  id: amount,
  text,
  average: (value, place) => AVERAGES.find((one) => one === number(value, place)) ?? AVERAGES[1],
  machine: text,
});

/** The order in a line. @throws StreamFault if it is none */
export function orderIn(line: string): Order {
  const kind = record<{ type: string }>({ type: text });
  const value = parsed<unknown>(line, (one) => one, AS_SAID);
  switch (kind(value, AS_SAID).type) {
    case 'speak':
      return { type: 'speak', ...record<{ version: number }>({ version: number })(value, AS_SAID) };
    case 'want': {
      const { tables } = record<{ tables: readonly string[] }>({ tables: list(text, ON_DEMAND.length) })(value, AS_SAID);
      return { type: 'want', tables: ON_DEMAND.filter((name) => tables.includes(name)) };
    }
    case 'echo':
      return { type: 'echo', ...record<{ id: number }>({ id: number })(value, AS_SAID) };
    case 'history':
      return { type: 'history', ...record<{ id: number; question: HistoryQuestion }>({ id: number, question })(value, AS_SAID) };
    case 'match':
      return { type: 'match', ...record<{ ask: MatchAsk | null }>({ ask: optional(matchAsk) })(value, AS_SAID) };
    case 'packets':
      return { type: 'packets', ...record<{ flow: string | null }>({ flow: textOrNone })(value, AS_SAID) };
    default:
      throw new StreamFault('an order was expected');
  }
}

/** An order as a line. */
export function orderLine(order: Order): string {
  return `${JSON.stringify(order)}\n`;
}

/** A reply as the payload of a message. */
export function replyPayload(reply: Reply): Buffer {
  return Buffer.from(JSON.stringify(reply));
}

const totals = { rxBytes: number, txBytes: number, rxPackets: number, txPackets: number, flows: number };
const historyRow = record<HistoryRow>({
  ...totals,
  key: textOrNone,
  reason: textOrNone,
  start: optional(moment),
  detail: textOrNone,
  firstSeen: moment,
  lastSeen: moment,
});
const series = record<HistorySeries>({
  from: moment,
  stepMs: number,
  rxBytes: list(number, MOST_STEPS),
  txBytes: list(number, MOST_STEPS),
});
const result = record<HistoryResult>({
  query,
  rows: list(historyRow, MOST_ROWS),
  total: record({ ...totals }),
  series: optional(series),
  oldest: optional(moment),
  newest: optional(moment),
  resolutionMs: number,
  identity: optional(number),
});
const answer: Shape<HistoryAnswer> = (value, place) => {
  const { kind } = record<{ kind: string }>({ kind: text })(value, place);
  switch (kind) {
    case 'rows':
      return { kind: 'rows', ...record<{ result: HistoryResult }>({ result })(value, place) };
    case 'first-seen':
      return {
        kind: 'first-seen',
        ...record<Omit<HistoryAnswer & { kind: 'first-seen' }, 'kind'>>({
          app: text,
          domains: list(record<{ domain: string; time: number }>({ domain: text, time: moment }), MOST_DOMAINS),
          isCut: flag,
        })(value, place),
      };
    case 'missing':
      return { kind: 'missing' };
    default:
      return {
        kind: 'failed',
        ...record<{ message: string; hint: string | null }>({ message: text, hint: textOrNone })(value, place),
      };
  }
};

const segment = record<LoggedSegment>({
  flags: number,
  sequence: number,
  acknowledgement: optional(number),
  window: number,
  isExact: flag,
});
const packet = record<LoggedPacket>({
  number,
  time,
  isSent: flag,
  payloadBytes: number,
  tcp: optional(segment),
  marks: list(word(PACKET_MARKS, 'fragment'), PACKET_MARKS.length),
  contents: text,
  name: textOrNone,
});
const page = record<PacketPage>({
  flow: (value, place) => place.prefix + text(value, place),
  packets: list(packet, 500),
  dropped: number,
});

/** The reply in a message. Times of packets and ids are put where the reader wants them. @throws StreamFault */
export function replyIn(payload: Buffer, place: Place): Reply {
  const value = parsed<unknown>(payload.toString('utf8'), (one) => one, place);
  switch (record<{ type: string }>({ type: text })(value, place).type) {
    case 'echo':
      return { type: 'echo', ...record<{ id: number; time: number }>({ id: number, time: moment })(value, place) };
    case 'history':
      return { type: 'history', ...record<{ id: number; answer: HistoryAnswer }>({ id: number, answer })(value, place) };
    case 'packets':
      return { type: 'packets', ...record<{ page: PacketPage | null }>({ page: optional(page) })(value, place) };
    default:
      throw new StreamFault('a reply was expected');
  }
}
