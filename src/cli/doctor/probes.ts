// The doctor's steps that open every capture driver for a moment.

import { DriverUnavailable } from '../../capture/errors.ts';
import { type DriverTable, notHere } from '../../capture/opener.ts';
import type { CaptureRequest, PacketSource } from '../../capture/source.ts';
import { NetmonError } from '../../model/errors.ts';
import { DRIVERS, type DriverName } from '../../model/terms.ts';
import { counted } from '../../net/counted.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { type Finding, no, ok, type Step, skipped } from './step.ts';

/** How drivers are tried. */
export interface DriverProbe {
  readonly request: CaptureRequest;
  readonly drivers: DriverTable;
  readonly clock: Clock;
  /** How long each is open. */
  readonly openMs: number;
}

/** What a driver that names processes saw: how many packets, and how many of them with a process. */
export interface CapturedOwners {
  readonly driver: DriverName;
  readonly packets: number;
  readonly named: number;
}

const TURN_MS = 20;

/** One step for each capture driver. @param seen collects what drivers that name processes saw */
export function driverSteps(edges: Edges, probe: DriverProbe, seen: CapturedOwners[]): Step[] {
  let better = '';
  const ask = async (name: DriverName): Promise<Finding> => {
    try {
      const finding = await tryDriver(name, edges, probe, seen);
      if (finding.result === 'ok') better ||= `${name} works`;
      return finding;
    } catch (thrown) {
      // A missing driver is not a fault if a better one works: nobody should build a package for nothing.
      if (thrown instanceof DriverUnavailable && better !== '')
        return skipped(`${thrown.message}; not needed, because ${better}`);
      if (thrown instanceof NetmonError && thrown.code === 'permission') better ||= `${name} lacks only permission`;
      throw thrown;
    }
  };
  return DRIVERS.map((name) => ({ name: `driver ${name}`, ask: () => ask(name) }));
}

async function tryDriver(name: DriverName, edges: Edges, probe: DriverProbe, seen: CapturedOwners[]): Promise<Finding> {
  const elsewhere = notHere(name, edges);
  if (elsewhere !== null) return skipped(elsewhere);
  const source = await probe.drivers[name](probe.request, edges, probe.clock);
  try {
    return await watch(source, name, probe, seen);
  } finally {
    source.close();
  }
}

async function watch(source: PacketSource, driver: DriverName, probe: DriverProbe, seen: CapturedOwners[]): Promise<Finding> {
  const { clock, openMs } = probe;
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
  if (source.namesProcesses) seen.push({ driver, packets, named });
  const { received, droppedByKernel, shed } = source.stats();
  const where = [...new Set(source.interfaces.map((item) => `${item.name} link ${item.link}`))].slice(0, 8).join(', ');
  const facts = [
    `${counted(packets, 'packet')} in ${openMs / 1000} s`,
    `received ${received ?? 'unknown'}, dropped by the kernel ${droppedByKernel ?? 'unknown'}, dropped by netmon-tui ${shed}`,
    source.namesProcesses ? `${named} with a process` : 'names no processes',
    `ring ${source.bufferBytes === null ? 'unknown' : `${Math.round(source.bufferBytes / 1024)} KiB`}`,
  ];
  if (where !== '') facts.push(where);
  if (source.note !== '') facts.push(source.note);
  return source.state === 'lost' ? no(facts.join('; ')) : ok(facts.join('; '));
}
