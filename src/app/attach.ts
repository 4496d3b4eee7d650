// The third step of a run: everything else is loaded, root is dropped, and only then begins what makes files and reads keys. What a run surely
// needs must be loaded before the drop, for the user may not be able to read the program's own files.

import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressWatch } from '../capture/devices/address-watch.ts';
import { METRIC_ENGINES } from '../model/export.ts';
import type { WatchRecords } from '../model/history-batch.ts';
import type { HistoryOptions, Options, WriteOptions } from '../model/options.ts';
import { sanitize } from '../net/text.ts';
import { systemClock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import { workingFolder } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { trimMemory } from '../system/memory.ts';
import type { Action } from '../view/action.ts';
import type { Assembled, RunWatch } from './assemble.ts';
import type { Closing } from './close.ts';
import type { ExportPlace } from './export.ts';
import type { Exporting } from './exporting.ts';
import type { Loop, Stoppable } from './loop.ts';
import type { Opened } from './open.ts';
import type { PacketFiles, PacketFilesParts } from './packet-files.ts';
import type { Recording } from './recording.ts';
import type { RunScreen } from './screen.ts';
import type { EffectRunner } from './screen-effects.ts';
import type { Writing } from './writing.ts';

/** When a screen first shows traffic: long enough that a rate means something. */
const FIRST_TICK_MS = 250;

/** Said where there is nothing to send. */
const UNRECORDED = 'nothing is sent, for nothing is recorded: start with --history';

/** Makes a part once root is dropped. Both are null if this run records or writes nothing. */
type Make<Part> = (recording: Recording | null, writing: Writing | null) => Part;

/** Attaches history, look-ups, the session and the screen's keys. @returns the run, ready to go */
export async function attach(assembled: Assembled, closing: Closing): Promise<Loop> {
  const { options, mode, rights, capture, guard, output, command, screen, log } = assembled.opened;
  const { monitor, reverse } = assembled.parts;
  const { source } = capture.opened;
  if (reverse !== null) {
    closing.add('lookups', () => reverse.close());
    reverse.start();
  }
  const beginRecording = options.history?.record === true ? await recorder(options.history, assembled) : null;
  const beginWriting = options.packets.write === null ? null : await writer(options.packets.write, assembled);
  if (mode === 'why') {
    monitor.aggregator.keepRateHistory();
    monitor.aggregator.measureQuality();
  }
  const { exports } = options;
  if (beginRecording === null && exports !== null && exports.push.length > 0)
    monitor.setExports(() => ({ engines: [], note: UNRECORDED, isLeft: false }));
  const beginMetrics = await metricsFeeder(assembled);
  const makeSession = await sessionMaker(assembled, closing);
  const makeEffects = await effectsMaker(assembled, closing);
  const beginStream = await streamMaker(assembled, closing);

  if (rights !== null) monitor.setPrivileges(await rights.drop(monitor.owners.source, source));

  // As the user: in the user's folder names may change hands at any moment, and root would follow them.
  const recording = beginRecording?.() ?? null;
  if (recording !== null) closeWithComplaint(recording, closing, log);
  const writing = beginWriting?.(closing) ?? null;
  beginMetrics?.(recording, closing);
  const session = makeSession(recording, writing);
  const effects = makeEffects?.(recording, writing) ?? null;
  if (effects !== null) screen?.tui.listen((effect) => effects.run(effect));
  beginStream?.();
  if (recording !== null) {
    if (options.read === null) recording.start();
    output.begin?.({ source, attribution: monitor.owners.source?.kind ?? 'none', history: recording.status });
  }
  const { sessions } = assembled.opened;
  if (sessions !== null) {
    const { rows } = sessions;
    if (rows !== null) screen?.tui.apply({ type: 'followed', sessions: sessions.followed, opened: rows });
    if (screen === null) sessions.accompany(() => guard.stop({ kind: 'done' }));
    // Once the screen is gone: some of it is printed.
    closing.add('complaint', () => sessions.finish(placeOf(options), source.state !== 'lost'));
  }
  return { guard, session, source, stays: mode === 'screen' && options.read !== null, writing, command };
}

/** Where files go that no option names. */
function placeOf({ place, screen }: Options): ExportPlace {
  return { folders: [workingFolder(), place.home, tmpdir()].filter((folder) => folder !== null), owner: screen.owner };
}

/** Loads what records. @returns begins it: once root is dropped */
async function recorder(history: HistoryOptions, { parts, opened, watch }: Assembled): Promise<() => Recording> {
  const { Recording: RecordingOfRun, recordingEdges } = await import('./recording.ts');
  const edges = await recordingEdges();
  const { clock, options } = opened;
  const { monitor } = parts;
  const time = options.read === null ? () => clock.now() : () => monitor.lastTime;
  const watched = watch === null ? null : () => recordsOf(watch);
  const exporting = await exporter(opened, history);
  return () => {
    const exports = exporting?.() ?? null;
    const recording = new RecordingOfRun(history, parts, clock, time, edges, watched, exports);
    if (exports !== null) monitor.setExports(() => ({ ...exports.status, isLeft: recording.status.state === 'busy' }));
    return recording;
  };
}

/** Loads what brings records to engines; null if none are asked for. @returns begins it: once root is dropped */
async function exporter({ options, messenger, clock }: Opened, { path }: HistoryOptions): Promise<(() => Exporting) | null> {
  const { exports: plan, read, screen } = options;
  if (plan === null || plan.push.length === 0 || messenger === null || read !== null) return null;
  const [{ Exporting: ExportingOfRun, machineIdentity }, { openBareHistory }] = await Promise.all([
    import('./exporting.ts'),
    import('./history-answers.ts'),
  ]);
  const place = plan.folder === null ? null : { path: join(plan.folder, 'export.json'), owner: screen.owner };
  const open = () => openBareHistory(path);
  return () => new ExportingOfRun({ plan, messenger, open, clock, identity: machineIdentity(place), machine: hostname() });
}

/** Loads what keeps metrics. @returns begins it; null if nobody asks for them */
async function metricsFeeder({
  parts,
  opened,
}: Assembled): Promise<((recording: Recording | null, closing: Closing) => void) | null> {
  const { options, messenger, clock } = opened;
  const { exports: plan } = options;
  if (plan === null || messenger === null) return null;
  if (plan.prometheus === null && !plan.push.some(({ engine }) => METRIC_ENGINES.includes(engine))) return null;
  const [{ MetricsFeed }, { version }] = await Promise.all([import('./metrics-feed.ts'), import('../system/build.ts')]);
  const program = version();
  return (recording, closing) => {
    // Without a recording nothing else tells how far engines got.
    if (recording === null)
      parts.monitor.setExports(() => ({ engines: messenger.engines, isLeft: false, note: messenger.status.note }));
    const metrics = parts.monitor.aggregator.collectMetrics();
    const feed = new MetricsFeed({ metrics, clock, version: program, tell: (set) => messenger.tell(set) });
    feed.start();
    closing.add('effects', () => feed.close());
  };
}

/** Loads what writes packets. @returns begins it: once root is dropped */
async function writer(write: WriteOptions, { parts, opened }: Assembled): Promise<(closing: Closing) => Writing> {
  const [{ Writing: WritingOfRun, sinkAsRoot }, { version }] = await Promise.all([
    import('./writing.ts'),
    import('../system/build.ts'),
  ]);
  const { options, mode, clock, capture, filter, guard, log, rights } = opened;
  const { monitor } = parts;
  const { source } = capture.opened;
  const [{ owner }, program] = [options.screen, version()];
  const by = rights?.identity.by ?? null;
  const now = () => clock.now();
  const sink = sinkAsRoot(write, by, now);
  return (closing) => {
    const isOnlyWriting = mode === 'write';
    const onClosed = () => (isOnlyWriting || write.path === '-' ? guard.stop({ kind: 'done' }) : undefined);
    const about = { options: write, owner, monitor, source, filter, version: program };
    const writing = new WritingOfRun({ ...about, onClosed, now, sink, isNobody: by === 'nobody' });
    monitor.setWriting(() => writing.status);
    if (options.read === null) writing.start(() => clock.monotonic());
    if ((isOnlyWriting || mode === 'headless') && options.read === null)
      process.stderr.write(`netmon-tui: ${sanitize(writing.beginning)}\n`);
    log?.write('info', 'packets: writing');
    closing.add('writing', () => writing.end());
    closing.add('complaint', () => {
      log?.write(
        writing.failure === null ? 'info' : 'warn',
        `packets: ${writing.failure === null ? 'written' : 'not all written'}`,
      );
      process.stderr.write(`netmon-tui: ${sanitize(writing.summary)}\n`);
    });
    return writing;
  };
}

/** What history keeps of the watch since the last call; null for nothing. */
function recordsOf({ watchman, notices }: RunWatch): WatchRecords | null {
  const records = watchman.takeForHistory();
  const deliveries = notices.takeDeliveries();
  if (deliveries.length === 0) return records;
  return { alerts: records?.alerts ?? [], contacts: records?.contacts ?? [], deliveries };
}

/**
 * Begins to record in the middle of a run, as the user that it has become.
 *
 * @returns the recording; or why there can be none, and what to type
 */
async function recordFromNow(assembled: Assembled, closing: Closing): Promise<Recording | string> {
  const { options, log } = assembled.opened;
  if (options.history === null) return 'no home folder to record in: start with --history=PATH';
  const { recordingEdges, whyNotRecorded } = await import('./recording.ts');
  const refusal = whyNotRecorded(options.history, await recordingEdges());
  if (refusal !== null) return refusal;
  const recording = (await recorder(options.history, assembled))();
  closeWithComplaint(recording, closing, log);
  recording.start();
  return recording;
}

/** What the key of history does: it begins to record, and then has the file written. */
function historyKey(begun: Recording | null, assembled: Assembled, closing: Closing, tui: RunScreen['tui']): () => Promise<void> {
  let recording: Recording | string | null = begun;
  let isBeginning = false;
  return async () => {
    if (recording !== null && typeof recording !== 'string') return recording.save();
    if (isBeginning) return;
    isBeginning = true;
    try {
      recording = await recordFromNow(assembled, closing);
    } finally {
      isBeginning = false;
    }
    const where = tui.state.privacy ? '' : `, into ${assembled.opened.options.history?.path}`;
    if (typeof recording === 'string') assembled.events?.tell('recording', recording);
    tui.apply({ type: 'notice', text: typeof recording === 'string' ? recording : `recording from now on${where}` });
  };
}

/** Has history saved at the end. What went wrong with it is printed when the screen is gone. */
function closeWithComplaint(recording: Recording, closing: Closing, log: Log | null): void {
  let complaint = '';
  closing.add('history', async () => {
    complaint = await recording.close();
    log?.write(complaint === '' ? 'info' : 'warn', `history: closed${complaint === '' ? '' : ', with a complaint'}`);
    if (complaint !== '') log?.write('debug', `history: ${complaint}`);
  });
  closing.add('complaint', () => {
    if (complaint !== '') process.stderr.write(`netmon-tui: history: ${sanitize(complaint)}\n`);
    const { exportsWord } = recording;
    if (exportsWord !== '') process.stderr.write(`netmon-tui: exports: ${sanitize(exportsWord)}\n`);
  });
}

/** Loads the session. */
async function sessionMaker({ opened, parts, successor }: Assembled, closing: Closing): Promise<Make<Stoppable>> {
  const { options, mode, clock, reach, capture, output, command } = opened;
  const { source } = capture.opened;
  const { intervalMs, durationMs } = options;
  const once = mode === 'table' || options.once;
  const isFast = once || mode === 'write';
  if (options.read !== null) {
    const { ReplaySession } = await import('../pipeline/replay-session.ts');
    return (recording, writing) =>
      new ReplaySession({
        source,
        monitor: parts.monitor,
        neighbours: parts.neighbours,
        clock,
        output,
        intervalMs,
        speed: isFast ? 0 : options.speed,
        ticks: !isFast,
        samples: options.samples,
        durationMs,
        collect: recording === null ? null : (time) => void recording.collect(time),
        writing,
      });
  }
  const samples = once && durationMs === null ? 1 : options.samples;
  const { LiveSession } = await import('../pipeline/live-session.ts');
  const addresses = await watchAddresses(reach);
  if (addresses !== null) closing.add('addresses', () => addresses.close());
  return () =>
    new LiveSession({
      source,
      ...parts,
      successor,
      addresses,
      edges: reach,
      clock,
      output,
      intervalMs,
      ...(mode === 'screen' || mode === 'stream' ? { firstMs: FIRST_TICK_MS } : {}),
      samples,
      durationMs,
      settled: trimMemory,
      ...(command === null ? {} : { counting: () => command.go() }),
    });
}

/** Without koffi nobody tells of new addresses, and they are polled. */
async function watchAddresses(edges: Edges): Promise<AddressWatch | null> {
  try {
    return (await import('../capture/devices/address-watch.ts')).watchAddresses(edges);
  } catch {
    return null;
  }
}

/** Loads what writes kept packets; null if none are kept. */
async function packetFiles(
  { opened, parts }: Assembled,
  more: Pick<PacketFilesParts, 'place' | 'events' | 'notice'>,
): Promise<PacketFiles | null> {
  const { monitor } = parts;
  const { kept } = monitor;
  if (kept === null || opened.options.packets.keep === null) return null;
  const { PacketFiles: Files } = await import('./packet-files.ts');
  const { clock, options, capture } = opened;
  const now = options.read === null ? () => clock.now() : () => monitor.lastTime;
  const files = new Files({ kept, source: capture.opened.source, monitor, clock, now, ...more });
  monitor.setKeptWriting(() => files.status);
  return files;
}

/** Loads what answers the line to another machine. @returns begins it: once root is dropped; null without a line */
async function streamMaker({ opened, parts }: Assembled, closing: Closing): Promise<(() => void) | null> {
  const { options, stream } = opened;
  if (stream === null) return null;
  const [{ HistoryAnswers, historyOpener }, { compileFilter }] = await Promise.all([
    import('./history-answers.ts'),
    import('../filter/filter.ts'),
  ]);
  const { monitor } = parts;
  const path = options.history?.path ?? null;
  const answers = new HistoryAnswers<string>({
    path,
    open: historyOpener(path),
    clock: systemClock,
    tell: (_slot, id, answer) => stream.answer(id, answer),
  });
  closing.add('effects', () => answers.close());
  monitor.aggregator.keepRateHistory();
  monitor.aggregator.measureQuality();
  return () =>
    stream.listen({
      ask: (id, question) => answers.ask([{ slot: String(id), serial: id, question }]),
      watchPackets: (flow) => monitor.watchPackets(flow),
      match: (ask) => {
        const compiled = ask === null ? null : compileFilter(ask.text);
        const filter = compiled?.ok === true ? compiled.filter : null;
        monitor.aggregator.match(filter, null, ask?.average ?? null, ask?.machine ?? null);
        return filter !== null;
      },
      packetPage: () => monitor.packetPage,
    });
}

/** Loads what carries out the screen's effects; null without a screen. */
async function effectsMaker(assembled: Assembled, closing: Closing): Promise<Make<EffectRunner> | null> {
  const { opened, parts, events, choice, watch } = assembled;
  const { options, edges, guard, screen } = opened;
  if (screen === null || events === null) return null;
  const [{ EffectRunner: Runner, Exports, copyHandler }, { HistoryAnswers, historyOpener }, { systemClipboard }] =
    await Promise.all([import('./screen-effects.ts'), import('./history-answers.ts'), import('./clipboard.ts')]);
  const { tui } = screen;
  const { aggregator } = parts.monitor;
  const apply = (action: Action) => tui.apply(action);
  const notice = (text: string) => apply({ type: 'notice', text });
  const place = placeOf(options);
  const exports = new Exports(place, events, notice);
  const packets = await packetFiles(assembled, { place, events, notice });
  const path = options.history?.path ?? null;
  const answers = new HistoryAnswers({
    path,
    open: historyOpener(path),
    clock: systemClock,
    tell: (slot, serial, answer) => apply({ type: 'history', slot, serial, answer }),
  });
  closing.add('effects', () => {
    void answers.close();
    return Promise.all([exports.idle(), packets?.close()]).then(() => undefined); // half a file would stay behind
  });
  const history = aggregator.keepRateHistory();
  aggregator.measureQuality();
  aggregator.match(tui.state.filter.filter, tui.state.since, tui.state.average);
  return (recording) =>
    new Runner(
      {
        quit: () => guard.stop({ kind: 'done' }),
        'save-history': historyKey(recording, assembled, closing, tui),
        match: ({ filter, from, average }) => aggregator.match(filter, from, average),
        'watch-packets': ({ id }) => {
          parts.monitor.watchPackets(id);
          apply({ type: 'packets', page: parts.monitor.packetPage });
        },
        'range-totals': ({ from, to }) => apply({ type: 'range-totals', from, to, answer: history.between(from, to) }),
        history: ({ requests }) => answers.ask(requests),
        'list-interfaces': async () => apply({ type: 'interfaces', items: (await choice?.list()) ?? [] }),
        'capture-on': async ({ interfaces }) => {
          const fixed = { isTaken: false, text: 'the interfaces of this run are fixed' };
          const taken = choice === null ? fixed : await (interfaces === null ? choice.follow() : choice.take(interfaces));
          apply({ type: 'captured-on', ...taken });
        },
        mute: ({ mute, lastsMs }) => {
          const until = lastsMs === null ? null : systemClock.now() + lastsMs;
          const failure = watch?.mutes.add({ ...mute, until }) ?? '';
          if (failure !== '') notice(failure);
        },
        unmute: ({ mute }) => {
          const failure = watch?.mutes.remove(mute) ?? '';
          if (failure !== '') notice(failure);
        },
        follow: async ({ pid }) => {
          const said = (await opened.sessions?.toggle(pid, place)) ?? 'there is nothing to follow in a recording';
          notice(said);
          apply({ type: 'followed', sessions: opened.sessions?.followed ?? [], opened: null });
        },
        allow: async ({ app, host }) => {
          const failure = (await watch?.policy?.allow(app, host)) ?? 'this run has no policy';
          if (failure !== '') notice(failure);
        },
        export: (effect) => exports.write(effect),
        packets: async ({ asked }) => packets?.ask(asked),
        digest: ({ process }) => {
          const failure = parts.monitor.digest(process);
          if (failure !== null) notice(`no SHA-256: ${failure}`);
        },
        copy: copyHandler(systemClipboard(edges, process.env), tui),
      },
      notice,
    );
}
