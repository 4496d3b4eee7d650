// One run from options to exit status: opens the capture before the screen, and on every way out closes the screen before anything is said.

import type { OpenedSource } from '../capture/source.ts';
import { SwitchSource } from '../capture/switch-source.ts';
import { compileFilter, FILTER_HINT, type Filter } from '../filter/filter.ts';
import { NetmonError } from '../model/errors.ts';
import type { HistoryOptions, Options } from '../model/options.ts';
import { sanitize } from '../net/text.ts';
import type { Output } from '../output/output.ts';
import type { Assembly } from '../pipeline/assembly.ts';
import type { InterfaceChoice } from '../pipeline/interface-choice.ts';
import type { LiveParts } from '../pipeline/live-session.ts';
import type { ReducedSource } from '../pipeline/reduced-source.ts';
import type { Successor } from '../pipeline/route-watch.ts';
import type { Rights } from '../privilege/rights.ts';
import { type Clock, systemClock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { trimMemory } from '../system/memory.ts';
import { systemEdges } from '../system/programs.ts';
import { Guard, type Stoppable } from './guard.ts';
import { type Capture, openRun, RING_BYTES } from './open-capture.ts';
import type { Recording } from './recording.ts';
import type { OpenTui } from './screen.ts';
import type { ScreenTasks } from './screen-tasks.ts';

/** Makes a run's rights from what was asked for. */
export type RightsOf = (options: Options, edges: Edges, bufferBytes: number) => Promise<Rights>;

type Mode = 'screen' | 'json' | 'table' | 'headless';

/**
 * Runs until the user, a signal, the end of a file or the loss of the last interface ends it.
 *
 * @param rights gives up what is not needed once all is open; null leaves them as they are, for tests
 * @returns the exit status: 0, or 128 + n on a signal. @throws NetmonError for all that a user can mend
 */
export async function run(
  options: Options,
  edges: Edges = systemEdges(),
  clock: Clock = systemClock,
  rights: RightsOf | null = null,
): Promise<number> {
  const mode = modeOf(options);
  const own = (await rights?.(options, edges, RING_BYTES)) ?? null;
  const reach = own?.edges ?? edges;
  if (mode === 'screen') await refuseBadTerminal();
  const filter = filterOf(options.filter);
  // Loaded while libpcap opens, half of which is waiting; what reads packets is loaded behind the first frame.
  const drawing = mode === 'screen' ? import('./screen.ts') : null;
  const started = clock.now();
  const capture = await openRun(options, mode === 'screen', reach, clock);
  const follows = options.interfaces.length === 0 && reach.platform === 'linux';
  const isPktap = reach.platform === 'darwin' && capture.opened.source.namesProcesses;
  const switches = capture.opener !== null && (mode === 'screen' || follows || isPktap);
  const opened = switches ? switchable(capture.opened) : capture.opened;
  const guard = new Guard();
  let screen: OpenTui | null = null;
  let parts: Assembly | null = null;
  let reverse: { close(): void } | null = null;
  let introduction: { close(): void } | null = null;
  let recording: Recording | null = null;
  try {
    let failure: Error | null = null;
    const closed = (thrown: Error | null) => {
      failure ??= thrown;
      guard.stop({ kind: 'done' });
    };
    if (drawing !== null)
      screen = (await drawing).openTui(
        options,
        edges,
        () => guard.stop({ kind: 'done' }),
        () => recording?.save(),
      );
    const output = screen?.output ?? (await plainOutput(mode, options, closed, clock));
    const [{ assemble }, known, users] = await Promise.all([
      import('../pipeline/assembly.ts'),
      knowledge(options),
      usersOf(options, reach),
    ]);
    const { read: file, reverseDns } = options;
    const named = [...options.interfaces];
    parts = assemble(opened, { named, file, reverseDns, started, users, ...known }, reach, clock);
    const { driver } = opened.source;
    if (driver === 'sock_diag' || driver === 'nettop') (opened.source as ReducedSource).feed(parts.monitor, parts.directory);
    screen?.follow(parts.monitor.aggregator);
    if (mode === 'json' || mode === 'table') parts.monitor.aggregator.match(filter, null);
    if (screen !== null) introduction = await provide(screen.tasks, parts, options);
    const choice = await choiceOf(capture, opened, parts, named, reach);
    if (screen !== null) screen.tasks.choice = choice;
    const successor = await successorOf(capture, opened, choice, follows, reach);
    if (reverseDns) reverse = await reverseNames(parts, clock);
    const begin = options.history?.record === true ? await recorder(options.history, parts, clock, options.read === null) : null;
    const session = await sessionOf(
      options,
      mode,
      opened,
      { ...parts, successor },
      output,
      reach,
      clock,
      begin === null ? null : (time) => void recording?.collect(time),
    );
    if (own !== null) parts.monitor.privileges = await own.drop(parts.monitor.owners.source, opened.source.driver);
    screen?.listen();
    // As the user: in the user's folder names may change hands at any moment, and root would follow them.
    recording = begin?.() ?? null;
    if (options.read === null) recording?.start();
    if (recording !== null)
      output.begin?.({
        source: opened.source,
        attribution: parts.monitor.owners.source?.kind ?? 'none',
        history: recording.status,
      });
    const end = await guard.run(session, mode === 'screen' && options.read !== null);
    screen?.close();
    if (failure !== null) throw failure;
    if (end.kind === 'lost') {
      throw (
        opened.source.failure ??
        new NetmonError('device-lost', `the interface is gone: ${end.note}`, 'see what is left: netmon-tui interfaces')
      );
    }
    return end.kind === 'signal' ? 128 + end.number : 0;
  } finally {
    screen?.close();
    await screen?.tasks.idle(); // half an export would stay behind
    const word = (await recording?.close()) ?? '';
    guard.close();
    if (word !== '') process.stderr.write(`netmon-tui: history: ${sanitize(word)}\n`);
    reverse?.close();
    introduction?.close();
    parts?.monitor.owners.close();
    parts?.neighbours.close();
    opened.source.close();
    await opened.source.gone;
    await own?.close();
  }
}

/** Standard output that is no terminal gets a table, never a drawing. */
function modeOf(options: Options): Mode {
  if (options.headless) return 'headless';
  if (options.json) return 'json';
  return options.once || process.stdout.isTTY !== true ? 'table' : 'screen';
}

async function refuseBadTerminal(): Promise<void> {
  const { refuseTerminal } = await import('../tui/terminal.ts');
  const reason = refuseTerminal(process.env, true);
  if (reason !== null) throw new NetmonError('terminal', reason, 'for text without a screen: netmon-tui --once, or --json');
}

function filterOf(text: string | null): Filter | null {
  if (text === null || text.trim() === '') return null;
  const result = compileFilter(text);
  if (result.ok) return result.filter.matchesAll ? null : result.filter;
  throw new NetmonError('bad-filter', `filter "${text}", column ${result.column + 1}: ${result.message}`, FILTER_HINT);
}

/** The capture as one whose interfaces can be chosen anew. */
function switchable(opened: OpenedSource): OpenedSource {
  const source = new SwitchSource(opened);
  return {
    source,
    get fallbacks() {
      return source.fallbacks;
    },
  };
}

/** Gives the screen what its tasks take. @returns what asks history what was met before this run */
async function provide(tasks: ScreenTasks, { monitor }: Assembly, options: Options): Promise<{ close(): void }> {
  const [{ EventLog }, { Introduction, hasHistory }] = await Promise.all([
    import('../aggregate/event-log.ts'),
    import('./known-history.ts'),
  ]);
  const log = new EventLog(null);
  monitor.aggregator.events = tasks.events = log;
  const introduction = new Introduction(log);
  const path = options.history?.path ?? null;
  // A replay happens at another time: what history met since says nothing of it.
  if (path === null || options.read !== null || !hasHistory(path)) introduction.begin(null);
  else introduction.begin(async () => (await import('./history-answers.ts')).openBareHistory(path));
  return introduction;
}

/** What chooses interfaces while it runs; null where the capture stays what it is. */
async function choiceOf(
  { opener }: Capture,
  { source }: OpenedSource,
  { monitor }: Assembly,
  named: string[],
  edges: Edges,
): Promise<InterfaceChoice | null> {
  if (opener === null || !(source instanceof SwitchSource)) return null;
  const { InterfaceChoice: ChoiceOfRun } = await import('../pipeline/interface-choice.ts');
  return new ChoiceOfRun({ source, ...opener, edges, named, counted: () => monitor.counted });
}

/** What takes the place of a capture that is lost, or no longer where the default route is. */
async function successorOf(
  { opener }: Capture,
  { source }: OpenedSource,
  choice: InterfaceChoice | null,
  follows: boolean,
  edges: Edges,
): Promise<Successor | null> {
  if (opener === null || choice === null || !(source instanceof SwitchSource)) return null;
  if (follows) {
    const { RouteWatch } = await import('../pipeline/route-watch.ts');
    return new RouteWatch({ choice, active: () => source.active, edges });
  }
  if (edges.platform !== 'darwin' || !source.namesProcesses) return null;
  const { PktapSuccessor } = await import('../pipeline/route-watch.ts');
  return new PktapSuccessor(source, () => opener.opener.open(opener.request));
}

/** The processes of a recording ran elsewhere, under users of their own. */
async function usersOf({ read }: Options, edges: Edges): Promise<ReadonlyMap<number, string>> {
  if (read !== null || edges.platform !== 'darwin') return new Map();
  return (await import('../identify/process/macos/users.ts')).macUsers(edges);
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

/** Loads what records. @returns begins it: once root is given up, and before the first packet */
async function recorder(history: HistoryOptions, parts: Assembly, clock: Clock, live: boolean): Promise<() => Recording> {
  const { Recording: RecordingOfRun, recordingEdges } = await import('./recording.ts');
  const edges = await recordingEdges();
  const { monitor } = parts;
  const time = live ? () => clock.now() : () => monitor.lastTime;
  return () => new RecordingOfRun(history, parts, clock, time, edges);
}

/** Look-ups of our own, where they are wanted. */
async function reverseNames({ monitor, names }: Assembly, clock: Clock): Promise<{ close(): void }> {
  const { ReverseNames } = await import('../identify/name/reverse-names.ts');
  const reverse = new ReverseNames(monitor.flows, names, undefined, clock);
  names.onNameless = (row) => reverse.offer(row);
  reverse.start();
  return reverse;
}

async function plainOutput(mode: Mode, options: Options, closed: (failure: Error | null) => void, clock: Clock): Promise<Output> {
  if (mode === 'headless') {
    const { RecordOutput } = await import('../output/record-output.ts');
    return new RecordOutput((text) => process.stderr.write(text), clock);
  }
  if (mode === 'json') {
    const { JsonOutput } = await import('../output/json-output.ts');
    return new JsonOutput(process.stdout, !options.once, closed);
  }
  const { TableOutput } = await import('../output/table-output.ts');
  const { ascii, names, units } = options;
  const style = {
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    color: options.color && process.stdout.isTTY === true,
    ascii,
    names,
    units,
  };
  return new TableOutput(process.stdout, style, closed);
}

/** Where koffi can't be loaded, addresses are only asked for. */
async function listen(edges: Edges): Promise<LiveParts['addresses']> {
  try {
    return (await import('../capture/devices/address-watch.ts')).watchAddresses(edges);
  } catch {
    return null;
  }
}

async function sessionOf(
  options: Options,
  mode: Mode,
  opened: OpenedSource,
  parts: Assembly & Pick<LiveParts, 'successor'>,
  output: Output,
  edges: Edges,
  clock: Clock,
  collect: ((time: number) => void) | null,
): Promise<Stoppable> {
  const { source } = opened;
  const { intervalMs } = options;
  const once = mode === 'table' || options.once;
  const durationMs = options.durationMs;
  if (options.read !== null) {
    const { ReplaySession } = await import('../pipeline/replay-session.ts');
    return new ReplaySession({
      source,
      monitor: parts.monitor,
      neighbours: parts.neighbours,
      clock,
      output,
      intervalMs,
      speed: once ? 0 : options.speed,
      ticks: !once,
      samples: options.samples,
      durationMs,
      collect,
    });
  }
  const samples = once && durationMs === null ? 1 : options.samples;
  const { LiveSession } = await import('../pipeline/live-session.ts');
  const addresses = await listen(edges);
  return new LiveSession({
    source,
    ...parts,
    addresses,
    edges,
    clock,
    output,
    intervalMs,
    samples,
    durationMs,
    settled: trimMemory,
  });
}
