// Manages a run's rights: which user it becomes, what it keeps, and when it drops the rest. By then everything that needs rights is open. It keeps
// only what reopening needs later.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PacketSource } from '../capture/source.ts';
import { tcpdumpArguments } from '../capture/tcpdump/messages.ts';
import { LSOF_ARGUMENTS } from '../identify/process/macos/lsof.ts';
import type { OwnerSource } from '../identify/process/owner-source.ts';
import { NetmonError, reasonOf } from '../model/errors.ts';
import { EXPORT_PREFIX, type Options, SANDBOX_ELSEWHERE } from '../model/options.ts';
import type { PrivilegeStatus } from '../model/privileges.ts';
import { type Identity, identityOf, macAccount } from '../system/accounts.ts';
import { type Edges, NO_DEBUGGER } from '../system/edges.ts';
import { absolutePath, workingFolder } from '../system/files.ts';
import { childCommand } from '../system/own-files.ts';
import { INSPECTING, maskOf, namesOf, REOPENING } from './capabilities.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from './drop.ts';
import type { RootPrograms } from './root-child.ts';
import { RootClient } from './root-client.ts';
import type { SandboxInit } from './seatbelt.ts';

const LSOF_LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };
const IFCONFIG_MS = 2000;
const SANDBOXED =
  "--sandbox starts no programs: there is no data from ps (paths, users and full names of processes), netstat, route, arp and ndp, and pbcopy can't copy";
/** Starts the root child; tests replace it. */
export type StartRootChild = (programs: RootPrograms) => ChildProcess;

/** The part of a capture that matters for privileges. */
type Source = Pick<PacketSource, 'startsPrograms'>;

/** The plan for this run's privileges. Create it before anything is opened; call `drop` once everything is. */
export class Rights {
  readonly identity: Identity;
  readonly #options: Options;
  readonly #edges: Edges;
  readonly #rootClient: RootClient | null;
  /** The user that a child becomes, as JSON; null if it has no privileges or keeps them. */
  readonly #childRights: string | null;

  readonly #sandbox: SandboxInit | undefined;

  /**
   * Creates the plan. On a Mac it asks the system about the user given by `--user`, whom no file lists.
   *
   * @param bufferBytes of the capture's ring @param sandbox replaces sandbox_init in tests
   * @throws NetmonError `usage` for an unknown user, and for `--sandbox` on systems other than macOS
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

  /** @param account a line of passwd(5) for the user given by `--user`, or empty */
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
    this.#childRights = hasRights && this.identity.by !== 'root' ? JSON.stringify(this.identity) : null;
    // Linux can keep single capabilities. macOS needs a child that stays root and can do almost nothing.
    const isNeeded = edges.platform === 'darwin' && edges.euid() === 0 && this.identity.by !== 'root' && options.read === null;
    if (isNeeded) {
      const programs = rootPrograms(options, edges, bufferBytes);
      this.#rootClient = new RootClient(start(programs), programs);
    } else this.#rootClient = null;
  }

  /** The run's edges. They send what needs root after the drop to the root child. */
  get edges(): Edges {
    const rights = this.#childRights;
    const edges = this.#rootClient?.edges(this.#edges) ?? this.#edges;
    if (rights === null) return edges;
    // A child that runs Node is the driver cap's. It becomes that user after opening its interface.
    return { ...edges, spawn: (path, args) => edges.spawn(path, path === process.execPath ? [...args, rights] : args) };
  }

  /** Ends the root child, which removes what libpcap leaves behind. Call it after the capture is closed. */
  async close(): Promise<void> {
    await this.#rootClient?.close();
  }

  /** Drops everything that isn't needed. @param owners its thread alone keeps the rights to inspect other users' processes @param source the capture */
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
    const inspecting = thread === null || privileges.dropAll ? [] : INSPECTING;
    const threadKeeps = maskOf(inspecting) & (calls.permitted() ?? 0n);
    await thread?.opened();
    await pooled();
    const starts = source.startsPrograms === true;
    const status = dropPrivileges({ platform, identity, keep, starts }, credentials, calls);
    thread?.lower(identity.note === '--stay-root' ? ~0n : threadKeeps);
    if (status.dropped && platform === 'linux') confirmDropped(identity, { main: keep, others: inspecting }, starts);
    return status.kept.includes('root') ? status : { ...status, kept: [...namesOf(threadKeeps), ...status.kept].sort() };
  }
}

/** Files that the run still writes: its history with journals and locks beside it, the screen's saved state, what is muted, additions to the policy, packets behind alerts, exports. */
async function writtenFiles({ history, screen, headless, json, place, policy, packets }: Options): Promise<string[]> {
  const exports = headless || json ? [] : [workingFolder(), place.home].filter((folder) => folder !== null);
  const mutes = screen.savedState === null ? null : join(dirname(screen.savedState), 'mutes.json');
  const additions = policy?.additionsPath ?? null;
  const { write } = packets;
  // the files of a row have their numbers before the extension
  const capture = write === null || write.path === '-' ? null : absolutePath(write.path.replace(/\.[^./]*$/, ''));
  const evidence = packets.onAlert === null ? null : join(packets.onAlert.folder, EXPORT_PREFIX);
  const own = [capture, evidence, history?.record === true ? history.path : null, screen.savedState, mutes, additions].filter(
    (path) => path !== null,
  );
  return [...own, ...exports.map((folder) => join(folder, EXPORT_PREFIX))];
}

/** Becomes the user who called sudo, for a command that needs no privileges. Without sudo the user stays the same, even root. */
export async function becomeInvoker({ platform, paths, euid }: Edges): Promise<void> {
  const passwd = textOf(paths.passwd);
  const group = textOf(join(dirname(paths.passwd), 'group'));
  const request = { env: process.env, user: null, stayRoot: false, records: true, passwd, group };
  const identity = identityOf({ ...request, euid: euid() });
  if (identity.by !== 'sudo') return;
  const calls = await libcCalls(platform);
  dropPrivileges({ platform, identity, keep: [], starts: false }, credentialsOf(), calls);
}

/** Everything that the root child may ever run, fixed now from the user's options. */
function rootPrograms({ interfaces, bpf, packets }: Options, { paths }: Edges, bufferBytes: number): RootPrograms {
  return {
    tcpdump: { path: paths.tcpdump, args: tcpdumpArguments({ interfaces, bpf, bufferBytes, wholePackets: packets.whole }) },
    lsof: { path: paths.lsof, args: LSOF_ARGUMENTS, ...LSOF_LIMITS },
    ifconfig: { path: paths.ifconfig, owner: process.pid, timeoutMs: IFCONFIG_MS },
    question: 'SIGINFO' as NodeJS.Signals,
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'en_US.UTF-8' },
  };
}

function startRootChild(programs: RootPrograms): ChildProcess {
  const flags = [NO_DEBUGGER, '--max-old-space-size=32', '--max-semi-space-size=1'];
  const { path, args, env } = childCommand('root-child', flags, [JSON.stringify(programs)]);
  return spawn(path, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...programs.env, ...env }, cwd: '/', shell: false });
}

/** Starts Node's thread pool before the drop, because existing threads lose all rights and later ones would inherit what this one keeps. */
async function pooled(): Promise<void> {
  const { stat } = await import('node:fs/promises');
  await stat('/').catch(reasonOf);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the machine keeps its users elsewhere
  }
}
