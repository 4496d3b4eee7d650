// Encodes a HistoryBatch as JSON and back: each text once, numbers in rows. A journal may be forged: decoding checks everything.

import { ALERT_KINDS, type Alert, type AlertDelivery, HELD, SEVERITIES } from '../../model/alert.ts';
import { DNS_TRANSPORTS, type RecordedEncrypted, type RecordedQuestion } from '../../model/dns.ts';
import { type ExportMark, type ExportRecords, PUSH_ENGINES } from '../../model/export.ts';
import type { DnsRecords, HistoryBatch, HistoryEntry, LoggedFlow, WatchRecords } from '../../model/history-batch.ts';
import { ATTRIBUTIONS, type ContainerNames, ENCRYPTED_TRANSPORTS, FLOW_DIRECTIONS, NAME_SOURCES } from '../../model/terms.ts';
import { CONTACT_KINDS, type FirstContact } from '../../model/watch.ts';

/**
 * `m` minute, `u` flows that the log lacks, `s` texts.
 *
 * `e`, 14 numbers an entry: app, reason, exe, host, domain, category, interface, protocol (1 + place in `s`, 0 is null), direction (place
 * in FLOW_DIRECTIONS), RX and TX bytes, RX and TX packets, flows.
 *
 * `f`, 23 numbers a flow: start, end - start, protocol, local address, port, remote address, port, direction, interface, app, reason, exe,
 * pid + 1, attribution, host, name source, domain, application, category, RX and TX bytes, RX and TX packets.
 *
 * `k`, absent if no process ran in a container: 6 numbers for each that did: which entry or flow (flows are counted on after the entries), container,
 * image, pod, namespace, project.
 *
 * `o`, absent if no flow's user is known: the user of each flow.
 *
 * `w`, absent if the watch adds nothing: `a`, 14 numbers an alert: id, time, kind, severity, app, exe, pid + 1, user, host, domain, text,
 * evidence, 1 + place in HELD, number of details; `d`, the details of all of them; `c`, 4 a contact: kind, time, app, name; `t`, 4 a delivery:
 * id, sink, time, failure.
 *
 * `q`, absent if nothing was asked of DNS: `n`, how many more there were; `r`, 18 numbers a question: time, name, domain, type, app, pid + 1, reason,
 * app on whose behalf, resolver, port, transport (place in DNS_TRANSPORTS), interface, direction, result, answers, their number,
 * microseconds + 1, tries; `h`, 8 a row of encrypted DNS: minute, app, reason, host, transport (place in ENCRYPTED_TRANSPORTS), connections, RX and TX
 * bytes.
 *
 * `x`, absent without exports: `c`, nothing, or run and minute of a cut; `m`, 4 numbers a mark: engine, cut, section, after.
 */
interface Coded {
  readonly m: number;
  readonly u: number;
  readonly s: readonly string[];
  readonly e: readonly number[];
  readonly f: readonly number[];
  readonly k?: readonly number[];
  readonly o?: readonly number[];
  readonly w?: CodedWatch;
  readonly q?: CodedDns;
  readonly x?: CodedExports;
}

interface CodedExports {
  readonly c: readonly number[];
  readonly m: readonly number[];
}

interface CodedDns {
  readonly n: number;
  readonly r: readonly number[];
  readonly h: readonly number[];
}

interface CodedWatch {
  readonly a: readonly number[];
  readonly d: readonly number[];
  readonly c: readonly number[];
  readonly t: readonly number[];
}

const ENTRY = 14;
const FLOW = 23;
const CONTAINED = 6;
const ALERT = 14;
const CONTACT = 4;
const DELIVERY = 4;
const QUESTION = 18;
const ENCRYPTED = 8;
const CUT = 2;
const MARK = 4;
/** UTF-16 units of a text; the sanitiser cuts at the same length. */
const LONGEST_TEXT = 512;

/** Texts by their first use, each once. */
class Texts {
  readonly list: string[] = [];
  readonly #places = new Map<string, number>();

  place(text: string | null): number {
    if (text === null) return 0;
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.list.push(text.slice(0, LONGEST_TEXT));
    this.#places.set(text, place);
    return place;
  }
}

