// Metrics as text that Prometheus reads: format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) and OpenMetrics 1.0
// (prometheus.io/docs/specs/om/open_metrics_spec), whichever the reader prefers.

import { METRICS, type Metric, type MetricName, type MetricSample, type MetricSet } from '../model/metrics.ts';

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The type that a reader prefers. @param accept header of its request; undefined without one */
export function preferredType(accept: string | undefined): string {
  const weights = { open: 0, text: 0 };
  for (const range of (accept ?? '').slice(0, 2000).split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1);
    if (!(weight >= 0 && weight <= 1)) continue;
    if (type === 'application/openmetrics-text') weights.open = Math.max(weights.open, weight);
    else if (type === 'text/plain' || type === '*/*' || type === 'text/*') weights.text = Math.max(weights.text, weight);
  }
  return weights.open > 0 && weights.open >= weights.text ? OPEN_METRICS_TYPE : TEXT_TYPE;
}

/** All samples as text of this type, which ends with a line break. */
export function prometheusText({ samples }: MetricSet, type: string): string {
  const isOpen = type === OPEN_METRICS_TYPE;
  const families = new Map<MetricName, MetricSample[]>();
  for (const sample of samples) {
    const family = families.get(sample.metric);
    if (family === undefined) families.set(sample.metric, [sample]);
    else family.push(sample);
  }
  const lines: string[] = [];
  for (const key of Object.keys(METRICS) as MetricName[]) {
    const family = families.get(key);
    if (family !== undefined) writeFamily(lines, METRICS[key], family, isOpen);
  }
  if (isOpen) lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

/** Name of a metric's samples; a summary has two. */
export function sampleName({ name, type }: Metric): string {
  return type === 'counter' ? `${name}_total` : name;
}

function writeFamily(lines: string[], metric: Metric, family: readonly MetricSample[], isOpen: boolean): void {
  const name = sampleName(metric);
  const title = isOpen ? metric.name : name;
  lines.push(`# HELP ${title} ${metric.help}`, `# TYPE ${title} ${metric.type}`);
  if (isOpen && metric.unit !== null) lines.push(`# UNIT ${title} ${metric.unit}`);
  for (const { labels, value, count } of family) {
    const text = labelText(metric, labels);
    if (metric.type === 'summary') lines.push(`${name}_sum${text} ${value}`, `${name}_count${text} ${count ?? 0}`);
    else lines.push(`${name}${text} ${value}`);
  }
}

function labelText({ labels }: Metric, values: readonly string[]): string {
  if (labels.length === 0) return '';
  return `{${labels.map((label, i) => `${label}="${escaped(values[i] ?? '')}"`).join(',')}}`;
}

function escaped(value: string): string {
  return value.replace(/["\\\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`));
}
