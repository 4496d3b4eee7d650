// The tables of the stream: which columns of a snapshot's rows travel, and how a reader makes rows of them again. Figures that change all the
// time stand first, because a row that moved says which of its columns changed in as few bytes as they take.

import { ALERT_KINDS, type Alert, HELD, SEVERITIES } from '../model/alert.ts';
import { DNS_TRANSPORTS, type DnsRow, type EncryptedDnsRow, type ResolverRow } from '../model/dns.ts';
import { type ListenerRow, REACHES } from '../model/listeners.ts';
import type { PrivilegeStatus } from '../model/privileges.ts';
import type { Ends, Figures, LinkQuality, NearEnd, Quality, RoundTrips } from '../model/quality.ts';
import {
  type AppRow,
  type BranchRow,
  type CategoryRow,
  EVENT_KINDS,
  type FlowBurst,
  type FlowRow,
  type HostRow,
  type InterfaceRow,
  type NetEvent,
  NO_MEANS,
  type Snapshot,
  type Traffic,
} from '../model/snapshot.ts';
import type { HttpTalk, Talk, TlsAnswer, TlsOffer, TlsTalk } from '../model/talk.ts';
import {
  type Ancestor,
  type Asked,
  ATTRIBUTIONS,
  type Container,
  type Endpoint,
  type Fallback,
  FLOW_DIRECTIONS,
  INTERFACE_KINDS,
  type InnerFlow,
  MAX_ANCESTORS,
  NAME_SOURCES,
  type Process,
  PUBLISHER_KINDS,
  type Publisher,
} from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import { StreamFault } from './bytes.ts';
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
  ref,
  type Shape,
  shifted,
  text,
  time,
  word,
} from './shape.ts';

/**
 * How a column travels. What a reader assumes while nothing is said:
 *
 *     count     a whole number from 0, as its difference; it stays
 *     number    a whole number, or null; it stays
 *     real      a number of which a twentieth more or less says nothing, or null; it stays
 *     flag      0 or 1; it stays
 *     text      it stays; null is not the empty text
 *     json      a text that holds JSON; it stays
 *     time      epoch ms; it stays
 *     rate      what the count named by `of` gained, a second; 0 in a new row
 *     seen      epoch ms: the end of this interval if a count of the row changed, else it stays
 */
export const KINDS = ['count', 'number', 'real', 'flag', 'text', 'json', 'time', 'rate', 'seen'] as const;
export type Kind = (typeof KINDS)[number];

/** What a column holds on both sides. */
export type Value = number | string | null;

/** A row while it is made. */
export type Draft = Record<string, unknown>;

/** One column. */
export interface Column<Row> {
  readonly name: string;
  readonly kind: Kind;
  /** Name of the count that a rate is of; empty for other kinds. */
  readonly of: string;
  /** Compared and sent once in ten intervals: it is large, and changes all the time. */
  readonly isSlow: boolean;
  /** A Value; for `json` any object, which is the same as long as nothing in it changes, or differs in its text. */
  readonly get: (row: Row) => unknown;
  /** Sets the field. @throws StreamFault */
  readonly put: (draft: Draft, value: Value, place: Place) => void;
}

/** One table. */
export interface Table<Row> {
  readonly name: string;
  /** Rows that a reader takes. */
  readonly most: number;
  readonly columns: readonly Column<Row>[];
}

/** The whole of a machine in one row: what the snapshot has once. */
export interface MachineRow extends Traffic {
  readonly id: string;
  readonly snapshot: Snapshot;
}

type Get<Row> = (row: Row) => unknown;
/** Names of fields of a type. */
type Of<Row, T> = { [Key in keyof Row]: Row[Key] extends T ? Key : never }[keyof Row] & string;

const textOf = (value: Value): string | null => (typeof value === 'string' ? sanitize(value) : null);
const numberOf = (value: Value): number | null => (typeof value === 'number' ? value : null);

function column<Row>(
  name: string,
  kind: Kind,
  get: Get<Row>,
  put: Column<Row>['put'],
  more: Partial<Column<Row>> = {},
): Column<Row> {
  return { name, kind, of: '', isSlow: false, get, put, ...more };
}