/** The batch as JSON. */
export function encodeBatch(batch: HistoryBatch): string {
  const texts = new Texts();
  const at = (text: string | null) => texts.place(text);
  const e: number[] = [];
  for (const entry of batch.entries) {
    e.push(at(entry.app), at(entry.reason), at(entry.exe), at(entry.host), at(entry.domain), at(entry.category));
    e.push(at(entry.interface), at(entry.protocol), FLOW_DIRECTIONS.indexOf(entry.direction));
    e.push(entry.rxBytes, entry.txBytes, entry.rxPackets, entry.txPackets, entry.flows);
  }
  const f: number[] = [];
  for (const flow of batch.flows) {
    f.push(flow.start, flow.end - flow.start, at(flow.protocol), at(flow.localAddress), flow.localPort);
    f.push(at(flow.remoteAddress), flow.remotePort, FLOW_DIRECTIONS.indexOf(flow.direction), at(flow.interface));
    f.push(at(flow.app), at(flow.reason), at(flow.exe), (flow.pid ?? -1) + 1, ATTRIBUTIONS.indexOf(flow.attribution));
    f.push(at(flow.host), NAME_SOURCES.indexOf(flow.nameSource), at(flow.domain), at(flow.application), at(flow.category));
    f.push(flow.rxBytes, flow.txBytes, flow.rxPackets, flow.txPackets);
  }
  const k: number[] = [];
  for (const [place, { container }] of [...batch.entries, ...batch.flows].entries())
    if (container !== null)
      k.push(
        place,
        at(container.container),
        at(container.image),
        at(container.pod),
        at(container.namespace),
        at(container.project),
      );
  const o = batch.flows.some(({ user }) => user !== null) ? { o: batch.flows.map(({ user }) => at(user)) } : {};
  const w = batch.watch === undefined ? {} : { w: encodeWatch(batch.watch, at) };
  const q = batch.dns === undefined ? {} : { q: encodeDns(batch.dns, at) };
  const x = batch.exports === undefined ? {} : { x: encodeExports(batch.exports, at) };
  const coded: Coded = {
    m: batch.minute,
    u: batch.unlogged,
    s: texts.list,
    e,
    f,
    ...(k.length === 0 ? {} : { k }),
    ...o,
    ...w,
    ...q,
    ...x,
  };
  return JSON.stringify(coded);
}

function encodeDns({ questions, missed, encrypted }: DnsRecords, at: (text: string | null) => number): CodedDns {
  const r: number[] = [];
  for (const row of questions) {
    r.push(row.time, at(row.name), at(row.domain), at(row.type), at(row.app), (row.pid ?? -1) + 1, at(row.reason));
    r.push(at(row.onBehalfOf), at(row.resolver.address), row.resolver.port, DNS_TRANSPORTS.indexOf(row.transport));
    r.push(at(row.interface), FLOW_DIRECTIONS.indexOf(row.direction), at(row.result), at(row.answer));
    r.push(row.answerCount, row.tookMs === null ? 0 : Math.round(row.tookMs * 1000) + 1, row.tries);
  }
  const h: number[] = [];
  for (const { minute, app, reason, host, transport, connections, rxBytes, txBytes } of encrypted)
    h.push(minute, at(app), at(reason), at(host), ENCRYPTED_TRANSPORTS.indexOf(transport), connections, rxBytes, txBytes);
  return { n: missed, r, h };
}

function encodeExports({ cut, marks }: ExportRecords, at: (text: string | null) => number): CodedExports {
  const m = marks.flatMap(({ engine, cut: number, section, after }) => [at(engine), number, section, after]);
  return { c: cut === null ? [] : [cut.run, cut.minute], m };
}

function encodeWatch({ alerts, contacts, deliveries }: WatchRecords, at: (text: string | null) => number): CodedWatch {
  const a: number[] = [];
  const d: number[] = [];
  for (const alert of alerts) {
    a.push(at(alert.id), alert.time, ALERT_KINDS.indexOf(alert.kind), SEVERITIES.indexOf(alert.severity));
    a.push(at(alert.app), at(alert.exe), (alert.pid ?? -1) + 1, at(alert.user), at(alert.host), at(alert.domain));
    a.push(at(alert.text), at(alert.evidence), alert.held === null ? 0 : HELD.indexOf(alert.held) + 1, alert.details.length);
    d.push(...alert.details.map(at));
  }
  const c = contacts.flatMap(({ kind, time, app, name }) => [CONTACT_KINDS.indexOf(kind), time, at(app), at(name)]);
  const t = deliveries.flatMap(({ id, sink, time, failure }) => [at(id), at(sink), time, at(failure)]);
  return { a, d, c, t };
}

