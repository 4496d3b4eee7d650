// The second step of a run, behind the first frame: the pipeline around the capture, and what can change the capture while it runs.

import { randomBytes, randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { EventLog } from '../aggregate/event-log.ts';
import type { Alert } from '../model/alert.ts';
import type { Options, WatchOptions } from '../model/options.ts';
import type { KeepOptions } from '../model/packets.ts';
import type { Assembly } from '../pipeline/assembly.ts';
import type { InterfaceChoice } from '../pipeline/interface-choice.ts';
import type { Successor } from '../pipeline/route-watch.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { periodOf } from '../view/history/budget.ts';
import type { Watchman, WatchmanParts } from '../watch/watchman.ts';
import type { Closing } from './close.ts';
import type { Evidence } from './evidence.ts';
import type { MuteFile } from './mutes.ts';
import type { Notices } from './notices.ts';
import type { Opened, Switching } from './open.ts';
import type { PolicyKeeper } from './policy-keeper.ts';

/** The ring of a run that writes packets and keeps none: a second of 30 MB/s. */
const WRITER_RING: KeepOptions = { bytes: 32 << 20, forMs: null };

/** An open run with its pipeline. Nothing flows through it yet. */
export interface Assembled {
  readonly opened: Opened;
  readonly parts: Assembly;
  /** What happened, for the screen and for a filter that asks for what is new; null without either. */
  readonly events: EventLog | null;
  /** Raises alerts and tells of them; null if nothing is watched. */
  readonly watch: RunWatch | null;
  /** Chooses other interfaces; null if the capture stays what it is. */
  readonly choice: InterfaceChoice | null;
  /** Replaces a capture that is lost or no longer on the default route; null if nothing can. */
  readonly successor: Successor | null;
}

/** The watch of a run. */
export interface RunWatch {
  readonly watchman: Watchman;
  readonly notices: Notices;
  readonly mutes: MuteFile;
  /** null without a policy. */
  readonly policy: PolicyKeeper | null;
}

/** Assembles the pipeline. */
export async function assemble(opened: Opened, closing: Closing): Promise<Assembled> {
  const { options, mode, clock, reach, started, filter, capture, screen, stream } = opened;
  let evidence: Evidence | null = null; // before there is a pipeline, nothing is raised
  const [pipeline, known, users, events, watch] = await Promise.all([
    import('../pipeline/assembly.ts'),
    knowledge(options),
    usersOf(options, reach),
    screen === null && stream === null && filter?.asksNew !== true ? null : eventLog(),
    options.watch === null ? null : watchmanOf(options.watch, opened, (alert) => evidence?.begin(alert) ?? null),
  ]);
  const watchman = watch?.watchman ?? null;
  if (events !== null || watchman !== null) await readKnown(events, watchman, options, clock, closing);
  const named = [...options.interfaces];
  const subject = {
    named,
    file: options.read,
    reverseDns: options.reverseDns,
    started,
    users,
    isMessenger: isMessengerOf(opened),
    events,
    watcher: watchman,
    tree: opened.command?.tree ?? null,
    listens: opened.command !== null || opened.sessions !== null,
    keep: options.packets.keep ?? (options.packets.write === null ? null : WRITER_RING),
    ...known,
  };
  const parts = await pipeline.assemble(capture.opened, subject, reach, clock);
  closing.add('owners', () => {
    parts.monitor.close();
    parts.neighbours.close();
  });
  capture.attach(parts);
  opened.command?.follow(parts);
  closing.add('command', () => opened.sessions?.discard());
  await opened.sessions?.attach({ edges: reach, parts, clock, policy: options.policy });
  if (mode === 'json' || mode === 'table') parts.monitor.aggregator.match(filter, null);
  evidence = await evidenceOf(opened, parts, events, closing);
  const { switching } = capture;
  const choice = switching === null ? null : await choiceOf(switching, parts, named, reach);
  const successor = switching === null || choice === null ? null : await successorOf(switching, choice, reach);
  if (watch !== null) parts.monitor.setWatch(() => ({ delivery: watch.notices.status, mutes: watch.mutes.list() }));
  return { opened, parts, events, watch, choice, successor };
}

/** What flows are sorted and placed by; loaded while the kernel already fills its rings. */
async function knowledge(options: Options) {
  const [{ Categories }, { Places }] = await Promise.all([
    import('../identify/category/categories.ts'),
    import('../identify/place/places.ts'),
  ]);
  return {
    categories: new Categories(options.categories),
    places: Places.open(options.place, options.place.home),
  };
}

/** Users that the passwd file doesn't list. The processes of a recording ran elsewhere, under users of their own. */
async function usersOf({ read }: Options, edges: Edges): Promise<ReadonlyMap<number, string>> {
  if (read !== null || edges.platform !== 'darwin') return new Map();
  return (await import('../identify/process/macos/users.ts')).macUsers(edges);
}

/** The log of events. */
async function eventLog(): Promise<EventLog> {
  const { EventLog: Log } = await import('../aggregate/event-log.ts');
  return new Log(null);
}

/** What writes the packets behind alerts; null if nothing is to. */
async function evidenceOf(
  { options, capture, clock, log }: Opened,
  { monitor }: Assembly,
  events: EventLog | null,
  closing: Closing,
): Promise<Evidence | null> {
  const { onAlert } = options.packets;
  const { kept } = monitor;
  if (onAlert === null || kept === null || options.watch === null) return null;
  const { Evidence: EvidenceOfRun } = await import('./evidence.ts');
  const failed = (reason: string) => {
    events?.tell('export', reason);
    log?.write('warn', `alerts: ${events === null ? reason : 'packets behind them are not written'}`);
  };
  const { source } = capture.opened;
  const evidence = new EvidenceOfRun({ kept, source, monitor, options: onAlert, owner: options.screen.owner, clock, failed });
  closing.add('effects', () => evidence.close());
  return evidence;
}

async function watchmanOf(options: WatchOptions, opened: Opened, evidence: WatchmanParts['evidence']): Promise<RunWatch> {
  const [{ Watchman: WatchmanOfRun }, { MuteFile: Mutes }, notices] = await Promise.all([
    import('../watch/watchman.ts'),
    import('./mutes.ts'),
    noticesOf(opened),
  ]);
  const { savedState, owner } = opened.options.screen;
  const mutes = new Mutes(savedState === null ? null : { path: join(dirname(savedState), 'mutes.json'), owner });
  const run = randomBytes(8).toString('hex');
  const raised = (alert: Alert) => notices.raise(alert);
  const policy = await policyOf(opened.options);
  const { budget: plan } = opened.options;
  return {
    watchman: new WatchmanOfRun({
      ...options,
      policy: policy === null ? null : () => policy.policy,
      budget: plan === null ? null : { plan, periodOf: (time) => periodOf(plan.day, time) },
      run,
      seed: randomInt(2 ** 31),
      isMessenger: isMessengerOf(opened),
      evidence,
      mutes: () => mutes.list(),
      raised,
    }),
    notices,
    mutes,
    policy,
  };
}

/** Whether a pid is that of the run's messenger. The pids of a file are others'. */
function isMessengerOf({ messenger, options }: Opened): (pid: number) => boolean {
  return (pid) => options.read === null && messenger?.is(pid) === true;
}

/** The policy of a run, which may be added to. */
async function policyOf({ policy, screen }: Options): Promise<PolicyKeeper | null> {
  if (policy === null) return null;
  const { PolicyKeeper: Keeper } = await import('./policy-keeper.ts');
  return new Keeper(policy, screen.owner);
}

/** Where alerts go besides the screen. */
async function noticesOf({ options, messenger: child, screen, clock }: Opened): Promise<Notices> {
  const { notify, history, headless, read } = options;
  const messenger = notify.plan === null ? null : child;
  const { terminal, pacing } = notify;
  const [{ Notices: NoticesOfRun, isRecordedElsewhere }, { systemFlock }, notice] = await Promise.all([
    import('./notices.ts'),
    import('../system/file-lock.ts'),
    screen === null ? null : import('../tui/notice.ts'),
  ]);
  const make = notice?.noticeMaker(terminal, process.env) ?? null;
  const ring = make === null ? null : (title: string, text: string) => screen?.tui.signal(make(title, text));
  // A recorder leaves it to nobody, and what happened in a file is nothing that it has seen.
  const asks = messenger !== null && notify.plan !== null && history !== null && !headless && read === null;
  const flock = asks ? await systemFlock() : null;
  return new NoticesOfRun({
    messenger: notify.plan === null ? null : messenger,
    ring,
    pacing,
    clock,
    isRecordedElsewhere: () => asks && isRecordedElsewhere(history, flock),
  });
}

/** Has what earlier runs met read, behind the first frame. */
async function readKnown(
  log: EventLog | null,
  watchman: Watchman | null,
  { history, read, budget, watch }: Options,
  clock: Clock,
  closing: Closing,
): Promise<void> {
  const { KnownHistoryQuery, hasHistory } = await import('./known-history.ts');
  const path = history?.path ?? null;
  // A replay happens at another time: what history has met since says nothing about it.
  const isKnown = path !== null && read === null && hasHistory(path);
  const open = isKnown ? async () => (await import('./history-answers.ts')).openBareHistory(path) : null;
  const records = history?.record === true && read === null;
  const query = new KnownHistoryQuery({ log, watchman, open, records, clock, budget, rules: watch?.rules ?? [] });
  closing.add('lookups', () => query.close());
}

async function choiceOf(switching: Switching, { monitor }: Assembly, named: string[], edges: Edges): Promise<InterfaceChoice> {
  const { InterfaceChoice: Choice } = await import('../pipeline/interface-choice.ts');
  return new Choice({ ...switching, edges, named, counted: () => monitor.counted });
}

async function successorOf(switching: Switching, choice: InterfaceChoice, edges: Edges): Promise<Successor | null> {
  const { source, opener, request } = switching;
  const { RouteWatch, PktapSuccessor } = await import('../pipeline/route-watch.ts');
  if (edges.platform === 'linux') return new RouteWatch({ choice, active: () => source.active, edges });
  if (!source.namesProcesses) return null;
  return new PktapSuccessor(source, () => opener.open(request));
}
