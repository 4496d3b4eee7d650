// The doctor's steps that try things: every capture driver opened for a moment, every source of owners asked once.

import type { DriverTable } from '../capture/opener.ts';
import { type CaptureRequest, DRIVERS, type DriverName, type PacketSource } from '../capture/source.ts';
import { listSystemFolder, readSystemFile } from '../capture/system-file.ts';
import type { Clock } from '../clock.ts';
import { LSOF_ARGUMENTS, parseLsof } from '../identify/process/lsof.ts';
import { PS_ARGUMENTS, parsePs } from '../identify/process/ps.ts';
import type { Edges } from '../net/edges.ts';
import { type Finding, no, ok, type Step, skipped } from './doctor-step.ts';

/** How the drivers are tried. */
export interface DriverProbe {
  readonly request: CaptureRequest;
  readonly drivers: DriverTable;
  readonly clock: Clock;
  /** How long each is open. */
  readonly openMs: number;
}

const TURN_MS = 20;
const PROGRAM_LIMITS = { timeoutMs: 8000, maxBytes: 8 << 20 };
const NETTOP_ARGUMENTS = ['-L', '1', '-x', '-n'];

/** One step for each capture driver. */
export function driverSteps(edges: Edges, probe: DriverProbe): Step[] {
  return DRIVERS.map((name) => ({ name: `driver ${name}`, ask: () => tryDriver(name, edges, probe) }));
}

async function tryDriver(name: DriverName, edges: Edges, probe: DriverProbe): Promise<Finding> {
  if (name === 'tcpdump' && edges.platform !== 'darwin') return skipped('used on macOS only');
  const source = await probe.drivers[name](probe.request, edges, probe.clock);
  try {
    return await watch(source, probe);
  } finally {
    source.close();
  }
}

async function watch(source: PacketSource, { clock, openMs }: DriverProbe): Promise<Finding> {
  const end = clock.monotonic() + openMs;
  let packets = 0;
  let named = 0;
  while (clock.monotonic() < end) {
    for (let batch = source.read(); batch !== null; batch = source.read()) {
      packets += batch.count;
      for (let i = 0; i < batch.count; i++) if (batch.process[i] !== 0 || batch.effective[i] !== 0) named++;
      if (clock.monotonic() >= end) break;
    }
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
  const { received, droppedByKernel, shed } = source.stats();
  const where = [...new Set(source.interfaces.map((item) => `${item.name} link ${item.link}`))].slice(0, 8).join(', ');
  const facts = [
    `${packets} packets in ${openMs / 1000} s`,
    `received ${received ?? 'unknown'}, dropped ${droppedByKernel ?? 'unknown'}, shed ${shed}`,
    source.namesProcesses ? `${named} with a process` : 'names no processes',
    `ring ${source.bufferBytes === null ? 'unknown' : `${Math.round(source.bufferBytes / 1024)} KiB`}`,
  ];
  if (where !== '') facts.push(where);
  if (source.note !== '') facts.push(source.note);
  return source.state === 'lost' ? no(facts.join('; ')) : ok(facts.join('; '));
}

/** One step for each source that tells which process owns a socket. */
export function ownerSteps(edges: Edges): Step[] {
  if (edges.platform === 'linux') return [{ name: 'owners: procfs', ask: () => procfs(edges) }];
  return [
    { name: 'owners: lsof', ask: () => lsof(edges) },
    { name: 'owners: nettop', ask: () => nettop(edges) },
    { name: 'owners: ps', ask: () => ps(edges) },
  ];
}

/** Socket tables, and how many processes' descriptors may be read. */
function procfs(edges: Edges): Finding {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'].filter((name) => readSystemFile(`${edges.paths.proc}/net/${name}`, 256) !== null);
  const pids = listSystemFolder(edges.paths.proc).filter((name) => /^\d+$/.test(name));
  // A process that sleeps in exec still has standard input; kernel threads have no descriptors and no executable.
  const users = pids.filter((pid) => (readSystemFile(`${edges.paths.proc}/${pid}/cmdline`, 16) ?? '') !== '');
  const open = users.filter((pid) => listSystemFolder(`${edges.paths.proc}/${pid}/fd`).length > 0);
  const detail = `tables ${tables.join(' ') || 'none'}; descriptors of ${open.length} of ${users.length} processes`;
  if (tables.length === 0) return no(detail);
  const hidden = edges.euid() !== 0 && open.length < users.length;
  return hidden ? no(`${detail}: those of other users are hidden`, 'run it as root') : ok(detail);
}

async function lsof(edges: Edges): Promise<Finding> {
  const { stdout, failure, cut } = await edges.run(edges.paths.lsof, LSOF_ARGUMENTS, PROGRAM_LIMITS);
  if (failure !== null) return no(`can't be run: ${failure}`);
  if (cut !== null) return no(cut === 'time' ? 'it hangs' : 'it prints too much');
  const found = parseLsof(stdout);
  return ok(`${found.length} sockets of ${new Set(found.map((record) => record.pid)).size} processes`);
}

async function nettop(edges: Edges): Promise<Finding> {
  const { stdout, status, failure, cut } = await edges.run(edges.paths.nettop, NETTOP_ARGUMENTS, PROGRAM_LIMITS);
  if (failure !== null) return no(`can't be run: ${failure}`);
  if (cut !== null) return no(cut === 'time' ? 'it hangs' : 'it prints too much');
  const lines = stdout.split('\n').filter((line) => line !== '');
  const columns = (lines[0] ?? '').split(',').length;
  return lines.length > 1 ? ok(`${lines.length - 1} rows of ${columns} columns`) : no(`it printed nothing (status ${status})`);
}

async function ps(edges: Edges): Promise<Finding> {
  const { stdout, failure } = await edges.run(edges.paths.ps, PS_ARGUMENTS, PROGRAM_LIMITS);
  if (failure !== null) return no(`can't be run: ${failure}`);
  const found = parsePs(stdout);
  const paths = found.filter((record) => record.exe !== null).length;
  return found.length === 0 ? no('it lists nothing') : ok(`${found.length} processes, ${paths} with a path`);
}
