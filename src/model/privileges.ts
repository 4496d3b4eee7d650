// Privileges in the words that all share: as whom the program runs, and what it still may. Types only.

/** As whom a run goes on once everything is open. */
export interface PrivilegeStatus {
  /** Name of the user, or the number as text where it has no name. */
  readonly user: string;
  readonly uid: number;
  /** True when root was given up, for good. */
  readonly dropped: boolean;
  /** Capabilities that are left on Linux (`net_raw` ...), `root` where all of root's rights are; empty where nothing is. */
  readonly kept: readonly string[];
  /** Why more is kept than need be, or less was done than could be; empty when all is well. */
  readonly note: string;
}
