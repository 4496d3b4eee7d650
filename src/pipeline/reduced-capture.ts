// Opens the view without packets, with a note that says what is missing and what to type to get it.

import type { OpenedSource } from '../capture/source.ts';
import type { SocketCounts } from '../identify/process/socket-table.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import { sanitize } from '../net/text.ts';
import { permissionHint, thisInvocation } from '../privilege/sudo-command.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { ReducedSource } from './reduced-source.ts';

/** An `OpenedSource` that still needs a monitor to feed. */
export interface ReducedCapture extends OpenedSource {
  readonly source: ReducedSource;
}

/**
 * Opens the source of the view without packets.
 *
 * @param refused why there is no capture; null if none was wanted
 * @throws NetmonError `no-device` if the system has no socket counters
 */
export async function reducedCapture(edges: Edges, clock: Clock, refused: NetmonError | null): Promise<ReducedCapture> {
  const invocation = thisInvocation();
  const words = invocation.words.filter((word) => word !== '--reduced');
  const { platform } = edges;
  const euid = edges.euid();
  const command = permissionHint({ ...invocation, platform, euid, words }).replace(/^type: /, '');
  const what = platform === 'linux' ? 'TCP payload of sockets' : 'payload of sockets, once a second';
  const note = `reduced: ${what}, no packets. For all of it: ${euid === 0 ? 'leave --reduced out' : command}`;
  const monotonic = () => clock.monotonic();
  const counts = await openCounts(edges, monotonic, refused, command);
  const source = new ReducedSource(counts, edges.networkInterfaces, note, monotonic, () => clock.now());
  const fallbacks = refused === null ? [] : [{ driver: 'libpcap', reason: sanitize(refused.message) }];
  return { source, fallbacks };
}

async function openCounts(edges: Edges, now: () => number, refused: NetmonError | null, hint: string): Promise<SocketCounts> {
  if (edges.platform === 'darwin') {
    const { NettopCounts } = await import('../identify/process/macos/nettop-counts.ts');
    return new NettopCounts(edges, now);
  }
  const { SockDiag } = await import('../identify/process/linux/netlink/socket-dump.ts');
  try {
    return new SockDiag();
  } catch (thrown) {
    throw refused ?? new NetmonError('no-device', `can't read socket counters: ${reasonOf(thrown)}`, hint, thrown);
  }
}
