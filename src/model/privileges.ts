// Privileges: as whom the program runs, and what it still may.

/** As whom a run goes on once everything is open. */
export interface PrivilegeStatus {
  /** Name of the user, or its number as text if it has no name. */
  readonly user: string;
  readonly uid: number;
  /** True if root was dropped for good. */
  readonly dropped: boolean;
  /** Capabilities that are left on Linux (`net_raw` ...), `root` if all rights are; empty if none is. */
  readonly kept: readonly string[];
  /** Why more was kept than needed, or less was done than possible; empty if all is well. */
  readonly note: string;
}

/** What a root without sudo must know: it goes on as nobody. Empty for everybody else. */
export function nobodyWarning(privileges: PrivilegeStatus | null): string {
  return privileges?.dropped === true && privileges.user === 'nobody' ? privileges.note : '';
}
