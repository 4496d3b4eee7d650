// The doctor's steps that try every source of owners once. They change nothing.

import { permissionHint } from '../../capture/errors.ts';
import type { LoadedPrograms } from '../../identify/process/linux/ebpf/loader.ts';
import { LSOF_ARGUMENTS, parseLsof } from '../../identify/process/macos/lsof.ts';
import { NETTOP_ARGUMENTS, NETTOP_COLUMNS, parseNettop } from '../../identify/process/macos/nettop.ts';
import { PS_ARGUMENTS, parsePs } from '../../identify/process/macos/ps.ts';
import { reasonOf } from '../../model/errors.ts';
import { counted } from '../../net/counted.ts';
import type { Edges, RunResult } from '../../system/edges.ts';
import { listSystemFolder, readSystemFile } from '../../system/small-file.ts';
import type { CapturedOwners } from './probes.ts';
import { type Finding, no, ok, type Step, skipped } from './step.ts';

/** Attaches the programs and says which could not be. @throws if one of those is needed */
export type AttachPrograms = (proc: string, sys: string) => Promise<Pick<LoadedPrograms, 'missing' | 'framesMissing' | 'close'>>;

const LIMITS = { timeoutMs: 8000, maxBytes: 8 << 20 };

/**
 * One step for each source that tells which process owns a socket, best first.
 *
 * @param seen what the capture drivers saw, in steps before these
 * @param attach loads the eBPF programs; another in tests
 */
export function ownerSteps(edges: Edges, seen: readonly CapturedOwners[], attach: AttachPrograms = attachPrograms): Step[] {
  if (edges.platform === 'linux')
    return [
      { name: 'owners: eBPF', ask: () => ebpf(edges, attach) },
      { name: 'owners: procfs', ask: () => procfs(edges) },
    ];
  return [
    { name: 'owners: PKTAP', ask: () => pktap(edges, seen) },
    { name: 'owners: ps', ask: () => ps(edges) },
    { name: 'owners: nettop', ask: () => nettop(edges) },
    { name: 'owners: lsof', ask: () => lsof(edges) },
  ];
}

/** Attaches the eBPF programs for a moment. */
async function attachPrograms(proc: string, sys: string): ReturnType<AttachPrograms> {
  const [{ loadPrograms }, { loadBpfCalls }] = await Promise.all([
    import('../../identify/process/linux/ebpf/loader.ts'),
    import('../../identify/process/linux/ebpf/calls.ts'),
  ]);
  return loadPrograms(loadBpfCalls(), proc, sys);
}

async function ebpf(edges: Edges, attach: AttachPrograms): Promise<Finding> {
  try {
    const { missing, framesMissing, close } = await attach(edges.paths.proc, edges.paths.sys);
    close();
    const frames = framesMissing === '' ? '' : `; frames of packet sockets have no owner here: ${framesMissing}`;
    return ok(
      (missing.length === 0 ? 'all programs attach' : `the required programs attach, these don't: ${missing.join('; ')}`) +
        frames,
    );
  } catch (thrown) {
    return no(`${reasonOf(thrown)}; owners are polled`, edges.euid() === 0 ? null : permissionHint());
  }
}

/** Reads the socket tables, and counts the processes whose descriptors can be read. */
function procfs(edges: Edges): Finding {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'].filter((name) => readSystemFile(`${edges.paths.proc}/net/${name}`, 256) !== null);
  const pids = listSystemFolder(edges.paths.proc).filter((name) => /^\d+$/.test(name));
  // A process that sleeps in exec still has standard input; kernel threads have no descriptors and no executable.
  const users = pids.filter((pid) => (readSystemFile(`${edges.paths.proc}/${pid}/cmdline`, 16) ?? '') !== '');
  const open = users.filter((pid) => listSystemFolder(`${edges.paths.proc}/${pid}/fd`).length > 0);
  const detail = `tables ${tables.join(' ') || 'none'}; descriptors of ${open.length} of ${counted(users.length, 'process', 'processes')}`;
  if (tables.length === 0) return no(detail);
  const hidden = edges.euid() !== 0 && open.length < users.length;
  return hidden ? no(`${detail}: those of other users are hidden`, 'run it as root') : ok(detail);
}

/** Whether a driver opened PKTAP, and whether its packets carried pids. */
function pktap(edges: Edges, seen: readonly CapturedOwners[]): Finding {
  const best = seen.toSorted((a, b) => b.named - a.named || b.packets - a.packets)[0];
  if (best === undefined) return no('no driver opened it; owners are polled', edges.euid() === 0 ? null : permissionHint());
  if (best.packets === 0) return skipped(`${best.driver} opened it, but no packet came to show a pid`);
  const share = `${best.named} of ${counted(best.packets, 'packet')} from ${best.driver} carry a process`;
  return best.named === 0 ? no(share) : ok(share);
}

async function ps(edges: Edges): Promise<Finding> {
  const result = await edges.run(edges.paths.ps, PS_ARGUMENTS, LIMITS);
  const found = parsePs(result.stdout);
  const paths = found.filter((record) => record.exe !== null).length;
  return (
    brokenOf(result) ??
    (found.length === 0 ? no('it lists nothing') : ok(`${counted(found.length, 'process', 'processes')}, ${paths} with a path`))
  );
}

/** First with chosen columns, as the program runs it. */
async function nettop(edges: Edges): Promise<Finding> {
  const chosen = await edges.run(edges.paths.nettop, [...NETTOP_ARGUMENTS, ...NETTOP_COLUMNS], LIMITS);
  const broken = brokenOf(chosen);
  if (broken !== null) return broken;
  const first = parseNettop(chosen.stdout);
  if (first.processes > 0) return ok(describe(first));
  const result = await edges.run(edges.paths.nettop, NETTOP_ARGUMENTS, LIMITS);
  const report = parseNettop(result.stdout);
  const refusal = `chosen columns are refused (status ${chosen.status ?? 'unknown'})`;
  if (report.processes > 0) return ok(`${describe(report)}; ${refusal}`);
  return brokenOf(result) ?? no(`it lists no processes (status ${result.status ?? 'unknown'}); ${refusal}`);
}

function describe({ records, processes, columns }: ReturnType<typeof parseNettop>): string {
  return `${counted(records.length, 'flow')} of ${counted(processes, 'process', 'processes')}; columns ${columns.join(' ')}`;
}

async function lsof(edges: Edges): Promise<Finding> {
  const result = await edges.run(edges.paths.lsof, LSOF_ARGUMENTS, LIMITS);
  const found = parseLsof(result.stdout);
  return (
    brokenOf(result) ??
    ok(
      `${counted(found.length, 'socket')} of ${counted(new Set(found.map((record) => record.pid)).size, 'process', 'processes')}`,
    )
  );
}

/** Why a program can't be used, or null. */
function brokenOf({ failure, cut }: RunResult): Finding | null {
  if (failure !== null) return no(`can't be run: ${failure}`);
  return cut === null ? null : no(cut === 'time' ? 'it hangs' : 'it prints too much');
}
