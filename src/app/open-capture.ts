// Opens what a run reads: a file, a capture, or without rights what sockets count themselves.

import type { Opener } from '../capture/opener.ts';
import type { CaptureRequest, OpenedSource } from '../capture/source.ts';
import { NetmonError } from '../model/errors.ts';
import type { Options } from '../model/options.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';

/**
 * Kernel rings, all interfaces together. A frame that is cut to its headers takes 248 bytes, so this holds more than three seconds of 20,000 frames a second.
 * Every MiB is resident.
 */
export const RING_BYTES = 20 << 20;

/** A capture, and what opens another one; null in a replay. */
export interface Capture {
  readonly opened: OpenedSource;
  readonly opener: { readonly opener: Opener; readonly request: CaptureRequest } | null;
}

/** Opens it. @param fallsBack without rights take what there is @throws NetmonError for all that a user can mend */
export async function openRun(options: Options, fallsBack: boolean, edges: Edges, clock: Clock): Promise<Capture> {
  if (options.read !== null) {
    const { openFile } = await import('../capture/file/source.ts');
    return { opened: { source: await openFile(options.read), fallbacks: [] }, opener: null };
  }
  const { Opener: OpenerOfRun } = await import('../capture/opener.ts');
  const opener: Opener = new OpenerOfRun(options.driver, edges, clock);
  const request = { interfaces: await interfacesOf(options, edges), bpf: options.bpf, bufferBytes: RING_BYTES };
  if (options.reduced) return openReduced(edges, clock);
  try {
    return { opened: await opener.open(request), opener: { opener, request } };
  } catch (thrown) {
    // A screen can say what it lacks; whoever reads JSON or a table has to ask for less.
    const isRight = thrown instanceof NetmonError && thrown.code === 'permission';
    if (!fallsBack || !isRight) throw thrown;
    return openReduced(edges, clock, thrown);
  }
}

async function openReduced(edges: Edges, clock: Clock, refused: NetmonError | null = null): Promise<Capture> {
  const { reducedCapture } = await import('../pipeline/reduced-capture.ts');
  return { opened: await reducedCapture(edges, clock, refused), opener: null };
}

/** macOS takes all of them through PKTAP; Linux the one that carries the default route. */
async function interfacesOf(options: Options, edges: Edges): Promise<readonly string[]> {
  if (options.interfaces.length > 0 || edges.platform === 'darwin') return options.interfaces;
  const { defaultInterface } = await import('../capture/devices/devices.ts');
  const route = await defaultInterface(edges);
  if (route === null) {
    throw new NetmonError(
      'no-device',
      'no default route, so no interface to choose',
      'name one: netmon-tui --interface NAME (see: netmon-tui interfaces)',
    );
  }
  return [route];
}
