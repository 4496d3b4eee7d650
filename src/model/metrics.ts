// The metrics that engines get: their names, units and meanings, in one table that encoders, documents and tests read; and samples as plain data.

import type { AlertKind, Severity } from './alert.ts';

/** Names a metric of the table. */
export type MetricName = keyof typeof METRICS;

/** What a metric is called in OpenTelemetry. */
export interface OtelNames {
  readonly name: string;
  /** UCUM, as the semantic conventions want it. */
  readonly unit: string;
  /** Attributes in place of the labels, in their order. */
  readonly attributes: readonly string[];
}

/** One metric. */
export interface Metric {
  /** Without the suffix of counters, with its unit. */
  readonly name: string;
  /** A summary has a sum and a count, and no quantiles: those of many machines can't be added. */
  readonly type: 'counter' | 'gauge' | 'summary';
  /** A part of the name; null for plain numbers. */
  readonly unit: string | null;
  readonly labels: readonly string[];
  readonly help: string;
  /** null where OpenTelemetry's messages say it elsewhere. */
  readonly otel: OtelNames | null;
}

const IO = 'network.io.direction';
const APP = 'process.executable.name';
const CATEGORY = 'netmon.category';
const INTERFACE = 'network.interface.name';
const APP_IO = { app: APP, direction: IO };
const CATEGORY_IO = { category: CATEGORY, direction: IO };
const REASSIGNED_IO = { of: 'netmon.reassigned.of', name: 'netmon.reassigned.name', direction: IO };
const INTERFACE_IO = { interface: INTERFACE, direction: IO };

function metric(
  type: Metric['type'],
  name: string,
  unit: string | null,
  labels: Readonly<Record<string, string>>,
  help: string,
  otelName: string | null,
  otelUnit: string,
): Metric {
  const otel = otelName === null ? null : { name: otelName, unit: otelUnit, attributes: Object.values(labels) };
  return { name: `netmon_${name}`, type, unit, labels: Object.keys(labels), help, otel };
}

/**
 * All metrics, in the order in which they are written. Prometheus' names follow its conventions: base units, the unit in the name, `_total` for
 * counters. OpenTelemetry's are those of the semantic conventions 1.44 where they have one.
 */
export const METRICS = {
  appBytes: metric('counter', 'app_bytes', 'bytes', APP_IO, 'Bytes that an app moved.', 'process.network.io', 'By'),
  appPackets: metric('counter', 'app_packets', 'packets', APP_IO, 'Packets that an app moved.', 'netmon.app.packets', '{packet}'),
  appConnections: metric(
    'counter',
    'app_connections_begun',
    null,
    { app: APP },
    'Connections that began.',
    'netmon.app.connections.begun',
    '{connection}',
  ),
  appOpen: metric(
    'gauge',
    'app_connections',
    null,
    { app: APP },
    'Connections that are open.',
    'netmon.app.connections',
    '{connection}',
  ),
  appRetransmits: metric(
    'counter',
    'app_retransmits',
    null,
    APP_IO,
    'TCP segments that were sent again.',
    'netmon.app.retransmits',
    '{segment}',
  ),
  appRoundTrip: metric(
    'summary',
    'app_rtt_seconds',
    'seconds',
    { app: APP },
    'TCP round trips: how many were measured, and how long they took together.',
    'netmon.app.rtt',
    's',
  ),
  categoryBytes: metric(
    'counter',
    'category_bytes',
    'bytes',
    CATEGORY_IO,
    'Bytes moved for a purpose.',
    'netmon.category.io',
    'By',
  ),
  categoryPackets: metric(
    'counter',
    'category_packets',
    'packets',
    CATEGORY_IO,
    'Packets moved for a purpose.',
    'netmon.category.packets',
    '{packet}',
  ),
  interfaceBytes: metric(
    'counter',
    'interface_bytes',
    'bytes',
    INTERFACE_IO,
    'Bytes that apps moved over an interface.',
    'system.network.io',
    'By',
  ),
  interfacePackets: metric(
    'counter',
    'interface_packets',
    'packets',
    INTERFACE_IO,
    'Packets that apps moved over an interface.',
    'system.network.packet.count',
    '{packet}',
  ),
  reassignedBytes: metric(
    'counter',
    'reassigned_bytes',
    'bytes',
    REASSIGNED_IO,
    'Bytes that another counter has too much, because it turned out later that they belong elsewhere: take them off.',
    'netmon.reassigned.io',
    'By',
  ),
  reassignedPackets: metric(
    'counter',
    'reassigned_packets',
    'packets',
    REASSIGNED_IO,
    'Packets that another counter has too much, likewise.',
    'netmon.reassigned.packets',
    '{packet}',
  ),
  reassignedConnections: metric(
    'counter',
    'reassigned_connections',
    null,
    { app: APP },
    'Connections that the counter of an app has too much, likewise.',
    'netmon.reassigned.connections',
    '{connection}',
  ),
  connections: metric('gauge', 'connections', null, {}, 'Connections that are open.', 'netmon.connections', '{connection}'),
  alerts: metric(
    'counter',
    'alerts',
    null,
    { kind: 'netmon.alert.kind', severity: 'netmon.alert.severity' },
    'Alerts raised.',
    'netmon.alerts',
    '{alert}',
  ),
  unownedShare: metric(
    'gauge',
    'unowned_ratio',
    'ratio',
    {},
    'Share of the bytes since the start whose app is unknown.',
    'netmon.unowned',
    '1',
  ),
  capturedShare: metric(
    'gauge',
    'captured_ratio',
    'ratio',
    {},
    'Share of the bytes that the interfaces counted since the start and that were captured.',
    'netmon.captured',
    '1',
  ),
  frames: metric('counter', 'captured_frames', 'frames', {}, 'Frames captured.', 'netmon.captured.frames', '{frame}'),
  dropped: metric(
    'counter',
    'dropped_frames',
    'frames',
    { by: 'netmon.dropped.by' },
    'Frames lost before they were read: by the kernel, or by netmon-tui because it was busy.',
    'system.network.packet.dropped',
    '{packet}',
  ),
  evicted: metric(
    'counter',
    'connections_evicted',
    null,
    {},
    'Connections forgotten early because there were too many. Their bytes stay counted.',
    'netmon.connections.evicted',
    '{connection}',
  ),
  settled: metric(
    'gauge',
    'settled_timestamp_seconds',
    'seconds',
    {},
    'End of the last minute that is in the counters of bytes, packets and connections.',
    'netmon.settled',
    's',
  ),
  started: metric('gauge', 'start_time_seconds', 'seconds', {}, 'When counting began.', null, 's'),
  build: metric('gauge', 'build_info', null, { version: 'service.version' }, 'Always 1.', null, '1'),
} as const;

