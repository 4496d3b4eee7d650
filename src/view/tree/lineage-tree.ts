// Apps by what started them: a shell, an IDE, an agent or a service with all that its children moved, and below it those children, in the order
// in which one started the other. Processes of which nobody knows who started them stay with their app.

import type { AppRow } from '../../model/snapshot.ts';
import type { Ancestor, Process } from '../../model/terms.ts';
import type { Picture } from '../derive.ts';
import { sumTraffic } from '../traffic.ts';
import { type AppLine, hostLines, withRest } from './app-tree.ts';
import { type Branch, type Branched, flowsOf, restOf, spanOf } from './branch.ts';
import { endOf, otherEnd, type Part, partsByApp, pidOf, restText, type Share, sharesByApp } from './parts.ts';

/** Most processes between the head of a line and one below it that are followed, so that a hostile line can't go in circles. */
const MAX_DEPTH = 64;
/** The same process may have two start times, told by two clocks, a second apart. */
const TOLERANCE_MS = 1000;

/** A process that moved something, or started one that did. */
interface Node {
  readonly id: string;
  readonly pid: number;
  readonly startedAt: number | null;
  name: string;
  /** What is known of it; null for one that moved nothing itself. */
  process: Process | null;
  terminal: string | null;
  above: Node | null;
  readonly below: Node[];
  readonly own: Part[];
  /** Parts of its own and of all below it. */
  all: readonly Part[];
}

interface Tree {
  readonly tops: readonly AppLine[];
  readonly nodes: ReadonlyMap<string, Node>;
}

const trees = new WeakMap<Picture, Tree>();

/** Rows at the top: heads of lines, then apps with what belongs to none. */
export function lineageTops(picture: Picture): readonly AppLine[] {
  return treeOf(picture).tops;
}

/** Rows right under a process: those that it started, then the other ends of its own traffic. */
export function underProcess(line: AppLine, picture: Picture): readonly AppLine[] {
  const node = treeOf(picture).nodes.get(line.id);
  const { branch } = line;
  if (node === undefined || branch === undefined) return [];
  const at = { depth: branch.depth + 1, parent: line.id, root: branch.root };
  const children = node.below.map((child) => {
    const [last, names] = straight(child);
    return { ...lineOf(last, at), app: names.join(' > ') };
  });
  return withRest(line, [...children, ...hostLines(line, node.own, at)], at, restText(picture, 'hosts'));
}

/** Parts that a row of this tree is about: of a process with all that it started, or of it alone with one other end. Null for rows elsewhere. */
export function lineageParts({ id, branch }: Branched & { readonly id: string }, picture: Picture): readonly Part[] | null {
  if (!picture.byLineage) return null;
  const { nodes } = treeOf(picture);
  const above = nodes.get(branch?.parent ?? '');
  if (branch?.kind === 'lineage') return nodes.get(id)?.all ?? [];
  return branch?.kind === 'host' && above !== undefined
    ? above.own.filter((part) => id === `${branch.parent}/host:${endOf(part)}`)
    : null;
}

/** Sides of listed connections that such a row is about. */
export function lineageShares(row: Branched & { readonly id: string }, picture: Picture): readonly Share[] | null {
  const parts = lineageParts(row, picture);
  if (parts === null) return null;
  const pids = new Set(parts.map(({ pid }) => pid));
  const shares = [...sharesByApp(picture).values()].flat().filter((share) => pids.has(pidOf(share)));
  return row.branch?.kind === 'host'
    ? shares.filter((share) => row.id === `${row.branch?.parent}/host:${otherEnd(share)}`)
    : shares;
}

function treeOf(picture: Picture): Tree {
  const known = trees.get(picture);
  if (known !== undefined) return known;
  const made = new Lines(picture).tree();
  trees.set(picture, made);
  return made;
}

