// The driver `cap`: the npm package of that name, on Linux where libpcap can't be loaded into this process. A child process captures each
// interface, because the package aborts its process when its interface goes down. It knows no drops of the kernel: they are unknown here,
// never zero.

import { NetmonError } from '../../model/errors.ts';
import { sanitize } from '../../net/text.ts';
import type { Clock } from '../../system/clock.ts';
import { type Edges, NO_DEBUGGER } from '../../system/edges.ts';
import { childCommand, isExecutable } from '../../system/own-files.ts';
import type { PacketBatch } from '../batch.ts';
import { defaultInterface, deviceNames } from '../devices/devices.ts';
import { linuxState } from '../devices/linux.ts';
import { type CaptureAttempt, captureError, DriverUnavailable } from '../errors.ts';
import { dumpedLayout, RecordWalk } from '../file/pcap.ts';
import { InterfaceTable } from '../interface-names.ts';
import { BULK_BYTES, FULL_BYTES, WHOLE_BYTES } from '../libpcap/snap-program.ts';
import { type CaptureProgram, type Obstacle, ProgramCapture, type ProgramTimings } from '../program.ts';
import type { CapturedProcess, CaptureInterface, CaptureRequest, CaptureStats, PacketSource, SourceState } from '../source.ts';

/** Each interface is a process. */
const MAX_INTERFACES = 8;
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
  timings: Partial<ProgramTimings> = {},
): Promise<PacketSource> {
  const { bpf, bufferBytes, wholePackets = false } = request;
  if (isExecutable)
    throw new DriverUnavailable(
      'the executable has no package cap',
      "install libpcap: the system's package libpcap0.8 or libpcap",
    );
  const names = await namesOf(request, edges);
  const devices = await deviceNames(edges);
  const ringBytes = Math.max(1 << 16, Math.floor((bufferBytes * RING_FACTOR) / names.length));
  const interfaces = new InterfaceTable();
  const captures = names.map((device) => {
    const program: CaptureProgram = {
      name: `cap on ${sanitize(device)}`,
      stop: 'SIGKILL', // in a flood the child sees no other signal
      start: () => {
        const words = [device, bpf ?? '', String(ringBytes), wholePackets ? 'whole' : 'auto'];
        const { path, args } = childCommand('cap-child', [NO_DEBUGGER, '--no-warnings'], words);
        return edges.spawn(path, args);
      },
      reader: (line) => {
        const link = Number(/link-type (\d{1,5})$/.exec(line)?.[1]);
        return new RecordWalk(dumpedLayout(link, interfaces.named(link, false, device)));
      },
      failureOf: ({ lines }, ending) => failureOf(lines, ending, { device, bpf, devices }),
      obstacle: () => obstacleOf(device, edges),
    };
    // An interface may come and go: one that was up is tried again soon.
    return new ProgramCapture(program, clock, { settledMs: 0, ...timings });
  });
  const source = new CapSource(captures, interfaces.interfaces, ringBytes * names.length, wholePackets);
  try {
    await Promise.all(captures.map((capture) => capture.open()));
    return source;
  } catch (thrown) {
    source.close();
    throw thrown;
  }
}

async function namesOf({ interfaces }: CaptureRequest, edges: Edges): Promise<readonly string[]> {
  if (interfaces.length > MAX_INTERFACES)
    throw new DriverUnavailable(`cap opens at most ${MAX_INTERFACES} interfaces`, 'name fewer with -i');
  if (interfaces.length > 0) return interfaces;
  const route = await defaultInterface(edges);
  if (route === null) throw new NetmonError('no-device', 'there is no default route', 'name an interface: netmon-tui -i NAME');
  return [route];
}

function obstacleOf(device: string, edges: Edges): Obstacle | null {
  const state = device === 'any' ? 'up' : linuxState(edges, device);
  if (state === 'up') return null;
  const isGone = state === 'absent';
  return { note: `${sanitize(device)} is ${isGone ? 'gone' : 'down; waiting for it'}`, isGone };
}

/** What a child says for itself begins with `cap: `; all else is an accident. */
function failureOf(lines: readonly string[], ending: string, attempt: CaptureAttempt): NetmonError {
  const said = lines.find((line) => line.startsWith('cap: '))?.slice('cap: '.length);
  if (said === undefined)
    return new DriverUnavailable(`the process of cap did not start: ${lines.at(-1) ?? ending}`, 'type: netmon-tui doctor');
  return said.startsWith('not loaded: ') ? missing(said.slice('not loaded: '.length)) : captureError(said, attempt);
}

/** @param text of the error that loading threw; its paths are left out */
function missing(text: string): DriverUnavailable {
  const isAbsent = /cannot find module 'cap'/i.test(text);
  const reason = isAbsent
    ? 'the package cap is not installed'
    : `the package cap can't be loaded: ${sanitize(text.replace(/\/\S+\//g, ''))}`;
  const command = isAbsent ? 'npm install -g cap' : 'npm rebuild cap';
  return new DriverUnavailable(reason, `only where libpcap can't be used: with its headers and a compiler, type: ${command}`);
}

/** The captures of all interfaces, one batch of one of them at a time. */
class CapSource implements PacketSource {
  readonly driver = 'cap';
  readonly interfaces: readonly CaptureInterface[];
  readonly processes: readonly CapturedProcess[] = [];
  readonly namesProcesses = false;
  readonly startsPrograms = true;
  readonly snapLength: PacketSource['snapLength'];
  readonly bufferBytes: number;
  readonly #captures: readonly ProgramCapture[];
  #turn = 0;
  #read = 0;

  constructor(
    captures: readonly ProgramCapture[],
    interfaces: readonly CaptureInterface[],
    bufferBytes: number,
    wholePackets: boolean,
  ) {
    this.#captures = captures;
    this.interfaces = interfaces;
    this.bufferBytes = bufferBytes;
    this.snapLength = wholePackets ? { bulk: FULL_BYTES, whole: FULL_BYTES } : { bulk: BULK_BYTES, whole: WHOLE_BYTES };
  }

  get state(): SourceState {
    const states = this.#captures.map(({ state }) => state);
    const first = states[0] as SourceState;
    if (states.every((state) => state === first)) return first;
    return states.includes('open') ? 'open' : 'waiting';
  }

  get note(): string {
    return this.#captures.find(({ note }) => note !== '')?.note ?? '';
  }

  get failure(): NetmonError | null {
    return this.state === 'lost' ? (this.#captures.find(({ failure }) => failure !== null)?.failure ?? null) : null;
  }

  get gone(): Promise<void> {
    return Promise.all(this.#captures.map(({ gone }) => gone)).then(() => undefined);
  }

  begin(): void {
    for (const capture of this.#captures) capture.begin();
  }

  read(): PacketBatch | null {
    for (let i = 0; i < this.#captures.length; i++) {
      this.#turn = (this.#turn + 1) % this.#captures.length;
      const batch = (this.#captures[this.#turn] as ProgramCapture).read();
      if (batch === null) continue;
      this.#read += batch.count;
      return batch;
    }
    return null;
  }

  stats(): CaptureStats {
    let shed = 0;
    let malformed = 0;
    for (const capture of this.#captures) {
      const stats = capture.stats();
      shed += stats.shed;
      malformed += stats.malformed;
    }
    return { received: this.#read + shed, droppedByKernel: null, droppedByInterface: null, shed, malformed };
  }

  close(): void {
    for (const capture of this.#captures) capture.close();
  }
}
