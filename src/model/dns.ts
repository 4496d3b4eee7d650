// What is asked of DNS and what comes back: the table in which inspection matches questions with answers, and the rows made of it.

import type { OfMachine } from './machines.ts';
import type { EncryptedTransport, Endpoint, FlowDirection } from './terms.ts';

/** Stands for all that a group is asked by mDNS or LLMNR, whoever answers. */
export const LOCAL_NETWORK = 'local network';

/** How a readable question travels. History keeps indexes into this list: add new ones at its end. */
export const DNS_TRANSPORTS = ['udp', 'tcp', 'mdns', 'llmnr'] as const;
export type DnsTransport = (typeof DNS_TRANSPORTS)[number];

/** Answers that come later than this count as none, ms. Programs give up sooner. */
export const DNS_WAIT_MS = 10_000;

/** Bytes of `text` per place: the name, then the answer. */
export const DNS_TEXT_BYTES = 512;
/** Where in them the answer begins. */
export const DNS_ANSWER_AT = 256;

/** What the bytes of an answer are. */
export const DNS_DATA = { NONE: 0, IPV4: 1, IPV6: 2, NAME: 3, TEXT: 4 } as const;

/** Values of `code` beyond those of the wire (RFC 1035 section 4.1.1). */
export const DNS_CODE = { WAITING: -1, LOST: -2 } as const;

/**
 * Questions with their answers, in the order in which they were asked: the one with number n lies at place n % `places`, until n + `places` is
 * asked. Each column has an entry per place.
 *
 *     flow       row of the flow that asked             asked      time of the question, epoch ms
 *     took       ms until the answer; NaN without one   tries      how often it was sent
 *     type       type asked for                         transport  index into DNS_TRANSPORTS
 *     code       response code, or of DNS_CODE          cut        1 if the answer was truncated
 *     records    answers of that type                   data       DNS_DATA of what `text` holds of them
 *     behalf     process on whose behalf the question was sent, or NO_OWNER
 *     server     four words of the resolver's address   port       its port
 *     nameBytes, dataBytes   bytes of `text` in use: labels in wire form without the root; addresses, a name, or text
 */
export interface DnsExchanges {
  readonly places: number;
  /** Number of the next question. */
  readonly next: number;
  readonly flow: Int32Array;
  readonly asked: Float64Array;
  readonly took: Float64Array;
  readonly tries: Uint16Array;
  readonly type: Uint16Array;
  readonly transport: Uint8Array;
  readonly code: Int16Array;
  readonly cut: Uint8Array;
  readonly records: Uint16Array;
  readonly data: Uint8Array;
  readonly behalf: Int32Array;
  readonly server: Int32Array;
  readonly port: Uint16Array;
  readonly nameBytes: Uint8Array;
  readonly dataBytes: Uint8Array;
  readonly text: Uint8Array;
  /** Answers to no known question. */
  readonly unasked: number;
  /** Gives up on questions that have waited too long. @param now epoch ms */
  giveUp(now: number): void;
  /** Calls back with the numbers of a flow's questions, newest first, until it returns false. */
  eachOf(flow: number, take: (number: number) => boolean): void;
}

/** One question, and what became of it. Times in epoch ms. */
export interface DnsRow extends OfMachine {
  /** Unique within a run. */
  readonly id: string;
  /** When it was asked. */
  readonly time: number;
  /** Lower case; any byte that isn't printable ASCII is a `?`. `.` is the root. */
  readonly name: string;
  /** Registrable domain; null if the name has none. */
  readonly domain: string | null;
  /** `A`, `AAAA`, `HTTPS` ...; `TYPE65280` where it has no name. */
  readonly type: string;
  readonly app: string | null;
  readonly pid: number | null;
  /** Why there is no app; null if there is one. */
  readonly reason: string | null;
  /** App for which the resolver's process asks; null if unknown or none. */
  readonly onBehalfOf: string | null;
  readonly resolver: Endpoint;
  readonly transport: DnsTransport;
  readonly interface: string;
  readonly direction: FlowDirection;
  /** `waiting`, `no answer`, `NOERROR`, `NODATA` (the name exists, without such a record), `truncated`, or the response code. */
  readonly result: string;
  /** The first few answers, a line each; empty without any. Outside text. */
  readonly answer: string;
  /** Answers of the type asked for. */
  readonly answerCount: number;
  /** Until the answer; null without one. */
  readonly tookMs: number | null;
  /** How often it was sent. */
  readonly tries: number;
}

/** A question as history keeps it. */
export type RecordedQuestion = Omit<DnsRow, 'id'>;

/** Which recorded questions and encrypted DNS: of [from, to), epoch ms, of an app (null for all), the newest `most` questions. */
export interface DnsQuery {
  readonly from: number;
  readonly to: number;
  readonly app: string | null;
  readonly most: number;
}

/** What one resolver did over one transport. */
export interface ResolverRow extends OfMachine {
  readonly id: string;
  /** LOCAL_NETWORK for a group. */
  readonly address: string;
  readonly transport: DnsTransport;
  /** Questions that ended: with an answer, or without one. */
  readonly questions: number;
  readonly answered: number;
  /** Answers that a resolver gives when it fails or refuses: SERVFAIL, REFUSED and the like. */
  readonly failed: number;
  /** Answers that say that there is no such name. */
  readonly missing: number;
  readonly unanswered: number;
  /** null while nothing was answered. */
  readonly medianMs: number | null;
  /** 95th percentile. */
  readonly slowMs: number | null;
  /** Median and 95th percentile of the last minute's answers, and how many these were, at most 64; null without any. */
  readonly recentMs: number | null;
  readonly recentSlowMs: number | null;
  readonly recent: number;
  readonly lastSeen: number;
}

/** What one app moved to and from one resolver that it asks over TLS, HTTPS or QUIC: what it asks can't be read. */
export interface EncryptedTraffic extends OfMachine {
  readonly app: string | null;
  /** Why there is no app; null if there is one. */
  readonly reason: string | null;
  /** Name or address of the resolver. */
  readonly host: string;
  readonly transport: EncryptedTransport;
  readonly connections: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** Encrypted DNS since the start. */
export interface EncryptedDnsRow extends EncryptedTraffic {
  readonly id: string;
  readonly lastSeen: number;
}

/** Encrypted DNS of one minute as history keeps it. One that corrects a late owner or name is negative; sums never are. */
export interface RecordedEncrypted extends EncryptedTraffic {
  /** Minutes since the epoch. */
  readonly minute: number;
}

/** What was asked of DNS in a range of recorded time: questions, oldest first, and encrypted DNS, the busiest first. */
export interface RecordedDns {
  readonly questions: readonly RecordedQuestion[];
  readonly encrypted: readonly Omit<EncryptedDnsRow, 'id'>[];
}

/** What was asked of DNS. */
export interface DnsPart {
  /** Oldest first, bounded; empty if none are kept. */
  readonly questions: readonly DnsRow[];
  /** Those that ended in this interval, and those that still wait; bounded. */
  readonly ended: readonly DnsRow[];
  readonly waiting: readonly DnsRow[];
  /** Questions since the start. */
  readonly count: number;
  /** Of these, those of which nothing but the number is known: they came too fast. */
  readonly missed: number;
  /** Answers to no known question. */
  readonly unasked: number;
  readonly resolvers: readonly ResolverRow[];
  readonly encrypted: readonly EncryptedDnsRow[];
}

/** If nothing is known. */
export const NO_DNS: DnsPart = {
  questions: [],
  ended: [],
  waiting: [],
  count: 0,
  missed: 0,
  unasked: 0,
  resolvers: [],
  encrypted: [],
};
