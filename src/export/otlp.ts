// Metrics, closed connections and alerts as requests of OTLP over HTTP, protobuf (opentelemetry.io/docs/specs/otlp; opentelemetry-proto 1.x). Names
// are those of the semantic conventions where they have one.

import type { Alert, Severity } from '../model/alert.ts';
import type { Refused } from '../model/export.ts';
import type { LoggedFlow } from '../model/history-batch.ts';
import { METRICS, type Metric, type MetricName, type MetricSample, type MetricSet } from '../model/metrics.ts';
import { sanitize } from '../net/text.ts';
import { ProtobufWriter, protobufFields } from './protobuf.ts';

/** Characters of a receiver's reason that are kept. */
const LONGEST_WHY = 200;

/** Headers besides those of any POST. */
export const OTLP_HEADERS = { 'content-type': 'application/x-protobuf' } as const;
/** Where a receiver takes each, below its address. */
export const OTLP_PATHS = { metrics: '/v1/metrics', logs: '/v1/logs' } as const;

/** The machine that it is about. */
export interface OtlpResource {
  readonly hostId: string;
  /** null unless the user wants it to be sent. */
  readonly hostName: string | null;
  /** `linux` or `darwin`. */
  readonly os: string;
  readonly version: string;
}

/** Cumulative samples of a moment, and since when they count. */
export interface OtlpSet extends MetricSet {
  /** Epoch ms. */
  readonly since: number;
}

const SCOPE = 'netmon-tui';
const SCHEMA = 'https://opentelemetry.io/schemas/1.44.0';
const CUMULATIVE = 2;
/** Fields (opentelemetry/proto/*.proto). */
const REQUEST = { RESOURCE: 1 } as const;
const GROUP = { RESOURCE: 1, SCOPED: 2, SCHEMA: 3 } as const;
const SCOPED = { SCOPE: 1, RECORDS: 2 } as const;
const METRIC = { NAME: 1, DESCRIPTION: 2, UNIT: 3, GAUGE: 5, SUM: 7, HISTOGRAM: 9 } as const;
const DATA = { POINTS: 1, TEMPORALITY: 2, MONOTONIC: 3 } as const;
const POINT = { START: 2, TIME: 3, DOUBLE: 4, INTEGER: 6, ATTRIBUTES: 7 } as const;
const HISTOGRAM = { START: 2, TIME: 3, COUNT: 4, SUM: 5, ATTRIBUTES: 9 } as const;
const RECORD = { TIME: 1, SEVERITY: 2, SEVERITY_TEXT: 3, BODY: 5, ATTRIBUTES: 6, OBSERVED: 11, EVENT: 12 } as const;
const ATTRIBUTE = { KEY: 1, VALUE: 2 } as const;
const VALUE = { TEXT: 1, INTEGER: 3, LIST: 5 } as const;
const SEVERITY: Readonly<Record<Severity, readonly [number, string]>> = {
  info: [9, 'INFO'],
  warning: [13, 'WARN'],
  critical: [17, 'ERROR'],
};

type AttributeValue = string | number | readonly string[] | null;
type Attributes = Readonly<Record<string, AttributeValue>>;

/** An ExportMetricsServiceRequest. */
export function otlpMetrics(sets: readonly OtlpSet[], resource: OtlpResource): Uint8Array {
  const families = new Map<MetricName, [OtlpSet, MetricSample][]>();
  for (const set of sets)
    for (const sample of set.samples) {
      const family = families.get(sample.metric);
      if (family === undefined) families.set(sample.metric, [[set, sample]]);
      else family.push([set, sample]);
    }
  const message = new ProtobufWriter();
  request(message, resource, () => {
    for (const [name, family] of families) writeMetric(message, METRICS[name], family);
  });
  return message.bytes;
}

/** A closed connection or an alert, on its way to a log. */
export interface OtlpRecord {
  readonly record: LoggedFlow | Alert;
  /** The same for each repetition of the same record, and for nothing else: `log.record.uid`. */
  readonly uid: string;
}

