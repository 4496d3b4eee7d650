// Builds the parts of a run around an open capture: flow table, owners, names, monitor. Of these only owner sources do I/O.

import { randomInt } from 'node:crypto';
import type { EventLog } from '../aggregate/event-log.ts';
import { CounterTracker } from '../capture/devices/counters.ts';
import { deviceKinds, hardwareAddress } from '../capture/devices/devices.ts';
import { interfaceKind } from '../capture/devices/kind.ts';
import { LinkWatch } from '../capture/devices/links.ts';
import { isLinuxInterfaceName, linuxDevices, linuxLower } from '../capture/devices/linux.ts';
import type { OpenedSource } from '../capture/source.ts';
import { Localizer } from '../flow/direction.ts';
import { FlowTable } from '../flow/flow-table.ts';
import type { Categories } from '../identify/category/categories.ts';
import { FlowNames } from '../identify/name/flow-names.ts';
import { ReverseNames } from '../identify/name/reverse-names.ts';
import { Neighbours } from '../identify/place/neighbours.ts';
import type { Places } from '../identify/place/places.ts';
import type { CommandTree } from '../identify/process/command-tree.ts';
import { Directory, Users } from '../identify/process/directory.ts';
import { type ContainerAnswer, Containers } from '../identify/process/linux/containers/containers.ts';
import { StateFiles } from '../identify/process/linux/containers/state-files.ts';
import { TrustedFiles } from '../identify/process/linux/containers/trusted-files.ts';
import type { ExecWatch } from '../identify/process/linux/exec-watch.ts';
import { type Beginnings, LinuxLineage } from '../identify/process/linux/lineage.ts';
import { procAt } from '../identify/process/linux/procfs/proc.ts';
import { type BehindTranslation, ProcfsSource } from '../identify/process/linux/procfs/source.ts';
import type { SingleSockets } from '../identify/process/linux/procfs/tables.ts';
import { TransferredSockets } from '../identify/process/linux/transferred-sockets.ts';
import { openListeners } from '../identify/process/listening/open.ts';
import type { ParentOf } from '../identify/process/macos/libproc.ts';
import { NettopSource } from '../identify/process/macos/nettop-source.ts';
import { PsWatch } from '../identify/process/macos/ps-watch.ts';
import { OwnerChecks } from '../identify/process/owner-checks.ts';
import { NettopOwners, type OwnerSource } from '../identify/process/owner-source.ts';
import { Owners } from '../identify/process/owners.ts';
import type { ContainerRef } from '../identify/process/process-facts.ts';
import { CapturedSource } from '../identify/process/recorded.ts';
import { StartClock } from '../identify/process/start-clock.ts';
import { reasonOf } from '../model/errors.ts';
import type { KeepOptions } from '../model/packets.ts';
import { type Fallback, NOWHERE } from '../model/terms.ts';
import type { Watcher } from '../model/watch.ts';
import { Publishers, publisherSource } from '../publisher/publishers.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { readSystemFile, systemPathExists } from '../system/small-file.ts';
import { Inspection } from './inspection.ts';
import { MAX_FLOWS, Monitor } from './monitor.ts';

/** A run's parts. */
export interface Assembly {
  readonly monitor: Monitor;
  readonly directory: Directory;
  readonly localizer: Localizer;
  readonly tracker: CounterTracker;
  readonly names: FlowNames;
  readonly neighbours: Neighbours;
  /** Asks DNS for names, once started; null if the user doesn't want that. */
  readonly reverse: ReverseNames | null;
  /** Has a tree hear of processes as they begin. @returns ends that */
  readonly follow: (tree: CommandTree) => () => void;
}

/** What a run is about. */
export interface Subject {
  /** Interfaces that the user named. */
  readonly named: readonly string[];
  /** File of a replay; null live. */
  readonly file: string | null;
  /** null leaves flows without categories. */
  readonly categories: Categories | null;
  /** null if no database of places was found or wanted. */
  readonly places: Places | null;
  /** Users that the passwd file doesn't list. */
  readonly users?: ReadonlyMap<number, string>;
  /** Whether a pid is that of the run's messenger, whose traffic is the program's own. Absent in a replay: pids are others there. */
  readonly isMessenger?: (pid: number) => boolean;
  /** True if DNS is asked for the names of addresses without one. */
  readonly reverseDns: boolean;
  /** Keeps what happens; null without a screen. */
  readonly events: EventLog | null;
  /** Watches flows; null if nothing is watched. */
  readonly watcher: Watcher | null;
  /** The processes of a command that the program runs; null without one. */
  readonly tree?: CommandTree | null;
  /** Whether listeners are looked for even if nobody keeps events. */
  readonly listens?: boolean;
  /** How frames are kept; null or absent keeps none. */
  readonly keep?: KeepOptions | null;
  /** A time before the first packet, epoch ms. */
  readonly started: number;
}