/** Directions as the local end sees them, as values of the label. */
export const RECEIVE = 'receive';
export const TRANSMIT = 'transmit';

/** A value of a metric: a number, or for a summary how many measurements and their sum. Plain data that may go to another process. */
export interface MetricSample {
  readonly metric: MetricName;
  /** Values of its labels, in their order. */
  readonly labels: readonly string[];
  readonly value: number;
  /** Measurements of a summary, of which `value` is the sum; absent for others. */
  readonly count?: number;
}

/** All samples of a moment. */
export interface MetricSet {
  /** Epoch ms. */
  readonly time: number;
  /** Samples of a metric follow one another. */
  readonly samples: readonly MetricSample[];
}

/** What one app moved of one category over one interface in a minute. Below zero where it turned out later to belong elsewhere. */
export interface MetricRow {
  /** null: see `reason`. */
  readonly app: string | null;
  readonly reason: string | null;
  readonly category: string | null;
  readonly interface: string;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Connections that began. */
  readonly flows: number;
}

/** What TCP told of an app's connections since the last time. */
export interface MetricTcp {
  readonly app: string | null;
  readonly reason: string | null;
  /** Segments that this machine sent again, and those that the other end did. */
  readonly sentAgain: number;
  readonly receivedAgain: number;
  readonly roundTrips: number;
  /** Their sum, seconds. */
  readonly roundTripSeconds: number;
}

/** Connections that are open. */
export interface OpenConnections {
  readonly app: string | null;
  readonly reason: string | null;
  readonly count: number;
}

/** Rows that won't change any more: those of a minute, or what came later for one that was settled. */
export interface SettledRows {
  /** End of the minute, epoch ms. */
  readonly until: number;
  readonly rows: readonly MetricRow[];
}

/** What is new of apps since the last time, and what is open. */
export interface AppMetrics {
  readonly settled: readonly SettledRows[];
  /** Rows that may still change. */
  readonly unsettled: readonly MetricRow[];
  /** End of the last settled minute, epoch ms, even if nothing moved in it; -Infinity before the first. */
  readonly until: number;
  readonly tcp: readonly MetricTcp[];
  readonly open: readonly OpenConnections[];
  /** null before the first tick. */
  readonly run: RunFacts | null;
}

/** What a run tells beyond its apps. Counters since the start. */
export interface RunFacts {
  /** When counting began, epoch ms. */
  readonly started: number;
  /** null without a capture. */
  readonly frames: number | null;
  /** Frames that the kernel dropped; null if unknown. */
  readonly dropped: number | null;
  /** Frames that the program itself dropped. */
  readonly shed: number;
  /** 0 to 1; null if unknown. */
  readonly capturedShare: number | null;
  readonly unownedShare: number | null;
  readonly connections: number;
  readonly evicted: number;
  readonly alerts: readonly AlertCount[];
}

/** Alerts of a kind since the start. */
export interface AlertCount {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly count: number;
}
