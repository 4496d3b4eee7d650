// Hosts by registrable domain: the domain at the top, its hosts under it, and under those the apps that talked to them.

import type { HostRow } from '../../model/snapshot.ts';
import { NOWHERE } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { sumTraffic } from '../traffic.ts';
import { type Branch, type Branched, flowsOf, groupBy, restOf, spanOf } from './branch.ts';
import { actorOf, type Part, partsOfHost, restText } from './parts.ts';

/** A row of the hosts table, or of what hangs under it. `hosts` is how many hosts a domain has; absent for other rows. */
export type HostLine = HostRow & Branched & { readonly hosts?: number };

/** Addresses that a domain keeps. */
const ADDRESSES = 16;

const grouped = new WeakMap<readonly HostRow[], readonly HostLine[]>();

/** Hosts with their domain in place of them, where they have one. */
export function domains(rows: readonly HostRow[]): readonly HostLine[] {
  const known = grouped.get(rows);
  if (known !== undefined) return known;
  const lines: HostLine[] = [];
  for (const [key, group] of groupBy(rows, domainOf))
    if (key === null) lines.push(...group);
    else lines.push(domainLine(group[0]?.domain ?? '', group[0]?.machine, group));
  grouped.set(rows, lines);
  return lines;
}

/** What the hosts of a row have in common; null for one that stands alone. */
function domainOf({ host, domain, machine }: Pick<HostRow, 'host' | 'domain' | 'machine'>): string | null {
  if (host === null || domain === null) return null;
  return machine === undefined ? domain : `${machine}|${domain}`;
}

function domainLine(domain: string, machine: string | undefined, group: readonly HostRow[]): HostLine {
  const only = group.length === 1 ? group[0] : undefined;
  const same = <Key extends 'category' | 'country' | 'asn' | 'network' | 'nameSource'>(key: Key): HostRow[Key] | null => {
    const value = group[0]?.[key] ?? null;
    return group.every((row) => row[key] === value) ? value : null;
  };
  return {
    ...sumTraffic(group),
    ...(machine === undefined ? {} : { machine }),
    id: machine === undefined ? `domain:${domain}` : `domain:${machine}|${domain}`,
    host: only?.host ?? domain,
    reason: null,
    domain,
    nameSource: same('nameSource') ?? 'none',
    addresses: [...new Set(group.flatMap(({ addresses }) => addresses))].slice(-ADDRESSES),
    category: same('category'),
    country: same('country'),
    asn: same('asn'),
    network: same('network'),
    mac: only?.mac ?? null,
    vendor: only?.vendor ?? null,
    quality: only?.quality ?? null,
    flows: group.reduce((sum, { flows }) => sum + flows, 0),
    firstSeen: Math.min(...group.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...group.map(({ lastSeen }) => lastSeen)),
    recent: only?.recent ?? summed(group.map(({ recent }) => recent)),
    hosts: group.length,
  };
}

/** Series added up, their newest values together. */
function summed(series: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...series.map((one) => one.length));
  const out = new Array<number>(length).fill(0);
  for (const one of series)
    for (const [index, value] of one.entries())
      out[length - one.length + index] = (out[length - one.length + index] ?? 0) + value;
  return out;
}

/** Rows right under a domain or a host. */
export function underHost(line: HostLine, picture: Picture): readonly HostLine[] {
  if (line.host === null || line.branch?.kind === 'app' || line.branch?.kind === 'rest') return [];
  if (line.hosts !== undefined) {
    const at = { depth: 1, kind: 'host', parent: line.id, root: line.id, process: null } as const;
    return picture.hosts
      .filter((row) => row.host !== null && row.domain === line.domain && row.machine === line.machine)
      .map((row) => ({ ...row, branch: { ...at, nameSource: row.nameSource } }));
  }
  const depth = line.branch === undefined ? 1 : 2;
  return apps(line, picture, { depth, parent: line.id, root: line.branch?.root ?? line.id });
}

/** Apps that talked to a host, and a row for what none of them accounts for. */
function apps(line: HostLine, picture: Picture, at: Pick<Branch, 'depth' | 'parent' | 'root'>): readonly HostLine[] {
  const branch = { ...at, process: null, nameSource: 'none' } as const;
  const nameless = {
    ...NOWHERE,
    nameSource: 'none',
    addresses: [],
    category: null,
    mac: null,
    vendor: null,
    quality: null,
    recent: [],
  } as const;
  const lines: HostLine[] = [...groupBy(partsOfHost(line.id, picture), ({ appId }) => appId)].map(([appId, group]) => ({
    ...line,
    ...nameless,
    ...sumTraffic(group),
    ...spanOf(group),
    id: `${line.id}/app:${appId}`,
    host: actorOf(group[0] as Part).app,
    reason: actorOf(group[0] as Part).reason,
    flows: flowsOf(group),
    branch: { ...branch, kind: 'app' },
  }));
  const rest = restOf(line, sumTraffic(lines));
  if (rest === null) return lines;
  return [
    ...lines,
    {
      ...line,
      ...nameless,
      ...rest,
      id: `${line.id}/rest`,
      host: null,
      reason: restText(picture, 'apps'),
      flows: Math.max(0, line.flows - flowsOf(lines)),
      branch: { ...branch, kind: 'rest' },
    },
  ];
}
