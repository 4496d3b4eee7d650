// Opens the kernel sources of Linux: programs, exec events, and procfs behind them. What needs rights is opened here, once, at the start.

import type { FlowTable } from '../../../../flow/flow-table.ts';
import { reasonOf } from '../../../../model/errors.ts';
import type { Directory } from '../../directory.ts';
import type { OwnerSource } from '../../owner-source.ts';
import type { ExecWatch } from '../exec-watch.ts';
import { OlderSockets } from '../older-sockets.ts';
import type { Proc } from '../procfs/proc.ts';
import type { BehindTranslation, ProcfsSource } from '../procfs/source.ts';
import { SocketOwners } from '../socket-owners.ts';
import type { TransferredSockets } from '../transferred-sockets.ts';
import { type BpfCalls, loadBpfCalls } from './calls.ts';
import { loadPrograms } from './loader.ts';
import { EbpfSource } from './source.ts';

/** What the kernel sources work on. */
export interface EbpfRequest {
  readonly flows: FlowTable;
  readonly directory: Directory;
  readonly proc: Proc;
  /** `/sys` */
  readonly sys: string;
  /** Exec events; null where there is no thread for them. Executables are then read when a socket is first reported: late for what lives milliseconds. */
  readonly watch: ExecWatch | null;
  /** Opens procfs, for sockets older than the start. */
  readonly openFallback: (behind: BehindTranslation) => ProcfsSource;
  /** Looks again at flows whose socket may have been transferred, whenever the fallback works. */
  readonly transferred: TransferredSockets;
  readonly interfaces: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Loads and attaches. Throws with the reason where the kernel, its configuration or our rights do not allow it. */
export function openEbpf(request: EbpfRequest, calls: BpfCalls = loadBpfCalls()): OwnerSource {
  const { flows, directory, proc, sys, watch, openFallback, transferred, interfaces, now } = request;
  const programs = loadPrograms(calls, proc.path, sys);
  const older = new OlderSockets(directory, proc);
  const socketOwners = new SocketOwners(directory, proc, watch);
  return new EbpfSource({ flows, programs, socketOwners, older, watch, openFallback, transferred, interfaces, now });
}

/** Why kernel sources could not be had, in a user's words. */
export function ebpfRefusal(thrown: unknown): string {
  const reason = reasonOf(thrown);
  return /not permitted/.test(reason) ? `${reason}: needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON` : reason;
}
