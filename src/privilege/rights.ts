// The rights of a run: whom it becomes, what it keeps, and when. Everything that takes rights is open by then; what must be opened again
// later keeps just enough for that.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PacketSource } from '../capture/source.ts';
import { tcpdumpArguments } from '../capture/tcpdump/messages.ts';
import { LSOF_ARGUMENTS } from '../identify/process/macos/lsof.ts';
import type { OwnerSource } from '../identify/process/owner-source.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import { EXPORT_PREFIX, type Options, SANDBOX_ELSEWHERE } from '../model/options.ts';
import type { PrivilegeStatus } from '../model/privileges.ts';
import { type Identity, identityOf, macAccount } from '../system/accounts.ts';
import { type Edges, NO_DEBUGGER } from '../system/edges.ts';
import { workingFolder } from '../system/files.ts';
import { LOOKING, maskOf, namesOf, REOPENING } from './capabilities.ts';
import { childRights } from './child-rights.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from './drop.ts';
import type { RootPrograms } from './root-child.ts';
import { RootHand } from './root-hand.ts';
import type { SandboxInit } from './seatbelt.ts';

const LSOF_LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };
const IFCONFIG_MS = 2000;
const SANDBOXED =
  "--sandbox starts no programs: what ps (paths, users and full names of processes), netstat, route, arp and ndp tell is missing, and pbcopy can't copy";
/** Starts the root child; another in tests. */
export type StartRootChild = (programs: RootPrograms) => ChildProcess;

/** What of a capture bears on privileges. */
type Source = Pick<PacketSource, 'startsPrograms'>;

/** The plan for this run's privileges: made before anything is opened, carried out once everything is. */
export class Rights {
  readonly identity: Identity;
  readonly #options: Options;
  readonly #edges: Edges;
  readonly #hand: RootHand | null;
  /** URL of the module with which a child drops its privileges; null when it has none or keeps them. */
  readonly #childRights: string | null;

  readonly #sandbox: SandboxInit | undefined;

  /**
   * Asks the system about the user that `--user` names, where no file lists it.
   *
   * @param bufferBytes of the capture's ring @param sandbox another sandbox_init, in tests
   * @throws NetmonError `usage` for a user that does not exist, and for `--sandbox` elsewhere than on macOS
   */
  static async of(
    options: Options,
    edges: Edges,
    bufferBytes: number,
    start: StartRootChild = startRootChild,
    sandbox?: SandboxInit,
  ): Promise<Rights> {
    if (options.privileges.sandbox && edges.platform !== 'darwin') throw new NetmonError('usage', ...SANDBOX_ELSEWHERE);
    return new Rights(options, edges, bufferBytes, start, sandbox, await macAccount(edges, options.privileges.user));
  }