/** An ExportLogsServiceRequest. @param observed when the records were handed over, epoch ms */
export function otlpLogs(records: readonly OtlpRecord[], observed: number, resource: OtlpResource): Uint8Array {
  const message = new ProtobufWriter();
  request(message, resource, () => {
    for (const { record, uid } of records) {
      if ('severity' in record) {
        const { time, severity, text } = record;
        writeRecord(
          message,
          { time, observed, event: 'netmon.alert', severity, body: text },
          { ...alertAttributes(record), ...uidOf(uid) },
        );
      } else {
        const head = { time: record.end, observed, event: 'network.flow', severity: 'info', body: null } as const;
        writeRecord(message, head, { ...flowAttributes(record), ...uidOf(uid) });
      }
    }
  });
  return message.bytes;
}

const uidOf = (uid: string): Attributes => ({ 'log.record.uid': uid });

function request(message: ProtobufWriter, { hostId, hostName, os, version }: OtlpResource, records: () => void): void {
  message.message(REQUEST.RESOURCE, () => {
    message.message(GROUP.RESOURCE, () =>
      attributes(message, 1, {
        'service.name': SCOPE,
        'service.version': version,
        'service.instance.id': hostId,
        'host.id': hostId,
        'host.name': hostName,
        'os.type': os,
      }),
    );
    message.message(GROUP.SCOPED, () => {
      message.message(SCOPED.SCOPE, () => {
        message.text(1, SCOPE);
        message.text(2, version);
      });
      records();
    });
    message.text(GROUP.SCHEMA, SCHEMA);
  });
}

function writeMetric(message: ProtobufWriter, metric: Metric, family: readonly (readonly [OtlpSet, MetricSample])[]): void {
  const { otel, help, type } = metric;
  if (otel === null) return;
  message.message(SCOPED.RECORDS, () => {
    message.text(METRIC.NAME, otel.name);
    message.text(METRIC.DESCRIPTION, help);
    message.text(METRIC.UNIT, otel.unit);
    const field = { gauge: METRIC.GAUGE, counter: METRIC.SUM, summary: METRIC.HISTOGRAM }[type];
    message.message(field, () => {
      for (const [set, sample] of family) writePoint(message, metric, set, sample);
      if (type !== 'gauge') message.integer(DATA.TEMPORALITY, CUMULATIVE);
      if (type === 'counter') message.integer(DATA.MONOTONIC, 1);
    });
  });
}

function writePoint(message: ProtobufWriter, { otel, type }: Metric, set: OtlpSet, { labels, value, count }: MetricSample): void {
  const named: Attributes = Object.fromEntries(otel?.attributes.map((name, i) => [name, labels[i] ?? '']) ?? []);
  message.message(DATA.POINTS, () => {
    if (type !== 'gauge') message.fixed64(POINT.START, nanoseconds(set.since));
    message.fixed64(POINT.TIME, nanoseconds(set.time));
    if (type === 'summary') {
      // A histogram without buckets: a count and a sum that can be added over machines.
      message.fixed64(HISTOGRAM.COUNT, BigInt(count ?? 0));
      message.double(HISTOGRAM.SUM, value);
      attributes(message, HISTOGRAM.ATTRIBUTES, named);
      return;
    }
    if (type === 'counter' && Number.isSafeInteger(value)) message.fixed64(POINT.INTEGER, BigInt(value));
    else message.double(POINT.DOUBLE, value);
    attributes(message, POINT.ATTRIBUTES, named);
  });
}

/** What every record has. */
interface RecordHead {
  /** Epoch ms. */
  readonly time: number;
  readonly observed: number;
  readonly event: string;
  readonly severity: Severity;
  readonly body: string | null;
}

function writeRecord(message: ProtobufWriter, { time, observed, event, severity, body }: RecordHead, named: Attributes): void {
  const [number, word] = SEVERITY[severity];
  message.message(SCOPED.RECORDS, () => {
    message.fixed64(RECORD.TIME, nanoseconds(time));
    message.integer(RECORD.SEVERITY, number);
    message.text(RECORD.SEVERITY_TEXT, word);
    if (body !== null) message.message(RECORD.BODY, () => message.text(VALUE.TEXT, body));
    attributes(message, RECORD.ATTRIBUTES, named);
    message.fixed64(RECORD.OBSERVED, nanoseconds(observed));
    message.text(RECORD.EVENT, event);
  });
}

