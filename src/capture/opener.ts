// The opener: the only place that opens live captures. It chooses the driver, records why better ones were skipped, and never lets a weaker
// driver's message hide a stronger one's.

import { NetmonError, reasonOf } from '../model/errors.ts';
import type { Fallback } from '../model/terms.ts';
import { DRIVERS, type DriverName } from '../model/terms.ts';
import { sanitize } from '../net/text.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { deviceNames } from './devices/devices.ts';
import { DriverUnavailable, permissionHint, unknownDevice } from './errors.ts';
import { libpcapHint } from './libpcap/handle.ts';
import type { CaptureRequest, OpenedSource, PacketSource } from './source.ts';

/** Opens one driver. */
export type DriverOpen = (request: CaptureRequest, edges: Edges, clock: Clock) => Promise<PacketSource>;
/** The opening function of each driver. */
export type DriverTable = Readonly<Record<DriverName, DriverOpen>>;

/** The drivers. Loaded when they are tried: a native library that can't be loaded must not stop the others. */
export const DRIVER_TABLE: DriverTable = {
  libpcap: async (request, edges, clock) => (await libpcapDriver()).openLibpcap(request, edges, clock),
  tcpdump: async (request, edges, clock) => (await import('./tcpdump/source.ts')).openTcpdump(request, edges, clock),
  cap: async (request, edges, clock) => (await import('./cap/source.ts')).openCap(request, edges, clock),
};

/** Its module loads koffi, which has a library for most machines, but not for all. */
async function libpcapDriver() {
  try {
    return await import('./libpcap/source.ts');
  } catch (thrown) {
    throw new DriverUnavailable(
      `koffi could not be loaded: ${reasonOf(thrown)}`,
      'in a clone, type: rm -r dist && bin/setup',
      thrown,
    );
  }
}

/** Drivers of one platform only: `cap` knows no PKTAP, so on a Mac it has nothing that libpcap lacks. */
const PLATFORM_ONLY: Partial<Record<DriverName, Edges['platform']>> = { tcpdump: 'darwin', cap: 'linux' };

/** Why a driver is not for this platform; null where it is. */
export function notHere(driver: DriverName, { platform }: Edges): string | null {
  const only = PLATFORM_ONLY[driver];
  if (only === undefined || only === platform) return null;
  return `only on ${only === 'darwin' ? 'macOS' : 'Linux'}`;
}

/**
 * Opens a live capture: with the driver named, or with the best that works here.
 *
 * @throws NetmonError `no-device` for an interface that is not there (its message lists those that are) and where no driver works,
 * `permission` and `bad-filter` as the best working driver found them
 */
export async function openCapture(
  driver: 'auto' | DriverName,
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  drivers: DriverTable = DRIVER_TABLE,
): Promise<OpenedSource> {
  await checkInterfaces(request, edges);
  if (driver !== 'auto') return { source: await openNamed(driver, request, edges, clock, drivers), fallbacks: [] };
  const fallbacks: Fallback[] = [];
  let worth: unknown = null;
  for (const name of DRIVERS) {
    const elsewhere = notHere(name, edges);
    if (elsewhere !== null) {
      fallbacks.push({ driver: name, reason: elsewhere });
      continue;
    }
    try {
      return { source: await drivers[name](request, edges, clock), fallbacks };
    } catch (thrown) {
      if (isFinal(thrown, edges)) throw thrown;
      if (worth === null && !(thrown instanceof DriverUnavailable)) worth = thrown;
      fallbacks.push({ driver: name, reason: sanitize(reasonOf(thrown)) });
    }
  }
  // A driver that ran and failed knows more than all those that could not run.
  throw worth ?? noDriver(fallbacks, edges);
}

/**
 * Permissions and filters are the same for all drivers, so the first working one decides. But what macOS refuses to root in this process it may
 * grant to its own tcpdump, which Apple signs with entitlements.
 */
function isFinal(thrown: unknown, edges: Edges): boolean {
  if (!(thrown instanceof NetmonError) || thrown instanceof DriverUnavailable) return false;
  if (thrown.code === 'permission') return edges.platform !== 'darwin' || edges.euid() !== 0;
  return thrown.code !== 'no-device' && thrown.code !== 'internal';
}

async function openNamed(
  driver: DriverName,
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  drivers: DriverTable,
): Promise<PacketSource> {
  const elsewhere = notHere(driver, edges);
  try {
    if (elsewhere !== null) throw new DriverUnavailable(elsewhere);
    return await drivers[driver](request, edges, clock);
  } catch (thrown) {
    if (!(thrown instanceof DriverUnavailable)) throw thrown;
    const hint = thrown.hint ?? (driver === 'libpcap' ? libpcapHint(edges) : 'leave --driver away');
    throw new NetmonError('no-device', `the driver ${driver} does not work here: ${thrown.message}`, hint, thrown);
  }
}

function noDriver(fallbacks: readonly Fallback[], edges: Edges): NetmonError {
  const reasons = fallbacks.map(({ driver, reason }) => `${driver}: ${reason}`).join('; ');
  if (edges.platform === 'darwin' && edges.euid() !== 0) {
    return new NetmonError('permission', `no permission to capture (${reasons})`, permissionHint());
  }
  return new NetmonError('no-device', `no capture driver works here (${reasons})`, libpcapHint(edges));
}

/** Reports a missing interface before any driver is tried: one message instead of one per driver. */
async function checkInterfaces(request: CaptureRequest, edges: Edges): Promise<void> {
  const wanted = request.interfaces.filter((name) => name !== 'any');
  if (wanted.length === 0) return;
  const names = await deviceNames(edges);
  if (names.length === 0) return; // the system has no list; the driver will tell
  for (const name of wanted) if (!names.includes(name)) throw unknownDevice(name, names);
}

/**
 * The opener of a run, asked again when an interface returns, another one is chosen, or the default route moves.
 */
export class Opener {
  readonly #driver: 'auto' | DriverName;
  readonly #edges: Edges;
  readonly #clock: Clock;
  readonly #drivers: DriverTable;

  constructor(driver: 'auto' | DriverName, edges: Edges, clock: Clock, drivers: DriverTable = DRIVER_TABLE) {
    this.#driver = driver;
    this.#edges = edges;
    this.#clock = clock;
    this.#drivers = drivers;
  }

  /** See `openCapture`. The caller closes what it gets. */
  open(request: CaptureRequest): Promise<OpenedSource> {
    return openCapture(this.#driver, request, this.#edges, this.#clock, this.#drivers);
  }
}
