// What any source can know about a process. A type only.

/** Facts about a process; null is unknown. */
export interface ProcessFacts {
  readonly pid: number;
  /** From the executable where it is known, else the system's short name. */
  readonly name: string;
  readonly exe: string | null;
  readonly uid: number | null;
  readonly parentPid: number | null;
  /** Clock ticks after boot, where the system counts so: with the pid it tells a process from the one that had its number before. */
  readonly startTime: number | null;
  /** What an interpreter runs; null for a program of its own. */
  readonly script: string | null;
  /** systemd unit, launchd label or container; null where there is none. */
  readonly unit: string | null;
}

/** What can be learnt about a process after its pid and its short name. */
export type LateFacts = Pick<ProcessFacts, 'name' | 'exe' | 'uid' | 'parentPid'> & {
  /** When it began, epoch ms. */
  readonly startedAt: number | null;
};