/** Decodes what `encodeBatch` made; null for any other text. */
export function decodeBatch(text: string): HistoryBatch | null {
  const coded = parsed(text);
  if (coded === null) return null;
  const { m: minute, u: unlogged, e, f } = coded;
  const containers = containersOf(coded);
  const entries: HistoryEntry[] = [];
  for (let at = 0; at < e.length; at += ENTRY) entries.push(entryAt(coded, at, containers));
  const flows: LoggedFlow[] = [];
  for (let at = 0; at < f.length; at += FLOW) flows.push(flowAt(coded, at, containers));
  return {
    ...{ minute, entries, flows, unlogged },
    ...(coded.w === undefined ? {} : { watch: watchOf(coded.s, coded.w) }),
    ...(coded.q === undefined ? {} : { dns: dnsOf(coded.s, coded.q) }),
    ...(coded.x === undefined ? {} : { exports: exportsOf(coded.s, coded.x) }),
  };
}

function parsed(text: string): Coded | null {
  let value: Partial<Record<keyof Coded, unknown>> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return null;
  }
  const { m, u, s, e, f, k, o, w, q, x } = value ?? {};
  const isNumber = (one: unknown) => typeof one === 'number' && Number.isFinite(one);
  const isRows = (list: unknown, width: number) => Array.isArray(list) && list.length % width === 0 && list.every(isNumber);
  const isTexts = Array.isArray(s) && s.every((one) => typeof one === 'string' && one.length <= LONGEST_TEXT);
  const { a, d, c, t } = (w ?? {}) as Partial<Record<keyof CodedWatch, unknown>>;
  const isWatch = w === undefined || (isRows(a, ALERT) && isRows(d, 1) && isRows(c, CONTACT) && isRows(t, DELIVERY));
  const { n, r, h } = (q ?? {}) as Partial<Record<keyof CodedDns, unknown>>;
  const isAsked = q === undefined || (isNumber(n) && isRows(r, QUESTION) && isRows(h, ENCRYPTED));
  const { c: cut, m: marks } = (x ?? {}) as Partial<Record<keyof CodedExports, unknown>>;
  const isExported = x === undefined || (isRows(cut, CUT) && isRows(marks, MARK));
  const isPlaced = (k === undefined || isRows(k, CONTAINED)) && (o === undefined || isRows(o, 1));
  const isWhole =
    isAsked && isExported && isPlaced && isNumber(m) && isNumber(u) && isTexts && isRows(e, ENTRY) && isRows(f, FLOW) && isWatch;
  return isWhole ? (value as unknown as Coded) : null;
}

/** Containers by the place of the entry or flow. */
type Containers = ReadonlyMap<number, ContainerNames>;

function containersOf({ s, k = [] }: Coded): Containers {
  const containers = new Map<number, ContainerNames>();
  for (let at = 0; at < k.length; at += CONTAINED) {
    const text = (column: number) => s[(k[at + column] as number) - 1] ?? null;
    const names = { container: text(1) ?? '', image: text(2), pod: text(3), namespace: text(4), project: text(5) };
    containers.set(k[at] as number, names);
  }
  return containers;
}

function entryAt({ s, e }: Coded, at: number, containers: Containers): HistoryEntry {
  const number = (column: number) => e[at + column] as number;
  const text = (column: number) => s[number(column) - 1] ?? null;
  return {
    app: text(0),
    reason: text(1),
    exe: text(2),
    host: text(3),
    domain: text(4),
    category: text(5),
    interface: text(6) ?? '',
    protocol: text(7) ?? '',
    direction: FLOW_DIRECTIONS[number(8)] ?? 'transit',
    container: containers.get(at / ENTRY) ?? null,
    rxBytes: number(9),
    txBytes: number(10),
    rxPackets: number(11),
    txPackets: number(12),
    flows: number(13),
  };
}

function flowAt({ s, e, f, o = [] }: Coded, at: number, containers: Containers): LoggedFlow {
  const number = (column: number) => f[at + column] as number;
  const text = (column: number) => s[number(column) - 1] ?? null;
  return {
    start: number(0),
    end: number(0) + number(1),
    protocol: text(2) ?? '',
    localAddress: text(3) ?? '',
    localPort: number(4),
    remoteAddress: text(5) ?? '',
    remotePort: number(6),
    direction: FLOW_DIRECTIONS[number(7)] ?? 'transit',
    interface: text(8) ?? '',
    app: text(9),
    reason: text(10),
    exe: text(11),
    pid: number(12) === 0 ? null : number(12) - 1,
    user: s[(o[at / FLOW] ?? 0) - 1] ?? null,
    attribution: ATTRIBUTIONS[number(13)] ?? 'none',
    host: text(14),
    nameSource: NAME_SOURCES[number(15)] ?? 'none',
    domain: text(16),
    application: text(17),
    category: text(18),
    container: containers.get(e.length / ENTRY + at / FLOW) ?? null,
    rxBytes: number(19),
    txBytes: number(20),
    rxPackets: number(21),
    txPackets: number(22),
  };
}

