// What a source can know about a process. Types only.

import type { Lineage } from '../../model/terms.ts';

/** Facts about a process; null is unknown. */
export interface ProcessFacts {
  readonly pid: number;
  /** From the executable if known, else the system's short name. */
  readonly name: string;
  readonly exe: string | null;
  readonly uid: number | null;
  /** Name of the user, if it is known by itself; else it follows from `uid`. */
  readonly user?: string | null;
  readonly parentPid: number | null;
  /** Clock ticks since boot; null on systems that don't count them. It distinguishes processes that had the same pid. */
  readonly startTime: number | null;
  /** The script that an interpreter runs; null for other programs. */
  readonly script: string | null;
  /** systemd unit; of a recording, or on a Mac, whatever it belongs to. null if there is none. */
  readonly unit: string | null;
  /** null or absent if it runs in none. */
  readonly container?: ContainerRef | null;
}

/** Which container it is, as the name of its cgroup says. */
export interface ContainerRef {
  /** `docker`, `podman`, `containerd`, `cri-o`, `nerdctl`, `lxc`; `kubernetes` where the name doesn't say which. */
  readonly engine: string;
  /** Hexadecimal digits, 64 mostly; of LXC the name. */
  readonly id: string;
  /** The user whose engine it is; null for root's. */
  readonly owner: number | null;
}

/** Facts that may arrive after the pid and short name. */
export type LateFacts = Pick<ProcessFacts, 'name' | 'exe' | 'uid' | 'user' | 'parentPid'> & {
  /** Start time, epoch ms. */
  readonly startedAt: number | null;
  readonly lineage: Lineage;
};
