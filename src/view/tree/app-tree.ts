// The tree under an app: its processes, and under each the hosts it talks to. It is made from listed connections; traffic of others is one more
// row, which makes the sums those of the app.

import type { AppRow, FlowRow } from '../../model/snapshot.ts';
import type { Process } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { appOfFlow } from '../derive.ts';
import { sumTraffic } from '../traffic.ts';
import { type Branch, type Branched, farSide, groupBy, nearSide, restOf, type Share, spanOf } from './branch.ts';

/** A row of the apps table, or of what hangs under it: there `app` is the name of a process or host. */
export type AppLine = AppRow & Branched;

/** Processes without a listed connection that are shown, the newest. */
const IDLE_PROCESSES = 12;
/** Cells show it as unknown. */
const UNKNOWN = Number.NaN;

const shares = new WeakMap<Picture, ReadonlyMap<string, readonly Share[]>>();

/** Sides of flows by the id of their app's row. */
function sharesByApp(picture: Picture): ReadonlyMap<string, readonly Share[]> {
  const known = shares.get(picture);
  if (known !== undefined) return known;
  const appOf = appOfFlow(picture.apps);
  const groups = new Map<string, Share[]>();
  const put = (id: string | undefined, share: Share): void => {
    if (id === undefined) return;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [share]);
    else group.push(share);
  };
  for (const flow of picture.flows) {
    if (flow.carries) continue; // its bytes are counted under the apps inside
    put(appOf(flow), nearSide(flow));
    if (flow.peerApp !== null) put(appOf({ app: flow.peerApp, pid: flow.peerPid, reason: null }), farSide(flow));
  }
  shares.set(picture, groups);
  return groups;
}

/** Rows right under an app: its processes that have listed connections; hosts where there are no processes. */
export function underApp(row: AppRow, picture: Picture): readonly AppLine[] {
  const own = sharesByApp(picture).get(row.id) ?? [];
  const at = { depth: 1, parent: row.id, root: row.id } as const;
  if (row.app === null) return withRest(row, hosts(row, own, at), at);
  const known = new Map(row.processes.map((process) => [process.pid, process])); // of two that had the same pid, the newer
  const lines: AppLine[] = [];
  for (const [pid, group] of groupBy(own, (share) => pidIn(share, row))) {
    const process = pid === null ? null : (known.get(pid) ?? null);
    lines.push({
      ...row,
      ...line(group),
      id: `${row.id}/pid:${pid ?? ''}`,
      app: process?.name ?? row.app,
      exe: process?.exe ?? null,
      user: process === null ? row.user : process.user,
      pids: pid === null ? [] : [pid],
      processes: process === null ? [] : [process],
      branch: { ...at, kind: 'process', process, nameSource: 'none' },
    });
  }
  const idle = [...known.values()].filter(({ pid }) => !lines.some(({ pids }) => pids[0] === pid)).slice(-IDLE_PROCESSES);
  return [...withRest(row, lines, at), ...idle.map((process) => idleLine(row, process, at))];
}

/** A process without a listed connection: its rates are zero, and its earlier traffic is in the row for the rest. */
function idleLine(row: AppRow, process: Process, at: Place): AppLine {
  const unknown = { rxBytes: UNKNOWN, txBytes: UNKNOWN, rxPackets: UNKNOWN, txPackets: UNKNOWN, flows: UNKNOWN };
  return {
    ...row,
    ...unknown,
    rxRate: 0,
    txRate: 0,
    id: `${row.id}/pid:${process.pid}`,
    app: process.name,
    exe: process.exe,
    user: process.user,
    pids: [process.pid],
    processes: [process],
    firstSeen: UNKNOWN,
    lastSeen: UNKNOWN,
    recent: [],
    branch: { ...at, kind: 'process', process, nameSource: 'none' },
  };
}

/** Hosts under a process. */
export function underProcess(line: AppLine, picture: Picture): readonly AppLine[] {
  if (line.branch?.kind !== 'process') return [];
  const root = picture.apps.find(({ id }) => id === line.branch?.root);
  if (root === undefined) return [];
  const pid = line.pids[0] ?? null;
  const own = (sharesByApp(picture).get(root.id) ?? []).filter((share) => pidIn(share, root) === pid);
  return hosts(line, own, { depth: 2, parent: line.id, root: root.id });
}

type Place = Pick<Branch, 'depth' | 'parent' | 'root'>;

function hosts(row: AppRow, own: readonly Share[], at: Place): readonly AppLine[] {
  return [...groupBy(own, ({ flow }) => flow.host ?? flow.remote.address)].map(([host, group]) => ({
    ...row,
    ...line(group),
    id: `${row.id}/host:${host}`,
    app: host,
    reason: null,
    exe: null,
    user: null,
    pids: [],
    processes: [],
    branch: { ...at, kind: 'host', process: null, nameSource: group[0]?.flow.nameSource ?? 'none' },
  }));
}

function line(
  group: readonly Share[],
): Pick<AppRow, 'flows' | 'recent' | 'firstSeen' | 'lastSeen'> & ReturnType<typeof sumTraffic> {
  return { ...sumTraffic(group), ...spanOf(group), flows: group.length, recent: [] };
}

function withRest(row: AppRow, lines: readonly AppLine[], at: Place): readonly AppLine[] {
  const rest = restOf(row, sumTraffic(lines));
  if (rest === null) return lines;
  const listed = lines.reduce((sum, { flows }) => sum + flows, 0);
  return [
    ...lines,
    {
      ...row,
      ...rest,
      id: `${row.id}/rest`,
      app: null,
      reason: 'connections no longer listed',
      exe: null,
      user: null,
      pids: [],
      processes: [],
      flows: Math.max(0, row.flows - listed),
      recent: [],
      branch: { ...at, kind: 'rest', process: null, nameSource: 'none' },
    },
  ];
}

/** Process of this app that is an end of the flow. */
function pidIn({ flow }: Share & { readonly flow: FlowRow }, row: AppRow): number | null {
  return flow.app === row.app ? flow.pid : flow.peerPid;
}
