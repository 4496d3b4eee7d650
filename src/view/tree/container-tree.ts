// Apps by the container that they run in, and below each its hosts. Pods are one row. What runs in no container stays an app as it is.

import type { AppRow } from '../../model/snapshot.ts';
import { type Container, containerLabel } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { sumTraffic } from '../traffic.ts';
import { type AppLine, hostLines, withRest } from './app-tree.ts';
import { type Branched, flowsOf, groupBy, spanOf } from './branch.ts';
import { type Part, partsOfApp, restText, type Share, sharesByApp } from './parts.ts';

const PREFIX = 'container:';
const trees = new WeakMap<Picture, ReadonlyMap<string, readonly AppRow[]>>();

/** Rows at the top: containers, then apps that run in none. */
export function containerTops(picture: Picture): readonly AppLine[] {
  return [...treeOf(picture)].flatMap(([id, rows]) => (id === '' ? rows : [lineOf(id, rows)]));
}

/** Rows right under a container, its apps; under one of those, whom it talks to. */
export function underContainer(line: AppLine, picture: Picture): readonly AppLine[] {
  const { branch } = line;
  if (branch?.kind === 'container')
    return (treeOf(picture).get(line.id) ?? []).map((row) => ({
      ...row,
      id: `${line.id}/${row.id}`,
      branch: { depth: 1, kind: 'contained', parent: line.id, root: row.id, process: null, nameSource: 'none' },
    }));
  if (branch?.kind !== 'contained') return [];
  const at = { depth: 2, parent: line.id, root: branch.root };
  return withRest(line, hostLines(line, partsOfApp(branch.root, picture), at), at, restText(picture, 'hosts'));
}

/** Parts that the row of a container is about; null for other rows. */
export function containerParts({ id, branch }: Branched & { readonly id: string }, picture: Picture): readonly Part[] | null {
  if (branch?.kind !== 'container') return null;
  return (treeOf(picture).get(id) ?? []).flatMap((row) => partsOfApp(row.id, picture));
}

/** Sides of listed connections that the row of a container is about; null for other rows. */
export function containerShares({ id, branch }: Branched & { readonly id: string }, picture: Picture): readonly Share[] | null {
  if (branch?.kind !== 'container') return null;
  return (treeOf(picture).get(id) ?? []).flatMap((row) => sharesByApp(picture).get(row.id) ?? []);
}

/** Apps by the id of their container's row; those in none have ''. */
function treeOf(picture: Picture): ReadonlyMap<string, readonly AppRow[]> {
  const known = trees.get(picture);
  if (known !== undefined) return known;
  const made = groupBy(picture.apps, (row) => {
    const container = containerOf(row);
    return container === null ? '' : `${PREFIX}${row.machine ?? ''}:${containerLabel(container)}`;
  });
  trees.set(picture, made);
  return made;
}

/** All processes of an app run in containers of one name, or in none. */
function containerOf({ processes }: AppRow): Container | null {
  return processes.at(-1)?.container ?? null;
}

function lineOf(id: string, rows: readonly AppRow[]): AppLine {
  const [first] = rows as readonly [AppRow, ...AppRow[]];
  const users = new Set(rows.map(({ user }) => user));
  return {
    ...first,
    ...sumTraffic(rows),
    ...spanOf(rows),
    id,
    app: containerLabel(containerOf(first) as Container),
    reason: null,
    exe: null,
    user: users.size === 1 ? first.user : null,
    pids: rows.flatMap(({ pids }) => pids),
    processes: first.processes.slice(-1),
    processCount: rows.reduce((sum, { processCount }) => sum + processCount, 0),
    flows: flowsOf(rows),
    recent: [],
    branch: { depth: 0, kind: 'container', parent: '', root: id, process: null, nameSource: 'none' },
  };
}
