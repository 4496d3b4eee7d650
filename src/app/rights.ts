// The rights of a run: whom it becomes, what it keeps, and when. Everything that takes rights is open by then; what must be opened again
// later keeps just enough for that.

import { readFileSync } from 'node:fs';
import type { Options } from '../cli/options.ts';
import { NetmonError, reasonOf } from '../errors.ts';
import type { OwnerSource } from '../identify/process/owner-source.ts';
import type { Edges } from '../net/edges.ts';
import type { PrivilegeStatus } from '../net/privileges.ts';
import { type Capability, maskOf } from '../privilege/capabilities.ts';
import { type Credentials, dropPrivileges } from '../privilege/drop.ts';
import { type Identity, identityOf } from '../privilege/identity.ts';

/** Opening the capture again after its interface was away. */
const REOPENING: readonly Capability[] = ['net_raw'];
/** Descriptors and executables of other users' processes, out of /proc. */
const LOOKING: readonly Capability[] = ['sys_ptrace', 'dac_read_search'];

/** Decided before anything is opened; carried out once everything is. */
export class Rights {
  readonly identity: Identity;
  readonly #options: Options;
  readonly #edges: Edges;

  /** @throws NetmonError `usage` for a user that does not exist */
  constructor(options: Options, edges: Edges) {
    this.#options = options;
    this.#edges = edges;
    const { user, stayRoot } = options.privileges;
    this.identity = identityOf({
      euid: edges.euid(),
      env: process.env,
      user,
      stayRoot,
      records: options.history?.record ?? false,
      passwd: textOf(edges.paths.passwd),
      group: textOf('/etc/group'),
    });
  }

  /** Gives up what is not needed. @param owners whose thread keeps what the main thread keeps @param driver of the capture */
  async drop(owners: OwnerSource | null, driver: string): Promise<PrivilegeStatus> {
    const { platform } = this.#edges;
    const { privileges, read } = this.#options;
    const identity = this.identity;
    if (identity.by === 'self' && (platform === 'darwin' || read !== null)) {
      return { user: identity.name, uid: identity.uid, dropped: false, kept: [], note: '' };
    }
    const credentials = credentialsOf();
    const { loadLibcCalls } = await import('../privilege/libc-calls.ts');
    const keep = read !== null ? [] : privileges.dropAll ? REOPENING : [...REOPENING, ...LOOKING];
    const thread = owners?.thread ?? null;
    await thread?.opened();
    await pooled();
    const starts = driver === 'cap';
    const status = dropPrivileges({ platform, identity, keep, starts }, credentials, loadLibcCalls(platform));
    if (identity.note !== '--stay-root') thread?.lower(maskOf(keep.filter((name) => name !== 'net_raw')));
    return status;
  }
}

/** The calls of Node that change the user; both systems have them. */
function credentialsOf(): Credentials {
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

/** Starts the threads of Node's pool, which begin with the first work for them: those that exist lose all, later ones would not. */
async function pooled(): Promise<void> {
  const { stat } = await import('node:fs/promises');
  await stat('/').catch(reasonOf);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // a machine without one has its users elsewhere
  }
}