/** Puts the parts together. */
export async function assemble(opened: OpenedSource, subject: Subject, edges: Edges, clock: Clock): Promise<Assembly> {
  const kernel = await native();
  const seed = randomInt(2 ** 31);
  const replay = subject.file !== null;
  const localizer = new Localizer(replay);
  const flows = new FlowTable(localizer, MAX_FLOWS, seed);
  const { passwd, proc } = edges.paths;
  const starts = new StartClock(proc);
  const lineage = replay || edges.platform !== 'linux' ? null : new LinuxLineage(proc, starts);
  lineage?.seed();
  const users = new Users(passwd, subject.users);
  const skipped: Fallback[] = [];
  const states = new StateFiles(new TrustedFiles(proc), () => readSystemFile(passwd, 1 << 20) ?? '');
  const readState = (ref: ContainerRef) => states.read(ref);
  const tree = subject.tree ?? null;
  const isLinuxLive = !replay && edges.platform === 'linux' && !opened.source.namesProcesses;
  const trees = new Set(tree === null ? [] : [tree]);
  const watch = isLinuxLive ? kernel.watchExecs(proc, passwd, heardBy(lineage, trees, starts), readState) : null;
  const containers = new Containers(watch === null ? readState : (ref) => watch.container(ref), () => clock.monotonic());
  const directory = new Directory(users, starts, lineage, containers, subject.isMessenger);
  const follow = (one: CommandTree) => {
    trees.add(one);
    one.isTold = watch !== null && watch.note === '';
    return () => void trees.delete(one);
  };
  const source = ownerSource(kernel, opened, replay, flows, directory, watch, tree, edges, clock, skipped);
  const listeners =
    replay || (subject.events === null && subject.listens !== true)
      ? null
      : openListeners(edges, {
          users,
          containers,
          proc: watch ?? procAt(proc),
          pathOf: kernel.pathOf,
          kernel: kernel.openListeningDump(),
        });
  // A recording's processes ran elsewhere, and on Linux the owner source knows everything about a process.
  const ps = replay || edges.platform === 'linux' ? null : new PsWatch(flows, directory, edges, kernel.pathOf, kernel.parentOf);
  // The receipt of a command doesn't say who made programs.
  const publishers =
    replay || (subject.tree ?? null) !== null
      ? null
      : new Publishers(
          directory,
          edges.platform === 'linux' ? (watch ?? procAt(proc)) : null,
          publisherSource(edges),
          (processes) => flows.markFlowsOf(processes),
        );
  const owners = new Owners(flows, source, replay, ps, directory);
  const { categories, places } = subject;
  const place = (words: Int32Array, at: number) => places?.lookup(words, at) ?? NOWHERE;
  const neighbours = new Neighbours(replay ? null : edges);
  const neighbour = (words: Int32Array, at: number) => neighbours.lookup(words, at);
  const names = new FlowNames(flows, directory, categories, place, neighbour, seed);
  const reverse = subject.reverseDns ? new ReverseNames(flows, names, undefined, clock) : null;
  const tracker = new CounterTracker(edges.platform);
  const links = replay ? null : new LinkWatch(edges, clock);
  const monitor = new Monitor({
    opened,
    named: subject.named,
    file: subject.file,
    started: subject.started,
    directory,
    flows,
    owners,
    skipped,
    tracker: replay ? null : tracker,
    hasPhysical: !replay && hasPhysical(edges),
    inspection: new Inspection(
      flows,
      names,
      neighbours,
      reverse,
      source instanceof CapturedSource ? () => source.lastBehalf : null,
    ),
    places,
    reverseDns: subject.reverseDns,
    events: subject.events,
    watcher: subject.watcher,
    keep: subject.keep ?? null,
    listeners,
    publishers,
    repeats: (name) => isBridgePort(edges, name, replay),
    lower: (name) => (replay || edges.platform !== 'linux' ? [] : linuxLower(edges, name)),
    hardware: (name) => hardwareAddress(edges, name),
    link: (name) => links?.of(name) ?? null,
    kindsOf: (interfaces) => (replay ? interfaces.map(interfaceKind) : deviceKinds(edges, interfaces)),
    seed,
  });
  return { monitor, directory, follow, localizer, tracker, names, neighbours, reverse };
}

/** Who hears of processes as they begin. */
function heardBy(lineage: LinuxLineage | null, trees: ReadonlySet<CommandTree>, starts: StartClock): Beginnings | null {
  if (lineage === null) return null;
  return {
    born: (pid, parent, start) => {
      lineage.born(pid, parent, start);
      if (trees.size === 0) return;
      const time = starts.time(start);
      for (const tree of trees) {
        tree.isTold = true;
        tree.born(pid, parent, time);
      }
    },
    became: (facts, more) => {
      for (const tree of trees) tree.isTold = true;
      lineage.became(facts, more);
    },
    rest: () => lineage.rest(),
  };
}