/** Columns of fields of the same name. */
function fieldsOf<Row>() {
  const own =
    (name: string): Get<Row> =>
    (row) =>
      row[name as keyof Row];
  const set =
    (name: string, of: (value: Value) => unknown): Column<Row>['put'] =>
    (draft, value) => {
      draft[name] = of(value);
    };
  const shiftedBy =
    (name: string): Column<Row>['put'] =>
    (draft, value, { shift }) => {
      draft[name] = shifted(numberOf(value) ?? 0, shift);
    };
  return {
    count: (name: Of<Row, number>) =>
      column<Row>(
        name,
        'count',
        own(name),
        set(name, (value) => numberOf(value) ?? 0),
      ),
    number: (name: Of<Row, number | null>) => column<Row>(name, 'number', own(name), set(name, numberOf)),
    real: (name: Of<Row, number | null>) => column<Row>(name, 'real', own(name), set(name, numberOf)),
    flag: (name: Of<Row, boolean>) =>
      column<Row>(
        name,
        'flag',
        (row) => Number(row[name as keyof Row]),
        set(name, (value) => value === 1),
      ),
    /** null where it isn't said. */
    text: (name: Of<Row, string | null>) => column<Row>(name, 'text', own(name), set(name, textOf)),
    /** Empty where it isn't said. */
    plain: (name: Of<Row, string>) =>
      column<Row>(
        name,
        'text',
        own(name),
        set(name, (value) => textOf(value) ?? ''),
      ),
    word: <const T extends string>(name: Of<Row, T>, words: readonly T[], other: T) =>
      column<Row>(
        name,
        'text',
        own(name),
        set(name, (value) => words.find((one) => one === value) ?? other),
      ),
    time: (name: Of<Row, number>) => column<Row>(name, 'time', own(name), shiftedBy(name)),
    seen: (name: Of<Row, number>) => column<Row>(name, 'seen', own(name), shiftedBy(name)),
    rate: (name: Of<Row, number>, of: string) =>
      column<Row>(
        name,
        'rate',
        own(name),
        set(name, (value) => numberOf(value) ?? 0),
        { of },
      ),
    /** The id of a row, of this table or another. */
    ref: (name: Of<Row, string | null>) =>
      column<Row>(name, 'text', own(name), (draft, value, { prefix }) => {
        draft[name] = typeof value === 'string' ? prefix + sanitize(value) : null;
      }),
    end: (name: Of<Row, Endpoint>): readonly [Column<Row>, Column<Row>] => {
      const end = (row: Row): Endpoint => row[name as keyof Row] as Endpoint;
      return [
        column<Row>(
          `${name}.address`,
          'text',
          (row) => end(row).address,
          (draft, value) => {
            draft[name] = { ...(draft[name] ?? { port: 0 }), address: textOf(value) ?? '' };
          },
        ),
        column<Row>(
          `${name}.port`,
          'number',
          (row) => end(row).port,
          (draft, value) => {
            draft[name] = { ...(draft[name] ?? { address: '' }), port: numberOf(value) ?? 0 };
          },
        ),
      ];
    },
    json: <T>(name: Of<Row, T>, shape: Shape<T>, isSlow = false) =>
      column<Row>(
        name,
        'json',
        own(name),
        (draft, value, place) => {
          draft[name] = parsed(typeof value === 'string' ? value : 'null', shape, place);
        },
        { isSlow },
      ),
  };
}

function trafficColumns<Row extends Traffic>(): readonly Column<Row>[] {
  const of = fieldsOf<Traffic>();
  return [
    of.count('rxBytes'),
    of.count('txBytes'),
    of.count('rxPackets'),
    of.count('txPackets'),
    of.rate('rxRate', 'rxBytes'),
    of.rate('txRate', 'txBytes'),
  ];
}

const MOST_WORDS = 64;
const address = record<Endpoint>({ address: text, port: number });
const ancestor = record<Ancestor>({ pid: number, name: text, startedAt: optional(time) });
const container = record<Container>({
  engine: text,
  id: text,
  container: text,
  image: optional(text),
  pod: optional(text),
  namespace: optional(text),
  project: optional(text),
  unknown: optional(text),
});
const publisher = record<Publisher>({
  kind: word(PUBLISHER_KINDS, 'unknown'),
  name: optional(text),
  version: optional(text),
  by: optional(text),
  source: optional(text),
  note: optional(text),
  digest: optional(text),
});
const process = record<Process>({
  id: number,
  pid: number,
  name: text,
  exe: optional(text),
  uid: optional(number),
  user: optional(text),
  parentPid: optional(number),
  startedAt: optional(time),
  script: optional(text),
  unit: optional(text),
  container: optional(container),
  publisher: optional(publisher),
  app: number,
  ancestors: list(ancestor, MAX_ANCESTORS),
  origin: optional(ancestor),
  session: optional(number),
  terminal: optional(text),
  command: optional(text),
});

