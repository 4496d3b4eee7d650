// Schema 1: the objects of the JSON stream, field by field. Within a schema number fields may be added, and none changes its meaning. Every
// field is always there; null is unknown.

import type { EncryptedDnsRow, RecordedQuestion } from '../model/dns.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { PrivilegeStatus } from '../model/privileges.ts';
import type {
  AppRow,
  CaptureStatus,
  CategoryRow,
  FlowRow,
  Gap,
  HostRow,
  InterfaceRow,
  Snapshot,
  TotalRow,
  Traffic,
} from '../model/snapshot.ts';
import type { Ancestor, Container, Endpoint, InnerFlow, Process, Publisher } from '../model/terms.ts';

/** Number of the schema. It changes only if a field changes its meaning. */
export const SCHEMA = 1;

/** Lines that the writer has left out since the start because the reader was too slow. */
export interface Skipped {
  readonly samples: number;
  /** Lines of type open, close and gap. */
  readonly events: number;
}

/** RFC 3339, UTC, milliseconds; null for an invalid time. */
export function timeField(epochMs: number): string | null {
  return Math.abs(epochMs) <= 8.64e15 ? new Date(epochMs).toISOString() : null;
}

/** The fields of a sample and of the end of a run. */
export function snapshotFields(snapshot: Snapshot, skipped: Skipped): Record<string, unknown> {
  return {
    seq: snapshot.seq,
    time: timeField(snapshot.time),
    started: timeField(snapshot.started),
    interval_ms: count(snapshot.intervalMs),
    capture: captureFields(snapshot.capture, skipped),
    total: totalFields(snapshot.total),
    apps: snapshot.apps.map((app) => appFields(app, false)),
    hosts: snapshot.hosts.map(hostFields),
    categories: snapshot.categories.map(categoryFields),
    interfaces: snapshot.interfaces.map(interfaceFields),
    flows: snapshot.flows.map(flowFields),
    flows_total: count(snapshot.flowCount),
    flows_evicted: count(snapshot.flowsEvicted),
    encrypted_dns: snapshot.dns.encrypted.map(encryptedDnsFields),
    gaps: snapshot.gaps.map(gapFields),
  };
}

/** A flow with its totals. */
export function flowFields(flow: FlowRow): Record<string, unknown> {
  return {
    id: flow.id,
    protocol: flow.protocol,
    interface: flow.interface,
    local: endpointFields(flow.local),
    remote: endpointFields(flow.remote),
    direction: flow.direction,
    state: flow.state,
    app: flow.app,
    pid: flow.pid,
    attribution: flow.attribution,
    reason: flow.reason,
    peer_app: flow.peerApp,
    peer_pid: flow.peerPid,
    on_behalf_of: flow.onBehalfOf,
    host: flow.host,
    name_source: flow.nameSource,
    name_reason: flow.nameReason,
    domain: flow.domain,
    application: flow.application,
    application_source: flow.applicationSource,
    category: flow.category,
    country: flow.country,
    asn: flow.asn,
    network: flow.network,
    first_seen: timeField(flow.firstSeen),
    last_seen: timeField(flow.lastSeen),
    rtt_ms: flow.rttMs === null ? null : rounded(flow.rttMs),
    retransmits: count(flow.retransmits),
    ja4: flow.talk?.tls?.offer?.ja4 ?? null,
    ja4s: flow.talk?.tls?.answer?.ja4s ?? null,
    tunnel: flow.tunnel,
    carries: flow.carries,
    inside: flow.inside === null ? null : innerFields(flow.inside),
    ...trafficFields(flow),
  };
}

/** A question that was asked of DNS, and what became of it. */
export function dnsFields(row: RecordedQuestion): Record<string, unknown> {
  return {
    name: row.name,
    domain: row.domain,
    record_type: row.type,
    app: row.app,
    pid: row.pid,
    reason: row.reason,
    on_behalf_of: row.onBehalfOf,
    resolver: endpointFields(row.resolver),
    transport: row.transport,
    interface: row.interface,
    direction: row.direction,
    result: row.result,
    answers: row.answer === '' ? [] : row.answer.split('\n'),
    answer_count: count(row.answerCount),
    took_ms: row.tookMs === null ? null : rounded(row.tookMs),
    tries: count(row.tries),
  };
}

/** What an app moved to and from a resolver that it asks over TLS, HTTPS or QUIC. */
export function encryptedDnsFields(row: Omit<EncryptedDnsRow, 'id'>): Record<string, unknown> {
  return {
    app: row.app,
    reason: row.reason,
    resolver: row.host,
    transport: row.transport,
    connections: count(row.connections),
    rx_bytes: count(row.rxBytes),
    tx_bytes: count(row.txBytes),
    last_seen: timeField(row.lastSeen),
  };
}

/** A range of time that was not measured. */
export function gapFields(gap: Gap): Record<string, unknown> {
  return { from: timeField(gap.from), to: timeField(gap.to), reason: gap.reason, detail: gap.detail };
}