/** Opens the best source of owners: the capture itself, then the kernel, then polling. Adds better ones that failed, with the reason, to `skipped`. */
function ownerSource(
  { ebpf, socketQuery }: Native,
  opened: OpenedSource,
  replay: boolean,
  flows: FlowTable,
  directory: Directory,
  watch: ExecWatch | null,
  tree: CommandTree | null,
  edges: Edges,
  clock: Clock,
  skipped: Fallback[],
): OwnerSource | null {
  const { source } = opened;
  if (source.namesProcesses) {
    const begun = () => source.processesBegun ?? 0;
    return new CapturedSource(replay ? 'capture' : 'pktap', flows, directory, () => source.processes, begun);
  }
  if (replay) return null;
  if (source.driver === 'nettop') return new NettopOwners(flows);
  if (edges.platform === 'linux') {
    const { proc, sys } = edges.paths;
    const query = socketQuery();
    const procs = watch ?? procAt(proc);
    const transferred = new TransferredSockets(flows, directory, procs, query, new OwnerChecks(flows, directory, procs, watch));
    const openProcfs = (behind: BehindTranslation | null) =>
      new ProcfsSource(flows, directory, procs, query, watch, transferred, behind);
    if ('missing' in ebpf) {
      skipped.push({ driver: 'ebpf', reason: ebpf.missing });
      return openProcfs(null);
    }
    try {
      const interfaces = () => source.interfaces.length;
      return ebpf.openEbpf({
        flows,
        directory,
        proc: procs,
        sys,
        watch,
        openFallback: openProcfs,
        transferred,
        interfaces,
        tree,
        now: () => clock.monotonic(),
      });
    } catch (thrown) {
      skipped.push({ driver: 'ebpf', reason: ebpf.ebpfRefusal(thrown) });
      return openProcfs(null);
    }
  }
  skipped.push({ driver: 'pktap', reason: `the packets of ${source.driver} name no processes here` });
  return new NettopSource(flows, directory, edges);
}

/** A Mac always has a physical interface; a Linux container or VPN gateway may have none. */
function hasPhysical(edges: Edges): boolean {
  return edges.platform === 'darwin' || linuxDevices(edges).some(({ up, kind }) => up && kind === 'physical');
}

/** True for a port of a bridge: by sysfs on Linux, otherwise by name. */
function isBridgePort(edges: Edges, name: string, replay: boolean): boolean {
  if (replay || edges.platform === 'darwin') return /^(veth|vmenet|vnet)/.test(name);
  return isLinuxInterfaceName(name) && systemPathExists(`${edges.paths.sys}/class/net/${name}/master`);
}

const nothing = () => null;

type Native = Awaited<ReturnType<typeof native>>;

/** What needs koffi, which has no build for some machines. */
async function native() {
  const [libproc, ebpf, query, watching, listening] = await Promise.all([
    process.platform === 'darwin' ? import('../identify/process/macos/libproc.ts').catch(() => null) : null,
    import('../identify/process/linux/ebpf/open.ts').catch((thrown: unknown) => ({
      missing: `koffi could not be loaded: ${reasonOf(thrown)}`,
    })),
    import('../identify/process/linux/netlink/socket-query.ts').catch(() => null),
    import('../identify/process/linux/exec-watch.ts').catch(() => null),
    process.platform === 'linux' ? import('../identify/process/linux/netlink/listening-dump.ts').catch(() => null) : null,
  ]);
  return {
    /** Path of a process's executable on a Mac; always null without koffi, and on other systems. */
    pathOf: orElse(() => libproc?.openLibproc() ?? nothing, nothing),
    /** Parent of a process on a Mac, likewise. */
    parentOf: orElse<ParentOf>(() => libproc?.openParents() ?? nothing, nothing),
    /** Opens eBPF on Linux, or says why it can't. */
    ebpf,
    /** Starts the thread that learns of new processes and reads the parts of /proc that need rights; null if it can't be started. */
    watchExecs: (proc: string, passwd: string, lineage: Beginnings | null, readState: (ref: ContainerRef) => ContainerAnswer) =>
      orElse(() => (watching === null ? null : new watching.ExecWatch(proc, passwd, lineage, readState)), null),
    /** Lists listening sockets from the kernel; null if that isn't possible. */
    openListeningDump: () => listening?.openListeningDump() ?? null,
    /** Looks up single sockets in the kernel; null if that isn't possible, which leaves the tables. */
    socketQuery: () => orElse<SingleSockets | null>(() => (query === null ? null : new query.SocketQuery()), null),
  };
}

function orElse<T>(open: () => T, otherwise: T): T {
  try {
    return open();
  } catch {
    return otherwise;
  }
}
