// Decides which user the program becomes once everything is open, from the texts of passwd(5) and group(5). It asks no directory service, which
// could send network traffic.

import { NetmonError } from '../model/errors.ts';
import type { Edges } from './edges.ts';

/** What the decision depends on. */
export interface IdentityRequest {
  readonly euid: number;
  /** SUDO_UID, SUDO_GID and SUDO_USER count only if the process is root. */
  readonly env: { readonly [name: string]: string | undefined };
  /** `--user`; null if not given. */
  readonly user: string | null;
  /** `--stay-root` */
  readonly stayRoot: boolean;
  /** History is recorded, so its folder must stay writable. */
  readonly records: boolean;
  /** Texts of passwd(5) and group(5). */
  readonly passwd: string;
  readonly group: string;
}

/** The user to become. */
export interface Identity extends Account {
  readonly groups: readonly number[];
  /** How it was chosen: `self` was never root, `root` stays root. */
  readonly by: 'self' | 'sudo' | 'user' | 'nobody' | 'root';
  /** Why root stays root, or what it costs to be nobody; empty otherwise. */
  readonly note: string;
}

/** The user that owns nothing, with Linux's number in case passwd doesn't list it. */
const NOBODY: Account = { name: 'nobody', uid: 65_534, gid: 65_534 };

/** Said to a root without sudo, who asked for none of this. */
const AS_NOBODY = 'runs as nobody (or: --user NAME, --stay-root): no history, exports, settings';

/**
 * The user to become: the one given by `--user`, else the one who called sudo, else nobody.
 *
 * @throws NetmonError `usage` for an unknown user, and for `--user` without root
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
    if (user !== null) throw new NetmonError('usage', '--user needs root: only root can become another user', 'leave --user out');
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
    // No file lists a directory service's users, but sudo passes their number, name and group.
    const name = known?.name ?? (/^[\w][\w.-]{0,63}$/.test(env['SUDO_USER'] ?? '') ? (env['SUDO_USER'] as string) : String(uid));
    return become({ name, uid, gid: idOf(env['SUDO_GID']) ?? known?.gid ?? NOBODY.gid }, 'sudo');
  }
  if (records) return stay('the history belongs to root: --user NAME drops root');
  return { ...become(accountIn(passwd, 'nobody') ?? NOBODY, 'nobody'), note: AS_NOBODY };
}

function idOf(text: string | undefined): number | null {
  const id = /^\d{1,10}$/.test(text ?? '') ? Number(text) : null;
  return id !== null && id < 2 ** 32 - 1 ? id : null;
}

/** One user. */
interface Account {
  readonly name: string;
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
}

/** The user with that name or number; null if the text of passwd(5) doesn't list it. */
export function accountIn(passwd: string, who: string | number): Account | null {
  for (const line of passwd.split('\n')) {
    const [name = '', , uid, gid] = line.split(':');
    if (name === '' || name.startsWith('#') || (typeof who === 'string' ? name !== who : numberOf(uid) !== who)) continue;
    const [user, group] = [numberOf(uid), numberOf(gid)];
    if (user !== null && group !== null) return { name, uid: user, gid: group };
  }
  return null;
}

/** Home folder of a user in the text of passwd(5); null if it doesn't say. */
export function accountHome(passwd: string, name: string): string | null {
  const fields = passwd.split('\n').map((line) => line.split(':'));
  return fields.find(([known]) => known === name)?.[5] || null;
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

/** Parses an id. macOS writes nobody's as -2. */
function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) >>> 0 : null;
}

const ID = '/usr/bin/id';
const LIMITS = { timeoutMs: 5000, maxBytes: 65_536 };

/**
 * A Mac user's line of passwd(5), as `id -P` prints it: the file lists only the system's own users.
 *
 * @returns empty for an unknown user, for null, and on other systems
 */
export async function macAccount(edges: Edges, who: string | null): Promise<string> {
  if (edges.platform !== 'darwin' || who === null || !/^\w[\w.-]{0,254}$/.test(who)) return '';
  const { stdout, status } = await edges.run(ID, ['-P', who], LIMITS);
  return status === 0 ? stdout : '';
}
