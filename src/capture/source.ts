// The contract of all capture drivers: batches of frames, the interfaces and processes they refer to, and counts of what was lost. The folder
// captures and filters; it decodes nothing and names no owner that the capture itself doesn't name.

import type { NetmonError } from '../model/errors.ts';
import type { DriverName, Fallback, InterfaceKind, NameSource } from '../model/terms.ts';
import type { PacketBatch } from './batch.ts';

/** An interface that frames of a source refer to by index. The list only grows while a source is open. */
export interface CaptureInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** LINKTYPE of the frames as delivered. */
  readonly link: number;
  /** True when the source delivers each loopback packet twice, once out and once in (PKTAP). */
  readonly deliversTwice: boolean;
}

/** A process that the capture itself named (PKTAP, pcapng process blocks). Index 0 is no process. */
export interface CapturedProcess {
  /** -1 where the capture did not know. */
  readonly pid: number;
  /** As captured, at most 16 bytes from PKTAP; not yet stripped of control characters. */
  readonly name: string;
  /** What our own captures tell besides; not yet stripped either. */
  readonly exe?: string | null;
  readonly user?: string | null;
  readonly script?: string | null;
  readonly unit?: string | null;
}

/** What a capture of our own tells of the other end of a frame's flow. Not yet checked. */
export interface RecordedFlow {
  /** Index in the batch. */
  readonly frame: number;
  /** Empty for none. */
  readonly name: string;
  readonly source: NameSource;
  /** FLOW_DIRECTION of the flow; -1 if the capture doesn't tell. */
  readonly direction: number;
  /** Whether the frame's sender is the flow's local end. */
  readonly isSent: boolean;
  /** Index into the source's processes of the one at the end that the frame's own process isn't at, within the recording machine; 0 for none. */
  readonly otherEnd: number;
}

/** Counters since the source was opened. `null` is unknown, never zero. */
export interface CaptureStats {
  /** Frames that matched the filter, as the driver counts them. */
  readonly received: number | null;
  /** Lost in the kernel: the ring was full. */
  readonly droppedByKernel: number | null;
  /** Lost before the kernel's filter, by the interface or its driver. */
  readonly droppedByInterface: number | null;
  /** Counted but not decoded, because this process was too slow. */
  readonly shed: number;
  /** Records of a file that could not be read as frames. */
  readonly malformed: number;
}

/** Why a source gives nothing now. */
export type SourceState =
  /** Frames may come. */
  | 'open'
  /** An interface is down or away; the source tries again by itself. */
  | 'waiting'
  /** No more frames will ever come: the file ended. */
  | 'ended'
  /** All of its interfaces are gone for good. */
  | 'lost';

/**
 * An open capture.
 *
 * `read` never blocks and never throws for anything that happens to an interface; it may throw only for bugs. A source is closed
 * once; after that its memory is gone and nothing of a batch may be touched.
 */
export interface PacketSource {
  /** The last two don't capture: without the rights to, they read the sockets' own counters. */
  readonly driver: DriverName | 'file' | 'sock_diag' | 'nettop';
  /** Grows only; frames refer to it by index. */
  readonly interfaces: readonly CaptureInterface[];
  /** Names of those that are captured now; absent for all of them. */
  readonly active?: readonly string[];
  /** Grows only; `[0]` is no process. Empty list where the driver names none. */
  readonly processes: readonly CapturedProcess[];
  /** How often the list of processes was restarted, which happens only in `read`; absent: never. */
  readonly processesBegun?: number;
  /** Of the frames of the last `read`, in their order; absent where a source never tells any. */
  readonly recorded?: readonly RecordedFlow[];
  /** True where frames carry a pid, so that no other attribution is needed. */
  readonly namesProcesses: boolean;
  /** True if the driver starts programs while it captures: the privileges that are kept must allow it. */
  readonly startsPrograms?: boolean;
  /** Bytes kept of a bulk packet, and of any packet; for the screen. */
  readonly snapLength: { readonly bulk: number; readonly whole: number };
  /** Bytes of kernel ring, all interfaces together; null where unknown. */
  readonly bufferBytes: number | null;
  /** How long a frame may wait in the kernel before it can be read; absent: it can at once. */
  readonly delayMs?: number;
  readonly state: SourceState;
  /** One line on `state`, for the screen; empty when all is well. */
  readonly note: string;
  /** Why the source is lost, if the run's exit status depends on it: permission, bad filter. */
  readonly failure?: NetmonError | null;
  /** Discards what came since it was opened; absent: nothing comes before the first `read`. */
  begin?(): void;
  /** Next frames, or null when nothing waits right now. The batch is the source's own and is overwritten by the next call. */
  read(): PacketBatch | null;
  stats(): CaptureStats;
  close(): void;
  /** Settles after `close`, when what the source started is gone; absent when there is nothing to wait for. */
  readonly gone?: Promise<void>;
}

/** False for sources that read socket counters instead of frames. */
export function readsFrames({ driver }: PacketSource): boolean {
  return driver !== 'sock_diag' && driver !== 'nettop';
}

/** False when not even packet counts are known. */
export function countsPackets({ driver }: PacketSource): boolean {
  return driver !== 'nettop';
}

/** A live source, and why better drivers were not used. */
export interface OpenedSource {
  readonly source: PacketSource;
  readonly fallbacks: readonly Fallback[];
}

/** What a driver is asked to open. */
export interface CaptureRequest {
  /** Device names that exist, or `any`. Empty on macOS: PKTAP over en, utun, ipsec, ppp and lo0. */
  readonly interfaces: readonly string[];
  /** User's libpcap expression; null takes everything. */
  readonly bpf: string | null;
  /** Kernel ring in bytes, all interfaces together. */
  readonly bufferBytes: number;
  /** Takes every byte of every packet; by default what inspection reads, and headers of the rest. */
  readonly wholePackets?: boolean;
}
