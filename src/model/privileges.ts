// Privileges: the user as which the program runs, and the rights it keeps.

/** User and rights of a run once everything is open. */
export interface PrivilegeStatus {
  /** Name of the user, or its number as text if it has no name. */
  readonly user: string;
  readonly uid: number;
  /** True if root was dropped for good. */
  readonly dropped: boolean;
  /** Capabilities kept on Linux (`net_raw` ...), `root` for all rights; empty if none. */
  readonly kept: readonly string[];
  /** Why it kept more rights than needed or dropped less than possible; empty if neither. */
  readonly note: string;
}

/** Tells root without sudo that the process continues as nobody. Empty for everyone else. */
export function nobodyWarning(privileges: PrivilegeStatus | null): string {
  return privileges?.dropped === true && privileges.user === 'nobody' ? privileges.note : '';
}
