// The dashboard asks for metrics and labels that there are.

import { expect, it } from 'vitest';
import { sampleName } from '../../../src/export/prometheus-text.ts';
import { METRICS, type Metric } from '../../../src/model/metrics.ts';
import { dashboardQueries } from '../../support/dashboard.ts';

const LABELS = new Map(
  Object.values<Metric>(METRICS).flatMap((metric): [string, readonly string[]][] => {
    const name = sampleName(metric);
    return metric.type === 'summary'
      ? [`${name}_sum`, `${name}_count`].map((one) => [one, metric.labels])
      : [[name, metric.labels]];
  }),
);
const queries = dashboardQueries();

it('has queries', () => expect(queries.length).toBeGreaterThan(10));

it.each(queries)('$title', ({ query }) => {
  const asked = [...query.matchAll(/(netmon_\w+)\{([^}]*)\}/g)];
  expect(asked.length).toBe(query.match(/netmon_/g)?.length);
  const known = new Set<string>(['instance']);
  for (const [, name = '', matchers = ''] of asked) {
    expect([...LABELS.keys()]).toContain(name);
    for (const label of LABELS.get(name) ?? []) known.add(label);
    for (const [, label = ''] of matchers.matchAll(/(\w+)=/g))
      expect([name, ...(LABELS.get(name) ?? []), 'instance']).toContain(label);
  }
  for (const [, labels = ''] of query.matchAll(/by \(([^)]*)\)/g))
    for (const label of labels.split(', ')) expect([...known]).toContain(label);
});