const app = fieldsOf<AppRow>();
const APPS: Table<AppRow> = {
  name: 'apps',
  most: 1000,
  columns: [
    ...trafficColumns<AppRow>(),
    app.seen('lastSeen'),
    app.count('flows'),
    app.ref('id'),
    app.text('app'),
    app.text('reason'),
    app.text('exe'),
    app.text('user'),
    app.count('processCount'),
    app.time('firstSeen'),
    app.json('pids', list(number, MOST_WORDS)),
    app.json('processes', list(process, MOST_WORDS), true),
  ],
};

const roundTrips = record<RoundTrips>({ medianMs: number, highMs: number, lowMs: number, samples: number });
const figures = record<Figures>({
  roundTrips: optional(roundTrips),
  segments: number,
  sentAgain: number,
  receivedAgain: number,
  answered: number,
  refused: number,
  unanswered: number,
  reset: number,
});
const quality = record<Quality>({ recent: figures, all: figures, leastMs: optional(number) });
const link = record<LinkQuality>({
  signal: optional(number),
  share: optional(number),
  rate: optional(number),
  isWeak: flag,
});

const host = fieldsOf<HostRow>();
const HOSTS: Table<HostRow> = {
  name: 'hosts',
  most: 2000,
  columns: [
    ...trafficColumns<HostRow>(),
    host.seen('lastSeen'),
    host.count('flows'),
    host.ref('id'),
    host.text('host'),
    host.text('reason'),
    host.text('domain'),
    host.word('nameSource', NAME_SOURCES, 'none'),
    host.json('addresses', list(text, MOST_WORDS)),
    host.text('category'),
    host.text('country'),
    host.number('asn'),
    host.text('network'),
    host.text('mac'),
    host.text('vendor'),
    host.time('firstSeen'),
    host.json('quality', optional(quality), true),
  ],
};

const branch = fieldsOf<BranchRow>();
const BRANCHES: Table<BranchRow> = {
  name: 'branches',
  most: 4000,
  columns: [
    ...trafficColumns<BranchRow>(),
    branch.seen('lastSeen'),
    branch.count('flows'),
    branch.ref('id'),
    branch.ref('appId'),
    branch.text('app'),
    branch.text('reason'),
    branch.number('pid'),
    branch.flag('isFolded'),
    branch.ref('hostId'),
    branch.text('host'),
    branch.text('address'),
    branch.word('nameSource', NAME_SOURCES, 'none'),
    branch.flag('isFar'),
    branch.text('peerApp'),
    branch.flag('carries'),
    branch.time('firstSeen'),
  ],
};

const category = fieldsOf<CategoryRow>();
const CATEGORIES: Table<CategoryRow> = {
  name: 'categories',
  most: 256,
  columns: [...trafficColumns<CategoryRow>(), category.count('flows'), category.ref('id'), category.text('category')],
};

const ends = record<Ends>({ near: optional(quality), far: optional(quality) });
const iface = fieldsOf<InterfaceRow>();
const INTERFACES: Table<InterfaceRow> = {
  name: 'interfaces',
  most: 512,
  columns: [
    ...trafficColumns<InterfaceRow>(),
    iface.number('frameBytes'),
    iface.number('counterBytes'),
    iface.number('counterDropped'),
    iface.number('counterErrors'),
    iface.number('passingBytes'),
    iface.ref('id'),
    iface.plain('interface'),
    iface.word('kind', INTERFACE_KINDS, 'virtual'),
    iface.flag('isCounted'),
    iface.json('ends', ends, true),
    iface.json('link', optional(link), true),
  ],
};

const inner = record<InnerFlow>({ protocol: text, source: address, destination: address, host: optional(text) });
const asked = record<Asked>({ name: text, names: number });
const offer = record<TlsOffer>({
  over: word(['tcp', 'quic', 'udp'], 'tcp'),
  version: number,
  protocols: list(text, 16),
  ech: flag,
  ja4: optional(text),
});
const answer = record<TlsAnswer>({
  version: number,
  cipher: number,
  protocol: optional(text),
  resumed: flag,
  retried: flag,
  ja4s: text,
});
const tls = record<TlsTalk>({
  offer: optional(offer),
  answer: optional(answer),
  names: optional(list(text, 32)),
  namesAreCut: flag,
  alert: optional(record<NonNullable<TlsTalk['alert']>>({ code: number, fromOpener: flag })),
  answerMs: optional(number),
  handshakeMs: optional(number),
});
const http = record<HttpTalk>({ method: text, segment: optional(text), status: optional(number), answerMs: optional(number) });
const talk = record<Talk>({ tls: optional(tls), http: optional(http) });

