// Parts: what an app moved by one process with one other end. They are as the run counted them; for a range of the past, and until the run has
// counted for a filter, they are made from listed connections.

import type { OfMachine } from '../../model/machines.ts';
import type { BranchRow, FlowRow, Traffic } from '../../model/snapshot.ts';
import type { NameSource, Process } from '../../model/terms.ts';
import { appOfFlow, hostOfFlow, type Picture, processOf } from '../derive.ts';

/** The other end of the far side of a local connection whose own app is unknown. */
export const THIS_MACHINE = 'this machine';

/** Part of the row of an app, and mostly of that of a host. */
export type Part = Omit<BranchRow, 'id'>;

/** A flow as a side of it sees it: the far end of a local flow received what the near one sent. */
export interface Share extends Traffic {
  readonly flow: FlowRow;
  /** It is the far side of a local flow. */
  readonly isFar: boolean;
}

/** The near side of a flow. */
export function nearSide(flow: FlowRow): Share {
  const { rxBytes, txBytes, rxPackets, txPackets, rxRate, txRate, means } = flow;
  return { flow, isFar: false, rxBytes, txBytes, rxPackets, txPackets, rxRate, txRate, means };
}

/** The far side of a local flow. */
export function farSide(flow: FlowRow): Share {
  const { rxBytes, txBytes, rxPackets, txPackets, rxRate, txRate, means } = flow;
  return {
    flow,
    isFar: true,
    rxBytes: txBytes,
    txBytes: rxBytes,
    rxPackets: txPackets,
    txPackets: rxPackets,
    rxRate: txRate,
    txRate: rxRate,
    means: means.map((_, i) => means[i ^ 1] as number),
  };
}

/** Who is at the other end, as this side sees it: an app of this machine, a host, or an address. */
export function otherEnd({ flow, isFar }: Share): string {
  return endText(isFar ? flow.app : flow.peerApp, isFar, flow.host ?? flow.remote.address) as string;
}

/** Who is at the other end of a part; null for many. */
export function endOf({ peerApp, isFar, host }: Part): string | null {
  return endText(peerApp, isFar, host);
}

/** How the name of that end is known. */
export function endSource({ peerApp, isFar, nameSource }: Part): NameSource {
  return peerApp === null && !isFar ? nameSource : 'none';
}

function endText(app: string | null, isFar: boolean, host: string | null): string | null {
  if (app !== null) return `${app} (local)`;
  return isFar ? THIS_MACHINE : host;
}

/** Process of the app at this side. */
export function pidOf({ flow, isFar }: Share): number | null {
  return isFar ? flow.peerPid : flow.pid;
}

const shares = new WeakMap<Picture, ReadonlyMap<string, readonly Share[]>>();

/** Sides of listed connections by the id of their app's row, or by another one for an app without a row. */
export function sharesByApp(picture: Picture): ReadonlyMap<string, readonly Share[]> {
  const known = shares.get(picture);
  if (known !== undefined) return known;
  const appOf = appOfFlow(picture.apps);
  const groups = new Map<string, Share[]>();
  for (const flow of picture.flows) {
    if (flow.carries) continue; // its bytes are counted under the apps inside
    put(groups, appOf(flow) ?? `unlisted:${flow.app ?? flow.reason}`, nearSide(flow));
    if (flow.peerApp === null) continue;
    put(
      groups,
      appOf({ app: flow.peerApp, pid: flow.peerPid, reason: null, ...machineOf(flow) }) ?? `unlisted:${flow.peerApp}`,
      farSide(flow),
    );
  }
  shares.set(picture, groups);
  return groups;
}

/** The machine of a row, where there are several. */
function machineOf({ machine }: FlowRow): OfMachine {
  return machine === undefined ? {} : { machine };
}

interface Parts {
  readonly byApp: ReadonlyMap<string, readonly Part[]>;
  readonly byHost: ReadonlyMap<string, readonly Part[]>;
}

const parts = new WeakMap<Picture, Parts>();

/** Parts by the id of their app's row. */
export function partsByApp(picture: Picture): ReadonlyMap<string, readonly Part[]> {
  return partsOf(picture).byApp;
}

/** Parts of an app's row. @param id of the row */
export function partsOfApp(id: string, picture: Picture): readonly Part[] {
  return partsByApp(picture).get(id) ?? [];
}

/** Parts of a host's row. @param id of the row */
export function partsOfHost(id: string, picture: Picture): readonly Part[] {
  return partsOf(picture).byHost.get(id) ?? [];
}

function partsOf(picture: Picture): Parts {
  const known = parts.get(picture);
  if (known !== undefined) return known;
  const byApp = new Map<string, Part[]>();
  const byHost = new Map<string, Part[]>();
  for (const part of picture.branches ?? ofShares(picture)) {
    if (!part.carries) put(byApp, part.appId, part);
    if (part.hostId !== null) put(byHost, part.hostId, part);
  }
  const made = { byApp, byHost };
  parts.set(picture, made);
  return made;
}

function* ofShares(picture: Picture): Iterable<Part> {
  const hostOf = hostOfFlow(picture.hosts);
  const apps = new Map(picture.apps.map((row) => [row.id, row]));
  for (const [appId, own] of sharesByApp(picture))
    for (const share of own) yield ofShare(share, appId, processOf(apps.get(appId), pidOf(share)), hostOf);
  for (const flow of picture.flows) if (flow.carries) yield ofShare(nearSide(flow), 'carrier', null, hostOf);
}

function ofShare(share: Share, appId: string, process: Process | null, hostOf: ReturnType<typeof hostOfFlow>): Part {
  const { flow, isFar, ...traffic } = share;
  return {
    ...traffic,
    appId,
    app: isFar ? flow.peerApp : flow.app,
    reason: isFar ? null : flow.reason,
    pid: pidOf(share),
    process,
    isFolded: false,
    hostId: isFar ? null : (hostOf(flow) ?? null),
    host: flow.host ?? flow.remote.address,
    address: isFar ? flow.local.address : flow.remote.address,
    nameSource: flow.nameSource,
    isFar,
    peerApp: isFar ? flow.app : flow.peerApp,
    carries: flow.carries,
    flows: 1,
    firstSeen: flow.firstSeen,
    lastSeen: flow.lastSeen,
  };
}

/** App of a part, as the row of a host names it; null where there is only a reason. */
export function actorOf({ app, reason, carries }: Part): { readonly app: string | null; readonly reason: string | null } {
  return carries ? { app: null, reason: 'carried for apps inside a tunnel' } : { app, reason };
}

function put<Value>(groups: Map<string, Value[]>, key: string, value: Value): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}

/** What the rest of a row is made of: of listed connections it lacks those that are gone, of counted parts the smallest and oldest. */
export function restText(picture: Picture, of: 'hosts' | 'processes' | 'apps'): string {
  return picture.branches === null ? 'connections no longer listed' : `more ${of}`;
}
