// Facts related to a row: an app's hosts, a host's apps, the last minute as a small chart. They come from listed connections, most bytes first;
// the rest is counted.

import type { FlowRow } from '../../model/snapshot.ts';
import type { Picture } from '../derive.ts';
import { appOfFlow, hostOfFlow } from '../derive.ts';
import type { TableName } from '../state.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { type AnyRow, branchOf } from '../tables/rows.ts';
import { sparkText } from '../text/cells.ts';
import { formatAmount } from '../text/format.ts';
import { groupBy } from '../tree/branch.ts';
import type { Fact } from './details.ts';

/** Names that are listed one by one. */
const LISTED = 8;
const CHART_CELLS = 60;

/** Facts to stand below those of the row. */
export function relatedFacts(
  table: TableName,
  row: AnyRow,
  picture: Picture,
  context: CellContext,
  width: number,
): readonly Fact[] {
  const facts: Fact[] = [];
  if ('recent' in row && row.recent.length > 0) {
    const cells = Math.max(10, Math.min(CHART_CELLS, width - 20));
    facts.push(['last minute', sparkText(row.recent, cells, context.now, context.glyphs), 'spark']);
  }
  if (table === 'apps') {
    const id = branchOf(row)?.root ?? row.id;
    const pid = branchOf(row)?.kind === 'process' && 'pids' in row ? row.pids[0] : undefined;
    const appOf = appOfFlow(picture.apps);
    const own = picture.flows.filter((flow) => appOf(flow) === id && (pid === undefined || flow.pid === pid));
    facts.push(...names('hosts', own, (flow) => hidden(flow.host ?? flow.remote.address, context), context));
  }
  if (table === 'hosts') {
    const hosts = 'hosts' in row ? picture.hosts.filter(({ domain }) => 'domain' in row && domain === row.domain) : [row];
    const ids = new Set(hosts.map(({ id }) => id));
    const hostOf = hostOfFlow(picture.hosts);
    const own = picture.flows.filter((flow) => ids.has(hostOf(flow) ?? ''));
    facts.push(
      ...names('apps', own, (flow) => (flow.app === null ? `(${flow.reason ?? 'no owner'})` : shown(flow.app, context)), context),
    );
  }
  return facts;
}

function names(
  title: string,
  flows: readonly FlowRow[],
  nameOf: (flow: FlowRow) => string,
  { units }: CellContext,
): readonly Fact[] {
  const groups = [...groupBy(flows, nameOf)].map(([name, own]) => ({
    name,
    bytes: own.reduce((sum, { rxBytes, txBytes }) => sum + rxBytes + txBytes, 0),
  }));
  groups.sort((a, b) => b.bytes - a.bytes);
  const listed = groups.slice(0, LISTED).map(({ name, bytes }, index): Fact => {
    const amount = formatAmount(bytes, units).trim();
    return [index === 0 ? `${title} now` : '', `${name}, ${amount}`];
  });
  return groups.length > LISTED ? [...listed, ['', `and ${groups.length - LISTED} more`, 'dim']] : listed;
}
