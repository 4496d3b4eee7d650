// The first step of a run: rights are decided, the capture is opened, then the screen or whatever else takes the output. A failure up to the
// capture finds the terminal as it was. Nothing is read of the capture yet, and no key.

import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Opener } from '../capture/opener.ts';
import type { CaptureRequest, OpenedSource } from '../capture/source.ts';
import { SwitchSource } from '../capture/switch-source.ts';
import { compileFilter, FILTER_HINT, type Filter } from '../filter/filter.ts';
import type { Messenger } from '../messenger/client.ts';
import { NetmonError } from '../model/errors.ts';
import type { CommandOptions, Options } from '../model/options.ts';
import { sanitize } from '../net/text.ts';
import type { Output } from '../output/output.ts';
import type { Assembly } from '../pipeline/assembly.ts';
import type { Rights } from '../privilege/rights.ts';
import type { Clock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import type { Log } from '../system/log.ts';
import type { Closing } from './close.ts';
import { Guard } from './loop.ts';
import type { CommandRun } from './receipt/command-run.ts';
import type { Sessions } from './receipt/sessions.ts';
import type { RunScreen } from './screen.ts';
import type { Streaming } from './streaming.ts';

/**
 * Bytes of the kernel's rings, all interfaces together. A frame cut to its headers takes 248 bytes, so this holds more than three seconds of
 * 20,000 frames a second. Every MiB is resident.
 */
const RING_BYTES = 20 << 20;
/** Whole packets need more: this holds two seconds of 30 MB/s. */
const RING_BYTES_WHOLE = 64 << 20;

function ringBytes({ packets }: Options): number {
  return packets.whole ? RING_BYTES_WHOLE : RING_BYTES;
}

/** Decides on a run's rights. @param bufferBytes of the capture's rings */
export type RightsOf = (options: Options, edges: Edges, bufferBytes: number) => Promise<Rights>;

/** Where a run's snapshots go. */
export type Mode = 'screen' | 'json' | 'table' | 'headless' | 'write' | 'why' | 'command' | 'session' | 'stream';

/** What a run is opened with. */
export interface OpenRequest {
  readonly options: Options;
  readonly edges: Edges;
  readonly clock: Clock;
  readonly rightsOf: RightsOf | null;
  readonly log: Log | null;
}

/** Another capture may take the place of this one. */
export interface Switching {
  readonly source: SwitchSource;
  /** Opens the other one, */
  readonly opener: Opener;
  /** as this one was opened. */
  readonly request: CaptureRequest;
  /** The capture follows the default route: nobody named an interface. */
  readonly followsRoute: boolean;
}

/** What a run reads: a capture, a file, or the counters of sockets. */
export interface OpenCapture {
  readonly opened: OpenedSource;
  /** null if the capture stays what it is. */
  readonly switching: Switching | null;
  /** Ties it to the pipeline. Counters of sockets write to the flow table themselves; what delivers frames has nothing to do. */
  attach(parts: Pick<Assembly, 'monitor' | 'directory'>): void;
}

/** An open run. Root's rights, if it has them, are still there. */
export interface Opened {
  readonly options: Options;
  readonly mode: Mode;
  readonly clock: Clock;
  /** The machine as this process reaches it. */
  readonly edges: Edges;
  /** The machine as the run reaches it: what still takes root once it was dropped goes to the child that keeps it. */
  readonly reach: Edges;
  readonly rights: Rights | null;
  /** Time before the first packet that may come, epoch ms. */
  readonly started: number;
  /** The filter of the command line; null for none. */
  readonly filter: Filter | null;
  readonly capture: OpenCapture;
  readonly guard: Guard;
  readonly output: Output;
  /** Delivers alerts and exports; null if nothing leaves the program. */
  readonly messenger: Messenger | null;
  /** What the run is for; null unless it is for a command. */
  readonly command: CommandRun | null;
  /** Sessions that are followed; null where none can be. */
  readonly sessions: Sessions | null;
  /** null in the other modes. */
  readonly screen: RunScreen | null;
  /** The line to another machine that shows this one; null in the other modes. */
  readonly stream: Streaming | null;
  readonly log: Log | null;
}

/** Opens a run. @throws NetmonError for everything that a user can put right */
export async function open({ options, edges, clock, rightsOf, log }: OpenRequest, closing: Closing): Promise<Opened> {
  const mode = modeOf(options);
  const rights = (await rightsOf?.(options, edges, ringBytes(options))) ?? null;
  if (rights !== null) closing.add('rights', () => rights.close());
  const reach = rights?.edges ?? edges;
  if (mode === 'screen') await refuseBadTerminal();
  if (mode === 'stream') refuseTerminalAsLine();
  const filter = filterOf(options.filter);
  // Before the capture is opened: a child inherits what libraries left open.
  const messenger = await startMessenger(options, edges);
  if (messenger !== null) closing.add('messenger', () => messenger.close());
  const command = options.command === null ? null : await startCommand(options.command, options, edges, clock);
  if (command !== null) closing.add('command', () => command.discard());
  // Loaded while libpcap opens, half of which is waiting. What reads packets is loaded behind the first frame.
  const drawing = mode === 'screen' ? import('./screen.ts') : null;
  const overSsh = drawing !== null && options.mouse === null ? isRemote(edges) : false;
  const started = clock.now();
  if (options.session !== null) await refuseMissing(options.session.pid, edges);
  const capture = await openCapture(options, mode === 'screen' || mode === 'stream', reach, clock);
  const { source } = capture.opened;
  closing.add('capture', () => {
    source.close();
    return source.gone;
  });
  const ends = () => guard.stop({ kind: 'done' });
  const guard: Guard = new Guard(command !== null ? (name) => command.signal(name) : mode === 'session' ? ends : null);
  closing.add('signals', () => guard.close());
  const screen = drawing === null ? null : (await drawing).openScreen(options, edges.platform, await overSsh);
  if (screen !== null) closing.add('screen', () => screen.close());
  const stream = mode === 'stream' ? await streaming(options, edges, guard, clock) : null;
  const shown = screen?.output ?? command ?? stream ?? (await plainOutput(mode, options, filter, guard, clock));
  const sessions = await openSessions(options, screen !== null, shown);
  const output = sessions ?? shown;
  const parts = { capture, guard, output, messenger, command, sessions, screen, stream };
  return { options, mode, clock, edges, reach, rights, started, filter, ...parts, log };
}

/** Whether the user came over SSH. Only becoming root clears what the environment says of it. */
async function isRemote(edges: Edges): Promise<boolean> {
  const { isOverSsh, saysSsh } = await import('../identify/process/ssh.ts');
  return edges.euid() === 0 ? isOverSsh(edges, process.env) : saysSsh(process.env);
}

async function startMessenger(options: Options, edges: Edges): Promise<Messenger | null> {
  const { notify, watch, exports: wanted, privileges, history } = options;
  const plan = watch === null ? null : notify.plan;
  // What has to be sent comes from a history that is recorded.
  const exports = wanted === null || history?.record === true ? wanted : { ...wanted, push: [] };
  if (plan === null && (exports === null || (exports.push.length === 0 && exports.prometheus === null))) return null;
  const { Messenger: MessengerOfRun } = await import('../messenger/client.ts');
  return MessengerOfRun.start(plan, exports, edges, privileges.user);
}

/** Has the command wait at its gate. */
async function startCommand({ words }: CommandOptions, options: Options, edges: Edges, clock: Clock): Promise<CommandRun> {
  const [{ Command }, { CommandRun: Run }, { CommandTree }] = await Promise.all([
    import('../command/command.ts'),
    import('./receipt/command-run.ts'),
    import('../identify/process/command-tree.ts'),
  ]);
  const command = await Command.start(words, edges, options.privileges.user);
  const mark = typeof command.cgroup === 'string' ? null : command.cgroup.mark;
  return new Run(command, new CommandTree(mark), options, clock, hasTerminal());
}

/** What follows sessions; null where none is named and no key can name one. */
async function openSessions(options: Options, hasKeys: boolean, output: Output): Promise<Sessions | null> {
  if (options.session === null && (!hasKeys || options.read !== null)) return null;
  const { Sessions: SessionsOfRun } = await import('./receipt/sessions.ts');
  return new SessionsOfRun(output, options);
}

/** Standard output that is not a terminal gets a table, never a drawing. */
function modeOf(options: Options): Mode {
  if (options.command !== null) return 'command';
  if (options.headless) return 'headless';
  if (options.why !== null) return 'why';
  if (options.stream) return 'stream';
  if (options.json) return 'json';
  if (options.session !== null && process.stdout.isTTY !== true) return 'session';
  const { write } = options.packets;
  if (write !== null && !options.once && (write.isAlone || process.stdout.isTTY !== true)) return 'write';
  return options.once || process.stdout.isTTY !== true ? 'table' : 'screen';
}

function refuseTerminalAsLine(): void {
  if (process.stdout.isTTY === true)
    throw new NetmonError('usage', 'stream speaks to another netmon-tui, not to a terminal', 'type: netmon-tui attach HOST');
}

async function streaming({ read }: Options, edges: Edges, guard: Guard, clock: Clock): Promise<Streaming> {
  const [{ Streaming: StreamingOfRun }, { version }] = await Promise.all([
    import('./streaming.ts'),
    import('../system/build.ts'),
  ]);
  const onClosed = () => guard.outputClosed(null);
  // What is read may be another machine's.
  const machine = read === null ? machineMark(edges) : null;
  return new StreamingOfRun({ input: process.stdin, output: process.stdout, program: version(), machine, clock, onClosed });
}

/** Tells this machine from others for as long as its network cards stay: whoever shows it under two names is told. */
function machineMark(edges: Pick<Edges, 'networkInterfaces'>): string {
  const cards = Object.values(edges.networkInterfaces()).flatMap((addresses) => addresses?.map(({ mac }) => mac) ?? []);
  const own = [...new Set(cards)].sort();
  return createHash('sha256')
    .update([hostname(), ...own].join())
    .digest('hex')
    .slice(0, 16);
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

async function plainOutput(mode: Mode, options: Options, filter: Filter | null, guard: Guard, clock: Clock): Promise<Output> {
  if (mode === 'headless' || mode === 'write') {
    const { RecordOutput } = await import('../output/record-output.ts');
    return new RecordOutput((text) => process.stderr.write(text), clock);
  }
  if (mode === 'session') return (await import('./receipt/session.ts')).NO_OUTPUT;
  const onClosed = (failure: Error | null) => guard.outputClosed(failure);
  if (mode === 'json') {
    const [{ JsonOutput }, { DeliveryWarnings }] = await Promise.all([
      import('../output/json-output.ts'),
      import('../output/delivery-warnings.ts'),
    ]);
    const delivery = new DeliveryWarnings((text) => process.stderr.write(text));
    const { once, dns, lineage } = options;
    return new JsonOutput(process.stdout, !once, dns ? { filter } : null, delivery, onClosed, lineage);
  }
  const { TableOutput, printerTo } = await import('../output/table-output.ts');
  const { ascii, names, units, why, durationMs } = options;
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  const color = options.color && process.stdout.isTTY === true;
  if (why !== null) {
    const { WhyOutput } = await import('../output/why-output.ts');
    if (process.stderr.isTTY && durationMs !== null)
      process.stderr.write(`measuring for ${Math.round(durationMs / 1000)} s: use ${sanitize(why)} now\n`);
    return new WhyOutput(why, { columns, color, ascii, json: options.json }, printerTo(process.stdout, onClosed));
  }
  return new TableOutput(process.stdout, { columns, color, ascii, names, units }, onClosed);
}

/** @param fallsBack without the rights to capture, read the counters of sockets */
async function openCapture(options: Options, fallsBack: boolean, edges: Edges, clock: Clock): Promise<OpenCapture> {
  if (options.read !== null) {
    const { openFile } = await import('../capture/file/source.ts');
    return unchanging({ source: await openFile(options.read), fallbacks: [] });
  }
  const { Opener: OpenerOfRun } = await import('../capture/opener.ts');
  const opener: Opener = new OpenerOfRun(options.driver, edges, clock);
  const request = {
    interfaces: await interfacesOf(options, edges),
    bpf: options.bpf,
    bufferBytes: ringBytes(options),
    wholePackets: options.packets.whole,
  };
  if (options.reduced) return openReduced(edges, clock, null);
  try {
    const opened = await opener.open(request);
    const followsRoute =
      options.interfaces.length === 0 && edges.platform === 'linux' && options.command === null && options.session === null;
    const isPktap = edges.platform === 'darwin' && opened.source.namesProcesses;
    return fallsBack || followsRoute || isPktap ? switchable(opened, opener, request, followsRoute) : unchanging(opened);
  } catch (thrown) {
    // A screen can say what is missing from it; whoever reads JSON or a table has to ask for less.
    const lacksRights = thrown instanceof NetmonError && thrown.code === 'permission';
    if (!fallsBack || !lacksRights) throw thrown;
    return openReduced(edges, clock, thrown);
  }
}

function unchanging(opened: OpenedSource): OpenCapture {
  return { opened, switching: null, attach: () => undefined };
}

function switchable(opened: OpenedSource, opener: Opener, request: CaptureRequest, followsRoute: boolean): OpenCapture {
  const source = new SwitchSource(opened);
  return {
    opened: {
      source,
      get fallbacks() {
        return source.fallbacks;
      },
    },
    switching: { source, opener, request, followsRoute },
    attach: () => undefined,
  };
}

/** @throws NetmonError `usage` if there is no such process: before anything is shown */
async function refuseMissing(pid: number, edges: Edges): Promise<void> {
  const [{ sessionOf }, { noProcess }] = await Promise.all([
    import('../identify/process/session.ts'),
    import('./receipt/session.ts'),
  ]);
  if ((await sessionOf(edges, pid)) === null) throw noProcess(pid);
}

/** Whether this process has a terminal, which sends its signals to the command, too. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

async function openReduced(edges: Edges, clock: Clock, refused: NetmonError | null): Promise<OpenCapture> {
  const { reducedCapture } = await import('../pipeline/reduced-capture.ts');
  const { source, fallbacks } = await reducedCapture(edges, clock, refused);
  return {
    opened: { source, fallbacks },
    switching: null,
    attach: ({ monitor, directory }) => source.feed(monitor, directory),
  };
}

/** macOS takes all interfaces through PKTAP; Linux takes the one that carries the default route. */
async function interfacesOf(options: Options, edges: Edges): Promise<readonly string[]> {
  if (options.interfaces.length > 0 || edges.platform === 'darwin') return options.interfaces;
  if (options.command !== null || options.session !== null) return ['any']; // they may go anywhere, to this machine too
  const { defaultInterface } = await import('../capture/devices/devices.ts');
  const route = await defaultInterface(edges);
  if (route === null) {
    throw new NetmonError(
      'no-device',
      'no default route, so no interface to choose',
      'name one: netmon-tui --interface NAME (see: netmon-tui interfaces)',
    );
  }
  return [route];
}
