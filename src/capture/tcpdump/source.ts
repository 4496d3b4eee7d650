// The driver `tcpdump`: runs Apple's tcpdump, whose pcapng stream names a process with every packet.

import { NetmonError } from '../../model/errors.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { PcapngReader } from '../file/pcapng.ts';
import { InterfaceTable } from '../interface-names.ts';
import { ProcessTable } from '../process-names.ts';
import { type CaptureProgram, ProgramCapture, type ProgramTimings } from '../program.ts';
import type { CapturedProcess, CaptureInterface, CaptureRequest, PacketSource } from '../source.ts';
import { failureOf, filterRefusal, frameBytes, tcpdumpArguments } from './messages.ts';

/** A capture through Apple's tcpdump. */
export interface TcpdumpSource extends PacketSource {
  readonly driver: 'tcpdump';
  /** Resolves after `close`, when the child is gone. */
  readonly gone: Promise<void>;
}

/**
 * Starts Apple's tcpdump on PKTAP and waits until it listens. Needs root.
 *
 * @throws NetmonError `permission`, `no-device` (also if there is no Apple tcpdump or it doesn't become ready), `bad-filter`, `usage` for more
 * than eight interfaces
 */
export async function openTcpdump(
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  timings: Partial<ProgramTimings> = {},
): Promise<TcpdumpSource> {
  const args = tcpdumpArguments(request);
  await requireApple(edges);
  const source = new TcpdumpCapture(request, args, edges, clock, timings);
  await source.open();
  return source;
}

/** Refuses other builds of tcpdump, which lack PKTAP. */
async function requireApple(edges: Edges): Promise<void> {
  const path = edges.paths.tcpdump;
  const { stdout, stderr, failure } = await edges.run(path, ['--version'], { timeoutMs: 5_000, maxBytes: 65_536 });
  if (failure !== null) throw cannotRun(path, failure);
  if (!/Apple version/.test(stdout + stderr)) {
    throw new NetmonError('no-device', `${path} is not the tcpdump of macOS`, 'netmon-tui --driver libpcap');
  }
}

function cannotRun(path: string, how: string): NetmonError {
  return new NetmonError('no-device', `cannot run ${path}: ${how}`, 'netmon-tui --driver libpcap');
}

class TcpdumpCapture extends ProgramCapture implements TcpdumpSource {
  readonly driver = 'tcpdump';
  readonly interfaces: readonly CaptureInterface[];
  readonly processes: readonly CapturedProcess[];
  readonly namesProcesses = true;
  readonly snapLength: PacketSource['snapLength'];
  readonly bufferBytes: number;

  constructor(request: CaptureRequest, args: readonly string[], edges: Edges, clock: Clock, timings: Partial<ProgramTimings>) {
    const path = edges.paths.tcpdump;
    const interfaces = new InterfaceTable();
    const processes = new ProcessTable();
    const program: CaptureProgram = {
      name: 'tcpdump',
      stop: 'SIGTERM', // makes tcpdump remove its pktap interface
      start: () => edges.spawn(path, args),
      reader: () => new PcapngReader(interfaces, processes, true),
      failureOf: (end, ending) => (end.neverRan ? cannotRun(path, end.how) : failureOf(end.lines, ending, request)),
      refusal: (line) => filterRefusal(line, request.bpf),
    };
    super(program, clock, timings);
    this.interfaces = interfaces.interfaces;
    this.processes = processes.processes;
    this.bufferBytes = request.bufferBytes;
    this.snapLength = { bulk: frameBytes(request), whole: frameBytes(request) };
  }
}
