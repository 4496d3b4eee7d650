// Drops root for good, and every privilege that is no longer needed. The folder lowers privileges and never raises them. The order matters: on
// Linux privileges belong to threads, and only setgroups, setgid and setuid reach all of them.

import { readdirSync, readFileSync } from 'node:fs';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { PrivilegeStatus } from '../model/privileges.ts';
import type { Identity } from '../system/accounts.ts';
import { CAPABILITY, type Capability, MAX_CAPABILITIES, maskOf, namesOf } from './capabilities.ts';
import type { LibcCalls } from './libc-calls.ts';
import { seccompBytes, seccompProgram } from './seccomp.ts';

/** Node's calls that change the user; each reaches every thread. */
export interface Credentials {
  geteuid(): number;
  setgroups(groups: readonly number[]): void;
  initgroups(user: string, group: number): void;
  setgid(group: number): void;
  setuid(user: number): void;
}

/** What to keep. */
export interface DropPlan {
  readonly platform: 'darwin' | 'linux';
  readonly identity: Identity;
  /** Capabilities that the main thread keeps on Linux, if it has them. */
  readonly keep: readonly Capability[];
  /** The source starts children later (the driver `cap`); they inherit CAP_NET_RAW. */
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
/** Root gains nothing on exec, and capabilities survive a change of user; both locked. */
const SECUREBITS = 0b00_11_00_11;
const NO_AMBIENT_RAISE = 0b11_00_00_00;
/** Each of these leads back to root. */
const BACK = maskOf(['setuid', 'setpcap', 'sys_admin']);
const REGAINED = 'root privileges could be regained after dropping them';

/**
 * Drops privileges on the main thread. Existing threads lose everything; later ones inherit what this one keeps.
 *
 * @returns what was kept @throws NetmonError `permission` when `--user` can't be obeyed, a step fails, or root could be regained
 */
export function dropPrivileges(plan: DropPlan, credentials: Credentials, calls: LibcCalls): PrivilegeStatus {
  const { platform, identity, starts } = plan;
  const notes = identity.note === '' ? [] : [identity.note];
  if (!calls.forbidCore()) notes.push('core files could not be disabled');
  const before = platform === 'linux' ? calls.permitted() : null;
  const kept = maskOf(plan.keep) & (before ?? 0n);
  const inherited = starts ? kept & maskOf(['net_raw']) : 0n;
  const isRoot = credentials.geteuid() === 0;
  if (isRoot && identity.note === '--stay-root') {
    if (platform === 'linux') calls.prctl(PR.SET_DUMPABLE, 0);
    return statusOf('root', 0, false, ['root'], notes);
  }
  if (platform === 'linux' && isRoot) {
    const bits = starts ? SECUREBITS : SECUREBITS | NO_AMBIENT_RAISE;
    if (calls.prctl(PR.SET_SECUREBITS, bits) !== 0) calls.prctl(PR.SET_KEEPCAPS, 1);
    // Make it inheritable before it leaves the bounding set: capset(2) refuses it later.
    if (inherited !== 0n && !calls.setCapabilities(before ?? 0n, inherited))
      throw failed('capabilities could not be made inheritable');
    for (let bit = 0; bit < MAX_CAPABILITIES; bit++) calls.prctl(PR.CAPBSET_DROP, bit);
  }
  const changed = isRoot && identity.by !== 'root' && becomeUser(plan, credentials, notes);
  if (platform === 'linux') {
    const isCallable = before !== null; // else koffi has no library for this machine, and capabilities went with the user
    if (isCallable && !calls.setCapabilities(kept, inherited)) throw failed('capabilities could not be lowered');
    if (inherited !== 0n && calls.prctl(PR.CAP_AMBIENT, CAP_AMBIENT_RAISE, CAPABILITY.net_raw) !== 0)
      throw failed('CAP_NET_RAW could not be made ambient');
    calls.prctl(PR.SET_DUMPABLE, 0);
    const program = seccompProgram(process.arch, starts);
    const isFinal = calls.prctl(PR.SET_NO_NEW_PRIVS, 1) === 0;
    if (isCallable && !isFinal) throw failed('no_new_privs could not be set');
    if (!isFinal) notes.push('no_new_privs could not be set');
    else if (program === null || !calls.installFilter(seccompBytes(program))) notes.push('no seccomp filter here');
  }
  if (changed && before !== null && calls.setCapabilities(kept | BACK, 0n)) throw failed(REGAINED);
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
    // Work queued on io_uring as root continues as root (CVE-2024-22017), so Node refuses to change the user when it may be in use.
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_INVALID_STATE')
      throw new NetmonError('permission', "can't drop root while UV_USE_IO_URING is set", 'type: unset UV_USE_IO_URING', thrown);
    const message = `root can't become ${identity.name} here: ${reasonOf(thrown)}`;
    // A container without CAP_SETUID, or without that user's number: refuse only if the user asked for it by name.
    if (identity.by === 'user') throw new NetmonError('permission', message, 'leave --user out, or add it: --stay-root', thrown);
    notes.push(message);
    return false;
  }
}

