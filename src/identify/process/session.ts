// A process that runs already, those above it and all below it, as the system lists them now: where following a session begins.

import { readdirSync } from 'node:fs';
import type { Edges } from '../../system/edges.ts';
import { Users } from './directory.ts';
import { seenOf } from './linux/lineage.ts';
import { procAt } from './linux/procfs/proc.ts';
import { readProcess } from './linux/procfs/process.ts';
import { PS_ARGUMENTS, parsePs } from './macos/ps.ts';
import { StartClock } from './start-clock.ts';

const PS_LIMITS = { timeoutMs: 5000, maxBytes: 16 << 20 };
/** Most processes listed, and most above one. */
const MOST = 131_072;
const MOST_ABOVE = 64;

/** A process of a session. */
export interface SessionProcess {
  readonly pid: number;
  readonly name: string;
  /** Epoch ms, to the second; null if unknown. */
  readonly startedAt: number | null;
}

/** A process and its surroundings. */
export interface Session {
  readonly root: SessionProcess;
  /** Its user; null if unknown. */
  readonly user: string | null;
  /** What it started and still runs. */
  readonly below: readonly SessionProcess[];
  /** Its parent first. */
  readonly above: readonly SessionProcess[];
}

type Listed = SessionProcess & { readonly parent: number; readonly uid: number | null };

/** Looks around a process. @returns null if there is no such process, or it may not be seen */
export async function sessionOf(edges: Edges, pid: number): Promise<Session | null> {
  const all = edges.platform === 'linux' ? linuxProcesses(edges.paths.proc) : await psProcesses(edges);
  const root = all.get(pid);
  if (root === undefined) return null;
  const children = new Map<number, number[]>();
  for (const [child, { parent }] of all) {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [child]);
    else known.push(child);
  }
  const found = new Set([pid]);
  for (const each of found) for (const child of children.get(each) ?? []) found.add(child);
  const above: Listed[] = [];
  for (
    let at = all.get(root.parent);
    at !== undefined && above.length < MOST_ABOVE && !above.includes(at);
    at = all.get(at.parent)
  )
    above.push(at);
  const uid = edges.platform === 'linux' ? (readProcess(procAt(edges.paths.proc), pid)?.uid ?? null) : root.uid;
  const below = [...found].slice(1).flatMap((each) => all.get(each) ?? []);
  return { root, user: new Users(edges.paths.passwd).name(uid), below, above };
}

function linuxProcesses(proc: string): Map<number, Listed> {
  const starts = new StartClock(proc);
  const scratch = Buffer.alloc(1024);
  const all = new Map<number, Listed>();
  let names: string[] = [];
  try {
    names = readdirSync(proc).filter((name) => /^[1-9]\d{0,9}$/.test(name));
  } catch {
    // no /proc: there is nothing to follow
  }
  for (const name of names.slice(0, MOST)) {
    const seen = seenOf(proc, Number(name), scratch);
    if (seen !== null) all.set(seen.pid, { ...seen, startedAt: starts.time(seen.start), uid: null });
  }
  return all;
}

async function psProcesses(edges: Edges): Promise<Map<number, Listed>> {
  const { stdout } = await edges.run(edges.paths.ps, PS_ARGUMENTS, PS_LIMITS);
  return new Map(
    parsePs(stdout).map(({ pid, ppid, name, startedAt, uid }) => [pid, { pid, name, startedAt, uid, parent: ppid }]),
  );
}