function watchOf(texts: readonly string[], { a, d, c, t }: CodedWatch): WatchRecords {
  const text = (place: number | undefined) => texts[(place ?? 0) - 1] ?? null;
  const alerts: Alert[] = [];
  let details = 0;
  for (let at = 0; at < a.length; at += ALERT) {
    const number = (column: number) => a[at + column] as number;
    const count = Math.max(0, Math.trunc(number(13)));
    alerts.push({
      id: text(number(0)) ?? '',
      time: number(1),
      kind: ALERT_KINDS[number(2)] ?? 'threshold',
      severity: SEVERITIES[number(3)] ?? 'info',
      app: text(number(4)),
      exe: text(number(5)),
      pid: number(6) === 0 ? null : number(6) - 1,
      user: text(number(7)),
      host: text(number(8)),
      domain: text(number(9)),
      text: text(number(10)) ?? '',
      details: d.slice(details, details + count).map((place) => text(place) ?? ''),
      evidence: text(number(11)),
      held: HELD[number(12) - 1] ?? null,
    });
    details += count;
  }
  const contacts: FirstContact[] = [];
  for (let at = 0; at < c.length; at += CONTACT) {
    const kind = CONTACT_KINDS[c[at] as number];
    if (kind === undefined) continue;
    contacts.push({ kind, time: c[at + 1] as number, app: text(c[at + 2]) ?? '', name: text(c[at + 3]) ?? '' });
  }
  const deliveries: AlertDelivery[] = [];
  for (let at = 0; at < t.length; at += DELIVERY)
    deliveries.push({ id: text(t[at]) ?? '', sink: text(t[at + 1]) ?? '', time: t[at + 2] as number, failure: text(t[at + 3]) });
  return { alerts, contacts, deliveries };
}

function dnsOf(texts: readonly string[], { n, r, h }: CodedDns): DnsRecords {
  const questions: RecordedQuestion[] = [];
  for (let at = 0; at < r.length; at += QUESTION) {
    const number = (column: number) => r[at + column] as number;
    const text = (column: number) => texts[number(column) - 1] ?? null;
    questions.push({
      time: number(0),
      name: text(1) ?? '',
      domain: text(2),
      type: text(3) ?? '',
      app: text(4),
      pid: number(5) === 0 ? null : number(5) - 1,
      reason: text(6),
      onBehalfOf: text(7),
      resolver: { address: text(8) ?? '', port: number(9) },
      transport: DNS_TRANSPORTS[number(10)] ?? 'udp',
      interface: text(11) ?? '',
      direction: FLOW_DIRECTIONS[number(12)] ?? 'outbound',
      result: text(13) ?? '',
      answer: text(14) ?? '',
      answerCount: number(15),
      tookMs: number(16) === 0 ? null : (number(16) - 1) / 1000,
      tries: number(17),
    });
  }
  const encrypted: RecordedEncrypted[] = [];
  for (let at = 0; at < h.length; at += ENCRYPTED) {
    const number = (column: number) => h[at + column] as number;
    const text = (column: number) => texts[number(column) - 1] ?? null;
    encrypted.push({
      minute: number(0),
      app: text(1),
      reason: text(2),
      host: text(3) ?? '',
      transport: ENCRYPTED_TRANSPORTS[number(4)] ?? 'tls',
      connections: number(5),
      rxBytes: number(6),
      txBytes: number(7),
    });
  }
  return { questions, missed: n, encrypted };
}

function exportsOf(texts: readonly string[], { c, m }: CodedExports): ExportRecords {
  const [run, minute] = c;
  const marks: ExportMark[] = [];
  for (let at = 0; at < m.length; at += MARK) {
    const engine = PUSH_ENGINES.find((one) => one === texts[(m[at] as number) - 1]);
    if (engine === undefined) continue;
    marks.push({ engine, cut: m[at + 1] as number, section: m[at + 2] as number, after: m[at + 3] as number });
  }
  return { cut: run === undefined || minute === undefined ? null : { run, minute }, marks };
}
