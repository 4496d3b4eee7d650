// Opens Linux's kernel sources: BPF programs and exec events, with procfs behind them. Everything that needs rights opens here, once, at the start.

import type { FlowTable } from '../../../../flow/flow-table.ts';
import { reasonOf } from '../../../../model/errors.ts';
import type { CommandTree } from '../../command-tree.ts';
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

/** What the kernel sources work with. */
export interface EbpfRequest {
  readonly flows: FlowTable;
  readonly directory: Directory;
  readonly proc: Proc;
  /** `/sys` */
  readonly sys: string;
  /** Exec events; null without their thread. Executables are then read when a socket is first reported, which is too late for processes that live milliseconds. */
  readonly watch: ExecWatch | null;
  /** Opens procfs, for sockets older than the programs. */
  readonly openFallback: (behind: BehindTranslation) => ProcfsSource;
  /** Flows whose socket may be transferred to another process: the fallback checks them again as it works. */
  readonly transferred: TransferredSockets;
  readonly interfaces: () => number;
  /** The processes of a command, whose cgroup is to be marked; null without one. */
  readonly tree: CommandTree | null;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Loads and attaches the programs. Throws with the reason if the kernel, its configuration or our rights don't allow it. */
export function openEbpf(request: EbpfRequest, calls: BpfCalls = loadBpfCalls()): OwnerSource {
  const { flows, directory, proc, sys, watch, openFallback, transferred, interfaces, tree, now } = request;
  const programs = loadPrograms(calls, proc.path, sys, tree?.mark ?? null);
  if (tree !== null) tree.isMarked = programs.marks;
  const older = new OlderSockets(directory, proc);
  const socketOwners = new SocketOwners(directory, proc, watch, tree);
  return new EbpfSource({ flows, programs, socketOwners, older, watch, openFallback, transferred, interfaces, now });
}

/** Why the kernel sources failed to open, in words for the user. */
export function ebpfRefusal(thrown: unknown): string {
  const reason = reasonOf(thrown);
  return /not permitted/.test(reason) ? `${reason}: needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON` : reason;
}