function captureFields(capture: CaptureStatus, skipped: Skipped): Record<string, unknown> {
  return {
    driver: capture.driver,
    interfaces: capture.interfaces,
    attribution: capture.attribution,
    file: capture.file,
    packets: count(capture.packets),
    frame_bytes: count(capture.frameBytes),
    dropped: count(capture.dropped),
    shed: count(capture.shed),
    undecoded: count(capture.undecoded),
    truncated: count(capture.truncated),
    malformed: count(capture.malformed),
    unsupported: count(capture.unsupported),
    interface_bytes: count(capture.interfaceBytes),
    interface_dropped: count(capture.interfaceDropped),
    counted_frame_bytes: count(capture.countedFrameBytes),
    counted_interface_bytes: count(capture.countedInterfaceBytes),
    snap_length: { bulk: count(capture.snapLength.bulk), whole: count(capture.snapLength.whole) },
    buffer_bytes: count(capture.bufferBytes),
    note: capture.note === '' ? null : capture.note,
    reverse_dns: capture.reverseDns,
    history: capture.history === null ? null : historyFields(capture.history),
    places: capture.places.map(({ path, type, built }) => ({ path, type, built })),
    places_note: capture.placesNote === '' ? null : capture.placesNote,
    privileges: privilegeFields(capture.privileges),
    fallbacks: capture.fallbacks.map(({ driver, reason }) => ({ driver, reason })),
    skipped_samples: skipped.samples,
    skipped_events: skipped.events,
  };
}

function historyFields({ state, path, note, savedAt, fileBytes }: HistoryStatus): Record<string, unknown> {
  return {
    state,
    path,
    note: note === '' ? null : note,
    saved_at: savedAt === null ? null : timeField(savedAt),
    file_bytes: count(fileBytes),
  };
}

function privilegeFields(privileges: PrivilegeStatus | null): Record<string, unknown> | null {
  if (privileges === null) return null;
  const { user, uid, dropped, kept, note } = privileges;
  return { user, uid, dropped, kept, note: note === '' ? null : note };
}

function totalFields(total: TotalRow): Record<string, unknown> {
  return { ...trafficFields(total), unowned_bytes: count(total.unownedBytes), passing_bytes: count(total.passingBytes) };
}

/** An app with its processes. @param lineage tells where each comes from, too, which the user must ask for: command lines are among it */
export function appFields(app: AppRow, lineage: boolean): Record<string, unknown> {
  return {
    app: app.app,
    reason: app.reason,
    exe: app.exe,
    pids: app.pids,
    user: app.user,
    processes: app.processes.map((each) =>
      lineage ? { ...processFields(each), lineage: lineageFields(each) } : processFields(each),
    ),
    process_count: count(app.processCount),
    flows: count(app.flows),
    first_seen: timeField(app.firstSeen),
    last_seen: timeField(app.lastSeen),
    ...trafficFields(app),
  };
}

function processFields(process: Process): Record<string, unknown> {
  const { pid, name, exe, user, parentPid, startedAt, script, unit, container } = process;
  const publisher = process.publisher === null ? null : publisherFields(process.publisher);
  const started = startedAt === null ? null : timeField(startedAt);
  const inside = container === null ? null : containerFields(container);
  return {
    pid: pid < 0 ? null : pid,
    name,
    exe,
    user,
    parent_pid: parentPid,
    started,
    script,
    unit,
    container: inside,
    publisher,
  };
}

/** A container. Its name is null if its engine's files didn't tell it, and then there is a reason. */
export function containerFields({ engine, id, container, image, pod, namespace, project, unknown }: Container) {
  return { engine, id, name: unknown === null ? container : null, image, pod, namespace, project, reason: unknown };
}

function publisherFields({ kind, name, version, by, source, note }: Publisher): Record<string, unknown> {
  return { kind, name, version, by, source, note };
}

function lineageFields({ ancestors, origin, session, terminal, command }: Process): Record<string, unknown> {
  return {
    ancestors: ancestors.map(ancestorFields),
    origin: origin === null ? null : ancestorFields(origin),
    session,
    terminal,
    command,
  };
}

function ancestorFields({ pid, name, startedAt }: Ancestor): Record<string, unknown> {
  return { pid, name, started: startedAt === null ? null : timeField(startedAt) };
}

/** A host with its addresses. */
export function hostFields(host: HostRow): Record<string, unknown> {
  return {
    host: host.host,
    reason: host.reason,
    domain: host.domain,
    name_source: host.nameSource,
    addresses: host.addresses,
    category: host.category,
    country: host.country,
    asn: host.asn,
    network: host.network,
    mac: host.mac,
    vendor: host.vendor,
    flows: count(host.flows),
    first_seen: timeField(host.firstSeen),
    last_seen: timeField(host.lastSeen),
    ...trafficFields(host),
  };
}

function categoryFields(category: CategoryRow): Record<string, unknown> {
  return { category: category.category, flows: count(category.flows), ...trafficFields(category) };
}

/** An interface with its own counters. */
export function interfaceFields(row: InterfaceRow): Record<string, unknown> {
  return {
    interface: row.interface,
    kind: row.kind,
    headline: row.isCounted,
    passing_bytes: count(row.passingBytes),
    frame_bytes: count(row.frameBytes),
    interface_bytes: count(row.counterBytes),
    interface_dropped: count(row.counterDropped),
    interface_errors: count(row.counterErrors),
    ...trafficFields(row),
  };
}

function trafficFields(traffic: Traffic): Record<string, unknown> {
  return {
    rx_bytes: count(traffic.rxBytes),
    tx_bytes: count(traffic.txBytes),
    rx_packets: count(traffic.rxPackets),
    tx_packets: count(traffic.txPackets),
    rx_rate: rounded(traffic.rxRate),
    tx_rate: rounded(traffic.txRate),
  };
}

function innerFields({ protocol, source, destination, host }: InnerFlow): Record<string, unknown> {
  return { protocol, source: endpointFields(source), destination: endpointFields(destination), host };
}

function endpointFields(endpoint: Endpoint): Record<string, unknown> {
  return { address: endpoint.address, port: endpoint.port };
}

/** An integer; null for null and for anything that is not a number. */
function count(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Math.round(value);
}

/** Three decimals: fine enough for a byte an hour, and no 0.30000000000000004 in the output. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null;
}
