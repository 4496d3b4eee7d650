// The dashboard for Grafana: its queries as Prometheus gets them.

import { readFileSync } from 'node:fs';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

/** Queries by the title of their panel, for all machines, with what Grafana fills in. */
export function dashboardQueries(): { readonly title: string; readonly query: string }[] {
  const text = readFileSync(new URL('../../docs/grafana/netmon-tui.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as Dashboard).panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr.replaceAll('$label', 'instance').replaceAll('$machine', '.*').replaceAll('$__rate_interval', '1m'),
    })),
  );
}