/** A connection from the end that opened it to the other. Nothing official names the bytes of a flow; these are Mermin's names. */
function flowAttributes(flow: LoggedFlow): Attributes {
  const isInbound = flow.direction === 'inbound';
  const [local, remote] = [
    [flow.localAddress, flow.localPort],
    [flow.remoteAddress, flow.remotePort],
  ] as const;
  const [source, destination] = isInbound ? [remote, local] : [local, remote];
  const [bytes, reverseBytes] = isInbound ? [flow.rxBytes, flow.txBytes] : [flow.txBytes, flow.rxBytes];
  const [packets, reversePackets] = isInbound ? [flow.rxPackets, flow.txPackets] : [flow.txPackets, flow.rxPackets];
  return {
    'source.address': source[0],
    'source.port': source[1],
    'destination.address': destination[0],
    'destination.port': destination[1],
    'server.address': isInbound ? null : flow.host,
    'client.address': isInbound ? flow.host : null,
    'network.transport': flow.protocol,
    'network.protocol.name': flow.application?.toLowerCase() ?? null,
    'network.interface.name': flow.interface,
    'process.executable.name': flow.app,
    'process.executable.path': flow.exe,
    'process.pid': flow.pid,
    'process.user.name': flow.user,
    'flow.bytes.total': bytes,
    'flow.reverse.bytes.total': reverseBytes,
    'flow.packets.total': packets,
    'flow.reverse.packets.total': reversePackets,
    'netmon.flow.duration_ms': Math.max(0, Math.round(flow.end - flow.start)),
    'netmon.direction': flow.direction,
    'netmon.category': flow.category,
    'netmon.domain': flow.domain,
    'netmon.attribution': flow.attribution,
    'container.name': flow.container?.container ?? null,
    'container.image.name': flow.container?.image ?? null,
    'k8s.pod.name': flow.container?.pod ?? null,
    'k8s.namespace.name': flow.container?.namespace ?? null,
    'netmon.container.project': flow.container?.project ?? null,
    'netmon.reason': flow.reason,
  };
}

function alertAttributes(alert: Alert): Attributes {
  return {
    'netmon.alert.id': alert.id,
    'netmon.alert.kind': alert.kind,
    'netmon.alert.details': alert.details,
    'netmon.alert.held': alert.held,
    'process.executable.name': alert.app,
    'process.executable.path': alert.exe,
    'process.pid': alert.pid,
    'user.name': alert.user,
    'server.address': alert.host,
    'netmon.domain': alert.domain,
  };
}

/** Attributes that are known; an empty text is not known either. */
function attributes(message: ProtobufWriter, field: number, named: Attributes): void {
  for (const [key, value] of Object.entries(named)) {
    if (value === null || value === '') continue;
    message.message(field, () => {
      message.text(ATTRIBUTE.KEY, key);
      message.message(ATTRIBUTE.VALUE, () => {
        if (typeof value === 'string') message.text(VALUE.TEXT, value);
        else if (typeof value === 'number') message.integer(VALUE.INTEGER, value);
        else
          message.message(VALUE.LIST, () => {
            for (const one of value) message.message(1, () => message.text(VALUE.TEXT, one));
          });
      });
    });
  }
}

/** @param time epoch ms */
function nanoseconds(time: number): bigint {
  return BigInt(Math.max(0, Math.round(time))) * 1_000_000n;
}

/**
 * What a receiver refused of a message that it took otherwise, from its answer: field 1, partial_success, has the number refused in field 1 and a message
 * in field 2. null for nothing, and for an answer that can't be read. (opentelemetry.io/docs/specs/otlp, "Partial Success")
 */
export function otlpRefused(answer: Uint8Array): Refused | null {
  const partial = protobufFields(answer)?.get(1);
  const fields = partial instanceof Uint8Array ? protobufFields(partial) : null;
  const [count, why] = [fields?.get(1), fields?.get(2)];
  if (typeof count !== 'number' || count <= 0) return null;
  return { count, why: why instanceof Uint8Array ? sanitize(new TextDecoder().decode(why)).slice(0, LONGEST_WHY) : '' };
}
