// As whom the program goes on once everything is open. Decides only; drop.ts does it.

import { NetmonError } from '../model/errors.ts';
import type { Edges } from './edges.ts';

/** What decides it. */
export interface IdentityRequest {
  readonly euid: number;
  /** SUDO_UID, SUDO_GID and SUDO_USER count only where the process is root. */
  readonly env: { readonly [name: string]: string | undefined };
  /** `--user`; null where it was not given. */
  readonly user: string | null;
  /** `--stay-root` */
  readonly stayRoot: boolean;
  /** History is recorded, so its folder must stay writable. */
  readonly records: boolean;
  /** Texts of passwd(5) and group(5). */
  readonly passwd: string;
  readonly group: string;
}

/** Whom to become. */
export interface Identity extends Account {
  readonly groups: readonly number[];
  /** Where it is from: `self` was never root, `root` stays it. */
  readonly by: 'self' | 'sudo' | 'user' | 'nobody' | 'root';
  /** Why root stays root; empty otherwise. */
  readonly note: string;
}

/** What systems call the user that owns nothing; where it is not listed, Linux's number. */
const NOBODY: Account = { name: 'nobody', uid: 65_534, gid: 65_534 };

/**
 * The user to become: the one named, else the one who called sudo, else nobody.
 *
 * @throws NetmonError `usage` for a user that does not exist, and for `--user` without root
 */
export function identityOf(request: IdentityRequest): Identity {
  const { euid, env, user, stayRoot, records, passwd, group } = request;
  const become = (account: Account, by: Identity['by']): Identity => ({
    ...account,
    groups: groupsIn(group, account.name, account.gid),
    by: account.uid === 0 ? 'root' : by,
    note: account.uid === 0 ? 'asked to run as root' : '',
  });
  const stay = (note: string): Identity => ({ name: 'root', uid: 0, gid: 0, groups: [0], by: 'root', note });
  if (euid !== 0) {
    if (user !== null) throw new NetmonError('usage', '--user takes root: only root can become another user', 'leave --user out');
    const account = accountIn(passwd, euid) ?? { name: String(euid), uid: euid, gid: euid };
    return { ...account, groups: [], by: 'self', note: '' };
  }
  if (stayRoot) return stay('--stay-root');
  if (user !== null) {
    const account = accountIn(passwd, /^\d{1,10}$/.test(user) ? Number(user) : user);
    if (account === null) throw new NetmonError('usage', `no such user: ${user}`, 'type for example: --user nobody');
    return become(account, 'user');
  }
  const uid = idOf(env['SUDO_UID']);
  if (uid !== null && uid !== 0) {
    const known = accountIn(passwd, uid);
    // A user of a directory service is in no file; sudo knows its number, name and group all the same.
    const name = known?.name ?? (/^[\w][\w.-]{0,63}$/.test(env['SUDO_USER'] ?? '') ? (env['SUDO_USER'] as string) : String(uid));
    return become({ name, uid, gid: idOf(env['SUDO_GID']) ?? known?.gid ?? NOBODY.gid }, 'sudo');
  }
  if (records) return stay("history is root's own: --user NAME gives root up");
  return become(accountIn(passwd, 'nobody') ?? NOBODY, 'nobody');
}

function idOf(text: string | undefined): number | null {
  const id = /^\d{1,10}$/.test(text ?? '') ? Number(text) : null;
  return id !== null && id < 2 ** 32 - 1 ? id : null;
}

// The system's users and groups, out of its files: what a user name stands for, and which groups a user is in. Never asks a directory
// service, as that could be a question to the network. Texts in, facts out.

/** One user. */
interface Account {
  readonly name: string;
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
}

/** The user called so, or with that number; null where the text of passwd(5) lists none. */
export function accountIn(passwd: string, who: string | number): Account | null {
  for (const line of passwd.split('\n')) {
    const [name = '', , uid, gid] = line.split(':');
    if (name === '' || name.startsWith('#') || (typeof who === 'string' ? name !== who : numberOf(uid) !== who)) continue;
    const [user, group] = [numberOf(uid), numberOf(gid)];
    if (user !== null && group !== null) return { name, uid: user, gid: group };
  }
  return null;
}

/** Groups of a user in the text of group(5): the primary one first, then those that list the name. */
export function groupsIn(group: string, name: string | null, primary: number): number[] {
  const groups = new Set([primary]);
  for (const line of group.split('\n')) {
    const [, , gid, members = ''] = line.split(':');
    const number = numberOf(gid);
    if (name !== null && number !== null && members.trim().split(',').includes(name)) groups.add(number);
  }
  return [...groups];
}

/** macOS writes nobody's number as -2. */
function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) >>> 0 : null;
}

// A user of a Mac by name: macOS lists only its own in passwd(5), and keeps those who sit before it in a directory. Asks; decides nothing.

const ID = '/usr/bin/id';
const LIMITS = { timeoutMs: 5000, maxBytes: 65_536 };

/**
 * A line of passwd(5), which begins with name, password, uid and gid, as `id -P` prints it.
 *
 * @returns empty where there is no such user, nobody was named, and on other systems
 */
export async function macAccount(edges: Edges, who: string | null): Promise<string> {
  if (edges.platform !== 'darwin' || who === null || !/^\w[\w.-]{0,254}$/.test(who)) return '';
  const { stdout, status } = await edges.run(ID, ['-P', who], LIMITS);
  return status === 0 ? stdout : '';
}
