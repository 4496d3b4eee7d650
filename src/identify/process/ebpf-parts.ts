// What the kernel's source of owners is made of. Types only.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { LoadedPrograms } from './ebpf/loader.ts';
import type { ExecWatch } from './exec-watch.ts';
import type { HandOvers } from './hand-over.ts';
import type { Holders } from './holders.ts';
import type { OlderSockets } from './older-sockets.ts';
import type { ProcfsSource } from './procfs-source.ts';

/** What the source is made of. */
export interface EbpfParts {
  readonly flows: FlowTable;
  readonly programs: LoadedPrograms;
  readonly holders: Holders;
  readonly watch: ExecWatch | null;
  /** Sockets that existed before the programs; null where they are not asked for. */
  readonly older: OlderSockets | null;
  /** Asked for what was never reported and is not that old. */
  readonly fallback: ProcfsSource;
  /** Looks again at flows whose socket may have been handed on, when `fallback` works; null where there is no procfs. */
  readonly handOvers: HandOvers | null;
  /** How many interfaces flows may be on. */
  readonly interfaces: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}