/** Builds a tree. */
class Lines {
  readonly #picture: Picture;
  readonly #byPid = new Map<string, Node[]>();
  readonly #nodes = new Map<string, Node>();

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  tree(): Tree {
    const placed = new Map<string, Part[]>();
    for (const [app, parts] of partsByApp(this.#picture))
      for (const part of parts) {
        const { process } = part;
        if (part.isFolded || process === null || (process.origin === null && process.ancestors.length === 0)) continue;
        this.#nodeOf(process, part.machine).own.push(part);
        const own = placed.get(app);
        if (own === undefined) placed.set(app, [part]);
        else own.push(part);
      }
    const heads = [...this.#nodes.values()].filter(({ above }) => above === null);
    for (const head of heads) gather(head, 0);
    const at = { depth: 0, parent: '' };
    const tops = heads.map((head) => lineOf(head, { ...at, root: head.id }));
    return { tops: [...tops, ...this.#others(placed)], nodes: this.#nodes };
  }

  /** Apps, less what was placed in lines. */
  #others(placed: ReadonlyMap<string, readonly Part[]>): readonly AppLine[] {
    return this.#picture.apps.flatMap((row): readonly AppLine[] => {
      const own = placed.get(row.id);
      if (own === undefined) return [row];
      const rest = restOf(row, sumTraffic(own));
      if (rest === null) return [];
      const flows = Math.max(0, row.flows - flowsOf(own));
      return [{ ...row, ...rest, flows, recent: [], processes: [], pids: [], branch: { ...NOWHERE, root: row.id } }];
    });
  }

  #nodeOf(process: Process, machine: string | undefined): Node {
    const { pid, startedAt } = process;
    const node = this.#find(pid, startedAt, process.script ?? process.name, machine);
    if (node.process === null) this.#join(node, chainOf(process), machine);
    if (node.process === null || node.process.id < process.id) {
      node.process = process;
      node.name = process.script ?? process.name;
    }
    for (let at: Node | null = node; at !== null; at = at.above) if (at.pid === process.session) at.terminal = process.terminal;
    return node;
  }

  /** Hangs a process under those above it. */
  #join(node: Node, chain: readonly Ancestor[], machine: string | undefined): void {
    let below = node;
    for (const { pid, name, startedAt } of chain.toReversed()) {
      const above = this.#find(pid, startedAt, name, machine);
      if (below.above !== null || isBelow(above, below)) return;
      below.above = above;
      above.below.push(below);
      below = above;
    }
  }

  #find(pid: number, startedAt: number | null, name: string, machine: string | undefined): Node {
    const key = machine === undefined ? String(pid) : `${machine}|${pid}`;
    const alike = this.#byPid.get(key) ?? [];
    const known = alike.find((each) => isSameTime(each.startedAt, startedAt));
    if (known !== undefined) return known;
    const id = machine === undefined ? processRow(pid, startedAt) : `${machine}|${processRow(pid, startedAt)}`;
    const made = { id, pid, startedAt, name, process: null, terminal: null, above: null, below: [], own: [], all: [] };
    this.#byPid.set(key, [...alike, made]);
    this.#nodes.set(id, made);
    return made;
  }
}

/** Where a row hangs that belongs to no line. */
const NOWHERE = { depth: 0, kind: 'rest', parent: '', process: null, nameSource: 'none' } as const;

/** Those above a process from the head of its line on. Between the head and the six that are kept some may be missing. */
function chainOf({ pid, ancestors, origin }: Process): readonly Ancestor[] {
  if (origin === null || origin.pid === pid) return [];
  const head = ancestors.findIndex((each) => each.pid === origin.pid && isSameTime(each.startedAt, origin.startedAt));
  return head < 0 ? [origin, ...ancestors] : ancestors.slice(head);
}

/** Id of a process's row. */
export function processRow(pid: number, startedAt: number | null): string {
  return `process:${pid}.${startedAt ?? ''}`;
}

function isSameTime(a: number | null, b: number | null): boolean {
  return a === null || b === null || Math.abs(a - b) <= TOLERANCE_MS;
}

function isBelow(node: Node, above: Node): boolean {
  let at: Node | null = node;
  for (let depth = 0; at !== null && depth < MAX_DEPTH; depth++, at = at.above) if (at === above) return true;
  return at !== null;
}

/** The processes from one down to the first that moved something itself or started several, which have a row in common. */
function straight(node: Node): readonly [last: Node, names: readonly string[]] {
  const names = [node.name];
  let last = node;
  for (let only = last.below[0]; only !== undefined && last.below.length === 1 && last.own.length === 0; only = last.below[0]) {
    last = only;
    names.push(only.name);
    if (names.length > MAX_DEPTH) break;
  }
  return [last, names];
}

function gather(node: Node, depth: number): readonly Part[] {
  if (depth < MAX_DEPTH) node.all = [...node.own, ...node.below.flatMap((child) => gather(child, depth + 1))];
  return node.all;
}

function lineOf({ id, pid, name, process, terminal, all }: Node, at: Pick<Branch, 'depth' | 'parent' | 'root'>): AppLine {
  const users = new Set(all.map((part) => part.process?.user ?? null));
  const own: Pick<AppRow, 'exe' | 'user' | 'processes'> = {
    exe: process?.exe ?? null,
    user: process !== null ? process.user : users.size === 1 ? ([...users][0] ?? null) : null,
    processes: process === null ? [] : [process],
  };
  return {
    ...sumTraffic(all),
    ...spanOf(all),
    ...own,
    ...(all[0]?.machine === undefined ? {} : { machine: all[0].machine }),
    id,
    app: name,
    reason: null,
    pids: [pid],
    processCount: new Set(all.map((part) => part.pid)).size,
    flows: flowsOf(all),
    recent: [],
    branch: { ...at, kind: 'lineage', process, nameSource: 'none', terminal },
  };
}
