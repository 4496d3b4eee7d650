import { describe, expect, it } from 'vitest';
import { OPEN_METRICS_TYPE, preferredType, prometheusText, TEXT_TYPE } from '../../../src/export/prometheus-text.ts';
import { METRICS, type MetricSet } from '../../../src/model/metrics.ts';

const SET: MetricSet = {
  time: 1_700_000_040_000,
  samples: [
    { metric: 'unownedShare', labels: [], value: 0.25 },
    { metric: 'appBytes', labels: ['a "b"\\c\nd', 'receive'], value: 5000 },
    { metric: 'appRoundTrip', labels: ['curl'], value: 0.125, count: 3 },
    { metric: 'appBytes', labels: ['curl', 'transmit'], value: 7 },
  ],
};

describe('metrics as text', () => {
  it('is what format 0.0.4 wants: families together, suffixes in the titles, values escaped', () => {
    expect(prometheusText(SET, TEXT_TYPE)).toBe(`# HELP netmon_app_bytes_total Bytes that an app moved.
# TYPE netmon_app_bytes_total counter
netmon_app_bytes_total{app="a \\"b\\"\\\\c\\nd",direction="receive"} 5000
netmon_app_bytes_total{app="curl",direction="transmit"} 7
# HELP netmon_app_rtt_seconds TCP round trips: how many were measured, and how long they took together.
# TYPE netmon_app_rtt_seconds summary
netmon_app_rtt_seconds_sum{app="curl"} 0.125
netmon_app_rtt_seconds_count{app="curl"} 3
# HELP netmon_unowned_ratio Share of the bytes since the start whose app is unknown.
# TYPE netmon_unowned_ratio gauge
netmon_unowned_ratio 0.25
`);
  });

  it('is what OpenMetrics wants: titles without suffixes, units, an end', () => {
    expect(prometheusText(SET, OPEN_METRICS_TYPE)).toBe(`# HELP netmon_app_bytes Bytes that an app moved.
# TYPE netmon_app_bytes counter
# UNIT netmon_app_bytes bytes
netmon_app_bytes_total{app="a \\"b\\"\\\\c\\nd",direction="receive"} 5000
netmon_app_bytes_total{app="curl",direction="transmit"} 7
# HELP netmon_app_rtt_seconds TCP round trips: how many were measured, and how long they took together.
# TYPE netmon_app_rtt_seconds summary
# UNIT netmon_app_rtt_seconds seconds
netmon_app_rtt_seconds_sum{app="curl"} 0.125
netmon_app_rtt_seconds_count{app="curl"} 3
# HELP netmon_unowned_ratio Share of the bytes since the start whose app is unknown.
# TYPE netmon_unowned_ratio gauge
# UNIT netmon_unowned_ratio ratio
netmon_unowned_ratio 0.25
# EOF
`);
  });

  it.each([
    [undefined, TEXT_TYPE],
    ['*/*', TEXT_TYPE],
    ['text/html', TEXT_TYPE],
    // Prometheus 2.42, and one that is told to prefer the older format
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      OPEN_METRICS_TYPE,
    ],
    ['text/plain;version=0.0.4;q=0.7,application/openmetrics-text;version=1.0.0;q=0.6', TEXT_TYPE],
    ['application/openmetrics-text;q=0', TEXT_TYPE],
    ['application/openmetrics-text;q=nonsense', TEXT_TYPE],
    [`${'x,'.repeat(100_000)}application/openmetrics-text`, TEXT_TYPE],
  ])('answers a reader that accepts %s', (accept, type) => expect(preferredType(accept)).toBe(type));
});

describe('the table of metrics', () => {
  const metrics = Object.values(METRICS);

  it('has names that Prometheus takes, with their units, each once', () => {
    for (const { name, unit } of metrics) {
      expect(name).toMatch(/^netmon_[a-z]+(_[a-z]+)*$/);
      if (unit !== null) expect(name.endsWith(`_${unit}`)).toBe(true);
      expect(name).not.toMatch(/_(total|sum|count|bucket|created)$/);
    }
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
    const others = metrics.flatMap(({ otel }) => (otel === null ? [] : [otel.name]));
    expect(new Set(others).size).toBe(others.length);
  });

  it('never tells apart by domain, address, port or process', () => {
    const labels = new Set(metrics.flatMap((one) => one.labels));
    expect([...labels].sort()).toEqual([
      'app',
      'by',
      'category',
      'direction',
      'interface',
      'kind',
      'name',
      'of',
      'severity',
      'version',
    ]);
  });
});
