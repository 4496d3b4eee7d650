// Gives root up, irrevocably, and with it all that is not needed any more. The order is the point: on Linux rights belong to threads, and
// only setgroups, setgid and setuid reach all of them.

import { NetmonError, reasonOf } from '../errors.ts';
import type { PrivilegeStatus } from '../net/privileges.ts';
import { CAPABILITY, type Capability, MOST_CAPABILITIES, maskOf, namesOf } from './capabilities.ts';
import type { Identity } from './identity.ts';
import type { LibcCalls } from './libc-calls.ts';
import { seccompBytes, seccompProgram } from './seccomp-filter.ts';

/** Node's own calls that change the user; each reaches every thread. */
export interface Credentials {
  geteuid(): number;
  setgroups(groups: readonly number[]): void;
  initgroups(user: string, group: number): void;
  setgid(group: number): void;
  setuid(user: number): void;
}

/** What is to be left. */
export interface DropPlan {
  readonly platform: 'darwin' | 'linux';
  readonly identity: Identity;
  /** Capabilities that the main thread keeps on Linux, as far as it has them. */
  readonly keep: readonly Capability[];
  /** Whether other programs are started later: the children of the driver `cap`, which then get CAP_NET_RAW. */
  readonly starts: boolean;
}

/** linux/prctl.h and linux/securebits.h */
const PR = {
  SET_DUMPABLE: 4,
  SET_KEEPCAPS: 8,
  CAPBSET_DROP: 24,
  SET_SECUREBITS: 28,
  SET_NO_NEW_PRIVS: 38,
  CAP_AMBIENT: 47,
} as const;
const CAP_AMBIENT_RAISE = 2;
/** Root is nobody special on exec, and capabilities outlive a change of the user; each locked. */
const SECUREBITS = 0b00_11_00_11;
const NO_AMBIENT_RAISE = 0b11_00_00_00;

/**
 * Does it, on the main thread. Threads that exist lose everything; those started later have what this one has left.
 *
 * @returns what is left @throws NetmonError `permission` where `--user` can't be followed, or root could be had back
 */
export function dropPrivileges(plan: DropPlan, credentials: Credentials, calls: LibcCalls): PrivilegeStatus {
  const { platform, identity, starts } = plan;
  const notes = identity.note === '' ? [] : [identity.note];
  if (!calls.forbidCore()) notes.push('core files could not be forbidden');
  const before = platform === 'linux' ? calls.permitted() : null;
  const kept = maskOf(plan.keep) & (before ?? 0n);
  const isRoot = credentials.geteuid() === 0;
  if (isRoot && identity.note === '--stay-root') {
    if (platform === 'linux') calls.prctl(PR.SET_DUMPABLE, 0);
    return statusOf('root', 0, false, ['root'], notes);
  }
  if (platform === 'linux' && isRoot) {
    const bits = starts ? SECUREBITS : SECUREBITS | NO_AMBIENT_RAISE;
    if (calls.prctl(PR.SET_SECUREBITS, bits) !== 0) calls.prctl(PR.SET_KEEPCAPS, 1);
    for (let bit = 0; bit < MOST_CAPABILITIES; bit++) calls.prctl(PR.CAPBSET_DROP, bit);
  }
  const changed = isRoot && identity.by !== 'root' && becomeUser(plan, credentials, notes);
  if (platform === 'linux') {
    const inherited = starts ? kept & maskOf(['net_raw']) : 0n;
    if (!calls.setCapabilities(kept, inherited)) notes.push('capabilities could not be lowered');
    if (inherited !== 0n) calls.prctl(PR.CAP_AMBIENT, CAP_AMBIENT_RAISE, CAPABILITY.net_raw);
    calls.prctl(PR.SET_DUMPABLE, 0);
    const program = seccompProgram(process.arch, starts);
    if (calls.prctl(PR.SET_NO_NEW_PRIVS, 1) !== 0) notes.push('no_new_privs could not be set');
    else if (program === null || !calls.installFilter(seccompBytes(program))) notes.push('no seccomp filter here');
  }
  if (changed) makeSure(credentials);
  const stays = isRoot && !changed;
  return statusOf(stays ? 'root' : identity.name, stays ? 0 : identity.uid, changed, stays ? ['root'] : namesOf(kept), notes);
}

/** @returns whether the process is that user now */
function becomeUser({ platform, identity }: DropPlan, credentials: Credentials, notes: string[]): boolean {
  try {
    // macOS keeps its groups in a directory of its own, which only its libc can read.
    if (platform === 'darwin') credentials.initgroups(identity.name, identity.gid);
    else credentials.setgroups(identity.groups);
    credentials.setgid(identity.gid);
    credentials.setuid(identity.uid);
    return true;
  } catch (thrown) {
    // What io_uring was asked for as root it goes on doing as root (CVE-2024-22017), so Node changes no user where it may be in use.
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_INVALID_STATE')
      throw new NetmonError(
        'permission',
        "root can't be given up while UV_USE_IO_URING is set",
        'type: unset UV_USE_IO_URING',
        thrown,
      );
    const message = `root can't become ${identity.name} here: ${reasonOf(thrown)}`;
    // A container without CAP_SETUID, or without that user's number: what was not asked for by name is not worth a refusal.
    if (identity.by === 'user') throw new NetmonError('permission', message, 'leave --user out, or add it: --stay-root', thrown);
    notes.push(message);
    return false;
  }
}

/** Root that can be had back was not given up. */
function makeSure(credentials: Credentials): void {
  try {
    credentials.setuid(0);
  } catch {
    return;
  }
  throw new NetmonError('permission', 'root was given up, and could be had back', 'see SECURITY.md; --stay-root runs as root');
}

function statusOf(
  user: string,
  uid: number,
  dropped: boolean,
  kept: readonly string[],
  notes: readonly string[],
): PrivilegeStatus {
  return { user, uid, dropped, kept, note: notes.join('; ') };
}