const flow = fieldsOf<FlowRow>();
const FLOWS: Table<FlowRow> = {
  name: 'flows',
  most: 2000,
  columns: [
    ...trafficColumns<FlowRow>(),
    flow.seen('lastSeen'),
    flow.real('rttMs'),
    flow.plain('state'),
    flow.count('retransmits'),
    flow.ref('id'),
    flow.plain('protocol'),
    flow.plain('interface'),
    ...flow.end('local'),
    ...flow.end('remote'),
    flow.word('direction', FLOW_DIRECTIONS, 'outbound'),
    flow.text('app'),
    flow.number('pid'),
    flow.word('attribution', ATTRIBUTIONS, 'none'),
    flow.text('reason'),
    flow.text('peerApp'),
    flow.number('peerPid'),
    flow.text('onBehalfOf'),
    flow.text('host'),
    flow.word('nameSource', NAME_SOURCES, 'none'),
    flow.text('nameReason'),
    flow.text('domain'),
    flow.text('application'),
    flow.word('applicationSource', ['content', 'port', 'none'], 'none'),
    flow.text('category'),
    flow.text('country'),
    flow.number('asn'),
    flow.text('network'),
    flow.time('firstSeen'),
    flow.text('tunnel'),
    flow.json('inside', optional(inner)),
    flow.json('asked', optional(asked)),
    flow.json('talk', optional(talk)),
    flow.real('connectMs'),
    flow.flag('carries'),
    flow.flag('closed'),
  ],
};

const alert = record<Alert>({
  id: ref,
  time,
  kind: word(ALERT_KINDS, 'threshold'),
  severity: word(SEVERITIES, 'warning'),
  app: optional(text),
  exe: optional(text),
  pid: optional(number),
  user: optional(text),
  host: optional(text),
  domain: optional(text),
  text,
  details: list(text, MOST_WORDS),
  evidence: optional(text),
  held: (value) => (value === null ? null : (HELD.find((one) => one === value) ?? 'muted')),
});
/** How a column of a flow travels within an event: as JSON, and not at all where it is JSON itself. */
const SAID: Readonly<Record<Kind, Shape<Value>>> = {
  ...{ count: amount, rate: amount, flag: amount, number, real: number, text, time: moment, seen: moment },
  json: () => null,
};
const flowFields = record<Record<string, Value>>(
  Object.fromEntries(FLOWS.columns.map(({ name, kind }) => [name, optional(SAID[kind])])),
);
const flowIn: Shape<FlowRow> = (value, place) => {
  const fields = flowFields(value, place);
  const draft: Draft = { means: NO_MEANS };
  for (const { name, put } of FLOWS.columns) put(draft, fields[name] ?? null, place);
  return draft as unknown as FlowRow;
};
function flowOut(row: FlowRow): Readonly<Record<string, unknown>> {
  return Object.fromEntries(FLOWS.columns.map(({ name, kind, get }) => [name, kind === 'json' ? null : get(row)]));
}
const burst = record<FlowBurst>({
  of: word(['app', 'others', 'unlisted'], 'others'),
  reason: optional(text),
  count: amount,
  host: optional(text),
  hosts: amount,
  since: time,
  rxBytes: amount,
  txBytes: amount,
});
const event = record<NetEvent>({
  id: ref,
  time,
  kind: word(EVENT_KINDS, 'warning'),
  text,
  app: optional(text),
  domain: optional(text),
  interface: optional(text),
  flow: optional(flowIn),
  burst: optional(burst),
});
const sentEvents = new WeakMap<NetEvent, object>();
/** An event as it is sent, made once. */
function eventOut(one: NetEvent): object {
  if (one.flow === null) return one;
  const known = sentEvents.get(one) ?? { ...one, flow: flowOut(one.flow) };
  sentEvents.set(one, known);
  return known;
}
const resolver = record<ResolverRow>({
  id: ref,
  address: text,
  transport: word(DNS_TRANSPORTS, 'udp'),
  questions: number,
  answered: number,
  failed: number,
  missing: number,
  unanswered: number,
  medianMs: optional(number),
  slowMs: optional(number),
  recentMs: optional(number),
  recentSlowMs: optional(number),
  recent: number,
  lastSeen: time,
});
const encrypted = record<EncryptedDnsRow>({
  id: ref,
  app: optional(text),
  reason: optional(text),
  host: text,
  transport: word(['tls', 'https', 'quic'], 'tls'),
  connections: number,
  rxBytes: number,
  txBytes: number,
  lastSeen: time,
});
const listener = record<ListenerRow>({
  id: ref,
  protocol: word(['tcp', 'udp'], 'tcp'),
  address: text,
  port: number,
  reach: word(REACHES, 'everywhere'),
  app: optional(text),
  exe: optional(text),
  pid: optional(number),
  user: optional(text),
  unit: optional(text),
  container: optional(container),
  startedAt: optional(time),
  since: optional(time),
  elsewhere: flag,
  accepted: optional(number),
  lastFrom: optional(text),
  lastAt: optional(time),
});

