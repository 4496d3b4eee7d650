// The filter that a row stands for: what `/` in its details and `Enter` on a row of history put in force.

import type { Alert } from '../../model/alert.ts';
import type { ListenerRow } from '../../model/listeners.ts';
import type { CategoryRow, FlowRow, InterfaceRow, NetEvent, Snapshot } from '../../model/snapshot.ts';
import type { Container } from '../../model/terms.ts';
import { pictureOf } from '../derive.ts';
import type { TableName, ViewState } from '../state.ts';
import { type AnyRow, branchOf, rowWithId } from '../tables/rows.ts';
import type { AppLine } from '../tree/app-tree.ts';
import type { HostLine } from '../tree/host-tree.ts';
import { THIS_MACHINE } from '../tree/parts.ts';
import { askerOf, type DnsLine, isGroupAsked, type ResolverLine } from '../tree/questions.ts';

/**
 * A comparison with a name, quoted where it needs it.
 *
 * @returns null for a name that no filter can spell
 */
export function isFilter(field: string, name: string | null): string | null {
  if (name === null || /["\\]/.test(name)) return null;
  return `${field}=${/^[\w.-]+$/.test(name) ? name : `"${name}"`}`;
}

/** The filter for the row of a table with this id; null if there is none. */
export function filterOfRow(state: ViewState, live: Snapshot, table: TableName, id: string): string | null {
  const row = rowWithId(state, live, table, id);
  if (row === undefined) return null;
  const root = pictureOf(state, live).apps.find((app) => app.id === branchOf(row)?.root)?.app ?? null;
  return rowFilter(table, row, root);
}

/** The filter for what a row is about; null if there is none. @param root the app that a branch hangs under */
export function rowFilter(table: TableName, row: AnyRow, root: string | null): string | null {
  switch (table) {
    case 'apps':
      return appFilter(row as AppLine, root);
    case 'hosts':
      return hostFilter(row as HostLine);
    case 'connections':
      return flowFilter(row as FlowRow);
    case 'categories':
      return isFilter('category', (row as CategoryRow).category);
    case 'interfaces':
      return isFilter('iface', (row as InterfaceRow).interface);
    case 'questions': {
      const { group, name, domain } = row as DnsLine;
      if (group === undefined || group.by === 'name') return isFilter('host', name);
      return group.by === 'app' ? isFilter('app', askerOf(row as DnsLine)) : isFilter('domain', domain);
    }
    case 'listeners': {
      const { protocol, port } = row as ListenerRow;
      return `proto:${protocol} port:${port}`;
    }
    case 'resolvers': {
      const { resolver, app, isEncrypted, transport } = row as ResolverLine;
      if (isGroupAsked({ transport })) return isFilter('application', transport);
      if (!isEncrypted) return isFilter('dst', resolver);
      return isFilter('host', resolver) ?? isFilter('app', app);
    }
    case 'alerts': {
      const { app, domain } = row as Alert;
      const [one, other] = [isFilter('app', app), isFilter('domain', domain)];
      return one !== null && other !== null ? `${one} ${other}` : (one ?? other);
    }
    case 'events': {
      const { app, domain, flow, interface: name } = row as NetEvent;
      return (
        isFilter('domain', domain) ?? (flow === null ? null : flowFilter(flow)) ?? isFilter('app', app) ?? isFilter('iface', name)
      );
    }
  }
}

/** A pod's containers share a row. */
function containerFilter(container: Container): string | null {
  const { pod, namespace } = container;
  const [ns, name] = [isFilter('ns', namespace), isFilter('pod', pod)];
  return ns !== null && name !== null ? `${ns} ${name}` : isFilter('container', container.container);
}

function appFilter({ app, pids, processes, branch }: AppLine, root: string | null): string | null {
  if (branch === undefined) return isFilter('app', app);
  if (branch.kind === 'lineage' && pids[0] !== undefined) return `(pid=${pids[0]} or ancestor=${pids[0]})`;
  const container = processes.at(-1)?.container;
  if (branch.kind === 'container' && container != null) return containerFilter(container);
  if (branch.kind === 'process' && pids[0] !== undefined) return `pid=${pids[0]}`;
  const own = isFilter('app', root);
  if (branch.kind !== 'host') return own;
  // An app of this machine at the other end stands there by name.
  if (app === THIS_MACHINE) return own;
  const other = /^(.*) \(local\)$/.exec(app ?? '')?.[1];
  const end = other === undefined ? isFilter('host', app) : isFilter('app', other);
  return end === null || own === null ? (end ?? own) : `${own} ${end}`;
}

function hostFilter({ host, domain, hosts, branch }: HostLine): string | null {
  if (branch?.kind === 'app') return isFilter('app', host);
  if (branch?.kind === 'rest') return isFilter('domain', domain);
  return hosts === undefined ? isFilter('host', host) : isFilter('domain', domain);
}

function flowFilter({ domain, remote }: FlowRow): string | null {
  return isFilter('domain', domain) ?? isFilter('addr', remote.address);
}
