// The driver `cap`: the npm package of that name, on Linux where libpcap can't be loaded into this process. A child process captures each
// interface. The package knows neither wire lengths nor times nor drops: drops are unknown here, never zero.

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
import type { CapMessage } from './protocol.ts';
import { CapWorker } from './worker.ts';

/** For tests. */
export interface CapOptions {
  /** Script of the child; child.js beside this file by default. */
  readonly script?: string;
  readonly startMs?: number;
}

/** A child takes 60 ms to start, and far longer on a busy machine. */
const START_MS = 5000;
/** Each interface is a process. */
const MOST_INTERFACES = 8;
/**
 * In the ring that `cap` gets, a frame takes a slot of the snap length (immediate mode is TPACKET_V2): 20 MiB hold 320 frames. Twice what was
 * asked for lasts while the child runs, which keeps what this process has no time to read.
 */
const RING_FACTOR = 2;

/**
 * Opens interfaces with the package `cap`; without a name the default route's.
 *
 * @throws DriverUnavailable when the package or its process can't be started, or for more than eight interfaces
 * @throws NetmonError `permission`, `no-device`, `bad-filter`
 */
export async function openCap(
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  options: CapOptions = {},
): Promise<PacketSource> {
  const names = await namesOf(request, edges);
  const script = options.script ?? fileURLToPath(new URL('./child.js', import.meta.url));
  const source = new CapSource(request, names, edges, clock, script);
  try {
    await source.opened(options.startMs ?? START_MS);
    return source;
  } catch (thrown) {
    source.close();
    throw thrown;
  }
}

async function namesOf({ interfaces }: CaptureRequest, edges: Edges): Promise<readonly string[]> {
  if (interfaces.length > MOST_INTERFACES)
    throw new DriverUnavailable(`cap opens at most ${MOST_INTERFACES} interfaces`, 'name fewer with -i');
  if (interfaces.length > 0) return interfaces;
  const route = await defaultInterface(edges);
  if (route === null) throw new NetmonError('no-device', 'there is no default route', 'name an interface: netmon-tui -i NAME');
  return [route];
}

class CapSource implements PacketSource {
  readonly driver = 'cap';
  readonly interfaces: CaptureInterface[] = [];
  readonly processes: readonly CapturedProcess[] = [];
  readonly namesProcesses = false;
  readonly startsPrograms = true;
  readonly snapLength = { bulk: BULK_BYTES, whole: WHOLE_BYTES };
  readonly bufferBytes: number;
  readonly #bpf: string | null;
  readonly #edges: Edges;
  readonly #workers: readonly CapWorker[];
  #turn = 0;
  #read = 0;
  #closed = false;

  constructor({ bufferBytes, bpf }: CaptureRequest, names: readonly string[], edges: Edges, clock: Clock, script: string) {
    const ringBytes = Math.max(1 << 16, Math.floor((bufferBytes * RING_FACTOR) / names.length));
    this.bufferBytes = ringBytes * names.length;
    this.#bpf = bpf;
    this.#edges = edges;
    this.#workers = names.map((device) => {
      const interfaceFor = (link: number) => this.#interfaceFor(device, link);
      return new CapWorker(edges, clock, { device, bpf, ringBytes, script, interfaceFor });
    });
  }

  /** Waits until all interfaces are open. @throws NetmonError for the first that isn't */
  async opened(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
    });
    const messages = await Promise.all(this.#workers.map((worker) => Promise.race([worker.opened, late])));
    clearTimeout(timer);
    for (const [i, worker] of this.#workers.entries()) if (!worker.isOpen) throw await this.#failure(worker, messages[i] ?? null);
  }

  get state(): SourceState {
    if (this.#closed) return 'ended';
    if (this.#workers.some((worker) => worker.isOpen)) return 'open';
    return this.#workers.every((worker) => worker.lost) ? 'lost' : 'waiting';
  }

  get note(): string {
    return this.#workers.find((worker) => worker.note !== '')?.note ?? '';
  }

  begin(): void {
    while (this.read() !== null);
  }

  read(): PacketBatch | null {
    for (let i = 0; i < this.#workers.length; i++) {
      this.#turn = (this.#turn + 1) % this.#workers.length;
      const batch = (this.#workers[this.#turn] as CapWorker).read();
      if (batch !== null) {
        this.#read += batch.count;
        return batch;
      }
    }
    return null;
  }

  stats(): CaptureStats {
    let shed = 0;
    let malformed = 0;
    for (const worker of this.#workers) {
      shed += worker.shed;
      malformed += worker.malformed;
    }
    return { received: this.#read + shed, droppedByKernel: null, droppedByInterface: null, shed, malformed };
  }

  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) worker.close();
  }

  /** An interface that comes back with another link type is a new entry. */
  #interfaceFor(name: string, link: number): number {
    const known = this.interfaces.findIndex((entry) => entry.name === name && entry.link === link);
    if (known >= 0) return known;
    const [kind = 'physical'] = deviceKinds(this.#edges, [name]);
    return this.interfaces.push({ name, kind, link, deliversTwice: false }) - 1;
  }

  async #failure({ device, said }: CapWorker, message: CapMessage | null): Promise<NetmonError> {
    if (message?.kind === 'no-module') return missing(message.text);
    if (message?.kind === 'no-open')
      return captureError(message.text, { device, bpf: this.#bpf, devices: await deviceNames(this.#edges) });
    const reason = said === '' ? '' : `: ${said}`;
    if (message !== null) return new NetmonError('no-device', `cap on ${sanitize(device)}${reason}`, 'choose another with -i');
    return new DriverUnavailable(`the process of cap did not start${reason}`, 'type: netmon-tui doctor');
  }
}

/** @param text of the error that loading threw; its paths are left out */
function missing(text: string): DriverUnavailable {
  const isAbsent = /cannot find module 'cap'/i.test(text);
  const reason = isAbsent
    ? 'the package cap is not installed'
    : `the package cap can't be loaded: ${sanitize(text.replace(/\/\S+\//g, ''))}`;
  const command = isAbsent ? 'npm install cap' : 'npm rebuild cap';
  return new DriverUnavailable(reason, `only where libpcap can't be used: with its headers and a compiler, type: ${command}`);
}