/** A table of rows that change as a whole, if at all. */
function whole<Row extends { readonly id: string }>(
  name: string,
  most: number,
  shape: Shape<Row>,
  out: (row: Row) => object = (row) => row,
): Table<Row> {
  const row = (draft: Draft, value: Value, place: Place) =>
    Object.assign(draft, parsed(typeof value === 'string' ? value : 'null', shape, place));
  return { name, most, columns: [column('row', 'json', out, row)] };
}

const question = fieldsOf<DnsRow>();
const QUESTIONS: Table<DnsRow> = {
  name: 'questions',
  most: 2000,
  columns: [
    question.number('tries'),
    question.plain('result'),
    question.real('tookMs'),
    question.plain('answer'),
    question.number('answerCount'),
    question.ref('id'),
    question.time('time'),
    question.plain('name'),
    question.text('domain'),
    question.plain('type'),
    question.text('app'),
    question.number('pid'),
    question.text('reason'),
    question.text('onBehalfOf'),
    ...question.end('resolver'),
    question.word('transport', DNS_TRANSPORTS, 'udp'),
    question.plain('interface'),
    question.word('direction', FLOW_DIRECTIONS, 'outbound'),
  ],
};

/** What a machine says of its capture, beyond figures. */
export interface MachineNote {
  readonly driver: string;
  readonly interfaces: readonly string[];
  readonly attribution: string;
  readonly countedNote: string;
  readonly fallbacks: readonly Fallback[];
  readonly note: string;
  readonly reverseDns: boolean;
  readonly privileges: PrivilegeStatus | null;
  /** Whether it records; null if it doesn't. */
  readonly recording: 'recording' | 'busy' | 'failing' | null;
  readonly gaps: Snapshot['gaps'];
}

const note = record<MachineNote>({
  driver: text,
  interfaces: list(text, MOST_WORDS),
  attribution: text,
  countedNote: text,
  fallbacks: list(record<Fallback>({ driver: text, reason: text }), 16),
  note: text,
  reverseDns: flag,
  privileges: optional(
    record<PrivilegeStatus>({ user: text, uid: number, dropped: flag, kept: list(text, MOST_WORDS), note: text }),
  ),
  recording: optional(word(['recording', 'busy', 'failing'], 'failing')),
  gaps: list(
    record<Snapshot['gaps'][number]>({
      from: time,
      to: time,
      reason: word(['sleep', 'clock', 'loss', 'interface'], 'loss'),
      detail: text,
    }),
    16,
  ),
});

function noteOf({ capture, gaps }: Snapshot): MachineNote {
  const { driver, interfaces, attribution, countedNote, fallbacks, reverseDns, privileges, history } = capture;
  return {
    ...{ driver, interfaces, attribution, countedNote, fallbacks, reverseDns, privileges, gaps },
    note: capture.note,
    recording: history?.state ?? null,
  };
}

const nearEnd = record<NearEnd>({ ms: optional(number), share: number, isBad: flag });
/** A diagnosis is a kind and figures: those that a kind doesn't have are left out. */
const diagnosis: Shape<Snapshot['diagnoses'][number]> = (value, place) => {
  const all = record<Record<string, unknown>>({
    kind: text,
    interface: optional(text),
    resolver: optional(text),
    host: optional(text),
    count: optional(number),
    of: optional(number),
    share: optional(number),
    othersShare: optional(number),
    hosts: optional(number),
    ms: optional(number),
    leastMs: optional(number),
    othersMs: optional(number),
    failed: optional(number),
    unanswered: optional(number),
    near: optional(nearEnd),
    link: optional(link),
  })(value, place);
  return all as unknown as Snapshot['diagnoses'][number];
};