/** Verifies the drop by trying to become root again. */
function makeSure(credentials: Credentials): void {
  try {
    credentials.setuid(0);
  } catch {
    return;
  }
  throw failed(REGAINED);
}

/** The sets that take effect immediately. */
const SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'] as const;

/**
 * Reads the five sets of capabilities and the user of every thread (proc_pid_status(5)): no thread may hold more than the run keeps.
 *
 * A bounding set may be left where the thread has no_new_privs: it bounds what a program gains that is started, and none gains anything.
 *
 * @param keep of the main thread and of all others @param texts of the threads' status; without procfs there are none, and nothing is confirmed @throws NetmonError `permission`
 */
export function confirmDropped(
  { uid, gid }: Pick<Identity, 'uid' | 'gid'>,
  keep: { readonly main: readonly Capability[]; readonly others: readonly Capability[] },
  starts: boolean,
  texts: readonly string[] = threadStatuses(),
): void {
  for (const text of texts) {
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    const ids = (name: string, id: number) =>
      field(name)
        .split(/\s+/)
        .every((word) => Number(word) === id);
    const thread = `a thread (${field('Name')})`;
    if (!ids('Uid', uid) || !ids('Gid', gid)) throw failed(`${thread} did not become the user`);
    const handed = starts ? maskOf(['net_raw']) : 0n;
    for (const name of SETS) {
      const allowed =
        name === 'CapInh' || name === 'CapAmb' ? handed : maskOf(field('Pid') === field('Tgid') ? keep.main : keep.others);
      const more = namesOf(BigInt(`0x${field(name) || '0'}`) & ~allowed);
      if (more.length > 0) throw failed(`${thread} still has ${more.join(', ')} (${name})`);
    }
    if (BigInt(`0x${field('CapBnd') || '0'}`) !== 0n && field('NoNewPrivs') === '0') {
      if (texts.some((other) => /^NoNewPrivs:\s*1/m.test(other))) throw failed(`${thread} could gain capabilities from programs`);
    }
  }
}

function threadStatuses(): string[] {
  try {
    return readdirSync('/proc/self/task').flatMap((tid) => {
      try {
        return [readFileSync(`/proc/self/task/${tid}/status`, 'latin1')];
      } catch {
        return []; // it ended meanwhile
      }
    });
  } catch {
    return [];
  }
}

function failed(what: string): NetmonError {
  return new NetmonError('permission', what, 'see SECURITY.md; --stay-root runs as root');
}

/** Node's calls that change the user; both systems have them. */
export function credentialsOf(): Credentials {
  // @types/node lacks initgroups, which Node has had since 0.9
  const { geteuid, setgroups, initgroups, setgid, setuid }: NodeJS.Process & Partial<Pick<Credentials, 'initgroups'>> = process;
  if (!geteuid || !setgroups || !initgroups || !setgid || !setuid) throw new NetmonError('usage', 'this system has no users');
  return {
    geteuid,
    setgroups: (groups) => setgroups(groups),
    initgroups: (user, group) => initgroups(user, group),
    setgid: (group) => setgid(group),
    setuid: (user) => setuid(user),
  };
}

/** libc's calls, or none of them where koffi has no library for this machine: then all capabilities go with the user. */
export async function libcCalls(platform: DropPlan['platform']): Promise<LibcCalls> {
  try {
    return (await import('./libc-calls.ts')).loadLibcCalls(platform);
  } catch {
    return {
      prctl: () => -1,
      permitted: () => null,
      setCapabilities: () => false,
      setEffective: () => false,
      installFilter: () => false,
      forbidCore: () => false,
    };
  }
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
