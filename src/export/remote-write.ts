// Metrics as a request of Prometheus' remote write, version 1 (prometheus.io/docs/specs/prw/remote_write_spec): time series with labels in order, as
// protobuf in a Snappy block.

import { METRICS, type Metric, type MetricSample, type MetricSet } from '../model/metrics.ts';
import { sampleName } from './prometheus-text.ts';
import { ProtobufWriter } from './protobuf.ts';
import { snappy } from './snappy.ts';

/** Headers besides those of any POST. */
export const REMOTE_WRITE_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
} as const;

/** Fields (prometheus/prompb/remote.proto, types.proto). */
const REQUEST = { TIMESERIES: 1, METADATA: 3 } as const;
const SERIES = { LABELS: 1, SAMPLES: 2 } as const;
const LABEL = { NAME: 1, VALUE: 2 } as const;
const SAMPLE = { VALUE: 1, TIMESTAMP: 2 } as const;
const METADATA = { TYPE: 1, FAMILY: 2, HELP: 4, UNIT: 5 } as const;
const TYPES: Readonly<Record<Metric['type'], number>> = { counter: 1, gauge: 2, summary: 5 };

/** A request with all samples of these moments. @param common labels of all, such as the machine: of names that no metric uses */
export function remoteWrite(sets: readonly MetricSet[], common: Readonly<Record<string, string>>): Uint8Array {
  const message = new ProtobufWriter();
  const families = new Set<Metric>();
  for (const { time, samples } of sets)
    for (const sample of samples) {
      const metric: Metric = METRICS[sample.metric];
      families.add(metric);
      const name = sampleName(metric);
      if (metric.type !== 'summary') series(message, name, sample, common, sample.value, time);
      else {
        series(message, `${name}_sum`, sample, common, sample.value, time);
        series(message, `${name}_count`, sample, common, sample.count ?? 0, time);
      }
    }
  for (const metric of families)
    message.message(REQUEST.METADATA, () => {
      message.integer(METADATA.TYPE, TYPES[metric.type]);
      message.text(METADATA.FAMILY, sampleName(metric));
      message.text(METADATA.HELP, metric.help);
      if (metric.unit !== null) message.text(METADATA.UNIT, metric.unit);
    });
  return snappy(message.bytes);
}

function series(
  message: ProtobufWriter,
  name: string,
  { metric, labels }: MetricSample,
  common: Readonly<Record<string, string>>,
  value: number,
  time: number,
): void {
  const named: [string, string][] = [['__name__', name], ...Object.entries(common)];
  for (const [i, label] of METRICS[metric].labels.entries()) named.push([label, labels[i] ?? '']);
  // Receivers require this order.
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  message.message(REQUEST.TIMESERIES, () => {
    for (const [label, text] of named)
      message.message(SERIES.LABELS, () => {
        message.text(LABEL.NAME, label);
        message.text(LABEL.VALUE, text);
      });
    message.message(SERIES.SAMPLES, () => {
      message.double(SAMPLE.VALUE, value);
      message.integer(SAMPLE.TIMESTAMP, Math.round(time));
    });
  });
}