/** Figures that a machine has once, by the name of their column. */
const FIGURES: Readonly<Record<string, (snapshot: Snapshot) => number | null>> = {
  unowned: ({ total }) => total.unownedBytes,
  passing: ({ total }) => total.passingBytes,
  packets: ({ capture }) => capture.packets,
  frameBytes: ({ capture }) => capture.frameBytes,
  counted: ({ capture }) => capture.countedFrameBytes,
  countedInterface: ({ capture }) => capture.countedInterfaceBytes,
  interfaceBytes: ({ capture }) => capture.interfaceBytes,
  dropped: ({ capture }) => capture.dropped,
  interfaceDropped: ({ capture }) => capture.interfaceDropped,
  shed: ({ capture }) => capture.shed,
  undecoded: ({ capture }) => capture.undecoded,
  truncated: ({ capture }) => capture.truncated,
  malformed: ({ capture }) => capture.malformed,
  unsupported: ({ capture }) => capture.unsupported,
  flowCount: ({ flowCount }) => flowCount,
  evicted: ({ flowsEvicted }) => flowsEvicted,
  questions: ({ dns }) => dns.count,
  missed: ({ dns }) => dns.missed,
  unasked: ({ dns }) => dns.unasked,
};

const machine = fieldsOf<MachineRow>();
const jsonOf = <T>(name: string, get: (snapshot: Snapshot) => T, shape: Shape<T>): Column<MachineRow> =>
  column(
    name,
    'json',
    ({ snapshot }) => get(snapshot),
    (draft, value, place) => {
      draft[name] = parsed(typeof value === 'string' ? value : 'null', shape, place);
    },
  );
const MACHINE: Table<MachineRow> = {
  name: 'machine',
  most: 1,
  columns: [
    ...trafficColumns<MachineRow>(),
    ...Object.entries(FIGURES).map(([name, get]) =>
      column<MachineRow>(
        name,
        'number',
        ({ snapshot }) => get(snapshot),
        (draft, value) => {
          const figure = numberOf(value);
          if (figure !== null && figure < 0) throw new StreamFault(`${name} is below zero`);
          draft[name] = figure;
        },
      ),
    ),
    machine.ref('id'),
    column<MachineRow>(
      'started',
      'time',
      ({ snapshot }) => snapshot.started,
      (draft, value, { shift }) => {
        draft['started'] = shifted(numberOf(value) ?? 0, shift);
      },
    ),
    jsonOf('note', noteOf, note),
    jsonOf('diagnoses', ({ diagnoses }) => diagnoses, list(diagnosis, 16)),
  ],
};

/** What a reader has of a machine as a whole: its traffic, and each column of MACHINE under its name. */
export interface MachineFacts extends Traffic {
  readonly started: number;
  readonly note: MachineNote;
  readonly diagnoses: Snapshot['diagnoses'];
  readonly [figure: string]: unknown;
}

/** All tables, in the order in which they travel. A row of branches names rows of apps and hosts. */
export const TABLES = {
  machine: MACHINE,
  apps: APPS,
  hosts: HOSTS,
  branches: BRANCHES,
  categories: CATEGORIES,
  interfaces: INTERFACES,
  flows: FLOWS,
  events: whole('events', 500, event, eventOut),
  alerts: whole('alerts', 500, alert),
  questions: QUESTIONS,
  resolvers: whole('resolvers', 256, resolver),
  encrypted: whole('encrypted', 256, encrypted),
  listeners: whole('listeners', 1000, listener),
} as const;
export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** Rows of a snapshot for a table. */
export function rowsOf(snapshot: Snapshot, name: TableName): readonly { readonly id: string }[] {
  switch (name) {
    case 'machine':
      return [{ ...snapshot.total, id: '', snapshot } as MachineRow];
    case 'questions':
      return snapshot.dns.questions;
    case 'resolvers':
    case 'encrypted':
      return snapshot.dns[name];
    case 'branches':
    case 'listeners':
      return snapshot[name] ?? [];
    default:
      return snapshot[name];
  }
}
