// The system's users and groups, out of its files: what a user name stands for, and which groups a user is in. Never asks a directory
// service, as that could be a question to the network. Texts in, facts out.

/** One user. */
export interface Account {
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
