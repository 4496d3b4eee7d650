// The driver `cap`: the npm package of that name, for plain interfaces, where libpcap can't be called in process. Each interface is captured
// in a child process: the addon aborts the process it lives in when an interface goes down, and starves its timers and keys while packets
// come. It knows no wire lengths, no times and no drops: drops are unknown here, never zero.

import { fileURLToPath } from 'node:url';
import { NetmonError } from '../../model/errors.ts';
import { sanitize } from '../../net/text.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import type { PacketBatch } from '../batch.ts';
import { defaultInterface, deviceKinds, deviceNames } from '../devices/devices.ts';
import { captureError, DriverUnavailable } from '../errors.ts';
import { BULK_BYTES, WHOLE_BYTES } from '../libpcap/snap-program.ts';
import type { CapturedProcess, CaptureInterface, CaptureRequest, CaptureStats, PacketSource, SourceState } from '../source.ts';
import { type CapWord, capLink } from './protocol.ts';
import { CapLane } from './worker.ts';

/** For tests. */
export interface CapOptions {
  /** Script of the child; cap-child.js beside this file by default. */
  readonly script?: string;
  readonly startMs?: number;
}

/** A child takes 60 ms to start; a machine that is busy far longer. */
const START_MS = 5000;
/**
 * Linux gives `cap` a ring of slots that each hold a frame of the snap length (immediate mode is TPACKET_V2), so 20 MiB are 320 packets.
 * Twice that is what a process may take; it lasts while the child runs, which keeps what we have no time to read (cap-relay.ts).
 */
const SLOTTED_RING_FACTOR = 2;
const NOT_INSTALLED = 'the package cap is not installed';
/** Interfaces at the most: each is a process. */
const MOST_LANES = 8;

/**
 * Opens plain interfaces with the package `cap`, each in a child process; without a name the default route's.
 *
 * @throws DriverUnavailable where the package is absent or not built, or is asked for what it can't do
 * @throws NetmonError `permission`, `no-device`, `bad-filter`
 */
export async function openCap(
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  options: CapOptions = {},
): Promise<PacketSource> {
  const names = await namesOf(request, edges);
  const source = new CapSource(
    request,
    names,
    edges,
    clock,
    options.script ?? fileURLToPath(new URL('./child.js', import.meta.url)),
  );
  try {
    await source.start(options.startMs ?? START_MS);
    return source;
  } catch (thrown) {
    source.close();
    throw thrown;
  }
}

async function namesOf(request: CaptureRequest, edges: Edges): Promise<readonly string[]> {
  const names = request.interfaces;
  if (names.length > MOST_LANES)
    throw new DriverUnavailable(`cap opens ${MOST_LANES} interfaces at the most`, 'name fewer with -i');
  if (names.length > 0) return names;
  const route = await defaultInterface(edges);
  if (route === null) throw new NetmonError('no-device', 'there is no default route', 'name an interface: netmon-tui -i NAME');
  return [route];
}

class CapSource implements PacketSource {
  readonly driver = 'cap';
  readonly interfaces: CaptureInterface[] = [];
  readonly processes: readonly CapturedProcess[] = [];
  readonly namesProcesses = false;
  readonly snapLength = { bulk: BULK_BYTES, whole: WHOLE_BYTES };
  readonly bufferBytes: number;
  readonly #bpf: string | null;
  readonly #edges: Edges;
  readonly #lanes: readonly CapLane[];
  #turn = 0;
  #received = 0;
  #closed = false;

  constructor(request: CaptureRequest, names: readonly string[], edges: Edges, clock: Clock, script: string) {
    const ringBytes = Math.max(1 << 16, Math.floor((request.bufferBytes * SLOTTED_RING_FACTOR) / names.length));
    this.bufferBytes = ringBytes * names.length;
    this.#bpf = request.bpf;
    this.#edges = edges;
    const columns = (lane: CapLane) => this.#columns(lane);
    this.#lanes = names.map((device) => new CapLane(edges, clock, { device, bpf: request.bpf, ringBytes, script }, columns));
  }

  async start(timeoutMs: number): Promise<void> {
    const words = await Promise.all(this.#lanes.map((lane) => lane.start(timeoutMs)));
    for (const [i, lane] of this.#lanes.entries()) {
      if (words[i]?.word !== 'ready' || lane.state !== 'open') throw await this.#failure(lane, words[i] ?? null);
    }
  }

  get state(): SourceState {
    if (this.#closed) return 'ended';
    if (this.#lanes.some((lane) => lane.state === 'open')) return 'open';
    return this.#lanes.every((lane) => lane.state === 'lost') ? 'lost' : 'waiting';
  }

  get note(): string {
    return this.#lanes.find((lane) => lane.note !== '')?.note ?? '';
  }

  begin(): void {
    while (this.read() !== null);
  }

  read(): PacketBatch | null {
    if (this.#closed) return null;
    for (let i = 0; i < this.#lanes.length; i++) {
      this.#turn = (this.#turn + 1) % this.#lanes.length;
      const batch = (this.#lanes[this.#turn] as CapLane).read();
      if (batch !== null) {
        this.#received += batch.count;
        return batch;
      }
    }
    return null;
  }

  stats(): CaptureStats {
    let shed = 0;
    let malformed = 0;
    for (const lane of this.#lanes) {
      shed += lane.shed;
      malformed += lane.malformed;
    }
    return { received: this.#received + shed, droppedByKernel: null, droppedByInterface: null, shed, malformed };
  }

  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes) lane.close();
  }

  /** The interface of a lane whose link type is known now; a new one when that changed. */
  #columns(lane: CapLane): { link: number; iface: number } | null {
    const link = capLink(lane.linkText);
    if (link === null) return null;
    const known = this.interfaces.findIndex((known) => known.name === lane.device && known.link === link);
    if (known >= 0) return { link, iface: known };
    const [kind = 'physical'] = deviceKinds(this.#edges, [lane.device]);
    this.interfaces.push({ name: lane.device, kind, link, deliversTwice: false });
    return { link, iface: this.interfaces.length - 1 };
  }

  async #failure(lane: CapLane, word: CapWord | null): Promise<NetmonError> {
    if (word?.word === 'no-module') {
      const reason = moduleReason(word.text);
      const command = reason === NOT_INSTALLED ? 'npm install cap' : 'npm rebuild cap';
      return new DriverUnavailable(reason, `only where libpcap can't be used: with its headers and a compiler, type: ${command}`);
    }
    if (word?.word === 'ready')
      return new NetmonError('no-device', `cap on ${sanitize(lane.device)}: ${lane.said}`, 'choose another with -i');
    if (word?.word === 'no-open') {
      return captureError(word.text, { device: lane.device, bpf: this.#bpf, devices: await deviceNames(this.#edges) });
    }
    return new DriverUnavailable(
      `the process of cap did not start${lane.said === '' ? '' : `: ${lane.said}`}`,
      'type: netmon-tui doctor',
    );
  }
}

/** Why the package could not be loaded, without paths. */
function moduleReason(text: string): string {
  if (/cannot find module 'cap'/i.test(text)) return NOT_INSTALLED;
  if (/cap\.node/.test(text) && /cannot find module/i.test(text)) return 'the package cap is installed but not built';
  if (/NODE_MODULE_VERSION|different Node/i.test(text)) return 'the package cap was built for another version of Node';
  if (/libpcap/.test(text)) return 'the package cap finds no libpcap';
  return `the package cap can't be loaded: ${sanitize(text.replace(/\/\S+\//g, ''))}`;
}
