// Which row of the apps and hosts a flow belongs to: snapshots hold flows and totals apart, as the outside reads them.

import type { AppRow, FlowRow, HostRow } from '../aggregate/snapshot.ts';

/** What of a flow tells its app. */
export type Owned = Pick<FlowRow, 'app' | 'pid' | 'reason'>;

/** Finds the app row of a flow: by name and pid, else by name, else by the reason why it has none. */
export function appOfFlow(apps: readonly AppRow[]): (flow: Owned) => string | undefined {
  const byPid = new Map<string, string>();
  const byName = new Map<string, string>();
  for (const row of apps) {
    const name = row.app ?? `\0${row.reason}`;
    if (!byName.has(name)) byName.set(name, row.id);
    for (const pid of row.pids) byPid.set(`${pid} ${name}`, row.id);
  }
  return (flow) => {
    const name = flow.app ?? `\0${flow.reason}`;
    return (flow.pid === null ? undefined : byPid.get(`${flow.pid} ${name}`)) ?? byName.get(name);
  };
}

/** Finds the host row of a flow: by name, else by address. */
export function hostOfFlow(hosts: readonly HostRow[]): (flow: FlowRow) => string | undefined {
  const byName = new Map<string, string>();
  const byAddress = new Map<string, string>();
  for (const row of hosts) {
    if (row.host !== null) byName.set(row.host, row.id);
    for (const address of row.addresses) if (!byAddress.has(address)) byAddress.set(address, row.id);
  }
  return (flow) => (flow.host === null ? undefined : byName.get(flow.host)) ?? byAddress.get(flow.remote.address);
}
