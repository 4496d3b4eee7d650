// Plays a week by the packets' clock through the whole program: capture to screen and history. A line of JSON for every six hours of it.
// usage: node --expose-gc week.js ROOT DAYS HISTORY

import { readFileSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { START, WeekSource } from './traffic.js';

const [root, days, path] = process.argv.slice(2);
const built = (name) => import(pathToFileURL(`${root}/dist/${name}`).href);
const [
  { PacketBatch },
  { Categories },
  { assemble },
  { systemEdges },
  { ReplaySession },
  { Recording, recordingEdges },
  { Tui },
  { parseTheme },
  { EventLog },
  { ScreenOutput },
  { keepHeapSmall },
  { EMPTY },
  { Watchman },
] = await Promise.all(
  [
    'capture/batch.js',
    'identify/category/categories.js',
    'pipeline/assembly.js',
    'system/programs.js',
    'pipeline/replay-session.js',
    'app/recording.js',
    'tui/tui.js',
    'view/text/theme.js',
    'aggregate/event-log.js',
    'app/screen.js',
    'system/thread.js',
    'watch/baseline.js',
    'watch/watchman.js',
  ].map(built),
);
const { default: xterm } = await import('@xterm/headless');

keepHeapSmall();

const REPORT_MS = 6 * 3_600_000;
const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', 'j', 'j', '\r', '\x1b', 's', 'z', 'z', '?', '\x1b', 't'];

const source = new WeekSource(Number(days), PacketBatch);
const clock = { now: () => source.time, monotonic: () => source.time - START };
const alerts = [];
const watcher = new Watchman({
  learnMs: 24 * 3_600_000,
  uploadFloor: 200e6,
  kinds: {},
  rules: [],
  budget: null,
  policy: null,
  run: 'week',
  seed: 1,
  evidence: null,
  mutes: () => [],
  raised: ({ time, kind, severity, held, text }) => alerts.push({ day: (time - START) / 86_400_000, kind, severity, held, text }),
});
// It learns as a recorder of a new history does.
watcher.know(EMPTY);
const subject = {
  named: [],
  file: 'week',
  categories: new Categories(),
  places: null,
  reverseDns: false,
  events: new EventLog(),
  watcher,
};
const parts = await assemble({ source, fallbacks: [] }, subject, systemEdges(), clock);
parts.localizer.setAddresses(Int32Array.from([0, 0, 0xffff, 0x0a000001]));
parts.monitor.aggregator.keepRateHistory();

// The terminal: what is drawn is read, as a terminal reads it.
const terminal = new xterm.Terminal({ cols: 120, rows: 40, scrollback: 0, allowProposedApi: true });
let drawn = 0;
const output = Object.assign(
  new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      drawn += chunk.length;
      terminal.write(chunk.toString(), done);
    },
  }),
  { isTTY: true, columns: 120, rows: 40 },
);
const input = Object.assign(new PassThrough(), { isTTY: true, isRaw: false, setRawMode: () => input });
const theme = parseTheme('netmon', readFileSync(new URL('../../themes/netmon.theme', import.meta.url), 'utf8'));
const tui = new Tui({ input, output, theme, colour: 'true' });
tui.listen(() => {});

const history = { path, record: true, maxBytes: 200_000_000, owner: null };
const recording = new Recording(history, parts, clock, () => source.time, await recordingEdges());
let writing = 0;
source.isHeld = () => writing > 2;

let reported = START;
/** Since the last line: what is written at the moment comes and goes, what is never closed stays. */
let fewestHandles = Number.POSITIVE_INFINITY;
let usage = process.cpuUsage();
let key = 0;
const screen = new ScreenOutput(tui);

function report() {
  global.gc();
  const memory = process.memoryUsage();
  const { user, system } = process.cpuUsage(usage);
  usage = process.cpuUsage();
  const listeners = [process, process.stdout, input, output].reduce(
    (sum, each) => sum + each.eventNames().reduce((count, name) => count + each.listenerCount(name), 0),
    0,
  );
  console.log(
    JSON.stringify({
      day: (source.time - START) / 86_400_000,
      heap: memory.heapUsed + memory.external,
      resident: memory.rss,
      reserved: memory.heapTotal,
      cpuMs: Math.round((user + system) / 1000),
      packets: source.packets,
      handles: fewestHandles,
      listeners,
      processes: source.processes.length,
      frames: tui.frames,
      drawn,
    }),
  );
  fewestHandles = Number.POSITIVE_INFINITY;
}

function handles() {
  return process.getActiveResourcesInfo().filter((name) => !/Immediate|Timeout/.test(name)).length;
}

const session = new ReplaySession({
  source,
  monitor: parts.monitor,
  neighbours: parts.neighbours,
  clock,
  output: {
    wantsEvents: false,
    sample(snapshot) {
      screen.sample(snapshot);
      if (snapshot.seq % 8 === 0) fewestHandles = Math.min(fewestHandles, handles());
      if (snapshot.seq % 40 === 0) input.write(KEYS[key++ % KEYS.length]);
      if (source.time - reported < REPORT_MS) return;
      reported = source.time;
      report();
    },
    opened: () => {},
    closed: () => {},
    gap: () => {},
    end: (snapshot) => screen.end(snapshot),
  },
  intervalMs: 10_000,
  speed: 0,
  ticks: true,
  samples: null,
  durationMs: null,
  writing: null,
  collect(time) {
    writing++;
    void recording.collect(time).finally(() => writing--);
  },
});
await session.run();
const { total } = parts.monitor.tick(source.time, 1, [], { apps: 1, hosts: 1, flows: 1 });
tui.close();
const word = await recording.close();
const { status } = recording;
console.log(JSON.stringify({ end: true, word, bytes: total.rxBytes + total.txBytes, status, alerts }));
process.exit(0);