  /** @param account of the user named, a line of passwd(5) */
  private constructor(
    options: Options,
    edges: Edges,
    bufferBytes: number,
    start: StartRootChild,
    sandbox: SandboxInit | undefined,
    account: string,
  ) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#edges = edges;
    const { user, stayRoot } = options.privileges;
    this.identity = identityOf({
      euid: edges.euid(),
      env: process.env,
      user,
      stayRoot,
      records: options.history?.record ?? false,
      passwd: `${textOf(edges.paths.passwd)}\n${account}`,
      group: textOf(join(dirname(edges.paths.passwd), 'group')),
    });
    const hasRights = options.read === null && (edges.platform === 'linux' || edges.euid() === 0);
    this.#childRights = hasRights && this.identity.by !== 'root' ? childRights(this.identity) : null;
    // Linux keeps capabilities one by one; macOS needs a process that stays root and can do next to nothing.
    const isNeeded = edges.platform === 'darwin' && edges.euid() === 0 && this.identity.by !== 'root' && options.read === null;
    if (isNeeded) {
      const programs = rootPrograms(options, edges, bufferBytes);
      this.#hand = new RootHand(start(programs), programs);
    } else this.#hand = null;
  }

  /** The edges of the run: what needs root after the drop goes to the root child. */
  get edges(): Edges {
    const url = this.#childRights;
    const edges = this.#hand?.edges(this.#edges) ?? this.#edges;
    if (url === null) return edges;
    // A child that runs Node captures for the driver cap: it gets the module that drops its privileges after opening its interface.
    return { ...edges, spawn: (path, args) => edges.spawn(path, path === process.execPath ? [...args, url] : args) };
  }

  /** Ends the root child, which removes what libpcap leaves behind; after the capture was closed. */
  async close(): Promise<void> {
    await this.#hand?.close();
  }

  /** Gives up what is not needed. @param owners whose thread alone keeps what it takes to look into others' processes @param source that captures */
  async drop(owners: OwnerSource | null, source: Source): Promise<PrivilegeStatus> {
    const { privileges, read } = this.#options;
    if (!privileges.sandbox) return this.#drop(owners, source);
    const kind = owners?.kind ?? 'none';
    if (read === null && (kind === 'nettop' || kind === 'lsof'))
      throw new NetmonError(
        'permission',
        '--sandbox starts no programs, and owners come from nettop here',
        'leave --sandbox out, or capture with PKTAP: sudo netmon-tui --sandbox',
      );
    const status = await this.#drop(owners, source);
    const { enterSandbox } = await import('./seatbelt.ts');
    enterSandbox({ files: await writtenFiles(this.#options), asksDns: this.#options.reverseDns }, this.#sandbox);
    return { ...status, note: [status.note, SANDBOXED].filter((note) => note !== '').join('; ') };
  }

  async #drop(owners: OwnerSource | null, source: Source): Promise<PrivilegeStatus> {
    const { platform } = this.#edges;
    const { privileges, read } = this.#options;
    const identity = this.identity;
    if (identity.by === 'self' && (platform === 'darwin' || read !== null)) {
      return { user: identity.name, uid: identity.uid, dropped: false, kept: [], note: '' };
    }
    const credentials = credentialsOf();
    const calls = await libcCalls(platform);
    const keep = read !== null ? [] : REOPENING;
    const thread = owners?.thread ?? null;
    const looking = thread === null || privileges.dropAll ? [] : LOOKING;
    const looks = maskOf(looking) & (calls.permitted() ?? 0n);
    await thread?.opened();
    await pooled();
    const starts = source.startsPrograms === true;
    const status = dropPrivileges({ platform, identity, keep, starts }, credentials, calls);
    thread?.lower(identity.note === '--stay-root' ? ~0n : looks);
    if (status.dropped && platform === 'linux') confirmDropped(identity, { main: keep, others: looking }, starts);
    return status.kept.includes('root') ? status : { ...status, kept: [...namesOf(looks), ...status.kept].sort() };
  }
}

/** What a run still writes: its history with journals and locks beside it, the screen's saved state, exports. */
async function writtenFiles({ history, screen, headless, json, place }: Options): Promise<string[]> {
  const exports = headless || json ? [] : [workingFolder(), place.home].filter((folder) => folder !== null);
  const own = [history?.record === true ? history.path : null, screen.savedState].filter((path) => path !== null);
  return [...own, ...exports.map((folder) => join(folder, EXPORT_PREFIX))];
}

/** Becomes the user who called sudo, for a command that needs no privileges. Anybody else, root included, stays. */
export async function becomeInvoker({ platform, paths, euid }: Edges): Promise<void> {
  const passwd = textOf(paths.passwd);
  const group = textOf(join(dirname(paths.passwd), 'group'));
  const request = { env: process.env, user: null, stayRoot: false, records: true, passwd, group };
  const identity = identityOf({ ...request, euid: euid() });
  if (identity.by !== 'sudo') return;
  const calls = await libcCalls(platform);
  dropPrivileges({ platform, identity, keep: [], starts: false }, credentialsOf(), calls);
}

/** All that the root child may ever run; fixed now, while everything is still as the user asked. */
function rootPrograms({ interfaces, bpf }: Options, { paths }: Edges, bufferBytes: number): RootPrograms {
  return {
    tcpdump: { path: paths.tcpdump, args: tcpdumpArguments({ interfaces, bpf, bufferBytes }) },
    lsof: { path: paths.lsof, args: LSOF_ARGUMENTS, ...LSOF_LIMITS },
    ifconfig: { path: paths.ifconfig, owner: process.pid, timeoutMs: IFCONFIG_MS },
    question: 'SIGINFO' as NodeJS.Signals,
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'en_US.UTF-8' },
  };
}

function startRootChild(programs: RootPrograms): ChildProcess {
  const script = fileURLToPath(new URL('./root-child-main.js', import.meta.url));
  const words = [NO_DEBUGGER, '--max-old-space-size=32', '--max-semi-space-size=1', script, JSON.stringify(programs)];
  return spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'ignore'], env: programs.env, cwd: '/', shell: false });
}

/** Starts the threads of Node's pool now, before the drop: existing threads lose everything, later ones would not. */
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
