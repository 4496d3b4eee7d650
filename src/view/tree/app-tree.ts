// The tree under an app: the hosts it talks to, then its processes, and under each of those its hosts. It is made from listed connections;
// traffic of others is one more row, which makes the sums those of the app.

import type { Average } from '../../model/options.ts';
import type { AppRow, FlowRow } from '../../model/snapshot.ts';
import type { NameSource, Process } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { appOfFlow } from '../derive.ts';
import { shownRate, sumTraffic } from '../traffic.ts';
import { type Branch, type Branched, farSide, groupBy, nearSide, restOf, type Share, spanOf } from './branch.ts';

/** A row of the apps table, or of what hangs under it: there `app` is the name of a host or process. */
export type AppLine = AppRow & Branched;

/** Processes without a listed connection that are shown, the newest. */
const IDLE_PROCESSES = 12;
/** Cells show it as unknown. */
const UNKNOWN = Number.NaN;

/** The other end of an app's traffic: a host, or an app of this machine. */
export interface MainHost {
  /** null where only the address is known. */
  readonly host: string | null;
  readonly nameSource: NameSource;
  readonly address: string;
}

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

const mainHosts = new WeakMap<Picture, { readonly average: Average; readonly hosts: ReadonlyMap<string, MainHost | null> }>();

/** The other end with which an app exchanges most: now, else in all. @param id of the app's row */
export function mainHost(id: string, picture: Picture, average: Average): MainHost | null {
  let known = mainHosts.get(picture);
  if (known?.average !== average) {
    known = { average, hosts: new Map([...sharesByApp(picture)].map(([app, own]) => [app, mainHostOf(own, average)])) };
    mainHosts.set(picture, known);
  }
  return known.hosts.get(id) ?? null;
}

function mainHostOf(own: readonly Share[], average: Average): MainHost | null {
  const ends = new Map<string, { readonly share: Share; now: number; all: number }>();
  for (const share of own) {
    const end = otherEnd(share);
    let sum = ends.get(end);
    if (sum === undefined) {
      sum = { share, now: 0, all: 0 };
      ends.set(end, sum);
    }
    sum.now += shownRate(share, average);
    sum.all += share.rxBytes + share.txBytes;
  }
  let best: MainHost | null = null;
  let most = { now: -1, all: -1 };
  for (const [end, sum] of ends) {
    if (sum.now < most.now || (sum.now === most.now && sum.all <= most.all)) continue;
    most = sum;
    const { flow, isFar } = sum.share;
    const { address } = isFar ? flow.local : flow.remote;
    best = { host: end === address ? null : end, nameSource: end === flow.host ? flow.nameSource : 'none', address };
  }
  return best;
}

/** Rows right under an app: hosts that it has listed connections with, and one that holds its processes. */
export function underApp(row: AppRow, picture: Picture): readonly AppLine[] {
  const at = { depth: 1, parent: row.id, root: row.id } as const;
  const own = sharesByApp(picture).get(row.id) ?? [];
  const lines = withRest(row, hosts(row, own, at), at);
  return row.app === null || row.processCount === 0 ? lines : [...lines, processesLine(row)];
}

/** The row that holds the processes. Its figures are the app's. */
function processesLine(row: AppRow): AppLine {
  return {
    ...row,
    id: `${row.id}/processes`,
    app: `${row.processCount} ${row.processCount === 1 ? 'process' : 'processes'}`,
    recent: [],
    branch: { depth: 1, kind: 'processes', parent: row.id, root: row.id, process: null, nameSource: 'none' },
  };
}

/** Rows under one of an app's: its processes, or the hosts of one. */
export function underBranch(line: AppLine, picture: Picture): readonly AppLine[] {
  const root = picture.apps.find(({ id }) => id === line.branch?.root);
  if (root === undefined) return [];
  const own = sharesByApp(picture).get(root.id) ?? [];
  if (line.branch?.kind === 'processes') return processes(root, own, { depth: 2, parent: line.id, root: root.id });
  if (line.branch?.kind !== 'process') return [];
  const pid = line.pids[0] ?? null;
  return hosts(
    line,
    own.filter((share) => pidIn(share, root) === pid),
    { depth: 3, parent: line.id, root: root.id },
  );
}

function processes(row: AppRow, own: readonly Share[], at: Place): readonly AppLine[] {
  const known = new Map(row.processes.map((process) => [process.pid, process])); // of two that had the same pid, the newer
  const lines: AppLine[] = [];
  for (const [pid, group] of groupBy(own, (share) => pidIn(share, row))) {
    const process = pid === null ? null : (known.get(pid) ?? null);
    lines.push({
      ...row,
      ...line(group),
      id: `${at.parent}/pid:${pid ?? ''}`,
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
    means: row.means.map(() => 0),
    id: `${at.parent}/pid:${process.pid}`,
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

type Place = Pick<Branch, 'depth' | 'parent' | 'root'>;

function hosts(row: AppRow, own: readonly Share[], at: Place): readonly AppLine[] {
  return [...groupBy(own, otherEnd)].map(([host, group]) => ({
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

/** Sides of listed connections that a row of the apps table, or of its tree, is about. */
export function sharesOf({ id, branch }: Branched & { readonly id: string }, picture: Picture): readonly Share[] {
  const root = picture.apps.find((app) => app.id === (branch?.root ?? id));
  if (root === undefined) return [];
  const own = sharesByApp(picture).get(root.id) ?? [];
  if (branch?.kind !== 'process' && branch?.kind !== 'host') return own;
  return own.filter((share) => {
    const process = `${root.id}/processes/pid:${pidIn(share, root) ?? ''}`;
    if (branch.kind === 'process') return id === process;
    return id === `${branch.parent}/host:${otherEnd(share)}` && (branch.parent === root.id || branch.parent === process);
  });
}

/** Who is at the other end, as this side sees it: an app of this machine, a host, or an address. */
export function otherEnd({ flow, isFar }: Share): string {
  const app = isFar ? flow.app : flow.peerApp;
  if (app !== null) return `${app} (local)`;
  return isFar ? flow.local.address : (flow.host ?? flow.remote.address);
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
      id: `${at.parent}/rest`,
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
