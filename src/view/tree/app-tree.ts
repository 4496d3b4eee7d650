// The tree under an app: the hosts it talks to, then its processes, and under each of those its hosts. What its parts don't account for is one
// more row, which makes the sums those of the app.

import type { Average } from '../../model/options.ts';
import type { AppRow } from '../../model/snapshot.ts';
import type { NameSource, Process } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { shownRate, sumTraffic } from '../traffic.ts';
import { type Branch, type Branched, flowsOf, groupBy, restOf, spanOf } from './branch.ts';
import {
  endOf,
  endSource,
  otherEnd,
  type Part,
  partsByApp,
  partsOfApp,
  pidOf,
  restText,
  type Share,
  sharesByApp,
} from './parts.ts';

/** A row of the apps table, or of what hangs under it: there `app` is the name of a host or process. */
export type AppLine = AppRow & Branched;

/** Processes of which no part tells that are shown, the newest. */
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

const mainHosts = new WeakMap<Picture, { readonly average: Average; readonly hosts: ReadonlyMap<string, MainHost | null> }>();

/** The other end with which an app exchanges most: now, else in all. @param id of the app's row */
export function mainHost(id: string, picture: Picture, average: Average): MainHost | null {
  let known = mainHosts.get(picture);
  if (known?.average !== average) {
    known = { average, hosts: new Map([...partsByApp(picture)].map(([app, own]) => [app, mainHostOf(own, average)])) };
    mainHosts.set(picture, known);
  }
  return known.hosts.get(id) ?? null;
}

function mainHostOf(own: readonly Part[], average: Average): MainHost | null {
  const ends = new Map<string, { readonly part: Part; now: number; all: number }>();
  for (const part of own) {
    const end = endOf(part);
    if (end === null) continue;
    let sum = ends.get(end);
    if (sum === undefined) {
      sum = { part, now: 0, all: 0 };
      ends.set(end, sum);
    }
    sum.now += shownRate(part, average);
    sum.all += part.rxBytes + part.txBytes;
  }
  let best: MainHost | null = null;
  let most = { now: -1, all: -1 };
  for (const [end, sum] of ends) {
    if (sum.now < most.now || (sum.now === most.now && sum.all <= most.all)) continue;
    most = sum;
    const { address } = sum.part;
    best = { host: end === address ? null : end, nameSource: endSource(sum.part), address: address ?? end };
  }
  return best;
}

/** Parts by their other end, but those of many. */
function byEnd(parts: readonly Part[]): ReadonlyMap<string, readonly Part[]> {
  return groupBy(
    parts.filter((part) => endOf(part) !== null),
    (part) => endOf(part) as string,
  );
}

/** Rows right under an app: hosts that it talked to, and one that holds its processes. */
export function underApp(row: AppRow, picture: Picture): readonly AppLine[] {
  const at = { depth: 1, parent: row.id, root: row.id } as const;
  const known = hostLines(row, partsOfApp(row.id, picture), at);
  // What is counted as one thing, such as the overhead of tunnels, has nothing below it.
  const isWhole = known.length === 0 && picture.branches !== null;
  const lines = isWhole ? known : withRest(row, known, at, restText(picture, 'hosts'));
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
  const own = partsOfApp(root.id, picture).filter(({ isFolded }) => !isFolded);
  if (line.branch?.kind === 'processes') return processes(root, own, { depth: 2, parent: line.id, root: root.id }, picture);
  if (line.branch?.kind !== 'process') return [];
  const pid = line.pids[0] ?? null;
  const at = { depth: 3, parent: line.id, root: root.id } as const;
  const lines = hostLines(
    line,
    own.filter((part) => part.pid === pid),
    at,
  );
  return Number.isNaN(line.rxBytes) ? lines : withRest(line, lines, at, restText(picture, 'hosts'));
}

function processes(row: AppRow, own: readonly Part[], at: Place, picture: Picture): readonly AppLine[] {
  const known = new Map(row.processes.map((process) => [process.pid, process])); // of two that had the same pid, the newer
  const lines: AppLine[] = [];
  for (const [pid, group] of groupBy(own, (part) => part.pid)) {
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
  return [...withRest(row, lines, at, restText(picture, 'processes')), ...idle.map((process) => idleLine(row, process, at))];
}

/** A process of which no part tells: its rates are zero, and its earlier traffic is in the row for the rest. */
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

/** Rows of the other ends of parts, under a row. */
export function hostLines(row: AppRow, own: readonly Part[], at: Place): readonly AppLine[] {
  return [...byEnd(own)].map(([host, group]) => ({
    ...row,
    ...line(group),
    id: `${row.id}/host:${host}`,
    app: host,
    reason: null,
    exe: null,
    user: null,
    pids: [],
    processes: [],
    branch: { ...at, kind: 'host', process: null, nameSource: group[0] === undefined ? 'none' : endSource(group[0]) },
  }));
}

/** Sides of listed connections that a row of the apps table, or of its tree, is about. */
export function sharesOf({ id, branch }: Branched & { readonly id: string }, picture: Picture): readonly Share[] {
  const root = branch?.root ?? id;
  const own = sharesByApp(picture).get(root) ?? [];
  return own.filter((share) => isOf({ id, branch }, root, pidOf(share), otherEnd(share)));
}

/** Parts that a row of the apps table, or of its tree, is about. */
export function partsOf({ id, branch }: Branched & { readonly id: string }, picture: Picture): readonly Part[] {
  const root = branch?.root ?? id;
  return partsOfApp(root, picture).filter((part) => isOf({ id, branch }, root, part.pid, endOf(part)));
}

function isOf(
  { id, branch }: { readonly id: string; readonly branch: Branch | undefined },
  root: string,
  pid: number | null,
  end: string | null,
): boolean {
  if (branch?.kind !== 'process' && branch?.kind !== 'host') return true;
  const process = `${root}/processes/pid:${pid ?? ''}`;
  if (branch.kind === 'process') return id === process;
  return (
    id === `${branch.parent}/host:${end}` &&
    (branch.parent === root || branch.parent === process || branch.parent.endsWith(`/${root}`))
  );
}

function line(
  group: readonly Part[],
): Pick<AppRow, 'flows' | 'recent' | 'firstSeen' | 'lastSeen'> & ReturnType<typeof sumTraffic> {
  return { ...sumTraffic(group), ...spanOf(group), flows: flowsOf(group), recent: [] };
}

/** Rows under a row, with one for what they don't account for. */
export function withRest(row: AppRow, lines: readonly AppLine[], at: Place, reason: string): readonly AppLine[] {
  const rest = restOf(row, sumTraffic(lines));
  if (rest === null) return lines;
  return [
    ...lines,
    {
      ...row,
      ...rest,
      id: `${at.parent}/rest`,
      app: null,
      reason,
      exe: null,
      user: null,
      pids: [],
      processes: [],
      flows: Math.max(0, row.flows - flowsOf(lines)),
      recent: [],
      branch: { ...at, kind: 'rest', process: null, nameSource: 'none' },
    },
  ];
}
